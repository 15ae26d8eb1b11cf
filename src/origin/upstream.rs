//! Where a store's server is and how a request for it is written: one place for the store's own requests and for those
//! that the listener passes through.

use std::time::{Duration, SystemTime};

use ::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::key::{legal_path, refuse_dot_segments};
use super::refused;
use crate::access::{Pass, SentQuery};
use crate::config::origin::Timeouts;
use crate::error::{Error, Kind};
use crate::sign::Credentials;
use crate::sign::encode::{parse_query, path_encode};
use crate::sign::sigv4::{self, Payload, Signer};

/// A store's server.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Whether to speak TLS.
    pub tls: bool,
    /// The server's name without port, for SNI and for checking its certificate.
    pub host: String,
    /// The name or the address to connect to.
    pub addr_host: String,
    /// The port to connect to.
    pub port: u16,
    /// To connect, TLS included.
    pub connect_timeout: Duration,
    /// Between two reads.
    pub read_timeout: Duration,
    /// The limit for one whole original; pass-through has none.
    pub total_timeout: Duration,
    /// The value of `Host`: with the port where it is not the scheme's own.
    authority: String,
    /// What stands before the key's own slash: empty, `/bucket` or the configured prefix; percent-encoded.
    prefix: String,
    signing: Option<Signing>,
}

/// A query on its way.
#[derive(Debug, Clone, Copy)]
enum Query<'a> {
    Raw(Option<&'a str>),
    /// Decoded.
    Pairs(&'a [(Vec<u8>, Vec<u8>)]),
}

/// With what requests are signed.
#[derive(Debug, Clone)]
struct Signing {
    credentials: Credentials,
    region: String,
    bucket: String,
}

/// The head of a request to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamRequest {
    /// The request target.
    pub path_and_query: String,
    /// The value of `Host`.
    pub host: String,
    /// To be added, after those of `drop_headers` have gone.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Headers of the client that must not go to the store, in lower case.
    pub drop_headers: &'static [&'static str],
}

/// What a client's own signature consists of; a store refuses a request with two.
const SIGNATURE_HEADERS: &[&str] =
    &["authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-cos-security-token"];

/// The same in a query, of the three vendors: no token of a client's goes to a store that it was not made for.
const SIGNATURE_PARAMETERS: &[&str] = &[
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
    "AWSAccessKeyId",
    "OSSAccessKeyId",
    "Signature",
    "Expires",
    "security-token",
    "x-oss-signature-version",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-signature",
    "x-oss-additional-headers",
    "x-oss-security-token",
    "q-sign-algorithm",
    "q-ak",
    "q-sign-time",
    "q-key-time",
    "q-header-list",
    "q-url-param-list",
    "q-signature",
    "x-cos-security-token",
];

