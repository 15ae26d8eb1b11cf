//! Numbers that others read for the metrics: telemetry knows none of those whom it is told of.

use std::time::Duration;

use crate::billing::Tier;

/// A number and the label that it goes under.
pub type Labelled = (&'static str, u64);

/// The numbers of one moment, read when somebody asks for the metrics.
#[derive(Debug, Clone, Copy, Default)]
pub struct Snapshot<'a> {
    /// The pool, by state.
    pub pool: &'a [Labelled],
    /// What the pool has counted since its start, by event.
    pub pool_events: &'a [Labelled],
    /// Conversions that wait for a worker, by lane.
    pub queue: &'a [Labelled],
    /// Bytes in memory, by tier of the cache.
    pub cache: &'a [Labelled],
    /// Work that requests share, by kind.
    pub flights: &'a [Labelled],
    /// Bytes of room that originals take.
    pub originals_held: u64,
    /// Bytes of results in memory.
    pub results_held: u64,
    /// Results that wait to be made again.
    pub hurried: u64,
}

/// One conversion that was done.
#[derive(Debug, Clone, Copy)]
pub struct ConversionNumbers<'a> {
    /// The price class of the result.
    pub tier: Tier,
    /// The original's format, by its name.
    pub source: &'a str,
    /// The original's bytes.
    pub source_bytes: u64,
    /// How long it waited for a worker.
    pub queued: Duration,
    /// Where its time went: the stages by name.
    pub stages: [(&'static str, Duration); 3],
}
