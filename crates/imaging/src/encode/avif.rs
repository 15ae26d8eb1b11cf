//! AVIF: an all-intra AV1 still by SVT-AV1 or libaom, its alpha as a second one without chroma, and the container around
//! them.
//!
//! Who is waited for gets SVT-AV1: a third to a quarter of the CPU of libaom's `cpu-used` 7 for the same bytes. libaom has
//! what that cannot do (all of the chroma, no loss, small pictures), and batches, where its `cpu-used` 6 is smaller.

use avif_serialize::Aviffy;
use avif_serialize::constants::{ColorPrimaries, MatrixCoefficients, TransferCharacteristics};

use super::graphics::is_graphic;
use super::yuv::{Sample, Sampling, YuvPlanes, split};
use super::{Options, aom, quality, svt};
use crate::Effort;
use crate::error::Error;
use crate::picture::{Pixels, Space};
use crate::plan::Format;

/// From this quality on libaom gets chroma at full resolution: 4 to 10 % fewer bytes there at equal SSIMULACRA2.
const FULL_CHROMA: u8 = 80;
/// From this quality on libaom takes over from SVT-AV1 because of the chroma: 10 % fewer bytes at a SSIMULACRA2 of 88.
const AOM_FROM: u8 = 90;
/// The same where there is no time for a `cpu-used` of 7 or less; the faster ones lose what the chroma gains.
const FAST_AOM_FROM: u8 = 95;
/// From this quality on ten bits are smaller than eight at equal SSIMULACRA2, with libaom: by 2 % at 75, by 6 % at 85 and
/// by 13 % at 88. With SVT-AV1 they always are.
const DEEP: u8 = 60;
/// Below so many megapixels SVT-AV1 costs more than libaom: it has threads and tables to set up.
const SVT_MEGAPIXELS: f64 = 0.1;
/// Alpha is all edges, and its errors are halos: much finer than colour.
const ALPHA_QUANTIZER: u8 = 6;

/// Who encodes the colour, and how.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Coder {
    /// SVT-AV1 at a preset: ten bits, a quarter of the chroma.
    Svt(u8),
    /// libaom.
    Aom {
        /// `cpu-used`.
        speed: u8,
        /// What is kept of the chroma.
        sampling: Sampling,
        /// Ten bits.
        deep: bool,
    },
}

/// Writes the file.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`], [`crate::error::Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let quality = options.quality.unwrap_or(quality::default(Format::Avif, None));
    let coloured = pixels.channels().count() > 2;
    let graphic = coloured && !options.lossless && is_graphic(&pixels);
    let size = (pixels.width(), pixels.height());
    match options.in_time(|budget_ms| within_budget(options, budget_ms, size, coloured, graphic)) {
        Coder::Svt(preset) => by_svt(&pixels, preset, quality, options),
        Coder::Aom { speed, sampling, deep } => {
            let settings = aom::AomSettings {
                speed,
                quantizer: quantizer(speed, deep, quality),
                lossless: options.lossless,
                visual: true,
                sampling,
                space: options.space,
                threads: options.threads,
            };
            if deep {
                by_aom::<u16>(pixels, settings, options.exif.clone())
            } else {
                by_aom::<u8>(pixels, settings, options.exif.clone())
            }
        }
    }
}

/// Who encodes a picture of this size.
pub fn chosen(options: &Options, size: (u32, u32), coloured: bool, graphic: bool) -> Coder {
    within_budget(options, options.budget_ms, size, coloured, graphic)
}

fn within_budget(
    options: &Options,
    budget_ms: u32,
    (width, height): (u32, u32),
    coloured: bool,
    graphic: bool,
) -> Coder {
    let quality = options.quality.unwrap_or(quality::default(Format::Avif, None));
    let megapixels = f64::from(width) * f64::from(height) / 1e6;
    coder(options, budget_ms, quality, megapixels, graphic, coloured && svt::takes(width, height))
}

