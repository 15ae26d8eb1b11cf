//! Dates as HTTP has them. The one place that writes them: `httpdate` panics for times that a file system can hold.

use std::time::{Duration, SystemTime};

/// The first second of the year 10000, which the four digits of an HTTP date cannot say.
const YEAR_10000: u64 = 253_402_300_800;

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 §5.6.7). `None` before 1970 and after 9999: a field with such a date is left
/// out.
pub fn http_date(time: SystemTime) -> Option<String> {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    #[allow(clippy::disallowed_methods)]
    (since.as_secs() < YEAR_10000).then(|| httpdate::fmt_http_date(time))
}

/// The same for seconds since 1970.
pub fn http_date_of(seconds: i64) -> Option<String> {
    let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds < YEAR_10000)?;
    http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Reads a date in any of HTTP's three forms; `None` for anything else.
pub fn parse(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_has_a_date_or_none() {
        let edge = 253_402_300_799;
        assert_eq!(http_date_of(0).as_deref(), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(http_date_of(edge).as_deref(), Some("Fri, 31 Dec 9999 23:59:59 GMT"));
        for none in [-1, edge + 1, i64::MIN, i64::MAX] {
            assert_eq!(http_date_of(none), None, "{none}");
        }
        // Every second around both ends, with fractions on either side.
        for seconds in (0..3).chain(edge as u64 - 2..edge as u64 + 3) {
            for nanos in [0, 1, 999_999_999] {
                let after = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanos);
                assert_eq!(http_date(after).is_some(), seconds <= edge as u64, "{seconds}.{nanos}");
                let before = SystemTime::UNIX_EPOCH - Duration::new(seconds, nanos.max(1));
                assert_eq!(http_date(before), None, "-{seconds}.{nanos}");
            }
        }
    }
}
