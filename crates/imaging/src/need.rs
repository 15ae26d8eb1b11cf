//! What of an original a plan needs, so that decoders may give less than all of it; and whether what they gave is that.

use crate::decode::{Region, Shrink};
use crate::error::Error;
use crate::picture::Pixels;
use crate::plan::{Format, GeometryOp, Source};
use crate::policy::{Light, Policy};
use crate::probe::{self, Header};
use crate::transform::{self, Extent};

/// How far the decoder may shrink this picture. It averages encoded values: where amounts of light count, nearly twice as much
/// is left to the resampling, three times the wanted size (photographs: SSIMULACRA2 of 81.4, where decoding everything gives
/// 81.7 at twice the time).
pub(crate) fn shrink_under(policy: &Policy, header: &Header, ops: &[GeometryOp]) -> Option<Shrink> {
    let Shrink { min_width, min_height } = shrink(ops).filter(|_| !header.source.animated())?;
    if header.source.format == Format::Svg {
        // It is drawn at the size that is wanted.
        return Some(Shrink { min_width, min_height });
    }
    let more = |side: u32| match policy.resample {
        Light::Gamma => side,
        Light::Linear => side.saturating_add(side.div_ceil(8).saturating_mul(7)),
    };
    Some(Shrink { min_width: more(min_width), min_height: more(min_height) })
}

/// How far the decoder may shrink a picture on its own before these operations: down to the resampling that comes first,
/// if nothing before it names places or sizes in pixels. In the sides of the stored picture.
pub(crate) fn shrink(ops: &[GeometryOp]) -> Option<Shrink> {
    let mut swapped = false;
    for op in ops {
        match *op {
            GeometryOp::Orient(orientation) => swapped ^= orientation >= 5,
            GeometryOp::Turn(quarters) => swapped ^= quarters % 2 == 1,
            GeometryOp::Flip(_) => {}
            GeometryOp::Resize { width, height } if swapped => {
                return Some(Shrink { min_width: height, min_height: width });
            }
            GeometryOp::Resize { width, height } => return Some(Shrink { min_width: width, min_height: height }),
            GeometryOp::Effect(effect) if effect.per_pixel() => {}
            GeometryOp::Crop { .. } | GeometryOp::Pad { .. } | GeometryOp::Rotate { .. } => return None,
            GeometryOp::Part { .. } => return None,
            GeometryOp::Effect(_) | GeometryOp::Disc | GeometryOp::Corners(_) | GeometryOp::Mark { .. } => return None,
        }
    }
    None
}

/// Takes a crop off the operations that comes before all but an orientation; gives what is needed of the stored picture.
pub(crate) fn needed(ops: &mut Vec<GeometryOp>, source: &Source) -> Option<Region> {
    let (at, orientation) = match ops.first()? {
        GeometryOp::Orient(orientation) => (1, *orientation),
        _ => (0, 1),
    };
    let &GeometryOp::Crop { x, y, width, height } = ops.get(at).filter(|_| !source.animated())? else { return None };
    ops.remove(at);
    let (right, bottom) = match orientation {
        5.. => (source.height, source.width),
        _ => (source.width, source.height),
    };
    // How far the rectangle is from the other two edges.
    let (after, below) = (right.saturating_sub(x + width), bottom.saturating_sub(y + height));
    let (x, y) = match orientation {
        2 => (after, y),
        3 => (after, below),
        4 => (x, below),
        5 => (y, x),
        6 => (y, after),
        7 => (below, after),
        8 => (below, x),
        _ => (x, y),
    };
    let (width, height) = if orientation >= 5 { (height, width) } else { (width, height) };
    Some(Region { x, y, width, height })
}

/// The part of a frame that is needed, whether the decoder has given that or the whole.
pub(crate) fn trimmed(
    pixels: Pixels,
    header: &Header,
    shrink: Option<Shrink>,
    region: Option<Region>,
) -> Result<Pixels, Error> {
    match region {
        Some(Region { width, height, .. }) if (pixels.width(), pixels.height()) == (width, height) => Ok(pixels),
        Some(Region { x, y, width, height }) => {
            check_size(&pixels, header, shrink)?;
            transform::apply(pixels, &GeometryOp::Crop { x, y, width, height }, false, Light::Gamma)
        }
        None => check_size(&pixels, header, shrink).map(|()| pixels),
    }
}

/// Refuses a frame that is not of the size that the header announced (or, if the decoder was free to shrink it, of a half,
/// a quarter or an eighth of it; an SVG is of the size that was asked for): the plan was laid out over the header, and
/// limits were checked against it.
pub(crate) fn check_size(pixels: &Pixels, header: &Header, shrink: Option<Shrink>) -> Result<(), Error> {
    let (mut width, mut height) = (header.source.width, header.source.height);
    let denominators: &[u32] = match shrink {
        Some(drawn) if header.source.format == Format::Svg => {
            (width, height) = (drawn.min_width, drawn.min_height);
            &[1]
        }
        Some(_) => &[1, 2, 4, 8],
        None => &[1],
    };
    let fits = |by: &u32| (pixels.width(), pixels.height()) == (width.div_ceil(*by), height.div_ceil(*by));
    if denominators.iter().any(fits) {
        return Ok(());
    }
    let what = format!("its pixels are {} x {}, its header says {width} x {height}", pixels.width(), pixels.height());
    Err(probe::corrupt(header.source.format, &what))
}

/// Where the picture ends on pixels that [`check_size`] has let pass.
pub(crate) fn extent(pixels: &Pixels, header: &Header, shrink: Option<Shrink>) -> Extent {
    let Source { format, width, height, .. } = header.source;
    let Some(shrink) = shrink.filter(|_| format == Format::Jpeg) else { return Extent::default() };
    let by = shrink.divisor(width, height);
    // A lossless JPEG is never reduced.
    let reduced = (pixels.width(), pixels.height()) == (width.div_ceil(by), height.div_ceil(by));
    if reduced { Extent::reduced((width, height), by) } else { Extent::default() }
}

/// What a decoder may shrink to for an average colour: 256 pixels and more a side remain.
pub(crate) const AVERAGE_SHRINK: Shrink = Shrink { min_width: 160, min_height: 160 };