/// How many times the time of [`MS_PER_MEGAPIXEL`] libaom takes for more than photographs at the default quality
/// (`benches/README.md`). Graphics are searched for repetitions.
pub(super) fn load(quality: u8, lossless: bool, graphic: bool) -> f64 {
    match quality {
        _ if graphic => 2.4,
        _ if lossless => 1.8,
        ..=80 => 1.0,
        81.. => 1.0 + 1.1 * f64::from(quality.min(100) - 80) / 20.0,
    }
}

fn coder(options: &Options, whole_ms: u32, quality: u8, megapixels: f64, graphic: bool, svt: bool) -> Coder {
    let load = load(quality, options.lossless, graphic);
    // What the budget would be if it were a plain photograph; 0 stays 0.
    let budget_ms = (f64::from(whole_ms) / load).ceil() as u32;
    let speed = speed(options.effort, megapixels, budget_ms, options.threads);
    if options.lossless {
        return Coder::Aom { speed, sampling: Sampling::Identity, deep: false };
    }
    let until = if speed <= 7 { AOM_FROM } else { FAST_AOM_FROM };
    let hurried = options.effort != Effort::Batch;
    if svt && hurried && !graphic && quality < until && megapixels >= SVT_MEGAPIXELS {
        return Coder::Svt(preset(options.effort, megapixels, whole_ms, options.threads));
    }
    let sampling = if graphic || quality >= FULL_CHROMA { Sampling::Full } else { Sampling::Quarter };
    // The faster presets were fitted with eight bits, and graphics below the quality that photographs keep their chroma at.
    let deep = speed <= 7 && quality >= if graphic { FULL_CHROMA } else { DEEP };
    Coder::Aom { speed, sampling, deep }
}

/// By SVT-AV1, and alpha at the same depth by libaom: readers refuse a file whose alpha has another.
fn by_svt(pixels: &Pixels, preset: u8, quality: u8, options: &Options) -> Result<Vec<u8>, Error> {
    let (colour, alpha) = split::<u16>(pixels, Sampling::Quarter)?;
    let settings =
        svt::SvtSettings { preset, crf: interpolate(&CRF, quality), space: options.space, threads: options.threads };
    let stream = svt::encode(&colour, settings)?;
    drop(colour);
    let settings = aom::AomSettings {
        speed: 9,
        quantizer: ALPHA_QUANTIZER,
        lossless: false,
        visual: false,
        sampling: Sampling::Quarter,
        space: options.space,
        threads: options.threads,
    };
    let alpha = alpha.map(|alpha| aom::encode(&alpha, settings)).transpose()?;
    let file = Container { sampling: Sampling::Quarter, grey: false, space: options.space, depth: u16::DEPTH };
    Ok(file.around(&stream, alpha.as_deref(), (pixels.width(), pixels.height()), options.exif.clone()))
}

/// Encodes with libaom and wraps the result up.
pub(super) fn by_aom<S: Sample>(
    pixels: Pixels,
    settings: aom::AomSettings,
    exif: Option<Vec<u8>>,
) -> Result<Vec<u8>, Error> {
    let size = (pixels.width(), pixels.height());
    let (colour, alpha): (YuvPlanes<S>, Option<YuvPlanes<S>>) = split(&pixels, settings.sampling)?;
    drop(pixels);
    let grey = colour.chroma.is_none();
    let stream = aom::encode(&colour, settings)?;
    drop(colour);
    let alpha = alpha
        .map(|alpha| aom::encode(&alpha, aom::AomSettings { quantizer: ALPHA_QUANTIZER, visual: false, ..settings }))
        .transpose()?;
    let file = Container { sampling: settings.sampling, grey, space: settings.space, depth: S::DEPTH };
    Ok(file.around(&stream, alpha.as_deref(), size, exif))
}

