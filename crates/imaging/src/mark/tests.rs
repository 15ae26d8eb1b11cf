#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::Once;

use proptest::prelude::*;

use super::super::picture::Channels;
use super::*;
use crate::at_hand::missing;
use crate::fonts::FontsConfig;
use crate::plan::{
    Answer, Axes, Box2, Enlarge, Format, Gap, Gravity, MarkText, Mode, Output, Quality, Resize, Rgb, Scale, SizeLimit,
    Source, Step,
};
use crate::{Effort, convert};

/// The system's fonts, or `false` and a word about it; `scripts/setup` installs some.
fn fonts() -> bool {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| crate::fonts::load_all(&FontsConfig::default()));
    let there = fonts::writer().is_ok();
    if !there {
        missing("fonts");
    }
    there
}

fn png(width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 4]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    let data: Vec<u8> = (0..height).flat_map(|y| (0..width).flat_map(|x| pixel(x, y)).collect::<Vec<_>>()).collect();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

const RED: [u8; 4] = [255, 0, 0, 255];

fn red(width: u32, height: u32) -> Vec<u8> {
    png(width, height, |_, _| RED)
}

fn image() -> MarkImage {
    let (before, after) = (Vec::new(), Vec::new());
    MarkImage { object: "m".into(), host: None, before, scale: None, after, shrink: false, degrees: 0 }
}

fn text(words: &str) -> MarkText {
    MarkText {
        text: words.into(),
        font: "wqy-zenhei".into(),
        size: 40,
        color: Rgb { r: 0, g: 0, b: 0 },
        shadow: 0,
        degrees: 0,
        scale: None,
    }
}

fn mark(subject: Subject) -> Mark {
    Mark { subject, opacity: 100, gravity: Gravity::NorthWest, dx: 0, dy: 0, tiles: None }
}

fn draw(mark: Mark, bytes: &[u8], picture: Pixels) -> Result<Pixels, Error> {
    let plan = Plan { steps: vec![Step::Mark(Box::new(mark))], ..Plan::identity() };
    let images: Vec<&[u8]> = plan.mark_images().map(|_| bytes).collect();
    Marks::new(&plan, &images, Limits::default(), Policy::default()).unwrap().draw(picture, 0)
}

fn white(width: u32, height: u32) -> Pixels {
    Pixels::filled(width, height, Channels::Rgb, 255).unwrap()
}

/// Left, top, width and height of what differs from the first pixel's surroundings: all that is not `ground`.
fn ink(pixels: &Pixels, ground: &[u8]) -> Option<(usize, usize, usize, usize)> {
    let each = pixels.channels().count();
    let (mut x0, mut y0, mut x1, mut y1) = (usize::MAX, usize::MAX, 0, 0);
    for (y, row) in pixels.rows().enumerate() {
        for (x, pixel) in row.chunks_exact(each).enumerate() {
            if pixel != ground {
                (x0, y0, x1, y1) = (x0.min(x), y0.min(y), x1.max(x + 1), y1.max(y + 1));
            }
        }
    }
    (x1 > 0).then(|| (x0, y0, x1 - x0, y1 - y0))
}

const WHITE: [u8; 3] = [255; 3];

#[test]
fn nine_places_with_offsets() {
    let at = |gravity, dx, dy| {
        let mark = Mark { gravity, dx, dy, ..mark(Subject::Image(image())) };
        ink(&draw(mark, &red(4, 3), white(20, 16)).unwrap(), &WHITE).unwrap()
    };
    let places = [
        (Gravity::NorthWest, (2, 1)),
        (Gravity::North, (10, 1)),
        (Gravity::NorthEast, (14, 1)),
        (Gravity::West, (2, 7)),
        (Gravity::Center, (10, 7)),
        (Gravity::East, (14, 7)),
        (Gravity::SouthWest, (2, 12)),
        (Gravity::South, (10, 12)),
        (Gravity::SouthEast, (14, 12)),
    ];
    for (gravity, (x, y)) in places {
        // On a centred axis the offset goes to the right and down: 8 + 2 and 6 + 1.
        assert_eq!(at(gravity, 2, 1), (x, y, 4, 3), "{gravity:?}");
    }
    assert_eq!(at(Gravity::Center, 0, -4), (8, 2, 4, 3));
    assert_eq!(at(Gravity::SouthEast, -3, 0), (19, 13, 1, 3), "what lies outside is cut off");
}

