//! Originals: from memory while they are fresh, revalidated when they are not, fetched once for all who wait.

use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::{CacheStatus, Failure, Forward, Question, Shield};
use crate::cache::{Epoch, Known, ObjectId, Original, Tags};
use crate::clock::Timestamp;
use crate::digest::truncated;
use crate::error::{Error, Kind};
use crate::origin::{self, FetchedWhole, Meta, ReadConditions};

/// The object, the last purge that may mean it, and the version that the fetch is conditional on, by its entity tag.
pub(super) type FetchKey = (ObjectId, Epoch, Option<(Arc<str>, u128)>);

/// What a fetch brought.
#[derive(Debug, Clone)]
pub(super) enum Fetch {
    /// The origin says that the object is what it was.
    Unchanged(Known),
    /// The bytes.
    Whole(Arc<Original>),
}

/// Why it brought nothing.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    error: Error,
    /// It is remembered.
    stored: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, stored: false }
    }
}

/// What the origin was asked on the way, and said.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct OriginCheck {
    /// It was asked.
    pub asked: bool,
    /// Something lay in memory and was too old.
    pub stale: bool,
    /// It said that this is still right.
    pub validated: bool,
    /// When it was last asked, now or before.
    pub checked: Option<Timestamp>,
}

impl OriginCheck {
    /// What is to be said where both count. Something that is not known to be still right makes the whole so.
    pub fn and(self, other: Self) -> Self {
        let right = |said: Self| said.validated || !said.asked;
        let asked = self.asked || other.asked;
        Self {
            asked,
            stale: self.stale || other.stale,
            validated: asked && right(self) && right(other),
            checked: self.checked.into_iter().chain(other.checked).min(),
        }
    }

    /// The story of an error that came up after this.
    pub fn before(self, status: CacheStatus) -> CacheStatus {
        match status {
            CacheStatus::Hit if self.asked => self.worked(false),
            CacheStatus::Forward(how) => CacheStatus::Forward(Forward { stale: how.stale || self.stale, ..how }),
            other => other,
        }
    }

    /// The story of work that was done after this.
    pub fn worked(self, stored: bool) -> CacheStatus {
        let Self { stale, validated, .. } = self;
        CacheStatus::Forward(Forward { stale, validated, worked: true, stored, ..Forward::default() })
    }

    /// The story of what a tier had.
    pub fn found_in(self, tier: &'static str, stored: bool) -> CacheStatus {
        match self.found() {
            CacheStatus::Forward(how) => CacheStatus::Forward(Forward { stored, tier: Some(tier), ..how }),
            _ => CacheStatus::Tier(tier),
        }
    }

    /// The story of what was there.
    pub fn found(self) -> CacheStatus {
        let Self { asked, stale, validated, .. } = self;
        match asked {
            true => CacheStatus::Forward(Forward { stale, validated, ..Forward::default() }),
            false => CacheStatus::Hit,
        }
    }
}

