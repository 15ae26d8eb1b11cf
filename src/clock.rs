//! The time. Here alone the wall clock is read; who decides by the time is told it, so that any time can be tried.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment by the wall clock as the process had it when it first looked, carried on by a clock that nobody sets: an age never
/// goes back and never jumps while the process runs, whatever is done to the system's clock. It means something to the next
/// process too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(Duration);

/// Where the time comes from.
#[derive(Debug, Clone, Default)]
pub struct TimeSource(Option<Arc<AtomicU64>>);

static BEGAN: LazyLock<(Instant, Duration)> =
    LazyLock::new(|| (Instant::now(), wall().duration_since(UNIX_EPOCH).unwrap_or_default()));

/// The system's clock as it is set now, for what others hold against theirs: signatures, dates. It may go back and jump; ages
/// are told by a [`Timestamp`].
pub fn wall() -> SystemTime {
    #[allow(clippy::disallowed_methods, reason = "the one place where it is read")]
    SystemTime::now()
}

impl TimeSource {
    /// One that stands where it is set, at `now` first. All copies of it stand there.
    pub fn by_hand(now: Timestamp) -> Self {
        Self(Some(Arc::new(AtomicU64::new(now.nanoseconds()))))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            None => Timestamp::now(),
            Some(hand) => Timestamp(Duration::from_nanos(hand.load(Ordering::Acquire))),
        }
    }

    /// Sets one that is set by hand; others go on as they are.
    pub fn set(&self, now: Timestamp) {
        if let Some(hand) = &self.0 {
            hand.store(now.nanoseconds(), Ordering::Release);
        }
    }
}

impl Timestamp {
    /// This moment.
    pub fn now() -> Self {
        let (began, wall) = *BEGAN;
        Self(wall.saturating_add(began.elapsed()))
    }

    /// So long after 1970.
    pub const fn at(since: Duration) -> Self {
        Self(since)
    }

    /// How old what comes from here is by then. What comes from later has no age.
    pub fn age(self, now: Self) -> Duration {
        now.0.saturating_sub(self.0)
    }

    /// So long after this.
    #[must_use]
    pub fn after(self, time: Duration) -> Self {
        Self(self.0.saturating_add(time))
    }

    /// As another process wrote it down. Its clock, or ours, may have been set in between. What seems to lie ahead is as old as
    /// can be: else it would be of no age until then.
    #[must_use]
    pub fn recalled(self, now: Self) -> Self {
        if self > now { Self(Duration::ZERO) } else { self }
    }

    /// Nanoseconds since 1970; from the year 2554 on as many as there are numbers for.
    pub fn nanoseconds(self) -> u64 {
        u64::try_from(self.0.as_nanos()).unwrap_or(u64::MAX)
    }

    /// The same as the system has it; 1970 for what it cannot tell.
    pub fn system(self) -> SystemTime {
        UNIX_EPOCH.checked_add(self.0).unwrap_or(UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp::at(Duration::from_secs(seconds))
    }

    #[test]
    fn ages_go_on_after_a_restart() {
        // The process that looked at 1000 ended; the next one's clock says 1060.
        assert_eq!(at(1000).recalled(at(1060)).age(at(1090)), Duration::from_secs(90));
        assert_eq!(at(1000).recalled(at(1000)).age(at(1000)), Duration::ZERO);
        // Set back meanwhile, by more than the age: it is as old as can be, and grows older.
        let ahead = at(1000).recalled(at(400));
        assert_eq!((ahead.age(at(400)), ahead.age(at(2000))), (Duration::from_secs(400), Duration::from_secs(2000)));
        assert_eq!(at(1000).age(at(400)), Duration::ZERO);
    }

    #[test]
    fn this_process_goes_forward() {
        let clock = TimeSource::default();
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second && first.after(Duration::from_secs(5)) > second);
        let since = Timestamp::now().system().duration_since(UNIX_EPOCH).unwrap_or_default();
        assert!(since > Duration::from_secs(1_700_000_000));
        clock.set(at(0));
        assert!(clock.now() >= second);
    }

    #[test]
    fn a_clock_that_is_set_stands_still() {
        let clock = TimeSource::by_hand(at(7));
        let copy = clock.clone();
        assert_eq!((copy.now(), copy.now()), (at(7), at(7)));
        clock.set(at(9));
        assert_eq!((copy.now(), at(9).nanoseconds()), (at(9), 9_000_000_000));
    }
}