impl Upstream {
    /// From the configured URL: scheme, host, port, and a path that is put before every key.
    pub(super) fn parse(what: &str, url: &str, timeouts: Timeouts) -> Result<Self, Error> {
        let bad = |why: &str| refused(format!("{what}: \"{}\" {why}", redact(url)));
        let parsed = reqwest::Url::parse(url).map_err(|error| bad(&format!("is not a URL: {error}")))?;
        let tls = match parsed.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(bad("must start with http:// or https://")),
        };
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(bad("must not hold a user name or a password"));
        }
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(bad("must end with the path: no query, no fragment"));
        }
        let host = parsed.host_str().ok_or_else(|| bad("has no host"))?.to_owned();
        let port = parsed.port_or_known_default().ok_or_else(|| bad("has no port"))?;
        let authority = match parsed.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.clone(),
        };
        let mut upstream = Self {
            tls,
            host: String::new(),
            addr_host: String::new(),
            port,
            connect_timeout: timeouts.connect,
            read_timeout: timeouts.read,
            total_timeout: timeouts.total,
            authority,
            prefix: parsed.path().trim_end_matches('/').to_owned(),
            signing: None,
        };
        upstream.set_host(host);
        Ok(upstream)
    }

    /// The server of a bucket. `path_style`: `endpoint/bucket/key`; otherwise `bucket.endpoint/key`.
    pub(super) fn bucket(
        endpoint: &str,
        bucket: &str,
        region: &str,
        path_style: bool,
        credentials: Option<Credentials>,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let mut upstream = Self::parse("site.origin.endpoint", endpoint, timeouts)?;
        let name =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !name(bucket) || bucket.starts_with('.') {
            return Err(refused(format!("site.origin.bucket: \"{bucket}\" is not the name of a bucket")));
        }
        if !name(region) {
            return Err(refused(format!("site.origin.region: \"{region}\" is not the name of a region")));
        }
        if !upstream.prefix.is_empty() {
            return Err(refused("site.origin.endpoint must not have a path; the bucket is named by \"bucket\""));
        }
        if path_style {
            upstream.prefix = format!("/{bucket}");
        } else {
            upstream.authority = format!("{bucket}.{}", upstream.authority);
            upstream.set_host(format!("{bucket}.{}", upstream.host));
        }
        upstream.signing =
            credentials.map(|credentials| Signing { credentials, region: region.into(), bucket: bucket.into() });
        Ok(upstream)
    }

    fn set_host(&mut self, host: String) {
        self.addr_host = if host.ends_with(".localhost") {
            // RFC 6761, 6.3: loopback, also where the system's resolver does not know it.
            "127.0.0.1".into()
        } else {
            host.trim_start_matches('[').trim_end_matches(']').into()
        };
        self.host = host;
    }

    /// Whether requests are signed with the site's own key: then the client's signature must have been checked, or its
    /// absence allowed, before.
    pub fn signs(&self) -> bool {
        self.signing.is_some()
    }

    /// The head of a client's request as it goes to the store: path, query and fields as they were granted, and nothing
    /// else. `headers` are the client's.
    ///
    /// # Errors
    ///
    /// Those of [`Self::request`]; [`Kind::Internal`] where a request that was granted as it came would be signed.
    pub fn granted(
        &self,
        pass: &Pass,
        method: &str,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<UpstreamRequest, Error> {
        match pass.sent() {
            SentQuery::Only(query) => {
                let kept = headers.iter().filter(|(name, _)| pass.keeps(name.as_str()));
                let kept: HeaderMap = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
                self.forward(method, pass.path(), Query::Pairs(query), &kept, now)
            }
            // Only requests whose every parameter was checked may be signed with the site's key.
            SentQuery::AsItCame(_) if self.signs() => {
                Err(Error::new(Kind::Internal, "refused to sign a request whose query was not checked"))
            }
            SentQuery::AsItCame(query) => self.forward(method, pass.path(), Query::Raw(query.as_deref()), headers, now),
        }
    }

    /// The head of a request of our own, written as a client would: `raw_path` is percent-encoded, with its leading slash;
    /// `raw_query` comes without `?`. What clients ask for goes through [`Self::granted`].
    ///
    /// Where requests are signed, path and query are rewritten in the signature's own spelling (`+` of a query is a
    /// space), all `x-amz-*` headers are signed, and the client's signature goes. Otherwise both stay as they came.
    ///
    /// # Errors
    ///
    /// [`Kind::BadRequest`] for paths that servers read differently, [`Kind::Forbidden`] for a copy from another bucket
    /// with our key, [`Kind::UnsupportedRule`] for bodies whose chunks the client has signed.
    pub fn request(
        &self,
        method: &str,
        raw_path: &str,
        raw_query: Option<&str>,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<UpstreamRequest, Error> {
        self.forward(method, raw_path, Query::Raw(raw_query), headers, now)
    }

    fn forward(
        &self,
        method: &str,
        raw_path: &str,
        query: Query<'_>,
        headers: &HeaderMap,
        now: SystemTime,
    ) -> Result<UpstreamRequest, Error> {
        let Some(path) = raw_path.strip_prefix('/') else {
            return Err(Error::new(Kind::BadRequest, "the path does not start with a slash"));
        };
        let legal = legal_path(path.as_bytes())?;
        let decoded: Vec<u8> = percent_encoding::percent_decode_str(&legal).collect();
        refuse_dot_segments(&decoded)?;
        if decoded.contains(&0) {
            return Err(Error::new(Kind::BadRequest, "the path contains a NUL"));
        }
        let Some(signing) = &self.signing else {
            let query = match query {
                Query::Raw(raw) => raw.map(legal_query),
                Query::Pairs(pairs) => Some(sigv4::canonical_query(pairs)).filter(|text| !text.is_empty()),
            };
            return Ok(self.target(&format!("/{legal}"), query.as_deref(), Vec::new(), &[]));
        };
        let mut extra = Vec::new();
        for (name, value) in headers {
            if name.as_str().starts_with("x-amz-") && !SIGNATURE_HEADERS.contains(&name.as_str()) {
                let value = std::str::from_utf8(value.as_bytes())
                    .map_err(|_| Error::new(Kind::BadRequest, format!("the header {name} is not UTF-8")))?;
                if name == "x-amz-copy-source" {
                    check_copy_source(value, &signing.bucket)?;
                }
                extra.push((name.as_str().to_owned(), value.to_owned()));
            }
        }
        let query = match query {
            Query::Raw(raw) => parse_query(raw.unwrap_or_default()),
            Query::Pairs(pairs) => pairs.to_vec(),
        };
        let query: Vec<_> = query
            .into_iter()
            .filter(|(name, _)| !SIGNATURE_PARAMETERS.iter().any(|known| known.as_bytes() == name.as_slice()))
            .collect();
        self.sign(method, &decoded, &query, extra, &payload_of(headers)?, now)
    }

    /// The head of a request of our own: `key` decoded (empty: the bucket itself), signed if there is a key.
    pub(super) fn sign(
        &self,
        method: &str,
        key: &[u8],
        query: &[(Vec<u8>, Vec<u8>)],
        mut headers: Vec<(String, String)>,
        payload: &Payload,
        now: SystemTime,
    ) -> Result<UpstreamRequest, Error> {
        let path = format!("/{}", path_encode(key));
        let text = sigv4::canonical_query(query);
        let text = (!text.is_empty()).then_some(text.as_str());
        let Some(signing) = &self.signing else { return Ok(self.target(&path, text, Vec::new(), &[])) };

        let now = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let signer = Signer {
            credentials: &signing.credentials,
            region: &signing.region,
            now: i64::try_from(now).unwrap_or_default(),
        };
        let date = sigv4::amz_date(signer.now);
        headers.push(("host".into(), self.authority.clone()));
        headers.push(("x-amz-date".into(), date.clone()));
        headers.push(("x-amz-content-sha256".into(), payload.text().into()));
        let full_path = self.path(&path);
        let authorization = sigv4::authorize(
            &sigv4::SignableRequest { method, path: &full_path, query, headers: &headers, payload },
            &signer,
        );
        let mut added = Vec::with_capacity(3);
        for (name, value) in [
            (header::AUTHORIZATION, authorization.as_str()),
            (HeaderName::from_static("x-amz-date"), date.as_str()),
            (HeaderName::from_static("x-amz-content-sha256"), payload.text()),
        ] {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| Error::new(Kind::Internal, "the access key has characters that no header can hold"))?;
            value.set_sensitive(name == header::AUTHORIZATION);
            added.push((name, value));
        }
        Ok(self.target(&path, text, added, SIGNATURE_HEADERS))
    }

    fn target(
        &self,
        path: &str,
        query: Option<&str>,
        headers: Vec<(HeaderName, HeaderValue)>,
        drop_headers: &'static [&'static str],
    ) -> UpstreamRequest {
        let mut path_and_query = self.path(path);
        if let Some(query) = query {
            path_and_query.push('?');
            path_and_query.push_str(query);
        }
        UpstreamRequest { path_and_query, host: self.authority.clone(), headers, drop_headers }
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// `http://host:port` for URLs and messages.
    pub(super) fn base(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }

    /// What tells its store from every other of the same kind.
    pub(super) fn store(&self, kind: &str) -> Vec<u8> {
        format!("{kind} {}{}", self.base(), self.prefix).into_bytes()
    }

    /// The configured prefix, for messages.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }
}

