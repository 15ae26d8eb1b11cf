//! Where a picture ends that its decoder has reduced. A side of 1,001 pixels at a quarter is 250.25 pixels long, and the
//! decoder gives 251, of which the last is a quarter picture and otherwise what its coder has filled the block up with. To
//! take all of it for the picture stretches it by up to an output pixel's third.

use super::super::picture::Pixels;
use super::super::policy::Light;
use super::{SubpixelRect, apply, resize_part};
use crate::error::Error;
use crate::plan::{Axis, GeometryOp};

/// How much of the pixels at each edge lies beyond the picture, in pixels below 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Extent {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Extent {
    /// Of a picture of these sides that was decoded at one in `by` of them.
    pub fn reduced((width, height): (u32, u32), by: u32) -> Self {
        let beyond = |side: u32| f64::from(side.div_ceil(by)) - f64::from(side) / f64::from(by);
        Self { left: 0.0, top: 0.0, right: beyond(width), bottom: beyond(height) }
    }

    /// Carries out an operation on the picture alone; see [`apply`]. After the first resampling nothing lies beyond it.
    ///
    /// # Errors
    /// As [`apply`].
    pub fn apply(&mut self, pixels: Pixels, op: &GeometryOp, alpha: bool, light: Light) -> Result<Pixels, Error> {
        match *op {
            GeometryOp::Resize { width, height } if *self != Self::default() => {
                let Self { left, top, right, bottom } = std::mem::take(self);
                let across = f64::from(pixels.width()) - left - right;
                let down = f64::from(pixels.height()) - top - bottom;
                resize_part(pixels, SubpixelRect { x: left, y: top, across, down }, (width, height), light)
            }
            _ => {
                *self = self.after(op);
                apply(pixels, op, alpha, light)
            }
        }
    }

    fn after(self, op: &GeometryOp) -> Self {
        match *op {
            GeometryOp::Flip(Axis::Horizontal) | GeometryOp::Orient(2) => self.mirrored(),
            GeometryOp::Flip(Axis::Vertical) | GeometryOp::Orient(4) => self.mirrored().turned().turned(),
            GeometryOp::Turn(quarters) => (0..quarters % 4).fold(self, |extent, _| extent.turned()),
            GeometryOp::Orient(3) => self.turned().turned(),
            GeometryOp::Orient(5) => self.mirrored().turned().turned().turned(),
            GeometryOp::Orient(6) => self.turned(),
            GeometryOp::Orient(7) => self.mirrored().turned(),
            GeometryOp::Orient(8) => self.turned().turned().turned(),
            _ => self,
        }
    }

    fn mirrored(self) -> Self {
        Self { left: self.right, right: self.left, ..self }
    }

    /// Clockwise by a quarter.
    fn turned(self) -> Self {
        Self { left: self.bottom, top: self.left, right: self.top, bottom: self.right }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::super::super::picture::Channels;
    use super::*;

    /// What lies beyond is grey, the picture is white to the last quarter of its edge pixels: it goes where they go.
    #[test]
    fn it_follows_every_turn() {
        let ops = (2..=8u8).map(GeometryOp::Orient).chain((1..=3).map(GeometryOp::Turn));
        for op in ops.chain([Axis::Horizontal, Axis::Vertical].map(GeometryOp::Flip)) {
            // Two edges of a picture of 5 x 4 pixels, each with a number of its own.
            let data = (0..20u8)
                .map(|at| {
                    if at % 5 == 4 {
                        200
                    } else if at / 5 == 3 {
                        100
                    } else {
                        0
                    }
                })
                .collect();
            let pixels = Pixels::new(5, 4, Channels::Grey, data).unwrap();
            let mut extent = Extent { left: 0.0, top: 0.0, right: 0.75, bottom: 0.5 };
            let turned = extent.apply(pixels, &op, false, Light::Gamma).unwrap();
            let (w, h) = (turned.width() as usize, turned.height() as usize);
            let at = |x: usize, y: usize| turned.data()[y * w + x];
            // The middle of each edge.
            for (value, beyond) in [
                (at(0, h / 2 - 1), extent.left),
                (at(w / 2 - 1, 0), extent.top),
                (at(w - 1, h / 2 - 1), extent.right),
                (at(w / 2 - 1, h - 1), extent.bottom),
            ] {
                let want = match value {
                    200 => 0.75,
                    100 => 0.5,
                    _ => 0.0,
                };
                assert_eq!(beyond, want, "{op:?}: {extent:?}");
            }
        }
    }

    #[test]
    fn a_side_is_as_long_as_it_is() {
        let extent = Extent::reduced((1001, 1000), 4);
        assert_eq!((extent.right, extent.bottom), (0.75, 0.0));
        assert_eq!(Extent::reduced((1001, 999), 1), Extent::default());
    }
}
