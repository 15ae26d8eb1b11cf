//! Files that were made to take for ever, to fill the memory, or to reach out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use base64::Engine as _;

use super::tests::{at, drawn, svg, wanted};
use super::*;

/// Far above what is expected, far below a job's deadline.
const SOON: Duration = Duration::from_secs(5);

#[track_caller]
fn refused(text: &str, kind: Kind, why: &str) {
    let start = Instant::now();
    let error = drawn(text.as_bytes(), &wanted()).expect_err("it is drawn");
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(why), "{error}");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

/// Levels of ten references each, to the level before.
fn levels(count: u32, first: &str, level: impl Fn(u32) -> String) -> String {
    (1..=count).fold(first.to_owned(), |text, number| text + &level(number))
}

#[test]
fn entities_are_not_expanded() {
    let bomb = "<!DOCTYPE svg [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;&a;'>]><svg xmlns='http://www.w3.org/2000/svg'>&b;</svg>";
    refused(bomb, Kind::UnsupportedSource, "declares entities");
    refused(&bomb.replace("'aaaa'", "SYSTEM 'file:///etc/passwd'"), Kind::UnsupportedSource, "declares entities");
    refused(&svg("&a;"), Kind::Corrupt, "damaged");
    let late = format!("{}<!DOCTYPE svg>", svg(""));
    assert!(drawn(late.as_bytes(), &wanted()).is_ok(), "it is taken out, wherever it stands");
    refused(&format!("<!DOCTYPE svg><!DOCTYPE svg>{}", svg("")), Kind::Corrupt, "two document types");
}

#[test]
fn nothing_outside_of_the_file_is_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.svg");
    std::fs::write(&file, svg("<rect width='40' height='20' fill='red'/>")).unwrap();
    let path = file.display();
    for address in [
        format!("{path}"),
        format!("file://{path}"),
        "file:///etc/passwd".into(),
        "http://127.0.0.1:9/x.png".into(),
        format!("../../../../../../..{path}"),
    ] {
        let inside = format!(
            "<image width='40' height='20' href='{address}'/><image width='40' height='20' xlink:href='{address}'/>\
             <use href='{address}#a'/><rect width='40' height='20' fill='url({address}#p)'/>\
             <style>@import url({address}); @font-face {{ src: url({address}) }}</style>\
             <filter id='f'><feImage href='{address}'/></filter><rect width='40' height='20' fill='none' filter='url(#f)'/>\
             <script href='{address}'/><foreignObject width='40' height='20'><img src='{address}'/></foreignObject>",
        );
        let pixels = drawn(svg(&inside).as_bytes(), &wanted()).unwrap();
        // The file is red. What cannot be read as a paint is black.
        assert!(pixels.data().chunks_exact(4).all(|pixel| pixel[..3] == [0; 3]), "{address}");
    }
    let active = "<rect width='40' height='20' fill='blue' onclick='alert(1)'/>\
                  <script>document.documentElement.remove()</script>\
                  <rect width='40' height='20' fill='red' opacity='0'><animate attributeName='opacity' to='1' dur='1s'/></rect>";
    assert_eq!(at(&drawn(svg(active).as_bytes(), &wanted()).unwrap(), 5, 5), [0, 0, 255, 255]);
}

#[test]
fn depth_and_numbers_are_bounded() {
    let deep = |count: usize| svg(&format!("{}{}", "<g>".repeat(count), "</g>".repeat(count)));
    refused(&deep(300), Kind::UnsupportedSource, "inside of each other");
    refused(&deep(1_000_000), Kind::UnsupportedSource, "inside of each other");
    assert!(drawn(deep(150).as_bytes(), &wanted()).is_ok());
    refused(&svg(&"<g/>".repeat(300_000)), Kind::UnsupportedSource, "elements");
    let attributes = (0..200_000).fold(String::new(), |mut text, number| {
        let _ = write!(text, " a{number}=''");
        text
    });
    refused(&svg(&format!("<g{attributes}/>")), Kind::UnsupportedSource, "attributes");
    refused(&svg("<g a='").replace("</svg>", ""), Kind::Corrupt, "cut off");
    refused(&svg("</g></g>"), Kind::Corrupt, "damaged");
}

