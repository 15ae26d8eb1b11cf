//! HEIF with x265, by libheif.

use libheif_rs::{
    Channel, Chroma, ColorPrimaries, ColorProfileNCLX, ColorSpace, CompressionFormat, Encoder, EncoderParameterValue,
    EncoderQuality, EncodingOptions, HeifContext, HeifError, HeifErrorCode, Image,
};

use super::avif::interpolate;
use super::graphics::is_graphic;
use super::yuv::{Sampling, YuvPlanes, split};
use super::{Options, quality};
use crate::Effort;
use crate::error::{Error, Kind};
use crate::libheif::{self, library};
use crate::picture::{Pixels, Space};
use crate::plan::Format;
use crate::transform::with_colour;

/// From this quality on chroma is kept at full resolution.
const FULL_CHROMA: u8 = 90;

/// Whether HEIF can be written: cargo feature `x265`, and libheif has been linked with an HEVC encoder.
pub fn available() -> bool {
    libheif::hevc_encoder().is_some()
}

/// Writes the file.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::UnsupportedTarget`], [`Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let quality = options.quality.unwrap_or(quality::default(Format::Heif, None));
    let megapixels = f64::from(pixels.width()) * f64::from(pixels.height()) / 1e6;
    let preset = options.in_time(|budget_ms| preset(options.effort, megapixels, budget_ms));
    let sampling = match quality {
        FULL_CHROMA.. => Sampling::Full,
        _ if is_graphic(&pixels) => Sampling::Full,
        _ => Sampling::Quarter,
    };
    file(pixels, preset, preset.libheif_quality(quality), sampling, options)
}

/// Encodes with these settings; `quality` is libheif's.
pub(super) fn file(
    pixels: Pixels,
    preset: Preset,
    quality: u8,
    sampling: Sampling,
    options: &Options,
) -> Result<Vec<u8>, Error> {
    // Many HEIC readers know only pictures with chroma.
    let pixels = with_colour(pixels)?;
    let (colour, alpha) = split(&pixels, sampling)?;
    drop(pixels);
    let image = image(&colour, alpha.as_ref(), sampling, options.space).map_err(failed)?;
    drop((colour, alpha));

    let mut encoder = library().encoder_for_format(CompressionFormat::Hevc).map_err(|error| {
        Error::new(Kind::UnsupportedTarget, format!("this build cannot write heif: {}", error.message))
    })?;
    encoder.set_quality(EncoderQuality::Lossy(quality)).map_err(failed)?;
    let set = |encoder: &Encoder<'_>, name: &str, value: &str| {
        encoder.set_parameter_value(name, EncoderParameterValue::String(value.into())).map_err(failed)
    };
    set(&encoder, "preset", preset.name())?;
    set(&encoder, "chroma", if sampling == Sampling::Quarter { "420" } else { "444" })?;
    // Without this every encode starts a pool of threads, pins them to processors and sets the memory policy: up to
    // ten times slower on a busy machine, for nothing.
    set(&encoder, "x265:pools", "none")?;
    set(&encoder, "x265:log-level", "none")?;

    let mut context = HeifContext::new().map_err(failed)?;
    // Only with options of its own does libheif repeat the picture's colour profile in the container.
    let own = EncodingOptions::new().map_err(failed)?;
    let item = context.encode_image(&image, &mut encoder, Some(own)).map_err(failed)?;
    drop(image);
    if let Some(exif) = &options.exif {
        context.add_exif_metadata(&item, exif).map_err(failed)?;
    }
    context.write_to_bytes().map_err(failed)
}

/// Those of x265's presets that pay: superfast, veryfast and slow cost more than a neighbour that gives fewer bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// The cheapest.
    Ultrafast,
    /// 15 to 25 % fewer bytes for three times the CPU.
    Medium,
}

/// The preset for a picture.
pub fn preset(effort: Effort, megapixels: f64, budget_ms: u32) -> Preset {
    let fits = budget_ms == 0 || megapixels * Preset::Medium.ms_per_megapixel() as f64 <= f64::from(budget_ms);
    match effort {
        Effort::Batch if fits => Preset::Medium,
        Effort::Interactive if megapixels < 1.0 && fits => Preset::Medium,
        Effort::Batch | Effort::Interactive | Effort::Pressed => Preset::Ultrafast,
    }
}

impl Preset {
    /// CPU milliseconds for a megapixel at the default quality.
    pub fn ms_per_megapixel(self) -> u64 {
        match self {
            Self::Ultrafast => 120,
            Self::Medium => 390,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ultrafast => "ultrafast",
            Self::Medium => "medium",
        }
    }

