//! S3 beyond the suite: what the operator gets wrong, and requests that pass through.

#![allow(clippy::disallowed_methods, reason = "signatures have a time")]

use std::path::PathBuf;
use std::time::SystemTime;

use bytes::Bytes;
use pictor::config::OriginConfig;
use pictor::error::{Error, Kind};
use pictor::origin::{Fetched, ObjectKey, Origin, PutOptions, ReadConditions};

use super::build;
use super::support::conformance::key;
use super::support::scripted::{Behaviour, ScriptedOrigin};
use super::support::weed::{ACCESS_KEY, SECRET_KEY, Weed};
use super::support::wire;

fn with_keys(config: OriginConfig, access: Option<PathBuf>, secret: Option<PathBuf>) -> OriginConfig {
    match config {
        OriginConfig::S3 { endpoint, bucket, region, path_style, timeouts, .. } => OriginConfig::S3 {
            endpoint,
            bucket,
            region,
            path_style,
            access_key_env: None,
            secret_key_env: None,
            access_key_file: access,
            secret_key_file: secret,
            timeouts,
        },
        other => other,
    }
}

async fn failure(origin: &dyn Origin) -> Error {
    let error = origin.get(&key("a.jpg"), None, &ReadConditions::default()).await.map(|_| ()).unwrap_err();
    let head = origin.head(&key("a.jpg")).await.unwrap_err();
    assert_eq!(head.kind, error.kind);
    let printed = format!("{error} {error:?} {head:?} {origin:?}");
    assert!(!printed.contains(SECRET_KEY) && !printed.contains("not-the-secret"), "{printed}");
    error
}

#[tokio::test]
async fn wrong_keys_are_the_operators_business() {
    let weed = Weed::shared();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Some(path)
    };
    let config = weed.bucket("keys", true);
    let good = build(&config);
    good.put(&key("a.jpg"), Bytes::from_static(b"a"), &PutOptions::default()).await.unwrap();

    let wrong = with_keys(config.clone(), file("ak", ACCESS_KEY), file("sk", "not-the-secret"));
    let error = failure(&*build(&wrong)).await;
    assert_eq!(error.kind, Kind::OriginFailed);
    assert!(error.told().contains("signature"), "{error}");

    let unknown = with_keys(config.clone(), file("ak2", "AKIDUNKNOWN"), file("sk2", "not-the-secret"));
    let error = failure(&*build(&unknown)).await;
    assert_eq!(error.kind, Kind::OriginFailed);
    assert!(error.told().contains("access key"), "{error}");

    let anonymous = with_keys(config.clone(), None, None);
    assert_eq!(failure(&*build(&anonymous)).await.kind, Kind::Forbidden);
}

#[tokio::test]
async fn a_missing_bucket_is_no_missing_object() {
    let origin = build(&Weed::shared().config("never-made", true));
    let error = origin.get(&key("a.jpg"), None, &ReadConditions::default()).await.map(|_| ()).unwrap_err();
    assert_eq!(error.kind, Kind::OriginFailed);
    assert!(error.told().contains("never-made") && error.told().contains("does not exist"), "{error}");
}

