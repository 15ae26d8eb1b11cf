//! Takes connections in: a place, the handshake, the guarded stream, pingora.

use std::io::Write;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::ServerApp;
use pingora::listeners::tls::Acceptor;
use pingora::protocols::l4::socket::SocketAddr as PingoraAddr;
use pingora::protocols::l4::stream::Stream as Socket;
use pingora::protocols::{GetSocketDigest, IO, SocketDigest};
use pingora::server::{ListenFds, ShutdownWatch};
use pingora::services::Service;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};

use super::bounds::{Bound, ConnectionBounds};
use super::census::{Census, Place};
use super::conn::{Conn, WatchedRequest};
use super::doors::Door;
use super::guard::Guarded;
use super::watch;
use crate::telemetry::Metrics;

/// Said to a client in plain text for whom there is no place.
const FULL: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\nConnection: close\r\n\r\n";

/// What the system may hold of an answer that is not on its way yet.
const UNSENT: u32 = 128 << 10;

/// How long nothing is accepted after the system has refused: it has no descriptors left, and some must be given back.
const BREATH: Duration = Duration::from_millis(50);

/// A service of pingora's whose sockets are bound already.
pub struct Listening<A> {
    name: &'static str,
    threads: usize,
    doors: Vec<Door>,
    accepting: Arc<AtomicUsize>,
    shared: Arc<Shared<A>>,
}

struct Shared<A> {
    name: &'static str,
    app: Arc<A>,
    bounds: ConnectionBounds,
    census: Arc<Census>,
    metrics: Arc<Metrics>,
    tight: Tight,
}

/// Whether there is little room for results.
pub type Tight = Arc<dyn Fn() -> bool + Send + Sync>;

impl<A: ServerApp + Send + Sync + 'static> Listening<A> {
    /// Serves an application at these doors.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        name: &'static str,
        threads: usize,
        doors: Vec<Door>,
        app: A,
        bounds: ConnectionBounds,
        census: Arc<Census>,
        metrics: Arc<Metrics>,
        tight: Tight,
    ) -> Self {
        let shared = Arc::new(Shared { name, app: Arc::new(app), bounds, census, metrics, tight });
        Self { name, threads, doors, accepting: Arc::default(), shared }
    }

    /// How many doors there are to open.
    pub fn doors(&self) -> usize {
        self.doors.len()
    }

    /// How many doors have been opened.
    pub fn accepting(&self) -> Arc<AtomicUsize> {
        self.accepting.clone()
    }
}

#[async_trait]
impl<A: ServerApp + Send + Sync + 'static> Service for Listening<A> {
    async fn start_service(&mut self, _: Option<ListenFds>, shutdown: ShutdownWatch, _: usize) {
        let mut open = Vec::new();
        for door in self.doors.drain(..) {
            let address = door.address;
            match TcpListener::from_std(door.listener) {
                Ok(listener) => {
                    let acceptor = door.tls.map(|settings| Arc::new(Acceptor::from_server_config(settings)));
                    open.push(tokio::spawn(accept(listener, acceptor, self.shared.clone(), shutdown.clone())));
                    self.accepting.fetch_add(1, Ordering::Release);
                }
                Err(error) => tracing::error!(%address, %error, "a bound socket cannot be used"),
            }
        }
        for door in open {
            // A door that is closed has nothing to say.
            let _ = door.await;
        }
        self.shared.app.cleanup().await;
    }

    fn name(&self) -> &str {
        self.name
    }

    fn threads(&self) -> Option<usize> {
        Some(self.threads)
    }
}

async fn accept<A: ServerApp + Send + Sync + 'static>(
    listener: TcpListener,
    acceptor: Option<Arc<Acceptor>>,
    shared: Arc<Shared<A>>,
    mut shutdown: ShutdownWatch,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            changed = shutdown.changed() => match changed {
                Ok(()) if !*shutdown.borrow() => continue,
                _ => return,
            },
        };
        let (stream, client) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        match shared.census.enter(client.ip()) {
            Ok(place) => {
                let (acceptor, shared, shutdown) = (acceptor.clone(), shared.clone(), shutdown.clone());
                tokio::spawn(
                    async move { serve(stream, client, place, acceptor.as_deref(), &shared, &shutdown).await },
                );
            }
            Err(bound) => {
                shared.ended(client, bound);
                if acceptor.is_none() {
                    // As much as the system takes at once; nobody waits for a client that is turned away.
                    let _ = stream.into_std().and_then(|mut stream| stream.write_all(FULL));
                }
            }
        }
    }
}

async fn serve<A: ServerApp + Send + Sync + 'static>(
    stream: TcpStream,
    client: SocketAddr,
    place: Place,
    acceptor: Option<&Acceptor>,
    shared: &Shared<A>,
    shutdown: &ShutdownWatch,
) {
    let _counted = (place, shared.metrics.connected(shared.name));
    // Heads and bodies are joined by the guard; the system shall not wait for more.
    let _ = stream.set_nodelay(true);
    // What is not on its way yet shall lie here, where it is counted, rather than in the system's buffers, which take
    // megabytes. Of small answers everything is taken at once.
    let _ = SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT);
    let digest = SocketDigest::from_raw_fd(stream.as_raw_fd());
    let _ = digest.peer_addr.set(Some(PingoraAddr::Inet(client)));
    let mut socket = Socket::from(stream);
    socket.set_socket_digest(digest);
    let Some(acceptor) = acceptor else { return run(socket, client, shared, shutdown).await };
    match tokio::time::timeout(shared.bounds.head, acceptor.tls_handshake(socket)).await {
        Ok(Ok(stream)) => run(stream, client, shared, shutdown).await,
        Ok(Err(error)) => tracing::debug!(%client, cause = error.etype().as_str(), "TLS was not agreed on"),
        Err(_) => shared.ended(client, Bound::Handshake),
    }
}

async fn run<A: ServerApp + Send + Sync + 'static, S: IO + 'static>(
    stream: S,
    client: SocketAddr,
    shared: &Shared<A>,
    shutdown: &ShutdownWatch,
) {
    let conn = Conn::new(shared.bounds, client, stream.get_socket_digest());
    let Ok(stream) = Guarded::new(stream, WatchedRequest::new(conn.clone())) else { return };
    let work = async {
        let mut stream = shared.app.process_new(Box::new(stream), shutdown).await;
        while let Some(again) = stream {
            stream = shared.app.process_new(again, shutdown).await;
        }
    };
    if let Some(bound) = watch::connection(&conn, &shared.census, &*shared.tight, work).await {
        shared.ended(client, bound);
    }
}

impl<A> Shared<A> {
    fn ended(&self, client: SocketAddr, bound: Bound) {
        self.metrics.connection_ended(bound.name());
        tracing::debug!(%client, listener = self.name, bound = bound.name(), "a connection was ended");
    }
}