#[test]
fn a_mark_that_lies_outside_changes_nothing() {
    for (dx, dy) in [(20, 0), (0, 16), (-4, 0), (0, -3), (i32::MAX, 0), (i32::MIN, i32::MIN)] {
        let mark = Mark { dx, dy, ..mark(Subject::Image(image())) };
        assert_eq!(ink(&draw(mark, &red(4, 3), white(20, 16)).unwrap(), &WHITE), None, "{dx}, {dy}");
    }
}

#[test]
fn a_larger_mark_is_cut_or_shrunk() {
    let shrunk = |shrink, gravity| {
        let mark = Mark { gravity, ..mark(Subject::Image(MarkImage { shrink, ..image() })) };
        let left_half = png(40, 20, |x, _| if x < 20 { RED } else { [0, 0, 255, 255] });
        draw(mark, &left_half, white(20, 16)).unwrap()
    };
    assert_eq!(ink(&shrunk(true, Gravity::NorthWest), &WHITE), Some((0, 0, 20, 10)));
    assert_eq!(shrunk(false, Gravity::NorthWest).data()[..3], RED[..3]);
    assert_eq!(shrunk(false, Gravity::SouthEast).data()[..3], [0, 0, 255], "the named corner stays");
}

#[test]
fn opacity_mixes_encoded_values() {
    let over = |opacity, ground: [u8; 3]| {
        let picture = Pixels::new(1, 1, Channels::Rgb, ground.to_vec()).unwrap();
        draw(Mark { opacity, ..mark(Subject::Image(image())) }, &red(1, 1), picture).unwrap().into_data()
    };
    assert_eq!(over(100, [1, 2, 3]), [255, 0, 0]);
    assert_eq!(over(50, [255, 255, 255]), [255, 128, 128]);
    assert_eq!(over(50, [0, 0, 0]), [128, 0, 0]);
    assert_eq!(over(90, [0, 100, 200]), [230, 10, 20]);
}

proptest! {
    #[test]
    fn alpha_over_alpha(
        value in any::<[u8; 3]>(), alpha in 0u8..=255, under in any::<[u8; 3]>(), below in 0u8..=255, opacity in 0u8..=100,
    ) {
        let bytes = png(1, 1, |_, _| [value[0], value[1], value[2], alpha]);
        let picture = Pixels::new(1, 1, Channels::Rgba, vec![under[0], under[1], under[2], below]).unwrap();
        let out = draw(Mark { opacity, ..mark(Subject::Image(image())) }, &bytes, picture).unwrap();
        let (a, b) = (f64::from(alpha) / 255.0 * f64::from(opacity) / 100.0, f64::from(below) / 255.0);
        let whole = a + b * (1.0 - a);
        prop_assert!((f64::from(out.data()[3]) - whole * 255.0).abs() <= 1.0, "{:?}", out.data());
        for at in 0..3 {
            if out.data()[3] > 0 && a > 0.0 {
                let want = (f64::from(value[at]) * a + f64::from(under[at]) * b * (1.0 - a)) / whole;
                // The weight of what lies below is a whole number.
                let slack = 1.0 + 1.0 / (whole * 255.0);
                prop_assert!((f64::from(out.data()[at]) - want).abs() <= slack, "{:?} {want}", out.data());
            }
        }
    }

    #[test]
    fn tiles_lie_on_one_grid(
        w in 1u32..9, h in 1u32..9, gap_x in 0u32..9, gap_y in 0u32..9, dx in -30i32..30, dy in -30i32..30, at in 0usize..9,
    ) {
        let tiled = Mark {
            gravity: Gravity::GRID[at], dx, dy, tiles: Some(Gap::Pixels(gap_x, gap_y)), ..mark(Subject::Image(image()))
        };
        let (x0, y0) = stamp::place(&tiled, (w, h), (31, 23));
        let out = draw(tiled, &red(w, h), white(31, 23)).unwrap();
        for (y, row) in out.rows().enumerate() {
            for (x, pixel) in row.chunks_exact(3).enumerate() {
                let inside = |at: usize, from: i64, side: u32, gap: u32| {
                    (at as i64 - from).rem_euclid(i64::from(side + gap)) < i64::from(side)
                };
                let want = inside(x, x0, w, gap_x) && inside(y, y0, h, gap_y);
                prop_assert_eq!(pixel == &RED[..3], want, "{} {}", x, y);
            }
        }
    }
}

