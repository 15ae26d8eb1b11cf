//! Any query: taken apart without a panic, and what the canonical query says is what was taken apart.

use pictor::sign::encode::{form_decode, parse_query, uri_encode};
use pictor::sign::sigv4::canonical_query;

/// A query.
pub fn check(data: &[u8]) {
    assert_eq!(form_decode(&uri_encode(data)), data);
    let text = String::from_utf8_lossy(data);
    let mut pairs = parse_query(&text);
    let again = parse_query(&canonical_query(&pairs));
    let order = |pair: &(Vec<u8>, Vec<u8>)| (uri_encode(&pair.0), uri_encode(&pair.1));
    pairs.sort_by_key(order);
    assert_eq!(again, pairs);
}
