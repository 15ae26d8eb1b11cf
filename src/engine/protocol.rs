//! What the supervisor and a worker say to each other: a length of four bytes, little-endian, then JSON.
//!
//! A worker is hostile from the moment that it has read a picture: the supervisor bounds every frame, believes no length
//! before it has checked it against the file, and kills a worker that says something out of turn.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::sandbox::SandboxReport;
use crate::error::{Error, Kind};
use crate::imaging::compare::Comparing;
use crate::imaging::plugin::Ability;
use crate::imaging::{Job, Outcome};
use crate::plan::Format;

/// The longest frame that anybody reads.
pub const LONGEST: usize = 1 << 20;
/// The longest frame that the supervisor writes: it fits into an empty socket's buffer, so that writing never waits.
pub const LONGEST_RUN: usize = 64 << 10;

/// From the supervisor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ToWorker {
    /// Do this on the first `length` bytes of the input file. The marks' pictures follow them there without gaps.
    Run {
        /// Comes back with the answer.
        id: u64,
        /// What to do.
        task: Task,
        /// Bytes of the original.
        length: u64,
        /// Bytes of each mark's picture.
        marks: Vec<u64>,
    },
}

/// What a worker says of itself when it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Greeting {
    /// Which layers of the sandbox hold.
    pub sandbox: SandboxReport,
    /// What its plug-in can do; `None` if it was given none.
    pub plugin: Option<Ability>,
}

/// From a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum FromWorker {
    /// In the sandbox and ready.
    Hello(Greeting),
    /// The first `length` bytes of the output file are the result.
    Done {
        /// Of which job.
        id: u64,
        /// Bytes of the result.
        length: u64,
        /// What it is; `None` for comparisons and diagnoses.
        outcome: Option<Outcome>,
        /// CPU time of all threads, in microseconds.
        cpu_us: u64,
    },
    /// There is no result.
    Failed {
        /// Of which job.
        id: u64,
        /// Why.
        error: Error,
        /// CPU time of all threads, in microseconds.
        cpu_us: u64,
    },
}

/// What a worker can do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Task {
    /// Convert the picture.
    Convert(Job),
    /// Tell how much the picture looks like the mark's; the result is a [`Likeness`](crate::imaging::compare::Likeness) as
    /// JSON.
    Compare(Comparing),
    /// Misbehave, for tests of the pool; only in workers that were started with `--diagnostics`.
    Diagnose(Diagnosis),
}

/// Ways to test the pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Diagnosis {
    /// Give the input back.
    Echo,
    /// Wait so many milliseconds.
    Sleep(u64),
    /// Compute for so many milliseconds.
    Spin(u64),
    /// `abort()`.
    Abort,
    /// SIGSEGV.
    Segfault,
    /// A Rust panic.
    Panic,
    /// Take so many bytes, touch them, and give them back.
    Allocate(u64),
    /// Take so many bytes, touch them, and never give them back.
    Leak(u64),
    /// Write so many bytes into the output file.
    Fill(u64),
    /// Say a frame that is none.
    Garbage,
    /// Claim a result of so many bytes without writing them.
    Claim(u64),
    /// Give the input back and say that it is this.
    Answer {
        /// The format, if it is to be a picture.
        format: Option<Format>,
        /// Its size.
        width: u32,
        /// Its size.
        height: u32,
        /// Its frames.
        frames: u32,
    },
    /// Fail with an error of this kind.
    Fail(Kind),
    /// Give the process's number back.
    Pid,
    /// Run so many threads for good.
    Threads(u32),
    /// Start a thread and wait for it, as codecs do.
    Thread,
    /// Try what the sandbox denies; the result is `ok` or the error's text.
    Probe(Probe),
}

/// What a sandboxed process must not be able to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Probe {
    /// Read a file.
    Open,
    /// Write a file.
    Create,
    /// Make a socket.
    Socket,
    /// Connect to a port of this machine.
    Connect,
    /// Run a program.
    Exec,
    /// Make a process.
    Fork,
    /// Signal another process.
    Kill,
    /// Map memory that can be executed.
    Executable,
    /// Raise a limit.
    Limit,
}

/// One frame's bytes.
///
/// # Errors
/// [`Kind::Internal`] if it would be longer than `longest`.
pub fn frame<T: Serialize>(message: &T, longest: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)
        .map_err(|error| Error::new(Kind::Internal, format!("a message to or from a worker: {error}")))?;
    let length = bytes.len().saturating_sub(4);
    let header = u32::try_from(length).ok().filter(|_| length <= longest).ok_or_else(|| {
        Error::new(Kind::Internal, format!("a message to or from a worker has {length} bytes, {longest} are allowed"))
    })?;
    if let Some(start) = bytes.first_chunk_mut() {
        *start = header.to_le_bytes();
    }
    Ok(bytes)
}

/// The length that a frame's first four bytes announce.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is longer than anybody reads.
pub fn body_length(header: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(header) as usize;
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {length} bytes")));
    }
    Ok(length)
}

/// A frame's body as a message.
///
/// # Errors
/// [`io::ErrorKind::InvalidData`] if it is none.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    serde_json::from_slice(body).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Reads a message; `None` at the end of the stream.
///
/// # Errors
/// What the stream says, or [`io::ErrorKind::InvalidData`].
pub fn read<T: DeserializeOwned>(mut stream: impl Read) -> io::Result<Option<T>> {
    let mut header = [0; 4];
    match stream.read_exact(&mut header) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let mut body = vec![0; body_length(header)?];
    stream.read_exact(&mut body)?;
    parse(&body).map(Some)
}

/// Writes bytes that [`frame`] made.
///
/// # Errors
/// What the stream says.
pub fn write(mut stream: impl Write, frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use proptest::prelude::*;

    use super::*;
    use crate::imaging::Effort;
    use crate::plan::{Format, Limits, Plan};

    fn run() -> ToWorker {
        let job = Job {
            plan: Plan::identity(),
            format: Format::Avif,
            limits: Limits::default(),
            policy: crate::imaging::Policy::default(),
            effort: Effort::Interactive,
            threads: 2,
            budget_ms: 1000,
            full_ms: 0,
        };
        ToWorker::Run { id: u64::MAX, task: Task::Convert(job), length: 42, marks: vec![7, 0] }
    }

    #[test]
    fn a_message_survives_the_wire() {
        let bytes = frame(&run(), LONGEST_RUN).unwrap();
        let back: ToWorker = read(bytes.as_slice()).unwrap().unwrap();
        assert_eq!(format!("{back:?}"), format!("{:?}", run()));
        assert!(read::<ToWorker>(&[][..]).unwrap().is_none());
    }

    #[test]
    fn long_frames_are_neither_written_nor_read() {
        assert!(frame(&"x".repeat(LONGEST_RUN), LONGEST_RUN).is_err());
        let mut huge = u32::MAX.to_le_bytes().to_vec();
        huge.extend([b'1'; 10]);
        assert_eq!(read::<u64>(huge.as_slice()).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn deep_nesting_is_an_error_not_a_stack_overflow() {
        let body = "[".repeat(LONGEST);
        assert!(parse::<FromWorker>(body.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_message_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read::<FromWorker>(bytes.as_slice());
            let _ = parse::<ToWorker>(&bytes);
        }
    }
}
