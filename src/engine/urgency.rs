//! Who waits for a conversion, and all that follows from it.
//!
//! | urgency | who waits | its caller has gone | its effort | its encoder plans for |
//! | --- | --- | --- | --- | --- |
//! | viewer | somebody, for the answer | it is stopped | is lowered in a crowd, where the plan leaves the quality open | about twice its estimate |
//! | upload | a client's upload, until it is answered | it is finished: the upload was taken | as asked: what is stored is not made again | all the time that there is |
//! | batch | nobody | it is stopped, and may come again | as asked | all the time that there is |
//!
//! When it has its turn, and what is kept from it for others, is said by the table of lanes ([`super::lanes`]). What was
//! made in a hurry for a viewer is made again as a batch (`shield/again.rs`), so that nobody notices and nothing is lowered.

use crate::imaging::{Effort, Job};
use crate::plan::Quality;

/// Who waits for a conversion, the most urgent first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Urgency {
    /// Somebody waits for the answer.
    #[default]
    Viewer,
    /// A client's upload waits for it.
    Upload,
    /// Nobody waits.
    Batch,
}

impl Urgency {
    /// All of them, the most urgent first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Upload, Self::Batch];

    /// Whether it runs to its end when its caller has gone and it has started.
    pub fn finishes(self) -> bool {
        self == Self::Upload
    }

    /// Whether the effort of a job may be lowered while many wait, which changes the bytes of its result. A search for a
    /// quality that is pressed takes the one that is typical for its score; a quality that was asked for stays what it is.
    pub fn may_press(self, job: &Job) -> bool {
        let open = |quality: Quality| matches!(quality, Quality::Default | Quality::Auto(_));
        self == Self::Viewer
            && job.effort == Effort::Interactive
            && job.plan.output().is_some_and(|output| open(output.quality))
    }

    /// Whether an encoder may plan for all the time that there is, whatever it was estimated at.
    pub fn is_patient(self, effort: Effort) -> bool {
        self != Self::Viewer || effort == Effort::Batch
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

    fn job(rule: &str, effort: Effort) -> Job {
        let plan = parse_rule(rule).unwrap().1;
        Job::new(plan, Format::Jpeg, Limits::default(), Policy::default(), Pace { effort, budget_ms: 0 })
    }

    /// Urgency, whether it finishes, may be pressed, is patient.
    const TABLE: [(Urgency, bool, bool, bool); 3] = [
        (Urgency::Viewer, false, true, false),
        (Urgency::Upload, true, false, true),
        (Urgency::Batch, false, false, true),
    ];

    #[test]
    fn every_urgency_has_its_line() {
        let open = job("imageMogr2/thumbnail/9x", Effort::Interactive);
        for ((urgency, finishes, may_press, patient), listed) in TABLE.into_iter().zip(Urgency::ALL) {
            assert_eq!(urgency, listed);
            let found = (urgency.finishes(), urgency.may_press(&open), urgency.is_patient(Effort::Interactive));
            assert_eq!(found, (finishes, may_press, patient), "{urgency:?}");
        }
    }

    #[test]
    fn only_what_was_left_open_is_pressed() {
        let may = |rule, effort| Urgency::Viewer.may_press(&job(rule, effort));
        assert!(may("imageMogr2/thumbnail/9x", Effort::Interactive));
        assert!(!may("imageMogr2/quality/80", Effort::Interactive), "a quality was asked for");
        assert!(!may("imageInfo", Effort::Interactive), "there is nothing to encode");
        assert!(!may("imageMogr2/thumbnail/9x", Effort::Batch), "time was asked for");
        assert!(!may("imageMogr2/thumbnail/9x", Effort::Pressed), "there is nothing to lower");
    }

    #[test]
    fn who_asks_for_the_effort_of_a_batch_has_the_time_for_it() {
        assert!(Urgency::Viewer.is_patient(Effort::Batch) && !Urgency::Viewer.is_patient(Effort::Pressed));
    }
}