#[test]
fn a_gap_may_be_a_part_of_the_mark() {
    let tiled = Mark { tiles: Some(Gap::Percent(50)), ..mark(Subject::Image(image())) };
    let out = draw(tiled, &red(4, 2), white(18, 9)).unwrap();
    let count = out.data().chunks_exact(3).filter(|pixel| *pixel == &RED[..3]).count();
    assert_eq!(count, 3 * 3 * 4 * 2, "steps of 6 and 3");
}

#[test]
fn grey_stays_grey_under_grey_only() {
    let picture = |channels| Pixels::filled(8, 8, channels, 200).unwrap();
    let grey = png(2, 2, |_, _| [90, 90, 90, 200]);
    let under =
        |bytes: &[u8], channels| draw(mark(Subject::Image(image())), bytes, picture(channels)).unwrap().channels();
    assert_eq!(under(&grey, Channels::Grey), Channels::Grey);
    assert_eq!(under(&grey, Channels::GreyAlpha), Channels::GreyAlpha);
    assert_eq!(under(&red(2, 2), Channels::Grey), Channels::Rgb);
    assert_eq!(under(&red(2, 2), Channels::GreyAlpha), Channels::Rgba);
    assert_eq!(under(&grey, Channels::Rgb), Channels::Rgb);
    assert_eq!(under(&grey, Channels::Rgba), Channels::Rgba);
}

#[test]
fn a_picture_mark_is_measured_by_the_picture() {
    let size = |scale, mark: (u32, u32), picture| {
        let source =
            Source { format: Format::Png, width: mark.0, height: mark.1, orientation: 1, frames: 1, alpha: true };
        let image = MarkImage { scale: Some(scale), ..image() };
        plan::mark::lay_out(&image, &source, picture, &Limits::default()).map(|layout| (layout.width, layout.height))
    };
    assert_eq!(size(Scale::Within(10), (100, 100), (100, 100)), Ok((10, 10)), "the vendor's own figures");
    assert_eq!(size(Scale::Within(10), (100, 100), (200, 200)), Ok((20, 20)));
    assert_eq!(size(Scale::Within(30), (200, 100), (300, 200)), Ok((90, 45)));
    assert_eq!(size(Scale::Width(500), (100, 50), (300, 200)), Ok((150, 75)));
    assert_eq!(size(Scale::Height(500), (100, 50), (300, 200)), Ok((200, 100)));
    assert_eq!(size(Scale::Area(250), (100, 100), (400, 400)), Ok((200, 200)));
    assert_eq!(size(Scale::Height(1000), (30_000, 1), (400, 400)).unwrap_err().kind, Kind::OutputTooLarge);
}

#[test]
fn a_marks_picture_is_processed_in_order() {
    let half = Box2 { w: Some(10), h: None, axes: Axes::WidthHeight };
    let resize = Step::Resize(Resize { mode: Mode::Fit(half), enlarge: Enlarge::Skip });
    let turn = |degrees| Step::Rotate(crate::plan::Rotate { degrees, max_side: None });
    let image = MarkImage { before: vec![resize], after: vec![turn(90)], ..image() };
    let out = draw(mark(Subject::Image(image)), &red(20, 8), white(40, 40)).unwrap();
    assert_eq!(ink(&out, &WHITE), Some((0, 0, 4, 10)));
    let turned = MarkImage { degrees: 90, ..super::tests::image() };
    let out = draw(mark(Subject::Image(turned)), &red(20, 8), white(40, 40)).unwrap();
    assert_eq!(ink(&out, &WHITE), Some((0, 0, 8, 20)));
}

#[test]
fn what_is_no_mark_is_said_to_be_none() {
    let kind = |bytes: &[u8]| draw(mark(Subject::Image(image())), bytes, white(9, 9)).unwrap_err().kind;
    assert_eq!(kind(b"no picture at all"), Kind::MarkUnusable);
    let whole = red(30, 30);
    assert_eq!(kind(&whole[..whole.len() - 20]), Kind::MarkUnusable);
    let moving = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/demo/anim.gif")).unwrap();
    assert_eq!(kind(&moving), Kind::MarkUnusable);
    let huge = Limits { source_pixels: 99, ..Limits::default() };
    let plan = Plan { steps: vec![Step::Mark(Box::new(mark(Subject::Image(image()))))], ..Plan::identity() };
    let red = red(10, 10);
    let error = Marks::new(&plan, &[&red], huge, Policy::default()).unwrap().draw(white(9, 9), 0).unwrap_err();
    assert_eq!(error.kind, Kind::MarkUnusable);
    assert!(Marks::new(&plan, &[], Limits::default(), Policy::default()).is_err_and(|e| e.kind == Kind::Internal));
}

