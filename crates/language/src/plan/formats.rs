//! A set of picture formats.

use serde::{Deserialize, Serialize};

use super::Format;

/// Formats, each in it or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Formats(u16);

impl Formats {
    /// Every format that there is.
    pub const ALL: Self = Self(u16::MAX);

    /// Whether a format is in it.
    pub fn has(self, format: Format) -> bool {
        self.0 & Self::bit(format) != 0
    }

    fn bit(format: Format) -> u16 {
        Format::ALL.iter().position(|known| *known == format).map_or(0, |at| 1 << at)
    }
}

impl FromIterator<Format> for Formats {
    fn from_iter<T: IntoIterator<Item = Format>>(formats: T) -> Self {
        Self(formats.into_iter().fold(0, |bits, format| bits | Self::bit(format)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in() {
        let some: Formats = [Format::Jpeg, Format::Tpg].into_iter().collect();
        for format in Format::ALL {
            assert_eq!(some.has(format), matches!(format, Format::Jpeg | Format::Tpg), "{format:?}");
            assert!(Formats::ALL.has(format), "{format:?}");
        }
        assert_eq!(
            Format::ALL.into_iter().collect::<Formats>().0.count_ones() as usize,
            Format::ALL.len(),
            "a bit for each"
        );
    }
}
