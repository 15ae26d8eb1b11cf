//! `crop` and `cut`.

use super::super::number::decimal;
use super::size::{pixels, side};
use super::table::Wrong;
use super::thumbnail::target;
use crate::plan::{Axes, Box2, Crop, Enlarge, Gravity, Mode, Offset, Ratio, Resize, Step};

/// A form of `crop`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `<W>x<H>`: scale down to cover, then cut. Never enlarges: what there is of a side is taken.
    Cover { w: u32, h: u32 },
    /// `<W>x` or `x<H>`: cut one axis, no scaling.
    Side { w: Option<u32>, h: Option<u32> },
    /// `!<W>x<H>a<dx>a<dy>` of the older pages: a rectangle to the right of and below the named point, no scaling.
    Rectangle { w: Option<u32>, h: Option<u32>, dx: u32, dy: u32 },
}

/// Reads the value of `crop`.
pub(super) fn parse(text: &str) -> Result<Form, Wrong> {
    if let Some(rest) = text.strip_prefix('!') {
        return rectangle(rest);
    }
    let target = target(text)?;
    Ok(match (target.w, target.h) {
        (Some(w), Some(h)) => Form::Cover { w, h },
        (w, h) => Form::Side { w, h },
    })
}

/// `<W>x<H>` and two offsets: `a20` starts 20 pixels further, `-20` makes the rectangle 20 pixels smaller instead.
fn rectangle(text: &str) -> Result<Form, Wrong> {
    let sign = |text: &str| text.find(['a', '-']);
    let first = sign(text).ok_or(Wrong::Form)?;
    let (size, offsets) = text.split_at_checked(first).ok_or(Wrong::Form)?;
    let after = offsets.get(1..).ok_or(Wrong::Form)?;
    let second = sign(after).and_then(|at| at.checked_add(1)).ok_or(Wrong::Form)?;
    let (across, down) = offsets.split_at_checked(second).ok_or(Wrong::Form)?;
    let target = target(size)?;
    let (w, dx) = shifted(target.w, across)?;
    let (h, dy) = shifted(target.h, down)?;
    Ok(Form::Rectangle { w, h, dx, dy })
}

fn shifted(length: Option<u32>, offset: &str) -> Result<(Option<u32>, u32), Wrong> {
    if let Some(by) = offset.strip_prefix('a') {
        return Ok((length, pixels(by)?));
    }
    let by = pixels(offset.strip_prefix('-').ok_or(Wrong::Form)?)?;
    let left = length.ok_or(Wrong::Form)?.checked_sub(by).filter(|left| *left > 0);
    Ok((Some(left.ok_or(Wrong::Range)?), 0))
}

impl Form {
    /// The steps, once gravity and offsets of the stage are known.
    pub(super) fn steps(self, gravity: Option<Gravity>, dx: u32, dy: u32) -> Vec<Step> {
        let centred = gravity.unwrap_or(Gravity::Center);
        match self {
            Self::Cover { w, h } => {
                let target = Box2 { w: Some(w), h: Some(h), axes: Axes::WidthHeight };
                // Offsets go inward, which a centred axis has no way of.
                let (column, row) = centred.cells();
                let (dx, dy) = (if column == 1 { 0 } else { dx }, if row == 1 { 0 } else { dy });
                if (dx, dy) == (0, 0) {
                    let mode = Mode::Fill(target, centred);
                    return vec![Step::Resize(Resize { mode, enlarge: Enlarge::Clamp })];
                }
                let cover = Resize { mode: Mode::Cover(target), enlarge: Enlarge::Skip };
                let (w, h, offset) = (Some(w), Some(h), Offset::Inward);
                vec![Step::Resize(cover), Step::Crop(Crop { w, h, gravity: centred, dx, dy, offset })]
            }
            Self::Side { w, h } => {
                vec![Step::Crop(Crop { w, h, gravity: centred, dx, dy, offset: Offset::Inward })]
            }
            Self::Rectangle { w, h, dx, dy } => {
                let gravity = gravity.unwrap_or(Gravity::NorthWest);
                vec![Step::Crop(Crop { w, h, gravity, dx, dy, offset: Offset::RightDown })]
            }
        }
    }
}

/// Reads the value of `rcrop`: two ratios, as decimals. No page shows one; the range is ours.
pub(super) fn ratio(text: &str) -> Result<Ratio, Wrong> {
    let (least, most) = text.split_once('x').ok_or(Wrong::Form)?;
    let number = |text| match decimal(text, 3).ok_or(Wrong::Form)? {
        thousandths @ 1..=1_000_000 => u32::try_from(thousandths).map_err(|_| Wrong::Range),
        _ => Err(Wrong::Range),
    };
    let ratio = Ratio { least: number(least)?, most: number(most)? };
    if ratio.least > ratio.most { Err(Wrong::Range) } else { Ok(ratio) }
}

/// `cut`: a rectangle at an offset, measured inward from the named point.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    w: u32,
    h: u32,
    dx: u32,
    dy: u32,
}

/// Reads the value of `cut`: `<W>x<H>x<dx>x<dy>`.
pub(super) fn cut(text: &str) -> Result<Cut, Wrong> {
    let mut numbers = text.split('x');
    let mut next = || numbers.next().ok_or(Wrong::Form);
    let cut = Cut { w: side(next()?)?, h: side(next()?)?, dx: pixels(next()?)?, dy: pixels(next()?)? };
    match numbers.next() {
        None => Ok(cut),
        Some(_) => Err(Wrong::Form),
    }
}

impl Cut {
    /// The step, once the stage's gravity is known.
    pub(super) fn step(self, gravity: Option<Gravity>) -> Step {
        Step::Crop(Crop {
            w: Some(self.w),
            h: Some(self.h),
            gravity: gravity.unwrap_or(Gravity::NorthWest),
            dx: self.dx,
            dy: self.dy,
            offset: Offset::Inward,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dash_takes_from_the_size() {
        let form = |w, h, dx, dy| Ok(Form::Rectangle { w, h, dx, dy });
        assert_eq!(parse("!600x600a20a20"), form(Some(600), Some(600), 20, 20));
        assert_eq!(parse("!600x600-20a20"), form(Some(580), Some(600), 0, 20));
        assert_eq!(parse("!600x600a20-20"), form(Some(600), Some(580), 20, 0));
        assert_eq!(parse("!600x600-600a0"), Err(Wrong::Range));
        for text in ["!600x600", "!600x600a20", "!600x600a20a", "!a20a20", "!x600-20a20", "!600x600a20a20a20"] {
            assert_eq!(parse(text), Err(Wrong::Form), "{text}");
        }
    }

    #[test]
    fn a_cut_has_four_numbers() {
        assert_eq!(cut("600x400x100x10"), Ok(Cut { w: 600, h: 400, dx: 100, dy: 10 }));
        assert_eq!(ratio("0.75x1.5"), Ok(Ratio { least: 750, most: 1500 }));
        assert_eq!(ratio("2x1"), Err(Wrong::Range));
        assert_eq!(ratio("0x1"), Err(Wrong::Range));
        assert_eq!(ratio("1"), Err(Wrong::Form));
        assert_eq!(cut("0x400x100x10"), Err(Wrong::Range));
        for text in ["600x400", "600x400x1", "600x400x1x", "600x400x1x1x1", "x400x1x1", "600x400x-1x1"] {
            assert_eq!(cut(text), Err(Wrong::Form), "{text}");
        }
    }
}
