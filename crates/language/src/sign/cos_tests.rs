//! The vectors of the vendor's Node SDK, step by step, and what the verifier takes and does not take besides.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::sign::Claim;
use crate::sign::trial_tests::Trial;

const TIME: &str = "1700000000;1700003600";
const HOST: &str = "demo-1250000000.cos.ap-guangzhou.myqcloud.com";

fn credentials() -> Credentials {
    Credentials { access_key: "AKIDEXAMPLE".into(), secret_key: Secret::new("SecretKeyExample") }
}

fn keys() -> Vec<AccessKey> {
    vec![AccessKey::new(credentials())]
}

fn clock() -> Clock {
    Clock::at(1_700_000_100)
}

/// A request to the vectors' host, with the signature in its header.
fn trial(method: &str, target: &str, fields: &[(&str, &str)], lists: (&str, &str), signature: &str) -> Trial {
    let mut trial = Trial::new(method, target, &[HOST]);
    trial.fields(fields);
    let (headers, parameters) = lists;
    trial.field(
        "authorization",
        &format!(
            "q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time={TIME}&q-key-time={TIME}&q-header-list={headers}&q-url-param-list={parameters}&q-signature={signature}"
        ),
    );
    trial
}

fn denied(trial: &Trial) -> Why {
    trial.check(&keys(), &clock()).unwrap_err().why
}

struct Vector<'a> {
    method: &'a str,
    target: &'a str,
    path: &'a str,
    fields: &'a [(&'a str, &'a str)],
    lists: (&'a str, &'a str),
    parameters: &'a str,
    headers: &'a str,
    signature: &'a str,
}

impl Vector<'_> {
    fn check(&self) {
        let http = http_string(self.method, self.path.as_bytes(), self.parameters, self.headers);
        let expected =
            format!("{}\n{}\n{}\n{}\n", self.method.to_lowercase(), self.path, self.parameters, self.headers);
        assert_eq!(String::from_utf8(http.clone()).unwrap(), expected);
        let string = string_to_sign(TIME, &http);
        assert_eq!(string, format!("sha1\n{TIME}\n{}\n", sha1_hex(expected.as_bytes())));
        assert_eq!(signature(&sign_key(&credentials().secret_key, TIME), &string), self.signature);

        let trial = trial(self.method, self.target, self.fields, self.lists, self.signature);
        let verified = trial.check(&keys(), &clock()).unwrap();
        assert_eq!((verified.scheme, verified.presigned, verified.key), (Scheme::Cos, false, 0));
        assert_eq!(verified.expires, 1_700_003_600);
        // What was computed on the way is what is told to who signed something else.
        let wrong = self.signature.replace(['0', '1', '2'], "x");
        let trial = self::trial(self.method, self.target, self.fields, self.lists, &wrong);
        let told = *trial.check(&keys(), &clock()).unwrap_err().compared.unwrap();
        assert_eq!(told.string_to_sign, string.as_bytes());
        assert_eq!((told.canonical_request, told.provided), (Some(http), wrong));
    }

    /// Where the SDK signs all there is, we make the same.
    fn sign(&self) {
        let mut trial = Trial::new(self.method, self.target, &[HOST]);
        trial.fields(self.fields);
        let made = trial.message(|message| authorize(message, &credentials(), (1_700_000_000, 1_700_003_600)));
        let signed = self::trial(self.method, self.target, self.fields, self.lists, self.signature);
        assert_eq!(made.as_bytes(), signed.value_of("authorization").unwrap());
    }
}

const HOST_PAIR: &str = "host=demo-1250000000.cos.ap-guangzhou.myqcloud.com";

#[test]
fn sign_key_of_the_vectors() {
    assert_eq!(sign_key(&credentials().secret_key, TIME).len(), 40);
    let again = hex::encode(*hmac_sha1(b"SecretKeyExample", TIME.as_bytes()));
    assert_eq!(*sign_key(&credentials().secret_key, TIME), again);
}

#[test]
fn vector_1_get_with_a_space() {
    let vector = Vector {
        method: "GET",
        target: "/a/b%20c.jpg",
        path: "/a/b c.jpg",
        fields: &[],
        lists: ("host", ""),
        parameters: "",
        headers: HOST_PAIR,
        signature: "a7660e690453b211654134ce9df16712832df3bd",
    };
    vector.check();
    vector.sign();
}

#[test]
fn vector_2_a_rule_is_a_name() {
    for target in [
        "/a.jpg?imageMogr2/thumbnail/!50p",
        "/a.jpg?imageMogr2%2Fthumbnail%2F%2150p=",
        "/a.jpg?imageMogr2%2Fthumbnail%2F%2150p",
    ] {
        let vector = Vector {
            method: "GET",
            target,
            path: "/a.jpg",
            fields: &[],
            lists: ("host", "imagemogr2%2fthumbnail%2f%2150p"),
            parameters: "imagemogr2%2fthumbnail%2f%2150p=",
            headers: HOST_PAIR,
            signature: "aae2a85ff0270971f887fdb00be2fa281ca18678",
        };
        vector.check();
        vector.sign();
    }
}

