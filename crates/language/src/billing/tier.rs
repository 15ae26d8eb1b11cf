//! Price classes of a conversion, after the vendors' price lists.
//!
//! Both clouds bill ordinary processing by the bytes of the original, and "advanced compression" (AVIF, HEIF) by the
//! picture; Aliyun sets the price of the latter by the resolution of the result, below 800 x 600 and below 1600 x 1200.
//! How it compares is not published: here by the number of pixels.

use crate::plan::Format;

/// A price class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// Ordinary processing; billed by the original's bytes.
    Basic,
    /// Advanced compression, up to 480,000 pixels out.
    AdvancedSmall,
    /// Advanced compression, up to 1,920,000 pixels out.
    AdvancedMedium,
    /// Advanced compression above that.
    AdvancedLarge,
    /// Facts about a picture; nobody publishes a price for it.
    Information,
}

impl Tier {
    /// Every tier.
    pub const ALL: [Self; 5] =
        [Self::Basic, Self::AdvancedSmall, Self::AdvancedMedium, Self::AdvancedLarge, Self::Information];

    /// The class of an answer; `None` for the format: facts.
    pub fn of(format: Option<Format>, width: u32, height: u32) -> Self {
        match format {
            None => Self::Information,
            Some(format) if format.is_advanced() => match u64::from(width) * u64::from(height) {
                0..=480_000 => Self::AdvancedSmall,
                480_001..=1_920_000 => Self::AdvancedMedium,
                _ => Self::AdvancedLarge,
            },
            Some(_) => Self::Basic,
        }
    }

    /// Name for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::AdvancedSmall => "advanced_small",
            Self::AdvancedMedium => "advanced_medium",
            Self::AdvancedLarge => "advanced_large",
            Self::Information => "information",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advanced_compression_is_classed_by_the_result() {
        assert_eq!(Tier::of(Some(Format::Avif), 800, 600), Tier::AdvancedSmall);
        assert_eq!(Tier::of(Some(Format::Heif), 800, 601), Tier::AdvancedMedium);
        assert_eq!(Tier::of(Some(Format::Heif), 3924, 2550), Tier::AdvancedLarge);
        assert_eq!(Tier::of(Some(Format::WebP), 3924, 2550), Tier::Basic);
        assert_eq!(Tier::of(None, 1, 1), Tier::Information);
        assert_eq!(Tier::of(Some(Format::Tpg), 1600, 1200), Tier::AdvancedMedium);
        assert_eq!(Tier::of(Some(Format::Avif), 1600, 1201), Tier::AdvancedLarge);
    }

    /// Dashboards and reports are written for these names.
    #[test]
    fn names_stay_as_they_are() {
        let want = ["basic", "advanced_small", "advanced_medium", "advanced_large", "information"];
        assert_eq!(Tier::ALL.map(Tier::name), want);
    }
}
