//! BMP.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::bmp::BmpDecoder;

use super::super::picture::{Decode, Pixels};
use super::super::probe::Header;
use super::super::probe::bytes::{le16, le32};
use super::still::Still;
use super::{metadata, raster};
use crate::error::Error;
use crate::plan::Format;

/// Opens a BMP.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header) -> Result<Box<dyn Decode + 'a>, Error> {
    let header = *header;
    Ok(Still::open(metadata(&header, None), move || decode(bytes, &header)))
}

fn decode(bytes: &[u8], header: &Header) -> Result<Pixels, Error> {
    let (bytes, turned) = lenient(bytes);
    let decoder = BmpDecoder::new(Cursor::new(&*bytes)).map_err(|error| raster::error(Format::Bmp, &error))?;
    let mut pixels = raster::read(header, decoder)?;
    if turned {
        let stride = pixels.stride();
        let mut rows = pixels.data_mut().chunks_exact_mut(stride);
        while let (Some(upper), Some(lower)) = (rows.next(), rows.next_back()) {
            upper.swap_with_slice(lower);
        }
    }
    Ok(pixels)
}

const SIZE: usize = 14;
const HEIGHT: usize = 22;
const COMPRESSION: usize = 30;
const COLOURS: usize = 46;

/// The file as the library takes it, where other readers take more: three harmless oddities are written differently.
/// Also tells whether the rows come out in reverse.
fn lenient(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    let fields =
        (le32(bytes, SIZE), le32(bytes, HEIGHT), le16(bytes, 28), le32(bytes, COMPRESSION), le32(bytes, COLOURS));
    let (Some(40), Some(height), Some(bits), Some(compression), Some(colours)) = fields else {
        return (Cow::Borrowed(bytes), false);
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
    // Runs from top to bottom.
    let turned = matches!(compression, 1 | 2) && height.cast_signed() < 0;
    if turned {
        put(HEIGHT, height.cast_signed().unsigned_abs());
    }
    (copy, turned)
}
