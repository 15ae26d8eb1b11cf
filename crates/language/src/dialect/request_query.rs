//! A request's query, taken apart once: whoever decides something about the request gets this and not the text.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::wire::{decode_twice, is_credential, name_of, pieces};
use super::{Dialect, aliyun, tencent};
use crate::access::Query;

/// A query: its pieces, told rules from the rest, and its parameters, decoded.
#[derive(Debug, Clone)]
pub struct RequestQuery<'a> {
    raw: &'a str,
    pieces: Vec<Piece<'a>>,
    parameters: Query,
}

/// What stands between two ampersands.
#[derive(Debug, Clone)]
pub(super) struct Piece<'a> {
    /// As it was written.
    raw: &'a str,
    /// Decoded, as rules are.
    pub text: Cow<'a, str>,
    /// Whose rule it is, or a part of.
    pub rule: Option<Dialect>,
}

impl<'a> RequestQuery<'a> {
    /// Of the text behind the `?`, undecoded; empty where there is none.
    pub fn of(raw: &'a str) -> Self {
        let pieces = take_apart(raw);
        let others = pieces.iter().filter(|piece| piece.rule.is_none()).map(|piece| piece.raw);
        let parameters = Query::of(others.filter(|raw| !is_credential(&name_of(raw))));
        Self { raw, pieces, parameters }
    }

    /// Whether nothing stands behind the `?`.
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// The parameters that are neither rules nor signatures nor tokens.
    pub fn parameters(&self) -> &Query {
        &self.parameters
    }

    /// The same, to be kept.
    pub fn into_parameters(self) -> Query {
        self.parameters
    }

    /// The text as it came, for an origin that decides for itself. `None` where it is empty.
    pub fn as_it_came(&self) -> Option<&'a str> {
        Some(self.raw).filter(|raw| !raw.is_empty())
    }

    /// What is besides the rule, as it was written.
    pub fn without_rule(&self) -> String {
        let others = self.pieces.iter().filter(|piece| piece.rule.is_none());
        others.map(|piece| piece.raw).collect::<Vec<_>>().join("&")
    }

    /// Whether a server could find a parameter of this name, also one that takes a second `?` for an ampersand.
    pub fn may_name(&self, name: &str) -> bool {
        let mut parts = self.pieces.iter().flat_map(|piece| piece.raw.split('?'));
        parts.any(|part| percent_decode_str(part.split('=').next().unwrap_or_default()).eq(name.bytes()))
    }

    pub(super) fn pieces(&self) -> &[Piece<'a>] {
        &self.pieces
    }
}

/// The pieces of a query, whatever is to be read of them.
pub(super) fn take_apart(raw: &str) -> Vec<Piece<'_>> {
    let piece = |raw| {
        let text = decode_twice(raw);
        let rule = match () {
            () if tencent::claims(&text) => Some(Dialect::Tencent),
            () if aliyun::claims(&text) => Some(Dialect::Aliyun),
            () => None,
        };
        Piece { raw, text, rule }
    };
    pieces(raw).map(piece).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deciders_see_neither_rule_nor_signature() {
        let query = "q-sign-algorithm=sha1&q-ak=AK&q-signature=0a&x-cos-security-token=t&versionId=v%2F1&\
                     imageMogr2%2Fthumbnail%2F%2150p=&response-content-type=image%2Fx-test&a=1&b&\
                     x-oss-process=image/info&OSSAccessKeyId=k&Expires=1&Signature=s&security-token=t&\
                     x-oss-signature-version=OSS4&x-oss-date=d&X-Amz-Signature=s";
        let read = RequestQuery::of(query);
        let wanted = Query::of(["versionId=v%2F1", "response-content-type=image%2Fx-test", "a=1", "b"]);
        assert_eq!(*read.parameters(), wanted);
        assert_eq!(read.as_it_came(), Some(query));
        let rules: Vec<_> = read.pieces().iter().filter_map(|piece| Some((piece.rule?, &*piece.text))).collect();
        let (tencent, aliyun) = ("imageMogr2/thumbnail/!50p=", "x-oss-process=image/info");
        assert_eq!(rules, [(Dialect::Tencent, tencent), (Dialect::Aliyun, aliyun)]);
    }

    #[test]
    fn an_origin_that_decides_sees_all_but_the_rule() {
        let read = RequestQuery::of("?b=%20&imageInfo&&q-ak=x&a");
        assert_eq!(read.without_rule(), "b=%20&q-ak=x&a");
        assert!(!read.is_empty());
    }

    #[test]
    fn an_empty_query_has_no_pieces() {
        for (raw, is_empty) in [("", true), ("?&&", false)] {
            let read = RequestQuery::of(raw);
            assert!(read.pieces().is_empty() && read.parameters().is_empty(), "{raw}");
            assert_eq!(read.is_empty(), is_empty, "{raw}");
        }
    }

    #[test]
    fn a_name_is_found_wherever_a_server_may_look() {
        for raw in ["x-oss-process=a", "a&x%2Doss-process", "a?x-oss-process=b", "a=1&b=2?x-oss-process"] {
            assert!(RequestQuery::of(raw).may_name("x-oss-process"), "{raw}");
        }
        for raw in ["", "a=x-oss-process", "x-oss-processes=1", "x-oss-proces"] {
            assert!(!RequestQuery::of(raw).may_name("x-oss-process"), "{raw}");
        }
    }
}
