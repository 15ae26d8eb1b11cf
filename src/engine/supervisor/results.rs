//! What workers hand back, taken as the words of an enemy: of the length, the format, the size and the frames that were
//! expected, with an error that a conversion can have, or the worker is killed and its job has failed.

use std::io;
use std::time::{Duration, Instant};

use super::super::protocol::Task;
use super::super::slot::{SlotState, WorkerBody};
use super::super::{Errand, verdict};
use super::{MESSAGE, Pool};
use crate::error::Error;
use crate::imaging::Outcome;

/// Bytes of a comparison's result.
const COMPARISON: u64 = 4096;

impl Pool {
    /// A worker says that it has a result.
    pub(super) fn on_done(&mut self, slot: u64, id: u64, length: u64, outcome: Option<Outcome>, cpu_us: u64) {
        let Some(ran) = self.ends(slot, id) else { return };
        match self.accepted(slot, id, length, outcome.as_ref()) {
            Ok(bytes) => self.complete(slot, id, Ok((bytes, outcome)), cpu_us, ran),
            Err(why) => self.disgrace(slot, &why),
        }
    }

    fn accepted(&self, slot: u64, id: u64, length: u64, outcome: Option<&Outcome>) -> Result<Vec<u8>, String> {
        let errand = self.jobs.get(&id).map(|job| &job.errand);
        if let Some(errand) = errand
            && length > most_bytes(errand)
        {
            return Err(format!("its result has {length} bytes, at most {} can be", most_bytes(errand)));
        }
        let taken = match self.slots.get(&slot).map(|slot| &slot.body) {
            Some(WorkerBody::Process(process)) => process.take(length),
            Some(WorkerBody::Thread(_)) | None => Err(io::ErrorKind::NotFound.into()),
        };
        let bytes = taken.map_err(|error| format!("its result cannot be read: {error}"))?;
        // Nobody waits for a job that is not there any more.
        let Some(errand) = errand else { return Ok(bytes) };
        match (&errand.expected, outcome) {
            (Some(expected), Some(outcome)) => expected
                .check(&errand.source, &bytes, outcome)
                .map_err(|why| format!("its result is not what was asked for: {why}"))?,
            (Some(_), None) => return Err("it did not say what it made".into()),
            (None, _) => {}
        }
        Ok(bytes)
    }

    /// A worker says that there is no result.
    pub(super) fn on_failed(&mut self, slot: u64, id: u64, error: Error, cpu_us: u64) {
        let Some(ran) = self.ends(slot, id) else { return };
        if !verdict::is_a_conversions(error.kind) {
            self.disgrace(slot, &format!("it failed with what no conversion fails with: {}", error.kind.name()));
            return;
        }
        self.complete(slot, id, Err(verdict::plain(error, MESSAGE)), cpu_us, ran);
    }

    /// Looks after busy workers: kills those that run more threads than any conversion needs, and replaces the last one that
    /// belonged to nobody if its job takes long.
    pub(super) fn watch(&mut self, now: Instant) {
        let most = self.config.worker_threads;
        let threads = |slot: &super::Slot| match &slot.body {
            WorkerBody::Process(process) if matches!(slot.state, SlotState::Busy { .. }) => process.threads(),
            WorkerBody::Process(_) | WorkerBody::Thread(_) => 0,
        };
        let many: Vec<(u64, u64)> =
            self.slots.iter().map(|(id, slot)| (*id, threads(slot))).filter(|(_, count)| *count > most).collect();
        for (slot, count) in many {
            self.disgrace(slot, &format!("it runs {count} threads, at most {most} may be"));
        }
        self.keep_one_free(now);
    }

    /// Time until the threads of busy workers are counted again.
    pub(super) const WATCH: Duration = Duration::from_millis(100);
}

fn most_bytes(errand: &Errand) -> u64 {
    match (&errand.expected, &errand.task) {
        (Some(expected), _) => expected.most_bytes(),
        (None, Task::Compare(_)) => COMPARISON,
        (None, Task::Convert(_) | Task::Diagnose(_)) => u64::MAX,
    }
}
