//! The text before it is parsed: how deep, how many elements and attributes, and no document type that says anything.
//!
//! The parser compares the attributes of a tag with each other and the drawing descends with the depth; both are bounded
//! here, in one pass.

use std::borrow::Cow;

use super::{damaged, too_much};
use crate::error::Error;
use crate::plan::Format;
use crate::probe::{svg::doctype_length, unsupported};

/// Elements of a file: maps and technical drawings stay below.
const MOST_ELEMENTS: u32 = 200_000;
/// Elements, texts and comments together.
pub(super) const MOST_NODES: u32 = 1_000_000;
/// Attributes of one element.
const MOST_ATTRIBUTES: u32 = 256;
/// Elements inside of each other.
pub(super) const DEEPEST: u32 = 192;

/// Checks the text. Gives it back without its document type, which says nothing that is needed.
///
/// # Errors
/// [`Kind::Corrupt`](crate::error::Kind::Corrupt) where something is not closed;
/// [`Kind::UnsupportedSource`](crate::error::Kind::UnsupportedSource) where it goes too far, or declares entities.
pub(super) fn scan(text: &str) -> Result<Cow<'_, str>, Error> {
    let (mut at, mut depth, mut elements) = (0usize, 0u32, 0u32);
    let mut doctype = None;
    while let Some(start) = find(text, at, "<") {
        let rest = text.get(start..).unwrap_or_default();
        let end = if rest.starts_with("<!--") {
            close(text, start.saturating_add(4), "-->")?
        } else if rest.starts_with("<![CDATA[") {
            close(text, start, "]]>")?
        } else if rest.starts_with("<?") {
            close(text, start, "?>")?
        } else if let Some(inside) = rest.strip_prefix("<!DOCTYPE") {
            let length = doctype_length(inside.as_bytes()).ok_or_else(|| damaged("its document type does not end"))?;
            if inside.get(..length).is_none_or(|inside| inside.contains('[')) {
                let what = "its document type declares entities, which are not expanded; save it without them";
                return Err(unsupported(Format::Svg, what));
            }
            let end = start.saturating_add(rest.len() - inside.len()).saturating_add(length);
            if doctype.replace(start..end).is_some() {
                return Err(damaged("it has two document types"));
            }
            end
        } else if rest.starts_with("</") {
            depth = depth.saturating_sub(1);
            close(text, start, ">")?
        } else {
            let tag = tag(text, start)?;
            if tag.attributes > MOST_ATTRIBUTES {
                return Err(too_much(&format!("a tag has {} attributes", tag.attributes)));
            }
            elements = elements.saturating_add(1);
            depth = depth.saturating_add(u32::from(!tag.empty));
            tag.end
        };
        if depth > DEEPEST {
            return Err(too_much(&format!("more than {DEEPEST} elements lie inside of each other")));
        }
        if elements > MOST_ELEMENTS {
            return Err(too_much(&format!("it has more than {MOST_ELEMENTS} elements")));
        }
        at = end;
    }
    let Some(range) = doctype else { return Ok(Cow::Borrowed(text)) };
    let mut text = text.to_owned();
    text.replace_range(range, "");
    Ok(Cow::Owned(text))
}

fn find(text: &str, from: usize, what: &str) -> Option<usize> {
    text.get(from..)?.find(what).map(|at| at.saturating_add(from))
}

/// Behind the next `end`.
fn close(text: &str, from: usize, end: &str) -> Result<usize, Error> {
    let at = find(text, from, end).ok_or_else(|| damaged("it is cut off"))?;
    Ok(at.saturating_add(end.len()))
}

struct Tag {
    /// Behind its `>`.
    end: usize,
    attributes: u32,
    empty: bool,
}

fn tag(text: &str, start: usize) -> Result<Tag, Error> {
    let (mut quote, mut attributes, mut last) = (None, 0u32, 0u8);
    for (at, byte) in text.bytes().enumerate().skip(start) {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'=') => attributes = attributes.saturating_add(1),
            (None, b'>') => return Ok(Tag { end: at.saturating_add(1), attributes, empty: last == b'/' }),
            (None, _) => {}
        }
        last = byte;
    }
    Err(damaged("it is cut off"))
}
