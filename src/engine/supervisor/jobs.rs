//! The supervisor's care for its jobs: taken in, given to a worker, answered exactly once.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::allotment::Dispatch;
use super::super::event::Exit;
use super::super::fate::{Bereft, Fate, Overdue};
use super::super::protocol::Task;
use super::super::quarantine::Looked;
use super::super::queue::{Rejection, Ticket, hopeless, seconds};
use super::super::slot::SlotState;
use super::super::{Errand, TaskOutput};
use super::{ABANDONED, Job, Phase, Pool, Submission, micros, millis};
use crate::error::{Error, Kind};
use crate::imaging::Outcome;

impl Pool {
    pub(super) fn submit(&mut self, submission: Submission) {
        let Submission { id, errand, reply } = submission;
        let now = Instant::now();
        match self.admit(id, &errand, now) {
            Ok(ticket) => {
                self.sites.see(&errand.tenant.site, ticket.queued);
                let due = errand.deadline;
                self.due.insert((due, id));
                let (abandoned, retried, pressed, run) = (false, false, false, None);
                let job = Job { errand, reply, ticket, submitted: now, due, abandoned, retried, pressed, run };
                self.jobs.insert(id, job);
            }
            Err(error) => self.outbox.push((reply, Err(error))),
        }
    }

    fn admit(&mut self, id: u64, errand: &Errand, at: Instant) -> Result<Ticket, Error> {
        let refused = &mut self.status.refused;
        if matches!(self.phase, Phase::Stopping { .. }) {
            refused.busy = refused.busy.saturating_add(1);
            return Err(Error::busy("the service is shutting down", 1));
        }
        let now = self.clock(at);
        if let Some(rest) = self.quarantine.check(&errand.digest, errand.fingerprint(), now) {
            self.status.refused.quarantined = self.status.refused.quarantined.saturating_add(1);
            return Err(Error::new(
                Kind::Quarantined,
                format!("this picture has crashed or starved a worker and is refused for {} s", rest.div_ceil(1000)),
            ));
        }
        let deadline = self.clock(errand.deadline);
        let (work, estimated) = (errand.cost.work, errand.cost.cpu_ms);
        let idle = self.queue.running_up_to(errand.urgency) == 0;
        let cpu_ms = self.corrections.admitted(work, estimated, deadline.saturating_sub(now), idle);
        let ticket = Ticket {
            id,
            urgency: errand.urgency,
            bytes: errand.cost.bytes,
            cpu_ms,
            source_bytes: errand.marks.iter().map(Bytes::len).sum::<usize>() as u64 + errand.source.len() as u64,
            deadline,
            queued: now,
        };
        match self.queue.admit(ticket.clone(), now) {
            Ok(()) => Ok(ticket),
            Err(rejection) => {
                let refused = &mut self.status.refused;
                let counter = match rejection {
                    Rejection::Memory { .. } => &mut refused.memory,
                    Rejection::Hopeless { .. } => &mut refused.hopeless,
                    Rejection::Late { .. } | Rejection::Full { .. } => &mut refused.busy,
                };
                *counter = counter.saturating_add(1);
                Err(rejection.into())
            }
        }
    }

