//! Geometry without pixels: a plan and a source's header give the concrete operations and the size of the result, so
//! that limits, costs and billing tiers are known before any work starts.
//!
//! Rounding is to the nearest integer, halves up, never below 1 (Aliyun states it, Tencent allows it); offsets that
//! centre something are rounded down.

mod axis;

use axis::{Cell, allowed, anchor, behind, cut, part, round, square};
use serde::{Deserialize, Serialize};

use super::{
    Axes, Axis, Beyond, Box2, Ceiling, Crop, Effect, Enlarge, Format, Gravity, Limits, Mode, Outline, Plan, Ratio,
    Resize, Rgb, Shape, Slice, Step, Target,
};
use crate::error::{Error, Kind};

/// What a header tells of an original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The format by content.
    pub format: Format,
    /// Stored width (for HEIF and AVIF: after the container's own transformations).
    pub width: u32,
    /// Stored height, likewise.
    pub height: u32,
    /// EXIF orientation, 1..=8; 1 where there is none.
    pub orientation: u8,
    /// Frames, 1 for a still picture.
    pub frames: u32,
    /// Whether pixels may be transparent.
    pub alpha: bool,
}

impl Source {
    /// Whether it moves.
    pub fn animated(&self) -> bool {
        self.frames > 1
    }

    /// Width x height x frames.
    pub fn pixels(&self) -> u64 {
        u64::from(self.width).saturating_mul(self.height.into()).saturating_mul(self.frames.max(1).into())
    }
}

/// One concrete operation; sizes are final and at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum GeometryOp {
    /// Bring pixels of this EXIF orientation (2..=8) upright.
    Orient(u8),
    /// Resample to exactly this size.
    Resize { width: u32, height: u32 },
    /// Resample a rectangle that lies wholly inside to exactly this size. The rectangle is in parts of a pixel, [`UNIT`] to
    /// one.
    Part { x: u64, y: u64, across: u64, down: u64, width: u32, height: u32 },
    /// Keep this rectangle, which lies wholly inside.
    Crop { x: u32, y: u32, width: u32, height: u32 },
    /// Put the picture at (x, y) on a canvas of this size and colour.
    Pad { width: u32, height: u32, x: u32, y: u32, color: Rgb },
    /// Turn clockwise by 1, 2 or 3 quarters.
    Turn(u8),
    /// Turn clockwise by any angle onto a canvas of this size; corners transparent, or white without alpha.
    Rotate { degrees: u16, width: u32, height: u32 },
    /// Mirror.
    Flip(Axis),
    /// Change pixels where they are.
    Effect(Effect),
    /// Leave the largest circle that fits, without the rest.
    Disc,
    /// Round the corners off by this radius, at most half of the shorter side.
    Corners(u32),
    /// Draw the plan's mark of this number, counted from 0, onto the picture, which has this size here.
    Mark { number: u32, width: u32, height: u32 },
}

/// Parts of a pixel in [`GeometryOp::Part`].
pub const UNIT: u64 = 1 << 16;

/// The whole way from a source to its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// Operations in order, the same for every frame.
    pub ops: Vec<GeometryOp>,
    /// Width of the result.
    pub width: u32,
    /// Height of the result.
    pub height: u32,
    /// Frames of the result.
    pub frames: u32,
    /// EXIF orientation that still describes the result, 1..=8.
    pub orientation: u8,
}

/// Checks an original against the limits; from its header, before anything is decoded.
pub fn check_source(source: &Source, limits: &Limits) -> Result<(), Error> {
    let longest = source.width.max(source.height);
    if longest > limits.source_side {
        return Err(Error::new(
            Kind::SourceSide,
            format!(
                "the picture is {} x {}; a side may have at most {} pixels",
                source.width, source.height, limits.source_side
            ),
        ));
    }
    if source.frames > limits.frames {
        return Err(Error::new(
            Kind::SourceFrames,
            format!("the animation has {} frames; at most {} are processed", source.frames, limits.frames),
        ));
    }
    if source.pixels() > limits.source_pixels {
        return Err(Error::new(
            Kind::SourcePixels,
            format!("the picture has {} pixels; at most {} are processed", source.pixels(), limits.source_pixels),
        ));
    }
    Ok(())
}

