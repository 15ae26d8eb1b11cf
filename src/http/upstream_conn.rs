//! Connections to origins that can be given up. pingora waits for an origin's answer in single reads, each with a time of its
//! own, and lets nobody into that wait: an origin that drips would be waited for without end. So the socket has a second
//! owner, and when the time for the whole head is over it is shut down under pingora's hands.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use async_trait::async_trait;
use pingora::connectors::L4Connect;
use pingora::http::ResponseHeader;
use pingora::protocols::Digest;
use pingora::protocols::GetProxyDigest;
use pingora::protocols::l4::socket::SocketAddr;
use pingora::protocols::l4::stream::Stream;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::{Error as PingoraError, ErrorType};
use rustix::net::{Shutdown, shutdown};
use tokio::net::TcpStream;

/// The second owner of a connection's socket.
#[derive(Debug)]
pub struct UpstreamConn(OwnedFd);

impl UpstreamConn {
    /// The one behind a connection of pingora's, new or kept.
    pub fn of(digest: &Digest) -> Option<Arc<Self>> {
        digest.proxy_digest.as_ref()?.user_data.as_ref()?.downcast_ref::<Arc<Self>>().cloned()
    }

    /// Ends it: whoever reads from it or writes to it is told so.
    pub fn give_up(&self) {
        // It may have ended already.
        let _ = shutdown(&self.0, Shutdown::Both);
    }
}

/// Makes such connections for pingora.
#[derive(Debug)]
pub struct Connector;

#[async_trait]
impl L4Connect for Connector {
    async fn connect(&self, address: &SocketAddr) -> pingora::Result<Stream> {
        let failed =
            |error: io::Error| PingoraError::because(kind(&error), "connecting to the origin", error).into_up();
        let address = address.as_inet().ok_or_else(|| failed(io::ErrorKind::Unsupported.into()))?;
        let socket = TcpStream::connect(address).await.map_err(failed)?;
        let second = socket.as_fd().try_clone_to_owned().map_err(failed)?;
        let mut stream = Stream::from(socket);
        // pingora keeps this beside the stream, and shows it to whoever uses the connection.
        let head = Box::new(ResponseHeader::build(200, Some(0))?);
        stream.set_proxy_digest(ProxyDigest::new(head, Some(Box::new(Arc::new(UpstreamConn(second))))));
        Ok(stream)
    }
}

fn kind(error: &io::Error) -> ErrorType {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => ErrorType::ConnectRefused,
        io::ErrorKind::TimedOut => ErrorType::ConnectTimedout,
        _ => ErrorType::ConnectError,
    }
}