#[test]
fn both_stand_side_by_side() {
    if !fonts() {
        return;
    }
    let both = |text_first, align| {
        let text = MarkText { size: 60, ..text("HHH") };
        let subject = Subject::Both { image: image(), text, text_first, align, interval: 30 };
        draw(mark(subject), &red(20, 20), white(300, 120)).unwrap()
    };
    let of = |pixels: &Pixels, wanted: fn(&[u8]) -> bool| {
        let mut only = pixels.clone();
        for pixel in only.data_mut().chunks_exact_mut(3) {
            if !wanted(pixel) {
                pixel.fill(255);
            }
        }
        ink(&only, &WHITE).unwrap()
    };
    let red: fn(&[u8]) -> bool = |pixel| pixel == &RED[..3];
    let black: fn(&[u8]) -> bool = |pixel| pixel[0] < 128;
    let first = both(false, Align::Top);
    assert_eq!(of(&first, red), (0, 0, 20, 20));
    assert!(of(&first, black).0 >= 50, "the interval");
    let second = both(true, Align::Bottom);
    let (letters, square) = (of(&second, black), of(&second, red));
    assert!(square.0 >= letters.0 + letters.2 + 30 && square.1 > letters.1, "{letters:?} {square:?}");
    let middle = of(&both(true, Align::Middle), red);
    assert!(middle.1 > 0 && middle.1 < square.1, "{middle:?} {square:?}");
}

fn drawn_text(text: &MarkText) -> Pixels {
    draw(mark(Subject::Text(text.clone())), &[], white(700, 500)).unwrap()
}

#[test]
fn letters_have_their_size_and_place() {
    if !fonts() {
        return;
    }
    let (x, y, width, height) = ink(&drawn_text(&text("HxH")), &WHITE).unwrap();
    // The capital letters of nearly all fonts are 0.6 to 0.8 em high.
    assert!((22..=34).contains(&height) && (40..=110).contains(&width), "{width} x {height}");
    assert!(x < 10 && (2..30).contains(&y), "{x}, {y}");
    let large = ink(&drawn_text(&MarkText { size: 80, ..text("HxH") }), &WHITE).unwrap();
    assert!(large.2.abs_diff(2 * width) <= 3 && large.3.abs_diff(2 * height) <= 3, "{large:?}");
    let corner = Mark { gravity: Gravity::SouthEast, dx: 10, dy: 10, ..mark(Subject::Text(text("HxH"))) };
    let (x, y, width, height) = ink(&draw(corner, &[], white(300, 200)).unwrap(), &WHITE).unwrap();
    assert!(x + width <= 290 && x + width > 275 && y + height <= 190 && y + height > 160, "{x} {y} {width} {height}");
}

#[test]
fn every_script_has_letters_of_its_own() {
    if !fonts() {
        return;
    }
    let missing = drawn_text(&text("\u{f8f0}"));
    let mut drawn = vec![("nothing known", missing)];
    for words in ["水", "印", "س", "ب", "Ж", "Ω", "ñ"] {
        let out = drawn_text(&text(words));
        let (.., width, height) = ink(&out, &WHITE).unwrap_or_else(|| panic!("no ink for {words}"));
        assert!(width > 4 && height > 4, "{words}");
        for (other, pixels) in &drawn {
            assert!(pixels.data() != out.data(), "{words} looks like {other}");
        }
        drawn.push((words, out));
    }
}

#[test]
fn arabic_joins_and_runs_to_the_left() {
    if !fonts() {
        return;
    }
    let width = |words: &str| text::line(&text(words), (900, 900)).unwrap().width;
    let alone: u32 = ["س", "ل", "ا", "م"].iter().map(|letter| width(letter)).sum();
    assert!(width("سلام") < alone * 9 / 10, "letters that join are narrower than alone");
    let (forth, back) = (drawn_text(&text("سب")), drawn_text(&text("بس")));
    assert!(forth.data() != back.data());
}

