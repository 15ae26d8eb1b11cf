//! The access log: one line for each answer, with the target `access`.

use crate::dialect;

use super::record::Record;
use super::sink::{Labels, Sink};

/// Writes the lines.
#[derive(Debug, Clone, Copy, Default)]
pub struct AccessLog;

impl Sink for AccessLog {
    fn record(&self, record: &Record<'_>) {
        let Labels { site, outcome, format, cache, .. } = Labels::of(record);
        tracing::info!(
            target: "access",
            client = record.client.map(tracing::field::display),
            method = record.method,
            host = record.host.unwrap_or_default(),
            path = record.path,
            rule = record.rule,
            status = record.status.unwrap_or_default(),
            sent = record.sent,
            site,
            outcome,
            cache,
            format,
            // As the client was told it.
            request_id = &*dialect::request_id(record.language, record.request_id),
            took_us = record.took.as_micros() as u64,
        );
    }
}
