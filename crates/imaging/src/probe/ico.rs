//! ICO: the directory of icons, and the header of the one that is decoded.

use super::bytes::{le16, le32, slice};
use super::{Header, bmp, corrupt, png};
use crate::error::Error;
use crate::plan::{Format, Source};

/// The icon that is decoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Icon<'a> {
    /// Its bytes: a PNG file, or a DIB with a mask.
    pub data: &'a [u8],
    /// Whether it is a PNG file.
    pub png: bool,
    /// Pixels in a row.
    pub width: u32,
    /// Rows, without those of the mask.
    pub height: u32,
}

/// Whether the file begins as an icon (not a cursor, which nobody sends as a picture).
pub(super) fn matches(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0, 0, 1, 0]) && le16(bytes, 4).is_some_and(|count| count > 0) && bytes.get(9) == Some(&0)
}

/// The largest icon; of several that large the one with the most colours, then the first. So do Chromium and Firefox, and
/// Windows on screens of today; Pillow takes the largest with the fewest colours.
pub(crate) fn largest(bytes: &[u8]) -> Result<Icon<'_>, Error> {
    let damaged = |what| corrupt(Format::Ico, what);
    let count = le16(bytes, 4).map_or(0, usize::from);
    let mut best: Option<((u32, u16), &[u8])> = None;
    for entry in bytes.get(6..).unwrap_or_default().chunks_exact(16).take(count) {
        let side = |at: usize| entry.get(at).map_or(0, |&side| if side == 0 { 256 } else { u32::from(side) });
        let (Some(bits), Some(length), Some(at)) = (le16(entry, 6), le32(entry, 8), le32(entry, 12)) else { continue };
        let score = (side(0) * side(1), bits);
        if best.is_none_or(|(high, _)| score > high) {
            let data = slice(bytes, at as usize, length as usize)
                .ok_or_else(|| damaged("an icon lies beyond the end of the file"))?;
            best = Some((score, data));
        }
    }
    let (_, data) = best.ok_or_else(|| damaged("the directory is empty"))?;
    if data.starts_with(png::SIGNATURE) {
        let Source { width, height, .. } = png::probe(data)?.source;
        return Ok(Icon { data, png: true, width, height });
    }
    // The DIB's height counts the rows of the mask too.
    let dib = bmp::dib(data).map_err(|_| damaged("the largest icon is neither PNG nor BMP"))?;
    let (width, height) = (dib.width, dib.height / 2);
    if width > 256 || height > 256 {
        return Err(damaged("an icon of more than 256 x 256 pixels is not a PNG"));
    }
    Ok(Icon { data, png: false, width, height })
}

/// Reads an ICO's header.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let Icon { width, height, .. } = largest(bytes)?;
    Ok(Header {
        source: Source { format: Format::Ico, width, height, orientation: 1, frames: 1, alpha: true },
        depth: 8,
        channels: 4,
        progressive: false,
        quality: None,
    })
}