#[test]
fn a_turn_is_clockwise_and_keeps_all_ink() {
    if !fonts() {
        return;
    }
    let at = |degrees| {
        let line = text::line(&MarkText { degrees, ..text("Lorem") }, (900, 900)).unwrap();
        let stamp = line.draw_whole().unwrap();
        let alpha: u64 = stamp.parts[0].pixels.data().chunks_exact(2).map(|pixel| u64::from(pixel[1])).sum();
        (line.width, line.height, alpha, stamp)
    };
    let (width, height, ink, upright) = at(0);
    let (w90, h90, ink90, turned) = at(90);
    assert!(w90.abs_diff(height) <= 2 && h90.abs_diff(width) <= 2);
    for degrees in [45, 90, 135, 180, 200, 270, 359] {
        let (w, h, sum, _) = at(degrees);
        assert!(sum.abs_diff(ink) < ink / 50, "{degrees}: {sum} and {ink}");
        let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
        let bound = f64::from(width) * cos.abs() + f64::from(height) * sin.abs();
        assert!(f64::from(w) <= bound + 3.0 && f64::from(h) >= 1.0, "{degrees}");
    }
    assert!(ink90.abs_diff(ink) < ink / 50);
    // The L, first of the line, is at the left, and at the top after a quarter turn.
    let first = |stamp: &Stamp, across: bool| {
        let pixels = &stamp.parts[0].pixels;
        let half: u64 = pixels
            .rows()
            .enumerate()
            .flat_map(|(y, row)| row.chunks_exact(2).enumerate().map(move |(x, pixel)| (x, y, u64::from(pixel[1]))))
            .filter(|(x, y, _)| if across { *x < 22 } else { *y < 22 })
            .map(|(.., alpha)| alpha)
            .sum();
        half
    };
    let (left, top) = (first(&upright, true), first(&turned, false));
    assert!(left.abs_diff(top) < left / 5, "{left} {top}");
}

#[test]
fn a_shadow_falls_to_the_right_and_down() {
    if !fonts() {
        return;
    }
    let white_text = MarkText { color: Rgb::WHITE, ..text("I") };
    assert_eq!(ink(&drawn_text(&white_text), &WHITE), None, "white on white");
    let shadowed = drawn_text(&MarkText { shadow: 100, ..white_text.clone() });
    let faint = drawn_text(&MarkText { shadow: 30, ..white_text.clone() });
    let darkest = |pixels: &Pixels| *pixels.data().iter().min().unwrap();
    assert!(darkest(&shadowed) < 10 && (170..190).contains(&darkest(&faint)), "{}", darkest(&faint));
    let (letter, shadow) = (ink(&drawn_text(&text("I")), &WHITE).unwrap(), ink(&shadowed, &WHITE).unwrap());
    assert!(shadow.0 > letter.0 && shadow.1 >= letter.1 && shadow.1 + shadow.3 > letter.1 + letter.3);
}

#[test]
fn a_text_is_measured_by_the_picture() {
    if !fonts() {
        return;
    }
    let line = |scale| text::line(&MarkText { scale: Some(scale), ..text("Lorem ipsum") }, (1000, 600)).unwrap();
    assert!(line(Scale::Width(500)).width.abs_diff(500) <= 4);
    assert!(line(Scale::Height(100)).height.abs_diff(60) <= 4);
    let area = line(Scale::Area(100));
    assert!((u64::from(area.width) * u64::from(area.height)).abs_diff(60_000) < 4000);
}

#[test]
fn a_long_line_costs_only_what_is_seen() {
    if !fonts() {
        return;
    }
    let long = MarkText { size: 1000, ..text(&"W".repeat(64)) };
    let line = text::line(&long, (200, 100)).unwrap();
    assert!(line.width > 40_000);
    let out = draw(Mark { gravity: Gravity::East, ..mark(Subject::Text(long.clone())) }, &[], white(200, 100)).unwrap();
    assert!(ink(&out, &WHITE).is_some());
    let tiled = Mark { tiles: Some(Gap::Percent(0)), ..mark(Subject::Text(long)) };
    assert_eq!(draw(tiled, &[], white(200, 100)).unwrap_err().kind, Kind::OutputTooLarge);
}

