//! The pool: conversions in sandboxed child processes of the same binary, with deadlines, lanes, admission by estimated
//! cost, quarantine and recycling. One bad picture costs one request.
//!
//! All of it lives on one thread of its own ([`supervisor`]): the kernel kills workers when the thread that made them
//! ends, so that thread must live as long as the service. [`Engine`] is a handle that talks to it.

mod allotment;
pub mod correct;
pub mod cost;
mod diagnose;
mod encoder;
mod event;
mod fate;
pub mod lanes;
pub mod memory_file;
pub mod protocol;
pub mod quarantine;
pub mod queue;
pub mod sandbox;
mod sites;
mod slot;
mod spawn;
mod status;
mod supervisor;
mod tenant;
mod thread_pool;
mod urgency;
mod verdict;
mod worker;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

pub use cost::{Cost, WorkKind};
pub use lanes::Lane;
pub use quarantine::Digest;
pub use sandbox::{LayerState, SandboxReport};
pub use status::{Refused, Status};
pub use tenant::Tenant;
pub use urgency::Urgency;
pub use worker::worker_main;

use crate::config::{EngineConfig, Isolation};
use crate::error::{Error, Kind};
use crate::imaging::Effort;
use crate::imaging::compare::{Comparing, Likeness};
use crate::imaging::fonts::{self, Chosen};
use crate::imaging::plugin::Ability;
use crate::imaging::{Expected, Job, Outcome, encode};
use crate::plan::{Format, Formats};
use protocol::{Greeting, Task};
use status::Board;
use supervisor::{Crew, PoolRequest, Submission};

/// One conversion, with all that decides when and whether it runs.
#[derive(Debug, Clone)]
pub struct Conversion {
    /// The original.
    pub source: Bytes,
    /// Pictures that the plan's marks need, in the order of [`crate::plan::Plan::mark_images`].
    pub marks: Vec<Bytes>,
    /// SHA-256 of the original (and the marks), for the quarantine.
    pub digest: Digest,
    /// What is to be done. `threads`, `budget_ms` and `full_ms` are set when it starts.
    pub job: Job,
    /// What must come of it: whoever hands back anything else is killed.
    pub expected: Expected,
    /// Whom it is for.
    pub tenant: Tenant,
    /// What it will probably take.
    pub cost: Cost,
    /// When the answer must be there, queueing included.
    pub deadline: Instant,
    /// Who waits for it.
    pub urgency: Urgency,
}

/// Two pictures to compare.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// One.
    pub first: Bytes,
    /// The other, of the same size.
    pub second: Bytes,
    /// SHA-256 of both, for the quarantine.
    pub digest: Digest,
    /// How.
    pub comparing: Comparing,
    /// What it will probably take.
    pub cost: Cost,
    /// When the answer must be there, queueing included.
    pub deadline: Instant,
}

/// What came of it.
#[derive(Debug, Clone)]
pub struct Converted {
    /// The variant; empty for facts.
    pub bytes: Bytes,
    /// What it is.
    pub outcome: Outcome,
    /// How long it waited for a worker.
    pub queued: Duration,
    /// How long the worker had it.
    pub ran: Duration,
    /// The effort that was asked for.
    pub asked: Effort,
    /// The effort that it was made with.
    pub used: Effort,
    /// Whether more would have come of it, had nobody else waited: less effort was used than asked for, or the time that was
    /// left after waiting may have made an encoder hurry by itself.
    pub hurried: bool,
}

/// A handle on the pool. Clones share it; when the last one is dropped, the pool ends without grace.
#[derive(Debug, Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    requests: mpsc::UnboundedSender<PoolRequest>,
    board: Arc<Board>,
    greeting: Greeting,
    ids: AtomicU64,
    budget: Duration,
    encoder: u128,
}

/// A task and its answer without the meaning of either: what [`Engine::convert`] and the tests of the pool share.
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct Errand {
    pub source: Bytes,
    pub marks: Vec<Bytes>,
    pub digest: Digest,
    pub task: Task,
    pub expected: Option<Expected>,
    pub tenant: Tenant,
    pub cost: Cost,
    pub deadline: Instant,
    pub urgency: Urgency,
}

/// See [`Errand`].
#[derive(Debug, Clone)]
#[doc(hidden)]
pub struct TaskOutput {
    pub bytes: Bytes,
    pub outcome: Option<Outcome>,
    pub queued: Duration,
    pub ran: Duration,
    pub pressed: bool,
    pub hurried: bool,
}

impl Engine {
    /// Starts the pool and returns when every worker is sealed and ready; blocks until then, tens of milliseconds as a rule.
    ///
    /// `program` is the binary whose `worker` command is [`worker_main`]: `/proc/self/exe` means this one, even after
    /// another was installed in its place.
    ///
    /// # Errors
    /// [`Kind::Internal`] if a worker cannot be started or ends at once (as it does when its plug-in cannot be used), or if
    /// the kernel refuses a layer of the sandbox and the configuration requires it.
    pub fn start(config: &EngineConfig, program: PathBuf) -> Result<Self, Error> {
        Self::start_with(config, &program, false)
    }

    /// As [`Self::start`], with workers that misbehave on demand. Never for a service.
    #[doc(hidden)]
    pub fn start_with_diagnostics(config: &EngineConfig, program: &Path) -> Result<Self, Error> {
        Self::start_with(config, program, true)
    }

    fn start_with(config: &EngineConfig, program: &Path, diagnostics: bool) -> Result<Self, Error> {
        let fonts = fonts::choose(&config.fonts);
        let crew = match config.isolation {
            Isolation::Process => Crew::Processes { program: program.to_owned(), diagnostics, fonts: fonts.clone() },
            Isolation::Thread => {
                fonts::load(&fonts);
                Crew::Threads(worker::perform)
            }
        };
        Self::start_crew(config, crew, &fonts)
    }

