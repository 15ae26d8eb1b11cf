//! Operations in words, for people.

use crate::plan::geometry::UNIT;
use crate::plan::{Axis, GeometryOp};

/// What one operation does.
pub(super) fn operation(op: &GeometryOp) -> String {
    match *op {
        GeometryOp::Orient(orientation) => format!("bring upright (EXIF orientation {orientation})"),
        GeometryOp::Resize { width, height } => format!("resize to {width}x{height}"),
        GeometryOp::Part { x, y, across, down, width, height } => {
            let pixels = |parts: u64| (parts as f64 / UNIT as f64 * 100.0).round() / 100.0;
            let (x, y, across, down) = (pixels(x), pixels(y), pixels(across), pixels(down));
            format!("resize {across}x{down} at {x},{y} to {width}x{height}")
        }
        GeometryOp::Crop { x, y, width, height } => format!("crop {width}x{height} at {x},{y}"),
        GeometryOp::Pad { width, height, x, y, color } => {
            format!("put at {x},{y} on {width}x{height} of #{:02x}{:02x}{:02x}", color.r, color.g, color.b)
        }
        GeometryOp::Turn(quarters) => format!("turn clockwise by {} degrees", u16::from(quarters) * 90),
        GeometryOp::Rotate { degrees, width, height } => {
            format!("turn clockwise by {degrees} degrees, on {width}x{height}")
        }
        GeometryOp::Flip(Axis::Horizontal) => "mirror left and right".into(),
        GeometryOp::Flip(Axis::Vertical) => "mirror top and bottom".into(),
        GeometryOp::Effect(effect) => effect.words(),
        GeometryOp::Disc => "leave the largest circle that fits".into(),
        GeometryOp::Corners(radius) => format!("round the corners off by {radius}"),
        GeometryOp::Mark { number, .. } => format!("draw mark {}", u64::from(number) + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Effect, Rgb};

    #[test]
    fn operations_are_words() {
        let colour = Rgb { r: 255, g: 0, b: 10 };
        for (op, words) in [
            (GeometryOp::Resize { width: 923, height: 600 }, "resize to 923x600"),
            (
                GeometryOp::Part { x: UNIT / 2, y: 0, across: 3 * UNIT, down: UNIT, width: 2, height: 1 },
                "resize 3x1 at 0.5,0 to 2x1",
            ),
            (GeometryOp::Pad { width: 9, height: 8, x: 1, y: 2, color: colour }, "put at 1,2 on 9x8 of #ff000a"),
            (GeometryOp::Turn(3), "turn clockwise by 270 degrees"),
            (GeometryOp::Flip(Axis::Horizontal), "mirror left and right"),
            (GeometryOp::Effect(Effect::Bright(-20)), "brightness -20 %"),
            (GeometryOp::Mark { number: 0, width: 1, height: 1 }, "draw mark 1"),
        ] {
            assert_eq!(operation(&op), words);
        }
    }
}
