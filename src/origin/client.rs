//! One HTTP client per store: no redirects, no proxies, no decompression, limits of time on everything, and at most one
//! second try of a read whose connection broke before anything had come back.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::Response;

use super::{ByteRange, Fetched, Meta, ObjectPart, ReadConditions, Upstream, UpstreamRequest, refused};
use crate::access::Pass;
pub(super) use crate::clock::wall as now;
use crate::dates::{self, http_date};
use crate::error::{Error, Kind};

/// A client and the server that it talks to.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    pub(super) upstream: Upstream,
    /// For messages: `s3 bucket "photos" at http://127.0.0.1:9000`.
    name: String,
}

impl Client {
    pub(super) fn new(upstream: Upstream, name: String) -> Result<Self, Error> {
        // Fails when a provider has been installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("pictor/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(upstream.connect_timeout)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true);
        if upstream.addr_host == "127.0.0.1" && upstream.host != upstream.addr_host {
            builder = builder.resolve(&upstream.host, SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), upstream.port));
        }
        let http = builder
            .build()
            .map_err(|error| refused(format!("{name}: no HTTP client")).caused_by(&error.without_url()))?;
        Ok(Self { http, upstream, name })
    }

    /// An error of the store, whose name stands before what the operator reads; the client reads what its kind says.
    pub(super) fn error(&self, kind: Kind, detail: &str) -> Error {
        Error::inside(kind, kind.sentence(), format!("{}: {detail}", self.name))
    }

    /// The same of something that the client can mend: a constant sentence, which both read.
    pub(super) fn mistake(&self, kind: Kind, message: &'static str) -> Error {
        Error::inside(kind, message, format!("{}: {message}", self.name))
    }

    /// Sends a request without a body and waits for the answer's head.
    pub(super) async fn read(
        &self,
        method: Method,
        target: &UpstreamRequest,
        headers: &HeaderMap,
    ) -> Result<Response, Error> {
        let limit = self.upstream.connect_timeout.saturating_add(self.upstream.read_timeout);
        let first = self.attempt(&method, target, headers, None, limit).await;
        let again = match first {
            Err(Failure { retry: true, .. }) => {
                tokio::time::sleep(pause(random())).await;
                self.attempt(&method, target, headers, None, limit).await
            }
            done @ (Ok(_) | Err(Failure { retry: false, .. })) => done,
        };
        again.map_err(|failure| failure.error)
    }

    /// Asks for a part of what a client was granted, with its own fields.
    pub(super) async fn granted(&self, pass: &Pass, fields: &HeaderMap, range: ByteRange) -> Result<Response, Error> {
        let target = self.upstream.granted(pass, Method::GET.as_str(), fields, now())?;
        let mut headers = read_headers(Some(range), &ReadConditions::default())?;
        let goes = |name: &str| pass.keeps(name) && !target.drop_headers.contains(&name) && !OF_ANOTHER.contains(&name);
        for (name, value) in fields.iter().filter(|(name, _)| goes(name.as_str())) {
            headers.append(name.clone(), value.clone());
        }
        self.read(Method::GET, &target, &headers).await
    }

    /// Sends a request with a body, once: a write that broke may have been done.
    pub(super) async fn write(
        &self,
        method: Method,
        target: &UpstreamRequest,
        headers: &HeaderMap,
        body: Bytes,
    ) -> Result<Response, Error> {
        let limit = self.upstream.connect_timeout.saturating_add(self.upstream.total_timeout);
        self.attempt(&method, target, headers, Some(body), limit).await.map_err(|failure| failure.error)
    }

    async fn attempt(
        &self,
        method: &Method,
        target: &UpstreamRequest,
        headers: &HeaderMap,
        body: Option<Bytes>,
        limit: Duration,
    ) -> Result<Response, Failure> {
        let text = format!("{}{}", self.upstream.base(), target.path_and_query);
        let (path, query) = match target.path_and_query.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target.path_and_query.as_str(), None),
        };
        // The URL library rewrites some paths. What is asked for must be what was signed and what is cached.
        let url = reqwest::Url::parse(&text).ok().filter(|url| url.path() == path && url.query() == query).ok_or_else(
            || Failure {
                error: self.mistake(Kind::BadRequest, "the object's name cannot be written as a URL"),
                retry: false,
            },
        )?;
        let mut request = self
            .http
            .request(method.clone(), url)
            .headers(headers.clone())
            .header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, value) in &target.headers {
            request = request.header(name, value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        match tokio::time::timeout(limit, request.send()).await {
            Ok(Ok(response)) => Ok(response),
            // The URL may hold a signature.
            Ok(Err(error)) => Err(self.unanswered(&error.without_url())),
            Err(_) => {
                let error = self.error(Kind::OriginTimeout, &format!("no answer within {limit:?}"));
                Err(Failure { error, retry: false })
            }
        }
    }

    /// A request that no answer came to.
    fn unanswered(&self, cause: &reqwest::Error) -> Failure {
        let (kind, what) = match (cause.is_timeout(), cause.is_connect()) {
            (true, _) => (Kind::OriginTimeout, "no connection in time"),
            (false, true) => (Kind::OriginFailed, "no connection"),
            (false, false) => (Kind::OriginFailed, "no answer"),
        };
        let retry = kind == Kind::OriginFailed && (cause.is_connect() || cause.is_request());
        Failure { error: self.error(kind, what).caused_by(cause), retry }
    }

    /// The answer to a GET that succeeded.
    pub(super) fn fetched(
        &self,
        response: Response,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error> {
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            let asked = conditions.if_none_match.is_some() || conditions.if_modified_since.is_some();
            return if asked {
                Ok(Fetched::Unchanged)
            } else {
                Err(self.error(Kind::OriginFailed, "answered 304 to a request without conditions"))
            };
        }
        let mut meta = self.meta(response.headers())?;
        let announced = meta.length;
        let part = match (status, range) {
            (StatusCode::PARTIAL_CONTENT, Some(range)) => {
                let (part, length) = response
                    .headers()
                    .get(header::CONTENT_RANGE)
                    .and_then(|value| content_range(value.to_str().ok()?))
                    .ok_or_else(|| {
                        self.error(Kind::OriginFailed, "answered 206 without a Content-Range that can be read")
                    })?;
                let right = match (range, length) {
                    (ByteRange::Within(first, last), _) => part.first == first && part.last <= last,
                    (ByteRange::From(first), _) => part.first == first,
                    (ByteRange::Last(_), Some(length)) => range.within(length)? == part,
                    (ByteRange::Last(count), None) => part.length() <= count,
                };
                if !right || announced.is_some_and(|announced| announced != part.length()) {
                    return Err(self.error(Kind::OriginFailed, "answered with another range than was asked for"));
                }
                meta.length = length;
                Some(part)
            }
            (StatusCode::PARTIAL_CONTENT, None) => {
                return Err(self.error(Kind::OriginFailed, "answered 206 to a request without a range"));
            }
            _ => None,
        };
        let expected = part.map(ObjectPart::length).or(announced);
        Ok(Fetched::Object { meta, part, body: self.body(response, expected) })
    }

    /// The bytes, counted, with a limit of time between two reads.
    fn body(&self, response: Response, expected: Option<u64>) -> stream::BoxStream<'static, Result<Bytes, Error>> {
        let name = self.name.clone();
        let limit = self.upstream.read_timeout;
        let start = Some((response.bytes_stream().boxed(), 0_u64));
        stream::unfold(start, move |state| {
            let name = name.clone();
            async move {
                let (mut bytes, seen) = state?;
                let error =
                    |kind: Kind, detail: String| Error::inside(kind, kind.sentence(), format!("{name}: {detail}"));
                let fail = |kind: Kind, detail: String| Some((Err(error(kind, detail)), None));
                match tokio::time::timeout(limit, bytes.next()).await {
                    Err(_) => fail(Kind::OriginTimeout, format!("nothing more came within {limit:?}")),
                    Ok(Some(Ok(chunk))) => {
                        let seen = seen.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                        if expected.is_some_and(|expected| seen > expected) {
                            return fail(Kind::OriginFailed, "sent more bytes than it had announced".into());
                        }
                        Some((Ok(chunk), Some((bytes, seen))))
                    }
                    Ok(Some(Err(cause))) => {
                        let short = error(Kind::OriginShort, format!("the body broke off after {seen} bytes"));
                        Some((Err(short.caused_by(&cause.without_url())), None))
                    }
                    Ok(None) => match expected.filter(|expected| seen < *expected) {
                        Some(expected) => fail(Kind::OriginShort, format!("sent {seen} bytes of {expected}")),
                        None => None,
                    },
                }
            }
        })
        .boxed()
    }

    /// What the head of an answer says about the object. `length` is `Content-Length`.
    pub(super) fn meta(&self, headers: &HeaderMap) -> Result<Meta, Error> {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).map(str::to_owned);
        let encoding = text(header::CONTENT_ENCODING).unwrap_or_default().to_ascii_lowercase();
        if !matches!(encoding.trim(), "" | "identity") {
            return Err(self.error(
                Kind::OriginFailed,
                "the object comes with a Content-Encoding although identity was asked for; store it without one",
            ));
        }
        let length =
            match headers.get(header::CONTENT_LENGTH) {
                None => None,
                Some(value) => Some(value.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                    self.error(Kind::OriginFailed, "answered with a Content-Length that is no number")
                })?),
            };
        Ok(Meta {
            etag: text(header::ETAG),
            last_modified: text(header::LAST_MODIFIED).and_then(|text| dates::parse(&text)),
            date: text(header::DATE).and_then(|text| dates::parse(&text)),
            length,
            content_type: text(header::CONTENT_TYPE).unwrap_or_else(|| "application/octet-stream".into()),
            cache_control: text(header::CACHE_CONTROL),
            content_disposition: text(header::CONTENT_DISPOSITION),
            version: text(header::HeaderName::from_static("x-amz-version-id")),
            surrogate_keys: joined(headers, "surrogate-key", " "),
            cache_tags: joined(headers, "cache-tag", ","),
        })
    }

    /// At most `limit` bytes of a small answer (an error, a listing).
    ///
    /// [`Kind::OriginFailed`] if there is more.
    pub(super) async fn small_body(&self, response: Response, limit: usize) -> Result<Vec<u8>, Error> {
        let mut body = self.body(response, None);
        let mut bytes = Vec::new();
        while let Some(chunk) = body.next().await {
            bytes.extend_from_slice(&chunk?);
            if bytes.len() > limit {
                return Err(self.error(Kind::OriginFailed, "answered with more text than it may"));
            }
        }
        Ok(bytes)
    }

    /// What a status means that is no success, where the body says nothing more.
    pub(super) fn status_error(&self, status: StatusCode) -> Error {
        let says = |kind, hint: &str| self.error(kind, &format!("answered {}{hint}", status.as_u16()));
        match status.as_u16() {
            404 | 410 => self.error(Kind::NotFound, "there is no such object"),
            401 | 403 => self.error(Kind::Forbidden, "the store refuses this object"),
            405 | 501 => says(Kind::MethodNotAllowed, ": it does not take this method"),
            408 | 504 => says(Kind::OriginTimeout, ""),
            416 => ByteRange::unsatisfiable(),
            400 | 414 | 431 => says(Kind::BadRequest, ": it does not take this name or these headers"),
            300..=399 => {
                says(Kind::OriginFailed, ": redirects are not followed; configure the address that it points to")
            }
            _ => says(Kind::OriginFailed, ""),
        }
    }
}

