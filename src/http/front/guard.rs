//! The stream of a connection as pingora sees it: counts what passes, ends when its time is over, joins a head and the
//! body behind it into one write, and tells HTTP/2 from HTTP/1 by as few bytes as that takes.

use std::fmt;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora::http::ResponseHeader;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, IO, Peek, Shutdown, SocketDigest, Ssl, TimingDigest,
    UniqueID, UniqueIDType,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::bounds::Bound;
use super::conn::{Conn, WatchedRequest};
use super::frames::BodyFrames;

/// What a client of HTTP/2 says first (RFC 9113 §3.4).
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A first write of up to so many bytes is held until more comes or a flush: a head goes out with the first of its body.
const STAGED: usize = 4_096;

/// Pieces of one write, what is held among them.
const PIECES: usize = 8;

/// Bytes of a refused request that are read and thrown away, so that the answer is not lost with them.
const DRAINED: usize = 1 << 20;

/// A stream with bounds.
pub struct Guarded<S> {
    io: S,
    request: Arc<WatchedRequest>,
    digest: Arc<ProxyDigest>,
    /// Read before it was wanted.
    ahead: Vec<u8>,
    ahead_at: usize,
    staged: Vec<u8>,
    staged_at: usize,
    /// Whether the next write begins something: there was a flush before it.
    fresh: bool,
    write_waits: bool,
    /// Set for HTTP/2.
    frames: Option<BodyFrames>,
    last: LastWords,
}

/// What is said to a client whose head is refused, before pingora has seen it.
#[derive(Debug, Clone, Copy)]
enum LastWords {
    None,
    Say(&'static [u8]),
    Close,
    Drain(usize),
    Done,
}

const TOO_LARGE: &[u8] =
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

impl<S: IO> Guarded<S> {
    /// Puts a stream into bounds.
    ///
    /// # Errors
    /// None that is expected: pingora's digest wants the head of an answer.
    pub fn new(io: S, request: Arc<WatchedRequest>) -> pingora::Result<Self> {
        let h2 = io.selected_alpn_proto() == Some(ALPN::H2);
        if h2 {
            request.conn.set_h2(0);
        }
        // pingora hands this on to every session of the connection: how they find what counts them.
        let response = Box::new(ResponseHeader::build(200, Some(0))?);
        let digest = Arc::new(ProxyDigest { response, user_data: Some(Box::new(request.clone())) });
        Ok(Self {
            io,
            request,
            digest,
            ahead: Vec::new(),
            ahead_at: 0,
            staged: Vec::new(),
            staged_at: 0,
            fresh: true,
            write_waits: false,
            frames: h2.then(|| BodyFrames::after(PREFACE.len())),
            last: LastWords::None,
        })
    }

    fn conn(&self) -> &Conn {
        &self.request.conn
    }

    /// Writes what is held back, together with `more`; gives how much of `more` was taken.
    fn poll_staged(&mut self, cx: &mut Context<'_>, more: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        loop {
            let held = &self.staged[self.staged_at..];
            if held.is_empty() {
                self.staged.clear();
                self.staged_at = 0;
                return match more {
                    [] => Poll::Ready(Ok(0)),
                    [one] => Pin::new(&mut self.io).poll_write(cx, one),
                    several => Pin::new(&mut self.io).poll_write_vectored(cx, several),
                };
            }
            let mut pieces = [IoSlice::new(&[]); PIECES];
            let count = 1 + more.len().min(PIECES - 1);
            pieces[0] = IoSlice::new(held);
            pieces[1..count].copy_from_slice(&more[..count - 1]);
            let (left, taken) = (held.len(), ready!(Pin::new(&mut self.io).poll_write_vectored(cx, &pieces[..count]))?);
            if taken == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if taken > left {
                self.staged.clear();
                self.staged_at = 0;
                self.request.conn.has_written(left as u64);
                return Poll::Ready(Ok(taken - left));
            }
            self.staged_at += taken;
            self.progress(taken as u64);
        }
    }

    fn progress(&mut self, bytes: u64) {
        self.request.conn.has_written(bytes);
        if self.write_waits {
            self.write_waits = false;
            self.request.conn.write_waits(false);
        }
    }

    /// Notes whether the client takes what it is given.
    fn noted<T>(&mut self, result: Poll<io::Result<T>>, bytes: impl FnOnce(&T) -> usize) -> Poll<io::Result<T>> {
        match &result {
            Poll::Ready(Ok(done)) => self.progress(bytes(done) as u64),
            Poll::Ready(Err(_)) => {}
            Poll::Pending if !self.write_waits => {
                self.write_waits = true;
                self.request.conn.write_waits(true);
            }
            Poll::Pending => {}
        }
        result
    }

    /// A connection whose time is over: last words where they can be said, then the error.
    fn poll_end(&mut self, cx: &mut Context<'_>, bound: Bound) -> Poll<io::Result<()>> {
        let over = || io::Error::new(io::ErrorKind::TimedOut, bound.name());
        if let (LastWords::None, true) = (self.last, self.conn().in_head() && self.staged.is_empty()) {
            match bound {
                Bound::HeadSize => self.last = LastWords::Say(TOO_LARGE),
                Bound::Head => self.last = LastWords::Say(TOO_SLOW),
                _ => {}
            }
        }
        loop {
            match self.last {
                LastWords::None | LastWords::Done => return Poll::Ready(Err(over())),
                LastWords::Say([]) => {
                    ready!(Pin::new(&mut self.io).poll_flush(cx))?;
                    self.last = LastWords::Close;
                }
                LastWords::Say(text) => {
                    let taken = ready!(Pin::new(&mut self.io).poll_write(cx, text))?;
                    if taken == 0 {
                        return Poll::Ready(Err(over()));
                    }
                    self.last = LastWords::Say(&text[taken..]);
                }
                LastWords::Close => {
                    ready!(Pin::new(&mut self.io).poll_shutdown(cx))?;
                    self.last = LastWords::Drain(DRAINED);
                }
                LastWords::Drain(left) => {
                    let mut bytes = [0; 4_096];
                    let mut buffer = ReadBuf::new(&mut bytes);
                    ready!(Pin::new(&mut self.io).poll_read(cx, &mut buffer))?;
                    self.last = match (buffer.filled().len(), left) {
                        (0, _) => LastWords::Done,
                        (got, left) if got >= left => LastWords::Done,
                        (got, left) => LastWords::Drain(left - got),
                    };
                }
            }
        }
    }
}

