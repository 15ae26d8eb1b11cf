//! S3-compatible stores, signed with SigV4.

use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use reqwest::Response;

use super::client::{Client, now, read_headers};
use super::http::written;
use super::s3_xml;
use super::{ByteRange, Fetched, Meta, ObjectKey, Origin, Page, PutOptions, ReadConditions, Upstream, UpstreamRequest};
use crate::access::Pass;
use crate::config::origin::Timeouts;
use crate::error::{Error, Kind};
use crate::sign::Credentials;
use crate::sign::sigv4::Payload;

/// A page of 1000 keys of 1024 bytes, each percent-encoded, with everything around it.
const MAX_LISTING: usize = 8 << 20;
/// Errors are a few hundred bytes.
const MAX_ERROR: usize = 64 << 10;

/// A bucket.
#[derive(Debug)]
pub(super) struct S3 {
    client: Client,
}

impl S3 {
    pub(super) fn new(
        endpoint: &str,
        bucket: &str,
        region: &str,
        path_style: bool,
        credentials: Option<Credentials>,
        timeouts: Timeouts,
    ) -> Result<Self, Error> {
        let upstream = Upstream::bucket(endpoint, bucket, region, path_style, credentials, timeouts)?;
        let name = format!("s3 bucket \"{bucket}\" at {}", upstream.base());
        Ok(Self { client: Client::new(upstream, name)? })
    }

    fn target(
        &self,
        method: &Method,
        key: &ObjectKey,
        version: Option<&str>,
        payload: &Payload,
    ) -> Result<UpstreamRequest, Error> {
        key.refuse_dot_segments()?;
        if key.text().is_none() {
            return Err(self.client.mistake(Kind::BadRequest, "the object's name is not UTF-8"));
        }
        let query: Vec<_> =
            version.iter().map(|version| (b"versionId".to_vec(), version.as_bytes().to_vec())).collect();
        self.client.upstream.sign(method.as_str(), key.bytes(), &query, Vec::new(), payload, now())
    }

    async fn fetched(
        &self,
        response: Response,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error> {
        match response.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => {
                self.client.fetched(response, range, conditions)
            }
            _ => Err(self.refusal(response).await),
        }
    }

    /// What an answer means that is no success.
    async fn refusal(&self, response: Response) -> Error {
        let status = response.status();
        let region =
            response.headers().get("x-amz-bucket-region").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let code = match self.client.small_body(response, MAX_ERROR).await {
            Ok(body) => s3_xml::error_code(&body),
            // The status says enough.
            Err(_) => None,
        };
        self.classify(status, code.as_deref(), region.as_deref())
    }

    fn classify(&self, status: StatusCode, code: Option<&str>, region: Option<&str>) -> Error {
        let error = |kind, message: &str| self.client.error(kind, message);
        match code {
            Some("NoSuchKey" | "NoSuchVersion") => return error(Kind::NotFound, "there is no such object"),
            Some("NoSuchBucket") => {
                return error(Kind::OriginFailed, "the bucket does not exist; check site.origin.bucket and path_style");
            }
            Some("SignatureDoesNotMatch") => {
                return error(Kind::OriginFailed, "our signature does not match; check the secret key and the region");
            }
            Some("InvalidAccessKeyId") => {
                return error(Kind::OriginFailed, "the store does not know our access key");
            }
            Some("RequestTimeTooSkewed") => {
                return error(
                    Kind::OriginFailed,
                    "this machine's clock is wrong: the store refuses our signature's time",
                );
            }
            Some("InvalidRange") => return ByteRange::unsatisfiable(),
            Some("KeyTooLongError") => return self.client.mistake(Kind::BadRequest, "the object's name is too long"),
            Some(_) | None => {}
        }
        let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
        match status.as_u16() {
            401 | 403 if self.client.upstream.signs() => error(
                Kind::OriginFailed,
                &format!("the store refuses our access key{code}; it needs the right to read, and to list for 404s"),
            ),
            300..=399 => error(
                Kind::OriginFailed,
                &match region {
                    Some(region) => {
                        format!("the bucket is in the region {region}; set site.origin.region and endpoint")
                    }
                    None => format!("answered {}{code}: the bucket is at another endpoint", status.as_u16()),
                },
            ),
            400 => error(Kind::OriginFailed, &format!("answered 400{code}")),
            404 | 401 | 403 | 405 | 408 | 410 | 416 | 501 | 504 => self.client.status_error(status),
            _ => error(Kind::OriginFailed, &format!("answered {}{code}", status.as_u16())),
        }
    }
}

