//! The examples of the S3 documentation, verified, and what the verifier takes and does not take besides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::trial_tests::Trial;
use crate::sign::{Credentials, Secret};

const HOST: &str = "examplebucket.s3.amazonaws.com";
const NOW: i64 = 1_369_353_600;
const DATE: &str = "20130524T000000Z";
const SCOPE: &str = "20130524/us-east-1/s3/aws4_request";
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn keys() -> [AccessKey; 1] {
    let credentials = Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    };
    [AccessKey::new(credentials)]
}

fn check(trial: &Trial, now: i64) -> Result<i64, Why> {
    trial.check(&keys(), &Clock::at(now)).map(|verified| verified.expires).map_err(|denied| denied.why)
}

fn request(method: &str, target: &str, fields: &[(&str, &str)], hash: &str) -> Trial {
    let mut trial = Trial::new(method, target, &[HOST]);
    trial.region = "us-east-1".into();
    trial.field("x-amz-content-sha256", hash);
    trial.field("x-amz-date", DATE);
    trial.fields(fields);
    trial
}

fn signed(mut trial: Trial, names: &str, signature: &str) -> Trial {
    trial.field(
        "authorization",
        &format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{SCOPE},SignedHeaders={names},Signature={signature}"
        ),
    );
    trial
}

#[test]
fn example_get_object_with_range() {
    let names = "host;range;x-amz-content-sha256;x-amz-date";
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let trial = signed(request("GET", "/test.txt", &[("Range", "bytes=0-9")], EMPTY), names, signature);
    let verified = trial.check(&keys(), &Clock::at(NOW)).unwrap();
    assert_eq!((verified.expires, verified.presigned), (NOW + 900, false));
    let SignedBody::Sha256(hash) = verified.body else { panic!("{verified:?}") };
    assert_eq!(hex::encode(hash), EMPTY);
    assert!(verified.covered.field("range") && verified.covered.field("host") && !verified.covered.field("cookie"));
    assert_eq!((check(&trial, NOW + 901), check(&trial, NOW - 901)), (Err(Why::Skewed), Err(Why::Skewed)));
    // What is told of another signature is the example's own.
    let wrong = signed(request("GET", "/test.txt", &[("Range", "bytes=0-9")], EMPTY), names, "0");
    let told = *wrong.check(&keys(), &Clock::at(NOW)).unwrap_err().compared.unwrap();
    assert_eq!(
        String::from_utf8(told.canonical_request.unwrap()).unwrap(),
        format!(
            "GET\n/test.txt\n\nhost:{HOST}\nrange:bytes=0-9\nx-amz-content-sha256:{EMPTY}\nx-amz-date:{DATE}\n\n{names}\n{EMPTY}"
        )
    );
    assert_eq!(
        String::from_utf8(told.string_to_sign).unwrap(),
        format!("AWS4-HMAC-SHA256\n{DATE}\n{SCOPE}\n7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972")
    );
}

