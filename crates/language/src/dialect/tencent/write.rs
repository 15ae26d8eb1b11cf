//! From a plan to stages of `imageMogr2`, `imageView2` and `watermark`: the closest that this language has. Within a stage
//! the orientation comes first and effects last, and a word counts once; whatever does not fit in goes into a new stage.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::formats;
use super::super::missing::Missing;
use super::{MAX_STAGES, mark_text, size::MAX_NUMBER};
use crate::plan::{
    Answer, Axes, Axis, Box2, Crop, Effect, Enlarge, FactsAsked, Format, Frames, Gravity, Mode, Offset, Outline,
    Output, Plan, Quality, Ratio, Resize, Rgb, SizeLimit, Step, Target,
};

/// One stage.
enum Stage {
    /// `imageMogr2` while it is written.
    Mogr {
        words: Vec<String>,
        /// Words that cannot stand in it again.
        used: Vec<&'static str>,
        /// Whether effects stand in it, behind which there is no geometry.
        effects: bool,
    },
    /// A whole one of another interface.
    Other(String),
}

#[derive(Default)]
struct Out {
    stages: Vec<Stage>,
    missing: Vec<Missing>,
}

/// Writes a plan.
pub(in crate::dialect) fn write(plan: &Plan) -> Result<String, Vec<Missing>> {
    let mut out = Out::default();
    for step in &plan.steps {
        out.step(step);
    }
    match &plan.answer {
        Answer::Image(output) => out.output(output),
        Answer::Facts(facts) => out.facts(*facts, Plan { steps: Vec::new(), ..plan.clone() }),
    }
    if plan.original_on_error {
        out.word("ignore-error/1");
    }
    if out.stages.is_empty() {
        out.word("interlace/0");
    }
    if out.stages.len() > MAX_STAGES {
        let why = format!("the rule would have {} stages, more than {MAX_STAGES}", out.stages.len());
        out.missing.push(Missing { part: None, why });
    }
    if !out.missing.is_empty() {
        return Err(out.missing);
    }
    let text = |stage: &Stage| match stage {
        Stage::Mogr { words, .. } => format!("{}/{}", super::mogr::NAME, words.join("/")),
        Stage::Other(text) => text.clone(),
    };
    Ok(out.stages.iter().map(text).collect::<Vec<_>>().join("|"))
}

impl Out {
    fn lacks(&mut self, step: &Step, why: &str) {
        self.missing.push(Missing::step(step, why));
    }

    /// A stage that answers with facts; `part` is the plan of nothing else.
    fn facts(&mut self, facts: FactsAsked, part: Plan) {
        let name = match facts {
            FactsAsked { average: true, exif: false, md5: true } => "imageInfo",
            FactsAsked { average: true, exif: false, md5: false } => "imageAve",
            FactsAsked { average: false, exif: true, md5: false } => "exif",
            _ => {
                let why = "imageInfo answers with other facts".into();
                return self.missing.push(Missing { part: Some(part), why });
            }
        };
        self.stages.push(Stage::Other(name.into()));
    }

    fn begin(&mut self, words: Vec<String>) {
        self.stages.push(Stage::Mogr { words, used: Vec::new(), effects: false });
    }

    /// A word into the last stage of `imageMogr2`, or a new one where it cannot stand there.
    fn put(&mut self, name: &'static str, effect: bool, word: String) {
        let fits = match self.stages.last() {
            Some(Stage::Mogr { used, effects, .. }) => !used.contains(&name) && (effect || !*effects),
            Some(Stage::Other(_)) | None => false,
        };
        if !fits {
            self.begin(Vec::new());
        }
        if let Some(Stage::Mogr { words, used, effects }) = self.stages.last_mut() {
            words.push(word);
            used.push(name);
            *effects |= effect;
        }
    }

