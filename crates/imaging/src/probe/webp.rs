//! WebP: RIFF chunks (RFC 9649).

use super::bytes::{le16, le24, le32, slice};
use super::{Header, corrupt};
use crate::error::Error;
use crate::exif;
use crate::plan::{Format, Source};

/// Whether the file begins as a WebP.
pub(super) fn matches(bytes: &[u8]) -> bool {
    bytes.starts_with(b"RIFF") && slice(bytes, 8, 4) == Some(b"WEBP")
}

/// The chunks of a file: type and data; the last one's data may be cut off.
pub(crate) fn chunks(bytes: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut at = 12usize;
    std::iter::from_fn(move || {
        let kind = slice(bytes, at, 4)?;
        let length = le32(bytes, at.checked_add(4)?)? as usize;
        let start = at.checked_add(8)?;
        let end = start.checked_add(length)?;
        at = end.checked_add(length & 1)?;
        Some((kind, bytes.get(start..end.min(bytes.len()))?))
    })
}

/// Whether all that the file and its chunks announce is there.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let told = |length: u32| (length as usize).checked_add(8).is_some_and(|end| end <= bytes.len());
    let mut at = 12usize;
    while let Some(length) = at.checked_add(4).and_then(|at| le32(bytes, at)) {
        let end = at.saturating_add(8).saturating_add(length as usize);
        if end > bytes.len() {
            return false;
        }
        at = end.saturating_add(length as usize & 1);
    }
    le32(bytes, 4).is_some_and(told)
}

/// The data of the first chunk of a type.
pub(crate) fn chunk<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    chunks(bytes).find(|(found, _)| found == kind).map(|(_, data)| data)
}

/// The EXIF block (a TIFF file).
pub(crate) fn exif_block(bytes: &[u8]) -> Option<&[u8]> {
    chunk(bytes, b"EXIF").map(|data| data.strip_prefix(b"Exif\0\0").unwrap_or(data))
}

/// Size and alpha of a bare VP8 or VP8L bitstream.
fn bitstream(kind: &[u8], data: &[u8]) -> Option<(u32, u32, bool)> {
    match kind {
        b"VP8 " => {
            (slice(data, 3, 3)? == [0x9d, 0x01, 0x2a]).then_some(())?;
            Some((u32::from(le16(data, 6)? & 0x3fff), u32::from(le16(data, 8)? & 0x3fff), false))
        }
        b"VP8L" => {
            (*data.first()? == 0x2f).then_some(())?;
            let bits = le32(data, 1)?;
            Some(((bits & 0x3fff) + 1, ((bits >> 14) & 0x3fff) + 1, bits >> 28 & 1 != 0))
        }
        _ => None,
    }
}

/// Reads a WebP's header.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let format = Format::WebP;
    let cut = || corrupt(format, "it ends before the header does");
    let (kind, data) = chunks(bytes).next().ok_or_else(cut)?;
    let mut frames = 1;
    let (width, height, mut alpha) = if kind == b"VP8X" {
        let (Some(&flags), Some(width), Some(height)) = (data.first(), le24(data, 4), le24(data, 7)) else {
            return Err(cut());
        };
        // 24 bits and 1 more cannot overflow.
        (width + 1, height + 1, flags & 0x10 != 0)
    } else {
        bitstream(kind, data).ok_or_else(|| corrupt(format, "the first chunk is no picture"))?
    };
    if kind == b"VP8X" {
        let animated = data.first().is_some_and(|flags| flags & 0x02 != 0);
        let mut pictures = chunks(bytes).filter(|(kind, _)| matches!(*kind, b"VP8 " | b"VP8L"));
        if animated {
            let mut all = chunks(bytes).filter(|(kind, _)| *kind == b"ANMF").map(|(_, data)| data);
            let first = all.next().ok_or_else(|| corrupt(format, "it announces an animation and holds no frame"))?;
            frames = u32::try_from(all.count()).unwrap_or(u32::MAX).saturating_add(1);
            // What the first frame leaves free of the canvas is transparent.
            alpha |= le24(first, 6).is_none_or(|side| side + 1 < width)
                || le24(first, 9).is_none_or(|side| side + 1 < height);
        } else if let Some((kind, data)) = pictures.next() {
            alpha |= bitstream(kind, data).is_some_and(|(_, _, alpha)| alpha);
        } else {
            return Err(corrupt(format, "it holds no picture"));
        }
    }
    Ok(Header {
        source: Source {
            format,
            width,
            height,
            orientation: exif_block(bytes).map_or(1, exif::orientation),
            frames,
            alpha,
        },
        depth: 8,
        channels: if alpha { 4 } else { 3 },
        progressive: false,
        quality: None,
    })
}
