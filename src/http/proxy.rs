//! pingora's phases, each a few lines over the room's other files.

use std::os::fd::RawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Method, StatusCode, Version};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error as PingoraError, ErrorSource, ErrorType};

use super::answer::Telling;
use super::front::Request;
use super::incoming::{self, Incoming};
use super::pass::{self, Outgoing, Resolver};
use super::relocate::{self, Relocate};
use super::store_error::{self, For, Told};
use super::upstream_conn::UpstreamConn;
use super::writes::Writes;
use super::{App, RequestId, answer, framing, image, local, protect, styles};
use crate::access::{self, Action, Pass};
use crate::billing::Tier;
use crate::dialect::{self, Dialect};
use crate::error::{Error, Kind};
use crate::origin::Upstream;
use crate::shield::{CacheStatus, Failure};
use crate::site::Site;
use crate::telemetry::{Processed, Record, RequestOutcome};

/// The shield's face to pingora.
pub struct Proxy {
    pub(super) app: Arc<App>,
    pub(super) resolver: Resolver,
}

/// How an answer of the origin that is not passed on is told from what else may go wrong on the way.
const WITHHELD: u16 = 403;

/// What one request carries from phase to phase. It is moved now and then: what few requests have lies elsewhere.
pub struct Context {
    started: Instant,
    /// What its connection knows of it.
    request: Option<Arc<Request>>,
    /// How often the origin has been tried.
    tries: u64,
    /// The connection of the latest try.
    origin: Option<Arc<UpstreamConn>>,
    request_id: RequestId,
    site: Option<Arc<Site>>,
    dialect: Option<Dialect>,
    /// The language to answer in where there is no rule.
    speaks: Option<Dialect>,
    /// The head for the origin; present once the request is to be passed through.
    upstream: Option<Box<Outgoing>>,
    /// What the request will change.
    writes: Option<Box<Writes>>,
    /// Why the origin's answer is not passed on.
    withheld: Option<Box<Error>>,
    /// An error of the store, said anew when its body has come.
    told: Option<Box<Told>>,
    /// An answer that says where an object is.
    relocate: Option<Box<Relocate>>,
    rule: Option<Arc<str>>,
    telling: Telling,
    /// How it ended, as far as that is known by now.
    outcome: Option<RequestOutcome>,
    /// The status that was answered.
    status: Option<u16>,
    /// What processing gave.
    processed: Option<Processed>,
    /// Bytes of the body that were sent.
    sent: u64,
    /// Bytes that the original would have taken more.
    saved: u64,
    /// The client did not take all of the answer.
    client_gone: bool,
    _in_flight: InFlight,
}

impl Context {
    /// Ends the passing through, with an error to be said in place of the origin's answer.
    fn withhold<T>(&mut self, error: Error) -> pingora::Result<T> {
        self.withheld = Some(Box::new(error));
        PingoraError::e_explain(ErrorType::HTTPStatus(WITHHELD), "not passed on")
    }

