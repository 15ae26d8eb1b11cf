//! The lanes of the queue, as one table: who stands where, what share of the time each has, and what it leaves to others.
//! What the columns mean is carried out by the queue ([`super::queue`]).

use super::urgency::Urgency;

/// A job of no more than this may take the spare worker whoever has the others.
pub const TINY_MS: u64 = 8;
/// The dearest light job. A thumbnail waits for one of them at the most, on a machine whose cores are all taken.
pub const LIGHT_MS: u64 = 100;

/// A lane: which work keeps which from starving. What a lane leaves, it leaves to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// What somebody waits for, and takes tens of milliseconds.
    Light,
    /// Everything else that somebody waits for.
    Heavy,
    /// What an upload waits for.
    Upload,
    /// What nobody waits for.
    Batch,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 4] = [Self::Light, Self::Heavy, Self::Upload, Self::Batch];

    /// A short name for metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Heavy => "heavy",
            Self::Upload => "upload",
            Self::Batch => "batch",
        }
    }
}

/// A line of the queue: jobs of one lane that are about as dear. They are served in the order in which they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LaneRow {
    /// Who waits.
    pub urgency: Urgency,
    /// Its lane.
    pub lane: Lane,
    /// Up to so many estimated milliseconds of one core.
    pub up_to_ms: u64,
    /// Its share of CPU time beside the other lines of its urgency, while all of them wait.
    pub weight: u64,
    /// What jobs of its urgency may fill, of the queue's places and bytes of originals that wait: one n-th. Urgencies do not
    /// share it.
    pub room: u64,
    /// What its lane leaves to others.
    pub leaves: Leaves,
}

/// What a lane leaves to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaves {
    /// Workers, where there are two or more: a viewer's lane to cheaper jobs that wait, the others to viewers who have come
    /// lately.
    pub workers: usize,
    /// Eighths of the memory that there is for conversions.
    pub memory: u64,
    /// Of its urgency's room: one n-th; 0 is nothing.
    pub places: u64,
}

const LIGHT: LaneRow = LaneRow {
    urgency: Urgency::Viewer,
    lane: Lane::Light,
    up_to_ms: LIGHT_MS,
    weight: 3,
    room: 1,
    leaves: Leaves { workers: 0, memory: 0, places: 0 },
};

const HEAVY: LaneRow = LaneRow {
    urgency: Urgency::Viewer,
    lane: Lane::Heavy,
    up_to_ms: u64::MAX,
    weight: 1,
    room: 1,
    leaves: Leaves { workers: 1, memory: 1, places: 4 },
};

const UPLOAD: LaneRow = LaneRow {
    urgency: Urgency::Upload,
    lane: Lane::Upload,
    up_to_ms: u64::MAX,
    weight: 1,
    room: 4,
    leaves: Leaves { workers: 0, memory: 4, places: 0 },
};

const BATCH: LaneRow = LaneRow {
    urgency: Urgency::Batch,
    lane: Lane::Batch,
    up_to_ms: u64::MAX,
    weight: 1,
    room: 8,
    leaves: Leaves { workers: 1, memory: 6, places: 0 },
};

/// How many lines there are.
pub const LINES: usize = 9;

/// The table: by urgency, and the cheaper first. Each line of viewers is four to eight times as dear as the one before it, so
/// that nobody waits for his turn behind something that is much dearer.
pub static ROWS: [LaneRow; LINES] = [
    LaneRow { up_to_ms: TINY_MS, ..LIGHT },
    LaneRow { up_to_ms: 32, ..LIGHT },
    LIGHT,
    LaneRow { up_to_ms: 800, ..HEAVY },
    LaneRow { up_to_ms: 5_000, ..HEAVY },
    HEAVY,
    LaneRow { up_to_ms: LIGHT_MS, ..UPLOAD },
    UPLOAD,
    BATCH,
];

/// The greatest weight: who has it is charged for what he takes, others for as much more as they weigh less.
const MOST_WEIGHT: u64 = 3;

impl LaneRow {
    /// What the table says of a line.
    pub fn of(line: usize) -> &'static Self {
        ROWS.get(line).unwrap_or(&ROWS[0])
    }

    /// What a millisecond counts of the line's turns.
    pub fn factor(&self) -> u64 {
        MOST_WEIGHT / self.weight
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The queue finds the line of a job by going down the table, and shares by these numbers.
    #[test]
    fn the_table_is_in_order_and_every_job_has_a_line() {
        for urgency in Urgency::ALL {
            let lines = || ROWS.iter().filter(|row| row.urgency == urgency);
            assert!(lines().is_sorted_by(|a, b| a.up_to_ms < b.up_to_ms), "{urgency:?}");
            assert!(lines().next_back().is_some_and(|row| row.up_to_ms == u64::MAX), "{urgency:?}");
            assert!(lines().is_sorted_by_key(|row| row.lane));
        }
        assert!(ROWS.is_sorted_by_key(|row| row.urgency));
        for row in &ROWS {
            assert!(row.weight > 0 && row.room > 0 && MOST_WEIGHT.is_multiple_of(row.weight), "{row:?}");
            assert!(row.leaves.memory < 8, "{row:?}");
            let same = ROWS.iter().filter(|other| other.lane == row.lane);
            for other in same {
                assert_eq!((other.urgency, other.weight, other.leaves), (row.urgency, row.weight, row.leaves));
            }
        }
        for lane in Lane::ALL {
            assert!(ROWS.iter().any(|row| row.lane == lane), "{lane:?}");
        }
    }

    #[test]
    fn who_is_less_urgent_has_less() {
        let room = |urgency| ROWS.iter().find(|row| row.urgency == urgency).map(|row| row.room);
        assert!(room(Urgency::Viewer) < room(Urgency::Upload) && room(Urgency::Upload) < room(Urgency::Batch));
        let memory = |lane| ROWS.iter().find(|row| row.lane == lane).map(|row| row.leaves.memory);
        assert!(Lane::ALL.is_sorted_by_key(|lane| memory(*lane)));
    }
}
