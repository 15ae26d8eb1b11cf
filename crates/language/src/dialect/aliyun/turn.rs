//! `rotate` and `auto-orient`. Both leave one frame of an animation.

use super::super::number::within;
use super::Draft;
use super::args::Args;
use crate::error::Error;
use crate::plan::{Rotate, Step};

/// The longest side that is rotated.
const MAX_ROTATED_SIDE: u32 = 4096;

pub(super) fn rotate(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let text = args.only(Some(217))?;
    let degrees: u16 = within(text, 0..=360).ok_or_else(|| args.invalid("rotate", text, Some(217)))?;
    if !degrees.is_multiple_of(360) {
        draft.still = true;
        draft.steps.push(Step::Rotate(Rotate { degrees, max_side: Some(MAX_ROTATED_SIDE) }));
    }
    Ok(())
}

pub(super) fn auto_orient(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    match args.only(Some(214))? {
        "0" => {}
        "1" => {
            draft.still = true;
            draft.steps.push(Step::AutoOrient);
        }
        other => return Err(args.invalid("auto-orient", other, Some(215))),
    }
    Ok(())
}
