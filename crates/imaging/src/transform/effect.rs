//! Changing pixels where they are. No vendor publishes its transfer functions; these are the plain ones.

use super::super::picture::{Channels, Pixels};
use super::room;
use crate::error::Error;
use crate::plan::Effect;

/// Reach and standard deviation of the blur under an unsharp mask.
const UNSHARP: (u8, f64) = (3, 1.0);

/// Weights are whole numbers that add up to this.
const ONE: u32 = 1 << 16;

/// Carries out an effect.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub(super) fn apply(pixels: Pixels, effect: Effect) -> Result<Pixels, Error> {
    match effect {
        Effect::Blur { radius, sigma } => blur(pixels, radius, f64::from(sigma) / 100.0),
        Effect::Sharpen(percent) => sharpen(pixels, percent),
        Effect::Bright(percent) => Ok(mapped(pixels, |value| value + 2.55 * f32::from(percent))),
        Effect::Contrast(percent) => {
            let gain = 1.0 + f32::from(percent) / 100.0;
            Ok(mapped(pixels, |value| (value - 127.5) * gain + 127.5))
        }
        Effect::Grey => grey(pixels),
    }
}

/// What [`apply`] takes: milliseconds a megapixel of so many channels.
pub fn rate(effect: Effect, channels: u64) -> u64 {
    let rate = match effect {
        Effect::Blur { radius, .. } => 10 + 8 * u64::from(radius),
        Effect::Sharpen(_) => 45,
        Effect::Bright(_) | Effect::Contrast(_) | Effect::Grey => 4,
    };
    (rate * channels).div_ceil(3)
}

/// Every colour value through a function; alpha stays.
fn mapped(mut pixels: Pixels, map: impl Fn(f32) -> f32) -> Pixels {
    // Casting saturates at both ends.
    let table: [u8; 256] = std::array::from_fn(|value| (map(value as f32) + 0.5) as u8);
    let look = |value: &mut u8| *value = table.get(usize::from(*value)).copied().unwrap_or(*value);
    let channels = pixels.channels();
    let colours = channels.count() - usize::from(channels.has_alpha());
    for pixel in pixels.data_mut().chunks_exact_mut(channels.count()) {
        pixel.iter_mut().take(colours).for_each(look);
    }
    pixels
}

/// Shades of grey by the luma of Rec. 601, as JPEG has it.
fn grey(pixels: Pixels) -> Result<Pixels, Error> {
    let channels = match pixels.channels() {
        Channels::Grey | Channels::GreyAlpha => return Ok(pixels),
        Channels::Rgb => Channels::Grey,
        Channels::Rgba => Channels::GreyAlpha,
    };
    let mut data = room(pixels.data().len() / pixels.channels().count() * channels.count())?;
    for pixel in pixels.data().chunks_exact(pixels.channels().count()) {
        if let [r, g, b, rest @ ..] = pixel {
            let luma = 299 * u32::from(*r) + 587 * u32::from(*g) + 114 * u32::from(*b);
            data.push(((luma + 500) / 1000) as u8);
            data.extend_from_slice(rest);
        }
    }
    Pixels::new(pixels.width(), pixels.height(), channels, data)
}

/// The picture plus what a slight blur takes from it, times `percent / 100`. Alpha stays.
fn sharpen(mut pixels: Pixels, percent: u16) -> Result<Pixels, Error> {
    let mut soft = room(pixels.data().len())?;
    soft.extend_from_slice(pixels.data());
    let soft = blur(Pixels::new(pixels.width(), pixels.height(), pixels.channels(), soft)?, UNSHARP.0, UNSHARP.1)?;
    let channels = pixels.channels();
    let colours = channels.count() - usize::from(channels.has_alpha());
    let each = channels.count();
    for (pixel, soft) in pixels.data_mut().chunks_exact_mut(each).zip(soft.data().chunks_exact(each)) {
        for (value, soft) in pixel.iter_mut().zip(soft).take(colours) {
            let difference = (i32::from(*value) - i32::from(*soft)) * i32::from(percent);
            *value = (i32::from(*value) + (difference + 50).div_euclid(100)).clamp(0, 255) as u8;
        }
    }
    Ok(pixels)
}

/// Gaussian weights from the middle to the reach; the middle once and the others twice are [`ONE`].
fn weights(radius: u8, sigma: f64) -> Vec<u32> {
    let raw: Vec<f64> = (0..=u32::from(radius)).map(|x| (-0.5 * (f64::from(x) / sigma).powi(2)).exp()).collect();
    let whole: f64 = 2.0 * raw.iter().sum::<f64>() - 1.0;
    let mut weights: Vec<u32> = raw.iter().map(|weight| (weight / whole * f64::from(ONE)) as u32).collect();
    // What was rounded away belongs to the middle, so that a plain area stays as it is.
    let sides: u32 = weights.iter().skip(1).map(|weight| 2 * weight).sum();
    if let Some(middle) = weights.first_mut() {
        *middle = ONE - sides;
    }
    weights
}

