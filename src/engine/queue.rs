//! Who waits, who runs, who is next, and who is refused. Pure: time is a number, in milliseconds on the caller's clock.
//!
//! The queue is bounded by estimated time: work that would not be done by its deadline is refused when it comes, not
//! when its time is over.
//!
//! Jobs stand in lines by what they are estimated at, and the lines take turns by CPU time (start-time fair queueing): whoever
//! comes to an empty line is next but for those who are as cheap, however many dearer ones wait. Nothing interrupts a job that
//! runs, so that a cheap one waits for as long as the dearest of its lane takes: light work is short by definition, and always
//! has a worker. Heavy work leaves one to light work that waits; when it has every worker, one light job at a time takes the
//! spare; and what is tiny takes the spare whenever it is there. Memory and places are kept for light work in the same way.

use std::collections::{HashMap, VecDeque};

use super::cost::Lane;
use crate::error::{Error, Kind};

/// The lines: up to so many estimated milliseconds of one core. Each is four to eight times the one before it, so that nobody
/// waits for his turn behind something that is much dearer.
const LINES: [u64; 6] = [TINY_MS, 32, LIGHT_MS, 800, 5_000, u64::MAX];
/// A job of no more than this may take the spare worker whoever has the others.
pub const TINY_MS: u64 = 8;
/// The dearest light job. A thumbnail waits for one of them at the most, on a machine whose cores are all taken.
pub const LIGHT_MS: u64 = 100;
/// Light work gets so many times the CPU time of heavy work while both wait.
const LIGHT_WEIGHT: u64 = 3;
/// Of the memory that there is for conversions, this part is kept for light work; what needs more of it is heavy.
const LIGHT_MEMORY: u64 = 8;
/// No less than this, of which a worker without a picture is a third, but for small machines: there it is half of all.
const LEAST_LIGHT_MEMORY: u64 = 128 << 20;
/// Heavy work may fill the queue's places, and its bytes of originals, but for this part.
const LIGHT_PLACES: u64 = 4;
/// A heavy job that waits for memory longer than this is no longer overtaken by other heavy ones.
const OVERTAKEN_MS: u64 = 1_000;

/// Whether a job that is estimated at so much could not be done in what is left, even by an idle pool. An estimate is meant to
/// be an upper bound, and an idle pool gives an encoder a second thread, which is worth 1.6 times one: what is estimated at
/// half as much again may still be done in time.
pub fn hopeless(cpu_ms: u64, left_ms: u64) -> bool {
    cpu_ms.saturating_mul(2) > left_ms.saturating_mul(3)
}

/// One conversion, as the queue sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The caller's name for it.
    pub id: u64,
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

/// Why a job is not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
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

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Memory { needs, has } => Self::new(
                Kind::OutOfMemory,
                format!("this conversion needs about {} MiB of memory, a worker has {} MiB", needs >> 20, has >> 20),
            ),
            Refusal::Hopeless { needs_ms, left_ms } => Self::busy(
                format!("this conversion would take about {needs_ms} ms, and there are {left_ms} ms left"),
                LONGEST_RETRY,
            ),
            Refusal::Late { wait_ms, left_ms, again_ms } => Self::busy(
                format!("about {wait_ms} ms of work wait in front of this conversion, which has {left_ms} ms"),
                seconds(again_ms),
            ),
            Refusal::Full { wait_ms } => Self::busy("too many conversions wait already", seconds(wait_ms)),
        }
    }
}

/// The lines and what runs.
#[derive(Debug)]
pub struct Queue {
    bounds: Bounds,
    lines: [Line; LINES.len()],
    /// The turn of the job that was started last: where a line begins that was empty.
    turn: u64,
    running: HashMap<u64, Running>,
}

/// Those who are about as dear, and how much they were served.
#[derive(Debug, Default)]
struct Line {
    waiting: VecDeque<Ticket>,
    /// Sum of `cpu_ms` of those who wait.
    cpu_ms: u64,
    /// Bytes of the originals of those who wait.
    source_bytes: u64,
    /// When its next turn is: CPU time given to this line, divided by its weight.
    turn: u64,
}

