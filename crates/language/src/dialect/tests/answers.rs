//! Errors, facts and headers as clients read them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::plan::{self, Header};

fn header(body: &ErrorBody, name: &str) -> Option<String> {
    body.headers.iter().find(|(other, _)| *other == name).map(|(_, value)| value.clone())
}

/// The text of an element, as an XML reader sees it.
fn element(xml: &str, name: &str) -> Option<String> {
    use quick_xml::{Reader, events::Event};
    let mut reader = Reader::from_str(xml);
    let (mut inside, mut text) = (false, None);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(start) if start.name().as_ref() == name => {
                inside = true;
                text = Some(String::new());
            }
            Event::End(_) => inside = false,
            Event::Text(part) if inside => text.as_mut().unwrap().push_str(&part),
            Event::GeneralRef(part) if inside => {
                let of = quick_xml::escape::resolve_predefined_entity(&part).expect("predefined");
                text.as_mut().unwrap().push_str(of);
            }
            Event::Eof => return text,
            _ => {}
        }
    }
}

/// What is written of an error whose cause lies inside is the operator's, whoever writes it; and so is every detail.
#[test]
fn no_answer_holds_what_is_inside() {
    const INSIDE: &str = "bucket hush at http://10.0.0.1:9000, /srv/hush";
    for &kind in Kind::ALL {
        let mut errors = vec![Error::inside(kind, kind.sentence(), INSIDE).about("the mark").shortened(1000)];
        if kind.is_inside() {
            errors.push(Error::new(kind, INSIDE));
        }
        for error in errors {
            assert!(error.told().contains(INSIDE) && error.to_string().contains(INSIDE), "the operator reads it");
            for dialect in [None, Some(Dialect::Tencent), Some(Dialect::Aliyun)] {
                for head in [false, true] {
                    let mut body = error_body(dialect, &error, "/a", "h", "r", head);
                    if let Some(inner) = header(&body, "x-oss-err") {
                        body.body = String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap();
                    }
                    let all = format!("{body:?}");
                    assert!(!all.contains("hush") && !all.contains("10.0.0.1"), "{kind:?}: {all}");
                }
            }
        }
    }
}

#[test]
fn every_kind_is_a_whole_answer_in_every_dialect() {
    for &kind in Kind::ALL {
        for dialect in [None, Some(Dialect::Tencent), Some(Dialect::Aliyun)] {
            // Even an error that says nothing, of a request without an id.
            let body = error_body(dialect, &Error::new(kind, ""), "", "", "", false);
            assert_eq!(body.status, kind.status());
            let fields: &[&str] = match dialect {
                Some(Dialect::Tencent) => &["Code", "Message", "Resource", "RequestId", "TraceId"],
                Some(Dialect::Aliyun) => &["Code", "Message", "RequestId", "HostId"],
                None => &["Code", "Message", "Resource", "RequestId"],
            };
            for field in fields {
                assert!(element(&body.body, field).is_some_and(|text| !text.is_empty()), "{kind:?} {field}");
            }
            assert_eq!(header(&body, "content-type").as_deref(), Some("application/xml"));
        }
    }
}

#[test]
fn tencent_dresses_a_bad_rule() {
    let error = plan("imageMogr2/nosuch/1").unwrap_err();
    let body = error_body(Some(Dialect::Tencent), &error, "/a.jpg", "h", "NWE0YQ==", false);
    assert_eq!(body.status, 400);
    assert_eq!(header(&body, "x-errno").as_deref(), Some("-103"));
    assert_eq!(header(&body, "x-cos-request-id").as_deref(), Some("NWE0YQ=="));
    assert_eq!(element(&body.body, "Code").as_deref(), Some("InvalidRequest"));
    assert_eq!(element(&body.body, "Resource").as_deref(), Some("/a.jpg"));
    assert_eq!(element(&body.body, "Message").as_deref(), Some("`nosuch` is not an operation of imageMogr2"));
}

