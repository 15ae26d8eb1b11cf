#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::time::Instant;

use base64::Engine as _;

use super::super::{Shrink, open as open_any};
use super::*;
use crate::at_hand::corpus;
use crate::plan::{Axes, Box2, Enlarge, Limits, Mode, Plan, Resize, Step};
use crate::policy::Policy;
use crate::probe::probe;
use crate::{Effort, Job, convert::convert};

pub(super) fn wanted() -> Wanted {
    Wanted { policy: Policy { svg: true, ..Policy::default() }, ..Wanted::default() }
}

pub(super) fn drawn(bytes: &[u8], wanted: &Wanted) -> Result<Pixels, Error> {
    let header = probe(bytes)?;
    let mut decoder = open_any(bytes, &header, wanted)?;
    let frame = decoder.next_frame()?.expect("a frame");
    assert!(decoder.next_frame()?.is_none());
    Ok(frame.pixels)
}

/// A drawing of 40 x 20 with these elements.
pub(super) fn svg(inside: &str) -> String {
    let spaces = "xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink'";
    format!("<svg {spaces} width='40' height='20'>{inside}</svg>")
}

fn draw_of(inside: &str) -> Pixels {
    drawn(svg(inside).as_bytes(), &wanted()).unwrap_or_else(|error| panic!("{inside}: {error}"))
}

pub(super) fn at(pixels: &Pixels, x: usize, y: usize) -> [u8; 4] {
    let place = (y * pixels.width() as usize + x) * 4;
    pixels.data()[place..place + 4].try_into().unwrap()
}

const RED: [u8; 4] = [255, 0, 0, 255];
const BLUE: [u8; 4] = [0, 0, 255, 255];
const NOTHING: [u8; 4] = [0; 4];

#[test]
fn shapes_lie_where_they_were_put() {
    let pixels =
        draw_of("<rect x='10' width='10' height='20' fill='#f00'/><circle cx='30' cy='10' r='5' fill='blue'/>");
    assert_eq!((pixels.width(), pixels.height(), pixels.channels()), (40, 20, Channels::Rgba));
    for (x, y, want) in
        [(9, 10, NOTHING), (10, 0, RED), (19, 19, RED), (20, 10, NOTHING), (30, 10, BLUE), (34, 6, NOTHING)]
    {
        assert_eq!(at(&pixels, x, y), want, "{x} {y}");
    }
    let pixels = draw_of("<path d='M0 0h20v20h-20z' style='fill:none;stroke:red;stroke-width:4'/>");
    assert_eq!((at(&pixels, 1, 10), at(&pixels, 10, 10), at(&pixels, 21, 10)), (RED, NOTHING, RED));
    let styled = draw_of("<style>.a{fill:blue} rect.a{fill:red}</style><rect class='a' width='9' height='9'/>");
    assert_eq!(at(&styled, 4, 4), RED);
}

#[test]
fn what_is_half_transparent_keeps_its_colour() {
    let pixels = draw_of("<rect width='40' height='20' fill='#804020' opacity='0.5'/>");
    let [r, g, b, a] = at(&pixels, 20, 10);
    assert!(a.abs_diff(128) <= 1, "{a}");
    // Eight bits of a colour times its opacity lose one of them.
    assert!(r.abs_diff(0x80) <= 1 && g.abs_diff(0x40) <= 1 && b.abs_diff(0x20) <= 1, "{r} {g} {b}");
}

#[test]
fn the_view_box_is_fitted_and_centred() {
    let text = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20' viewBox='100 100 10 10'>\
                <rect x='100' y='100' width='10' height='10' fill='red'/></svg>";
    let pixels = drawn(text.as_bytes(), &wanted()).unwrap();
    assert_eq!(
        [at(&pixels, 9, 10), at(&pixels, 10, 10), at(&pixels, 29, 10), at(&pixels, 30, 10)],
        [NOTHING, RED, RED, NOTHING]
    );
}

#[test]
fn gradients_run_and_clips_cut() {
    let pixels = draw_of(
        "<linearGradient id='g'><stop stop-color='red'/><stop offset='1' stop-color='blue'/></linearGradient>\
         <clipPath id='c'><rect width='40' height='10'/></clipPath>\
         <rect width='40' height='20' fill='url(#g)' clip-path='url(#c)'/>",
    );
    let row: Vec<_> = (0..40).map(|x| at(&pixels, x, 5)).collect();
    assert!(row[0][0] > 245 && row[39][2] > 245, "{row:?}");
    assert!(row.windows(2).all(|two| two[0][0] >= two[1][0] && two[0][2] <= two[1][2]), "{row:?}");
    assert!((0..40).all(|x| at(&pixels, x, 10) == NOTHING));
}

