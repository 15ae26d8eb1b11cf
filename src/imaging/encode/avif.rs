//! AVIF with libaom: an all-intra AV1 still, its alpha as a second one without chroma, and the container around them.

use avif_serialize::Aviffy;
use avif_serialize::constants::{ColorPrimaries, MatrixCoefficients, TransferCharacteristics};

use super::aom::{self, Settings};
use super::graphics::is_graphic;
use super::yuv::{Sampling, split};
use super::{Options, quality};
use crate::error::Error;
use crate::imaging::convert::Effort;
use crate::imaging::picture::{Pixels, Space};

/// From this quality on chroma is kept at full resolution: 2 % fewer bytes there at equal SSIMULACRA2.
const FULL_CHROMA: u8 = 80;
/// Alpha is all edges, and its errors are halos: much finer than colour.
const ALPHA_QUANTIZER: u8 = 6;

/// Writes the file.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`], [`crate::error::Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let quality = options.quality.unwrap_or(quality::AVIF_DEFAULT);
    let megapixels = f64::from(pixels.width()) * f64::from(pixels.height()) / 1e6;
    let speed = speed(options.effort, megapixels, options.budget_ms, options.threads);
    let sampling = match (options.lossless, quality) {
        (true, _) => Sampling::Identity,
        (false, FULL_CHROMA..) => Sampling::Full,
        (false, _) if is_graphic(&pixels) => Sampling::Full,
        (false, _) => Sampling::Quarter,
    };
    let settings = Settings {
        speed,
        quantizer: quantizer(speed, quality),
        lossless: options.lossless,
        visual: true,
        sampling,
        space: options.space,
        threads: options.threads,
    };
    file(pixels, settings, options.exif.clone())
}

/// Encodes with these settings and wraps the result up.
pub(super) fn file(pixels: Pixels, settings: Settings, exif: Option<Vec<u8>>) -> Result<Vec<u8>, Error> {
    let (width, height) = (pixels.width(), pixels.height());
    let sampling = settings.sampling;
    let (colour, alpha) = split(&pixels, sampling)?;
    drop(pixels);
    let grey = colour.chroma.is_none();
    let colour = aom::encode(&colour, settings)?;
    let alpha = alpha
        .map(|alpha| aom::encode(&alpha, Settings { quantizer: ALPHA_QUANTIZER, visual: false, ..settings }))
        .transpose()?;
    let matrix = match sampling {
        Sampling::Identity if !grey => MatrixCoefficients::Rgb,
        Sampling::Identity | Sampling::Full | Sampling::Quarter => MatrixCoefficients::Bt601,
    };
    let quarter = grey || sampling == Sampling::Quarter;
    let mut file = Aviffy::new();
    if let Some(exif) = exif {
        file.set_exif(exif);
    }
    Ok(file
        .set_color_primaries(match settings.space {
            Space::Srgb => ColorPrimaries::Bt709,
            Space::DisplayP3 => ColorPrimaries::DisplayP3,
        })
        .set_transfer_characteristics(TransferCharacteristics::Srgb)
        .set_matrix_coefficients(matrix)
        .set_full_color_range(true)
        .set_chroma_subsampling((quarter, quarter))
        .set_monochrome(grey)
        .set_seq_profile(u8::from(!quarter))
        .to_vec(&colour, alpha.as_deref(), width, height, 8))
}

/// CPU milliseconds for a megapixel at each `cpu-used` from 6 on, with tune=iq at the default quality.
const MS_PER_MEGAPIXEL: [(u8, f64); 4] = [(6, 430.0), (7, 310.0), (8, 185.0), (9, 45.0)];

/// The `cpu-used` for a picture: 7 is the knee of the curve (6 costs half as much again for 3 % fewer bytes, 5 six times as much), 8 and 9
/// keep large pictures within what people wait for.
pub fn speed(effort: Effort, megapixels: f64, budget_ms: u32, threads: u32) -> u8 {
    let wanted = match effort {
        Effort::Pressed => 9,
        Effort::Batch => 6,
        Effort::Interactive if megapixels <= 4.0 => 7,
        Effort::Interactive if megapixels <= 9.0 => 8,
        Effort::Interactive => 9,
    };
    // Two threads gain about 1.6 times, measured; what more of them gain is not counted on.
    let gain = if threads > 1 { 1.6 } else { 1.0 };
    let fits = |ms: f64| budget_ms == 0 || ms * megapixels / gain <= f64::from(budget_ms);
    MS_PER_MEGAPIXEL.iter().find(|(speed, ms)| *speed >= wanted && fits(*ms)).map_or(9, |(speed, _)| *speed)
}

