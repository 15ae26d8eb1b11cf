//! The supervisor's care for its workers: their number, their start, their wear and their end.

use std::time::{Duration, Instant};

use super::super::event::Exit;
use super::super::protocol::Greeting;
use super::super::slot::{Slot, SlotState, WorkerBody};
use super::super::spawn::Process;
use super::super::thread_pool::Thread;
use super::super::worker::WorkerSettings;
use super::{Crew, LEAVE, PAUSE, Phase, Pool, START};
use crate::error::{Error, Kind};

impl Pool {
    /// How many workers there are too few.
    pub(super) fn missing(&self) -> usize {
        // While the pool ends, it is kept at strength for as long as there is work.
        if matches!(self.phase, Phase::Stopping { .. }) && self.jobs.is_empty() {
            return 0;
        }
        let alive = self.slots.values().filter(|slot| slot.is_alive()).count();
        self.strength().saturating_sub(alive)
    }

    /// How many workers there are at least: the pool's size, one spare, which is ready when another has to be killed, and those
    /// beside them.
    pub(super) fn strength(&self) -> usize {
        self.status.workers.saturating_add(1).saturating_add(self.beside)
    }

    /// Starts the workers that are missing.
    pub(super) fn restore(&mut self) {
        let now = Instant::now();
        while self.missing() > 0 && self.start_one(now) {}
    }

    /// Starts a worker. False: it is not the time to.
    pub(super) fn start_one(&mut self, now: Instant) -> bool {
        if now < self.pause {
            return false;
        }
        self.last_slot = self.last_slot.saturating_add(1);
        let id = self.last_slot;
        let started = match &self.crew {
            Crew::Processes { program, diagnostics, fonts } => {
                let settings = WorkerSettings {
                    parent: std::process::id(),
                    memory: self.config.worker_memory,
                    diagnostics: *diagnostics,
                    plugin: self.config.plugin.as_ref().map(|plugin| plugin.path.clone()),
                    fonts: fonts.clone(),
                };
                Process::spawn(program, &settings, id, self.events.clone())
                    .map(|process| Slot::new(WorkerBody::Process(process), SlotState::Starting { until: now + START }))
                    .map_err(|error| format!("{} worker: {error}", program.display()))
            }
            Crew::Threads(work) => Thread::spawn(id, *work, self.events.clone())
                .map(|thread| Slot::new(WorkerBody::Thread(thread), SlotState::Idle))
                .map_err(|error| format!("a thread: {error}")),
        };
        match started {
            Ok(slot) => {
                if !matches!(self.phase, Phase::Starting(_)) {
                    self.status.respawns = self.status.respawns.saturating_add(1);
                }
                self.slots.insert(id, slot);
                true
            }
            Err(why) => {
                self.could_not_start(&why, now);
                false
            }
        }
    }

    /// Tells [`super::start`]'s caller when the first workers are ready.
    pub(super) fn welcome(&mut self) {
        let ready = self.slots.values().filter(|slot| slot.state == SlotState::Idle).count() > self.status.workers;
        if ready && matches!(self.phase, Phase::Starting(_)) {
            let phase = std::mem::replace(&mut self.phase, Phase::Serving);
            if let Phase::Starting(ready) = phase {
                let _ = ready.send(Ok(self.greeting.clone().unwrap_or_default()));
            }
        }
    }

    pub(super) fn on_hello(&mut self, slot: u64, greeting: Greeting) {
        let now = Instant::now();
        if !self.slots.get(&slot).is_some_and(|slot| matches!(slot.state, SlotState::Starting { .. })) {
            self.disgrace(slot, "it said hello out of turn");
            return;
        }
        let refused: Vec<String> = greeting.sandbox.refused().map(|(name, why)| format!("{name} ({why})")).collect();
        if !refused.is_empty() && self.config.require_sandbox {
            self.kill(slot, now);
            let why = format!(
                "the kernel refuses a part of the sandbox: {}. Set engine.require_sandbox = false to run without it",
                refused.join(", ")
            );
            self.could_not_start(&why, now);
            return;
        }
        match &self.greeting {
            // What the service promises was said when it started.
            Some(first) if first.plugin != greeting.plugin => {
                self.kill(slot, now);
                let what = "the plug-in is another than when the service started; restart it to use that one";
                self.could_not_start(what, now);
                return;
            }
            Some(_) => {}
            None => self.first_hello(greeting, &refused),
        }
        if let Some(slot) = self.slots.get_mut(&slot) {
            slot.state = SlotState::Idle;
            slot.measure();
        }
        self.failures = 0;
    }

