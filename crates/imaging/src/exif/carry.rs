//! EXIF that goes along with a new picture: what still holds is written anew, what does not is left out.
//!
//! A block is never copied: offsets inside of maker notes would point nowhere, the thumbnail shows the old picture, and
//! sizes, colour space and orientation were those of other pixels.

use std::collections::BTreeSet;
use std::io::Cursor;

use ::exif::experimental::Writer;
use ::exif::{Context, Field, In, Reader, Tag, Value};

use super::super::policy::Carry;

/// Bytes of a block, at most: what a JPEG segment holds behind its length and its name.
const MOST: usize = 65_535 - 2 - 6;

/// Bytes of values that are looked at, at most. Entries may all lie over the same bytes, so that a small block could
/// unfold to gigabytes.
const UNFOLDED: usize = 4 << 20;

/// What is true of the new picture.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    /// The orientation that a reader has to apply, 1..=8.
    pub orientation: u8,
    /// Stored size.
    pub width: u32,
    /// Stored size.
    pub height: u32,
    /// Whether the pixels are sRGB.
    pub srgb: bool,
}

/// The block to write beside the new picture; `None` if there is nothing worth a block. `source` is the original's block, or
/// the whole original if it is a TIFF file.
///
/// A block above 64 KiB, which no JPEG holds, loses its largest values until it fits. Damage costs the entries that it hit.
pub fn carried(source: Option<&[u8]>, carry: Carry, truth: Truth) -> Option<Vec<u8>> {
    let least = || (truth.orientation != 1).then(|| super::minimal_orientation(truth.orientation));
    let (Carry::Copyright | Carry::Exif, Some(source)) = (carry, source) else { return least() };
    let (mut fields, little) = parsed(source);
    fields.retain(|field| stays(field, carry));
    if fields.is_empty() {
        return least();
    }
    for field in &mut fields {
        match field.tag {
            Tag::PixelXDimension => field.value = Value::Long(vec![truth.width]),
            Tag::PixelYDimension => field.value = Value::Long(vec![truth.height]),
            // 1 is sRGB, all ones is "see the profile".
            Tag::ColorSpace => field.value = Value::Short(vec![if truth.srgb { 1 } else { 0xffff }]),
            _ => {}
        }
    }
    if truth.orientation != 1 || carry == Carry::Exif {
        let value = Value::Short(vec![truth.orientation.into()]);
        fields.push(Field { tag: Tag::Orientation, ifd_num: In::PRIMARY, value });
    }
    loop {
        let block = written(&fields, little).or_else(least)?;
        if block.len() <= MOST {
            return Some(block);
        }
        let largest = (0..fields.len()).max_by_key(|&at| fields.get(at).map_or(0, |field| bytes(&field.value)))?;
        fields.remove(largest);
    }
}

/// The entries of the picture itself, each tag once, and whether the block is little-endian.
fn parsed(source: &[u8]) -> (Vec<Field>, bool) {
    let mut copy = Vec::new();
    // A TIFF file is its own block, of any length.
    if copy.try_reserve_exact(source.len()).is_err() {
        return (Vec::new(), false);
    }
    copy.extend_from_slice(source);
    let mut reader = Reader::new();
    let parsed = reader.continue_on_error(true).read_raw(copy).or_else(|error| error.distill_partial_result(|_| {}));
    let Ok(parsed) = parsed else { return (Vec::new(), false) };
    let mut seen = BTreeSet::new();
    let mut total = 0usize;
    let fields = parsed
        .fields()
        .take_while(|field| {
            total = total.saturating_add(bytes(&field.value)).saturating_add(64);
            total <= UNFOLDED
        })
        .filter(|field| field.ifd_num == In::PRIMARY && seen.insert((field.tag.context() as u8, field.tag.number())))
        .cloned()
        .collect();
    (fields, parsed.little_endian())
}

