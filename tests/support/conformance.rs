//! What every object store must do. A store is done when [`check`] passes over it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::StreamExt;
use pictor::error::{Error, Kind};
use pictor::origin::{
    ByteRange, Fetched, FetchedWhole, Meta, ObjectKey, ObjectPart, Origin, PutOptions, ReadConditions, fetch_whole,
};

/// Keys that go wrong where anything is decoded twice, or not at all. No backslash: SeaweedFS makes it a slash.
pub const ODD_KEYS: [&str; 7] = [
    "中文 空格+加号/a&b=c%41#?.jpg",
    "a b.jpg",
    "plus+plus/per%2Fcent.png",
    "semi;colon,comma=equal@at:colon$dollar!bang*star(paren)'quote.gif",
    "~tilde/-_..dots...jpg",
    "brackets[0]{1}|pipe^caret`tick\"double<less>.webp",
    "ümläut/😀.png",
];

/// A store and what it can.
pub struct Store {
    pub origin: Arc<dyn Origin>,
    pub lists: bool,
    /// Whether it keeps the media type that it is given; otherwise it goes by the ending.
    pub keeps_headers: bool,
}

const LIMIT: u64 = 16 << 20;
const TOTAL: Duration = Duration::from_secs(20);

/// The whole suite, one part after the other, each with keys of its own.
pub async fn check(store: &Store) {
    write_and_read(store).await;
    odd_keys(store).await;
    ranges(store).await;
    conditions(store).await;
    missing(store).await;
    overwrite(store).await;
    sizes(store).await;
    listing(store).await;
    deleting(store).await;
    nothing_outside(store).await;
}

pub fn key(text: &str) -> ObjectKey {
    ObjectKey::from_text(text).unwrap()
}

pub fn jpeg() -> PutOptions {
    PutOptions { content_type: "image/jpeg".into(), ..PutOptions::default() }
}