#[test]
fn example_put_object() {
    let hash = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let fields = [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")];
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    for path in ["/test%24file.text", "/test$file.text"] {
        let request = request("PUT", path, &fields, hash);
        let names = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
        assert_eq!(check(&signed(request.clone(), names, signature), NOW), Ok(NOW + 900));
        // Another key's class is not to be had.
        let names = "date;host;x-amz-content-sha256;x-amz-date";
        assert_eq!(check(&signed(request, names, signature), NOW), Err(Why::NotSigned("x-amz-storage-class".into())));
    }
}

#[test]
fn example_lists() {
    let names = "host;x-amz-content-sha256;x-amz-date";
    for (target, signature) in [
        ("/?lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("/?prefix=J&max-keys=2", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ] {
        let trial = signed(request("GET", target, &[], EMPTY), names, signature);
        assert_eq!(check(&trial, NOW), Ok(NOW + 900), "{target}");
        assert_eq!(check(&Trial { target: format!("{target}&a"), ..trial }, NOW), Err(Why::Mismatch));
    }
}

#[test]
fn example_presigned_get_object() {
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
    let mut trial = Trial::new("GET", &format!("/test.txt?{query}"), &[HOST]);
    trial.region = "us-east-1".into();
    let until = NOW + 86_400;
    assert_eq!((check(&trial, until), check(&trial, until + 1)), (Ok(until), Err(Why::Expired(until))));
    assert_eq!(check(&trial, NOW - 901), Err(Why::NotYet));
    let verified = trial.check(&keys(), &Clock::at(NOW)).unwrap();
    assert!(verified.presigned && verified.body == SignedBody::Unsigned && verified.covered.parameter(0));
    for name in
        ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"]
    {
        let target = trial.target.replace(&format!("{name}="), "other=");
        assert_eq!(check(&Trial { target, ..trial.clone() }, NOW), Err(Why::Incomplete(name)));
        let target = format!("{}&{name}=x", trial.target);
        assert_eq!(
            check(&Trial { target, ..trial.clone() }, NOW),
            Err(Why::Malformed("a part of the signature stands twice"))
        );
    }
    let mut both = trial.clone();
    both.field("authorization", "AWS4-HMAC-SHA256 x");
    assert_eq!(check(&both, NOW), Err(Why::Several));
    let mut more = trial;
    more.field("x-amz-meta-a", "1");
    assert_eq!(check(&more, NOW), Err(Why::NotSigned("x-amz-meta-a".into())));
}

#[test]
fn example_chunks_begin_with_the_request() {
    let fields = [
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ("Content-Encoding", "aws-chunked"),
        ("x-amz-decoded-content-length", "66560"),
        ("Content-Length", "66824"),
    ];
    let mut trial = request("PUT", "/examplebucket/chunkObject.txt", &fields, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    trial.hosts = vec!["s3.amazonaws.com".into()];
    let names = "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class";
    let signature = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    let verified = signed(trial, names, signature).check(&keys(), &Clock::at(NOW)).unwrap();
    let SignedBody::Chunks(mut chain) = verified.body else { panic!("{verified:?}") };
    assert_eq!(chain.sign_chunk(&[b'a'; 65_536]), "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
}

#[test]
fn encoded_slashes_hold_as_written_and_as_read() {
    let names = "host;x-amz-content-sha256;x-amz-date";
    let unsigned = request("GET", "/a%2Fb%20c", &[], EMPTY);
    let sign = |path: &str| {
        let names: Vec<String> = names.split(';').map(str::to_owned).collect();
        let canonical = unsigned.message(|message| canonical_of(message, path, &names, HOST, EMPTY));
        let [key] = keys();
        let signing_key = super::super::signing_key(key.secret(), DATE, "us-east-1", "s3");
        signature(&signing_key, &string_to_sign(DATE, SCOPE, &canonical))
    };
    for path in ["/a/b%20c", "/a%2Fb%20c"] {
        assert_eq!(check(&signed(unsigned.clone(), names, &sign(path)), NOW), Ok(NOW + 900), "{path}");
    }
    assert_eq!(check(&signed(unsigned.clone(), names, &sign("/a%252Fb%20c")), NOW), Err(Why::Mismatch));
}

#[test]
fn what_must_be_signed_must_be() {
    let trial = request("GET", "/a", &[("x-amz-meta-a", "1")], EMPTY);
    let with = |names: &str| check(&signed(trial.clone(), names, "0"), NOW);
    assert_eq!(with("x-amz-date;x-amz-meta-a"), Err(Why::NotSigned("host".into())));
    assert_eq!(with("host;x-amz-date"), Err(Why::NotSigned("x-amz-meta-a".into())));
    assert_eq!(with("host;x-amz-meta-a"), Err(Why::NotSigned("x-amz-date".into())));
    assert_eq!(with("host;range;x-amz-date;x-amz-meta-a"), Err(Why::Missing("range".into())));
    assert_eq!(with("host;host"), Err(Why::Malformed("SignedHeaders is too long or names one twice")));
    // CloudFront's own field comes behind the signer.
    let mut behind = trial.clone();
    behind.field("x-amz-cf-id", "x");
    assert_eq!(check(&signed(behind, "host;x-amz-date;x-amz-meta-a", "0"), NOW), Err(Why::Mismatch));
    let mut unknown =
        signed(request("PUT", "/a", &[], "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"), "host;x-amz-date", "0");
    assert_eq!(check(&unknown, NOW), Err(Why::Mismatch));
    unknown.headers.remove("x-amz-content-sha256");
    assert_eq!(check(&unknown, NOW), Err(Why::Incomplete("x-amz-content-sha256")));
}

#[test]
fn scopes_and_dates_must_be_right() {
    let names = "host;range;x-amz-content-sha256;x-amz-date";
    let signature = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
    let trial = signed(request("GET", "/test.txt", &[("Range", "bytes=0-9")], EMPTY), names, signature);
    assert_eq!(check(&Trial { region: "eu-west-1".into(), ..trial.clone() }, NOW), Err(Why::Scope("region")));
    let with = |from: &str, to: &str| {
        let mut other = trial.clone();
        let value = String::from_utf8(trial.value_of("authorization").unwrap().to_vec()).unwrap().replace(from, to);
        other.headers.insert("authorization", value.parse().unwrap());
        check(&other, NOW)
    };
    assert_eq!(with("/20130524/", "/20130525/"), Err(Why::Scope("day")));
    assert_eq!(with("/s3/", "/sts/"), Err(Why::Scope("service")));
    assert_eq!(with("AKIAIOSFODNN7EXAMPLE", "other"), Err(Why::UnknownKey));
    assert_eq!(with("Signature=", "Other="), Err(Why::Malformed("a part of the signature is not known")));
    let mut undated = trial;
    undated.headers.remove("x-amz-date");
    assert_eq!(check(&undated, NOW), Err(Why::NoDate));
    // Date may stand for it, and then it is not one of those that are signed.
    undated.field("date", "Fri, 24 May 2013 00:00:00 GMT");
    assert_eq!(check(&undated, NOW), Err(Why::Missing("x-amz-date".into())));
}