/// Whether an entry goes along.
fn stays(field: &Field, carry: Carry) -> bool {
    // Cameras reserve room for names that nobody has entered.
    let blank = match &field.value {
        Value::Unknown(..) => true,
        Value::Ascii(lines) => lines.iter().flatten().all(|byte| matches!(byte, 0 | b' ')),
        value => bytes(value) == 0,
    };
    let named = matches!(field.tag, Tag::Copyright | Tag::Artist);
    match (carry, field.tag.context()) {
        _ if blank => false,
        (Carry::Nothing, _) => false,
        (Carry::Copyright, _) => named,
        // Says which of two colour spaces the file was in.
        (Carry::Exif, Context::Interop) => false,
        (Carry::Exif, Context::Tiff) => !LAYOUT.contains(&field.tag.number()),
        (Carry::Exif, Context::Exif) => !STALE.contains(&field.tag.number()),
        (Carry::Exif, _) => true,
    }
}

/// Tags of a TIFF directory that tell how its pixels are stored, what colours they have, or where in the file something
/// else lies. The orientation is here too: it is written anew.
#[rustfmt::skip]
const LAYOUT: [u16; 49] = [
    0x00fe, 0x00ff, 0x0100, 0x0101, 0x0102, 0x0103, 0x0106, 0x0107, 0x0108, 0x0109, 0x010a, 0x0111, 0x0112, 0x0115, 0x0116,
    0x0117, 0x0118, 0x0119, 0x011c, 0x0120, 0x0121, 0x0122, 0x0123, 0x0124, 0x0125, 0x012d, 0x013d, 0x013e, 0x013f, 0x0140,
    0x0142, 0x0143, 0x0144, 0x0145, 0x014a, 0x0152, 0x0153, 0x015b, 0x0201, 0x0202, 0x0211, 0x0212, 0x0213, 0x0214, 0x02bc,
    0x83bb, 0x8649, 0x8773, 0x8769,
];

/// Tags of the EXIF directory that were true of the old pixels or the old file only: bits a pixel, subject area and
/// location, maker note, gamma, padding, offsets of a maker's own.
const STALE: [u16; 7] = [0x9102, 0x9214, 0xa214, 0x927c, 0xa500, 0xea1c, 0xea1d];

/// Bytes that a value takes in a file.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Byte(values) => values.len(),
        Value::Ascii(lines) => lines.iter().map(|line| line.len().saturating_add(1)).fold(0, usize::saturating_add),
        Value::Short(values) => values.len().saturating_mul(2),
        Value::Long(values) => values.len().saturating_mul(4),
        Value::Rational(values) => values.len().saturating_mul(8),
        Value::SByte(values) => values.len(),
        Value::Undefined(values, _) => values.len(),
        Value::SShort(values) => values.len().saturating_mul(2),
        Value::SLong(values) => values.len().saturating_mul(4),
        Value::SRational(values) => values.len().saturating_mul(8),
        Value::Float(values) => values.len().saturating_mul(4),
        Value::Double(values) => values.len().saturating_mul(8),
        Value::Unknown(..) => 0,
    }
}

