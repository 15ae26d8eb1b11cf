//! Conversions on threads of the service, for places where processes cannot be had: no sandbox, no memory limit, and no
//! way to stop a conversion. One that outlives its deadline is answered, and its thread counts as busy until it is done.
//! A crash takes the service with it.

use std::io;
use std::sync::mpsc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;

use super::event::{Computed, Event};
use super::protocol::Task;
use crate::error::Error;
use crate::imaging::Outcome;

/// What a thread does with a job.
pub(super) type TaskFunction = fn(&[u8], &[&[u8]], &Task) -> Result<(Vec<u8>, Option<Outcome>), Error>;

/// The supervisor's side of a thread. The thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Thread {
    jobs: mpsc::Sender<(u64, Task, Bytes, Vec<Bytes>)>,
}

impl Thread {
    /// Starts a thread that reports as `id`.
    pub fn spawn(id: u64, work: TaskFunction, events: UnboundedSender<Event>) -> io::Result<Self> {
        let (jobs, inbox) = mpsc::channel::<(u64, Task, Bytes, Vec<Bytes>)>();
        std::thread::Builder::new().name(format!("convert-{id}")).spawn(move || {
            for (job, task, source, marks) in inbox {
                let start = Instant::now();
                let slices: Vec<&[u8]> = marks.iter().map(|mark| &**mark).collect();
                let result = work(&source, &slices, &task);
                drop((source, marks));
                let computed = Computed { job, result, ran: start.elapsed() };
                if events.send(Event::Computed(id, computed)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Self { jobs })
    }

    /// Hands over a job.
    pub fn run(&self, id: u64, task: &Task, source: &Bytes, marks: &[Bytes]) -> io::Result<()> {
        self.jobs.send((id, task.clone(), source.clone(), marks.to_vec())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}
