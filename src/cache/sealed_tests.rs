#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::super::{Epoch, ObjectId};
use super::*;
use crate::imaging::Times;
use crate::plan::Format;

const NOW: Timestamp = Timestamp::at(Duration::from_secs(1_000));

fn key(name: &str) -> VariantKey {
    let object = ObjectId { site: "s".into(), store: 0, key: name.into(), version_id: None };
    VariantKey { object, version: 1, plan: "p".into(), class: None, settings: 2, encoder: 3 }
}

fn variant(body: &'static [u8]) -> Variant {
    let meta = VariantMeta {
        format: Some(Format::Png),
        width: 1,
        height: 2,
        facts: None,
        etag: "\"x\"".into(),
        last_modified: None,
        made: NOW,
        source_format: Format::Png,
        source_bytes: 3,
        times: Times::default(),
        provisional: None,
        tags: Tags::of("s", Some("red"), None),
        epoch: Epoch::numbered(4),
    };
    Variant { meta, body: Bytes::from_static(body) }
}

#[test]
fn what_is_sealed_is_opened_by_its_key() {
    for body in [&b"body"[..], b""] {
        let sealed = SealedVariant::seal(key("a"), &variant(body)).unwrap();
        assert_eq!((&sealed.key, &sealed.tags), (&key("a"), &variant(body).meta.tags));
        let opened = SealedVariant::open(&sealed.bytes, &key("a"), NOW).unwrap();
        assert_eq!((opened.meta, &*opened.body), (variant(body).meta, body));
        let other = SealedVariant::open(&sealed.bytes, &key("b"), NOW);
        assert_eq!(other.unwrap_err(), Unreadable::Damaged);
    }
}

/// What lies on a disk has these bytes.
#[test]
fn bytes_never_change() {
    let bytes = SealedVariant::seal(key("a"), &variant(b"body")).unwrap().bytes;
    let key = key("a").to_bytes();
    let meta = variant(b"body").meta.to_bytes().unwrap();
    let length = |bytes: &[u8]| (bytes.len() as u64).to_be_bytes();
    let rest = [&length(&key), &key[..], &length(&meta), &meta, b"body"].concat();
    let sum = digest::of_bytes(&rest).to_be_bytes();
    assert_eq!(bytes, [b"PVE\x01", &sum[..], &rest].concat());
}

/// Whichever byte is another, and wherever it is cut off.
#[test]
fn damage_shows() {
    let bytes = SealedVariant::seal(key("a"), &variant(b"body")).unwrap().bytes;
    for at in 0..bytes.len() {
        let why = if at < FORM.len() { Unreadable::Unknown } else { Unreadable::Damaged };
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        assert_eq!(SealedVariant::open(&changed.into(), &key("a"), NOW).unwrap_err(), why, "{at}");
        assert_eq!(SealedVariant::open(&bytes.slice(..at), &key("a"), NOW).unwrap_err(), why, "{at}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!(SealedVariant::open(&longer.into(), &key("a"), NOW).unwrap_err(), Unreadable::Damaged);
}
