#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::Duration;

use super::super::Unreadable;
use super::*;

fn object(site: &str, key: &str) -> ObjectId {
    ObjectId { site: site.into(), store: 0, key: key.into(), version_id: None }
}

fn prefix(site: &str, prefix: &str) -> Scope {
    Scope::Prefix { site: site.into(), prefix: prefix.into() }
}

fn tag(site: &str, tag: &str) -> Scope {
    Scope::Tag { site: site.into(), tag: tag.into() }
}

fn whole(site: &str) -> Scope {
    Scope::Site { site: site.into() }
}

fn red() -> Tags {
    Tags::of("s", Some("red"), None)
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::at(Duration::from_secs(seconds))
}

fn stands(epochs: &Epochs, key: &str, begun: Epoch) -> [bool; 2] {
    [Depth::Soft, Depth::Hard].map(|depth| epochs.stands(depth, &object("s", key), &red(), begun))
}

/// What the scopes of a purge of each kind mean, by numbers, and what they leave. Soft ones leave what was made.
#[test]
fn each_scope_means_what_it_covers_and_only_what_was_begun_before() {
    for (scope, others) in [
        (Scope::object(&object("s", "a/b.png")), [object("s", "a/c.png"), object("t", "a/b.png")]),
        (prefix("s", "a/"), [object("s", "b/b.png"), object("t", "a/b.png")]),
        (tag("s", "red"), [object("t", "a/b.png"), object("u", "a/b.png")]),
        (whole("s"), [object("t", "a/b.png"), object("u", "a/b.png")]),
    ] {
        for (depth, left) in [(Depth::Soft, [false, true]), (Depth::Hard, [false, false])] {
            let epochs = Epochs::default();
            let before = epochs.now();
            assert_eq!((stands(&epochs, "a/b.png", before), before), ([true, true], Epoch::default()));
            let number = epochs.raise(&scope, depth, at(100));
            assert_eq!(epochs.now(), number);
            assert_eq!(stands(&epochs, "a/b.png", before), left, "{scope:?} {depth:?}");
            assert_eq!(stands(&epochs, "a/b.png", epochs.now()), [true, true], "{scope:?} {depth:?}");
            for other in &others {
                for depth in [Depth::Soft, Depth::Hard] {
                    assert!(epochs.stands(depth, other, &Tags::default(), before), "{scope:?} {other:?}");
                }
            }
            let versioned = ObjectId { version_id: Some("v1".into()), store: 7, ..object("s", "a/b.png") };
            assert!(!epochs.stands(Depth::Soft, &versioned, &red(), before));
        }
    }
}

#[test]
fn a_tag_means_those_who_bear_it() {
    let epochs = Epochs::default();
    epochs.raise(&tag("s", "red"), Depth::Hard, at(100));
    let begun = Epoch::default();
    let of = |spaced: &str| epochs.stands(Depth::Hard, &object("s", "a"), &Tags::of("s", Some(spaced), None), begun);
    assert!(!of("red") && !of("blue red") && of("blue") && of(""));
    let many = "x".repeat(20_000);
    assert!(!of(&many), "who has too many tags has this one too");
    epochs.raise(&whole("t"), Depth::Hard, at(200));
    assert!(of("blue"));
}

/// Whatever the clock does.
#[test]
fn numbers_only_grow() {
    let epochs = Epochs::default();
    let seconds = [100, 50, 50, 0, 101, 7];
    let numbers = seconds.map(|seconds| epochs.raise(&whole("s"), Depth::Soft, at(seconds)));
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    assert_eq!(numbers[4], Epoch(101_000_000_000));
}

/// What says that it was begun after a purge that nobody can have asked for yet would stand against those that come.
#[test]
fn nothing_begins_after_purges_to_come() {
    let epochs = Epochs::default();
    let possible = |number| epochs.is_possible(Epoch(number), at(5));
    assert_eq!([0, 5_000_000_000, 5_000_000_001, u64::MAX].map(possible), [true, true, false, false]);
    let Epoch(number) = epochs.raise(&whole("s"), Depth::Soft, at(9));
    assert_eq!([5_000_000_001, number, number + 1].map(possible), [true, true, false]);
}

/// Work on an object goes on under the same name until something comes that may mean it.
#[test]
fn what_concerns_an_object_is_what_may_mean_it() {
    let epochs = Epochs::default();
    let (a, b) = (object("s", "a"), object("s", "b"));
    let concerning = || [&a, &b].map(|object| epochs.concerning(object));
    let mut before = concerning();
    assert_eq!(before, [Epoch::default(); 2]);
    for (scope, changes) in [
        (Scope::object(&a), [true, false]),
        (whole("t"), [false, false]),
        (tag("s", "red"), [true, true]),
        (prefix("s", "b"), [true, true]),
        (whole("s"), [true, true]),
    ] {
        epochs.raise(&scope, Depth::Soft, at(1));
        let after = concerning();
        assert_eq!([after[0] != before[0], after[1] != before[1]], changes, "{scope:?}");
        before = after;
    }
}

