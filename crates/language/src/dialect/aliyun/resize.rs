//! `resize`. Never enlarges unless `limit_0` says so; `w` and `h` win over `l` and `s`, and those over `p`.

use super::Draft;
use super::args::Args;
use crate::error::{Error, Kind};
use crate::plan::{Axes, Box2, Ceiling, Enlarge, Mode, Resize, Rgb, Step};

/// A side that may be asked for.
pub(super) const MAX_SIDE: u32 = 16_384;

/// Pixels that a resize may give: 4096 x 4096.
const MAX_PIXELS: u64 = 16_777_216;

/// `m`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Lfit,
    Mfit,
    Fill,
    Pad,
    Fixed,
}

pub(super) fn parse(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let shape = match args.key("m") {
        None | Some("lfit") => Shape::Lfit,
        Some("mfit") => Shape::Mfit,
        Some("fill") => Shape::Fill,
        Some("pad") => Shape::Pad,
        Some("fixed") => Shape::Fixed,
        Some(other) => return Err(args.invalid("m", other, Some(311))),
    };
    if args.key("w") == Some("0") && args.key("h") == Some("0") {
        return Err(args.invalid("w,h", "0,0", Some(321)));
    }
    let side = |key, code| args.number(key, 1..=MAX_SIDE, Some(code));
    let (w, h) = (side("w", 312)?, side("h", 313)?);
    let (l, s) = (side("l", 314)?, side("s", 315)?);
    let percent = args.number("p", 1..=1000, Some(317))?;
    let enlarge = match args.number("limit", 0..=1, Some(319))? {
        Some(0) => Enlarge::Allow,
        None | Some(_) => Enlarge::Skip,
    };
    let color = match args.key("color") {
        Some(text) => Rgb::from_hex(text).ok_or_else(|| args.invalid("color", text, None))?,
        None => Rgb::WHITE,
    };
    let (edges, bound) = (w.or(h).is_some(), w.or(h).or(l).or(s).is_some());
    draft.ignored.note_if(edges && l.or(s).is_some(), "resize: l and s do nothing beside w or h");
    draft.ignored.note_if(bound && percent.is_some(), "resize: p does nothing beside w, h, l or s");
    draft.ignored.note_if(shape != Shape::Pad && args.key("color").is_some(), "resize: color goes with m_pad");
    let target = match (w.or(h), l.or(s)) {
        (Some(_), _) => Some(Box2 { w, h, axes: Axes::WidthHeight }),
        (None, Some(_)) => Some(Box2 { w: l, h: s, axes: Axes::LongShort }),
        (None, None) => None,
    };
    let resize = match (target, percent) {
        (Some(target), _) => Resize { mode: mode(shape, target, color), enlarge },
        (None, Some(percent)) => {
            let k = percent.saturating_mul(100);
            // A GIF by percent becomes one picture; above 100 the page says that it enlarges, whatever `limit` says.
            draft.still = true;
            Resize { mode: Mode::Percent { x: k, y: k }, enlarge: Enlarge::Allow }
        }
        (None, None) => return Err(args.missing(None)),
    };
    check(&resize)?;
    draft.steps.push(Step::Resize(resize));
    if may_exceed(&resize) {
        // Elsewhere a side that is too long has too many pixels.
        let side = matches!(resize.mode, Mode::Percent { .. }).then_some(MAX_SIDE);
        draft.steps.push(Step::Ceiling(Ceiling { pixels: MAX_PIXELS, side, spare_untouched: true, code: Some(7) }));
    }
    Ok(())
}

fn mode(shape: Shape, target: Box2, color: Rgb) -> Mode {
    match shape {
        Shape::Lfit => Mode::Fit(target),
        Shape::Mfit => Mode::Cover(target),
        Shape::Fill => Mode::Fill(target, crate::plan::Gravity::Center),
        Shape::Pad => Mode::Pad(target, color),
        Shape::Fixed => Mode::Exact(target),
    }
}

/// Refuses what is too large whatever the source is.
fn check(resize: &Resize) -> Result<(), Error> {
    let (Mode::Fill(target, _) | Mode::Pad(target, _) | Mode::Exact(target)) = resize.mode else { return Ok(()) };
    let (w, h) = (target.w.or(target.h).unwrap_or(1), target.h.or(target.w).unwrap_or(1));
    let pixels = u64::from(w) * u64::from(h);
    if resize.enlarge == Enlarge::Allow && pixels > MAX_PIXELS {
        let message = format!("the result would be {w} x {h}, {pixels} pixels; a resize gives at most {MAX_PIXELS}");
        return Err(Error::new(Kind::OutputTooLarge, message).with_code(7));
    }
    Ok(())
}

/// Whether a source exists with which the result is too large. Where none does, the plan says nothing of the limit and
/// is the same as the other vendor's.
fn may_exceed(resize: &Resize) -> bool {
    let area = |target: Box2| {
        let side = |side: Option<u32>| u64::from(side.unwrap_or(MAX_SIDE));
        side(target.w) * side(target.h)
    };
    match resize.mode {
        Mode::Fit(target) => area(target) > MAX_PIXELS,
        // The box binds one side only; the other may be as long as a side can be.
        Mode::Cover(target) => {
            let longest = u64::from(target.w.max(target.h).unwrap_or(MAX_SIDE));
            longest * u64::from(MAX_SIDE) > MAX_PIXELS
        }
        Mode::Fill(target, _) | Mode::Pad(target, _) | Mode::Exact(target) => {
            let (w, h) = (target.w.or(target.h), target.h.or(target.w));
            area(Box2 { w, h, ..target }) > MAX_PIXELS
        }
        Mode::Percent { .. } | Mode::Area(_) => true,
    }
}
