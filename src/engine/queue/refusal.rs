//! Why the queue does not take a job in, and what its client is told.

use crate::error::{Error, Kind};

/// Why a job is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rejection {
    /// It would not fit into a worker.
    Memory {
        /// Estimated bytes.
        needs: u64,
        /// Bytes of a worker.
        has: u64,
    },
    /// Even an idle pool could not do it in time.
    Hopeless {
        /// Estimated time.
        needs_ms: u64,
        /// Time that is left.
        left_ms: u64,
    },
    /// The work before it leaves it too little time.
    Late {
        /// Estimated time until its turn.
        wait_ms: u64,
        /// Time that is left.
        left_ms: u64,
        /// When enough of the work before it will be done.
        again_ms: u64,
    },
    /// There is no place.
    Full {
        /// Estimated time until its turn.
        wait_ms: u64,
    },
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::Memory { needs, has } => Self::new(
                Kind::OutOfMemory,
                format!("this conversion needs about {} MiB of memory, a worker has {} MiB", needs >> 20, has >> 20),
            ),
            Rejection::Hopeless { needs_ms, left_ms } => Self::busy(
                format!("this conversion would take about {needs_ms} ms, and there are {left_ms} ms left"),
                LONGEST_RETRY,
            ),
            Rejection::Late { wait_ms, left_ms, again_ms } => Self::busy(
                format!("about {wait_ms} ms of work wait in front of this conversion, which has {left_ms} ms"),
                seconds(again_ms),
            ),
            Rejection::Full { wait_ms } => Self::busy("too many conversions wait already", seconds(wait_ms)),
        }
    }
}

/// The longest `Retry-After`, in seconds; also for what no waiting makes possible.
const LONGEST_RETRY: u32 = 60;

/// Milliseconds as the whole seconds of a `Retry-After`, 1 to 60.
pub fn seconds(ms: u64) -> u32 {
    ms.div_ceil(1000).clamp(1, u64::from(LONGEST_RETRY)) as u32
}
