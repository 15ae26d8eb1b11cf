//! The memory tier, weighed in bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache as Moka;

use super::entry::{ErrorKey, Remembered};
use super::originals::{Narrowed, Originals};
use super::{CacheTier, Depth, Epoch, Epochs, Known, ObjectId, Original, Scope, Tags, Variant, VariantKey, weigh};
use crate::clock::{TimeSource, Timestamp};
use crate::config::CacheConfig;
use crate::error::Error;

/// All memory caches of the process.
pub struct Cache {
    /// Whose time counts.
    pub clock: TimeSource,
    variants: Moka<VariantKey, Arc<Variant>>,
    /// How long a hurried one lives.
    pub hurried: Duration,
    originals: Originals,
    known: Moka<ObjectId, Known>,
    errors: Moka<ErrorKey, Remembered>,
    /// What writes and purges have made old.
    pub epochs: Epochs,
    /// What lies behind the memory, the fastest first. None unless they are put here.
    pub tiers: Vec<Arc<dyn CacheTier>>,
}

/// Parts of the memory for variants that are left to what is known of objects, and to errors.
const KNOWN: u64 = 8;
const ERRORS: u64 = 32;

/// What was made in a hurry is not kept for good. Whether it is given is decided where it is found; this is how long it takes
/// room.
struct ByHaste;

impl Expiry<VariantKey, Arc<Variant>> for ByHaste {
    fn expire_after_create(&self, _: &VariantKey, variant: &Arc<Variant>, _: Instant) -> Option<Duration> {
        variant.meta.provisional
    }

    fn expire_after_update(
        &self,
        _: &VariantKey,
        variant: &Arc<Variant>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        variant.meta.provisional
    }
}

/// Likewise errors, by their kind.
struct ByKind;

impl Expiry<ErrorKey, Remembered> for ByKind {
    fn expire_after_create(&self, _: &ErrorKey, kept: &Remembered, _: Instant) -> Option<Duration> {
        Some(kept.error.kind.remember())
    }

    fn expire_after_update(
        &self,
        _: &ErrorKey,
        kept: &Remembered,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        Some(kept.error.kind.remember())
    }
}

impl Cache {
    /// Empty caches of the configured sizes.
    pub fn new(config: &CacheConfig) -> Self {
        let (known, errors) = (config.memory / KNOWN, config.memory / ERRORS);
        Self {
            clock: TimeSource::default(),
            variants: Moka::builder()
                .max_capacity(Self::variants_of(config))
                .weigher(|key, variant: &Arc<Variant>| weigh::variant(key, variant))
                .expire_after(ByHaste)
                .build(),
            hurried: config.hurried,
            originals: Originals::new(config.originals),
            known: Moka::builder().max_capacity(known).weigher(weigh::known).build(),
            errors: Moka::builder().max_capacity(errors).weigher(weigh::error).expire_after(ByKind).build(),
            epochs: Epochs::default(),
            tiers: Vec::new(),
        }
    }

    /// How much of the memory is for variants.
    pub fn variants_of(config: &CacheConfig) -> u64 {
        config.memory.saturating_sub(config.memory / KNOWN + config.memory / ERRORS)
    }

    /// Parts with what the scope covers, wherever it is kept. When this returns, nothing of it is found that was begun before,
    /// be it kept later. Takes the same short time whatever there is.
    pub fn purge(&self, scope: &Scope, depth: Depth) {
        self.epochs.raise(scope, depth, self.clock.now());
    }

    /// A variant, whatever the age of what is known of its object, unless a hard purge has parted with it.
    pub fn variant(&self, key: &VariantKey, now: Timestamp) -> Option<Arc<Variant>> {
        let found = self.variants.get(key).filter(|variant| variant.meta.lasts(now))?;
        let stands = self.epochs.stands(Depth::Hard, &key.object, &found.meta.tags, found.meta.epoch);
        stands.then_some(found)
    }

    /// Keeps a variant, and says whether it is kept: a full cache does not take what is asked for less than what it has.
    pub fn keep_variant(&self, key: VariantKey, variant: Arc<Variant>) -> bool {
        self.variants.insert(key.clone(), variant);
        // That is decided later else. Next to a conversion it costs nothing.
        self.variants.run_pending_tasks();
        self.variants.contains_key(&key)
    }

