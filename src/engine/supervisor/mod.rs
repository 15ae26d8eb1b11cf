//! The supervisor: one thread that owns the workers, the queue and the clock.
//!
//! It is a loop over three things that happen: a request from a handle, an event of a worker, a time that is reached.
//! Each is handled to its end without waiting, so that no state is seen half-changed.

mod beside;
mod crew;
mod jobs;
mod results;
mod tenancy;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, mpsc as blocking};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::correct::Corrections;
use super::event::{Computed, Event};
use super::lanes::Lane;
use super::protocol::{FromWorker, Greeting};
use super::quarantine::Quarantine;
use super::queue::{Capacity, Queue, Ticket};
use super::sites::RecentSites;
use super::slot::{Slot, SlotState};
use super::status::{Board, Status};
use super::thread_pool::TaskFunction;
use super::{Errand, TaskOutput};
use crate::config::EngineConfig;
use crate::error::{Error, Kind};
use crate::imaging::fonts::Chosen;

/// Jobs that wait, at most.
const QUEUED_JOBS: usize = 10_000;
/// A worker that is not ready after this is broken.
const START: Duration = Duration::from_secs(20);
/// A worker that was asked to leave and is still there after this is killed.
const LEAVE: Duration = Duration::from_secs(2);
/// A job that nobody waits for may go on for this long: ending it costs a worker.
const ABANDONED: Duration = Duration::from_millis(50);
/// The pause after a worker failed to start, doubled with each further failure up to 128 times.
const PAUSE: Duration = Duration::from_millis(50);
/// A worker's message is cut to so many characters.
const MESSAGE: usize = 500;

/// What handles say.
pub(super) enum PoolRequest {
    /// Do this.
    Submit(Box<Submission>),
    /// Nobody waits for this any more.
    Abandon(u64),
    /// End.
    Stop {
        /// Time for the work that was taken.
        grace: Duration,
        /// Told when all is over.
        done: oneshot::Sender<()>,
    },
}

/// Something to do, and whom to tell.
pub(super) struct Submission {
    pub id: u64,
    pub errand: Errand,
    pub reply: Reply,
}

/// Where an answer goes.
type Reply = oneshot::Sender<Result<TaskOutput, Error>>;

/// Who works.
#[derive(Debug, Clone)]
pub(super) enum Crew {
    /// Sandboxed processes of this binary.
    Processes {
        /// The binary.
        program: PathBuf,
        /// Whether they misbehave on demand.
        diagnostics: bool,
        /// What they write with.
        fonts: Chosen,
    },
    /// Threads that do this.
    Threads(TaskFunction),
}

/// Starts the supervisor's thread and waits until the workers are ready.
pub(super) fn start(
    config: EngineConfig,
    crew: Crew,
    inbox: mpsc::UnboundedReceiver<PoolRequest>,
    board: Arc<Board>,
) -> Result<Greeting, Error> {
    let (ready, started) = blocking::channel();
    let internal = |what: &str, error: io::Error| Error::new(Kind::Internal, format!("{what}: {error}"));
    std::thread::Builder::new()
        .name("engine".into())
        .spawn(move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => {
                    let _ = ready.send(Err(internal("the engine's runtime cannot be made", error)));
                    return;
                }
            };
            let _over = Over(Arc::clone(&board));
            runtime.block_on(Pool::new(config, crew, board, ready).run(inbox));
        })
        .map_err(|error| internal("the engine's thread cannot be started", error))?;
    started.recv().unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the engine ended while it started")))
}

/// Puts up that the pool has ended, whichever way: a service without its pool is not ready.
struct Over(Arc<Board>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.write(&Status { stopping: true, worker_pids: Vec::new(), busy: 0, idle: 0, spare: 0, ..self.0.read() });
    }
}

struct Pool {
    config: EngineConfig,
    crew: Crew,
    board: Arc<Board>,
    events: mpsc::UnboundedSender<Event>,
    inbox: Option<mpsc::UnboundedReceiver<Event>>,
    cores: usize,
    epoch: Instant,
    queue: Queue,
    corrections: Corrections,
    quarantine: Quarantine,
    jobs: HashMap<u64, Job>,
    /// Jobs that have their turn and wait for a worker that may see their pictures.
    parked: VecDeque<Ticket>,
    /// Who has had work lately.
    sites: RecentSites,
    /// Answers that leave once the board shows them: whoever has an answer sees numbers that include it.
    outbox: Vec<(Reply, Result<TaskOutput, Error>)>,
    /// When each job's time is over.
    due: BTreeSet<(Instant, u64)>,
    slots: BTreeMap<u64, Slot>,
    last_slot: u64,
    /// Workers beside the pool's own, for work that no viewer waits for; and until when they are kept.
    beside: usize,
    beside_until: Instant,
    /// Workers that failed to start, one after the other.
    failures: u32,
    /// No worker is started before this.
    pause: Instant,
    /// When the threads of busy workers are counted next.
    watch: Instant,
    phase: Phase,
    /// What the first worker said.
    greeting: Option<Greeting>,
    status: Status,
}

