//! Room for originals: every byte of one that is fetched, waits, is converted or lies in the cache has a permit. The
//! memory that they take together is bounded by the configuration, whatever clients ask for.
//!
//! A permit belongs to the bytes ([`Permits::room`] hands it to them) and goes with their last copy: the cache, a job in
//! the engine's queue and a mark that somebody else uses at the same time share one. The bound is therefore what the
//! cache may hold plus what may be on its way. Entries of the cache weigh at least their permits, so that all of them
//! together leave what may be on its way to those who are.
//!
//! Small originals have a part of their own besides. Large ones never take of it, and nothing lies in the cache with a
//! permit of it: a small one waits for others only when small ones that are on their way have all of it.
//!
//! Nobody can wait for ever, and no two for each other: a fetch takes its room once, for the whole length that the store
//! has announced (the site's limit where it has not), and waits for it no longer than the configuration says. What is
//! larger than may be on its way gets some of the cache's room, which holds less for so long ([`Permits::cached_beside`]);
//! what is larger than all there is takes all of it and goes alone. Flights and fetches themselves have places, so that
//! their tables are bounded too.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use crate::cache::GRAIN;
use crate::error::{Error, Kind};
use crate::origin::Room;

/// What is counted in: bytes would not fit the semaphore's numbers.
const UNIT: u64 = GRAIN;
/// What may be on its way is divided into so many parts. One is for flights, one for fetches that have no bytes yet, and one
/// is kept for small originals: a flood of large ones does not stop everybody else.
const PARTS: u64 = 8;
/// An original is small if so many of its size fit into the part that is kept for such.
const SMALL: u64 = 8;
/// Of the fetches at most one of so many waits for room with an answer in its hands; who comes later is refused at once.
const WAITING: u64 = 4;
/// The least that a part allows, in flights or fetches.
const LEAST: u64 = 16;

/// What a flight takes: its task, its texts, its place in the tables.
const FLIGHT: u64 = 16 << 10;
/// What a fetch takes beside its bytes: a connection with its buffers.
const FETCH: u64 = 48 << 10;

/// All the room there is.
#[derive(Debug)]
pub struct Permits {
    flights: Arc<Semaphore>,
    fetches: Arc<Semaphore>,
    /// Fetches that wait for room.
    waiting: Arc<Semaphore>,
    /// Bytes of originals.
    common: Arc<Semaphore>,
    /// Bytes of small ones.
    reserve: Arc<Semaphore>,
    common_units: u32,
    reserve_units: u32,
    /// What the cache may hold of the common ones.
    cached_units: u32,
    /// Bytes of the largest small original.
    small: u64,
    patience: Duration,
}

/// Room for some bytes, given back when it is dropped.
#[derive(Debug)]
pub struct Permit {
    held: OwnedSemaphorePermit,
    /// Where it is to be taken from instead, if it is of the part for small ones.
    instead: Option<Arc<Semaphore>>,
}

impl Permits {
    /// Room for `cached` bytes of originals in the cache and `in_flight` on their way. Who finds none waits for `patience`.
    pub fn new(cached: u64, in_flight: u64, patience: Duration) -> Self {
        let part = in_flight / PARTS;
        let reserve_units = u32::try_from(part / UNIT).unwrap_or(MOST_UNITS).min(MOST_UNITS / 2);
        let cached_units = u32::try_from(cached / UNIT).unwrap_or(MOST_UNITS).min(MOST_UNITS / 2);
        let on_their_way = units(in_flight.saturating_sub(3 * part)).min(MOST_UNITS / 2);
        let common_units = cached_units + on_their_way;
        let many = |number: u64| {
            let number = number.min(u64::from(MOST_UNITS)) as usize;
            Arc::new(Semaphore::new(number))
        };
        let fetches = (part / FETCH).max(LEAST);
        Self {
            flights: many((part / FLIGHT).max(LEAST)),
            fetches: many(fetches),
            waiting: many(fetches / WAITING),
            common: many(common_units.into()),
            reserve: many(reserve_units.into()),
            common_units,
            reserve_units,
            cached_units,
            small: part / SMALL,
            patience,
        }
    }

    /// A place for one more flight whose texts have so many bytes, at once or not at all.
    ///
    /// # Errors
    /// [`Kind::Busy`].
    pub fn flight(&self, texts: usize) -> Result<OwnedSemaphorePermit, Error> {
        let places = (texts as u64 / FLIGHT).saturating_add(1).min(LEAST);
        let taken = self.flights.clone().try_acquire_many_owned(places as u32);
        taken.map_err(|_| self.refusal("more is being worked on than there is memory for; come back a little later"))
    }

