//! Answers of a store that Pictor signs for, on their way to a client: what says whose server it is goes, and errors are said
//! anew in the language of the site. A client has no business with the store's name, its bucket or its sentences; SDKs read
//! status, code and request id.

use bytes::Bytes;
use http::{HeaderName, header};
use pingora::http::ResponseHeader;

use super::answer::{self, set};
use crate::dialect::{self, Dialect, ErrorBody, StoreError};
use crate::origin::store_error_code;

/// The most of an error's body that is read for its code.
const MOST: usize = 64 << 10;

/// Fields of an error that stay: they are about the object or the request.
const STAY: [&str; 8] =
    ["content-range", "accept-ranges", "retry-after", "allow", "etag", "last-modified", "x-amz-delete-marker", "vary"];

fn stays(name: &str) -> bool {
    STAY.contains(&name) || name.starts_with("access-control-")
}

/// Fields of an answer that go on: of the object and of HTTP. Those that end in `*` by their beginning. What a store says
/// besides is about itself: its server, its owner, its access lists.
const GO_ON: &[&str] = &[
    "accept-ranges",
    "access-control-*",
    "age",
    "allow",
    "cache-control",
    "cache-tag",
    "cdn-cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-range",
    "content-type",
    "date",
    "etag",
    "expires",
    "last-modified",
    "link",
    "pragma",
    "retry-after",
    "surrogate-control",
    "surrogate-key",
    "trailer",
    "transfer-encoding",
    "vary",
    "x-amz-checksum-*",
    "x-amz-copy-source-version-id",
    "x-amz-delete-marker",
    "x-amz-meta-*",
    "x-amz-missing-meta",
    "x-amz-mp-parts-count",
    "x-amz-restore",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-*",
    "x-amz-storage-class",
    "x-amz-tagging-count",
    "x-amz-version-id",
    "x-cos-delete-marker",
    "x-cos-hash-crc64ecma",
    "x-cos-meta-*",
    "x-cos-object-type",
    "x-cos-storage-class",
    "x-cos-version-id",
    "x-oss-delete-marker",
    "x-oss-hash-crc64ecma",
    "x-oss-meta-*",
    "x-oss-object-type",
    "x-oss-storage-class",
    "x-oss-version-id",
    "x-robots-tag",
];

fn goes_on(name: &str) -> bool {
    GO_ON.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *known,
    })
}

fn keep_only(head: &mut ResponseHeader, keep: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = head.headers.keys().filter(|name| !keep(name.as_str())).cloned().collect();
    for name in &names {
        head.remove_header(name);
    }
}

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
    /// The client reads chunks (HTTP/1.1 and later).
    pub chunks: bool,
}

impl For<'_> {
    fn body(&self, error: &StoreError, head_only: bool) -> ErrorBody {
        dialect::store_error_body(self.dialect, error, self.path, self.host, self.request_id, head_only)
    }
}

/// Takes out of a head what says whose server it is, and puts the request's name in.
pub fn clean(head: &mut ResponseHeader, to: &For<'_>) {
    keep_only(head, goes_on);
    answer::name_request(head, to.dialect, to.request_id);
}

/// Makes an error's head the site's own. `None`: there is no body to come, and the head is complete.
pub fn begin(head: &mut ResponseHeader, head_only: bool, to: &For<'_>) -> Option<Told> {
    let status = head.status.as_u16();
    // Where the store sends no body, pingora asks for none of ours.
    let bare = head_only || head.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    let shaped = to.body(&dialect::store_error(status, None), bare);
    keep_only(head, stays);
    answer::dress(head, &shaped);
    set(head, header::CACHE_CONTROL, "no-store");
    if bare {
        if !head_only {
            set(head, header::CONTENT_LENGTH, "0");
        }
        return None;
    }
    // Its length is known when the store has said what is wrong: in chunks, or until the connection's end.
    if to.chunks {
        head.set_version(http::Version::HTTP_11);
        set(head, header::TRANSFER_ENCODING, "chunked");
    }
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
