//! Answers as response heads: results with their validators and cache fields, errors in the vendor's shape.

use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::conditional::{self, Decision, RequestConditions};
use super::lifetime::at_most;
use crate::cache::Variant;
use crate::dates::http_date;
use crate::dialect::{self, Dialect, ErrorBody};
use crate::error::{Error, Kind};
use crate::plan::Plan;
use crate::shield::{CacheStatus, Delivery, Question, entity_tag};

/// A head and a body, ready to be written.
pub struct Response {
    /// The head, complete. pingora's own keeps a second map, of the names as they came: these are in the one case.
    pub head: Parts,
    /// The body; empty where the method or status has none.
    pub body: Bytes,
}

/// What every answer to a request says of the request, whoever answers and whatever is said: an error and a 304 as well as
/// a result. [`write`] and the filter of what is passed through put it into the head; nothing goes out without.
#[derive(Debug, Clone, Copy, Default)]
pub struct Telling {
    /// Another `Accept` could have brought another answer: caches behind us must not give this one to everybody.
    pub negotiable: bool,
    /// The caches' part; `None` where they were not asked.
    pub cache: Option<CacheStatus>,
}

impl Telling {
    /// Says it. What an origin has said of itself stays beside it.
    pub fn tell(&self, head: &mut impl Fields) {
        if self.negotiable && !varies(head.fields()) {
            head.add(header::VARY, HeaderValue::from_static("Accept"));
        }
        let value = self.cache.map(|status| match status.constant() {
            Some(text) => Ok(HeaderValue::from_static(text)),
            None => HeaderValue::from_str(&status.to_string()),
        });
        if let Some(Ok(value)) = value {
            head.add(CACHE_STATUS, value);
        }
    }
}

const CACHE_STATUS: HeaderName = HeaderName::from_static("cache-status");
const CONTENT_TYPE_OPTIONS: HeaderName = HeaderName::from_static("x-content-type-options");
const SLIM_FLAG: HeaderName = HeaderName::from_static("x-slimflag");

/// Whether the head says already that `Accept` counts, or that everything does.
fn varies(said: &HeaderMap) -> bool {
    let lines = said.get_all(header::VARY).iter().filter_map(|value| value.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|name| name == "*" || name.eq_ignore_ascii_case("accept"))
}

/// The fields of a head: one of ours, or one that pingora has of an origin.
pub trait Fields {
    /// What it has.
    fn fields(&self) -> &HeaderMap;
    /// Puts a field in the place of all of its name.
    fn put(&mut self, name: HeaderName, value: HeaderValue);
    /// Adds a field to those of its name.
    fn add(&mut self, name: HeaderName, value: HeaderValue);
}

impl Fields for HeaderMap {
    fn fields(&self) -> &HeaderMap {
        self
    }

    fn put(&mut self, name: HeaderName, value: HeaderValue) {
        self.insert(name, value);
    }

    fn add(&mut self, name: HeaderName, value: HeaderValue) {
        self.append(name, value);
    }
}

impl Fields for ResponseHeader {
    fn fields(&self) -> &HeaderMap {
        &self.headers
    }

    fn put(&mut self, name: HeaderName, value: HeaderValue) {
        let _ = self.insert_header(name, value);
    }

    fn add(&mut self, name: HeaderName, value: HeaderValue) {
        let _ = self.append_header(name, value);
    }
}

/// Sets a field whose value we have made ourselves; one that cannot stand in a header is left out.
pub fn set(head: &mut impl Fields, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        head.put(name, value);
    }
}

/// Names the request, as the dialect does.
pub fn name_request(head: &mut impl Fields, dialect: Option<Dialect>, request_id: &str) {
    let (names, value) = dialect::answer_headers(dialect, request_id);
    if let Ok(value) = HeaderValue::from_str(&value) {
        names.iter().for_each(|name| head.put(name.clone(), value.clone()));
    }
}

/// Room for the fields of an answer, with those that pingora adds.
const FIELDS: usize = 16;

