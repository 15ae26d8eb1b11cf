//! BMP.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;

use super::super::picture::{Decode, Pixels};
use super::super::probe::Header;
use super::super::probe::bytes::{le16, le32};
use super::rle::Runs;
use super::still::StillDecoder;
use super::{metadata, raster};
use crate::error::Error;
use crate::plan::Format;

/// Opens a BMP.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header) -> Result<Box<dyn Decode + 'a>, Error> {
    let header = *header;
    Ok(StillDecoder::open(metadata(&header, None), move || decode(bytes, &header)))
}

fn decode(bytes: &[u8], header: &Header) -> Result<Pixels, Error> {
    if let Some(runs) = Runs::find(bytes) {
        return runs.decode(header);
    }
    let bytes = lenient(bytes);
    let decoder = BmpDecoder::new(Cursor::new(&*bytes)).map_err(|error| raster::error(Format::Bmp, &error))?;
    raster::read(header, decoder)
}

const SIZE: usize = 14;
const COMPRESSION: usize = 30;
const COLOURS: usize = 46;

/// The file as the library takes it, where other readers take more: two harmless oddities are written differently.
fn lenient(bytes: &[u8]) -> Cow<'_, [u8]> {
    let fields = (le32(bytes, SIZE), le16(bytes, 28), le32(bytes, COMPRESSION), le32(bytes, COLOURS));
    let (Some(40), Some(bits), Some(compression), Some(colours)) = fields else {
        return Cow::Borrowed(bytes);
    };
    let mut copy = Cow::Borrowed(bytes);
    let mut put = |at: usize, value: u32| {
        if let Some(field) = copy.to_mut().get_mut(at..at.saturating_add(4)) {
            field.copy_from_slice(&value.to_le_bytes());
        }
    };
    // Four masks behind a version 1 header are what a version 3 header has inside.
    if compression == 6 {
        put(SIZE, 56);
        put(COMPRESSION, 3);
    }
    // A palette of more colours than the pixels can name.
    if bits <= 8 && colours > 1 << bits {
        put(COLOURS, 1 << bits);
    }
    copy
}
