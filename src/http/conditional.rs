//! Conditional requests and ranges on a finished answer: RFC 9110 §13.2.2 (order of evaluation), §14 (ranges). Pure.

use std::ops::Range;
use std::time::SystemTime;

use crate::dates::parse;

/// The fields of a GET or HEAD that matter, as they came.
#[derive(Debug, Clone, Copy, Default)]
pub struct RequestConditions<'a> {
    /// `If-None-Match`
    pub if_none_match: Option<&'a str>,
    /// `If-Modified-Since`
    pub if_modified_since: Option<&'a str>,
    /// `If-Match`
    pub if_match: Option<&'a str>,
    /// `If-Range`
    pub if_range: Option<&'a str>,
    /// `Range`
    pub range: Option<&'a str>,
}

/// What to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// 200 with everything.
    Whole,
    /// 304 without a body.
    NotModified,
    /// 206 with this part.
    Part(Range<u64>),
    /// 412: `If-Match` names another version.
    Failed,
    /// 416: no byte of the range exists.
    OutOfRange,
}

/// Decides for a representation with a strong `etag`, of `length` bytes.
pub fn decide(conditions: &RequestConditions<'_>, etag: &str, modified: Option<SystemTime>, length: u64) -> Decision {
    if conditions.if_match.is_some_and(|tags| !names(tags, etag, true)) {
        return Decision::Failed;
    }
    match (conditions.if_none_match, conditions.if_modified_since) {
        (Some(tags), _) if names(tags, etag, false) => return Decision::NotModified,
        (None, Some(date)) if !changed_since(date, modified) => return Decision::NotModified,
        _ => {}
    }
    let Some(range) = conditions.range else { return Decision::Whole };
    let current = conditions.if_range.is_none_or(|validator| match validator.starts_with('"') {
        true => validator == etag,
        // A weak tag never matches strongly; a date matches only exactly.
        false => parse(validator).is_some_and(|date| modified.map(seconds) == Some(seconds(date))),
    });
    if !current {
        return Decision::Whole;
    }
    match parse_range(range, length) {
        // Several ranges, or another unit: RFC 9110 allows ignoring the field.
        None => Decision::Whole,
        Some(Err(())) => Decision::OutOfRange,
        Some(Ok(part)) => Decision::Part(part),
    }
}

/// Whether a list of entity tags names this one. Strong comparison refuses weak members.
fn names(list: &str, etag: &str, strong: bool) -> bool {
    list.trim() == "*"
        || list.split(',').map(str::trim).any(|tag| match tag.strip_prefix("W/") {
            Some(weak) => !strong && weak == etag,
            None => tag == etag,
        })
}

fn changed_since(date: &str, modified: Option<SystemTime>) -> bool {
    match (parse(date), modified) {
        (Some(date), Some(modified)) => seconds(modified) > seconds(date),
        // An unreadable date is ignored.
        _ => true,
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// One range of bytes. `None`: not ours to serve; `Err`: unsatisfiable.
pub fn parse_range(text: &str, length: u64) -> Option<Result<Range<u64>, ()>> {
    let (unit, spec) = text.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return None;
    }
    let (first, last) = spec.trim().split_once('-')?;
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(first) || !digits(last) || (first.is_empty() && last.is_empty()) {
        return None;
    }
    // A number too long for 64 bits is beyond every end.
    let number = |text: &str| text.parse::<u64>().unwrap_or(u64::MAX);
    if first.is_empty() {
        let suffix = number(last).min(length);
        return Some(if suffix == 0 { Err(()) } else { Ok(length - suffix..length) });
    }
    let start = number(first);
    let end = if last.is_empty() { length } else { number(last).saturating_add(1).min(length) };
    if !last.is_empty() && number(last) < start {
        return None;
    }
    Some(if start >= length { Err(()) } else { Ok(start..end) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const TAG: &str = "\"abc\"";

    fn with(change: impl FnOnce(&mut RequestConditions<'static>)) -> Decision {
        let mut conditions = RequestConditions::default();
        change(&mut conditions);
        decide(&conditions, TAG, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777)), 1000)
    }

    #[test]
    fn entity_tags() {
        assert_eq!(with(|c| c.if_none_match = Some("\"x\", \"abc\"")), Decision::NotModified);
        assert_eq!(with(|c| c.if_none_match = Some("W/\"abc\"")), Decision::NotModified);
        assert_eq!(with(|c| c.if_none_match = Some("*")), Decision::NotModified);
        assert_eq!(with(|c| c.if_none_match = Some("\"abcd\"")), Decision::Whole);
        assert_eq!(with(|c| c.if_match = Some("W/\"abc\"")), Decision::Failed);
        assert_eq!(with(|c| c.if_match = Some("\"abc\"")), Decision::Whole);
    }

    #[test]
    fn dates_count_only_without_a_tag() {
        assert_eq!(with(|c| c.if_modified_since = Some("Sun, 06 Nov 1994 08:49:37 GMT")), Decision::NotModified);
        assert_eq!(with(|c| c.if_modified_since = Some("Sun, 06 Nov 1994 08:49:36 GMT")), Decision::Whole);
        assert_eq!(with(|c| c.if_modified_since = Some("yesterday")), Decision::Whole);
        let both = with(|c| {
            c.if_none_match = Some("\"other\"");
            c.if_modified_since = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        });
        assert_eq!(both, Decision::Whole);
    }

    #[test]
    fn ranges() {
        for (text, want) in [
            ("bytes=0-99", Decision::Part(0..100)),
            ("bytes=900-", Decision::Part(900..1000)),
            ("bytes=-100", Decision::Part(900..1000)),
            ("bytes=-5000", Decision::Part(0..1000)),
            ("bytes=999-99999999999999999999999", Decision::Part(999..1000)),
            ("bytes=1000-", Decision::OutOfRange),
            ("bytes=-0", Decision::OutOfRange),
            ("bytes=5-4", Decision::Whole),
            ("bytes=0-1,5-6", Decision::Whole),
            ("lines=0-1", Decision::Whole),
            ("bytes=a-b", Decision::Whole),
            ("bytes=-", Decision::Whole),
        ] {
            assert_eq!(with(|c| c.range = Some(text)), want, "{text}");
        }
    }

    #[test]
    fn a_range_of_another_version_is_the_whole() {
        let with_validator = |validator| {
            with(|c| {
                c.range = Some("bytes=0-9");
                c.if_range = Some(validator);
            })
        };
        assert_eq!(with_validator(TAG), Decision::Part(0..10));
        assert_eq!(with_validator("W/\"abc\""), Decision::Whole);
        assert_eq!(with_validator("Sun, 06 Nov 1994 08:49:37 GMT"), Decision::Part(0..10));
        assert_eq!(with_validator("Sun, 06 Nov 1994 08:49:38 GMT"), Decision::Whole);
    }
}
