//! Originals in memory. Their room is given out by the byte, so that this table is exact: what it lets go is let go before
//! the call returns, and it weighs at least what the permits of its entries hold.
//!
//! Who was used once goes before who was used again, each the longest unused first: a crawl through a bucket does not cost
//! the originals that are asked for every day.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use super::{ObjectId, Original, weigh};

/// Of so many parts of the room all but one may be held by originals that were used again: one is left to who comes new.
const PARTS: u64 = 5;

/// The table.
#[derive(Debug)]
pub(super) struct Originals {
    room: u64,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<ObjectId, Entry>,
    /// Whoever stands first goes first.
    order: BTreeMap<Place, ObjectId>,
    turn: u64,
    /// What all weigh, and those that were used again.
    weight: u64,
    proven: u64,
    /// Lower limits that are in force for a while, because somebody else uses part of the room; the least of them counts.
    narrowed: Vec<u64>,
}

/// Used again; when.
type Place = (bool, u64);

#[derive(Debug)]
struct Entry {
    original: Arc<Original>,
    weight: u64,
    place: Place,
}

/// While it lives, the cache holds less.
#[derive(Debug)]
pub struct Narrowed<'a> {
    originals: &'a Originals,
    most: u64,
}

impl Drop for Narrowed<'_> {
    fn drop(&mut self) {
        let mut table = self.originals.table.lock();
        if let Some(at) = table.narrowed.iter().position(|most| *most == self.most) {
            table.narrowed.swap_remove(at);
        }
    }
}

impl Originals {
    pub fn new(room: u64) -> Self {
        Self { room, table: Mutex::default() }
    }

    pub fn get(&self, object: &ObjectId) -> Option<Arc<Original>> {
        let mut table = self.table.lock();
        let original = table.entries.get(object)?.original.clone();
        table.place(object, true);
        // Who has proven itself longest ago has to do so anew.
        while table.proven > self.room - self.room / PARTS {
            let oldest = table.order.range((true, 0)..).next().map(|(_, object)| object.clone());
            let Some(oldest) = oldest else { break };
            table.place(&oldest, false);
        }
        Some(original)
    }

    /// Keeps an original in place of what there is of the object; lets go what goes first.
    pub fn keep(&self, object: ObjectId, original: Arc<Original>) {
        let weight = weigh::original(&object, &original);
        let mut table = self.table.lock();
        let before = table.remove(&object);
        let most = table.most(self.room);
        let gone = if weight <= most {
            let again = before.as_ref().is_some_and(|before| before.place.0);
            table.add(object, original, weight, again);
            table.shrink(most)
        } else {
            Vec::new()
        };
        drop(table);
        // Bytes are given back where nobody waits for the table.
        drop((before, gone));
    }

    /// Lets go all beyond so many bytes, and holds no more for as long as the guard lives.
    pub fn narrow(&self, most: u64) -> Narrowed<'_> {
        let mut table = self.table.lock();
        table.narrowed.push(most);
        let most_now = table.most(self.room);
        let gone = table.shrink(most_now);
        drop(table);
        drop(gone);
        Narrowed { originals: self, most }
    }

    /// Bytes held now, overheads included.
    pub fn weight(&self) -> u64 {
        self.table.lock().weight
    }
}

impl Table {
    fn most(&self, room: u64) -> u64 {
        self.narrowed.iter().copied().fold(room, u64::min)
    }

    fn next(&mut self, again: bool) -> Place {
        self.turn += 1;
        (again, self.turn)
    }

    fn add(&mut self, object: ObjectId, original: Arc<Original>, weight: u64, again: bool) {
        let place = self.next(again);
        self.weight += weight;
        self.proven += if again { weight } else { 0 };
        self.order.insert(place, object.clone());
        self.entries.insert(object, Entry { original, weight, place });
    }

    fn remove(&mut self, object: &ObjectId) -> Option<Entry> {
        let entry = self.entries.remove(object)?;
        self.order.remove(&entry.place);
        self.weight -= entry.weight;
        self.proven -= if entry.place.0 { entry.weight } else { 0 };
        Some(entry)
    }

