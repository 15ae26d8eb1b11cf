//! What a site and the service set for a conversion, before the queue has decided how much time it gets.

use super::Shield;
use crate::imaging::budget::Pace;
use crate::imaging::{Effort, Terms};
use crate::site::Site;

/// The site's terms, with what the pool's workers can write.
pub(super) fn terms<'a>(shield: &Shield, site: &'a Site) -> Terms<'a> {
    Terms {
        limits: site.limits,
        policy: site.imaging,
        offered: &site.offered,
        advanced_compression: site.advanced_compression,
        writable: shield.engine.writable(),
    }
}

/// How hard to try for whoever asks the service, and within which time.
pub(super) fn pace(shield: &Shield) -> Pace {
    let budget_ms = u64::try_from(shield.deadline.as_millis()).unwrap_or(u64::MAX);
    Pace { effort: Effort::Interactive, budget_ms }
}