/// Fields of a request that no other is sent with: of its connection, its body, its conditions and ranges.
const OF_ANOTHER: [&str; 17] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// All fields of a name as one text; `None` if there are none.
fn joined(headers: &HeaderMap, name: &str, between: &str) -> Option<String> {
    let texts: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    (!texts.is_empty()).then(|| texts.join(between))
}

/// A failed attempt.
struct Failure {
    error: Error,
    /// Nothing had come back, and it was not time that ran out.
    retry: bool,
}

/// The headers of a conditional read.
pub(super) fn read_headers(range: Option<ByteRange>, conditions: &ReadConditions) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    if let Some(range) = range {
        let value = HeaderValue::from_str(&range.to_string())
            .map_err(|_| Error::new(Kind::Internal, "a range that no header can hold"))?;
        headers.insert(header::RANGE, value);
    }
    if let Some(tag) = &conditions.if_none_match {
        let value = HeaderValue::from_str(tag)
            .map_err(|_| Error::new(Kind::BadRequest, "If-None-Match has characters that no header can hold"))?;
        headers.insert(header::IF_NONE_MATCH, value);
    } else if let Some(since) = conditions.if_modified_since.and_then(http_date) {
        let value =
            HeaderValue::from_str(&since).map_err(|_| Error::new(Kind::Internal, "a date that no header can hold"))?;
        headers.insert(header::IF_MODIFIED_SINCE, value);
    }
    Ok(headers)
}

