//! What the origin says of an object's version, and what is made of it.

#![allow(clippy::disallowed_methods, reason = "a writer that keeps still now and then")]

use std::os::unix::fs::FileExt;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::shared::scripted::{Behaviour, Gate, ScriptedOrigin};
use crate::support::{PATIENCE, Pictor, client, demo, site};

const PATH: &str = "/a.png?imageMogr2/thumbnail/40x40!";

fn pictures() -> (Vec<u8>, Vec<u8>) {
    let mut one = std::fs::read(demo().join("chelsea.png")).unwrap();
    let mut two = std::fs::read(demo().join("sample.png")).unwrap();
    // Of one length: what follows the end of a PNG is not read.
    let length = one.len().max(two.len());
    one.resize(length, 0);
    two.resize(length, 0);
    (one, two)
}

async fn pictor(origin: &ScriptedOrigin, fresh: &str) -> Pictor {
    let config = site(&format!("kind = \"http\"\nurl = \"{}\"", origin.url()));
    Pictor::start(&format!("{config}[site.cache]\nfresh = \"{fresh}\"\n")).await
}

/// A rewrite that the origin's validators do not show: same second, same length, and no tag, a weak one, or a strong one
/// that is made of just these.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_is_seen_whatever_the_origin_says_of_the_version() {
    let (one, two) = pictures();
    let changed = ("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
    for headers in
        [&[changed][..], &[changed, ("ETag", "W/\"69573ba5-1000\"")], &[changed, ("ETag", "\"69573ba5-1000\"")], &[]]
    {
        let origin = ScriptedOrigin::start();
        let pictor = pictor(&origin, "1h").await;
        origin.script("/a.png", Behaviour::ok(headers, one.clone()));
        let first = client().get(pictor.url(PATH)).send().await.unwrap().bytes().await.unwrap();
        origin.script("/a.png", Behaviour::status(200));
        assert_eq!(client().put(pictor.url("/a.png")).body("new").send().await.unwrap().status(), 200);
        origin.script("/a.png", Behaviour::ok(headers, two.clone()));
        let second = client().get(pictor.url(PATH)).send().await.unwrap().bytes().await.unwrap();
        assert_ne!(first, second, "{headers:?}: the old picture");
        // And back: the bytes are the version, so this one is known.
        origin.script("/a.png", Behaviour::ok(headers, one.clone()));
        assert_eq!(client().put(pictor.url("/a.png")).body("old").send().await.unwrap().status(), 200);
        let third = client().get(pictor.url(PATH)).send().await.unwrap().bytes().await.unwrap();
        assert_eq!(first, third, "{headers:?}");
    }
}

/// Without a tag the bytes are asked for, and tell.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_tag_is_compared_by_its_bytes() {
    let (one, two) = pictures();
    let origin = ScriptedOrigin::start();
    let pictor = pictor(&origin, "0s").await;
    let changed = [("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")];
    origin.script("/a.png", Behaviour::ok(&changed, one));
    let ask = async || client().get(pictor.url(PATH)).send().await.unwrap();
    let first = ask().await;
    assert_eq!(first.headers()["cache-status"], "pictor; fwd=miss; stored");
    let same = ask().await;
    assert_eq!(same.headers()["cache-status"], "pictor; fwd=stale");
    assert_eq!(same.headers()["etag"], first.headers()["etag"]);
    assert_eq!(pictor.metric("pictor_conversions_total").await, 1.0);
    origin.script("/a.png", Behaviour::ok(&changed, two));
    let other = ask().await;
    assert_eq!(other.headers()["cache-status"], "pictor; fwd=stale; stored");
    assert_ne!(other.headers()["etag"], first.headers()["etag"]);
    assert!(origin.seen().iter().all(|seen| seen.header("if-modified-since").is_none()));
}

