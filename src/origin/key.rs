//! Names of objects: decoded once, and still known as the client spelled them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::error::{Error, Kind};
use crate::sign::encode::{is_unreserved, path_encode};

/// The name of an object inside its store: bytes, usually UTF-8, without a leading slash, never empty, without NUL.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectKey {
    decoded: Vec<u8>,
    /// Percent-encoded, only legal path characters; as the client sent it where that was legal.
    raw: String,
}

impl ObjectKey {
    /// From the path of a request, still percent-encoded, with or without its leading slash, without the query. Escapes
    /// are decoded once. Bytes that may not stand in a URL (spaces, UTF-8) are taken as themselves.
    ///
    /// # Errors
    ///
    /// [`Kind::BadRequest`] for an empty key, a NUL and a `%` that starts no escape: two servers could read it differently.
    pub fn from_raw_path(path: impl AsRef<[u8]>) -> Result<Self, Error> {
        let path = path.as_ref();
        let path = path.strip_prefix(b"/").unwrap_or(path);
        let raw = legal_path(path)?;
        let decoded = Cow::from(percent_decode_str(&raw)).into_owned();
        Self::checked(decoded, raw)
    }

    /// From the key itself, as a listing gives it or a rule names it; nothing is decoded.
    ///
    /// # Errors
    ///
    /// [`Kind::BadRequest`] for an empty key and a NUL.
    pub fn from_text(key: &str) -> Result<Self, Error> {
        Self::checked(key.as_bytes().to_vec(), path_encode(key.as_bytes()))
    }

    fn checked(decoded: Vec<u8>, raw: String) -> Result<Self, Error> {
        if decoded.is_empty() {
            return Err(Error::new(Kind::BadRequest, "the path names no object"));
        }
        if decoded.contains(&0) {
            return Err(Error::new(Kind::BadRequest, "the object's name contains a NUL"));
        }
        Ok(Self { decoded, raw })
    }

    /// The decoded name.
    pub fn bytes(&self) -> &[u8] {
        &self.decoded
    }

    /// The decoded name as text; `None` if it is not UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.decoded).ok()
    }

    /// The one ASCII spelling of the name: everything but unreserved characters and slashes percent-encoded. Two keys are
    /// equal exactly when these are; what logs and cache keys use.
    pub fn canonical(&self) -> String {
        path_encode(&self.decoded)
    }

    /// The path as the client spelled it, without the leading slash; only its illegal bytes have been percent-encoded.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// The client's spelling with RFC 3986's harmless differences gone (section 6.2.2: escaped unreserved characters, hex
    /// digits in lower case). Spellings with the same text here mean the same to every server; `a%2Fb` and `a/b` differ.
    pub fn spelling(&self) -> String {
        let bytes = self.raw.as_bytes();
        let mut text = String::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match escape(bytes, at) {
                Some(value) if is_unreserved(value) => text.push(char::from(value)),
                Some(value) => text.push_str(&format!("%{value:02X}")),
                None => text.push(char::from(byte)),
            }
            at += if byte == b'%' { 3 } else { 1 };
        }
        text
    }

    /// Refuses `.` and `..` between slashes. Servers and URL libraries resolve them, so that they would name another
    /// object than the one that was asked for, signed and cached, perhaps outside of the store.
    pub fn refuse_dot_segments(&self) -> Result<(), Error> {
        refuse_dot_segments(&self.decoded)
    }
}

/// See [`ObjectKey::refuse_dot_segments`]; `path` is decoded. Backslashes count as slashes, as some servers take them.
pub(super) fn refuse_dot_segments(path: &[u8]) -> Result<(), Error> {
    let dotted = path.split(|byte| matches!(byte, b'/' | b'\\')).any(|segment| matches!(segment, b"." | b".."));
    if dotted {
        return Err(Error::new(Kind::BadRequest, "the object's name has a \".\" or \"..\" between its slashes"));
    }
    Ok(())
}

