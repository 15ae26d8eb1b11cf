//! The decision as a table: for each request, what it needs to be open, and exactly what is granted then. `http/sent_tests.rs`
//! holds the same against what is really sent.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::*;

const CLOSED: AccessPolicy = AccessPolicy {
    anonymous: false,
    write: false,
    list: false,
    overrides: false,
    protect: false,
    styles: false,
    origin_decides: false,
};
const OPEN: AccessPolicy = AccessPolicy { anonymous: true, ..CLOSED };
const BY_RULE: Wants = Wants::Picture { by_style: false };
const BY_STYLE: Wants = Wants::Picture { by_style: true };

fn headers(fields: &[(&str, &str)]) -> HeaderMap {
    let field =
        |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    fields.iter().map(field).collect()
}

/// The grant of a request, in words: what it does, the query that is sent, and the version after `@`. Or the error's name.
fn decided_with(policy: AccessPolicy, wants: Wants, method: &str, target: &str, fields: &[(&str, &str)]) -> String {
    match grant(policy, wants, method, target, fields) {
        Ok(Grant::Styles(_)) => "styles".into(),
        Ok(Grant::Picture(grant)) => {
            let at = grant.version().map(|id| format!("@{id}")).unwrap_or_default();
            let overrides: String = grant.overrides().iter().map(|(name, value)| format!(" {name}={value}")).collect();
            format!("picture {}{at}{overrides}", grant.path())
        }
        Ok(Grant::Pass(pass)) => {
            let query = match pass.sent() {
                SentQuery::AsItCame(query) => format!("?{}", query.as_deref().unwrap_or("-")),
                SentQuery::Only(pairs) => {
                    let pair = |(name, value): &(Vec<u8>, Vec<u8>)| {
                        format!(" {}={}", String::from_utf8_lossy(name), String::from_utf8_lossy(value))
                    };
                    pairs.iter().map(pair).collect()
                }
            };
            let at = pass.version().map(|id| format!("@{id}")).unwrap_or_default();
            format!("{:?} {}{query}{at}", pass.action(), pass.path())
        }
        Err(error) => error.kind.name().into(),
    }
}

fn grant(
    policy: AccessPolicy,
    wants: Wants,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
) -> Result<Grant, Refusal> {
    let (path, raw) = target.split_once('?').map_or((target, None), |(path, raw)| (path, Some(raw)));
    let query = Query::of(raw.unwrap_or_default().split('&'));
    let (method, headers) = (method.parse::<Method>().unwrap(), headers(fields));
    let asked =
        Asked { method: &method, path, query: &query, raw_query: raw, headers: &headers, wants, page_admitted: true };
    decide(&asked, &policy)
}

fn decided(policy: AccessPolicy, method: &str, target: &str) -> String {
    decided_with(policy, Wants::Stored, method, target, &[])
}

/// A request, what must be open for it (any of `write`, `list`; `never`), and what is granted.
struct Row(&'static str, &'static str, &'static str, &'static str);

