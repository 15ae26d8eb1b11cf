//! `blur`, `bright`, `contrast`, `sharpen`, `circle`, `rounded-corners`, `indexcrop`.

use super::super::number::within;
use super::Draft;
use super::args::Args;
use crate::error::Error;
use crate::plan::{Beyond, Effect, Outline, Shape, Slice, Step};

/// The largest radius of a shape.
const MAX_RADIUS: u32 = 4096;

pub(super) fn blur(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let (radius, sigma) = (args.number("r", 1..=50, Some(241))?, args.number("s", 1..=50, Some(242))?);
    let radius = radius.ok_or_else(|| args.missing(Some(241)))?;
    let sigma = sigma.ok_or_else(|| args.missing(Some(242)))?;
    let radius = u8::try_from(radius).unwrap_or(u8::MAX);
    draft.effect(Effect::Blur { radius, sigma: u16::try_from(sigma * 100).unwrap_or(u16::MAX) })
}

pub(super) fn bright(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let percent = signed("bright", args, Some(245), Some(246))?;
    draft.effect(Effect::Bright(percent))
}

pub(super) fn contrast(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let percent = signed("contrast", args, None, None)?;
    draft.effect(Effect::Contrast(percent))
}

pub(super) fn sharpen(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let text = args.only(Some(279))?;
    let percent = within(text, 50..=399).ok_or_else(|| args.invalid("sharpen", text, Some(280)))?;
    draft.effect(Effect::Sharpen(percent))
}

pub(super) fn circle(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    shape(draft, args, Outline::OddCircle, 233)
}

pub(super) fn rounded_corners(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    shape(draft, args, Outline::Corners, 237)
}

/// One direction only: `y` where both are given.
pub(super) fn indexcrop(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let side = |key, code| args.number(key, 0..=u32::MAX - 1, Some(code));
    let given = |side: Option<u32>| side.filter(|side| *side > 0);
    let (w, h) = (given(side("x", 223)?), given(side("y", 224)?));
    let index = args.number("i", 0..=u32::MAX - 1, None)?.unwrap_or(0);
    draft.ignored.note_if(w.is_some() && h.is_some(), "indexcrop: x does nothing beside y");
    let slice = match (w, h) {
        (_, Some(h)) => Slice { w: None, h: Some(h), index },
        (Some(w), None) => Slice { w: Some(w), h: None, index },
        (None, None) => return Err(args.invalid("x", args.key("x").unwrap_or_default(), Some(230))),
    };
    draft.steps.push(Step::Slice(slice));
    Ok(())
}

fn shape(draft: &mut Draft, args: &Args<'_>, outline: Outline, code: i32) -> Result<(), Error> {
    let radius = args.number("r", 1..=MAX_RADIUS, Some(code))?.ok_or_else(|| args.missing(Some(code)))?;
    draft.steps.push(Step::Shape(Shape { outline, radius, beyond: Beyond::Shorten }));
    Ok(())
}

/// -100 to 100.
fn signed(name: &str, args: &Args<'_>, missing: Option<i32>, wrong: Option<i32>) -> Result<i8, Error> {
    let text = args.only(missing)?;
    percent(text).ok_or_else(|| args.invalid(name, text, wrong))
}

fn percent(text: &str) -> Option<i8> {
    match text.strip_prefix('-') {
        Some(digits) => within::<i8>(digits, 0..=100).map(|number| -number),
        None => within(text, 0..=100),
    }
}

impl Draft {
    fn effect(&mut self, effect: Effect) -> Result<(), Error> {
        self.steps.push(Step::Effect(effect));
        Ok(())
    }
}
