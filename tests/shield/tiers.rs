//! Tiers behind the memory: shared by two shields as by two processes, slow, broken, and older than a purge.

use std::sync::Arc;
use std::time::Duration;

use pictor::cache::{Cache, CacheTier, Depth, Scope};
use pictor::clock::{TimeSource, Timestamp};
use pictor::config::CacheConfig;
use pictor::shield::Question;

use crate::support::scripted::Behaviour;
use crate::support::tiers::{Map, Mood, check};
use crate::{House, origin, picture, process, question, scopes, site};

/// Asks, and waits until the tier has the answer. Gives what was told.
async fn made(house: &House, asked: &Question, tier: &Map) -> String {
    let delivery = house.get(asked).await.unwrap();
    let body = delivery.variant.body.clone();
    tier.holds(|entries| entries.iter().any(|entry| entry.bytes.ends_with(&body))).await;
    delivery.status.to_string()
}

#[tokio::test]
async fn a_map_conforms() {
    check(&Map::new(Mood::Well)).await;
}

/// What one process has made, another gives without converting.
#[tokio::test(flavor = "multi_thread")]
async fn another_process_starts_warm() {
    let (own, tier) = (origin(&["/a.png"], &[]), Map::new(Mood::Well));
    let s = site("s", &own);
    let asked = question(&s, "/a.png");
    let (one, two) = (process(&tier), process(&tier));
    assert_eq!(made(&one, &asked, &tier).await, "pictor; fwd=miss; stored");
    // The origin has to say what the object is; its picture is there.
    let first = one.get(&asked).await.unwrap();
    let second = two.get(&asked).await.unwrap();
    assert_eq!(second.status.to_string(), "pictor; fwd=miss; stored; detail=map");
    assert_eq!((&second.variant.meta, &second.variant.body), (&first.variant.meta, &first.variant.body));
    assert_eq!(two.told(&asked).await, "pictor; hit");
    assert_eq!(two.shield.results.taken(), one.shield.results.taken(), "it has room of its own here");
    // A process that knows the object asks nobody but the tier.
    let three = process(&Map::new(Mood::Gone));
    three.get(&asked).await.unwrap();
    let four = process(&tier);
    let plain = Question { canonical: "another".into(), ..asked.clone() };
    four.get(&plain).await.unwrap();
    let fetched = own.count("/a.png");
    let told = four.get(&asked).await.unwrap().status;
    assert_eq!((told.to_string().as_str(), told.part().name()), ("pictor; hit; detail=map", "tier"));
    assert_eq!((own.count("/a.png"), four.told(&asked).await.as_str()), (fetched, "pictor; hit"));
    assert_eq!([&one, &two, &three, &four].map(House::conversions), [1, 0, 1, 1]);
}

/// A thousand who ask at once ask the tier once.
#[tokio::test(flavor = "multi_thread")]
async fn many_ask_a_tier_once() {
    let (own, tier) = (origin(&["/a.png"], &[]), Map::new(Mood::Well));
    let asked = question(&site("s", &own), "/a.png");
    made(&process(&tier), &asked, &tier).await;
    let (house, before) = (Arc::new(process(&tier)), tier.finds());
    tier.set(Mood::Gated);
    let all: Vec<_> = (0..1000)
        .map(|_| {
            let (house, asked) = (house.clone(), asked.clone());
            tokio::spawn(async move { house.told(&asked).await })
        })
        .collect();
    tier.gate.notify_one();
    for one in all {
        let told = one.await.unwrap();
        assert!(told.ends_with("detail=map") || told == "pictor; hit", "{told}");
    }
    assert_eq!((tier.finds() - before, house.conversions()), (1, 0));
}

/// What a tier still has after a purge is not given, whatever the scope: not by the process that was told of it, nor by the
/// next one that knows what it knew.
#[tokio::test(flavor = "multi_thread")]
async fn no_tier_undoes_a_purge() {
    for scope in scopes() {
        let own = origin(&["/a/1.png"], &[("Surrogate-Key", "red")]);
        let (tier, s) = (Map::new(Mood::Well), site("s", &own));
        let asked = question(&s, "/a/1.png");
        let house = process(&tier);
        made(&house, &asked, &tier).await;
        tier.set(Mood::Frozen);
        house.shield.purge(&scope, Depth::Hard);
        let finds = tier.finds();
        assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored", "{scope:?}");
        assert_eq!((tier.finds() - finds, house.conversions()), (1, 2), "it was asked, and not believed");
        let next = process(&tier);
        next.shield.cache.epochs.learn(&house.shield.cache.epochs.to_bytes()).unwrap();
        assert_eq!(next.told(&asked).await, "pictor; fwd=miss; stored", "{scope:?}");
        // What has been made since is given by it, once it has that.
        tier.told(3, 1).await;
        tier.set(Mood::Well);
        house.shield.purge(&Scope::object(&asked.object), Depth::Hard);
        tier.told(3, 2).await;
        assert_eq!(tier.entries(), 0);
        made(&house, &asked, &tier).await;
        let last = process(&tier);
        last.shield.cache.epochs.learn(&house.shield.cache.epochs.to_bytes()).unwrap();
        assert_eq!(last.told(&asked).await, "pictor; fwd=miss; stored; detail=map", "{scope:?}");
        assert_eq!((next.conversions(), last.conversions()), (1, 0));
    }
}

