//! Answers of a store that Pictor signs for, on their way to a client: what says whose server it is goes, and errors are said
//! anew in the language of the site. A client has no business with the store's name, its bucket or its sentences; SDKs read
//! status, code and request id.

use bytes::Bytes;
use http::{HeaderName, header};
use pingora::http::ResponseHeader;

use super::answer::{self, set};
use crate::dialect::{self, Dialect, ErrorBody, StoreError, answer_headers};
use crate::origin::store_error_code;

/// The most of an error's body that is read for its code.
const MOST: usize = 64 << 10;

/// Fields of an error that stay: they are about the object or the request.
const STAY: [&str; 8] = [
    "content-range",
    "accept-ranges",
    "retry-after",
    "allow",
    "etag",
    "last-modified",
    "x-amz-delete-marker",
    "access-control-allow-origin",
];

/// Fields of the store's own in any answer.
const OWN: [&str; 22] = [
    "server",
    "via",
    "x-powered-by",
    "alt-svc",
    "location",
    "content-location",
    "x-amz-request-id",
    "x-amz-id-2",
    "x-amz-bucket-region",
    "x-amz-expiration",
    "x-amz-replication-status",
    "x-amz-cf-id",
    "x-amz-cf-pop",
    "x-cache",
    "x-cos-request-id",
    "x-cos-trace-id",
    "x-oss-request-id",
    "x-oss-server-time",
    "x-ratelimit-limit",
    "x-minio-deployment-id",
    "x-obs-request-id",
    "x-rgw-object-type",
];

/// A store's error while its body comes in.
#[derive(Debug)]
pub struct Told {
    status: u16,
    body: Vec<u8>,
}

/// For whom an answer is dressed.
#[derive(Debug, Clone, Copy)]
pub struct For<'a> {
    /// The language.
    pub dialect: Option<Dialect>,
    /// The path that was asked for.
    pub path: &'a str,
    /// The host that was asked.
    pub host: &'a str,
    /// The request's name.
    pub request_id: &'a str,
}

impl For<'_> {
    fn body(&self, error: &StoreError, head_only: bool) -> ErrorBody {
        dialect::store_error_body(self.dialect, error, self.path, self.host, self.request_id, head_only)
    }
}

/// Takes out of a head what says whose server it is, and puts the request's name in.
pub fn clean(head: &mut ResponseHeader, to: &For<'_>) {
    for name in OWN {
        head.remove_header(name);
    }
    let foreign =
        |name: &str| name.starts_with("x-minio-") || name.starts_with("x-seaweedfs-") || name.starts_with("x-rgw-");
    let names: Vec<HeaderName> = head.headers.keys().filter(|name| foreign(name.as_str())).cloned().collect();
    for name in &names {
        head.remove_header(name);
    }
    for (name, value) in answer_headers(to.dialect, to.request_id) {
        set(head, HeaderName::from_static(name), &value);
    }
}

/// Makes an error's head the site's own. `None`: there is no body to come, and the head is complete.
pub fn begin(head: &mut ResponseHeader, head_only: bool, to: &For<'_>) -> Option<Told> {
    let status = head.status.as_u16();
    // Where the store sends no body, pingora asks for none of ours.
    let bare = head_only || head.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    let shaped = to.body(&dialect::store_error(status, None), bare);
    let names: Vec<HeaderName> = head.headers.keys().filter(|name| !STAY.contains(&name.as_str())).cloned().collect();
    for name in &names {
        head.remove_header(name);
    }
    answer::dress(head, &shaped);
    set(head, header::CACHE_CONTROL, "no-store");
    if bare {
        if !head_only {
            set(head, header::CONTENT_LENGTH, "0");
        }
        return None;
    }
    // Its length is known when the store has said what is wrong.
    head.set_version(http::Version::HTTP_11);
    set(head, header::TRANSFER_ENCODING, "chunked");
    Some(Told { status, body: Vec::new() })
}

impl Told {
    /// Takes a piece of the store's body; at its end gives ours.
    pub fn piece(&mut self, body: Option<&Bytes>, end: bool, to: &For<'_>) -> Option<Bytes> {
        if let Some(piece) = body {
            let room = MOST.saturating_sub(self.body.len());
            self.body.extend_from_slice(&piece[..piece.len().min(room)]);
        }
        if !end {
            return None;
        }
        let code = store_error_code(&self.body);
        let error = dialect::store_error(self.status, code.as_deref());
        Some(Bytes::from(to.body(&error, false).body))
    }
}
