//! Text: which fonts write it, where it stands, and what a hostile one may take.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Once;
use std::time::{Duration, Instant};

use super::tests::{drawn, wanted};
use super::*;
use crate::at_hand::missing;
use crate::fonts::FontsConfig;

/// Far above what is expected, far below a job's deadline.
const SOON: Duration = Duration::from_secs(8);

/// The system's fonts, or `false` and a word about it; `scripts/setup` installs some.
fn fonts() -> bool {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| crate::fonts::load_all(&FontsConfig::default()));
    let there = letters::letters().checked().is_ok();
    if !there {
        missing("fonts");
    }
    there
}

fn page(inside: &str) -> String {
    format!("<svg xmlns='http://www.w3.org/2000/svg' width='400' height='100'>{inside}</svg>")
}

fn draw_of(inside: &str) -> Pixels {
    drawn(page(inside).as_bytes(), &wanted()).unwrap_or_else(|error| panic!("{error}"))
}

/// Left, top, right and bottom of what is drawn, and how much that is in pixels.
fn ink(pixels: &Pixels) -> Option<([usize; 4], f64)> {
    let covered = pixels.data().chunks_exact(4).enumerate().filter(|(_, pixel)| pixel[3] > 32);
    let places = covered.clone().map(|(at, _)| (at % pixels.width() as usize, at / pixels.width() as usize));
    let (left, top) = (places.clone().map(|(x, _)| x).min()?, places.clone().map(|(_, y)| y).min()?);
    let (right, bottom) = (places.clone().map(|(x, _)| x).max()?, places.map(|(_, y)| y).max()?);
    let amount = pixels.data().chunks_exact(4).map(|pixel| f64::from(pixel[3]) / 255.0).sum();
    Some(([left, top, right, bottom], amount))
}

fn words(attributes: &str, text: &str) -> ([usize; 4], f64) {
    let text = format!("<text x='20' y='60' font-size='40' {attributes}>{text}</text>");
    ink(&draw_of(&text)).unwrap_or_else(|| panic!("{text}: nothing is drawn"))
}

#[test]
fn text_stands_on_its_line() {
    if !fonts() {
        return;
    }
    let ([left, top, right, bottom], amount) = words("font-family='sans-serif'", "HxH");
    assert!((20..30).contains(&left) && (60..140).contains(&right), "{left} to {right}");
    // Capitals are 0.65 to 0.75 ems high, and none of these goes below the line.
    assert!((28..36).contains(&top) && (58..61).contains(&bottom), "{top} to {bottom}");
    assert!(amount > 300.0);
    let middle = words("font-family='sans-serif' text-anchor='end' dx='300'", "HxH").0;
    assert!((310..321).contains(&middle[2]), "{middle:?}");
    let styled = ink(&draw_of("<style>text{font:40px serif;fill:#00f}</style><text x='20' y='60'>I</text>")).unwrap();
    assert!(styled.0[1] >= 28 && styled.0[3] <= 61);
}

#[test]
fn generic_families_are_what_they_say() {
    if !fonts() {
        return;
    }
    let wide = |family: &str, text| words(&format!("font-family='{family}'"), text).0;
    let length = |family, text| wide(family, text)[2] - wide(family, text)[0];
    assert!(length("sans-serif", "iiii") * 2 < length("sans-serif", "mmmm"));
    for family in ["monospace", "Courier New", "Menlo, monospace"] {
        let place = |text: &str| words(&format!("font-family='{family}'"), &format!("{text}|")).0[2];
        assert_eq!(place("iiii"), place("mmmm"), "{family}");
    }
    assert_ne!(words("font-family='serif'", "HxH"), words("font-family='sans-serif'", "HxH"));
    assert_eq!(words("font-family='Helvetica Neue'", "HxH"), words("font-family='sans-serif'", "HxH"));
    assert_eq!(words("font-family='Nobody Has This, serif'", "HxH"), words("", "HxH"), "the first that is there");
}

#[test]
fn emphasis_is_seen() {
    if !fonts() {
        return;
    }
    let plain = words("font-family='DejaVu Sans'", "HxH");
    for attributes in ["font-weight='bold'", "style='font-weight: 700'"] {
        let bold = words(&format!("font-family='DejaVu Sans' {attributes}"), "HxH");
        // Where the bold face is not installed, the other one serves.
        assert!(bold.1 >= plain.1, "{attributes}");
    }
}

