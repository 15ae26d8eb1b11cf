//! Pass-through: everything that is not image processing reaches the origin as it came, and comes back so, without ever
//! being held whole.

use std::time::Instant;

use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Act, Origin, PATIENCE, Pictor, client, until};

const GIBIBYTE: u64 = 1 << 30;
/// KiB that the service may grow while a GiB goes through.
const GROWTH: u64 = 64 << 10;

#[tokio::test(flavor = "multi_thread")]
async fn a_gibibyte_each_way_within_64_mebibytes() {
    let origin = Origin::start().await;
    origin.script("/big", Act::Zeros(GIBIBYTE)).script("/up", Act::Echo);
    let pictor = Pictor::before(&origin).await;
    assert_eq!(client().get(pictor.url("/none")).send().await.unwrap().status(), 404);
    let before = pictor.resident();

    let mut peak = before;
    let mut down = client().get(pictor.url("/big")).send().await.unwrap().bytes_stream();
    let mut received = 0;
    while let Some(chunk) = down.next().await {
        received += chunk.unwrap().len() as u64;
        if received % (64 << 20) < (64 << 10) {
            peak = peak.max(pictor.resident());
        }
    }
    assert_eq!(received, GIBIBYTE);

    let chunk = bytes::Bytes::from(vec![7; 1 << 20]);
    let body = futures_util::stream::iter((0..1024).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let up = client().put(pictor.url("/up")).body(reqwest::Body::wrap_stream(body)).send();
    let (mut up, began) = (Box::pin(up), Instant::now());
    let answer = loop {
        assert!(began.elapsed() < PATIENCE, "the upload does not end");
        tokio::select! {
            answer = &mut up => break answer.unwrap(),
            () = tokio::time::sleep(std::time::Duration::from_millis(50)) => peak = peak.max(pictor.resident()),
        }
    };
    let text = answer.text().await.unwrap();
    assert!(text.starts_with(&GIBIBYTE.to_string()), "chunked upload: {text}");
    println!("resident before {before} KiB, at most {peak} KiB");
    assert!(peak - before.min(peak) <= GROWTH, "grew from {before} to {peak} KiB");
}

#[tokio::test]
async fn heads_reach_the_origin_as_it_needs_them() {
    let origin = Origin::start().await;
    origin.script("/echo%20a", Act::Echo).script("/a.bin", Act::Give(vec![1, 2, 3]));
    let pictor = Pictor::before(&origin).await;
    let post = client()
        .post(pictor.url("/echo%20a?list&x=%7e"))
        .header("X-Mine", "1")
        .header("Authorization", "mine")
        .body("hello");
    let text = post.send().await.unwrap().text().await.unwrap();
    let (length, head) = text.split_once('\n').unwrap();
    assert_eq!(length, "5");
    assert!(head.starts_with("post /echo%20a?list&x=%7e http/1.1"), "{head}");
    assert!(head.contains(&format!("host: {}", origin.address)), "{head}");
    assert!(
        head.contains("x-mine: 1") && head.contains("authorization: mine"),
        "the origin checks its clients itself: {head}"
    );

    // Fields of one connection stay on it (RFC 9110 section 7.6.1).
    let mut stream = tokio::net::TcpStream::connect(pictor.public).await.unwrap();
    let request = "GET /echo%20a HTTP/1.1\r\nHost: t\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nX-End: 2\r\nTE: trailers\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    let (_, echoed) = text.split_once("\r\n\r\n").unwrap();
    assert!(!echoed.contains("x-mine") && echoed.contains("x-end: 2"), "{echoed}");
    let answer = client().get(pictor.url("/a.bin")).send().await.unwrap();
    for name in ["x-hop", "keep-alive"] {
        assert!(!answer.headers().contains_key(name), "{name}: {:?}", answer.headers());
    }
    assert_eq!(answer.headers()["x-end"], "2");
    assert_eq!(answer.bytes().await.unwrap(), vec![1, 2, 3]);

    let head = client().head(pictor.url("/a.bin")).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.headers()["content-length"].to_str().unwrap()), (200, "3"));
}

#[tokio::test]
async fn a_body_is_sent_only_when_the_origin_says_continue() {
    let origin = Origin::start().await;
    origin.script("/up", Act::Echo);
    let pictor = Pictor::before(&origin).await;
    let mut stream = tokio::net::TcpStream::connect(pictor.public).await.unwrap();
    let head = "PUT /up HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut seen = vec![0; 25];
    stream.read_exact(&mut seen).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("\r\n\r\n5\n"), "{text}");
}

#[tokio::test]
async fn an_origin_that_is_gone_is_a_clear_502() {
    let origin = Origin::start().await;
    origin.script("/short", Act::Short(vec![0; 100], 100));
    let pictor = Pictor::before(&origin).await;
    let broken = client().get(pictor.url("/short")).send().await.unwrap();
    assert!(broken.bytes().await.is_err(), "a short body must not look complete");
    let nowhere =
        Pictor::start(&crate::support::site(&format!("kind = \"http\"\nurl = \"http://{}\"", crate::support::free())))
            .await;
    let answer = client().get(nowhere.url("/x?secret=hush")).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    let text = answer.text().await.unwrap();
    assert!(text.contains("<Code>") && !text.contains("hush"), "{text}");
    until("the failure is logged", || nowhere.logged("pass-through failed")).await;
    let log = nowhere.log.lock().unwrap().join("\n");
    assert!(!log.contains("hush"), "a query reached the log: {log}");
}

#[tokio::test]
async fn a_folder_serves_its_files_and_nothing_else() {
    let pictor = Pictor::demo().await;
    let whole = client().get(pictor.url("/anim.gif")).send().await.unwrap();
    assert_eq!(whole.headers()["content-type"], "image/gif");
    let tag = whole.headers()["etag"].clone();
    let bytes = whole.bytes().await.unwrap();
    let part = client().get(pictor.url("/anim.gif")).header("Range", "bytes=-5").send().await.unwrap();
    assert_eq!(part.bytes().await.unwrap(), bytes.slice(bytes.len() - 5..));
    let same = client().get(pictor.url("/anim.gif")).header("If-None-Match", tag).send().await.unwrap();
    assert_eq!(same.status(), 304);
    for (method, path, status) in
        [("GET", "/", 403), ("GET", "/none", 404), ("PUT", "/x", 403), ("DELETE", "/anim.gif", 403)]
    {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        assert_eq!(client().request(method, pictor.url(path)).send().await.unwrap().status(), status, "{path}");
    }
}
