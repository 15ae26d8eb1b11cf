//! The whole conversion, as a worker runs it: decode, transform, encode, frame by frame.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::probe::Header;
use crate::error::{Error, Kind};
use crate::plan::{Format, Limits, Plan};

/// One conversion. Everything that the worker needs to know but the source's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// What is to be done.
    pub plan: Plan,
    /// The format to write, already negotiated; ignored for facts.
    pub format: Format,
    /// What the site allows.
    pub limits: Limits,
    /// How hard the encoder tries.
    pub effort: Effort,
    /// Threads that the encoder may use, 1 or more.
    pub threads: u32,
    /// The longest time that the encoder should plan for, in milliseconds; the deadline itself is the supervisor's.
    pub budget_ms: u32,
}

/// How hard an encoder tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effort {
    /// Somebody waits, and many more are queueing.
    Pressed,
    /// Somebody waits.
    Interactive,
    /// Nobody waits.
    Batch,
}

/// Time spent in each stage, in microseconds of wall time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Times {
    pub decode: u64,
    pub transform: u64,
    pub encode: u64,
}

/// What came of a conversion besides its bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// What the bytes are; `None` for facts, whose bytes are empty.
    pub format: Option<Format>,
    /// Size of the result.
    pub width: u32,
    /// Size of the result.
    pub height: u32,
    /// Frames of the result.
    pub frames: u32,
    /// What was asked for in place of a picture.
    pub facts: Option<Facts>,
    /// Where the time went.
    pub times: Times,
}

/// Facts about an original, free of any dialect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What the header says.
    pub header: Header,
    /// Bytes of the original.
    pub bytes: u64,
    /// MD5 of the original, lower-case hex, if asked for.
    pub md5: Option<String>,
    /// Average colour `[r, g, b]`, if asked for.
    pub average: Option<[u8; 3]>,
    /// EXIF tags in the file's order, name and value as text, if asked for.
    pub exif: Vec<(String, String)>,
}

/// Converts. Pure but for time: the same source and job give the same bytes.
pub fn convert(_source: &[u8], _job: &Job) -> Result<(Vec<u8>, Outcome), Error> {
    let _ = Duration::ZERO;
    Err(Error::new(Kind::Internal, "conversion is being built"))
}
