//! The table of access decisions, and the property behind it: whatever is asked, what is sent was opened.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::config::Loaded;

#[path = "../../tests/support/allowed.rs"]
mod allowed;

use allowed::{Opens, wrong};

const BUCKET: &str = "/hidden/";

fn site(origin: &str, more: &str) -> Arc<Site> {
    let text = format!("[[site]]\nname = \"t\"\nhosts = [\"*\"]\n[site.origin]\n{origin}\n{more}");
    let loaded = Loaded { config: crate::config::parse(&text).unwrap(), base: PathBuf::from("/") };
    crate::site::Sites::build(&loaded).unwrap().iter().next().unwrap().clone()
}

/// A site of a private bucket.
fn signed(opens: Opens) -> Arc<Site> {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        path.display().to_string()
    };
    let origin = format!(
        "kind = \"s3\"\nendpoint = \"http://127.0.0.1:9\"\nbucket = \"hidden\"\naccess_key_file = {:?}\nsecret_key_file = {:?}",
        file("AK"),
        file("SK")
    );
    site(&origin, &opens.toml())
}

/// What is sent, in one word each, or the name of the error.
fn outcome(site: &Arc<Site>, method: &str, target: &str, fields: &[(&str, &str)]) -> Result<Vec<String>, &'static str> {
    let word = |sent| match sent {
        SentRequest::Passed(method, target, _) => format!("{method} {target}"),
        SentRequest::Fetched(key, version) => {
            format!("FETCH {key}{}", version.map(|id| format!("@{id}")).unwrap_or_default())
        }
        SentRequest::Styles => "STYLES".to_owned(),
    };
    sent(site, method, target, fields)
        .map(|sent| sent.into_iter().map(word).collect())
        .map_err(|error| error.kind.name())
}

