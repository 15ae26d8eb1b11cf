#![allow(clippy::unwrap_used)]

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::negotiate::class;
use crate::plan::Format;

fn key(site: &str, object: &str, plan: &str) -> VariantKey {
    VariantKey {
        object: ObjectId { site: site.into(), store: 2, key: object.into(), version_id: None },
        version: 1,
        plan: plan.into(),
        class: None,
        settings: 3,
        encoder: 4,
    }
}

#[test]
fn no_two_questions_share_a_key() {
    assert_ne!(key("a", "x.png", "p"), key("b", "x.png", "p"));
    assert_ne!(key("a", "bx.png", "p"), key("ab", "x.png", "p"));
    assert_ne!(key("a", "x.png", "p"), key("a", "x.pn", "gp"));
}

/// Keys that differ from the first one, and from each other, in one field alone.
fn each_field() -> Vec<VariantKey> {
    let plain = key("s", "k", "p");
    // A field that is new has to be thought of here.
    let VariantKey { object: ObjectId { site, store, key, version_id }, .. } = plain.clone();
    let VariantKey { object, version, plan, class: _, settings, encoder } = plain.clone();
    let avif = class(["image/avif"], &[Format::Avif]);
    let of = |object: ObjectId| VariantKey { object, ..plain.clone() };
    vec![
        plain.clone(),
        of(ObjectId { site: format!("{site}2").into(), ..object.clone() }),
        of(ObjectId { store: store + 1, ..object.clone() }),
        of(ObjectId { key: format!("{key}2").into(), ..object.clone() }),
        of(ObjectId { version_id: Some("".into()), ..object.clone() }),
        of(ObjectId { version_id: Some(format!("{version_id:?}").into()), ..object.clone() }),
        VariantKey { version: version + 1, ..plain.clone() },
        VariantKey { plan: format!("{plan}2").into(), ..plain.clone() },
        VariantKey { class: Some(Class::default()), ..plain.clone() },
        VariantKey { class: Some(avif), ..plain.clone() },
        VariantKey { settings: settings + 1, ..plain.clone() },
        VariantKey { encoder: encoder + 1, ..plain.clone() },
    ]
}

#[test]
fn every_field_is_in_the_bytes_and_in_the_digest() {
    let keys = each_field();
    let bytes: HashSet<_> = keys.iter().map(VariantKey::to_bytes).collect();
    let digests: HashSet<_> = keys.iter().map(VariantKey::digest).collect();
    assert_eq!((bytes.len(), digests.len()), (keys.len(), keys.len()));
    for (at, one) in keys.iter().enumerate() {
        assert_eq!(&VariantKey::from_bytes(&one.to_bytes()).unwrap(), one);
        assert!(keys.iter().skip(at + 1).all(|other| other != one));
    }
}

/// What lies on a disk or on another node has these bytes.
#[test]
fn bytes_never_change() {
    let accept = ["image/webp;q=0.8, image/avif"];
    let key = VariantKey {
        object: ObjectId {
            site: "photos".into(),
            store: 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10,
            key: "小/a.png".into(),
            version_id: Some("v1".into()),
        },
        version: 1,
        plan: "p".into(),
        class: Some(class(accept, &[Format::Avif, Format::WebP])),
        settings: 2,
        encoder: 3,
    };
    let pinned = [
        "50564b02",
        "0000000000000006 70686f746f73",
        "0102030405060708090a0b0c0d0e0f10",
        "0000000000000009 e5b08f2f612e706e67",
        "01 0000000000000002 7631",
        "00000000000000000000000000000001",
        "0000000000000001 70",
        "01 0000000000000009 617669662b77656270",
        "00000000000000000000000000000002",
        "00000000000000000000000000000003",
    ];
    let pinned = pinned.concat().replace(' ', "");
    assert_eq!(hex::encode(key.to_bytes()), pinned);
    // As `sha256sum` has it.
    assert_eq!(format!("{:032x}", key.digest()), DIGEST);
}

const DIGEST: &str = "e9ca77787d72d11f91167b64bd6f9112";

#[test]
fn what_was_never_written_is_refused() {
    let bytes = key("s", "k", "p").to_bytes();
    let refused = |bytes: &[u8]| VariantKey::from_bytes(bytes).unwrap_err();
    for end in 0..bytes.len() {
        let why = if end < TAG.len() { Unreadable::Unknown } else { Unreadable::Damaged };
        assert_eq!(refused(&bytes[..end]), why, "{end}");
    }
    assert_eq!(refused(&[&bytes[..], &[0]].concat()), Unreadable::Damaged);
    let mut next = bytes.clone();
    // A later form, and the one before.
    for form in [3, 1] {
        next[3] = form;
        assert_eq!(refused(&next), Unreadable::Unknown);
    }
    // A length that no memory holds.
    let mut long = bytes.clone();
    long[4..12].fill(0xff);
    assert_eq!(refused(&long), Unreadable::Damaged);
    // The class by another of its formats' names, and with more formats than a class holds.
    for name in ["heic", "avif+", "", "base+avif", "avif+heic", &["avif"; 9].join("+")] {
        let mut other = ByteWriter::new(TAG);
        other.text("s");
        other.digest(2);
        other.text("k");
        other.option(None, ByteWriter::text);
        other.digest(1);
        other.text("p");
        other.option(Some(name), ByteWriter::text);
        other.digest(3);
        other.digest(4);
        assert_eq!(refused(&other.finish()), Unreadable::Damaged, "{name}");
    }
}

fn any_key() -> impl Strategy<Value = VariantKey> {
    let text = "[a-b\\x00+]{0,3}";
    let formats = proptest::collection::vec(0..Format::ALL.len(), 0..5);
    let class = formats.prop_map(|places| {
        let offered: Vec<Format> = places.into_iter().map(|place| Format::ALL[place]).collect();
        let accept: Vec<&str> = offered.iter().map(|format| format.media_type()).collect();
        class([&*accept.join(",")], &offered)
    });
    let object = (text, any::<u128>(), text, proptest::option::of(text));
    let rest = (0..3_u128, text, proptest::option::of(class), 0..3_u128, 0..3_u128);
    (object, rest).prop_map(|((site, store, key, id), (version, plan, class, settings, encoder))| VariantKey {
        object: ObjectId { site: site.into(), store: store % 3, key: key.into(), version_id: id.map(Into::into) },
        version,
        plan: plan.into(),
        class,
        settings,
        encoder,
    })
}

proptest! {
    #[test]
    fn keys_come_back(key in any_key()) {
        prop_assert_eq!(VariantKey::from_bytes(&key.to_bytes()), Ok(key));
    }

    #[test]
    fn bytes_differ_as_keys_do(one in any_key(), other in any_key()) {
        prop_assert_eq!(one == other, one.to_bytes() == other.to_bytes());
        prop_assert_eq!(one == other, one.digest() == other.digest());
    }

    /// Whatever is read has one form, and it is the one that was read.
    #[test]
    fn there_is_one_form(key in any_key(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = key.to_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(read) = VariantKey::from_bytes(&bytes) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}