#[tokio::test]
async fn heads_for_pass_through_are_accepted() {
    let weed = Weed::shared();
    for (bucket, path_style) in [("pass-path", true), ("pass-host", false)] {
        let origin = build(&weed.bucket(bucket, path_style));
        let upstream = origin.upstream().unwrap();
        let ask = |method: &str, path: &str, query: Option<&str>, extra: &[(&str, &str)], body: &[u8]| {
            let mut client = http::HeaderMap::new();
            for (name, value) in extra {
                client.insert(http::HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
            }
            let head = upstream.request(method, path, query, &client, SystemTime::now()).unwrap();
            let mut headers = vec![("Host", head.host.as_str())];
            let kept = extra.iter().filter(|(name, _)| !head.drop_headers.contains(name));
            headers.extend(kept.copied());
            headers.extend(head.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())));
            wire::request(&weed.address(), method, &head.path_and_query, &headers, body).unwrap()
        };
        let raw = "/%E4%B8%AD%20a%2bb%2Fc d.jpg";
        let put = ask("PUT", raw, None, &[("x-amz-meta-colour", "deep  blue"), ("authorization", "OSS a:b")], b"body");
        assert_eq!(put.status, 200, "{}", put.text());
        let got = ask("GET", raw, Some("X-Amz-Signature=0&response-content-type=image%2Fpng"), &[], b"");
        assert_eq!((got.status, got.text().as_str()), (200, "body"));
        assert_eq!(got.header("content-type"), Some("image/png"));
        assert_eq!(got.header("x-amz-meta-colour"), Some("deep  blue"));
        let name = ObjectKey::from_raw_path(raw).unwrap();
        assert_eq!(origin.head(&name).await.unwrap().length, Some(4));
        let list = ask("GET", "/", Some("list-type=2&prefix=%E4%B8%AD+a"), &[], b"");
        assert!(list.status == 200 && list.text().contains("a+b/c d.jpg"), "{}", list.text());
        let copy =
            ask("PUT", "/copy.jpg", None, &[("x-amz-copy-source", &format!("/{bucket}{}", name_path(&name)))], b"");
        assert_eq!(copy.status, 200, "{}", copy.text());
        let start = ask("POST", "/multi.jpg", Some("uploads"), &[], b"");
        assert!(start.status == 200 && start.text().contains("UploadId"), "{}", start.text());
        assert_eq!(ask("DELETE", raw, None, &[], b"").status, 204);
    }
}

fn name_path(name: &ObjectKey) -> String {
    format!("/{}", name.canonical())
}

#[tokio::test]
async fn answers_without_sense_are_failures() {
    let server = ScriptedOrigin::start();
    let config = OriginConfig::S3 {
        endpoint: server.url(),
        bucket: "b".into(),
        region: "us-east-1".into(),
        path_style: true,
        access_key_env: None,
        secret_key_env: None,
        access_key_file: None,
        secret_key_file: None,
        timeouts: pictor::config::origin::Timeouts::default(),
    };
    let origin = build(&config);
    let get = async |path: &str, behaviour: Behaviour| {
        server.script(&format!("/b/{path}"), behaviour);
        origin.get(&key(path), None, &ReadConditions::default()).await.map(|_| ()).unwrap_err()
    };
    let html = Behaviour::reply(404, &[("Content-Type", "text/html")], "<html><p>not found");
    assert_eq!(get("html", html).await.kind, Kind::NotFound);
    let error = Behaviour::reply(503, &[], "<Error><Code>SlowDown</Code></Error>");
    let error = get("slow", error).await;
    assert!(error.kind == Kind::OriginFailed && error.told().contains("SlowDown"), "{error}");
    let moved = Behaviour::reply(301, &[("x-amz-bucket-region", "eu-west-1"), ("Location", "http://127.0.0.1:1/")], "");
    let error = get("moved", moved).await;
    assert!(error.kind == Kind::OriginFailed && error.told().contains("eu-west-1"), "{error}");
    let long = Behaviour::reply(500, &[], "x".repeat(1 << 20));
    assert_eq!(get("long", long).await.kind, Kind::OriginFailed);

    server.script("/b/v", Behaviour::ok(&[("x-amz-version-id", "v 1+")], "old"));
    let conditions = ReadConditions { version: Some("v 1+".into()), ..ReadConditions::default() };
    let Ok(Fetched::Object { meta, .. }) = origin.get(&key("v"), None, &conditions).await else { panic!("no object") };
    assert_eq!(meta.version.as_deref(), Some("v 1+"));
    assert_eq!(server.last("/b/v").target, "/b/v?versionId=v%201%2B");

    server.script("/b/", Behaviour::ok(&[], "<html></html>"));
    assert_eq!(origin.list("", None, 10).await.unwrap_err().kind, Kind::OriginFailed);
    server.script("/b/", Behaviour::Endless);
    assert_eq!(origin.list("", None, 10).await.unwrap_err().kind, Kind::OriginFailed);
}
