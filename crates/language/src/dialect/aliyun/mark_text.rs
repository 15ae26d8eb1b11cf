//! From a mark to `watermark,...`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::mark::MAX_FONT_NAME;
use super::KEY_IS;
use super::crop::point;
use super::mark::{MAX_OBJECT, MAX_TEXT};
use crate::plan::{Align, Gap, Gravity, Mark, MarkImage, MarkText, Rgb, Scale, Step, Subject};

/// Writes steps as actions; `None` if not all can be said.
type Write = fn(&[Step]) -> Option<Vec<String>>;

/// The action, or every reason why there is none. `write` is for what is done to the mark's picture.
pub(super) fn mark(mark: &Mark, write: Write) -> Result<String, Vec<&'static str>> {
    let (mut words, mut lacks) = (String::from("watermark"), Vec::new());
    if let Some(picture) = mark.image() {
        words.push_str(&format!(",image_{}", image(picture, write, &mut lacks)));
    }
    if let Some(letters) = mark.text() {
        words.push_str(&text(letters, &mut lacks));
    }
    if let Subject::Both { text_first, align, interval, .. } = &mark.subject {
        let align = match align {
            Align::Top => 0,
            Align::Middle => 1,
            Align::Bottom => 2,
        };
        words.push_str(&format!(",order_{},align_{align},interval_{interval}", u8::from(*text_first)));
    }
    if mark.opacity < 100 {
        words.push_str(&format!(",t_{}", mark.opacity));
    }
    if mark.gravity != Gravity::SouthEast {
        words.push_str(&format!(",g_{}", point(mark.gravity)));
    }
    let (column, row) = mark.gravity.cells();
    place(&mut words, &mut lacks, column, mark.dx, "x");
    match (row, mark.dy) {
        (1, 0) => {}
        (1, shift) if (-1000..=1000).contains(&shift) => words.push_str(&format!(",voffset_{shift}")),
        (1, _) => lacks.push("aliyun shifts a mark up or down by at most 1000 pixels"),
        (_, dy) => place(&mut words, &mut lacks, row, dy, "y"),
    }
    match mark.tiles {
        None => {}
        Some(Gap::Pixels(x, y)) if x.max(y) <= 4096 => words.push_str(&format!(",fill_1,padx_{x},pady_{y}")),
        Some(Gap::Pixels(..)) => lacks.push("aliyun's space between repeated marks is at most 4096 pixels"),
        Some(Gap::Percent(_)) => {
            lacks.push("aliyun measures the space between repeated marks in pixels, not in percent of the mark");
        }
    }
    if lacks.is_empty() { Ok(words) } else { Err(lacks) }
}

/// A distance from an edge; 10 where nothing is said.
fn place(words: &mut String, lacks: &mut Vec<&'static str>, cell: usize, by: i32, key: &str) {
    match (cell, by) {
        (1, 0) => {}
        (1, _) => lacks.push("aliyun moves a centred mark up and down only"),
        (_, 10) => {}
        (_, 0..=4096) => words.push_str(&format!(",{key}_{by}")),
        _ => lacks.push("aliyun's distance of a mark from the edge is 0 to 4096 pixels"),
    }
}

fn text(text: &MarkText, lacks: &mut Vec<&'static str>) -> String {
    if text.text.len() > MAX_TEXT {
        lacks.push("aliyun's text has at most 64 bytes");
    }
    if text.font.len() > MAX_FONT_NAME {
        lacks.push("the font's name is too long");
    }
    if text.scale.is_some() {
        lacks.push("aliyun has no size of text that is told by the picture's");
    }
    let Rgb { r, g, b } = text.color;
    let mut words = format!(",text_{}", URL_SAFE_NO_PAD.encode(&text.text));
    if text.font != "wqy-zenhei" {
        words.push_str(&format!(",type_{}", URL_SAFE_NO_PAD.encode(&text.font)));
    }
    words.push_str(&format!(",color_{r:02X}{g:02X}{b:02X},size_{}", text.size));
    for (key, number) in [("shadow", text.shadow.into()), ("rotate", text.degrees)] {
        if number > 0 {
            words.push_str(&format!(",{key}_{number}"));
        }
    }
    words
}

/// The key with what is done to it, in base64.
fn image(image: &MarkImage, write: Write, lacks: &mut Vec<&'static str>) -> String {
    if image.object.contains('?') {
        lacks.push("aliyun cannot name a mark whose key holds a question mark");
    }
    if image.shrink {
        lacks.push("aliyun does not shrink a mark that is larger than the picture");
    }
    if image.degrees > 0 {
        lacks.push("aliyun turns the mark's picture before it is sized, not after");
    }
    let mut actions = nested(&image.before, write, lacks);
    match image.scale {
        None => {}
        Some(Scale::Within(percent)) => actions.push(format!("resize,P_{percent}")),
        Some(_) => lacks.push("aliyun sizes a mark by percent of both of the picture's sides"),
    }
    actions.extend(nested(&image.after, write, lacks));
    // A slash at the front is taken off by who reads it.
    let slash = if image.object.starts_with('/') { "/" } else { "" };
    let process = match actions.is_empty() {
        true => String::new(),
        false => format!("?{KEY_IS}image/{}", actions.join("/")),
    };
    let text = format!("{slash}{}{process}", image.object);
    if text.len() > MAX_OBJECT {
        lacks.push("aliyun's name of a mark's picture has at most 2048 bytes");
    }
    URL_SAFE_NO_PAD.encode(text)
}

fn nested(steps: &[Step], write: Write, lacks: &mut Vec<&'static str>) -> Vec<String> {
    write(steps).unwrap_or_else(|| {
        lacks.push("aliyun has no words for what is done to the mark's picture");
        Vec::new()
    })
}