#[derive(Debug)]
struct Running {
    line: usize,
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

fn lane_of(line: usize) -> Lane {
    match LINES.get(line) {
        Some(most) if *most <= LIGHT_MS => Lane::Light,
        _ => Lane::Heavy,
    }
}

/// What a millisecond of a line counts.
fn weight(line: usize) -> u64 {
    match lane_of(line) {
        Lane::Light => 1,
        Lane::Heavy => LIGHT_WEIGHT,
    }
}

/// What a job counts of its line's turns.
fn charge(line: usize, cpu_ms: u64) -> u64 {
    cpu_ms.max(1).saturating_mul(weight(line))
}

impl Queue {
    /// An empty queue.
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, lines: Default::default(), turn: 0, running: HashMap::new() }
    }

    /// Takes a job in, or says at once why not.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn admit(&mut self, ticket: Ticket, now: u64) -> Result<(), Refusal> {
        if ticket.bytes > self.bounds.worker_memory {
            return Err(Refusal::Memory { needs: ticket.bytes, has: self.bounds.worker_memory });
        }
        let left_ms = ticket.deadline.saturating_sub(now);
        if hopeless(ticket.cpu_ms, left_ms) {
            return Err(Refusal::Hopeless { needs_ms: ticket.cpu_ms, left_ms });
        }
        let line = self.line_of(&ticket);
        let wait_ms = self.wait_in(line, now);
        let need = wait_ms.saturating_add(ticket.cpu_ms);
        if wait_ms > 0 && need > left_ms {
            return Err(Refusal::Late { wait_ms, left_ms, again_ms: need.saturating_sub(left_ms) });
        }
        if !self.has_place(lane_of(line), ticket.source_bytes) {
            return Err(Refusal::Full { wait_ms });
        }
        self.push(ticket, false);
        Ok(())
    }

    /// Puts a job that was taken back at the head of its line: its worker was killed from outside.
    pub fn readmit(&mut self, ticket: Ticket) {
        self.push(ticket, true);
    }

    /// The job that should start now, if there is one and `idle` workers are free. It counts as running from here on.
    pub fn next(&mut self, idle: usize, now: u64) -> Option<Ticket> {
        if idle == 0 {
            return None;
        }
        let mut order: [(u64, usize); LINES.len()] =
            std::array::from_fn(|line| (self.lines.get(line).map_or(u64::MAX, |it| it.turn), line));
        order.sort_unstable();
        let mut heavy_waits = false;
        for (_, line) in order {
            let Some(head) = self.lines.get(line).and_then(|it| it.waiting.front()) else { continue };
            let lane = lane_of(line);
            if !self.has_turn(line) || (lane == Lane::Heavy && heavy_waits) {
                continue;
            }
            if self.has_memory(lane, head.bytes) {
                return self.start(line, now);
            }
            heavy_waits |= lane == Lane::Heavy && now.saturating_sub(head.queued) > OVERTAKEN_MS;
        }
        None
    }

    /// A job has ended or was killed.
    pub fn finish(&mut self, id: u64) {
        self.running.remove(&id);
    }

    /// A job that had its turn has not run: its line has the turn back.
    pub fn give_back(&mut self, id: u64) {
        let Some(running) = self.running.remove(&id) else { return };
        if let Some(line) = self.lines.get_mut(running.line) {
            line.turn = line.turn.saturating_sub(charge(running.line, running.cpu_ms));
        }
    }

    /// Takes a waiting job out. False: it does not wait.
    pub fn remove(&mut self, id: u64) -> bool {
        self.lines.iter_mut().any(|line| {
            let at = line.waiting.iter().position(|ticket| ticket.id == id);
            let ticket = at.and_then(|at| line.waiting.remove(at));
            if let Some(ticket) = &ticket {
                line.left(ticket);
            }
            ticket.is_some()
        })
    }

    /// The lane that a job stands in.
    pub fn lane(&self, ticket: &Ticket) -> Lane {
        lane_of(self.line_of(ticket))
    }

    /// How long a job like this that came now would wait for its start, in milliseconds.
    pub fn wait_of(&self, ticket: &Ticket, now: u64) -> u64 {
        self.wait_in(self.line_of(ticket), now)
    }

    /// How long the dearest job of a lane that came now would wait for its start, in milliseconds.
    pub fn wait_ms(&self, lane: Lane, now: u64) -> u64 {
        (0..self.lines.len())
            .filter(|line| lane_of(*line) == lane)
            .map(|line| self.wait_in(line, now))
            .max()
            .unwrap_or(0)
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.lines.iter().map(|line| line.waiting.len()).sum()
    }

    /// Jobs that wait in a lane.
    pub fn waiting_in(&self, lane: Lane) -> usize {
        self.of(lane).map(|line| line.waiting.len()).sum()
    }

    /// Jobs that run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    fn of(&self, lane: Lane) -> impl Iterator<Item = &Line> {
        self.lines.iter().enumerate().filter(move |(line, _)| lane_of(*line) == lane).map(|(_, line)| line)
    }

    fn line_of(&self, ticket: &Ticket) -> usize {
        let by_time = LINES.partition_point(|most| *most < ticket.cpu_ms);
        let large = ticket.bytes > self.light_memory();
        // The first heavy line.
        if large { by_time.max(LINES.partition_point(|most| *most <= LIGHT_MS)) } else { by_time }
    }

    fn light_memory(&self) -> u64 {
        (self.bounds.memory / LIGHT_MEMORY).max(LEAST_LIGHT_MEMORY).min(self.bounds.memory / 2)
    }

    fn wait_in(&self, line: usize, now: u64) -> u64 {
        let lane = lane_of(line);
        let own = self.lines.get(line).map_or(0, |own| own.cpu_ms);
        let alone = self.lines.get(line).is_none_or(|own| own.waiting.is_empty());
        let yields = lane == Lane::Heavy && self.waiting_in(Lane::Light) > 0;
        if alone && !yields && self.has_turn(line) {
            return 0;
        }
        // The other lines get their share for as long as this one waits, and no more than they have.
        let others =
            self.lines.iter().enumerate().filter(|(other, _)| *other != line).fold(0u64, |sum, (other, it)| {
                sum.saturating_add(it.cpu_ms.min(own.saturating_mul(weight(line)) / weight(other)))
            });
        let workers = self.bounds.workers.max(1) as u64;
        let heavy = self.heavy() as u64;
        // Nobody waits for heavy work but heavy work.
        let (servers, before) = match lane {
            Lane::Light => (workers.saturating_sub(heavy).max(1), self.left(Lane::Light, now)),
            Lane::Heavy => (workers, self.left(Lane::Light, now).saturating_add(self.left(Lane::Heavy, now))),
        };
        if own == 0 && others == 0 {
            // Until the first who runs has ended.
            let of_lane = |running: &&Running| lane == Lane::Heavy || lane_of(running.line) == Lane::Light;
            return self.running.values().filter(of_lane).map(|running| running.left(now)).min().unwrap_or(0).max(1);
        }
        (before.saturating_add(own).saturating_add(others) / servers).max(1)
    }

    /// What those of a lane who run have probably left, together.
    fn left(&self, lane: Lane, now: u64) -> u64 {
        let of_lane = |running: &&Running| lane_of(running.line) == lane;
        self.running.values().filter(of_lane).fold(0u64, |sum, running| sum.saturating_add(running.left(now)))
    }

    /// Heavy jobs that run.
    fn heavy(&self) -> usize {
        self.running.values().filter(|running| lane_of(running.line) == Lane::Heavy).count()
    }

    /// Whether there is room in the queue.
    fn has_place(&self, lane: Lane, more: u64) -> bool {
        let sum = |lane| self.of(lane).fold(0u64, |sum, line| sum.saturating_add(line.source_bytes));
        let (light, heavy) = (sum(Lane::Light), sum(Lane::Heavy));
        let fits = |held: u64, most: u64| held == 0 || held.saturating_add(more) <= most;
        let most = self.bounds.source_bytes;
        let free = match lane {
            Lane::Light => self.waiting() < self.bounds.jobs && fits(light.saturating_add(heavy), most),
            Lane::Heavy => {
                let places = self.bounds.jobs - self.bounds.jobs / LIGHT_PLACES as usize;
                self.waiting_in(Lane::Heavy) < places.max(1) && fits(heavy, most - most / LIGHT_PLACES)
            }
        };
        free && self.waiting() < self.bounds.jobs
    }

    /// Whether a worker may take a job of this line now, those who wait considered.
    fn has_turn(&self, line: usize) -> bool {
        let workers = self.bounds.workers.max(1);
        let (running, heavy) = (self.running.len(), self.heavy());
        match lane_of(line) {
            // The last worker is left to light work that waits.
            Lane::Heavy if workers >= 2 && self.waiting_in(Lane::Light) > 0 => running < workers && heavy < workers - 1,
            Lane::Heavy => running < workers,
            // Tiny jobs take the spare at any time, other light ones when heavy work has all workers.
            Lane::Light if line == 0 => running < workers + 1,
            Lane::Light => running < workers || (heavy == running && heavy == workers),
        }
    }

    /// Whether there is memory for a job. One job of each lane may always run: a light one is small by definition.
    fn has_memory(&self, lane: Lane, bytes: u64) -> bool {
        let sum = |lane| {
            let of_lane = |running: &&Running| lane_of(running.line) == lane;
            self.running.values().filter(of_lane).fold(0u64, |sum, running| sum.saturating_add(running.bytes))
        };
        let (light, heavy) = (sum(Lane::Light), sum(Lane::Heavy));
        let fits = light.saturating_add(heavy).saturating_add(bytes) <= self.bounds.memory;
        match lane {
            Lane::Light => self.running.len() == self.heavy() || fits,
            Lane::Heavy => {
                let most = self.bounds.memory.saturating_sub(self.light_memory());
                self.heavy() == 0 || (fits && heavy.saturating_add(bytes) <= most)
            }
        }
    }

    fn start(&mut self, line: usize, now: u64) -> Option<Ticket> {
        let it = self.lines.get_mut(line)?;
        let ticket = it.waiting.pop_front()?;
        it.left(&ticket);
        self.turn = self.turn.max(it.turn);
        it.turn = it.turn.saturating_add(charge(line, ticket.cpu_ms));
        let running = Running { line, bytes: ticket.bytes, cpu_ms: ticket.cpu_ms, started: now };
        self.running.insert(ticket.id, running);
        Some(ticket)
    }

    fn push(&mut self, ticket: Ticket, front: bool) {
        let line = self.line_of(&ticket);
        let turn = self.turn;
        let Some(it) = self.lines.get_mut(line) else { return };
        if it.waiting.is_empty() {
            // A line that was empty does not save up turns.
            it.turn = it.turn.max(turn);
        }
        it.cpu_ms = it.cpu_ms.saturating_add(ticket.cpu_ms);
        it.source_bytes = it.source_bytes.saturating_add(ticket.source_bytes);
        if front {
            it.waiting.push_front(ticket);
        } else {
            it.waiting.push_back(ticket);
        }
    }
}

impl Line {
    /// A job has been taken out.
    fn left(&mut self, ticket: &Ticket) {
        self.cpu_ms = self.cpu_ms.saturating_sub(ticket.cpu_ms);
        self.source_bytes = self.source_bytes.saturating_sub(ticket.source_bytes);
    }
}

/// The longest `Retry-After`, in seconds; also for what no waiting makes possible.
const LONGEST_RETRY: u32 = 60;

/// Milliseconds as the whole seconds of a `Retry-After`, 1 to 60.
pub fn seconds(ms: u64) -> u32 {
    ms.div_ceil(1000).clamp(1, u64::from(LONGEST_RETRY)) as u32
}

#[cfg(test)]
#[path = "queue_tests.rs"]
mod tests;
