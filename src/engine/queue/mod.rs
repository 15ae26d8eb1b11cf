//! Who waits, who runs, who is next, and who is refused. Pure: time is a number, in milliseconds on the caller's clock.
//!
//! The queue is bounded by estimated time: work that would not be done by its deadline is refused when it comes, not
//! when its time is over.
//!
//! Jobs stand in lines by who waits for them and by what they are estimated at ([`super::lanes`]), and the lines of viewers take
//! turns by CPU time (start-time fair queueing): whoever comes to an empty line is next but for those who are as cheap, however
//! many dearer ones wait. Nothing interrupts a job that runs, so that a cheap one waits for as long as the dearest of its lane
//! takes: light work is short by definition, and always has a worker. Heavy work leaves one to light work that waits; when it
//! has every worker, one light job at a time takes the spare; and what is tiny takes the spare whenever it is there. Memory and
//! places are kept for light work in the same way.
//!
//! What no viewer waits for (uploads, then batches) runs in what viewers leave: it begins only while no viewer waits and a
//! worker's share of the processor is free, on a process that is beside those that viewers may need ([`Queue::beside`]). So a
//! viewer's turn comes as if it were not there; only memory that it has already taken is in the way. One such job may begin
//! while a viewer waits for memory alone, when it has waited for a minute: else it might wait for ever beside idle workers.

mod refusal;
mod room;
mod wait;

use std::collections::{HashMap, VecDeque};

pub use refusal::{Rejection, seconds};

use super::lanes::{LIGHT_MS, LINES, Lane, LaneRow, ROWS};
use super::urgency::Urgency;

/// A job that waits for memory longer than this is no longer overtaken by others of its lane, but for light ones.
const OVERTAKEN_MS: u64 = 1_000;
/// What no viewer waits for begins when it has waited for so long, also while viewers wait for memory.
const PATIENCE_MS: u64 = 60_000;

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
    /// Who waits for it.
    pub urgency: Urgency,
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
pub struct Capacity {
    /// Conversions that run at once, 1 or more.
    pub workers: usize,
    /// Estimated bytes of all running conversions.
    pub memory: u64,
    /// Estimated bytes of one conversion.
    pub worker_memory: u64,
    /// Jobs of viewers that wait; of others a part of this each, beside them.
    pub jobs: usize,
    /// Bytes of originals of viewers that wait; of others a part of this each, beside them.
    pub source_bytes: u64,
}

/// The lines and what runs.
#[derive(Debug)]
pub struct Queue {
    capacity: Capacity,
    lines: [Line; LINES],
    /// Of each urgency, the turn of the job that was started last: where a line begins that was empty.
    turns: [u64; Urgency::ALL.len()],
    running: HashMap<u64, Running>,
    /// When a viewer came last.
    viewer_came: Option<u64>,
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

    fn row(&self) -> &'static LaneRow {
        LaneRow::of(self.line)
    }
}

/// What a job counts of its line's turns.
fn charge(line: usize, cpu_ms: u64) -> u64 {
    cpu_ms.max(1).saturating_mul(LaneRow::of(line).factor())
}

impl Queue {
    /// An empty queue.
    pub fn new(capacity: Capacity) -> Self {
        let turns = [0; Urgency::ALL.len()];
        Self { capacity, lines: Default::default(), turns, running: HashMap::new(), viewer_came: None }
    }