/// Blurs along the rows and then along the columns; beyond the border the outermost pixels go on. What is transparent lends
/// no colour.
fn blur(mut pixels: Pixels, radius: u8, sigma: f64) -> Result<Pixels, Error> {
    let weights = weights(radius, sigma.max(0.01));
    let (stride, each) = (pixels.stride(), pixels.channels().count());
    let alpha = pixels.channels().has_alpha();
    if alpha {
        premultiply(&mut pixels);
    }
    let mut sums: Vec<u32> = vec![0; stride];
    let mut padded = room(stride + 2 * usize::from(radius) * each)?;
    for row in pixels.data_mut().chunks_exact_mut(stride) {
        padded.clear();
        let (first, last) = (row.get(..each).unwrap_or_default(), row.get(stride - each..).unwrap_or_default());
        (0..radius).for_each(|_| padded.extend_from_slice(first));
        padded.extend_from_slice(row);
        (0..radius).for_each(|_| padded.extend_from_slice(last));
        sums.fill(ONE / 2);
        for (away, weight) in weights.iter().enumerate() {
            let middle = usize::from(radius);
            add(&mut sums, &padded, (middle - away) * each, *weight);
            if away > 0 {
                add(&mut sums, &padded, (middle + away) * each, *weight);
            }
        }
        row.iter_mut().zip(&sums).for_each(|(value, sum)| *value = (sum >> 16) as u8);
    }
    let rows = pixels.height() as usize;
    let mut data = room(pixels.data().len())?;
    for y in 0..rows {
        sums.fill(ONE / 2);
        for (away, weight) in weights.iter().enumerate() {
            add(&mut sums, pixels.data(), y.saturating_sub(away) * stride, *weight);
            if away > 0 {
                add(&mut sums, pixels.data(), (y + away).min(rows - 1) * stride, *weight);
            }
        }
        data.extend(sums.iter().map(|sum| (sum >> 16) as u8));
    }
    let mut pixels = Pixels::new(pixels.width(), pixels.height(), pixels.channels(), data)?;
    if alpha {
        unpremultiply(&mut pixels);
    }
    Ok(pixels)
}

/// Adds a run of values, weighted.
fn add(sums: &mut [u32], values: &[u8], from: usize, weight: u32) {
    for (sum, value) in sums.iter_mut().zip(values.get(from..).unwrap_or_default()) {
        *sum += u32::from(*value) * weight;
    }
}

fn premultiply(pixels: &mut Pixels) {
    let each = pixels.channels().count();
    for pixel in pixels.data_mut().chunks_exact_mut(each) {
        if let [colours @ .., alpha] = pixel {
            let alpha = u32::from(*alpha);
            colours.iter_mut().for_each(|value| *value = ((u32::from(*value) * alpha + 127) / 255) as u8);
        }
    }
}

fn unpremultiply(pixels: &mut Pixels) {
    let each = pixels.channels().count();
    for pixel in pixels.data_mut().chunks_exact_mut(each) {
        if let [colours @ .., alpha] = pixel
            && *alpha > 0
        {
            let alpha = u32::from(*alpha);
            colours
                .iter_mut()
                .for_each(|value| *value = ((u32::from(*value) * 255 + alpha / 2) / alpha).min(255) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn grid(channels: Channels) -> Pixels {
        let data = (0..40 * 30 * channels.count()).map(|i| (i * 37 % 251) as u8).collect();
        Pixels::new(40, 30, channels, data).unwrap()
    }

    #[test]
    fn a_plain_area_stays_plain() {
        for channels in [Channels::Grey, Channels::Rgb, Channels::Rgba] {
            let plain = Pixels::filled(33, 21, channels, 200).unwrap();
            for effect in
                [Effect::Blur { radius: 50, sigma: 5000 }, Effect::Blur { radius: 1, sigma: 1 }, Effect::Sharpen(300)]
            {
                assert_eq!(apply(plain.clone(), effect).unwrap().data(), plain.data(), "{channels:?} {effect:?}");
            }
        }
    }

    #[test]
    fn a_blur_keeps_the_mean_and_takes_contrast_and_sharpening_gives_it() {
        let variance = |pixels: &Pixels| {
            let count = pixels.data().len() as f64;
            let mean = pixels.data().iter().map(|v| f64::from(*v)).sum::<f64>() / count;
            (mean, pixels.data().iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count)
        };
        let before = variance(&grid(Channels::Rgb));
        let soft = variance(&apply(grid(Channels::Rgb), Effect::Blur { radius: 8, sigma: 500 }).unwrap());
        let hard = variance(&apply(grid(Channels::Rgb), Effect::Sharpen(70)).unwrap());
        assert!((before.0 - soft.0).abs() < 4.0 && soft.1 < before.1 / 4.0, "{before:?} {soft:?}");
        assert!(hard.1 > before.1, "{before:?} {hard:?}");
    }

    #[test]
    fn tones_move_as_they_say() {
        let of = |effect, value| apply(Pixels::filled(1, 1, Channels::Rgb, value).unwrap(), effect).unwrap().data()[0];
        assert_eq!(
            (of(Effect::Bright(50), 100), of(Effect::Bright(-100), 200), of(Effect::Bright(100), 0)),
            (228, 0, 255)
        );
        assert_eq!((of(Effect::Contrast(-100), 10), of(Effect::Contrast(100), 100)), (128, 73));
    }

    #[test]
    fn grey_is_luma_and_keeps_alpha() {
        let red = Pixels::new(1, 1, Channels::Rgba, vec![255, 0, 0, 7]).unwrap();
        let out = apply(red, Effect::Grey).unwrap();
        assert_eq!((out.channels(), out.data()), (Channels::GreyAlpha, &[76, 7][..]));
    }

    #[test]
    fn what_is_transparent_lends_no_colour() {
        // A red pixel beside an invisible green one.
        let pair = Pixels::new(2, 1, Channels::Rgba, vec![255, 0, 0, 255, 0, 255, 0, 0]).unwrap();
        let out = apply(pair, Effect::Blur { radius: 1, sigma: 100 }).unwrap();
        assert_eq!((out.data()[1], out.data()[5]), (0, 0));
        assert!(out.data()[4] > 250 && out.data()[7] > 50, "{:?}", out.data());
    }
}
