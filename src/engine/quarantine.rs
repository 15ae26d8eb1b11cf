//! Pictures that killed a worker rest for a while, so that one bad picture cannot keep the pool busy dying.
//!
//! A crash is the picture's doing whatever was asked of it. Running out of time or memory may be the doing of what was
//! asked (a full-size AVIF where a thumbnail would do), so it bars that one job first and the picture at the second time.

use std::collections::{HashMap, VecDeque};

/// SHA-256 of an original.
pub type Digest = [u8; 32];

/// So many pictures at most; the oldest makes room.
const MOST: usize = 10_000;

/// Who rests until when. Times are milliseconds on a clock of the caller's.
#[derive(Debug)]
pub struct Quarantine {
    rest_ms: u64,
    resting: HashMap<Digest, Rest>,
    order: VecDeque<(u64, Digest)>,
}

#[derive(Debug)]
struct Rest {
    until: u64,
    /// The one job that is barred; `None`: all of them.
    job: Option<u64>,
}

impl Quarantine {
    /// Everybody rests for so long; 0 turns quarantine off.
    pub fn new(rest_ms: u64) -> Self {
        Self { rest_ms, resting: HashMap::new(), order: VecDeque::new() }
    }

    /// How many milliseconds this picture still rests for this job; `None`: it may be tried.
    pub fn check(&self, digest: &Digest, job: u64, now: u64) -> Option<u64> {
        let rest = self.resting.get(digest)?;
        let barred = rest.job.is_none_or(|barred| barred == job);
        (barred && now < rest.until).then(|| rest.until.saturating_sub(now))
    }

    /// The picture crashed a worker.
    pub fn crashed(&mut self, digest: Digest, now: u64) {
        self.put(digest, None, now);
    }

    /// This job on this picture ran out of time or memory.
    pub fn starved(&mut self, digest: Digest, job: u64, now: u64) {
        let before = self.resting.get(&digest).filter(|rest| now < rest.until);
        let barred = match before.map(|rest| rest.job) {
            None => Some(job),
            Some(Some(same)) if same == job => Some(job),
            Some(_) => None,
        };
        self.put(digest, barred, now);
    }

    /// How many rest, counting those whose time is over and who were not swept yet.
    pub fn len(&self) -> usize {
        self.resting.len()
    }

    /// Whether nobody rests.
    pub fn is_empty(&self) -> bool {
        self.resting.is_empty()
    }

    fn put(&mut self, digest: Digest, job: Option<u64>, now: u64) {
        if self.rest_ms == 0 {
            return;
        }
        let until = now.saturating_add(self.rest_ms);
        self.resting.insert(digest, Rest { until, job });
        self.order.push_back((until, digest));
        while let Some(&(end, oldest)) = self.order.front() {
            if end > now && self.order.len() <= MOST {
                break;
            }
            self.order.pop_front();
            // A picture that was put in again has a later entry further back.
            if self.resting.get(&oldest).is_some_and(|rest| rest.until <= end) {
                self.resting.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn a_starved_job_bars_itself_and_a_second_one_bars_the_picture() {
        let mut quarantine = Quarantine::new(1000);
        quarantine.starved(A, 1, 0);
        assert!(quarantine.check(&A, 1, 1).is_some());
        assert!(quarantine.check(&A, 2, 1).is_none(), "another job may still be tried");
        quarantine.starved(A, 1, 1);
        assert!(quarantine.check(&A, 2, 2).is_none());
        quarantine.starved(A, 2, 2);
        assert!(quarantine.check(&A, 3, 3).is_some());
    }

    #[test]
    fn it_stays_bounded_and_forgets() {
        let mut quarantine = Quarantine::new(1000);
        for n in 0..20_000u32 {
            let mut digest = [0; 32];
            digest[..4].copy_from_slice(&n.to_le_bytes());
            quarantine.crashed(digest, 0);
        }
        assert_eq!(quarantine.len(), MOST);
        quarantine.crashed(A, 5000);
        assert_eq!(quarantine.len(), 1);
        let mut off = Quarantine::new(0);
        off.crashed(A, 0);
        assert!(off.is_empty());
    }
}
