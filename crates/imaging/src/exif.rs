//! EXIF: the one tag that matters for pixels, all tags as text, a block that holds nothing but an orientation, and
//! what goes along with a new picture.

mod carry;

use exif::{In, Reader, Value};

pub use carry::{Truth, carried};

use super::probe::tiff::{IfdEntry, Tiff};

/// The orientation in an EXIF block (a TIFF file), 1..=8; 1 where there is none, or none that means anything.
pub fn orientation(tiff: &[u8]) -> u8 {
    Tiff::new(tiff)
        .and_then(|tiff| tiff.first(0x0112))
        .and_then(|value| u8::try_from(value).ok())
        .filter(|value| (1..=8).contains(value))
        .unwrap_or(1)
}

/// Every tag of the picture itself (not of its thumbnail) in the block's order: EXIF name and value as text. Rationals
/// are written `n/d`, several values are separated by a space, bytes without a meaning as text are written in hex. A
/// damaged block gives the tags that can be read.
pub fn tags(tiff: &[u8]) -> Vec<(String, String)> {
    let mut reader = Reader::new();
    let parsed =
        reader.continue_on_error(true).read_raw(tiff.to_vec()).or_else(|error| error.distill_partial_result(|_| {}));
    let Ok(parsed) = parsed else { return Vec::new() };
    parsed
        .fields()
        .filter(|field| field.ifd_num == In::PRIMARY)
        .map(|field| {
            let name = field
                .tag
                .description()
                .map_or_else(|| format!("0x{:04X}", field.tag.number()), |_| field.tag.to_string());
            (name, text(&field.value))
        })
        .collect()
}

/// Values longer than this are maker notes and the like, which are of no use as text.
const LONGEST: usize = 1024;

fn text(value: &Value) -> String {
    fn join<T>(values: &[T], write: impl Fn(&T) -> String) -> String {
        values.iter().take(LONGEST).map(write).collect::<Vec<_>>().join(" ")
    }
    match value {
        Value::Ascii(lines) => {
            join(lines, |line| String::from_utf8_lossy(line).trim_end_matches(['\0', ' ']).to_owned())
        }
        Value::Undefined(bytes, _) if !bytes.is_empty() && bytes.iter().all(|byte| matches!(byte, 0x20..=0x7e)) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Undefined(bytes, _) => bytes.iter().take(LONGEST).map(|byte| format!("{byte:02x}")).collect(),
        Value::Byte(values) => join(values, u8::to_string),
        Value::SByte(values) => join(values, i8::to_string),
        Value::Short(values) => join(values, u16::to_string),
        Value::SShort(values) => join(values, i16::to_string),
        Value::Long(values) => join(values, u32::to_string),
        Value::SLong(values) => join(values, i32::to_string),
        Value::Float(values) => join(values, f32::to_string),
        Value::Double(values) => join(values, f64::to_string),
        Value::Rational(values) => join(values, |value| format!("{}/{}", value.num, value.denom)),
        Value::SRational(values) => join(values, |value| format!("{}/{}", value.num, value.denom)),
        Value::Unknown(..) => String::new(),
    }
}

/// Sets the orientation in a block that has one; any other block stays as it is.
pub fn set_orientation(block: &mut [u8], orientation: u8) {
    let found = Tiff::new(block).and_then(|tiff| Some((tiff.find(0x0112)?, tiff.little_endian())));
    if let Some((IfdEntry { kind: 3, at, .. }, little)) = found
        && let Some(field) = at.checked_add(2).and_then(|end| block.get_mut(at..end))
    {
        let value = u16::from(orientation);
        field.copy_from_slice(&if little { value.to_le_bytes() } else { value.to_be_bytes() });
    }
}

/// An EXIF block that holds nothing but tag 0x0112. Big-endian, 26 bytes.
pub fn minimal_orientation(orientation: u8) -> Vec<u8> {
    let mut block = b"MM\0\x2a\0\0\0\x08".to_vec();
    block.extend(1u16.to_be_bytes());
    block.extend(0x0112u16.to_be_bytes());
    block.extend(3u16.to_be_bytes());
    block.extend(1u32.to_be_bytes());
    block.extend([0, orientation, 0, 0]);
    block.extend(0u32.to_be_bytes());
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimal_block_says_its_orientation() {
        for value in 1..=8 {
            assert_eq!(orientation(&minimal_orientation(value)), value);
            assert_eq!(tags(&minimal_orientation(value)), [("Orientation".to_owned(), value.to_string())]);
        }
    }

    #[test]
    fn an_orientation_can_be_changed_where_it_lies() {
        let mut block = minimal_orientation(6);
        set_orientation(&mut block, 3);
        assert_eq!(block, minimal_orientation(3));
        set_orientation(&mut [], 3);
    }

    #[test]
    fn nonsense_is_upright_and_has_no_tags() {
        assert_eq!(orientation(&minimal_orientation(0)), 1);
        assert_eq!(orientation(&minimal_orientation(99)), 1);
        for bytes in [&b""[..], b"II", b"XX\x2a\0\0\0\0\x08", b"MM\0\x2a\xff\xff\xff\xff"] {
            assert_eq!(orientation(bytes), 1);
            assert!(tags(bytes).is_empty());
        }
    }

    #[test]
    fn rationals_are_written_as_fractions() {
        // XResolution = 72/1 behind the directory.
        let mut block = b"II\x2a\0\x08\0\0\0\x01\0".to_vec();
        block.extend([0x1a, 0x01, 5, 0, 1, 0, 0, 0, 26, 0, 0, 0, 0, 0, 0, 0]);
        block.extend([72, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(tags(&block), [("XResolution".to_owned(), "72/1".to_owned())]);
    }
}
