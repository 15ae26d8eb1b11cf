//! What goes into and comes out of a store, whatever its protocol.

use std::fmt;
use std::time::SystemTime;

use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::error::{Error, Kind};

/// What a store says about an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meta {
    /// With its quotes, and `W/` where it is weak.
    pub etag: Option<String>,
    /// To the second where it comes over HTTP.
    pub last_modified: Option<SystemTime>,
    /// When the store said all this, by its own clock; where it says.
    pub date: Option<SystemTime>,
    /// Bytes of the whole object, also where only a range of it was asked for. `None`: the store did not say.
    pub length: Option<u64>,
    /// As the store says; `application/octet-stream` where it says nothing.
    pub content_type: String,
    /// As the store says.
    pub cache_control: Option<String>,
    /// As the store says.
    pub content_disposition: Option<String>,
    /// The store's name for this version, where it keeps versions.
    pub version: Option<String>,
    /// Tags of the object, parted by spaces: all fields `Surrogate-Key` of the answer.
    pub surrogate_keys: Option<String>,
    /// Tags of the object, parted by commas: all fields `Cache-Tag`.
    pub cache_tags: Option<String>,
}

/// A part of an object as a client asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first to the last, both included.
    Within(u64, u64),
    /// From here to the end.
    From(u64),
    /// So many bytes at the end.
    Last(u64),
}

/// A part of an object as it is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObjectPart {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte, included.
    pub last: u64,
}

/// Conditions of a read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadConditions {
    /// An entity tag, a list of them or `*`: [`Fetched::Unchanged`] if the object has one of them.
    pub if_none_match: Option<String>,
    /// [`Fetched::Unchanged`] if the object has not changed since. Not looked at if there is an `if_none_match`.
    pub if_modified_since: Option<SystemTime>,
    /// Read this version and no other. Stores without versions refuse it.
    pub version: Option<String>,
}

/// The answer to a read.
// There is one of it for each read, and it is taken apart at once.
#[allow(clippy::large_enum_variant)]
pub enum Fetched {
    /// The conditions say that the caller has it already.
    Unchanged,
    /// The object, or a part of it.
    Object {
        /// What the store says.
        meta: Meta,
        /// Which part the body is; `None`: all of it. Servers may answer with all where a range was asked for.
        part: Option<ObjectPart>,
        /// The bytes as they come. Ends with [`Kind::OriginShort`] if the store sent fewer than it announced.
        body: BoxStream<'static, Result<Bytes, Error>>,
    },
}

/// What is sent along with an object's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PutOptions {
    /// The media type; empty: `application/octet-stream`.
    pub content_type: String,
    /// For those who read the object from the store.
    pub cache_control: Option<String>,
    /// Likewise.
    pub content_disposition: Option<String>,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Page {
    /// In the order of their keys' bytes.
    pub entries: Vec<ListedObject>,
    /// The `after` of the next page; `None`: this is the last.
    pub next: Option<String>,
}

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// The decoded key.
    pub key: String,
    /// Bytes.
    pub length: u64,
    /// With its quotes.
    pub etag: Option<String>,
    /// To the second where it comes over HTTP.
    pub last_modified: Option<SystemTime>,
}

impl ByteRange {
    /// The part of an object of this length.
    ///
    /// # Errors
    ///
    /// [`Kind::BadRequest`] where no byte of the object is in the range (HTTP's 416).
    pub fn within(self, length: u64) -> Result<ObjectPart, Error> {
        let end = length.checked_sub(1);
        let part = match self {
            Self::Within(first, last) => end.map(|end| ObjectPart { first, last: last.min(end) }),
            Self::From(first) => end.map(|end| ObjectPart { first, last: end }),
            Self::Last(0) => None,
            Self::Last(count) => end.map(|end| ObjectPart { first: length.saturating_sub(count), last: end }),
        };
        part.filter(|part| part.first <= part.last).ok_or_else(Self::unsatisfiable)
    }

    pub(super) fn unsatisfiable() -> Error {
        Error::new(Kind::BadRequest, "no byte of the object is in the range that was asked for")
    }
}

impl fmt::Display for ByteRange {
    /// The value of `Range`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Within(first, last) => write!(f, "bytes={first}-{last}"),
            Self::From(first) => write!(f, "bytes={first}-"),
            Self::Last(count) => write!(f, "bytes=-{count}"),
        }
    }
}

impl ObjectPart {
    /// How many bytes; at least one.
    pub fn length(self) -> u64 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }
}

impl ReadConditions {
    /// Whether somebody with these conditions has the object already (RFC 9110, 13.1.2 and 13.1.3).
    pub fn unchanged(&self, meta: &Meta) -> bool {
        if let Some(tags) = &self.if_none_match {
            return match &meta.etag {
                Some(etag) => tags.trim() == "*" || tags.split(',').any(|tag| opaque(tag) == opaque(etag)),
                None => false,
            };
        }
        match (self.if_modified_since, meta.last_modified) {
            (Some(since), Some(modified)) => seconds_of(modified) <= seconds_of(since),
            (_, None) | (None, _) => false,
        }
    }
}

/// The tag without its weakness: If-None-Match compares weakly.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whole seconds since 1970.
pub(super) fn seconds_of(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

impl fmt::Debug for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unchanged => f.write_str("Unchanged"),
            Self::Object { meta, part, body: _ } => {
                f.debug_struct("Object").field("meta", meta).field("part", part).finish_non_exhaustive()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::time::Duration;

    use super::*;

    #[test]
    fn ranges_are_cut_to_the_object() {
        assert_eq!(ByteRange::Within(2, 100).within(10).unwrap(), ObjectPart { first: 2, last: 9 });
        assert_eq!(ByteRange::From(9).within(10).unwrap().length(), 1);
        assert_eq!(ByteRange::Last(3).within(10).unwrap(), ObjectPart { first: 7, last: 9 });
        assert_eq!(ByteRange::Last(30).within(10).unwrap(), ObjectPart { first: 0, last: 9 });
        for (range, length) in [
            (ByteRange::From(10), 10),
            (ByteRange::Within(3, 2), 10),
            (ByteRange::Last(0), 10),
            (ByteRange::From(0), 0),
            (ByteRange::Last(1), 0),
        ] {
            assert_eq!(range.within(length).unwrap_err().kind, Kind::BadRequest, "{range}");
        }
        assert_eq!(ByteRange::Last(u64::MAX).to_string(), "bytes=-18446744073709551615");
    }

    #[test]
    fn tags_win_over_times() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(5_500);
        let meta = Meta { etag: Some("\"a\"".into()), last_modified: Some(time), ..Meta::default() };
        let with = |tag: Option<&str>, since: Option<u64>| ReadConditions {
            if_none_match: tag.map(str::to_owned),
            if_modified_since: since.map(|seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)),
            version: None,
        };
        assert!(with(Some("\"b\", W/\"a\""), None).unchanged(&meta));
        assert!(with(Some("*"), None).unchanged(&meta));
        assert!(!with(Some("\"b\""), Some(9)).unchanged(&meta));
        assert!(with(None, Some(5)).unchanged(&meta));
        assert!(!with(None, Some(4)).unchanged(&meta));
        assert!(!with(None, None).unchanged(&meta));
    }
}