/// What the container says of the picture.
struct Container {
    sampling: Sampling,
    grey: bool,
    space: Space,
    depth: u8,
}

impl Container {
    fn around(
        &self,
        colour: &[u8],
        alpha: Option<&[u8]>,
        (width, height): (u32, u32),
        exif: Option<Vec<u8>>,
    ) -> Vec<u8> {
        let matrix = match self.sampling {
            Sampling::Identity if !self.grey => MatrixCoefficients::Rgb,
            Sampling::Identity | Sampling::Full | Sampling::Quarter => MatrixCoefficients::Bt601,
        };
        let quarter = self.grey || self.sampling == Sampling::Quarter;
        let mut file = Aviffy::new();
        if let Some(exif) = exif {
            file.set_exif(exif);
        }
        file.set_color_primaries(match self.space {
            Space::Srgb => ColorPrimaries::Bt709,
            Space::DisplayP3 => ColorPrimaries::DisplayP3,
        })
        .set_transfer_characteristics(TransferCharacteristics::Srgb)
        .set_matrix_coefficients(matrix)
        .set_full_color_range(true)
        .set_chroma_subsampling((quarter, quarter))
        .set_monochrome(self.grey)
        .set_seq_profile(u8::from(!quarter))
        .to_vec(undelimited(colour), alpha.map(undelimited), width, height, self.depth)
    }
}

/// An item has no temporal delimiter (AV1-ISOBMFF 2.4).
fn undelimited(stream: &[u8]) -> &[u8] {
    stream.strip_prefix(&[0x12, 0]).unwrap_or(stream)
}

/// CPU milliseconds for a megapixel at each preset of SVT-AV1 that is used, at the default quality.
const SVT_MS_PER_MEGAPIXEL: [(u8, f64); 2] = [(7, 100.0), (8, 65.0)];

/// The preset for a picture: 7 has the bytes of libaom's `cpu-used` 7 to within 3 %; 8 takes 3 % more for two thirds of the
/// CPU; 6 takes 2 % fewer for two and a half times as much.
fn preset(effort: Effort, megapixels: f64, budget_ms: u32, threads: u32) -> u8 {
    let wanted = match effort {
        Effort::Interactive | Effort::Batch if megapixels <= 9.0 => 7,
        Effort::Interactive | Effort::Batch | Effort::Pressed => 8,
    };
    within(&SVT_MS_PER_MEGAPIXEL, wanted, megapixels, budget_ms, threads)
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
    within(&MS_PER_MEGAPIXEL, wanted, megapixels, budget_ms, threads)
}

/// The slowest from `wanted` on that stays below the time that there is, else the fastest.
fn within(table: &[(u8, f64)], wanted: u8, megapixels: f64, budget_ms: u32, threads: u32) -> u8 {
    // Two threads gain about 1.6 times, measured; what more of them gain is not counted on.
    let gain = if threads > 1 { 1.6 } else { 1.0 };
    let fits = |ms: f64| budget_ms == 0 || ms * megapixels / gain <= f64::from(budget_ms);
    let chosen = table.iter().find(|(speed, ms)| *speed >= wanted && fits(*ms)).or(table.last());
    chosen.map_or(wanted, |(speed, _)| *speed)
}

