//! PNG: with a palette where the picture has at most 256 colours, which is exact and several times smaller, else as it is.

use std::borrow::Cow;

use ::png::{BitDepth, ColorType, Compression, Encoder, Info};

use super::Options;
use super::graphics::{Indexed, index};
use crate::Effort;
use crate::error::{Error, Kind};
use crate::picture::{Channels, Pixels};

/// Writes the file.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let mut info = Info::with_size(pixels.width(), pixels.height());
    info.bit_depth = BitDepth::Eight;
    info.exif_metadata = options.exif.as_deref().map(Cow::Borrowed);
    info.icc_profile = super::profile(options, pixels.channels()).map(Cow::Borrowed);
    let indexed = match pixels.channels() {
        // Grey is one byte a pixel already.
        Channels::Grey => None,
        Channels::GreyAlpha | Channels::Rgb | Channels::Rgba => index(&pixels, 256),
    };
    // The default of deflate costs 470 ms a megapixel and saves a tenth against the fast one's 11 ms: for those who can
    // wait, and for palettes, where it is quick and saves half.
    let compression = match options.effort {
        Effort::Batch => Compression::Balanced,
        Effort::Interactive | Effort::Pressed if indexed.is_some() => Compression::Balanced,
        Effort::Interactive | Effort::Pressed => Compression::Fast,
    };
    let mut bytes = Vec::new();
    let data = match indexed {
        Some(indexed) => {
            let Indexed { palette, indices } = sorted(indexed);
            let depth = match palette.len() {
                0..=2 => 1,
                3..=4 => 2,
                5..=16 => 4,
                _ => 8,
            };
            info.bit_depth = BitDepth::from_u8(depth).unwrap_or(BitDepth::Eight);
            info.color_type = ColorType::Indexed;
            info.palette = Some(palette.iter().flat_map(|c| [c[0], c[1], c[2]]).collect::<Vec<u8>>().into());
            let alphas: Vec<u8> = palette.iter().map(|c| c[3]).take_while(|&a| a < 255).collect();
            info.trns = (!alphas.is_empty()).then(|| alphas.into());
            pack(indices, pixels.width() as usize, depth)
        }
        None => {
            info.color_type = match pixels.channels() {
                Channels::Grey => ColorType::Grayscale,
                Channels::GreyAlpha => ColorType::GrayscaleAlpha,
                Channels::Rgb => ColorType::Rgb,
                Channels::Rgba => ColorType::Rgba,
            };
            pixels.into_data()
        }
    };
    let mut encoder = Encoder::with_info(&mut bytes, info).map_err(|e| failed(&e))?;
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().map_err(|e| failed(&e))?;
    writer.write_image_data(&data).map_err(|e| failed(&e))?;
    writer.finish().map_err(|e| failed(&e))?;
    Ok(bytes)
}

/// Colours with alpha first, because the chunk of alphas may end where the rest is opaque.
fn sorted(indexed: Indexed) -> Indexed {
    let mut order: Vec<usize> = (0..indexed.palette.len()).collect();
    order.sort_by_key(|&i| indexed.palette[i][3] == 255);
    let mut place = [0u8; 256];
    for (new, &old) in order.iter().enumerate() {
        place[old] = new as u8;
    }
    let mut indices = indexed.indices;
    for i in &mut indices {
        *i = place[usize::from(*i)];
    }
    Indexed { palette: order.iter().map(|&i| indexed.palette[i]).collect(), indices }
}

/// Several numbers a byte, each row starting on a new one.
fn pack(indices: Vec<u8>, width: usize, depth: u8) -> Vec<u8> {
    if depth == 8 {
        return indices;
    }
    let per_byte = usize::from(8 / depth);
    let mut packed = Vec::with_capacity(indices.len() / per_byte + indices.len() / width.max(1));
    for row in indices.chunks(width.max(1)) {
        for part in row.chunks(per_byte) {
            let mut byte = 0u8;
            for (i, &number) in part.iter().enumerate() {
                byte |= number << (8 - depth as usize * (i + 1));
            }
            packed.push(byte);
        }
    }
    packed
}

fn failed(error: &::png::EncodingError) -> Error {
    Error::new(Kind::Internal, format!("png: {error}"))
}
