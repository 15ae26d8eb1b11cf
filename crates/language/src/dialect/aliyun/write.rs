//! From a plan to `image/...`: the closest that this language has. Limits that its actions bring with them (`Ceiling`,
//! the longest side of a rotation) have no words, and are compared by who asked for the text.

use super::super::formats;
use super::super::missing::Missing;
use super::crop::point;
use super::resize::MAX_SIDE;
use super::{MAX_ACTIONS, mark_text};
use crate::plan::{
    Answer, Axes, Box2, Crop, Effect, Enlarge, FactsAsked, Format, Frames, Gravity, Mode, Offset, Outline, Output,
    Plan, Quality, Resize, Rgb, Slice, Step, Subject, Target,
};

/// The actions so far, and what cannot be said.
#[derive(Default)]
struct Out {
    actions: Vec<String>,
    missing: Vec<Missing>,
    /// An action was written that leaves one frame of an animation.
    still: bool,
    /// An animation is to stay one, which a picture's mark has to be told.
    moving: bool,
}

/// Writes a plan.
pub(in crate::dialect) fn write(plan: &Plan) -> Result<String, Vec<Missing>> {
    let keeps = |output: &Output| output.target == Target::OnlyIfSource(Format::Gif) && output.frames.moves();
    let mut out = Out { moving: plan.output().is_some_and(keeps), ..Out::default() };
    for step in &plan.steps {
        out.step(step);
    }
    match &plan.answer {
        Answer::Image(output) => out.output(output),
        Answer::Facts(FactsAsked { average: true, exif: false, md5: false }) => out.actions.push("average-hue".into()),
        Answer::Facts(FactsAsked { average: false, exif: true, md5: false }) => out.actions.push("info".into()),
        Answer::Facts(_) => {
            let part = Plan { steps: Vec::new(), ..plan.clone() };
            out.missing.push(Missing { part: Some(part), why: "image/info answers with other facts".into() });
        }
    }
    if plan.original_on_error {
        let part = Plan { original_on_error: true, ..Plan::identity() };
        let why = "no rule of aliyun's answers with the original instead of an error".into();
        out.missing.push(Missing { part: Some(part), why });
    }
    if out.actions.len() > MAX_ACTIONS {
        let why = format!("the rule would have {} actions, more than {MAX_ACTIONS}", out.actions.len());
        out.missing.push(Missing { part: None, why });
    }
    if !out.missing.is_empty() {
        return Err(out.missing);
    }
    if out.actions.is_empty() {
        out.actions.push("auto-orient,0".into());
    }
    Ok(format!("image/{}", out.actions.join("/")))
}

impl Out {
    fn add(&mut self, still: bool, action: impl Into<String>) {
        self.still |= still;
        self.actions.push(action.into());
    }

