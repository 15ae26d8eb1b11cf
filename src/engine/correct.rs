//! Estimates that correct themselves: what jobs of a kind took, against what was estimated.

use std::collections::HashMap;

use super::cost::Lane;
use crate::plan::Format;

/// The newest sample's weight once there are many.
const WEIGHT: f64 = 0.1;
/// The widest correction in either direction: beyond it the estimate is not wrong but meaningless.
const WIDEST: f64 = 16.0;

/// A moving mean of actual time / estimated time for each lane and output format.
#[derive(Debug, Default)]
pub struct Corrections {
    ratios: HashMap<(Lane, Format), Ratio>,
}

#[derive(Debug)]
struct Ratio {
    mean: f64,
    samples: u32,
}

impl Corrections {
    /// The estimate, corrected by what was seen so far; at least 1 ms.
    pub fn apply(&self, lane: Lane, format: Format, cpu_ms: u64) -> u64 {
        let ratio = self.ratios.get(&(lane, format)).map_or(1.0, |ratio| ratio.mean);
        // Float to integer saturates, so that no estimate overflows.
        ((cpu_ms as f64 * ratio) as u64).max(1)
    }

    /// Learns from a finished job. The first samples weigh more, so that a wrong table is corrected within a few jobs.
    pub fn learn(&mut self, lane: Lane, format: Format, estimated_ms: u64, actual_us: u64) {
        let sample = actual_us as f64 / 1000.0 / estimated_ms.max(1) as f64;
        let sample = sample.clamp(1.0 / WIDEST, WIDEST);
        let ratio = self.ratios.entry((lane, format)).or_insert(Ratio { mean: 1.0, samples: 0 });
        ratio.samples = ratio.samples.saturating_add(1);
        let weight = WEIGHT.max(1.0 / (f64::from(ratio.samples) + 1.0));
        ratio.mean += (sample - ratio.mean) * weight;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_that_is_four_times_too_low_is_soon_right() {
        let mut corrections = Corrections::default();
        for _ in 0..40 {
            corrections.learn(Lane::Heavy, Format::Avif, 100, 400_000);
        }
        let corrected = corrections.apply(Lane::Heavy, Format::Avif, 100);
        assert!((390..=400).contains(&corrected), "{corrected}");
        assert_eq!(corrections.apply(Lane::Heavy, Format::Heif, 100), 100, "another format is another matter");
        assert_eq!(corrections.apply(Lane::Light, Format::Avif, 100), 100, "another lane too");
    }

    #[test]
    fn one_odd_job_does_not_spoil_the_mean() {
        let mut corrections = Corrections::default();
        for _ in 0..40 {
            corrections.learn(Lane::Light, Format::WebP, 10, 10_000);
        }
        corrections.learn(Lane::Light, Format::WebP, 10, u64::MAX);
        assert!(corrections.apply(Lane::Light, Format::WebP, 100) <= 250);
        assert_eq!(corrections.apply(Lane::Light, Format::Jpeg, 0), 1);
    }
}