#[rustfmt::skip]
const STORED: &[Row] = &[
    Row("GET", "/a", "", "Read /a"),
    Row("HEAD", "/d/a?v=17&status=1&x-id=GetObject", "", "Read /d/a"),
    Row("GET", "/a?versionId=o%2Fld", "", "Read /a versionId=o/ld@o/ld"),
    Row("GET", "/a?partNumber=2&versionId=1", "", "Read /a versionId=1 partNumber=2@1"),
    Row("GET", "/a?versionId=", "never", "bad_request"),
    Row("GET", "/a?versionId=a%0Ab", "never", "bad_request"),
    Row("GET", "/a?versionId=%FF", "never", "bad_request"),
    Row("GET", "/a?versionId=1&versionId=1", "never", "bad_request"),
    Row("GET", "/a?partNumber=1&partNumber=2", "never", "bad_request"),
    Row("GET", "/a?acl", "list", "ReadSettings /a acl="),
    Row("GET", "/a?%61cl=&versionId=1", "list", "ReadSettings /a acl= versionId=1@1"),
    Row("GET", "/a?uploadId=7&max-parts", "list", "ReadSettings /a uploadId=7 max-parts="),
    Row("GET", "/a?ACL", "never", "forbidden"),
    Row("GET", "/a?policy", "never", "forbidden"),
    Row("GET", "/a?restore", "never", "forbidden"),
    Row("GET", "/a?acl&acl", "never", "bad_request"),
    Row("GET", "/", "list", "ReadSettings /"),
    Row("GET", "", "list", "ReadSettings "),
    Row("GET", "/%2F", "list", "ReadSettings /%2F"),
    Row("GET", "/?list-type=2&prefix=a&x=1", "list", "ReadSettings / list-type=2 prefix=a"),
    Row("HEAD", "/?policy&versionId=1", "list", "ReadSettings / policy=@1"),
    Row("GET", "/?torrent", "never", "forbidden"),
    Row("OPTIONS", "/a?v=1", "", "Preflight /a"),
    Row("OPTIONS", "/a?acl", "list", "Preflight /a"),
    Row("OPTIONS", "/", "list", "Preflight /"),
    Row("PUT", "/a", "write", "Put /a"),
    Row("PUT", "/a?x-id=PutObject", "write", "Put /a"),
    Row("PUT", "/a?uploadId=u&partNumber=1", "write", "Upload /a uploadId=u partNumber=1"),
    Row("POST", "/a?uploads", "write", "Upload /a uploads="),
    Row("POST", "/a?uploadId=u", "write", "Upload /a uploadId=u"),
    Row("POST", "/?delete", "write", "DeleteMany / delete="),
    Row("DELETE", "/a", "write", "Delete /a"),
    Row("DELETE", "/a?versionId=1", "write", "Delete /a versionId=1@1"),
    Row("DELETE", "/a?uploadId=u", "write", "Upload /a uploadId=u"),
    Row("POST", "//?delete", "never", "bad_request"),
    Row("PUT", "/a?x-id=1&x-id=2", "write", "Put /a"),
    Row("PUT", "/a?partNumber=1&partNumber=2", "never", "bad_request"),
    Row("PUT", "/a?uploadId=u", "never", "forbidden"),
    Row("PUT", "/a?versionId=1", "never", "forbidden"),
    Row("PUT", "/a?v=1", "never", "forbidden"),
    Row("PUT", "/", "never", "forbidden"),
    Row("POST", "/a", "never", "forbidden"),
    Row("POST", "/a?delete", "never", "forbidden"),
    Row("DELETE", "/", "never", "forbidden"),
    Row("DELETE", "/a?versionId=", "never", "bad_request"),
    Row("PATCH", "/a", "never", "method_not_allowed"),
    Row("TRACE", "/a", "never", "method_not_allowed"),
    Row("CONNECT", "/a", "never", "method_not_allowed"),
    Row("GET", "/d/../a", "never", "bad_request"),
    Row("GET", "/d/%2e/a", "never", "bad_request"),
    Row("GET", "/d%5c..%5ca", "never", "bad_request"),
];

/// Under every policy: a row is granted exactly where what it needs is open, and it is granted the same everywhere.
#[test]
fn stored_objects() {
    for bits in 0..16_u8 {
        let bit = |place: u8| bits >> place & 1 == 1;
        let policy = AccessPolicy { anonymous: bit(0), write: bit(1), list: bit(2), protect: bit(3), ..CLOSED };
        for Row(method, target, needs, granted) in STORED {
            let got = decided(policy, method, target);
            let open = policy.anonymous
                && *needs != "never"
                && (*needs != "write" || policy.write)
                && (*needs != "list" || policy.list);
            match open {
                true => assert_eq!(got, *granted, "{method} {target} under {policy:?}"),
                false => assert!(
                    got.starts_with(|c: char| c.is_lowercase()),
                    "{method} {target} gets {got} under {policy:?}"
                ),
            }
            let all = AccessPolicy { anonymous: true, write: true, list: true, ..CLOSED };
            assert_eq!(decided(all, method, target), *granted, "{method} {target}");
        }
    }
    // What is closed is forbidden, whatever else would be wrong with it but its path.
    for target in ["/a", "/", "/?policy", "/a?versionId="] {
        for method in ["GET", "PUT", "TRACE"] {
            assert_eq!(decided(CLOSED, method, target), "forbidden", "{method} {target}");
        }
    }
    assert_eq!(decided(OPEN, "PUT", "/a"), "forbidden");
    assert_eq!(decided(OPEN, "PATCH", "/a"), "forbidden");
    assert_eq!(decided(OPEN, "OPTIONS", "/"), "forbidden");
    assert_eq!(decided(CLOSED, "GET", "/.."), "bad_request");
}