#[test]
fn uses_masks_patterns_markers_and_filters_are_followed() {
    let pixels = draw_of(
        "<defs><rect id='r' width='5' height='20' fill='red'/><symbol id='s'><use href='#r'/></symbol></defs>\
         <use xlink:href='#r' x='5'/><use href='#s' x='20'/>",
    );
    let red: Vec<_> = (0..40).filter(|x| at(&pixels, *x, 10) == RED).collect();
    assert_eq!(red, [5, 6, 7, 8, 9, 20, 21, 22, 23, 24]);

    let pixels = draw_of(
        "<mask id='m'><rect width='20' height='20' fill='white'/></mask>\
         <pattern id='p' width='10' height='10' patternUnits='userSpaceOnUse'><rect width='5' height='10' fill='red'/></pattern>\
         <rect width='40' height='20' fill='url(#p)' mask='url(#m)'/>",
    );
    assert_eq!(
        [at(&pixels, 2, 5), at(&pixels, 7, 5), at(&pixels, 12, 5), at(&pixels, 32, 5)],
        [RED, NOTHING, RED, NOTHING]
    );

    let pixels = draw_of(
        "<marker id='k' markerUnits='userSpaceOnUse' markerWidth='4' markerHeight='4' refX='2' refY='2'>\
         <rect width='4' height='4' fill='blue'/></marker>\
         <path d='M10 10H30' fill='none' marker-start='url(#k)' marker-end='url(#k)'/>",
    );
    assert_eq!([at(&pixels, 10, 10), at(&pixels, 20, 10), at(&pixels, 30, 10)], [BLUE, NOTHING, BLUE]);

    let pixels =
        draw_of("<filter id='f'><feFlood flood-color='blue'/></filter><rect width='20' height='20' filter='url(#f)'/>");
    assert_eq!(at(&pixels, 10, 10), BLUE);
}

#[test]
fn pictures_in_the_file_are_drawn_upright_and_others_left_out() {
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 2, 1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&[255, 0, 0, 0, 0, 255]).unwrap();
    let data = base64::engine::general_purpose::STANDARD.encode(&png);
    // Whatever it calls itself.
    for media in ["image/png", "image/webp", "text/plain"] {
        let pixels = draw_of(&format!("<image width='40' height='20' href='data:{media};base64,{data}'/>"));
        assert_eq!((at(&pixels, 1, 10), at(&pixels, 38, 10)), (RED, BLUE), "{media}");
    }
    for broken in ["data:image/png;base64,iVBORw0KGgo=", "data:,hello", "data:image/png;base64,%%", "x.png", ""] {
        let pixels =
            draw_of(&format!("<image width='40' height='20' href='{broken}'/><rect width='9' height='9' fill='red'/>"));
        assert_eq!((at(&pixels, 4, 4), at(&pixels, 30, 10)), (RED, NOTHING), "{broken}");
    }
}

