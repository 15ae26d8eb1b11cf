//! BMP and TIFF: containers for pixels as they are.

use std::io::Cursor;

use image::ExtendedColorType;
use image::codecs::bmp::BmpEncoder;
use tiff::encoder::colortype::{Gray8, RGB8, RGBA8};
use tiff::encoder::{Compression, DeflateLevel, Predictor, TiffEncoder};
use tiff::tags::Tag;

use super::Options;
use crate::error::{Error, Kind};
use crate::picture::{Channels, Pixels};
use crate::transform::{room, with_colour};

/// BMP with 24 bits a pixel, 8 for grey; with transparency 32, and a header of version 4, whose masks say where alpha lies.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn bmp(pixels: Pixels, _: &Options) -> Result<Vec<u8>, Error> {
    let pixels = if pixels.channels() == Channels::GreyAlpha { with_colour(pixels)? } else { pixels };
    let mut bytes = Cursor::new(buffer(&pixels)?);
    let kind = kind(&pixels);
    BmpEncoder::new(&mut bytes)
        .encode(pixels.data(), pixels.width(), pixels.height(), kind)
        .map_err(|error| failed("bmp", &error))?;
    Ok(bytes.into_inner())
}

/// TIFF, deflated with the horizontal predictor, which every reader of the last twenty years takes.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn tiff(pixels: Pixels, _: &Options) -> Result<Vec<u8>, Error> {
    let pixels = if pixels.channels() == Channels::GreyAlpha { with_colour(pixels)? } else { pixels };
    let mut bytes = Cursor::new(buffer(&pixels)?);
    let (width, height, data) = (pixels.width(), pixels.height(), pixels.data());
    TiffEncoder::new(&mut bytes)
        .and_then(|encoder| {
            // The fastest level: what the others save on photos is a few per cent.
            let deflate = Compression::Deflate(DeflateLevel::Fast);
            let mut encoder = encoder.with_compression(deflate).with_predictor(Predictor::Horizontal);
            match pixels.channels() {
                Channels::Grey | Channels::GreyAlpha => encoder.write_image::<Gray8>(width, height, data),
                Channels::Rgb => encoder.write_image::<RGB8>(width, height, data),
                Channels::Rgba => {
                    let mut image = encoder.new_image::<RGBA8>(width, height)?;
                    // 2: alpha that the colours are not multiplied with.
                    image.encoder().write_tag(Tag::ExtraSamples, &[2u16][..])?;
                    image.write_data(data)
                }
            }
        })
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

fn failed(format: &str, error: &dyn std::error::Error) -> Error {
    Error::new(Kind::Internal, format!("{format}: {error}"))
}