#[test]
fn pictures() {
    let by_rule = |policy, method, target| decided_with(policy, BY_RULE, method, target, &[]);
    assert_eq!(by_rule(OPEN, "GET", "/a.jpg"), "picture /a.jpg");
    assert_eq!(by_rule(OPEN, "HEAD", "/a.jpg?versionId=1&x=2"), "picture /a.jpg@1");
    for (method, target, kind) in [
        ("PUT", "/a.jpg", "method_not_allowed"),
        ("OPTIONS", "/a.jpg", "method_not_allowed"),
        ("GET", "/", "forbidden"),
        ("GET", "/%2f/", "forbidden"),
        ("GET", "/a.jpg?acl", "forbidden"),
        ("GET", "/a.jpg?versionId=1&versionId=2", "bad_request"),
    ] {
        assert_eq!(by_rule(OPEN, method, target), kind, "{method} {target}");
        let list = AccessPolicy { list: true, write: true, ..OPEN };
        assert_eq!(by_rule(list, method, target), kind, "{method} {target}");
    }
    assert_eq!(by_rule(CLOSED, "GET", "/a.jpg"), "forbidden");
    let decides = AccessPolicy { origin_decides: true, ..OPEN };
    assert_eq!(by_rule(decides, "GET", "/a.jpg?acl"), "picture /a.jpg", "the origin will refuse it");
    let protect = AccessPolicy { protect: true, ..OPEN };
    assert_eq!(by_rule(protect, "GET", "/a.jpg"), "protected");
    assert_eq!(decided_with(protect, BY_STYLE, "GET", "/a.jpg", &[]), "picture /a.jpg");
    assert_eq!(decided_with(OPEN, BY_STYLE, "GET", "/a.jpg", &[]), "picture /a.jpg");
    let chosen = AccessPolicy { overrides: true, protect: true, ..OPEN };
    let target = "/a.jpg?Response-Content-Type=a%2Fb&response-expires=c%0Ad&response-cache-control=e";
    let want = "picture /a.jpg response-content-type=a/b response-cache-control=e";
    assert_eq!(decided_with(chosen, BY_STYLE, "GET", target, &[]), want);
    assert_eq!(by_rule(OPEN, "GET", target), "picture /a.jpg");
    assert_eq!(
        by_rule(AccessPolicy { overrides: true, ..OPEN }, "GET", "/a?response-expires=1&response-expires=2"),
        "bad_request"
    );
}

#[test]
fn fields_of_answers() {
    let chosen = AccessPolicy { overrides: true, ..OPEN };
    let target = "/a?response-content-type=a%2Fb&response-expires=c&v=1";
    assert_eq!(decided(OPEN, "GET", target), "Read /a");
    assert_eq!(decided(chosen, "GET", target), "Read /a response-content-type=a/b response-expires=c");
    let protect = AccessPolicy { protect: true, ..chosen };
    assert_eq!(decided(protect, "GET", target), "Read /a response-expires=c", "the type tells what is a picture");
}

#[test]
fn protected_pictures_are_known_by_their_names() {
    let protect = AccessPolicy { protect: true, write: true, list: true, ..OPEN };
    for path in ["/a.jpg", "/a.%6Apg", "/d/A.SVGZ", "/a.b.tpg", "/a.avifs"] {
        assert_eq!(decided(protect, "GET", path), "protected", "{path}");
        assert_eq!(decided(protect, "HEAD", path), "protected", "{path}");
        assert_eq!(decided(protect, "DELETE", path), format!("Delete {path}"));
        assert_eq!(decided(AccessPolicy { origin_decides: true, ..protect }, "GET", path), "protected", "{path}");
    }
    for path in ["/jpg", "/a.jpg/b", "/a.jpg.txt", "/a.jpg%2Fb"] {
        assert_eq!(decided(protect, "GET", path), format!("Read {path}"));
    }
    assert!(looks_negotiable("/a.JPG") && looks_negotiable("/a.b.avif"));
    assert!(
        !looks_negotiable("/a.svg")
            && !looks_negotiable("/a.jpg/b")
            && !looks_negotiable("/jpg")
            && !looks_negotiable("/a.")
    );
}

