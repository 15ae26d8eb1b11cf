//! The reference's vectors, which the SDKs make as well, and what the verifier takes and does not take besides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::Secret;
use crate::sign::trial_tests::Trial;

const DATE: &str = "20261120T080000Z";
const NOW: i64 = 1_795_161_600;
const SCOPE: &str = "20261120/cn-hangzhou/oss/aliyun_v4_request";
const TARGET: &str = "/dir/a%20b.jpg?x-oss-process=image/resize,w_100/format,webp";
const SIGNATURE: &str = "7396ab25ddda266a4c911e4510e265919da9cb5121610bed8a166d99fa18cbab";

fn credentials() -> Credentials {
    Credentials { access_key: "LTAIexample".into(), secret_key: Secret::new("ExampleSecretKey0123456789") }
}

fn keys() -> [AccessKey; 1] {
    [AccessKey::new(credentials())]
}

fn check(trial: &Trial, now: i64) -> Result<i64, Why> {
    trial.check(&keys(), &Clock::at(now)).map(|verified| verified.expires).map_err(|denied| denied.why)
}

fn with(rest: &str) -> Trial {
    let mut trial = unsigned();
    trial.field("Authorization", &format!("OSS4-HMAC-SHA256 {rest}"));
    trial
}

fn unsigned() -> Trial {
    let mut trial = Trial::new("GET", TARGET, &["img.example.com:8080"]);
    trial.field("x-oss-date", DATE);
    trial.field("x-oss-content-sha256", "UNSIGNED-PAYLOAD");
    trial
}

#[test]
fn vector_signing_key() {
    let credentials = credentials();
    let scoped = ScopedKey::of(&credentials, DATE, "cn-hangzhou", "oss");
    assert_eq!(scoped.scope(END), SCOPE);
    assert_eq!(
        hex::encode(*scoped.signing_key("aliyun_v4", &credentials.secret_key, END)),
        "4e39a0970af957bf17b5547299df89610f4444099ff87d6c5a7e56563b5429b3"
    );
}

#[test]
fn vector_header() {
    let canonical = "GET\n/examplebucket/dir/a%20b.jpg\nx-oss-process=image%2Fresize%2Cw_100%2Fformat%2Cwebp\nx-oss-content-sha256:UNSIGNED-PAYLOAD\nx-oss-date:20261120T080000Z\n\n\nUNSIGNED-PAYLOAD";
    let trial = with(&format!("Credential=LTAIexample/{SCOPE},Signature={SIGNATURE}"));
    let made = trial.message(|message| canonical_request(message, &[], None, false));
    assert_eq!(String::from_utf8(made.clone()).unwrap(), canonical);
    let hash = "ac46bb0414ae1d1eb921b9b783bc131bf73894cbb478baa5eab7ba86c12b4c37";
    assert_eq!(string_to_sign(DATE, SCOPE, &made), format!("OSS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n{hash}"));
    let value = trial.message(|message| authorize(message, &credentials(), &[]));
    assert_eq!(value.as_bytes(), trial.value_of("authorization").unwrap());
    assert_eq!(
        (check(&trial, NOW), check(&trial, NOW + 901), check(&trial, NOW - 901)),
        (Ok(NOW + 900), Err(Why::Skewed), Err(Why::Skewed))
    );
    // Both spellings of the SDKs, and more blanks.
    for rest in [
        format!("Credential=LTAIexample/{SCOPE}, Signature={SIGNATURE}"),
        format!("Signature={SIGNATURE} ,  Credential=LTAIexample/{SCOPE}"),
    ] {
        assert_eq!(check(&with(&rest), NOW), Ok(NOW + 900), "{rest}");
    }
}

