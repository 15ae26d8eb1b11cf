//! pingora's phases, each a few lines over this folder's files.
//!
//! ```text
//! context   what a request carries from phase to phase; its record      decide    what it is; what is answered here
//! refuse    errors, said to the client                                  through   what passes through to the origin
//! ```

mod context;
mod decide;
mod refuse;
mod through;

use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use pingora::Error as PingoraError;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::modules::http::HttpModules;
use pingora::protocols::Digest;
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;

use super::App;
use super::pass::Resolver;
use super::upstream_conn::UpstreamConn;
use crate::error::Error;

pub use context::RequestContext;

/// The shield's face to pingora.
pub struct Proxy {
    pub(super) app: Arc<App>,
    pub(super) resolver: Resolver,
}

#[async_trait]
impl ProxyHttp for Proxy {
    type CTX = RequestContext;

    fn new_ctx(&self) -> RequestContext {
        RequestContext::new(&self.app)
    }

    fn init_downstream_modules(&self, _: &mut HttpModules) {
        // pingora's default adds a compression module; pictures are compressed already.
    }

    async fn request_filter(&self, session: &mut Session, context: &mut RequestContext) -> pingora::Result<bool> {
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

    async fn upstream_peer(&self, _: &mut Session, context: &mut RequestContext) -> pingora::Result<Box<HttpPeer>> {
        self.peer(context).await
    }

    async fn connected_to_upstream(
        &self,
        _: &mut Session,
        _: bool,
        _: &HttpPeer,
        _: RawFd,
        digest: Option<&Digest>,
        context: &mut RequestContext,
    ) -> pingora::Result<()> {
        context.origin = digest.and_then(UpstreamConn::of);
        Ok(())
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        head: &mut RequestHeader,
        context: &mut RequestContext,
    ) -> pingora::Result<()> {
        through::shape(head, context)
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        context: &mut RequestContext,
    ) -> pingora::Result<()> {
        through::sends(body, end, context)
    }

    async fn response_filter(
        &self,
        session: &mut Session,
        head: &mut ResponseHeader,
        context: &mut RequestContext,
    ) -> pingora::Result<()> {
        match head.status.is_informational() {
            true => Ok(()),
            false => self.answered(session, head, context).await,
        }
    }

    fn response_body_filter(
        &self,
        session: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        context: &mut RequestContext,
    ) -> pingora::Result<Option<Duration>> {
        through::brings(session, body, end, context);
        Ok(None)
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<PingoraError>,
        context: &mut RequestContext,
        reused: bool,
    ) -> Box<PingoraError> {
        let again = through::again(session, &error, context, reused);
        error.set_retry(again);
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &PingoraError,
        context: &mut RequestContext,
    ) -> FailToProxy {
        if let Some(request) = &context.request {
            request.origin_answered();
        }
        // pingora ends the connection after any failure on the way: who has sent a next request shall know.
        session.as_downstream_mut().set_keepalive(None);
        let error = match context.withheld.take() {
            Some(error) => *error,
            None => {
                let late = context.request.as_ref().is_some_and(|request| request.origin_late());
                let kind = refuse::kind(error, late);
                // pingora's own text may hold the target with its signature: the kind is enough for the client, the
                // type for us.
                tracing::warn!(kind = kind.name(), cause = error.etype().as_str(), "pass-through failed");
                Error::new(kind, "the request could not be passed through")
            }
        };
        self.refuse(session, context, &error).await;
        FailToProxy { error_code: error.kind.status(), can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _: &Session, _: &RequestContext, _: &PingoraError) -> bool {
        // Ours says the same without the request's target, which may hold a signature.
        true
    }

    fn request_summary(&self, session: &Session, _: &RequestContext) -> String {
        let head = session.req_header();
        format!("{} {}", head.method, head.uri.path())
    }

    async fn logging(&self, session: &mut Session, _: Option<&PingoraError>, context: &mut RequestContext) {
        // What it may have changed is forgotten by its drop.
        context.writes = None;
        self.app.sinks.record(&context.record(session));
    }
}
