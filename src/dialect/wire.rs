//! The query on the wire: its pieces, their percent-encoding, and which of them are rules and credentials.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use super::{aliyun, tencent};

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

/// The pieces of a query that are neither rule nor signature nor token, as they were written.
pub fn outside(raw_query: &str) -> impl Iterator<Item = &str> {
    pieces(raw_query).filter(|piece| !is_rule(piece) && !is_credential(&name_of(piece)))
}

/// The query without its rule, as it was written.
pub fn without_rule(raw_query: &str) -> String {
    pieces(raw_query).filter(|piece| !is_rule(piece)).collect::<Vec<_>>().join("&")
}

fn is_rule(piece: &str) -> bool {
    let text = decode_twice(piece);
    tencent::claims(&text) || aliyun::claims(&text)
}

/// What is escaped of a rule in a URL. Exclamation marks, commas and slashes are allowed in a query and read better.
const IN_RULES: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'`').add(b'|').add(b'#').add(b'&').add(b'%').add(b'+');

/// A rule as it stands in a URL.
pub(super) fn escape_rule(rule: &str) -> String {
    utf8_percent_encode(rule, IN_RULES).to_string()
}

/// A query with another rule in the place of its own (which goes, if `rule` is `None`), without signatures and tokens,
/// which would not be right any more; and whether there were any. The rest stays as it was written.
pub fn rewrite(raw_query: &str, rule: Option<&str>) -> (String, bool) {
    let (mut out, mut rule, mut signed) = (Vec::new(), rule, false);
    for piece in pieces(raw_query) {
        let text = decode_twice(piece);
        if tencent::claims(&text) || aliyun::claims(&text) {
            out.extend(rule.take());
        } else if is_credential(&name_of(piece)) {
            signed = true;
        } else {
            out.push(piece);
        }
    }
    out.extend(rule);
    (out.join("&"), signed)
}

/// A query for people's eyes: the values of signatures and tokens are three dots, also in the URLs that marks are named
/// by. Everything else stays as it was written.
pub fn redact(raw_query: &str) -> String {
    let hidden = |piece: &str| {
        let name = name_of(piece);
        let secret = is_credential(&name) || CDN_CREDENTIALS.contains(&name.as_str());
        match (secret, piece.split_once('=')) {
            (true, Some((name, _))) => format!("{name}=..."),
            (true, None) => piece.to_owned(),
            (false, _) => redact_rule(piece),
        }
    };
    pieces(raw_query).map(hidden).collect::<Vec<_>>().join("&")
}

/// A piece of a query without the queries of the URLs in it, which Tencent's marks carry in base64.
fn redact_rule(piece: &str) -> String {
    let text = decode_twice(piece);
    if !tencent::claims(&text) {
        return piece.to_owned();
    }
    let signed = |word: &str| base64(word).is_some_and(|bytes| bytes.starts_with(b"http") && bytes.contains(&b'?'));
    if !text.split(['/', '|']).any(signed) {
        return piece.to_owned();
    }
    let stages = text.split('|').map(|stage| {
        let words = stage.split('/').map(|word| if signed(word) { "..." } else { word });
        words.collect::<Vec<_>>().join("/")
    });
    escape_rule(&stages.collect::<Vec<_>>().join("|"))
}

/// The lower-case name of a parameter, decoded.
fn name_of(piece: &str) -> String {
    let name = piece.split_once('=').map_or(piece, |(name, _)| name);
    percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase()
}

/// Parameters by which the vendors' CDNs let a request in: the origin may want them, people do not.
const CDN_CREDENTIALS: [&str; 6] = ["auth_key", "txsecret", "token", "access_token", "authorization", "password"];

fn is_credential(lower: &str) -> bool {
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

    #[test]
    fn the_origin_sees_neither_rule_nor_signature() {
        let query = "q-sign-algorithm=sha1&q-ak=AK&q-signature=0a&x-cos-security-token=t&versionId=v%2F1&\
                     imageMogr2%2Fthumbnail%2F%2150p=&response-content-type=image%2Fx-test&a=1&b&\
                     x-oss-process=image/info&OSSAccessKeyId=k&Expires=1&Signature=s&security-token=t&\
                     x-oss-signature-version=OSS4&x-oss-date=d&X-Amz-Signature=s";
        let outside: Vec<_> = outside(query).collect();
        assert_eq!(outside, ["versionId=v%2F1", "response-content-type=image%2Fx-test", "a=1", "b"]);
    }

    #[test]
    fn an_empty_query_has_no_pieces() {
        assert_eq!(outside("").chain(outside("?&&")).next(), None);
    }
}
