//! Single flight, invalidation, revalidation: how often origin and engine are really asked.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Act, Origin, Pictor, client, demo, site, until};

fn sample() -> Vec<u8> {
    std::fs::read(demo().join("chelsea.png")).unwrap()
}

/// Sends a GET and does not wait for the answer.
async fn ask(pictor: &Pictor, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(pictor.public).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    stream
}

async fn body(mut stream: TcpStream) -> (String, Vec<u8>) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("an answer") + 4;
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), bytes[end..].to_vec())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_cold_requests_make_one_fetch_and_one_conversion_though_the_first_hangs_up() {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(sample())).close_gate();
    let server = "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\nmax_connections_per_client = 0\n";
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Arc::new(Pictor::start(&format!("{server}{config}")).await);
    let path = "/a.png?imageMogr2/thumbnail/300x/format/webp";
    let first = ask(&pictor, path).await;
    until("the fetch has begun", || !origin.seen().is_empty()).await;
    let mut tasks = Vec::new();
    for _ in 0..1000 {
        let pictor = pictor.clone();
        tasks.push(tokio::spawn(async move { body(ask(&pictor, path).await).await }));
    }
    let waiting = "pictor_flights{kind=\"conversion\"}";
    pictor.metric_until(waiting, |flights| flights == 1.0).await;
    drop(first);
    origin.open_gate();
    let mut bodies = Vec::new();
    for task in tasks {
        let (head, body) = task.await.unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        bodies.push(body);
    }
    assert!(bodies.iter().all(|body| *body == bodies[0] && !body.is_empty()));
    assert_eq!(origin.seen().len(), 1, "one fetch");
    assert_eq!(pictor.metric("pictor_conversions_total").await, 1.0, "one conversion");
}

#[tokio::test]
async fn nobody_left_waiting_stops_the_work() {
    let origin = Origin::start().await;
    origin.script("/a.jpg", Act::Give(std::fs::read(demo().join("sample.jpg")).unwrap()));
    let pictor = Pictor::before(&origin).await;
    let alone = ask(&pictor, "/a.jpg?imageMogr2/thumbnail/4000x/format/avif").await;
    pictor.metric_until("pictor_workers{state=\"busy\"}", |busy| busy >= 1.0).await;
    drop(alone);
    pictor.metric_until("pictor_workers{state=\"busy\"}", |busy| busy == 0.0).await;
    assert_eq!(pictor.metric("pictor_conversions_total").await, 0.0);
    assert_eq!(pictor.metric("pictor_flights").await, 0.0);
}

#[tokio::test]
async fn ten_variants_cost_one_fetch_and_a_write_forgets_them_all() {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(sample()));
    let pictor = Pictor::before(&origin).await;
    let get = |width: u32| client().get(pictor.url(&format!("/a.png?imageMogr2/thumbnail/{width}x"))).send();
    for width in 50..60 {
        assert_eq!(get(width).await.unwrap().status(), 200);
    }
    assert_eq!(origin.seen().len(), 1);
    let again = get(50).await.unwrap();
    assert_eq!(again.headers()["cache-status"], "pictor; hit");
    assert!(again.headers().contains_key("age"));

    // The object is written through the shield: the next answer is of the new bytes.
    let before = again.bytes().await.unwrap();
    let other = std::fs::read(demo().join("sample.png")).unwrap();
    origin.script("/a.png", Act::Give(other.clone()));
    let put = client().put(pictor.url("/a.png")).body(other).send().await.unwrap();
    assert_eq!(put.status(), 200);
    let after = get(50).await.unwrap();
    // Not always stored: the write may be counted a second time meanwhile, when its request has ended.
    assert!(after.headers()["cache-status"].to_str().unwrap().starts_with("pictor; fwd=miss"));
    assert_ne!(after.bytes().await.unwrap(), before);
}