    fn first_hello(&mut self, greeting: Greeting, refused: &[String]) {
        if !refused.is_empty() {
            tracing::warn!("workers run with a part of the sandbox refused by the kernel: {}", refused.join(", "));
        }
        if let Some(plugin) = &greeting.plugin {
            tracing::info!(name = plugin.name, decodes = plugin.decodes, encodes = plugin.encodes, "plug-in loaded");
        }
        self.greeting = Some(greeting);
    }

    pub(super) fn on_exit(&mut self, id: u64, exit: &Exit) {
        let Some(slot) = self.slots.remove(&id) else { return };
        let (now, pid) = (Instant::now(), slot.pid());
        match slot.state {
            SlotState::Leaving { .. } => {}
            SlotState::Starting { .. } => self.could_not_start(&format!("a worker ended: {}", exit.describe()), now),
            SlotState::Idle => {
                self.status.crashes = self.status.crashes.saturating_add(1);
                tracing::warn!(pid, "an idle worker ended: {}", exit.describe());
            }
            SlotState::Busy { job } => {
                self.status.crashes = self.status.crashes.saturating_add(1);
                tracing::warn!(pid, "a worker ended at work: {}", exit.describe());
                self.bereave(job, exit, now);
            }
        }
    }

    /// Kills a worker that no longer makes sense, and fails its job.
    pub(super) fn disgrace(&mut self, slot: u64, why: &str) {
        let now = Instant::now();
        let state = self.slots.get(&slot).map(|slot| slot.state);
        let Some(state @ (SlotState::Starting { .. } | SlotState::Idle | SlotState::Busy { .. })) = state else {
            return;
        };
        tracing::error!("a worker is killed: {why}");
        self.kill(slot, now);
        if matches!(state, SlotState::Starting { .. }) {
            self.could_not_start(&format!("a worker is broken: {why}"), now);
        }
        if let SlotState::Busy { job } = state {
            self.crashed(job, format!("the worker failed over this picture: {why}"), now);
        }
    }

    /// Kills a worker. False: it is a thread and goes on.
    pub(super) fn kill(&mut self, slot: u64, now: Instant) -> bool {
        let killed = self.slots.get_mut(&slot).is_some_and(|slot| slot.kill(now));
        if killed {
            self.status.kills = self.status.kills.saturating_add(1);
        }
        killed
    }

    /// A worker has done a job: it is idle again, or replaced if it is worn.
    pub(super) fn rest(&mut self, slot: u64, ran: Duration, spoilt: bool, now: Instant) {
        let Some(slot) = self.slots.get_mut(&slot) else { return };
        slot.rest(ran, now);
        if spoilt || slot.is_worn(self.config.recycle_jobs, self.config.recycle_memory) {
            self.status.recycled = self.status.recycled.saturating_add(1);
            release(slot, now);
        }
    }

    /// Ends what is left when the pool ends: first the jobs, then the workers.
    pub(super) fn clear(&mut self, now: Instant) {
        self.parked.clear();
        let jobs: Vec<u64> = self.jobs.keys().copied().collect();
        for job in jobs {
            if let Some(job) = self.forget(job) {
                if let Some((_, slot)) = job.run {
                    self.kill(slot, now);
                }
                self.outbox.push((job.reply, Err(Error::busy("the service is shutting down", 1))));
            }
        }
        // A thread ends with its last job; nobody can hurry it.
        self.slots.retain(|_, slot| matches!(slot.body, WorkerBody::Process(_)));
        for slot in self.slots.values_mut().filter(|slot| slot.is_alive()) {
            release(slot, now);
        }
    }

    fn could_not_start(&mut self, why: &str, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.pause = now + pause(self.failures);
        if matches!(self.phase, Phase::Starting(_)) {
            self.fail(Error::new(Kind::Internal, format!("the engine cannot start: {why}")));
        } else {
            tracing::error!("a worker could not be started, next try in {:?}: {why}", pause(self.failures));
        }
    }

    /// Ends the pool while it starts.
    fn fail(&mut self, error: Error) {
        let stopping = Phase::Stopping { until: Instant::now(), done: Vec::new(), failed: None };
        match std::mem::replace(&mut self.phase, stopping) {
            Phase::Starting(ready) => {
                if let Phase::Stopping { failed, .. } = &mut self.phase {
                    *failed = Some((ready, error));
                }
            }
            before @ (Phase::Serving | Phase::Stopping { .. }) => self.phase = before,
        }
    }
}

/// Lets a worker leave by itself, and have it killed if it does not.
fn release(slot: &mut Slot, now: Instant) {
    if let WorkerBody::Process(process) = &mut slot.body {
        process.release();
    }
    slot.state = SlotState::Leaving { until: now + LEAVE };
}

/// How long to wait after so many failures.
pub(super) fn pause(failures: u32) -> Duration {
    PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(7))
}
