//! Pictures that killed a worker rest for a while, so that one bad picture cannot keep the pool busy dying.
//!
//! A crash is the picture's doing whatever was asked of it. Running out of time or memory is the doing of what was asked
//! (a full-size AVIF where a thumbnail would do) unless that looked cheap: else anybody could bar a picture for everybody by
//! asking costly rules of it. So what looked costly bars that one job, which nobody else gets done either; and two different
//! jobs that looked cheap bar the picture.

use std::collections::{HashMap, VecDeque};

use super::cost::BASE_BYTES;

/// SHA-256 of an original.
pub type Digest = [u8; 32];

/// So many rest at most; the oldest makes room.
const MOST: usize = 10_000;

/// What took so many times the time or the memory that it was estimated at was not a costly rule: estimates of honest
/// pictures are right to within a small factor, whatever the rule (`benches/README.md`).
const FAR: u64 = 16;

/// How a job that ran out of time or memory had looked before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// It took many times its estimate: the picture is not what its header says.
    Cheap,
    /// It was estimated at a good part of what it took.
    Costly,
}

impl Looked {
    /// By the estimate and by what had been taken when it was stopped, in the same unit.
    pub fn by(estimated: u64, taken: u64) -> Self {
        if estimated <= taken / FAR { Self::Cheap } else { Self::Costly }
    }

    /// By the estimated and by the whole memory of its worker, in bytes: what a worker without a picture has is not the
    /// picture's doing.
    pub fn by_memory(estimated: u64, whole: u64) -> Self {
        Self::by(estimated.saturating_sub(BASE_BYTES), whole.saturating_sub(BASE_BYTES))
    }
}

/// What rests: a picture for every job, or for one.
type Name = (Digest, Option<u64>);

/// Who rests until when. Times are milliseconds on a clock of the caller's.
#[derive(Debug)]
pub struct Quarantine {
    rest_ms: u64,
    resting: HashMap<Name, u64>,
    /// The one cheap job that starved on a picture, and until when that counts.
    suspects: HashMap<Digest, (u64, u64)>,
    order: VecDeque<(u64, Name)>,
}

impl Quarantine {
    /// Everybody rests for so long; 0 turns quarantine off.
    pub fn new(rest_ms: u64) -> Self {
        Self { rest_ms, resting: HashMap::new(), suspects: HashMap::new(), order: VecDeque::new() }
    }

    /// How many milliseconds this picture still rests for this job; `None`: it may be tried.
    pub fn check(&self, digest: &Digest, job: u64, now: u64) -> Option<u64> {
        let rest = |name: Name| self.resting.get(&name).filter(|until| now < **until);
        let until = rest((*digest, None)).max(rest((*digest, Some(job))))?;
        Some(until.saturating_sub(now))
    }

    /// The picture crashed a worker.
    pub fn crashed(&mut self, digest: Digest, now: u64) {
        self.put((digest, None), now);
    }

    /// This job on this picture ran out of time or memory.
    pub fn starved(&mut self, digest: Digest, job: u64, looked: Looked, now: u64) {
        self.put((digest, Some(job)), now);
        if looked == Looked::Costly || self.rest_ms == 0 {
            return;
        }
        let before = self.suspects.get(&digest).filter(|(until, _)| now < *until);
        match before {
            Some((_, other)) if *other != job => self.put((digest, None), now),
            _ => {
                self.suspects.insert(digest, (now.saturating_add(self.rest_ms), job));
            }
        }
    }

    /// How many rest, counting those whose time is over and who were not swept yet.
    pub fn len(&self) -> usize {
        self.resting.len()
    }

    /// Whether nobody rests.
    pub fn is_empty(&self) -> bool {
        self.resting.is_empty()
    }

