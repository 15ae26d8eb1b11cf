//! What is known of a connection and its requests while they live. Counters, for the one who watches.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use pingora::protocols::SocketDigest;
use pingora::protocols::http::ServerSession;

use super::super::upstream_conn::UpstreamConn;
use super::bounds::{Bound, ConnectionBounds, Flow, Moment};

/// So much of bodies may lie untaken on a connection of HTTP/2 before it is not the client who is waited for: half of the
/// window that it has to begin with.
const HELD: u64 = 32 << 10;

/// A connection. Times are milliseconds since its start, plus one: 0 is never.
#[derive(Debug)]
pub struct Conn {
    began: Instant,
    /// Its limits.
    pub bounds: ConnectionBounds,
    /// Who it is with.
    pub client: SocketAddr,
    socket: Option<Arc<SocketDigest>>,
    h2: AtomicBool,
    open: AtomicU32,
    bodies: AtomicU32,
    passing: AtomicU32,
    served: AtomicBool,
    since: AtomicU64,
    first_byte: AtomicU64,
    head_bytes: AtomicU64,
    /// Of HTTP/2 the bytes of bodies alone.
    read: AtomicU64,
    written: AtomicU64,
    /// Bytes of bodies of HTTP/2 that were handed on.
    body_taken: AtomicU64,
    read_waiting: AtomicU64,
    write_waiting: AtomicU64,
    ended: AtomicU8,
}

