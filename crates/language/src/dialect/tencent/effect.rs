//! Effects, shapes and slices of `imageMogr2`: their values.

use super::super::number::{decimal, whole};
use super::encode::number;
use super::table::Wrong;
use crate::plan::{Beyond, Effect, Outline, Shape, Slice};

/// `<radius>x<sigma>`: 1 to 50, and above 0, with decimals.
pub(super) fn blur(text: &str) -> Result<Effect, Wrong> {
    let (radius, sigma) = text.split_once('x').ok_or(Wrong::Form)?;
    let radius = number(radius, 1..=50)?;
    let sigma = decimal(sigma, 2).ok_or(Wrong::Form)?;
    match u16::try_from(sigma) {
        Ok(0) | Err(_) => Err(Wrong::Range),
        Ok(sigma) => Ok(Effect::Blur { radius, sigma }),
    }
}

/// -100 to 100.
pub(super) fn percent(text: &str) -> Result<i8, Wrong> {
    let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
    Ok(sign * number::<i8>(digits, 0..=100)?)
}

/// A radius in pixels, above 0 and below half of the picture's shorter side.
pub(super) fn shape(outline: Outline, text: &str) -> Result<Shape, Wrong> {
    Ok(Shape { outline, radius: number(text, 1..=u64::from(u32::MAX))?, beyond: Beyond::Refuse })
}

/// The size of a face crop: checked, so that a misspelt one is an error, and otherwise without effect, because no face is
/// ever found here (the vendor answers with the source then).
pub(super) fn face(text: &str) -> Result<(), Wrong> {
    let (w, h) = text.split_once('x').ok_or(Wrong::Form)?;
    let side = |text: &str| text.is_empty() || whole(text).is_some_and(|side| side > 0);
    if (w.is_empty() && h.is_empty()) || !side(w) || !side(h) { Err(Wrong::Form) } else { Ok(()) }
}

/// `indexcrop/width/<w>/height/<h>/index/<i>`, whose words are read one by one.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cells {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub index: u32,
}

impl Cells {
    /// `None` where neither side is given.
    pub(super) fn slice(self) -> Option<Slice> {
        self.width.or(self.height)?;
        Some(Slice { w: self.width, h: self.height, index: self.index })
    }
}
