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
mod png;
pub mod quality;
#[cfg(feature = "ravif")]
mod rav1e;
mod still;
#[cfg_attr(feature = "ravif", allow(dead_code))]
mod svt;
mod webp;
mod yuv;

pub(super) use apng::crc;
pub(in crate::imaging) use avif::{Coder as AvifCoder, chosen as avif_coder};
pub(in crate::imaging) use heif::{Preset as HeifPreset, preset as heif_preset};
pub(in crate::imaging) use moving::is_fast as avif_moves_fast;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::colour;
use super::convert::Effort;
use super::picture::{Animation, Encode, Space};
use super::plugin;
use crate::error::{Error, Kind};
use crate::plan::Format;

/// Part of every cache key: raised whenever the same pixels and options give other bytes.
pub const GENERATION: u32 = 5;

/// Whether this build has SVT-AV1, which makes most AVIF stills that somebody waits for.
pub const SVT_AV1: bool = cfg!(svt_av1) && cfg!(not(feature = "ravif"));

/// How the pixels are to be written.
#[derive(Debug, Clone)]
pub struct Options {
    /// 1..=100 on the vendors' scale; `None` is the format's default of [`quality`]. Formats without one ignore it.
    pub quality: Option<u8>,
    /// Without loss, where the format can.
    pub lossless: bool,
    /// Where there is none, how far a WebP may go all the same: 1..=99, less is more loss; 0 is exact.
    pub near_lossless: u8,
    /// Progressive JPEG.
    pub progressive: bool,
    /// How hard to try.
    pub effort: Effort,
    /// Threads that may be used, 1 or more.
    pub threads: u32,
    /// Frames that will come: what the time for each depends on.
    pub frames: u32,
    /// Milliseconds that encoding should stay below; 0 is no limit. Met by trying less hard, never by giving up.
    pub budget_ms: u32,
    /// Whether that has told.
    pub hurry: Hurry,
    /// A TIFF block of EXIF to carry along; JPEG, PNG, WebP, AVIF and HEIF take one. In AVIF and HEIF its orientation is
    /// for information only: readers turn by the container, which turns nothing.
    pub exif: Option<Vec<u8>>,
    /// What the pixels are; anything but sRGB only for formats of [`says_p3`].
    pub space: Space,
}

/// The note that whoever tries less hard leaves, for want of time that there would be if nobody else waited.
#[derive(Debug, Clone, Default)]
pub struct Hurry {
    full_ms: u32,
    told: Arc<AtomicBool>,
}

impl Hurry {
    /// Where there would be so much time; 0 where nobody wants to know.
    pub fn new(full_ms: u32) -> Self {
        Self { full_ms, told: Arc::default() }
    }

    /// Whether anybody has tried less hard.
    pub fn told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

impl Options {
    /// What is chosen for the time that there is. Notes if it would have been something else with the full time.
    pub(super) fn in_time<T: PartialEq>(&self, choose: impl Fn(u32) -> T) -> T {
        let chosen = choose(self.budget_ms);
        if self.hurry.full_ms > 0 && chosen != choose(self.hurry.full_ms) {
            self.hurry.told.store(true, Ordering::Relaxed);
        }
        chosen
    }
}

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
        Ok(Box::new(still::Still::new(format, width, height, options, encode)) as Box<dyn Encode>)
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

/// Whether a still picture of this format says that it is in Display P3: by code points or by a profile.
pub fn says_p3(format: Format) -> bool {
    match format {
        // The alternative encoder is not told.
        Format::Avif => cfg!(not(feature = "ravif")),
        Format::Jpeg | Format::Png | Format::WebP | Format::Heif => true,
        Format::Gif | Format::Bmp | Format::Tiff | Format::Ico | Format::Jxl | Format::Svg | Format::Tpg => false,
    }
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
