//! Which worker gets a job: one that has read a risky file of a site serves that site alone until it is replaced.
//!
//! A pool of one site never replaces a worker for this. Where several have had work lately, one worker that belongs to nobody
//! is kept ready: the job of a site that has none of its own goes there at once, and another is started beside those that
//! there are, because a worker that waits for its site to come back costs memory alone, and starting one costs as much as a
//! conversion. How many are kept is bounded, by number and by what they hold; then the worker that nobody has needed for
//! longest makes place. Only if all are taken does a job wait for a worker to start.

use std::time::{Duration, Instant};

use super::super::queue::Ticket;
use super::super::sites::LATELY_MS;
use super::super::slot::{Slot, SlotState, WorkerBody};
use super::{Crew, Phase, Pool};

/// Workers that are kept for their sites beside the pool's own strength, at most; on many cores as many as these.
const KEPT: usize = 64;
/// What all workers may hold of their own while they wait, as a part of the memory that conversions may take together.
const KEPT_MEMORY: u64 = 8;
/// One that its site has not needed for so long is let go.
const KEPT_FOR: Duration = Duration::from_millis(LATELY_MS);

impl Pool {
    /// The idle worker for a job: the warmest of the site's own, so that those that belong to nobody are kept for others,
    /// else the warmest of these. `None`: there is none that may see its pictures.
    pub(super) fn pick(&self, id: u64) -> Option<u64> {
        let site = &self.jobs.get(&id)?.errand.tenant.site;
        let idle = self.slots.iter().rev().filter(|(_, slot)| slot.state == SlotState::Idle);
        let may = idle.filter(|(_, slot)| slot.owner.as_ref().is_none_or(|owner| owner == site));
        may.max_by_key(|(_, slot)| (slot.owner.is_some(), slot.last_job)).map(|(id, _)| *id)
    }

    /// A job has its turn and every idle worker belongs to another site: it waits for a new one.
    pub(super) fn park(&mut self, ticket: Ticket, at: Instant) {
        tracing::debug!(job = ticket.id, "a job waits for a worker that no other site has used");
        self.status.parked = self.status.parked.saturating_add(1);
        self.parked.push_back(ticket);
        self.call_for_parked(at);
    }

    /// Sees to it that a worker is on its way for every job that waits for one.
    fn call_for_parked(&mut self, at: Instant) {
        let coming = |pool: &Self| {
            let starting = pool.slots.values().filter(|slot| matches!(slot.state, SlotState::Starting { .. })).count();
            pool.missing().saturating_add(starting)
        };
        while self.parked.len() > coming(self) && self.call(at) {}
    }

    /// Gives workers that have become ready to the jobs that wait for them.
    pub(super) fn seat(&mut self, at: Instant) {
        let now = self.clock(at);
        for _ in 0..self.parked.len() {
            let Some(ticket) = self.parked.pop_front() else { return };
            match self.pick(ticket.id) {
                Some(slot) => self.give(slot, &ticket, at, ticket.deadline.saturating_sub(now)),
                None => self.parked.push_back(ticket),
            }
        }
        self.call_for_parked(at);
    }

    /// Takes a job that has not been given to a worker out, wherever it waits.
    pub(super) fn unqueue(&mut self, id: u64) {
        if let Some(at) = self.parked.iter().position(|ticket| ticket.id == id) {
            self.parked.remove(at);
            self.queue.give_back(id);
        } else {
            self.queue.remove(id);
        }
    }

    /// Sees to it that a worker that belongs to nobody is ready or about to be, where several sites have work.
    pub(super) fn keep_one_free(&mut self, at: Instant) {
        let idle = |slot: &Slot| slot.state == SlotState::Idle;
        let free =
            |slot: &Slot| slot.is_alive() && slot.owner.is_none() && !matches!(slot.state, SlotState::Busy { .. });
        // A new worker only helps if some worker is idle and belongs to the wrong site. If all are busy, jobs just wait.
        if matches!(self.phase, Phase::Serving)
            && self.sites.several(self.clock(at))
            && self.missing() == 0
            && self.slots.values().any(idle)
            && !self.slots.values().any(free)
        {
            self.call(at);
        }
    }

