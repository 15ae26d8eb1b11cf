//! What the rule says about quality, against what the source had: one number for the encoder.
//!
//! The scale is that of JPEG (libjpeg's 1 to 100, as both vendors use it). AVIF and HEIF are fitted to it, so that the same
//! number looks about the same there: a number that was written for JPEGs may be used as it is. WebP keeps libwebp's own
//! scale, which everybody knows. What each number is worth in SSIMULACRA2 stands in [`scores`].

use crate::codec::codec;
use crate::plan::{Format, Output, Quality};
use crate::search::{self, Curve};

/// The most that a JPEG inherits from a JPEG source: above it bytes buy nothing that can be seen.
pub const JPEG_INHERITED_MAX: u8 = 95;
/// What the encoder is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resolved {
    /// 1..=100; `None` for formats without a quality.
    pub quality: Option<u8>,
    /// Without loss; only for formats that can.
    pub lossless: bool,
}

/// Resolves the rule's quality. `source` is the estimated quality of a JPEG source, `None` for sources without one, which
/// count as 100 (tencent-ci §2.11, aliyun-oss §2.12).
pub fn resolve(output: &Output, source: Option<u8>, format: Format) -> Resolved {
    if !has_quality(format) {
        return Resolved { quality: None, lossless: false };
    }
    let q0 = source.unwrap_or(100).clamp(1, 100);
    let number = match output.quality {
        Quality::Default => default(format, source),
        // The nearest to it where the format cannot.
        Quality::Lossless => 100,
        Quality::Capped(q) => q.min(q0),
        Quality::Forced(q) => q,
        Quality::Auto(score) => search::inverse(scores(format), score.into()),
        Quality::Relative(percent) => ((u32::from(q0) * u32::from(percent) + 50) / 100).min(100) as u8,
    };
    let number = number.max(output.quality_floor.unwrap_or(1)).clamp(1, 100);
    let lossless = output.quality == Quality::Lossless && codec(format).lossless;
    Resolved { quality: Some(number), lossless }
}

/// The quality without any rule. A JPEG inherits that of a JPEG.
pub fn default(format: Format, source: Option<u8>) -> u8 {
    let inherited = source.filter(|_| format == Format::Jpeg).map(|q| q.clamp(1, JPEG_INHERITED_MAX));
    inherited.unwrap_or(codec(format).quality)
}

/// SSIMULACRA2 on photographs at each quality.
pub fn scores(format: Format) -> &'static Curve {
    codec(format).scores
}

/// The logarithm of a file's size at each quality, in any format: only how it rises matters.
#[rustfmt::skip]
pub const SIZES: &Curve = &[
    (1, -2.5), (10, -1.6), (20, -1.1), (30, -0.82), (40, -0.62), (50, -0.46), (60, -0.30), (70, -0.08),
    (75, 0.05), (80, 0.21), (85, 0.42), (90, 0.74), (95, 1.23), (100, 2.1),
];

/// Whether a number changes anything for this format.
pub fn has_quality(format: Format) -> bool {
    format.has_quality()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn number(quality: Quality, floor: Option<u8>, source: Option<u8>, format: Format) -> u8 {
        let output = Output { quality, quality_floor: floor, ..Output::default() };
        resolve(&output, source, format).quality.unwrap()
    }

    #[test]
    fn tencent_table() {
        // quality/<q>, quality/<q>!, rquality/<q>, lquality/<q>, none.
        assert_eq!(number(Quality::Capped(90), None, Some(80), Format::Jpeg), 80);
        assert_eq!(number(Quality::Capped(60), None, Some(80), Format::Jpeg), 60);
        assert_eq!(number(Quality::Forced(90), None, Some(80), Format::Jpeg), 90);
        assert_eq!(number(Quality::Relative(80), None, Some(80), Format::Jpeg), 64);
        assert_eq!(number(Quality::Default, Some(80), Some(85), Format::Jpeg), 85);
        assert_eq!(number(Quality::Default, Some(80), Some(60), Format::Jpeg), 80);
        assert_eq!(number(Quality::Default, None, Some(72), Format::Jpeg), 72);
    }

    #[test]
    fn aliyun_table() {
        // quality,q_ and quality,Q_; a source without a quality makes q absolute.
        assert_eq!(number(Quality::Relative(90), None, Some(100), Format::Jpeg), 90);
        assert_eq!(number(Quality::Relative(90), None, Some(80), Format::WebP), 72);
        assert_eq!(number(Quality::Capped(90), None, Some(95), Format::Jpeg), 90);
        assert_eq!(number(Quality::Capped(90), None, Some(80), Format::Jpeg), 80);
        assert_eq!(number(Quality::Relative(45), None, None, Format::WebP), 45);
    }

    #[test]
    fn defaults() {
        assert_eq!(number(Quality::Default, None, Some(99), Format::Jpeg), JPEG_INHERITED_MAX);
        assert_eq!(number(Quality::Default, None, None, Format::Jpeg), 80);
        assert_eq!(number(Quality::Default, None, Some(99), Format::Avif), 65);
        assert_eq!(number(Quality::Default, Some(90), None, Format::Heif), 90);
    }

    #[test]
    fn a_score_starts_where_photographs_have_it() {
        assert_eq!(number(Quality::Auto(70), None, None, Format::Avif), 64);
        assert_eq!(number(Quality::Auto(70), None, Some(40), Format::WebP), 75);
        assert_eq!(number(Quality::Auto(70), Some(80), None, Format::Jpeg), 80);
        for format in [Format::Jpeg, Format::WebP, Format::Avif] {
            assert!(scores(format).is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
        }
        assert!(SIZES.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1));
    }

    #[test]
    fn out_of_range_numbers_are_pulled_in() {
        assert_eq!(number(Quality::Forced(0), None, None, Format::Jpeg), 1);
        assert_eq!(number(Quality::Relative(200), None, Some(90), Format::Jpeg), 100);
        assert_eq!(number(Quality::Relative(1), None, Some(1), Format::Jpeg), 1);
    }

    #[test]
    fn lossless_only_where_the_format_can() {
        let output = Output { quality: Quality::Lossless, ..Output::default() };
        assert!(resolve(&output, None, Format::WebP).lossless);
        assert_eq!(resolve(&output, None, Format::Jpeg), Resolved { quality: Some(100), lossless: false });
        assert_eq!(number(Quality::Lossless, None, Some(70), Format::Heif), 100);
        assert_eq!(resolve(&output, None, Format::Png), Resolved { quality: None, lossless: false });
    }
}
