//! The time of a verification, and the dates that requests carry.

use std::time::SystemTime;

use time::{Date, Month, Time};

use super::Why;
use crate::dates;

/// The time, given by whoever asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since 1970.
    pub now: i64,
    /// How many seconds a client's clock may be wrong; the vendors take [`Clock::SKEW`].
    pub skew: u32,
}

impl Clock {
    /// A quarter of an hour, as all three vendors have it.
    pub const SKEW: u32 = 900;

    /// The usual tolerance at a time.
    pub fn at(now: i64) -> Self {
        Self { now, skew: Self::SKEW }
    }

    /// Until when a request of this date is taken.
    pub(super) fn near(&self, date: i64) -> Result<i64, Why> {
        let skew = i64::from(self.skew);
        match self.now.abs_diff(date) <= u64::from(self.skew) {
            true => Ok(date.saturating_add(skew)),
            false => Err(Why::Skewed),
        }
    }

    /// Whether something holds from `start` on; a client's clock may be ahead of ours.
    pub(super) fn begun(&self, start: i64) -> Result<(), Why> {
        match start <= self.now.saturating_add(i64::from(self.skew)) {
            true => Ok(()),
            false => Err(Why::NotYet),
        }
    }

    /// Whether something holds that does until `end`.
    pub(super) fn until(&self, end: i64) -> Result<i64, Why> {
        if self.now <= end { Ok(end) } else { Err(Why::Expired(end)) }
    }
}

/// Digits alone, at most twelve of them.
pub(super) fn decimal(text: &str) -> Option<i64> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// `20130524T000000Z`, in seconds since 1970.
pub(super) fn iso_basic(text: &str) -> Option<i64> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let part = |text: &str, from, to| decimal(text.get(from..to)?).and_then(|part| u8::try_from(part).ok());
    if day.len() != 8 || time.len() != 6 {
        return None;
    }
    let year = i32::try_from(decimal(day.get(..4)?)?).ok()?;
    let date = Date::from_calendar_date(year, Month::try_from(part(day, 4, 6)?).ok()?, part(day, 6, 8)?).ok()?;
    let time = Time::from_hms(part(time, 0, 2)?, part(time, 2, 4)?, part(time, 4, 6)?).ok()?;
    Some(date.with_time(time).assume_utc().unix_timestamp())
}

/// A date as HTTP has them, in seconds since 1970.
pub(super) fn http_date(text: &str) -> Option<i64> {
    let since = dates::parse(text)?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::sigv4::amz_date;

    #[test]
    fn dates_are_read_as_they_are_written() {
        for unix in [0, 1, 951_782_400, 1_369_353_600, 1_795_248_000, 253_402_300_799] {
            assert_eq!(iso_basic(&amz_date(unix)), Some(unix));
            assert_eq!(http_date(&dates::http_date_of(unix).unwrap_or_default()), Some(unix));
        }
        for wrong in [
            "",
            "20130524T000000",
            "2013-05-24T00:00:00Z",
            "20130532T000000Z",
            "20130524T240000Z",
            "20130524T0000+1Z",
            "é0130524T000000Z",
        ] {
            assert_eq!(iso_basic(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_are_digits() {
        assert_eq!(decimal("1700000000"), Some(1_700_000_000));
        for wrong in ["", "-1", "+1", " 1", "1234567890123", "٣"] {
            assert_eq!(decimal(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn clocks_may_be_wrong_by_so_much() {
        let clock = Clock::at(10_000);
        assert_eq!(clock.near(9_100), Ok(10_000));
        assert_eq!(clock.near(10_900), Ok(11_800));
        assert_eq!((clock.near(9_099), clock.near(10_901)), (Err(Why::Skewed), Err(Why::Skewed)));
        assert_eq!(clock.near(i64::MIN), Err(Why::Skewed));
        assert_eq!((clock.begun(10_900), clock.begun(10_901)), (Ok(()), Err(Why::NotYet)));
        assert_eq!((clock.until(10_000), clock.until(9_999)), (Ok(10_000), Err(Why::Expired(9_999))));
    }
}
