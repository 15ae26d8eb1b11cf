//! One number per object that a hard purge raises. It is part of every variant's key: what was made under an older one is
//! never found again, whatever the origin says of the object's version.
//!
//! [`super::Generations`] are for writes: they make the shield ask for the object anew, and an unchanged object has its
//! variants still. An epoch parts with the variants themselves, which matters when they were wrong: a marred conversion,
//! a picture that must be gone from every tier.
//!
//! The numbers belong to numbered places, and which place an object has is the same in every process and on every node: a
//! store of them is a list of places and numbers, and of two numbers of one place the larger is right.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ObjectId;

/// Numbers for all objects in a fixed table. Two objects may share one, and then a purge of either is one of both, which
/// costs conversions and never an old answer.
#[derive(Debug)]
pub struct Epochs {
    places: Box<[AtomicU64]>,
    /// Whether any was ever raised: purges are rare, and until one comes no hit has to look for its object's place.
    any: AtomicBool,
}

/// How many there are. Another number would move objects to other places: purges would be undone.
const PLACES: usize = 1 << 16;

impl Default for Epochs {
    fn default() -> Self {
        Self { places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(), any: AtomicBool::new(false) }
    }
}

impl Epochs {
    /// The number now.
    pub fn current(&self, object: &ObjectId) -> u64 {
        match self.any.load(Ordering::Acquire) {
            true => self.places[place(object)].load(Ordering::Acquire),
            false => 0,
        }
    }

    /// Parts with all variants of the object that there are. Gives its place and the number that it has now.
    pub fn raise(&self, object: &ObjectId) -> (usize, u64) {
        let place = place(object);
        // First, so that nobody who sees the new number could be told of none.
        self.any.store(true, Ordering::Release);
        (place, self.places[place].fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// Takes a number over that was raised before this process began, or elsewhere. A place that there is not is ignored.
    pub fn learn(&self, place: usize, number: u64) {
        if let Some(own) = self.places.get(place) {
            self.any.store(true, Ordering::Release);
            own.fetch_max(number, Ordering::AcqRel);
        }
    }
}

/// Where an object's number stands: FNV-1a of its site and key. All versions of an object share it.
fn place(object: &ObjectId) -> usize {
    let bytes = object.site.bytes().chain([0]).chain(object.key.bytes());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    // The low bits alone know little of the last bytes.
    (hash ^ (hash >> 32)) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str) -> ObjectId {
        ObjectId { site: "s".into(), store: 0, key: key.into(), version_id: None }
    }

    #[test]
    fn a_number_only_grows_and_is_every_versions() {
        let epochs = Epochs::default();
        let plain = object("a.jpg");
        let versioned = ObjectId { version_id: Some("v1".into()), ..plain.clone() };
        let (place, number) = epochs.raise(&plain);
        assert_eq!((epochs.current(&plain), epochs.current(&versioned)), (number, number));
        epochs.learn(place, 7);
        epochs.learn(place, 3);
        epochs.learn(PLACES, 9);
        assert_eq!(epochs.current(&plain), 7);
        assert_eq!(epochs.raise(&plain).1, 8);
    }

    /// What is stored of them must mean the same in the next process and on the next node, for ever.
    #[test]
    fn places_never_move() {
        assert_eq!(["a.jpg", "b.jpg", "folder/photo.png", ""].map(|key| place(&object(key))), PINNED);
    }

    const PINNED: [usize; 4] = [11657, 20584, 15151, 58561];

    #[test]
    fn objects_are_spread() {
        let places: std::collections::HashSet<_> =
            (0..1000).map(|number| place(&object(&format!("photos/{number:05}.jpg")))).collect();
        assert!(places.len() > 970, "{}", places.len());
    }
}