/// Nor one that answers when the purge is over, to work that began before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_tier_gives_late_is_held_against_the_purge() {
    for scope in scopes() {
        let own = origin(&["/a/1.png"], &[("Cache-Tag", "red")]);
        let tier = Map::new(Mood::Well);
        let asked = question(&site("s", &own), "/a/1.png");
        made(&process(&tier), &asked, &tier).await;
        let house = Arc::new(process(&tier));
        tier.set(Mood::Gated);
        let finds = tier.finds();
        let before = tokio::spawn({
            let (house, asked) = (house.clone(), asked.clone());
            async move { house.told(&asked).await }
        });
        while tier.finds() == finds {
            tokio::task::yield_now().await;
        }
        house.shield.purge(&scope, Depth::Hard);
        tier.set(Mood::Gone);
        tier.gate.notify_one();
        assert_eq!(before.await.unwrap(), "pictor; fwd=miss", "{scope:?}: made anew, and not kept");
        assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored");
        assert_eq!(house.conversions(), 2);
    }
}

/// Purged is purged: a tier that can lets go what nobody may be given any more. After a write it has its entries still, and what
/// is made of the same bytes is right.
#[tokio::test(flavor = "multi_thread")]
async fn tiers_let_go_what_hard_purges_part_with() {
    let (own, tier) = (origin(&["/a.png", "/b.png"], &[]), Map::new(Mood::Well));
    let s = site("s", &own);
    let house = process(&tier);
    own.script("/b.png", Behaviour::ok(&[("ETag", "\"b\"")], picture("chelsea.png")));
    let (a, b) = (question(&s, "/a.png"), question(&s, "/b.png"));
    made(&house, &a, &tier).await;
    made(&house, &b, &tier).await;
    house.shield.purge(&Scope::object(&a.object), Depth::Hard);
    tier.holds(|entries| entries.iter().map(|entry| &*entry.key.object.key).eq(["b.png"])).await;
    house.shield.invalidate(&b.object);
    assert_eq!(process(&tier).told(&b).await, "pictor; fwd=miss; stored; detail=map");
}

/// A tier that never answers costs its patience, one that gives something else costs a conversion.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_tier_costs_a_conversion() {
    let own = origin(&["/a.png"], &[]);
    own.script("/b.png", Behaviour::ok(&[("ETag", "\"b\"")], picture("chelsea.png")));
    let s = site("s", &own);
    let (a, b) = (question(&s, "/a.png"), question(&s, "/b.png"));
    for mood in [Mood::Silent, Mood::Damaged, Mood::Gone] {
        let tier = Map::new(Mood::Well);
        made(&process(&tier), &a, &tier).await;
        let (house, finds) = (process(&tier), tier.finds());
        tier.set(mood);
        let told = tokio::time::timeout(Duration::from_secs(60), house.told(&a)).await.unwrap();
        assert_eq!((told.as_str(), tier.finds() - finds), ("pictor; fwd=miss; stored", 1), "{mood:?}");
    }
    let tier = Map::new(Mood::Well);
    made(&process(&tier), &a, &tier).await;
    tier.set(Mood::Mixed);
    let house = process(&tier);
    assert_eq!(house.told(&b).await, "pictor; fwd=miss; stored", "another key's");
    assert_eq!(house.conversions(), 1);
    tier.holds(|entries| entries.len() == 2).await;
}

/// An entry that bears the number of a purge to come would stand against all purges until then: the clock of who made it is
/// wrong, or ours.
#[tokio::test(flavor = "multi_thread")]
async fn what_bears_a_number_to_come_is_refused() {
    let (own, tier) = (origin(&["/a.png"], &[]), Map::new(Mood::Well));
    let asked = question(&site("s", &own), "/a.png");
    let start = Timestamp::at(Duration::from_secs(1_800_000_000));
    let at = |now| {
        let mut cache = Cache::new(&CacheConfig::default());
        cache.clock = TimeSource::by_hand(now);
        cache.tiers = vec![Arc::new(tier.clone())];
        House::with(cache)
    };
    let moment = Duration::from_nanos(1);
    let ahead = at(start.after(moment));
    ahead.shield.purge(&Scope::Site { site: "t".into() }, Depth::Soft);
    made(&ahead, &asked, &tier).await;
    tier.set(Mood::Frozen);
    assert_eq!(at(start).told(&asked).await, "pictor; fwd=miss; stored");
    assert_eq!(at(start.after(moment)).told(&asked).await, "pictor; fwd=miss; stored; detail=map");
}

/// What a slow tier has goes to those before it.
#[tokio::test(flavor = "multi_thread")]
async fn what_lies_behind_comes_forward() {
    let own = origin(&["/a.png"], &[]);
    let (near, far) = (Map::new(Mood::Well), Map::new(Mood::Well));
    let asked = question(&site("s", &own), "/a.png");
    made(&process(&far), &asked, &far).await;
    let mut cache = Cache::new(&CacheConfig::default());
    cache.tiers = vec![Arc::new(near.clone()), Arc::new(far.clone())];
    let house = House::with(cache);
    assert_eq!(made(&house, &asked, &near).await, "pictor; fwd=miss; stored; detail=map");
    assert_eq!((near.finds(), near.entries(), house.conversions()), (1, 1, 0));
    assert_eq!(process(&near).told(&asked).await, "pictor; fwd=miss; stored; detail=map");
}