/// A time that may be the next version's too is nobody's validator (RFC 9110, 8.8.2.2).
#[tokio::test(flavor = "multi_thread")]
async fn a_time_within_its_own_second_is_not_given_on() {
    let (one, _) = pictures();
    let origin = ScriptedOrigin::start();
    let pictor = pictor(&origin, "1h").await;
    let at = "Fri, 02 Jan 2026 03:04:05 GMT";
    for (path, date, given) in [("/a.png", at, false), ("/b.png", "Fri, 02 Jan 2026 03:04:06 GMT", true)] {
        origin.script(path, Behaviour::ok(&[("Last-Modified", at), ("Date", date)], one.clone()));
        let answer = client().get(pictor.url(&format!("{path}?imageMogr2/thumbnail/40x40!"))).send().await.unwrap();
        assert_eq!(answer.headers().contains_key("last-modified"), given, "{date}");
        assert!(answer.headers().contains_key("etag"));
    }
}

/// Nor is a tag asked about that may be made of such a time: the bytes are asked for until it can be believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_tag_within_its_own_second_is_not_believed() {
    let (one, two) = pictures();
    let at = "Fri, 02 Jan 2026 03:04:05 GMT";
    for tag in ["\"69573ba5-1000\"", "W/\"69573ba5-1000\""] {
        let origin = ScriptedOrigin::start();
        let pictor = pictor(&origin, "0s").await;
        let ask = async || client().get(pictor.url(PATH)).send().await.unwrap();
        origin.script("/a.png", Behaviour::ok(&[("ETag", tag), ("Last-Modified", at), ("Date", at)], one.clone()));
        let first = ask().await;
        // Written behind our back, within the second: the same tag for other bytes.
        let later = [("ETag", tag), ("Last-Modified", at), ("Date", "Fri, 02 Jan 2026 03:05:00 GMT")];
        origin.script("/a.png", Behaviour::ok(&later, two.clone()));
        let second = ask().await;
        assert_ne!(second.headers()["etag"], first.headers()["etag"], "{tag}");
        assert_eq!(origin.last("/a.png").header("if-none-match"), None);
        // From now on it can be.
        ask().await;
        assert_eq!(origin.last("/a.png").header("if-none-match"), Some(tag));
    }
}

/// After a hard purge nothing is found that was made before, though the origin says that nothing has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_parts_with_what_was_made() {
    let (one, _) = pictures();
    let origin = ScriptedOrigin::start();
    let pictor = pictor(&origin, "1h").await;
    origin.script("/a.png", Behaviour::ok(&[("ETag", "\"same\"")], one));
    let ask = async |path: &str| {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()["cache-status"].to_str().unwrap().to_owned()
    };
    let marked = "/b.png?watermark/1/image/aHR0cDovL2EvYS5wbmc=";
    origin.script("/b.png", Behaviour::ok(&[("ETag", "\"other\"")], pictures().1));
    for path in [PATH, marked] {
        assert_eq!(ask(path).await, "pictor; fwd=miss; stored");
        assert_eq!(ask(path).await, "pictor; hit");
    }
    let purge = async |path: &str| {
        let url = format!("http://{}{path}", pictor.admin);
        let method = reqwest::Method::from_bytes(b"PURGE").unwrap();
        client().request(method, url).header("Host", "photos.test").send().await.unwrap()
    };
    let done = purge("/a.png").await;
    assert_eq!((done.status().as_u16(), done.text().await.unwrap().as_str()), (200, "{\"purged\":true}\n"));
    for path in [PATH, marked] {
        assert_eq!(ask(path).await, "pictor; fwd=miss; stored", "{path}: nothing old");
        assert_eq!(ask(path).await, "pictor; hit");
    }
    assert_eq!(pictor.metric("pictor_conversions_total").await, 4.0);
    assert!(origin.seen().iter().all(|seen| seen.header("if-none-match").is_none()));
    assert_eq!(purge("/").await.status(), 400, "no object");
}

