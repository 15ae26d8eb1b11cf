//! The reference's vectors, which oss2 makes as well, and what the verifier takes and does not take besides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::trial_tests::Trial;

const DATE: &str = "Fri, 20 Nov 2026 08:00:00 GMT";
const NOW: i64 = 1_795_161_600;
const TARGET: &str = "/dir/a%20b.jpg?x-oss-process=image%2Fresize,w_100/format,webp";
const RESOURCE: &str = "/examplebucket/dir/a b.jpg?x-oss-process=image/resize,w_100/format,webp";

fn credentials() -> Credentials {
    Credentials { access_key: "LTAIexample".into(), secret_key: Secret::new("ExampleSecretKey0123456789") }
}

fn keys() -> Vec<AccessKey> {
    vec![AccessKey::new(credentials())]
}

fn signed(method: &str, target: &str, fields: &[(&str, &str)], signature: &str) -> Trial {
    let mut trial = Trial::new(method, target, &["examplebucket.oss-cn-hangzhou.aliyuncs.com"]);
    trial.field("Date", DATE);
    trial.fields(fields);
    trial.field("Authorization", &format!("OSS LTAIexample:{signature}"));
    trial
}

fn check(trial: &Trial, now: i64) -> Result<i64, Why> {
    trial.check(&keys(), &Clock::at(now)).map(|verified| verified.expires).map_err(|denied| denied.why)
}

/// Verifies a vector, and that we make the same.
fn vector(trial: &Trial, string: &str, signature: &str) {
    let made = trial.message(|message| string_to_sign(message, date(message).unwrap_or_default()));
    assert_eq!(String::from_utf8(made).unwrap(), string);
    assert_eq!(super::signature(&credentials().secret_key, string.as_bytes()), signature);
    assert_eq!(trial.message(|message| authorize(message, &credentials())), format!("OSS LTAIexample:{signature}"));
    assert_eq!(check(trial, NOW), Ok(NOW + 900));
}

