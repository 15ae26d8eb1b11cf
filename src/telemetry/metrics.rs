//! Prometheus families. Labels come from closed sets or from site names; never from paths, hosts or client text.

use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::billing::Tier;
use crate::engine::{Converted, Lane, Status};
use crate::error::{Error, Kind};
use crate::plan::Source;

/// One finished request, as the access log and the metrics see it.
#[derive(Debug, Clone, Copy)]
pub struct Served<'a> {
    /// The site's name, or `-`.
    pub site: &'a str,
    /// `tencent`, `aliyun`, or `-` for pass-through.
    pub dialect: &'static str,
    /// `ok`, `not_modified`, `passed`, or an error's name.
    pub outcome: &'static str,
    /// The format of the answer, or `-`.
    pub format: &'static str,
    /// The cache's part, or `-`.
    pub cache: &'static str,
    /// Bytes of the body sent.
    pub sent: u64,
    /// Bytes that the original would have taken more than the answer.
    pub saved: u64,
    /// From the first byte of the request's head to the end of the answer.
    pub took: Duration,
}

/// Every family, bound once.
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    stages: HistogramVec,
    queue_seconds: Histogram,
    bytes_in: IntCounterVec,
    bytes_out: IntCounterVec,
    bytes_saved: IntCounterVec,
    conversions: IntCounterVec,
    conversion_source_bytes: IntCounterVec,
    fetch_errors: IntCounterVec,
    refusals: IntCounterVec,
    pool: IntGaugeVec,
    pool_events: IntCounterVec,
    queue_depth: IntGaugeVec,
    cache_bytes: IntGaugeVec,
    flights: IntGaugeVec,
    originals_held: IntGauge,
    hurried: IntGauge,
    results_held: IntGauge,
    connections: IntGaugeVec,
    connections_ended: IntCounterVec,
}

/// A connection that is counted for as long as this lives.
#[derive(Debug)]
pub struct Connected(IntGauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Seconds: hits take microseconds, conversions seconds.
const BUCKETS: [f64; 14] = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0];

