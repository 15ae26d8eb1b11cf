//! Pixels to pixels: one file an idea. Sizes were settled by [`crate::plan::geometry`] before; here they are only
//! carried out, and an operation that does not fit the pixels it is given is our own fault.

mod alpha;
mod average;
mod channels;
mod crop;
pub(crate) mod effect;
mod extent;
mod linear;
mod mask;
mod orient;
mod pad;
mod resize;
mod rotate;

pub use alpha::{drop_alpha, flatten, opaque};
pub use average::average;
pub use channels::{with_alpha, with_colour, without_alpha};
pub use extent::Extent;
pub use orient::{flip, orient, turn};

use super::picture::{Channels, Pixels};
use super::policy::Light;
use crate::error::{Error, Kind};
use crate::plan::GeometryOp;
use crate::plan::geometry::UNIT;

/// Carries out one operation. `output_has_alpha` says whether the corners that a rotation leaves free may be transparent;
/// else they are white. `light` is what a resize works on.
///
/// # Errors
/// [`Kind::OutOfMemory`]; [`Kind::Internal`] for an operation that does not fit the pixels.
pub fn apply(pixels: Pixels, op: &GeometryOp, output_has_alpha: bool, light: Light) -> Result<Pixels, Error> {
    match *op {
        GeometryOp::Orient(orientation) => orient(pixels, orientation),
        GeometryOp::Resize { width, height } => {
            let part = SubpixelRect::whole(&pixels);
            resize_part(pixels, part, (width, height), light)
        }
        GeometryOp::Part { x, y, across, down, width, height } => {
            let pixel = |parts: u64| parts as f64 / UNIT as f64;
            let part = SubpixelRect { x: pixel(x), y: pixel(y), across: pixel(across), down: pixel(down) };
            resize_part(pixels, part, (width, height), light)
        }
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

/// A rectangle of a picture, in pixels, whose edges may lie between them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SubpixelRect {
    /// The left edge.
    pub x: f64,
    /// The upper edge.
    pub y: f64,
    /// How wide it is.
    pub across: f64,
    /// How high it is.
    pub down: f64,
}

impl SubpixelRect {
    /// All of a picture.
    fn whole(pixels: &Pixels) -> Self {
        Self { x: 0.0, y: 0.0, across: pixels.width().into(), down: pixels.height().into() }
    }
}

/// Resamples a part of a picture to exactly this size.
///
/// # Errors
/// [`Kind::OutOfMemory`]; [`Kind::Internal`] for a part that does not lie inside.
pub fn resize_part(
    pixels: Pixels,
    part: SubpixelRect,
    (width, height): (u32, u32),
    light: Light,
) -> Result<Pixels, Error> {
    if (width, height) == (pixels.width(), pixels.height()) && part == SubpixelRect::whole(&pixels) {
        return Ok(pixels);
    }
    let inside = |from: f64, length: f64, side: u32| from >= 0.0 && length > 0.0 && from + length <= f64::from(side);
    if !inside(part.x, part.across, pixels.width()) || !inside(part.y, part.down, pixels.height()) {
        return Err(Error::new(
            Kind::Internal,
            format!("{part:?} is no part of {} x {}", pixels.width(), pixels.height()),
        ));
    }
    match light {
        Light::Gamma => resize::resize(pixels, part, width, height),
        Light::Linear => linear::resize(pixels, part, width, height),
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