    /// A setting of the whole rule, into the last stage of `imageMogr2`.
    fn word(&mut self, word: impl Into<String>) {
        let last = self.stages.iter_mut().rev().find_map(|stage| match stage {
            Stage::Mogr { words, .. } => Some(words),
            Stage::Other(_) => None,
        });
        match last {
            Some(words) => words.push(word.into()),
            None => self.begin(vec![word.into()]),
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::AutoOrient => self.begin(vec!["auto-orient".into()]),
            Step::Resize(resize) => self.resize(step, resize),
            Step::Crop(crop) => self.crop(step, crop),
            Step::Rotate(rotate) => self.put("rotate", false, format!("rotate/{}", rotate.degrees)),
            Step::Flip(Axis::Horizontal) => self.put("flip", false, "flip/horizontal".into()),
            Step::Flip(Axis::Vertical) => self.put("flip", false, "flip/vertical".into()),
            Step::Effect(effect) => self.effect(step, *effect),
            Step::Shape(shape) => match shape.outline {
                Outline::Circle => self.put("iradius", false, format!("iradius/{}", shape.radius)),
                Outline::Corners => self.put("rradius", false, format!("rradius/{}", shape.radius)),
                Outline::OddCircle => {
                    self.lacks(step, "tencent's circle of the same radius is one pixel narrower, 2r");
                }
            },
            Step::Slice(slice) => {
                let side = |key, side: Option<u32>| side.map(|side| format!("/{key}/{side}")).unwrap_or_default();
                let (w, h) = (side("width", slice.w), side("height", slice.h));
                self.put("indexcrop", false, format!("indexcrop{w}{h}/index/{}", slice.index));
            }
            Step::Mark(mark) => match mark_text::mark(mark) {
                Ok(stage) => self.stages.push(Stage::Other(stage)),
                Err(reasons) => self.missing.extend(reasons.into_iter().map(|why| Missing::step(step, why))),
            },
            Step::Ratio(Ratio { least, most }) => {
                self.put("rcrop", false, format!("rcrop/{}x{}", thousandths(*least), thousandths(*most)));
            }
            Step::Ceiling(_) => {}
        }
    }

    fn resize(&mut self, step: &Step, resize: &Resize) {
        let Resize { mode, enlarge } = resize;
        if let Mode::Fit(target)
        | Mode::Cover(target)
        | Mode::Fill(target, _)
        | Mode::Pad(target, _)
        | Mode::Exact(target) = mode
            && target.w.max(target.h).is_some_and(|side| u64::from(side) > MAX_NUMBER)
        {
            return self.lacks(step, "tencent takes sides above 10000 for 10000");
        }
        let word = match mode {
            Mode::Fit(target) => match (target.axes, enlarge) {
                (Axes::LongShort, _) => return self.view(0, *target),
                (Axes::WidthHeight, Enlarge::Allow) => sides(*target),
                (Axes::WidthHeight, Enlarge::Only) => format!("{}<", sides(*target)),
                (Axes::WidthHeight, Enlarge::Skip | Enlarge::Clamp) => format!("{}>", sides(*target)),
            },
            Mode::Cover(target) => match (target.axes, enlarge) {
                (Axes::LongShort, _) => return self.view(4, *target),
                (Axes::WidthHeight, Enlarge::Skip | Enlarge::Clamp) => return self.view(3, *target),
                (Axes::WidthHeight, Enlarge::Allow | Enlarge::Only) => format!("!{}r", sides(*target)),
            },
            Mode::Fill(target @ Box2 { axes: Axes::LongShort, .. }, Gravity::Center) => return self.view(5, *target),
            Mode::Fill(target, gravity) if target.axes == Axes::WidthHeight => {
                let (sides, at) = (sides(*target), format!("gravity/{}", gravity.name()));
                if *enlarge == Enlarge::Allow {
                    self.put("thumbnail", false, format!("thumbnail/!{sides}r"));
                    return self.put("crop", false, format!("cut/{sides}x0x0/{at}"));
                }
                let at = if *gravity == Gravity::Center { String::new() } else { format!("/{at}") };
                return self.put("crop", false, format!("crop/{sides}{at}"));
            }
            Mode::Pad(target, color) if target.axes == Axes::WidthHeight => {
                let color = match *color {
                    Rgb::WHITE => String::new(),
                    Rgb { r, g, b } => format!("/color/{}", URL_SAFE_NO_PAD.encode(format!("#{r:02X}{g:02X}{b:02X}"))),
                };
                format!("{}/pad/1{color}", sides(*target))
            }
            Mode::Exact(target) if target.axes == Axes::WidthHeight => format!("{}!", sides(*target)),
            Mode::Fill(..) | Mode::Pad(..) | Mode::Exact(_) => {
                return self.lacks(step, "tencent has no box of a long and a short edge for it");
            }
            Mode::Percent { x, y } if *x.max(y) > 1_000_000 => {
                return self.lacks(step, "tencent takes percentages above 10000 for 10000");
            }
            Mode::Percent { x, y } if x == y => format!("!{}p", hundredths(*x)),
            Mode::Percent { x, y: 10_000 } => format!("!{}px", hundredths(*x)),
            Mode::Percent { x: 10_000, y } => format!("!x{}p", hundredths(*y)),
            Mode::Percent { .. } => return self.lacks(step, "tencent scales one side, or both by the same percentage"),
            Mode::Area(area) => format!("{area}@"),
        };
        self.put("thumbnail", false, format!("thumbnail/{word}"));
    }