#[test]
fn vector_3_nothing_but_the_path() {
    let vector = Vector {
        method: "GET",
        target: "/a.jpg",
        path: "/a.jpg",
        fields: &[],
        lists: ("", ""),
        parameters: "",
        headers: "",
        signature: "9ebe5b07d89fb3ee29f8ac3ad36f65f94c24e119",
    };
    vector.check();
}

#[test]
fn vector_4_pic_operations() {
    let vector = Vector {
        method: "PUT",
        target: "/a.jpg",
        path: "/a.jpg",
        fields: &[(
            "Pic-Operations",
            r#"{"is_pic_info":1,"rules":[{"fileid":"b.jpg","rule":"imageMogr2/format/png"}]}"#,
        )],
        lists: ("host;pic-operations", ""),
        parameters: "",
        headers: "host=demo-1250000000.cos.ap-guangzhou.myqcloud.com&pic-operations=%7B%22is_pic_info%22%3A1%2C%22rules%22%3A%5B%7B%22fileid%22%3A%22b.jpg%22%2C%22rule%22%3A%22imageMogr2%2Fformat%2Fpng%22%7D%5D%7D",
        signature: "1c7b6295a1f90ae8c47f147da4031e2c7f9c8fd0",
    };
    vector.check();
    vector.sign();
}

#[test]
fn vector_5_image_process() {
    for target in ["/a.jpg?image_process", "/a.jpg?image_process="] {
        let vector = Vector {
            method: "POST",
            target,
            path: "/a.jpg",
            fields: &[],
            lists: ("host", "image_process"),
            parameters: "image_process=",
            headers: HOST_PAIR,
            signature: "aaa1de9943f2346cd293e7a7bb27a729ca199868",
        };
        vector.check();
        vector.sign();
    }
}

#[test]
fn vector_6_all_at_once() {
    let vector = Vector {
        method: "GET",
        target: "/%E5%9B%BE/%E4%B8%80.jpg?imageMogr2/thumbnail/300x300%3E%7Cwatermark/2/text/aGk&response-content-type=image%2Fwebp",
        path: "/图/一.jpg",
        fields: &[("x-cos-security-token", "TOKEN/+=")],
        lists: (
            "host;x-cos-security-token",
            "imagemogr2%2fthumbnail%2f300x300%3e%7cwatermark%2f2%2ftext%2fagk;response-content-type",
        ),
        parameters: "imagemogr2%2fthumbnail%2f300x300%3e%7cwatermark%2f2%2ftext%2fagk=&response-content-type=image%2Fwebp",
        headers: "host=demo-1250000000.cos.ap-guangzhou.myqcloud.com&x-cos-security-token=TOKEN%2F%2B%3D",
        signature: "d6b2c1735f8a6a40296c58377045c94200ada7f7",
    };
    vector.check();
    vector.sign();
}

#[test]
fn lists_in_urls_are_encoded_once_or_twice() {
    let query = format!(
        "q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time={TIME}&q-key-time={TIME}&q-header-list=host&q-signature=aae2a85ff0270971f887fdb00be2fa281ca18678"
    )
    .replace(';', "%3B");
    for list in
        ["imagemogr2%252fthumbnail%252f%252150p", "imagemogr2%2fthumbnail%2f%2150p", "imageMogr2%2Fthumbnail%2F!50p"]
    {
        let target = format!("/a.jpg?{query}&q-url-param-list={list}&imageMogr2/thumbnail/!50p");
        let trial = Trial::new("GET", &target, &[HOST]);
        let verified = trial.check(&keys(), &clock()).unwrap();
        assert!(verified.presigned);
        assert_eq!(verified.covered.parameters, CoveredParameters::Folded(vec![7]), "{list}");
        assert!(verified.covered.field("host") && !verified.covered.field("range"));
        assert!(verified.covered.parameter(7) && !verified.covered.parameter(0));
    }
}

#[test]
fn one_parameter_may_stand_for_all() {
    let text = trial("GET", "/a.jpg", &[], ("", ""), "9ebe5b07d89fb3ee29f8ac3ad36f65f94c24e119");
    let text = uri_encode(text.value_of("authorization").unwrap());
    let trial = Trial::new("GET", &format!("/a.jpg?sign={text}"), &[HOST]);
    assert!(trial.check(&keys(), &clock()).unwrap().presigned);
}

