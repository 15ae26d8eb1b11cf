//! Errors, said to the client.

use http::Method;
use pingora::proxy::Session;
use pingora::{Error as PingoraError, ErrorSource, ErrorType};

use super::Proxy;
use super::context::RequestContext;
use super::decide::write;
use crate::dialect;
use crate::error::{Error, Kind};
use crate::http::{answer, incoming};
use crate::telemetry::RequestOutcome;

impl Proxy {
    /// Says an error in the vendor's shape, on a connection that stays open.
    pub(super) async fn refuse(&self, session: &mut Session, context: &mut RequestContext, error: &Error) {
        let outcome = RequestOutcome::Refused(error.kind);
        context.outcome = Some(outcome);
        context.status = Some(error.kind.status());
        if error.kind.is_inside() {
            // What the client does not read, the operator does.
            let site = context.site.as_ref().map_or("-", |site| &*site.name);
            let request_id = dialect::request_id(context.language(), &context.request_id);
            tracing::warn!(%error, site, request_id = &*request_id, "refused");
        }
        if error.kind == Kind::Cancelled || begun(session) {
            // Nobody is there to be told, or half an answer is out: only the connection's end can say so.
            session.as_downstream_mut().shutdown().await;
            return;
        }
        let head = session.req_header();
        let head_only = head.method == Method::HEAD;
        let host = incoming::host(head).unwrap_or_default();
        let (path, id) = (head.uri.path(), &context.request_id);
        match answer::error(context.language(), error, path, host, id, head_only) {
            Ok(mut response) => {
                if context.dialect.is_none() && error.kind != Kind::Protected {
                    // Tencent's numbers are of its image processing, which protection belongs to; the store has none.
                    response.head.headers.remove("x-errno");
                }
                write(session, context, response, outcome).await;
            }
            Err(error) => tracing::error!(%error, "an error could not be said"),
        }
    }
}

/// Whether an answer is on its way.
pub(super) fn begun(session: &Session) -> bool {
    session.response_written().is_some_and(|head| !head.status.is_informational())
}

/// What kind of error it is that a request could not be passed through; `late`: the origin's time was over.
pub(super) fn kind(error: &PingoraError, late: bool) -> Kind {
    match (error.esource(), error.etype()) {
        _ if late => Kind::OriginTimeout,
        (ErrorSource::Downstream, ErrorType::WriteError | ErrorType::ReadError | ErrorType::ConnectionClosed) => {
            Kind::Cancelled
        }
        (ErrorSource::Downstream, _) => Kind::BadRequest,
        (_, ErrorType::ConnectTimedout | ErrorType::ReadTimedout | ErrorType::WriteTimedout) => Kind::OriginTimeout,
        (ErrorSource::Upstream, _) | (_, ErrorType::ConnectError | ErrorType::ConnectRefused) => Kind::OriginFailed,
        _ => Kind::Internal,
    }
}