/// What was asked of the origin before a write or a purge is no answer to who comes after it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_fetched_before_a_write_is_not_kept_after_it() {
    let (one, two) = pictures();
    for purges in [false, true] {
        let origin = ScriptedOrigin::start();
        let pictor = pictor(&origin, "1h").await;
        let gate = Gate::default();
        origin.script("/a.png", Behaviour::ok(&[("ETag", "\"1\"")], one.clone()).after(&gate));
        let url = pictor.url(PATH);
        let before = tokio::spawn(async move { client().get(url).send().await.unwrap() });
        tokio::task::block_in_place(|| origin.wait_for("/a.png", 1));
        if purges {
            let method = reqwest::Method::from_bytes(b"PURGE").unwrap();
            let url = format!("http://{}/a.png", pictor.admin);
            assert_eq!(client().request(method, url).send().await.unwrap().status(), 200);
        } else {
            origin.script("/a.png", Behaviour::status(200));
            assert_eq!(client().put(pictor.url("/a.png")).body("new").send().await.unwrap().status(), 200);
        }
        origin.script("/a.png", Behaviour::ok(&[("ETag", "\"2\"")], two.clone()));
        // Not even who asks while the old work goes on.
        let after = client().get(pictor.url(PATH)).send().await.unwrap();
        gate.open();
        let before = before.await.unwrap();
        assert_eq!(before.headers()["cache-status"], "pictor; fwd=miss", "of before, and not kept");
        assert_ne!(after.headers()["etag"], before.headers()["etag"]);
        let later = client().get(pictor.url(PATH)).send().await.unwrap();
        assert_eq!(later.headers()["etag"], after.headers()["etag"], "purges: {purges}");
    }
}

/// What is converted while a write comes is given to those who wait, and not kept.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_converted_before_a_write_is_not_kept_after_it() {
    let (one, _) = pictures();
    let origin = ScriptedOrigin::start();
    let pictor = pictor(&origin, "1h").await;
    origin.script("/a.png", Behaviour::ok(&[("ETag", "\"1\"")], one.clone()));
    let signal = |name: &str| {
        for pid in pictor.workers() {
            assert!(Command::new("kill").args([name, &pid.to_string()]).status().unwrap().success());
        }
    };
    // Workers that stand still: the conversion lasts until they may go on.
    signal("-STOP");
    let url = pictor.url(PATH);
    let asked = tokio::spawn(async move { client().get(url).send().await.unwrap() });
    let began = Instant::now();
    while pictor.metric("pictor_workers{state=\"busy\"}").await < 1.0 {
        assert!(began.elapsed() < PATIENCE);
    }
    origin.script("/a.png", Behaviour::status(200));
    assert_eq!(client().put(pictor.url("/a.png")).body("new").send().await.unwrap().status(), 200);
    origin.script("/a.png", Behaviour::ok(&[("ETag", "\"1\"")], one));
    signal("-CONT");
    let answer = asked.await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["cache-status"]),
        (200, &"pictor; fwd=miss".parse().unwrap())
    );
    let again = client().get(pictor.url(PATH)).send().await.unwrap();
    // Not always stored: the write may be counted a second time meanwhile, when its request has ended.
    assert!(again.headers()["cache-status"].to_str().unwrap().starts_with("pictor; fwd=miss"));
    assert_eq!(pictor.metric("pictor_conversions_total").await, 2.0);
}

