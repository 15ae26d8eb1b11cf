//! What is known of each format in this room, as numbers: one row for each. Code of its own stands where it is.

use super::search::Curve;
use crate::plan::Format;

/// What is known of a format here.
pub(crate) struct Codec {
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
    /// Thousandths of a byte a pixel in a file that is as most are.
    pub density: u64,
    /// Of fewer the picture is flat, of more it is busy.
    pub looks: (u64, u64),
    /// Bytes beside each stored pixel while a still picture is decoded; `None`: beside each sample one.
    pub beside: Option<u64>,
    /// Nanoseconds for a pixel and for a byte of a frame that is read, where it takes no more to tell; see [`super::budget`].
    pub reading: (u64, u64),
    /// Bytes a pixel and milliseconds a megapixel of writing, where it takes no more to tell.
    pub writing: (u64, f64),
}

/// A format that is read and not written, and of which little is known.
const READ: Codec = Codec {
    says_p3: false,
    carries_orientation: false,
    lossless: false,
    quality: 100,
    scores: JPEG_SCORES,
    density: 3000,
    looks: (0, 700),
    beside: None,
    reading: (3, 0),
    writing: (0, 0.0),
};

/// The row of a format.
pub(crate) const fn codec(format: Format) -> &'static Codec {
    match format {
        Format::Jpeg => {
            &Codec { says_p3: true, carries_orientation: true, quality: 80, density: 400, looks: (0, 900), ..READ }
        }
        Format::Png => &Codec { says_p3: true, carries_orientation: true, density: 1700, looks: (600, 2200), ..READ },
        Format::Gif => &Codec {
            density: 700,
            looks: (250, 850),
            // The canvas and the part that is drawn.
            beside: Some(8),
            reading: (13, 0),
            ..READ
        },
        // Charts and screenshots are what is kept without compression today.
        Format::Bmp => &Codec { looks: (u64::MAX, u64::MAX), writing: (4, 2.0), ..READ },
        Format::WebP => &Codec {
            says_p3: true,
            carries_orientation: true,
            lossless: true,
            quality: 75,
            scores: WEBP_SCORES,
            density: 150,
            beside: Some(6),
            ..READ
        },
        Format::Avif => &Codec {
            // The alternative encoder is not told.
            says_p3: cfg!(not(feature = "ravif")),
            lossless: true,
            quality: 65,
            scores: AVIF_SCORES,
            density: 150,
            // Planes with a border, and the picture before it is cropped.
            beside: Some(8),
            reading: (14, 38),
            ..READ
        },
        Format::Heif => &Codec {
            says_p3: true,
            quality: 65,
            scores: AVIF_SCORES,
            density: 150,
            beside: Some(8),
            reading: (22, 40),
            ..READ
        },
        Format::Tiff => &Codec { looks: (0, u64::MAX), writing: (6, 6.0), ..READ },
        Format::Ico => &Codec { looks: (600, 2200), ..READ },
        // Photographs take a third of the time; a small picture with layers of inks has been seen to take more.
        Format::Jxl => &Codec { density: 300, reading: (400, 0), ..READ },
        Format::Svg => &Codec { density: 300, looks: (u64::MAX, u64::MAX), reading: (DRAWING_MS, 0), ..READ },
        // Behind a plug-in: guesses, as for intra pictures of a video codec in HEIF; the estimate learns. The plug-in has a scale of
        // its own for quality.
        Format::Tpg => {
            &Codec { quality: 75, density: 150, beside: Some(12), writing: (32, 350.0), reading: (55, 0), ..READ }
        }
    }
}

/// What drawing a megapixel of an SVG takes, if it is as most are; filters over all of it take ten times as long.
const DRAWING_MS: u64 = 60;

#[rustfmt::skip]
const JPEG_SCORES: &Curve = &[
    (1, -60.0), (10, -9.0), (20, 33.0), (30, 49.0), (40, 58.0), (50, 64.0), (60, 68.0),
    (70, 73.3), (75, 75.8), (80, 78.5), (85, 81.7), (90, 88.0), (95, 91.0), (100, 95.0),
];

#[rustfmt::skip]
const AVIF_SCORES: &Curve = &[
    (1, -10.0), (10, 20.0), (20, 36.0), (30, 49.0), (40, 58.0), (50, 64.0), (60, 68.5), (65, 70.5),
    (70, 73.3), (75, 75.8), (80, 78.5), (85, 81.5), (90, 85.5), (95, 89.0), (100, 93.0),
];

#[rustfmt::skip]
const WEBP_SCORES: &Curve = &[
    (1, 0.0), (20, 40.0), (40, 55.0), (60, 64.5), (70, 68.2), (75, 70.0),
    (80, 75.0), (85, 79.2), (90, 83.9), (95, 88.0), (100, 92.0),
];