#[test]
fn sub_resources_are_in_order() {
    assert!(SUBRESOURCES.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(is_subresource(b"x-oss-process") && !is_subresource(b"prefix") && !is_subresource(b""));
}

#[test]
fn vector_header() {
    let signature = "VUzP705Uq53AIi8GzdMl3/mh+II=";
    vector(&signed("GET", TARGET, &[], signature), &format!("GET\n\n\n{DATE}\n{RESOURCE}"), signature);
}

#[test]
fn vector_url() {
    let query = "OSSAccessKeyId=LTAIexample&Expires=1795248000&Signature=eORM3tCtdprdnAaRe4I3CmvFeRc%3D";
    let trial = Trial::new("GET", &format!("{TARGET}&{query}"), &["any"]);
    let verified = trial.check(&keys(), &Clock::at(NOW)).unwrap();
    assert!(verified.presigned);
    assert_eq!(verified.expires, 1_795_248_000);
    assert_eq!(verified.covered.parameters, CoveredParameters::These(vec![0]));
    assert!(
        !verified.covered.field("date")
            && verified.covered.field("x-oss-meta-a")
            && verified.covered.field("content-type")
    );
    assert_eq!(check(&trial, 1_795_248_000), Ok(1_795_248_000));
    assert_eq!(check(&trial, 1_795_248_001), Err(Why::Expired(1_795_248_000)));
    let made = Trial::new("GET", TARGET, &["any"]).message(|message| presign(message, &credentials(), 1_795_248_000));
    assert_eq!(made[2].1, "eORM3tCtdprdnAaRe4I3CmvFeRc=");
    // The time is looked at first, then the key.
    let unknown = Trial { target: trial.target.replace("LTAIexample", "other"), ..trial.clone() };
    assert_eq!(check(&unknown, NOW), Err(Why::UnknownKey));
    assert_eq!(check(&unknown, 1_795_248_001), Err(Why::Expired(1_795_248_000)));
    // Parameters that are not signed may be there; of the signature's own the first counts.
    for more in ["&other=1", "&Expires=9999999999", "&Signature=x"] {
        assert!(check(&Trial { target: format!("{}{more}", trial.target), ..trial.clone() }, NOW).is_ok(), "{more}");
    }
    for name in ["OSSAccessKeyId", "Expires", "Signature"] {
        let target = trial.target.replace(&format!("{name}="), "other=");
        assert_eq!(check(&Trial { target, ..trial.clone() }, NOW), Err(Why::Incomplete(name)));
    }
}

#[test]
fn vector_token() {
    let (token, signature) = (("x-oss-security-token", "STSTOKEN"), "mPZMP0jp9ldFXJI3FgFjvscwdRE=");
    let trial = signed("GET", TARGET, &[token], signature);
    vector(&trial, &format!("GET\n\n\n{DATE}\nx-oss-security-token:STSTOKEN\n{RESOURCE}"), signature);
    let with = |token: &str| vec![AccessKey { token: Some(Secret::new(token)), ..AccessKey::new(credentials()) }];
    assert!(trial.check(&with("STSTOKEN"), &Clock::at(NOW)).is_ok());
    assert_eq!(trial.check(&with("other"), &Clock::at(NOW)).unwrap_err().why, Why::Token);
}

#[test]
fn vector_process_by_post() {
    let signature = "AVxEt8SLUr6yrm1AjOPO5+OTt8M=";
    for target in ["/a.jpg?x-oss-process", "/a.jpg?x-oss-process="] {
        let trial = signed("POST", target, &[], signature);
        vector(&trial, &format!("POST\n\n\n{DATE}\n/examplebucket/a.jpg?x-oss-process"), signature);
    }
}

#[test]
fn dates_must_be_near() {
    let trial = signed("GET", TARGET, &[], "VUzP705Uq53AIi8GzdMl3/mh+II=");
    assert_eq!((check(&trial, NOW - 900), check(&trial, NOW + 900)), (Ok(NOW + 900), Ok(NOW + 900)));
    assert_eq!((check(&trial, NOW - 901), check(&trial, NOW + 901)), (Err(Why::Skewed), Err(Why::Skewed)));
    let mut none = trial.clone();
    none.headers.remove("date");
    assert_eq!(check(&none, NOW), Err(Why::NoDate));
    none.field("date", "yesterday");
    assert_eq!(check(&none, NOW), Err(Why::NoDate));
    let mut two = trial;
    two.field("date", DATE);
    assert_eq!(check(&two, NOW), Err(Why::Malformed("a header field that is signed stands twice")));
}

#[test]
fn oss_date_counts_before_date() {
    // ali-oss: no Date, and both lines have the other's value.
    let mut trial = Trial::new("GET", "/a.jpg", &["any"]);
    trial.field("x-oss-date", DATE);
    trial.field("content-type", "image/jpeg");
    let string = trial.message(|message| string_to_sign(message, date(message).unwrap()));
    let expected = format!("GET\n\nimage/jpeg\n{DATE}\nx-oss-date:{DATE}\n/examplebucket/a.jpg");
    assert_eq!(String::from_utf8(string).unwrap(), expected);
    let value = trial.message(|message| authorize(message, &credentials()));
    trial.field("authorization", &value);
    assert!(check(&trial, NOW).is_ok());
    trial.field("date", "Sat, 01 Jan 2000 00:00:00 GMT");
    assert!(check(&trial, NOW).is_ok());
}

#[test]
fn bucket_and_service_have_resources_too() {
    let resource = |bucket: &str, target: &str| {
        let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
        String::from_utf8(canonical_resource(bucket, b"", &Parameter::all(query))).unwrap()
    };
    assert_eq!(resource("", "/"), "/");
    assert_eq!(resource("b", "/?prefix=a&delimiter=%2F&acl"), "/b/?acl");
    // Decoded, sorted; all of one name.
    let all = "/?versionId=1&uploads=&callback=a%26b&versionId=0";
    assert_eq!(resource("b", all), "/b/?callback=a&b&uploads&versionId=0&versionId=1");
}

#[test]
fn a_sub_resource_cannot_be_added_or_repeated() {
    let trial = signed("GET", TARGET, &[], "VUzP705Uq53AIi8GzdMl3/mh+II=");
    assert!(check(&Trial { target: format!("{TARGET}&plain=1"), ..trial.clone() }, NOW).is_ok());
    for more in
        ["acl", "x-oss-process=image/resize,w_100/format,webp", "x-oss-process=image/info", "response-content-type=a"]
    {
        let other = Trial { target: format!("{TARGET}&{more}"), ..trial.clone() };
        assert_eq!(check(&other, NOW), Err(Why::Mismatch), "{more}");
    }
}

#[test]
fn what_is_no_signature_is_said_so() {
    for wrong in ["OSS x", "OSS :x", "OSS x:"] {
        let mut trial = Trial::new("GET", "/a", &["any"]);
        trial.field("authorization", wrong);
        assert_eq!(check(&trial, NOW), Err(Why::Malformed("the signature is not ACCESSKEYID:SIGNATURE")));
    }
    let told = *signed("GET", TARGET, &[], "AAAA").check(&keys(), &Clock::at(NOW)).unwrap_err().compared.unwrap();
    assert_eq!(String::from_utf8(told.string_to_sign).unwrap(), format!("GET\n\n\n{DATE}\n{RESOURCE}"));
    assert_eq!((told.canonical_request, told.provided.as_str()), (None, "AAAA"));
}
