//! Arithmetic of one axis: where a gravity puts a part, what a cut leaves, and how sizes are rounded.

use super::UNIT;
use crate::plan::{Enlarge, Gravity, Offset};

/// Start and length of a cut on an axis of `whole`, after clipping. `None`: nothing of the picture is left.
pub(super) fn cut(whole: u32, length: Option<u32>, cell: Cell, by: u32, offset: Offset) -> Option<(u32, u32)> {
    let length = length.map_or(whole, |length| length.clamp(1, whole));
    let (start, by) = (i64::from(anchor(whole, length, cell)), i64::from(by));
    let start = match (offset, cell) {
        (Offset::RightDown, _) | (Offset::Inward, Cell::Start) => start + by,
        (Offset::Inward, Cell::Middle) => start,
        (Offset::Inward, Cell::End) => start - by,
    };
    let end = (start + i64::from(length)).min(whole.into());
    let start = start.max(0);
    let left = u32::try_from(end - start).ok().filter(|left| *left > 0)?;
    Some((u32::try_from(start).ok()?, left))
}

/// The place of a gravity on one axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    Start,
    Middle,
    End,
}

impl Gravity {
    pub(super) fn column(self) -> Cell {
        match self {
            Self::NorthWest | Self::West | Self::SouthWest => Cell::Start,
            Self::North | Self::Center | Self::South => Cell::Middle,
            Self::NorthEast | Self::East | Self::SouthEast => Cell::End,
        }
    }

    pub(super) fn row(self) -> Cell {
        match self {
            Self::NorthWest | Self::North | Self::NorthEast => Cell::Start,
            Self::West | Self::Center | Self::East => Cell::Middle,
            Self::SouthWest | Self::South | Self::SouthEast => Cell::End,
        }
    }
}

pub(super) fn anchor(whole: u32, part: u32, cell: Cell) -> u32 {
    let free = whole.saturating_sub(part);
    match cell {
        Cell::Start => 0,
        Cell::Middle => free / 2,
        Cell::End => free,
    }
}

/// Where on an axis of `side` pixels lies what is `wanted` of it after it is scaled to `scaled`: start and length in parts of
/// a pixel, which end inside.
pub(super) fn behind(side: u32, scaled: u64, wanted: u32, cell: Cell) -> (u64, u64) {
    let free = scaled.saturating_sub(wanted.into());
    let start = match cell {
        Cell::Start => 0,
        Cell::Middle => free / 2,
        Cell::End => free,
    };
    let (whole, scaled) = (u128::from(side) * u128::from(UNIT), u128::from(scaled.max(1)));
    let back = |at: u64| u64::try_from(u128::from(at) * whole / scaled).unwrap_or(u64::MAX);
    (back(start), back(wanted.into()).max(1))
}

/// Whether scaling by `to / from` is wanted.
pub(super) fn allowed(to: u32, from: u32, enlarge: Enlarge) -> bool {
    match enlarge {
        Enlarge::Allow => true,
        Enlarge::Skip | Enlarge::Clamp => to <= from,
        Enlarge::Only => to >= from,
    }
}

/// A box of which one side may be missing, as a full one: the given side counts for both.
pub(super) fn square(sides: (Option<u32>, Option<u32>)) -> (u32, u32) {
    let (w, h) = sides;
    (w.or(h).unwrap_or(1), h.or(w).unwrap_or(1))
}

/// `side x to / from`, rounded to the nearest, halves up, at least 1. In whole numbers, so that ties are ties.
pub(super) fn part(side: u32, to: u32, from: u32) -> u64 {
    let (product, from) = (u64::from(side) * u64::from(to), u64::from(from.max(1)));
    (product / from + u64::from(product % from >= from.div_ceil(2))).max(1)
}

pub(super) fn round(v: f64) -> u64 {
    // Casting saturates, so that absurd sizes become too large, not small.
    ((v + 0.5).floor() as u64).max(1)
}
