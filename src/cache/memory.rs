//! The memory tier, weighed in bytes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use moka::Expiry;
use moka::sync::Cache as Moka;

use super::entry::ErrorKey;
use super::originals::{Narrowed, Originals};
use super::{Epochs, Generations, Known, ObjectId, Original, Variant, VariantKey, weigh};
use crate::config::CacheConfig;
use crate::error::Error;

/// All memory caches of the process.
pub struct Cache {
    variants: Moka<VariantKey, Arc<Variant>>,
    /// How long a hurried one lives.
    pub hurried: Duration,
    originals: Originals,
    known: Moka<ObjectId, Known>,
    errors: Moka<ErrorKey, Error>,
    /// One number per object that writes raise.
    pub generations: Generations,
    /// One number per object that hard purges raise.
    pub epochs: Epochs,
}

/// Parts of the memory for variants that are left to what is known of objects, and to errors.
const KNOWN: u64 = 8;
const ERRORS: u64 = 32;

/// What was made in a hurry is not kept for good.
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

/// Errors live as long as their kind says.
struct ByKind;

impl Expiry<ErrorKey, Error> for ByKind {
    fn expire_after_create(&self, _: &ErrorKey, error: &Error, _: Instant) -> Option<Duration> {
        Some(error.kind.remember())
    }
}

impl Cache {
    /// Empty caches of the configured sizes.
    pub fn new(config: &CacheConfig) -> Self {
        let (known, errors) = (config.memory / KNOWN, config.memory / ERRORS);
        Self {
            variants: Moka::builder()
                .max_capacity(Self::variants_of(config))
                .weigher(|key, variant: &Arc<Variant>| weigh::variant(key, variant))
                .expire_after(ByHaste)
                .build(),
            hurried: config.hurried,
            originals: Originals::new(config.originals),
            known: Moka::builder().max_capacity(known).weigher(weigh::known).build(),
            errors: Moka::builder().max_capacity(errors).weigher(weigh::error).expire_after(ByKind).build(),
            generations: Generations::default(),
            epochs: Epochs::default(),
        }
    }

    /// How much of the memory is for variants.
    pub fn variants_of(config: &CacheConfig) -> u64 {
        config.memory.saturating_sub(config.memory / KNOWN + config.memory / ERRORS)
    }

    /// A variant, whatever the age of what is known of its object.
    pub fn variant(&self, key: &VariantKey) -> Option<Arc<Variant>> {
        self.variants.get(key)
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
        self.known.get(object).filter(|known| known.generation == self.generations.current(object))
    }

    /// Keeps what the origin said.
    pub fn keep_known(&self, object: ObjectId, known: Known) {
        self.known.insert(object, known);
    }

    /// An original, unless a write or purge has outdated it.
    pub fn original(&self, object: &ObjectId) -> Option<Arc<Original>> {
        self.originals.get(object).filter(|original| original.known.generation == self.generations.current(object))
    }

    /// Keeps an original. What the cache lets go for it is let go before this returns.
    pub fn keep_original(&self, object: ObjectId, original: Arc<Original>) {
        self.originals.keep(object, original);
    }

    /// Lets go originals beyond so many bytes, and keeps no more for as long as the guard lives.
    pub fn narrow_originals(&self, most: u64) -> Narrowed<'_> {
        self.originals.narrow(most)
    }

    /// An error that the object itself has earned not long ago.
    pub fn object_error(&self, object: &ObjectId) -> Option<Error> {
        let generation = self.generations.current(object);
        self.errors.get(&ErrorKey::Object(object.clone(), generation))
    }

    /// Remembers an error for as long as its kind says, and says whether it is remembered.
    pub fn keep_object_error(&self, object: &ObjectId, generation: u64, error: &Error) -> bool {
        let current = self.generations.current(object) == generation;
        current && self.keep_error(ErrorKey::Object(object.clone(), generation), error)
    }

    /// An error that this very plan has earned on this version not long ago.
    pub fn variant_error(&self, key: &VariantKey) -> Option<Error> {
        self.errors.get(&ErrorKey::Variant(key.clone()))
    }

    /// Remembers an error for as long as its kind says, and says whether it is remembered.
    pub fn keep_variant_error(&self, key: VariantKey, error: &Error) -> bool {
        self.keep_error(ErrorKey::Variant(key), error)
    }

    fn keep_error(&self, question: ErrorKey, error: &Error) -> bool {
        if error.kind.remember().is_zero() {
            return false;
        }
        self.errors.insert(question.clone(), error.clone());
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
    use std::time::SystemTime;

    use super::*;
    use crate::cache::VariantMeta;
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
                made: SystemTime::UNIX_EPOCH,
                source_format: Format::Png,
                source_bytes: 1,
                times: Times::default(),
                provisional: None,
            },
        })
    }

    fn key(number: usize) -> VariantKey {
        let object = ObjectId { site: "s".into(), store: 0, key: number.to_string().into(), version_id: None };
        VariantKey { object, version: 0, epoch: 0, plan: "".into(), class: None, settings: 0, encoder: 0 }
    }

    /// What a full cache refuses, and what can never fit, is not called stored.
    #[test]
    fn stored_is_what_is_found_again() {
        let cache = Cache::new(&CacheConfig { memory: 1 << 20, ..CacheConfig::default() });
        assert!(!cache.keep_variant(key(0), variant(2 << 20)));
        let mut refused = 0;
        for number in 1..100 {
            let stored = cache.keep_variant(key(number), variant(100_000));
            assert_eq!(stored, cache.variant(&key(number)).is_some(), "{number}");
            refused += usize::from(!stored);
            // The first ones are wanted more than any that comes later.
            (1..5).for_each(|hot| _ = cache.variant(&key(hot)));
        }
        assert!(refused > 0 && cache.variant(&key(1)).is_some());
    }
}