/// However many prefixes are purged, none is forgotten, and who lives elsewhere loses nothing.
#[test]
fn a_full_list_of_prefixes_becomes_purges_of_sites() {
    let epochs = Epochs::default();
    let begun = epochs.now();
    let first = epochs.raise(&prefix("s", "0000/"), Depth::Hard, at(1));
    let middle = epochs.now();
    for number in 1..prefixes::MOST {
        epochs.raise(&prefix("s", &format!("{number:04}/")), Depth::Hard, at(1));
    }
    assert_eq!(epochs.prefixes.load().list().len(), prefixes::MOST);
    assert_eq!(stands(&epochs, "other", begun), [true, true]);
    epochs.raise(&prefix("s", "more/"), Depth::Soft, at(1));
    assert_eq!(epochs.prefixes.load().list().len(), prefixes::MOST);
    for key in ["0000/a", "0001/a", "0063/a"] {
        assert_eq!(stands(&epochs, key, begun), [false, false], "{key}");
    }
    // It goes with the site now, but nothing does that was begun after it.
    assert_eq!(stands(&epochs, "other", begun), [false, false]);
    assert_eq!((stands(&epochs, "other", first), stands(&epochs, "0000/a", middle)), ([true, true], [true, true]));
    assert_eq!(stands(&epochs, "more/a", first), [false, true]);
    assert!(epochs.stands(Depth::Soft, &object("t", "0000/a"), &red(), begun));
}

#[test]
fn a_purge_takes_the_place_of_those_that_it_means() {
    let epochs = Epochs::default();
    let list = || {
        let list = epochs.prefixes.load();
        list.list().iter().map(|purged| purged.prefix.to_string()).collect::<Vec<_>>()
    };
    for scope in [prefix("s", "a/b"), prefix("s", "a/"), prefix("s", "a/"), prefix("s", "b/"), prefix("t", "b/")] {
        epochs.raise(&scope, Depth::Hard, at(1));
    }
    assert_eq!(list(), ["a/", "b/", "b/"]);
    // A soft one does not do what hard ones have to.
    for _ in 0..3 {
        epochs.raise(&prefix("s", ""), Depth::Soft, at(1));
    }
    assert_eq!(list(), ["a/", "b/", "b/", ""]);
    assert_eq!(stands(&epochs, "a/x", Epoch::default()), [false, false]);
    assert_eq!(stands(&epochs, "c/x", Epoch::default()), [false, true]);
}

/// Who looks while a purge writes its numbers sees all of it as soon as it is over, and what leaves the list is never missed.
#[test]
fn nothing_old_stands_once_a_purge_is_over() {
    const ROUNDS: u64 = 500;
    let (epochs, over) = (Arc::new(Epochs::default()), Arc::new(AtomicU64::new(0)));
    let readers: Vec<_> = (0..2)
        .map(|_| {
            let (epochs, over) = (epochs.clone(), over.clone());
            std::thread::spawn(move || {
                let (mut looks, target) = (0, object("s", "target/a"));
                loop {
                    let number = over.load(Ordering::Acquire);
                    let before = Epoch(number.saturating_sub(1));
                    assert!(number == 0 || !epochs.stands(Depth::Hard, &target, &red(), before), "after {looks} looks");
                    // Nor is anything begun now that this purge could still mean.
                    assert!(epochs.now() >= Epoch(number) && epochs.concerning(&target) >= Epoch(number));
                    looks += 1;
                    if number == u64::MAX >> 1 {
                        return;
                    }
                }
            })
        })
        .collect();
    for round in 0..ROUNDS {
        let scope = match round % 3 {
            0 => prefix("s", "target/"),
            1 => tag("s", "red"),
            _ => Scope::object(&object("s", "target/a")),
        };
        let Epoch(number) = epochs.raise(&scope, Depth::Hard, at(1));
        over.store(number, Ordering::Release);
        // Of which the list is full now and then.
        for other in 0..40 {
            epochs.raise(&prefix("s", &format!("{round}/{other}")), Depth::Hard, at(1));
        }
    }
    let last = Timestamp::at(Duration::from_nanos(u64::MAX >> 1));
    let Epoch(number) = epochs.raise(&whole("s"), Depth::Hard, last);
    over.store(number, Ordering::Release);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
}

fn purged() -> Epochs {
    let epochs = Epochs::default();
    for (scope, depth) in [
        (Scope::object(&object("s", "a")), Depth::Hard),
        (Scope::object(&object("s", "b")), Depth::Soft),
        (prefix("s", "p/"), Depth::Hard),
        (tag("s", "red"), Depth::Soft),
        (whole("t"), Depth::Hard),
    ] {
        epochs.raise(&scope, depth, at(100));
    }
    epochs
}

/// What was purged before a restart is purged after it.
#[test]
fn purges_outlive_the_process() {
    let (old, new) = (purged(), Epochs::default());
    new.learn(&old.to_bytes()).unwrap();
    assert_eq!((new.now(), new.to_bytes()), (old.now(), old.to_bytes()));
    for key in ["a", "b", "p/x", "x"] {
        for (site, tags) in [("s", Tags::default()), ("s", red()), ("t", Tags::default()), ("u", Tags::default())] {
            for depth in [Depth::Soft, Depth::Hard] {
                let of = |epochs: &Epochs| epochs.stands(depth, &object(site, key), &tags, Epoch::default());
                assert_eq!(of(&new), of(&old), "{site} {key} {depth:?}");
            }
        }
    }
    // What is written down is no larger than what was purged.
    assert!(old.to_bytes().len() < 400, "{}", old.to_bytes().len());
}

