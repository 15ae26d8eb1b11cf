//! What a conversion gets when it has its turn: threads, time to plan for, effort. Pure.

use super::urgency::Urgency;
use crate::imaging::{Effort, Job};

/// The least that an encoder is told to plan for: below it there is nothing to gain.
const LEAST_BUDGET_MS: u64 = 250;

/// How things stand when a job has its turn. Times are milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dispatch {
    /// What it was let in for: its time on one core.
    pub estimate: u64,
    /// Time until it must be done.
    pub left: u64,
    /// How long one like it that came now would wait.
    pub wait: u64,
    /// What configuration gives to a conversion.
    pub whole: u64,
    /// The machine's cores.
    pub cores: usize,
    /// Jobs that share them, this one among them.
    pub sharing: usize,
}

impl Dispatch {
    /// Gives a job what it gets. True: it is pressed, because many wait.
    pub fn allot(&self, job: &mut Job, urgency: Urgency) -> bool {
        // Nobody takes much more than it was let in for: an encoder that finds the picture harder than its header and its
        // bytes tell makes up for it by trying less hard, and says so.
        let estimated = self.estimate.saturating_mul(2).max(LEAST_BUDGET_MS);
        let most = if urgency.is_patient(job.effort) { self.left } else { self.left.min(estimated) };
        job.threads = u32::try_from((self.cores / self.sharing.max(1)).max(1)).unwrap_or(u32::MAX);
        job.budget_ms = u32::try_from(most).unwrap_or(u32::MAX);
        job.full_ms = u32::try_from(self.whole).unwrap_or(u32::MAX);
        let pressed = self.wait > self.whole / 4 && urgency.may_press(job);
        if pressed {
            job.effort = Effort::Pressed;
        }
        pressed
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::dialect::parse_rule;
    use crate::imaging::Policy;
    use crate::imaging::budget::Pace;
    use crate::plan::{Format, Limits};

    const QUIET: Dispatch = Dispatch { estimate: 1000, left: 20_000, wait: 0, whole: 30_000, cores: 8, sharing: 1 };

    /// What a job gets: threads, time, effort; and whether it is pressed.
    fn given(dispatch: Dispatch, urgency: Urgency, effort: Effort) -> (u32, u32, Effort, bool) {
        let plan = parse_rule("imageMogr2/thumbnail/9x").unwrap().1;
        let pace = Pace { effort, budget_ms: 0 };
        let mut job = Job::new(plan, Format::Jpeg, Limits::default(), Policy::default(), pace);
        let pressed = dispatch.allot(&mut job, urgency);
        assert_eq!(job.full_ms, 30_000);
        (job.threads, job.budget_ms, job.effort, pressed)
    }

    #[test]
    fn a_viewers_encoder_plans_for_twice_the_estimate_and_others_for_what_is_left() {
        let of = |urgency, effort| given(QUIET, urgency, effort);
        assert_eq!(of(Urgency::Viewer, Effort::Interactive), (8, 2000, Effort::Interactive, false));
        assert_eq!(of(Urgency::Viewer, Effort::Batch), (8, 20_000, Effort::Batch, false));
        assert_eq!(of(Urgency::Upload, Effort::Interactive), (8, 20_000, Effort::Interactive, false));
        assert_eq!(of(Urgency::Batch, Effort::Interactive), (8, 20_000, Effort::Interactive, false));
        let tiny = Dispatch { estimate: 1, ..QUIET };
        assert_eq!(given(tiny, Urgency::Viewer, Effort::Interactive).1, 250, "below that there is nothing to gain");
        let late = Dispatch { left: 90, ..QUIET };
        assert_eq!(given(late, Urgency::Viewer, Effort::Interactive).1, 90);
        let absurd = Dispatch { estimate: u64::MAX, left: u64::MAX, ..QUIET };
        assert_eq!(given(absurd, Urgency::Viewer, Effort::Interactive).1, u32::MAX);
    }

    #[test]
    fn only_viewers_are_pressed_and_only_in_a_crowd() {
        let crowd = |wait| Dispatch { wait, ..QUIET };
        let pressed = |wait, urgency| given(crowd(wait), urgency, Effort::Interactive).3;
        assert!(!pressed(7_500, Urgency::Viewer) && pressed(7_501, Urgency::Viewer), "a quarter of the whole time");
        assert!(!pressed(u64::MAX, Urgency::Upload) && !pressed(u64::MAX, Urgency::Batch));
        let (.., effort, _) = given(crowd(8_000), Urgency::Viewer, Effort::Interactive);
        assert_eq!(effort, Effort::Pressed);
    }

    #[test]
    fn cores_are_shared_and_everybody_has_one() {
        let threads =
            |cores, sharing| given(Dispatch { cores, sharing, ..QUIET }, Urgency::Viewer, Effort::Interactive).0;
        assert_eq!((threads(8, 0), threads(8, 1), threads(8, 3), threads(8, 9), threads(1, 1)), (8, 8, 2, 1, 1));
    }
}