    /// Gives an entry the last place of its kind.
    fn place(&mut self, object: &ObjectId, again: bool) {
        if let Some(Entry { original, weight, .. }) = self.remove(object) {
            self.add(object.clone(), original, weight, again);
        }
    }

    fn shrink(&mut self, most: u64) -> Vec<Entry> {
        let mut gone = Vec::new();
        while self.weight > most {
            let Some(first) = self.order.first_key_value().map(|(_, object)| object.clone()) else { break };
            gone.extend(self.remove(&first));
        }
        gone
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::OnceLock;

    use super::super::{Epoch, GRAIN, Known, Tags};
    use super::*;
    use crate::clock::Timestamp;

    fn object(number: usize) -> ObjectId {
        ObjectId { site: "s".into(), store: 0, key: number.to_string().into(), version_id: None }
    }

    fn original(bytes: usize) -> Arc<Original> {
        let known = Known {
            version: 0,
            etag: None,
            last_modified: None,
            tags: Tags::default(),
            checked: Timestamp::now(),
            epoch: Epoch::default(),
        };
        Arc::new(Original { bytes: vec![0; bytes].into(), digest: [0; 32], known, header: OnceLock::new() })
    }

    fn held(originals: &Originals, numbers: std::ops::Range<usize>) -> Vec<usize> {
        let table = originals.table.lock();
        numbers.filter(|number| table.entries.contains_key(&object(*number))).collect()
    }

    #[test]
    fn who_was_used_again_outlives_a_crawl() {
        let originals = Originals::new(100 << 10);
        for number in 0..5 {
            originals.keep(object(number), original(8 << 10));
        }
        (1..3).for_each(|number| _ = originals.get(&object(number)).unwrap());
        for number in 100..1000 {
            originals.keep(object(number), original(8 << 10));
            assert!(originals.weight() <= 100 << 10);
        }
        assert_eq!(held(&originals, 0..100), [1, 2]);
        assert_eq!(held(&originals, 100..1000), (991..1000).collect::<Vec<_>>(), "the last ones that fit");
        assert!(originals.get(&object(0)).is_none());
    }

    /// What was asked for every day once does not hold the room for ever.
    #[test]
    fn who_is_new_always_finds_a_part() {
        let originals = Originals::new(100 << 10);
        for number in 0..100 {
            originals.keep(object(number), original(8 << 10));
            originals.get(&object(number)).unwrap();
        }
        assert!(originals.table.lock().proven <= 80 << 10);
        originals.keep(object(100), original(8 << 10));
        assert_eq!(held(&originals, 100..101), [100]);
    }

    #[test]
    fn what_is_replaced_narrowed_or_too_large_is_let_go_at_once() {
        let originals = Originals::new(100 << 10);
        let (one, two) = (original(9 << 10), original(9 << 10));
        originals.keep(object(1), one.clone());
        originals.keep(object(1), two.clone());
        assert_eq!((Arc::strong_count(&one), Arc::strong_count(&two)), (1, 2));
        originals.keep(object(1), original(200 << 10));
        assert_eq!((Arc::strong_count(&two), originals.weight()), (1, 0));
        (0..9).for_each(|number| originals.keep(object(number), original(9 << 10)));
        let narrow = originals.narrow(50 << 10);
        let narrower = originals.narrow(25 << 10);
        assert_eq!(held(&originals, 0..9), [7, 8]);
        originals.keep(object(9), original(19 << 10));
        assert_eq!(held(&originals, 0..10), [9]);
        drop(narrower);
        (0..9).for_each(|number| originals.keep(object(number), original(9 << 10)));
        assert!(originals.weight() <= 50 << 10 && originals.weight() > 40 << 10);
        drop(narrow);
        (0..9).for_each(|number| originals.keep(object(number), original(9 << 10)));
        assert!(originals.weight() > 80 << 10);
    }

    #[test]
    fn originals_weigh_whole_grains() {
        for bytes in [0, 1, GRAIN - 1, GRAIN, GRAIN + 1, 123_456] {
            let weight = weigh::original(&object(1), &original(bytes as usize));
            assert!(weight >= bytes.max(1).div_ceil(GRAIN) * GRAIN, "{bytes}: {weight}");
        }
    }
}
