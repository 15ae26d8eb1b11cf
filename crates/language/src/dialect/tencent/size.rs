//! Lengths in pixels.

use super::super::number::decimal;
use super::table::Wrong;

/// Numbers above count as this (limits page of 2026).
pub(super) const MAX_NUMBER: u64 = 10_000;

/// A side or an offset in pixels: decimals are rounded, too large counts as 10,000. Zero is for the caller to judge.
pub(super) fn pixels(text: &str) -> Result<u32, Wrong> {
    let value = decimal(text, 0).ok_or(Wrong::Form)?;
    u32::try_from(value.min(MAX_NUMBER)).map_err(|_| Wrong::Range)
}

/// A side: 1 or more.
pub(super) fn side(text: &str) -> Result<u32, Wrong> {
    pixels(text).and_then(|side| if side == 0 { Err(Wrong::Range) } else { Ok(side) })
}