    /// A mode of `imageView2`, none of which enlarges.
    fn view(&mut self, mode: u8, target: Box2) {
        let side = |key: &str, side: Option<u32>| side.map(|side| format!("/{key}/{side}")).unwrap_or_default();
        let text = format!("{}/{mode}{}{}", super::view::NAME, side("w", target.w), side("h", target.h));
        self.stages.push(Stage::Other(text));
    }

    fn crop(&mut self, step: &Step, crop: &Crop) {
        let most = u32::try_from(MAX_NUMBER).unwrap_or(u32::MAX);
        let Crop { gravity, dx, dy, offset, .. } = *crop;
        if dx.max(dy) > most {
            return self.lacks(step, "tencent takes offsets above 10000 for 10000");
        }
        let (w, h) = (crop.w.map(|w| w.min(most)), crop.h.map(|h| h.min(most)));
        let (column, row) = gravity.cells();
        // Both ways of an offset are one from the left and the top.
        let inward = offset == Offset::Inward || ((column == 0 || dx == 0) && (row == 0 || dy == 0));
        let at = |default: Gravity| match gravity == default {
            true => String::new(),
            false => format!("/gravity/{}", gravity.name()),
        };
        let word = match (w, h) {
            (Some(w), Some(h)) if inward => format!("cut/{w}x{h}x{dx}x{dy}{}", at(Gravity::NorthWest)),
            (Some(_), None) | (None, Some(_)) if inward => {
                let by = |key: &str, by: u32| if by > 0 { format!("/{key}/{by}") } else { String::new() };
                let sides = sides(Box2 { w, h, axes: Axes::WidthHeight });
                format!("crop/{sides}{}{}{}", at(Gravity::Center), by("dx", dx), by("dy", dy))
            }
            (None, None) if offset == Offset::Inward => {
                return self.lacks(step, "tencent cuts nothing off without a side to cut to");
            }
            _ => {
                let (w, h) = if w.or(h).is_none() { (Some(most), Some(most)) } else { (w, h) };
                let sides = sides(Box2 { w, h, axes: Axes::WidthHeight });
                format!("crop/!{sides}a{dx}a{dy}{}", at(Gravity::NorthWest))
            }
        };
        self.put("crop", false, word);
    }

    fn effect(&mut self, step: &Step, effect: Effect) {
        let (name, word) = match effect {
            Effect::Blur { radius, sigma } => ("blur", format!("blur/{radius}x{}", hundredths(sigma.into()))),
            Effect::Sharpen(percent) if (10..=300).contains(&percent) => ("sharpen", format!("sharpen/{percent}")),
            Effect::Sharpen(_) => return self.lacks(step, "tencent sharpens by 10 to 300"),
            Effect::Bright(percent) => ("bright", format!("bright/{percent}")),
            Effect::Contrast(percent) => ("contrast", format!("contrast/{percent}")),
            Effect::Grey => ("grayscale", "grayscale/1".into()),
        };
        self.put(name, true, word);
    }

