//! For every scheme: what is signed holds, and a request of which any byte was changed on its way is refused, or has the same
//! meaning in all that is signed.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::cdn::{self, CdnKeys, CdnType};
use super::encode::{path_encode, uri_encode};
use super::{AccessKey, Clock, Secret};
use crate::sign;

#[path = "../../../../tests/support/signing.rs"]
mod signing;

use signing::{How, NOW, UNTIL, Wire, credentials, differs};

/// Bytes of which many mean something to somebody.
fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let special = prop::sample::select(b" +%&=/?;:,\"~-_.*'()!|\\\n\0\xe5\x9b\xbeaA0".to_vec());
    prop::collection::vec(prop_oneof![special, any::<u8>()], length)
}

/// A request with all that is signed in one scheme or another.
fn plain() -> impl Strategy<Value = Wire> {
    let method = prop::sample::select(vec!["GET", "PUT", "POST", "DELETE", "HEAD"]);
    let name = prop_oneof![
        prop::sample::select(vec!["x-oss-process", "versionId", "acl", "response-content-type", "uploadId", "prefix"])
            .prop_map(|name| name.as_bytes().to_vec()),
        bytes(1..8),
    ];
    let query = prop::collection::vec((name, bytes(0..8)), 0..5);
    let fields =
        prop::sample::subsequence(vec!["content-type", "x-oss-meta-a", "x-cos-meta-a", "x-amz-meta-a", "cookie"], 0..5);
    let fields = fields.prop_flat_map(|names| {
        let values = prop::collection::vec("[!-~]([ -~]{0,10}[!-~])?", names.len());
        (Just(names), values)
    });
    (method, bytes(1..16), query, fields).prop_map(|(method, key, query, (names, values))| {
        let query: Vec<_> =
            query.iter().map(|(name, value)| format!("{}={}", uri_encode(name), uri_encode(value))).collect();
        let target = format!("/{}?{}", path_encode(&key), query.join("&"));
        let mut wire = Wire { method: method.into(), target, fields: Vec::new() };
        names.into_iter().zip(&values).for_each(|(name, value)| wire.field(name, value));
        wire
    })
}

/// No vendor's signature is in what is to be signed.
fn is_plain(wire: &Wire) -> bool {
    wire.check(NOW).is_none()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_signed_holds_in_its_time(plain in plain().prop_filter("signed", is_plain)) {
        for how in How::ALL {
            let wire = plain.signed(how);
            let again = Wire::read(&wire.text());
            prop_assert_eq!(again.as_ref(), Some(&wire));
            let verified = wire.check(NOW).unwrap();
            prop_assert!(verified.is_ok(), "{how:?} {verified:?} {wire:?}");
            let until = verified.unwrap().expires;
            prop_assert!(until == UNTIL || until == NOW + 900, "{how:?} {until}");
            prop_assert!(wire.check(until).unwrap().is_ok());
            prop_assert!(wire.check(until + 1).unwrap().is_err());
            // These two versions' URLs have no beginning.
            let begins = !matches!(how, How::OssV1Url | How::OssV2Url);
            prop_assert!(!begins || wire.check(NOW - 911).unwrap().is_err());
            let keys = [AccessKey::new(sign::Credentials { secret_key: Secret::new("secreT"), ..credentials() })];
            let other = wire.message(|message| {
                let claim = sign::Claim::of(message).unwrap().unwrap();
                sign::verify(message, &claim, &keys, &Clock::at(NOW)).map(|_| ())
            });
            prop_assert_eq!(other.unwrap_err().why, sign::Why::Mismatch);
        }
    }

    #[test]
    fn a_changed_byte_is_seen(
        plain in plain().prop_filter("signed", is_plain),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..3),
    ) {
        for how in How::ALL {
            let signed = plain.signed(how);
            let mut text = signed.text();
            for (place, byte, what) in &changes {
                let place = place.index(text.len());
                match what {
                    0 => text[place] = *byte,
                    1 => text[place] ^= 1 << (byte % 8),
                    _ => { text.remove(place); }
                }
            }
            let Some(other) = Wire::read(&text) else { continue };
            if other.check(NOW).is_some_and(|said| said.is_ok()) {
                prop_assert_eq!(differs(how, &signed, &other), None, "{:?}\n{:?}\n{:?}", how, signed, other);
            }
        }
    }

    #[test]
    fn a_changed_part_is_refused(plain in plain().prop_filter("signed", is_plain), bit in 0..8_u8, place in any::<prop::sample::Index>()) {
        // Not by luck: the method, the key and a field are changed in what they mean.
        for how in How::ALL {
            let signed = plain.signed(how);
            let method = Wire { method: if signed.method == "GET" { "PUT" } else { "GET" }.into(), ..signed.clone() };
            prop_assert!(method.check(NOW).unwrap().is_err(), "{how:?}");
            let (path, query) = signed.target.split_once('?').unwrap();
            let mut key: Vec<u8> = percent_encoding::percent_decode_str(path).collect();
            let at = 1 + place.index(key.len() - 1);
            key[at] ^= 1 << bit;
            let path = Wire { target: format!("/{}?{query}", path_encode(&key[1..])), ..signed.clone() };
            let vague = matches!(how, How::OssV1 | How::OssV1Url);
            prop_assert!(vague || path.check(NOW).unwrap().is_err(), "{how:?} {path:?}");
            let covered = match how {
                How::Cos | How::CosUrl => "x-cos-meta-a",
                How::SigV4 | How::SigV4Url => "x-amz-meta-a",
                _ => "x-oss-meta-a",
            };
            let mut field = signed.clone();
            if let Some((_, value)) = field.fields.iter_mut().find(|(name, _)| name == covered) {
                value.push(b'x');
                prop_assert!(field.check(NOW).unwrap().is_err(), "{how:?} {field:?}");
            }
        }
    }

    #[test]
    fn cdn_urls_hold_for_their_path(key in bytes(1..24), bit in 0..8_u8, place in any::<prop::sample::Index>()) {
        let path = format!("/{}", path_encode(&key));
        for kind in [CdnType::A, CdnType::B, CdnType::C, CdnType::D, CdnType::F] {
            let keys = CdnKeys { types: vec![kind], secrets: vec![Secret::new("s3cret")], ttl: 60, sign_name: None, time_name: None };
            let check = |target: &str, now: i64| {
                let wire = Wire { method: "GET".into(), target: target.into(), fields: Vec::new() };
                wire.message(|message| {
                    let claim = keys.claim(message).ok().flatten()?;
                    cdn::verify(&claim, &keys, &Clock::at(now)).ok().map(|verified| verified.path.to_owned())
                })
            };
            let (signed, query) = cdn::sign(kind, &keys, &path, NOW, "rand").unwrap();
            let front = signed.strip_suffix(&path).unwrap().to_owned();
            let target = |path: &str| format!("{front}{path}?x=1&{query}");
            prop_assert_eq!(check(&target(&path), NOW), Some(path.clone()), "{:?}", kind);
            prop_assert_eq!(check(&target(&path), NOW + 61), None);
            let mut other = key.clone();
            let at = place.index(other.len());
            other[at] ^= 1 << bit;
            prop_assert_eq!(check(&target(&format!("/{}", path_encode(&other))), NOW), None, "{:?}", kind);
        }
    }
}
