//! What time decides, with a clock that a test sets.

use std::time::Duration;

use pictor::cache::Cache;
use pictor::clock::{TimeSource, Timestamp};
use pictor::config::CacheConfig;

use crate::support::scripted::Behaviour;
use crate::{House, origin, question, site};

const START: Timestamp = Timestamp::at(Duration::from_secs(1_800_000_000));
const HOUR: Duration = Duration::from_secs(3600);
const MOMENT: Duration = Duration::from_nanos(1);

fn house() -> (House, TimeSource) {
    let mut cache = Cache::new(&CacheConfig::default());
    cache.clock = TimeSource::by_hand(START);
    let clock = cache.clock.clone();
    (House::with(cache), clock)
}

/// The origin is asked again when what it said is as old as it may be, and not a moment before. Its 304 makes it fresh anew.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_fresh_is_given_until_its_time_is_over() {
    let own = origin(&["/a.png"], &[]);
    let (house, clock) = house();
    let asked = question(&site("s", &own), "/a.png");
    assert_eq!(house.told(&asked).await, "pictor; fwd=miss; stored");
    clock.set(START.after(HOUR - MOMENT));
    let hit = house.get(&asked).await.unwrap();
    assert_eq!((hit.status.to_string().as_str(), hit.age), ("pictor; hit", HOUR - MOMENT));
    assert_eq!(own.count("/a.png"), 1);
    own.script("/a.png", Behaviour::reply(304, &[("ETag", "\"1\"")], ""));
    clock.set(START.after(HOUR));
    let again = house.get(&asked).await.unwrap();
    assert_eq!((again.status.to_string().as_str(), again.age), ("pictor; fwd=stale; fwd-status=304", Duration::ZERO));
    assert_eq!(own.last("/a.png").header("if-none-match"), Some("\"1\""));
    clock.set(START.after(2 * HOUR - MOMENT));
    assert_eq!((house.told(&asked).await.as_str(), own.count("/a.png")), ("pictor; hit", 2));
    clock.set(START.after(2 * HOUR));
    assert_eq!((house.told(&asked).await.as_str(), own.count("/a.png")), ("pictor; fwd=stale; fwd-status=304", 3));
    assert_eq!(house.conversions(), 1);
}

/// Errors are given again for as long as their kind says: of an object that is not there, and of bytes that are no picture.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_is_given_until_its_time_is_over() {
    let own = origin(&[], &[]);
    own.script("/none.png", Behaviour::status(404));
    own.script("/text.png", Behaviour::ok(&[("ETag", "\"1\"")], "no picture"));
    let (house, clock) = house();
    let s = site("s", &own);
    for path in ["/none.png", "/text.png"] {
        let asked = question(&s, path);
        let first = house.get(&asked).await.unwrap_err();
        let time = first.error.kind.remember();
        assert!(time > Duration::ZERO && first.status.to_string() == "pictor; fwd=miss; stored");
        let began = clock.now();
        for (later, status) in [(time - MOMENT, "pictor; hit"), (time, "pictor; fwd=miss; stored")] {
            clock.set(began.after(later));
            assert_eq!(house.get(&asked).await.unwrap_err().status.to_string(), status, "{path} {later:?}");
        }
    }
}
