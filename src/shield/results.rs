//! Room for results. The cache bounds what it holds; what it lets go stays in memory for as long as a client takes to read it.
//! So every result has a permit, which goes with the last copy of its bytes: the cache and all who are sent it share one.
//! What is cached and what is still being sent are bound together, and a hit costs nothing for it.
//!
//! Where little room is left, who is sent results has to take them faster (`http/front`); where none is left, what is not in
//! the cache is refused for a moment.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// What is counted in. Rounding up takes less than an entry of the cache weighs beside its bytes, so that what fits into the
/// cache always has room.
const UNIT: u64 = 512;
/// What the semaphore can count, on any machine: 256 GiB.
const MOST_UNITS: u32 = 1 << 29;
/// Room is tight when less than one of so many parts of what may be sent is left.
const TIGHT: u32 = 2;
/// When who was refused may come again, in seconds: slow readers have been cut off by then.
const AGAIN: u32 = 5;

/// All the room there is.
#[derive(Debug)]
pub struct Results {
    all: Arc<Semaphore>,
    units: u32,
    /// What one result takes at most: the cache can always be left as it is.
    most: u32,
}

/// Bytes and the room that they take.
struct Held {
    bytes: Bytes,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Results {
    /// Room for `cached` bytes of results in the cache, and `sending` that it has let go.
    pub fn new(cached: u64, sending: u64) -> Self {
        let (units, most) = (units(cached.saturating_add(sending)), units(sending));
        Self { all: Arc::new(Semaphore::new(units as usize)), units, most }
    }

    /// Gives a result room. One that is larger than all that may be sent takes all of that and goes alone.
    ///
    /// # Errors
    /// [`Busy`](crate::error::Kind::Busy) where there is none.
    pub fn hold(&self, bytes: Bytes) -> Result<Bytes, Error> {
        if bytes.is_empty() {
            return Ok(bytes);
        }
        let wanted = units(bytes.len() as u64).min(self.most);
        let room = self.all.clone().try_acquire_many_owned(wanted).map_err(|_| full())?;
        Ok(Bytes::from_owner(Held { bytes, _room: room }))
    }

    /// Whether there is any room, before a result is made.
    ///
    /// # Errors
    /// [`Busy`](crate::error::Kind::Busy).
    pub fn check(&self) -> Result<(), Error> {
        if self.all.available_permits() == 0 { Err(full()) } else { Ok(()) }
    }

    /// Whether little room is left.
    pub fn tight(&self) -> bool {
        self.all.available_permits() < (self.most / TIGHT) as usize
    }

    /// Bytes that are taken now.
    pub fn taken(&self) -> u64 {
        u64::from(self.units).saturating_sub(self.all.available_permits() as u64).saturating_mul(UNIT)
    }
}

fn full() -> Error {
    Error::busy("more results are being sent than there is memory for; come back a little later", AGAIN)
}

/// Units that hold so many bytes; at least one.
fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, MOST_UNITS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    fn bytes(length: usize) -> Bytes {
        vec![7; length].into()
    }

    #[test]
    fn room_goes_with_the_last_copy() {
        let results = Results::new(4 << 10, 8 << 10);
        let first = results.hold(bytes(7 << 10)).unwrap();
        assert_eq!((results.taken(), results.tight()), (7 << 10, false));
        let second = results.hold(bytes(2 << 10)).unwrap();
        assert_eq!((results.taken(), results.tight()), (9 << 10, true));
        drop(second);
        let refused = results.hold(bytes(6 << 10)).unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (Kind::Busy, Some(AGAIN)));
        let part = first.slice(5..6);
        drop(first);
        assert_eq!((results.taken(), part[0]), (7 << 10, 7), "somebody is still sent a part of it");
        drop(part);
        assert_eq!((results.taken(), results.tight()), (0, false));
        results.hold(bytes(4 << 10)).unwrap();
    }

    #[test]
    fn what_is_larger_than_all_the_room_goes_alone() {
        let results = Results::new(0, 1 << 10);
        let alone = results.hold(bytes(1 << 20)).unwrap();
        assert!(results.tight() && results.check().is_err() && results.hold(bytes(1)).is_err());
        assert!(results.hold(Bytes::new()).is_ok(), "facts take none");
        drop(alone);
        results.check().unwrap();
        // What is cached is not in its way.
        let results = Results::new(4 << 10, 2 << 10);
        let _cached = results.hold(bytes(2 << 10)).unwrap();
        let _more = results.hold(bytes(2 << 10)).unwrap();
        results.hold(bytes(1 << 20)).unwrap();
    }

    #[test]
    fn sizes_beyond_all_numbers_are_counted() {
        Results::new(u64::MAX, u64::MAX).hold(bytes(1)).unwrap();
        Results::new(0, 0).hold(bytes(1 << 20)).unwrap();
    }
}
