//! ICO: the largest icon, by the decoder of what it holds.

use std::io::Cursor;

use image::codecs::ico::IcoDecoder;

use super::super::picture::{Decode, Pixels};
use super::super::probe::ico::{Icon, largest};
use super::super::probe::{Header, corrupt};
use super::still::StillDecoder;
use super::{metadata, png, raster};
use crate::error::Error;
use crate::plan::Format;

/// Opens an ICO.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header) -> Result<Box<dyn Decode + 'a>, Error> {
    let header = *header;
    Ok(StillDecoder::open(metadata(&header, None), move || decode(bytes, &header)))
}

fn decode(bytes: &[u8], header: &Header) -> Result<Pixels, Error> {
    let icon = largest(bytes)?;
    if icon.png {
        return png::still(icon.data, header);
    }
    // The library picks an icon of its own and wants a directory that tells the truth: it gets a file with this one.
    let single = single(&icon).ok_or_else(|| corrupt(Format::Ico, "an icon is too large"))?;
    let decoder = IcoDecoder::new(Cursor::new(single)).map_err(|error| raster::error(Format::Ico, &error))?;
    raster::read(header, decoder)
}

/// An ICO file with one icon.
fn single(icon: &Icon<'_>) -> Option<Vec<u8>> {
    // 256 is written as 0.
    let side = |side: u32| u8::try_from(side % 256).ok();
    let mut file = vec![0, 0, 1, 0, 1, 0, side(icon.width)?, side(icon.height)?, 0, 0, 1, 0, 32, 0];
    file.extend(u32::try_from(icon.data.len()).ok()?.to_le_bytes());
    file.extend(22u32.to_le_bytes());
    file.extend(icon.data);
    Some(file)
}
