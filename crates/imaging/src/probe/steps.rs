//! What reading a header may cost. Every read and every scan of a probe counts its steps, on its own thread, and a probe
//! that has used up what a file of its length is allowed ends there: probes run in the service's own process, where nobody
//! can stop them. They are linear by construction; this is what holds if one of them is not.

use std::cell::Cell;

thread_local! {
    /// Steps that this thread may still take. Outside of [`within`] there is no end to them.
    static LEFT: Cell<u64> = const { Cell::new(u64::MAX) };
}

/// Bytes that a scan looks at in one step.
const SCANNED: usize = 16;
/// Steps that a probe may take for each byte of a file.
const A_BYTE: u64 = 4;
/// Steps that it may take whatever the length.
const ALWAYS: u64 = 20_000;
/// Steps after which a byte counts for much less: a large file is large by its pixels, not by its header.
const LONG: u64 = 1 << 19;
/// Bytes for which there is one step more from there on: eight times as many as the blocks of a GIF take, of which files
/// hold most.
const LONG_BYTES: u64 = 32;

/// The steps that a probe takes at most for a file of this length: linear, whatever the file holds.
pub fn linear(length: usize) -> u64 {
    (length as u64).saturating_mul(A_BYTE).saturating_add(ALWAYS)
}

/// The steps that it is allowed: milliseconds for the largest originals too.
pub(super) fn allowance(length: usize) -> u64 {
    linear(length).min(LONG.saturating_add(length as u64 / LONG_BYTES))
}

/// Takes steps. `None`: there are none left.
pub(crate) fn take(steps: usize) -> Option<()> {
    LEFT.with(|left| {
        let rest = left.get().checked_sub(steps as u64);
        left.set(rest.unwrap_or(0));
        rest.map(drop)
    })
}

/// Takes the steps of looking at so many bytes one after the other.
pub(crate) fn scan(bytes: usize) -> Option<()> {
    take((bytes / SCANNED).saturating_add(1))
}

/// Does something that may take so many steps. Gives its result and the steps that it took; all of them are too many.
pub(super) fn within<T>(budget: u64, work: impl FnOnce() -> T) -> (T, u64) {
    /// Puts the caller's steps back, whichever way the work ends.
    struct Outer(u64);
    impl Drop for Outer {
        fn drop(&mut self) {
            LEFT.set(self.0);
        }
    }
    let mut outer = Outer(LEFT.replace(budget));
    let result = work();
    let used = budget.saturating_sub(LEFT.get());
    outer.0 = outer.0.saturating_sub(used);
    (result, used)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end_and_are_given_back() {
        let (taken, used) = within(10, || (0..).take_while(|_| take(3).is_some()).count());
        assert_eq!((taken, used), (3, 10), "what is not enough for a step is gone too");
        let ((inner, after), used) = within(10, || (within(5, || scan(31)), take(6)));
        assert_eq!((inner, after, used), ((Some(()), 2), Some(()), 8));
        let _ = std::panic::catch_unwind(|| within(1, || panic!("in a probe")));
        assert!(take(1_000_000).is_some(), "without a bound there is no end");
    }

    #[test]
    fn what_is_allowed_is_linear_and_small_for_large_files() {
        assert_eq!(allowance(0), ALWAYS);
        assert_eq!(allowance(100_000), linear(100_000));
        assert_eq!(allowance(32 << 20), LONG + (1 << 20));
    }
}
