//! What may be taken for granted of originals, so that two plans that differ only for others count as the same.

use super::bounds::SizeBounds;
use super::{Answer, Crop, Enlarge, Frames, Mode, Plan, Resize, Rotate, Step};

/// Something that holds for every original of a site, as its owner says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Assumption {
    /// None is an animation.
    Still,
    /// None has a side of 10,000 pixels or more, and none reaches a vendor's limit on what a step takes or gives.
    Small,
    /// None is smaller, at any step, than the step asks: nothing is enlarged, and every radius has room.
    Large,
}

/// Sides from here on are taken for "all there is" where originals are small.
const LARGE_SIDE: u32 = 10_000;

impl Assumption {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Still, Self::Small, Self::Large];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Still => "still",
            Self::Small => "small",
            Self::Large => "large",
        }
    }

    /// The assumption of a name as [`Self::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assumption| assumption.name() == name)
    }

    /// What is assumed, in one line.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Still => "no original is an animation",
            Self::Small => "no picture reaches a vendor's limit on size",
            Self::Large => "no picture is smaller than a step asks for",
        }
    }
}

impl Plan {
    /// The plan that this one amounts to for originals of which all of `given` holds; normalised.
    #[must_use]
    pub fn assuming(mut self, given: &[Assumption]) -> Self {
        if given.contains(&Assumption::Large) {
            self.steps = large(self.steps);
        }
        if given.contains(&Assumption::Small) {
            self.steps = self.steps.into_iter().filter_map(small).collect();
        }
        if given.contains(&Assumption::Still) {
            self.steps = still(self.steps);
            if let Answer::Image(output) = &mut self.answer {
                output.frames = Frames::First;
            }
        }
        self.normalise()
    }
}

/// Where nothing is enlarged, it does not matter what would happen then. Steps that are certain to enlarge stay.
fn large(steps: Vec<Step>) -> Vec<Step> {
    let mut bounds = SizeBounds::default();
    let plain = |step, bounds: SizeBounds| match step {
        Step::Resize(Resize { mode, enlarge }) => {
            let short = match mode {
                Mode::Fit(target) | Mode::Cover(target) | Mode::Exact(target) => bounds.falls_short_of(target),
                Mode::Fill(target, _) | Mode::Pad(target, _) => bounds.falls_short_of(target),
                Mode::Percent { .. } => true,
                Mode::Area(area) => bounds.within_area(area),
            };
            let enlarge = match (short, enlarge, mode) {
                (true, ..) | (false, Enlarge::Only, _) => enlarge,
                (false, _, Mode::Fill(..)) => Enlarge::Clamp,
                (false, ..) => Enlarge::Skip,
            };
            Step::Resize(Resize { mode, enlarge })
        }
        Step::Shape(shape) => Step::Shape(super::Shape { beyond: super::Beyond::Shorten, ..shape }),
        step => step,
    };
    let next = |step: Step| {
        let before = bounds;
        bounds = bounds.after(&step);
        plain(step, before)
    };
    steps.into_iter().map(next).collect()
}

/// Without limits, and without sides that are longer than any picture.
fn small(step: Step) -> Option<Step> {
    let side = |side: Option<u32>| side.filter(|side| *side < LARGE_SIDE);
    match step {
        Step::Ceiling(_) => None,
        Step::Rotate(Rotate { degrees, .. }) => Some(Step::Rotate(Rotate { degrees, max_side: None })),
        Step::Crop(crop) => Some(Step::Crop(Crop { w: side(crop.w), h: side(crop.h), ..crop })),
        step => Some(step),
    }
}

/// To cover a box and then to cut to it is to fill it; only of an animation, which is never enlarged, more is left.
fn still(steps: Vec<Step>) -> Vec<Step> {
    let mut out: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        if let (Some(Step::Resize(Resize { mode: Mode::Cover(target), enlarge: Enlarge::Allow })), Step::Crop(crop)) =
            (out.last(), &step)
            && crop.keeps(*target)
        {
            let mode = Mode::Fill(*target, crop.gravity);
            out.pop();
            out.push(Step::Resize(Resize { mode, enlarge: Enlarge::Allow }));
            continue;
        }
        out.push(step);
    }
    out
}