/// How old an answer is counts from when the origin was asked last, for what is made anew of an original in memory too.
#[tokio::test(flavor = "multi_thread")]
async fn the_age_is_that_of_what_the_origin_said() {
    let (one, _) = pictures();
    let origin = ScriptedOrigin::start();
    let pictor = pictor(&origin, "1h").await;
    origin.script("/a.png", Behaviour::ok(&[("ETag", "\"1\"")], one));
    let age = async |path: &str| {
        let answer = client().get(pictor.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers().get("age").map_or(0, |age| age.to_str().unwrap().parse::<u64>().unwrap())
    };
    let began = Instant::now();
    age(PATH).await;
    let first = Instant::now();
    while age(PATH).await < 1 {
        assert!(first.elapsed() < Duration::from_secs(3), "a hit has no age");
    }
    assert!(age(PATH).await <= began.elapsed().as_secs());
    let made = age("/a.png?imageMogr2/thumbnail/41x41!").await;
    assert!((1..=began.elapsed().as_secs()).contains(&made), "{made}");
}

/// While the origin is in trouble, what it said of that is remembered for what has grown old as for what nobody knows.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_about_what_was_known_is_remembered() {
    let (one, _) = pictures();
    let origin = ScriptedOrigin::start();
    let config = site(&format!("kind = \"http\"\nurl = \"{}\"", origin.url()));
    let limits = "[site.limits]\nmax_source_bytes = \"4MiB\"\n";
    let pictor = Pictor::start(&format!("{config}[site.cache]\nfresh = \"0s\"\n{limits}")).await;
    let ask = async || {
        let answer = client().get(pictor.url(PATH)).send().await.unwrap();
        (answer.status().as_u16(), answer.headers()["cache-status"].to_str().unwrap().to_owned())
    };
    origin.script("/a.png", Behaviour::ok(&[("ETag", "\"1\"")], one));
    assert_eq!(ask().await, (200, "pictor; fwd=miss; stored".into()));
    origin.script("/a.png", Behaviour::ok(&[("ETag", "\"2\"")], vec![0; 5 << 20]));
    assert_eq!(ask().await, (400, "pictor; fwd=stale; stored".into()));
    assert_eq!(ask().await, (400, "pictor; hit".into()));
    assert_eq!(origin.count("/a.png"), 2);
}

/// A picture of one colour, as BMP, of 1.5 MB.
fn bitmap(colour: [u8; 3]) -> Vec<u8> {
    let (side, head) = (708_u32, 54_u32);
    let pixels = colour.repeat((side * side) as usize);
    let mut file = b"BM".to_vec();
    for number in [head + side * side * 3, 0, head, 40, side, side, 24 << 16 | 1, 0, 0, 0, 0, 0, 0] {
        file.extend_from_slice(&number.to_le_bytes());
    }
    file.extend_from_slice(&pixels);
    file
}

/// A file that is rewritten in place again and again, half after half, is answered as one of its states or not at all.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_rewritten_is_never_a_mixture() {
    let folder = tempfile::tempdir().unwrap();
    let states = [bitmap([10, 20, 200]), bitmap([200, 20, 10])];
    for (name, state) in ["a.bmp", "b.bmp", "live.bmp"].into_iter().zip([&states[0], &states[1], &states[0]]) {
        std::fs::write(folder.path().join(name), state).unwrap();
    }
    let config = site(&format!("kind = \"dir\"\npath = \"{}\"", folder.path().display()));
    let pictor = Pictor::start(&format!("{config}[site.cache]\nfresh = \"0s\"\n")).await;
    let ask = async |name: &str| {
        let answer = client().get(pictor.url(&format!("/{name}?imageAve"))).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let known = [ask("a.bmp").await, ask("b.bmp").await];
    assert!(known[0].0 == 200 && known[0] != known[1], "{known:?}");
    let (path, over) = (folder.path().join("live.bmp"), Arc::new(AtomicBool::new(false)));
    let stop = over.clone();
    let writer = std::thread::spawn(move || {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        for state in states.iter().cycle() {
            let (first, second) = state.split_at(state.len() / 2);
            file.write_all_at(first, 0).unwrap();
            file.write_all_at(second, first.len() as u64).unwrap();
            // So that it keeps still now and then.
            std::thread::sleep(Duration::from_millis(40));
            if stop.load(Ordering::Relaxed) {
                return;
            }
        }
    });
    let (mut seen, began) = (0, Instant::now());
    while seen < 20 {
        let (status, text) = ask("live.bmp").await;
        match status {
            200 => assert!(known.contains(&(status, text.clone())), "a mixture: {text}"),
            _ => assert_eq!(status, 503, "{text}"),
        }
        seen += usize::from(status == 200);
        let plain = client().get(pictor.url("/live.bmp")).send().await.unwrap();
        if let (200, Ok(bytes)) = (plain.status().as_u16(), plain.bytes().await) {
            assert!(bytes[54..].chunks_exact(3).all(|pixel| *pixel == bytes[54..57]), "a mixture passed through");
        }
        assert!(began.elapsed() < PATIENCE, "{seen} answers");
    }
    over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}