#[test]
fn document_types_compression_and_names_do_not_matter() {
    let plain = svg("<rect width='40' height='20' fill='red'/>");
    let doctype =
        "<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd\">";
    let head = format!("\u{feff}<?xml version='1.0' encoding='UTF-8'?><!-- <a> --> {doctype}\n{plain}");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(head.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let prefixed = plain
        .replace("xmlns=", "xmlns:s=")
        .replace("<svg", "<s:svg")
        .replace("</svg", "</s:svg")
        .replace("<rect", "<s:rect");
    for bytes in [plain.as_bytes(), head.as_bytes(), &packed, prefixed.as_bytes()] {
        let pixels = drawn(bytes, &wanted()).unwrap();
        assert!((0..40).all(|x| at(&pixels, x, 19) == RED));
    }
    let cut = drawn(&packed[..packed.len() - 9], &wanted()).unwrap_err();
    assert_eq!(cut.kind, Kind::Corrupt);
}

fn converted(text: &str, steps: Vec<Step>, format: Format) -> Pixels {
    let job = Job {
        plan: Plan { steps, ..Plan::identity() },
        format,
        limits: Limits::default(),
        policy: wanted().policy,
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 10_000,
        full_ms: 0,
    };
    let (bytes, outcome) = convert(text.as_bytes(), &job).unwrap();
    assert_eq!(outcome.format, Some(format));
    drawn(&bytes, &wanted()).unwrap()
}

/// A resampled picture would have a soft edge.
#[test]
fn it_is_drawn_at_the_size_that_is_wanted() {
    let text = svg("<rect width='20' height='20' fill='red'/><rect x='20' width='20' height='20' fill='blue'/>");
    for (width, height) in [(400, 200), (20, 10), (100, 300)] {
        let target = Box2 { w: Some(width), h: Some(height), axes: Axes::WidthHeight };
        let step = Step::Resize(Resize { mode: Mode::Exact(target), enlarge: Enlarge::Allow });
        let pixels = converted(&text, vec![step], Format::Png);
        assert_eq!((pixels.width(), pixels.height()), (width, height));
        let each = pixels.channels().count();
        let middle = width as usize / 2;
        for row in pixels.rows() {
            let pixel = |x: usize| &row[x * each..x * each + 3];
            assert_eq!((pixel(middle - 1), pixel(middle)), (&RED[..3], &BLUE[..3]), "{width} x {height}");
        }
    }
    let jpeg = converted(&svg(""), Vec::new(), Format::Jpeg);
    assert!(jpeg.data().iter().all(|&byte| byte == 255), "nothing on white");
    let large = Wanted { shrink: Some(Shrink { min_width: 20_000, min_height: 20_000 }), ..wanted() };
    assert_eq!(drawn(svg("").as_bytes(), &large).unwrap_err().kind, Kind::SourcePixels);
}

#[test]
fn it_is_refused_by_a_site_that_does_not_allow_it() {
    let error = drawn(svg("").as_bytes(), &Wanted::default()).unwrap_err();
    assert_eq!(error.kind, Kind::UnsupportedSource);
    assert!(error.told().contains("[site.imaging] svg = true"), "{error}");
}

#[test]
fn empty_text_needs_no_font() {
    draw_of("<title>a title</title><text> \n </text>");
}

#[test]
fn the_corpus_is_drawn() {
    let Some(root) = corpus() else { return };
    for (name, width, height) in [
        ("blankpage.svg", 794, 1123),
        ("logo.svg", 736, 552),
        ("logo.svgz", 736, 552),
        ("plum-blossom.svg", 3780, 3780),
        ("test1.svg", 200, 100),
        ("test1.sanitized.svg", 200, 100),
    ] {
        let bytes = std::fs::read(root.join("svg").join(name)).unwrap();
        let start = Instant::now();
        let pixels = drawn(&bytes, &wanted()).unwrap_or_else(|error| panic!("{name}: {error}"));
        println!("{name}: {:?}", start.elapsed());
        assert_eq!((pixels.width(), pixels.height()), (width, height), "{name}");
        assert!(pixels.data().chunks_exact(4).any(|pixel| pixel[3] > 0), "{name}");
    }
    let logo = |name| drawn(&std::fs::read(root.join("svg").join(name)).unwrap(), &wanted()).unwrap().into_data();
    assert!(logo("logo.svg") == logo("logo.svgz"));
}

#[test]
fn what_is_bad_in_the_corpus_ends_well() {
    let Some(root) = corpus() else { return };
    for (name, want) in [
        ("svg-billion-laughs.svg", Some(Kind::UnsupportedSource)),
        ("svg-external-entity.svg", Some(Kind::UnsupportedSource)),
        ("svg-deep-nesting.svg", Some(Kind::UnsupportedSource)),
        ("svg-use-bomb.svg", Some(Kind::UnsupportedSource)),
        ("svg-huge-claim.svg", Some(Kind::SourceSide)),
        ("svg-external-image.svg", None),
        ("svg-script.svg", None),
    ] {
        let bytes = std::fs::read(root.join("bad").join(name)).unwrap();
        let start = Instant::now();
        let result = drawn(&bytes, &wanted());
        println!("{name}: {:?}, {:?}", start.elapsed(), result.as_ref().err().map(ToString::to_string));
        assert_eq!(result.as_ref().err().map(|error| error.kind), want, "{name}");
        if let Ok(pixels) = result {
            assert!(pixels.data().iter().all(|&byte| byte == 0), "{name}: nothing in it can be drawn");
        }
    }
}
