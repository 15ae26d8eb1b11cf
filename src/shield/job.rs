//! What a worker is asked, before the queue has decided how much time it gets.

use super::{Question, Shield};
use crate::imaging::{Effort, Job};
use crate::plan::{Format, Plan};

/// A conversion as the question's site wants it.
pub(super) fn job(shield: &Shield, question: &Question, plan: Plan, format: Format) -> Job {
    Job {
        plan,
        format,
        limits: question.site.limits,
        policy: question.site.imaging,
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: u32::try_from(shield.deadline.as_millis()).unwrap_or(u32::MAX),
        full_ms: 0,
    }
}