impl Conn {
    /// A connection that begins now.
    pub fn new(bounds: ConnectionBounds, client: SocketAddr, socket: Option<Arc<SocketDigest>>) -> Arc<Self> {
        Arc::new(Self {
            began: Instant::now(),
            bounds,
            client,
            socket,
            h2: AtomicBool::new(false),
            open: AtomicU32::new(0),
            bodies: AtomicU32::new(0),
            passing: AtomicU32::new(0),
            served: AtomicBool::new(false),
            since: AtomicU64::new(0),
            first_byte: AtomicU64::new(0),
            head_bytes: AtomicU64::new(0),
            read: AtomicU64::new(0),
            written: AtomicU64::new(0),
            body_taken: AtomicU64::new(0),
            read_waiting: AtomicU64::new(0),
            write_waiting: AtomicU64::new(0),
            ended: AtomicU8::new(0),
        })
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A moment of the connection as an instant.
    pub fn at(&self, millis: u64) -> Instant {
        self.began.checked_add(Duration::from_millis(millis)).unwrap_or_else(Instant::now)
    }

    /// How it stands.
    pub fn moment(&self, crowded: bool, tight: bool) -> Moment {
        let time = |time: &AtomicU64| time.load(Relaxed).checked_sub(1);
        let (reading, writing) = (time(&self.read_waiting), time(&self.write_waiting));
        // The system is asked only where it matters.
        let told = writing.and_then(|_| self.socket.as_ref()?.tcp_info());
        let confirmed = told.map(|info| info.tcpi_bytes_acked).filter(|bytes| *bytes > 0);
        Moment {
            now: self.now(),
            open: self.open.load(Relaxed),
            bodies: self.bodies.load(Relaxed),
            h2: self.h2(),
            served: self.served.load(Relaxed),
            since: self.since.load(Relaxed),
            first_byte: time(&self.first_byte),
            read: Flow {
                total: self.read.load(Relaxed),
                confirmed: None,
                waiting: reading.filter(|_| !self.h2() || self.held() < HELD),
            },
            written: Flow { total: self.written.load(Relaxed), confirmed, waiting: writing },
            crowded,
            pressed: if tight { self.open.load(Relaxed).saturating_sub(self.passing.load(Relaxed)) } else { 0 },
        }
    }

    /// HTTP/2 it is, and so many bytes of bodies have come with the first of it.
    pub fn set_h2(&self, bodies: u64) {
        self.h2.store(true, Relaxed);
        self.read.store(bodies, Relaxed);
    }

    /// Whether it is HTTP/2.
    pub fn h2(&self) -> bool {
        self.h2.load(Relaxed)
    }

    /// The bound that ended it.
    pub fn ended(&self) -> Option<Bound> {
        match self.ended.load(Relaxed) {
            0 => None,
            number => Bound::from_number(number),
        }
    }

    /// Ends it: from now on nothing is read or written. The first bound stays.
    pub fn end(&self, bound: Bound) {
        let _ = self.ended.compare_exchange(0, bound as u8, Relaxed, Relaxed);
    }

    /// Whether the next bytes are those of a head.
    pub fn waits(&self) -> bool {
        self.open.load(Relaxed) == 0
    }

    /// Whether more of a head has come than there may be.
    pub fn head_too_large(&self) -> bool {
        self.waits() && !self.h2() && self.head_bytes.load(Relaxed) >= self.bounds.max_head
    }

    /// Whether a head has begun and is not complete.
    pub fn in_head(&self) -> bool {
        self.waits() && !self.h2() && self.head_bytes.load(Relaxed) > 0
    }

    /// Bytes of HTTP/1 have come.
    pub fn has_read(&self, bytes: u64) {
        add(&self.read, bytes);
        if self.waits() {
            if self.head_bytes.load(Relaxed) == 0 {
                self.first_byte.store(self.now() + 1, Relaxed);
            }
            add(&self.head_bytes, bytes);
        } else if self.bodies.load(Relaxed) > 0 {
            self.read_waiting.store(0, Relaxed);
        }
    }

    /// Bytes of HTTP/2 have come, so many of bodies among them. Whatever else a client says, it is still waited for.
    pub fn has_read_frames(&self, bodies: u64) {
        if bodies > 0 {
            add(&self.read, bodies);
            self.read_waiting.store(0, Relaxed);
        }
    }

    /// A read has to wait. Only where a body is to come does it matter for how long.
    pub fn read_waits(&self) {
        if self.bodies.load(Relaxed) > 0 && self.read_waiting.load(Relaxed) == 0 {
            self.read_waiting.store(self.now() + 1, Relaxed);
        }
    }

    /// Bytes have been taken.
    pub fn has_written(&self, bytes: u64) {
        add(&self.written, bytes);
    }

    /// A write has to wait, or not any longer.
    pub fn write_waits(&self, waits: bool) {
        self.write_waiting.store(if waits { self.now() + 1 } else { 0 }, Relaxed);
    }

    /// Bytes of bodies that have come over HTTP/2 and that nobody has taken yet.
    fn held(&self) -> u64 {
        self.read.load(Relaxed).saturating_sub(self.body_taken.load(Relaxed))
    }

    fn begin(&self) {
        if self.open.fetch_add(1, Relaxed) == 0 {
            self.since.store(self.now(), Relaxed);
            self.served.store(true, Relaxed);
        }
    }

    fn finish(&self) {
        if self.open.fetch_sub(1, Relaxed) == 1 {
            self.since.store(self.now(), Relaxed);
            self.first_byte.store(0, Relaxed);
            self.head_bytes.store(0, Relaxed);
        }
    }
}

/// Adds to a counter that only the connection's own stream writes to: without the price of an addition that several may make.
fn add(counter: &AtomicU64, bytes: u64) {
    counter.store(counter.load(Relaxed).wrapping_add(bytes), Relaxed);
}

/// One request of a connection; for HTTP/1 the same value serves one after the other. Only the task that works on the
/// request writes to it.
#[derive(Debug)]
pub struct WatchedRequest {
    /// The connection.
    pub conn: Arc<Conn>,
    begun: AtomicBool,
    body: AtomicBool,
    passes: AtomicBool,
    /// When the origin must have begun to answer, as times of the connection are.
    origin_by: AtomicU64,
    origin_late: AtomicBool,
    /// The connection that is given up then.
    origin: Mutex<Option<Arc<UpstreamConn>>>,
}

tokio::task_local! {
    static CURRENT: Arc<WatchedRequest>;
}

impl WatchedRequest {
    /// The first request of a connection, or a stream's of HTTP/2.
    pub fn new(conn: Arc<Conn>) -> Arc<Self> {
        Arc::new(Self {
            conn,
            begun: AtomicBool::new(false),
            body: AtomicBool::new(false),
            passes: AtomicBool::new(false),
            origin_by: AtomicU64::new(0),
            origin_late: AtomicBool::new(false),
            origin: Mutex::new(None),
        })
    }

