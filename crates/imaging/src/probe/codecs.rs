//! Which codecs a file of boxes could ask for. Its brands are only what it says of itself: the decoder is chosen by the types
//! of items and sample entries, wherever these stand.

use super::boxes::atoms;
use crate::plan::Format;

/// Bytes outside of the data that are looked through; the boxes of the largest pictures take a fraction.
const MOST: usize = 1 << 20;

/// Whether anything in the file could be decoded as the other of AVIF and HEIF is. Bytes are compared wherever a reader of
/// boxes could see a type, so that it does not matter how that reader goes about it. A coincidence counts as well, and so do
/// boxes of a length that no picture has.
pub(super) fn may_name(file: &[u8], format: Format) -> bool {
    let names =
        |boxes: &[u8]| boxes.windows(4).any(|four| if format == Format::Avif { av1(four) } else { others(four) });
    let mut left = MOST;
    let mut seen = 0usize;
    for atom in atoms(file) {
        let at = atom.data.as_ptr().addr().saturating_sub(file.as_ptr().addr());
        seen = at.saturating_add(atom.data.len());
        if matches!(&atom.kind, b"ftyp" | b"mdat" | b"free" | b"skip") {
            continue;
        }
        let Some(rest) = left.checked_sub(atom.data.len()) else { return true };
        left = rest;
        if names(atom.data) {
            return true;
        }
    }
    // Decoders do not read bytes outside of all boxes. But where boxes are damaged, a decoder may find other boxes than we
    // did, so what is left over is searched too.
    let rest = file.get(seen..).unwrap_or_default();
    rest.len() > left || names(rest)
}

/// Types of items and sample entries of AV1.
fn av1(four: &[u8]) -> bool {
    four == b"av01"
}

/// Those of the codecs that HEIF files have, whether one is decoded here or not.
fn others(four: &[u8]) -> bool {
    #[rustfmt::skip]
    const TYPES: [&[u8; 4]; 16] = [
        b"hvc1", b"hev1", b"hvt1", b"lhv1", b"avc1", b"avc3", b"vvc1", b"vvi1", b"evc1", b"jpeg", b"mjpg", b"j2k1", b"j2ki",
        b"unci", b"uncv", b"mski",
    ];
    TYPES.iter().any(|kind| four == *kind)
}
