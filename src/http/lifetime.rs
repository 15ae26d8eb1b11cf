//! How long clients and caches between may keep what will soon be replaced by something better.

use std::borrow::Cow;
use std::time::Duration;

/// A `Cache-Control` with its lifetimes cut to `most`: RFC 9111 §5.2.2 `max-age` and `s-maxage`. What promises more (RFC 8246
/// `immutable`, RFC 5861) is taken out. Without a lifetime one is added, because caches may guess one otherwise.
pub fn at_most(cache_control: &str, most: Option<Duration>) -> Cow<'_, str> {
    let Some(most) = most.map(|most| most.as_secs()) else { return Cow::Borrowed(cache_control) };
    let mut bounded = false;
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    for directive in cache_control.split(',').map(str::trim).filter(|directive| !directive.is_empty()) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            name @ ("max-age" | "s-maxage") => {
                bounded |= name == "max-age";
                let seconds: u64 = value.trim().trim_matches('"').parse().unwrap_or(0);
                kept.push(Cow::Owned(format!("{name}={}", seconds.min(most))));
            }
            "immutable" | "stale-while-revalidate" | "stale-if-error" => {}
            name => {
                bounded |= matches!(name, "no-store" | "no-cache");
                kept.push(Cow::Borrowed(directive));
            }
        }
    }
    if !bounded {
        kept.push(Cow::Owned(format!("max-age={most}")));
    }
    Cow::Owned(kept.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_cut_and_promises_taken_back() {
        let minute = |text| at_most(text, Some(Duration::from_secs(60))).into_owned();
        assert_eq!(minute("public, max-age=3600"), "public, max-age=60");
        assert_eq!(minute("max-age=30, S-MaxAge=\"900\", immutable"), "max-age=30, s-maxage=60");
        assert_eq!(minute("max-age=60, stale-while-revalidate=600, stale-if-error=9"), "max-age=60");
        assert_eq!(minute("s-maxage=900"), "s-maxage=60, max-age=60");
        assert_eq!(minute("public"), "public, max-age=60");
        assert_eq!(minute(""), "max-age=60");
        assert_eq!(minute("no-store"), "no-store");
        assert_eq!(minute("private, no-cache=\"set-cookie\""), "private, no-cache=\"set-cookie\"");
        assert_eq!(minute("max-age=soon"), "max-age=0");
        assert_eq!(at_most("public, max-age=3600, immutable", None), "public, max-age=3600, immutable");
    }
}
