//! Pass-through: the head as the origin needs it. Bodies are pingora's business: streamed, never held whole.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::header;
use moka::sync::Cache;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::upstreams::peer::{ALPN, HttpPeer, HttpUpstreamRequestPolicy, Peer};

use super::upstream_conn::Connector;
use crate::access::Pass;
use crate::clock;
use crate::error::{Error, Kind};
use crate::origin::{Upstream, UpstreamRequest};

/// How long the origin may take to answer an upload, whose bytes all come first.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(3600);

/// A granted request on its way to the origin.
pub struct Outgoing {
    request: UpstreamRequest,
    pass: Pass,
}

impl Outgoing {
    /// The head that the origin is asked with: path, query and fields as they were granted, signed where Pictor signs.
    ///
    /// # Errors
    /// Those of [`Upstream::granted`].
    pub fn new(upstream: &Upstream, head: &RequestHeader, pass: Pass) -> Result<Self, Error> {
        let request = upstream.granted(&pass, head.method.as_str(), &head.headers, clock::wall())?;
        Ok(Self { request, pass })
    }

    /// What was granted.
    pub fn pass(&self) -> &Pass {
        &self.pass
    }

    /// Gives a request's head the shape that the origin needs: target, fields, `Host`, signature.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] for a path that no request line can hold.
    pub fn shape(&self, head: &mut RequestHeader) -> Result<(), Error> {
        let request = &self.request;
        let uri = request.path_and_query.parse::<http::Uri>();
        head.set_uri(uri.map_err(|_| Error::new(Kind::BadRequest, "the path cannot be sent to the origin"))?);
        let kept = |name: &str| self.pass.keeps(name) && !request.drop_headers.contains(&name);
        let dropped: Vec<http::HeaderName> = head.headers.keys().filter(|name| !kept(name.as_str())).cloned().collect();
        for name in &dropped {
            head.remove_header(name);
        }
        let set = |head: &mut RequestHeader, name: http::HeaderName, value: http::HeaderValue| {
            head.insert_header(name, value).map_err(|_| Error::new(Kind::Internal, "a header for the origin"))
        };
        let host = http::HeaderValue::from_str(&request.host)
            .map_err(|_| Error::new(Kind::Internal, "the origin's host name"))?;
        set(head, header::HOST, host)?;
        for (name, value) in &request.headers {
            set(head, name.clone(), value.clone())?;
        }
        Ok(())
    }
}

/// Looks names of origins up, remembers the answer for a few seconds, and says how to connect.
pub struct Resolver {
    names: Cache<(String, u16), SocketAddr>,
    connector: Arc<Connector>,
}

impl Default for Resolver {
    fn default() -> Self {
        let names = Cache::builder().max_capacity(1024).time_to_live(Duration::from_secs(10)).build();
        Self { names, connector: Arc::new(Connector) }
    }
}

impl Resolver {
    async fn resolve(&self, host: &str, port: u16, patience: Duration) -> Result<SocketAddr, Error> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(SocketAddr::new(address, port));
        }
        let name = (host.to_owned(), port);
        if let Some(address) = self.names.get(&name) {
            return Ok(address);
        }
        let address = first(host, tokio::net::lookup_host((host, port)), patience).await?;
        self.names.insert(name, address);
        Ok(address)
    }

    /// Where pingora connects to. Every timeout is set: pingora has none by default.
    pub async fn peer(&self, upstream: &Upstream, uploads: bool) -> Result<HttpPeer, Error> {
        let address = self.resolve(&upstream.addr_host, upstream.port, upstream.connect_timeout).await?;
        let mut peer = HttpPeer::new(address, upstream.tls, upstream.host.clone());
        if let Some(options) = peer.get_mut_peer_options() {
            options.custom_l4 = Some(self.connector.clone());
            options.total_connection_timeout = Some(upstream.connect_timeout);
            options.read_timeout = Some(if uploads { UPLOAD_PATIENCE } else { upstream.read_timeout });
            options.write_timeout = Some(upstream.read_timeout);
            options.idle_timeout = Some(Duration::from_secs(60));
            options.alpn = ALPN::H1;
            options.http_upstream_request_policy = HttpUpstreamRequestPolicy::deny_upgrades();
        }
        Ok(peer)
    }
}

/// The first address that a look-up gives. To look a name up is a part of connecting, and has no longer than that.
async fn first(
    host: &str,
    lookup: impl Future<Output = io::Result<impl Iterator<Item = SocketAddr>>>,
    patience: Duration,
) -> Result<SocketAddr, Error> {
    let Ok(found) = tokio::time::timeout(patience, lookup).await else {
        let message = format!("the origin's name {host} was not looked up within {patience:?}");
        return Err(Error::new(Kind::OriginTimeout, message));
    };
    let address = found.ok().and_then(|mut found| found.next());
    address.ok_or_else(|| Error::new(Kind::OriginFailed, format!("the origin's name {host} does not resolve")))
}

/// Takes fields that concern only the connection to the origin out of its answer (RFC 9110 §7.6.1). Framing itself is
/// pingora's.
pub fn strip_hop_by_hop(head: &mut ResponseHeader) {
    let nominated: Vec<String> = head
        .headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .filter(|name| !matches!(name.as_str(), "" | "close" | "keep-alive" | "transfer-encoding" | "content-length"))
        .collect();
    for name in nominated.iter().map(String::as_str).chain([
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "upgrade",
    ]) {
        head.remove_header(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_looked_up_in_time_or_not_at_all() {
        let kind = |found: Result<SocketAddr, Error>| found.map_err(|error| error.kind);
        let there = SocketAddr::from(([127, 0, 0, 1], 80));
        let found = async |list: io::Result<Vec<SocketAddr>>| {
            let lookup = async { list.map(Vec::into_iter) };
            kind(first("store", lookup, Duration::from_secs(60)).await)
        };
        assert_eq!(found(Ok(vec![there])).await, Ok(there));
        assert_eq!(found(Ok(Vec::new())).await, Err(Kind::OriginFailed));
        assert_eq!(found(Err(io::ErrorKind::NotFound.into())).await, Err(Kind::OriginFailed));
        let never = std::future::pending::<io::Result<std::vec::IntoIter<SocketAddr>>>();
        assert_eq!(kind(first("store", never, Duration::from_millis(1)).await), Err(Kind::OriginTimeout));
    }
}
