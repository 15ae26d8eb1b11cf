//! From a mark to `watermark/1` or `watermark/2`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::mark::MAX_FONT_NAME;
use super::mark::{DEFAULT_COLOR, MAX_KEY, MAX_TEXT, NAME};
use super::size::MAX_NUMBER;
use crate::plan::{Gap, Gravity, Mark, MarkImage, MarkText, Rgb, Scale, Subject};

/// What a path is written with.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The stage, or every reason why there is none.
pub(super) fn mark(mark: &Mark) -> Result<String, Vec<&'static str>> {
    let mut lacks = Vec::new();
    let (mut words, scale, degrees) = match &mark.subject {
        Subject::Image(picture) => (image(picture, &mut lacks), picture.scale, picture.degrees),
        Subject::Text(letters) => (text(letters, &mut lacks), letters.scale, letters.degrees),
        Subject::Both { .. } => return Err(vec!["tencent draws a picture or a text, not both side by side"]),
    };
    if mark.gravity != Gravity::SouthEast {
        words.push_str(&format!("/gravity/{}", mark.gravity.name()));
    }
    let (column, row) = mark.gravity.cells();
    for (cell, by, key) in [(column, mark.dx, "dx"), (row, mark.dy, "dy")] {
        match (cell, u64::try_from(by)) {
            (_, Ok(0)) => {}
            (1, _) => lacks.push("tencent does not move a mark along an axis on which it is centred"),
            (_, Ok(1..=MAX_NUMBER)) => words.push_str(&format!("/{key}/{by}")),
            _ => lacks.push("tencent's distance of a mark from the edge is 0 to 10000 pixels"),
        }
    }
    match mark.opacity {
        90 => {}
        1..=100 => words.push_str(&format!("/dissolve/{}", mark.opacity)),
        _ => lacks.push("tencent's opacity is 1 to 100"),
    }
    match mark.tiles {
        None if degrees > 0 => lacks.push("tencent turns repeated marks only"),
        None => {}
        Some(Gap::Percent(percent @ 1..=100)) => words.push_str(&format!("/batch/1/spacing/{percent}")),
        Some(Gap::Percent(0) | Gap::Pixels(0, 0)) => words.push_str("/batch/1/spacing/0"),
        Some(_) => {
            lacks.push("tencent measures the space between repeated marks in percent of the mark, not in pixels");
        }
    }
    if degrees > 0 {
        words.push_str(&format!("/degree/{degrees}"));
    }
    match scale {
        None => {}
        Some(Scale::Width(k)) => words.push_str(&format!("/scatype/1/spcent/{k}")),
        Some(Scale::Height(k)) => words.push_str(&format!("/scatype/2/spcent/{k}")),
        Some(Scale::Area(k)) if k <= 250 => words.push_str(&format!("/scatype/3/spcent/{k}")),
        Some(Scale::Area(_)) => lacks.push("tencent's share of the area is at most 250 thousandths"),
        Some(Scale::Within(_)) => {
            lacks.push("tencent sizes a mark by the picture's width, height or area, not by percent of both sides");
        }
    }
    if lacks.is_empty() { Ok(words) } else { Err(lacks) }
}

fn image(image: &MarkImage, lacks: &mut Vec<&'static str>) -> String {
    for step in image.before.iter().chain(&image.after) {
        if !matches!(step, crate::plan::Step::Ceiling(_)) {
            lacks.push("tencent takes the mark's picture as it is and does nothing to it first");
            break;
        }
    }
    if image.object.len() > MAX_KEY || (image.host.is_none() && image.object.starts_with('/')) {
        lacks.push("tencent's key of a mark's picture has at most 1024 bytes and no slash at its front");
    }
    let words = match &image.host {
        Some(host) => {
            let url = format!("http://{host}/{}", utf8_percent_encode(&image.object, PATH));
            format!("{NAME}/1/image/{}", URL_SAFE_NO_PAD.encode(url))
        }
        None => format!("{NAME}/1/image_key/{}", URL_SAFE_NO_PAD.encode(&image.object)),
    };
    format!("{words}{}", if image.shrink { "/blogo/1" } else { "" })
}

fn text(text: &MarkText, lacks: &mut Vec<&'static str>) -> String {
    if text.text.len() > MAX_TEXT || text.font.len() > MAX_FONT_NAME {
        lacks.push("the text or the name of its font is too long");
    }
    let mut words = format!("{NAME}/2/text/{}", URL_SAFE_NO_PAD.encode(&text.text));
    if text.font != "tahoma.ttf" {
        words.push_str(&format!("/font/{}", URL_SAFE_NO_PAD.encode(&text.font)));
    }
    if text.size != 13 {
        words.push_str(&format!("/fontsize/{}", text.size));
    }
    if text.color != DEFAULT_COLOR {
        let Rgb { r, g, b } = text.color;
        words.push_str(&format!("/fill/{}", URL_SAFE_NO_PAD.encode(format!("#{r:02X}{g:02X}{b:02X}"))));
    }
    if text.shadow > 0 {
        words.push_str(&format!("/shadow/{}", text.shadow));
    }
    words
}
