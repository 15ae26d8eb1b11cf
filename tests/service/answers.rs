//! Answers as HTTP: validators, ranges, HEAD, Vary, errors in the vendor's shape, h2, TLS, stopping.

use std::process::Command;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Act, Origin, Pictor, client, demo, free, site, until};

const PATH: &str = "/chelsea.png?imageMogr2/thumbnail/200x/format/jpg";

#[tokio::test]
async fn validators_ranges_and_head() {
    let pictor = Pictor::demo().await;
    let url = pictor.url(PATH);
    let whole = client().get(&url).send().await.unwrap();
    let headers = whole.headers().clone();
    assert_eq!(headers["content-type"], "image/jpeg");
    assert_eq!(headers["cache-control"], "public, max-age=3600");
    assert!(!headers.contains_key("vary"), "a rule that names its format does not vary");
    let bytes = whole.bytes().await.unwrap();

    let with = |name: &'static str, value: String| client().get(&url).header(name, value).send();
    let tag = headers["etag"].to_str().unwrap().to_owned();
    let same = with("If-None-Match", tag.clone()).await.unwrap();
    assert_eq!((same.status().as_u16(), same.headers()["etag"].to_str().unwrap()), (304, &tag[..]));
    let since = headers["last-modified"].to_str().unwrap().to_owned();
    assert_eq!(with("If-Modified-Since", since).await.unwrap().status(), 304);
    assert_eq!(with("If-None-Match", "\"other\"".into()).await.unwrap().status(), 200);

    let part = with("Range", "bytes=10-19".into()).await.unwrap();
    assert_eq!(part.status(), 206);
    assert_eq!(part.headers()["content-range"], format!("bytes 10-19/{}", bytes.len()));
    assert_eq!(part.bytes().await.unwrap(), bytes.slice(10..20));
    assert_eq!(with("Range", format!("bytes={}-", bytes.len())).await.unwrap().status(), 416);

    // A part of what the client has a part of already, and of nothing else.
    for (validator, status) in [(tag.as_str(), 206), ("\"other\"", 200)] {
        let request = client().get(&url).header("Range", "bytes=10-19").header("If-Range", validator);
        assert_eq!(request.send().await.unwrap().status(), status, "{validator}");
    }
    assert_eq!(with("If-Match", tag.clone()).await.unwrap().status(), 200);
    assert_eq!(with("If-Match", "\"other\"".into()).await.unwrap().status(), 412);

    let head = client().head(&url).send().await.unwrap();
    for name in ["etag", "content-type", "content-length", "last-modified", "cache-control"] {
        assert_eq!(head.headers()[name], headers[name], "{name}");
    }
    assert!(head.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn negotiation_shows_in_vary_and_never_overrides_a_rule() {
    let config = site("kind = \"dir\"\npath = \"DEMO\"");
    let pictor = Pictor::start(&format!("{config}[site.negotiate]\nformats = [\"avif\", \"webp\"]\n")).await;
    let chrome = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
    for (accept, media_type) in [
        (Some(chrome), "image/avif"),
        (Some("image/webp,*/*"), "image/webp"),
        (Some("image/avif;q=0.5,image/webp"), "image/webp"),
        (Some("image/webp;q=0,image/avif;q=0"), "image/png"),
        (Some("*/*"), "image/png"),
        (Some("image/*;q=0.5"), "image/png"),
        (Some(""), "image/png"),
        (Some("IMAGE/WEBP"), "image/webp"),
        (None, "image/png"),
    ] {
        let mut request = client().get(pictor.url("/chelsea.png?imageMogr2/thumbnail/100x"));
        if let Some(accept) = accept {
            request = request.header("Accept", accept);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], media_type, "{accept:?}");
        assert_eq!(answer.headers()["vary"], "Accept", "{accept:?}");
    }
    let fixed = client().get(pictor.url(PATH)).header("Accept", chrome).send().await.unwrap();
    assert_eq!(fixed.headers()["content-type"], "image/jpeg");
}

#[tokio::test]
async fn errors_have_the_vendors_shape() {
    let pictor = Pictor::demo().await;
    let get = |path: &str| client().get(pictor.url(path)).send();
    let tencent = get("/chelsea.png?imageMogr2/thumbnail/0x").await.unwrap();
    assert_eq!(tencent.status(), 400);
    for name in ["x-cos-request-id", "x-errno"] {
        assert!(tencent.headers().contains_key(name), "{name}");
    }
    let text = tencent.text().await.unwrap();
    for element in ["Code", "Message", "Resource", "RequestId", "TraceId"] {
        assert!(
            text.contains(&format!("<{element}>")) && !text.contains(&format!("<{element}></")),
            "{element}: {text}"
        );
    }
    let aliyun = get("/chelsea.png?x-oss-process=image/resize,w_0").await.unwrap();
    assert_eq!((aliyun.status().as_u16(), &aliyun.headers()["x-oss-ec"]), (400, &"0040-00000312".parse().unwrap()));
    let head = client().head(pictor.url("/none.png?x-oss-process=image/info")).send().await.unwrap();
    assert_eq!(head.status(), 404);
    assert!(head.headers().contains_key("x-oss-err"));
    // What is not served yet is refused, not left out in silence.
    assert_eq!(get("/chelsea.png?x-oss-process=image/blindwatermark,content_SGk").await.unwrap().status(), 501);
    let put = client().put(pictor.url("/x.png")).header("Pic-Operations", "{}").body("x").send().await.unwrap();
    assert_eq!(put.status(), 501);
    // ignore-error gives the original instead.
    let original = std::fs::read(demo().join("chelsea.png")).unwrap();
    let ignored = get("/chelsea.png?imageMogr2/thumbnail/9999x/cut/10x10x9000x0/ignore-error/1").await.unwrap();
    assert_eq!(ignored.status(), 200);
    let bytes = ignored.bytes().await.unwrap();
    assert!(bytes == original || bytes.len() < original.len(), "either the original or a result");
}

#[tokio::test]
async fn a_request_that_two_parsers_could_read_differently_is_refused() {
    let pictor = Pictor::demo().await;
    for request in [
        "GET /chelsea.png HTTP/1.1\r\n\r\n",
        "GET /chelsea.png HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "GET /chelsea.png HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET /chelsea.png HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        "GET /chelsea.png HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET /../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /%2e%2e/pictor.toml HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        let mut stream = tokio::net::TcpStream::connect(pictor.public).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = [0; 16];
        let read = stream.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..read]).starts_with("HTTP/1.1 400"), "{request:?}");
    }
    let fat = client().get(pictor.url(PATH)).header("X-Fat", "x".repeat(40 << 10)).send().await.unwrap();
    assert_eq!(fat.status(), 431);
}