    fn lacks(&mut self, step: &Step, why: &str) {
        self.missing.push(Missing::step(step, why));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::AutoOrient => self.add(true, "auto-orient,1"),
            Step::Resize(resize) => self.resize(step, resize),
            Step::Crop(crop) => self.crop(step, crop),
            Step::Rotate(rotate) => self.add(true, format!("rotate,{}", rotate.degrees)),
            Step::Flip(_) => self.lacks(step, "aliyun has no mirroring"),
            Step::Effect(effect) => self.effect(step, *effect),
            Step::Shape(shape) => match shape.outline {
                _ if shape.radius > 4096 => self.lacks(step, "aliyun's radius is at most 4096"),
                Outline::OddCircle => self.add(false, format!("circle,r_{}", shape.radius)),
                Outline::Corners => self.add(false, format!("rounded-corners,r_{}", shape.radius)),
                Outline::Circle => self.lacks(step, "aliyun's circle of the same radius is one pixel wider, 2r + 1"),
            },
            Step::Slice(Slice { w: Some(w), h: None, index }) => self.add(false, format!("indexcrop,x_{w},i_{index}")),
            Step::Slice(Slice { w: None, h: Some(h), index }) => self.add(false, format!("indexcrop,y_{h},i_{index}")),
            Step::Slice(_) => self.lacks(step, "aliyun's indexcrop slices in one direction only"),
            Step::Mark(mark) => {
                let moves = self.moving && matches!(mark.subject, Subject::Image(_));
                match mark_text::mark(mark, actions) {
                    Ok(action) if moves => self.add(false, format!("{action},animation_1")),
                    Ok(action) => self.add(true, action),
                    Err(reasons) => self.missing.extend(reasons.into_iter().map(|why| Missing::step(step, why))),
                }
            }
            Step::Ratio(_) => self.lacks(step, "aliyun does not crop to a range of ratios"),
            Step::Ceiling(_) => {}
        }
    }

    fn resize(&mut self, step: &Step, resize: &Resize) {
        if resize.enlarge == Enlarge::Only {
            return self.lacks(step, "aliyun cannot enlarge without shrinking what is larger");
        }
        let mut words = match &resize.mode {
            Mode::Fit(target) | Mode::Fill(target, Gravity::Center) if resize.enlarge != Enlarge::Clamp => {
                let fill = matches!(resize.mode, Mode::Fill(..));
                format!("{}{}", if fill { ",m_fill" } else { "" }, sides(*target))
            }
            Mode::Fit(target) => sides(*target),
            Mode::Cover(target) => format!(",m_mfit{}", sides(*target)),
            Mode::Pad(target, Rgb::WHITE) => format!(",m_pad{}", sides(*target)),
            Mode::Pad(target, Rgb { r, g, b }) => format!(",m_pad{},color_{r:02X}{g:02X}{b:02X}", sides(*target)),
            Mode::Exact(target) => format!(",m_fixed{}", sides(*target)),
            Mode::Fill(target @ Box2 { axes: Axes::LongShort, .. }, Gravity::Center) => {
                format!(",m_fill{}", sides(*target))
            }
            Mode::Fill(Box2 { axes: Axes::LongShort, .. }, _) => {
                return self.lacks(step, "aliyun fills a box of a long and a short edge from the middle only");
            }
            Mode::Fill(target, gravity) => {
                let limit = if resize.enlarge == Enlarge::Allow { ",limit_0" } else { "" };
                let sides = sides(*target);
                self.add(false, format!("resize,m_mfit{sides}{limit}"));
                return self.add(true, format!("crop{sides},g_{}", point(*gravity)));
            }
            Mode::Percent { x, y } if x == y && x % 100 == 0 && (1..=1000).contains(&(x / 100)) => {
                return self.add(true, format!("resize,p_{}", x / 100));
            }
            Mode::Percent { x, y } => {
                let why = if x == y {
                    "aliyun's percentage is a whole number, 1 to 1000"
                } else {
                    "aliyun scales both sides by the same percentage"
                };
                return self.lacks(step, why);
            }
            Mode::Area(_) => return self.lacks(step, "aliyun has no resizing to a number of pixels"),
        };
        let (Mode::Fit(Box2 { w, h, .. })
        | Mode::Cover(Box2 { w, h, .. })
        | Mode::Fill(Box2 { w, h, .. }, _)
        | Mode::Pad(Box2 { w, h, .. }, _)
        | Mode::Exact(Box2 { w, h, .. })) = resize.mode
        else {
            return;
        };
        if w.max(h).is_some_and(|side| side > MAX_SIDE) {
            return self.lacks(step, "aliyun's sides are at most 16384");
        }
        if resize.enlarge == Enlarge::Allow {
            words.push_str(",limit_0");
        }
        self.add(false, format!("resize{words}"));
    }

    fn crop(&mut self, step: &Step, crop: &Crop) {
        let (column, row) = crop.gravity.cells();
        let from_the_end = (column == 2 && crop.dx > 0) || (row == 2 && crop.dy > 0);
        let from_the_middle = (column == 1 && crop.dx > 0) || (row == 1 && crop.dy > 0);
        if crop.offset == Offset::Inward && from_the_end {
            return self
                .lacks(step, "aliyun's offsets go right and down, so that nothing is cut off at the right or bottom");
        }
        // On a centred axis an inward offset is none.
        let centred = crop.offset == Offset::Inward && from_the_middle;
        let (dx, dy) = match centred {
            true => (if column == 1 { 0 } else { crop.dx }, if row == 1 { 0 } else { crop.dy }),
            false => (crop.dx, crop.dy),
        };
        let mut words = sides(Box2 { w: crop.w, h: crop.h, axes: Axes::WidthHeight });
        let whole = crop.w.or(crop.h).is_none();
        for (key, by) in [("x", dx), ("y", dy)] {
            if by > 0 || whole {
                words.push_str(&format!(",{key}_{by}"));
            }
        }
        if crop.gravity != Gravity::NorthWest {
            words.push_str(&format!(",g_{}", point(crop.gravity)));
        }
        self.add(true, format!("crop{words}"));
    }

    fn effect(&mut self, step: &Step, effect: Effect) {
        let action = match effect {
            Effect::Blur { radius, sigma } if sigma % 100 == 0 && (1..=50).contains(&(sigma / 100)) => {
                format!("blur,r_{radius},s_{}", sigma / 100)
            }
            Effect::Blur { .. } => return self.lacks(step, "aliyun's sigma is a whole number, 1 to 50"),
            Effect::Bright(percent) => format!("bright,{percent}"),
            Effect::Contrast(percent) => format!("contrast,{percent}"),
            Effect::Sharpen(percent) if (50..=399).contains(&percent) => format!("sharpen,{percent}"),
            Effect::Sharpen(_) => return self.lacks(step, "aliyun sharpens by 50 to 399"),
            Effect::Grey => return self.lacks(step, "aliyun has no shades of grey"),
        };
        self.add(false, action);
    }

    fn output(&mut self, output: &Output) {
        let alone = Output::default;
        match output.quality {
            Quality::Default => {}
            Quality::Capped(q) => self.add(true, format!("quality,Q_{q}")),
            Quality::Relative(q) => self.add(true, format!("quality,q_{q}")),
            Quality::Lossless => self.add(true, "quality,lossless"),
            Quality::Auto(score) => self.add(true, format!("quality,auto_{score}")),
            quality @ Quality::Forced(_) => self.missing.push(Missing::output(
                Output { quality, ..alone() },
                "aliyun's quality never rises above the original's",
            )),
        }
        if output.quality_floor.is_some() {
            let part = Output { quality_floor: output.quality_floor, ..alone() };
            self.missing.push(Missing::output(part, "aliyun has no least quality"));
        }
        if output.size_limit.is_some() {
            let part = Output { size_limit: output.size_limit, ..alone() };
            self.missing.push(Missing::output(part, "aliyun has no bound on the bytes"));
        }
        if output.slim {
            self.missing.push(Missing::output(Output { slim: true, ..alone() }, "aliyun has no word for it"));
        }
        if output.facts.is_some() {
            let part = Output { facts: output.facts, ..alone() };
            self.missing.push(Missing::output(part, "aliyun tells facts of originals only"));
        }
        if output.ground != Rgb::WHITE {
            let part = Output { ground: output.ground, ..alone() };
            self.missing.push(Missing::output(part, "what is transparent turns white now"));
        }
        if output.strip {
            self.missing.push(Missing::output(Output { strip: true, ..alone() }, "aliyun has no word for it"));
        }
        if output.progressive {
            self.add(false, "interlace,1");
        }
        let mut fixed = true;
        match output.target {
            Target::Source => fixed = false,
            Target::OnlyIfSource(Format::Gif) => {
                fixed = false;
                self.add(false, "format,gif");
            }
            Target::Fixed(format) if formats::in_aliyun(format).is_some() => {
                self.add(false, format!("format,{}", formats::in_aliyun(format).unwrap_or_default()));
            }
            target @ (Target::Fixed(_) | Target::OnlyIfSource(_)) => {
                let why = match target {
                    Target::Fixed(Format::Gif) => "aliyun's format,gif keeps a GIF and converts nothing else to one",
                    _ => "aliyun does not write this format",
                };
                self.missing.push(Missing::output(Output { target, ..alone() }, why));
            }
        }
        // A crop of everything cuts nothing off and leaves one frame.
        if output.frames == Frames::First && !fixed && !self.still {
            self.actions.insert(0, "crop,x_0,y_0".into());
        }
    }
}

/// `,w_300,h_200` or `,l_300`; empty without sides.
fn sides(target: Box2) -> String {
    let (first, second) = match target.axes {
        Axes::WidthHeight => ("w", "h"),
        Axes::LongShort => ("l", "s"),
    };
    let side = |key: &str, side: Option<u32>| side.map(|side| format!(",{key}_{side}")).unwrap_or_default();
    format!("{}{}", side(first, target.w), side(second, target.h))
}

/// The actions of steps that are all there is to do; `None` if not all can be said.
fn actions(steps: &[Step]) -> Option<Vec<String>> {
    let mut out = Out::default();
    for step in steps {
        out.step(step);
    }
    out.missing.is_empty().then_some(out.actions)
}
