//! One plan for one meaning: takes out of a plan what changes nothing on any source, so that two spellings of a rule
//! share a canonical text and with it a place in the cache.

use super::bounds::SizeBounds;
use super::{
    Answer, Axes, Box2, Ceiling, Crop, Enlarge, Format, Frames, Gap, Gravity, Mark, Mode, Offset, Output, Plan,
    Quality, Resize, Rotate, Step, Subject, Target,
};

impl Plan {
    /// The plan of the same meaning that all its spellings share. Idempotent. Only what holds for every source is
    /// simplified: whether a resize is a no-op for one picture is the geometry's business.
    #[must_use]
    pub fn normalise(self) -> Self {
        let mut steps = Vec::with_capacity(self.steps.len());
        let mut bounds = SizeBounds::default();
        for step in self.steps {
            // After the first there is no orientation left to apply.
            if step == Step::AutoOrient && steps.contains(&step) {
                continue;
            }
            if let Some(step) = simplify(step).and_then(|step| reachable(step, bounds)) {
                bounds = bounds.after(&step);
                push(&mut steps, step);
            }
        }
        let answer = match self.answer {
            Answer::Image(output) => Answer::Image(simplify_output(output)),
            Answer::Facts(facts) => Answer::Facts(facts),
        };
        Self { steps, answer, original_on_error: self.original_on_error }
    }
}

/// Adds a step, or melts it into what stands before it.
fn push(steps: &mut Vec<Step>, step: Step) {
    match (steps.last(), &step) {
        // Resizing to cover a box that is limited to the picture's size, then cropping to the box, equals Mode::Fill.
        (Some(Step::Resize(Resize { mode: Mode::Cover(target), enlarge: Enlarge::Skip })), Step::Crop(crop))
            if crop.keeps(*target) =>
        {
            let mode = Mode::Fill(*target, crop.gravity);
            steps.pop();
            steps.push(Step::Resize(Resize { mode, enlarge: Enlarge::Clamp }));
            return;
        }
        (Some(Step::Flip(before)), Step::Flip(now)) if before == now => {
            steps.pop();
            return;
        }
        (Some(Step::Rotate(before)), Step::Rotate(now))
            if before.max_side == now.max_side && before.degrees % 90 == 0 && now.degrees % 90 == 0 =>
        {
            let degrees = (before.degrees % 360 + now.degrees % 360) % 360;
            let max_side = now.max_side;
            steps.pop();
            if degrees != 0 {
                steps.push(Step::Rotate(Rotate { degrees, max_side }));
            }
            return;
        }
        _ => {}
    }
    steps.push(step);
}

/// The step without a limit that no picture can reach here; `None` if it is nothing else.
fn reachable(step: Step, bounds: SizeBounds) -> Option<Step> {
    match step {
        Step::Ceiling(Ceiling { pixels, side, .. })
            if bounds.within_area(pixels) && side.is_none_or(|side| bounds.within_side(side)) =>
        {
            None
        }
        Step::Rotate(Rotate { degrees, max_side: Some(max) }) if bounds.within_side(max) => {
            Some(Step::Rotate(Rotate { degrees, max_side: None }))
        }
        step => Some(step),
    }
}

impl Crop {
    /// Whether it cuts to exactly a box of width and height, with nothing added to its gravity.
    pub(super) fn keeps(&self, target: Box2) -> bool {
        let both = self.w.is_some() && self.h.is_some();
        both && (self.w, self.h) == (target.w, target.h)
            && target.axes == Axes::WidthHeight
            && (self.dx, self.dy) == (0, 0)
    }
}

/// The step in its plainest form; `None` if it never does anything.
fn simplify(step: Step) -> Option<Step> {
    match step {
        Step::Resize(resize) => simplify_resize(resize).map(Step::Resize),
        Step::Crop(crop) => simplify_crop(crop).map(Step::Crop),
        Step::Rotate(Rotate { degrees, max_side }) => match degrees % 360 {
            0 => None,
            degrees => Some(Step::Rotate(Rotate { degrees, max_side })),
        },
        Step::Effect(effect) => effect.changes_something().then_some(step),
        Step::Slice(slice) => (slice.w.is_some() || slice.h.is_some()).then_some(step),
        Step::Mark(mark) => simplify_mark(*mark).map(|mark| Step::Mark(Box::new(mark))),
        Step::AutoOrient | Step::Flip(_) | Step::Ceiling(_) | Step::Shape(_) | Step::Ratio(_) => Some(step),
    }
}

