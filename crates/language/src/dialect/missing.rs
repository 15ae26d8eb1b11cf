//! What one language can say and the other cannot.

use crate::plan::{Answer, Output, Plan, Step};

/// One thing that the other language has no words for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// A plan of nothing but this thing; `None` if it is no single thing.
    pub part: Option<Plan>,
    /// Why.
    pub why: String,
}

impl Missing {
    pub(super) fn step(step: &Step, why: impl Into<String>) -> Self {
        Self { part: Some(Plan { steps: vec![step.clone()], ..Plan::identity() }), why: why.into() }
    }

    pub(super) fn output(output: Output, why: impl Into<String>) -> Self {
        Self { part: Some(Plan { answer: Answer::Image(output), ..Plan::identity() }), why: why.into() }
    }

    pub(super) fn whole(why: impl Into<String>) -> Self {
        Self { part: None, why: why.into() }
    }
}