#[tokio::test]
async fn an_unchanged_object_is_revalidated_without_converting() {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(sample()));
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor = Pictor::start(&format!("{config}[site.cache]\nfresh = \"0s\"\n")).await;
    let url = pictor.url("/a.png?imageMogr2/thumbnail/100x");
    let first = client().get(&url).send().await.unwrap();
    let second = client().get(&url).send().await.unwrap();
    assert_eq!(second.headers()["cache-status"], "pictor; fwd=stale; fwd-status=304");
    assert_eq!(first.headers()["etag"], second.headers()["etag"]);
    assert!(origin.seen()[1].contains("if-none-match: "));
    assert_eq!(pictor.metric("pictor_conversions_total").await, 1.0);
    // A changed one is converted again.
    origin.script("/a.png", Act::Give(std::fs::read(demo().join("sample.png")).unwrap()));
    let third = client().get(&url).send().await.unwrap();
    assert_ne!(first.headers()["etag"], third.headers()["etag"]);
    assert_eq!(pictor.metric("pictor_conversions_total").await, 2.0);
}

#[tokio::test]
async fn two_hosts_never_share_an_entry() {
    let (one, two) = (Origin::start().await, Origin::start().await);
    one.script("/a.png", Act::Give(sample()));
    two.script("/a.png", Act::Give(std::fs::read(demo().join("sample.png")).unwrap()));
    let each = |name: &str, origin: &Origin| {
        format!(
            "[[site]]\nname = \"{name}\"\nhosts = [\"{name}.test\"]\n[site.origin]\nkind = \"http\"\nurl = \"http://{}\"\n",
            origin.address
        )
    };
    let pictor = Pictor::start(&format!("{}{}", each("one", &one), each("two", &two))).await;
    let mut tags = Vec::new();
    for host in ["one.test", "two.test", "ONE.test:80", "two.test."] {
        let url = pictor.url("/a.png?imageMogr2/thumbnail/40x40!");
        let answer = client().get(url).header("Host", host).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
        tags.push(answer.headers()["etag"].clone());
    }
    assert_ne!(tags[0], tags[1]);
    assert_eq!((&tags[0], &tags[1]), (&tags[2], &tags[3]));
    let unknown = client().get(pictor.url("/a.png?imageInfo")).header("Host", "three.test").send().await.unwrap();
    assert_eq!(unknown.status(), 404);
}

#[tokio::test]
async fn what_an_origin_does_wrong_is_said_and_not_kept() {
    let origin = Origin::start().await;
    let picture = sample();
    origin
        .script("/short.png", Act::Short(picture[..picture.len() / 2].to_vec(), picture.len() / 2))
        .script("/moved.png", Act::Status(302))
        .script("/broken.png", Act::Status(500))
        .script("/secret.png", Act::Status(403))
        .script("/endless.png", Act::Zeros(1 << 40))
        .script("/hang.png", Act::Hang);
    let config = site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address));
    let pictor =
        Pictor::start(&format!("{config}[site.origin.timeouts]\nconnect = \"1s\"\nread = \"1s\"\ntotal = \"2s\"\n"))
            .await;
    for (name, status) in [
        ("short", 502),
        ("moved", 502),
        ("broken", 502),
        ("secret", 403),
        ("endless", 400),
        ("hang", 504),
        ("none", 404),
    ] {
        let answer = client().get(pictor.url(&format!("/{name}.png?x-oss-process=image/info"))).send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
        let text = answer.text().await.unwrap();
        assert!(text.contains("<Code>") && text.contains("<RequestId>"), "{name}: {text}");
    }
    // As soon as the origin is well, so is the answer: a transport error is remembered for a second at most.
    origin.script("/short.png", Act::Give(picture));
    let url = pictor.url("/short.png?x-oss-process=image/info");
    let began = std::time::Instant::now();
    while client().get(&url).send().await.unwrap().status() != 200 {
        assert!(began.elapsed() < crate::support::PATIENCE);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
