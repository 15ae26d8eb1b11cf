//! Purges: by every scope, soft and hard, and against work that is under way.

use std::sync::Arc;

use pictor::cache::{Depth, Scope};

use crate::support::scripted::{Behaviour, Gate};
use crate::support::tiers::{Map, Mood};
use crate::{House, ask, origin, picture, process, question, scopes, site};

/// A hard purge of any scope parts with what was made though the origin says that nothing has changed; a soft one has the
/// origin asked. What the scope does not cover stays.
#[tokio::test(flavor = "multi_thread")]
async fn each_scope_parts_with_what_it_covers() {
    for scope in scopes() {
        for depth in [Depth::Soft, Depth::Hard] {
            let own = origin(&["/a/1.png"], &[("Surrogate-Key", "blue red"), ("Cache-Tag", "green")]);
            own.script("/b/2.png", Behaviour::ok(&[("ETag", "\"2\"")], picture("chelsea.png")));
            let other = origin(&["/a/1.png"], &[("Surrogate-Key", "red")]);
            let house = House::new();
            let (s, t) = (site("s", &own), site("t", &other));
            let (covered, beside, elsewhere) =
                (question(&s, "/a/1.png"), question(&s, "/b/2.png"), question(&t, "/a/1.png"));
            for question in [&covered, &beside, &elsewhere] {
                assert_eq!(house.told(question).await, "pictor; fwd=miss; stored");
                assert_eq!(house.told(question).await, "pictor; hit");
            }
            house.shield.purge(&scope, depth);
            let converted = house.conversions();
            // After a soft purge what was made of the same bytes is used again.
            let after = if depth == Depth::Hard { "pictor; fwd=miss; stored" } else { "pictor; fwd=miss" };
            assert_eq!(house.told(&covered).await, after, "{scope:?} {depth:?}");
            assert_eq!(own.count("/a/1.png"), 2, "{scope:?} {depth:?}");
            assert_eq!(house.conversions() - converted, usize::from(depth == Depth::Hard));
            assert_eq!(house.told(&covered).await, "pictor; hit");
            let whole = matches!(scope, Scope::Site { .. });
            assert_eq!(house.told(&beside).await == "pictor; hit", !whole, "{scope:?}");
            assert_eq!(house.told(&elsewhere).await, "pictor; hit", "{scope:?}");
        }
    }
}

/// What was asked of the origin before a purge is no answer to who comes after it, whatever the scope: not even to who asks
/// while the old work goes on.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_began_before_a_purge_is_nothing_after_it() {
    for scope in scopes() {
        for depth in [Depth::Soft, Depth::Hard] {
            let (gate, own) = (Gate::default(), origin(&[], &[]));
            let fields = |tag| [("ETag", tag), ("Surrogate-Key", "red")];
            own.script("/a/1.png", Behaviour::ok(&fields("\"1\""), picture("sample.png")).after(&gate));
            let house = Arc::new(House::new());
            let asked = question(&site("s", &own), "/a/1.png");
            let before = tokio::spawn({
                let (house, asked) = (house.clone(), asked.clone());
                async move { house.get(&asked).await.unwrap() }
            });
            tokio::task::block_in_place(|| own.wait_for("/a/1.png", 1));
            house.shield.purge(&scope, depth);
            own.script("/a/1.png", Behaviour::ok(&fields("\"2\""), picture("chelsea.png")));
            let after = house.get(&asked).await.unwrap();
            gate.open();
            let before = before.await.unwrap();
            assert_eq!(before.status.to_string(), "pictor; fwd=miss", "{scope:?}: of before, and not kept");
            let later = house.get(&asked).await.unwrap();
            assert_eq!(later.status.to_string(), "pictor; hit", "{scope:?}");
            let tag = |delivery: &pictor::shield::Delivery| delivery.variant.meta.etag.clone();
            assert_eq!(tag(&later), tag(&after));
            assert_ne!(tag(&later), tag(&before), "{scope:?} {depth:?}");
        }
    }
}

