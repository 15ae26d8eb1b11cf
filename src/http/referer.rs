//! Hotlink lists: which sites may show this one's pictures (tencent-ci §1.9). Pure.
//!
//! A `Referer` is easily forged; this keeps other people's pages from using one's traffic, not people from pictures.

use crate::config::{RefererMode, Referers};

/// Whether a request with this `Referer` is served.
pub fn admits(list: &Referers, referer: Option<&str>) -> bool {
    let listed = |host: &str| list.hosts.iter().any(|pattern| matches(pattern, host));
    let Some(referer) = referer.map(str::trim).filter(|referer| !referer.is_empty()) else {
        return list.mode == RefererMode::Off || list.empty;
    };
    match list.mode {
        RefererMode::Off => true,
        // What is no URL comes from nobody on a list.
        RefererMode::Allow => host(referer).is_some_and(listed),
        RefererMode::Deny => !host(referer).is_some_and(listed),
    }
}

/// The host of a URL, with its port where one is written.
fn host(referer: &str) -> Option<&str> {
    let (scheme, rest) = referer.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?;
    (!scheme.is_empty() && !host.is_empty()).then_some(host)
}

/// `example.com` is itself, on every port; `*.example.com` is every name below it; `example.com:8080` is that port alone.
fn matches(pattern: &str, host: &str) -> bool {
    let bare = crate::site::host_name(host);
    let candidate = if crate::site::host_name(pattern) == pattern { bare } else { host };
    match pattern.strip_prefix('*') {
        Some(end) => candidate.len() > end.len() && ends_with(candidate, end),
        None => candidate.eq_ignore_ascii_case(pattern),
    }
}

fn ends_with(text: &str, end: &str) -> bool {
    let from = text.len() - end.len();
    text.is_char_boundary(from) && text[from..].eq_ignore_ascii_case(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(mode: RefererMode, empty: bool) -> Referers {
        let hosts = ["example.com", "*.example.org", "shop.example:8080"].map(str::to_owned).to_vec();
        Referers { mode, hosts, empty }
    }

    #[test]
    fn hosts_are_compared_and_nothing_else() {
        for (referer, listed) in [
            ("http://example.com/page?x=1", true),
            ("https://EXAMPLE.com", true),
            ("https://example.com:444/", true),
            ("https://user:pass@example.com/", true),
            ("https://www.example.com/", false),
            ("https://example.com.evil.net/", false),
            ("https://evil.net/example.com", false),
            ("https://evil.net?example.com", false),
            ("https://example.com@evil.net/", false),
            ("https://a.b.example.org/", true),
            ("https://example.org/", false),
            ("https://evilexample.org/", false),
            ("http://shop.example:8080/", true),
            ("http://shop.example/", false),
            ("example.com", false),
            ("é", false),
        ] {
            assert_eq!(admits(&list(RefererMode::Allow, false), Some(referer)), listed, "{referer}");
            assert_eq!(admits(&list(RefererMode::Deny, false), Some(referer)), !listed, "{referer}");
            assert!(admits(&list(RefererMode::Off, false), Some(referer)));
        }
    }

    #[test]
    fn none_is_a_decision_of_its_own() {
        for mode in [RefererMode::Allow, RefererMode::Deny] {
            for none in [None, Some(""), Some("  ")] {
                assert!(admits(&list(mode, true), none));
                assert!(!admits(&list(mode, false), none));
            }
        }
        assert!(admits(&Referers::default(), None));
    }
}