#[async_trait]
impl Origin for S3 {
    async fn head(&self, key: &ObjectKey) -> Result<Meta, Error> {
        let target = self.target(&Method::HEAD, key, None, &Payload::Empty)?;
        let response = self.client.read(Method::HEAD, &target, &HeaderMap::new()).await?;
        match response.status() {
            StatusCode::OK => self.client.meta(response.headers()),
            _ => Err(self.refusal(response).await),
        }
    }

    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error> {
        let target = self.target(&Method::GET, key, conditions.version.as_deref(), &Payload::Empty)?;
        let response = self.client.read(Method::GET, &target, &read_headers(range, conditions)?).await?;
        self.fetched(response, range, conditions).await
    }

    async fn granted(&self, pass: &Pass, fields: &HeaderMap, range: ByteRange) -> Result<Fetched, Error> {
        let response = self.client.granted(pass, fields, range).await?;
        self.fetched(response, Some(range), &ReadConditions::default()).await
    }

    async fn put(&self, key: &ObjectKey, body: Bytes, options: &PutOptions) -> Result<Meta, Error> {
        let target = self.target(&Method::PUT, key, None, &Payload::of(&body))?;
        let length = u64::try_from(body.len()).ok();
        let response = self.client.write(Method::PUT, &target, &options.headers()?, body).await?;
        match response.status() {
            StatusCode::OK => Ok(written(response.headers(), options, length)),
            _ => Err(self.refusal(response).await),
        }
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page, Error> {
        let mut query: Vec<(Vec<u8>, Vec<u8>)> = vec![
            (b"list-type".into(), b"2".into()),
            (b"encoding-type".into(), b"url".into()),
            (b"max-keys".into(), limit.clamp(1, 1000).to_string().into()),
            (b"prefix".into(), prefix.into()),
        ];
        if let Some(after) = after {
            query.push((b"start-after".into(), after.into()));
        }
        let target = self.client.upstream.sign("GET", b"", &query, Vec::new(), &Payload::Empty, now())?;
        let response = self.client.read(Method::GET, &target, &HeaderMap::new()).await?;
        if response.status() != StatusCode::OK {
            return Err(self.refusal(response).await);
        }
        let body = self.client.small_body(response, MAX_LISTING).await?;
        s3_xml::page(&body).map_err(|why| self.client.error(Kind::OriginFailed, &format!("its listing: {why}")))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        let target = self.target(&Method::DELETE, key, None, &Payload::Empty)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, 0.into());
        let response = self.client.write(Method::DELETE, &target, &headers, Bytes::new()).await?;
        match response.status().as_u16() {
            200..=299 => Ok(()),
            _ => match self.refusal(response).await {
                Error { kind: Kind::NotFound, .. } => Ok(()),
                error => Err(error),
            },
        }
    }

    fn upstream(&self) -> Option<&Upstream> {
        Some(&self.client.upstream)
    }

    fn store(&self) -> Vec<u8> {
        self.client.upstream.store("s3")
    }

    fn total_timeout(&self) -> Duration {
        self.client.upstream.total_timeout
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::sign::Secret;

    fn store(key: bool) -> S3 {
        let credentials = key.then(|| Credentials { access_key: "AK".into(), secret_key: Secret::new("hush") });
        S3::new("http://127.0.0.1:9", "photos", "us-east-1", true, credentials, Timeouts::default()).unwrap()
    }

    #[test]
    fn codes_come_before_statuses() {
        let store = store(true);
        let kind = |status: u16, code| store.classify(StatusCode::from_u16(status).unwrap(), code, None).kind;
        assert_eq!(kind(404, Some("NoSuchKey")), Kind::NotFound);
        assert_eq!(kind(404, None), Kind::NotFound);
        assert_eq!(kind(404, Some("NoSuchBucket")), Kind::OriginFailed);
        assert_eq!(kind(403, Some("AccessDenied")), Kind::OriginFailed);
        assert_eq!(kind(403, None), Kind::OriginFailed);
        assert_eq!(kind(403, Some("SignatureDoesNotMatch")), Kind::OriginFailed);
        assert_eq!(kind(503, Some("SlowDown")), Kind::OriginFailed);
        assert_eq!(kind(500, None), Kind::OriginFailed);
        assert_eq!(kind(416, Some("InvalidRange")), Kind::BadRequest);
        assert_eq!(kind(416, None), Kind::BadRequest);
        assert_eq!(kind(301, Some("PermanentRedirect")), Kind::OriginFailed);
    }

    #[test]
    fn without_a_key_the_stores_refusal_is_the_clients() {
        assert_eq!(store(false).classify(StatusCode::FORBIDDEN, Some("AccessDenied"), None).kind, Kind::Forbidden);
    }

    #[test]
    fn nothing_printed_holds_the_secret() {
        let store = store(true);
        let error = store.classify(StatusCode::FORBIDDEN, Some("AccessDenied"), None);
        assert!(!format!("{store:?} {error} {error:?}").contains("hush"));
    }
}
