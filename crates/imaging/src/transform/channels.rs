//! From one layout of channels to another.

use super::super::picture::{Channels, Pixels};
use super::{area, room};
use crate::error::Error;

/// The same picture with an alpha channel, opaque where there was none.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub fn with_alpha(pixels: Pixels) -> Result<Pixels, Error> {
    match pixels.channels() {
        Channels::Grey => map(&pixels, Channels::GreyAlpha, |[grey]: [u8; 1]| [grey, 255]),
        Channels::Rgb => map(&pixels, Channels::Rgba, |[r, g, b]: [u8; 3]| [r, g, b, 255]),
        Channels::GreyAlpha | Channels::Rgba => Ok(pixels),
    }
}

/// The same picture with colour channels.
pub fn with_colour(pixels: Pixels) -> Result<Pixels, Error> {
    match pixels.channels() {
        Channels::Grey => map(&pixels, Channels::Rgb, |[grey]: [u8; 1]| [grey; 3]),
        Channels::GreyAlpha => map(&pixels, Channels::Rgba, |[grey, alpha]: [u8; 2]| [grey, grey, grey, alpha]),
        Channels::Rgb | Channels::Rgba => Ok(pixels),
    }
}

/// RGBA that is known to be opaque, without its alpha.
///
/// # Errors
/// As [`with_alpha`].
pub fn without_alpha(pixels: &Pixels) -> Result<Pixels, Error> {
    map(pixels, Channels::Rgb, |[r, g, b, _]: [u8; 4]| [r, g, b])
}

/// A new picture, pixel by pixel.
pub(super) fn map<const FROM: usize, const TO: usize>(
    pixels: &Pixels,
    channels: Channels,
    each: impl Fn([u8; FROM]) -> [u8; TO],
) -> Result<Pixels, Error> {
    let mut data = room(area(pixels.width(), pixels.height(), channels)?)?;
    data.extend(pixels.data().as_chunks::<FROM>().0.iter().flat_map(|pixel| each(*pixel)));
    Pixels::new(pixels.width(), pixels.height(), channels, data)
}
