//! Getting rid of transparency.

use super::super::picture::{Channels, Pixels};
use super::channels::with_colour;
use crate::error::Error;
use crate::plan::Rgb;

/// Puts the picture on an opaque ground; the alpha channel goes away. A picture without one stays as it is.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`], only for a grey picture on a coloured ground.
pub fn flatten(pixels: Pixels, ground: Rgb) -> Result<Pixels, Error> {
    match pixels.channels() {
        Channels::Grey | Channels::Rgb => Ok(pixels),
        Channels::GreyAlpha if ground.r == ground.g && ground.g == ground.b => {
            shorten(pixels, Channels::Grey, |[grey, alpha]: [u8; 2]| [over(grey, alpha, ground.r)])
        }
        Channels::GreyAlpha | Channels::Rgba => {
            shorten(with_colour(pixels)?, Channels::Rgb, |[r, g, b, a]: [u8; 4]| {
                [over(r, a, ground.r), over(g, a, ground.g), over(b, a, ground.b)]
            })
        }
    }
}

/// Whether no pixel is transparent, not even a little.
pub fn opaque(pixels: &Pixels) -> bool {
    match pixels.channels() {
        Channels::Grey | Channels::Rgb => true,
        Channels::GreyAlpha => pixels.data().as_chunks::<2>().0.iter().all(|[_, alpha]| *alpha == 255),
        Channels::Rgba => pixels.data().as_chunks::<4>().0.iter().all(|[_, _, _, alpha]| *alpha == 255),
    }
}

/// The picture without its alpha channel, whatever that held.
///
/// # Errors
/// None that can be met: the bytes are moved within their own memory.
pub fn drop_alpha(pixels: Pixels) -> Result<Pixels, Error> {
    match pixels.channels() {
        Channels::Grey | Channels::Rgb => Ok(pixels),
        Channels::GreyAlpha => shorten(pixels, Channels::Grey, |[grey, _]: [u8; 2]| [grey]),
        Channels::Rgba => shorten(pixels, Channels::Rgb, |[r, g, b, _]: [u8; 4]| [r, g, b]),
    }
}

/// A value of this opacity over an opaque one, rounded to the nearest.
pub(super) fn over(value: u8, alpha: u8, ground: u8) -> u8 {
    let (value, alpha, ground) = (u32::from(value), u32::from(alpha), u32::from(ground));
    ((value * alpha + ground * (255 - alpha) + 127) / 255) as u8
}

/// Fewer channels, in the memory that is there: the write position never overtakes the read position.
fn shorten<const FROM: usize, const TO: usize>(
    pixels: Pixels,
    channels: Channels,
    each: impl Fn([u8; FROM]) -> [u8; TO],
) -> Result<Pixels, Error> {
    const { assert!(TO < FROM) };
    let (width, height) = (pixels.width(), pixels.height());
    let mut data = pixels.into_data();
    let count = data.len() / FROM;
    for at in 0..count {
        let Some(pixel) = data.get(at * FROM..).and_then(<[u8]>::first_chunk::<FROM>) else { break };
        let pixel = each(*pixel);
        if let Some(place) = data.get_mut(at * TO..).and_then(<[u8]>::first_chunk_mut::<TO>) {
            *place = pixel;
        }
    }
    data.truncate(count * TO);
    Pixels::new(width, height, channels, data)
}