#[test]
fn references_do_not_multiply() {
    let ten = |what: String| what.repeat(10);
    let uses = levels(9, "<rect id='l0' width='1' height='1'/>", |n| {
        format!("<g id='l{n}'>{}</g>", ten(format!("<use href='#l{}'/>", n - 1)))
    });
    refused(&svg(&format!("<defs>{uses}</defs>")), Kind::UnsupportedSource, "pieces");
    for (property, element, attributes) in [
        ("fill", "pattern", "width='1' height='1'"),
        ("stroke", "pattern", "width='1' height='1' patternUnits='userSpaceOnUse'"),
        ("mask", "mask", ""),
        ("clip-path", "clipPath", ""),
        ("marker-mid", "marker", ""),
    ] {
        // By attribute, by style, by rules, and by what is inherited.
        for how in 0..4 {
            let bomb =
                levels(9, &format!("<{element} id='l0' {attributes}><rect width='1' height='1'/></{element}>"), |n| {
                    let address = format!("url(#l{})", n - 1);
                    let shapes = match how {
                        0 => ten(format!("<path d='M0 0h1v1z' {property}='{address}'/>")),
                        1 => ten(format!("<path d='M0 0h1v1z' style='{property}: {address}'/>")),
                        2 => {
                            ten(format!("<path d='M0 0h1v1z' class='c{n}'/>"))
                                + &format!("<style>.c{n} {{ {property}: {address} }}</style>")
                        }
                        _ => format!("<g {property}='{address}'>{}</g>", ten("<path d='M0 0h1v1z'/>".into())),
                    };
                    format!("<{element} id='l{n}' {attributes}>{shapes}</{element}>")
                });
            let last = format!("<path d='M0 0h9v9z' {property}='url(#l9)'/>");
            // What elements do not inherit does not multiply.
            if how < 3 || matches!(property, "fill" | "stroke" | "marker-mid") {
                refused(&svg(&format!("{bomb}{last}")), Kind::UnsupportedSource, "pieces");
            } else {
                assert!(drawn(svg(&format!("{bomb}{last}")).as_bytes(), &wanted()).is_ok());
            }
        }
    }
    let path = format!("<path marker-mid='url(#m)' d='M0 0{}'/>", "h1v1".repeat(200_000));
    let markers = format!("<marker id='m'>{}</marker>{path}", "<rect width='1' height='1'/>".repeat(10));
    refused(&svg(&markers), Kind::UnsupportedSource, "pieces");
    let long = format!("<path id='p' d='M0 0{}'/>{}", "h1v1".repeat(100_000), "<use href='#p'/>".repeat(1000));
    refused(&svg(&long), Kind::UnsupportedSource, "pieces");
    let sheets = "<style>.a{fill:red}</style>".repeat(100_000);
    refused(&svg(&sheets), Kind::UnsupportedSource, "rules of style");
    // A second element of the same name counts too.
    let twice = uses.replace("<g id='l5'>", "<g id='l5'/><g id='l5'>");
    refused(&svg(&twice), Kind::UnsupportedSource, "pieces");
}

