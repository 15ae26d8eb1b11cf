//! When the origin was last asked, in a time that means something to the next process too.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment by the wall clock as the process had it when it first looked, carried on by a clock that nobody sets: an age never
/// goes back and never jumps while the process runs, whatever is done to the system's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Checked(Duration);

#[allow(
    clippy::disallowed_methods,
    reason = "once in a process; what counts with it is tested with times that are given"
)]
static BEGAN: LazyLock<(Instant, Duration)> =
    LazyLock::new(|| (Instant::now(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()));

impl Checked {
    /// This moment.
    pub fn now() -> Self {
        let (began, wall) = *BEGAN;
        Self(wall.saturating_add(began.elapsed()))
    }

    /// How long ago that was.
    pub fn age(self) -> Duration {
        self.age_at(Self::now())
    }

    fn age_at(self, now: Self) -> Duration {
        now.0.saturating_sub(self.0)
    }

    /// As another process wrote it down. Its clock, or ours, may have been set in between. What seems to lie ahead was never
    /// checked, for all we know: else it would be of no age until then.
    pub(super) fn recalled(self, now: Self) -> Self {
        if self > now { Self(Duration::ZERO) } else { self }
    }

    /// So long before this.
    #[cfg(test)]
    pub fn before(self, time: Duration) -> Self {
        Self(self.0.saturating_sub(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_go_on_after_a_restart() {
        let at = |seconds| Checked(Duration::from_secs(seconds));
        // The process that checked at 1000 ended; the next one's clock says 1060.
        assert_eq!(at(1000).recalled(at(1060)).age_at(at(1090)), Duration::from_secs(90));
        assert_eq!(at(1000).recalled(at(1000)).age_at(at(1000)), Duration::ZERO);
        // Set back meanwhile, by more than the age: it is as old as can be, and grows older.
        let ahead = at(1000).recalled(at(400));
        assert_eq!(
            (ahead.age_at(at(400)), ahead.age_at(at(2000))),
            (Duration::from_secs(400), Duration::from_secs(2000))
        );
    }

    #[test]
    fn this_process_goes_forward() {
        let first = Checked::now();
        let second = Checked::now();
        assert!(first <= second && second.age() >= Duration::ZERO);
        assert!(first.before(Duration::from_secs(5)).age() >= Duration::from_secs(5));
    }
}
