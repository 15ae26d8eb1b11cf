//! The metrics' text, with the numbers of this moment.

use super::App;
use crate::telemetry::Snapshot;

/// What `/metrics` answers.
///
/// # Errors
/// What the encoder says; not expected.
pub fn exposed(app: &App) -> Result<Vec<u8>, prometheus::Error> {
    let shield = &app.shield;
    let status = shield.engine().status();
    let (fetches, conversions) = shield.under_way();
    app.metrics.expose(&Snapshot {
        pool: &[
            ("present", status.workers as u64),
            ("busy", status.busy as u64),
            ("spare", status.spare as u64),
            ("kept_for_sites", status.kept as u64),
            ("quarantined_pictures", status.quarantined as u64),
            ("resident_bytes", status.resident),
            ("estimated_wait_ms", status.queued_ms),
        ],
        pool_events: &[
            ("killed", status.kills),
            ("died", status.crashes),
            ("recycled", status.recycled),
            ("evicted", status.evicted),
            ("parked", status.parked),
            ("started", status.respawns),
            ("refused_busy", status.refused.busy),
            ("refused_hopeless", status.refused.hopeless),
            ("refused_memory", status.refused.memory),
            ("refused_quarantine", status.refused.quarantined),
        ],
        queue: &status.queued,
        cache: &shield.cache.weights(),
        flights: &[("fetch", fetches as u64), ("conversion", conversions as u64)],
        originals_held: shield.permits.taken(),
        results_held: shield.results.taken(),
        hurried: shield.hurried() as u64,
    })
}
