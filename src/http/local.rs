//! Pass-through to an origin that is not a server (a folder): streamed here, chunk by chunk.

use std::ops::Range;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::response::Parts;
use http::{Method, header};
use pingora::proxy::Session;

use super::answer::{self, Telling};
use super::conditional::{self, Decision};
use super::protect;
use crate::access::Pass;
use crate::dates::http_date;
use crate::error::{Error, Kind};
use crate::origin::{ByteRange, Fetched, Meta, ObjectKey, ReadConditions};
use crate::shield::Shield;
use crate::site::Site;

/// Answers a GET or HEAD from the folder; gives the status and the bytes sent.
///
/// # Errors
/// Before the head is written: an error to be dressed. After it: the connection's own, as [`Kind::Cancelled`].
pub async fn serve(
    session: &mut Session,
    shield: &Shield,
    site: &Site,
    pass: &Pass,
    telling: &Telling,
) -> Result<(u16, u64), Error> {
    let method = session.req_header().method.clone();
    if method != Method::GET && method != Method::HEAD {
        return Err(Error::new(Kind::MethodNotAllowed, format!("{method}: a folder as origin is only read")));
    }
    if pass.version().is_some() {
        return Err(Error::new(Kind::NotFound, "a folder keeps no versions of an object"));
    }
    let key = ObjectKey::from_raw_path(pass.path())?;
    let (meta, decision, body) = open(session, site, &key, method == Method::GET).await?;
    if site.protect {
        // What a file is, its name does not always say.
        let seen = protect::by_bytes(shield, site, &session.req_header().headers, pass).await?;
        if seen != meta {
            return Err(protect::changed());
        }
    }
    let length = meta.length.unwrap_or(0);
    let (status, part) = match &decision {
        Decision::Whole => (200, Some(0..length)),
        Decision::Part(range) => (206, Some(range.clone())),
        Decision::NotModified => (304, None),
        Decision::Failed => (412, None),
        Decision::OutOfRange => (416, None),
    };
    let mut head = head(status, &meta, &decision, part.as_ref(), length)?;
    telling.tell(&mut head.headers);
    let gone = |_| Error::new(Kind::Cancelled, "the client has gone");
    session.write_response_header(Box::new(head.into()), body.is_none()).await.map_err(gone)?;
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

/// A part of a file that was changed while it was asked for is asked for again, so many times.
const TRIES: usize = 3;

/// Opens the file, decides what to answer, and gives the body of just that, where there is one. All of it is of one state of
/// the file: what is said of it before its body is read belongs to the very file that is open.
async fn open(session: &Session, site: &Site, key: &ObjectKey, get: bool) -> Result<(Meta, Decision, Body), Error> {
    let conditions = answer::conditions(session);
    let decide = |meta: &Meta| {
        let etag = meta.etag.as_deref().unwrap_or_default();
        conditional::decide(&conditions, etag, meta.last_modified, meta.length.unwrap_or(0))
    };
    if !get {
        let meta = site.origin.head(key).await?;
        let decision = decide(&meta);
        return Ok((meta, decision, None));
    }
    for _ in 0..TRIES {
        let (meta, whole) = read(site, key, None).await?;
        match decide(&meta) {
            Decision::Whole => {
                let body = Some(whole).filter(|_| meta.length != Some(0));
                return Ok((meta, Decision::Whole, body));
            }
            Decision::Part(range) => {
                let (again, part) = read(site, key, Some(ByteRange::Within(range.start, range.end - 1))).await?;
                if again == meta {
                    return Ok((meta, Decision::Part(range), Some(part)));
                }
            }
            decision => return Ok((meta, decision, None)),
        }
    }
    Err(Error::busy("the object is being written to", 1))
}

type Body = Option<BoxStream<'static, Result<Bytes, Error>>>;

async fn read(
    site: &Site,
    key: &ObjectKey,
    range: Option<ByteRange>,
) -> Result<(Meta, BoxStream<'static, Result<Bytes, Error>>), Error> {
    match site.origin.get(key, range, &ReadConditions::default()).await? {
        Fetched::Object { meta, body, .. } => Ok((meta, body)),
        Fetched::Unchanged => Err(Error::new(Kind::Internal, "a folder said 304 without a condition")),
    }
}

fn head(status: u16, meta: &Meta, decision: &Decision, part: Option<&Range<u64>>, length: u64) -> Result<Parts, Error> {
    let mut head = answer::status_line(answer::status(status)?);
    let fields = &mut head.headers;
    if let Some(etag) = &meta.etag {
        answer::set(fields, header::ETAG, etag);
    }
    if let Some(modified) = meta.last_modified.and_then(http_date) {
        answer::set(fields, header::LAST_MODIFIED, &modified);
    }
    match decision {
        Decision::OutOfRange => answer::set(fields, header::CONTENT_RANGE, &format!("bytes */{length}")),
        Decision::Part(range) => {
            answer::set(fields, header::CONTENT_RANGE, &format!("bytes {}-{}/{length}", range.start, range.end - 1));
        }
        Decision::Whole | Decision::NotModified | Decision::Failed => {}
    }
    if let Some(part) = part {
        answer::set(fields, header::CONTENT_TYPE, &meta.content_type);
        answer::set(fields, header::ACCEPT_RANGES, "bytes");
        answer::set(fields, header::CONTENT_LENGTH, &(part.end - part.start).to_string());
    } else if *decision != Decision::NotModified {
        answer::set(fields, header::CONTENT_LENGTH, "0");
    }
    Ok(head)
}
