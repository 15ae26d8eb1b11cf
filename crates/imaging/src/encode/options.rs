//! How pixels are to be written.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::effort::Effort;
use crate::picture::Space;

/// How the pixels are to be written.
#[derive(Debug, Clone)]
pub struct Options {
    /// 1..=100 on the vendors' scale; `None` is the format's default of [`quality`]. Formats without one ignore it.
    pub quality: Option<u8>,
    /// Without loss, where the format can.
    pub lossless: bool,
    /// How much a lossless WebP may still change pixels (libwebp's near-lossless): 1..=99, lower changes more; 0 is exact.
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
    /// Where encoders note that they tried less hard because of `budget_ms`.
    pub hurry: Hurry,
    /// A TIFF block of EXIF to carry along; JPEG, PNG, WebP, AVIF and HEIF take one. In AVIF and HEIF its orientation is
    /// for information only: readers turn by the container, which turns nothing.
    pub exif: Option<Vec<u8>>,
    /// What the pixels are; anything but sRGB only for formats of [`says_p3`].
    pub space: Space,
}

/// Remembers whether an encoder tried less hard only because others were waiting: whether it would have chosen something
/// else with `full_ms`, the time that an idle service would give it.
#[derive(Debug, Clone, Default)]
pub struct Hurry {
    full_ms: u32,
    told: Arc<AtomicBool>,
}

impl Hurry {
    /// `full_ms`: the time that there would be on an idle service; 0 turns the comparison off.
    pub fn new(full_ms: u32) -> Self {
        Self { full_ms, told: Arc::default() }
    }

    /// Whether anybody has tried less hard.
    pub fn told(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

impl Options {
    /// Calls `choose` with the time that there is, and returns its choice. Notes if the choice for the full time differs.
    pub(crate) fn in_time<T: PartialEq>(&self, choose: impl Fn(u32) -> T) -> T {
        let chosen = choose(self.budget_ms);
        if self.hurry.full_ms > 0 && chosen != choose(self.hurry.full_ms) {
            self.hurry.told.store(true, Ordering::Relaxed);
        }
        chosen
    }
}
