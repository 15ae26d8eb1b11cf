//! Names for requests: unique across restarts and nodes, in the shape that both vendors' can be made of.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

/// Makes ids of 24 upper-case hex digits: the second, 40 bits that tell one process from another, a counter.
#[derive(Debug)]
pub struct RequestIds {
    process: u64,
    next: AtomicU64,
    began: Instant,
    began_at: u64,
}

const PROCESS: u64 = 0xFF_FFFF_FFFF;
const COUNTER: u64 = 0xFF_FFFF;

impl RequestIds {
    /// `random`: 64 bits that no other process has; `began` and `now`: the same moment on both clocks.
    pub fn new(random: u64, began: Instant, now: SystemTime) -> Self {
        let began_at = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { process: random & PROCESS, next: AtomicU64::new(random >> 40), began, began_at }
    }

    /// The next one. Within a second 16 million differ.
    pub fn next(&self, now: Instant) -> RequestId {
        let second = self.began_at.wrapping_add(now.saturating_duration_since(self.began).as_secs()) as u32;
        let number = self.next.fetch_add(1, Ordering::Relaxed) & COUNTER;
        // 32, 40 and 24 bits.
        let mut rest = (u128::from(second) << 64) | (u128::from(self.process) << 24) | u128::from(number);
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit = b"0123456789ABCDEF"[(rest & 0xF) as usize];
            rest >>= 4;
        }
        RequestId(digits)
    }
}

const DIGITS: usize = 24;

/// One of them. Every request has one, so that it lies in place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestId([u8; DIGITS]);

impl Deref for RequestId {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::*;

    #[test]
    fn ids_do_not_come_again() {
        let (began, now) = (Instant::now(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        // The same process a second later, another one at the same second, and one whose clock went back.
        let one = RequestIds::new(0x0123_4567_89AB_CDEF, began, now);
        let other = RequestIds::new(0x0123_4567_89AB_CDEE, began, now);
        let mut seen = HashSet::new();
        for number in 0..2_000_u64 {
            let now = began + Duration::from_millis(number);
            for id in [one.next(now), other.next(now)] {
                assert!(id.len() == 24 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')), "{}", &*id);
                assert!(seen.insert(id));
            }
        }
        let first = RequestIds::new(0x0123_4567_89AB_CDEF, began, now).next(began);
        assert_eq!(&*first, "6B49D2006789ABCDEF012345");
    }
}
