//! What was made in a hurry is made again, as well as it would have been without the hurry, when the pool has nothing else
//! to do. Bounded, one at a time, and given up as soon as anybody waits: nobody pays for it but those who would be idle.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::produce::{Care, produce};
use super::{Failure, Question, Shield, Urgency};
use crate::engine::Status;

/// Questions that are remembered; of more the oldest are forgotten. They are asked again when somebody wants them.
const MOST: usize = 256;
/// How often the pool is looked at while there is something to make.
const LOOK: Duration = Duration::from_millis(500);
/// How often while something is made.
const WATCH: Duration = Duration::from_millis(20);
/// So often one is begun.
const TRIES: u8 = 3;

/// What is to be made again.
#[derive(Debug, Default)]
pub(super) struct Later {
    list: Mutex<VecDeque<(Question, u8)>>,
    told: Arc<Notify>,
}

impl Later {
    /// Remembers a question whose answer was hurried.
    pub fn add(&self, question: Question) {
        self.push(question, TRIES);
        self.told.notify_one();
    }

    fn push(&self, question: Question, tries: u8) {
        let mut list = self.list.lock();
        let same = |other: &Question| {
            other.object == question.object && other.canonical == question.canonical && other.class == question.class
        };
        if tries == 0 || list.iter().any(|(other, _)| same(other)) {
            return;
        }
        if list.len() >= MOST {
            list.pop_front();
        }
        list.push_back((question, tries));
    }

    fn take(&self) -> Option<(Question, u8)> {
        self.list.lock().pop_front()
    }

    /// How many wait to be made again.
    pub fn len(&self) -> usize {
        self.list.lock().len()
    }
}

/// Whoever waits for something to make is told that nothing comes any more.
impl Drop for Later {
    fn drop(&mut self) {
        self.told.notify_one();
    }
}

/// Whether half of the pool has nothing to do and nobody waits.
fn idle(status: &Status) -> bool {
    status.waited_for() == 0 && status.busy * 2 < status.workers && !status.stopping
}

/// Makes things again for as long as the shield lives.
pub(super) async fn keep_making(shield: Weak<Shield>) {
    loop {
        let Some(alive) = shield.upgrade() else { return };
        let told = alive.later.told.clone();
        if alive.later.len() == 0 {
            drop(alive);
            told.notified().await;
            continue;
        }
        if !idle(&alive.engine.status()) {
            drop(alive);
            tokio::time::sleep(LOOK).await;
            continue;
        }
        if let Some((question, tries)) = alive.later.take() {
            make(&alive, question, tries).await;
        }
    }
}

async fn make(shield: &Arc<Shield>, question: Question, tries: u8) {
    // What nobody has asked for since, or what was made well meanwhile, is left alone.
    if shield.lookup(&question).and_then(Result::ok).is_none_or(|answer| answer.variant.meta.provisional.is_none()) {
        return;
    }
    let unhurried = Question { urgency: Urgency::Batch, ..question.clone() };
    let work = produce(shield.clone(), unhurried, Care::Again);
    tokio::pin!(work);
    loop {
        tokio::select! {
            made = &mut work => {
                if let Err(Failure { error, .. }) = made {
                    tracing::debug!("a hurried result could not be made again: {error}");
                }
                return;
            }
            () = tokio::time::sleep(WATCH) => {
                // Leaving takes the conversion off the queue, or stops it.
                if shield.engine.status().waited_for() > 0 {
                    shield.later.push(question, tries - 1);
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::cache::Cache;
    use crate::config::{CacheConfig, EngineConfig, Isolation};
    use crate::engine::Engine;
    use crate::shield::{Permits, Results};
    use crate::telemetry::Metrics;

    /// On every step of its way: before it has begun, and while it waits for something to do.
    #[tokio::test]
    async fn nothing_is_left_of_a_shield_that_has_gone() {
        for steps in 0..3 {
            let config = EngineConfig { workers: 1, isolation: Isolation::Thread, ..EngineConfig::default() };
            let engine = Engine::start(&config, "/proc/self/exe".into()).unwrap();
            let cache = CacheConfig::default();
            let permits = Permits::new(cache.originals, cache.in_flight, cache.in_flight_wait);
            let results = Results::new(Cache::variants_of(&cache), cache.sending);
            let metrics = Arc::new(Metrics::new().unwrap());
            let runtime = tokio::runtime::Handle::current();
            let shield = Shield::new(
                Cache::new(&cache),
                permits,
                results,
                engine,
                metrics,
                runtime.clone(),
                Duration::from_secs(1),
            );
            for _ in 0..steps {
                tokio::task::yield_now().await;
            }
            assert_eq!(runtime.metrics().num_alive_tasks(), 1);
            drop(shield);
            tokio::time::timeout(Duration::from_secs(10), async {
                while runtime.metrics().num_alive_tasks() > 0 {
                    tokio::task::yield_now().await;
                }
            })
            .await
            .unwrap();
        }
    }

    #[test]
    fn half_of_the_pool_must_be_idle_and_nobody_wait() {
        let of = |workers, busy, waiting: &[&'static str]| {
            let queued = waiting.iter().map(|lane| (*lane, 1)).collect();
            idle(&Status { workers, busy, queued, ..Status::default() })
        };
        assert!(of(1, 0, &[]) && of(2, 0, &[]) && of(4, 1, &[]));
        assert!(!of(1, 1, &[]) && !of(2, 1, &[]) && !of(4, 2, &[]));
        assert!(!of(4, 0, &["light"]) && !of(4, 0, &["heavy"]) && !of(4, 0, &["upload"]));
        assert!(of(4, 0, &["batch"]), "what nobody waits for, as this itself");
        assert!(!idle(&Status { workers: 4, stopping: true, ..Status::default() }));
    }
}