    /// Nobody waits any more.
    pub(super) fn abandon(&mut self, id: u64) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if job.run.is_none() {
            self.unqueue(id);
            self.forget(id);
        } else if !job.errand.urgency.finishes() {
            self.due.remove(&(job.due, id));
            job.abandoned = true;
            job.due = job.due.min(Instant::now() + ABANDONED);
            self.due.insert((job.due, id));
        }
    }

    /// Gives work to idle workers for as long as there is both.
    pub(super) fn dispatch(&mut self) {
        self.seat(Instant::now());
        loop {
            let at = Instant::now();
            let now = self.clock(at);
            let idle = self.slots.values().filter(|slot| slot.state == SlotState::Idle).count();
            let Some(ticket) = self.queue.next(idle, now) else { break };
            let left = ticket.deadline.saturating_sub(now);
            if hopeless(ticket.cpu_ms, left) {
                self.queue.give_back(ticket.id);
                self.refuse_late(ticket.id);
                continue;
            }
            match self.pick(ticket.id) {
                Some(slot) => self.give(slot, &ticket, at, left),
                None => self.park(ticket, at),
            }
        }
        // Starting a worker takes processor time, which those who wait for an answer need more.
        if self.queue.running() < self.cores {
            self.keep_one_free(Instant::now());
        }
    }

    pub(super) fn give(&mut self, slot: u64, ticket: &Ticket, at: Instant, left: u64) {
        let dispatch = Dispatch {
            estimate: ticket.cpu_ms,
            left,
            wait: self.queue.wait_of(ticket, self.clock(at)),
            whole: millis(self.config.deadline),
            cores: self.cores,
            sharing: self.queue.sharing(ticket.urgency),
        };
        self.claim(slot, ticket.id);
        let (Some(job), Some(worker)) = (self.jobs.get_mut(&ticket.id), self.slots.get_mut(&slot)) else {
            self.queue.give_back(ticket.id);
            return;
        };
        let mut task = job.errand.task.clone();
        if let Task::Convert(convert) = &mut task {
            job.pressed = dispatch.allot(convert, ticket.urgency);
        }
        // The state first: if the worker is dead already, its exit finds the job and gives it to another.
        worker.state = SlotState::Busy { job: ticket.id };
        job.run = Some((at, slot));
        match worker.run(ticket.id, &task, &job.errand.source, &job.errand.marks) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                self.queue.give_back(ticket.id);
                self.kill(slot, at);
                let error = Error::new(Kind::Internal, format!("the work cannot be handed to a worker: {error}"));
                self.answer(ticket.id, Err(error));
            }
        }
    }

    /// Checks that a worker has ended the job that it was given; how long it had it. `None`: the answer is not wanted.
    pub(super) fn ends(&mut self, slot: u64, id: u64) -> Option<Duration> {
        match self.slots.get(&slot)?.state {
            SlotState::Busy { job } if job == id => {}
            SlotState::Starting { .. } | SlotState::Idle | SlotState::Busy { .. } => {
                self.disgrace(slot, "it answered out of turn");
                return None;
            }
            SlotState::Leaving { .. } => return None,
        }
        Some(self.jobs.get(&id).and_then(|job| job.run).map_or(Duration::ZERO, |(start, _)| start.elapsed()))
    }

    /// A job has a result.
    pub(super) fn complete(
        &mut self,
        slot: u64,
        id: u64,
        result: Result<(Vec<u8>, Option<Outcome>), Error>,
        cpu_us: u64,
        ran: Duration,
    ) {
        let at = Instant::now();
        self.queue.finish(id);
        let kind = result.as_ref().err().map(|error| error.kind);
        self.learn(id, cpu_us, ran, kind.is_none());
        if let Some(job) = self.jobs.get(&id) {
            let (digest, fingerprint, now) = (job.errand.digest, job.errand.fingerprint(), self.clock(at));
            if kind == Some(Kind::Crashed) {
                self.quarantine.crashed(digest, now);
            } else if kind == Some(Kind::OutOfMemory) {
                let looked = Looked::by_memory(job.ticket.bytes, self.config.worker_memory);
                self.quarantine.starved(digest, fingerprint, looked, now);
            }
        }
        let result = result.map(|(bytes, outcome)| {
            let job = self.jobs.get(&id);
            let queued = job.and_then(|job| job.run.map(|(start, _)| start.saturating_duration_since(job.submitted)));
            let pressed = job.is_some_and(|job| job.pressed);
            let hurried = pressed || outcome.as_ref().is_some_and(|outcome| outcome.hurried);
            TaskOutput { bytes: Bytes::from(bytes), outcome, queued: queued.unwrap_or_default(), ran, pressed, hurried }
        });
        self.answer(id, result);
        // After a panic the libraries' state is anybody's guess.
        self.rest(slot, ran, kind == Some(Kind::Crashed), at);
    }

    /// What a job took corrects the estimates of the next ones. A worker's own numbers are believed within reason.
    fn learn(&mut self, id: u64, cpu_us: u64, ran: Duration, done: bool) {
        let Some(job) = self.jobs.get(&id).filter(|_| done) else { return };
        let most = micros(ran).saturating_mul(self.cores.saturating_add(1) as u64);
        let cpu = Duration::from_micros(cpu_us.min(most));
        self.corrections.stretched(cpu, ran);
        // What was hurried was estimated at its full effort.
        if !job.pressed {
            self.corrections.learn(job.errand.cost.work, job.errand.cost.cpu_ms, cpu);
        }
    }

    /// A job's time is over.
    pub(super) fn expire(&mut self, id: u64, at: Instant) {
        let Some(job) = self.jobs.get(&id) else { return };
        let Some((start, slot)) = job.run else {
            self.unqueue(id);
            self.refuse_late(id);
            return;
        };
        let overdue = Overdue {
            waited: start.saturating_duration_since(job.submitted),
            ran: at.saturating_duration_since(start),
            whole: self.config.deadline,
            estimate: Duration::from_millis(job.ticket.cpu_ms),
            abandoned: job.abandoned,
        };
        let (digest, fingerprint, ran) = (job.errand.digest, job.errand.fingerprint(), overdue.ran);
        let (work, estimated) = (job.errand.cost.work, job.errand.cost.cpu_ms);
        if self.kill(slot, at) {
            self.queue.finish(id);
        }
        match overdue.fate() {
            Fate::MayReturn => {
                self.refuse_late(id);
                return;
            }
            Fate::Stopped => {}
            Fate::Starved(looked) => {
                let now = self.clock(at);
                self.quarantine.starved(digest, fingerprint, looked, now);
                // The next one like it is told at once.
                if looked == Looked::Costly {
                    let cpu = self.corrections.of_wall(ran);
                    self.corrections.learn(work, estimated, cpu);
                }
            }
        }
        let message = format!("the conversion was stopped after {} ms, at its deadline", ran.as_millis());
        self.answer(id, Err(Error::new(Kind::Deadline, message)));
    }

    /// A job's worker has ended.
    pub(super) fn bereave(&mut self, id: u64, exit: &Exit, at: Instant) {
        let Some(job) = self.jobs.get_mut(&id) else { return self.queue.finish(id) };
        if exit.by_kill() {
            let ran = job.run.map_or(Duration::ZERO, |(start, _)| at.saturating_duration_since(start));
            let bereft = Bereft { ran, retried: job.retried, wanted: !job.abandoned && job.due > at };
            if bereft.has_another_chance() {
                job.retried |= bereft.tried();
                job.run = None;
                // It is charged for when it has its turn again.
                self.queue.give_back(id);
                self.queue.readmit(job.ticket.clone());
                return;
            }
            self.queue.finish(id);
            let error = Error::new(Kind::Crashed, "the conversion's worker was killed from outside");
            self.answer(id, Err(error));
        } else if exit.out_of_memory() {
            self.queue.finish(id);
            let (digest, fingerprint) = (job.errand.digest, job.errand.fingerprint());
            let (looked, now) = (Looked::by_memory(job.ticket.bytes, self.config.worker_memory), self.clock(at));
            self.quarantine.starved(digest, fingerprint, looked, now);
            let message = format!("{} MiB of memory were not enough", self.config.worker_memory >> 20);
            self.answer(id, Err(Error::new(Kind::OutOfMemory, message)));
        } else {
            self.crashed(id, format!("the worker died over this picture: {}", exit.describe()), at);
        }
    }

    /// A job's picture is to blame for the end of its worker.
    pub(super) fn crashed(&mut self, id: u64, message: String, at: Instant) {
        self.queue.finish(id);
        let now = self.clock(at);
        if let Some(job) = self.jobs.get(&id) {
            self.quarantine.crashed(job.errand.digest, now);
        }
        self.answer(id, Err(Error::new(Kind::Crashed, message)));
    }

    /// Takes a job off the books.
    pub(super) fn forget(&mut self, id: u64) -> Option<Job> {
        let job = self.jobs.remove(&id)?;
        self.due.remove(&(job.due, id));
        Some(job)
    }

    fn refuse_late(&mut self, id: u64) {
        self.status.refused.busy = self.status.refused.busy.saturating_add(1);
        let now = self.clock(Instant::now());
        let wait = self.jobs.get(&id).map_or(0, |job| self.queue.wait_of(&job.ticket, now));
        if let Some(job) = self.forget(id) {
            let message = "no worker was free before this conversion's time was over";
            self.outbox.push((job.reply, Err(Error::busy(message, seconds(wait)))));
        }
    }

    fn answer(&mut self, id: u64, result: Result<TaskOutput, Error>) {
        if let Some(job) = self.forget(id) {
            let counter = if result.is_ok() { &mut self.status.done } else { &mut self.status.failed };
            *counter = counter.saturating_add(1);
            self.outbox.push((job.reply, result));
        }
    }
}