impl Shield {
    /// The original as it is now. `without_bytes` tells of a version whether its bytes are not needed (because the
    /// variant is there already).
    ///
    /// # Errors
    /// What the origin answered; remembered for as long as its kind says.
    pub(super) async fn original(
        self: &Arc<Self>,
        question: &Question,
        without_bytes: impl Fn(&Known) -> bool,
    ) -> Result<(Fetch, OriginCheck), Failure> {
        let object = &question.object;
        let (now, fresh) = (self.cache.clock.now(), question.site.cache.fresh);
        let known = self.cache.known(object);
        let held =
            self.cache.original(object).filter(|held| known.as_ref().is_none_or(|k| k.version == held.known.version));
        let known = known.or_else(|| held.as_ref().map(|held| held.known.clone()));
        if let Some(known) = known.as_ref().filter(|known| known.is_fresh(fresh, now)) {
            let said = OriginCheck { checked: Some(known.checked), ..OriginCheck::default() };
            if let Some(held) = &held {
                return Ok((Fetch::Whole(held.clone()), said));
            }
            if without_bytes(known) {
                return Ok((Fetch::Unchanged(known.clone()), said));
            }
        }
        if let Some(error) = self.cache.object_error(object, now) {
            return Err(Failure { error, status: CacheStatus::Hit });
        }
        // What is fresh is fetched where only its bytes have been forgotten.
        let stale = known.as_ref().is_some_and(|known| !known.is_fresh(fresh, now));
        let said = OriginCheck { asked: true, stale, ..OriginCheck::default() };
        let refused = |Failed { error, stored }| Failure { error, status: said.worked(stored) };
        let known = known.filter(|known| held.is_some() || without_bytes(known));
        let (fetched, said) = match self.fetch(question, known).await.map_err(refused)? {
            Fetch::Unchanged(known) if without_bytes(&known) => {
                (Fetch::Unchanged(known), OriginCheck { validated: true, ..said })
            }
            Fetch::Unchanged(known) => {
                match self.cache.original(object).filter(|held| held.known.version == known.version) {
                    Some(held) => (Fetch::Whole(held), OriginCheck { validated: true, ..said }),
                    // Evicted meanwhile.
                    None => (self.fetch(question, None).await.map_err(refused)?, said),
                }
            }
            whole @ Fetch::Whole(_) => (whole, said),
        };
        Ok((fetched, OriginCheck { checked: Some(self.cache.clock.now()), ..said }))
    }

    /// Asks the origin, once for all who want to know the same. Of a `known` version it is only asked whether it still is
    /// the one; where the origin names none, it cannot be asked that.
    async fn fetch(self: &Arc<Self>, question: &Question, known: Option<Known>) -> Result<Fetch, Failed> {
        let known = known.and_then(|known| known.etag.clone().map(|etag| (etag, known)));
        let named = known.as_ref().map(|(etag, known)| (etag.clone(), known.version));
        let key = (question.object.clone(), self.cache.epochs.concerning(&question.object), named);
        let (shield, question) = (self.clone(), question.clone());
        self.fetches
            .join(&self.runtime, key, || async move {
                // What a write or purge does from here on is not in what the origin says.
                let begun = shield.cache.epochs.now();
                shield.ask_origin(&question, begun, known).await.map_err(|error| Failed {
                    stored: shield.cache.keep_object_error(&question.object, begun, &error),
                    error,
                })
            })
            .await
    }

    async fn ask_origin(
        &self,
        question: &Question,
        begun: Epoch,
        known: Option<(Arc<str>, Known)>,
    ) -> Result<Fetch, Error> {
        let started = Instant::now();
        let site = &question.site;
        let fetched = match self.permits.fetch().await {
            Ok(_place) => self.read_whole(question, known.as_ref().map(|(etag, _)| &**etag)).await,
            Err(full) => Err(full),
        };
        self.metrics.fetched(&site.name, started.elapsed(), fetched.as_ref().err().map(|error| error.kind));
        match (fetched?, known) {
            (FetchedWhole::Unchanged, None) => {
                Err(Error::new(Kind::OriginFailed, "the origin answered 304 to a request without a condition"))
            }
            (FetchedWhole::Unchanged, Some((_, known))) => {
                let known = Known { checked: self.cache.clock.now(), epoch: begun, ..known };
                self.cache.keep_known(question.object.clone(), known.clone());
                Ok(Fetch::Unchanged(known))
            }
            (FetchedWhole::Object { meta, bytes, digest, lasts }, _) => {
                self.metrics.bytes_in(&site.name, bytes.len() as u64);
                // What has just come is judged by the age of its last change.
                let now = self.cache.clock.now();
                let settled = settled(&meta, now.system());
                let known = Known {
                    // A version is what its bytes are. The origin's validators only tell whether it still is the current
                    // one: a time is good to the second, and a tag may be weak, or made of such a time by a server that
                    // does not say so.
                    version: truncated(&digest),
                    // Many servers make tags of such times, weak ones and some that they call strong.
                    etag: meta.etag.as_deref().filter(|_| settled).map(Arc::from),
                    last_modified: meta.last_modified.filter(|_| settled),
                    tags: Tags::of(&site.name, meta.surrogate_keys.as_deref(), meta.cache_tags.as_deref()),
                    checked: now,
                    epoch: begun,
                };
                let original = Arc::new(Original { bytes, digest, known: known.clone(), header: OnceLock::new() });
                self.cache.keep_known(question.object.clone(), known);
                if lasts {
                    self.cache.keep_original(question.object.clone(), original.clone());
                }
                Ok(Fetch::Whole(original))
            }
        }
    }

