//! One number per object that a write or a purge raises. What was fetched or converted under an older number is not
//! used and not stored.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use super::ObjectId;

/// Numbers for all objects in a fixed table: two objects may share one, and then a write to either forgets both, which
/// costs a conversion and never an old answer.
#[derive(Debug)]
pub struct Generations {
    slots: Box<[AtomicU64]>,
    hasher: RandomState,
}

impl Default for Generations {
    fn default() -> Self {
        Self { slots: (0..1 << 16).map(|_| AtomicU64::new(0)).collect(), hasher: RandomState::new() }
    }
}

impl Generations {
    fn slot(&self, object: &ObjectId) -> &AtomicU64 {
        // All versions of an object share its number: a write makes a new current version.
        let hash = self.hasher.hash_one((&object.site, &object.key));
        &self.slots[hash as usize % self.slots.len()]
    }

    /// The number now.
    pub fn current(&self, object: &ObjectId) -> u64 {
        self.slot(object).load(Ordering::Acquire)
    }

    /// Forgets everything about the object that was learned so far.
    pub fn raise(&self, object: &ObjectId) {
        self.slot(object).fetch_add(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_raises_every_version_of_the_object() {
        let generations = Generations::default();
        let plain = ObjectId { site: "s".into(), store: 0, key: "k".into(), version_id: None };
        let versioned = ObjectId { version_id: Some("v1".into()), ..plain.clone() };
        let before = generations.current(&versioned);
        generations.raise(&plain);
        assert!(generations.current(&versioned) > before);
    }
}
