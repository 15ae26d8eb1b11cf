//! Percent-encoding as signatures need it: byte for byte what the stores compute.

use std::borrow::Cow;
use std::fmt::Write;

/// Encodes everything except RFC 3986's unreserved characters (`A-Z a-z 0-9 - . _ ~`), hex digits in upper case.
pub fn uri_encode(bytes: &[u8]) -> String {
    encode(bytes, |_| false)
}

/// [`uri_encode`] that leaves slashes alone: an object's key as the path of a URL.
pub fn path_encode(bytes: &[u8]) -> String {
    encode(bytes, |byte| byte == b'/')
}

fn encode(bytes: &[u8], keep: impl Fn(u8) -> bool) -> String {
    let stays = |byte| is_unreserved(byte) || keep(byte);
    if let (true, Ok(text)) = (bytes.iter().all(|&byte| stays(byte)), std::str::from_utf8(bytes)) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if stays(byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// RFC 3986 section 2.3.
pub fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Splits a raw query (without `?`) into decoded names and values. `+` is a space, as every object store reads it; a
/// parameter without `=` has an empty value; a `%` that starts no escape stands for itself; empty pieces are dropped.
pub fn parse_query(raw: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    raw.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (form_decode(name), form_decode(value))
        })
        .collect()
}

/// Decodes escapes and `+`.
pub fn form_decode(text: &str) -> Vec<u8> {
    let spaced: Cow<'_, str> =
        if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    Cow::from(percent_encoding::percent_decode_str(&spaced)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_unreserved() {
        assert_eq!(uri_encode("a-._~Z9 /+中".as_bytes()), "a-._~Z9%20%2F%2B%E4%B8%AD");
        assert_eq!(path_encode(b"a b/c%41"), "a%20b/c%2541");
    }

    #[test]
    fn queries_are_read_as_forms() {
        let pairs = parse_query("b=1%2B2&a+c&&x==%zz");
        let text: Vec<_> = pairs
            .iter()
            .map(|(name, value)| {
                (String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned())
            })
            .collect();
        assert_eq!(text, [("b".into(), "1+2".into()), ("a c".into(), String::new()), ("x".into(), "=%zz".into())]);
    }
}
