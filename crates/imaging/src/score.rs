//! How much a picture resembles the one that it was made from: SSIMULACRA2, 100 for the same, 90 for no visible
//! difference, 70 for what most call high quality, 50 for medium.

use fast_ssim2::{PixelDescriptor, PixelSlice, Ssimulacra2Reference};

use super::picture::{Channels, Pixels};
use crate::error::{Error, Kind};
use crate::plan::Rgb;

/// The most pixels that are scored; of a larger picture a [`sample`] is. A megapixel takes about 60 ms and 150 MB.
pub const MOST_PIXELS: u64 = 1 << 20;

/// The side of a sample where the picture's own sides leave the choice. A multiple of every encoder's block.
const SIDE: u32 = 1024;

/// The original to compare with. At most [`MOST_PIXELS`].
pub struct Reference(Ssimulacra2Reference);

impl Reference {
    /// Prepares an original for several comparisons.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`], [`Kind::Internal`].
    pub fn new(original: &Pixels) -> Result<Self, Error> {
        let seen = seen(original)?;
        Ok(Self(Ssimulacra2Reference::new(&slice(original, &seen)?).map_err(failed)?))
    }

    /// The score of a copy of the same size.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`], [`Kind::Internal`].
    pub fn score(&self, copy: &Pixels) -> Result<f64, Error> {
        let seen = seen(copy)?;
        self.0.compare(&slice(copy, &seen)?).map_err(failed)
    }
}

/// A picture of at most [`MOST_PIXELS`] that stands for a larger one: four pieces of it (two of a narrow one), from the
/// middles of its quarters. `None` if the picture is small enough to stand for itself.
///
/// # Errors
/// [`Kind::OutOfMemory`].
pub fn sample(pixels: &Pixels) -> Result<Option<Pixels>, Error> {
    let (width, height) = (pixels.width(), pixels.height());
    let area = u64::from(width) * u64::from(height);
    if area <= MOST_PIXELS {
        return Ok(None);
    }
    let fill = |other: u32| u32::try_from(MOST_PIXELS / u64::from(other.max(1))).unwrap_or(u32::MAX);
    let across = pieces(width, fill(height).max(SIDE));
    let down = pieces(height, fill(across.iter().map(|(_, length)| length).sum()));
    let sizes = |pieces: &[(u32, u32)]| pieces.iter().map(|(_, length)| *length).sum::<u32>();
    let mut data = room(sizes(&across) as usize * sizes(&down) as usize * pixels.channels().count())?;
    let bytes = pixels.channels().count();
    for (top, rows) in &down {
        for row in pixels.rows().skip(*top as usize).take(*rows as usize) {
            for (left, length) in &across {
                let from = *left as usize * bytes;
                data.extend_from_slice(row.get(from..from + *length as usize * bytes).unwrap_or_default());
            }
        }
    }
    Pixels::new(sizes(&across), sizes(&down), pixels.channels(), data).map(Some)
}

/// Start and length of the pieces of a side: all of it, or two halves of `most`, each in the middle of its half.
fn pieces(side: u32, most: u32) -> Vec<(u32, u32)> {
    if side <= most {
        return vec![(0, side)];
    }
    let (half, length) = (side / 2, most / 2);
    let start = half.saturating_sub(length) / 2;
    vec![(start, length), (half + start, length)]
}

/// RGB as it is seen on white.
fn seen(pixels: &Pixels) -> Result<Vec<u8>, Error> {
    let mut out = room(pixels.width() as usize * pixels.height() as usize * 3)?;
    let Rgb { r, g, b } = Rgb::WHITE;
    let on = |value: u8, ground: u8, alpha: u8| {
        let alpha = u32::from(alpha);
        ((u32::from(value) * alpha + u32::from(ground) * (255 - alpha) + 127) / 255) as u8
    };
    let data = pixels.data();
    match pixels.channels() {
        Channels::Rgb => out.extend_from_slice(data),
        Channels::Grey => out.extend(data.iter().flat_map(|v| [*v; 3])),
        Channels::GreyAlpha => {
            let (pairs, _) = data.as_chunks::<2>();
            out.extend(pairs.iter().flat_map(|[v, a]| [on(*v, r, *a), on(*v, g, *a), on(*v, b, *a)]));
        }
        Channels::Rgba => {
            let (quads, _) = data.as_chunks::<4>();
            out.extend(quads.iter().flat_map(|[x, y, z, a]| [on(*x, r, *a), on(*y, g, *a), on(*z, b, *a)]));
        }
    }
    Ok(out)
}

fn slice<'a>(pixels: &Pixels, seen: &'a [u8]) -> Result<PixelSlice<'a>, Error> {
    let (width, height) = (pixels.width(), pixels.height());
    PixelSlice::new(seen, width, height, width as usize * 3, PixelDescriptor::RGB8_SRGB).map_err(failed)
}

fn room(bytes: usize) -> Result<Vec<u8>, Error> {
    let mut room = Vec::new();
    room.try_reserve_exact(bytes)
        .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {bytes} bytes to compare")))?;
    Ok(room)
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Internal, format!("two pictures cannot be compared: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn ramp(width: u32, height: u32, channels: Channels) -> Pixels {
        let count = channels.count();
        let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| vec![(x.wrapping_mul(7) ^ y) as u8; count]));
        Pixels::new(width, height, channels, data.collect()).unwrap()
    }

    #[test]
    fn the_same_is_a_hundred_and_noise_is_less() {
        for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
            for (width, height) in [(64, 48), (3, 1)] {
                let original = ramp(width, height, channels);
                let reference = Reference::new(&original).unwrap();
                assert!(reference.score(&original).unwrap() > 99.9, "{channels:?}");
            }
        }
        let original = ramp(64, 64, Channels::Rgb);
        let mut copy = original.clone();
        copy.data_mut().iter_mut().step_by(5).for_each(|value| *value ^= 0x20);
        assert!(Reference::new(&original).unwrap().score(&copy).unwrap() < 80.0);
        assert!(Reference::new(&original).unwrap().score(&ramp(64, 63, Channels::Rgb)).is_err());
    }

    #[test]
    fn what_is_clear_is_not_compared() {
        let (mut a, mut b) = (ramp(32, 32, Channels::Rgba), ramp(32, 32, Channels::Rgba));
        a.data_mut().chunks_exact_mut(4).for_each(|pixel| pixel.copy_from_slice(&[9, 9, 9, 0]));
        b.data_mut().chunks_exact_mut(4).for_each(|pixel| pixel.copy_from_slice(&[200, 0, 50, 0]));
        assert!(Reference::new(&a).unwrap().score(&b).unwrap() > 99.9);
    }

    #[test]
    fn a_sample_is_bounded_and_comes_from_the_whole_picture() {
        assert!(sample(&ramp(1024, 1024, Channels::Grey)).unwrap().is_none());
        for (width, height) in [(1025, 1024), (4000, 3000), (20_000, 60), (60, 20_000), (1_100_000, 1), (1, 1_100_000)]
        {
            let sample = sample(&ramp(width, height, Channels::Grey)).unwrap().unwrap();
            let area = u64::from(sample.width()) * u64::from(sample.height());
            assert!(area <= MOST_PIXELS && area > MOST_PIXELS / 10 * 8, "{width} x {height}: {area}");
        }
        assert_eq!(pieces(4000, 1024), [(744, 512), (2744, 512)]);
    }
}
