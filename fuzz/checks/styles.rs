//! Any call for a site's styles, in either dialect: read without a panic, and a style that is accepted is told again as it
//! was set, in XML that is read again, and found by its name.

use pictor::access::is_style_call;
use pictor::dialect::styles::lone;
use pictor::dialect::{Dialect, RequestQuery, StyleCall, Styles, style_calls};
use pictor::xml::walk;

const METHODS: [&str; 5] = ["GET", "PUT", "DELETE", "POST", "HEAD"];

/// A byte for the method, one for the dialects of the site; then the query, a line's end, and the body.
pub fn check(data: &[u8]) {
    let Some(([method, dialects], rest)) = data.split_first_chunk::<2>() else { return };
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let query = String::from_utf8_lossy(&rest[..end]);
    let body = rest.get(end + 1..).unwrap_or_default();
    let enabled: &[Dialect] = match dialects % 4 {
        0 => &Dialect::ALL,
        1 => &[Dialect::Tencent],
        2 => &[Dialect::Aliyun],
        _ => &[],
    };
    let query = RequestQuery::of(&query).into_parameters();
    is_style_call("/", &query);
    let Some(dialect) = style_calls::dialect(&query, body, enabled) else {
        assert!(enabled.len() < 2, "a site of both dialects answers everything");
        return;
    };
    assert!(enabled.contains(&dialect));
    let method = METHODS[usize::from(*method) % METHODS.len()];
    let Ok(call) = style_calls::read(dialect, method, &query, body) else { return };
    match &call {
        StyleCall::Put { name, rule } => {
            assert!(method == "PUT" && !name.is_empty() && !rule.is_empty());
            set(name, rule, enabled);
        }
        StyleCall::Delete(name) => assert!(method == "DELETE" && !name.is_empty()),
        StyleCall::Get(name) => assert!(method == "GET" && !name.is_empty()),
        StyleCall::List => assert_eq!(method, "GET"),
    }
}

/// Sets a style and asks for it, in both dialects.
fn set(name: &str, rule: &str, enabled: &[Dialect]) {
    let mut styles = Styles::new("!").expect("a separator");
    if styles.add(name, rule, enabled).is_err() {
        assert!(styles.get(name).is_none());
        return;
    }
    styles.date(name, (0, i64::MAX));
    let (path, query) =
        styles.split(&format!("/a.jpg!{name}")).map(|(path, query)| (path.to_owned(), query)).expect("a style");
    assert_eq!(path, "/a.jpg");
    assert!(lone(&query).is_some_and(|(_, found)| found == name), "{query}");
    for dialect in Dialect::ALL {
        for call in [StyleCall::List, StyleCall::Get(name.to_owned())] {
            let told: Vec<_> = styles.get(name).into_iter().collect();
            let (status, text) = style_calls::answer(dialect, &call, &told);
            let mut texts = Vec::new();
            walk(text.as_bytes(), |_, text| texts.extend(text.map(str::to_owned))).expect("what was written");
            assert!(status == 200 && texts.iter().any(|text| text == name), "{text}");
            assert!(texts.iter().any(|text| text == rule.trim()), "{text}");
        }
    }
    styles.remove(name);
    assert!(styles.get(name).is_none());
}