    /// For whom the origin's answer is dressed.
    fn to<'a>(&'a self, asked: &'a RequestHeader) -> For<'a> {
        For {
            dialect: self.dialect.or(self.speaks),
            path: asked.uri.path(),
            host: incoming::host(asked).unwrap_or_default(),
            request_id: &self.request_id,
            chunks: asked.version > Version::HTTP_10,
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

impl Proxy {
    /// Decides, and answers what is answered here. `Ok(false)`: through to the origin.
    async fn handle(&self, session: &mut Session, context: &mut Context) -> Result<bool, Error> {
        let app = &self.app;
        let head = session.req_header();
        let host = incoming::host(head)?;
        framing::check(head, app.max_header)?;
        let site = &incoming::site(host, &app.sites)?;
        context.site = Some(site.clone());
        // Before anything can be refused.
        context.telling.negotiable = incoming::negotiates_plain(head, site);
        let read = incoming::read(head, site).map_err(|(dialect, error)| {
            context.dialect = dialect;
            error
        })?;
        let mut image = match read {
            Incoming::Image(image) => image,
            Incoming::Original(pass) => return self.pass(session, context, site, pass, RequestOutcome::Original).await,
            Incoming::Styles(grant) => return self.styles(session, context, site, grant).await,
            Incoming::Pass(pass) => return self.pass(session, context, site, pass, RequestOutcome::Passed).await,
        };
        context.dialect = image.dialect;
        context.rule = Some(image.question.canonical.clone());
        context.telling.negotiable = image.question.class.is_some();
        let answer = match image::ask(app, session, &image).await {
            Ok(answer) => answer,
            Err(Failure { error, status }) => {
                let instead = match image.dialect {
                    Some(_) => image::forgiven(error.kind),
                    None => image::original_instead(error.kind),
                };
                if let Some(pass) = image.original.take().filter(|_| instead) {
                    return self.pass(session, context, site, pass, RequestOutcome::Original).await;
                }
                context.telling.cache = Some(status);
                return Err(error);
            }
        };
        context.telling.cache = Some(answer.status);
        let mut response = image::dress(session, &answer, &image.question, image.dialect, &context.request_id)?;
        answer::override_fields(&mut response.head, image.grant.overrides());
        let status = response.head.status;
        context.status = Some(status.as_u16());
        let unmodified = status == StatusCode::NOT_MODIFIED;
        context.outcome = Some(if unmodified { RequestOutcome::NotModified } else { RequestOutcome::Ok });
        let meta = &answer.variant.meta;
        let tier = Tier::of(meta.format, meta.width, meta.height);
        context.processed = Some(Processed { format: meta.format, tier, source_bytes: meta.source_bytes });
        let whole = status == StatusCode::OK && !response.body.is_empty() && meta.format.is_some();
        match answer::write(session, response, &context.telling).await {
            Ok(sent) => {
                context.sent = sent;
                context.saved = if whole { meta.source_bytes.saturating_sub(sent) } else { 0 };
            }
            Err(_) => context.client_gone = true,
        }
        Ok(true)
    }

    /// A vendor's call for the styles of a site that lets anyone make it.
    async fn styles(
        &self,
        session: &mut Session,
        context: &mut Context,
        site: &Site,
        _: access::StylesGrant,
    ) -> Result<bool, Error> {
        let body = styles::Body::receive(session.as_downstream_mut()).await?;
        let head = session.req_header();
        let query = head.uri.query().unwrap_or_default();
        let (dialect, result) = styles::call(&self.app, site, head.method.as_str(), query, &body).await;
        context.dialect = dialect;
        let (status, body) = result?;
        let response = styles::response(dialect, status, body, &context.request_id)?;
        (context.status, context.outcome) = (Some(status), Some(RequestOutcome::Styles));
        match answer::write(session, response, &context.telling).await {
            Ok(sent) => context.sent = sent,
            Err(_) => context.client_gone = true,
        }
        Ok(true)
    }

    /// To the origin: what is not for us, or the untouched original in place of a picture that failed.
    async fn pass(
        &self,
        session: &mut Session,
        context: &mut Context,
        site: &Arc<Site>,
        pass: Pass,
        outcome: RequestOutcome,
    ) -> Result<bool, Error> {
        if let Some(request) = &context.request {
            request.passes();
        }
        let head = session.req_header();
        context.outcome = Some(outcome);
        context.speaks = incoming::spoken(head, &site.language);
        context.telling.cache = Some(match head.method {
            Method::GET | Method::HEAD => CacheStatus::Bypass,
            _ => CacheStatus::Method,
        });
        context.writes = Writes::of(site, &self.app.shield, &head.method, &pass).map(Box::new);
        if let Some(upstream) = site.origin.upstream() {
            context.upstream = Some(Box::new(Outgoing::new(upstream, head, pass)?));
            return Ok(false);
        }
        let (status, sent) = local::serve(session, &self.app.shield, site, &pass, &context.telling).await?;
        (context.status, context.sent) = (Some(status), sent);
        Ok(true)
    }

    /// Looks at the head of the origin's answer: withholds it, or makes it what the client may read.
    async fn judge(
        &self,
        site: &Site,
        session: &Session,
        head: &mut ResponseHeader,
        context: &mut Context,
    ) -> pingora::Result<()> {
        if site.protect
            && head.status.is_success()
            && let Some(sent) = &context.upstream
            && let Err(error) = protect::judge(&self.app.shield, site, session.req_header(), head, sent.pass()).await
        {
            return context.withhold(error);
        }
        if !site.origin.upstream().is_some_and(Upstream::signs) {
            return Ok(());
        }
        let status = head.status;
        if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
            let detail = format!("the store answered {status}: the bucket is at another endpoint or in another region");
            return context.withhold(Error::new(Kind::OriginFailed, detail));
        }
        let head_only = session.req_header().method == Method::HEAD;
        let to = context.to(session.req_header());
        if status.is_client_error() || status.is_server_error() {
            let told = store_error::begin(head, head_only, &to);
            context.told = told.map(Box::new);
            return Ok(());
        }
        store_error::clean(head, &to);
        let upload = context.upstream.as_ref().is_some_and(|sent| sent.pass().action() == Action::Upload);
        if upload && !head_only && relocate::may(head) {
            let tls = session.digest().is_some_and(|digest| digest.ssl_digest.is_some());
            let place = format!("{}://{}{}", if tls { "https" } else { "http" }, to.host, to.path);
            context.relocate = Some(Box::new(Relocate::begin(head, &place, to.chunks)));
        }
        Ok(())
    }

    /// Says an error in the vendor's shape, on a connection that stays open.
    async fn refuse(&self, session: &mut Session, context: &mut Context, error: &Error) {
        context.outcome = Some(RequestOutcome::Refused(error.kind));
        context.status = Some(error.kind.status());
        if error.kind.is_inside() {
            // What the client does not read, the operator does.
            let site = context.site.as_ref().map_or("-", |site| &*site.name);
            let request_id = dialect::request_id(context.dialect.or(context.speaks), &context.request_id);
            tracing::warn!(%error, site, request_id = &*request_id, "refused");
        }
        let begun = session.response_written().is_some_and(|head| !head.status.is_informational());
        if error.kind == Kind::Cancelled || begun {
            // Nobody is there to be told, or half an answer is out: only the connection's end can say so.
            session.as_downstream_mut().shutdown().await;
            return;
        }
        let head = session.req_header();
        let head_only = head.method == Method::HEAD;
        let dressed = answer::error(
            context.dialect.or(context.speaks),
            error,
            head.uri.path(),
            incoming::host(head).unwrap_or_default(),
            &context.request_id,
            head_only,
        );
        match dressed {
            Ok(mut response) => {
                if context.dialect.is_none() && error.kind != Kind::Protected {
                    // Tencent's numbers are of its image processing, which protection belongs to; the store has none.
                    response.head.headers.remove("x-errno");
                }
                match answer::write(session, response, &context.telling).await {
                    Ok(sent) => context.sent = sent,
                    Err(_) => context.client_gone = true,
                }
            }
            Err(error) => tracing::error!(%error, "an error could not be said"),
        }
    }
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = Context;

    fn new_ctx(&self) -> Context {
        let (started, request) = (Instant::now(), Request::current());
        // pingora makes a context when a head has come.
        if let Some(request) = &request {
            request.begin();
        }
        Context {
            started,
            request,
            tries: 0,
            origin: None,
            request_id: self.app.ids.next(started),
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
            _in_flight: InFlight::new(&self.app.in_flight),
        }
    }

    fn init_downstream_modules(&self, _: &mut HttpModules) {
        // pingora's default adds a compression module; pictures are compressed already.
    }

    async fn request_filter(&self, session: &mut Session, context: &mut Context) -> pingora::Result<bool> {
        if let Some(request) = context.request.as_ref().filter(|_| !session.as_downstream_mut().is_body_empty()) {
            request.body_comes();
        }
        match self.handle(session, context).await {
            Ok(answered) => Ok(answered),
            Err(error) => {
                self.refuse(session, context, &error).await;
                Ok(true)
            }
        }
    }

    async fn upstream_peer(&self, _: &mut Session, context: &mut Context) -> pingora::Result<Box<HttpPeer>> {
        let upstream = context.site.as_ref().and_then(|site| site.origin.upstream());
        let Some(upstream) = upstream else {
            return PingoraError::e_explain(ErrorType::InternalError, "no origin to pass to");
        };
        match self.resolver.peer(upstream, context.writes.is_some()).await {
            Ok(mut peer) => {
                context.tries += 1;
                if context.tries > 1 {
                    // A kept connection was closed under our hands. Others may be too: this try makes one of its own.
                    peer.group_key = 1 + self.app.fresh.fetch_add(1, Ordering::Relaxed);
                    peer.options.idle_timeout = Some(Duration::from_millis(1));
                }
                Ok(Box::new(peer))
            }
            Err(error) => context.withhold(error),
        }
    }

    async fn connected_to_upstream(
        &self,
        _: &mut Session,
        _: bool,
        _: &HttpPeer,
        _: RawFd,
        digest: Option<&Digest>,
        context: &mut Context,
    ) -> pingora::Result<()> {
        context.origin = digest.and_then(UpstreamConn::of);
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        head: &mut RequestHeader,
        context: &mut Context,
    ) -> pingora::Result<()> {
        let Some(outgoing) = &context.upstream else {
            return PingoraError::e_explain(ErrorType::InternalError, "nothing was granted");
        };
        let patience =
            context.site.as_ref().filter(|_| context.writes.is_none()).map(|site| site.origin.total_timeout());
        if let (Some(timed), Some(origin), Some(patience)) = (&context.request, context.origin.take(), patience) {
            timed.origin_asked(origin, patience);
        }
        outgoing.shape(head).or_else(|error| context.withhold(error))
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        context: &mut Context,
    ) -> pingora::Result<()> {
        if let Some(request) = &context.request {
            request.body_taken(body.as_ref().map_or(0, Bytes::len));
            if end {
                request.body_done();
            }
        }
        if let Some(writes) = &mut context.writes
            && let Err(error) = writes.sends(body.as_deref().unwrap_or_default(), end)
        {
            return context.withhold(error);
        }
        // An empty last DATA frame of h2 would be written as a second end of a chunked h1 body, and poison the connection
        // for the request after it (pingora issue 935).
        if end && body.as_ref().is_some_and(Bytes::is_empty) {
            *body = None;
        }
        Ok(())
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        context: &mut Context,
    ) -> pingora::Result<()> {
        if head.status.is_informational() {
            return Ok(());
        }
        if let Some(request) = &context.request {
            request.origin_answered();
            // What comes after the time was over has a head, and no end.
            if request.origin_late() {
                return context.withhold(Error::new(Kind::OriginTimeout, "the origin was late"));
            }
        }
        pass::strip_hop_by_hop(head);
        context.status = Some(head.status.as_u16());
        if let Some(writes) = &mut context.writes {
            writes.answered(head.status.as_u16());
        }
        if let Some(site) = context.site.clone() {
            self.judge(&site, session, head, context).await?;
        }
        // Last: what a store that Pictor signs for says of itself has gone by now.
        context.telling.tell(head);
        Ok(())
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        context: &mut Context,
    ) -> pingora::Result<Option<Duration>> {
        if let Some(mut told) = context.told.take() {
            *body = told.piece(body.as_ref(), end, &context.to(session.req_header()));
            context.told = Some(told).filter(|_| !end);
        } else if let Some(relocate) = &mut context.relocate {
            *body = Some(relocate.piece(body.as_ref(), end));
        }
        Ok(None)
    }

    /// Tries again what a kept connection broke before there was an answer: the origin closes them when it likes to. Only
    /// what may be repeated, and only where its whole body is still at hand.
    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<PingoraError>,
        context: &mut Context,
        reused: bool,
    ) -> Box<PingoraError> {
        let broken =
            matches!(error.etype(), ErrorType::ConnectionClosed | ErrorType::ReadError | ErrorType::WriteError)
                && *error.esource() == ErrorSource::Upstream;
        let repeatable = session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated();
        let begun = session.response_written().is_some_and(|head| !head.status.is_informational());
        let late = context.request.as_ref().is_some_and(|request| request.origin_late());
        error.set_retry(reused && broken && repeatable && !begun && !late);
        error
    }

    async fn fail_to_proxy(&self, session: &mut Session, error: &PingoraError, context: &mut Context) -> FailToProxy {
        if let Some(request) = &context.request {
            request.origin_answered();
        }
        // pingora ends the connection after any failure on the way: who has sent a next request shall know.
        session.as_downstream_mut().set_keepalive(None);
        if let Some(error) = context.withheld.take() {
            self.refuse(session, context, &error).await;
            return FailToProxy { error_code: error.kind.status(), can_reuse_downstream: false };
        }
        let late = context.request.as_ref().is_some_and(|request| request.origin_late());
        let kind = match (error.esource(), error.etype()) {
            _ if late => Kind::OriginTimeout,
            (ErrorSource::Downstream, ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed) => {
                Kind::Cancelled
            }
            (ErrorSource::Downstream, _) => Kind::BadRequest,
            (_, ErrorType::ConnectTimedout | ErrorType::ReadTimedout | ErrorType::WriteTimedout) => Kind::OriginTimeout,
            (ErrorSource::Upstream, _) | (_, ErrorType::ConnectError | ErrorType::ConnectRefused) => Kind::OriginFailed,
            _ => Kind::Internal,
        };
        // pingora's own text may hold the target with its signature: the kind is enough for the client, the type for us.
        tracing::warn!(kind = kind.name(), cause = error.etype().as_str(), "pass-through failed");
        self.refuse(session, context, &Error::new(kind, "the request could not be passed through")).await;
        FailToProxy { error_code: kind.status(), can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _: &Session, _: &Context, _: &PingoraError) -> bool {
        // Ours says the same without the request's target, which may hold a signature.
        true
    }

    fn request_summary(&self, session: &Session, _: &Context) -> String {
        let head = session.req_header();
        format!("{} {}", head.method, head.uri.path())
    }

    async fn logging(&self, session: &mut Session, _: Option<&PingoraError>, context: &mut Context) {
        // What it may have changed is forgotten by its drop.
        context.writes = None;
        if context.sent == 0 {
            context.sent = session.body_bytes_sent() as u64;
        }
        let head = session.req_header();
        self.app.sinks.record(&Record {
            site: context.site.as_ref().map(|site| &*site.name),
            client: session.client_addr().and_then(|client| client.as_inet()).copied(),
            host: incoming::host(head).ok(),
            path: head.uri.path(),
            method: head.method.as_str(),
            dialect: context.dialect,
            language: context.dialect.or(context.speaks),
            rule: context.rule.as_deref(),
            status: context.status,
            outcome: context.outcome,
            client_gone: context.client_gone,
            processed: context.processed,
            cache: context.telling.cache.map(|status| status.part()),
            sent: context.sent,
            saved: context.saved,
            took: context.started.elapsed(),
            request_id: &context.request_id,
        });
    }
}
