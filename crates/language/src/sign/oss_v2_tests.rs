//! The reference's vector, which oss2 makes as well, and what the verifier takes and does not take besides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::trial_tests::Trial;

const DATE: &str = "Fri, 20 Nov 2026 08:00:00 GMT";
const NOW: i64 = 1_795_161_600;
const TARGET: &str = "/dir/a%20b.jpg?x-oss-process=image/resize,w_100/format,webp";

fn credentials() -> Credentials {
    Credentials { access_key: "LTAIexample".into(), secret_key: Secret::new("ExampleSecretKey0123456789") }
}

fn check(trial: &Trial, now: i64) -> Result<i64, Why> {
    let keys = [AccessKey::new(credentials())];
    trial.check(&keys, &Clock::at(now)).map(|verified| verified.expires).map_err(|denied| denied.why)
}

fn signed(fields: &[(&str, &str)], rest: &str) -> Trial {
    let mut trial = Trial::new("GET", TARGET, &["img.example.com:8080"]);
    trial.field("Date", DATE);
    trial.fields(fields);
    trial.field("Authorization", &format!("OSS2 AccessKeyId:LTAIexample,{rest}"));
    trial
}

#[test]
fn vector_header() {
    let trial = signed(&[], "Signature:0yfMtt59tdEtj83nBW+cqKqb57mBs55kKUh1kwpwSLA=");
    let string = "GET\n\n\nFri, 20 Nov 2026 08:00:00 GMT\n\n%2Fexamplebucket%2Fdir%2Fa%20b.jpg?x-oss-process=image%2Fresize%2Cw_100%2Fformat%2Cwebp";
    let made = trial.message(|message| string_to_sign(message, DATE.as_bytes(), &[], None));
    assert_eq!(String::from_utf8(made).unwrap(), string);
    assert_eq!(signature(&credentials().secret_key, string.as_bytes()), "0yfMtt59tdEtj83nBW+cqKqb57mBs55kKUh1kwpwSLA=");
    let value = trial.message(|message| authorize(message, &credentials(), &["range"]));
    assert_eq!(value.as_bytes(), trial.value_of("authorization").unwrap());
    assert_eq!((check(&trial, NOW), check(&trial, NOW + 901)), (Ok(NOW + 900), Err(Why::Skewed)));
    // All parameters are signed.
    let other = Trial { target: format!("{TARGET}&plain=1"), ..trial };
    assert_eq!(check(&other, NOW), Err(Why::Mismatch));
}

#[test]
fn additional_headers_are_signed_in_order() {
    let fields = [("Range", "bytes=0-9"), ("If-Modified-Since", "x"), ("x-oss-a", "1")];
    let names = ["if-modified-since", "range"].map(str::to_owned);
    let made = signed(&fields, "").message(|message| string_to_sign(message, DATE.as_bytes(), &names, None));
    assert_eq!(
        String::from_utf8(made.clone()).unwrap(),
        format!(
            "GET\n\n\n{DATE}\nif-modified-since:x\nrange:bytes=0-9\nx-oss-a:1\nif-modified-since;range\n%2Fexamplebucket%2Fdir%2Fa%20b.jpg?x-oss-process=image%2Fresize%2Cw_100%2Fformat%2Cwebp"
        )
    );
    let signature = signature(&credentials().secret_key, &made);
    // The SDK does not sort them where it names them.
    let trial = signed(&fields, &format!("AdditionalHeaders:range;if-modified-since,Signature:{signature}"));
    assert!(check(&trial, NOW).is_ok());
    let verified = trial.check(&[AccessKey::new(credentials())], &Clock::at(NOW)).unwrap();
    assert!(
        ["range", "if-modified-since", "date", "x-oss-a", "content-type"]
            .iter()
            .all(|name| verified.covered.field(name))
    );
    assert!(!verified.covered.field("cookie"));
    let missing = signed(&fields[1..], &format!("AdditionalHeaders:range;if-modified-since,Signature:{signature}"));
    assert_eq!(check(&missing, NOW), Err(Why::Missing("range".into())));
    let anyway = Err(Why::Malformed("the list of additional headers names one that is signed anyway"));
    assert_eq!(check(&signed(&fields, "AdditionalHeaders:x-oss-a,Signature:x"), NOW), anyway);
}

#[test]
fn hosts_may_be_signed() {
    let mut trial = Trial::new("GET", TARGET, &["img.example.com:8080"]);
    trial.field("Date", DATE);
    let value = trial.message(|message| authorize(message, &credentials(), &["Host", "absent"]));
    assert!(value.contains("AdditionalHeaders:host,"), "{value}");
    trial.field("authorization", &value);
    assert!(check(&trial, NOW).is_ok());
    trial.hosts = vec!["other".into(), "img.example.com:8080".into()];
    assert!(check(&trial, NOW).is_ok());
    trial.hosts = vec!["other".into()];
    assert_eq!(check(&trial, NOW), Err(Why::Mismatch));
}

#[test]
fn urls_hold_until_their_second() {
    let until = NOW + 600;
    let query = format!("{TARGET}&x-oss-signature-version=OSS2&x-oss-expires={until}&x-oss-access-key-id=LTAIexample");
    let unsigned = Trial::new("GET", &query, &["any"]);
    let string = unsigned.message(|message| string_to_sign(message, until.to_string().as_bytes(), &[], None));
    let signature = super::super::encode::uri_encode(signature(&credentials().secret_key, &string).as_bytes());
    let trial = Trial { target: format!("{query}&x-oss-signature={signature}"), ..unsigned };
    assert_eq!((check(&trial, until), check(&trial, until + 1)), (Ok(until), Err(Why::Expired(until))));
    // We make the same, in the order of the names.
    let query = Trial::new("GET", TARGET, &["any"]).message(|message| presign(message, &credentials(), until, &[]));
    assert!(query.ends_with(&format!("&x-oss-signature={signature}")), "{query}");
    assert!(check(&Trial { target: format!("/dir/a%20b.jpg?{query}"), ..trial.clone() }, NOW).is_ok());
    let other = Trial { target: trial.target.replace("w_100", "w_101"), ..trial.clone() };
    assert_eq!(check(&other, NOW), Err(Why::Mismatch));
    let empty = Trial { target: format!("{}&x-oss-additional-headers=", trial.target), ..trial.clone() };
    assert_eq!(check(&empty, NOW), Err(Why::Malformed("x-oss-additional-headers is empty")));
    let twice = Trial { target: format!("{}&x-oss-expires=1", trial.target), ..trial.clone() };
    assert_eq!(check(&twice, NOW), Err(Why::Malformed("a part of the signature stands twice")));
    for name in ["x-oss-expires", "x-oss-access-key-id", "x-oss-signature"] {
        let target = trial.target.replace(&format!("{name}="), "other=");
        assert_eq!(check(&Trial { target, ..trial.clone() }, NOW), Err(Why::Incomplete(name)));
    }
}

#[test]
fn what_is_no_signature_is_said_so() {
    let known = Why::Malformed("a part of the signature is not known");
    for (rest, why) in [
        ("Signature:x", Why::Mismatch),
        ("other:x", known),
        ("Signature", Why::Malformed("a part of the signature is not NAME:VALUE")),
        ("Signature:x,Signature:x", Why::Malformed("a part of the signature stands twice")),
        ("AdditionalHeaders:", Why::Incomplete("Signature")),
        (
            "AdditionalHeaders:range;range,Signature:x",
            Why::Malformed("the list of additional headers is too long or names one twice"),
        ),
    ] {
        assert_eq!(check(&signed(&[], rest), NOW), Err(why), "{rest}");
    }
}
