//! Whether there is room for a job: a place to wait, a worker to take it, memory to run in. The numbers are those of the table
//! of lanes.

use super::super::lanes::{Lane, LaneRow, ROWS, TINY_MS};
use super::super::urgency::Urgency;
use super::{Queue, Running};

/// No less than this is kept of memory for light work, of which a worker without a picture is a third, but for small machines:
/// there it is half of all.
const LEAST_LIGHT_MEMORY: u64 = 128 << 20;
/// Viewers who came within this time are reckoned with: workers are kept for more of them.
const LATELY_MS: u64 = 600_000;

impl Queue {
    /// Of the memory that there is for conversions, what is kept for light work; what needs more of it is heavy.
    pub(super) fn light_memory(&self) -> u64 {
        (self.capacity.memory / 8).max(LEAST_LIGHT_MEMORY.min(self.capacity.memory / 2))
    }

    /// Of that memory, what a lane may fill.
    fn memory_of(&self, row: &LaneRow) -> u64 {
        let left = match row.leaves.memory {
            0 => 0,
            eighths => (self.capacity.memory / 8).saturating_mul(eighths).max(self.light_memory()),
        };
        self.capacity.memory.saturating_sub(left)
    }

    /// Whether there is room in the queue.
    pub(super) fn has_place(&self, row: &LaneRow, more: u64) -> bool {
        let without = |all: u64| all - all.checked_div(row.leaves.places).unwrap_or(0);
        let jobs = (self.capacity.jobs as u64 / row.room).max(1);
        let bytes = self.capacity.source_bytes / row.room;
        // What a lane may fill, those after it fill too.
        let with_later = |other: &LaneRow| other.urgency == row.urgency && other.lane >= row.lane;
        let lines = || self.lines.iter().zip(&ROWS).filter(|(_, other)| with_later(other)).map(|(line, _)| line);
        let held = lines().fold(0u64, |sum, line| sum.saturating_add(line.source_bytes));
        let waiting: u64 = lines().map(|line| line.waiting.len() as u64).sum();
        let fits = held == 0 || held.saturating_add(more) <= without(bytes);
        fits && waiting < without(jobs).max(1) && (self.waiting_for(row.urgency) as u64) < jobs
    }

    /// Whether a worker may take a job of this line now, those who wait considered. `idle` workers are ready.
    pub(super) fn has_turn(&self, line: usize, idle: usize, now: u64) -> bool {
        let row = LaneRow::of(line);
        let workers = self.capacity.workers.max(1);
        // What others run is not in the way of viewers: it has workers of its own, see `beside`.
        let (viewers, heavy) = (self.running_for(Urgency::Viewer), self.running_in(Lane::Heavy));
        match row.lane {
            // The last worker is left to light work that waits.
            Lane::Heavy if workers >= 2 && self.waiting_in(Lane::Light) > 0 => {
                viewers < workers && heavy < workers - row.leaves.workers
            }
            Lane::Heavy => viewers < workers,
            // Tiny jobs take the spare at any time, other light ones when heavy work has all workers.
            Lane::Light if row.up_to_ms <= TINY_MS => viewers < workers + 1,
            Lane::Light => viewers < workers || (heavy == viewers && heavy == workers),
            Lane::Upload | Lane::Batch => {
                let leaves_enough = !self.viewers_come(now) || idle > (workers + 1).saturating_sub(viewers);
                leaves_enough && self.running.len() < workers && self.running_behind() < self.most_behind(row, now)
            }
        }
    }

    /// Jobs that run at once without anybody's seeing a page earlier for it, at most.
    fn most_behind(&self, row: &LaneRow, now: u64) -> usize {
        let workers = self.capacity.workers.max(1);
        if self.viewers_come(now) { workers.saturating_sub(row.leaves.workers).max(1) } else { workers }
    }

    /// Workers that there should be beside the pool's size and its spare: as many as have, or could have, work that no viewer
    /// waits for. So that whoever comes finds as many ready as if there were none of that.
    pub fn beside(&self, now: u64) -> usize {
        if !self.viewers_come(now) {
            return 0;
        }
        let (running, mut wanted) = (self.running_behind(), self.running_behind());
        for row in ROWS.iter().filter(|row| row.urgency != Urgency::Viewer) {
            let waiting = self.waiting_in(row.lane);
            wanted = wanted.max((running + waiting).min(self.most_behind(row, now)));
        }
        wanted
    }

    /// Whether viewers have come lately.
    fn viewers_come(&self, now: u64) -> bool {
        self.viewer_came.is_some_and(|came| now.saturating_sub(came) < LATELY_MS)
    }

    /// Whether there is memory for a job. One job of each lane of viewers may always run: a light one is small by definition.
    pub(super) fn has_memory(&self, row: &LaneRow, bytes: u64) -> bool {
        let sum = |all: u64, running: &Running| all.saturating_add(running.bytes);
        let of_lane = || self.running.values().filter(|running| running.row().lane == row.lane);
        let (all, own) = (self.running.values().fold(bytes, sum), of_lane().fold(bytes, sum));
        let (alone, within) = (of_lane().next().is_none(), own <= self.memory_of(row));
        match row.urgency {
            Urgency::Viewer => alone || (all <= self.capacity.memory && within),
            // Only beside all that runs, and never in what is kept for light work.
            Urgency::Upload | Urgency::Batch => {
                let beside = all <= self.capacity.memory.saturating_sub(self.light_memory());
                self.running.is_empty() || (beside && (alone || within))
            }
        }
    }
}
