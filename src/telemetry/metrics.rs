//! Prometheus families. Labels come from closed sets or from site names; never from paths, hosts or client text.

use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use super::numbers::{ConversionNumbers, Labelled, Snapshot};
use super::record::{Record, RequestOutcome};
use super::sink::{Labels, Sink};
use crate::error::Kind;

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
    pub fn converted(&self, site: &str, converted: &ConversionNumbers<'_>) {
        let tier = converted.tier.name();
        self.conversions.with_label_values(&[site, tier, converted.source]).inc();
        self.conversion_source_bytes.with_label_values(&[site, tier]).inc_by(converted.source_bytes);
        self.queue_seconds.observe(converted.queued.as_secs_f64());
        for (stage, took) in converted.stages {
            self.stages.with_label_values(&[stage]).observe(took.as_secs_f64());
        }
    }

    /// The text exposition, with the gauges as the numbers of this moment say.
    ///
    /// # Errors
    /// What the encoder says; not expected.
    pub fn expose(&self, now: &Snapshot<'_>) -> Result<Vec<u8>, prometheus::Error> {
        set_each(&self.pool, now.pool);
        // The pool counts from its start; a counter takes what has come since the last look.
        for (event, total) in now.pool_events {
            let counter = self.pool_events.with_label_values(&[*event]);
            counter.inc_by(total.saturating_sub(counter.get()));
        }
        set_each(&self.queue_depth, now.queue);
        set_each(&self.cache_bytes, now.cache);
        set_each(&self.flights, now.flights);
        set(&self.hurried, now.hurried);
        set(&self.originals_held, now.originals_held);
        set(&self.results_held, now.results_held);
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}

fn set_each(family: &IntGaugeVec, numbers: &[Labelled]) {
    for (label, number) in numbers {
        set(&family.with_label_values(&[*label]), *number);
    }
}

fn set(gauge: &IntGauge, number: u64) {
    gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
}

impl Sink for Metrics {
    fn record(&self, record: &Record<'_>) {
        let Labels { site, dialect, outcome, format, cache } = Labels::of(record);
        self.requests.with_label_values(&[site, dialect, outcome, format, cache]).inc();
        self.request_seconds.with_label_values(&[cache]).observe(record.took.as_secs_f64());
        self.bytes_out.with_label_values(&[site]).inc_by(record.sent);
        self.bytes_saved.with_label_values(&[site]).inc_by(record.saved);
        if let Some(RequestOutcome::Refused(kind)) = record.outcome {
            self.refusals.with_label_values(&[site, kind.name()]).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::billing::Tier;

    fn exposed(metrics: &Metrics, now: &Snapshot<'_>) -> Vec<String> {
        let text = String::from_utf8(metrics.expose(now).unwrap()).unwrap();
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    }

    fn assert_has(lines: &[String], wanted: &[&str]) {
        for line in wanted {
            assert!(lines.iter().any(|known| known == line), "{line} is not in {lines:#?}");
        }
    }

    #[test]
    fn a_record_is_counted_once_and_a_refusal_by_its_kind() {
        let metrics = Metrics::new().unwrap();
        let took = Duration::from_millis(2);
        let record = Record { site: Some("s"), sent: 7, saved: 3, took, ..Record::nothing() };
        metrics.record(&Record { outcome: Some(RequestOutcome::Ok), ..record });
        // Whether or not the client has waited for it.
        for client_gone in [false, true] {
            metrics.record(&Record { outcome: Some(RequestOutcome::Refused(Kind::Busy)), client_gone, ..record });
        }
        let lines = exposed(&metrics, &Snapshot::default());
        let request = |outcome: &str| {
            format!(
                "pictor_requests_total{{cache=\"-\",dialect=\"-\",format=\"-\",outcome=\"{outcome}\",site=\"s\"}} 1"
            )
        };
        assert_has(&lines, &[&request("ok"), &request("busy"), &request("client_gone")]);
        assert_has(
            &lines,
            &[
                "pictor_refusals_total{kind=\"busy\",site=\"s\"} 2",
                "pictor_bytes_out_total{site=\"s\"} 21",
                "pictor_bytes_saved_total{site=\"s\"} 9",
                "pictor_request_seconds_count{cache=\"-\"} 3",
            ],
        );
    }

    #[test]
    fn numbers_of_the_moment_are_set_and_totals_go_on() {
        let metrics = Metrics::new().unwrap();
        for (busy, killed) in [(3, 5), (1, 8), (2, 8)] {
            let now = Snapshot {
                pool: &[("busy", busy)],
                pool_events: &[("killed", killed)],
                queue: &[("light", 2)],
                cache: &[("variants", 4)],
                flights: &[("fetch", 6)],
                originals_held: 10,
                results_held: 11,
                hurried: 12,
            };
            let lines = exposed(&metrics, &now);
            let busy = format!("pictor_workers{{state=\"busy\"}} {busy}");
            let killed = format!("pictor_worker_events_total{{event=\"killed\"}} {killed}");
            assert_has(&lines, &[&busy, &killed, "pictor_queue_depth{lane=\"light\"} 2"]);
            assert_has(&lines, &["pictor_cache_bytes{tier=\"variants\"} 4", "pictor_flights{kind=\"fetch\"} 6"]);
            assert_has(
                &lines,
                &["pictor_originals_held_bytes 10", "pictor_results_held_bytes 11", "pictor_hurried_results 12"],
            );
        }
    }

    #[test]
    fn a_conversion_is_counted_in_its_tier() {
        let metrics = Metrics::new().unwrap();
        let stage = Duration::from_millis(4);
        let converted = ConversionNumbers {
            tier: Tier::AdvancedSmall,
            source: "png",
            source_bytes: 100,
            queued: stage,
            stages: [("decode", stage), ("transform", stage), ("encode", stage)],
        };
        metrics.converted("s", &converted);
        assert_has(
            &exposed(&metrics, &Snapshot::default()),
            &[
                "pictor_conversions_total{site=\"s\",source=\"png\",tier=\"advanced_small\"} 1",
                "pictor_conversion_source_bytes_total{site=\"s\",tier=\"advanced_small\"} 100",
                "pictor_queue_seconds_count 1",
                "pictor_stage_seconds_count{stage=\"encode\"} 1",
            ],
        );
    }
}
