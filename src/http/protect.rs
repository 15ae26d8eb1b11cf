//! Originals that a site gives away by its styles only, on their way out. What a picture's name says is known before; here
//! its type counts, and where that says nothing, its first bytes.

use http::{HeaderMap, Method, header};
use pingora::http::{RequestHeader, ResponseHeader};

use crate::access::Pass;
use crate::error::{Error, Kind};
use crate::imaging;
use crate::origin::{Meta, ReadConditions};
use crate::shield::{Beginning, Shield};
use crate::site::Site;

/// Bytes that tell what an object is: pictures say it in the first dozen, drawings behind their editor's comments.
const ENOUGH: usize = 16 << 10;

/// Types that stores and clients give to what they know nothing of.
const GENERIC: &[&str] = &[
    "application/binary",
    "application/download",
    "application/force-download",
    "application/octet-stream",
    "application/unknown",
    "application/x-binary",
    "application/x-download",
    "application/x-force-download",
    "application/x-octet-stream",
    "application/x-unknown",
    "application/x-www-form-urlencoded",
];

/// What the top of a type is called where it is no picture.
const TOLD: &[&str] = &["application", "audio", "font", "message", "model", "text", "video"];

/// What a type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    Picture,
    Another,
    Nothing,
}

/// Looks at what the origin has answered before it goes out.
///
/// # Errors
/// [`Kind::Protected`] for a picture; what kept us from finding out.
pub async fn judge(
    shield: &Shield,
    site: &Site,
    request: &RequestHeader,
    answer: &ResponseHeader,
    pass: &Pass,
) -> Result<(), Error> {
    let reads = matches!(request.method, Method::GET | Method::HEAD);
    let empty = answer.headers.get(header::CONTENT_LENGTH).is_some_and(|length| length == "0");
    match says(&answer.headers) {
        Says::Picture => Err(protected()),
        Says::Nothing if reads && !empty => {
            let seen = by_bytes(shield, site, &request.headers, pass).await?;
            if is_same(&answer.headers, &seen) { Ok(()) } else { Err(changed()) }
        }
        Says::Nothing | Says::Another => Ok(()),
    }
}

/// An object that is written to meanwhile: what was looked at is not what would go out.
pub fn changed() -> Error {
    Error::busy("the object is being written to", 1)
}

/// Refuses a picture by its first bytes; of anything else, gives what the store says of it. That must be what is answered.
///
/// # Errors
/// [`Kind::Protected`]; those of [`Shield::beginning`].
pub async fn by_bytes(shield: &Shield, site: &Site, fields: &HeaderMap, pass: &Pass) -> Result<Meta, Error> {
    let Beginning { meta, bytes } = shield.beginning(site, pass, fields, ENOUGH).await?;
    if imaging::probe::begins_as_picture(&bytes) { Err(protected()) } else { Ok(meta) }
}

fn protected() -> Error {
    Error::new(Kind::Protected, Kind::Protected.sentence())
}

/// Whether two answers can be of one object: where both name it.
fn is_same(answered: &HeaderMap, meta: &Meta) -> bool {
    let text = |name| answered.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ETAG), text(header::LAST_MODIFIED)) {
        // Packed on the way, it may have a tag of its own.
        _ if answered.contains_key(header::CONTENT_ENCODING) => true,
        (Some(tag), _) if meta.etag.is_some() => {
            ReadConditions { if_none_match: Some(tag.to_owned()), ..ReadConditions::default() }.unchanged(meta)
        }
        (_, Some(date)) => {
            let date = crate::dates::parse(date);
            date.is_none() || meta.last_modified.is_none() || date == meta.last_modified
        }
        _ => true,
    }
}

/// What an answer's type says. What stands in a multipart answer, its type does not say: it may be a picture.
fn says(answer: &HeaderMap) -> Says {
    let mut kinds = answer.get_all(header::CONTENT_TYPE).iter().map(|kind| kind.as_bytes().to_ascii_lowercase());
    let Some(kind) = kinds.next() else { return Says::Nothing };
    let more: Vec<_> = kinds.collect();
    let is = |kind: &[u8]| {
        let kind = kind.trim_ascii_start();
        kind.starts_with(b"image/") || kind.starts_with(b"multipart/")
    };
    if is(&kind) || more.iter().any(|kind| is(kind)) {
        return Says::Picture;
    }
    let kind = String::from_utf8_lossy(&kind);
    let kind = kind.split([';', ',']).next().unwrap_or_default().trim();
    let told = kind.split_once('/').is_some_and(|(top, rest)| !rest.is_empty() && TOLD.contains(&top));
    match told && !GENERIC.contains(&kind) && more.is_empty() {
        true => Says::Another,
        false => Says::Nothing,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::{Duration, SystemTime};

    use super::*;

    fn fields(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_type_says_picture_or_another_or_nothing() {
        for (kinds, want) in [
            (&["image/png"][..], Says::Picture),
            (&[" Image/SVG+xml; charset=x"], Says::Picture),
            (&["multipart/byteranges; boundary=x"], Says::Picture),
            (&["text/html", "image/png"], Says::Picture),
            (&["text/html; charset=utf-8"], Says::Another),
            (&["video/mp4"], Says::Another),
            (&["Application/PDF"], Says::Another),
            (&[], Says::Nothing),
            (&[""], Says::Nothing),
            (&["APPLICATION/octet-stream;x=y"], Says::Nothing),
            (&["binary/octet-stream"], Says::Nothing),
            (&["application/"], Says::Nothing),
            (&["picture"], Says::Nothing),
            (&["text/html", "text/html"], Says::Nothing),
        ] {
            let kinds: Vec<_> = kinds.iter().map(|kind| ("content-type", *kind)).collect();
            assert_eq!(says(&fields(&kinds)), want, "{kinds:?}");
        }
    }

    #[test]
    fn what_was_looked_at_is_what_is_answered() {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let meta = |etag: Option<&str>, last_modified| Meta {
            etag: etag.map(str::to_owned),
            last_modified,
            ..Meta::default()
        };
        assert!(is_same(&fields(&[("etag", "\"a\"")]), &meta(Some("\"a\""), None)));
        assert!(is_same(&fields(&[("etag", "\"a\""), ("last-modified", date)]), &meta(Some("W/\"a\""), None)));
        assert!(!is_same(&fields(&[("etag", "\"a\"")]), &meta(Some("\"b\""), Some(time))));
        assert!(is_same(&fields(&[("last-modified", date)]), &meta(None, Some(time))));
        assert!(!is_same(
            &fields(&[("last-modified", date)]),
            &meta(Some("\"a\""), Some(time + Duration::from_secs(1)))
        ));
        assert!(is_same(&fields(&[("etag", "\"a-gzip\""), ("content-encoding", "gzip")]), &meta(Some("\"a\""), None)));
        assert!(is_same(&fields(&[]), &meta(Some("\"a\""), Some(time))));
    }
}