#[test]
fn vector_url() {
    let trial = Trial::new("GET", TARGET, &["any"]);
    let query = trial.message(|message| presign(message, &credentials(), NOW, 600, &[]));
    let expected = "x-oss-credential=LTAIexample%2F20261120%2Fcn-hangzhou%2Foss%2Faliyun_v4_request&x-oss-date=20261120T080000Z&x-oss-expires=600&x-oss-process=image%2Fresize%2Cw_100%2Fformat%2Cwebp&x-oss-signature-version=OSS4-HMAC-SHA256";
    assert_eq!(
        query,
        format!("{expected}&x-oss-signature=57fe5d925593f0e76873441c0e487abca029939d0ffe75ed25677fb2051b5bf1")
    );
    let signed = Trial { target: format!("/dir/a%20b.jpg?{query}"), ..trial };
    let canonical = signed.message(|message| canonical_request(message, &[], None, false));
    assert_eq!(sha256_hex(&canonical), "6893c2afcbcba35b90ffc3b183b215d5d1f6c04d305ec1ace6fa1ff1ce9fcbcc");
    assert_eq!((check(&signed, NOW + 600), check(&signed, NOW - 900)), (Ok(NOW + 600), Ok(NOW + 600)));
    assert_eq!(
        (check(&signed, NOW + 601), check(&signed, NOW - 901)),
        (Err(Why::Expired(NOW + 600)), Err(Why::NotYet))
    );
    let expires = Err(Why::Malformed("x-oss-expires is not between 1 and 604800 seconds"));
    for wrong in ["0", "604801", "-1", "x", ""] {
        let target = signed.target.replace("expires=600", &format!("expires={wrong}"));
        assert_eq!(check(&Trial { target, ..signed.clone() }, NOW), expires, "{wrong}");
    }
    for name in ["x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature"] {
        let target = signed.target.replace(&format!("{name}="), "other=");
        assert_eq!(check(&Trial { target, ..signed.clone() }, NOW), Err(Why::Incomplete(name)));
    }
    let target = signed.target.replace("x-oss-signature-version", "other");
    assert_eq!(check(&Trial { target, ..signed.clone() }, NOW), Err(Why::Incomplete("x-oss-signature-version")));
    let target = signed.target.replace("=OSS4-HMAC-SHA256", "=OSS5");
    assert_eq!(check(&Trial { target, ..signed }, NOW), Err(Why::Unsupported));
}

#[test]
fn slashes_of_a_key_may_be_encoded() {
    let mut trial = with(&format!("Credential=LTAIexample/{SCOPE},Signature={SIGNATURE}"));
    trial.target = TARGET.replace("/dir/a", "/dir%2Fa");
    assert!(check(&trial, NOW).is_ok());
    assert_eq!(canonical_uri("", b""), "/");
    assert_eq!(canonical_uri("b", b""), "/b/");
    assert_eq!(canonical_uri("b", b"a%2F~/ +"), "/b/a%252F~/%20%2B");
}

#[test]
fn a_signature_is_for_a_region_and_day() {
    let scope = |scope: &str| check(&with(&format!("Credential=LTAIexample/{scope},Signature={SIGNATURE}")), NOW);
    assert_eq!(scope("20261120/cn-beijing/oss/aliyun_v4_request"), Err(Why::Scope("region")));
    assert_eq!(scope("20261121/cn-hangzhou/oss/aliyun_v4_request"), Err(Why::Scope("day")));
    assert_eq!(scope("20261120/cn-hangzhou/oss-cloudbox/aliyun_v4_request"), Err(Why::Scope("service")));
    assert!(matches!(scope("20261120/cn-hangzhou/oss/aws4_request"), Err(Why::Malformed(_))));
    let mut trial = with(&format!("Credential=LTAIexample/{SCOPE},Signature={SIGNATURE}"));
    trial.region = "oss-cn-hangzhou".into();
    assert!(check(&trial, NOW).is_ok());
}

#[test]
fn empty_values_are_bare_but_for_one_sdk() {
    let string = |target: &str, as_sent| {
        let canonical =
            Trial::new("GET", target, &["any"]).message(|message| canonical_request(message, &[], None, as_sent));
        String::from_utf8(canonical).unwrap().lines().nth(2).unwrap().to_owned()
    };
    assert_eq!(string("/?uploads&prefix=&b=1", false), "b=1&prefix&uploads");
    assert_eq!(string("/?uploads&prefix=&b=1", true), "b=1&prefix=&uploads");
    for (target, as_sent) in [("/?uploads&prefix=", false), ("/?uploads&prefix=", true)] {
        let mut trial = unsigned();
        trial.target = target.into();
        let canonical = trial.message(|message| canonical_request(message, &[], None, as_sent));
        let credentials = credentials();
        let key = ScopedKey::of(&credentials, DATE, "cn-hangzhou", "oss").signing_key(
            "aliyun_v4",
            &credentials.secret_key,
            END,
        );
        let signature = signature(&key, &string_to_sign(DATE, SCOPE, &canonical));
        trial.field("authorization", &format!("OSS4-HMAC-SHA256 Credential=LTAIexample/{SCOPE},Signature={signature}"));
        assert!(check(&trial, NOW).is_ok(), "{as_sent}");
        trial.target = target.replace("prefix=", "prefix=x");
        assert_eq!(check(&trial, NOW), Err(Why::Mismatch));
    }
}

