//! The query on the wire: its pieces, their percent-encoding, and which of them are credentials.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// Parameters that carry a signature or a token, in lower case; those that end in `*` by their beginning.
const CREDENTIALS: [&str; 22] = [
    "q-sign-algorithm",
    "q-ak",
    "q-sign-time",
    "q-key-time",
    "q-header-list",
    "q-url-param-list",
    "q-signature",
    "sign",
    "x-cos-security-token",
    "x-ci-security-token",
    "ossaccesskeyid",
    "expires",
    "signature",
    "security-token",
    "x-oss-signature*",
    "x-oss-credential",
    "x-oss-date",
    "x-oss-expires",
    "x-oss-additional-headers",
    "x-oss-security-token",
    "x-oss-access-key-id",
    "x-amz-*",
];

/// What is escaped of a rule in a URL. Exclamation marks, commas and slashes are allowed in a query and read better.
const IN_RULES: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'|').add(b'#').add(b'&').add(b'%').add(b'+');

/// A rule as it stands in a URL.
pub(super) fn escape_rule(rule: &str) -> String {
    utf8_percent_encode(rule, IN_RULES).to_string()
}

/// The lower-case name of a parameter, decoded.
pub(super) fn name_of(piece: &str) -> String {
    let name = piece.split_once('=').map_or(piece, |(name, _)| name);
    percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase()
}

pub(super) fn is_credential(lower: &str) -> bool {
    CREDENTIALS.iter().any(|name| match name.strip_suffix('*') {
        Some(start) => lower.starts_with(start),
        None => lower == *name,
    })
}

/// The pieces between the ampersands, without empty ones.
pub(super) fn pieces(raw_query: &str) -> impl Iterator<Item = &str> {
    raw_query.strip_prefix('?').unwrap_or(raw_query).split('&').filter(|piece| !piece.is_empty())
}

/// Decodes a piece, and once more if escapes are left: rules have no percent signs of their own, so what is left was
/// encoded twice. `+` stays: it belongs to base64 in both dialects. Bytes that are not UTF-8 become U+FFFD, which no
/// rule contains.
pub(super) fn decode_twice(piece: &str) -> Cow<'_, str> {
    if !piece.contains('%') {
        return Cow::Borrowed(piece);
    }
    match percent_decode_str(piece).decode_utf8_lossy() {
        Cow::Owned(once) if once.contains('%') => {
            Cow::Owned(percent_decode_str(&once).decode_utf8_lossy().into_owned())
        }
        once => once,
    }
}

/// Base64 of either alphabet, padded or not.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let text = text.replace('+', "-").replace('/', "_");
    GeneralPurpose::new(&alphabet::URL_SAFE, config).decode(text).ok()
}

/// Whether a rule holds only what rules are written with: printable ASCII without blanks.
pub(super) fn is_plain(rule: &str) -> bool {
    rule.bytes().all(|b| b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_twice_at_most() {
        assert_eq!(decode_twice("a%2Fb"), "a/b");
        assert_eq!(decode_twice("a%252Fb"), "a/b");
        assert_eq!(decode_twice("a%25252Fb"), "a%2Fb");
        assert_eq!(decode_twice("a+b%2Bc"), "a+b+c");
        assert_eq!(decode_twice("100%"), "100%");
        assert!(!is_plain(&decode_twice("a%FFb")));
        assert!(!is_plain(&decode_twice("a%20b")));
    }
}