    fn put(&mut self, name: Name, now: u64) {
        if self.rest_ms == 0 {
            return;
        }
        let until = now.saturating_add(self.rest_ms);
        self.resting.insert(name, until);
        self.order.push_back((until, name));
        while let Some(&(end, oldest)) = self.order.front() {
            if end > now && self.order.len() <= MOST {
                break;
            }
            self.order.pop_front();
            // What was put in again has a later entry further back.
            if self.resting.get(&oldest).is_some_and(|until| *until <= end) {
                self.resting.remove(&oldest);
            }
            // Nobody is suspected for longer than the job that began it rests.
            if self.suspects.get(&oldest.0).is_some_and(|(until, _)| *until <= end) {
                self.suspects.remove(&oldest.0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const A: Digest = [1; 32];

    #[test]
    fn a_crash_bars_every_job_until_the_time_is_over() {
        let mut quarantine = Quarantine::new(1000);
        quarantine.crashed(A, 0);
        assert_eq!(quarantine.check(&A, 1, 400), Some(600));
        assert_eq!(quarantine.check(&A, 2, 999), Some(1));
        assert_eq!(quarantine.check(&A, 1, 1000), None);
        assert_eq!(quarantine.check(&[2; 32], 1, 0), None);
    }

    #[test]
    fn a_starved_job_bars_itself_and_a_second_one_that_looked_cheap_bars_the_picture() {
        let mut quarantine = Quarantine::new(1000);
        quarantine.starved(A, 1, Looked::Cheap, 0);
        assert!(quarantine.check(&A, 1, 1).is_some());
        assert!(quarantine.check(&A, 2, 1).is_none(), "another job may still be tried");
        quarantine.starved(A, 1, Looked::Cheap, 1);
        assert!(quarantine.check(&A, 2, 2).is_none());
        quarantine.starved(A, 2, Looked::Cheap, 2);
        assert!(quarantine.check(&A, 3, 3).is_some());
    }

    #[test]
    fn suspicion_ends_with_the_rest() {
        let mut quarantine = Quarantine::new(1000);
        quarantine.starved(A, 1, Looked::Cheap, 0);
        quarantine.starved(A, 2, Looked::Cheap, 1000);
        assert!(quarantine.check(&A, 3, 1001).is_none());
    }

    #[test]
    fn what_looked_cheap_is_a_small_part_of_what_it_took() {
        assert_eq!(Looked::by(100, 1600), Looked::Cheap);
        assert_eq!(Looked::by(100, 1599), Looked::Costly);
        assert_eq!(Looked::by(u64::MAX, u64::MAX), Looked::Costly);
        // 4 x what it was said to take, as blur once was.
        assert_eq!(Looked::by(10_000, 30_000), Looked::Costly);
        // 3 MiB beside the worker's own, where there were 512 in all: it is the picture, on a small machine too.
        assert_eq!(Looked::by_memory(BASE_BYTES + (3 << 20), 512 << 20), Looked::Cheap);
        assert_eq!(Looked::by_memory(BASE_BYTES + (60 << 20), 512 << 20), Looked::Costly);
        assert_eq!(Looked::by_memory(0, 0), Looked::Cheap);
    }

    #[test]
    fn it_stays_bounded_and_forgets() {
        let mut quarantine = Quarantine::new(1000);
        for n in 0..20_000u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&n.to_le_bytes());
            match n % 2 {
                0 => quarantine.crashed(digest, 0),
                _ => quarantine.starved(digest, 1, Looked::Cheap, 0),
            }
        }
        assert_eq!(quarantine.len(), MOST);
        assert!(quarantine.suspects.len() <= MOST);
        quarantine.crashed(A, 5000);
        assert_eq!(quarantine.len(), 1);
        assert!(quarantine.suspects.is_empty());
        let mut off = Quarantine::new(0);
        off.crashed(A, 0);
        off.starved(A, 1, Looked::Cheap, 0);
        assert!(off.is_empty() && off.suspects.is_empty());
    }

    proptest! {
        /// Whatever costly rules are asked of a picture, and however often: nobody who asks for something else notices.
        #[test]
        fn costly_rules_bar_nobody_else(jobs in proptest::collection::vec((0..50u64, 0..5000u64), 0..100), other in 50..99u64) {
            let mut quarantine = Quarantine::new(600_000);
            let mut now = 0;
            for (job, after) in jobs {
                now += after;
                quarantine.starved(A, job, Looked::Costly, now);
                prop_assert!(quarantine.check(&A, other, now).is_none());
            }
        }
    }
}
