//! Pass-through: who may, and the head as the origin needs it. Bodies are pingora's business: streamed, never held whole.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use http::{Method, header};
use moka::sync::Cache;
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::upstreams::peer::{ALPN, HttpPeer, HttpUpstreamRequestPolicy, Peer};

use crate::dialect;
use crate::error::{Error, Kind};
use crate::origin::{Upstream, UpstreamRequest};
use crate::shield::Site;

/// How long the origin may take to answer an upload, whose bytes all come first.
const UPLOAD_PATIENCE: Duration = Duration::from_secs(3600);

/// Whether a request may go through. Where the origin checks its clients itself (a plain HTTP origin), it decides. Where
/// Pictor signs with the site's own key, only what the site's access policy opens goes through: else every client would
/// have that key's rights.
pub fn allowed(site: &Site, method: &Method, path: &str, query: Option<&str>) -> Result<(), Error> {
    let forbid = |why: &str| Err(Error::new(Kind::Forbidden, why));
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    if decoded.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(Error::new(Kind::BadRequest, "the path has a segment \".\" or \"..\""));
    }
    if !site.access.anonymous {
        return forbid("this site does not serve requests without a signature");
    }
    if site.origin.upstream().is_some_and(|upstream| !upstream.signs()) {
        return Ok(());
    }
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && !site.access.anonymous_write {
        return forbid("this site takes no changes without a signature");
    }
    let bucket = path.trim_matches('/').is_empty();
    if reads && (bucket || subresource(query)) && !site.access.anonymous_list {
        return forbid("this site shows neither lists nor settings without a signature");
    }
    Ok(())
}

/// Whether a query asks for something other than an object's bytes (`?acl`, `?uploads`, `?policy` ...): everything but
/// the few parameters that only shape a plain read.
fn subresource(query: Option<&str>) -> bool {
    query.unwrap_or("").split('&').filter(|piece| !piece.is_empty()).any(|piece| {
        let name = piece.split('=').next().unwrap_or("");
        let harmless = name.starts_with("response-") || matches!(name, "versionId" | "partNumber");
        // A parameter without a value names a subresource; one with a value that no store knows is a cache buster.
        let reserved = !piece.contains('=') || SUBRESOURCES.contains(&name);
        !harmless && reserved
    })
}

const SUBRESOURCES: [&str; 24] = [
    "acl",
    "uploads",
    "uploadId",
    "policy",
    "tagging",
    "versions",
    "versioning",
    "location",
    "cors",
    "lifecycle",
    "website",
    "logging",
    "notification",
    "replication",
    "encryption",
    "torrent",
    "list-type",
    "prefix",
    "marker",
    "delimiter",
    "restore",
    "legal-hold",
    "retention",
    "attributes",
];

/// Gives a request's head the shape that the origin needs: target, `Host`, signature.
pub fn rewrite(head: &mut RequestHeader, request: &UpstreamRequest) -> Result<(), Error> {
    let uri = request.path_and_query.parse::<http::Uri>();
    head.set_uri(uri.map_err(|_| Error::new(Kind::BadRequest, "the path cannot be sent to the origin"))?);
    for name in request.drop_headers {
        head.remove_header(*name);
    }
    // A body is decoded by nobody here, so nobody may encode it for us alone.
    let set = |head: &mut RequestHeader, name: http::HeaderName, value: http::HeaderValue| {
        head.insert_header(name, value).map_err(|_| Error::new(Kind::Internal, "a header for the origin"))
    };
    let host =
        http::HeaderValue::from_str(&request.host).map_err(|_| Error::new(Kind::Internal, "the origin's host name"))?;
    set(head, header::HOST, host)?;
    for (name, value) in &request.headers {
        set(head, name.clone(), value.clone())?;
    }
    Ok(())
}

/// The head that the origin is asked with. Rule, signature and token parameters do not go to an origin that we sign for;
/// to a plain origin the query goes as it came.
pub fn request(upstream: &Upstream, head: &RequestHeader, drop_rule: bool) -> Result<UpstreamRequest, Error> {
    let query = head.uri.query();
    let rest = query.map(|query| dialect::split_query(query).rest);
    let query = match (&rest, upstream.signs() || drop_rule) {
        (Some(rest), true) => Some(rest.as_str()).filter(|rest| !rest.is_empty()),
        _ => query,
    };
    upstream.request(head.method.as_str(), head.uri.path(), query, &head.headers, SystemTime::now())
}

/// Looks names of origins up, and remembers the answer for a few seconds.
pub struct Resolver {
    names: Cache<(String, u16), SocketAddr>,
}

impl Default for Resolver {
    fn default() -> Self {
        Self { names: Cache::builder().max_capacity(1024).time_to_live(Duration::from_secs(10)).build() }
    }
}

impl Resolver {
    async fn resolve(&self, host: &str, port: u16) -> Result<SocketAddr, Error> {
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Ok(SocketAddr::new(address, port));
        }
        let name = (host.to_owned(), port);
        if let Some(address) = self.names.get(&name) {
            return Ok(address);
        }
        let found = tokio::net::lookup_host((host, port)).await;
        let address = found.ok().and_then(|mut found| found.next());
        let address = address
            .ok_or_else(|| Error::new(Kind::OriginFailed, format!("the origin's name {host} does not resolve")))?;
        self.names.insert(name, address);
        Ok(address)
    }

    /// Where pingora connects to. Every timeout is set: pingora has none by default.
    pub async fn peer(&self, upstream: &Upstream, uploads: bool) -> Result<HttpPeer, Error> {
        let address = self.resolve(&upstream.addr_host, upstream.port).await?;
        let mut peer = HttpPeer::new(address, upstream.tls, upstream.host.clone());
        if let Some(options) = peer.get_mut_peer_options() {
            options.connection_timeout = Some(upstream.connect_timeout);
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

/// Whether the origin says that its answer is a picture.
pub fn is_picture(head: &ResponseHeader) -> bool {
    let kind = head.headers.get(header::CONTENT_TYPE).map(|value| value.as_bytes().trim_ascii_start());
    kind.and_then(|kind| kind.get(..6)).is_some_and(|start| start.eq_ignore_ascii_case(b"image/"))
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
    use super::subresource;

    #[test]
    fn only_plain_reads_are_plain() {
        for query in ["", "versionId=3", "response-content-type=a%2Fb", "v=17", "partNumber=2&x=y"] {
            assert!(!subresource(Some(query)), "{query}");
        }
        for query in ["acl", "acl=", "uploads", "x=1&policy", "list-type=2", "uploadId=5", "unknown"] {
            assert!(subresource(Some(query)), "{query}");
        }
    }
}
