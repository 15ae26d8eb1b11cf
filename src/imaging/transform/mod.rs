//! Pixels to pixels: one file an idea. Sizes were settled by [`crate::plan::geometry`] before; here they are only
//! carried out, and an operation that does not fit the pixels it is given is our own fault.

mod alpha;
mod average;
mod channels;
mod crop;
mod effect;
mod linear;
mod mask;
mod orient;
mod pad;
mod resize;
mod rotate;

pub use alpha::{drop_alpha, flatten, opaque};
pub use average::average;
pub use channels::{with_alpha, with_colour};
pub use orient::{flip, orient, turn};

use super::picture::{Channels, Pixels};
use super::policy::Light;
use crate::error::{Error, Kind};
use crate::plan::GeometryOp;

/// Carries out one operation. `output_has_alpha` says whether the corners that a rotation leaves free may be transparent;
/// else they are white. `light` is what a resize works on.
///
/// # Errors
/// [`Kind::OutOfMemory`]; [`Kind::Internal`] for an operation that does not fit the pixels.
pub fn apply(pixels: Pixels, op: &GeometryOp, output_has_alpha: bool, light: Light) -> Result<Pixels, Error> {
    match *op {
        GeometryOp::Orient(orientation) => orient(pixels, orientation),
        GeometryOp::Resize { width, height } => match light {
            Light::Gamma => resize::resize(pixels, width, height),
            Light::Linear => linear::resize(pixels, width, height),
        },
        GeometryOp::Crop { x, y, width, height } => crop::crop(pixels, x, y, width, height),
        GeometryOp::Pad { width, height, x, y, color } => pad::pad(pixels, (width, height), (x, y), color),
        GeometryOp::Turn(quarters) => turn(pixels, quarters),
        GeometryOp::Rotate { degrees, width, height } => {
            rotate::rotate(pixels, degrees, (width, height), output_has_alpha)
        }
        GeometryOp::Flip(axis) => flip(pixels, axis),
        GeometryOp::Effect(effect) => effect::apply(pixels, effect),
        GeometryOp::Disc => mask::disc(pixels),
        GeometryOp::Corners(radius) => mask::corners(pixels, radius),
        // Needs more than pixels.
        GeometryOp::Mark { .. } => Err(Error::new(Kind::Internal, "a mark is drawn elsewhere")),
    }
}

/// An empty vector with room for so many bytes, or [`Kind::OutOfMemory`].
pub(crate) fn room(length: usize) -> Result<Vec<u8>, Error> {
    room_for(length)
}

/// The same for anything.
pub(crate) fn room_for<T>(length: usize) -> Result<Vec<T>, Error> {
    let mut data = Vec::new();
    data.try_reserve_exact(length)
        .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {length} samples of pixels")))?;
    Ok(data)
}

/// Bytes of a rectangle of pixels, or [`Kind::OutOfMemory`] where that is more than can be addressed.
fn area(width: u32, height: u32, channels: Channels) -> Result<usize, Error> {
    (width as usize)
        .checked_mul(height as usize)
        .and_then(|pixels| pixels.checked_mul(channels.count()))
        .ok_or_else(|| Error::new(Kind::OutOfMemory, format!("no memory for {width} x {height} pixels")))
}

#[cfg(test)]
mod tests;