    /// A place for one more fetch. Waits a while where there is none.
    ///
    /// # Errors
    /// [`Kind::Busy`].
    pub async fn fetch(&self) -> Result<OwnedSemaphorePermit, Error> {
        match tokio::time::timeout(self.patience, self.fetches.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(self.full()),
        }
    }

    /// Room for the bytes of an original, at once or not at all.
    ///
    /// # Errors
    /// [`Kind::Busy`].
    pub fn room_at_once(&self, bytes: u64) -> Result<Permit, Error> {
        let units = self.units_of(bytes);
        if let Ok(held) = self.common.clone().try_acquire_many_owned(units) {
            return Ok(Permit { held, instead: None });
        }
        match bytes <= self.small {
            true => self.reserve.clone().try_acquire_many_owned(units).map(|held| self.reserved(held)),
            false => Err(TryAcquireError::NoPermits),
        }
        .map_err(|_| self.full())
    }

    /// Room for the bytes of an original. Waits a while where there is none, unless too many wait already.
    ///
    /// # Errors
    /// [`Kind::Busy`].
    pub async fn room(&self, bytes: u64) -> Result<Permit, Error> {
        if let Ok(permit) = self.room_at_once(bytes) {
            return Ok(permit);
        }
        let _waiting = self.waiting.clone().try_acquire_owned().map_err(|_| self.full())?;
        let units = self.units_of(bytes);
        // A small one stands in both lines.
        let take = async {
            let common = self.common.clone().acquire_many_owned(units);
            let reserve = self.reserve.clone().acquire_many_owned(units);
            tokio::select! {
                held = common => held.map(|held| Permit { held, instead: None }),
                held = reserve, if bytes <= self.small => held.map(|held| self.reserved(held)),
            }
        };
        match tokio::time::timeout(self.patience, take).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(closed()),
            Err(_) => Err(self.full()),
        }
    }

    /// How much the cache may hold while so many bytes wait for room. `None`: as much as ever.
    pub fn cached_beside(&self, bytes: u64) -> Option<u64> {
        let left = self.common_units - self.units_of(bytes);
        (left < self.cached_units).then_some(u64::from(left) * UNIT)
    }

    /// Bytes that are taken now.
    pub fn taken(&self) -> u64 {
        let free = self.common.available_permits().saturating_add(self.reserve.available_permits()) as u64;
        u64::from(self.common_units + self.reserve_units).saturating_sub(free).saturating_mul(UNIT)
    }

    /// What an original takes. None takes more than there is.
    fn units_of(&self, bytes: u64) -> u32 {
        units(bytes).min(self.common_units)
    }

    fn reserved(&self, held: OwnedSemaphorePermit) -> Permit {
        Permit { held, instead: Some(self.common.clone()) }
    }

    fn full(&self) -> Error {
        self.refusal("more originals are on their way than there is memory for; come back a little later")
    }

    fn refusal(&self, message: &str) -> Error {
        let after = u32::try_from(self.patience.as_secs()).unwrap_or(u32::MAX).clamp(1, 60);
        Error::busy(message, after)
    }
}

fn closed() -> Error {
    Error::new(Kind::Internal, "the semaphore that bounds originals in memory was closed")
}

impl Room for Permit {
    fn shrink(&mut self, bytes: u64) {
        let beyond = self.held.num_permits().saturating_sub(units(bytes) as usize);
        drop(self.held.split(beyond));
        // The part for small ones is left to those who come, if that can be.
        let units = u32::try_from(self.held.num_permits()).unwrap_or(MOST_UNITS);
        let other = self.instead.as_ref().and_then(|common| common.clone().try_acquire_many_owned(units).ok());
        if let Some(other) = other {
            (self.held, self.instead) = (other, None);
        }
    }

    fn lasts(&self) -> bool {
        self.instead.is_none()
    }
}

/// Units that hold so many bytes; at least one.
fn units(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).clamp(1, MOST_UNITS)
}