#[test]
fn hosts_are_tried_as_the_sdks_have_signed_them() {
    // Signed for the vectors' host, which is not the first of those that the site answers for, or has a port.
    let signed = ("host", "");
    for hosts in [&["other.example.com", HOST][..], &["demo-1250000000.cos.ap-guangzhou.myqcloud.com:8080"]] {
        let mut trial = trial("GET", "/a/b%20c.jpg", &[], signed, "a7660e690453b211654134ce9df16712832df3bd");
        trial.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        assert!(trial.check(&keys(), &clock()).is_ok(), "{hosts:?}");
        trial.hosts = vec!["other.example.com".into()];
        assert_eq!(denied(&trial), Why::Mismatch);
        trial.hosts.clear();
        assert_eq!(denied(&trial), Why::Mismatch);
    }
}

#[test]
fn windows_have_an_end_and_a_beginning() {
    let trial = trial("GET", "/a.jpg", &[], ("", ""), "9ebe5b07d89fb3ee29f8ac3ad36f65f94c24e119");
    let at = |now| trial.check(&keys(), &Clock::at(now)).map(|verified| verified.expires).map_err(|denied| denied.why);
    assert_eq!(at(1_700_003_600), Ok(1_700_003_600));
    assert_eq!(at(1_700_003_601), Err(Why::Expired(1_700_003_600)));
    assert_eq!(at(1_700_000_000 - 900), Ok(1_700_003_600));
    assert_eq!(at(1_700_000_000 - 901), Err(Why::NotYet));
}

#[test]
fn the_key_s_window_counts_too() {
    // Signed for a window of the key that ends before that of the signature.
    let (sign, key) = ("1700000000;1800000000", "1700000000;1700003600");
    let string = string_to_sign(sign, &http_string("GET", b"/a.jpg", "", ""));
    let signature = signature(&sign_key(&credentials().secret_key, key), &string);
    let mut trial = Trial::new("GET", "/a.jpg", &[HOST]);
    trial.field(
        "authorization",
        &format!("q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time={sign}&q-key-time={key}&q-header-list=&q-url-param-list=&q-signature={signature}"),
    );
    let at = |now| trial.check(&keys(), &Clock::at(now)).map_err(|denied| denied.why).map(|verified| verified.expires);
    assert_eq!(at(1_700_003_600), Ok(1_700_003_600));
    assert_eq!(at(1_700_003_601), Err(Why::Expired(1_700_003_600)));
}

#[test]
fn what_is_listed_must_be_there_as_often() {
    let (list, signature) = (("host", "imagemogr2%2fthumbnail%2f%2150p"), "aae2a85ff0270971f887fdb00be2fa281ca18678");
    let missing = |name: &str| Why::Missing(name.into());
    let name = "imagemogr2%2fthumbnail%2f%2150p";
    assert_eq!(denied(&trial("GET", "/a.jpg", &[], list, signature)), missing(name));
    let twice = "/a.jpg?imageMogr2/thumbnail/!50p&imagemogr2/Thumbnail/!50p";
    assert_eq!(denied(&trial("GET", twice, &[], list, signature)), missing(name));
    assert_eq!(denied(&trial("GET", "/a.jpg", &[], ("range", ""), signature)), missing("range"));
    let both = [("x-cos-meta-a", "1"), ("x-cos-meta-a", "2")];
    assert_eq!(denied(&trial("GET", "/a.jpg", &both, ("x-cos-meta-a", ""), signature)), missing("x-cos-meta-a"));
    assert_eq!(
        denied(&trial("GET", "/a.jpg", &both, ("x-cos-meta-a;x-cos-meta-a;x-cos-meta-a", ""), signature)),
        missing("x-cos-meta-a")
    );
    let named_twice = Why::Malformed("a list of what is signed names a parameter twice");
    assert_eq!(denied(&trial("GET", "/a.jpg?a/", &[], ("", "a%2f;a/"), signature)), named_twice);
}

#[test]
fn repeated_names_are_signed_with_sorted_values() {
    // The Go SDK: a name as often as it stands, values in order.
    let mut trial = Trial::new("GET", "/a.jpg?b=2&b=10&a", &[HOST]);
    let value = trial.message(|message| authorize(message, &credentials(), (1_700_000_000, 1_700_003_600)));
    assert!(value.contains("q-url-param-list=a;b;b&"), "{value}");
    trial.field("authorization", &value);
    assert!(trial.check(&keys(), &clock()).is_ok());
}

