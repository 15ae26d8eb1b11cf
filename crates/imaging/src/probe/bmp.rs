//! BMP: the core header of OS/2 and every Windows header since.

use super::bytes::{le16, le32};
use super::{Header, corrupt, unsupported};
use crate::error::Error;
use crate::plan::{Format, Source};

/// The fields of a DIB header that matter here, also for the pictures inside ICO files.
pub(crate) struct Dib {
    /// Pixels in a row.
    pub width: u32,
    /// Rows, whichever way they run.
    pub height: u32,
    /// Bits of a pixel.
    pub bits: u16,
    /// Whether the header has an alpha mask.
    pub alpha: bool,
}

/// Reads a DIB header (what follows the file header).
pub(crate) fn dib(bytes: &[u8]) -> Result<Dib, Error> {
    let short = || corrupt(Format::Bmp, "the header is cut off");
    let size = le32(bytes, 0).ok_or_else(short)?;
    if size == 12 {
        let (width, height) = (le16(bytes, 4).ok_or_else(short)?, le16(bytes, 6).ok_or_else(short)?);
        let bits = le16(bytes, 10).ok_or_else(short)?;
        return Ok(Dib { width: width.into(), height: height.into(), bits, alpha: false });
    }
    if !matches!(size, 16 | 40 | 52 | 56 | 64 | 108 | 124) {
        return Err(corrupt(Format::Bmp, "the header's length is that of no known version"));
    }
    let width = le32(bytes, 4).ok_or_else(short)?.cast_signed();
    let height = le32(bytes, 8).ok_or_else(short)?.cast_signed();
    let bits = le16(bytes, 14).ok_or_else(short)?;
    let compression = if size >= 40 { le32(bytes, 16).ok_or_else(short)? } else { 0 };
    let Ok(width) = u32::try_from(width) else {
        return Err(corrupt(Format::Bmp, "the header announces a negative width"));
    };
    // BI_ALPHABITFIELDS has a fourth mask in any version of the header, BI_BITFIELDS from version 3 on.
    let alpha = match compression {
        3 if size >= 56 => le32(bytes, 52).is_some_and(|mask| mask != 0),
        6 => true,
        _ => false,
    };
    Ok(Dib { width, height: height.unsigned_abs(), bits, alpha })
}

/// Reads a BMP's header.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let format = Format::Bmp;
    let dib = dib(bytes.get(14..).unwrap_or_default())?;
    let depth = match dib.bits {
        1 | 2 | 4 | 8 | 24 | 32 => 8,
        16 => 5,
        bits => return Err(unsupported(format, &format!("{bits} bits a pixel (1, 2, 4, 8, 16, 24 and 32 are known)"))),
    };
    Ok(Header {
        source: Source { format, width: dib.width, height: dib.height, orientation: 1, frames: 1, alpha: dib.alpha },
        depth,
        channels: if dib.alpha { 4 } else { 3 },
        progressive: false,
        quality: None,
    })
}