/// What the semaphore can count, on any machine: 512 GiB.
const MOST_UNITS: u32 = 1 << 29;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::cache::{Cache, Epoch, Known, ObjectId, Original, Tags};
    use crate::clock::Timestamp;
    use crate::config::CacheConfig;

    const MIB: u64 = 1 << 20;

    fn permits(in_flight: u64) -> Permits {
        Permits::new(0, in_flight, Duration::from_secs(3))
    }

    #[tokio::test(start_paused = true)]
    async fn what_finds_no_room_waits_and_is_refused() {
        let permits = permits(16 * MIB);
        let first = permits.room(8 * MIB).await.unwrap();
        let refused = permits.room(8 * MIB).await.unwrap_err();
        assert_eq!((refused.kind, refused.retry_after), (Kind::Busy, Some(3)));
        // Who waits gets what is given back.
        let (second, ()) = tokio::join!(permits.room(8 * MIB), async { drop(first) });
        assert_eq!(permits.taken(), 8 * MIB);
        drop(second);
        assert_eq!(permits.taken(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_is_larger_than_everything_goes_alone() {
        let permits = permits(8 * MIB);
        let alone = permits.room(100 * MIB).await.unwrap();
        assert_eq!(permits.room(100 * MIB).await.unwrap_err().kind, Kind::Busy);
        drop(alone);
        permits.room(100 * MIB).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_large_ones_leaves_room_for_small_ones() {
        let permits = permits(64 * MIB);
        let mut held = Vec::new();
        while let Ok(permit) = permits.room_at_once(4 * MIB) {
            held.push(permit);
        }
        assert_eq!(held.len(), 10, "five eighths");
        for _ in 0..8 {
            held.push(permits.room(MIB).await.unwrap());
        }
        assert!(permits.room(MIB).await.is_err());
        assert_eq!(permits.taken(), 48 * MIB);
    }

    /// A flood does not stand at the door either: a few wait with their connections, the rest is told at once.
    #[tokio::test(start_paused = true)]
    async fn few_wait_for_room() {
        let permits = Arc::new(permits(64 * MIB));
        let _all = permits.room(100 * MIB).await.unwrap();
        let began = tokio::time::Instant::now();
        let tasks: Vec<_> = (0..1000)
            .map(|_| {
                let permits = permits.clone();
                tokio::spawn(async move {
                    permits.room(4 * MIB).await.unwrap_err();
                    began.elapsed()
                })
            })
            .collect();
        let mut waited = 0;
        for task in tasks {
            waited += usize::from(task.await.unwrap() >= Duration::from_secs(3));
        }
        assert_eq!(waited as u64, 8 * MIB / FETCH / WAITING);
    }

    #[tokio::test(start_paused = true)]
    async fn flights_and_fetches_have_places() {
        let permits = permits(8 * MIB);
        let mut flights = Vec::new();
        while let Ok(flight) = permits.flight(100) {
            flights.push(flight);
        }
        assert_eq!(flights.len() as u64, MIB / FLIGHT);
        flights.clear();
        let _heavy = permits.flight(40 << 10).unwrap();
        assert_eq!(permits.flights.available_permits() as u64, MIB / FLIGHT - 3);
        assert!(permits.flight(usize::MAX).is_ok(), "as heavy as can be counted");
        let mut fetches = Vec::new();
        while let Ok(fetch) = permits.fetch().await {
            fetches.push(fetch);
        }
        assert_eq!(fetches.len() as u64, MIB / FETCH);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_announced_too_large_is_given_back() {
        let permits = permits(32 * MIB);
        let mut unknown = permits.room(20 * MIB).await.unwrap();
        unknown.shrink(MIB);
        assert_eq!(permits.taken(), MIB);
        unknown.shrink(5 * MIB);
        assert_eq!(permits.taken(), MIB, "never more than was taken");
        permits.room(19 * MIB).await.unwrap();
    }

    /// Two of them that are each larger than half, and marks that are held while an original is waited for: with any mix
    /// of sizes, everybody is served or refused within the patience, and in the end nothing is taken.
    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        for seed in 0..20_u64 {
            let permits = Arc::new(Permits::new(4 * MIB, 16 * MIB, Duration::from_secs(1)));
            let tasks: Vec<_> = (0..200_u64)
                .map(|number| {
                    let permits = permits.clone();
                    tokio::spawn(async move {
                        let size = (number * 7_919 + seed * 104_729) % (24 * MIB);
                        let began = tokio::time::Instant::now();
                        let Ok(_fetch) = permits.fetch().await else { return 0 };
                        let Ok(mark) = permits.room(size / 2).await else { return 0 };
                        let original = permits.room(size).await;
                        assert!(began.elapsed() <= Duration::from_millis(3_100));
                        let Ok(original) = original else { return 0 };
                        assert!(permits.taken() <= 20 * MIB);
                        tokio::time::sleep(Duration::from_millis(size % 50)).await;
                        drop((mark, original));
                        1
                    })
                })
                .collect();
            let mut served = 0;
            for task in tasks {
                served += task.await.unwrap();
            }
            assert!(served > 0, "seed {seed}: none was served");
            assert_eq!(permits.taken(), 0);
        }
    }

    /// Large ones that wait stand in no line that a small one needs.
    #[tokio::test(start_paused = true)]
    async fn a_small_one_does_not_wait_behind_large_ones() {
        let permits = Arc::new(permits(64 * MIB));
        let held = permits.room(36 * MIB).await.unwrap();
        let large = tokio::spawn({
            let permits = permits.clone();
            async move { permits.room(10 * MIB).await }
        });
        tokio::task::yield_now().await;
        let began = tokio::time::Instant::now();
        let small: Vec<_> = (0..8).map(|_| permits.room_at_once(MIB).unwrap()).collect();
        assert!(permits.room(MIB).await.is_err(), "small ones have all of it");
        assert!(began.elapsed() >= Duration::from_secs(3));
        assert!(large.await.unwrap().is_err(), "refused in its time");
        drop((held, small));
        assert_eq!(permits.taken(), 0);
    }

    /// What finds only the part for small ones does not keep it when it is done, if there is other room by then; what has
    /// to keep it is not kept.
    #[tokio::test(start_paused = true)]
    async fn the_part_for_small_ones_is_not_kept() {
        let permits = permits(64 * MIB);
        let all = permits.room(40 * MIB).await.unwrap();
        let (mut one, mut two) = (permits.room(MIB).await.unwrap(), permits.room(MIB).await.unwrap());
        one.shrink(MIB - 5);
        assert!(!one.lasts());
        drop(all);
        two.shrink(MIB / 2);
        assert!(two.lasts());
        assert_eq!(permits.reserve.available_permits() as u64, 7 * MIB / UNIT);
        assert_eq!(permits.taken(), MIB + MIB / 2);
        drop((one, two));
        assert_eq!(permits.taken(), 0);
    }

    /// Bytes as a fetch leaves them: with more room than they need, and a buffer that has grown.
    fn fetched(permits: &Permits, object: u64, bytes: u64, asked: u64) -> Option<(ObjectId, Arc<Original>)> {
        let room = permits.room_at_once(asked).ok()?;
        let mut buffer = Vec::with_capacity(asked as usize);
        buffer.resize(bytes as usize, 0);
        let (bytes, lasts) = crate::origin::settle(buffer, room);
        assert!(lasts);
        let known = Known {
            version: 0,
            etag: None,
            last_modified: None,
            tags: Tags::default(),
            checked: Timestamp::now(),
            epoch: Epoch::default(),
        };
        let object = ObjectId { site: "s".into(), store: 0, key: object.to_string().into(), version_id: None };
        Some((object, Arc::new(Original { bytes, digest: [0; 32], known, header: Default::default() })))
    }

    /// Whatever the sizes, a cache that is full leaves to others what is theirs.
    #[test]
    fn the_cache_never_takes_the_room_of_those_on_their_way() {
        let cached = 16 * MIB;
        for size in [0, 1, 100, 1025, 1100, 2049, 3000, 70_001, 100_000] {
            let cache = Cache::new(&CacheConfig { originals: cached, ..CacheConfig::default() });
            let permits = Permits::new(cached, MIB, Duration::ZERO);
            for object in 0..2 * cached / (size + 640) {
                let (object, original) = fetched(&permits, object, size, 2 * size).unwrap();
                cache.keep_original(object, original);
            }
            assert!(permits.taken() <= cached, "{size}");
            assert!(permits.room_at_once(MIB * 5 / 8).is_ok(), "{size}: what may be on its way");
        }
    }

    /// What is larger than may be on its way, and not than all, is served though the cache is full.
    #[tokio::test(start_paused = true)]
    async fn a_large_one_gets_the_room_of_the_cache() {
        let cached = 16 * MIB;
        let cache = Cache::new(&CacheConfig { originals: cached, ..CacheConfig::default() });
        let permits = Permits::new(cached, MIB, Duration::from_secs(1));
        for object in 0..200 {
            let (object, original) = fetched(&permits, object, 100_000, 100_000).unwrap();
            cache.keep_original(object, original);
        }
        assert_eq!(permits.cached_beside(MIB * 5 / 8), None);
        assert!(permits.room(8 * MIB).await.is_err());
        let most = permits.cached_beside(8 * MIB).unwrap();
        assert_eq!(most, cached + MIB * 5 / 8 - 8 * MIB);
        let narrowed = cache.narrow_originals(most);
        let large = permits.room(8 * MIB).await.unwrap();
        drop(narrowed);
        assert!(permits.taken() > cached - MIB, "no more than it needed was let go");
        drop(large);
        assert_eq!(permits.cached_beside(u64::MAX), Some(0));
        let _narrowed = cache.narrow_originals(0);
        assert!(permits.room(100 * MIB).await.is_ok(), "larger than all there is: alone");
    }

    #[test]
    fn sizes_beyond_all_numbers_are_counted() {
        assert_eq!(units(0), 1);
        assert_eq!(units(u64::MAX), MOST_UNITS);
        let all = Permits::new(u64::MAX, u64::MAX, Duration::ZERO);
        assert!(all.room_at_once(u64::MAX).is_ok());
        assert!(Permits::new(0, 0, Duration::ZERO).room_at_once(MIB).is_ok(), "the least room is that of one");
    }
}
