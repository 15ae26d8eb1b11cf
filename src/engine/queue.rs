//! Who waits, who runs, who is next, and who is refused. Pure: time is a number, in milliseconds on the caller's clock.
//!
//! The queue is bounded by estimated time: work that would not be done by its deadline is refused when it comes, not
//! when its time is over. Two lanes take turns by weighted CPU time; heavy work leaves one worker to light work that
//! waits, and when heavy work has every worker, one light job at a time may take the spare.

use std::collections::{HashMap, VecDeque};

use super::cost::Lane;
use crate::error::{Error, Kind};

/// Light work gets so many times the CPU time of heavy work while both wait.
const LIGHT_WEIGHT: u64 = 3;
/// The head of a lane that waits for memory longer than this is no longer overtaken by the other lane.
const OVERTAKEN_MS: u64 = 1_000;
/// A job that is estimated at so many times the time it has left is hopeless even on an idle pool.
pub(super) const HOPELESS: u64 = 4;

/// One conversion, as the queue sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The caller's name for it.
    pub id: u64,
    /// Its lane.
    pub lane: Lane,
    /// Estimated peak memory.
    pub bytes: u64,
    /// Estimated time on one core, corrected.
    pub cpu_ms: u64,
    /// Bytes of the original that lie in memory while it waits.
    pub source_bytes: u64,
    /// When it must be done.
    pub deadline: u64,
    /// When it came.
    pub queued: u64,
}

/// What bounds the queue.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Conversions that run at once, 1 or more.
    pub workers: usize,
    /// Estimated bytes of all running conversions.
    pub memory: u64,
    /// Estimated bytes of one conversion.
    pub worker_memory: u64,
    /// Jobs that wait.
    pub jobs: usize,
    /// Bytes of originals that wait.
    pub source_bytes: u64,
}

/// The lanes and what runs.
#[derive(Debug)]
pub struct Queue {
    bounds: Bounds,
    light: Line,
    heavy: Line,
    running: HashMap<u64, Running>,
    running_bytes: u64,
    waiting_source: u64,
}

/// A lane: who stands in it, and how much it was served.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Ticket>,
    /// Sum of `cpu_ms` of those who wait.
    cpu_ms: u64,
    /// CPU time given to this lane, divided by its weight.
    served: u64,
}

#[derive(Debug)]
struct Running {
    lane: Lane,
    bytes: u64,
    cpu_ms: u64,
    started: u64,
}

impl Running {
    /// What is probably left. A job that has outrun its estimate is expected to take a quarter of its time more.
    fn left(&self, now: u64) -> u64 {
        let ran = now.saturating_sub(self.started);
        if ran < self.cpu_ms { self.cpu_ms - ran } else { ran / 4 }
    }
}

