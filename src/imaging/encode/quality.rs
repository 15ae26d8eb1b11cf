//! What the rule says about quality, against what the source had: one number for the encoder.
//!
//! The scale is that of JPEG (libjpeg's 1 to 100, as both vendors use it). AVIF and HEIF are fitted to it, so that the same
//! number looks about the same there: a number that was written for JPEGs may be used as it is. SSIMULACRA2 on photographs:
//!
//! | quality     | 10 | 20 | 30 | 40 | 50 | 60   | 65   | 70   | 75   | 80   | 85   | 90   | 95 |
//! |-------------|----|----|----|----|----|------|------|------|------|------|------|------|----|
//! | JPEG        | -9 | 33 | 49 | 58 | 64 | 68   |      | 73.3 | 75.8 | 78.5 | 81.7 | 88   | 91 |
//! | AVIF, HEIF  | 20 | 36 | 49 | 58 | 64 | 68.5 | 70.5 | 73.3 | 75.8 | 78.5 | 81.5 | 85.5 | 89 |
//! | WebP        |    | 40 |    | 55 |    | 64.5 |      | 68.2 | 70.0 | 75.0 | 79.2 | 83.9 | 88 |
//!
//! WebP keeps libwebp's own scale, which everybody knows.

use crate::plan::{Format, Output, Quality};

/// JPEG from a source that has no quality of its own (PNG, WebP, ...).
pub const JPEG_DEFAULT: u8 = 80;
/// The most that a JPEG inherits from a JPEG source: above it bytes buy nothing that can be seen.
pub const JPEG_INHERITED_MAX: u8 = 95;
/// AVIF when the rule gives no number: SSIMULACRA2 of about 70 on photographs.
pub const AVIF_DEFAULT: u8 = 65;
/// HEIF likewise.
pub const HEIF_DEFAULT: u8 = 65;
/// WebP likewise.
pub const WEBP_DEFAULT: u8 = 75;

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
        Quality::Default | Quality::Lossless => default(format, source),
        Quality::Capped(q) => q.min(q0),
        Quality::Forced(q) => q,
        Quality::Relative(percent) => ((u32::from(q0) * u32::from(percent) + 50) / 100).min(100) as u8,
    };
    let number = number.max(output.quality_floor.unwrap_or(1)).clamp(1, 100);
    let lossless = output.quality == Quality::Lossless && can_lossless(format);
    Resolved { quality: Some(number), lossless }
}

/// The quality without any rule.
pub fn default(format: Format, source: Option<u8>) -> u8 {
    match format {
        Format::Jpeg => source.map_or(JPEG_DEFAULT, |q| q.clamp(1, JPEG_INHERITED_MAX)),
        Format::Avif => AVIF_DEFAULT,
        Format::Heif => HEIF_DEFAULT,
        Format::WebP => WEBP_DEFAULT,
        Format::Png
        | Format::Gif
        | Format::Bmp
        | Format::Tiff
        | Format::Ico
        | Format::Jxl
        | Format::Svg
        | Format::Tpg => 100,
    }
}

/// Whether a number changes anything for this format.
pub fn has_quality(format: Format) -> bool {
    matches!(format, Format::Jpeg | Format::WebP | Format::Avif | Format::Heif)
}

/// Whether a format with a quality can do without loss.
fn can_lossless(format: Format) -> bool {
    matches!(format, Format::WebP | Format::Avif)
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
        assert_eq!(number(Quality::Default, None, None, Format::Jpeg), JPEG_DEFAULT);
        assert_eq!(number(Quality::Default, None, Some(99), Format::Avif), AVIF_DEFAULT);
        assert_eq!(number(Quality::Default, Some(90), None, Format::Heif), 90);
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
        assert_eq!(resolve(&output, None, Format::Jpeg), Resolved { quality: Some(JPEG_DEFAULT), lossless: false });
        assert_eq!(resolve(&output, None, Format::Png), Resolved { quality: None, lossless: false });
    }
}
