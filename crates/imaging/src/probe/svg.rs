//! SVG: text whose root is `<svg`, plain or compressed by gzip. The size is read from the root's own tag (SVG 2, section
//! 8.2; CSS units at 96 to the inch); nothing behind it is looked at.

use std::io::Read;

use flate2::read::GzDecoder;

use super::{Header, corrupt, steps};
use crate::error::Error;
use crate::plan::{Format, Source};

/// Where the root's tag must end: comments of editors stand in front of it, and hundreds of namespaces in it.
const HEAD: usize = 256 << 10;
/// The same of a compressed file, after it is unpacked.
const PACKED_HEAD: usize = 64 << 10;
/// Bytes of a compressed file that are unpacked for it. Text takes less; what takes more is a bomb of the other kind:
/// blocks of a byte or two that hold nothing, each of which costs the unpacker its tables.
const PACKED: usize = 16 << 10;
/// The size of a picture that says nothing of its size, as CSS has it for whatever is replaced by a picture.
pub(crate) const DEFAULT: (f64, f64) = (300.0, 150.0);
/// Pixels of an em where no font is chosen.
pub(crate) const EM: f64 = 16.0;

/// Whether it begins like gzip.
pub(crate) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b, 8])
}

/// Whether text that is not compressed is an SVG.
pub(super) fn matches(bytes: &[u8]) -> bool {
    root(bytes.get(..HEAD).unwrap_or(bytes)).is_some()
}

/// Reads the size; `None` if it is no SVG.
pub(crate) fn probe(bytes: &[u8]) -> Option<Result<Header, Error>> {
    let unpacked;
    let head = if is_packed(bytes) {
        let mut start = Vec::new();
        let packed = bytes.get(..PACKED).unwrap_or(bytes);
        steps::take(packed.len())?;
        // What comes before the end of a damaged file will do here.
        let _ = GzDecoder::new(packed).take(PACKED_HEAD as u64).read_to_end(&mut start);
        unpacked = start;
        &unpacked
    } else {
        bytes.get(..HEAD).unwrap_or(bytes)
    };
    let inside = root(head)?;
    let Some(tag) = tag(inside) else {
        return Some(Err(corrupt(Format::Svg, "the tag of its root does not end")));
    };
    let (width, height) = size(tag);
    let source = Source {
        format: Format::Svg,
        width: pixels(width),
        height: pixels(height),
        orientation: 1,
        frames: 1,
        // Whatever is not painted.
        alpha: true,
    };
    Some(Ok(Header { source, depth: 8, channels: 4, progressive: false, quality: None }))
}

/// The nearest number of pixels, at least one; 0 for what is no size.
pub(crate) fn pixels(length: f64) -> u32 {
    if length > 0.0 { length.round().clamp(1.0, f64::from(u32::MAX)) as u32 } else { 0 }
}

/// What follows on `<svg`, if that is the root: before it may stand only what XML allows there.
fn root(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    loop {
        steps::take(1)?;
        rest = trimmed(rest)?;
        rest = if let Some(comment) = rest.strip_prefix(b"<!--") {
            after(comment, b"-->")?
        } else if let Some(instruction) = rest.strip_prefix(b"<?") {
            after(instruction, b"?>")?
        } else if let Some(doctype) = rest.strip_prefix(b"<!DOCTYPE") {
            doctype.get(doctype_length(doctype)?..)?
        } else {
            break;
        };
    }
    let name = rest.strip_prefix(b"<")?;
    let length = find(name, |byte| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>'))?;
    let (name, inside) = name.split_at_checked(length)?;
    // The namespace may have a prefix.
    let local = name.rsplit(|byte| *byte == b':').next()?;
    (local == b"svg").then_some(inside)
}

fn after<'a>(text: &'a [u8], end: &[u8]) -> Option<&'a [u8]> {
    let at = text.windows(end.len()).position(|window| window == end);
    steps::scan(at.unwrap_or(text.len()))?;
    text.get(at?.checked_add(end.len())?..)
}