#[test]
fn circles_are_refused_and_long_chains_are_followed_only_so_far() {
    for circle in [
        "<g id='a'><use href='#b'/></g><g id='b'><use href='#a'/></g>",
        "<use id='a' href='#a'/>",
        "<pattern id='a' width='1' height='1'><rect width='1' height='1' fill='url(#a)'/></pattern>",
        "<mask id='a' mask='url(#a)'/>",
        "<linearGradient id='a' href='#b'/><linearGradient id='b' href='#a'/>",
        "<style>rect { clip-path: url(#a) }</style><clipPath id='a'><rect width='1' height='1'/></clipPath>",
    ] {
        refused(&svg(circle), Kind::UnsupportedSource, "circle");
    }
    // Each is in the next one, by every kind of reference. On a smaller stack the last of them would not return.
    for (property, element, attributes) in [
        ("fill", "pattern", "width='1' height='1' patternUnits='userSpaceOnUse'"),
        ("fill", "pattern", "width='1' height='1'"),
        ("mask", "mask", ""),
        ("clip-path", "clipPath", ""),
        ("filter", "filter", ""),
    ] {
        let chain = |count| {
            levels(count, &format!("<{element} id='l0' {attributes}><rect width='1' height='1'/></{element}>"), |n| {
                let inner = match element {
                    "filter" => format!("<feImage href='#r{n}'/>"),
                    _ => String::new(),
                };
                let shape = format!("<rect id='r{n}' width='1' height='1' {property}='url(#l{})'/>", n - 1);
                match element {
                    "filter" => format!("{shape}<{element} id='l{n}'>{inner}</{element}>"),
                    _ => format!("<{element} id='l{n}' {attributes}>{shape}</{element}>"),
                }
            }) + &format!("<rect width='9' height='9' {property}='url(#l{count})'/>")
        };
        refused(&svg(&chain(2000)), Kind::UnsupportedSource, "too deep");
        let start = Instant::now();
        let result = drawn(svg(&chain(300)).as_bytes(), &wanted());
        let result = result.and(drawn(svg(&chain(440)).as_bytes(), &wanted()));
        println!("{element}: {:?} {:?}", start.elapsed(), result.err().map(|error| error.to_string()));
        assert!(start.elapsed() < SOON);
    }
    let (open, close) = ("<g opacity='.9'>".repeat(180), "</g>".repeat(180));
    let long = levels(10, "<mask id='l0'><rect width='1' height='1'/></mask>", |n| {
        format!("<mask id='l{n}'>{open}<rect width='9' height='9' mask='url(#l{})'/>{close}</mask>", n - 1)
    });
    let _ = drawn(svg(&format!("{long}<rect width='9' height='9' mask='url(#l10)'/>")).as_bytes(), &wanted());
}

#[test]
fn layers_and_filters_take_no_more_than_a_picture_should() {
    let huge = |inside: &str| svg(inside).replace("width='40' height='20'>", "width='4000' height='4000'>");
    let nested = format!("{}<rect width='4000' height='4000'/>{}", "<g opacity='.9'>".repeat(100), "</g>".repeat(100));
    refused(&huge(&nested), Kind::OutOfMemory, "layers");
    let beside = "<g opacity='.9'><rect width='4000' height='4000'/></g>".repeat(1000);
    refused(&huge(&beside), Kind::UnsupportedSource, "too long");
    for effect in [
        "<feTurbulence numOctaves='4000000000' baseFrequency='.1'/>",
        "<feMorphology operator='dilate' radius='500'/>",
        "<feMorphology operator='dilate' radius='1e30'/>",
    ] {
        let filter = format!("<filter id='f'>{effect}</filter><rect width='4000' height='4000' filter='url(#f)'/>");
        refused(&huge(&filter), Kind::UnsupportedSource, "too long");
    }
    let steps = "<feOffset dx='1'/>".repeat(200);
    let filter = format!("<filter id='f'>{steps}</filter><rect width='4000' height='4000' filter='url(#f)'/>");
    refused(&huge(&filter), Kind::OutOfMemory, "layers");
    let tile = "<pattern id='p' patternUnits='userSpaceOnUse' width='100000' height='100000'><rect width='9' height='9'/></pattern>\
                <rect width='10' height='10' fill='url(#p)'/>";
    refused(&svg(tile), Kind::OutOfMemory, "layers");
    let soft =
        "<filter id='f'><feGaussianBlur stdDeviation='1e9'/></filter><rect width='40' height='20' filter='url(#f)'/>";
    drawn(svg(soft).as_bytes(), &wanted()).unwrap();
}

#[test]
fn numbers_without_sense_do_no_harm() {
    for shape in [
        "<rect x='1e38' y='-1e38' width='1e38' height='1e38' stroke='red' stroke-width='1e38'/>",
        "<path d='M0 0 1e39 1e39 nan' stroke='red' stroke-dasharray='1e-9 1e-9'/>",
        "<g transform='scale(1e30)'><circle r='1e30' stroke='red'/></g>",
        "<g transform='matrix(0 0 0 0 0 0)'><rect width='9' height='9'/></g>",
        "<g transform='scale(1e-38)' opacity='.5'><rect width='1e38' height='9'/></g>",
        "<filter id='f' x='-1e9' width='1e30' height='1e30'><feFlood/></filter><rect width='9' height='9' filter='url(#f)'/>",
        "<path d='M0 0H40' stroke='red' stroke-width='3' stroke-dasharray='1e-6'/>",
    ] {
        let start = Instant::now();
        let result = drawn(svg(shape).as_bytes(), &wanted());
        println!("{shape}: {:?} {:?}", start.elapsed(), result.as_ref().err().map(ToString::to_string));
        assert!(start.elapsed() < SOON, "{shape}");
    }
    refused(&svg("").replace("width='40'", "width='1e9'"), Kind::SourceSide, "at most");
    refused(&svg("").replace("width='40'", "width='-1'"), Kind::Corrupt, "0 pixels");
    // A number that only the parser of the whole file understands.
    refused(&svg("").replace("width='40'", "width='&#52;&#53;'"), Kind::UnsupportedSource, "size is told");
}