impl Queue {
    /// An empty queue.
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            light: Line::default(),
            heavy: Line::default(),
            running: HashMap::new(),
            running_bytes: 0,
            waiting_source: 0,
        }
    }

    /// Takes a job in, or says at once why not.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`] if it would not fit into a worker, [`Kind::Deadline`] if even an idle pool could not do it
    /// in time, [`Kind::Busy`] with the time to come back if the work before it leaves too little.
    pub fn admit(&mut self, ticket: Ticket, now: u64) -> Result<(), Error> {
        if ticket.bytes > self.bounds.worker_memory {
            return Err(Error::new(
                Kind::OutOfMemory,
                format!(
                    "this conversion needs about {} MiB of memory, a worker has {} MiB",
                    ticket.bytes >> 20,
                    self.bounds.worker_memory >> 20
                ),
            ));
        }
        let left = ticket.deadline.saturating_sub(now);
        if ticket.cpu_ms > left.saturating_mul(HOPELESS) {
            return Err(Error::new(
                Kind::Deadline,
                format!("this conversion would take about {} ms, and there are {left} ms left", ticket.cpu_ms),
            ));
        }
        let wait = self.wait_ms(ticket.lane, now);
        let need = wait.saturating_add(ticket.cpu_ms);
        if wait > 0 && need > left {
            let message = format!("about {wait} ms of work wait in front of this conversion, which has {left} ms");
            return Err(Error::busy(message, seconds(need.saturating_sub(left))));
        }
        let source = self.waiting_source.saturating_add(ticket.source_bytes);
        if self.waiting() >= self.bounds.jobs || (self.waiting_source > 0 && source > self.bounds.source_bytes) {
            return Err(Error::busy("too many conversions wait already", seconds(wait)));
        }
        self.push(ticket, false);
        Ok(())
    }

    /// Puts a job that was taken back at the head of its lane: its worker was killed from outside.
    pub fn readmit(&mut self, ticket: Ticket) {
        self.push(ticket, true);
    }

    /// The job that should start now, if there is one and `idle` workers are free. It counts as running from here on.
    pub fn next(&mut self, idle: usize, now: u64) -> Option<Ticket> {
        if idle == 0 {
            return None;
        }
        let light_first = self.light.served <= self.heavy.served;
        let order = if light_first { [Lane::Light, Lane::Heavy] } else { [Lane::Heavy, Lane::Light] };
        for lane in order {
            let Some(head) = self.line(lane).waiting.front() else { continue };
            if !self.has_turn(lane) {
                continue;
            }
            if self.running.is_empty() || self.running_bytes.saturating_add(head.bytes) <= self.bounds.memory {
                return self.start(lane, now);
            }
            if now.saturating_sub(head.queued) > OVERTAKEN_MS {
                return None;
            }
        }
        None
    }

    /// A job has ended or was killed.
    pub fn finish(&mut self, id: u64) {
        if let Some(running) = self.running.remove(&id) {
            self.running_bytes = self.running_bytes.saturating_sub(running.bytes);
        }
    }

    /// Takes a waiting job out. False: it does not wait.
    pub fn remove(&mut self, id: u64) -> bool {
        for lane in Lane::ALL {
            let line = self.line_mut(lane);
            let Some(at) = line.waiting.iter().position(|ticket| ticket.id == id) else { continue };
            let ticket = line.waiting.remove(at);
            self.left_line(lane, ticket.as_ref());
            return true;
        }
        false
    }

    /// How long a job that came now would wait for its start, in milliseconds.
    pub fn wait_ms(&self, lane: Lane, now: u64) -> u64 {
        if self.line(lane).waiting.is_empty() && self.has_turn_alone(lane) {
            return 0;
        }
        if self.waiting() == 0 {
            return self.running.values().map(|running| running.left(now)).min().unwrap_or(0);
        }
        // The other lane gets its share for as long as this one waits, and no more than it has.
        let ahead = match lane {
            Lane::Light => self.light.cpu_ms.saturating_add(self.heavy.cpu_ms.min(self.light.cpu_ms / LIGHT_WEIGHT)),
            Lane::Heavy => {
                let share = self.heavy.cpu_ms.saturating_mul(LIGHT_WEIGHT);
                self.heavy.cpu_ms.saturating_add(self.light.cpu_ms.min(share))
            }
        };
        let running = self.running.values().fold(0u64, |sum, running| sum.saturating_add(running.left(now)));
        (running.saturating_add(ahead) / self.bounds.workers.max(1) as u64).max(1)
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.light.waiting.len() + self.heavy.waiting.len()
    }

    /// Jobs that wait in a lane.
    pub fn waiting_in(&self, lane: Lane) -> usize {
        self.line(lane).waiting.len()
    }

    /// Jobs that run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether a worker may take a job of this lane now, those who wait considered.
    fn has_turn(&self, lane: Lane) -> bool {
        let workers = self.bounds.workers.max(1);
        let heavy = self.running.values().filter(|running| running.lane == Lane::Heavy).count();
        match lane {
            // The last worker is left to light work that waits.
            Lane::Heavy if workers >= 2 && !self.light.waiting.is_empty() => {
                self.running.len() < workers && heavy < workers - 1
            }
            Lane::Heavy => self.running.len() < workers,
            // All workers are with heavy work: the spare takes one light job at a time.
            Lane::Light => self.running.len() < workers || (heavy == self.running.len() && heavy == workers),
        }
    }

    /// Whether a job of this lane would start at once if nobody else of it waited.
    fn has_turn_alone(&self, lane: Lane) -> bool {
        match lane {
            Lane::Light => self.has_turn(lane),
            Lane::Heavy => self.light.waiting.is_empty() && self.has_turn(lane),
        }
    }

    fn start(&mut self, lane: Lane, now: u64) -> Option<Ticket> {
        let ticket = self.line_mut(lane).waiting.pop_front()?;
        self.left_line(lane, Some(&ticket));
        let weight = match lane {
            Lane::Light => 1,
            Lane::Heavy => LIGHT_WEIGHT,
        };
        let line = self.line_mut(lane);
        line.served = line.served.saturating_add(ticket.cpu_ms.max(1).saturating_mul(weight));
        self.running_bytes = self.running_bytes.saturating_add(ticket.bytes);
        let running = Running { lane, bytes: ticket.bytes, cpu_ms: ticket.cpu_ms, started: now };
        self.running.insert(ticket.id, running);
        Some(ticket)
    }

    fn push(&mut self, ticket: Ticket, front: bool) {
        let other = match ticket.lane {
            Lane::Light => &self.heavy,
            Lane::Heavy => &self.light,
        };
        // A lane that was empty does not save up turns.
        let floor = if other.waiting.is_empty() { 0 } else { other.served };
        self.waiting_source = self.waiting_source.saturating_add(ticket.source_bytes);
        let line = self.line_mut(ticket.lane);
        if line.waiting.is_empty() {
            line.served = line.served.max(floor);
        }
        line.cpu_ms = line.cpu_ms.saturating_add(ticket.cpu_ms);
        if front {
            line.waiting.push_front(ticket);
        } else {
            line.waiting.push_back(ticket);
        }
    }

    fn left_line(&mut self, lane: Lane, ticket: Option<&Ticket>) {
        let Some(ticket) = ticket else { return };
        self.waiting_source = self.waiting_source.saturating_sub(ticket.source_bytes);
        let line = self.line_mut(lane);
        line.cpu_ms = line.cpu_ms.saturating_sub(ticket.cpu_ms);
    }

    fn line(&self, lane: Lane) -> &Line {
        match lane {
            Lane::Light => &self.light,
            Lane::Heavy => &self.heavy,
        }
    }

    fn line_mut(&mut self, lane: Lane) -> &mut Line {
        match lane {
            Lane::Light => &mut self.light,
            Lane::Heavy => &mut self.heavy,
        }
    }
}

/// Milliseconds as the whole seconds of a `Retry-After`, 1 to 60.
pub fn seconds(ms: u64) -> u32 {
    ms.div_ceil(1000).clamp(1, 60) as u32
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