#[tokio::test]
async fn h2_by_prior_knowledge_and_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("chain.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", key.to_str().unwrap(), "-out", certificate.to_str().unwrap()])
        .output()
        .expect("openssl; run scripts/setup test");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let tls = free();
    let server = format!(
        "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\nlisten_tls = [\"{tls}\"]\ncertificate = \"{}\"\nprivate_key = \"{}\"\n",
        certificate.display(),
        key.display()
    );
    let pictor = Pictor::start(&format!("{server}{}", site("kind = \"dir\"\npath = \"DEMO\""))).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let plain = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let answer = plain.get(pictor.url(PATH)).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    let authority = reqwest::Certificate::from_pem(&std::fs::read(&certificate).unwrap()).unwrap();
    let secure =
        reqwest::Client::builder().no_proxy().tls_certs_only([authority]).resolve("localhost", tls).build().unwrap();
    let answer = secure.get(format!("https://localhost:{}{PATH}", tls.port())).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.version()), (200, reqwest::Version::HTTP_2));
    assert!(!answer.bytes().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_graceful_stop_lets_requests_in_flight_finish() {
    let origin = Origin::start().await;
    origin.script("/a.png", Act::Give(std::fs::read(demo().join("chelsea.png")).unwrap())).close_gate();
    let mut pictor = Pictor::before(&origin).await;
    let workers = pictor.workers();
    assert!(!workers.is_empty());
    let url = pictor.url("/a.png?imageMogr2/thumbnail/50x");
    let pending = tokio::spawn(async move { client().get(url).send().await.unwrap().bytes().await.unwrap() });
    until("the fetch has begun", || !origin.seen().is_empty()).await;
    let asked = Command::new("kill").args(["-TERM", &pictor.pid().to_string()]).status().unwrap();
    assert!(asked.success());
    let address = pictor.public;
    until("no new connection is taken", || std::net::TcpStream::connect(address).is_err()).await;
    origin.open_gate();
    assert!(!pending.await.unwrap().is_empty());
    until("the process ends", || pictor.child().try_wait().unwrap().is_some()).await;
    let gone = |pid: &u32| !std::path::Path::new(&format!("/proc/{pid}")).exists();
    until("no worker is left behind", || workers.iter().all(gone)).await;
}