/// The quantizer of a quality.
fn quantizer(speed: u8, quality: u8) -> u8 {
    let table = match speed {
        ..=7 => &SLOW,
        8 => &MIDDLE,
        _ => &FAST,
    };
    interpolate(table, quality).clamp(0.0, 63.0).round() as u8
}

/// A value between the points of a table that rises in its first column.
pub(super) fn interpolate(table: &[(u8, f64)], at: u8) -> f64 {
    let at = f64::from(at);
    let mut last: Option<(f64, f64)> = None;
    for &(x, y) in table {
        let x = f64::from(x);
        if x >= at {
            return match last {
                Some((x0, y0)) => y0 + (y - y0) * (at - x0) / (x - x0),
                None => y,
            };
        }
        last = Some((x, y));
    }
    last.map_or(0.0, |(_, y)| y)
}

// Quality to quantizer, so that each number of our scale gives the score that `quality.rs` names for it, at every speed and
// in both samplings. The same quantizer is worth 3 to 10 points more at speeds 6 and 7 than at 8 and 9: with one table for
// all, a busy moment would be seen. Fitted with libaom 3.12.1, tune=iq, on five Kodak pictures and three larger ones;
// `benches/codecs.rs` prints what comes out. The half of 1 to 79 was measured with a quarter of the chroma, the rest in full.

/// Speeds 6 and 7, which differ in bytes only.
#[rustfmt::skip]
const SLOW: [(u8, f64); 15] = [
    (1, 61.0), (10, 55.0), (20, 49.5), (30, 44.5), (40, 40.5), (50, 37.0), (60, 34.2), (65, 33.0), (70, 30.7), (75, 28.5),
    (80, 25.6), (85, 22.0), (90, 14.8), (95, 8.9), (100, 1.0),
];
/// Speed 8.
#[rustfmt::skip]
const MIDDLE: [(u8, f64); 15] = [
    (1, 55.7), (10, 49.0), (20, 44.3), (30, 39.8), (40, 35.6), (50, 32.6), (60, 29.7), (65, 28.4), (70, 26.1), (75, 23.9),
    (80, 20.6), (85, 17.0), (90, 11.5), (95, 6.6), (100, 1.0),
];
/// Speed 9.
#[rustfmt::skip]
const FAST: [(u8, f64); 15] = [
    (1, 55.0), (10, 48.4), (20, 43.3), (30, 38.5), (40, 34.3), (50, 31.1), (60, 28.4), (65, 27.0), (70, 24.9), (75, 22.2),
    (80, 19.2), (85, 16.0), (90, 11.0), (95, 6.4), (100, 1.0),
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn speed_follows_size_effort_and_budget() {
        assert_eq!(speed(Effort::Interactive, 1.0, 0, 1), 7);
        assert_eq!(speed(Effort::Interactive, 6.0, 0, 1), 8);
        assert_eq!(speed(Effort::Interactive, 12.0, 0, 1), 9);
        assert_eq!(speed(Effort::Pressed, 0.1, 0, 1), 9);
        assert_eq!(speed(Effort::Batch, 20.0, 0, 1), 6);
        assert_eq!(speed(Effort::Interactive, 1.0, 250, 1), 8);
        assert_eq!(speed(Effort::Interactive, 1.0, 250, 2), 7);
        assert_eq!(speed(Effort::Batch, 20.0, 7_000, 1), 7);
        assert_eq!(speed(Effort::Batch, 20.0, 1, 1), 9);
    }

    #[test]
    fn better_quality_never_has_a_coarser_quantizer() {
        for speed in 6..=9 {
            for quality in 2..=100 {
                assert!(quantizer(speed, quality) <= quantizer(speed, quality - 1), "{speed} {quality}");
            }
        }
    }
}
