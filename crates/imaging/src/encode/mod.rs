//! Pixels to bytes: one file a format, all behind [`Encode`]. What each encoder is asked for was chosen by measurement;
//! the numbers stand where they are used.

mod aom;
mod apng;
#[cfg_attr(feature = "ravif", allow(dead_code))]
mod avif;
mod avis;
mod bitmap;
pub(super) mod fewer;
mod gif;
pub(super) mod graphics;
mod heif;
mod jpeg;
mod jpegli;
mod moving;
pub(crate) mod options;
mod png;
pub mod quality;
#[cfg(feature = "ravif")]
mod rav1e;
mod still;
#[cfg_attr(feature = "ravif", allow(dead_code))]
mod svt;
mod webp;
mod yuv;

pub(crate) use avif::{Coder as AvifCoder, chosen as avif_coder};
pub(crate) use heif::{Preset as HeifPreset, preset as heif_preset};
pub(crate) use moving::is_fast as avif_moves_fast;
pub use options::{Hurry, Options};

use super::codec::codec;
use super::colour;
use super::picture::{Animation, Encode, Space};
use super::plugin;
use crate::error::{Error, Kind};
use crate::plan::{Format, Formats};

/// Part of every cache key: raised whenever the same pixels and options give other bytes.
pub const GENERATION: u32 = 5;

/// Whether this build has SVT-AV1, which makes most AVIF stills that somebody waits for.
pub const SVT_AV1: bool = cfg!(svt_av1) && cfg!(not(feature = "ravif"));

/// Opens an encoder. `animation` is given if and only if several frames will come.
///
/// # Errors
/// [`Kind::UnsupportedTarget`] for a format that this build cannot write or animate;
/// [`Kind::OutputTooLarge`] for a side that the format cannot hold.
pub fn open(
    format: Format,
    width: u32,
    height: u32,
    options: Options,
    animation: Option<Animation>,
) -> Result<Box<dyn Encode>, Error> {
    if !writable(format) {
        return Err(unsupported(format));
    }
    let cap = format.max_side();
    if width > cap || height > cap || width == 0 || height == 0 {
        return Err(Error::new(
            Kind::OutputTooLarge,
            format!("{} holds 1 to {cap} pixels a side; this would be {width} x {height}", format.name()),
        ));
    }
    // Whether a PNG moves is for the plan to say: `animates` is of the formats that any animation may become.
    if animation.is_some() && !format.animates() && format != Format::Png {
        return Err(Error::new(Kind::UnsupportedTarget, format!("{} holds one picture, not several", format.name())));
    }
    let still = |encode: fn(super::Pixels, &Options) -> Result<Vec<u8>, Error>, options| {
        Ok(Box::new(still::StillEncoder::new(format, width, height, options, encode)) as Box<dyn Encode>)
    };
    match (format, animation) {
        (Format::Avif, Some(animation)) => Ok(Box::new(moving::Moving::open(width, height, options, animation))),
        #[cfg(not(feature = "ravif"))]
        (Format::Avif, None) => still(avif::encode, options),
        #[cfg(feature = "ravif")]
        (Format::Avif, None) => still(rav1e::encode, options),
        (Format::Heif, _) => still(heif::encode, options),
        (Format::WebP, None) => still(webp::encode, options),
        (Format::WebP, Some(animation)) => Ok(Box::new(webp::Animated::open(width, height, &options, animation)?)),
        (Format::Jpeg, _) => still(jpeg::encode, options),
        (Format::Png, Some(animation)) => Ok(Box::new(apng::Apng::open(width, height, options, animation))),
        (Format::Png, None) => still(png::encode, options),
        (Format::Gif, animation) => Ok(Box::new(gif::Gif::open(width, height, animation)?)),
        (Format::Bmp, _) => still(bitmap::bmp, options),
        (Format::Tiff, _) => still(bitmap::tiff, options),
        (Format::Tpg, _) => still(plugin::encode, options),
        (Format::Ico | Format::Jxl | Format::Svg, _) => Err(unsupported(format)),
    }
}

/// Whether this process, with the libraries that it finds, writes the format. Plug-ins are in workers only: the service
/// knows of them by [`plugin::Ability`].
pub fn writable(format: Format) -> bool {
    match format {
        Format::Heif => heif::available(),
        Format::Jpeg | Format::Png | Format::Gif | Format::Bmp | Format::WebP | Format::Avif | Format::Tiff => true,
        Format::Tpg => plugin::encodes(),
        Format::Ico | Format::Jxl | Format::Svg => false,
    }
}

/// The formats that this build can write.
pub fn writable_formats() -> Formats {
    Format::ALL.into_iter().filter(|format| writable(*format)).collect()
}

/// Whether a still picture of this format says that it is in Display P3: by code points or by a profile.
pub fn says_p3(format: Format) -> bool {
    codec(format).says_p3
}

/// The profile to embed, for formats that have no code points; none for what is sRGB, or grey.
fn profile(options: &Options, channels: super::Channels) -> Option<&'static [u8]> {
    let coloured = matches!(channels, super::Channels::Rgb | super::Channels::Rgba);
    (coloured && options.space == Space::DisplayP3).then(colour::display_p3_icc).flatten()
}

/// The versions of the libraries behind this module: libaom's, SVT-AV1's where it is used, libwebp's, libjpeg-turbo's.
pub(super) fn versions() -> (String, Option<String>, String, String) {
    (aom::version(), svt::version(), webp::version(), jpeg::version())
}

fn unsupported(format: Format) -> Error {
    let why = match format {
        Format::Heif => ": it was built without x265, or libheif finds no HEVC encoder; ask for AVIF in its place",
        _ => "",
    };
    Error::new(Kind::UnsupportedTarget, format!("this build cannot write {}{why}", format.name()))
}

#[cfg(test)]
mod tests;
