//! What is kept, and of what.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::bytes::{Tag, Unreadable, tagged, untagged};
use super::{Epoch, ObjectId, Tags, VariantKey};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::imaging::{Facts, Header, Times};
use crate::plan::Format;

/// A finished answer.
#[derive(Debug, Clone)]
pub struct Variant {
    /// All but the bytes.
    pub meta: VariantMeta,
    /// The picture's bytes; empty for facts.
    pub body: Bytes,
}

/// What is said of a variant: nothing in it is this process's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VariantMeta {
    /// The picture's format; `None` for facts.
    pub format: Option<Format>,
    /// Size of the picture.
    pub width: u32,
    /// Size of the picture.
    pub height: u32,
    /// Facts, where they were asked for.
    pub facts: Option<Facts>,
    /// Strong entity tag of the bytes (or of the facts), quoted.
    #[serde(with = "text")]
    pub etag: Arc<str>,
    /// The original's time of change.
    pub last_modified: Option<SystemTime>,
    /// When it was made.
    pub made: Timestamp,
    /// Format of the original.
    pub source_format: Format,
    /// Bytes of the original.
    pub source_bytes: u64,
    /// Where the conversion's time went.
    pub times: Times,
    /// Made with less effort than asked for, because many waited: it stands in for a better one for so long at most.
    pub provisional: Option<Duration>,
    /// What the original and its marks were tagged with.
    pub tags: Tags,
    /// When its making began.
    pub epoch: Epoch,
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// Digest of its bytes.
    #[serde(with = "hexadecimal")]
    pub version: u128,
    /// The origin's entity tag, as sent.
    #[serde(with = "maybe_text")]
    pub etag: Option<Arc<str>>,
    /// The origin's time of change, where it names this version alone.
    pub last_modified: Option<SystemTime>,
    /// What the origin tagged it with.
    pub tags: Tags,
    /// When the origin last said so.
    pub checked: Timestamp,
    /// When it was asked.
    pub epoch: Epoch,
}

/// Forms of what is kept. Another form, or another meaning of a field, needs another tag.
const METADATA: Tag = *b"PVM\x02";
const KNOWN: Tag = *b"POK\x02";

impl VariantMeta {
    /// As bytes. `None` where a time cannot be written, because a clock stands before 1970: that is kept by no one.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        tagged(METADATA, self)
    }

    /// From such bytes, now.
    ///
    /// # Errors
    /// For what is of another form, or damaged so that it shows.
    pub fn from_bytes(bytes: &[u8], now: Timestamp) -> Result<Self, Unreadable> {
        let meta: Self = untagged(METADATA, bytes)?;
        Ok(Self { made: meta.made.recalled(now), ..meta })
    }

    /// Whether it may be given: what was hurried is for a while.
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.provisional.is_none_or(|time| self.made.age(now) < time)
    }
}

impl Known {
    /// As bytes. `None` as for [`VariantMeta::to_bytes`].
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        tagged(KNOWN, self)
    }

    /// From such bytes, now.
    ///
    /// # Errors
    /// For what is of another form, or damaged so that it shows.
    pub fn from_bytes(bytes: &[u8], now: Timestamp) -> Result<Self, Unreadable> {
        let known: Self = untagged(KNOWN, bytes)?;
        Ok(Self { checked: known.checked.recalled(now), ..known })
    }

    /// Whether it may be used without asking the origin, who is to be asked again after so long.
    pub fn is_fresh(&self, fresh: Duration, now: Timestamp) -> bool {
        self.checked.age(now) < fresh
    }
}

/// Texts that many share.
mod text {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        (**text).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }
}

/// The same where there may be none.
mod maybe_text {
    use super::{Arc, Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(text: &Option<Arc<str>>, to: S) -> Result<S::Ok, S::Error> {
        text.as_deref().serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Arc<str>>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(Arc::from))
    }
}

/// Digests: numbers of JSON end long before.
mod hexadecimal {
    use super::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(digest: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{digest:032x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        u128::from_str_radix(&String::deserialize(from)?, 16).map_err(serde::de::Error::custom)
    }
}

/// An error that is remembered.
#[derive(Debug, Clone)]
pub struct Remembered {
    /// The error.
    pub error: Error,
    /// When it came up.
    pub since: Timestamp,
    /// When the work began that it came of.
    pub epoch: Epoch,
}

impl Remembered {
    /// Whether it may be given: for as long as its kind says.
    pub fn lasts(&self, now: Timestamp) -> bool {
        self.since.age(now) < self.error.kind.remember()
    }
}

/// What an error was the answer to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum ErrorKey {
    Object(ObjectId),
    Variant(VariantKey),
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