#[test]
fn aliyun_hides_the_body_of_a_head_in_a_header() {
    let error = plan("x-oss-process=image/resize,w_0").unwrap_err();
    let get = error_body(Some(Dialect::Aliyun), &error, "/a.jpg", "b.oss.example", "57ABD896CCB80C366955AAAA", false);
    let head = error_body(Some(Dialect::Aliyun), &error, "/a.jpg", "b.oss.example", "57ABD896CCB80C366955AAAA", true);
    assert_eq!(element(&get.body, "HostId").as_deref(), Some("b.oss.example"));
    assert_eq!(header(&get, "x-oss-err"), None);
    assert_eq!(head.body, "");
    assert_eq!(header(&head, "x-oss-ec").as_deref(), Some("0040-00000312"));
    let decoded = STANDARD.decode(header(&head, "x-oss-err").unwrap()).unwrap();
    assert_eq!(String::from_utf8(decoded).unwrap(), get.body);
    assert_eq!(header(&head, "x-oss-request-id").as_deref(), Some("57ABD896CCB80C366955AAAA"));
}

#[test]
fn aliyun_calls_what_is_not_base64_a_bad_request() {
    for (rule, code, ec) in [
        ("image/watermark,image_notbase64", "BadRequest", "0040-00000265"),
        ("image/watermark,text_notbase64", "BadRequest", "0040-00000265"),
        ("image/watermark,text_SGk,x_4097", "InvalidArgument", "0040-00000262"),
    ] {
        let error = plan(&format!("x-oss-process={rule}")).unwrap_err();
        let body = error_body(Some(Dialect::Aliyun), &error, "/a.jpg", "h", "r", false);
        assert_eq!((body.status, element(&body.body, "Code").as_deref()), (400, Some(code)), "{rule}");
        assert_eq!(header(&body, "x-oss-ec").as_deref(), Some(ec), "{rule}");
    }
}

#[test]
fn a_head_has_no_body_in_any_dialect() {
    let error = Error::new(Kind::NotFound, "no such object");
    for dialect in [None, Some(Dialect::Tencent), Some(Dialect::Aliyun)] {
        assert_eq!(error_body(dialect, &error, "/a.jpg", "h", "r", true).body, "");
    }
}

#[test]
fn nothing_escapes_from_the_xml() {
    let hostile = "</Message><Code>x</Code>&\"'\u{1}\u{ffff}";
    let error = Error::new(Kind::BadRule, hostile);
    for dialect in [None, Some(Dialect::Tencent), Some(Dialect::Aliyun)] {
        let body = error_body(dialect, &error, hostile, hostile, hostile, false);
        let message = element(&body.body, "Message").unwrap();
        assert_eq!(message, "</Message><Code>x</Code>&\"'\u{fffd}\u{fffd}");
    }
}

#[test]
fn who_is_busy_says_when_to_come_back() {
    let retry = |error: &Error| header(&error_body(None, error, "/", "h", "r", false), "retry-after");
    assert_eq!(retry(&Error::busy("full", 7)).as_deref(), Some("7"));
    assert_eq!(retry(&Error::new(Kind::Busy, "full")).as_deref(), Some("1"));
    assert_eq!(retry(&Error::new(Kind::NotFound, "gone")), None);
}

fn facts() -> plan::Facts {
    let source = Source { orientation: 7, ..still(Format::Jpeg, 424, 333) };
    plan::Facts {
        header: Header { source, depth: 8, channels: 3, progressive: false, quality: Some(90) },
        bytes: 21_839,
        md5: Some("0123456789abcdef0123456789abcdef".into()),
        average: Some([0x8a, 0x6f, 0x05]),
        exif: vec![
            ("XResolution".into(), "96/1".into()),
            ("Make".into(), "a \"maker\"".into()),
            ("Orientation".into(), "row 0 at right and column 0 at bottom".into()),
        ],
    }
}