/// The quantizer of a quality.
fn quantizer(speed: u8, deep: bool, quality: u8) -> u8 {
    let table = match speed {
        ..=7 if deep => &SLOW_DEEP,
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
/// Speeds 6 and 7 with ten bits; from [`FULL_CHROMA`] on with all of the chroma. Below [`DEEP`] nobody asks.
#[rustfmt::skip]
const SLOW_DEEP: [(u8, f64); 15] = [
    (1, 61.0), (10, 55.0), (20, 49.5), (30, 44.5), (40, 40.5), (50, 37.0), (60, 34.2), (65, 32.9), (70, 30.6), (75, 28.8),
    (80, 27.1), (85, 23.7), (90, 16.8), (95, 12.1), (100, 1.0),
];
/// SVT-AV1's constant rate factor; its presets 6, 7 and 8 differ by 0.3 at the most.
#[rustfmt::skip]
const CRF: [(u8, f64); 15] = [
    (1, 59.8), (10, 52.9), (20, 48.6), (30, 44.0), (40, 40.3), (50, 37.5), (60, 35.0), (65, 33.7), (70, 31.4), (75, 28.9),
    (80, 26.3), (85, 22.6), (90, 16.2), (95, 10.3), (100, 1.0),
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
        for (speed, deep) in [(6, false), (6, true), (7, false), (7, true), (8, false), (9, false)] {
            for quality in 2..=100 {
                let (coarser, finer) = (quantizer(speed, deep, quality - 1), quantizer(speed, deep, quality));
                assert!(finer <= coarser, "{speed} {deep} {quality}");
            }
        }
        assert!((2..=100).all(|quality| interpolate(&CRF, quality) <= interpolate(&CRF, quality - 1)));
    }

    #[test]
    fn the_coder_follows_quality_content_and_effort() {
        let options = |effort, lossless| Options {
            quality: None,
            lossless,
            near_lossless: 0,
            progressive: false,
            effort,
            threads: 1,
            frames: 1,
            budget_ms: 0,
            hurry: crate::encode::Hurry::default(),
            exif: None,
            space: Space::Srgb,
        };
        let aom = |speed, sampling, deep| Coder::Aom { speed, sampling, deep };
        let (now, later) = (options(Effort::Interactive, false), options(Effort::Batch, false));
        let pressed = options(Effort::Pressed, false);
        // Options, quality, megapixels, a graphic, whether there is SVT-AV1.
        assert_eq!(coder(&now, 0, 65, 1.0, false, true), Coder::Svt(7));
        assert_eq!(coder(&now, 0, 65, 12.0, false, true), Coder::Svt(8));
        assert_eq!(coder(&pressed, 0, 65, 1.0, false, true), Coder::Svt(8));
        assert_eq!(coder(&now, 0, 65, 0.05, false, true), aom(7, Sampling::Quarter, true));
        assert_eq!(coder(&now, 0, 65, 1.0, true, true), aom(7, Sampling::Full, false));
        assert_eq!(coder(&now, 0, 90, 1.0, false, true), aom(7, Sampling::Full, true));
        assert_eq!(coder(&now, 0, 90, 12.0, false, true), Coder::Svt(8));
        assert_eq!(coder(&pressed, 0, 90, 1.0, false, true), Coder::Svt(8));
        assert_eq!(coder(&pressed, 0, 95, 1.0, false, true), aom(9, Sampling::Full, false));
        assert_eq!(coder(&now, 0, 65, 1.0, false, false), aom(7, Sampling::Quarter, true));
        assert_eq!(coder(&now, 0, 50, 1.0, false, false), aom(7, Sampling::Quarter, false));
        assert_eq!(coder(&now, 0, 85, 6.0, false, false), aom(8, Sampling::Full, false));
        assert_eq!(coder(&later, 0, 65, 1.0, false, true), aom(6, Sampling::Quarter, true));
        assert_eq!(coder(&later, 0, 80, 1.0, false, true), aom(6, Sampling::Full, true));
        assert_eq!(
            coder(&options(Effort::Interactive, true), 0, 100, 1.0, false, true),
            aom(7, Sampling::Identity, false)
        );
    }

    #[test]
    fn the_preset_follows_size_and_budget() {
        assert_eq!(preset(Effort::Interactive, 4.0, 0, 1), 7);
        assert_eq!(preset(Effort::Interactive, 4.0, 300, 1), 8);
        assert_eq!(preset(Effort::Interactive, 4.0, 300, 2), 7);
        assert_eq!(preset(Effort::Interactive, 40.0, 1, 1), 8);
    }
}