/// The mark without what cannot be seen, and its picture's steps likewise.
fn simplify_mark(mut mark: Mark) -> Option<Mark> {
    let image = match &mut mark.subject {
        Subject::Image(image) | Subject::Both { image, .. } => Some(image),
        Subject::Text(_) => None,
    };
    if let Some(image) = image {
        for steps in [&mut image.before, &mut image.after] {
            let mut plain = Vec::with_capacity(steps.len());
            for step in std::mem::take(steps) {
                if let Some(step) = simplify(step) {
                    push(&mut plain, step);
                }
            }
            *steps = plain;
        }
    }
    // Nothing is nothing, in percent too.
    if mark.tiles == Some(Gap::Percent(0)) {
        mark.tiles = Some(Gap::Pixels(0, 0));
    }
    (mark.opacity > 0).then_some(mark)
}

fn simplify_resize(resize: Resize) -> Option<Resize> {
    let Resize { mode, mut enlarge } = resize;
    let mode = match mode {
        Mode::Percent { x: 10_000, y: 10_000 } => return None,
        Mode::Fit(target) => bounded(target, Mode::Fit),
        Mode::Cover(target) => bounded(target, Mode::Cover),
        Mode::Fill(target, gravity) => Mode::Fill(whole(target), gravity),
        Mode::Pad(target, color) => Mode::Pad(whole(target), color),
        Mode::Exact(target) => Mode::Exact(whole(target)),
        Mode::Percent { .. } | Mode::Area(_) => mode,
    };
    // Shortening the box to the picture's sides is the same as not enlarging where the ratio is kept.
    if enlarge == Enlarge::Clamp && matches!(mode, Mode::Fit(_) | Mode::Cover(_) | Mode::Area(_)) {
        enlarge = Enlarge::Skip;
    }
    Some(Resize { mode, enlarge })
}

/// A box of a mode that keeps the ratio, where one side alone is enough.
fn bounded(target: Box2, both: fn(Box2) -> Mode) -> Mode {
    match (target.axes, target.w, target.h) {
        // One side alone is neither inside nor outside.
        (Axes::WidthHeight, Some(_), None) | (Axes::WidthHeight, None, Some(_)) => Mode::Fit(target),
        // The longer edge at most `l` is a square to fit into; the shorter at least `s` a square to cover.
        (Axes::LongShort, Some(l), None) => Mode::Fit(square(l)),
        (Axes::LongShort, None, Some(s)) => Mode::Cover(square(s)),
        (_, Some(w), Some(h)) if w == h => both(square(w)),
        (Axes::WidthHeight | Axes::LongShort, _, _) => both(target),
    }
}

/// A box of a mode in which a missing side equals the given one.
fn whole(target: Box2) -> Box2 {
    let (w, h) = (target.w.or(target.h), target.h.or(target.w));
    let axes = if w == h { Axes::WidthHeight } else { target.axes };
    Box2 { w, h, axes }
}

fn square(side: u32) -> Box2 {
    Box2 { w: Some(side), h: Some(side), axes: Axes::WidthHeight }
}

fn simplify_crop(mut crop: Crop) -> Option<Crop> {
    let (mut column, mut row) = crop.gravity.cells();
    // On a centred axis an inward offset has no direction to go.
    if crop.offset == Offset::Inward && column == 1 {
        crop.dx = 0;
    }
    if crop.offset == Offset::Inward && row == 1 {
        crop.dy = 0;
    }
    // A rectangle of the whole side lies where the picture lies.
    if crop.w.is_none() && (crop.dx == 0 || crop.offset == Offset::RightDown) {
        column = 0;
    }
    if crop.h.is_none() && (crop.dy == 0 || crop.offset == Offset::RightDown) {
        row = 0;
    }
    crop.gravity = Gravity::of_cells(column, row);
    let directed = (crop.dx > 0 && column != 0) || (crop.dy > 0 && row != 0);
    if !directed {
        crop.offset = Offset::RightDown;
    }
    let nothing = crop.w.is_none() && crop.h.is_none() && crop.dx == 0 && crop.dy == 0;
    (!nothing).then_some(crop)
}

fn simplify_output(mut output: Output) -> Output {
    output.frames = output.frames.normalise();
    let Target::Fixed(format) = output.target else { return simplify_quality(output) };
    if format != Format::Jpeg {
        output.progressive = false;
        output.size_limit = None;
    }
    if !format.has_quality() {
        output.quality = Quality::Default;
        output.quality_floor = None;
    }
    // HEIF tells apart "the first frame" from "an animation", which it refuses; a PNG from one that moves.
    let several = format.animates() || matches!(format, Format::Heif | Format::Png);
    if !several && output.frames.moves() {
        output.frames = Frames::First;
    }
    simplify_quality(output)
}

