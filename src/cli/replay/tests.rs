//! Lists, and the judge, as far as they need no server.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use ::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;

use super::judge::{DifferenceKind, PlaceAnswer, judge};
use super::list::{Places, shown};
use crate::error::Error;
use crate::origin::Got;

fn places(from: Option<&str>, keep_host: bool) -> Places {
    Places::new(from, "http://127.0.0.1:8080/base/", keep_host).unwrap()
}

#[test]
fn a_line_names_two_urls() {
    let full = places(None, true).entry(1, "https://u:p@img.example.com:8443/a%20b.jpg?imageMogr2/format/webp#x");
    assert_eq!(full.from.as_deref(), Ok("https://u:p@img.example.com:8443/a%20b.jpg?imageMogr2/format/webp"));
    assert_eq!(full.against, "http://127.0.0.1:8080/base/a%20b.jpg?imageMogr2/format/webp");
    assert_eq!(full.host.as_deref(), Some("img.example.com:8443"));
    assert_eq!(full.shown, "https://img.example.com:8443/a%20b.jpg?imageMogr2/format/webp");
    let path = places(Some("https://bucket.example"), true).entry(1, "a.jpg?image");
    assert_eq!(path.from.as_deref(), Ok("https://bucket.example/a.jpg?image"));
    assert_eq!((path.against.as_str(), path.host), ("http://127.0.0.1:8080/base/a.jpg?image", None));
    assert!(places(None, false).entry(1, "/a.jpg").from.is_err(), "nobody knows where");
    let both = places(None, false).entry(1, "https://h/a?imageInfo\thttps://h/a?x-oss-process=image/info\tnote");
    assert_eq!(both.against, "http://127.0.0.1:8080/base/a?x-oss-process=image/info");
    assert_eq!(both.shown_against.as_deref(), Some("/a?x-oss-process=image/info"));
    let same = places(None, false).entry(1, "https://h/a\t\twhy not");
    assert_eq!((same.against.as_str(), same.shown_against), ("http://127.0.0.1:8080/base/a", None));
    for place in ["127.0.0.1:80", "ftp://h", "http://", "http://h/?a"] {
        assert!(Places::new(None, place, false).is_err(), "{place}");
    }
}

#[test]
fn no_secret_is_shown() {
    for url in [
        "https://user:SECRET@h/a?q-sign-algorithm=sha1&q-signature=SECRET&imageInfo",
        "/a?OSSAccessKeyId=SECRET&Signature=SECRET",
        "https://h/a?auth_key=SECRET#SECRET",
    ] {
        assert!(!shown(url).contains("SECRET"), "{}", shown(url));
    }
    assert_eq!(shown("https://h/a?imageMogr2/format/avif"), "https://h/a?imageMogr2/format/avif");
}

fn side(status: u16, media: &'static str, body: &'static [u8]) -> (PlaceAnswer, &'static [u8]) {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    let body_bytes = Bytes::from_static(body);
    (PlaceAnswer::of(&Ok(Got { status, headers, body: body_bytes }), 1), body)
}

fn kinds(
    one: (u16, &'static str, &'static [u8]),
    other: (u16, &'static str, &'static [u8]),
) -> Vec<(DifferenceKind, String)> {
    let (one, other) = (side(one.0, one.1, one.2), side(other.0, other.1, other.2));
    let (found, _) = judge((&one.0, one.1), (&other.0, other.1), 25.0);
    found.into_iter().map(|one| (one.kind, one.detail)).collect()
}

#[test]
fn errors_are_compared_by_status_and_code() {
    let xml = |code: &'static str| -> &'static [u8] {
        match code {
            "a" => b"<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>x</Message></Error>",
            "b" => b"<Error><Message>other</Message><Code>\n NoSuchKey </Code></Error>",
            _ => b"<Error><Code>AccessDenied</Code></Error>",
        }
    };
    assert_eq!(kinds((404, "application/xml", xml("a")), (404, "text/xml", xml("b"))), []);
    let differ = kinds((404, "application/xml", xml("a")), (403, "application/xml", xml("c")));
    assert_eq!(
        differ,
        [
            (DifferenceKind::Status, "404 became 403".into()),
            (DifferenceKind::Code, "NoSuchKey became AccessDenied".into())
        ]
    );
    let none = kinds((404, "application/xml", xml("a")), (404, "text/html", b"<html>not found"));
    assert_eq!(none, [(DifferenceKind::Code, "NoSuchKey became no code".into())]);
    let odd = kinds((500, "", b"<Code"), (500, "", b"&#0;<Code>&bomb;a&lt;</Code><Code>b</Code>"));
    assert_eq!(odd, [(DifferenceKind::Code, "no code became ?a<".into())]);
    let (told, _) =
        side(400, "", b"<Error><Code>A</Code><Message> it &amp; that\n</Message><Message>x</Message></Error>");
    assert_eq!((told.code.as_deref(), told.message.as_deref()), (Some("A"), Some("it & that")));
}

#[test]
fn json_is_compared_by_value() {
    let one = (200, "application/json", &br#"{"format": "jpeg", "width": "400", "list": [1, 2]}"#[..]);
    let same = (200, "application/json; charset=utf-8", &br#"{"list":[1,2],"width":"400","format":"jpeg"}"#[..]);
    assert_eq!(kinds(one, same), []);
    let other = (200, "application/json", &br#"{"width":"401","list":[1,3],"new":null}"#[..]);
    let [(DifferenceKind::Json, detail)] = &kinds(one, other)[..] else { panic!("{:?}", kinds(one, other)) };
    for want in ["/format is gone", "/width was \"400\", is \"401\"", "/list/1 was 2, is 3", "/new is new"] {
        assert!(detail.contains(want), "{detail}");
    }
    assert_eq!(kinds(one, (200, "application/json", b"{"))[0].0, DifferenceKind::Body);
    let colours = kinds((200, "text/plain", b"0x5c783b"), (200, "text/plain", b"0x5c783c"));
    assert_eq!(colours, [(DifferenceKind::Body, "0x5c783b became 0x5c783c".into())]);
}

#[test]
fn types_have_more_than_one_name() {
    let of = |one, other| kinds((200, one, b"x"), (200, other, b"x"));
    assert_eq!(of("image/jpg", "IMAGE/JPEG; q=1"), []);
    assert_eq!(of("image/heic", "image/heif"), []);
    assert_eq!(of("image/png", "image/webp"), [(DifferenceKind::Type, "image/png became image/webp".into())]);
    assert_eq!(of("image/png", ""), [(DifferenceKind::Type, "image/png became no type".into())]);
}

#[test]
fn growth_is_in_percent_and_above_a_kilobyte() {
    const ZEROS: [u8; 10_000] = [0; 10_000];
    let of = |a: usize, b: usize| {
        let found = kinds((200, "a/b", &ZEROS[..a]), (200, "a/b", &ZEROS[..b]));
        found.iter().any(|(kind, _)| *kind == DifferenceKind::Bytes)
    };
    assert!(!of(100, 1000), "below a kilobyte");
    assert!(!of(8000, 9900) && !of(9000, 100));
    assert!(of(4000, 5200));
}

#[test]
fn a_failure_is_the_only_difference() {
    let lost = PlaceAnswer::of(&Err(Error::new(crate::error::Kind::OriginTimeout, "too\nslow")), 30_000);
    let (fine, body) = side(200, "image/png", b"x");
    let (found, pixels) = judge((&fine, body), (&lost, b""), 25.0);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].kind, found[0].detail.as_str(), pixels),
        (DifferenceKind::Fetch, "the second: too slow", false)
    );
}