#[test]
fn letters_that_a_font_has_not_come_from_another() {
    if !fonts() {
        return;
    }
    let missing = words("", "\u{e0f0}\u{e0f1}");
    for (text, why) in [("图片", "Chinese"), ("صورة", "Arabic"), ("образ", "Cyrillic"), ("שלום", "Hebrew")]
    {
        let letters = letters::letters();
        let has = text.chars().all(|letter| letters.has(letter));
        if !has {
            println!("no font here has {why}: not checked");
            continue;
        }
        let mixed = words("font-family='monospace'", &format!("ab{text}"));
        assert!(mixed.1 > words("font-family='monospace'", "ab").1 + 50.0, "{why}");
        assert_ne!(words("", text).1.to_bits(), missing.1.to_bits(), "{why}: boxes in place of letters");
    }
    // Joined letters are narrower than those that stand alone.
    if letters::letters().has('ب') {
        let width = |text| words("font-family='DejaVu Sans'", text).0;
        let (joined, apart) = (width("بببب"), width("ب\u{200c}ب\u{200c}ب\u{200c}ب"));
        assert!(joined[2] - joined[0] < apart[2] - apart[0], "{joined:?} {apart:?}");
    }
}

#[track_caller]
fn refused(text: &str, why: &str) {
    let start = Instant::now();
    let error = drawn(page(text).as_bytes(), &wanted()).expect_err("it is drawn");
    assert_eq!(error.kind, Kind::UnsupportedSource, "{error}");
    assert!(error.message.contains(why), "{error}");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[test]
fn what_nobody_can_say_the_cost_of_is_refused() {
    if !fonts() {
        return;
    }
    refused("<path id='p' d='M0 0h9'/><text><textPath href='#p'>a</textPath></text>", "along a path");
    refused("<text id='a'>a</text><text>b<tref href='#a'/></text>", "tref");
    refused(&format!("<text>{}</text>", "a".repeat(1_000_000)), "pieces");
    refused(&format!("<text>{}</text>", "图".repeat(350_000)), "pieces");
    refused(&format!("<text>{}</text>", "<tspan>a</tspan>".repeat(5_000)), "pieces");
    refused(&format!("<text>{}</text>", "<tspan>a</tspan>图<tspan>ب</tspan>".repeat(300)), "pieces");
    refused(&format!("<text>{}</text>", "<tspan>ب</tspan>\u{660}\u{202a}".repeat(300)), "pieces");
    refused(&"<text>aaaaaaaaaa</text>".repeat(20_000), "pieces");
    let uses = format!("<defs><text id='t'>{}</text></defs>{}", "a".repeat(1000), "<use href='#t'/>".repeat(1000));
    refused(&uses, "pieces");
    let long = format!("{}serif", "a,".repeat(5000));
    for how in [
        format!("<g font-family='{long}'><text>a</text></g>"),
        format!("<g style='font-family: {long}'><text>a</text></g>"),
        format!("<style>g {{ font-family: {long} }}</style><g><text>a</text></g>"),
        format!("<g font-variation-settings='{}'><text>a</text></g>", "\"wght\" 1,".repeat(5000)),
        format!("<g stroke-dasharray='{}'><text>a</text></g>", "1 ".repeat(5000)),
    ] {
        refused(&how, "bytes");
    }
}

#[test]
fn the_most_that_is_drawn_does_not_take_for_ever() {
    if !fonts() {
        return;
    }
    let arabic = "\u{627}\u{644}\u{635}\u{648}\u{631}\u{629} ";
    for (what, text) in [
        ("one line", format!("<text y='50'>{}</text>", "a".repeat(28_000))),
        ("letters of nobody", format!("<text y='50'>{}</text>", "\u{e0f0}".repeat(9_000))),
        ("letters of two fonts", format!("<text y='50'>{}</text>", "a图".repeat(6_000))),
        ("Arabic", format!("<text y='50'>{}</text>", arabic.repeat(2_000))),
        ("marks", format!("<text y='50'>a{}</text>", "\u{301}".repeat(12_000))),
        ("spans", format!("<text y='50'>{}</text>", "<tspan>a</tspan>".repeat(1_600))),
        ("spans of several fonts", format!("<text y='50'>{}</text>", "<tspan>a</tspan>图<tspan>ب</tspan>".repeat(130))),
        ("places", format!("<text x='{}'>{}</text>", "1 ".repeat(20_000), "a".repeat(20_000))),
        ("lines", "<text>aaaaaaaaaa</text>".repeat(7_000)),
        ("stroked", format!("<text y='50' stroke='red' stroke-dasharray='.1'>{}</text>", "a".repeat(20_000))),
        ("lengths", format!("<text y='50' textLength='300' letter-spacing='1'>{}</text>", "a".repeat(20_000))),
        ("decorated", format!("<text y='50' rotate='3' text-decoration='underline'>{}</text>", "a".repeat(20_000))),
    ] {
        let start = Instant::now();
        let result = drawn(page(&text).as_bytes(), &wanted());
        println!("{what}: {:?} {:?}", start.elapsed(), result.as_ref().err().map(ToString::to_string));
        assert!(start.elapsed() < SOON, "{what}");
        assert!(result.is_ok(), "{what}");
    }
}

#[test]
fn sizes_without_sense_do_no_harm() {
    if !fonts() {
        return;
    }
    for attributes in [
        "font-size='1e30'",
        "font-size='1e38' stroke='red' stroke-width='1e38'",
        "font-size='1e-30'",
        "font-size='-1'",
        "font-size='0'",
        "font-size='1e6' stroke='red'",
        "font-size='nan'",
        "x='1e38' dx='1e38' dy='-1e38'",
        "letter-spacing='-1e30'",
        "word-spacing='1e38'",
        "textLength='1e38' lengthAdjust='spacingAndGlyphs'",
        "rotate='1e38'",
        "transform='scale(1e30)'",
        "transform='matrix(0 0 0 0 0 0)'",
        "font-weight='1e9' font-stretch='none' baseline-shift='1e38'",
        "writing-mode='tb' text-anchor='end'",
        "font-variation-settings='\"wght\" 1e38'",
        "filter='url(#f)' opacity='.5'",
        "fill='url(#p)'",
    ] {
        let start = Instant::now();
        let text = format!(
            "<filter id='f'><feGaussianBlur stdDeviation='2'/></filter>\
             <pattern id='p' width='.1' height='1'><rect width='9' height='9'/></pattern>\
             <text y='50' {attributes}>some words ب图 <tspan dy='1e-30'>more</tspan></text>"
        );
        // The library gives up on strokes of 1e38, as it does on those of shapes; workers catch that.
        let result = std::panic::catch_unwind(|| drawn(page(&text).as_bytes(), &wanted()));
        let result = result.map(|result| result.err().map(|error| error.to_string()));
        assert!(result.is_ok() || attributes.contains("1e38"), "{attributes}");
        println!("{attributes}: {:?} {result:?}", start.elapsed());
        assert!(start.elapsed() < SOON, "{attributes}");
    }
}

/// Texts put together from pieces of many scripts, and of what is no text at all.
#[test]
fn any_text_ends_in_an_answer() {
    if !fonts() {
        return;
    }
    let pieces = [
        "a",
        " ",
        "fi",
        "é",
        "e\u{301}",
        "图",
        "ب",
        "لا",
        "\u{200d}",
        "\u{200f}",
        "\u{202e}",
        "\u{feff}",
        "🙂",
        "한",
        "ก็",
        "का",
        "\u{300}",
        "\n",
        "\t",
        "&amp;",
        "\u{ad}",
        "שׁ",
        "\u{fffd}",
        "<tspan x='9'>x</tspan>",
        "<tspan dy='3' rotate='5 6'>ب図</tspan>",
        "<tspan font-weight='bold'>b<tspan fill='red'>ج</tspan></tspan>",
        "<tspan xml:space='preserve'>  </tspan>",
        "<a href='#'>l</a>",
        "<tspan font-variant='small-caps'>سs</tspan>",
        "<tspan display='none'>n</tspan>",
        "<tspan font-size='0'>z</tspan>",
        "<tspan baseline-shift='sub'>2</tspan>",
    ];
    let mut state = 7u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..600 {
        let words: String = (0..=next(14)).map(|_| pieces[next(pieces.len())]).collect();
        let attributes =
            ["", "writing-mode='tb'", "text-anchor='middle' x='9 8'", "textLength='99'", "letter-spacing='-9'"];
        let text = format!("<text y='50' {}>{words}</text>", attributes[next(attributes.len())]);
        let start = Instant::now();
        drawn(page(&text).as_bytes(), &wanted()).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert!(start.elapsed() < SOON, "{text}");
    }
}
