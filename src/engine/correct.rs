//! Estimates that correct themselves: what jobs of a kind took, against what was estimated.
//!
//! Anybody may send jobs, so nobody's jobs may spoil the estimate of others. A kind is narrow: what is read, what is written,
//! how (frames, quality, loss), and how much by powers of two, so that what an encode or a frame takes whatever its size is
//! not taken for a rate. What a kind has shown corrects that kind alone, and within bounds. All of them together tell the
//! machine's pace, by their median: one kind is one voice, however often it was asked for.

use std::collections::HashMap;
use std::time::Duration;

use super::cost::WorkKind;
use super::queue::hopeless;

/// The newest sample's weight once there are many.
const WEIGHT: f64 = 0.1;
/// The widest correction in either direction: beyond it the estimate is not wrong but meaningless.
pub const WIDEST: f64 = 4.0;
/// Kinds that must have been seen before they tell the machine's pace, and how often each.
const KINDS: usize = 5;
const SAMPLES: u32 = 3;
/// Jobs below this say little about a pace: starting them is a good part of what they take.
const LEAST_MS: u64 = 4;
/// So many kinds are remembered; more than a service has, however its jobs differ. The oldest makes room.
const MOST: usize = 4096;
/// How much longer than its CPU time a job may be thought to take, on a machine that others use too.
const LONGEST: f64 = 3.0;

/// A kind of job, and the power of two of its estimate.
type Kind = (WorkKind, u32);

/// Moving means of actual time / estimated time.
#[derive(Debug)]
pub struct Corrections {
    kinds: HashMap<Kind, Ratio>,
    /// The machine's pace: what a job takes against what is estimated.
    pace: f64,
    /// Wall time against CPU time.
    stretch: f64,
    learnt: u64,
}

#[derive(Debug)]
struct Ratio {
    mean: f64,
    samples: u32,
    last: u64,
}

impl Default for Corrections {
    fn default() -> Self {
        Self { kinds: HashMap::new(), pace: 1.0, stretch: 1.0, learnt: 0 }
    }
}

impl Corrections {
    /// How long a job will have its worker: the estimate, corrected by what was seen so far; at least 1 ms.
    pub fn apply(&self, work: WorkKind, cpu_ms: u64) -> u64 {
        self.corrected(work, cpu_ms, self.stretch)
    }

    /// The time to compare with a job's deadline, `left_ms` away, when deciding whether to accept it. `idle`: no other job
    /// runs. On an idle pool, a job is not refused only because the machine was busy with other programs some time ago: it is
    /// run, and how long it takes shows how busy the machine is now.
    pub fn admitted(&self, work: WorkKind, cpu_ms: u64, left_ms: u64, idle: bool) -> u64 {
        let stretched = self.apply(work, cpu_ms);
        if idle && hopeless(stretched, left_ms) { self.unstretched(work, cpu_ms) } else { stretched }
    }

    /// As [`Self::apply`], on a machine that nobody else uses.
    pub fn unstretched(&self, work: WorkKind, cpu_ms: u64) -> u64 {
        self.corrected(work, cpu_ms, 1.0)
    }

    /// The CPU time that a job has probably had which had its worker for so long.
    pub fn of_wall(&self, wall: Duration) -> Duration {
        wall.div_f64(self.stretch)
    }

    fn corrected(&self, work: WorkKind, cpu_ms: u64, stretch: f64) -> u64 {
        let ratio = match self.kinds.get(&(work, power(cpu_ms))) {
            Some(ratio) => ratio.mean.clamp(self.pace / WIDEST, self.pace * WIDEST),
            None => self.pace,
        };
        // Float to integer saturates, so that no estimate overflows.
        ((cpu_ms as f64 * ratio * stretch) as u64).max(1)
    }

