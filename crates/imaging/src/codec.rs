//! What this room does with each format: one row for each, of what is not code of its own.

use super::bare::Strip;
use super::decode::{Wanted, bmp, gif, heif, ico, jpeg, jxl, png, svg, tiff, webp};
use super::encode::heif as heif_encoder;
use super::encode::quality::{AVIF_SCORES, JPEG_SCORES, WEBP_SCORES};
use super::picture::Decode;
use super::probe::{Header, closed};
use super::search::Curve;
use super::{bare, budget, plugin};
use crate::error::{Error, Kind};
use crate::plan::Format;

/// What is known of a format here.
pub(crate) struct Codec {
    /// Whether this process, with the libraries that it finds, writes it.
    pub written: fn() -> bool,
    /// Whether a still picture says by code points or by a profile that it is in Display P3.
    pub says_p3: bool,
    /// Whether a file is given the orientation as a tag; for the others the pixels are turned.
    pub carries_orientation: bool,
    /// Whether it can do without loss, besides having a quality.
    pub lossless: bool,
    /// The quality without any rule: SSIMULACRA2 of about 70 on photographs.
    pub quality: u8,
    /// SSIMULACRA2 on photographs at each quality; measured but for the two ends.
    pub scores: &'static Curve,
    /// Takes out of a file what tells more than the picture; `None`: it has to be written anew.
    pub strip: Option<Strip>,
    /// Thousandths of a byte a pixel in a file that is as most are.
    pub density: u64,
    /// Of fewer the picture is flat, of more it is busy.
    pub looks: (u64, u64),
    /// Bytes beside each stored pixel while a still picture is decoded; `None`: beside each sample one.
    pub beside: Option<u64>,
    /// Opens a picture of it. Pixels are decoded later.
    pub decode: Open,
    /// Nanoseconds for a pixel and for a byte of a frame that is read, where it takes no more to tell; see [`super::budget`].
    pub reading: (u64, u64),
    /// Bytes a pixel and milliseconds a megapixel of writing, where it takes no more to tell.
    pub writing: (u64, f64),
}

/// See [`super::decode::open`], which asks for the limits first.
pub(crate) type Open = for<'a> fn(&'a [u8], &Header, &Wanted) -> Result<Box<dyn Decode + 'a>, Error>;

/// A format that is read and not written, and of which little is known.
const READ: Codec = Codec {
    written: || false,
    says_p3: false,
    carries_orientation: false,
    lossless: false,
    quality: 100,
    scores: JPEG_SCORES,
    strip: None,
    density: 3000,
    looks: (0, 700),
    beside: None,
    decode: |_, header, _| Err(unread(header)),
    reading: (3, 0),
    writing: (0, 0.0),
};

/// The row of a format.
pub(crate) const fn codec(format: Format) -> &'static Codec {
    match format {
        Format::Jpeg => &Codec {
            written: || true,
            says_p3: true,
            carries_orientation: true,
            quality: 80,
            strip: Some(bare::jpeg::strip),
            density: 400,
            looks: (0, 900),
            decode: |bytes, header, wanted| {
                jpeg::open(bytes, header, &wanted.limits, (wanted.shrink, wanted.region), wanted.policy.gamut)
            },
            ..READ
        },
        Format::Png => &Codec {
            written: || true,
            says_p3: true,
            carries_orientation: true,
            strip: Some(bare::png::strip),
            density: 1700,
            looks: (600, 2200),
            decode: |bytes, header, wanted| png::open(bytes, header, wanted.policy.gamut),
            ..READ
        },
        Format::Gif => &Codec {
            written: || true,
            strip: Some(bare::gif::strip),
            density: 700,
            looks: (250, 850),
            // The canvas and the part that is drawn.
            beside: Some(8),
            decode: |bytes, header, wanted| gif::open(bytes, header, &wanted.limits),
            reading: (13, 0),
            ..READ
        },
        // Charts and screenshots are what is kept without compression today.
        Format::Bmp => &Codec {
            written: || true,
            strip: Some(bare::bmp::strip),
            looks: (u64::MAX, u64::MAX),
            writing: (4, 2.0),
            decode: |bytes, header, _| bmp::open(bytes, header),
            ..READ
        },
        Format::WebP => &Codec {
            written: || true,
            says_p3: true,
            carries_orientation: true,
            lossless: true,
            quality: 75,
            scores: WEBP_SCORES,
            strip: Some(bare::webp::strip),
            density: 150,
            beside: Some(6),
            decode: |bytes, header, wanted| webp::open(bytes, header, wanted.policy.gamut, wanted.region),
            ..READ
        },
        Format::Avif => &Codec {
            written: || true,
            // The alternative encoder is not told.
            says_p3: cfg!(not(feature = "ravif")),
            lossless: true,
            quality: 65,
            scores: AVIF_SCORES,
            strip: Some(bare::boxes::strip),
            density: 150,
            // Planes with a border, and the picture before it is cropped.
            beside: Some(8),
            decode: |bytes, header, wanted| heif::open(bytes, header, &wanted.limits, wanted.policy.gamut),
            reading: (14, 38),
            ..READ
        },
        Format::Heif => &Codec {
            written: heif_encoder::available,
            says_p3: true,
            quality: 65,
            scores: AVIF_SCORES,
            strip: Some(bare::boxes::strip),
            density: 150,
            beside: Some(8),
            decode: |bytes, header, wanted| heif::open(bytes, header, &wanted.limits, wanted.policy.gamut),
            reading: (22, 40),
            ..READ
        },
        // The tags of a TIFF file are its metadata: it has no bare form.
        Format::Tiff => &Codec {
            written: || true,
            looks: (0, u64::MAX),
            writing: (6, 6.0),
            decode: |bytes, header, wanted| tiff::open(bytes, header, wanted.policy.metadata),
            ..READ
        },
        Format::Ico => &Codec { looks: (600, 2200), decode: |bytes, header, _| ico::open(bytes, header), ..READ },
        // Photographs take a third of the time; a small picture with layers of inks has been seen to take more.
        Format::Jxl => &Codec {
            density: 300,
            decode: |bytes, header, wanted| match wanted.policy.jxl {
                true => jxl::open(bytes, header),
                false => Err(closed(Format::Jxl)),
            },
            reading: (400, 0),
            ..READ
        },
        Format::Svg => &Codec {
            density: 300,
            looks: (u64::MAX, u64::MAX),
            decode: |bytes, header, wanted| match wanted.policy.svg {
                true => svg::open(bytes, header, wanted),
                false => Err(closed(Format::Svg)),
            },
            reading: (budget::DRAWING_MS, 0),
            ..READ
        },
        // Behind a plug-in: guesses, as for intra pictures of a video codec in HEIF; the estimate learns. Its quality is on the scale that the plug-in has.
        Format::Tpg => &Codec {
            written: plugin::encodes,
            quality: 75,
            density: 150,
            beside: Some(12),
            writing: (32, 350.0),
            decode: plugin::open,
            reading: (55, 0),
            ..READ
        },
    }
}

fn unread(header: &Header) -> Error {
    Error::new(Kind::UnsupportedSource, format!("{} is written here and not read", header.source.format.name()))
}