/// Without the white space in front.
fn trimmed(text: &[u8]) -> Option<&[u8]> {
    let rest = text.trim_ascii_start();
    steps::scan(text.len().saturating_sub(rest.len()))?;
    Some(rest)
}

/// Where a byte is first.
fn find(text: &[u8], mut wanted: impl FnMut(u8) -> bool) -> Option<usize> {
    let at = text.iter().position(|byte| wanted(*byte));
    steps::scan(at.unwrap_or(text.len()))?;
    at
}

/// Bytes of a document type up to and with its `>`, told from behind its keyword.
pub(crate) fn doctype_length(text: &[u8]) -> Option<usize> {
    let (mut quote, mut subset) = (None, false);
    let end = find(text, |byte| {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'[') => subset = true,
            (None, b']') => subset = false,
            (None, b'>') => return !subset,
            (None, _) => {}
        }
        false
    });
    end?.checked_add(1)
}

/// The attributes of the root's tag, up to its end outside of quotes.
fn tag(inside: &[u8]) -> Option<&[u8]> {
    let mut quote = None;
    let end = find(inside, |byte| {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'>') => return true,
            (None, _) => {}
        }
        false
    });
    inside.get(..end?)
}

/// The value of an attribute without a prefix.
fn attribute<'a>(mut tag: &'a [u8], wanted: &[u8]) -> Option<&'a str> {
    loop {
        tag = trimmed(tag)?;
        let equals = find(tag, |byte| byte == b'=')?;
        let name = tag.get(..equals)?.trim_ascii();
        let value = trimmed(tag.get(equals.checked_add(1)?..)?)?;
        let (&quote, value) = value.split_first()?;
        if !matches!(quote, b'"' | b'\'') {
            return None;
        }
        let end = find(value, |byte| byte == quote)?;
        let (value, rest) = value.split_at_checked(end)?;
        if name == wanted {
            return std::str::from_utf8(value).ok();
        }
        tag = rest.get(1..)?;
    }
}

/// Width and height in CSS pixels, not positive where they make no sense.
fn size(tag: &[u8]) -> (f64, f64) {
    let frame = attribute(tag, b"viewBox").and_then(view_box);
    let length = |name: &[u8]| attribute(tag, name).and_then(Length::parse);
    let (width, height) = (length(b"width"), length(b"height"));
    let whole = frame.unwrap_or(DEFAULT);
    let full = Length::Share(1.0);
    let of = |length: Option<Length>, whole| length.unwrap_or(full).over(whole);
    let (across, down) = (of(width, whole.0), of(height, whole.1));
    match (width, height, frame) {
        (Some(_), None, Some((w, h))) => (across, across * h / w),
        (None, Some(_), Some((w, h))) => (down * w / h, down),
        _ => (across, down),
    }
}

/// Width and height of a `viewBox` that has any.
fn view_box(text: &str) -> Option<(f64, f64)> {
    let separator = |letter: char| letter == ',' || letter.is_ascii_whitespace();
    let mut numbers = text.split(separator).filter(|part| !part.is_empty()).map(str::parse::<f64>);
    let [_x, _y, width, height] = [numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?].map(Result::ok);
    let (width, height) = (width?, height?);
    (width > 0.0 && height > 0.0 && width.is_finite() && height.is_finite()).then_some((width, height))
}

#[derive(Clone, Copy)]
enum Length {
    Pixels(f64),
    /// Of the view box, 1 for all of it.
    Share(f64),
}

