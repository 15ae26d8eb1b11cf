//! What is kept, and of what.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::{ObjectId, VariantKey};
use crate::error::Error;
use crate::imaging::{Facts, Header, Times};
use crate::plan::Format;

/// A finished answer.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The picture's bytes; empty for facts.
    pub body: Bytes,
    /// The picture's format; `None` for facts.
    pub format: Option<Format>,
    /// Size of the picture.
    pub width: u32,
    /// Size of the picture.
    pub height: u32,
    /// Facts, where they were asked for.
    pub facts: Option<Facts>,
    /// Strong entity tag of the bytes (or of the facts), quoted.
    pub etag: Arc<str>,
    /// The original's time of change.
    pub last_modified: Option<SystemTime>,
    /// When it was made.
    pub made: SystemTime,
    /// Format of the original.
    pub source_format: Format,
    /// Bytes of the original.
    pub source_bytes: u64,
    /// Where the conversion's time went.
    pub times: Times,
    /// Made with less effort than asked for, because many waited: it stands in for a better one for so long at most.
    pub provisional: Option<Duration>,
}

/// An original and what is known of it.
#[derive(Debug, Clone)]
pub struct Original {
    /// The bytes, whole.
    pub bytes: Bytes,
    /// SHA-256 of the bytes.
    pub digest: [u8; 32],
    /// What is known.
    pub known: Known,
    /// What its header says, once somebody has read it.
    pub header: OnceLock<Result<Header, Error>>,
}

/// What is known of an object without its bytes.
#[derive(Debug, Clone)]
pub struct Known {
    /// Digest of its bytes.
    pub version: u128,
    /// The origin's entity tag, as sent.
    pub etag: Option<Arc<str>>,
    /// The origin's time of change, where it names this version alone.
    pub last_modified: Option<SystemTime>,
    /// When the origin last said so.
    pub checked: Instant,
    /// The object's generation when it did.
    pub generation: u64,
}

/// What an error was the answer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Question {
    Object(ObjectId, u64),
    Variant(VariantKey),
}
