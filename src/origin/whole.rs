//! The whole original, for conversion: complete, not too large, in time, or an error.

use std::future::{Future, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use sha2::{Digest, Sha256};

use super::{Fetched, Meta, ObjectKey, Origin, ReadConditions};
use crate::error::{Error, Kind};

/// The answer of [`fetch_whole`].
// There is one of it for each read, and it is taken apart at once.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::large_enum_variant)]
pub enum FetchedWhole {
    /// The conditions say that the caller has it already.
    Unchanged,
    /// All of it. `meta.length` is the number of bytes.
    Object {
        /// What the store says.
        meta: Meta,
        /// The object's bytes. They hold no memory beyond their length.
        bytes: Bytes,
        /// SHA-256 of them.
        digest: [u8; 32],
        /// Whether their room is theirs for as long as anybody likes; see [`Room::lasts`].
        lasts: bool,
    },
}

/// Room in memory that bytes take for as long as they are there.
pub trait Room: Send + 'static {
    /// They are whole, and no more than this: what was taken beyond it is given back.
    fn shrink(&mut self, bytes: u64);

    /// Whether they may lie there when nobody works with them any more. Asked when they are whole.
    fn lasts(&self) -> bool;
}

impl Room for () {
    fn shrink(&mut self, _: u64) {}

    fn lasts(&self) -> bool {
        true
    }
}

/// Reads a whole object of at most `max_bytes` within `total`, whatever memory it takes.
///
/// # Errors
///
/// As [`fetch_whole_into`].
pub async fn fetch_whole(
    origin: &dyn Origin,
    key: &ObjectKey,
    conditions: &ReadConditions,
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
    conditions: &ReadConditions,
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

/// Bytes and the room that they take.
struct Held<R> {
    bytes: Vec<u8>,
    _room: R,
}

impl<R> AsRef<[u8]> for Held<R> {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

/// Puts complete bytes together with the permit for their memory, both shrunk to the size that is needed. The flag says
/// whether the permit may be held for long, so that the bytes may be cached.
pub(crate) fn settle<R: Room>(mut bytes: Vec<u8>, mut room: R) -> (Bytes, bool) {
    bytes.shrink_to_fit();
    room.shrink(size(bytes.capacity()));
    let lasts = room.lasts();
    (Bytes::from_owner(Held { bytes, _room: room }), lasts)
}

/// Bytes as they come, and their digest.
struct Coming {
    bytes: Vec<u8>,
    digest: Sha256,
    /// Since others on this thread had a turn.
    busy: usize,
}

/// So much is taken in and hashed before others have a turn: less than a millisecond.
const TURN: usize = 512 << 10;

impl Coming {
    /// Takes a piece in. There will be `most` bytes at most, and room is for no more.
    async fn take(&mut self, piece: &[u8], most: u64) {
        let (least, doubled) = (self.bytes.len().saturating_add(piece.len()), self.bytes.capacity().saturating_mul(2));
        if least > self.bytes.capacity() {
            let wanted = least.max(doubled.min(usize::try_from(most).unwrap_or(usize::MAX)));
            self.bytes.reserve_exact(wanted - self.bytes.len());
        }
        for part in piece.chunks(TURN) {
            self.bytes.extend_from_slice(part);
            self.digest.update(part);
            self.busy += part.len();
            if self.busy >= TURN {
                self.busy = 0;
                tokio::task::yield_now().await;
            }
        }
    }
}

async fn read<R: Room, F: Future<Output = Result<R, Error>>>(
    origin: &dyn Origin,
    key: &ObjectKey,
    conditions: &ReadConditions,
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
    let room = room(meta.length.unwrap_or(max_bytes)).await?;
    // Announced and within the limit: allocated once.
    let announced = meta.length.and_then(|length| usize::try_from(length).ok()).unwrap_or_default();
    let mut coming = Coming { bytes: Vec::with_capacity(announced), digest: Sha256::new(), busy: 0 };
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        let length = size(coming.bytes.len()).saturating_add(size(chunk.len()));
        if length > max_bytes {
            return Err(too_large(length));
        }
        if let Some(announced) = meta.length.filter(|announced| length > *announced) {
            let message = format!("the original went on after the {announced} bytes that it was to have");
            return Err(Error::new(Kind::OriginFailed, message));
        }
        coming.take(&chunk, meta.length.unwrap_or(max_bytes)).await;
    }
    let length = size(coming.bytes.len());
    match meta.length {
        Some(announced) if announced != length => {
            let message = format!("the original ended after {length} bytes of {announced}");
            Err(Error::new(Kind::OriginShort, message))
        }
        Some(_) | None => {
            meta.length = Some(length);
            let (bytes, lasts) = settle(coming.bytes, room);
            Ok(FetchedWhole::Object { meta, bytes, digest: coming.digest.finalize().into(), lasts })
        }
    }
}

fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
