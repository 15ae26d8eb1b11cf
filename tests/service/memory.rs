//! Memory is bounded by the configuration, whatever clients ask for.

use std::sync::Arc;

use crate::support::{Act, Origin, PATIENCE, Pictor, client, demo, until};

const MIB: u64 = 1 << 20;

fn config(origin: &Origin, cache: &str) -> String {
    format!(
        "[engine]\nworkers = 1\n[cache]\n{cache}\n[[site]]\nname = \"t\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"http\"\n\
         url = \"http://{}\"\n[site.limits]\nmax_source_bytes = \"8MiB\"\n",
        origin.address
    )
}

/// 60 cold keys of 4 MiB that come at once, from an origin that then keeps everybody waiting before the last byte. What has
/// no room is refused; hits and small originals go on, though the cache is full of small ones.
#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_cold_keys_takes_no_more_than_its_room() {
    let origin = Origin::start().await;
    let sample = std::fs::read(demo().join("chelsea.png")).unwrap();
    origin.script("/hit.png", Act::Give(sample.clone())).script("/small.png", Act::Give(sample));
    for number in 0..60 {
        origin.script(&format!("/{number}.bmp"), Act::Slow(4 * MIB));
    }
    let cache = "memory = \"8MiB\"\noriginals = \"4MiB\"\nin_flight = \"32MiB\"\nin_flight_wait = \"1s\"";
    let pictor = Arc::new(Pictor::start(&config(&origin, cache)).await);
    let hit = pictor.url("/hit.png?imageMogr2/thumbnail/100x");
    assert_eq!(client().get(&hit).send().await.unwrap().status(), 200);
    for number in 0..14 {
        origin.script(&format!("/warm{number}.bmp"), Act::Zeros(256 << 10));
        let warm = client().get(pictor.url(&format!("/warm{number}.bmp?imageInfo"))).send().await.unwrap();
        assert_eq!(warm.status(), 400, "fetched, and no picture");
    }
    let before = pictor.resident();
    let cold: Vec<_> = (0..60)
        .map(|number| {
            let url = pictor.url(&format!("/{number}.bmp?imageInfo"));
            tokio::spawn(async move { client().get(url).send().await.unwrap() })
        })
        .collect();
    // All have been asked for, and as many as there is room for have come but for their last byte.
    let held = async || pictor.metric("pictor_originals_held_bytes").await as u64;
    let began = std::time::Instant::now();
    while held().await < (20 * MIB) + 14 * (256 << 10) {
        assert!(began.elapsed() < PATIENCE, "{} bytes are held", held().await);
    }
    let (mut peak, mut refused) = (0, 0);
    let mut waiting = Vec::new();
    for (number, task) in cold.into_iter().enumerate() {
        // Meanwhile: a hit, and a small original that nobody has asked for.
        let answer = client().get(&hit).send().await.unwrap();
        assert_eq!(answer.headers()["cache-status"], "pictor; hit");
        if number == 0 {
            let small = client().get(pictor.url("/small.png?imageMogr2/thumbnail/50x")).send().await.unwrap();
            assert_eq!(small.status(), 200);
        }
        peak = peak.max(pictor.resident());
        waiting.push(task);
    }
    until("who finds no room is refused", || waiting.iter().filter(|task| task.is_finished()).count() >= 54).await;
    peak = peak.max(pictor.resident());
    origin.release();
    for task in waiting {
        let answer = task.await.unwrap();
        if answer.status() == 503 {
            refused += 1;
            assert_eq!(answer.headers()["retry-after"], "1");
        } else {
            // Zeros are no picture: it was fetched.
            assert_eq!(answer.status(), 400);
        }
    }
    assert!((54..=55).contains(&refused), "{refused} refused");
    let grown = peak.saturating_sub(before) >> 10;
    assert!(grown <= 36 + 8, "grew by {grown} MiB");
    until("all memory is given back", || pictor.resident() <= before + (18 << 10)).await;
    // The cache keeps one of them, and what it is known by.
    let began = std::time::Instant::now();
    while held().await > 5 * MIB {
        assert!(began.elapsed() < PATIENCE, "{} bytes are held", held().await);
    }
}