fn simplify_quality(mut output: Output) -> Output {
    match (output.quality, output.quality_floor) {
        // Both are the source's own.
        (Quality::Relative(100), _) => output.quality = Quality::Capped(100),
        (Quality::Forced(q), Some(floor)) => {
            output.quality = Quality::Forced(q.max(floor));
            output.quality_floor = None;
        }
        (Quality::Lossless, Some(_)) => output.quality_floor = None,
        (Quality::Default | Quality::Capped(_) | Quality::Forced(_) | Quality::Relative(_), _) => {}
        (Quality::Lossless | Quality::Auto(_), _) => {}
    }
    output
}

impl Gravity {
    /// Column and row on the grid, 0..=2 each.
    pub fn cells(self) -> (usize, usize) {
        let at = Self::GRID.iter().position(|gravity| *gravity == self).unwrap_or(0);
        (at % 3, at / 3)
    }

    fn of_cells(column: usize, row: usize) -> Self {
        Self::GRID.get(row * 3 + column).copied().unwrap_or(Self::NorthWest)
    }

    /// The nine points, row by row.
    pub const GRID: [Self; 9] = [
        Self::NorthWest,
        Self::North,
        Self::NorthEast,
        Self::West,
        Self::Center,
        Self::East,
        Self::SouthWest,
        Self::South,
        Self::SouthEast,
    ];
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::plan::{Axis, SizeLimit, Source, geometry};
    use proptest::prelude::*;

    use crate::plan::canonical::tests::any_plan;

    fn steps(steps: Vec<Step>) -> Vec<Step> {
        Plan { steps, ..Plan::identity() }.normalise().steps
    }

    fn turn(degrees: u16) -> Step {
        Step::Rotate(Rotate { degrees, max_side: None })
    }

    #[test]
    fn what_changes_nothing_is_dropped() {
        assert_eq!(steps(vec![turn(0), turn(360)]), vec![]);
        assert_eq!(steps(vec![turn(90), turn(270)]), vec![]);
        assert_eq!(steps(vec![turn(90), turn(90)]), vec![turn(180)]);
        assert_eq!(steps(vec![Step::Flip(Axis::Vertical), Step::Flip(Axis::Vertical)]), vec![]);
        assert_eq!(steps(vec![Step::AutoOrient, turn(45), Step::AutoOrient]), vec![Step::AutoOrient, turn(45)]);
        let percent = Resize { mode: Mode::Percent { x: 10_000, y: 10_000 }, enlarge: Enlarge::Allow };
        assert_eq!(steps(vec![Step::Resize(percent)]), vec![]);
    }

    #[test]
    fn only_a_jpeg_is_bound_by_a_size_limit() {
        let limit = Some(SizeLimit { bytes: 9, or_original: true });
        let left = |target| {
            let output = Output { target, size_limit: limit, ..Output::default() };
            simplify_output(output).size_limit
        };
        assert_eq!(left(Target::Fixed(Format::Jpeg)), limit);
        assert_eq!(left(Target::Source), limit);
        assert_eq!(left(Target::Fixed(Format::WebP)), None);
    }

    #[test]
    fn turns_by_less_than_a_quarter_are_not_added_up() {
        // Each enlarges the canvas.
        assert_eq!(steps(vec![turn(30), turn(60)]), vec![turn(30), turn(60)]);
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(plan in any_plan()) {
            let once = plan.normalise();
            prop_assert_eq!(once.clone().normalise(), once);
        }

        #[test]
        fn normalising_keeps_the_meaning(
            plan in any_plan(), width in 1u32..6000, height in 1u32..6000, orientation in 1u8..=8, frames in 1u32..3,
        ) {
            let source = Source { format: Format::Jpeg, width, height, orientation, frames, alpha: false };
            let limits = crate::plan::Limits::default();
            let format = match plan.output().map(|output| output.target) {
                Some(Target::Fixed(format)) => format,
                Some(Target::Source | Target::OnlyIfSource(_)) | None => Format::WebP,
            };
            let size = |plan: &Plan| {
                geometry::lay_out(plan, &source, format, &limits).map(|l| (l.width, l.height, l.frames, l.orientation))
            };
            let (before, after) = (size(&plan), size(&plan.clone().normalise()));
            // Normalising may remove a step that would have failed. It must never add a failure.
            match before {
                Ok(before) => prop_assert_eq!(after, Ok(before)),
                Err(error) => if let Err(after) = after { prop_assert_eq!(after.kind, error.kind) },
            }
        }
    }
}
