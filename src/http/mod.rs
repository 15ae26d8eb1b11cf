//! The listeners: pingora's types stay in this room. One file per phase of a request's life.
//!
//! ```text
//! front: bounds, places ─► pingora's phases:
//! request_filter ── incoming: host → site, query → rule, access ──┬─ image: shield → answer (conditional, range) ── written here
//!                                                                 └─ pass: upstream head ──┬─ dir: streamed here
//!                                                                                          └─ http, s3: pingora streams
//! response_filter ─ hop-by-hop out, store_error, writes invalidate        logging ─ one record for all sinks
//! ```

mod admin;
mod answer;
mod conditional;
mod framing;
pub mod front;
mod image;
mod incoming;
mod lifetime;
mod local;
pub mod named;
mod pass;
mod protect;
mod proxy;
mod referer;
mod relocate;
mod request_id;
pub mod sent;
mod server;
mod snapshot;
mod store_error;
mod styles;
mod upstream_conn;
mod writes;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

pub use request_id::{RequestId, RequestIds};
pub use server::run;

use crate::shield::Shield;
use crate::site::{CurrentSites, StyleBook};
use crate::telemetry::{Metrics, Sinks};

/// What every request needs.
pub struct App {
    /// The sites, of which a request takes its own once.
    pub sites: CurrentSites,
    /// The way to variants.
    pub shield: Arc<Shield>,
    /// The styles that can be changed while the service runs; `None` where no state is kept.
    pub styles: Option<StyleBook>,
    /// What is counted besides answers.
    pub metrics: Arc<Metrics>,
    /// Who is told of answers.
    pub sinks: Sinks,
    /// Bytes of a request's headers; above it 431.
    pub max_header: usize,
    /// Requests in flight; graceful stop waits for zero.
    pub in_flight: Arc<AtomicU64>,
    /// Names requests.
    pub ids: RequestIds,
    /// Numbers connections to origins that are not shared.
    pub fresh: AtomicU64,
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod record_tests;
