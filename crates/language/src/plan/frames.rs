//! Which frames of an animation reach the output.

use serde::{Deserialize, Serialize};

/// Which frames of an animation reach the output. A format that holds one picture gets the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Frames {
    /// All of them.
    All,
    /// The first.
    First,
    /// Frames 1, 1 + step, 1 + 2 step, ..., at most so many; both 1 or more. What is passed over lends its time to the
    /// frame before it, so that the animation runs at its speed.
    Every {
        /// From one frame to the next.
        step: u32,
        /// The most frames; `u32::MAX` is no limit.
        most: u32,
    },
    /// The frame of this number, from 1; the last one where there are less.
    Only(u32),
}

impl Frames {
    /// Whether the result may still be an animation.
    pub fn moves(self) -> bool {
        matches!(self, Self::All | Self::Every { .. })
    }

    /// Frames of the result, of a source with so many (1 or more), in a format that holds several or does not.
    pub fn count(self, source: u32, several: bool) -> u32 {
        match self {
            Self::All if several => source.max(1),
            Self::Every { step, most } if several => source.div_ceil(step.max(1)).min(most).max(1),
            Self::All | Self::Every { .. } | Self::First | Self::Only(_) => 1,
        }
    }

    /// Frames of a source with so many that have to be decoded for a result of `count`.
    pub fn decoded(self, source: u32, count: u32) -> u32 {
        match self {
            Self::Only(number) => number.clamp(1, source.max(1)),
            Self::Every { step, .. } if count > 1 => count.saturating_mul(step).min(source),
            Self::All | Self::First | Self::Every { .. } => count,
        }
    }

    /// The same with fewer spellings.
    pub(super) fn normalise(self) -> Self {
        match self {
            Self::Every { step: 1, most: u32::MAX } => Self::All,
            Self::Only(1) | Self::Every { most: 1, .. } => Self::First,
            other => other,
        }
    }

    /// The canonical word, empty for all frames.
    pub(super) fn word(self) -> String {
        match self {
            Self::All => String::new(),
            Self::First => ",first".into(),
            Self::Every { step, most: u32::MAX } => format!(",every={step}"),
            Self::Every { step, most } => format!(",every={step}x{most}"),
            Self::Only(number) => format!(",frame={number}"),
        }
    }

    /// Reads [`Self::word`] without its comma; for [`Self::Every`] and [`Self::Only`] the value behind the equals sign.
    pub(super) fn from_word(name: &str, value: Option<&str>) -> Option<Self> {
        let above_zero = |text: &str| text.parse::<u32>().ok().filter(|number| *number > 0);
        match (name, value) {
            ("first", None) => Some(Self::First),
            ("frame", Some(value)) => Some(Self::Only(above_zero(value)?)),
            ("every", Some(value)) => match value.split_once('x') {
                Some((step, most)) => Some(Self::Every { step: above_zero(step)?, most: above_zero(most)? }),
                None => Some(Self::Every { step: above_zero(value)?, most: u32::MAX }),
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_frames_named() {
        for (frames, source, several, count, decoded) in [
            (Frames::All, 60, true, 60, 60),
            (Frames::All, 60, false, 1, 1),
            (Frames::First, 60, true, 1, 1),
            (Frames::Every { step: 1, most: 30 }, 60, true, 30, 30),
            (Frames::Every { step: 1, most: 30 }, 20, true, 20, 20),
            (Frames::Every { step: 7, most: u32::MAX }, 60, true, 9, 60),
            (Frames::Every { step: 7, most: 3 }, 60, true, 3, 21),
            (Frames::Every { step: 100, most: 3 }, 60, true, 1, 1),
            (Frames::Every { step: 7, most: 3 }, 60, false, 1, 1),
            (Frames::Only(5), 60, true, 1, 5),
            (Frames::Only(99), 60, false, 1, 60),
            (Frames::Only(3), 1, true, 1, 1),
        ] {
            assert_eq!(frames.count(source, several), count, "{frames:?} of {source}");
            assert_eq!(frames.decoded(source, count), decoded, "{frames:?} of {source}");
        }
    }
}
