//! Queries written anew: with another rule in the place of theirs, or for people's eyes.

use super::wire::{base64, decode_twice, escape_rule, is_credential, name_of, pieces};
use super::{aliyun, tencent};

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

/// Parameters by which the vendors' CDNs let a request in: the origin may want them, people do not.
const CDN_CREDENTIALS: [&str; 6] = ["auth_key", "txsecret", "token", "access_token", "authorization", "password"];