fn body_of(query: &str, facts: &plan::Facts) -> String {
    let Recognised::Rule { dialect, plan: Ok(plan), .. } = recognise(query, &Dialect::ALL, &Styles::default()) else {
        panic!("{query}")
    };
    let plan::Answer::Facts(asked) = plan.answer else { panic!("{query}") };
    let (media_type, body) = facts_body(dialect, asked, facts);
    assert_eq!(media_type, "application/json");
    body
}

#[test]
fn tencent_facts() {
    assert_eq!(
        body_of("imageInfo", &facts()),
        r#"{"format":"jpeg","width":"424","height":"333","size":"21839","md5":"0123456789abcdef0123456789abcdef","photo_rgb":"0x8a6f05","frame_count":"1"}"#
    );
    assert_eq!(body_of("imageAve", &facts()), r#"{"RGB":"0x8a6f05"}"#);
    let exif: serde_json::Value = serde_json::from_str(&body_of("exif", &facts())).unwrap();
    assert_eq!(exif["Make"]["val"], "a \"maker\"");
    let none = plan::Facts { exif: vec![], ..facts() };
    assert_eq!(body_of("exif", &none), r#"{"error":"no exif data"}"#, "row 106");
}

#[test]
fn aliyun_facts() {
    let none = plan::Facts { exif: vec![], ..facts() };
    assert_eq!(
        body_of("x-oss-process=image/info", &none),
        r#"{"FileSize":{"value":"21839"},"Format":{"value":"jpg"},"FrameCount":{"value":"1"},"ImageHeight":{"value":"333"},"ImageWidth":{"value":"424"}}"#,
        "row 71"
    );
    let info: serde_json::Value = serde_json::from_str(&body_of("x-oss-process=image/info", &facts())).unwrap();
    assert_eq!(info["Orientation"]["value"], "7", "row 72");
    assert_eq!(info["XResolution"]["value"], "96/1");
    assert_eq!(info["ImageWidth"]["value"], "424");
    let asked = plan::FactsAsked { average: true, exif: false, md5: false };
    assert_eq!(plan("x-oss-process=image/average-hue").unwrap().answer, plan::Answer::Facts(asked), "row 73");
    assert_eq!(facts_body(Dialect::Aliyun, asked, &facts()), ("text/plain", "0x8a6f05".to_owned()), "row 73");
    assert_eq!(plan("x-oss-process=image/resize,w_10/average-hue").unwrap_err().kind, Kind::BadRule);
}

#[test]
fn media_types_and_headers() {
    assert_eq!(media_type(Some(Dialect::Aliyun), Format::Heif), "image/heic");
    assert_eq!(media_type(Some(Dialect::Tencent), Format::Heif), "image/heif");
    assert_eq!(media_type(None, Format::Jpeg), "image/jpeg");
    for (dialect, expected) in [
        (Some(Dialect::Tencent), &["x-cos-request-id", "x-cos-trace-id"][..]),
        (Some(Dialect::Aliyun), &["x-oss-request-id"]),
        (None, &["x-request-id"]),
    ] {
        let (names, value) = answer_headers(dialect, "r");
        assert_eq!((names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), &*value), (expected.to_vec(), "r"));
    }
}

#[test]
fn request_ids_have_the_vendors_shape() {
    let id = "6B49D2006789ABCDEF012345";
    assert_eq!(request_id(Some(Dialect::Aliyun), id), id);
    assert_eq!(request_id(None, id), id);
    let tencent = request_id(Some(Dialect::Tencent), id);
    assert_eq!(tencent, "NmI0OWQyMDBfNjc4OWFiY2RfZWZfMDEyMzQ1");
    assert_eq!(STANDARD.decode(&*tencent).unwrap(), b"6b49d200_6789abcd_ef_012345");
    // What is no id of ours stays, whatever it is.
    for other in
        ["", "-", "6B49D2006789ABCDEF01234", "\u{e9}B49D200\u{e9}789ABCDEF01234", "B49D200\u{e9}6789ABCDEF01234"]
    {
        assert_eq!(request_id(Some(Dialect::Tencent), other), other);
    }
}