    fn start_crew(config: &EngineConfig, crew: Crew, fonts: &Chosen) -> Result<Self, Error> {
        let board = Arc::new(Board::default());
        let (requests, inbox) = mpsc::unbounded_channel();
        let greeting = supervisor::start(config.clone(), crew, inbox, Arc::clone(&board))?;
        let encoder = encoder::encoder(greeting.plugin.as_ref(), fonts, config.deadline);
        let inner = Inner { requests, board, greeting, ids: AtomicU64::new(1), budget: config.deadline, encoder };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Converts. May be awaited on any runtime; dropping the future abandons the conversion: one that waits is forgotten,
    /// one that runs is stopped unless it is about to end or an upload waits for it ([`Urgency`]).
    ///
    /// # Errors
    /// The conversion's own, or: [`Kind::Busy`] when it could not be done in time, [`Kind::Deadline`],
    /// [`Kind::OutOfMemory`], [`Kind::Crashed`], [`Kind::Quarantined`].
    pub async fn convert(&self, conversion: Conversion) -> Result<Converted, Error> {
        let Conversion { source, marks, digest, job, expected, tenant, cost, deadline, urgency } = conversion;
        let asked = job.effort;
        let (task, expected) = (Task::Convert(job), Some(expected));
        let errand = Errand { source, marks, digest, task, expected, tenant, cost, deadline, urgency };
        let TaskOutput { bytes, outcome, queued, ran, pressed, hurried } = self.run(errand).await?;
        let outcome = outcome.ok_or_else(|| Error::new(Kind::Internal, "the worker did not say what it made"))?;
        let used = if pressed { Effort::Pressed } else { asked };
        Ok(Converted { bytes, outcome, queued, ran, asked, used, hurried })
    }

    /// Tells how much two pictures look alike, as a batch. As [`Self::convert`] otherwise.
    ///
    /// # Errors
    /// What is wrong with one of the pictures, or what [`Self::convert`] says of the pool.
    pub async fn compare(&self, comparison: Comparison) -> Result<Likeness, Error> {
        let Comparison { first, second, digest, comparing, cost, deadline } = comparison;
        let task = Task::Compare(comparing);
        let (source, marks) = (first, vec![second]);
        let (expected, tenant) = (None, Tenant::default());
        let urgency = Urgency::Batch;
        let errand = Errand { source, marks, digest, task, expected, tenant, cost, deadline, urgency };
        let answer = self.run(errand).await?;
        // Hostile like everything that a worker says.
        let short = answer.bytes.get(..answer.bytes.len().min(4096)).unwrap_or_default();
        serde_json::from_slice(short)
            .map_err(|_| Error::new(Kind::Internal, "the worker did not say how much the pictures look alike"))
    }

    /// Runs any task.
    #[doc(hidden)]
    pub async fn run(&self, errand: Errand) -> Result<TaskOutput, Error> {
        let gone = || Error::busy("the pool is shutting down", 1);
        let id = self.inner.ids.fetch_add(1, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let submission = Box::new(Submission { id, errand, reply });
        self.inner.requests.send(PoolRequest::Submit(submission)).map_err(|_| gone())?;
        let mut waiting = Waiting { engine: self, id, answered: false };
        let answer = answer.await;
        waiting.answered = true;
        answer.map_err(|_| gone())?
    }

    /// The pool's numbers, for metrics and readiness. Cheap: a lock and a copy.
    pub fn status(&self) -> Status {
        self.inner.board.read()
    }

    /// Which layers of the sandbox hold; empty with threads.
    pub fn sandbox(&self) -> &SandboxReport {
        &self.inner.greeting.sandbox
    }

    /// What the workers' plug-in can do; `None` without one.
    pub fn plugin(&self) -> Option<&Ability> {
        self.inner.greeting.plugin.as_ref()
    }

    /// Digest of what makes results here: codecs, the encoders' generation, fonts, the time for one.
    pub fn encoder(&self) -> u128 {
        self.inner.encoder
    }

    /// The formats that workers can write.
    pub fn writable(&self) -> Formats {
        let of_plugin = |format| format == Format::Tpg && self.plugin().is_some_and(|plugin| plugin.encodes);
        Format::ALL.into_iter().filter(|format| encode::writable(*format) || of_plugin(*format)).collect()
    }

    /// The longest time that configuration gives a conversion.
    pub fn deadline(&self) -> Duration {
        self.inner.budget
    }

    /// Takes no more work, lets what was taken end for so long, then kills. Returns when every worker is reaped.
    pub async fn stop(&self, grace: Duration) {
        let (done, ended) = oneshot::channel();
        if self.inner.requests.send(PoolRequest::Stop { grace, done }).is_ok() {
            let _ = ended.await;
        }
    }
}

/// Tells the pool when its caller has gone.
struct Waiting<'a> {
    engine: &'a Engine,
    id: u64,
    answered: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if !self.answered {
            let _ = self.engine.inner.requests.send(PoolRequest::Abandon(self.id));
        }
    }
}

impl Errand {
    /// Tells jobs on one picture apart. Effort and threads are the pool's and do not matter.
    fn fingerprint(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        match &self.task {
            Task::Convert(job) => (&job.plan, job.format).hash(&mut hasher),
            Task::Compare(comparing) => comparing.frames.hash(&mut hasher),
            Task::Diagnose(diagnosis) => format!("{diagnosis:?}").hash(&mut hasher),
        }
        hasher.finish()
    }
}
