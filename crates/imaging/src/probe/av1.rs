//! The sequence header that an `av1C` box carries (AV1 specification, section 5.5): whether samples use all of their range.

use super::bytes::slice;
use super::steps;

/// Whether the samples keep to the range of video (16 to 235, of 8 bits); `None` where the box does not tell.
pub(super) fn is_limited(av1c: &[u8]) -> Option<bool> {
    let (head, rest) = av1c.get(4..)?.split_first()?;
    // A sequence header with its own length, and no extension.
    (head >> 3 & 15 == 1 && head & 0b110 == 0b010).then_some(())?;
    let (length, header) = rest.split_first()?;
    // Longer ones do not exist.
    (length & 0x80 == 0).then_some(())?;
    let full = Bits { data: slice(header, 0, usize::from(*length))?, at: 0 }.full_range()?;
    Some(!full)
}

struct Bits<'a> {
    data: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0u32;
        steps::scan(count as usize)?;
        for _ in 0..count {
            let byte = *self.data.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at = self.at.checked_add(1)?;
        }
        Some(value)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }

    fn full_range(&mut self) -> Option<bool> {
        let profile = self.take(3)?;
        let _still = self.flag()?;
        let reduced = self.flag()?;
        if reduced {
            self.take(5)?;
        } else {
            self.operating_points()?;
        }
        let (wide, high) = (self.take(4)?, self.take(4)?);
        self.take(wide.saturating_add(1))?;
        self.take(high.saturating_add(1))?;
        if !reduced && self.flag()? {
            // Numbers of frames.
            self.take(7)?;
        }
        // Superblocks, and tools of intra prediction.
        self.take(3)?;
        if !reduced {
            self.tools_between_frames()?;
        }
        // Larger in between, and two filters.
        self.take(3)?;
        self.colour(profile)
    }

    fn operating_points(&mut self) -> Option<()> {
        let (mut model, mut delay) = (false, 0);
        if self.flag()? {
            self.take(32)?;
            self.take(32)?;
            if self.flag()? {
                let mut zeros = 0u32;
                while !self.flag()? {
                    zeros = zeros.saturating_add(1);
                }
                (zeros < 32).then(|| self.take(zeros))??;
            }
            model = self.flag()?;
            if model {
                delay = self.take(5)?.saturating_add(1);
                self.take(32)?;
                self.take(10)?;
            }
        }
        let waits = self.flag()?;
        for _ in 0..=self.take(5)? {
            self.take(12)?;
            if self.take(5)? > 7 {
                self.flag()?;
            }
            if model && self.flag()? {
                self.take(delay)?;
                self.take(delay)?;
                self.flag()?;
            }
            if waits && self.flag()? {
                self.take(4)?;
            }
        }
        Some(())
    }

    fn tools_between_frames(&mut self) -> Option<()> {
        self.take(4)?;
        let ordered = self.flag()?;
        if ordered {
            self.take(2)?;
        }
        // Tools of screens: 2 leaves it to each frame.
        let screens = if self.flag()? { 2 } else { self.take(1)? };
        if screens > 0 && !self.flag()? {
            self.take(1)?;
        }
        if ordered {
            self.take(3)?;
        }
        Some(())
    }

    fn colour(&mut self, profile: u32) -> Option<bool> {
        let deep = self.flag()?;
        if profile == 2 && deep {
            self.flag()?;
        }
        let grey = profile != 1 && self.flag()?;
        let points = if self.flag()? { Some((self.take(8)?, self.take(8)?, self.take(8)?)) } else { None };
        if !grey && points == Some((1, 13, 0)) {
            // sRGB as it is.
            return Some(true);
        }
        self.flag()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// The boxes of star-8bpc-with-alpha.avifs and star-8bpc.avifs.
    #[test]
    fn the_range_is_found() {
        for (hex, limited) in [
            ("81001c000a0a00000003bcf4f3fff344", true),
            ("81000c000a0b00000003bcf4f3fff30080", true),
            ("81000c000a0b00000003bcf4f3fff31080", false),
        ] {
            let av1c = bytes(hex);
            assert_eq!(is_limited(&av1c), Some(limited), "{hex}");
            for length in 0..av1c.len() - 1 {
                let _ = is_limited(&av1c[..length]);
            }
        }
        assert_eq!(is_limited(&bytes("81000c00")), None, "no header");
    }
}