/// What a way in needs: any of `write`, `list`; `never` is never open; `style` passes where originals are protected, `shown`
/// is no picture by its name.
struct Way(&'static str, &'static str, &'static str, &'static [&'static str]);

#[rustfmt::skip]
const WAYS: &[Way] = &[
    // Plain reads, in every spelling.
    Way("GET", "/a.jpg", "", &["GET /hidden/a.jpg"]),
    Way("HEAD", "/a.jpg", "", &["HEAD /hidden/a.jpg"]),
    Way("GET", "/%61.jp%67", "", &["GET /hidden/a.jpg"]),
    Way("GET", "/d/a%2fb.jpg", "", &["GET /hidden/d/a/b.jpg"]),
    Way("GET", "/a.txt", "shown", &["GET /hidden/a.txt"]),
    Way("HEAD", "/a", "shown", &["HEAD /hidden/a"]),
    Way("OPTIONS", "/a.jpg", "shown", &["OPTIONS /hidden/a.jpg"]),
    // Parameters that no store knows are nobody's.
    Way("GET", "/a.txt?v=17", "shown", &["GET /hidden/a.txt"]),
    Way("GET", "/a.txt?20260101", "shown", &["GET /hidden/a.txt"]),
    Way("GET", "/a.txt?status=1&id=2&origin=web", "shown", &["GET /hidden/a.txt"]),
    // Versions and parts.
    Way("GET", "/a.txt?versionId=old", "shown", &["GET /hidden/a.txt?versionId=old"]),
    Way("HEAD", "/a.txt?version%49d=o%2Fld", "shown", &["HEAD /hidden/a.txt?versionId=o%2Fld"]),
    Way("GET", "/a.jpg?versionId=old", "", &["GET /hidden/a.jpg?versionId=old"]),
    Way("GET", "/a.txt?partNumber=2", "shown", &["GET /hidden/a.txt?partNumber=2"]),
    Way("GET", "/a.txt?versionId=a&versionId=b", "never", &[]),
    Way("GET", "/a.txt?versionId=", "never", &[]),
    // Sub-resources, raw and encoded, and in the case of nobody.
    Way("GET", "/a.jpg?acl", "list", &["GET /hidden/a.jpg?acl="]),
    Way("GET", "/a.txt?acl", "list shown", &["GET /hidden/a.txt?acl="]),
    Way("GET", "/a.txt?acl=", "list shown", &["GET /hidden/a.txt?acl="]),
    Way("GET", "/a.txt?%61cl=", "list shown", &["GET /hidden/a.txt?acl="]),
    Way("GET", "/a.txt?%74agging=", "list shown", &["GET /hidden/a.txt?tagging="]),
    Way("GET", "/a.txt??acl=", "list shown", &["GET /hidden/a.txt?acl="]),
    Way("GET", "/a.txt?x=1&&acl=y", "list shown", &["GET /hidden/a.txt?acl=y"]),
    Way("GET", "/a.txt?tagging&versionId=old", "list shown", &["GET /hidden/a.txt?tagging=&versionId=old"]),
    Way("GET", "/a.txt?uploadId=7", "list shown", &["GET /hidden/a.txt?uploadId=7"]),
    Way("GET", "/a.txt?ACL", "never", &[]),
    Way("GET", "/a.txt?select&select-type=2", "never", &[]),
    Way("GET", "/a.txt?restore", "never", &[]),
    Way("HEAD", "/a.txt?symlink", "never", &[]),
    Way("OPTIONS", "/a.txt?acl", "list shown", &["OPTIONS /hidden/a.txt"]),
    // What is decoded twice by nobody.
    Way("GET", "/a.txt?%2561cl=", "shown", &["GET /hidden/a.txt"]),
    // The bucket.
    Way("GET", "/", "list shown", &["GET /hidden/"]),
    Way("HEAD", "/", "list shown", &["HEAD /hidden/"]),
    Way("GET", "/?list-type=2&prefix=a%2F", "list shown", &["GET /hidden/?list-type=2&prefix=a%2F"]),
    Way("GET", "/?%6Cist-type=2", "list shown", &["GET /hidden/?list-type=2"]),
    Way("GET", "/?policy", "list shown", &["GET /hidden/?policy="]),
    Way("GET", "/?uploads", "list shown", &["GET /hidden/?uploads="]),
    Way("GET", "//", "list shown", &["GET /hidden//"]),
    Way("GET", "/%2F", "list shown", &["GET /hidden//"]),
    Way("GET", "/?style", "never", &[]),
    Way("OPTIONS", "/", "list shown", &["OPTIONS /hidden/"]),
    // Paths that servers read differently.
    Way("GET", "/d/../a.txt", "never", &[]),
    Way("GET", "/d/%2e%2E/a.txt", "never", &[]),
    Way("GET", "/d%5c..%5ca.txt", "never", &[]),
    Way("GET", "/./", "never", &[]),
    Way("GET", "/a%00.txt", "never", &[]),
    Way("GET", "/a%.txt", "never", &[]),
    // Rules and styles.
    Way("GET", "/a.jpg?imageMogr2/rotate/90", "", &["FETCH a.jpg"]),
    Way("HEAD", "/a.jpg?x-oss-process=image/resize,w_9", "", &["FETCH a.jpg"]),
    Way("GET", "/a.jpg?imageMogr2/rotate/90&versionId=old", "", &["FETCH a.jpg@old"]),
    Way("GET", "/a.jpg?style/small", "style", &["FETCH a.jpg", "GET /hidden/a.jpg"]),
    Way("GET", "/a.jpg!small", "style", &["FETCH a.jpg", "GET /hidden/a.jpg"]),
    Way("GET", "/a.jpg%21small?versionId=old", "style", &["FETCH a.jpg@old", "GET /hidden/a.jpg?versionId=old"]),
    Way("GET", "/a.jpg!small?imageMogr2/rotate/90", "", &["FETCH a.jpg", "GET /hidden/a.jpg"]),
    Way("GET", "/a.jpg?imageMogr2/rotate/90&acl", "never", &[]),
    Way("GET", "/a.jpg!small?%61cl=", "never", &[]),
    Way("GET", "/?imageMogr2/rotate/90", "never", &[]),
    // The original in place of a picture is a plain read.
    Way("GET", "/a.jpg?imageMogr2/rotate/400/ignore-error/1", "", &["GET /hidden/a.jpg"]),
    Way("GET", "/a.txt?imageMogr2/rotate/400/ignore-error/1", "", &["GET /hidden/a.txt"]),
    Way("GET", "/a.jpg?imageMogr2/rotate/90/ignore-error/1", "", &["FETCH a.jpg", "GET /hidden/a.jpg"]),
    Way("GET", "/a.jpg?imageMogr2/rotate/400/ignore-error/1&versionId=old", "", &["GET /hidden/a.jpg?versionId=old"]),
    Way("GET", "/?imageMogr2/rotate/400/ignore-error/1&list-type=2", "never", &[]),
    Way("GET", "/a.jpg?acl&imageMogr2/rotate/400/ignore-error/1", "never", &[]),
    Way("GET", "/a.jpg?imageMogr2/rotate/400/ignore-error/1&%61cl=", "never", &[]),
    Way("GET", "/a.jpg?imageMogr2/rotate/90/ignore-error/1&tagging=", "never", &[]),
    Way("GET", "/%2F?imageMogr2/rotate/400/ignore-error/1", "never", &[]),
    // Changes of objects.
    Way("PUT", "/a.jpg", "write shown", &["PUT /hidden/a.jpg"]),
    Way("PUT", "/a.jpg!small", "write shown", &["PUT /hidden/a.jpg%21small"]),
    Way("PUT", "/a.jpg?x-id=PutObject", "write shown", &["PUT /hidden/a.jpg"]),
    Way("PUT", "/a.jpg?partNumber=1&uploadId=u", "write shown", &["PUT /hidden/a.jpg?partNumber=1&uploadId=u"]),
    Way("POST", "/a.jpg?uploads", "write shown", &["POST /hidden/a.jpg?uploads="]),
    Way("POST", "/a.jpg?uploadId=u", "write shown", &["POST /hidden/a.jpg?uploadId=u"]),
    Way("POST", "/?delete", "write shown", &["POST /hidden/?delete="]),
    Way("DELETE", "/a.jpg", "write shown", &["DELETE /hidden/a.jpg"]),
    Way("DELETE", "/a.jpg?versionId=old", "write shown", &["DELETE /hidden/a.jpg?versionId=old"]),
    Way("DELETE", "/a.jpg?uploadId=u", "write shown", &["DELETE /hidden/a.jpg?uploadId=u"]),
    // Changes of anything else.
    Way("PUT", "/", "never", &[]),
    Way("PUT", "//", "never", &[]),
    Way("PUT", "/?policy", "never", &[]),
    Way("PUT", "/?%70olicy=", "never", &[]),
    Way("PUT", "/?acl", "never", &[]),
    Way("PUT", "/a.jpg?acl", "never", &[]),
    Way("PUT", "/a.jpg?%61cl", "never", &[]),
    Way("PUT", "/a.jpg?tagging", "never", &[]),
    Way("PUT", "/a.jpg?retention", "never", &[]),
    Way("PUT", "/a.jpg?unheard-of", "never", &[]),
    Way("PUT", "/a.jpg?unheard=of", "never", &[]),
    Way("PUT", "/a.jpg?versionId=old", "never", &[]),
    Way("PUT", "/a.jpg?uploadId=u", "never", &[]),
    Way("POST", "/", "never", &[]),
    Way("POST", "/a.jpg", "never", &[]),
    Way("POST", "/a.jpg?restore", "never", &[]),
    Way("POST", "/a.jpg?select&select-type=2", "never", &[]),
    Way("POST", "/a.jpg?delete", "never", &[]),
    Way("POST", "/a.jpg?append&position=0", "never", &[]),
    Way("DELETE", "/", "never", &[]),
    Way("DELETE", "/?policy", "never", &[]),
    Way("DELETE", "/a.jpg?tagging", "never", &[]),
    Way("DELETE", "/a.jpg?versionid=old", "never", &[]),
    Way("DELETE", "/a.jpg?versionId=", "never", &[]),
    Way("PATCH", "/a.jpg", "never", &[]),
    Way("PROPFIND", "/", "never", &[]),
    Way("TRACE", "/a.jpg", "never", &[]),
    Way("PUT", "/a.jpg?imageMogr2/rotate/90", "never", &[]),
    Way("DELETE", "/a.jpg?imageMogr2/rotate/400/ignore-error/1", "never", &[]),
    Way("PUT", "/a.jpg?image_process", "never", &[]),
    Way("POST", "/a.jpg?x-oss-process", "never", &[]),
];

#[test]
fn every_way_in_under_every_policy() {
    let mut decisions = 0;
    for opens in Opens::all() {
        let site = signed(opens);
        for Way(method, target, needs, sends) in WAYS {
            let has = |word: &str| needs.split(' ').any(|need| need == word);
            let open = opens.anonymous
                && !has("never")
                && (opens.write || !has("write"))
                && (opens.list || !has("list"))
                && (!opens.protect || has("shown") || has("style"));
            let got = outcome(&site, method, target, &[]);
            decisions += 1;
            // A style gives its picture, and never the original in its place.
            let sends: Vec<&str> = sends
                .iter()
                .copied()
                .filter(|one| !opens.protect || has("shown") || one.starts_with("FETCH"))
                .collect();
            match got {
                Ok(got) => assert!(
                    open && got == sends,
                    "{method} {target} sends {got:?} under {opens:?}; open: {open}, {sends:?}"
                ),
                Err(kind) => assert!(!open, "{method} {target} is {kind} under {opens:?}"),
            }
            if !opens.anonymous && !has("never") {
                assert_eq!(got_kind(&site, method, target), "forbidden", "{method} {target}");
            }
        }
    }
    println!("{decisions} decisions");
}

fn got_kind(site: &Arc<Site>, method: &str, target: &str) -> &'static str {
    outcome(site, method, target, &[]).err().unwrap_or("sent")
}

#[test]
fn refusals_say_which_kind_they_are() {
    let open = Opens { anonymous: true, ..Opens::default() };
    let site = signed(open);
    for (method, target, kind) in [
        ("GET", "/?imageMogr2/rotate/400/ignore-error/1&list-type=2", "forbidden"),
        ("GET", "/a.jpg?acl&imageMogr2/rotate/400/ignore-error/1", "forbidden"),
        ("GET", "/a.jpg?%61cl=", "forbidden"),
        ("PUT", "/?policy", "forbidden"),
        ("DELETE", "/", "forbidden"),
        ("PUT", "/a.jpg", "forbidden"),
        ("TRACE", "/a.jpg", "method_not_allowed"),
        ("PUT", "/a.jpg?imageMogr2/rotate/90", "method_not_allowed"),
        ("GET", "/../a.jpg", "bad_request"),
    ] {
        assert_eq!(got_kind(&site, method, target), kind, "{method} {target}");
    }
    let protected = signed(Opens { protect: true, ..open });
    for target in ["/a.jpg", "/a.%6Apg", "/a.jpg?imageMogr2/rotate/90", "/a.jpg?imageMogr2/rotate/400/ignore-error/1"] {
        assert_eq!(got_kind(&protected, "GET", target), "protected", "{target}");
    }
    let writes = signed(Opens { write: true, ..open });
    for target in ["/?policy", "/", "/a.jpg?acl"] {
        assert_eq!(got_kind(&writes, "PUT", target), "forbidden", "{target}");
    }
}

#[test]
fn fields_of_answers_are_chosen_where_that_is_open() {
    let open = Opens { anonymous: true, ..Opens::default() };
    let target = "/a.txt?response-content-type=a%2Fb&response-expires=x%0Ay&versionId=old";
    assert_eq!(outcome(&signed(open), "GET", target, &[]).unwrap(), ["GET /hidden/a.txt?versionId=old"]);
    let chosen = Opens { overrides: true, ..open };
    let want = "GET /hidden/a.txt?response-content-type=a%2Fb&versionId=old";
    assert_eq!(outcome(&signed(chosen), "GET", target, &[]).unwrap(), [want]);
}

/// A picture whose name does not say so is known by the type that the store has for it.
#[test]
fn no_client_chooses_the_type_that_protection_judges_by() {
    let protected = signed(Opens { anonymous: true, overrides: true, protect: true, ..Opens::default() });
    for name in ["response-content-type", "Response-Content-Type", "%72esponse-content-typ%65"] {
        let target = format!("/photo?{name}=text/plain&response-expires=x&versionId=old");
        let want = "GET /hidden/photo?response-expires=x&versionId=old";
        assert_eq!(outcome(&protected, "GET", &target, &[]).unwrap(), [want], "{name}");
        // Of what was made by a style it is the client's to choose, where that is open.
        assert_eq!(outcome(&protected, "GET", &format!("/a.jpg!small?{name}=a/b"), &[]).unwrap(), ["FETCH a.jpg"]);
    }
    let server = |more: &str| site("kind = \"http\"\nurl = \"http://127.0.0.1:9/p\"", more);
    let protected = server("[site.styles]\nprotect = true\n");
    for query in [
        "response-content-type=text/plain",
        "a=1&Response-Content-Type=text/plain",
        "a=1;response-content-type=text/plain",
        "%72esponse-content%2Dtype=text/plain",
        "%2572esponse-content-type=text/plain",
        "token=t&response-content-type",
    ] {
        for method in ["GET", "HEAD"] {
            assert_eq!(outcome(&protected, method, &format!("/photo?{query}"), &[]), Err("protected"), "{query}");
        }
        assert!(outcome(&server(""), "GET", &format!("/photo?{query}"), &[]).is_ok(), "{query}");
    }
    assert!(outcome(&protected, "GET", "/photo?response-expires=x", &[]).is_ok());
}

#[test]
fn ranges_are_for_get_and_many_for_no_protected_site() {
    let open = Opens { anonymous: true, ..Opens::default() };
    let range = |opens: Opens, method: &str, fields: &[(&str, &str)]| {
        let sent = sent(&signed(opens), method, "/photo", fields).unwrap();
        let SentRequest::Passed(_, _, fields) = &sent[0] else { panic!("{sent:?}") };
        fields.iter().filter(|(name, _)| name == "range").map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    let (one, many) = ([("Range", "bytes=0-1")], [("Range", "bytes=0-1,3-4")]);
    let twice = [("Range", "bytes=0-1"), ("Range", "bytes=3-4")];
    let protect = Opens { protect: true, ..open };
    assert_eq!(range(open, "GET", &one), ["bytes=0-1"]);
    assert_eq!(range(open, "GET", &many), ["bytes=0-1,3-4"]);
    assert_eq!(range(protect, "GET", &one), ["bytes=0-1"]);
    for fields in [&many[..], &twice] {
        assert!(range(protect, "GET", fields).is_empty());
    }
    assert!(range(open, "HEAD", &one).is_empty());
}

#[test]
fn fields_that_are_the_owners_are_refused_with_a_write_and_left_out_of_a_read() {
    let site = signed(Opens { anonymous: true, write: true, ..Opens::default() });
    for name in [
        "x-amz-acl",
        "x-amz-grant-full-control",
        "x-amz-tagging",
        "x-amz-object-lock-mode",
        "x-amz-bypass-governance-retention",
        "x-amz-website-redirect-location",
        "x-amz-mfa",
        "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-unheard-of",
        "x-cos-acl",
        "x-oss-object-acl",
        "x-oss-forbid-overwrite",
        "x-cos-copy-source",
    ] {
        assert_eq!(outcome(&site, "PUT", "/a.jpg", &[(name, "x")]), Err("forbidden"), "{name}");
        let read = sent(&site, "GET", "/a.jpg", &[(name, "x")]).unwrap();
        let SentRequest::Passed(_, _, fields) = &read[0] else { panic!("{read:?}") };
        assert!(!fields.iter().any(|(known, _)| known == name), "{name}");
    }
    let fields =
        [("x-amz-meta-a", "1"), ("content-type", "a/b"), ("x-amz-checksum-crc32", "AAAAAA=="), ("cookie", "secret")];
    let write = sent(&site, "PUT", "/a.jpg", &fields).unwrap();
    let SentRequest::Passed(_, _, sent_fields) = &write[0] else { panic!("{write:?}") };
    let has = |name: &str| sent_fields.iter().any(|(known, _)| known == name);
    assert!(
        has("x-amz-meta-a") && has("content-type") && has("x-amz-checksum-crc32") && !has("cookie"),
        "{sent_fields:?}"
    );
}

#[test]
fn copies_are_within_the_bucket_and_never_of_protected_pictures() {
    let open = Opens { anonymous: true, write: true, ..Opens::default() };
    let copy =
        |opens, method, target, source| outcome(&signed(opens), method, target, &[("x-amz-copy-source", source)]);
    assert!(copy(open, "PUT", "/b.jpg", "/hidden/a.jpg").is_ok());
    assert!(copy(open, "PUT", "/b.jpg?partNumber=1&uploadId=u", "hidden/a.jpg").is_ok());
    for source in ["/other/a.jpg", "hidden/../other/a.jpg", "other%2Fa.jpg", "hidden"] {
        assert!(copy(open, "PUT", "/b.jpg", source).is_err(), "{source}");
    }
    assert_eq!(copy(open, "DELETE", "/b.jpg", "/hidden/a.jpg"), Err("forbidden"));
    assert_eq!(copy(Opens { protect: true, ..open }, "PUT", "/b.bin", "/hidden/a.jpg"), Err("forbidden"));
}

/// An origin that checks its clients itself gets what they send; protection, and what no reader agrees on, stay ours.
#[test]
fn an_origin_that_decides_gets_what_came() {
    let server = |more: &str| site("kind = \"http\"\nurl = \"http://127.0.0.1:9/p\"", more);
    let open = server("[site.styles]\nseparators = \"!\"\nrules.small = \"imageMogr2/thumbnail/20x/ignore-error/1\"\n");
    for (method, target, sent) in [
        ("PUT", "/?policy", &["PUT /p/?policy"][..]),
        ("PATCH", "/a.jpg", &["PATCH /p/a.jpg"]),
        ("GET", "/?list&x=%7e", &["GET /p/?list&x=%7e"]),
        ("GET", "/a.jpg?acl&q-signature=s", &["GET /p/a.jpg?acl&q-signature=s"]),
        ("GET", "/a.jpg!small", &["FETCH a.jpg", "GET /p/a.jpg"]),
        ("GET", "/a.jpg!small?token=t", &["FETCH a.jpg", "GET /p/a.jpg?token=t"]),
        ("GET", "/a.jpg?imageMogr2/rotate/400/ignore-error/1&token=t", &["GET /p/a.jpg?token=t"]),
    ] {
        assert_eq!(outcome(&open, method, target, &[]).unwrap(), sent, "{method} {target}");
    }
    assert_eq!(outcome(&open, "TRACE", "/a.jpg", &[]), Err("method_not_allowed"));
    let closed = server("[site.access]\nanonymous = false\n");
    for (method, target) in
        [("GET", "/a.jpg"), ("PUT", "/a.jpg"), ("GET", "/a.jpg?imageMogr2/rotate/400/ignore-error/1")]
    {
        assert_eq!(outcome(&closed, method, target, &[]), Err("forbidden"), "{method} {target}");
    }
    let protected = server("[site.styles]\nprotect = true\n");
    assert_eq!(outcome(&protected, "GET", "/a.jpg?acl", &[]), Err("protected"));
}

#[test]
fn a_folder_is_read_and_nothing_else() {
    let folder = |more: &str| site("kind = \"dir\"\npath = \"/tmp\"", more);
    let open = folder("");
    assert_eq!(outcome(&open, "GET", "/a.jpg?v=1", &[]).unwrap(), ["GET /a.jpg"]);
    for (method, target) in [("GET", "/"), ("GET", "/a.jpg?acl"), ("PUT", "/a.jpg"), ("DELETE", "/a.jpg")] {
        assert_eq!(outcome(&open, method, target, &[]), Err("forbidden"), "{method} {target}");
    }
    let closed = folder("[site.access]\nanonymous = false\n");
    for target in
        ["/a.jpg", "/a.jpg?imageMogr2/rotate/400/ignore-error/1", "/a.jpg?imageMogr2/rotate/90/ignore-error/1"]
    {
        assert_eq!(outcome(&closed, "GET", target, &[]), Err("forbidden"), "{target}");
    }
}

fn piece() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "acl",
        "tagging",
        "policy",
        "uploads",
        "uploadId",
        "versionId",
        "versions",
        "partNumber",
        "list-type",
        "prefix",
        "delete",
        "restore",
        "select",
        "style",
        "retention",
        "x-id",
        "response-content-type",
        "imageMogr2/rotate/90",
        "imageMogr2/rotate/400/ignore-error/1",
        "imageMogr2/rotate/90/ignore-error/1",
        "style/small",
        "x-oss-process",
        "image/resize,w_9",
        "q-signature",
        "X-Amz-Signature",
        "Expires",
        "v",
        "",
        "?",
        "%",
        "%2",
        "+",
    ]);
    let values = prop::sample::select(vec![
        "",
        "=",
        "=1",
        "=a%2Fb",
        "=image/resize,w_9",
        "=style/small",
        "=%00",
        "=%0d%0a",
        "==&=",
    ]);
    (words, values, any::<u64>(), 0..3_u8).prop_map(|(word, value, seed, twice)| {
        let mut text = word.to_owned();
        for _ in 0..twice {
            text = spell(&text, seed);
        }
        format!("{text}{value}")
    })
}

