//! What one request carries from phase to phase, and the record that is made of it at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::Version;
use pingora::http::RequestHeader;
use pingora::proxy::Session;
use pingora::{Error as PingoraError, ErrorType};

use crate::billing::Tier;
use crate::cache::Variant;
use crate::dialect::Dialect;
use crate::error::Error;
use crate::http::answer::Telling;
use crate::http::front::WatchedRequest;
use crate::http::pass::Outgoing;
use crate::http::relocate::Relocate;
use crate::http::store_error::{For, Told};
use crate::http::upstream_conn::UpstreamConn;
use crate::http::writes::Writes;
use crate::http::{App, RequestId, incoming};
use crate::site::Site;
use crate::telemetry::{Processed, Record, RequestOutcome};

/// How an answer of the origin that is not passed on is told from what else may go wrong on the way.
const WITHHELD: u16 = 403;

/// What one request carries from phase to phase. It is moved now and then: what few requests have lies elsewhere.
pub struct RequestContext {
    started: Instant,
    /// What its connection knows of it.
    pub(super) request: Option<Arc<WatchedRequest>>,
    /// How often the origin has been tried.
    pub(super) tries: u64,
    /// The connection of the latest try.
    pub(super) origin: Option<Arc<UpstreamConn>>,
    pub(super) request_id: RequestId,
    pub(super) site: Option<Arc<Site>>,
    /// Whose rule it was.
    pub(super) dialect: Option<Dialect>,
    /// The language to answer in where there is no rule.
    pub(super) speaks: Option<Dialect>,
    /// The head for the origin; present once the request is to be passed through.
    pub(super) upstream: Option<Box<Outgoing>>,
    /// What the request will change.
    pub(super) writes: Option<Box<Writes>>,
    /// Why the origin's answer is not passed on.
    pub(super) withheld: Option<Box<Error>>,
    /// An error of the store, said anew when its body has come.
    pub(super) told: Option<Box<Told>>,
    /// An answer that says where an object is.
    pub(super) relocate: Option<Box<Relocate>>,
    /// The rule's canonical text.
    pub(super) rule: Option<Arc<str>>,
    pub(super) telling: Telling,
    /// How it ended, as far as that is known by now.
    pub(super) outcome: Option<RequestOutcome>,
    /// The status that was answered.
    pub(super) status: Option<u16>,
    /// What processing gave.
    pub(super) processed: Option<Processed>,
    /// Bytes of the body that were sent.
    pub(super) sent: u64,
    /// Bytes that the original would have taken more.
    pub(super) saved: u64,
    /// The client did not take all of the answer.
    pub(super) client_gone: bool,
    _in_flight: InFlight,
}

impl RequestContext {
    /// Of a request whose head has come: pingora makes one then.
    pub(super) fn new(app: &App) -> Self {
        let (started, request) = (Instant::now(), WatchedRequest::current());
        if let Some(request) = &request {
            request.begin();
        }
        Self {
            started,
            request,
            tries: 0,
            origin: None,
            request_id: app.ids.next(started),
            site: None,
            dialect: None,
            speaks: None,
            upstream: None,
            writes: None,
            withheld: None,
            told: None,
            relocate: None,
            rule: None,
            telling: Telling::default(),
            outcome: None,
            status: None,
            processed: None,
            sent: 0,
            saved: 0,
            client_gone: false,
            _in_flight: InFlight::new(&app.in_flight),
        }
    }

    /// The language that is answered in: the rule's, or what the client seems to speak.
    pub(super) fn language(&self) -> Option<Dialect> {
        self.dialect.or(self.speaks)
    }

    /// Ends the passing through, with an error to be said in place of the origin's answer.
    pub(super) fn withhold<T>(&mut self, error: Error) -> pingora::Result<T> {
        self.withheld = Some(Box::new(error));
        PingoraError::e_explain(ErrorType::HTTPStatus(WITHHELD), "not passed on")
    }

    /// Takes note of what was made for the request.
    pub(super) fn made(&mut self, variant: &Variant) {
        let meta = &variant.meta;
        let tier = Tier::of(meta.format, meta.width, meta.height);
        self.processed = Some(Processed { format: meta.format, tier, source_bytes: meta.source_bytes });
    }

    /// For whom the origin's answer is dressed.
    pub(super) fn to<'a>(&'a self, asked: &'a RequestHeader) -> For<'a> {
        For {
            dialect: self.language(),
            path: asked.uri.path(),
            host: incoming::host(asked).unwrap_or_default(),
            request_id: &self.request_id,
            chunks: asked.version > Version::HTTP_10,
        }
    }

    /// The record of the request, now that it is over.
    pub(super) fn record<'a>(&'a self, session: &'a Session) -> Record<'a> {
        let head = session.req_header();
        Record {
            site: self.site.as_ref().map(|site| &*site.name),
            client: session.client_addr().and_then(|client| client.as_inet()).copied(),
            host: incoming::host(head).ok(),
            path: head.uri.path(),
            method: head.method.as_str(),
            dialect: self.dialect,
            language: self.language(),
            rule: self.rule.as_deref(),
            status: self.status,
            outcome: self.outcome,
            client_gone: self.client_gone,
            processed: self.processed,
            cache: self.telling.cache.map(|status| status.part()),
            sent: if self.sent == 0 { session.body_bytes_sent() as u64 } else { self.sent },
            saved: self.saved,
            took: self.started.elapsed(),
            request_id: &self.request_id,
        }
    }
}

/// Counts a request for as long as it lives; graceful stop waits for none.
struct InFlight(Arc<AtomicU64>);

impl InFlight {
    fn new(count: &Arc<AtomicU64>) -> Self {
        count.fetch_add(1, Ordering::AcqRel);
        Self(count.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
