//! How large a picture can be at most between two steps, whatever the original is. Tells limits that can never be
//! reached, and steps that are certain to enlarge.

use super::{Axes, Box2, Crop, Enlarge, Mode, Outline, Resize, Step};

/// The most pixels of each side; `None`: no bound is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct SizeBounds {
    w: Option<u32>,
    h: Option<u32>,
}

impl SizeBounds {
    /// Whether both sides have at most so many pixels.
    pub(super) fn within_side(self, most: u32) -> bool {
        self.w.zip(self.h).is_some_and(|(w, h)| w <= most && h <= most)
    }

    /// Whether width times height is at most so much.
    pub(super) fn within_area(self, most: u64) -> bool {
        self.w.zip(self.h).is_some_and(|(w, h)| u64::from(w) * u64::from(h) <= most)
    }

    /// Whether a box asks for more than there can be, on a side at least.
    pub(super) fn falls_short_of(self, target: Box2) -> bool {
        let more = |asked: Option<u32>, most: Option<u32>| asked.zip(most).is_some_and(|(asked, most)| asked > most);
        match target.axes {
            Axes::WidthHeight => more(target.w, self.w) || more(target.h, self.h),
            Axes::LongShort => {
                let longest = self.w.zip(self.h).map(|(w, h)| w.max(h));
                more(target.w, longest) || more(target.h, longest)
            }
        }
    }

    /// The bounds behind a step.
    pub(super) fn after(self, step: &Step) -> Self {
        match step {
            Step::Resize(resize) => self.resized(resize),
            Step::Crop(Crop { w, h, .. }) => Self { w: least(self.w, *w), h: least(self.h, *h) },
            // Which way an orientation turns is not known here.
            Step::AutoOrient => self.square(|w, h| w.max(h)),
            Step::Rotate(rotate) => match rotate.degrees % 360 {
                0 | 180 => self,
                90 | 270 => Self { w: self.h, h: self.w },
                // The bounding box is no longer than both sides together.
                _ => self.square(u32::saturating_add),
            },
            Step::Shape(shape) if shape.outline != Outline::Corners => {
                let side = Some(shape.radius.saturating_mul(2).saturating_add(1));
                Self { w: least(self.w, side), h: least(self.h, side) }
            }
            // A slice that is not there changes nothing.
            Step::Slice(_) | Step::Shape(_) | Step::Ratio(_) => self,
            Step::Flip(_) | Step::Effect(_) | Step::Mark(_) | Step::Ceiling(_) => self,
        }
    }

    fn square(self, of: fn(u32, u32) -> u32) -> Self {
        let side = self.w.zip(self.h).map(|(w, h)| of(w, h));
        Self { w: side, h: side }
    }

    fn resized(self, resize: &Resize) -> Self {
        let never_larger = matches!(resize.enlarge, Enlarge::Skip | Enlarge::Clamp);
        match (resize.mode, never_larger) {
            (Mode::Fit(target), _) if resize.enlarge != Enlarge::Only => {
                let inside = Self::of(target);
                match never_larger {
                    true => Self { w: least(self.w, inside.w), h: least(self.h, inside.h) },
                    false => inside,
                }
            }
            (Mode::Fill(target, _) | Mode::Pad(target, _) | Mode::Exact(target), true)
                if resize.enlarge == Enlarge::Clamp =>
            {
                let inside = Self::of(target);
                Self { w: least(self.w, inside.w), h: least(self.h, inside.h) }
            }
            (_, true) => self,
            // The box, or, of an animation, what was there before.
            (Mode::Fill(target, _) | Mode::Pad(target, _) | Mode::Exact(target) | Mode::Fit(target), false) => {
                let inside = Self::of(target);
                Self { w: most(self.w, inside.w), h: most(self.h, inside.h) }
            }
            (Mode::Percent { x, y }, false) if x <= 10_000 && y <= 10_000 => self,
            (Mode::Percent { .. } | Mode::Cover(_) | Mode::Area(_), false) => Self::default(),
        }
    }

    fn of(target: Box2) -> Self {
        match target.axes {
            Axes::WidthHeight => Self { w: target.w, h: target.h },
            Axes::LongShort => Self { w: target.w, h: target.h }.square(|w, h| w.max(h)),
        }
    }
}

/// The tighter of two bounds.
fn least(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (one, other) => one.or(other),
    }
}

/// The wider of two bounds.
fn most(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    a.zip(b).map(|(a, b)| a.max(b))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::plan::canonical::tests::any_plan;
    use crate::plan::{Format, Limits, Plan, Source, geometry};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_picture_is_ever_larger(
            plan in any_plan(), width in 1u32..9000, height in 1u32..9000, orientation in 1u8..=8, frames in 1u32..3,
        ) {
            let source = Source { format: Format::Gif, width, height, orientation, frames, alpha: false };
            let limits = Limits { output_side: 30_000, ..Limits::default() };
            let bounds = plan.steps.iter().fold(SizeBounds::default(), |bounds, step| bounds.after(step));
            if let Ok(layout) = geometry::lay_out(&plan, &source, Format::Png, &limits) {
                prop_assert!(bounds.w.is_none_or(|w| layout.width <= w), "{plan}: {bounds:?}, {}", layout.width);
                prop_assert!(bounds.h.is_none_or(|h| layout.height <= h), "{plan}: {bounds:?}, {}", layout.height);
            }
        }
    }

    #[test]
    fn bounds_of_real_rules() {
        for (text, want) in [
            ("fit,w=800,up=skip|source", (Some(800), None)),
            ("fit,w=800,h=600,up=allow;turn,deg=90|source", (Some(600), Some(800))),
            ("fit,w=800,h=600,up=allow;turn,deg=45|source", (Some(1400), Some(1400))),
            ("fill,w=800,h=600,at=center,up=skip|source", (None, None)),
            ("fill,w=800,h=600,at=center,up=clamp|source", (Some(800), Some(600))),
            ("fit,long=900,short=600,up=skip|source", (Some(900), Some(900))),
            ("fit,w=900,h=900,up=skip;fit,w=100,up=only|source", (Some(900), None)),
        ] {
            let plan: Plan = text.parse().expect(text);
            let bounds = plan.steps.iter().fold(SizeBounds::default(), |bounds, step| bounds.after(step));
            assert_eq!((bounds.w, bounds.h), want, "{text}");
        }
    }
}
