//! A place in the pool: a worker, what it is doing, and how worn it is.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::protocol::Task;
use super::spawn::Process;
use super::thread_pool::Thread;

/// A worker is replaced after so much time at work, far below its limit of CPU time.
const WORKED: Duration = Duration::from_secs(3600);

/// A worker and its state.
#[derive(Debug)]
pub(super) struct Slot {
    /// Who works.
    pub body: WorkerBody,
    /// What it is doing.
    pub state: SlotState,
    /// When it last ended a job: the warmest worker is taken first.
    pub last_job: Option<Instant>,
    /// Resident bytes after its last job.
    pub resident: u64,
    /// Of these, what no other process shares.
    pub private: u64,
    /// The site whose risky files it has read, which it serves alone from then on.
    pub owner: Option<Arc<str>>,
    jobs: u64,
    worked: Duration,
}

/// Who works.
#[derive(Debug)]
pub(super) enum WorkerBody {
    /// A sandboxed process.
    Process(Process),
    /// A thread of the service.
    Thread(Thread),
}

/// What a worker is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SlotState {
    /// It prepares itself, and is killed if that takes too long.
    Starting {
        /// Until then.
        until: Instant,
    },
    /// Ready for work.
    Idle,
    /// At work.
    Busy {
        /// On this job.
        job: u64,
    },
    /// Killed or asked to leave; not of the pool any more, but not reaped yet.
    Leaving {
        /// Killed then, whatever it was asked before.
        until: Instant,
    },
}

impl Slot {
    /// A new worker.
    pub fn new(body: WorkerBody, state: SlotState) -> Self {
        Self { body, state, last_job: None, resident: 0, private: 0, owner: None, jobs: 0, worked: Duration::ZERO }
    }

    /// Hands over a job.
    pub fn run(&self, id: u64, task: &Task, source: &Bytes, marks: &[Bytes]) -> io::Result<()> {
        match &self.body {
            WorkerBody::Process(process) => process.run(id, task, source, marks),
            WorkerBody::Thread(thread) => thread.run(id, task, source, marks),
        }
    }

    /// A job has ended: notes its wear.
    pub fn rest(&mut self, ran: Duration, now: Instant) {
        self.state = SlotState::Idle;
        self.last_job = Some(now);
        self.jobs = self.jobs.saturating_add(1);
        self.worked = self.worked.saturating_add(ran);
        self.measure();
    }

    /// Reads how much memory it holds.
    pub fn measure(&mut self) {
        if let WorkerBody::Process(process) = &self.body {
            (self.resident, self.private) = process.resident();
        }
    }

    /// Whether it should be replaced.
    pub fn is_worn(&self, most_jobs: u64, most_resident: u64) -> bool {
        match self.body {
            WorkerBody::Process(_) => self.jobs >= most_jobs || self.resident > most_resident || self.worked > WORKED,
            WorkerBody::Thread(_) => false,
        }
    }

    /// Whether it belongs to the pool's strength.
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, SlotState::Leaving { .. })
    }

    /// Kills it. False: it is a thread and goes on.
    pub fn kill(&mut self, now: Instant) -> bool {
        match &self.body {
            WorkerBody::Process(process) => {
                process.kill();
                self.state = SlotState::Leaving { until: now + WORKED };
                true
            }
            WorkerBody::Thread(_) => false,
        }
    }

    /// Its process number.
    pub fn pid(&self) -> Option<u32> {
        match &self.body {
            WorkerBody::Process(process) => Some(process.pid()),
            WorkerBody::Thread(_) => None,
        }
    }
}
