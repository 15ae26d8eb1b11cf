//! The pool's numbers.

use parking_lot::Mutex;

use super::lanes::Lane;

/// The state of the pool at one moment, and what it has counted since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// Conversions that may run at once.
    pub workers: usize,
    /// Conversions that run.
    pub busy: usize,
    /// Workers that are sealed and idle.
    pub idle: usize,
    /// Idle workers beyond those that the pool's size asks for: 1 or more when all is well.
    pub spare: usize,
    /// Workers beside the pool's size and its spare: kept for their sites, or for work that no viewer waits for.
    pub kept: usize,
    /// Every lane's name, and the jobs that wait in it.
    pub queued: Vec<(&'static str, u64)>,
    /// How long a heavy job that came now would wait, in milliseconds.
    pub queued_ms: u64,
    /// Conversions that ended with a result.
    pub done: u64,
    /// Conversions that ended with an error of their own.
    pub failed: u64,
    /// Workers killed by the pool: deadlines, abandoned conversions, nonsense said.
    pub kills: u64,
    /// Workers that ended of their own or by somebody else's hand.
    pub crashes: u64,
    /// Workers replaced because of age or size.
    pub recycled: u64,
    /// Workers ended because other sites needed one that nobody has used, or because their site did not come back.
    pub evicted: u64,
    /// Conversions that had their turn and waited for a worker that no other site has used.
    pub parked: u64,
    /// Workers started after the first ones.
    pub respawns: u64,
    /// Conversions that were not tried.
    pub refused: Refused,
    /// Process numbers of living workers, empty with threads.
    pub worker_pids: Vec<u32>,
    /// Resident bytes of idle workers when they were last measured, after their last conversion.
    pub resident: u64,
    /// Pictures in quarantine.
    pub quarantined: usize,
    /// No more work is taken.
    pub stopping: bool,
}

impl Status {
    /// Jobs that wait in a lane.
    pub fn waiting_in(&self, lane: Lane) -> u64 {
        self.queued.iter().find(|(name, _)| *name == lane.name()).map_or(0, |(_, depth)| *depth)
    }

    /// Jobs that wait and that somebody waits for.
    pub fn waited_for(&self) -> u64 {
        Lane::ALL.into_iter().filter(|lane| *lane != Lane::Batch).map(|lane| self.waiting_in(lane)).sum()
    }
}

/// Conversions that were not tried, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// The queue was too long, or their time was over before their turn came.
    pub busy: u64,
    /// Even an idle pool would not have done them in time.
    pub hopeless: u64,
    /// They would not fit into a worker.
    pub memory: u64,
    /// Their picture rests in quarantine.
    pub quarantined: u64,
}

/// Where the supervisor writes and everybody reads.
#[derive(Debug, Default)]
pub(super) struct Board {
    status: Mutex<Status>,
}

impl Board {
    /// A copy.
    pub fn read(&self) -> Status {
        self.status.lock().clone()
    }

    /// Puts up what the supervisor sees.
    pub fn write(&self, status: &Status) {
        self.status.lock().clone_from(status);
    }
}
