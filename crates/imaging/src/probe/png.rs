//! PNG and APNG: chunks (W3C PNG, third edition).

use super::bytes::{be32, slice};
use super::{Header, corrupt};
use crate::error::Error;
use crate::exif;
use crate::plan::{Format, Source};

/// The first eight bytes of every PNG.
pub(crate) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The whole chunks of a file: type and data. Ends before a chunk that is cut off.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = SIGNATURE.len();
    std::iter::from_fn(move || {
        let length = be32(bytes, at)? as usize;
        let kind = slice(bytes, at.checked_add(4)?, 4)?.try_into().ok()?;
        let start = at.checked_add(8)?;
        let data = slice(bytes, start, length)?;
        at = start.checked_add(length)?.checked_add(4)?;
        Some((kind, data))
    })
}

/// The EXIF block (a TIFF file) of eXIf.
pub(crate) fn exif_block(bytes: &[u8]) -> Option<&[u8]> {
    chunks(bytes).find(|(kind, _)| kind == b"eXIf").map(|(_, data)| exif_of(data))
}

/// Some writers put JPEG's prefix in front.
fn exif_of(data: &[u8]) -> &[u8] {
    data.strip_prefix(b"Exif\0\0").unwrap_or(data)
}

/// Reads a PNG's header.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let format = Format::Png;
    let (Some(b"IHDR"), Some(width), Some(height), Some(&[depth, colour, _, _, interlace])) =
        (slice(bytes, 12, 4), be32(bytes, 16), be32(bytes, 20), slice(bytes, 24, 5))
    else {
        return Err(corrupt(format, "it does not begin with a whole IHDR chunk"));
    };
    let (base, known, mut alpha) = match colour {
        0 => (1, matches!(depth, 1 | 2 | 4 | 8 | 16), false),
        2 => (3, matches!(depth, 8 | 16), false),
        3 => (3, matches!(depth, 1 | 2 | 4 | 8), false),
        4 => (2, matches!(depth, 8 | 16), true),
        6 => (4, matches!(depth, 8 | 16), true),
        _ => return Err(corrupt(format, "IHDR has an unknown colour type")),
    };
    if !known {
        return Err(corrupt(format, "IHDR has a depth that its colour type does not allow"));
    }
    let mut channels = base;
    let mut frames = 1;
    let mut pixels = false;
    let mut block = None;
    for (kind, data) in chunks(bytes) {
        match &kind {
            b"IDAT" => pixels = true,
            b"tRNS" if !pixels && !alpha => {
                alpha = true;
                channels = base + 1;
            }
            b"acTL" if !pixels => frames = be32(data, 0).unwrap_or(1).max(1),
            b"eXIf" => block = block.or_else(|| Some(exif_of(data))),
            b"IEND" => break,
            _ => {}
        }
    }
    Ok(Header {
        source: Source {
            format,
            width,
            height,
            orientation: block.map_or(1, exif::orientation),
            frames,
            // A frame may be smaller than the canvas, which is transparent at first.
            alpha: alpha || frames > 1,
        },
        depth,
        channels,
        progressive: interlace != 0,
        quality: None,
    })
}
