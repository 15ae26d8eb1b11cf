//! What the formats read by the `image` crate have in common: its limits, its errors, its pixel types.

use image::{ColorType, ImageDecoder, ImageError, Limits};

use super::super::colour::ToSrgb;
use super::super::picture::{Channels, Pixels};
use super::super::probe::{Header, corrupt, unsupported};
use super::{area, buffer};
use crate::error::Error;
use crate::plan::Format;

/// Bytes that a decoder may take beyond the pixels themselves.
const SLACK: u64 = 64 << 20;

/// The library's error in our words.
pub(super) fn error(format: Format, error: &ImageError) -> Error {
    match error {
        ImageError::Unsupported(what) => unsupported(format, &what.to_string()),
        // The limits follow from the header, so that it is the file that contradicts itself.
        ImageError::Limits(what) => corrupt(format, &what.to_string()),
        ImageError::Decoding(what) => corrupt(format, &what.to_string()),
        ImageError::IoError(what) => corrupt(format, &what.to_string()),
        ImageError::Encoding(_) | ImageError::Parameter(_) => corrupt(format, &error.to_string()),
    }
}

/// Decodes to 8 bits and sRGB. The size must be the header's.
pub(super) fn read(header: &Header, decoder: impl ImageDecoder) -> Result<Pixels, Error> {
    let format = header.source.format;
    let (mut pixels, icc) = raw(header, decoder)?;
    if let Some(transform) = icc.and_then(|icc| ToSrgb::from_icc(&icc, pixels.channels())) {
        transform.apply(&mut pixels)?;
    }
    if (pixels.width(), pixels.height()) != (header.source.width, header.source.height) {
        return Err(corrupt(format, "its size is not what its header announces"));
    }
    Ok(pixels)
}

/// Decodes to 8 bits; gives the profile beside them.
pub(super) fn raw(header: &Header, mut decoder: impl ImageDecoder) -> Result<(Pixels, Option<Vec<u8>>), Error> {
    let format = header.source.format;
    let fail = |what: ImageError| error(format, &what);
    let (width, height) = decoder.dimensions();
    // Samples that are taken as they lie may be more than pixels, by the padding of small pictures even much more.
    let most = header.source.pixels().saturating_mul(4).saturating_add(4096);
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > most {
        return Err(corrupt(format, "its size is not what its header announces"));
    }
    let colour = decoder.color_type();
    let bytes = area(width, height, colour.bytes_per_pixel().into())?;
    let mut limits = Limits::default();
    limits.max_alloc = Some((bytes as u64).saturating_mul(3).saturating_add(SLACK));
    decoder.set_limits(limits).map_err(fail)?;
    let icc = decoder.icc_profile().ok().flatten();
    let mut data = buffer(bytes)?;
    decoder.read_image(&mut data).map_err(fail)?;
    let (channels, size) = match colour {
        ColorType::L8 => (Channels::Grey, 1),
        ColorType::La8 => (Channels::GreyAlpha, 1),
        ColorType::Rgb8 => (Channels::Rgb, 1),
        ColorType::Rgba8 => (Channels::Rgba, 1),
        ColorType::L16 => (Channels::Grey, 2),
        ColorType::La16 => (Channels::GreyAlpha, 2),
        ColorType::Rgb16 => (Channels::Rgb, 2),
        ColorType::Rgba16 => (Channels::Rgba, 2),
        ColorType::Rgb32F => (Channels::Rgb, 4),
        ColorType::Rgba32F => (Channels::Rgba, 4),
        other => return Err(unsupported(format, &format!("pixels of type {other:?}"))),
    };
    // Wider samples lie in the machine's own byte order; they are brought down where they lie.
    if size > 1 {
        let length = area(width, height, channels.count())?;
        for at in 0..length {
            let from = at.saturating_mul(size);
            let sample = data.get(from..from.saturating_add(size)).unwrap_or_default();
            let value = match *sample {
                [a, b] => (u32::from(u16::from_ne_bytes([a, b])).saturating_add(128) / 257) as u8,
                // A cast saturates, and takes NaN for 0.
                [a, b, c, d] => (f32::from_ne_bytes([a, b, c, d]) * 255.0 + 0.5) as u8,
                _ => 0,
            };
            if let Some(to) = data.get_mut(at) {
                *to = value;
            }
        }
        data.truncate(length);
    }
    Ok((Pixels::new(width, height, channels, data)?, icc))
}
