//! "Give me this variant": one fetch and one conversion for all who ask at once, over cache, origin and engine.

mod fetch;
mod flight;
mod marks;
mod produce;
mod site;
mod styles;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

pub use flight::{Flights, Waiter};
pub use marks::{MarkObject, objects as mark_objects};
pub use site::{Site, Sites, host_name};
pub use styles::StyleBook;

use crate::cache::{Cache, Known, ObjectId, Variant, VariantKey};
use crate::engine::Engine;
use crate::error::Error;
use crate::imaging::encode::GENERATION;
use crate::negotiate::Class;
use crate::origin::ObjectKey;
use crate::plan::Plan;
use crate::telemetry::Metrics;

/// A question to the shield.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where the object is.
    pub site: Arc<Site>,
    /// Its key at the origin.
    pub key: ObjectKey,
    /// Its name in the caches.
    pub object: ObjectId,
    /// What is to be done.
    pub plan: Arc<Plan>,
    /// The plan's canonical text.
    pub canonical: Arc<str>,
    /// What the client can read, where the plan leaves the format open.
    pub class: Option<Class>,
    /// What the plan's marks need; see [`mark_objects`].
    pub marks: Arc<[MarkObject]>,
}

/// How the cache came into an answer; the values of RFC 9211 that apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// Answered from memory.
    Hit,
    /// The origin said that the object is unchanged; answered from memory.
    Revalidated,
    /// Converted for this request.
    Miss,
    /// Waited for the conversion that another request had started.
    Collapsed,
}

impl CacheStatus {
    /// Name for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Revalidated => "revalidated",
            Self::Miss => "miss",
            Self::Collapsed => "collapsed",
        }
    }
}

/// An answer and how it came about.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The variant.
    pub variant: Arc<Variant>,
    /// How it came about.
    pub status: CacheStatus,
    /// How long ago the origin was asked about the object.
    pub age: Duration,
}

/// What a flight brings: the variant, and whether it had to be converted.
type Landed = Result<(Arc<Variant>, bool), Error>;
/// What names a flight: the object at a generation (its own and its marks'), the plan, the class.
type FlightKey = (ObjectId, u64, Arc<str>, Arc<str>);

/// The shield. One for the process; cheap to share.
pub struct Shield {
    /// What has been worked out before.
    pub cache: Cache,
    engine: Engine,
    conversions: Flights<FlightKey, Landed>,
    fetches: Flights<fetch::FetchKey, Result<fetch::Fetch, Error>>,
    metrics: Arc<Metrics>,
    /// The runtime that owns all work: it outlives every caller.
    runtime: Handle,
    deadline: Duration,
}

impl Shield {
    /// A shield whose work runs on `runtime`.
    pub fn new(cache: Cache, engine: Engine, metrics: Arc<Metrics>, runtime: Handle, deadline: Duration) -> Arc<Self> {
        Arc::new(Self {
            cache,
            engine,
            conversions: Flights::default(),
            fetches: Flights::default(),
            metrics,
            runtime,
            deadline,
        })
    }

    /// The pool behind it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Answers from memory alone: no lock is held, no task is started.
    pub fn lookup(&self, question: &Question) -> Option<Answer> {
        let known = self.cache.known(&question.object)?;
        let age = known.checked.elapsed();
        if age >= question.site.cache.fresh {
            return None;
        }
        let (marks, oldest) = self.known_marks(question)?;
        let variant = self.cache.variant(&question.variant_key(&known, &marks))?;
        Some(Answer { variant, status: CacheStatus::Hit, age: age.max(oldest) })
    }

    /// Answers. The work belongs to the shield: whoever drops this future changes nothing for the others, and when the
    /// last one has gone, what is queued is dropped and what runs is stopped.
    ///
    /// # Errors
    /// Whatever fetching, checking or converting found; all who wait get the same.
    pub async fn get(self: &Arc<Self>, question: Question) -> Result<Answer, Error> {
        if let Some(answer) = self.lookup(&question) {
            return Ok(answer);
        }
        let generation = self.cache.generations.current(&question.object);
        // Both only grow, so that their sum stays the same only if both do.
        let both = generation.wrapping_add(self.marks_generation(&question));
        let key = (question.object.clone(), both, question.canonical.clone(), question.class_name());
        let shield = self.clone();
        let mut led = false;
        let waiter = self.conversions.join(&self.runtime, key, || {
            led = true;
            produce::produce(shield, question, generation)
        });
        let (variant, converted) = waiter.await?;
        let status = match (led, converted) {
            (false, _) => CacheStatus::Collapsed,
            (true, true) => CacheStatus::Miss,
            (true, false) => CacheStatus::Revalidated,
        };
        Ok(Answer { variant, status, age: Duration::ZERO })
    }

    /// Forgets all that is known of an object, after a write or a purge.
    pub fn invalidate(&self, object: &ObjectId) {
        self.cache.generations.raise(object);
    }

    /// Asks the origin anew about an object before it is used again, because it may have changed. What has been made of it is
    /// kept, and used again if it is the same.
    pub fn doubt(&self, object: &ObjectId) {
        self.cache.doubt(object);
    }

    /// Flights under way: fetches and conversions.
    pub fn under_way(&self) -> (usize, usize) {
        (self.fetches.len(), self.conversions.len())
    }
}

impl Question {
    fn class_name(&self) -> Arc<str> {
        self.class.map_or_else(|| Arc::from(""), |class| Arc::from(class.name()))
    }

    fn variant_key(&self, known: &Known, marks: &[u128]) -> VariantKey {
        VariantKey {
            object: self.object.clone(),
            version: marks::version(known, marks),
            plan: self.canonical.clone(),
            class: self.class_name(),
            encoder: GENERATION,
        }
    }
}
