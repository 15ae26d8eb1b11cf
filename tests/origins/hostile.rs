//! Servers that are slow, short, wrong or gone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use pictor::config::origin::Timeouts;
use pictor::error::{Error, Kind};
use pictor::origin::{ByteRange, Fetched, FetchedWhole, ObjectKey, Origin, PutOptions, ReadConditions, fetch_whole};

use super::http;
use super::support::conformance::key;
use super::support::free_port;
use super::support::scripted::{Behaviour, Gate, ScriptedOrigin};

const SHORT: Timeouts = Timeouts {
    connect: Duration::from_millis(100),
    read: Duration::from_millis(200),
    total: Duration::from_millis(600),
};

fn start(timeouts: Timeouts) -> (ScriptedOrigin, Arc<dyn Origin>) {
    let server = ScriptedOrigin::start();
    let origin = http(&server.url(), timeouts);
    (server, origin)
}

async fn fetch(origin: &dyn Origin, path: &str) -> Result<Bytes, Error> {
    let name = ObjectKey::from_raw_path(path).unwrap();
    let fetched = fetch_whole(origin, &name, &ReadConditions::default(), 1 << 20, origin.total_timeout()).await?;
    match fetched {
        FetchedWhole::Object { bytes, .. } => Ok(bytes),
        FetchedWhole::Unchanged => panic!("unchanged without conditions"),
    }
}

/// Fetches a path that behaves like this; the kind of the error and how often the path was asked for.
async fn outcome(behaviour: Behaviour) -> (Kind, usize) {
    let (server, origin) = start(Timeouts::default());
    server.script("/x", behaviour);
    let error = fetch(&*origin, "/x").await.unwrap_err();
    (error.kind, server.count("/x"))
}

#[tokio::test]
async fn early_ends_are_never_answers() {
    let short = Behaviour::Short { announced: 100, body: vec![b'x'; 99] };
    assert_eq!(outcome(short).await, (Kind::OriginShort, 1));
    let nothing = Behaviour::Short { announced: 100, body: Vec::new() };
    assert_eq!(outcome(nothing).await, (Kind::OriginShort, 1));
    let chunked = Behaviour::Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec());
    assert_eq!(outcome(chunked).await, (Kind::OriginShort, 1));
    let reset = Behaviour::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello".to_vec());
    assert_eq!(outcome(reset).await, (Kind::OriginShort, 1));
}

#[tokio::test]
async fn a_broken_connection_is_tried_once_more() {
    assert_eq!(outcome(Behaviour::Reset(Vec::new())).await, (Kind::OriginFailed, 2));
    assert_eq!(outcome(Behaviour::Raw(Vec::new())).await, (Kind::OriginFailed, 2));

    let (server, origin) = start(Timeouts::default());
    server.sequence("/x", [Behaviour::Reset(Vec::new()), Behaviour::ok(&[], "fine")]);
    assert_eq!(fetch(&*origin, "/x").await.unwrap(), "fine");
    assert_eq!(server.count("/x"), 2);

    // A write may have been done.
    server.script("/w", Behaviour::Reset(Vec::new()));
    let put = origin.put(&key("w"), Bytes::from_static(b"x"), &PutOptions::default()).await;
    assert_eq!((put.unwrap_err().kind, server.count("/w")), (Kind::OriginFailed, 1));
}

