//! What is wanted of a decoder besides the pixels.

use crate::plan::{Limits, Policy};

/// How small a decoder may make the picture on its own, where that is cheaper than decoding all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrink {
    /// The width that the stored picture (before its EXIF orientation) will be resampled to.
    pub min_width: u32,
    /// The height, likewise.
    pub min_height: u32,
}

impl Shrink {
    /// By how much a JPEG decoder divides sides that are so long: the most of 8, 4 and 2 that leaves 1.6 times the wanted
    /// size, else 1.
    ///
    /// At half its size and 1.6 to 2 times the wanted one, the result of seven large photographs is 92 to 93 in SSIMULACRA2 of
    /// what decoding everything gives, and has half a point less after JPEG or WebP for 1 to 2 % fewer bytes (the median). At
    /// 1.2 times it would be a point. A grainy photograph of strong compression loses 3 to 4 points at any of these, 2 to 3 at
    /// twice the wanted size.
    #[must_use]
    pub fn divisor(self, width: u32, height: u32) -> u32 {
        let leaves = |side: u32, by: u32, wanted: u32| {
            u64::from(side.div_ceil(by)).saturating_mul(5) >= u64::from(wanted).saturating_mul(8)
        };
        let fits = |by: &u32| leaves(width, *by, self.min_width) && leaves(height, *by, self.min_height);
        [8, 4, 2].into_iter().find(fits).unwrap_or(1)
    }
}

/// A rectangle of the stored picture, before its EXIF orientation; it lies inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Region {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// What is wanted of a decoder besides the pixels.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted {
    /// What the site allows.
    pub limits: Limits,
    /// What the site decides.
    pub policy: Policy,
    /// How far the picture may be shrunk on the way; `None` gives the full size.
    pub shrink: Option<Shrink>,
    /// The only part of a still picture that is needed; not together with `shrink`.
    pub region: Option<Region>,
}