fn written(fields: &[Field], little: bool) -> Option<Vec<u8>> {
    if fields.is_empty() {
        return None;
    }
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut block = Cursor::new(Vec::new());
    // The byte order stays: some texts and maker's values are in it without saying so.
    writer.write(&mut block, little).ok()?;
    Some(block.into_inner())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const TRUTH: Truth = Truth { orientation: 1, width: 40, height: 30, srgb: true };

    fn field(tag: Tag, ifd_num: In, value: Value) -> Field {
        Field { tag, ifd_num, value }
    }

    fn text(words: &str) -> Value {
        Value::Ascii(vec![words.as_bytes().to_vec()])
    }

    fn camera() -> Vec<u8> {
        let fields = [
            field(Tag::Make, In::PRIMARY, text("Maker")),
            field(Tag::Artist, In::PRIMARY, text("Somebody")),
            field(Tag::Copyright, In::PRIMARY, text("(c) Somebody")),
            field(Tag::ImageDescription, In::PRIMARY, text("   ")),
            field(Tag::Orientation, In::PRIMARY, Value::Short(vec![6])),
            field(Tag::PixelXDimension, In::PRIMARY, Value::Long(vec![4000])),
            field(Tag::PixelYDimension, In::PRIMARY, Value::Long(vec![3000])),
            field(Tag::ColorSpace, In::PRIMARY, Value::Short(vec![0xffff])),
            field(Tag::MakerNote, In::PRIMARY, Value::Undefined(vec![7; 900], 0)),
            field(Tag::GPSLatitudeRef, In::PRIMARY, text("N")),
            field(Tag::Orientation, In::THUMBNAIL, Value::Short(vec![6])),
        ];
        let mut writer = Writer::new();
        fields.iter().for_each(|field| writer.push_field(field));
        writer.set_jpeg(&[0xff, 0xd8, 0xff, 0xd9], In::THUMBNAIL);
        let mut block = Cursor::new(Vec::new());
        writer.write(&mut block, true).unwrap();
        block.into_inner()
    }

    fn names(block: Option<Vec<u8>>) -> Vec<(String, String)> {
        block.as_deref().map(super::super::tags).unwrap_or_default()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn nothing_carries_nothing_but_a_needed_orientation() {
        assert_eq!(carried(Some(&camera()), Carry::Nothing, TRUTH), None);
        let turned = carried(Some(&camera()), Carry::Nothing, Truth { orientation: 8, ..TRUTH });
        assert_eq!(turned, Some(super::super::minimal_orientation(8)));
    }

    #[test]
    fn copyright_carries_who_and_whose() {
        let block = carried(Some(&camera()), Carry::Copyright, TRUTH);
        assert_eq!(names(block), [pair("Artist", "Somebody"), pair("Copyright", "(c) Somebody")]);
        let block = carried(Some(&camera()), Carry::Copyright, Truth { orientation: 3, ..TRUTH }).unwrap();
        assert_eq!(super::super::orientation(&block), 3);
        assert_eq!(carried(None, Carry::Copyright, TRUTH), None);
    }

    #[test]
    fn exif_carries_what_still_holds() {
        let block = carried(Some(&camera()), Carry::Exif, TRUTH).unwrap();
        assert!(block.starts_with(b"II"), "the byte order stays");
        let want = [
            pair("Make", "Maker"),
            pair("Orientation", "1"),
            pair("Artist", "Somebody"),
            pair("Copyright", "(c) Somebody"),
            pair("ColorSpace", "1"),
            pair("PixelXDimension", "40"),
            pair("PixelYDimension", "30"),
            pair("GPSLatitudeRef", "N"),
        ];
        let mut got = names(Some(block.clone()));
        got.sort();
        let mut want = want.to_vec();
        want.sort();
        assert_eq!(got, want);
        assert!(!block.windows(2).any(|pair| pair == [0xff, 0xd8]), "the thumbnail is gone");
    }

    #[test]
    fn a_block_that_no_jpeg_holds_loses_its_largest_values() {
        let fields = [
            field(Tag::Make, In::PRIMARY, text("Maker")),
            field(Tag::UserComment, In::PRIMARY, Value::Undefined(vec![1; 70_000], 0)),
        ];
        let block = carried(Some(&written(&fields, false).unwrap()), Carry::Exif, TRUTH).unwrap();
        assert_eq!(names(Some(block)), [pair("Make", "Maker"), pair("Orientation", "1")]);
    }

    #[test]
    fn damage_costs_what_it_hit_and_never_panics() {
        let whole = camera();
        for cut in 0..whole.len() {
            if let Some(block) = carried(Some(&whole[..cut]), Carry::Exif, TRUTH) {
                assert_eq!(super::super::orientation(&block), 1, "cut at {cut}");
            }
        }
        for at in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut block = whole.clone();
                block[at] = value;
                carried(Some(&block), Carry::Exif, TRUTH);
            }
        }
    }
}
