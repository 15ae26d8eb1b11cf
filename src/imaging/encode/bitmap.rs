//! BMP and TIFF: containers for pixels as they are.

use std::io::Cursor;

use image::codecs::{bmp::BmpEncoder, tiff::TiffEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::Options;
use crate::error::{Error, Kind};
use crate::imaging::picture::{Channels, Pixels};
use crate::imaging::transform::{flatten, room, with_colour};
use crate::plan::Rgb;

/// BMP with 24 bits a pixel, 8 for grey. Transparency is put on white: hardly a reader knows BMP's.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn bmp(pixels: Pixels, _: &Options) -> Result<Vec<u8>, Error> {
    let pixels = flatten(pixels, Rgb::WHITE)?;
    let mut bytes = Cursor::new(buffer(&pixels)?);
    let kind = kind(&pixels);
    BmpEncoder::new(&mut bytes)
        .encode(pixels.data(), pixels.width(), pixels.height(), kind)
        .map_err(|error| failed("bmp", &error))?;
    Ok(bytes.into_inner())
}

/// TIFF, not compressed.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn tiff(pixels: Pixels, _: &Options) -> Result<Vec<u8>, Error> {
    let pixels = if pixels.channels() == Channels::GreyAlpha { with_colour(pixels)? } else { pixels };
    let mut bytes = Cursor::new(buffer(&pixels)?);
    let kind = kind(&pixels);
    TiffEncoder::new(&mut bytes)
        .write_image(pixels.data(), pixels.width(), pixels.height(), kind)
        .map_err(|error| failed("tiff", &error))?;
    Ok(bytes.into_inner())
}

/// Memory for the whole file, taken at once.
fn buffer(pixels: &Pixels) -> Result<Vec<u8>, Error> {
    // A BMP's rows end on multiples of four bytes; its palette and header stay below 2 KiB.
    room(pixels.data().len().saturating_add(pixels.height() as usize * 4).saturating_add(4096))
}

fn kind(pixels: &Pixels) -> ExtendedColorType {
    match pixels.channels() {
        Channels::Grey => ExtendedColorType::L8,
        Channels::GreyAlpha => ExtendedColorType::La8,
        Channels::Rgb => ExtendedColorType::Rgb8,
        Channels::Rgba => ExtendedColorType::Rgba8,
    }
}

fn failed(format: &str, error: &ImageError) -> Error {
    Error::new(Kind::Internal, format!("{format}: {error}"))
}
