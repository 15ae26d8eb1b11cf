//! Workers beside the pool's own, for work that no viewer waits for: so that whoever comes finds as many as if there were no
//! such work.

use std::time::{Duration, Instant};

use super::super::slot::SlotState;
use super::Pool;

/// They are kept for so long after they were last wanted: starting one costs as much as a conversion.
const BESIDE_FOR: Duration = Duration::from_secs(60);

impl Pool {
    /// Sees how many are wanted, and lets them go when none was for a while.
    pub(super) fn provide_beside(&mut self, at: Instant) {
        let wanted = self.queue.beside(self.clock(at));
        if wanted > 0 {
            self.beside_until = at + BESIDE_FOR;
            self.beside = self.beside.max(wanted);
        } else if self.beside_ends().is_some_and(|end| end <= at) {
            let many = std::mem::take(&mut self.beside);
            self.dismiss(many, at);
        }
    }

    /// When they are let go, if there are any.
    pub(super) fn beside_ends(&self) -> Option<Instant> {
        (self.beside > 0).then_some(self.beside_until)
    }

    /// Ends so many idle workers that are more than the pool has to have: first those that belong to nobody, of these those that
    /// nobody has needed for longest.
    fn dismiss(&mut self, many: usize, at: Instant) {
        for _ in 0..many {
            let alive = self.slots.values().filter(|slot| slot.is_alive()).count();
            let idle = self.slots.values_mut().filter(|slot| slot.state == SlotState::Idle);
            match idle.min_by_key(|slot| (slot.owner.is_some(), slot.last_job)) {
                Some(slot) if alive > self.status.workers.saturating_add(1) => slot.kill(at),
                _ => return,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::{Arc, mpsc};

    use super::super::super::queue::Ticket;
    use super::super::super::status::Board;
    use super::super::super::urgency::Urgency;
    use super::super::Crew;
    use super::*;
    use crate::config::EngineConfig;
    use crate::imaging::fonts::Chosen;

    #[tokio::test]
    async fn they_come_with_work_beside_viewers_and_go_a_while_after_it() {
        let config = EngineConfig { workers: 2, ..EngineConfig::default() };
        let crew = Crew::Processes { program: "/bin/true".into(), diagnostics: false, fonts: Chosen::default() };
        let mut pool = Pool::new(config, crew, Arc::new(Board::default()), mpsc::channel().0);
        let start = Instant::now();
        let admit = |pool: &mut Pool, id, urgency| {
            let ticket = Ticket { id, urgency, bytes: 1, cpu_ms: 1, source_bytes: 1, deadline: 60_000, queued: 0 };
            pool.queue.admit(ticket, 0).unwrap();
        };
        admit(&mut pool, 1, Urgency::Batch);
        pool.provide_beside(start);
        assert_eq!((pool.strength(), pool.beside_ends()), (3, None), "there are no viewers");
        admit(&mut pool, 2, Urgency::Viewer);
        pool.provide_beside(start);
        assert_eq!((pool.strength(), pool.missing()), (4, 4));
        assert!(pool.queue.remove(1) && pool.queue.remove(2));
        pool.provide_beside(start + BESIDE_FOR - Duration::from_nanos(1));
        assert_eq!(pool.strength(), 4, "more may come");
        pool.provide_beside(start + BESIDE_FOR);
        assert_eq!((pool.strength(), pool.beside_ends()), (3, None));
    }
}