#[test]
fn embedded_pictures_are_bounded() {
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let mut png = Vec::new();
    let mut encoder = png::Encoder::new(&mut png, 3000, 3000);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().unwrap().write_image_data(&vec![200; 9_000_000]).unwrap();
    let image = format!("<image id='i' width='40' height='20' href='data:image/png;base64,{}'/>", encode(&png));
    drawn(svg(&image).as_bytes(), &wanted()).unwrap();
    refused(&svg(&image.repeat(3)), Kind::UnsupportedSource, "24000000 pixels");
    refused(&svg(&format!("{image}{}", "<use href='#i'/>".repeat(50))), Kind::UnsupportedSource, "24000000 pixels");
    let inner =
        format!("<image width='40' height='20' href='data:image/svg+xml;base64,{}'/>", encode(svg("").as_bytes()));
    refused(&svg(&inner), Kind::UnsupportedSource, "another SVG");
}

#[test]
fn a_bomb_of_zeros_is_not_unpacked() {
    use std::io::Write as _;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(svg("").as_bytes()).unwrap();
    packed.write_all(&vec![b' '; 64 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    let error = drawn(&packed, &wanted()).unwrap_err();
    assert_eq!(error.kind, Kind::SourceBytes, "{error}");
}

/// Bytes changed, doubled and taken out, by numbers that are the same each time.
#[test]
fn damaged_drawings_end_in_an_answer() {
    let whole = svg(
        "<defs><linearGradient id='g'><stop offset='.2' stop-color='red'/><stop offset='1' stop-color='#00f8'/></linearGradient>\
         <clipPath id='c'><circle cx='9' cy='9' r='8'/></clipPath><mask id='m'><rect width='30' height='9' fill='white'/></mask>\
         <filter id='f' x='-10%'><feGaussianBlur stdDeviation='1 2'/><feOffset dx='1'/><feTurbulence baseFrequency='.1'/></filter>\
         <pattern id='p' width='.3' height='4' viewBox='0 0 3 3'><path d='M0 0h2v1z'/></pattern></defs>\
         <style>.a { stroke: red; stroke-dasharray: 3 1 } g > rect { opacity: .5 }</style>\
         <g transform='rotate(9 3 4) scale(.9)' clip-path='url(#c)'><rect class='a' width='30' height='20' fill='url(#g)'/></g>\
         <path d='M1 2C3 4 5 6 7 8a3 4 5 0 1 9 9Q1 2 3 4t5 6z' fill='url(#p)' mask='url(#m)' marker-mid='url(#k)'/>\
         <marker id='k' orient='auto'><circle r='1'/></marker><use href='#u' x='3' filter='url(#f)'/>\
         <symbol id='u' viewBox='0 0 9 9'><ellipse rx='4' ry='3'/><polyline points='0,0 4,5 9,1'/></symbol>",
    );
    let (mut state, mut drawings) = (1u64, 0);
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..4000 {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=next(4) {
            let at = next(bytes.len());
            match next(4) {
                0 => bytes[at] = b"0123456789.-eE%#()<>'/ mzZ"[next(26)],
                1 => drop(bytes.remove(at)),
                2 => {
                    let end = (at + 1 + next(20)).min(bytes.len());
                    let part = bytes[at..end].to_vec();
                    let to = next(bytes.len());
                    bytes.splice(to..to, part);
                }
                _ => bytes.insert(at, b"19e-"[next(4)]),
            }
        }
        let start = Instant::now();
        drawings += u32::from(drawn(&bytes, &wanted()).is_ok());
        assert!(start.elapsed() < SOON, "{}", String::from_utf8_lossy(&bytes));
    }
    println!("{drawings} of 4000 were drawn");
    assert!(drawings > 400);
}
