//! The tiers behind the memory: asked on the way to a conversion, and given what was converted.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;

use super::Shield;
use super::ground::Ground;
use crate::cache::{CacheTier, Depth, Scope, SealedVariant, Unreadable, Variant, VariantKey};
use crate::clock::Timestamp;

/// So many results are sealed at once; of more nothing is handed on, and they are converted again some day.
const SEALING: usize = 16;
/// What is longer is sealed and opened on a thread that may be held up.
const LARGE: usize = 256 << 10;

/// What was found behind the memory.
pub(super) struct Behind {
    pub variant: Arc<Variant>,
    /// The name of the tier that had it.
    pub tier: &'static str,
    /// Memory has it now.
    pub stored: bool,
}

/// How many results may be sealed now.
#[derive(Debug)]
pub(super) struct Sealing(Arc<Semaphore>);

impl Default for Sealing {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(SEALING)))
    }
}

impl Shield {
    /// What the tiers have as the answer, each asked for as long as its patience lasts. What is found is put into memory, and
    /// into the tiers before that one.
    pub(super) async fn behind(&self, ground: &Ground<'_>) -> Option<Behind> {
        for (place, tier) in self.cache.tiers.iter().enumerate() {
            let Ok(Some(bytes)) = tokio::time::timeout(tier.patience(), tier.find(&ground.key)).await else { continue };
            let now = self.cache.clock.now();
            let mut variant = match open(bytes, &ground.key, now).await {
                Ok(variant) => variant,
                Err(why) => {
                    tracing::debug!(tier = tier.name(), object = &*ground.key.object.key, "an entry is refused: {why}");
                    continue;
                }
            };
            if !ground.takes(&variant, now) {
                continue;
            }
            // Without room it is made neither: who converts says so.
            variant.body = self.room_for(variant.body)?;
            let variant = Arc::new(variant);
            self.hand_on(&self.cache.tiers[..place], &ground.key, &variant);
            let stored = self.cache.keep_variant(ground.key.clone(), variant.clone());
            return Some(Behind { variant, tier: tier.name(), stored });
        }
        None
    }

    fn room_for(&self, body: Bytes) -> Option<Bytes> {
        let held = self.results.hold(body.clone());
        held.or_else(|_| {
            // What the cache has let go may still be there.
            self.cache.settle();
            self.results.hold(body)
        })
        .ok()
    }

    /// Gives a new result to all tiers, without delaying anybody. What was hurried is not worth it.
    pub(super) fn keep_behind(&self, key: &VariantKey, variant: &Arc<Variant>) {
        if variant.meta.provisional.is_none() {
            self.hand_on(&self.cache.tiers, key, variant);
        }
    }

    fn hand_on(&self, tiers: &[Arc<dyn CacheTier>], key: &VariantKey, variant: &Arc<Variant>) {
        if tiers.is_empty() {
            return;
        }
        let Ok(place) = self.sealing.0.clone().try_acquire_owned() else { return };
        let (tiers, key, variant) = (tiers.to_vec(), key.clone(), variant.clone());
        self.runtime.spawn_blocking(move || {
            if let Some(sealed) = SealedVariant::seal(key, &variant) {
                tiers.iter().for_each(|tier| tier.keep(sealed.clone()));
            }
            drop(place);
        });
    }

    /// Has the tiers let go what a purge has parted with. They may take their time: nothing of it is given any more.
    pub(super) fn forget_behind(&self, scope: &Scope, depth: Depth) {
        if depth == Depth::Soft || self.cache.tiers.is_empty() {
            return;
        }
        let (tiers, scope) = (self.cache.tiers.clone(), scope.clone());
        self.runtime.spawn(async move {
            for tier in tiers {
                tier.forget(&scope).await;
            }
        });
    }
}

async fn open(bytes: Bytes, key: &VariantKey, now: Timestamp) -> Result<Variant, Unreadable> {
    if bytes.len() <= LARGE {
        return SealedVariant::open(&bytes, key, now);
    }
    let key = key.clone();
    let opened = tokio::task::spawn_blocking(move || SealedVariant::open(&bytes, &key, now)).await;
    opened.unwrap_or(Err(Unreadable::Damaged))
}
