//! The whole original, for conversion: complete, not too large, in time, or an error.

use std::future::{Future, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{Conditions, Fetched, Meta, ObjectKey, Origin};
use crate::error::{Error, Kind};

/// The answer of [`fetch_whole`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchedWhole {
    /// The conditions say that the caller has it already.
    Unchanged,
    /// All of it. `meta.length` is the number of bytes.
    Object {
        /// What the store says.
        meta: Meta,
        /// The object's bytes.
        bytes: Bytes,
    },
}

/// Room in memory that bytes take for as long as they are there.
pub trait Room: Send + 'static {
    /// They are no more than this: what was taken beyond it is given back.
    fn shrink(&mut self, bytes: u64);
}

impl Room for () {
    fn shrink(&mut self, _: u64) {}
}

/// Reads a whole object of at most `max_bytes` within `total`, whatever memory it takes.
///
/// # Errors
///
/// As [`fetch_whole_into`].
pub async fn fetch_whole(
    origin: &dyn Origin,
    key: &ObjectKey,
    conditions: &Conditions,
    max_bytes: u64,
    total: Duration,
) -> Result<FetchedWhole, Error> {
    fetch_whole_into(origin, key, conditions, max_bytes, total, |_| ready(Ok(()))).await
}

/// Reads a whole object of at most `max_bytes` within `total`. Before the first byte is kept, `room` is asked for the
/// length that the store has announced, or for `max_bytes` where it has not; what it gives is held by the bytes, and goes
/// with the last copy of them.
///
/// # Errors
///
/// [`Kind::SourceBytes`] for an object that is larger, before its first byte where the store announces the length;
/// [`Kind::OriginShort`] if the store ended early; [`Kind::OriginTimeout`]; those of [`Origin::get`] and of `room`.
pub async fn fetch_whole_into<R: Room, F: Future<Output = Result<R, Error>>>(
    origin: &dyn Origin,
    key: &ObjectKey,
    conditions: &Conditions,
    max_bytes: u64,
    total: Duration,
    room: impl FnOnce(u64) -> F,
) -> Result<FetchedWhole, Error> {
    let work = read(origin, key, conditions, max_bytes, room);
    tokio::time::timeout(total, work).await.unwrap_or_else(|_| {
        let message = format!("the original \"{}\" was not there within {total:?}", key.canonical());
        Err(Error::new(Kind::OriginTimeout, message))
    })
}

/// A smaller piece may be a corner of a reader's buffer of a few hundred KiB, which it would hold: it is copied.
const WORTH_KEEPING: usize = 256 << 10;

/// Bytes and the room that they take.
struct Held<R> {
    bytes: BytesMut,
    _room: R,
}

impl<R> AsRef<[u8]> for Held<R> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

async fn read<R: Room, F: Future<Output = Result<R, Error>>>(
    origin: &dyn Origin,
    key: &ObjectKey,
    conditions: &Conditions,
    max_bytes: u64,
    room: impl FnOnce(u64) -> F,
) -> Result<FetchedWhole, Error> {
    let (mut meta, mut body) = match origin.get(key, None, conditions).await? {
        Fetched::Unchanged => return Ok(FetchedWhole::Unchanged),
        Fetched::Object { meta, part: None, body } => (meta, body),
        Fetched::Object { part: Some(_), .. } => {
            return Err(Error::new(Kind::OriginFailed, "the store answered with a part where the whole was asked for"));
        }
    };
    let too_large = |length: u64| {
        let message = format!("the original has {length} bytes or more; this site takes {max_bytes}");
        Error::new(Kind::SourceBytes, message)
    };
    if let Some(length) = meta.length.filter(|length| *length > max_bytes) {
        return Err(too_large(length));
    }
    let mut room = room(meta.length.unwrap_or(max_bytes)).await?;
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        let length = size(bytes.len()).saturating_add(size(chunk.len()));
        if length > max_bytes {
            return Err(too_large(length));
        }
        if bytes.is_empty() && meta.length == Some(length) && chunk.len() >= WORTH_KEEPING {
            // It came in one piece: nothing to copy. The body still has to end well.
            bytes = chunk.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&*shared));
            continue;
        }
        if bytes.is_empty() {
            // Announced and within the limit: allocated once.
            bytes.reserve(meta.length.and_then(|length| usize::try_from(length).ok()).unwrap_or_default());
        }
        bytes.extend_from_slice(&chunk);
    }
    let length = size(bytes.len());
    match meta.length {
        Some(announced) if announced != length => {
            let message = format!("the original ended after {length} bytes of {announced}");
            Err(Error::new(Kind::OriginShort, message))
        }
        Some(_) | None => {
            meta.length = Some(length);
            room.shrink(size(bytes.capacity()));
            Ok(FetchedWhole::Object { meta, bytes: Bytes::from_owner(Held { bytes, _room: room }) })
        }
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
