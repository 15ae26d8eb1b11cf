//! Which worker gets a job: one that has read a risky file of a site serves that site alone until it is replaced.
//!
//! A pool of one site never replaces a worker for this. With several, one worker that belongs to nobody is kept ready: the
//! job of a site that has none of its own goes there at once, and the worker that nobody has needed for longest makes place
//! for another. Only if all are taken does a job wait for a worker to start.

use std::time::Instant;

use super::super::queue::Ticket;
use super::super::slot::{Body, Slot, State};
use super::{Phase, Pool};

impl Pool {
    /// The idle worker for a job: the warmest of the site's own, so that those that belong to nobody are kept for others,
    /// else the warmest of these. `None`: there is none that may see its pictures.
    pub(super) fn pick(&self, id: u64) -> Option<u64> {
        let site = &self.jobs.get(&id)?.errand.tenant.site;
        let idle = self.slots.iter().rev().filter(|(_, slot)| slot.state == State::Idle);
        let may = idle.filter(|(_, slot)| slot.owner.as_ref().is_none_or(|owner| owner == site));
        may.max_by_key(|(_, slot)| (slot.owner.is_some(), slot.last_job)).map(|(id, _)| *id)
    }

    /// A job has its turn and every idle worker belongs to another site: one of them makes place, and the job waits for the
    /// new one, which counts as its own.
    pub(super) fn make_room(&mut self, ticket: Ticket, at: Instant) {
        self.retire_one(at);
        self.parked.push_back(ticket);
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

    /// Sees to it that a worker that belongs to nobody is ready or about to be.
    pub(super) fn keep_one_free(&mut self, at: Instant) {
        let free = |slot: &Slot| slot.is_alive() && slot.owner.is_none() && !matches!(slot.state, State::Busy { .. });
        if matches!(self.phase, Phase::Serving) && self.missing() == 0 && !self.slots.values().any(free) {
            self.retire_one(at);
        }
    }

    /// Ends the idle worker of a site that nobody has needed for longest. It holds nothing, so that there is nothing to wait
    /// for.
    fn retire_one(&mut self, at: Instant) {
        let idle = self.slots.values_mut().filter(|slot| slot.state == State::Idle && slot.owner.is_some());
        if let Some(slot) = idle.min_by_key(|slot| slot.last_job) {
            slot.kill(at);
            self.status.recycled = self.status.recycled.saturating_add(1);
        }
    }

    /// A worker is about to read a job's files.
    pub(super) fn claim(&mut self, slot: u64, id: u64) {
        let Some(tenant) = self.jobs.get(&id).map(|job| &job.errand.tenant) else { return };
        if let Some(slot) = self.slots.get_mut(&slot)
            && matches!(slot.body, Body::Process(_))
            && tenant.risky
        {
            slot.owner = Some(tenant.site.clone());
        }
    }
}