#[test]
fn an_origin_that_decides_gets_requests_as_they_came() {
    let decides = AccessPolicy { origin_decides: true, ..OPEN };
    for (method, target, granted) in [
        ("GET", "/a?sig=%2B&b", "Read /a?sig=%2B&b"),
        ("GET", "/a", "Read /a?-"),
        ("GET", "/a?versionId=1", "Read /a?versionId=1@1"),
        ("GET", "/a?versionId=", "Read /a?versionId="),
        ("GET", "/?policy", "Any /?policy"),
        ("PUT", "/a?acl", "Any /a?acl"),
        ("POST", "/?delete", "DeleteMany /?delete"),
        ("PUT", "/?delete", "Any /?delete"),
        ("POST", "/", "Any /?-"),
        ("TRACE", "/a", "method_not_allowed"),
    ] {
        assert_eq!(decided(decides, method, target), granted, "{method} {target}");
    }
    let form = |method, kind| decided_with(decides, Wants::Stored, method, "/", &[("content-type", kind)]);
    assert_eq!(form("POST", " Multipart/Form-Data; boundary=x"), "Form /?-");
    assert_eq!(form("PUT", "multipart/form-data"), "Any /?-");
    assert_eq!(form("POST", "multipart/mixed"), "Any /?-");
    assert_eq!(form("POST", "multi"), "Any /?-");
    assert_eq!(decided(AccessPolicy { anonymous: false, ..decides }, "GET", "/a"), "forbidden");

    let protect = AccessPolicy { protect: true, ..decides };
    for query in
        ["response-content-type=a", "x;Response-Content-Type=a", "%72esponse-content-type", "%2572esponse-content-type"]
    {
        assert_eq!(decided(protect, "GET", &format!("/a?{query}")), "protected", "{query}");
        assert_eq!(decided(decides, "GET", &format!("/a?{query}")), format!("Read /a?{query}"));
        assert_eq!(decided(protect, "PUT", &format!("/a?{query}")), format!("Any /a?{query}"));
    }
    assert_eq!(decided(protect, "GET", "/a?response-expires=1&%41"), "Read /a?response-expires=1&%41");
    assert_eq!(decided(protect, "GET", "/a?a=%2541"), "Read /a?a=%2541");
}

#[test]
fn calls_for_styles() {
    let styles = AccessPolicy { styles: true, ..CLOSED };
    for target in ["/?style", "?style&styleName=a", "/?%73tyle=x"] {
        assert_eq!(decided(styles, "PUT", target), "styles", "{target}");
        assert_eq!(decided(CLOSED, "PUT", target), "forbidden", "{target}");
    }
    for target in ["/a?style", "/?styles", "//?style"] {
        assert_eq!(decided(styles, "PUT", target), "forbidden", "{target}");
    }
}

#[test]
fn the_page_that_asks_counts_for_everything() {
    let (query, headers) = (Query::default(), HeaderMap::new());
    let policy = AccessPolicy { write: true, list: true, styles: true, ..OPEN };
    for wants in [Wants::Stored, BY_RULE, BY_STYLE] {
        for method in [Method::GET, Method::PUT, Method::OPTIONS] {
            let asked = Asked {
                method: &method,
                path: "/a",
                query: &query,
                raw_query: None,
                headers: &headers,
                wants,
                page_admitted: false,
            };
            assert_eq!(decide(&asked, &policy).unwrap_err().kind, Kind::Forbidden);
        }
    }
}

/// The fields of a request, of these, that go on.
fn kept(policy: AccessPolicy, method: &str, fields: &[(&str, &str)]) -> Vec<String> {
    let Ok(Grant::Pass(pass)) = grant(policy, Wants::Stored, method, "/a", fields) else {
        return vec!["refused".into()];
    };
    fields.iter().map(|(name, _)| (*name).to_owned()).filter(|name| pass.keeps(name)).collect()
}

#[test]
fn header_fields() {
    let all = [
        ("accept", "*/*"),
        ("if-none-match", "\"a\""),
        ("content-type", "image/png"),
        ("range", "bytes=0-1"),
        ("if-range", "\"a\""),
        ("x-unheard", "1"),
        ("x-amz-checksum-mode", "ENABLED"),
        ("x-amz-meta-a", "1"),
        ("x-amz-date", "1"),
        ("x-amz-server-side-encryption-customer-key", "k"),
        ("x-oss-symlink", "1"),
    ];
    let write = AccessPolicy { write: true, ..OPEN };
    let plain = ["accept", "if-none-match", "content-type"];
    let read = ["x-amz-checksum-mode", "x-amz-server-side-encryption-customer-key"];
    assert_eq!(kept(write, "GET", &all), [&plain[..], &["range", "if-range"], &read].concat());
    assert_eq!(kept(write, "HEAD", &all), [&plain[..], &read].concat(), "a range is of GET alone");
    assert_eq!(kept(write, "PUT", &all), ["refused"], "the checksum mode is of reads");
    let mine = ["x-amz-meta-a", "x-amz-server-side-encryption-customer-key"];
    let sent: Vec<_> = all.iter().copied().filter(|(name, _)| *name != "x-amz-checksum-mode").collect();
    assert_eq!(kept(write, "PUT", &sent), [&plain[..], &mine].concat());
    let decides = AccessPolicy { origin_decides: true, ..OPEN };
    assert_eq!(kept(decides, "GET", &all).len(), all.len());
    assert_eq!(kept(decides, "PUT", &all).len(), all.len() - 2);
}

