//! Resampling on amounts of light: sRGB's curve is taken off before and put on again after. Between the two lie 16 bits a
//! channel, of which the darkest steps of eight bits still get some twenty each.
//!
//! Three to eight times the time of [`super::resize`], whose filter it shares: the library is quickest at eight bits, and
//! twice the memory is walked through.

use std::sync::OnceLock;

use fast_image_resize::images::Image;
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::super::picture::{Channels, Pixels};
use super::{area, room};
use crate::error::{Error, Kind};

/// Resamples to exactly this size. The pixels have sRGB's curve, whatever their primaries; alpha is light as it is.
pub(super) fn resize(pixels: Pixels, width: u32, height: u32) -> Result<Pixels, Error> {
    if (width, height) == (pixels.width(), pixels.height()) {
        return Ok(pixels);
    }
    let channels = pixels.channels();
    let kind = match channels {
        Channels::Grey => PixelType::U16,
        Channels::GreyAlpha => PixelType::U16x2,
        Channels::Rgb => PixelType::U16x3,
        Channels::Rgba => PixelType::U16x4,
    };
    let curves = curves();
    let mut source = image(pixels.width(), pixels.height(), channels, kind)?;
    match channels {
        Channels::Grey | Channels::Rgb => curves.lighten(pixels.data(), source.buffer_mut()),
        Channels::GreyAlpha => curves.lighten_under_alpha::<2>(pixels.data(), source.buffer_mut()),
        Channels::Rgba => curves.lighten_under_alpha::<4>(pixels.data(), source.buffer_mut()),
    }
    let tall = pixels.height();
    drop(pixels);
    // What the library keeps between its two passes, as for eight bits.
    drop(room(area(width, tall, channels)?.saturating_mul(2))?);
    let mut target = image(width, height, channels, kind)?;
    let alpha = MulDiv::new();
    if channels.has_alpha() {
        alpha.multiply_alpha_inplace(&mut source).map_err(failed)?;
    }
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false);
    Resizer::new().resize(&source, &mut target, &options).map_err(failed)?;
    drop(source);
    if channels.has_alpha() {
        alpha.divide_alpha_inplace(&mut target).map_err(failed)?;
    }
    let length = area(width, height, channels)?;
    let mut data = room(length)?;
    data.resize(length, 0);
    for (from, to) in target.buffer().as_chunks::<2>().0.iter().zip(&mut data) {
        *to = curves.code[usize::from(u16::from_ne_bytes(*from))];
    }
    if channels.has_alpha() {
        let n = channels.count();
        let alphas = target.buffer().as_chunks::<2>().0.iter().skip(n - 1).step_by(n);
        for (from, to) in alphas.zip(data.iter_mut().skip(n - 1).step_by(n)) {
            *to = (u32::from(u16::from_ne_bytes(*from)).saturating_add(128) / 257) as u8;
        }
    }
    Pixels::new(width, height, channels, data)
}

/// Room for 16-bit pixels. The library aborts where memory cannot be had: asking beforehand makes that an error.
fn image(width: u32, height: u32, channels: Channels, kind: PixelType) -> Result<Image<'static>, Error> {
    drop(room(area(width, height, channels)?.saturating_mul(2))?);
    Ok(Image::new(width, height, kind))
}

/// sRGB's curve, both ways.
struct Curves {
    light: [u16; 256],
    code: Box<[u8; 65_536]>,
}

impl Curves {
    /// Codes to light, sample by sample.
    fn lighten(&self, from: &[u8], to: &mut [u8]) {
        for (from, to) in from.iter().zip(to.as_chunks_mut::<2>().0) {
            *to = self.light[usize::from(*from)].to_ne_bytes();
        }
    }

    /// The same where the last of `N` samples is alpha, which has no curve.
    fn lighten_under_alpha<const N: usize>(&self, from: &[u8], to: &mut [u8]) {
        let pixels = to.as_chunks_mut::<2>().0.as_chunks_mut::<N>().0;
        for (from, to) in from.as_chunks::<N>().0.iter().zip(pixels) {
            for (from, to) in from.iter().zip(to.iter_mut()) {
                *to = self.light[usize::from(*from)].to_ne_bytes();
            }
            to[N - 1] = u16::from(from[N - 1]).saturating_mul(257).to_ne_bytes();
        }
    }
}

fn curves() -> &'static Curves {
    static CURVES: OnceLock<Curves> = OnceLock::new();
    CURVES.get_or_init(|| {
        let light = std::array::from_fn(|code| {
            let value = code as f64 / 255.0;
            let light = if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
            (light * 65_535.0).round() as u16
        });
        let mut code = Box::new([0; 65_536]);
        for (light, code) in code.iter_mut().enumerate() {
            let light = light as f64 / 65_535.0;
            let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            *code = (value * 255.0).round() as u8;
        }
        Curves { light, code }
    })
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Internal, format!("resampling failed: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn the_curves_undo_each_other() {
        let curves = curves();
        for value in 0..=255u8 {
            assert_eq!(curves.code[usize::from(curves.light[usize::from(value)])], value);
        }
    }

    /// The middle of a fine chequered picture made half as wide.
    fn chequered(channels: Channels, resize: fn(Pixels, u32, u32) -> Result<Pixels, Error>) -> Vec<u8> {
        let n = channels.count();
        let data = (0..64u32 * 64)
            .flat_map(|at| {
                let value = if (at % 64 + at / 64) % 2 == 0 { 255 } else { 0 };
                (0..n).map(move |channel| if channels.has_alpha() && channel == n - 1 { 255 } else { value })
            })
            .collect();
        let small = resize(Pixels::new(64, 64, channels, data).unwrap(), 32, 32).unwrap();
        small.data()[(16 * 32 + 16) * n..][..n].to_vec()
    }

    #[test]
    fn fine_detail_keeps_its_light() {
        for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
            let colours = if channels.has_alpha() { channels.count() - 1 } else { channels.count() };
            let linear = chequered(channels, resize);
            let gamma = chequered(channels, super::super::resize::resize);
            assert!(linear[..colours].iter().all(|value| value.abs_diff(188) <= 1), "{channels:?} {linear:?}");
            assert!(gamma[..colours].iter().all(|value| value.abs_diff(128) <= 1), "{channels:?} {gamma:?}");
            assert!(linear[colours..].iter().all(|alpha| *alpha == 255));
        }
    }

    #[test]
    fn what_hides_under_transparent_pixels_never_shows() {
        // The left half is opaque red, the right half is transparent green.
        let data = (0..32 * 8).flat_map(|at| if at % 32 < 15 { [200, 0, 0, 255] } else { [0, 255, 0, 0] }).collect();
        let small = resize(Pixels::new(32, 8, Channels::Rgba, data).unwrap(), 11, 3).unwrap();
        let mut between = 0;
        for pixel in small.data().chunks_exact(4).filter(|pixel| pixel[3] > 8) {
            assert!(pixel[0].abs_diff(200) <= 4 && pixel[1] == 0 && pixel[2] == 0, "{pixel:?}");
            between += usize::from(pixel[3] < 250);
        }
        assert!(between > 0, "an edge lies between two pixels");
    }

    #[test]
    fn flat_colours_stay_as_they_are() {
        for value in [0u8, 1, 2, 7, 60, 128, 254, 255] {
            let picture = Pixels::new(20, 20, Channels::Rgb, vec![value; 1200]).unwrap();
            for (width, height) in [(7, 9), (33, 41)] {
                let data = resize(picture.clone(), width, height).unwrap().into_data();
                assert!(data.iter().all(|got| *got == value), "{value}: {data:?}");
            }
        }
    }
}