    /// What the connection of this session was given.
    pub fn of(session: &ServerSession) -> Option<Arc<Self>> {
        let digest = session.digest()?.proxy_digest.as_ref()?;
        digest.user_data.as_ref()?.downcast_ref::<Arc<Self>>().cloned()
    }

    /// The request that the caller works for.
    pub fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Clone::clone).ok()
    }

    /// Runs something that works for this request.
    pub fn scope<F: Future>(self: &Arc<Self>, work: F) -> impl Future<Output = F::Output> + use<F> {
        CURRENT.scope(self.clone(), work)
    }

    /// Its head is complete.
    pub fn begin(&self) {
        if !self.begun.load(Relaxed) {
            self.begun.store(true, Relaxed);
            self.conn.begin();
        }
    }

    /// It has been answered, or given up.
    pub fn finish(&self) {
        self.body_given_up();
        self.origin_answered();
        self.origin_late.store(false, Relaxed);
        if self.passes.load(Relaxed) {
            self.passes.store(false, Relaxed);
            self.conn.passing.fetch_sub(1, Relaxed);
        }
        if self.begun.load(Relaxed) {
            self.begun.store(false, Relaxed);
            self.conn.finish();
        }
    }

    /// It is answered by what passes through: no result lies in memory for it.
    pub fn passes(&self) {
        if !self.passes.load(Relaxed) {
            self.passes.store(true, Relaxed);
            self.conn.passing.fetch_add(1, Relaxed);
        }
    }

    /// Its body is waited for.
    pub fn body_comes(&self) {
        if !self.body.load(Relaxed) {
            self.body.store(true, Relaxed);
            self.conn.bodies.fetch_add(1, Relaxed);
            // The connection of HTTP/2 is read all the time; that of HTTP/1 when somebody wants the body.
            if self.conn.h2() {
                self.conn.read_waits();
            }
        }
    }

    /// So much of its body was taken, to be handed on.
    pub fn body_taken(&self, bytes: usize) {
        if bytes > 0 && self.conn.h2() && self.body.load(Relaxed) {
            self.conn.body_taken.fetch_add(bytes as u64, Relaxed);
            // The client may have had no window until now.
            self.conn.read_waiting.store(self.conn.now() + 1, Relaxed);
        }
    }

    /// Its body has come.
    pub fn body_done(&self) {
        if self.body.load(Relaxed) {
            self.body.store(false, Relaxed);
            if self.conn.bodies.fetch_sub(1, Relaxed) == 1 {
                self.conn.read_waiting.store(0, Relaxed);
            }
        }
    }

    /// What has come of its body and nobody wants shall excuse no other stream from sending.
    fn body_given_up(&self) {
        if self.body.load(Relaxed) {
            self.body_done();
            self.conn.body_taken.store(self.conn.read.load(Relaxed), Relaxed);
        }
    }

    /// The origin has been asked over this connection, and has so long to begin its answer.
    pub fn origin_asked(&self, origin: Arc<UpstreamConn>, patience: Duration) {
        *self.origin.lock() = Some(origin);
        let patience = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        self.origin_by.store(self.conn.now().saturating_add(patience).max(1), Relaxed);
    }

    /// The origin has begun its answer, or the attempt is over.
    pub fn origin_answered(&self) {
        if self.origin_by.load(Relaxed) != 0 {
            self.origin_by.store(0, Relaxed);
            *self.origin.lock() = None;
        }
    }

    /// When the origin is late.
    pub fn origin_by(&self) -> Option<Instant> {
        match self.origin_by.load(Relaxed) {
            0 => None,
            by => Some(self.conn.at(by)),
        }
    }

    /// The origin's time is over: who waits for it finds the connection ended.
    pub fn give_origin_up(&self) {
        self.origin_by.store(0, Relaxed);
        self.origin_late.store(true, Relaxed);
        if let Some(origin) = self.origin.lock().take() {
            origin.give_up();
        }
    }

    /// Whether the origin's time was over.
    pub fn origin_late(&self) -> bool {
        self.origin_late.load(Relaxed)
    }
}