/// The path with all bytes that RFC 3986 does not allow there percent-encoded, and its escapes checked.
pub(super) fn legal_path(path: &[u8]) -> Result<String, Error> {
    let legal = |byte| is_unreserved(byte) || b"/!$&'()*+,;=:@".contains(&byte);
    // Nearly every path is as it should be, and most of it is letters.
    if let (true, Ok(text)) = (path.iter().all(|&byte| legal(byte)), std::str::from_utf8(path)) {
        return Ok(text.to_owned());
    }
    let mut text = String::with_capacity(path.len());
    for (at, &byte) in path.iter().enumerate() {
        if legal(byte) {
            text.push(char::from(byte));
        } else if byte == b'%' {
            if escape(path, at).is_none() {
                return Err(Error::new(Kind::BadRequest, "the path has a \"%\" that starts no escape; write \"%25\""));
            }
            text.push('%');
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(text)
}

/// The value of the escape that starts here.
fn escape(bytes: &[u8], at: usize) -> Option<u8> {
    let digits = bytes.get(at..)?.get(..3)?.strip_prefix(b"%")?;
    let digits = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn escapes_are_decoded_once() {
        let key = ObjectKey::from_raw_path("/a%2Fb%2541+ %e4%b8%ad").unwrap();
        assert_eq!(key.text(), Some("a/b%41+ 中"));
        assert_eq!(key.canonical(), "a/b%2541%2B%20%E4%B8%AD");
        assert_eq!(key.raw(), "a%2Fb%2541+%20%e4%b8%ad");
        assert_eq!(key.spelling(), "a%2Fb%2541+%20%E4%B8%AD");
        assert_eq!(ObjectKey::from_text("a/b%41+ 中").unwrap().bytes(), key.bytes());
    }

    #[test]
    fn keys_need_not_be_utf_8() {
        let key = ObjectKey::from_raw_path("/%D6%D0.jpg").unwrap();
        assert_eq!((key.text(), key.canonical().as_str()), (None, "%D6%D0.jpg"));
        assert_eq!(ObjectKey::from_raw_path(b"/\xD6\xD0.jpg").unwrap(), key);
    }

    #[test]
    fn only_the_first_slash_goes() {
        assert_eq!(ObjectKey::from_raw_path("//a//b/").unwrap().text(), Some("/a//b/"));
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in ["", "/", "/a%00", "/100%.jpg", "/a%2", "/%+1"] {
            assert_eq!(ObjectKey::from_raw_path(path).unwrap_err().kind, Kind::BadRequest, "{path}");
        }
        assert!(ObjectKey::from_text("a\0").is_err());
        for path in ["/..", "/a/%2e%2E/b", "/a%2f..%5cb", "/./a"] {
            assert!(ObjectKey::from_raw_path(path).unwrap().refuse_dot_segments().is_err(), "{path}");
        }
        assert!(ObjectKey::from_raw_path("/a..b/...").unwrap().refuse_dot_segments().is_ok());
    }

    proptest::proptest! {
        #[test]
        fn any_key_survives_its_spellings(text in "[^\0]{1,40}") {
            let key = ObjectKey::from_text(&text).unwrap();
            proptest::prop_assert_eq!(key.text(), Some(text.as_str()));
            for spelled in [key.canonical(), key.raw().to_owned(), key.spelling()] {
                let again = ObjectKey::from_raw_path(format!("/{spelled}")).unwrap();
                proptest::prop_assert_eq!(again.bytes(), key.bytes());
                proptest::prop_assert_eq!(again.spelling(), key.spelling());
            }
        }

        #[test]
        fn any_bytes_are_a_key_or_an_error(path in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
            if let Ok(key) = ObjectKey::from_raw_path(&path) {
                let again = ObjectKey::from_raw_path(format!("/{}", key.spelling())).unwrap();
                proptest::prop_assert_eq!(again.bytes(), key.bytes());
                proptest::prop_assert!(key.raw().is_ascii() && key.canonical().is_ascii());
            }
        }
    }
}
