//! What a file's format makes of a layout: who turns the picture, the reader by its tag or we.

use super::codec::codec;
use crate::plan::{Format, GeometryOp, Layout, Output};

/// The layout with what is left of the orientation either as a tag to write, or carried out on the pixels, or, where
/// metadata is to be removed, forgotten. Without a tag it is 1.
pub(crate) fn settle(mut layout: Layout, output: &Output, format: Format) -> (Layout, u8) {
    let left = std::mem::replace(&mut layout.orientation, 1);
    if left == 1 || output.strip {
        return (layout, 1);
    }
    if codec(format).carries_orientation {
        return (layout, left);
    }
    layout.ops.push(GeometryOp::Orient(left));
    if left >= 5 {
        std::mem::swap(&mut layout.width, &mut layout.height);
    }
    (layout, 1)
}
