//! Pass-through to an origin that is not a server (a folder): streamed here, chunk by chunk.

use std::ops::Range;

use futures_util::StreamExt;
use http::{Method, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;

use super::answer;
use super::conditional::{self, Decision};
use crate::access::Pass;
use crate::error::{Error, Kind};
use crate::origin::{ByteRange, Conditions, Fetched, Meta, ObjectKey};
use crate::shield::Site;

/// Answers a GET or HEAD from the folder; gives the status and the bytes sent.
///
/// # Errors
/// Before the head is written: an error to be dressed. After it: the connection's own, as [`Kind::Cancelled`].
pub async fn serve(session: &mut Session, site: &Site, pass: &Pass) -> Result<(u16, u64), Error> {
    let method = session.req_header().method.clone();
    if method != Method::GET && method != Method::HEAD {
        return Err(Error::new(Kind::MethodNotAllowed, format!("{method}: a folder as origin is only read")));
    }
    if pass.version().is_some() {
        return Err(Error::new(Kind::NotFound, "a folder keeps no versions of an object"));
    }
    let key = ObjectKey::from_raw_path(pass.path())?;
    let meta = site.origin.head(&key).await?;
    let length = meta.length.unwrap_or(0);
    let etag = meta.etag.clone().unwrap_or_default();
    let decision = conditional::decide(&answer::conditions(session), &etag, meta.last_modified, length);
    let (status, part) = match &decision {
        Decision::Whole => (200, Some(0..length)),
        Decision::Part(range) => (206, Some(range.clone())),
        Decision::NotModified => (304, None),
        Decision::Failed => (412, None),
        Decision::OutOfRange => (416, None),
    };
    let head = head(status, &meta, &decision, part.as_ref(), length)?;
    let part = part.filter(|part| method == Method::GET && !part.is_empty());
    // Opened before the head is written, so that an error can still be said.
    let body = match &part {
        None => None,
        Some(part) => {
            let range = (status == 206).then(|| ByteRange::Within(part.start, part.end - 1));
            match site.origin.get(&key, range, &Conditions::default()).await? {
                Fetched::Object { body, .. } => Some(body),
                Fetched::Unchanged => return Err(Error::new(Kind::Internal, "a folder said 304 without a condition")),
            }
        }
    };
    let gone = |_| Error::new(Kind::Cancelled, "the client has gone");
    session.write_response_header(Box::new(head), body.is_none()).await.map_err(gone)?;
    let mut sent = 0;
    if let Some(mut body) = body {
        while let Some(chunk) = body.next().await {
            let chunk = chunk?;
            sent += chunk.len() as u64;
            session.write_response_body(Some(chunk), false).await.map_err(gone)?;
        }
        if Some(sent) != part.map(|part| part.end - part.start) {
            return Err(Error::new(Kind::OriginShort, "the file changed while it was sent"));
        }
        session.write_response_body(None, true).await.map_err(gone)?;
    }
    Ok((status, sent))
}

fn head(
    status: u16,
    meta: &Meta,
    decision: &Decision,
    part: Option<&Range<u64>>,
    length: u64,
) -> Result<ResponseHeader, Error> {
    let mut head =
        ResponseHeader::build(status, Some(8)).map_err(|_| Error::new(Kind::Internal, format!("status {status}")))?;
    if let Some(etag) = &meta.etag {
        answer::set(&mut head, header::ETAG, etag);
    }
    if let Some(modified) = meta.last_modified {
        answer::set(&mut head, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
    }
    match decision {
        Decision::OutOfRange => answer::set(&mut head, header::CONTENT_RANGE, &format!("bytes */{length}")),
        Decision::Part(range) => {
            answer::set(&mut head, header::CONTENT_RANGE, &format!("bytes {}-{}/{length}", range.start, range.end - 1));
        }
        Decision::Whole | Decision::NotModified | Decision::Failed => {}
    }
    if let Some(part) = part {
        answer::set(&mut head, header::CONTENT_TYPE, &meta.content_type);
        answer::set(&mut head, header::ACCEPT_RANGES, "bytes");
        answer::set(&mut head, header::CONTENT_LENGTH, &(part.end - part.start).to_string());
    } else if *decision != Decision::NotModified {
        answer::set(&mut head, header::CONTENT_LENGTH, "0");
    }
    Ok(head)
}
