//! What stands in front of pingora: sockets that are bound before anything is promised, a place for every connection, and
//! bounds on all that a client can draw out. pingora's own have none for a whole head, for a client that does not read, or
//! for how many there are.
//!
//! ```text
//! doors    bind, TLS               accept    a place, the handshake, a guarded stream → pingora
//! census   who is here             guard     the stream: counts, fails when its time is over
//! bounds   verdicts. Pure          frames    how much of bodies has come over HTTP/2. Pure
//!                                  watch     one timer a connection, one look a quarter of the least bound
//! ```

mod accept;
mod bounds;
mod census;
mod conn;
mod doors;
mod frames;
mod guard;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::H2Options;
use pingora::server::ShutdownWatch;

pub use accept::Listening;
pub use bounds::{Bound, ConnectionBounds};
pub use census::Census;
pub use conn::WatchedRequest;
pub use doors::{Door, Doors, Unusable, bind, tls};

/// An HTTP application of pingora's, its requests within bounds.
pub struct Front<A> {
    inner: Arc<A>,
    bounds: ConnectionBounds,
}

impl<A> Front<A> {
    /// Puts an application into bounds.
    pub fn new(inner: A, bounds: ConnectionBounds) -> Self {
        Self { inner: Arc::new(inner), bounds }
    }
}

#[async_trait]
impl<A: HttpServerApp + Send + Sync + 'static> HttpServerApp for Front<A> {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let request = WatchedRequest::of(&session)?;
        if session.is_http2() {
            let request = WatchedRequest::new(request.conn.clone());
            request.begin();
            // A stream that its client gives no window is not seen on the connection.
            session.set_write_timeout(Some(self.bounds.stall));
            let total = Some(self.bounds.request).filter(|total| *total != Duration::ZERO);
            let work = request.scope(self.inner.process_new_http(session, shutdown));
            return watch::request(&request, total, work).await;
        }
        // What a client sends before it has its answer is the next request, not a mistake.
        session.set_pipelining_enabled(true);
        // Time is kept by the connection, for the whole head as for each read.
        session.set_read_timeout(None);
        if session.get_keepalive().is_some() {
            session.set_keepalive(Some(0));
        }
        let work = request.scope(self.inner.process_new_http(session, shutdown));
        watch::request(&request, None, work).await
    }

    fn h2_options(&self) -> Option<H2Options> {
        self.inner.h2_options()
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        self.inner.server_options()
    }

    async fn http_cleanup(&self) {
        self.inner.http_cleanup().await;
    }
}
