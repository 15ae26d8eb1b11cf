//! What the table of decisions (`http/sent_tests.rs`) cannot hold.
#![allow(clippy::unwrap_used)]

use http::{HeaderMap, Method};

use super::*;

/// The time that a decision takes grows with a head's parameters, not with their square.
#[test]
fn a_write_of_very_many_parameters_is_refused_at_the_third() {
    let pieces: Vec<String> = (0..300_000).map(|number| format!("p{number}")).collect();
    let query = Query::of(pieces.iter().map(String::as_str));
    let policy = AccessPolicy {
        anonymous: true,
        write: true,
        list: true,
        overrides: true,
        protect: false,
        styles: false,
        origin_decides: false,
    };
    let headers = HeaderMap::new();
    let mut asked = Asked {
        method: &Method::GET,
        path: "/a",
        query: &query,
        raw_query: None,
        headers: &headers,
        wants: Wants::Stored,
        page_admitted: true,
    };
    // What nobody knows is left out of a read.
    let read = decide(&asked, &policy);
    assert!(matches!(read, Ok(Grant::Pass(pass)) if *pass.sent() == SentQuery::Only(Vec::new())));
    for method in [&Method::PUT, &Method::POST, &Method::DELETE] {
        asked.method = method;
        assert_eq!(decide(&asked, &policy).unwrap_err().kind, Kind::Forbidden);
    }
}
