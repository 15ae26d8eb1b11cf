//! Picture formats: names, media types, and what each can hold.

use serde::{Deserialize, Serialize};

/// A picture format, by content. `Tpg`, `Jxl` and `Svg` are recognised; whether a format can be read or written is the
/// business of `imaging`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    Bmp,
    WebP,
    Avif,
    Heif,
    Tiff,
    Ico,
    Jxl,
    Svg,
    Tpg,
}

impl Format {
    /// Every format, in the order of this list.
    pub const ALL: [Self; 12] = [
        Self::Jpeg,
        Self::Png,
        Self::Gif,
        Self::Bmp,
        Self::WebP,
        Self::Avif,
        Self::Heif,
        Self::Tiff,
        Self::Ico,
        Self::Jxl,
        Self::Svg,
        Self::Tpg,
    ];

    /// Lower-case name for keys, metrics and configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Heif => "heif",
            Self::Tiff => "tiff",
            Self::Ico => "ico",
            Self::Jxl => "jxl",
            Self::Svg => "svg",
            Self::Tpg => "tpg",
        }
    }

    /// The format of a name as [`Self::name`] writes it; `jpg`, `heic` and `tif` are understood too.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "jpg" => Some(Self::Jpeg),
            "heic" => Some(Self::Heif),
            "tif" => Some(Self::Tiff),
            _ => Self::ALL.into_iter().find(|format| format.name() == name),
        }
    }

    /// The media type of the IANA registry; `image/tpg` is the vendor's.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Heif => "image/heif",
            Self::Tiff => "image/tiff",
            Self::Ico => "image/x-icon",
            Self::Jxl => "image/jxl",
            Self::Svg => "image/svg+xml",
            Self::Tpg => "image/tpg",
        }
    }

    /// Whether a picture in this format can be partly transparent.
    pub fn has_alpha(self) -> bool {
        self != Self::Jpeg
    }

    /// Whether it is written with a quality of 1 to 100.
    pub fn has_quality(self) -> bool {
        matches!(self, Self::Jpeg | Self::WebP | Self::Avif | Self::Heif | Self::Tpg)
    }

    /// Whether writing it is "advanced compression", which both clouds let a bucket turn off and bill by the picture
    /// (tencent-ci §2.8, aliyun-oss §3.1), and to which tighter limits apply.
    pub fn is_advanced(self) -> bool {
        matches!(self, Self::Avif | Self::Heif | Self::Tpg)
    }

    /// Whether an animation can be written in this format.
    pub fn animates(self) -> bool {
        matches!(self, Self::Gif | Self::WebP | Self::Avif)
    }

    /// The longest side that the format (or its encoder here) can hold.
    pub fn max_side(self) -> u32 {
        match self {
            Self::WebP | Self::Heif | Self::Tpg => 16_383,
            Self::Jpeg => 65_500,
            _ => 65_535,
        }
    }
}