    /// What is known of an object, unless a write or purge has outdated it.
    pub fn known(&self, object: &ObjectId) -> Option<Known> {
        self.known.get(object).filter(|known| self.counts(object, known))
    }

    fn counts(&self, object: &ObjectId, known: &Known) -> bool {
        self.epochs.stands(Depth::Soft, object, &known.tags, known.epoch)
    }

    /// Keeps what the origin said, in place of what it said before. What was asked before a write or purge is not kept: what
    /// has been asked since may be there already.
    pub fn keep_known(&self, object: ObjectId, known: Known) {
        if self.counts(&object, &known) {
            self.known.insert(object, known);
        }
    }

    /// An original, unless a write or purge has outdated it.
    pub fn original(&self, object: &ObjectId) -> Option<Arc<Original>> {
        self.originals.get(object).filter(|original| self.counts(object, &original.known))
    }

    /// Keeps an original, as [`Self::keep_known`] does. What the cache lets go for it is let go before this returns.
    pub fn keep_original(&self, object: ObjectId, original: Arc<Original>) {
        if self.counts(&object, &original.known) {
            self.originals.keep(object, original);
        }
    }

    /// Lets go originals beyond so many bytes, and keeps no more for as long as the guard lives.
    pub fn narrow_originals(&self, most: u64) -> Narrowed<'_> {
        self.originals.narrow(most)
    }

    /// An error that the object itself has earned not long ago.
    pub fn object_error(&self, object: &ObjectId, now: Timestamp) -> Option<Error> {
        let kept = self.errors.get(&ErrorKey::Object(object.clone())).filter(|kept| kept.lasts(now))?;
        self.epochs.stands(Depth::Soft, object, &Tags::default(), kept.epoch).then_some(kept.error)
    }

    /// Remembers an error of work that began at `epoch` for as long as its kind says, and says whether it is remembered.
    pub fn keep_object_error(&self, object: &ObjectId, epoch: Epoch, error: &Error) -> bool {
        let current = self.epochs.stands(Depth::Soft, object, &Tags::default(), epoch);
        current && self.keep_error(ErrorKey::Object(object.clone()), epoch, error)
    }

    /// An error that this very plan has earned on this version not long ago.
    pub fn variant_error(&self, key: &VariantKey, now: Timestamp) -> Option<Remembered> {
        let kept = self.errors.get(&ErrorKey::Variant(key.clone())).filter(|kept| kept.lasts(now))?;
        self.epochs.stands(Depth::Hard, &key.object, &Tags::default(), kept.epoch).then_some(kept)
    }

    /// Remembers an error of work that began at `epoch` for as long as its kind says, and says whether it is remembered.
    pub fn keep_variant_error(&self, key: VariantKey, epoch: Epoch, error: &Error) -> bool {
        self.keep_error(ErrorKey::Variant(key), epoch, error)
    }

    fn keep_error(&self, question: ErrorKey, epoch: Epoch, error: &Error) -> bool {
        if error.kind.remember().is_zero() {
            return false;
        }
        self.errors.insert(question.clone(), Remembered { error: error.clone(), since: self.clock.now(), epoch });
        // A full cache may not take it, which is decided later else.
        self.errors.run_pending_tasks();
        self.errors.contains_key(&question)
    }

    /// Lets go variants beyond the bounds; their cache does so by itself now and then.
    pub fn settle(&self) {
        self.variants.run_pending_tasks();
    }

    /// Bytes held now by each of the caches, overheads included; approximate.
    pub fn weights(&self) -> [(&'static str, u64); 4] {
        self.variants.run_pending_tasks();
        self.known.run_pending_tasks();
        self.errors.run_pending_tasks();
        [
            ("variants", self.variants.weighted_size()),
            ("originals", self.originals.weight()),
            ("known", self.known.weighted_size()),
            ("errors", self.errors.weighted_size()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::VariantMeta;
    use crate::error::Kind;
    use crate::imaging::Times;
    use crate::plan::Format;

    fn variant(bytes: usize) -> Arc<Variant> {
        Arc::new(Variant {
            body: vec![0; bytes].into(),
            meta: VariantMeta {
                format: Some(Format::Png),
                width: 1,
                height: 1,
                facts: None,
                etag: "".into(),
                last_modified: None,
                made: Timestamp::now(),
                source_format: Format::Png,
                source_bytes: 1,
                times: Times::default(),
                provisional: None,
                tags: Tags::default(),
                epoch: Epoch::default(),
            },
        })
    }

    fn key(number: usize) -> VariantKey {
        let object = ObjectId { site: "s".into(), store: 0, key: number.to_string().into(), version_id: None };
        VariantKey { object, version: 0, plan: "".into(), class: None, settings: 0, encoder: 0 }
    }

    /// What was hurried and what is remembered for a while is found until its time is over, by the clock of who looks.
    #[test]
    fn what_lasts_for_a_while_is_found_for_so_long() {
        let (start, moment) = (Timestamp::at(Duration::from_secs(1_000)), Duration::from_nanos(1));
        let mut cache = Cache::new(&CacheConfig::default());
        cache.clock = TimeSource::by_hand(start);
        let body = variant(1);
        let time = Duration::from_secs(60);
        let meta = VariantMeta { made: start, provisional: Some(time), ..body.meta.clone() };
        assert!(cache.keep_variant(key(1), Arc::new(Variant { meta, ..Variant::clone(&body) })));
        assert!(cache.keep_variant(key(2), body));
        let error = Error::new(Kind::Corrupt, "");
        assert_eq!(error.kind.remember(), time);
        assert!(cache.keep_variant_error(key(3), Epoch::default(), &error));
        assert!(cache.keep_object_error(&key(3).object, Epoch::default(), &error));
        let found = |now| {
            let errors =
                (cache.variant_error(&key(3), now).is_some(), cache.object_error(&key(3).object, now).is_some());
            [cache.variant(&key(1), now).is_some(), errors.0, errors.1, cache.variant(&key(2), now).is_some()]
        };
        assert_eq!(found(start), [true; 4]);
        assert_eq!(found(start.after(time - moment)), [true; 4]);
        assert_eq!(found(start.after(time)), [false, false, false, true]);
        // What is remembered anew lasts anew.
        cache.clock.set(start.after(time));
        assert!(cache.keep_variant_error(key(3), Epoch::default(), &error));
        assert!(cache.keep_object_error(&key(3).object, Epoch::default(), &error));
        assert_eq!(found(start.after(2 * time - moment)), [false, true, true, true]);
    }

    /// What was asked before a purge does not take the place of what was asked after it.
    #[test]
    fn what_is_old_takes_no_ones_place() {
        let cache = Cache::new(&CacheConfig::default());
        let object = key(1).object;
        let known = |version| Known {
            version,
            etag: None,
            last_modified: None,
            tags: Tags::default(),
            checked: Timestamp::now(),
            epoch: cache.epochs.now(),
        };
        let old = known(1);
        cache.purge(&Scope::object(&object), Depth::Soft);
        cache.keep_known(object.clone(), known(2));
        cache.keep_known(object.clone(), old);
        assert_eq!(cache.known(&object).map(|known| known.version), Some(2));
    }

    /// What a full cache refuses, and what can never fit, is not called stored.
    #[test]
    fn stored_is_what_is_found_again() {
        let cache = Cache::new(&CacheConfig { memory: 1 << 20, ..CacheConfig::default() });
        assert!(!cache.keep_variant(key(0), variant(2 << 20)));
        let mut refused = 0;
        for number in 1..100 {
            let stored = cache.keep_variant(key(number), variant(100_000));
            assert_eq!(stored, cache.variant(&key(number), Timestamp::now()).is_some(), "{number}");
            refused += usize::from(!stored);
            // The first ones are wanted more than any that comes later.
            (1..5).for_each(|hot| _ = cache.variant(&key(hot), Timestamp::now()));
        }
        assert!(refused > 0 && cache.variant(&key(1), Timestamp::now()).is_some());
    }
}
