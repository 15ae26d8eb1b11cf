//! What passes through: the connection to the origin, its answer looked at on the way back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::Session;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error as PingoraError, ErrorSource, ErrorType};

use super::Proxy;
use super::context::RequestContext;
use super::refuse::begun;
use crate::access::Action;
use crate::error::{Error, Kind};
use crate::http::relocate::{self, Relocate};
use crate::http::{pass, protect, store_error};
use crate::origin::Upstream;
use crate::site::Site;

impl Proxy {
    /// Where to connect to.
    pub(super) async fn peer(&self, context: &mut RequestContext) -> pingora::Result<Box<HttpPeer>> {
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

    /// The origin has begun its answer: what is not passed on ends here, and the rest gets the head that a client may read.
    pub(super) async fn answered(
        &self,
        session: &Session,
        head: &mut ResponseHeader,
        context: &mut RequestContext,
    ) -> pingora::Result<()> {
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

    /// Looks at the head of the origin's answer: withholds it, or makes it what the client may read.
    async fn judge(
        &self,
        site: &Site,
        session: &Session,
        head: &mut ResponseHeader,
        context: &mut RequestContext,
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
}

/// Gives the head the shape that the origin needs. From now on the origin has so long to answer.
pub(super) fn shape(head: &mut RequestHeader, context: &mut RequestContext) -> pingora::Result<()> {
    let Some(outgoing) = &context.upstream else {
        return PingoraError::e_explain(ErrorType::InternalError, "nothing was granted");
    };
    let patience = context.site.as_ref().filter(|_| context.writes.is_none()).map(|site| site.origin.total_timeout());
    if let (Some(timed), Some(origin), Some(patience)) = (&context.request, context.origin.take(), patience) {
        timed.origin_asked(origin, patience);
    }
    outgoing.shape(head).or_else(|error| context.withhold(error))
}

/// A piece of the request's body on its way to the origin.
pub(super) fn sends(body: &mut Option<Bytes>, end: bool, context: &mut RequestContext) -> pingora::Result<()> {
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

/// A piece of the origin's answer on its way to the client.
pub(super) fn brings(session: &Session, body: &mut Option<Bytes>, end: bool, context: &mut RequestContext) {
    if let Some(mut told) = context.told.take() {
        *body = told.piece(body.as_ref(), end, &context.to(session.req_header()));
        context.told = Some(told).filter(|_| !end);
    } else if let Some(relocate) = &mut context.relocate {
        *body = Some(relocate.piece(body.as_ref(), end));
    }
}

/// Whether to try again what a kept connection broke before there was an answer: the origin closes them when it likes to.
/// Only what may be repeated, and only where its whole body is still at hand.
pub(super) fn again(session: &Session, error: &PingoraError, context: &RequestContext, reused: bool) -> bool {
    let broken = matches!(error.etype(), ErrorType::ConnectionClosed | ErrorType::ReadError | ErrorType::WriteError)
        && *error.esource() == ErrorSource::Upstream;
    let repeatable = session.req_header().method.is_idempotent() && !session.as_ref().retry_buffer_truncated();
    let late = context.request.as_ref().is_some_and(|request| request.origin_late());
    reused && broken && repeatable && !begun(session) && !late
}