    fn output(&mut self, output: &Output) {
        let alone = Output::default;
        let frames = output.frames;
        match output.target {
            Target::Source => {}
            // Both keep the original's format by themselves.
            Target::OnlyIfSource(Format::Gif) if output.slim || output.facts.is_some() => {}
            Target::Fixed(format) if format_name(format, frames).is_some() => {
                self.word(format!("format/{}", format_name(format, frames).unwrap_or_default()));
            }
            target @ (Target::Fixed(_) | Target::OnlyIfSource(_)) => {
                let why = match target {
                    Target::OnlyIfSource(_) => "tencent has no format that only an original of it keeps",
                    _ => "tencent does not write this format",
                };
                self.missing.push(Missing::output(Output { target, ..alone() }, why));
            }
        }
        // A PNG is one frame by name, and other formats that hold one by nature.
        let moves = matches!(output.target, Target::Source) || frames_matter(output.target);
        match frames {
            Frames::First if moves => self.word("frame/1"),
            Frames::First | Frames::All => {}
            Frames::Only(number) => self.word(format!("frame/{number}")),
            Frames::Every { step, most } => {
                if step > 300 || (most > 100 && most < u32::MAX) {
                    let part = Output { frames, ..alone() };
                    self.missing.push(Missing::output(part, "tencent keeps at most 100 frames, or one of at most 300"));
                }
                if most < u32::MAX {
                    self.word(format!("cgif/{most}"));
                }
                if step > 1 {
                    self.word(format!("egif/{step}"));
                }
            }
        }
        match output.quality {
            Quality::Default => {}
            Quality::Capped(q) => self.word(format!("quality/{q}")),
            Quality::Forced(q) => self.word(format!("quality/{q}!")),
            Quality::Relative(q) => self.word(format!("rquality/{q}")),
            Quality::Auto(score) => self.word(format!("quality/auto{score}")),
            quality @ Quality::Lossless => {
                self.missing.push(Missing::output(Output { quality, ..alone() }, "tencent has no word for lossless"));
            }
        }
        if let Some(floor) = output.quality_floor {
            self.word(format!("lquality/{floor}"));
        }
        if output.progressive {
            self.word("interlace/1");
        }
        if output.strip {
            self.word("strip");
        }
        if let Some(SizeLimit { bytes, or_original }) = output.size_limit {
            let original = if or_original { "!" } else { "" };
            self.word(format!("size-limit/{}{original}", size(bytes)));
        }
        if output.ground != Rgb::WHITE {
            let part = Output { ground: output.ground, ..alone() };
            self.missing.push(Missing::output(part, "what is transparent turns white in tencent's pictures"));
        }
        if output.slim {
            self.stages.push(Stage::Other("imageSlim".into()));
        }
        if let Some(facts) = output.facts {
            self.facts(
                facts,
                Plan { answer: Answer::Image(Output { facts: Some(facts), ..alone() }), ..Plan::identity() },
            );
        }
    }
}

/// Formats that more than one frame may come to.
fn frames_matter(target: Target) -> bool {
    matches!(target, Target::Fixed(Format::Gif | Format::WebP | Format::Avif | Format::Heif))
}

/// `300x200`, `300x` or `x200`.
fn sides(target: Box2) -> String {
    let side = |side: Option<u32>| side.map(|side| side.to_string()).unwrap_or_default();
    format!("{}x{}", side(target.w), side(target.h))
}

/// A number in hundredths: `33.3`.
fn hundredths(number: u32) -> String {
    let text = format!("{}.{:02}", number / 100, number % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number in thousandths: `1.778`.
fn thousandths(number: u32) -> String {
    let text = format!("{}.{:03}", number / 1000, number % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Kilobytes with as many decimals as are read.
fn size(bytes: u64) -> String {
    let thousandths = bytes.saturating_mul(1000).div_ceil(1024);
    let text = format!("{}.{:03}", thousandths / 1000, thousandths % 1000);
    format!("{}k", text.trim_end_matches('0').trim_end_matches('.'))
}

/// What `format` takes.
fn format_name(format: Format, frames: Frames) -> Option<&'static str> {
    match format {
        Format::Png if frames.moves() => Some("apng"),
        format => formats::in_tencent(format),
    }
}
