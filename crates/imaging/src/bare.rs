//! A file without what tells more than the picture: where and when it was taken, by whom, with what, and what else was
//! written into it. Nothing is encoded anew: the pixels' bytes are copied as they lie, and so is the profile of their colours.
//!
//! Each reader names what may stay and drops the rest, so that a block that nobody has heard of goes nowhere. What it does
//! not understand to the end of the file has no bare form, and the caller gives its own encoding in place of it.

mod bmp;
mod boxes;
mod gif;
mod jpeg;
mod png;
mod webp;

use super::transform::room;
use crate::error::Error;
use crate::plan::Format;

/// The file with nothing in it but the picture, its profile and, where there is one, this block of EXIF; `None` where that
/// cannot be had without encoding it anew.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub fn bare(source: &[u8], format: Format, exif: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
    let strip: Strip = match format {
        Format::Jpeg => jpeg::strip,
        Format::Png => png::strip,
        Format::WebP => webp::strip,
        Format::Gif => gif::strip,
        Format::Avif | Format::Heif => boxes::strip,
        Format::Bmp => bmp::strip,
        // The tags of a TIFF file are its metadata; the others are not written here, and so not known well enough.
        _ => return Ok(None),
    };
    // All that is written is copied out of the source, but for the block and its frame.
    let mut out = room(source.len().saturating_add(exif.map_or(0, <[u8]>::len)).saturating_add(64))?;
    Ok(strip(source, exif, &mut out).map(|()| out))
}

/// Appends the bare form of a file to an empty vector; `None` where there is none.
type Strip = fn(&[u8], Option<&[u8]>, &mut Vec<u8>) -> Option<()>;

#[cfg(test)]
mod boxes_tests;
#[cfg(test)]
mod tests;