impl<S: IO> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Some(bound) = this.conn().ended() {
            return this.poll_end(cx, bound);
        }
        if !this.ahead.is_empty() {
            let left = &this.ahead[this.ahead_at..];
            let take = left.len().min(buf.remaining());
            buf.put_slice(&left[..take]);
            this.ahead_at += take;
            if this.ahead_at == this.ahead.len() {
                (this.ahead, this.ahead_at) = (Vec::new(), 0);
            }
            return Poll::Ready(Ok(()));
        }
        if this.conn().head_too_large() {
            this.conn().end(Bound::HeadSize);
            return this.poll_end(cx, Bound::HeadSize);
        }
        let before = buf.filled().len();
        let result = Pin::new(&mut this.io).poll_read(cx, buf);
        match &result {
            Poll::Ready(Ok(())) => match buf.filled().len() - before {
                0 => {}
                read => match &mut this.frames {
                    Some(frames) => this.request.conn.has_read_frames(frames.take(&buf.filled()[before..])),
                    None => this.conn().has_read(read as u64),
                },
            },
            Poll::Ready(Err(_)) => {}
            Poll::Pending => this.conn().read_waits(),
        }
        result
    }
}

impl<S: IO> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some(bound) = this.conn().ended() {
            // Where last words are said, nobody else's are.
            return Poll::Ready(match this.last {
                LastWords::None => Err(io::Error::new(io::ErrorKind::TimedOut, bound.name())),
                _ => Ok(buf.len()),
            });
        }
        if std::mem::take(&mut this.fresh) && this.staged.is_empty() && buf.len() <= STAGED {
            this.staged.extend_from_slice(buf);
            return Poll::Ready(Ok(buf.len()));
        }
        let result = this.poll_staged(cx, &[IoSlice::new(buf)]);
        this.noted(result, |taken| *taken)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if let Some(bound) = this.conn().ended() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, bound.name())));
        }
        this.fresh = false;
        let result = this.poll_staged(cx, bufs);
        this.noted(result, |taken| *taken)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.conn().ended().is_some() {
            return Poll::Ready(Ok(()));
        }
        this.fresh = true;
        let result = match this.poll_staged(cx, &[]) {
            Poll::Ready(Ok(_)) => Pin::new(&mut this.io).poll_flush(cx),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        };
        this.noted(result, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.conn().ended().is_none() {
            let flushed = this.poll_staged(cx, &[]);
            ready!(this.noted(flushed, |_| 0))?;
        }
        let result = Pin::new(&mut this.io).poll_shutdown(cx);
        this.noted(result, |()| 0)
    }
}

#[async_trait]
impl<S: IO> Shutdown for Guarded<S> {
    async fn shutdown(&mut self) {
        // Whoever has gone cannot be told.
        let _ = AsyncWriteExt::shutdown(self).await;
    }
}

#[async_trait]
impl<S: IO> Peek for Guarded<S> {
    /// Looks only as far as it takes to know that this is not HTTP/2: a whole short request may be all there is.
    async fn try_peek(&mut self, buf: &mut [u8]) -> io::Result<bool> {
        let mut got = Vec::with_capacity(1_024);
        loop {
            let known = got.len().min(PREFACE.len());
            if known == PREFACE.len() || got[..known] != PREFACE[..known] {
                break;
            }
            if self.read_buf(&mut got).await? == 0 {
                break;
            }
        }
        if got.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let known = got.len().min(buf.len());
        buf.fill(0);
        buf[..known].copy_from_slice(&got[..known]);
        if got.starts_with(PREFACE) {
            let mut frames = BodyFrames::after(PREFACE.len());
            self.conn().set_h2(frames.take(&got));
            self.frames = Some(frames);
        }
        (self.ahead, self.ahead_at) = (got, 0);
        Ok(true)
    }
}

impl<S: IO> UniqueID for Guarded<S> {
    fn id(&self) -> UniqueIDType {
        self.io.id()
    }
}

impl<S: IO> Ssl for Guarded<S> {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.io.get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.io.get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.io.selected_alpn_proto()
    }
}

impl<S: IO> GetTimingDigest for Guarded<S> {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.io.get_timing_digest()
    }

    fn get_read_pending_time(&self) -> Duration {
        self.io.get_read_pending_time()
    }

    fn get_write_pending_time(&self) -> Duration {
        self.io.get_write_pending_time()
    }
}

impl<S: IO> GetProxyDigest for Guarded<S> {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        Some(self.digest.clone())
    }
}

impl<S: IO> GetSocketDigest for Guarded<S> {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.io.get_socket_digest()
    }
}

impl<S> fmt::Debug for Guarded<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").field("client", &self.request.conn.client).finish_non_exhaustive()
    }
}