impl Metrics {
    /// Every family, registered in a registry of its own.
    ///
    /// # Errors
    /// A family that does not register: a mistake in this file, found by its test.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counter = |name: &str, help: &str, labels: &[&str]| -> Result<IntCounterVec, prometheus::Error> {
            let family = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok(family)
        };
        let gauge = |name: &str, help: &str, labels: &[&str]| -> Result<IntGaugeVec, prometheus::Error> {
            let family = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok(family)
        };
        let histogram = |name: &str, help: &str, labels: &[&str]| -> Result<HistogramVec, prometheus::Error> {
            let family = HistogramVec::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)?;
            registry.register(Box::new(family.clone()))?;
            Ok(family)
        };
        let queue_seconds = Histogram::with_opts(
            HistogramOpts::new("pictor_queue_seconds", "Time that conversions waited for a worker")
                .buckets(BUCKETS.to_vec()),
        )?;
        registry.register(Box::new(queue_seconds.clone()))?;
        let originals_held = IntGauge::new(
            "pictor_originals_held_bytes",
            "Room taken by originals: on their way, in use, or cached; at most cache.originals and cache.in_flight",
        )?;
        registry.register(Box::new(originals_held.clone()))?;
        let hurried = IntGauge::new(
            "pictor_hurried_results",
            "Results that were made in a hurry and wait to be made again when the pool has nothing else to do",
        )?;
        registry.register(Box::new(hurried.clone()))?;
        let results_held =
            IntGauge::new("pictor_results_held_bytes", "Bytes of results in memory, in the cache or being sent")?;
        registry.register(Box::new(results_held.clone()))?;
        Ok(Self {
            requests: counter(
                "pictor_requests_total",
                "Requests by site, dialect, outcome, format of the answer and the cache's part",
                &["site", "dialect", "outcome", "format", "cache"],
            )?,
            request_seconds: histogram("pictor_request_seconds", "Time to answer, by the cache's part", &["cache"])?,
            stages: histogram("pictor_stage_seconds", "Time of each stage of a conversion", &["stage"])?,
            queue_seconds,
            bytes_in: counter("pictor_bytes_in_total", "Bytes of originals fetched for conversion", &["site"])?,
            bytes_out: counter("pictor_bytes_out_total", "Bytes of bodies sent", &["site"])?,
            bytes_saved: counter(
                "pictor_bytes_saved_total",
                "Bytes that the originals would have taken more than what was sent in their place",
                &["site"],
            )?,
            conversions: counter(
                "pictor_conversions_total",
                "Conversions by site, billing tier and source format",
                &["site", "tier", "source"],
            )?,
            conversion_source_bytes: counter(
                "pictor_conversion_source_bytes_total",
                "Bytes of the originals of conversions, which is what basic processing is billed by",
                &["site", "tier"],
            )?,
            fetch_errors: counter("pictor_fetch_errors_total", "Fetches of originals that failed", &["site", "kind"])?,
            refusals: counter("pictor_refusals_total", "Requests refused, by reason", &["site", "kind"])?,
            pool: gauge("pictor_workers", "The worker pool at this moment", &["state"])?,
            pool_events: counter(
                "pictor_worker_events_total",
                "Workers killed, died, recycled, evicted for other sites, started; work that waited for a worker of its own; work refused",
                &["event"],
            )?,
            queue_depth: gauge("pictor_queue_depth", "Conversions waiting for a worker", &["lane"])?,
            cache_bytes: gauge("pictor_cache_bytes", "Bytes held in memory", &["tier"])?,
            flights: gauge("pictor_flights", "Work that requests share at this moment", &["kind"])?,
            originals_held,
            hurried,
            results_held,
            connections: gauge("pictor_connections", "Connections of clients at this moment", &["listener"])?,
            connections_ended: counter(
                "pictor_connections_ended_total",
                "Connections that were ended or turned away, by the bound that they passed",
                &["bound"],
            )?,
            registry,
        })
    }

    /// Counts a finished request.
    pub fn served(&self, served: &Served<'_>) {
        let labels = [served.site, served.dialect, served.outcome, served.format, served.cache];
        self.requests.with_label_values(&labels).inc();
        self.request_seconds.with_label_values(&[served.cache]).observe(served.took.as_secs_f64());
        self.bytes_out.with_label_values(&[served.site]).inc_by(served.sent);
        self.bytes_saved.with_label_values(&[served.site]).inc_by(served.saved);
    }

    /// Counts a connection, for as long as what is returned lives.
    pub fn connected(&self, listener: &str) -> Connected {
        let gauge = self.connections.with_label_values(&[listener]);
        gauge.inc();
        Connected(gauge)
    }

    /// Counts a connection that was ended or turned away by a bound.
    pub fn connection_ended(&self, bound: &str) {
        self.connections_ended.with_label_values(&[bound]).inc();
    }

    /// Counts an answer that is an error.
    pub fn refused(&self, site: &str, error: &Error) {
        self.refusals.with_label_values(&[site, error.kind.name()]).inc();
    }

    /// Counts a fetch.
    pub fn fetched(&self, site: &str, took: Duration, error: Option<Kind>) {
        self.stages.with_label_values(&["fetch"]).observe(took.as_secs_f64());
        if let Some(kind) = error {
            self.fetch_errors.with_label_values(&[site, kind.name()]).inc();
        }
    }

    /// Counts the bytes of a fetched original.
    pub fn bytes_in(&self, site: &str, bytes: u64) {
        self.bytes_in.with_label_values(&[site]).inc_by(bytes);
    }

    /// Counts a conversion in its billing tier, and where its time went.
    pub fn converted(&self, site: &str, source: &Source, source_bytes: u64, converted: &Converted) {
        let outcome = &converted.outcome;
        let tier = Tier::of(outcome.format, outcome.width, outcome.height).name();
        self.conversions.with_label_values(&[site, tier, source.format.name()]).inc();
        self.conversion_source_bytes.with_label_values(&[site, tier]).inc_by(source_bytes);
        self.queue_seconds.observe(converted.queued.as_secs_f64());
        let times = [
            ("decode", outcome.times.decode),
            ("transform", outcome.times.transform),
            ("encode", outcome.times.encode),
        ];
        for (stage, micros) in times {
            self.stages.with_label_values(&[stage]).observe(micros as f64 / 1e6);
        }
    }

    /// The text exposition, with gauges read at this moment.
    ///
    /// # Errors
    /// What the encoder says; not expected.
    pub fn expose(
        &self,
        status: &Status,
        cache: &[(&'static str, u64)],
        held: [u64; 2],
        flights: (usize, usize),
        hurried: usize,
    ) -> Result<Vec<u8>, prometheus::Error> {
        let pool = [
            ("present", status.workers as u64),
            ("busy", status.busy as u64),
            ("spare", status.spare as u64),
            ("kept_for_sites", status.kept as u64),
            ("quarantined_pictures", status.quarantined as u64),
            ("resident_bytes", status.resident),
            ("estimated_wait_ms", status.queued_ms),
        ];
        for (state, value) in pool {
            self.pool.with_label_values(&[state]).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        // The pool counts from its start; a counter takes what has come since the last look.
        let events = [
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
        ];
        for (event, total) in events {
            let counter = self.pool_events.with_label_values(&[event]);
            counter.inc_by(total.saturating_sub(counter.get()));
        }
        for (lane, depth) in [(Lane::Light, status.queued_light), (Lane::Heavy, status.queued_heavy)] {
            self.queue_depth.with_label_values(&[lane.name()]).set(depth as i64);
        }
        for (tier, bytes) in cache {
            self.cache_bytes.with_label_values(&[*tier]).set(i64::try_from(*bytes).unwrap_or(i64::MAX));
        }
        self.hurried.set(i64::try_from(hurried).unwrap_or(i64::MAX));
        for (gauge, bytes) in [&self.originals_held, &self.results_held].into_iter().zip(held) {
            gauge.set(i64::try_from(bytes).unwrap_or(i64::MAX));
        }
        self.flights.with_label_values(&["fetch"]).set(flights.0 as i64);
        self.flights.with_label_values(&["conversion"]).set(flights.1 as i64);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_family_registers() {
        assert!(Metrics::new().is_ok());
    }
}