enum Phase {
    /// The first workers prepare themselves.
    Starting(blocking::Sender<Result<Greeting, Error>>),
    Serving,
    /// No new work; the rest is killed at `until`.
    Stopping {
        until: Instant,
        done: Vec<oneshot::Sender<()>>,
        failed: Option<(blocking::Sender<Result<Greeting, Error>>, Error)>,
    },
}

struct Job {
    errand: Errand,
    reply: Reply,
    ticket: Ticket,
    submitted: Instant,
    due: Instant,
    abandoned: bool,
    retried: bool,
    /// Its effort was lowered because others wait.
    pressed: bool,
    /// Since when which worker has it.
    run: Option<(Instant, u64)>,
}

impl Pool {
    fn new(
        config: EngineConfig,
        crew: Crew,
        board: Arc<Board>,
        ready: blocking::Sender<Result<Greeting, Error>>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let workers = if config.workers == 0 { cores } else { config.workers };
        let now = Instant::now();
        let (events, inbox) = mpsc::unbounded_channel();
        let capacity = Capacity {
            workers,
            memory: config.memory,
            worker_memory: config.worker_memory,
            jobs: QUEUED_JOBS,
            source_bytes: config.memory / 4,
        };
        Self {
            board,
            events,
            inbox: Some(inbox),
            cores,
            epoch: now,
            queue: Queue::new(capacity),
            corrections: Corrections::default(),
            quarantine: Quarantine::new(millis(config.quarantine)),
            jobs: HashMap::new(),
            parked: VecDeque::new(),
            sites: RecentSites::default(),
            outbox: Vec::new(),
            due: BTreeSet::new(),
            slots: BTreeMap::new(),
            last_slot: 0,
            beside: 0,
            beside_until: now,
            failures: 0,
            pause: now,
            watch: now,
            phase: Phase::Starting(ready),
            greeting: None,
            status: Status { workers, ..Status::default() },
            config,
            crew,
        }
    }

    async fn run(mut self, mut requests: mpsc::UnboundedReceiver<PoolRequest>) {
        let Some(mut events) = self.inbox.take() else { return };
        let mut open = true;
        while !self.is_over() {
            self.provide_beside(Instant::now());
            self.restore();
            self.welcome();
            self.dispatch();
            self.publish();
            self.deliver();
            let wake = tokio::time::Instant::from_std(self.next_time());
            tokio::select! {
                biased;
                Some(event) = events.recv() => self.on_event(event),
                request = requests.recv(), if open => match request {
                    Some(request) => self.on_request(request),
                    None => {
                        open = false;
                        self.stop(Duration::ZERO, None);
                    }
                },
                () = tokio::time::sleep_until(wake) => {}
            }
            self.on_time(Instant::now());
            // Nobody who has an answer coming waits for the next job's handing over.
            if !self.outbox.is_empty() {
                self.publish();
                self.deliver();
            }
        }
        self.publish();
        if let Phase::Stopping { done, failed, .. } = self.phase {
            if let Some((ready, error)) = failed {
                let _ = ready.send(Err(error));
            }
            for waiting in done {
                let _ = waiting.send(());
            }
        }
    }

