//! `crop`: a rectangle from a grid point, its offset always to the right and down.

use super::args::Args;
use super::{Draft, unsupported};
use crate::error::Error;
use crate::plan::{Crop, Gravity, Offset, Step};

pub(super) fn parse(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    if args.is_empty() {
        return Err(args.missing(None));
    }
    let gravity = match args.key("g") {
        None => Gravity::NorthWest,
        Some("face" | "auto") => return Err(unsupported("crop by what the picture shows (g_face, g_auto)")),
        Some(name) => gravity(name).ok_or_else(|| args.invalid("g", name, Some(209)))?,
    };
    let pixels = |key, code| args.number(key, 0..=u32::MAX, code);
    // 0 is the whole side.
    let w = pixels("w", Some(225))?.filter(|w| *w > 0);
    let h = pixels("h", Some(226))?.filter(|h| *h > 0);
    let (dx, dy) = (pixels("x", None)?.unwrap_or(0), pixels("y", None)?.unwrap_or(0));
    draft.still = true;
    draft.steps.push(Step::Crop(Crop { w, h, gravity, dx, dy, offset: Offset::RightDown }));
    Ok(())
}

/// The vendor's short names of the nine points.
pub(super) fn gravity(name: &str) -> Option<Gravity> {
    Some(match name {
        "nw" => Gravity::NorthWest,
        "north" => Gravity::North,
        "ne" => Gravity::NorthEast,
        "west" => Gravity::West,
        "center" => Gravity::Center,
        "east" => Gravity::East,
        "sw" => Gravity::SouthWest,
        "south" => Gravity::South,
        "se" => Gravity::SouthEast,
        _ => return None,
    })
}

/// The vendor's short name of a point.
pub(super) fn point(gravity: Gravity) -> &'static str {
    match gravity {
        Gravity::NorthWest => "nw",
        Gravity::North => "north",
        Gravity::NorthEast => "ne",
        Gravity::West => "west",
        Gravity::Center => "center",
        Gravity::East => "east",
        Gravity::SouthWest => "sw",
        Gravity::South => "south",
        Gravity::SouthEast => "se",
    }
}