/// Of two that say something of the same, the later one is right, and nothing that is known is lost.
#[test]
fn what_is_learned_only_adds() {
    let (epochs, other) = (purged(), Epochs::default());
    let own = epochs.now();
    other.raise(&Scope::object(&object("s", "a")), Depth::Soft, at(50));
    epochs.learn(&other.to_bytes()).unwrap();
    assert_eq!(epochs.to_bytes(), purged().to_bytes());
    for number in 0..prefixes::MOST {
        other.raise(&prefix("s", &format!("{number}/")), Depth::Hard, at(200));
    }
    epochs.learn(&other.to_bytes()).unwrap();
    assert_eq!(epochs.prefixes.load().list().len(), prefixes::MOST);
    for key in ["a", "p/x", "0/x", "63/x"] {
        assert_eq!(stands(&epochs, key, Epoch::default()), [false, false], "{key}");
    }
    assert!(epochs.now() > own && epochs.raise(&whole("s"), Depth::Soft, at(0)) > other.now());
}

/// What lies on a disk has these bytes.
#[test]
fn bytes_never_change() {
    let pinned = [
        "50455001",
        "000000174876e804 000000174876e804",
        "0000000000000001 0000000000000001 73 0000000000000002 702f 000000174876e802 000000174876e802",
        "0000000000000002",
    ];
    let bytes = hex::encode(purged().to_bytes());
    assert!(bytes.starts_with(&pinned.concat().replace(' ', "")), "{bytes}");
    assert_eq!(hex::encode(crate::digest::of_bytes(&purged().to_bytes()).to_be_bytes()), DIGEST, "{bytes}");
}

const DIGEST: &str = "78a9987a9bbcfa4481776df51df771a2";

#[test]
fn what_was_never_written_is_refused() {
    let bytes = purged().to_bytes();
    let refused = |bytes: &[u8]| {
        let epochs = Epochs::default();
        let why = epochs.learn(bytes).unwrap_err();
        assert_eq!((epochs.now(), epochs.to_bytes()), (Epoch::default(), Epochs::default().to_bytes()));
        why
    };
    for end in 0..bytes.len() {
        let why = if end < form::FORM.len() { Unreadable::Unknown } else { Unreadable::Damaged };
        assert_eq!(refused(&bytes[..end]), why, "{end}");
    }
    assert_eq!(refused(&[&bytes[..], &[0]].concat()), Unreadable::Damaged);
    let changed = |at: usize, byte: u8| {
        let mut other = bytes.clone();
        other[at] = byte;
        other
    };
    assert_eq!(refused(&changed(3, 2)), Unreadable::Unknown);
    // Form, latest, count, a site of one byte and a prefix of two, each with its length.
    let bytes_before_prefix = 4 + 16 + 8 + 9 + 10;
    // A number after which there is none, and a hard purge that is later than any.
    assert_eq!(refused(&changed(4, 0x80)), Unreadable::Damaged);
    assert_eq!(refused(&changed(12, 0x01)), Unreadable::Damaged);
    // A purge that is later than the latest, of a prefix.
    assert_eq!(refused(&changed(bytes_before_prefix + 3, 0x18)), Unreadable::Damaged);
    // More prefixes than are remembered.
    assert_eq!(refused(&changed(27, 65)), Unreadable::Damaged);
}

/// Whatever stands in bytes that are taken: purges that come have larger numbers than all that is begun.
#[test]
fn no_bytes_stop_later_purges() {
    let (bytes, target) = (purged().to_bytes(), object("s", "target"));
    let mut taken = 0;
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        let epochs = Epochs::default();
        taken += usize::from(epochs.learn(&changed).is_ok());
        let begun = epochs.now();
        epochs.raise(&prefix("s", "tar"), Depth::Hard, Timestamp::at(Duration::ZERO));
        assert!(!epochs.stands(Depth::Hard, &target, &Tags::default(), begun), "{at}");
        assert!(epochs.stands(Depth::Hard, &target, &Tags::default(), epochs.now()), "{at}");
    }
    assert!(taken > 5, "{taken} of {}", bytes.len());
}

#[test]
fn a_purge_costs_the_same_however_much_was_purged() {
    let epochs = Epochs::default();
    for number in 0..10_000 {
        epochs.raise(&prefix("s", &format!("{number}/")), Depth::Hard, at(1));
        epochs.raise(&tag("s", &number.to_string()), Depth::Hard, at(1));
        epochs.raise(&Scope::object(&object("s", &number.to_string())), Depth::Hard, at(1));
    }
    assert_eq!(epochs.prefixes.load().list().len(), prefixes::MOST);
    assert!(epochs.to_bytes().len() < 1 << 20);
}
