//! What purges and writes have made old. Every purge has a number, larger than all before it. Whoever begins to work something
//! out takes the number of the last purge along, and what comes of it stands for as long as no purge with a larger number means
//! it: so what a purge has to do is to write its number down where those look who mean to use something. That takes the same
//! short time however much is kept and wherever it lies, in memory, on a disk or in a bucket, and nothing that began before can
//! come back after, be it kept by work that a purge has overtaken.
//!
//! The numbers of objects and of tags stand in tables of fixed size. Two of them may share a place: then a purge of one is one
//! of both, which costs conversions and never gives an old answer. Of prefixes there is a short list, because what a purge of
//! one means cannot be told by a place. Where the list is full, its oldest becomes a purge of its site, with the number that it
//! has: of what the site has been given since nothing is lost.
//!
//! Places are the same in every process and on every node, and numbers are moments of the wall clock as far as it goes forward:
//! what one process has written down means something to the next one.

mod form;
mod prefixes;

use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::prefixes::Prefixes;
use super::{Depth, ObjectId, Scope, Tags, names, tags};
use crate::clock::Timestamp;

/// The number of a purge: nanoseconds since 1970 where the wall clock goes forward, else one more than the last. What bears it
/// was begun after that purge, and before any with a larger one. The least one is for what was begun when there had been none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

#[cfg(test)]
impl Epoch {
    /// Of this number.
    pub fn numbered(number: u64) -> Self {
        Self(number)
    }
}

/// All that is remembered of purges.
#[derive(Debug)]
pub struct Epochs {
    /// The last of all. Until a purge comes that is larger than an entry's number, nobody looks further.
    latest: Numbers,
    objects: Box<[Numbers]>,
    tags: Box<[Numbers]>,
    sites: Box<[OfSite]>,
    prefixes: ArcSwap<Prefixes>,
    /// Purges come one after the other; who looks never waits for one.
    turn: Mutex<()>,
}

/// How many objects and tags there are places for. Another number would move them: purges would be undone.
const OBJECTS: usize = 1 << 16;
const TAGS: usize = 1 << 14;
const SITES: usize = 1 << 10;

/// The last purge of something, and the last hard one.
#[derive(Debug, Default)]
struct Numbers {
    any: AtomicU64,
    hard: AtomicU64,
}

#[derive(Debug, Default)]
struct OfSite {
    /// Purges of all of it.
    whole: Numbers,
    /// Those, and of its tags and prefixes.
    sweeps: Numbers,
}

impl Numbers {
    fn at(&self, depth: Depth) -> Epoch {
        let number = match depth {
            Depth::Soft => &self.any,
            Depth::Hard => &self.hard,
        };
        Epoch(number.load(Ordering::Acquire))
    }

    fn raise(&self, depth: Depth, Epoch(number): Epoch) {
        self.any.fetch_max(number, Ordering::AcqRel);
        if depth == Depth::Hard {
            self.hard.fetch_max(number, Ordering::AcqRel);
        }
    }
}

fn table<T: Default>(places: usize) -> Box<[T]> {
    (0..places).map(|_| T::default()).collect()
}

impl Default for Epochs {
    fn default() -> Self {
        Self {
            latest: Numbers::default(),
            objects: table(OBJECTS),
            tags: table(TAGS),
            sites: table(SITES),
            prefixes: ArcSwap::default(),
            turn: Mutex::default(),
        }
    }
}

impl Epochs {
    /// What is begun now bears this. To be taken before anything is looked at.
    pub fn now(&self) -> Epoch {
        self.latest.at(Depth::Soft)
    }

    /// Whether what was begun then, and is of this object with these tags, has been meant by no purge of this depth since.
    pub fn stands(&self, depth: Depth, object: &ObjectId, tags: &Tags, begun: Epoch) -> bool {
        self.latest.at(depth) <= begun || self.unmeant(depth, object, tags, begun)
    }

    fn unmeant(&self, depth: Depth, object: &ObjectId, tags: &Tags, begun: Epoch) -> bool {
        if self.object(&object.site, &object.key).at(depth) > begun {
            return false;
        }
        let site = self.site(&object.site);
        site.sweeps.at(depth) <= begun
            // In this order: what leaves the list is a purge of the site before it does.
            || (!self.prefixes.load().mean(depth, object, begun)
                && site.whole.at(depth) <= begun
                && tags.numbers().iter().all(|tag| self.tag(*tag).at(depth) <= begun))
    }

    /// Whether anything can have been begun then, by the time that it is now. Numbers from outside may be those of purges that
    /// this process has not heard of, but not of such as are still to come: no purge would ever mean what bears one.
    pub fn is_possible(&self, begun: Epoch, now: Timestamp) -> bool {
        begun <= Epoch(now.nanoseconds()) || begun <= self.now()
    }

    /// The last purge that may mean this object, whatever its tags are. Who asks for something before and after this changes
    /// has not asked the same.
    pub fn concerning(&self, object: &ObjectId) -> Epoch {
        if self.latest.at(Depth::Soft) == Epoch::default() {
            return Epoch::default();
        }
        let own = self.object(&object.site, &object.key).at(Depth::Soft);
        own.max(self.site(&object.site).sweeps.at(Depth::Soft))
    }

    /// Parts with what the scope covers. When this returns, nothing of it stands that was begun before. `now` is the time by the
    /// wall clock. Gives the purge's number.
    pub fn raise(&self, scope: &Scope, depth: Depth, now: Timestamp) -> Epoch {
        let _turn = self.turn.lock();
        let Epoch(last) = self.latest.at(Depth::Soft);
        let number = Epoch(now.nanoseconds().max(last.saturating_add(1)));
        match scope {
            Scope::Object { site, key } => self.object(site, key).raise(depth, number),
            Scope::Tag { site, tag } => {
                self.tag(tags::number(site, tag)).raise(depth, number);
                self.tag(tags::any(site)).raise(depth, number);
            }
            Scope::Prefix { site, prefix } => {
                let mut prefixes = Prefixes::clone(&self.prefixes.load());
                let folded = prefixes.add(site, prefix, depth, number);
                self.replace(prefixes, folded);
            }
            Scope::Site { site } => self.site(site).whole.raise(depth, number),
        }
        if let Scope::Prefix { site, .. } | Scope::Tag { site, .. } | Scope::Site { site } = scope {
            self.site(site).sweeps.raise(depth, number);
        }
        // Last: who takes this number along begins after all of the above can be seen.
        self.latest.raise(depth, number);
        number
    }

    /// Those that have left the list become purges of their sites before it shows.
    fn replace(&self, prefixes: Prefixes, folded: Vec<prefixes::Purged>) {
        for purged in folded {
            let whole = &self.site(&purged.site).whole;
            whole.raise(Depth::Soft, purged.any);
            whole.raise(Depth::Hard, purged.hard);
        }
        self.prefixes.store(prefixes.into());
    }

    fn object(&self, site: &str, key: &str) -> &Numbers {
        &self.objects[names::place(names::number(site, key), OBJECTS)]
    }

    fn tag(&self, number: u64) -> &Numbers {
        &self.tags[names::place(number, TAGS)]
    }

    fn site(&self, site: &str) -> &OfSite {
        &self.sites[names::place(names::number(site, ""), SITES)]
    }
}

#[cfg(test)]
#[path = "mod_tests.rs"]
mod tests;