impl Length {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let bytes = text.as_bytes();
        // An `e` begins an exponent only if digits follow.
        let exponent = |at: usize| match bytes.get(at..) {
            Some([b'e' | b'E', b'+' | b'-', digit, ..] | [b'e' | b'E', digit, ..]) => digit.is_ascii_digit(),
            _ => false,
        };
        let end = (0..bytes.len()).find(|&at| match bytes.get(at) {
            Some(b'0'..=b'9' | b'.' | b'+' | b'-') => false,
            Some(_) => !exponent(at),
            None => true,
        });
        let (number, unit) = text.split_at_checked(end.unwrap_or(text.len()))?;
        let number = number.parse::<f64>().ok().filter(|number| number.is_finite())?;
        let unit = match unit {
            "" | "px" => 1.0,
            "%" => return Some(Self::Share(number / 100.0)),
            "in" => 96.0,
            "cm" => 96.0 / 2.54,
            "mm" => 96.0 / 25.4,
            "pt" => 96.0 / 72.0,
            "pc" => 16.0,
            "em" => EM,
            "ex" => EM / 2.0,
            _ => return None,
        };
        Some(Self::Pixels(number * unit))
    }

    fn over(self, whole: f64) -> f64 {
        match self {
            Self::Pixels(number) => number,
            Self::Share(share) => share * whole,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write;

    use super::*;

    fn sides(text: &str) -> Option<(u32, u32)> {
        let header = probe(text.as_bytes())?.unwrap();
        Some((header.source.width, header.source.height))
    }

    #[test]
    fn the_size_is_the_one_of_width_height_and_view_box() {
        for (attributes, want) in [
            ("width='30' height='20'", (30, 20)),
            ("width=\"30px\"\n height = '20.4'", (30, 20)),
            ("height='2in' width='2.54cm'", (96, 192)),
            ("width='25.4mm' height='72pt'", (96, 96)),
            ("width='1pc' height='2em'", (16, 32)),
            ("width='1e2' height='1.5e+1ex'", (100, 120)),
            ("viewBox='0 0 300 200'", (300, 200)),
            ("viewBox='0,0 , 300,200' width='30'", (30, 20)),
            ("viewBox='0 0 300 200' height='30'", (45, 30)),
            ("viewBox='0 0 300 200' width='50%' height='25%'", (150, 50)),
            ("viewBox='0 0 0 200' width='50%'", (150, 150)),
            ("", (300, 150)),
            ("width='auto' height='40'", (300, 40)),
            ("data-width='9' x:height='9' width='0.2' height='7'", (1, 7)),
            ("title='a > b' width='5' height='6'", (5, 6)),
        ] {
            assert_eq!(sides(&format!("<svg {attributes}/>")), Some(want), "{attributes}");
        }
        assert_eq!(sides("<svg width='0' height='-3'>"), Some((0, 0)), "refused by the caller");
    }

    #[test]
    fn the_root_decides_and_not_the_name() {
        for text in [
            "<svg>",
            "\u{feff}<?xml version='1.0'?>\n<!-- <html> -->\n<!DOCTYPE svg PUBLIC \"-//W3C//DTD SVG 1.1//EN\" \"a>b\">\n<svg >",
            "<!DOCTYPE svg [<!ENTITY a 'b>'>]><svg/>",
            "<s:svg xmlns:s='http://www.w3.org/2000/svg'/>",
        ] {
            assert_eq!(sides(text), Some((300, 150)), "{text}");
        }
        for text in
            ["<html><svg/></html>", "svg", "<svgx/>", "<!-- <svg/>", "<?xml <svg/>", "<", "<!-- a --> text <svg/>"]
        {
            assert!(sides(text).is_none(), "{text}");
        }
        assert!(probe(b"<svg width='3").unwrap().is_err());
    }

    #[test]
    fn a_compressed_one_is_looked_into_and_no_further_than_needed() {
        let pack = |text: &[u8]| {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(text).unwrap();
            packed.finish().unwrap()
        };
        let file = pack(b"<svg width='8' height='9'></svg>");
        assert_eq!(probe(&file).unwrap().unwrap().source.height, 9);
        assert!(probe(&pack(b"a letter")).is_none());
        // 64 MiB of spaces, in 64 KiB.
        let bomb = pack(&vec![b' '; 64 << 20]);
        assert!(bomb.len() < 1 << 20 && probe(&bomb).is_none());
        for length in 0..file.len() {
            let _ = probe(&file[..length]);
        }
    }
}