#[tokio::test]
async fn statuses_are_never_tried_again() {
    for (status, kind) in [
        (400, Kind::BadRequest),
        (401, Kind::Forbidden),
        (403, Kind::Forbidden),
        (404, Kind::NotFound),
        (410, Kind::NotFound),
        (429, Kind::OriginFailed),
        (500, Kind::OriginFailed),
        (503, Kind::OriginFailed),
        (504, Kind::OriginTimeout),
        (204, Kind::OriginFailed),
        (206, Kind::OriginFailed),
        (304, Kind::OriginFailed),
    ] {
        assert_eq!(outcome(Behaviour::status(status)).await, (kind, 1), "{status}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let (server, origin) = start(Timeouts::default());
    let elsewhere = ScriptedOrigin::start();
    server.script("/x", Behaviour::reply(302, &[("Location", &format!("{}/y", elsewhere.url()))], ""));
    assert_eq!(fetch(&*origin, "/x").await.unwrap_err().kind, Kind::OriginFailed);
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn slowness_has_its_limits() {
    let (server, origin) = start(SHORT);
    server.script("/silent", Behaviour::Silent);
    server.script("/stall", Behaviour::Stall { announced: 100, body: b"hello".to_vec() });
    // Each byte comes in time, all of them do not.
    server.script("/trickle", Behaviour::Trickle { body: vec![b'x'; 1000], pause: Duration::from_millis(50) });
    for path in ["/silent", "/stall", "/trickle"] {
        let begin = Instant::now();
        assert_eq!(fetch(&*origin, path).await.unwrap_err().kind, Kind::OriginTimeout, "{path}");
        assert!(begin.elapsed() < Duration::from_secs(5), "{path}");
        assert_eq!(server.count(path), 1, "{path}");
    }
}

#[tokio::test]
async fn too_much_is_refused_early() {
    assert_eq!(outcome(Behaviour::Endless).await, (Kind::SourceBytes, 1));
    // Refused by what it announces: not a byte of the body has come.
    let (server, origin) = start(SHORT);
    server.script("/x", Behaviour::Stall { announced: 1 << 40, body: Vec::new() });
    assert_eq!(fetch(&*origin, "/x").await.unwrap_err().kind, Kind::SourceBytes);
    server.script("/y", Behaviour::Stall { announced: (1 << 20) + 1, body: Vec::new() });
    assert_eq!(fetch(&*origin, "/y").await.unwrap_err().kind, Kind::SourceBytes);
}

#[tokio::test]
async fn nonsense_is_a_failure() {
    for (name, head) in [
        ("no HTTP", "SSH-2.0-OpenSSH\r\n\r\n"),
        ("two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
        ("no number of bytes", "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello"),
        ("negative length", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"),
        ("compressed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"),
    ] {
        assert_eq!(outcome(Behaviour::Raw(head.into())).await.0, Kind::OriginFailed, "{name}");
    }
}

#[tokio::test]
async fn identity_is_an_encoding_like_none() {
    let (server, origin) = start(Timeouts::default());
    server.script("/x", Behaviour::ok(&[("Content-Encoding", "identity")], "plain"));
    assert_eq!(fetch(&*origin, "/x").await.unwrap(), "plain");
    // Old servers end the body with the connection.
    server.script("/old", Behaviour::Raw(b"HTTP/1.0 200 OK\r\n\r\nold".to_vec()));
    assert_eq!(fetch(&*origin, "/old").await.unwrap(), "old");
    // What comes after the announced length is not part of the body.
    server.script("/more", Behaviour::Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour and more".to_vec()));
    assert_eq!(fetch(&*origin, "/more").await.unwrap(), "four");
}

#[tokio::test]
async fn ranges_are_checked_against_the_question() {
    let (server, origin) = start(Timeouts::default());
    let get =
        async |path: &str| origin.get(&key(path), Some(ByteRange::Within(2, 3)), &ReadConditions::default()).await;
    server.script("/other", Behaviour::reply(206, &[("Content-Range", "bytes 0-1/10")], "01"));
    server.script("/longer", Behaviour::reply(206, &[("Content-Range", "bytes 2-5/10")], "2345"));
    server.script("/none", Behaviour::reply(206, &[], "23"));
    server.script("/lie", Behaviour::reply(206, &[("Content-Range", "bytes 2-3/10")], "234"));
    for path in ["other", "longer", "none", "lie"] {
        assert_eq!(get(path).await.map(|_| ()).unwrap_err().kind, Kind::OriginFailed, "{path}");
    }
    // A server may ignore the range.
    server.script("/all", Behaviour::ok(&[], "0123456789"));
    let Fetched::Object { meta, part: None, mut body } = get("all").await.unwrap() else { panic!("a part") };
    assert_eq!(meta.length, Some(10));
    assert_eq!(body.next().await.unwrap().unwrap(), "0123456789");
}

#[tokio::test]
async fn nobody_there_is_a_failure() {
    let origin = http(&format!("http://127.0.0.1:{}", free_port()), Timeouts::default());
    let error = fetch(&*origin, "/x").await.unwrap_err();
    assert_eq!(error.kind, Kind::OriginFailed);
    assert!(error.told().contains("127.0.0.1"), "{error}");
}

#[tokio::test]
async fn spellings_reach_the_server() {
    let (server, origin) = start(Timeouts::default());
    let odd = "/a%2Fb//c%20d+e%E4%B8%AD;p=1/'(x)'/";
    server.put(odd, "image/png", "odd");
    assert_eq!(fetch(&*origin, odd).await.unwrap(), "odd");
    assert_eq!(fetch(&*origin, "/a%2fb//%63%20d+e中;p=1/'(x)'/").await.unwrap(), "odd");
    let name = |path: &str| origin.identity(&ObjectKey::from_raw_path(path).unwrap());
    assert_eq!(name("/a%2fb%7e"), name("/a%2Fb~"));
    assert_ne!(name("/a%2Fb"), name("/a/b"));
}

#[tokio::test]
async fn connections_are_used_again() {
    let (server, origin) = start(Timeouts::default());
    server.put("/x", "image/png", "x");
    for _ in 0..5 {
        assert_eq!(fetch(&*origin, "/x").await.unwrap(), "x");
    }
    assert_eq!((server.count("/x"), server.connections()), (5, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_waits_gets_its_answer() {
    let (server, origin) = start(Timeouts::default());
    let gate = Gate::default();
    server.script("/x", Behaviour::ok(&[], "late").after(&gate));
    let waiting = tokio::spawn(async move { fetch(&*origin, "/x").await });
    server.wait_for("/x", 1);
    gate.open();
    assert_eq!(waiting.await.unwrap().unwrap(), "late");
}