    /// Calls for a worker that belongs to nobody: beside the others, or in the place of one. False: there is none to be had.
    fn call(&mut self, at: Instant) -> bool {
        if at < self.pause {
            return false;
        }
        // Started at once, also where the pool is below its strength: who calls until enough are coming must get further by
        // every call.
        (self.may_keep_more() || self.retire_one(at)) && self.start_one(at)
    }

    fn may_keep_more(&self) -> bool {
        let alive = || self.slots.values().filter(|slot| slot.is_alive());
        let held = alive().fold(0u64, |sum, slot| sum.saturating_add(slot.private));
        matches!(self.crew, Crew::Processes { .. })
            && alive().count() < self.strength().saturating_add(KEPT.max(self.status.workers))
            && held < self.config.memory / KEPT_MEMORY
    }

    /// Ends the idle worker of a site that nobody has needed for longest. It holds nothing, so that there is nothing to wait
    /// for.
    fn retire_one(&mut self, at: Instant) -> bool {
        let idle = self.slots.values_mut().filter(|slot| slot.state == SlotState::Idle && slot.owner.is_some());
        let Some(slot) = idle.min_by_key(|slot| slot.last_job) else { return false };
        tracing::debug!(pid = slot.pid(), site = slot.owner.as_deref(), "a worker makes place for another site's");
        slot.kill(at);
        self.status.evicted = self.status.evicted.saturating_add(1);
        true
    }

    /// When the next kept worker has waited for its site for long enough.
    pub(super) fn next_to_go(&self) -> Option<Instant> {
        let alive = self.slots.values().filter(|slot| slot.is_alive()).count();
        let idle = self.slots.values().filter(|slot| slot.state == SlotState::Idle && slot.owner.is_some());
        let oldest = idle.filter_map(|slot| slot.last_job).min().filter(|_| alive > self.strength());
        oldest.and_then(|last| last.checked_add(KEPT_FOR))
    }

    /// Lets go whom its site has not needed for long.
    pub(super) fn let_go(&mut self, now: Instant) {
        while self.next_to_go().is_some_and(|time| time <= now) && self.retire_one(now) {}
    }

    /// A worker is about to read a job's files.
    pub(super) fn claim(&mut self, slot: u64, id: u64) {
        let Some(tenant) = self.jobs.get(&id).map(|job| &job.errand.tenant) else { return };
        if let Some(slot) = self.slots.get_mut(&slot)
            && matches!(slot.body, WorkerBody::Process(_))
            && tenant.risky
        {
            slot.owner = Some(tenant.site.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, mpsc};

    use super::super::super::status::Board;
    use super::super::super::urgency::Urgency;
    use super::*;
    use crate::config::EngineConfig;
    use crate::imaging::fonts::Chosen;

    /// A pool that has lost workers, whose place nobody has taken yet, while more jobs wait than that: calls for them end,
    /// and as many are on their way as are needed.
    #[tokio::test]
    async fn calls_for_workers_get_further_below_the_pools_strength() {
        let config = EngineConfig { workers: 1, ..EngineConfig::default() };
        let crew = Crew::Processes { program: "/bin/true".into(), diagnostics: false, fonts: Chosen::default() };
        let mut pool = Pool::new(config, crew, Arc::new(Board::default()), mpsc::channel().0);
        assert_eq!(pool.missing(), 2);
        for id in 0..5 {
            let urgency = Urgency::Viewer;
            let ticket = Ticket { id, urgency, bytes: 1, cpu_ms: 1, source_bytes: 1, deadline: 60_000, queued: 0 };
            pool.parked.push_back(ticket);
        }
        pool.call_for_parked(Instant::now());
        assert_eq!((pool.slots.len(), pool.missing()), (5, 0));
        // Nobody starts while starting has just failed.
        pool.parked.extend(pool.parked.clone());
        pool.pause = Instant::now() + Duration::from_secs(60);
        pool.call_for_parked(Instant::now());
        assert_eq!(pool.slots.len(), 5);
    }
}
