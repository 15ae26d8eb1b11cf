//! Header fields of a client that go to a store with Pictor's own signature. Vendors' fields can do what no parameter does
//! (set an access list, lock an object, copy another), so here, too, only what is known goes through.

use http::{HeaderMap, header};

use super::{Action, Refusal};
use crate::error::Kind;

/// Which fields of one request go to the origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rule {
    /// Only what is known goes.
    pub known_only: bool,
    /// The request changes something.
    pub writes: bool,
    /// `Range` goes.
    pub range: bool,
}

/// Fields of HTTP itself, and of those who trace requests.
const PLAIN: &[&str] = &[
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "access-control-request-headers",
    "access-control-request-method",
    "cache-control",
    "connection",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-md5",
    "content-type",
    "expect",
    "expires",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "origin",
    "pragma",
    "range",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "trailer",
    "transfer-encoding",
    "user-agent",
    "x-request-id",
];

/// A store's own fields of a read; those that end in `*` by their beginning.
const READS: &[&str] = &[
    "x-amz-checksum-mode",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
];

/// A store's own fields of a write: of the object itself, its bytes and its metadata.
const WRITES: &[&str] = &[
    "x-amz-checksum-algorithm",
    "x-amz-checksum-crc32",
    "x-amz-checksum-crc32c",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha1",
    "x-amz-checksum-sha256",
    "x-amz-checksum-type",
    "x-amz-content-sha256",
    "x-amz-copy-source",
    "x-amz-copy-source-if-match",
    "x-amz-copy-source-if-modified-since",
    "x-amz-copy-source-if-none-match",
    "x-amz-copy-source-if-unmodified-since",
    "x-amz-copy-source-range",
    "x-amz-copy-source-server-side-encryption-customer-algorithm",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-decoded-content-length",
    "x-amz-meta-*",
    "x-amz-metadata-directive",
    "x-amz-mp-object-size",
    "x-amz-sdk-checksum-algorithm",
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-algorithm",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-amz-storage-class",
    "x-amz-trailer",
];

/// A store's own fields that are left out of a write without a word: who the client is and when it wrote, never what.
const IDLE: &[&str] = &[
    "x-amz-copy-source-expected-bucket-owner",
    "x-amz-date",
    "x-amz-expected-bucket-owner",
    "x-amz-request-payer",
    "x-amz-security-token",
    "x-amz-source-expected-bucket-owner",
    "x-amz-user-agent",
];

/// What the other vendors' fields must not be left out of, because the write would then be another: the part behind `x-cos-`
/// and the like.
const MEANT: &[&str] = &[
    "acl",
    "callback*",
    "copy-source*",
    "fetch-*",
    "forbid-overwrite",
    "grant-*",
    "object-acl",
    "server-side-*",
    "symlink-*",
    "tagging*",
    "website-*",
    "worm-*",
];

fn stands(list: &[&str], name: &str) -> bool {
    list.iter().any(|known| match known.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == *known,
    })
}

impl Rule {
    /// Whether a field goes to the origin. `name` is in lower case.
    pub(super) fn keeps(self, name: &str) -> bool {
        if name == "range" || name == "if-range" {
            return self.range;
        }
        if !self.known_only || stands(PLAIN, name) {
            return true;
        }
        stands(if self.writes { WRITES } else { READS }, name) && !stands(IDLE, name)
    }
}

/// Looks a write's fields through: what would make it another write than it says is refused, not left out.
pub(super) fn check(headers: &HeaderMap, action: Action, protect: bool) -> Result<(), Refusal> {
    let refuse = |why| Err(Refusal { kind: Kind::Forbidden, why });
    for name in headers.keys() {
        let name = name.as_str();
        let known = stands(PLAIN, name) || stands(WRITES, name) || stands(IDLE, name);
        if name.starts_with("x-amz-") && !known {
            return refuse(
                "a header field of this write is for the bucket's owner: access lists, tags, locks and the like",
            );
        }
        let vendor = ["x-cos-", "x-oss-", "x-obs-", "x-tos-", "x-goog-", "x-ms-", "x-bce-", "x-minio-", "x-rgw-"];
        if vendor.iter().any(|vendor| name.strip_prefix(vendor).is_some_and(|rest| stands(MEANT, rest))) {
            return refuse("a header field of this write is not known to the site's store");
        }
    }
    let copies = headers.contains_key("x-amz-copy-source");
    if copies && !matches!(action, Action::Put | Action::Upload) {
        return refuse("only a PUT copies");
    }
    if copies && protect {
        // The copy could be read under a name that no one takes for a picture.
        return refuse("this site's pictures are given away by their styles only, also to copies");
    }
    Ok(())
}

/// Whether a request asks for exactly one range, as a server reads it (RFC 9110 §14.2); `None`: for none.
pub(super) fn one_range(headers: &HeaderMap) -> Option<bool> {
    let mut fields = headers.get_all(header::RANGE).iter();
    let first = fields.next()?;
    Some(fields.next().is_none() && !first.as_bytes().contains(&b','))
}