/// A head that says nothing yet.
pub fn status_line(status: StatusCode) -> Parts {
    let (mut head, ()) = http::Response::new(()).into_parts();
    head.status = status;
    head.headers = HeaderMap::with_capacity(FIELDS);
    head
}

/// The status of a number.
///
/// # Errors
/// There is no such status.
pub fn status(number: u16) -> Result<StatusCode, Error> {
    StatusCode::from_u16(number).map_err(|_| Error::new(Kind::Internal, format!("status {number}")))
}

/// The request's conditions.
pub fn conditions(session: &Session) -> RequestConditions<'_> {
    let head = session.req_header();
    let field = |name: HeaderName| head.headers.get(name).and_then(|value| value.to_str().ok());
    // Ranges are for GET alone (RFC 9110 §14.2).
    let ranged = head.method == http::Method::GET;
    RequestConditions {
        if_none_match: field(header::IF_NONE_MATCH),
        if_modified_since: field(header::IF_MODIFIED_SINCE),
        if_match: field(header::IF_MATCH),
        if_range: field(header::IF_RANGE).filter(|_| ranged),
        range: field(header::RANGE).filter(|_| ranged),
    }
}

/// A result.
pub fn result(
    answer: &Delivery,
    question: &Question,
    dialect: Option<Dialect>,
    conditions: &RequestConditions<'_>,
    head_only: bool,
    request_id: &str,
) -> Result<Response, Error> {
    let variant = &*answer.variant;
    let (media_type, body) = body(variant, &question.plan, dialect);
    // Facts are dressed differently for each dialect and question.
    let etag = match variant.meta.format {
        Some(_) => variant.meta.etag.clone(),
        None => entity_tag(&body).into(),
    };
    let decision = conditional::decide(conditions, &etag, variant.meta.last_modified, body.len() as u64);
    let (status, part) = match &decision {
        Decision::Whole => (StatusCode::OK, Some(0..body.len())),
        Decision::Part(range) => (StatusCode::PARTIAL_CONTENT, Some(range.start as usize..range.end as usize)),
        Decision::NotModified => (StatusCode::NOT_MODIFIED, None),
        Decision::Failed => (StatusCode::PRECONDITION_FAILED, None),
        Decision::OutOfRange => (StatusCode::RANGE_NOT_SATISFIABLE, None),
    };
    let mut head = status_line(status);
    let fields = &mut head.headers;
    set(fields, header::ETAG, &etag);
    if let Some(modified) = variant.meta.last_modified.and_then(http_date) {
        set(fields, header::LAST_MODIFIED, &modified);
    }
    set(fields, header::CACHE_CONTROL, &at_most(&question.site.cache.cache_control, variant.meta.provisional));
    // A result of this moment needs none.
    if answer.status.is_hit() || answer.age.as_secs() > 0 {
        fields.put(header::AGE, HeaderValue::from(answer.age.as_secs()));
    }
    name_request(fields, dialect, request_id);
    if question.plan.output().is_some_and(|output| output.slim && output.facts.is_none()) {
        // The vendor's: 1 is fewer bytes, 2 the original.
        let saved = (variant.body.len() as u64) < variant.meta.source_bytes;
        fields.put(SLIM_FLAG, HeaderValue::from_static(if saved { "1" } else { "2" }));
    }
    if decision == Decision::OutOfRange {
        set(fields, header::CONTENT_RANGE, &format!("bytes */{}", body.len()));
    }
    let Some(part) = part else {
        if decision != Decision::NotModified {
            fields.put(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        return Ok(Response { head, body: Bytes::new() });
    };
    fields.put(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    fields.put(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    fields.put(CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Decision::Part(range) = &decision {
        set(fields, header::CONTENT_RANGE, &format!("bytes {}-{}/{}", range.start, range.end - 1, body.len()));
    }
    fields.put(header::CONTENT_LENGTH, HeaderValue::from(part.len() as u64));
    Ok(Response { head, body: if head_only { Bytes::new() } else { body.slice(part) } })
}

/// Puts what the client chose in place of fields of a result: `response-content-type` and its kin.
pub fn override_fields(head: &mut Parts, overrides: &[(String, String)]) {
    if !head.status.is_success() {
        return;
    }
    for (name, value) in overrides {
        let field = name.strip_prefix("response-").and_then(|field| HeaderName::from_bytes(field.as_bytes()).ok());
        if let Some(field) = field {
            set(&mut head.headers, field, value);
        }
    }
}

fn body(variant: &Variant, plan: &Plan, dialect: Option<Dialect>) -> (&'static str, Bytes) {
    match (&variant.meta.facts, plan.facts(), variant.meta.format) {
        (Some(facts), Some(asked), _) => {
            let (media_type, text) = dialect::facts_body(dialect.unwrap_or(Dialect::Tencent), asked, facts);
            (media_type, Bytes::from(text))
        }
        (_, _, Some(format)) => (dialect::media_type(dialect, format), variant.body.clone()),
        (_, _, None) => ("application/octet-stream", variant.body.clone()),
    }
}

/// Sets the fields of an error.
pub fn dress(head: &mut impl Fields, shaped: &ErrorBody) {
    for (name, value) in &shaped.headers {
        if let Ok(name) = HeaderName::from_bytes(name.as_bytes()) {
            set(head, name, value);
        }
    }
}

/// An error in the vendor's shape.
pub fn error(
    dialect: Option<Dialect>,
    error: &Error,
    path: &str,
    host: &str,
    request_id: &str,
    head_only: bool,
) -> Result<Response, Error> {
    let shaped = dialect::error_body(dialect, error, path, host, request_id, head_only);
    let mut head = status_line(status(shaped.status)?);
    dress(&mut head.headers, &shaped);
    let remember = error.kind.remember();
    let cache = match remember {
        Duration::ZERO => "no-store".to_owned(),
        remember => format!("max-age={}", remember.as_secs()),
    };
    set(&mut head.headers, header::CACHE_CONTROL, &cache);
    head.headers.put(header::CONTENT_LENGTH, HeaderValue::from(shaped.body.len() as u64));
    Ok(Response { head, body: if head_only { Bytes::new() } else { Bytes::from(shaped.body) } })
}

/// What a stream of HTTP/2 takes in one write.
const PIECE: usize = 64 << 10;

/// Writes an answer. A body that the method or status forbids has been left out already.
pub async fn write(session: &mut Session, mut response: Response, telling: &Telling) -> pingora::Result<u64> {
    telling.tell(&mut response.head.headers);
    let length = response.body.len() as u64;
    let ends = response.body.is_empty();
    session.write_response_header(Box::new(response.head.into()), ends).await?;
    let mut left = response.body;
    // A stream of HTTP/2 has so long for each write: small ones, so that only who takes nothing at all is cut off.
    while session.is_http2() && left.len() > PIECE {
        session.write_response_body(Some(left.split_to(PIECE)), false).await?;
    }
    if !ends {
        session.write_response_body(Some(left), true).await?;
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_varies_says_so_once_and_keeps_what_the_origin_says() {
        let told = |vary: &[&'static str], negotiable| {
            let mut head = ResponseHeader::build(200, None).unwrap();
            for value in vary {
                head.append_header(header::VARY, *value).unwrap();
            }
            head.append_header(CACHE_STATUS, "store; hit").unwrap();
            Telling { negotiable, cache: Some(CacheStatus::Bypass) }.tell(&mut head);
            let status: Vec<_> = head.headers.get_all(CACHE_STATUS).iter().cloned().collect();
            assert_eq!(status, ["store; hit", "pictor; fwd=bypass"]);
            let lines = head.headers.get_all(header::VARY).iter().map(|value| value.to_str().unwrap().to_owned());
            lines.collect::<Vec<_>>()
        };
        assert_eq!(told(&[], true), ["Accept"]);
        assert_eq!(told(&["Origin"], true), ["Origin", "Accept"]);
        assert_eq!(told(&["Origin, accept"], true), ["Origin, accept"]);
        assert_eq!(told(&["Accept-Encoding"], true), ["Accept-Encoding", "Accept"]);
        assert_eq!(told(&["*"], true), ["*"]);
        assert_eq!(told(&["Origin"], false), ["Origin"]);
    }
}
