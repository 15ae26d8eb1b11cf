//! "Give me this variant": one fetch and one conversion for all who ask at once, over cache, origin and engine.

mod again;
mod beginning;
mod fetch;
mod flight;
mod ground;
mod header;
mod marks;
mod permits;
mod produce;
mod results;
mod status;
mod terms;
mod tiers;

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

pub use beginning::Beginning;
pub use flight::{Flights, Waiter};
pub use marks::{MarkObject, objects as mark_objects};
pub use permits::{Permit, Permits};
pub use produce::entity_tag;
pub use results::Results;
pub use status::{CacheStatus, Forward};

pub use crate::engine::Urgency;

use self::ground::Ground;
use crate::cache::{Cache, Depth, Epoch, ObjectId, Scope, Variant};
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::Error;
use crate::negotiate::Class;
use crate::origin::ObjectKey;
use crate::plan::Plan;
use crate::site::Site;
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
    /// Who waits for the answer. What is made is the same, but for what was made in a hurry.
    pub urgency: Urgency,
}

/// An answer and how it came about.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The variant.
    pub variant: Arc<Variant>,
    /// How it came about.
    pub status: CacheStatus,
    /// How long ago the origin was asked about the object.
    pub age: Duration,
}

/// An error and how it came about.
#[derive(Debug, Clone)]
pub struct Failure {
    /// The error.
    pub error: Error,
    /// How it came about.
    pub status: CacheStatus,
}

impl From<Error> for Failure {
    /// An error that came up on the way, and is kept nowhere.
    fn from(error: Error) -> Self {
        let status = CacheStatus::Forward(Forward { worked: true, ..Forward::default() });
        Self { error, status }
    }
}

/// What a flight brings.
type Landed = Result<Made, Failure>;

/// A variant, how it came about, and when the origin was last asked about what it was made of.
#[derive(Debug, Clone)]
struct Made {
    variant: Arc<Variant>,
    status: CacheStatus,
    checked: Timestamp,
}

/// What names a flight: the object, the last purge that may mean it or one of its marks, the plan, the class, what the site
/// decides about results, and who waits: nobody who waits shall have to wait for what yields to others.
type FlightKey = (ObjectId, Epoch, Arc<str>, Option<Class>, u128, Urgency);

/// The shield. One for the process; cheap to share.
pub struct Shield {
    /// What has been worked out before.
    pub cache: Cache,
    /// Room for originals.
    pub permits: Permits,
    /// Room for results.
    pub results: Results,
    engine: Engine,
    conversions: Flights<FlightKey, Landed>,
    fetches: Flights<fetch::FetchKey, Result<fetch::Fetch, fetch::Failed>>,
    metrics: Arc<Metrics>,
    /// The runtime that owns all work: it outlives every caller.
    runtime: Handle,
    deadline: Duration,
    /// What was made in a hurry.
    later: again::Later,
    sealing: tiers::Sealing,
}

impl Shield {
    /// A shield whose work runs on `runtime`.
    pub fn new(
        cache: Cache,
        permits: Permits,
        results: Results,
        engine: Engine,
        metrics: Arc<Metrics>,
        runtime: Handle,
        deadline: Duration,
    ) -> Arc<Self> {
        let background = runtime.clone();
        let shield = Arc::new(Self {
            cache,
            permits,
            results,
            engine,
            conversions: Flights::default(),
            fetches: Flights::default(),
            metrics,
            runtime,
            deadline,
            later: again::Later::default(),
            sealing: tiers::Sealing::default(),
        });
        background.spawn(again::keep_making(Arc::downgrade(&shield)));
        shield
    }

    /// The pool behind it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Answers from memory alone, be it with an error that is remembered: no lock is held, no task is started.
    pub fn lookup(&self, question: &Question) -> Option<Result<Delivery, Failure>> {
        let remembered = |error| Some(Err(Failure { error, status: CacheStatus::Hit }));
        let (now, fresh) = (self.cache.clock.now(), question.site.cache.fresh);
        let Some(known) = self.cache.known(&question.object).filter(|known| known.is_fresh(fresh, now)) else {
            return self.cache.object_error(&question.object, now).and_then(remembered);
        };
        let marks = self.known_marks(question, now)?;
        let ground = Ground::new(self, question, &known, &marks);
        match ground.variant(now) {
            Some(variant) => Some(Ok(Delivery { variant, status: CacheStatus::Hit, age: ground.age(now) })),
            None => ground.error(now).and_then(remembered),
        }
    }

    /// Answers. The work belongs to the shield: whoever drops this future changes nothing for the others, and when the
    /// last one has gone, what is queued is dropped and what runs is stopped.
    ///
    /// # Errors
    /// Whatever fetching, checking or converting found; all who wait get the same.
    pub async fn get(self: &Arc<Self>, question: Question) -> Result<Delivery, Failure> {
        if let Some(answer) = self.lookup(&question) {
            return answer;
        }
        let Question { object, canonical, class, site, urgency, .. } = &question;
        let key = (object.clone(), self.concerning(&question), canonical.clone(), *class, site.settings, *urgency);
        let shield = self.clone();
        let mut led = false;
        let waiter = self.conversions.join(&self.runtime, key, || {
            led = true;
            produce::produce(shield, question, produce::Care::Asked)
        });
        let told = |status: CacheStatus| if led { status } else { status.joined() };
        match waiter.await {
            Ok(Made { variant, status, checked }) => {
                Ok(Delivery { variant, status: told(status), age: checked.age(self.cache.clock.now()) })
            }
            Err(Failure { error, status }) => Err(Failure { error, status: told(status) }),
        }
    }

    /// Parts with what the scope covers. When this returns, nothing old is given any more, also by work that began before.
    pub fn purge(&self, scope: &Scope, depth: Depth) {
        self.cache.purge(scope, depth);
        self.forget_behind(scope, depth);
    }

    /// Forgets what is known of an object, after a write: the origin is asked again, and what is made of the very same bytes is
    /// still right.
    pub fn invalidate(&self, object: &ObjectId) {
        self.purge(&Scope::object(object), Depth::Soft);
    }

    /// Asks the origin anew about an object before it is used again, because it may have changed. What has been made of it is
    /// kept, and used again if it is the same.
    pub fn doubt(&self, object: &ObjectId) {
        self.invalidate(object);
    }

    /// The last purge that may mean what is asked for.
    fn concerning(&self, question: &Question) -> Epoch {
        let marks = question.marks.iter().map(|mark| &mark.object);
        let all = [&question.object].into_iter().chain(marks);
        all.map(|object| self.cache.epochs.concerning(object)).max().unwrap_or_default()
    }

    /// Results that were made in a hurry and wait to be made again.
    pub fn hurried(&self) -> usize {
        self.later.len()
    }

    /// Flights under way: fetches and conversions.
    pub fn under_way(&self) -> (usize, usize) {
        (self.fetches.len(), self.conversions.len())
    }
}