#[test]
fn additional_headers_and_hosts_are_signed() {
    let mut trial = unsigned();
    trial.fields(&[("Range", "bytes=0-9"), ("Content-Type", "a/b"), ("Cookie", "c")]);
    let value =
        trial.message(|message| authorize(message, &credentials(), &["range", "host", "content-type", "absent"]));
    assert!(value.contains("AdditionalHeaders=host;range,"), "{value}");
    trial.field("authorization", &value);
    let verified = trial.check(&keys(), &Clock::at(NOW)).unwrap();
    assert!(["range", "host", "content-type", "x-oss-any"].iter().all(|name| verified.covered.field(name)));
    assert!(!verified.covered.field("cookie"));
    trial.hosts = vec!["other".into()];
    assert_eq!(check(&trial, NOW), Err(Why::Mismatch));
}

#[test]
fn bodies_are_signed_by_their_hash_or_not_at_all() {
    let body = |hash: Option<&str>| {
        let mut trial = Trial::new("PUT", "/a", &["any"]);
        trial.field("x-oss-date", DATE);
        if let Some(hash) = hash {
            trial.field("x-oss-content-sha256", hash);
        }
        let value = trial.message(|message| authorize(message, &credentials(), &[]));
        trial.field("authorization", &value);
        trial.check(&keys(), &Clock::at(NOW)).map(|verified| verified.body).map_err(|denied| denied.why)
    };
    assert_eq!((body(None), body(Some(UNSIGNED))), (Ok(SignedBody::Unsigned), Ok(SignedBody::Unsigned)));
    assert_eq!(body(Some(&"0a".repeat(32))), Ok(SignedBody::Sha256([10; 32])));
    assert_eq!(body(Some("other")), Err(Why::Malformed("x-oss-content-sha256 is no hash")));
}

#[test]
fn tokens_go_with_temporary_keys() {
    let keys = [AccessKey { token: Some(Secret::new("STS/+=")), ..AccessKey::new(credentials()) }];
    let mut trial = unsigned();
    trial.field("x-oss-security-token", "STS/+=");
    let value = trial.message(|message| authorize(message, &credentials(), &[]));
    trial.field("authorization", &value);
    assert!(trial.check(&keys, &Clock::at(NOW)).is_ok());
    let url = Trial::new("GET", "/a?x-oss-security-token=STS%2F%2B%3D", &["any"]);
    let query = url.message(|message| presign(message, &credentials(), NOW, 600, &[]));
    let signed = Trial { target: format!("/a?{query}"), ..url };
    assert!(signed.check(&keys, &Clock::at(NOW)).is_ok());
    let without = with(&format!("Credential=LTAIexample/{SCOPE},Signature={SIGNATURE}"));
    assert_eq!(without.check(&keys, &Clock::at(NOW)).unwrap_err().why, Why::Token);
}

#[test]
fn what_is_no_signature_is_said_so() {
    for (rest, why) in [
        ("Signature=x".to_owned(), Why::Incomplete("Credential")),
        (format!("Credential=LTAIexample/{SCOPE}"), Why::Incomplete("Signature")),
        (format!("Credential=other/{SCOPE},Signature=x"), Why::UnknownKey),
        (
            format!("Credential=LTAIexample/{SCOPE},Signature=x,Signature=x"),
            Why::Malformed("a part of the signature stands twice"),
        ),
        (
            format!("Credential=LTAIexample/{SCOPE},Signature=x,Other=x"),
            Why::Malformed("a part of the signature is not known"),
        ),
        (format!("Credential=LTAIexample/{SCOPE},AdditionalHeaders=absent,Signature=x"), Why::Missing("absent".into())),
    ] {
        assert_eq!(check(&with(&rest), NOW), Err(why), "{rest}");
    }
    let mut undated = with(&format!("Credential=LTAIexample/{SCOPE},Signature={SIGNATURE}"));
    undated.headers.remove("x-oss-date");
    assert_eq!(check(&undated, NOW), Err(Why::NoDate));
    undated.field("x-oss-date", "20261120T08");
    assert_eq!(check(&undated, NOW), Err(Why::NoDate));
}