    fn on_request(&mut self, request: PoolRequest) {
        match request {
            PoolRequest::Submit(submission) => self.submit(*submission),
            PoolRequest::Abandon(id) => self.abandon(id),
            PoolRequest::Stop { grace, done } => self.stop(grace, Some(done)),
        }
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Said(slot, FromWorker::Hello(greeting)) => self.on_hello(slot, greeting),
            Event::Said(slot, FromWorker::Done { id, length, outcome, cpu_us }) => {
                self.on_done(slot, id, length, outcome, cpu_us);
            }
            Event::Said(slot, FromWorker::Failed { id, error, cpu_us }) => self.on_failed(slot, id, error, cpu_us),
            Event::Broken(slot, why) => self.disgrace(slot, &why),
            Event::Exited(slot, exit) => self.on_exit(slot, &exit),
            Event::Computed(slot, Computed { job, result, ran }) => {
                self.complete(slot, job, result, micros(ran), ran);
            }
        }
    }

    fn on_time(&mut self, now: Instant) {
        while let Some(&(due, id)) = self.due.first().filter(|(due, _)| *due <= now) {
            self.due.remove(&(due, id));
            self.expire(id, now);
        }
        for slot in self.slots.values_mut() {
            match slot.state {
                SlotState::Leaving { until } if until <= now => {
                    slot.kill(now);
                }
                SlotState::Starting { until } if until <= now => {
                    tracing::error!(pid = slot.pid(), "a worker was not ready within {START:?} and is killed");
                    if slot.kill(now) {
                        self.failures = self.failures.saturating_add(1);
                        self.pause = now + crew::pause(self.failures);
                    }
                }
                SlotState::Starting { .. } | SlotState::Idle | SlotState::Busy { .. } | SlotState::Leaving { .. } => {}
            }
        }
        self.let_go(now);
        if self.watch <= now {
            self.watch(now);
            self.watch = now + Self::WATCH;
        }
        let over = matches!(self.phase, Phase::Stopping { until, .. } if until <= now || self.jobs.is_empty());
        if over {
            self.clear(now);
        }
    }

    /// Takes no more work; what was taken may go on for `grace`.
    fn stop(&mut self, grace: Duration, told: Option<oneshot::Sender<()>>) {
        let now = Instant::now();
        let end = now.checked_add(grace).unwrap_or_else(|| now + Duration::from_secs(86_400));
        if let Phase::Stopping { until, done, .. } = &mut self.phase {
            *until = end.min(*until);
            done.extend(told);
        } else {
            self.phase = Phase::Stopping { until: end, done: told.into_iter().collect(), failed: None };
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Stopping { .. }) && self.jobs.is_empty() && self.slots.is_empty()
    }

    /// The next moment at which something is due without anybody saying so.
    fn next_time(&self) -> Instant {
        let slots = self.slots.values().filter_map(|slot| match slot.state {
            SlotState::Starting { until } | SlotState::Leaving { until } => Some(until),
            SlotState::Idle | SlotState::Busy { .. } => None,
        });
        let pause = (self.missing() > 0 || !self.parked.is_empty()).then_some(self.pause).filter(|pause| {
            // Whoever waits for one that is on its way hears of it.
            self.missing() > 0 || *pause > Instant::now()
        });
        let end = match self.phase {
            Phase::Stopping { until, .. } if self.jobs.is_empty() => Some(until.min(Instant::now() + LEAVE)),
            Phase::Stopping { until, .. } => Some(until),
            Phase::Starting(_) | Phase::Serving => None,
        };
        let jobs = self.due.first().map(|(due, _)| *due);
        let busy = self.slots.values().any(|slot| matches!(slot.state, SlotState::Busy { .. }) && slot.pid().is_some());
        let watch = busy.then_some(self.watch);
        slots
            .chain(pause)
            .chain(watch)
            .chain(end)
            .chain(jobs)
            .chain(self.next_to_go())
            .chain(self.beside_ends())
            .min()
            .unwrap_or_else(|| Instant::now() + Duration::from_secs(3600))
    }

    fn deliver(&mut self) {
        for (reply, result) in self.outbox.drain(..) {
            // The caller may have gone.
            let _ = reply.send(result);
        }
    }

    fn publish(&mut self) {
        let now = self.clock(Instant::now());
        let idle = self.slots.values().filter(|slot| slot.state == SlotState::Idle).count();
        let strength = self.strength();
        let status = &mut self.status;
        status.busy = self.queue.running();
        status.idle = idle;
        status.spare = idle.saturating_sub(strength.saturating_sub(1).saturating_sub(status.busy));
        status.queued.clear();
        status.queued.extend(Lane::ALL.map(|lane| (lane.name(), self.queue.waiting_in(lane) as u64)));
        status.queued_ms = self.queue.wait_ms(Lane::Heavy, now);
        status.quarantined = self.quarantine.len();
        let alive = || self.slots.values().filter(|slot| slot.is_alive());
        status.kept = alive().count().saturating_sub(status.workers.saturating_add(1));
        status.resident = alive().fold(0, |sum, slot| slot.resident.saturating_add(sum));
        status.worker_pids.clear();
        status.worker_pids.extend(alive().filter_map(Slot::pid));
        status.stopping = matches!(self.phase, Phase::Stopping { .. });
        self.board.write(status);
    }

    /// A moment as the pure parts count it: milliseconds since the pool's start.
    fn clock(&self, at: Instant) -> u64 {
        millis(at.saturating_duration_since(self.epoch))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