/// One that is larger than all the room goes alone, and so does the next.
#[tokio::test(flavor = "multi_thread")]
async fn originals_larger_than_all_the_room_go_one_by_one() {
    let origin = Origin::start().await;
    let cache = "originals = \"0B\"\nin_flight = \"1MiB\"\nin_flight_wait = \"60s\"";
    let pictor = Arc::new(Pictor::start(&config(&origin, cache)).await);
    let asked: Vec<_> = (0..4)
        .map(|number| {
            origin.script(&format!("/{number}.bmp"), Act::Zeros(6 * MIB));
            let url = pictor.url(&format!("/{number}.bmp?imageInfo"));
            tokio::spawn(async move { client().get(url).send().await.unwrap().status() })
        })
        .collect();
    for task in asked {
        assert_eq!(task.await.unwrap(), 400, "fetched, and no picture");
    }
}

/// One that is larger than may be on its way gets the room of the cache that it needs.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_cache_makes_room_for_a_large_original() {
    let origin = Origin::start().await;
    let cache = "originals = \"16MiB\"\nin_flight = \"1MiB\"\nin_flight_wait = \"1s\"";
    let pictor = Pictor::start(&config(&origin, cache)).await;
    for (number, size) in [4, 4, 4, 4, 7].into_iter().enumerate() {
        origin.script(&format!("/{number}.bmp"), Act::Zeros(size * MIB));
        let answer = client().get(pictor.url(&format!("/{number}.bmp?imageInfo"))).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{number}: fetched, and no picture");
    }
    assert!(pictor.metric("pictor_originals_held_bytes").await as u64 >= 15 * MIB, "two others are still there");
}

/// A mark that there is no room for says nothing of its picture: nothing more is fetched for the answer that it fails.
#[tokio::test(flavor = "multi_thread")]
async fn a_mark_that_has_no_room_is_no_reason_to_fetch_more() {
    let origin = Origin::start().await;
    let sample = std::fs::read(demo().join("chelsea.png")).unwrap();
    origin.script("/mark.png", Act::Give(sample.clone())).script("/a.png", Act::Give(sample));
    origin.script("/slow.bmp", Act::Slow(640 << 10));
    let cache = "originals = \"0B\"\nin_flight = \"1MiB\"\nin_flight_wait = \"1s\"";
    let pictor = Arc::new(Pictor::start(&config(&origin, cache)).await);
    let url = pictor.url("/slow.bmp?imageInfo");
    let slow = tokio::spawn(async move { client().get(url).send().await.unwrap().status() });
    let began = std::time::Instant::now();
    while pictor.metric("pictor_originals_held_bytes").await < f64::from(640 << 10) {
        assert!(began.elapsed() < PATIENCE);
    }
    let marked = client().get(pictor.url("/a.png?watermark/1/image_key/bWFyay5wbmc")).send().await.unwrap();
    assert_eq!(marked.status(), 503);
    let asked = |path: &str| origin.seen().iter().any(|head| head.starts_with(&format!("get {path} ")));
    assert!(asked("/mark.png") && !asked("/a.png"));
    origin.release();
    assert_eq!(slow.await.unwrap(), 400);
}

/// Errors, and what is known of objects, weigh what their names take.
#[tokio::test(flavor = "multi_thread")]
async fn long_names_that_lead_nowhere_are_not_kept_without_end() {
    let origin = Origin::start().await;
    let pictor = Pictor::start(&config(&origin, "memory = \"8MiB\"\noriginals = \"4MiB\"")).await;
    let (client, name) = (client(), "x".repeat(12_000));
    let ask = async |number: u32| {
        let url = pictor.url(&format!("/{number}{name}.png?imageInfo"));
        assert_eq!(client.get(url).send().await.unwrap().status(), 404);
    };
    // What a process takes once: threads, connections, tables.
    for number in 0..200 {
        ask(number).await;
    }
    let before = pictor.resident();
    for number in 200..2_200 {
        ask(number).await;
    }
    let grown = pictor.resident().saturating_sub(before) >> 10;
    assert!(grown <= 6, "grew by {grown} MiB");
}
