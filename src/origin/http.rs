//! Any HTTP server as a store. Paths go to it as the client spelled them, below the configured prefix.

use std::time::Duration;

use ::http::{HeaderMap, HeaderValue, Method, header};
use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Response;

use super::client::{Client, now, read_headers};
use super::{ByteRange, Fetched, Meta, ObjectKey, Origin, Page, PutOptions, ReadConditions, Upstream, UpstreamRequest};
use crate::access::Pass;
use crate::config::origin::Timeouts;
use crate::error::{Error, Kind};

/// An HTTP server. Writes are PUT and DELETE; it cannot list.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
}

impl Http {
    pub(super) fn new(url: &str, timeouts: Timeouts) -> Result<Self, Error> {
        let upstream = Upstream::parse("site.origin.url", url, timeouts)?;
        let name = format!("origin {}{}", upstream.base(), upstream.prefix());
        Ok(Self { client: Client::new(upstream, name)? })
    }

    fn target(&self, method: &Method, key: &ObjectKey) -> Result<UpstreamRequest, Error> {
        let path = format!("/{}", key.spelling());
        self.client.upstream.request(method.as_str(), &path, None, &HeaderMap::new(), now())
    }

    fn fetched(
        &self,
        response: Response,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error> {
        match response.status().as_u16() {
            200 | 203 | 206 | 304 => self.client.fetched(response, range, conditions),
            _ => Err(self.client.status_error(response.status())),
        }
    }
}

#[async_trait]
impl Origin for Http {
    async fn head(&self, key: &ObjectKey) -> Result<Meta, Error> {
        let target = self.target(&Method::HEAD, key)?;
        let response = self.client.read(Method::HEAD, &target, &HeaderMap::new()).await?;
        match response.status().as_u16() {
            200 | 203 => self.client.meta(response.headers()),
            _ => Err(self.client.status_error(response.status())),
        }
    }

    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error> {
        if conditions.version.is_some() {
            return Err(self.client.mistake(Kind::BadRequest, "this store keeps no versions"));
        }
        let target = self.target(&Method::GET, key)?;
        let response = self.client.read(Method::GET, &target, &read_headers(range, conditions)?).await?;
        self.fetched(response, range, conditions)
    }

    async fn granted(&self, pass: &Pass, fields: &HeaderMap, range: ByteRange) -> Result<Fetched, Error> {
        let response = self.client.granted(pass, fields, range).await?;
        self.fetched(response, Some(range), &ReadConditions::default())
    }

    async fn put(&self, key: &ObjectKey, body: Bytes, options: &PutOptions) -> Result<Meta, Error> {
        let target = self.target(&Method::PUT, key)?;
        let length = u64::try_from(body.len()).ok();
        let response = self.client.write(Method::PUT, &target, &options.headers()?, body).await?;
        if !response.status().is_success() {
            return Err(self.client.status_error(response.status()));
        }
        Ok(written(response.headers(), options, length))
    }

    async fn list(&self, _prefix: &str, _after: Option<&str>, _limit: usize) -> Result<Page, Error> {
        Err(self.client.error(Kind::UnsupportedRule, "an HTTP server cannot be listed"))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        let target = self.target(&Method::DELETE, key)?;
        let response = self.client.write(Method::DELETE, &target, &HeaderMap::new(), Bytes::new()).await?;
        match response.status().as_u16() {
            200..=299 | 404 | 410 => Ok(()),
            _ => Err(self.client.status_error(response.status())),
        }
    }

    fn upstream(&self) -> Option<&Upstream> {
        Some(&self.client.upstream)
    }

    fn identity(&self, key: &ObjectKey) -> String {
        // The server may tell `a%2Fb` from `a/b`.
        key.spelling()
    }

    fn store(&self) -> Vec<u8> {
        self.client.upstream.store("http")
    }

    fn total_timeout(&self) -> Duration {
        self.client.upstream.total_timeout
    }
}

impl PutOptions {
    /// As headers of a PUT.
    pub(super) fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::CONTENT_TYPE, Some(self.media_type())),
            (header::CACHE_CONTROL, self.cache_control.as_deref()),
            (header::CONTENT_DISPOSITION, self.content_disposition.as_deref()),
        ] {
            if let Some(value) = value {
                let value = HeaderValue::from_str(value).map_err(|_| {
                    Error::new(Kind::BadRequest, format!("{name} has characters that no header can hold"))
                })?;
                headers.insert(name, value);
            }
        }
        Ok(headers)
    }

    /// The media type that the object gets.
    pub(super) fn media_type(&self) -> &str {
        if self.content_type.is_empty() { "application/octet-stream" } else { &self.content_type }
    }
}

/// What is known of an object after a PUT.
pub(super) fn written(headers: &HeaderMap, options: &PutOptions, length: Option<u64>) -> Meta {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    Meta {
        etag: text("etag"),
        last_modified: None,
        date: None,
        length,
        content_type: options.media_type().into(),
        cache_control: options.cache_control.clone(),
        content_disposition: options.content_disposition.clone(),
        version: text("x-amz-version-id"),
        surrogate_keys: None,
        cache_tags: None,
    }
}
