//! The two XML documents that an S3 store answers with: errors and listings.

use super::{ListedObject, Page};
use crate::sign::encode::form_decode;
use crate::xml::walk;

/// The `Code` of an error document; `None` if there is none. Only letters, digits and dots, so that it can be shown.
pub fn error_code(body: &[u8]) -> Option<String> {
    let mut code = None;
    walk(body, |path, text| {
        if let (["Error", "Code"], Some(text)) = (path, text) {
            code = Some(text.to_owned());
        }
    })
    .ok()?;
    code.filter(|code| {
        (1..=64).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
    })
}

/// A page of ListObjectsV2.
///
/// # Errors
/// A sentence about what is wrong with it.
pub fn page(body: &[u8]) -> Result<Page, String> {
    let mut raw: Vec<[String; 4]> = Vec::new();
    let (mut url_encoded, mut truncated, mut is_listing) = (false, false, false);
    walk(body, |path, text| {
        let ["ListBucketResult", rest @ ..] = path else { return };
        is_listing = true;
        let Some(text) = text else {
            if rest == ["Contents"] {
                raw.push(Default::default());
            }
            return;
        };
        match rest {
            ["EncodingType"] => url_encoded = text == "url",
            ["IsTruncated"] => truncated = text == "true",
            ["Contents", field] => {
                let index = match *field {
                    "Key" => 0,
                    "Size" => 1,
                    "ETag" => 2,
                    "LastModified" => 3,
                    _ => return,
                };
                if let Some(place) = raw.last_mut().and_then(|fields| fields.get_mut(index)) {
                    text.clone_into(place);
                }
            }
            _ => {}
        }
    })?;
    if !is_listing {
        return Err("it is no ListBucketResult".into());
    }
    let entries = raw
        .into_iter()
        .map(|[key, size, etag, modified]| {
            let key = if url_encoded {
                String::from_utf8(form_decode(&key)).map_err(|_| "a key is not UTF-8".to_owned())?
            } else {
                key
            };
            let length = size.parse().map_err(|_| format!("the size of an object is \"{size}\""))?;
            Ok(ListedObject {
                key,
                length,
                etag: (!etag.is_empty()).then_some(etag),
                last_modified: iso_8601(&modified),
            })
        })
        .collect::<Result<Vec<_>, String>>()?;
    let next = entries.last().filter(|_| truncated).map(|entry| entry.key.clone());
    Ok(Page { entries, next })
}

/// `2009-10-12T17:50:30.000Z`; `None` for anything else.
fn iso_8601(text: &str) -> Option<std::time::SystemTime> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let sound = text.ends_with('Z') && marks.iter().all(|(at, mark)| text.as_bytes().get(*at) == Some(mark));
    if !sound {
        return None;
    }
    let small = |from, to| number(from, to).and_then(|number| u8::try_from(number).ok());
    let month = time::Month::try_from(small(5, 7)?).ok()?;
    let date = time::Date::from_calendar_date(i32::from(number(0, 4)?), month, small(8, 10)?).ok()?;
    let clock = time::Time::from_hms(small(11, 13)?, small(14, 16)?, small(17, 19)?).ok()?;
    Some(time::PrimitiveDateTime::new(date, clock).assume_utc().into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn codes_of_errors() {
        let body = b"<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code><Message>a &lt; b</Message></Error>";
        assert_eq!(error_code(body).as_deref(), Some("NoSuchKey"));
        for none in [&b""[..], b"<html>", b"<Error><Code>a b</Code></Error>", b"<Error><Code></Code></Error>", b"\xff"]
        {
            assert_eq!(error_code(none), None);
        }
    }

    #[test]
    fn a_page_with_odd_keys() {
        let body = "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>\
            <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
            <Contents><Key>%E4%B8%AD%E6%96%87+a%2Bb%2541.jpg</Key><LastModified>2009-10-12T17:50:30.000Z</LastModified>\
            <ETag>&quot;fba9&#34;</ETag><Size>434234</Size><Owner><ID>1</ID></Owner></Contents>\
            <Contents><ETag>\"b\"</ETag><Size>0</Size><Key>z</Key></Contents></ListBucketResult>";
        let page = page(body.as_bytes()).unwrap();
        assert_eq!(page.next.as_deref(), Some("z"));
        let [first, second] = page.entries.as_slice() else { panic!("{page:?}") };
        assert_eq!(first.key, "中文 a+b%41.jpg");
        assert_eq!((first.length, first.etag.as_deref()), (434_234, Some("\"fba9\"")));
        assert_eq!(first.last_modified, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_255_369_830)));
        assert_eq!((second.key.as_str(), second.length, second.last_modified), ("z", 0, None));
    }

    #[test]
    fn keys_are_literal_where_the_store_ignores_the_encoding() {
        let body = b"<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a+%41&amp;b</Key><Size>1</Size></Contents></ListBucketResult>";
        let page = page(body).unwrap();
        assert_eq!(page.entries.first().map(|entry| entry.key.as_str()), Some("a+%41&b"));
        assert_eq!(page.next, None);
    }

    #[test]
    fn strange_documents_are_refused() {
        let deep = "<a>".repeat(100);
        let bomb = "<!DOCTYPE a [<!ENTITY x \"xxxxxxxx\">]><ListBucketResult><Contents><Key>&x;</Key></Contents></ListBucketResult>";
        for body in ["", "<html></html>", "<ListBucketResult>", deep.as_str(), bomb, "not xml at all"] {
            assert!(page(body.as_bytes()).is_err(), "{body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_page_or_an_error(body in "(<(/)?(ListBucketResult|Contents|Key|Size|Error|Code)>|&[a-z#0-9]{0,5};|[0-9a-z<>&%+T:Z-]){0,30}") {
            let _ = (page(body.as_bytes()), error_code(body.as_bytes()), iso_8601(&body));
        }
    }
}
