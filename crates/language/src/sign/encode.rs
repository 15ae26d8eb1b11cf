//! Percent-encoding and canonical texts as signatures need them: byte for byte what the stores compute.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// Encodes everything except RFC 3986's unreserved characters (`A-Z a-z 0-9 - . _ ~`), hex digits in upper case.
pub fn uri_encode(bytes: &[u8]) -> String {
    encode(bytes, false)
}

/// [`uri_encode`] that leaves slashes alone: an object's key as the path of a URL.
pub fn path_encode(bytes: &[u8]) -> String {
    encode(bytes, true)
}

fn encode(bytes: &[u8], slashes: bool) -> String {
    let mut text = String::with_capacity(bytes.len());
    push_encoded(&mut text, bytes, slashes);
    text
}

/// Appends what [`uri_encode`] gives, or [`path_encode`] where slashes stay.
pub(super) fn push_encoded(text: &mut String, bytes: &[u8], slashes: bool) {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'A' - 10 + nibble });
    let mut rest = bytes;
    while !rest.is_empty() {
        // What stays is ASCII, and is taken as a piece.
        let stays = |byte: &u8| UNRESERVED[usize::from(*byte)] || slashes && *byte == b'/';
        let (plain, more) = rest.split_at(rest.iter().position(|byte| !stays(byte)).unwrap_or(rest.len()));
        text.push_str(std::str::from_utf8(plain).unwrap_or_default());
        rest = more;
        if let Some((byte, more)) = rest.split_first() {
            text.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            rest = more;
        }
    }
}

/// What [`is_unreserved`] says of each byte.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_unreserved(byte as u8);
        byte += 1;
    }
    table
};

/// RFC 3986 section 2.3.
pub const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Splits a raw query (without `?`) into decoded names and values. `+` is a space, as every object store reads it; a
/// parameter without `=` has an empty value; a `%` that starts no escape stands for itself; empty pieces are dropped.
pub fn parse_query(raw: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    pieces(raw).map(|(name, value)| (form_decode(name), form_decode(value.unwrap_or_default()))).collect()
}

/// The pieces of a raw query that are not empty: names and, behind a `=`, values.
pub(super) fn pieces(raw: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    raw.split('&').filter(|piece| !piece.is_empty()).map(|piece| match piece.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (piece, None),
    })
}

/// Decodes escapes and `+`.
pub fn form_decode(text: &str) -> Vec<u8> {
    form_decoded(text).into_owned()
}

/// [`form_decode`] that copies only what changes.
pub(super) fn form_decoded(text: &str) -> Cow<'_, [u8]> {
    if text.contains('+') {
        return Cow::Owned(percent_decode(text.replace('+', " ").as_bytes()).collect());
    }
    decoded(text)
}

/// Decodes escapes alone: the path of a URL.
pub(super) fn decoded(text: &str) -> Cow<'_, [u8]> {
    percent_decode(text.as_bytes()).into()
}

/// How a parameter with an empty value stands in a canonical query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// `name`
    Bare,
    /// `name=`
    Equals,
}

/// Parameters encoded, then sorted by name and value. `pairs`: decoded names and values, and how they stand when empty.
pub(super) fn sorted_query<'a>(pairs: impl Iterator<Item = (&'a [u8], &'a [u8], Empty)>) -> String {
    // All in one text, and where each begins: names and values are compared apart, because "=" sorts in between.
    let mut text = String::new();
    let mut spans = Vec::new();
    for (name, value, empty) in pairs {
        let start = text.len();
        push_encoded(&mut text, name, false);
        let middle = text.len();
        push_encoded(&mut text, value, false);
        spans.push((start..middle, middle..text.len(), empty));
    }
    spans.sort_by(|a, b| (&text[a.0.clone()], &text[a.1.clone()]).cmp(&(&text[b.0.clone()], &text[b.1.clone()])));
    let mut sorted = String::with_capacity(text.len() + 2 * spans.len());
    for (number, (name, value, empty)) in spans.into_iter().enumerate() {
        if number > 0 {
            sorted.push('&');
        }
        sorted.push_str(&text[name]);
        if !value.is_empty() || empty == Empty::Equals {
            sorted.push('=');
            sorted.push_str(&text[value]);
        }
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_unreserved() {
        assert_eq!(uri_encode("a-._~Z9 /+中".as_bytes()), "a-._~Z9%20%2F%2B%E4%B8%AD");
        assert_eq!(path_encode(b"a b/c%41"), "a%20b/c%2541");
        assert_eq!(uri_encode(&[0, 0x0f, 0xa0, 0xff]), "%00%0F%A0%FF");
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

    #[test]
    fn queries_are_sorted_as_encoded() {
        let pairs: [(&[u8], &[u8], Empty); 5] = [
            (b"a-", b"1", Empty::Bare),
            (b"a", b"2", Empty::Bare),
            (b"a/", b"", Empty::Bare),
            (b"a", b"10", Empty::Bare),
            (b"A", b"", Empty::Equals),
        ];
        assert_eq!(sorted_query(pairs.into_iter()), "A=&a=10&a=2&a%2F&a-=1");
    }
}