/// Another site's purges, and another tag's of what is there, take nothing away.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_meant_is_not_asked_again() {
    let own = origin(&["/a/1.png"], &[("Cache-Tag", "red, blue")]);
    let house = House::new();
    let asked = question(&site("s", &own), "/a/1.png");
    house.get(&asked).await.unwrap();
    let (s, t) = (|| Arc::from("s"), || Arc::from("t"));
    for scope in [
        Scope::Site { site: t() },
        Scope::Tag { site: t(), tag: "red".into() },
        Scope::Tag { site: s(), tag: "green".into() },
        Scope::Tag { site: s(), tag: "Red".into() },
        Scope::Prefix { site: s(), prefix: "/a/".into() },
        Scope::Prefix { site: s(), prefix: "a/1.png/".into() },
        Scope::Object { site: s(), key: "a/1".into() },
    ] {
        house.shield.purge(&scope, Depth::Hard);
        assert_eq!(house.told(&asked).await, "pictor; hit", "{scope:?}");
    }
    house.shield.purge(&Scope::Tag { site: s(), tag: "blue".into() }, Depth::Hard);
    assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored");
}

/// An object that has a tag now loses what was made of it before it had one: that is what a purge of the tag is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_counts_from_when_the_origin_gives_it() {
    let own = origin(&["/a.png"], &[]);
    let house = House::new();
    let asked = question(&site("s", &own), "/a.png");
    house.get(&asked).await.unwrap();
    own.script("/a.png", Behaviour::ok(&[("ETag", "\"2\""), ("Surrogate-Key", "red")], picture("sample.png")));
    house.shield.invalidate(&asked.object);
    assert_eq!(house.told(&asked).await, "pictor; fwd=miss", "the same bytes");
    let red = Scope::Tag { site: "s".into(), tag: "red".into() };
    house.shield.purge(&red, Depth::Hard);
    assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored");
    // And when the origin takes it away, what was made under it goes with it once more.
    own.script("/a.png", Behaviour::ok(&[("ETag", "\"3\"")], picture("sample.png")));
    house.shield.purge(&red, Depth::Hard);
    assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored");
    house.shield.purge(&red, Depth::Hard);
    assert_eq!(house.told(&asked).await, "pictor; hit");
}

/// A picture goes with its mark, by whatever that is purged.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_of_a_mark_is_one_of_what_is_marked() {
    let own = origin(&["/a.png"], &[("Surrogate-Key", "blue")]);
    own.script("/m.png", Behaviour::ok(&[("ETag", "\"m\""), ("Surrogate-Key", "red")], picture("chelsea.png")));
    let tier = Map::new(Mood::Well);
    let house = process(&tier);
    // The mark's URL is http://t/m.png.
    let asked = ask(&site("s", &own), "/a.png", "watermark/1/image/aHR0cDovL3QvbS5wbmc=");
    assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored");
    let both = ["red", "blue"];
    tier.holds(|entries| entries.len() == 1 && both.iter().all(|tag| entries[0].tags.has("s", tag))).await;
    let s = || Arc::from("s");
    for scope in [
        Scope::Tag { site: s(), tag: "red".into() },
        Scope::Tag { site: s(), tag: "blue".into() },
        Scope::Prefix { site: s(), prefix: "m".into() },
        Scope::Object { site: s(), key: "m.png".into() },
    ] {
        assert_eq!(house.told(&asked).await, "pictor; hit", "{scope:?}");
        tier.set(Mood::Frozen);
        house.shield.purge(&scope, Depth::Hard);
        assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored", "{scope:?}");
    }
    assert_eq!(house.conversions(), 5);
}

/// An error that a picture has earned goes with a hard purge too.
#[tokio::test(flavor = "multi_thread")]
async fn errors_go_with_what_they_were_the_answer_to() {
    let house = House::new();
    let own = origin(&[], &[]);
    own.script("/a.png", Behaviour::status(404));
    own.script("/b.png", Behaviour::ok(&[("ETag", "\"1\"")], "no picture"));
    let s = site("s", &own);
    for (path, fetches) in [("/a.png", [1, 1, 2]), ("/b.png", [1, 1, 2])] {
        let asked = question(&s, path);
        let mut counts = Vec::new();
        for purged in [false, false, true] {
            if purged {
                house.shield.purge(&Scope::Prefix { site: "s".into(), prefix: path[1..].into() }, Depth::Hard);
            }
            house.get(&asked).await.unwrap_err();
            counts.push(own.count(path));
        }
        assert_eq!(counts, fetches, "{path}");
    }
}