#[test]
fn tokens_go_with_temporary_keys() {
    let keys = vec![AccessKey { token: Some(Secret::new("TOKEN/+=")), ..AccessKey::new(credentials()) }];
    let signature = "9ebe5b07d89fb3ee29f8ac3ad36f65f94c24e119";
    let check = |target: &str, fields: &[(&str, &str)]| {
        let trial = trial("GET", target, fields, ("", ""), signature);
        trial.check(&keys, &clock()).map(|_| ()).map_err(|denied| denied.why)
    };
    assert_eq!(check("/a.jpg", &[]), Err(Why::Token));
    assert_eq!(check("/a.jpg", &[("x-cos-security-token", "other")]), Err(Why::Token));
    assert_eq!(check("/a.jpg", &[("x-cos-security-token", "TOKEN/+=")]), Ok(()));
    assert_eq!(check("/a.jpg", &[("x-ci-security-token", "TOKEN/+=")]), Ok(()));
    for query in ["TOKEN%2F%2B%3D", "TOKEN/+="] {
        assert_eq!(check(&format!("/a.jpg?x-cos-security-token={query}"), &[]), Ok(()));
    }
}

#[test]
fn what_is_no_signature_is_said_so() {
    let check = |text: &str| {
        let mut trial = Trial::new("GET", "/a.jpg", &[HOST]);
        trial.field("authorization", text);
        denied(&trial)
    };
    let whole = format!(
        "q-sign-algorithm=sha1&q-ak=AKIDEXAMPLE&q-sign-time={TIME}&q-key-time={TIME}&q-header-list=&q-url-param-list=&q-signature=0"
    );
    assert_eq!(check(&whole), Why::Mismatch);
    assert_eq!(check(&whole.replace("q-ak", "q-other")), Why::Incomplete("q-ak"));
    assert_eq!(check(&whole.replace("=sha1", "=sha256")), Why::Malformed("q-sign-algorithm is not sha1"));
    assert_eq!(check(&format!("{whole}&q-ak=other")), Why::Malformed("a part of the signature stands twice"));
    assert_eq!(check(&whole.replace("AKIDEXAMPLE", "other")), Why::UnknownKey);
    let window = Why::Malformed("a window of time is not START;END");
    for time in ["", "1", ";", "1700003600;1700000000", "-1;1700003600", "a;b", "1;2;3"] {
        assert_eq!(check(&whole.replace(TIME, time)), window, "{time}");
    }
    let long = Why::Malformed("a list of what is signed is too long");
    assert_eq!(check(&whole.replace("param-list=", &format!("param-list={}", "a;".repeat(600)))), long);
    assert_eq!(check(&whole.replace("header-list=", &format!("header-list={}", "a;".repeat(300)))), long);
}

#[test]
fn a_request_has_one_signature() {
    let mut trial = trial("GET", "/a.jpg?q-signature=0", &[], ("", ""), "9ebe5b07d89fb3ee29f8ac3ad36f65f94c24e119");
    assert_eq!(denied(&trial), Why::Several);
    trial.target = "/a.jpg".into();
    assert!(trial.check(&keys(), &clock()).is_ok());
    trial.field("authorization", "");
    assert_eq!(denied(&trial), Why::Several);
    let found = |trial: &Trial| {
        trial.message(|message| Claim::of(message).map(|claim| claim.is_some()).map_err(|denied| denied.why))
    };
    let none = Trial::new("GET", "/a.jpg?sign=other", &[HOST]);
    assert_eq!(found(&none), Ok(false));
    let mut empty = none.clone();
    empty.field("authorization", "");
    assert_eq!(found(&empty), Ok(false));
    let mut basic = none;
    basic.field("authorization", "Basic AAAA");
    assert_eq!(found(&basic), Err(Why::Unsupported));
}

#[test]
fn presigned_urls_hold_for_what_they_sign() {
    let trial = Trial::new("GET", "/a%20b.jpg?imageMogr2%2Fformat%2Fpng&response-content-type=a%2Bb", &[HOST]);
    let query = trial.message(|message| presign(message, &credentials(), (1_700_000_000, 1_700_003_600)));
    assert!(query.contains("&q-url-param-list=imagemogr2%252fformat%252fpng%3Bresponse-content-type&"), "{query}");
    let signed = Trial::new("GET", &format!("{}&{query}", trial.target), &[HOST]);
    let verified = signed.check(&keys(), &clock()).unwrap();
    assert_eq!(verified.covered.parameters, CoveredParameters::Folded(vec![0, 1]));
    let other = Trial { method: "PUT".into(), ..signed };
    assert_eq!(denied(&other), Why::Mismatch);
}

#[test]
fn secrets_are_not_told() {
    let trial = trial("GET", "/a.jpg", &[], ("", ""), "0");
    let denied = trial.check(&keys(), &clock()).unwrap_err();
    let told = format!("{denied:?} {:?}", denied.compared.as_ref().unwrap().string_to_sign);
    assert!(!told.contains("9ebe5b07d89fb3ee29f8ac3ad36f65f94c24e119") && !told.contains("SecretKeyExample"), "{told}");
    assert_eq!(denied.access_key.as_deref(), Some("AKIDEXAMPLE"));
}