/// What the client says about its body, in words that our signature may repeat.
fn payload_of(headers: &HeaderMap) -> Result<Payload, Error> {
    let Some(value) = headers.get("x-amz-content-sha256") else { return Ok(Payload::Unsigned) };
    let text = value.to_str().unwrap_or_default();
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match text {
        "UNSIGNED-PAYLOAD" => Ok(Payload::Unsigned),
        // Chunks with checksums and without signatures: the framing must stay announced, or it becomes content.
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER" => Ok(Payload::Hash(text.into())),
        _ if is_hash => Ok(Payload::Hash(text.into())),
        _ if text.starts_with("STREAMING-") => Err(Error::new(
            Kind::UnsupportedRule,
            "a body whose chunks are signed cannot be signed anew; let the client send x-amz-content-sha256: UNSIGNED-PAYLOAD",
        )),
        _ => Err(Error::new(Kind::BadRequest, "x-amz-content-sha256 is neither a SHA-256 in hex nor a known mode")),
    }
}

/// A copy reads with our key: only from the site's own bucket.
fn check_copy_source(value: &str, bucket: &str) -> Result<(), Error> {
    let source = value.split('?').next().unwrap_or_default();
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(source).collect();
    let path = decoded.strip_prefix(b"/").unwrap_or(&decoded);
    refuse_dot_segments(path)?;
    let own = path.strip_prefix(bucket.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
    if own {
        return Ok(());
    }
    Err(Error::new(Kind::Forbidden, "x-amz-copy-source names another bucket than this site's"))
}

/// The query with the bytes that may not stand there percent-encoded.
fn legal_query(raw: &str) -> String {
    let mut text = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        if byte.is_ascii_graphic() && !b"\"#<>".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

/// A URL for a message: without what may be a password or a token.
fn redact(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        _ => url.into(),
    }
}

#[cfg(test)]
#[path = "upstream_tests.rs"]
mod tests;