    /// Takes a job in, or says at once why not.
    ///
    /// # Errors
    /// See [`Rejection`].
    pub fn admit(&mut self, ticket: Ticket, now: u64) -> Result<(), Rejection> {
        if ticket.urgency == Urgency::Viewer {
            self.viewer_came = Some(now);
        }
        if ticket.bytes > self.capacity.worker_memory {
            return Err(Rejection::Memory { needs: ticket.bytes, has: self.capacity.worker_memory });
        }
        let left_ms = ticket.deadline.saturating_sub(now);
        if hopeless(ticket.cpu_ms, left_ms) {
            return Err(Rejection::Hopeless { needs_ms: ticket.cpu_ms, left_ms });
        }
        let line = self.line_of(&ticket);
        let wait_ms = self.wait_in(line, now);
        let need = wait_ms.saturating_add(ticket.cpu_ms);
        if wait_ms > 0 && need > left_ms {
            return Err(Rejection::Late { wait_ms, left_ms, again_ms: need.saturating_sub(left_ms) });
        }
        if !self.has_place(LaneRow::of(line), ticket.source_bytes) {
            return Err(Rejection::Full { wait_ms });
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
        let line = Urgency::ALL.into_iter().find_map(|urgency| self.next_line(urgency, idle, now))?;
        self.start(line, now)
    }

    /// The line of an urgency whose head should start.
    fn next_line(&self, urgency: Urgency, idle: usize, now: u64) -> Option<usize> {
        let mut order: [(u64, usize); LINES] =
            std::array::from_fn(|line| (self.lines.get(line).map_or(u64::MAX, |it| it.turn), line));
        order.sort_unstable();
        let yields = self.yields(urgency);
        let mut waits_for_memory = false;
        for (_, line) in order.into_iter().filter(|(_, line)| LaneRow::of(*line).urgency == urgency) {
            let Some(head) = self.lines.get(line).and_then(|it| it.waiting.front()) else { continue };
            let (row, waited) = (LaneRow::of(line), now.saturating_sub(head.queued));
            let light = row.lane == Lane::Light;
            let begins = !yields || (waited > PATIENCE_MS && self.running_behind() == 0);
            if !begins || !self.has_turn(line, idle, now) || (waits_for_memory && !light) {
                continue;
            }
            if self.has_memory(row, head.bytes) {
                return Some(line);
            }
            waits_for_memory |= !light && waited > OVERTAKEN_MS;
        }
        None
    }

    /// Whether somebody waits who goes before these.
    fn yields(&self, urgency: Urgency) -> bool {
        Urgency::ALL.into_iter().filter(|other| *other < urgency).any(|other| self.waiting_for(other) > 0)
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
        LaneRow::of(self.line_of(ticket)).lane
    }

    /// Jobs that wait.
    pub fn waiting(&self) -> usize {
        self.lines.iter().map(|line| line.waiting.len()).sum()
    }

    /// Jobs that wait in a lane.
    pub fn waiting_in(&self, lane: Lane) -> usize {
        self.waiting_where(|row| row.lane == lane)
    }

    /// Jobs of an urgency that wait.
    fn waiting_for(&self, urgency: Urgency) -> usize {
        self.waiting_where(|row| row.urgency == urgency)
    }

    fn waiting_where(&self, who: impl Fn(&LaneRow) -> bool) -> usize {
        self.lines.iter().zip(&ROWS).filter(|(_, row)| who(row)).map(|(line, _)| line.waiting.len()).sum()
    }

    /// Jobs that run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Jobs that run and are as urgent as that or more so.
    pub fn running_up_to(&self, urgency: Urgency) -> usize {
        self.running.values().filter(|running| running.row().urgency <= urgency).count()
    }

    /// Jobs, waiting or running, that are as urgent as that or more so: who shares the processor with such a job.
    pub fn sharing(&self, urgency: Urgency) -> usize {
        self.running_up_to(urgency) + self.waiting_where(|row| row.urgency <= urgency)
    }

    fn running_in(&self, lane: Lane) -> usize {
        self.running.values().filter(|running| running.row().lane == lane).count()
    }

    fn running_for(&self, urgency: Urgency) -> usize {
        self.running.values().filter(|running| running.row().urgency == urgency).count()
    }

    /// Jobs that run and that no viewer waits for.
    fn running_behind(&self) -> usize {
        self.running.len() - self.running_for(Urgency::Viewer)
    }

    fn line_of(&self, ticket: &Ticket) -> usize {
        let large = ticket.bytes > self.light_memory();
        let fits = |row: &LaneRow| ticket.cpu_ms <= row.up_to_ms && (!large || row.up_to_ms > LIGHT_MS);
        ROWS.iter().position(|row| row.urgency == ticket.urgency && fits(row)).unwrap_or(0)
    }

    fn start(&mut self, line: usize, now: u64) -> Option<Ticket> {
        let it = self.lines.get_mut(line)?;
        let ticket = it.waiting.pop_front()?;
        it.left(&ticket);
        if let Some(turn) = self.turns.get_mut(ticket.urgency as usize) {
            *turn = (*turn).max(it.turn);
        }
        it.turn = it.turn.saturating_add(charge(line, ticket.cpu_ms));
        let running = Running { line, bytes: ticket.bytes, cpu_ms: ticket.cpu_ms, started: now };
        self.running.insert(ticket.id, running);
        Some(ticket)
    }

    fn push(&mut self, ticket: Ticket, front: bool) {
        let line = self.line_of(&ticket);
        let turn = self.turns.get(ticket.urgency as usize).copied().unwrap_or(0);
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

#[cfg(test)]
mod tests;
#[cfg(test)]
mod urgency_tests;
