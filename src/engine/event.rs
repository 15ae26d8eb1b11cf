//! What the supervisor hears of those who work for it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::protocol::FromWorker;
use crate::error::Error;
use crate::imaging::Outcome;

/// What the supervisor hears of its workers.
#[derive(Debug)]
pub(super) enum Event {
    /// A worker said something.
    Said(u64, FromWorker),
    /// A worker said something that is no message.
    Broken(u64, String),
    /// A worker ended and was reaped.
    Exited(u64, Exit),
    /// A thread of the pool without processes has a result.
    Computed(u64, Computed),
}

/// How a worker ended.
#[derive(Debug)]
pub(super) struct Exit {
    pub status: Option<ExitStatus>,
    /// The end of what it wrote to its standard error.
    pub last_words: String,
}

impl Exit {
    /// Whether somebody else killed it: the supervisor knows whom it has killed itself.
    pub fn by_kill(&self) -> bool {
        self.status.is_some_and(|status| status.signal() == Some(libc::SIGKILL))
    }

    /// Whether it gave up because no memory was left. Rust's and C++'s runtimes say so before they abort.
    pub fn out_of_memory(&self) -> bool {
        let aborted = self.status.is_some_and(|status| status.signal() == Some(libc::SIGABRT));
        aborted && ["memory allocation of", "bad_alloc"].iter().any(|text| self.last_words.contains(text))
    }

    /// For people.
    pub fn describe(&self) -> String {
        let words = self.last_words.lines().last().unwrap_or_default();
        match self.status {
            Some(status) if words.is_empty() => status.to_string(),
            Some(status) => format!("{status}: {words}"),
            None => "it could not be waited for".into(),
        }
    }
}

/// A thread's answer.
#[derive(Debug)]
pub(super) struct Computed {
    /// Of which job.
    pub job: u64,
    /// The result.
    pub result: Result<(Vec<u8>, Option<Outcome>), Error>,
    /// How long it took.
    pub ran: Duration,
}
