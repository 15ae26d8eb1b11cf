//! What becomes of a job whose time is over, or whose worker was killed from outside. Pure: times are spans.

use std::time::Duration;

use super::quarantine::Looked;

/// A worker that had a job for longer than this has tried it.
const TRIED: Duration = Duration::from_millis(50);

/// A job that runs when its time is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overdue {
    /// How long it waited for a worker.
    pub waited: Duration,
    /// How long the worker has had it.
    pub ran: Duration,
    /// What configuration gives to a conversion.
    pub whole: Duration,
    /// What it was let in for.
    pub estimate: Duration,
    /// Whether nobody waits for it any more.
    pub abandoned: bool,
}

/// What is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The queue was to blame: it may come again.
    MayReturn,
    /// It took too long, and nothing is held against its picture: it had not much time, or nobody waited for it.
    Stopped,
    /// It had as much time as a conversion has: its picture rests.
    Starved(Looked),
}

impl Overdue {
    /// Who is to blame: the longer of waiting and running.
    pub fn fate(&self) -> Fate {
        if self.waited > self.ran {
            Fate::MayReturn
        } else if self.abandoned || self.ran < self.whole / 2 {
            Fate::Stopped
        } else {
            Fate::Starved(Looked::by(millis(self.estimate), millis(self.ran)))
        }
    }
}

/// A job whose worker somebody else has killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bereft {
    /// How long the worker had it.
    pub ran: Duration,
    /// Whether a worker before that one had tried it too.
    pub retried: bool,
    /// Whether somebody waits for it, and its time is not over.
    pub wanted: bool,
}

impl Bereft {
    /// Whether the worker had tried it: one that ended as soon as it got the job was killed before it got it.
    pub fn tried(&self) -> bool {
        self.ran > TRIED
    }

    /// Whether another worker gets it: once, after it was tried.
    pub fn has_another_chance(&self) -> bool {
        self.wanted && !(self.tried() && self.retried)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    const STARVED: Overdue = Overdue {
        waited: Duration::ZERO,
        ran: Duration::from_secs(30),
        whole: Duration::from_secs(30),
        estimate: Duration::from_secs(10),
        abandoned: false,
    };

    #[test]
    fn who_waited_longer_than_it_ran_may_come_again() {
        assert_eq!(Overdue { waited: s(16), ran: s(14), ..STARVED }.fate(), Fate::MayReturn);
        assert_eq!(Overdue { waited: s(15), ran: s(15), ..STARVED }.fate(), Fate::Starved(Looked::Costly));
        assert_eq!(Overdue { waited: s(31), abandoned: true, ..STARVED }.fate(), Fate::MayReturn);
    }

    #[test]
    fn a_picture_rests_only_when_its_job_had_its_time() {
        assert_eq!(STARVED.fate(), Fate::Starved(Looked::Costly));
        assert_eq!(Overdue { ran: s(15), ..STARVED }.fate(), Fate::Starved(Looked::Costly), "half of it");
        assert_eq!(Overdue { ran: s(15) - Duration::from_nanos(1), ..STARVED }.fate(), Fate::Stopped);
        assert_eq!(Overdue { abandoned: true, ..STARVED }.fate(), Fate::Stopped);
        let cheap = Overdue { estimate: Duration::from_millis(1), ..STARVED };
        assert_eq!(cheap.fate(), Fate::Starved(Looked::Cheap), "it took many times what it was let in for");
    }

    #[test]
    fn a_job_is_tried_twice_while_somebody_wants_it() {
        let of = |ran, retried, wanted| Bereft { ran: Duration::from_millis(ran), retried, wanted };
        assert!(of(1000, false, true).has_another_chance());
        assert!(!of(1000, true, true).has_another_chance());
        assert!(of(50, true, true).has_another_chance(), "it was not tried");
        assert!(!of(51, true, true).has_another_chance());
        assert!(!of(0, false, false).has_another_chance());
        assert!(of(51, false, true).tried() && !of(50, false, true).tried());
    }
}