    /// Learns from a finished job. The first samples weigh more, so that a wrong table is corrected within a few jobs.
    pub fn learn(&mut self, work: WorkKind, estimated_ms: u64, actual: Duration) {
        let sample = actual.as_secs_f64() * 1e3 / estimated_ms.max(1) as f64;
        let widest = WIDEST * WIDEST;
        let sample = sample.clamp(1.0 / widest, widest);
        self.learnt = self.learnt.saturating_add(1);
        let kind = (work, power(estimated_ms));
        if self.kinds.len() >= MOST && !self.kinds.contains_key(&kind) {
            let oldest = self.kinds.iter().min_by_key(|(_, ratio)| ratio.last).map(|(kind, _)| *kind);
            oldest.map(|oldest| self.kinds.remove(&oldest));
        }
        let ratio = self.kinds.entry(kind).or_insert(Ratio { mean: 1.0, samples: 0, last: 0 });
        ratio.samples = ratio.samples.saturating_add(1);
        ratio.last = self.learnt;
        let weight = WEIGHT.max(1.0 / (f64::from(ratio.samples) + 1.0));
        ratio.mean += (sample - ratio.mean) * weight;
        // The median of some thousand numbers, now and then.
        if self.kinds.len() <= 64 || self.learnt.is_multiple_of(64) {
            self.pace = self.median();
        }
    }

    /// Learns how much longer than its CPU time a job had its worker. Whoever had several threads counts too, though less can
    /// be told by it: on a pool that has time for that, nobody else would say that the hour is over.
    pub fn stretched(&mut self, cpu: Duration, wall: Duration) {
        if cpu >= Duration::from_millis(LEAST_MS) {
            let sample = (wall.as_secs_f64() / cpu.as_secs_f64()).clamp(1.0, LONGEST);
            self.stretch += (sample - self.stretch) * WEIGHT;
        }
    }

    fn median(&self) -> f64 {
        let least = power(LEAST_MS);
        let telling = self.kinds.iter().filter(|((_, power), ratio)| *power >= least && ratio.samples >= SAMPLES);
        let mut means: Vec<f64> = telling.map(|(_, ratio)| ratio.mean).collect();
        if means.len() < KINDS {
            return 1.0;
        }
        means.sort_unstable_by(f64::total_cmp);
        means.get(means.len() / 2).map_or(1.0, |median| median.clamp(1.0 / WIDEST, WIDEST))
    }
}