    /// The bytes, in room of their own; see [`super::permits`].
    async fn read_whole(&self, question: &Question, tag: Option<&str>) -> Result<FetchedWhole, Error> {
        let origin = &question.site.origin;
        let conditions = ReadConditions {
            if_none_match: tag.map(str::to_owned),
            version: question.object.version_id.as_deref().map(str::to_owned),
            ..ReadConditions::default()
        };
        let limit = question.site.limits.source_bytes;
        let room = async |bytes| match self.permits.room_at_once(bytes) {
            Err(_) => {
                let _narrowed = self.permits.cached_beside(bytes).map(|most| self.cache.narrow_originals(most));
                self.permits.room(bytes).await
            }
            room => room,
        };
        let read =
            || origin::fetch_whole_into(&**origin, &question.key, &conditions, limit, origin.total_timeout(), room);
        if origin.upstream().is_some() {
            return read().await;
        }
        // A file can be written to while it is read, which costs nothing but another look.
        for _ in 0..LOOKS {
            match read().await {
                Err(error) if error.kind == Kind::OriginShort => {}
                done => return done,
            }
        }
        Err(Error::busy("the original is being written to; come back when it is whole", 1))
    }
}

/// How often a file is read that does not keep still.
const LOOKS: usize = 3;

/// Whether the object's time of change, and a tag that may be made of it, names these bytes alone (RFC 9110, 8.8.2.2): what was read in the very second of a
/// change may be changed again in it. By the origin's clock where it says what that shows.
fn settled(meta: &Meta, now: SystemTime) -> bool {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    meta.last_modified.is_none_or(|time| seconds(meta.date.unwrap_or(now)) > seconds(time))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_was_said_of_several_is_what_holds_for_all() {
        let (now, later) = (Timestamp::at(Duration::ZERO), Timestamp::at(Duration::from_secs(1)));
        let fresh = OriginCheck { checked: Some(now), ..OriginCheck::default() };
        let same = OriginCheck { asked: true, stale: true, validated: true, checked: Some(later) };
        let other = OriginCheck { validated: false, ..same };
        assert!(same.and(fresh).validated && fresh.and(same).validated && same.and(same).validated);
        assert!(!same.and(other).validated && !other.and(same).validated && !fresh.and(fresh).validated);
        assert_eq!((same.and(fresh).checked, OriginCheck::default().and(same).checked), (Some(now), same.checked));
        let forward = Forward::default();
        let stale = CacheStatus::Forward(Forward { stale: true, ..forward });
        assert_eq!((fresh.and(fresh).found(), fresh.and(other).found()), (CacheStatus::Hit, stale));
        // An error that was remembered, after the origin was asked about something else.
        assert_eq!(fresh.before(CacheStatus::Hit), CacheStatus::Hit);
        assert_eq!(other.before(CacheStatus::Hit), other.worked(false));
        let failed = CacheStatus::Forward(Forward { worked: true, stored: true, ..forward });
        assert_eq!(other.before(failed), other.worked(true));
    }

    #[test]
    fn a_time_counts_once_its_second_is_over() {
        let at = |millis| UNIX_EPOCH + Duration::from_millis(millis);
        let meta = |modified, date| Meta { last_modified: modified, date, ..Meta::default() };
        assert!(!settled(&meta(Some(at(5_200)), None), at(5_900)));
        assert!(settled(&meta(Some(at(5_900)), None), at(6_000)));
        assert!(!settled(&meta(Some(at(9_000)), None), at(6_000)), "a clock that is ahead");
        // The origin's clock counts, not ours.
        assert!(!settled(&meta(Some(at(5_000)), Some(at(5_000))), at(90_000)));
        assert!(settled(&meta(Some(at(5_000)), Some(at(6_000))), at(4_000)));
        assert!(settled(&meta(None, None), at(0)));
    }
}
