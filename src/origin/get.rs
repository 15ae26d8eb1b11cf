//! One GET of any URL, for commands that ask as clients do and not on behalf of a site: here because this room alone knows
//! reqwest. No redirects, no second try, no proxy, the whole answer in memory up to a limit, one limit of time on all of it.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, header};
use bytes::{Bytes, BytesMut};
use percent_encoding::percent_decode_str;

use super::refused;
use crate::error::{Error, Kind};

/// A client.
#[derive(Debug, Clone)]
pub struct Getter {
    http: reqwest::Client,
    timeout: Duration,
    most: usize,
}

/// A whole answer, of whatever status.
#[derive(Debug, Clone)]
pub struct Got {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, complete by what the head announced.
    pub body: Bytes,
}

impl Getter {
    /// A client that gives up after `timeout` and on bodies of more than `most` bytes.
    ///
    /// # Errors
    /// [`Kind::Internal`] if there can be no client.
    pub fn new(timeout: Duration, most: usize) -> Result<Self, Error> {
        // Fails when a provider has been installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("pictor/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .referer(false)
            .connect_timeout(timeout)
            .tcp_nodelay(true)
            .build()
            .map_err(|error| refused("no HTTP client").caused_by(&error.without_url()))?;
        Ok(Self { http, timeout, most })
    }

    /// Asks once. `headers` go as they are; a `Host` among them replaces the URL's.
    ///
    /// # Errors
    /// [`Kind::BadRequest`] for a URL that cannot be sent as it is written, [`Kind::OriginTimeout`], [`Kind::OriginShort`]
    /// for a body that breaks off, [`Kind::SourceBytes`] for one that is too long, else [`Kind::OriginFailed`].
    pub async fn get(&self, url: &str, headers: &HeaderMap) -> Result<Got, Error> {
        match tokio::time::timeout(self.timeout, self.whole(url, headers)).await {
            Ok(answer) => answer,
            Err(_) => Err(Error::new(Kind::OriginTimeout, format!("no whole answer within {:?}", self.timeout))),
        }
    }

    async fn whole(&self, url: &str, headers: &HeaderMap) -> Result<Got, Error> {
        let mut request = self.http.get(parse(url)?).headers(headers.clone());
        if !headers.contains_key(header::ACCEPT_ENCODING) {
            request = request.header(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        }
        let mut response = request.send().await.map_err(|error| {
            let kind = if error.is_timeout() { Kind::OriginTimeout } else { Kind::OriginFailed };
            Error::new(kind, "no answer").caused_by(&error.without_url())
        })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let too_long = || Error::new(Kind::SourceBytes, format!("the body has more than {} bytes", self.most));
        if response.content_length().is_some_and(|length| length > self.most as u64) {
            return Err(too_long());
        }
        let mut body = BytesMut::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| {
                let message = format!("the body broke off after {} bytes", body.len());
                Error::new(Kind::OriginShort, message).caused_by(&error.without_url())
            })?;
            let Some(chunk) = chunk else { break };
            if body.len().saturating_add(chunk.len()) > self.most {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Got { status, headers, body: body.freeze() })
    }
}

/// The URL, unless the library would ask for another path than is written.
fn parse(text: &str) -> Result<reqwest::Url, Error> {
    let bad = |what: &str| Error::new(Kind::BadRequest, format!("the URL {what}"));
    let url = reqwest::Url::parse(text).map_err(|error| bad(&format!("is not understood: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("is neither http:// nor https://"));
    }
    let written = text.split_once("://").map_or(text, |(_, rest)| rest);
    let written = written.split(['?', '#']).next().unwrap_or_default();
    let path = written.split_once('/').map_or("", |(_, path)| path);
    let plain = |path: &str| percent_decode_str(path).collect::<Vec<u8>>();
    if plain(url.path().strip_prefix('/').unwrap_or_default()) != plain(path) {
        return Err(bad("has a path that cannot be sent as it is written"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn what_is_asked_for_is_what_is_written() {
        for url in ["http://h/a%20b.jpg?imageMogr2/thumbnail/300x%3E", "https://h:1/", "http://h", "http://h/é?a|b"] {
            assert!(parse(url).is_ok(), "{url}");
        }
        for url in ["http://h/a/../b", "http://h/./a", "http://h/%2e%2e/b", "ftp://h/a", "/a", "", "http://"] {
            assert_eq!(parse(url).unwrap_err().kind, Kind::BadRequest, "{url}");
        }
    }
}
