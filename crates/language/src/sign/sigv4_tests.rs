//! The examples of the S3 documentation, step by step, so that a failure names the step.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::encode::{parse_query, path_encode};

const HOST: &str = "examplebucket.s3.amazonaws.com";
/// 2013-05-24T00:00:00Z, the day of all the examples.
const NOW: i64 = 1_369_353_600;
const DATE: &str = "20130524T000000Z";

fn credentials() -> Credentials {
    Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    }
}

struct Example<'a> {
    method: &'a str,
    key: &'a str,
    query: &'a str,
    headers: &'a [(&'a str, &'a str)],
    payload: Payload,
    canonical: &'a str,
    canonical_sha256: &'a str,
    signed_names: &'a str,
    signature: &'a str,
}

impl Example<'_> {
    fn check(&self) {
        let credentials = credentials();
        let signer = Signer { credentials: &credentials, region: "us-east-1", now: NOW };
        let mut headers: Vec<(String, String)> = vec![
            ("Host".into(), HOST.into()),
            ("x-amz-date".into(), amz_date(NOW)),
            ("x-amz-content-sha256".into(), self.payload.text().into()),
        ];
        headers.extend(self.headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let path = format!("/{}", path_encode(self.key.as_bytes()));
        let query = parse_query(self.query);
        let request = SignableRequest {
            method: self.method,
            path: &path,
            query: &query,
            headers: &headers,
            payload: &self.payload,
        };

        let (block, names) = canonical_headers(&headers);
        assert_eq!(names, self.signed_names);
        let canonical = canonical_request(&request, &canonical_query(&query), &block, &names);
        assert_eq!(canonical, self.canonical);
        let scope = scope(DATE, "us-east-1");
        assert_eq!(
            string_to_sign(DATE, &scope, canonical.as_bytes()),
            format!("AWS4-HMAC-SHA256\n{DATE}\n20130524/us-east-1/s3/aws4_request\n{}", self.canonical_sha256)
        );
        assert_eq!(
            authorize(&request, &signer),
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={},Signature={}",
                self.signed_names, self.signature
            )
        );
    }
}

#[test]
fn dates_are_basic_iso_8601() {
    assert_eq!(amz_date(NOW), DATE);
    assert_eq!(amz_date(0), "19700101T000000Z");
    assert_eq!(amz_date(i64::MAX), "19700101T000000Z");
}

#[test]
fn example_signing_key() {
    // "Examples of how to derive a signing key", service iam.
    let secret = Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY");
    assert_eq!(
        hex::encode(signing_key(&secret, "20150830T123600Z", "us-east-1", "iam").as_slice()),
        "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
    );
}

#[test]
fn example_get_object_with_range() {
    Example {
        method: "GET",
        key: "test.txt",
        query: "",
        headers: &[("Range", "bytes=0-9")],
        payload: Payload::Empty,
        canonical: "GET\n/test.txt\n\nhost:examplebucket.s3.amazonaws.com\nrange:bytes=0-9\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20130524T000000Z\n\nhost;range;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        canonical_sha256: "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
        signed_names: "host;range;x-amz-content-sha256;x-amz-date",
        signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    }
    .check();
}

#[test]
fn example_put_object() {
    let payload = Payload::of(b"Welcome to Amazon S3.");
    assert_eq!(payload.text(), "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072");
    Example {
        method: "PUT",
        key: "test$file.text",
        query: "",
        headers: &[("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        payload,
        canonical: "PUT\n/test%24file.text\n\ndate:Fri, 24 May 2013 00:00:00 GMT\nhost:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\nx-amz-date:20130524T000000Z\nx-amz-storage-class:REDUCED_REDUNDANCY\n\ndate;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
        canonical_sha256: "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
        signed_names: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    }
    .check();
}

#[test]
fn example_get_bucket_lifecycle() {
    Example {
        method: "GET",
        key: "",
        query: "lifecycle",
        headers: &[],
        payload: Payload::Empty,
        canonical: "GET\n/\nlifecycle=\nhost:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        canonical_sha256: "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
        signed_names: "host;x-amz-content-sha256;x-amz-date",
        signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    }
    .check();
}

#[test]
fn example_list_objects() {
    Example {
        method: "GET",
        key: "",
        // Not in order, so that the sorting shows.
        query: "prefix=J&max-keys=2",
        headers: &[],
        payload: Payload::Empty,
        canonical: "GET\n/\nmax-keys=2&prefix=J\nhost:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\nx-amz-date:20130524T000000Z\n\nhost;x-amz-content-sha256;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        canonical_sha256: "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
        signed_names: "host;x-amz-content-sha256;x-amz-date",
        signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    }
    .check();
}

#[test]
fn example_presigned_get_object() {
    let credentials = credentials();
    let signer = Signer { credentials: &credentials, region: "us-east-1", now: NOW };
    let headers = [("host".to_owned(), HOST.to_owned())];
    let request = SignableRequest {
        method: "GET",
        path: "/test.txt",
        query: &[],
        headers: &headers,
        payload: &Payload::Unsigned,
    };
    let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host";
    let (block, names) = canonical_headers(&headers);
    let canonical = canonical_request(&request, query, &block, &names);
    assert_eq!(
        canonical,
        format!("GET\n/test.txt\n{query}\nhost:examplebucket.s3.amazonaws.com\n\nhost\nUNSIGNED-PAYLOAD")
    );
    assert_eq!(sha256_hex(canonical.as_bytes()), "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04");
    assert_eq!(
        presign(&request, &signer, 86_400),
        format!("{query}&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    );
}

#[test]
fn headers_are_trimmed_sorted_and_joined() {
    let headers = [("X-B", "  two   words "), ("x-a", "1"), ("x-b", "again")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(canonical_headers(&headers), ("x-a:1\nx-b:two words,again\n".to_owned(), "x-a;x-b".to_owned()));
}