pub async fn put(store: &Store, name: &str, body: &'static [u8]) -> Meta {
    store
        .origin
        .put(&key(name), Bytes::from_static(body), &jpeg())
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

pub async fn whole(store: &Store, key: &ObjectKey) -> Result<(Meta, Bytes), Error> {
    match fetch_whole(&*store.origin, key, &ReadConditions::default(), LIMIT, TOTAL).await? {
        FetchedWhole::Object { meta, bytes, .. } => Ok((meta, bytes)),
        FetchedWhole::Unchanged => panic!("unchanged without conditions"),
    }
}

async fn part(store: &Store, name: &str, range: ByteRange) -> Result<(Meta, Option<ObjectPart>, Vec<u8>), Error> {
    match store.origin.get(&key(name), Some(range), &ReadConditions::default()).await? {
        Fetched::Object { meta, part, mut body } => {
            let mut bytes = Vec::new();
            while let Some(chunk) = body.next().await {
                bytes.extend_from_slice(&chunk?);
            }
            Ok((meta, part, bytes))
        }
        Fetched::Unchanged => panic!("unchanged without conditions"),
    }
}

fn kind<T>(result: Result<T, Error>) -> Kind {
    result.map(|_| ()).expect_err("an error").kind
}

async fn write_and_read(store: &Store) {
    let options = PutOptions {
        content_type: "image/jpeg".into(),
        cache_control: Some("max-age=60".into()),
        content_disposition: Some("inline".into()),
    };
    let name = key("first/object.jpg");
    let before = SystemTime::now();
    let put = store.origin.put(&name, Bytes::from_static(b"0123456789"), &options).await.unwrap();
    let head = store.origin.head(&name).await.unwrap();
    let (meta, bytes) = whole(store, &name).await.unwrap();
    assert_eq!(bytes, "0123456789");
    // The same at any time.
    assert_eq!(Meta { date: None, ..meta }, Meta { date: None, ..head.clone() });
    assert_eq!(head.length, Some(10));
    assert_eq!(head.content_type, "image/jpeg");
    assert!(head.etag.as_ref().is_some_and(|etag| etag.starts_with('"') && etag.ends_with('"')), "{head:?}");
    assert_eq!(put.etag, head.etag);
    let modified = head.last_modified.unwrap();
    assert!(modified > before - Duration::from_secs(60) && modified < before + Duration::from_secs(60), "{head:?}");
    if store.keeps_headers {
        assert_eq!(head.cache_control.as_deref(), Some("max-age=60"));
        assert_eq!(head.content_disposition.as_deref(), Some("inline"));
    }
}

async fn odd_keys(store: &Store) {
    for name in ODD_KEYS {
        let written = key(&format!("odd/{name}"));
        store.origin.put(&written, Bytes::from(name), &jpeg()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    for name in ODD_KEYS {
        let written = key(&format!("odd/{name}"));
        // As clients may spell it: everything escaped, hex digits in lower case.
        let read = ObjectKey::from_raw_path(format!("/{}", escaped(&format!("odd/{name}")))).unwrap();
        assert_eq!(read.bytes(), written.bytes());
        let (_, bytes) = whole(store, &read).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(bytes, name.as_bytes());
        assert_eq!(store.origin.head(&written).await.unwrap().length, Some(u64::try_from(name.len()).unwrap()));
    }
    if store.lists {
        let page = store.origin.list("odd/", None, 1000).await.unwrap();
        let listed: Vec<_> = page.entries.iter().map(|entry| entry.key.clone()).collect();
        let mut expected: Vec<_> = ODD_KEYS.iter().map(|name| format!("odd/{name}")).collect();
        expected.sort();
        assert_eq!(listed, expected);
        let page = store.origin.list("odd/中文 空格+", None, 1000).await.unwrap();
        assert_eq!(page.entries.len(), 1, "{page:?}");
    }
    for name in ODD_KEYS {
        let name = key(&format!("odd/{name}"));
        store.origin.delete(&name).await.unwrap();
        assert_eq!(kind(store.origin.head(&name).await), Kind::NotFound);
    }
}

fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect()
}

async fn ranges(store: &Store) {
    put(store, "range.jpg", b"0123456789").await;
    for (range, first, last, bytes) in [
        (ByteRange::Within(2, 5), 2, 5, "2345"),
        (ByteRange::Within(7, 100), 7, 9, "789"),
        (ByteRange::From(4), 4, 9, "456789"),
        (ByteRange::Last(3), 7, 9, "789"),
        (ByteRange::Last(30), 0, 9, "0123456789"),
        (ByteRange::Within(0, 0), 0, 0, "0"),
    ] {
        let (meta, part, body) =
            part(store, "range.jpg", range).await.unwrap_or_else(|error| panic!("{range}: {error}"));
        assert_eq!(part, Some(ObjectPart { first, last }), "{range}");
        assert_eq!(meta.length, Some(10), "{range}");
        assert_eq!(body, bytes.as_bytes(), "{range}");
    }
    assert_eq!(kind(part(store, "range.jpg", ByteRange::From(10)).await), Kind::BadRequest);
    assert_eq!(kind(part(store, "range.jpg", ByteRange::Within(50, 60)).await), Kind::BadRequest);
}

async fn conditions(store: &Store) {
    put(store, "conditions.jpg", b"one").await;
    let name = key("conditions.jpg");
    let meta = store.origin.head(&name).await.unwrap();
    let etag = meta.etag.unwrap();
    let unchanged = async |tag: Option<&str>, since: Option<SystemTime>| {
        let conditions =
            ReadConditions { if_none_match: tag.map(str::to_owned), if_modified_since: since, version: None };
        let whole = fetch_whole(&*store.origin, &name, &conditions, LIMIT, TOTAL).await.unwrap();
        whole == FetchedWhole::Unchanged
    };
    let later = meta.last_modified.unwrap() + Duration::from_secs(2);
    let earlier = meta.last_modified.unwrap() - Duration::from_secs(60);
    assert!(unchanged(Some(&etag), None).await);
    assert!(!unchanged(Some("\"another\""), None).await);
    assert!(unchanged(None, Some(meta.last_modified.unwrap())).await);
    assert!(unchanged(None, Some(later)).await);
    assert!(!unchanged(None, Some(earlier)).await);
    // The tag decides alone.
    assert!(unchanged(Some(&etag), Some(earlier)).await);
    assert!(!unchanged(Some("\"another\""), Some(later)).await);
}

async fn missing(store: &Store) {
    put(store, "folder/inside.jpg", b"x").await;
    for name in ["missing.jpg", "missing/deeper.jpg", "folder", "folder/inside.jpg/deeper", "folder/insid"] {
        assert_eq!(kind(store.origin.head(&key(name)).await), Kind::NotFound, "HEAD {name}");
        assert_eq!(kind(whole(store, &key(name)).await), Kind::NotFound, "GET {name}");
    }
    let conditions = ReadConditions { if_none_match: Some("\"x\"".into()), ..ReadConditions::default() };
    assert_eq!(kind(fetch_whole(&*store.origin, &key("missing.jpg"), &conditions, LIMIT, TOTAL).await), Kind::NotFound);
}

async fn overwrite(store: &Store) {
    let first = put(store, "overwrite.jpg", b"first").await;
    let second = put(store, "overwrite.jpg", b"second!").await;
    assert_ne!(first.etag, second.etag);
    let conditions = ReadConditions { if_none_match: first.etag, ..ReadConditions::default() };
    let fetched = fetch_whole(&*store.origin, &key("overwrite.jpg"), &conditions, LIMIT, TOTAL).await.unwrap();
    let FetchedWhole::Object { meta, bytes, .. } = fetched else { panic!("the old tag matches") };
    assert_eq!((meta.etag, bytes), (second.etag, Bytes::from_static(b"second!")));
}

async fn sizes(store: &Store) {
    put(store, "empty.jpg", b"").await;
    let (meta, bytes) = whole(store, &key("empty.jpg")).await.unwrap();
    assert_eq!((meta.length, bytes.len()), (Some(0), 0));

    let body: Vec<u8> =
        (0..3_000_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(5 << 20).collect();
    let body = Bytes::from(body);
    let name = key("large.jpg");
    store.origin.put(&name, body.clone(), &jpeg()).await.unwrap();
    let (meta, bytes) = whole(store, &name).await.unwrap();
    assert_eq!(meta.length, Some(5 << 20));
    assert!(bytes == body, "the bytes differ");
    let with_limit = async |limit| fetch_whole(&*store.origin, &name, &ReadConditions::default(), limit, TOTAL).await;
    assert_eq!(kind(with_limit((5 << 20) - 1).await), Kind::SourceBytes);
    assert!(with_limit(5 << 20).await.is_ok());
}

async fn listing(store: &Store) {
    if !store.lists {
        assert_eq!(kind(store.origin.list("", None, 10).await), Kind::UnsupportedRule);
        return;
    }
    // In the order of their bytes; a folder's slash counts.
    let names = ["list/a", "list/a b/x", "list/a-b", "list/a.jpg", "list/b/1", "list/b/2", "list/b/3", "list/c"];
    for name in names {
        put(store, name, b"12345").await;
    }
    let all = store.origin.list("list/", None, 1000).await.unwrap();
    assert_eq!(all.entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), names);
    assert_eq!(all.next, None);
    for entry in &all.entries {
        assert_eq!(entry.length, 5);
        let head = store.origin.head(&key(&entry.key)).await.unwrap();
        assert_eq!(entry.etag, head.etag, "{}", entry.key);
        assert!(entry.last_modified.is_some());
    }
    for limit in [1, 3, 8] {
        let (mut pages, mut seen, mut after) = (0, Vec::new(), None::<String>);
        loop {
            let page = store.origin.list("list/", after.as_deref(), limit).await.unwrap();
            assert!(page.entries.len() <= limit);
            seen.extend(page.entries.into_iter().map(|entry| entry.key));
            pages += 1;
            after = page.next;
            if after.is_none() {
                break;
            }
            assert!(pages < 20, "a listing without end");
        }
        assert_eq!(seen, names, "{limit} at a time");
    }
    let page = store.origin.list("list/b/", Some("list/b/1"), 1000).await.unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>(), ["list/b/2", "list/b/3"]);
    let page = store.origin.list("nothing-like-this/", None, 1000).await.unwrap();
    assert!(page.entries.is_empty() && page.next.is_none());
}

async fn deleting(store: &Store) {
    put(store, "delete/me.jpg", b"x").await;
    let name = key("delete/me.jpg");
    store.origin.delete(&name).await.unwrap();
    assert_eq!(kind(store.origin.head(&name).await), Kind::NotFound);
    store.origin.delete(&name).await.unwrap();
    // What was a folder may now be an object.
    put(store, "delete", b"y").await;
    assert_eq!(whole(store, &key("delete")).await.unwrap().1, "y");
}

async fn nothing_outside(store: &Store) {
    for path in
        ["/../etc/passwd", "/first/../../etc/passwd", "/%2e%2e/etc/passwd", "/first%2f..%2fobject.jpg", "/./first"]
    {
        let name = ObjectKey::from_raw_path(path).unwrap();
        let refused = [Kind::BadRequest, Kind::NotFound];
        assert!(refused.contains(&kind(store.origin.head(&name).await)), "HEAD {path}");
        assert!(refused.contains(&kind(whole(store, &name).await)), "GET {path}");
        assert!(
            refused.contains(&kind(store.origin.put(&name, Bytes::from_static(b"x"), &jpeg()).await)),
            "PUT {path}"
        );
    }
}