fn power(ms: u64) -> u32 {
    ms.max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::Format;

    fn work(to: Format) -> WorkKind {
        WorkKind { from: Some(Format::Jpeg), to: Some(to), ..WorkKind::default() }
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn an_estimate_that_is_three_times_too_low_is_soon_right() {
        let mut corrections = Corrections::default();
        for _ in 0..40 {
            corrections.learn(work(Format::Avif), 100, ms(300));
        }
        let corrected = corrections.apply(work(Format::Avif), 100);
        assert!((290..=300).contains(&corrected), "{corrected}");
        assert_eq!(corrections.apply(work(Format::Heif), 100), 100, "another format is another matter");
        let good = WorkKind { band: 3, ..work(Format::Avif) };
        assert_eq!(corrections.apply(good, 100), 100, "another quality too");
        assert_eq!(corrections.apply(work(Format::Avif), 1000), 1000, "and another size");
    }

    #[test]
    fn one_odd_job_does_not_spoil_the_mean() {
        let mut corrections = Corrections::default();
        for _ in 0..40 {
            corrections.learn(work(Format::WebP), 10, ms(10));
        }
        corrections.learn(work(Format::WebP), 10, Duration::MAX);
        assert!(corrections.apply(work(Format::WebP), 10) <= 25);
        assert_eq!(corrections.apply(work(Format::Jpeg), 0), 1);
    }

    /// 300 frames of 17 pixels were estimated at 19 ms and took 410; small pictures paid for it.
    #[test]
    fn a_tiny_animation_does_not_make_small_pictures_dear() {
        let mut corrections = Corrections::default();
        let moving = WorkKind { from: Some(Format::WebP), to: Some(Format::Avif), moving: true, ..WorkKind::default() };
        for _ in 0..60 {
            corrections.learn(moving, 19, ms(410));
        }
        for estimate in [1, 10, 19, 90, 400] {
            assert_eq!(corrections.apply(work(Format::Avif), estimate), estimate);
        }
    }

    #[test]
    fn a_slow_machine_is_known_by_many_kinds() {
        let mut corrections = Corrections::default();
        for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Avif, Format::Heif] {
            for _ in 0..20 {
                corrections.learn(work(format), 50, ms(100));
            }
        }
        assert!((190..=200).contains(&corrections.apply(work(Format::Gif), 100)));
    }

    #[test]
    fn one_bad_hour_refuses_nothing_on_an_idle_pool() {
        let mut corrections = Corrections::default();
        for _ in 0..100 {
            corrections.stretched(ms(100), ms(1000));
        }
        let of = |estimate, idle| corrections.admitted(work(Format::Avif), estimate, 30_000, idle);
        assert!(hopeless(of(20_000, false), 30_000), "while others run it is believed");
        assert_eq!(of(20_000, true), 20_000);
        assert!(of(1000, true) > 2900, "what can be done in time is reckoned as it was");
        assert!(hopeless(of(46_000, true), 30_000), "what no hour would do is refused");
    }

    #[test]
    fn time_that_others_have_of_the_machine_counts() {
        let mut corrections = Corrections::default();
        for _ in 0..60 {
            corrections.stretched(ms(100), ms(200));
            corrections.stretched(ms(1), Duration::MAX);
        }
        assert!((195..=200).contains(&corrections.apply(work(Format::Gif), 100)));
        assert_eq!(corrections.unstretched(work(Format::Gif), 100), 100);
        let cpu = corrections.of_wall(ms(1000));
        assert!((ms(500)..ms(510)).contains(&cpu), "{cpu:?}");
        // Two threads, of which one waited for the other now and then.
        for _ in 0..60 {
            corrections.stretched(ms(100), ms(70));
        }
        assert_eq!(corrections.apply(work(Format::Gif), 100), 100, "the hour is over");
    }

    prop_compose! {
        fn any_work()(from in 0..3usize, to in 0..4usize, moving: bool, lossless: bool, band in 0..4u8) -> WorkKind {
            let format = |n: usize| Format::ALL.get(n).copied();
            WorkKind { from: format(from), to: format(to), moving, lossless, band }
        }
    }

    proptest! {
        /// Whatever one kind of job has taken, every other is estimated as before but for the machine's stretch.
        #[test]
        fn one_kind_moves_no_other(
            poison in any_work(), other in any_work(), estimate in 1..100_000u64, of in 1..100_000u64,
            history in proptest::collection::vec(0..10_000_000u64, 1..200),
            hour in proptest::collection::vec((0..1000u64, 0..10_000u64), 0..100),
        ) {
            prop_assume!(poison != other || power(estimate) != power(of));
            let mut corrections = Corrections::default();
            for (cpu, wall) in hour {
                corrections.stretched(ms(cpu), ms(wall));
            }
            let before = corrections.apply(other, of);
            prop_assert!(before >= of && before as f64 <= of as f64 * LONGEST);
            for taken in history {
                corrections.learn(poison, estimate, ms(taken));
            }
            prop_assert_eq!(corrections.apply(other, of), before);
            prop_assert_eq!(corrections.unstretched(other, of), of);
        }

        /// However bad an hour was, some dozens of jobs of a quiet one are enough to forget it.
        #[test]
        fn no_hour_lasts(hour in proptest::collection::vec((0..1000u64, 0..10_000u64), 0..300), asked in any_work()) {
            let mut corrections = Corrections::default();
            for (cpu, wall) in hour {
                corrections.stretched(ms(cpu), ms(wall));
            }
            for _ in 0..40 {
                corrections.stretched(ms(100), ms(100));
            }
            prop_assert!(corrections.apply(asked, 1000) <= 1050);
        }

        /// Whatever all kinds of jobs have taken: no estimate of a kind that has not been seen moves by more than the bound,
        /// and none of one that has by more than its square.
        #[test]
        fn no_history_moves_an_estimate_further_than_its_bound(
            history in proptest::collection::vec((any_work(), 1..100_000u64, 0..10_000_000u64), 1..300),
            asked in any_work(), of in 1000..100_000u64,
            hour in proptest::collection::vec((0..1000u64, 0..10_000u64), 0..100),
        ) {
            let mut corrections = Corrections::default();
            for (cpu, wall) in hour {
                corrections.stretched(ms(cpu), ms(wall));
            }
            for (work, estimate, taken) in &history {
                corrections.learn(*work, *estimate, ms(*taken));
            }
            let seen = history.iter().any(|(work, estimate, _)| *work == asked && power(*estimate) == power(of));
            let bound = if seen { WIDEST * WIDEST } else { WIDEST };
            let moved = |to: u64| to as f64 / of as f64;
            let (plain, stretched) = (moved(corrections.unstretched(asked, of)), moved(corrections.apply(asked, of)));
            prop_assert!(plain <= bound && plain >= 0.99 / bound, "{}", plain);
            prop_assert!(stretched <= bound * LONGEST && stretched >= plain, "{} {}", stretched, plain);
        }
    }
}