#[test]
fn ranges() {
    let protect = AccessPolicy { protect: true, ..OPEN };
    let one = [("range", "bytes=0-1")];
    let (many, twice) = ([("range", "bytes=0-1,3-4")], [one[0], ("range", "bytes=3-4")]);
    assert_eq!(kept(protect, "GET", &one), ["range"]);
    for fields in [&many[..], &twice] {
        assert!(kept(protect, "GET", fields).is_empty());
        assert_eq!(kept(OPEN, "GET", fields).len(), fields.len());
    }
    assert!(kept(OPEN, "HEAD", &one).is_empty());
}

#[test]
fn writes_of_the_owner_are_refused() {
    let write = AccessPolicy { write: true, ..OPEN };
    let with = |policy, method: &str, target: &str, field: &str| {
        decided_with(policy, Wants::Stored, method, target, &[(field, "a")])
    };
    for field in [
        "x-amz-acl",
        "x-amz-grant-read",
        "x-amz-tagging",
        "x-amz-object-lock-mode",
        "x-cos-acl",
        "x-oss-object-acl",
        "x-oss-symlink-target",
        "x-obs-grant-read",
        "x-ms-copy-source",
    ] {
        for (method, target) in [("PUT", "/a"), ("DELETE", "/a"), ("POST", "/a?uploads"), ("POST", "/?delete")] {
            assert_eq!(with(write, method, target, field), "forbidden", "{method} {target} {field}");
        }
        assert_eq!(with(write, "GET", "/a", field), "Read /a", "left out of a read");
    }
    for field in ["x-amz-meta-acl", "x-amz-storage-class", "x-amz-expected-bucket-owner", "x-cos-meta-a", "x-other-acl"]
    {
        assert_eq!(with(write, "PUT", "/a", field), "Put /a", "{field}");
    }
    let copy = "x-amz-copy-source";
    assert_eq!(with(write, "PUT", "/a", copy), "Put /a");
    assert_eq!(with(write, "PUT", "/a?partNumber=1&uploadId=u", copy), "Upload /a partNumber=1 uploadId=u");
    assert_eq!(with(write, "DELETE", "/a", copy), "forbidden");
    assert_eq!(with(AccessPolicy { protect: true, ..write }, "PUT", "/a", copy), "forbidden");
}

#[test]
fn a_grant_gives_lesser_ones() {
    let Ok(Grant::Pass(pass)) = grant(OPEN, Wants::Stored, "GET", "/a?partNumber=2&versionId=1", &[]) else {
        unreachable!("a plain read")
    };
    let whole = pass.without_part();
    assert_eq!(*whole.sent(), SentQuery::Only(vec![(b"versionId".to_vec(), b"1".to_vec())]));
    assert_eq!((whole.action(), whole.path(), whole.version()), (Action::Read, "/a", Some("1")));
    let picture = pass.picture().unwrap();
    assert_eq!((picture.path(), picture.version(), picture.overrides()), ("/a", Some("1"), &[][..]));
    let list = AccessPolicy { list: true, ..OPEN };
    let Ok(Grant::Pass(settings)) = grant(list, Wants::Stored, "GET", "/a?acl", &[]) else { unreachable!("settings") };
    assert!(settings.picture().is_none(), "who reads settings has not read the object");
}

#[test]
fn queries_are_read_as_stores_read_them() {
    let query = Query::of(["a+b=c%2Bd", "", "flag", "x=1=2"]);
    let pairs: Vec<_> = query.iter().collect();
    assert_eq!(pairs, [(&b"a b"[..], &b"c+d"[..]), (b"flag", b""), (b"x", b"1=2")]);
    assert!(query.has("flag") && query.has("a b") && !query.has("a") && !query.is_empty());
    assert!(Query::of([""]).is_empty());
}