/// Lays a plan out over a source. `format` is the format that will be written (it decides whether an animation stays one).
///
/// # Errors
/// [`Kind::OutputTooLarge`], [`Kind::RotateTooLarge`], [`Kind::CropOutside`].
pub fn lay_out(plan: &Plan, source: &Source, format: Format, limits: &Limits) -> Result<Layout, Error> {
    // A PNG moves if the rule names one that does, or keeps the format of a source that does: it is no format that an
    // animation is put into unasked.
    let named = plan.output().is_some_and(|output| output.target == Target::Fixed(Format::Png));
    let moves = format.animates() || (format == Format::Png && (named || source.format == Format::Png));
    let frames = plan.output().map_or(1, |output| output.frames.count(source.frames.max(1), moves));
    let mut state = State {
        width: source.width,
        height: source.height,
        orientation: source.orientation,
        // Both vendors speak of enlarging an animated source, whatever becomes of its frames.
        animated: source.animated(),
        ops: Vec::new(),
        marks: 0,
        limits,
    };
    for step in &plan.steps {
        state.step(step)?;
    }
    // A picture that no step has touched may be as large as sources may be, but for formats that are bound themselves.
    let in_place =
        |op: &GeometryOp| matches!(op, GeometryOp::Orient(_) | GeometryOp::Effect(_) | GeometryOp::Mark { .. });
    let resized = !state.ops.iter().all(in_place);
    let cap = match resized {
        true => limits.side_in(format),
        false if format.is_advanced() && format != source.format => limits.advanced_side.min(format.max_side()),
        false => format.max_side(),
    };
    let (width, height) = (state.width.into(), state.height.into());
    if state.width > cap || state.height > cap {
        return Err(too_large(width, height, format!("as {} a side may have at most {cap} pixels", format.name())));
    }
    if resized && width.saturating_mul(height).saturating_mul(frames.into()) > limits.output_pixels {
        return Err(too_large(width, height, limits.told_pixels(frames)));
    }
    Ok(Layout { ops: state.ops, width: state.width, height: state.height, frames, orientation: state.orientation })
}

fn too_large(width: u64, height: u64, why: String) -> Error {
    Error::new(Kind::OutputTooLarge, format!("the result would be {width} x {height}; {why}"))
}

impl Limits {
    fn told_pixels(&self, frames: u32) -> String {
        let most = self.output_pixels;
        match frames {
            0 | 1 => format!("it may have at most {most} pixels"),
            frames => format!("its {frames} frames may have at most {most} pixels together"),
        }
    }
}

/// Size and orientation while the steps are walked through.
struct State<'a> {
    width: u32,
    height: u32,
    orientation: u8,
    animated: bool,
    ops: Vec<GeometryOp>,
    /// Marks so far.
    marks: u32,
    limits: &'a Limits,
}