    /// Our quality on libheif's scale, on which x265's `crf` is (100 - q) / 2.
    fn libheif_quality(self, quality: u8) -> u8 {
        let table = match self {
            Self::Ultrafast => &ULTRAFAST,
            Self::Medium => &MEDIUM,
        };
        interpolate(table, quality).clamp(1.0, 99.0).round() as u8
    }
}

// Quality to libheif's quality, fitted like the tables of `avif.rs` with x265 3.5: below 90 with a quarter of the chroma,
// from there on in full.

#[rustfmt::skip]
const ULTRAFAST: [(u8, f64); 15] = [
    (1, 5.0), (10, 13.4), (20, 20.0), (30, 25.9), (40, 31.1), (50, 34.3), (60, 37.7), (65, 39.5), (70, 41.7), (75, 43.6),
    (80, 46.5), (85, 50.9), (90, 57.3), (95, 65.0), (100, 90.0),
];
#[rustfmt::skip]
const MEDIUM: [(u8, f64); 15] = [
    (1, 8.0), (10, 16.0), (20, 22.0), (30, 28.2), (40, 32.8), (50, 36.1), (60, 39.9), (65, 41.3), (70, 43.3), (75, 45.2),
    (80, 48.6), (85, 52.2), (90, 59.2), (95, 66.8), (100, 90.0),
];

fn image(colour: &YuvPlanes, alpha: Option<&YuvPlanes>, sampling: Sampling, space: Space) -> Result<Image, HeifError> {
    let chroma = if sampling == Sampling::Quarter { Chroma::C420 } else { Chroma::C444 };
    let mut image = Image::new(colour.width, colour.height, ColorSpace::YCbCr(chroma))?;
    plane(&mut image, Channel::Y, colour.width, colour.height, &colour.y)?;
    if let Some(chroma) = &colour.chroma {
        plane(&mut image, Channel::Cb, chroma.width, chroma.height, &chroma.u)?;
        plane(&mut image, Channel::Cr, chroma.width, chroma.height, &chroma.v)?;
    }
    if let Some(alpha) = alpha {
        plane(&mut image, Channel::Alpha, alpha.width, alpha.height, &alpha.y)?;
    }
    // A new profile says sRGB, BT.601, full range: what the planes are. The file repeats it.
    if let Some(mut profile) = ColorProfileNCLX::new() {
        if space == Space::DisplayP3 {
            profile.set_color_primaries(ColorPrimaries::SMPTE_EG_432_1);
        }
        image.set_color_profile_nclx(&profile)?;
    }
    Ok(image)
}

fn plane(image: &mut Image, channel: Channel, width: u32, height: u32, samples: &[u8]) -> Result<(), HeifError> {
    image.create_plane(channel, width, height, 8)?;
    let planes = image.planes_mut();
    let target = match channel {
        Channel::Y => planes.y,
        Channel::Cb => planes.cb,
        Channel::Cr => planes.cr,
        Channel::Alpha => planes.a,
        _ => None,
    };
    if let Some(target) = target {
        let rows = target.data.chunks_mut(target.stride.max(1)).zip(samples.chunks_exact(width as usize));
        for (to, from) in rows {
            to[..from.len()].copy_from_slice(from);
        }
    }
    Ok(())
}

fn failed(error: HeifError) -> Error {
    let kind = match error.code {
        HeifErrorCode::MemoryAllocationError => Kind::OutOfMemory,
        // x265 takes what HEVC's highest level does, which depends on both sides.
        HeifErrorCode::EncoderPluginError if error.message.contains("Invalid image size") => Kind::OutputTooLarge,
        _ => Kind::Internal,
    };
    Error::new(kind, format!("libheif: {}", error.message))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn presets() {
        assert_eq!(preset(Effort::Interactive, 0.5, 0), Preset::Medium);
        assert_eq!(preset(Effort::Interactive, 0.5, 100), Preset::Ultrafast);
        assert_eq!(preset(Effort::Interactive, 1.5, 0), Preset::Ultrafast);
        assert_eq!(preset(Effort::Batch, 12.0, 0), Preset::Medium);
        assert_eq!(preset(Effort::Pressed, 0.1, 0), Preset::Ultrafast);
    }

    #[test]
    fn better_quality_never_has_a_coarser_quantizer() {
        for preset in [Preset::Ultrafast, Preset::Medium] {
            for quality in 2..=100 {
                assert!(preset.libheif_quality(quality) >= preset.libheif_quality(quality - 1), "{preset:?} {quality}");
            }
        }
    }
}