/// `bytes 0-9/100`, `bytes 0-9/*`
fn content_range(text: &str) -> Option<(ObjectPart, Option<u64>)> {
    let (range, length) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let part = ObjectPart { first: first.trim().parse().ok()?, last: last.trim().parse().ok()? };
    let length = match length.trim() {
        "*" => None,
        number => Some(number.parse::<u64>().ok()?),
    };
    let sound = part.first <= part.last && length.is_none_or(|length| part.last < length);
    sound.then_some((part, length))
}

/// How long to wait before the second try, by a random number: many callers do not come back at once.
fn pause(random: u64) -> Duration {
    Duration::from_millis(20 + random % 60)
}

/// Another number each time.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::{Read, Write};
    use std::net::TcpListener;

    use super::*;
    use crate::config::origin::Timeouts;

    /// A client, and a request whose URL holds a signature.
    fn signed_by_url(port: u16) -> (Client, UpstreamRequest) {
        let upstream =
            Upstream::parse("site.origin.url", &format!("http://127.0.0.1:{port}"), Timeouts::default()).unwrap();
        let target = UpstreamRequest {
            path_and_query: "/a.png?X-Amz-Signature=hush".into(),
            host: format!("127.0.0.1:{port}"),
            headers: Vec::new(),
            drop_headers: &[],
        };
        (Client::new(upstream, "the store".into()).unwrap(), target)
    }

    /// The log has what the library says at every depth, and no URL: it may be signed.
    #[tokio::test]
    async fn logs_say_why_a_request_failed_without_its_url() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (client, target) = signed_by_url(free);
        let error = client.read(Method::GET, &target, &HeaderMap::new()).await.unwrap_err();
        assert!(error.to_string().starts_with("origin_failed: the store: no connection; caused by: "), "{error}");
        assert!(error.report().contains("Connection refused"), "{error}");
        assert!(!error.report().contains("hush") && !error.report().contains("a.png"), "{error}");
        assert_eq!(error.message, Kind::OriginFailed.sentence());

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (client, target) = signed_by_url(listener.local_addr().unwrap().port());
        let store = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0; 1024];
            assert!(stream.read(&mut head).unwrap() > 0);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").unwrap();
        });
        let answer = client.read(Method::GET, &target, &HeaderMap::new()).await.unwrap();
        let error = client.small_body(answer, 100).await.unwrap_err();
        store.join().unwrap();
        let begins = "origin_short: the store: the body broke off after 3 bytes; caused by: ";
        assert!(error.to_string().starts_with(begins), "{error}");
        assert!(!error.report().contains("hush") && !error.report().contains("a.png"), "{error}");
    }

    #[test]
    fn content_ranges_are_checked() {
        assert_eq!(content_range("bytes 2-5/10"), Some((ObjectPart { first: 2, last: 5 }, Some(10))));
        assert_eq!(content_range("bytes 2-5/*"), Some((ObjectPart { first: 2, last: 5 }, None)));
        for bad in ["", "bytes */10", "bytes 5-2/10", "bytes 0-10/10", "items 0-1/2", "bytes 0-1", "bytes -1/2"] {
            assert_eq!(content_range(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_pause_stays_in_its_range() {
        assert_eq!([0, 59, 60, u64::MAX].map(pause), [20, 79, 20, 35].map(Duration::from_millis));
        assert_ne!(random(), random());
    }
}