/// Some of the bytes as escapes.
fn spell(text: &str, seed: u64) -> String {
    let escape = |(at, byte): (usize, u8)| match (seed >> (at % 64)) & 1 {
        1 => format!("%{byte:02x}"),
        _ => char::from(byte).to_string(),
    };
    text.bytes().enumerate().map(escape).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_sent_was_open(
        bits in 0..32_usize,
        method in prop::sample::select(vec!["GET", "HEAD", "OPTIONS", "PUT", "POST", "DELETE", "PATCH", "TRACE", "LIST"]),
        path in prop::sample::select(vec![
            "/", "//", "/%2F", "/a.jpg", "/a.%6apg", "/a", "/a.jpg!small", "/a!small", "/a.jpg%21small", "/d/../a", "/%2e%2e/a",
            "/d%5c..", "/.", "/a%2f%2e%2e%2f", "/?", "/a.jpg/", "/\\", "/%5c",
        ]),
        pieces in prop::collection::vec(piece(), 0..4),
        range in prop::sample::select(vec!["", "bytes=0-1", "bytes=0-1,3-4"]),
        field in prop::sample::select(vec!["accept", "x-amz-acl", "x-amz-copy-source", "x-amz-meta-acl", "authorization", "x-oss-grant-x"]),
    ) {
        let opens = Opens::all().nth(bits).unwrap();
        thread_local! {
            static SITES: Vec<Arc<Site>> = Opens::all().map(signed).collect();
        }
        let site = SITES.with(|sites| sites[bits].clone());
        let target = match pieces.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", pieces.join("&")),
        };
        let mut fields = vec![(field, "hidden/a")];
        if !range.is_empty() {
            fields.push(("range", range));
        }
        for sent in sent(&site, method, &target, &fields).into_iter().flatten() {
            match sent {
                SentRequest::Passed(method, target, fields) => {
                    prop_assert_eq!(wrong(opens, &method, &target, &fields, BUCKET), None);
                }
                SentRequest::Fetched(key, _) => prop_assert!(opens.anonymous && !key.chars().all(|c| c == '/') && (method == "GET" || method == "HEAD")),
                SentRequest::Styles => prop_assert!(false, "styles are not open"),
            }
        }
    }
}
