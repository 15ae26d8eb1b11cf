//! Request heads as they go to stores.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::Secret;

fn credentials() -> Credentials {
    Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    }
}

fn bucket(endpoint: &str, path_style: bool) -> Upstream {
    Upstream::bucket(endpoint, "examplebucket", "us-east-1", path_style, Some(credentials()), Timeouts::default())
        .unwrap()
}

fn day() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn get(upstream: &Upstream, path: &str, query: Option<&str>) -> Result<UpstreamRequest, Error> {
    upstream.request("GET", path, query, &HeaderMap::new(), day())
}

fn header<'a>(request: &'a UpstreamRequest, name: &str) -> &'a str {
    request.headers.iter().find(|(known, _)| known == name).unwrap().1.to_str().unwrap()
}

#[test]
fn the_documented_listing_is_signed_as_documented() {
    // "Get Bucket (List Objects)" with the hash of an empty body, which the client names itself.
    let upstream = bucket("https://s3.amazonaws.com", false);
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-content-sha256", HeaderValue::from_static(sigv4::EMPTY_SHA256));
    let request = upstream.request("GET", "/", Some("prefix=J&max-keys=2"), &headers, day()).unwrap();
    assert_eq!(request.path_and_query, "/?max-keys=2&prefix=J");
    assert_eq!(request.host, "examplebucket.s3.amazonaws.com");
    assert_eq!(header(&request, "x-amz-date"), "20130524T000000Z");
    assert!(
        header(&request, "authorization")
            .ends_with("Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
    );
    assert!(request.drop_headers.contains(&"authorization"));
}

#[test]
fn both_styles_name_the_bucket() {
    let path = bucket("http://127.0.0.1:9000", true);
    let request = get(&path, "/a%2fb%2B c", None).unwrap();
    assert_eq!(
        (request.path_and_query.as_str(), request.host.as_str()),
        ("/examplebucket/a/b%2B%20c", "127.0.0.1:9000")
    );

    let host = bucket("http://s3.localhost:9000", false);
    let request = get(&host, "/a", None).unwrap();
    assert_eq!((request.path_and_query.as_str(), request.host.as_str()), ("/a", "examplebucket.s3.localhost:9000"));
    assert_eq!((host.host.as_str(), host.addr_host.as_str()), ("examplebucket.s3.localhost", "127.0.0.1"));
    assert_eq!((host.port, host.tls), (9000, false));

    let v6 = bucket("https://[::1]", true);
    assert_eq!((v6.host.as_str(), v6.addr_host.as_str(), v6.port, v6.tls), ("[::1]", "::1", 443, true));
}

#[test]
fn the_clients_signature_does_not_travel() {
    let query = "versionId=1&X-Amz-Signature=s&OSSAccessKeyId=o&Expires=1&Signature=x&q-signature=c&uploads&a=b+c";
    let request = get(&bucket("http://h", true), "/k", Some(query)).unwrap();
    assert_eq!(request.path_and_query, "/examplebucket/k?a=b%20c&uploads=&versionId=1");
}

#[test]
fn all_amz_headers_are_signed() {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-meta-name", HeaderValue::from_static("x"));
    headers.insert("x-amz-date", HeaderValue::from_static("old"));
    headers.insert("content-type", HeaderValue::from_static("image/png"));
    let request = bucket("http://h", true).request("PUT", "/k", None, &headers, day()).unwrap();
    assert!(
        header(&request, "authorization")
            .contains("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-meta-name,")
    );
    assert_eq!(header(&request, "x-amz-content-sha256"), "UNSIGNED-PAYLOAD");
}

#[test]
fn the_clients_word_on_its_body_is_kept_or_refused() {
    let with = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-content-sha256", HeaderValue::from_static(text));
        bucket("http://h", true).request("PUT", "/k", None, &headers, day())
    };
    let streaming = "STREAMING-UNSIGNED-PAYLOAD-TRAILER";
    assert_eq!(header(&with(streaming).unwrap(), "x-amz-content-sha256"), streaming);
    assert_eq!(with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD").unwrap_err().kind, Kind::UnsupportedRule);
    assert_eq!(with("abc").unwrap_err().kind, Kind::BadRequest);
}

#[test]
fn our_key_reads_no_other_bucket() {
    let copy = |source: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-copy-source", HeaderValue::from_static(source));
        bucket("http://h", true).request("PUT", "/k", None, &headers, day())
    };
    assert!(copy("/examplebucket/a%20b?versionId=1").is_ok());
    assert!(copy("examplebucket/a").is_ok());
    for source in
        ["other/a", "examplebucketeer/a", "examplebucket", "examplebucket/../other/a", "examplebucket/%2e%2e/o"]
    {
        assert!(copy(source).is_err(), "{source}");
    }
    for path in ["/../other/k", "/a/%2e%2e/%2E%2e/other", "/a%2f..%2fb", "/a%00", "a", "*", "/%zz"] {
        assert_eq!(get(&bucket("http://h", true), path, None).unwrap_err().kind, Kind::BadRequest, "{path}");
    }
}

#[test]
fn without_a_key_paths_and_queries_stay_as_they_came() {
    let upstream = Upstream::parse("url", "http://h:81/a%20b/", Timeouts::default()).unwrap();
    let request = get(&upstream, "/x%2Fy//%7e 中", Some("q=1+2&b")).unwrap();
    assert_eq!(request.path_and_query, "/a%20b/x%2Fy//%7e%20%E4%B8%AD?q=1+2&b");
    assert_eq!(request.host, "h:81");
    assert!(request.headers.is_empty() && request.drop_headers.is_empty() && !upstream.signs());
    assert!(get(&upstream, "/../secret", None).is_err());
}
