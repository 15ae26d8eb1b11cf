//! A conversion: what is asked for, and what came of it besides the bytes.

use serde::{Deserialize, Serialize};

use crate::budget::Pace;
use crate::effort::Effort;
use crate::plan::{Facts, Format, Limits, Plan, Policy};

/// One conversion. Everything that the worker needs to know but the source's bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Job {
    /// What is to be done.
    pub plan: Plan,
    /// The format to write, already negotiated; ignored for facts.
    pub format: Format,
    /// What the site allows.
    pub limits: Limits,
    /// What the site decides where the plan says nothing.
    pub policy: Policy,
    /// How hard the encoder tries.
    pub effort: Effort,
    /// Threads that the encoder may use, 1 or more.
    pub threads: u32,
    /// The longest time that the encoder should plan for, in milliseconds; the deadline itself is the supervisor's.
    pub budget_ms: u32,
    /// What that would be if nobody else waited; 0 where nobody wants to know whether less would have made a difference.
    pub full_ms: u32,
}

impl Job {
    /// A job as it is before the queue has decided how much time and how many threads it gets.
    pub fn new(plan: Plan, format: Format, limits: Limits, policy: Policy, pace: Pace) -> Self {
        let budget_ms = match pace.budget_ms {
            0 => u32::MAX,
            most => u32::try_from(most).unwrap_or(u32::MAX),
        };
        Self { plan, format, limits, policy, effort: pace.effort, threads: 1, budget_ms, full_ms: 0 }
    }
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
    /// More would have come of it, had there been the full time for it.
    #[serde(default)]
    pub hurried: bool,
}