impl State<'_> {
    fn step(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::AutoOrient => self.orient(),
            Step::Resize(resize) => return self.resize(resize),
            Step::Crop(crop) => return self.crop(crop),
            Step::Flip(axis) => self.ops.push(GeometryOp::Flip(*axis)),
            Step::Ceiling(ceiling) => return self.ceiling(ceiling),
            Step::Effect(effect) => self.ops.push(GeometryOp::Effect(*effect)),
            Step::Shape(shape) => return self.shape(shape),
            Step::Slice(slice) => self.slice(slice),
            Step::Ratio(ratio) => self.ratio(*ratio),
            Step::Mark(_) => {
                self.ops.push(GeometryOp::Mark { number: self.marks, width: self.width, height: self.height });
                self.marks = self.marks.saturating_add(1);
            }
            Step::Rotate(rotate) => {
                if let Some(max) = rotate.max_side.filter(|_| rotate.degrees % 360 != 0)
                    && (self.width > max || self.height > max)
                {
                    return Err(Error::new(
                        Kind::RotateTooLarge,
                        format!(
                            "the picture is {} x {}; rotation takes at most {max} pixels a side",
                            self.width, self.height
                        ),
                    ));
                }
                return self.rotate(rotate.degrees);
            }
        }
        Ok(())
    }

    fn ceiling(&self, ceiling: &Ceiling) -> Result<(), Error> {
        let touched = self.ops.iter().any(|op| match op {
            GeometryOp::Resize { .. } | GeometryOp::Crop { .. } | GeometryOp::Pad { .. } => true,
            GeometryOp::Part { .. } | GeometryOp::Rotate { .. } => true,
            GeometryOp::Orient(_) | GeometryOp::Turn(_) | GeometryOp::Flip(_) => false,
            GeometryOp::Effect(_) | GeometryOp::Disc | GeometryOp::Corners(_) | GeometryOp::Mark { .. } => false,
        });
        let (width, height) = (self.width, self.height);
        let pixels = u64::from(width) * u64::from(height);
        let side = ceiling.side.filter(|side| width.max(height) > *side);
        if (pixels <= ceiling.pixels && side.is_none()) || (ceiling.spare_untouched && !touched) {
            return Ok(());
        }
        let why = match side {
            Some(side) => format!("a side may have at most {side} pixels here"),
            None => format!("of its {pixels} pixels at most {} are allowed here", ceiling.pixels),
        };
        Err(too_large(width.into(), height.into(), why).with_code(ceiling.code))
    }

    fn shape(&mut self, shape: &Shape) -> Result<(), Error> {
        let shorter = self.width.min(self.height);
        let room = match shape.outline {
            Outline::OddCircle => (shorter - 1) / 2,
            Outline::Circle | Outline::Corners => shorter / 2,
        };
        if shape.beyond == Beyond::Refuse && shape.radius >= shorter.div_ceil(2) {
            return Err(Error::new(
                Kind::CropOutside,
                format!(
                    "the radius is {}, and the picture {} x {}: it must be below half of the shorter side",
                    shape.radius, self.width, self.height
                ),
            ));
        }
        let radius = shape.radius.min(room);
        let side = match shape.outline {
            Outline::Corners => {
                if radius > 0 {
                    self.ops.push(GeometryOp::Corners(radius));
                }
                return Ok(());
            }
            Outline::Circle => (2 * radius).max(1),
            Outline::OddCircle => 2 * radius + 1,
        };
        self.crop_to((self.width - side) / 2, (self.height - side) / 2, side, side);
        self.ops.push(GeometryOp::Disc);
        Ok(())
    }

    fn slice(&mut self, slice: &Slice) {
        let (w, h) = (slice.w.unwrap_or(self.width).max(1), slice.h.unwrap_or(self.height).max(1));
        let (columns, rows) = (self.width.div_ceil(w), self.height.div_ceil(h));
        if u64::from(slice.index) >= u64::from(columns) * u64::from(rows) {
            return;
        }
        let (x, y) = (slice.index % columns * w, slice.index / columns * h);
        self.crop_to(x, y, w.min(self.width - x), h.min(self.height - y));
    }

    fn ratio(&mut self, Ratio { least, most }: Ratio) {
        let (w, h) = (u64::from(self.width), u64::from(self.height));
        let side = |product: u64, by: u32, most: u32| {
            let side = round(product as f64 / f64::from(by.max(1)));
            u32::try_from(side).unwrap_or(most).clamp(1, most)
        };
        let (width, height) = if w * 1000 > h * u64::from(most) {
            (side(h * u64::from(most), 1000, self.width), self.height)
        } else if w * 1000 < h * u64::from(least) {
            (self.width, side(w * 1000, least, self.height))
        } else {
            return;
        };
        self.crop_to((self.width - width) / 2, (self.height - height) / 2, width, height);
    }

    fn orient(&mut self) {
        if (2..=8).contains(&self.orientation) {
            self.ops.push(GeometryOp::Orient(self.orientation));
            if self.orientation >= 5 {
                std::mem::swap(&mut self.width, &mut self.height);
            }
        }
        self.orientation = 1;
    }

    fn rotate(&mut self, degrees: u16) -> Result<(), Error> {
        match degrees % 360 {
            0 => {}
            quarter @ (90 | 180 | 270) => {
                self.ops.push(GeometryOp::Turn((quarter / 90) as u8));
                if quarter != 180 {
                    std::mem::swap(&mut self.width, &mut self.height);
                }
            }
            degrees => {
                let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
                let (w, h) = (f64::from(self.width), f64::from(self.height));
                let width = round(w * cos.abs() + h * sin.abs());
                let height = round(w * sin.abs() + h * cos.abs());
                self.size(width, height)?;
                self.ops.push(GeometryOp::Rotate { degrees, width: self.width, height: self.height });
            }
        }
        Ok(())
    }

    /// Refuses a size: later steps shall never work on something gigantic. What is there already may stay.
    fn check(&self, width: u64, height: u64) -> Result<(u32, u32), Error> {
        let cap = self.limits.output_side;
        let sides = match (u32::try_from(width), u32::try_from(height)) {
            (Ok(w), Ok(h)) if w <= cap.max(self.width) && h <= cap.max(self.height) => (w, h),
            _ => return Err(too_large(width, height, format!("a side may have at most {cap} pixels"))),
        };
        let now = u64::from(self.width) * u64::from(self.height);
        if width.saturating_mul(height) > self.limits.output_pixels.max(now) {
            return Err(too_large(width, height, self.limits.told_pixels(1)));
        }
        Ok(sides)
    }

    /// Takes a new size after checking it.
    fn size(&mut self, width: u64, height: u64) -> Result<(), Error> {
        (self.width, self.height) = self.check(width, height)?;
        Ok(())
    }

    fn scale_to(&mut self, width: u64, height: u64) -> Result<(), Error> {
        let before = (self.width, self.height);
        self.size(width, height)?;
        if (self.width, self.height) != before {
            self.ops.push(GeometryOp::Resize { width: self.width, height: self.height });
        }
        Ok(())
    }

    fn crop_to(&mut self, x: u32, y: u32, width: u32, height: u32) {
        if (width, height) != (self.width, self.height) {
            self.ops.push(GeometryOp::Crop { x, y, width, height });
            (self.width, self.height) = (width, height);
        }
    }

    /// Width and height of a box for this source, where `LongShort` names edges.
    fn sides(&self, target: Box2) -> (Option<u32>, Option<u32>) {
        match target.axes {
            Axes::LongShort if self.width < self.height => (target.h, target.w),
            _ => (target.w, target.h),
        }
    }

    fn resize(&mut self, resize: &Resize) -> Result<(), Error> {
        let enlarge = match (self.animated, resize.enlarge) {
            (true, Enlarge::Allow) => Enlarge::Skip,
            (true, Enlarge::Only) => return Ok(()),
            (_, enlarge) => enlarge,
        };
        match resize.mode {
            Mode::Fit(target) => self.fit(target, enlarge, Reach::Inside),
            Mode::Cover(target) => self.fit(target, enlarge, Reach::Outside),
            Mode::Fill(target, gravity) => self.fill(target, gravity, enlarge),
            Mode::Pad(target, color) => self.pad(target, color, enlarge),
            Mode::Exact(target) => {
                let (w, h) = self.clamped(square(self.sides(target)), enlarge);
                let (larger, smaller) = (w > self.width || h > self.height, w < self.width || h < self.height);
                match enlarge {
                    Enlarge::Skip if larger => Ok(()),
                    Enlarge::Only if smaller => Ok(()),
                    Enlarge::Allow | Enlarge::Skip | Enlarge::Clamp | Enlarge::Only => {
                        self.scale_to(w.into(), h.into())
                    }
                }
            }
            Mode::Percent { x, y } => {
                if !allowed(x.max(y), 10_000, enlarge) {
                    return Ok(());
                }
                self.scale_to(part(self.width, x, 10_000), part(self.height, y, 10_000))
            }
            Mode::Area(area) => self.area(area, enlarge),
        }
    }

    /// Keeps the ratio; the controlling side comes out exactly as asked, the other one is rounded.
    fn fit(&mut self, target: Box2, enlarge: Enlarge, reach: Reach) -> Result<(), Error> {
        let by_width = match self.sides(target) {
            (Some(w), Some(h)) => self.narrower(w, h) == (reach == Reach::Inside),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => return Ok(()),
        };
        let (w, h) = square(self.sides(target));
        let (to, from) = if by_width { (w, self.width) } else { (h, self.height) };
        if !allowed(to, from, enlarge) {
            return Ok(());
        }
        match by_width {
            true => self.scale_to(w.into(), part(self.height, w, self.width)),
            false => self.scale_to(part(self.width, h, self.height), h.into()),
        }
    }

    fn fill(&mut self, target: Box2, gravity: Gravity, enlarge: Enlarge) -> Result<(), Error> {
        let (w, h) = self.clamped(square(self.sides(target)), enlarge);
        let before = (self.width, self.height);
        let by_width = !self.narrower(w, h);
        let (to, from) = if by_width { (w, self.width) } else { (h, self.height) };
        if !allowed(to, from, enlarge) {
            return Ok(());
        }
        // Rounding may fall below the box by one; the box wins.
        let (wide, tall) = match by_width {
            true => (u64::from(w), part(self.height, w, self.width).max(h.into())),
            false => (part(self.width, h, self.height).max(w.into()), u64::from(h)),
        };
        // Of a thin picture most would be scaled only to be cut off.
        let enlarged = wide > self.width.into();
        let wasted = enlarged && wide.saturating_mul(tall) / 4 > u64::from(w) * u64::from(h);
        if wasted || self.check(wide, tall).is_err() {
            self.size(w.into(), h.into())?;
            let (x, across) = behind(before.0, wide, w, gravity.column());
            let (y, down) = behind(before.1, tall, h, gravity.row());
            self.ops.push(GeometryOp::Part { x, y, across, down, width: w, height: h });
            return Ok(());
        }
        self.scale_to(wide, tall)?;
        let (x, y) = (anchor(self.width, w, gravity.column()), anchor(self.height, h, gravity.row()));
        self.crop_to(x, y, w, h);
        Ok(())
    }

    fn pad(&mut self, target: Box2, color: Rgb, enlarge: Enlarge) -> Result<(), Error> {
        let (w, h) = self.clamped(square(self.sides(target)), enlarge);
        match enlarge {
            Enlarge::Skip if w > self.width || h > self.height => return Ok(()),
            Enlarge::Only if w < self.width || h < self.height => return Ok(()),
            Enlarge::Allow | Enlarge::Skip | Enlarge::Clamp | Enlarge::Only => {}
        }
        match self.narrower(w, h) {
            true => self.scale_to(w.into(), part(self.height, w, self.width).min(h.into()))?,
            false => self.scale_to(part(self.width, h, self.height).min(w.into()), h.into())?,
        }
        if (w, h) != (self.width, self.height) {
            let (x, y) = (anchor(w, self.width, Cell::Middle), anchor(h, self.height, Cell::Middle));
            self.size(w.into(), h.into())?;
            self.ops.push(GeometryOp::Pad { width: w, height: h, x, y, color });
        }
        Ok(())
    }

    fn area(&mut self, area: u64, enlarge: Enlarge) -> Result<(), Error> {
        let (sw, sh) = (f64::from(self.width), f64::from(self.height));
        let now = u64::from(self.width) * u64::from(self.height);
        let fine = match enlarge {
            Enlarge::Allow => true,
            Enlarge::Skip | Enlarge::Clamp => area < now,
            Enlarge::Only => area > now,
        };
        if !fine {
            return Ok(());
        }
        let k = (area as f64 / (sw * sh)).sqrt();
        let (mut w, mut h) = (round(sw * k), round(sh * k));
        // "At most": rounding up both sides, or the floor of one pixel under a thin picture, may overshoot.
        if w.saturating_mul(h) > area {
            (w, h) = ((sw * k).floor().max(1.0) as u64, (sh * k).floor().max(1.0) as u64);
            w = w.min(area / h).max(1);
            h = h.min(area / w).max(1);
        }
        self.scale_to(w, h)
    }

    /// Whether the box is narrower, for its height, than the picture (or of the same ratio).
    fn narrower(&self, w: u32, h: u32) -> bool {
        u64::from(w) * u64::from(self.height) <= u64::from(h) * u64::from(self.width)
    }

    /// The box, shortened to the picture's sides where the rule says so.
    fn clamped(&self, (w, h): (u32, u32), enlarge: Enlarge) -> (u32, u32) {
        match enlarge {
            Enlarge::Clamp => (w.min(self.width), h.min(self.height)),
            Enlarge::Allow | Enlarge::Skip | Enlarge::Only => (w, h),
        }
    }

    fn crop(&mut self, crop: &Crop) -> Result<(), Error> {
        let across = cut(self.width, crop.w, crop.gravity.column(), crop.dx, crop.offset);
        let down = cut(self.height, crop.h, crop.gravity.row(), crop.dy, crop.offset);
        let (Some((x, w)), Some((y, h))) = (across, down) else {
            return Err(Error::new(
                Kind::CropOutside,
                format!("the crop lies outside of the picture, which is {} x {}", self.width, self.height),
            ));
        };
        self.crop_to(x, y, w, h);
        Ok(())
    }
}

/// Whether a box bounds the picture from outside or from inside.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Inside,
    Outside,
}

#[cfg(test)]
#[path = "geometry_tests.rs"]
mod tests;