#[test]
fn letters_on_top_of_each_other_are_counted() {
    if !fonts() {
        return;
    }
    // Combining marks have no width: 250 of them are drawn at one place.
    let piled = MarkText { size: 1000, ..text(&format!("W{}", "\u{0338}".repeat(250))) };
    let error = draw(mark(Subject::Text(piled.clone())), &[], white(2000, 2000)).unwrap_err();
    assert_eq!(error.kind, Kind::OutputTooLarge);
    assert!(draw(mark(Subject::Text(MarkText { size: 20, ..piled })), &[], white(200, 200)).is_ok());
}

#[test]
fn a_window_shows_what_the_whole_shows() {
    if !fonts() {
        return;
    }
    let line = text::line(&MarkText { degrees: 30, shadow: 60, ..text("Window 窗") }, (900, 900)).unwrap();
    let whole = &line.draw_whole().unwrap().parts[0].pixels;
    let part = &line.draw(40..90, 20..75).unwrap().parts[0];
    assert_eq!((part.x, part.y, part.pixels.width(), part.pixels.height()), (40, 20, 50, 55));
    for (row, window) in whole.rows().skip(20).zip(part.pixels.rows()) {
        // The rasteriser rounds what it clips.
        let near = row[80..180].iter().zip(window).all(|(a, b)| a.abs_diff(*b) <= 2);
        assert!(near, "{:?} {window:?}", &row[80..180]);
    }
    assert!(line.draw(40..40, 0..9).unwrap().parts.is_empty());
}

fn job(format: Format, steps: Vec<Step>, output: Output) -> crate::Job {
    crate::Job {
        plan: Plan { steps, answer: Answer::Image(output), original_on_error: false },
        format,
        limits: Limits::default(),
        policy: Policy::default(),
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 10_000,
        full_ms: 0,
    }
}

#[test]
fn the_original_never_stands_in_for_a_marked_picture() {
    let smallest = Output { quality: Quality::Forced(1), ..Output::default() };
    let flat = png(64, 64, |_, _| [200, 200, 200, 255]);
    let (source, _) = convert::convert(&flat, &job(Format::Jpeg, Vec::new(), smallest)).unwrap();
    let or_original = Some(SizeLimit { bytes: 1, or_original: true });
    let limited = Output { size_limit: or_original, ..Output::default() };
    let steps = vec![Step::Mark(Box::new(mark(Subject::Image(image()))))];
    let (bytes, _) = convert::convert_marked(&source, &[&red(40, 40)], &job(Format::Jpeg, steps, limited)).unwrap();
    assert!(bytes.len() > source.len() && bytes != source);
}

#[test]
fn every_frame_of_an_animation_is_marked() {
    let source = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../conf/demo/anim.gif")).unwrap();
    let header = probe::probe(&source).unwrap();
    let steps = vec![Step::Mark(Box::new(mark(Subject::Image(image()))))];
    let job = job(Format::Gif, steps, Output::default());
    let (bytes, outcome) = convert::convert_marked(&source, &[&red(9, 7)], &job).unwrap();
    assert!(outcome.frames > 1 && outcome.frames == header.source.frames);
    let header = probe::probe(&bytes).unwrap();
    let mut decoder = decode::open(&bytes, &header, &Wanted::default()).unwrap();
    let mut frames = 0;
    while let Some(frame) = decoder.next_frame().unwrap() {
        let each = frame.pixels.channels().count();
        let pixel = &frame.pixels.data()[frame.pixels.stride() * 3 + 4 * each..][..3];
        assert!(pixel[0] > 230 && pixel[1] < 30 && pixel[2] < 30, "{pixel:?}");
        frames += 1;
    }
    assert_eq!(frames, outcome.frames);
}

#[test]
fn no_font_names_the_key_that_helps() {
    let error = fonts::checked(&fonts::TextWriter::new(fonts::Fonts::default())).unwrap_err();
    assert_eq!(error.kind, Kind::UnsupportedRule);
    assert!(error.message.contains("engine.fonts.paths"), "{error}");
}

#[test]
fn unknown_fonts_have_a_stand_in() {
    if !fonts() {
        return;
    }
    let writer = fonts::writer().unwrap();
    let family = writer.family("no such font.ttf");
    assert!(!family.is_empty());
    let itself = writer.system.db().faces().last().unwrap().families[0].0.clone();
    assert_eq!(writer.family(&itself.to_uppercase()), itself, "a family's own name is a name");
}
