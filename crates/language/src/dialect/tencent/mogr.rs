//! `imageMogr2`: the table of its operations, and the order in which they run. No page of the vendor's defines an order
//! inside of a stage; this one agrees with every example: orientation first, geometry as written, the rest free.

use std::str::Split;

use super::super::formats;
use super::super::wire::base64;
use super::super::{Ignored, OperationDoc};
use super::Draft;
use super::crop::{self, Form};
use super::effect::{self, Cells};
use super::encode;
use super::size::pixels;
use super::table::{Operation, Parse, RuleRefusal, Seen, Wrong, entries, run};
use super::thumbnail;
use crate::plan::{Axis, Effect, Enlarge, Gravity, Mode, Outline, Output, Resize, Rgb, Rotate, Step};

pub(super) const NAME: &str = "imageMogr2";

/// A stage while its words are read.
struct Stage {
    orient: bool,
    /// By keyword, in order of appearance; a keyword that comes again replaces the earlier one.
    geometry: Vec<(&'static str, Piece)>,
    /// Likewise; they come after all geometry.
    effects: Vec<(&'static str, Effect)>,
    /// Of the indexcrop.
    cells: Cells,
    gravity: Option<Gravity>,
    dx: u32,
    dy: u32,
    pad: bool,
    color: Rgb,
    output: Output,
    original_on_error: bool,
}

/// A geometry operation, before the order-free words that belong to it are known.
enum Piece {
    Thumbnail(Resize),
    Crop(Form),
    Cut(crop::Cut),
    Slice,
    Step(Step),
}

impl Stage {
    fn place(&mut self, name: &'static str, piece: Piece) {
        self.geometry.retain(|(other, _)| *other != name);
        self.geometry.push((name, piece));
    }

    /// `None` takes an earlier one of this name back.
    fn effect(&mut self, name: &'static str, effect: Option<Effect>) -> Result<(), Wrong> {
        self.effects.retain(|(other, _)| *other != name);
        self.effects.extend(effect.map(|effect| (name, effect)));
        Ok(())
    }
}

const TABLE: &[Operation<Stage>] = &[
    Operation {
        name: "auto-orient",
        accepts: "no value",
        doc: "apply the EXIF orientation",
        parse: Parse::Flag(|stage| stage.orient = true),
    },
    Operation {
        name: "thumbnail",
        accepts: "!50p, !50px, !x50p, 300x, x200, 300x200 with >, < or ! after it, !300x200r, or 20000@; sides from 1",
        doc: "change the size",
        parse: Parse::Value(|stage, value| {
            let resize = thumbnail::parse(value)?;
            stage.place("thumbnail", Piece::Thumbnail(resize));
            Ok(())
        }),
    },
    Operation {
        name: "pad",
        accepts: "0 or 1",
        doc: "fill a thumbnail of <W>x<H> up to the box",
        parse: Parse::Value(|stage, value| {
            stage.pad = encode::switch(value)?;
            Ok(())
        }),
    },
    Operation {
        name: "color",
        accepts: "URL-safe base64 of #RRGGBB",
        doc: "the colour of a pad",
        parse: Parse::Value(|stage, value| {
            stage.color = color(value).ok_or(Wrong::Form)?;
            Ok(())
        }),
    },
    Operation {
        name: "cut",
        accepts: "<W>x<H>x<dx>x<dy>, sides from 1",
        doc: "cut a rectangle out at an offset",
        parse: Parse::Value(|stage, value| {
            let cut = crop::cut(value)?;
            stage.place("cut", Piece::Cut(cut));
            Ok(())
        }),
    },
    Operation {
        name: "crop",
        accepts: "<W>x<H>, <W>x, x<H> or !<W>x<H>a<dx>a<dy>, sides from 1",
        doc: "scale down to cover, then cut to exactly the size",
        parse: Parse::Value(|stage, value| {
            let form = crop::parse(value)?;
            stage.place("crop", Piece::Crop(form));
            Ok(())
        }),
    },
    Operation {
        name: "gravity",
        accepts: "northwest, north, northeast, west, center, east, southwest, south or southeast",
        doc: "where a crop or a cut holds on",
        parse: Parse::Value(|stage, value| {
            stage.gravity = Some(Gravity::from_name(value).ok_or(Wrong::Form)?);
            Ok(())
        }),
    },
    Operation {
        name: "dx",
        accepts: "pixels",
        doc: "horizontal offset of a crop, inward",
        parse: Parse::Value(|stage, value| {
            stage.dx = pixels(value)?;
            Ok(())
        }),
    },
    Operation {
        name: "dy",
        accepts: "pixels",
        doc: "vertical offset of a crop, inward",
        parse: Parse::Value(|stage, value| {
            stage.dy = pixels(value)?;
            Ok(())
        }),
    },
    Operation {
        name: "rotate",
        accepts: "0 to 360",
        doc: "turn clockwise",
        parse: Parse::Value(|stage, value| {
            let degrees = encode::number(value, 0..=360)?;
            stage.place("rotate", Piece::Step(Step::Rotate(Rotate { degrees, max_side: None })));
            Ok(())
        }),
    },
    Operation {
        name: "flip",
        accepts: "horizontal or vertical",
        doc: "mirror",
        parse: Parse::Value(|stage, value| {
            let axis = match value {
                "horizontal" => Axis::Horizontal,
                "vertical" => Axis::Vertical,
                _ => return Err(Wrong::Form),
            };
            stage.place("flip", Piece::Step(Step::Flip(axis)));
            Ok(())
        }),
    },
    Operation {
        name: "format",
        accepts: formats::TENCENT,
        doc: "the output format",
        parse: Parse::Value(|stage, value| encode::format(&mut stage.output, value)),
    },
    Operation {
        name: "quality",
        accepts: encode::QUALITIES,
        doc: "at most this quality, or the source's if that is lower; auto: as few bytes as reach this SSIMULACRA2 (70)",
        parse: Parse::Value(|stage, value| encode::quality(&mut stage.output, value)),
    },
    Operation {
        name: "rquality",
        accepts: "0 to 100",
        doc: "percent of the source's quality",
        parse: Parse::Value(|stage, value| encode::relative(&mut stage.output, value)),
    },
    Operation {
        name: "lquality",
        accepts: "0 to 100",
        doc: "at least this quality",
        parse: Parse::Value(|stage, value| encode::floor(&mut stage.output, value)),
    },
    Operation {
        name: "interlace",
        accepts: "0 or 1",
        doc: "progressive JPEG",
        parse: Parse::Value(|stage, value| {
            stage.output.progressive = encode::switch(value)?;
            Ok(())
        }),
    },
    Operation {
        name: "strip",
        accepts: "no value",
        doc: "remove metadata",
        parse: Parse::Flag(|stage| stage.output.strip = true),
    },
    Operation {
        name: "size-limit",
        accepts: "kilobytes as <n>k or megabytes as <n>m, with ! to answer with the original if that is smaller",
        doc: "a bound on the bytes of a JPEG, met by a lower quality",
        parse: Parse::Value(|stage, value| encode::size_limit(&mut stage.output, value)),
    },
    Operation {
        name: encode::IGNORE_ERROR,
        accepts: "0 or 1",
        doc: "answer with the original where a limit is exceeded",
        parse: Parse::Value(|stage, value| {
            stage.original_on_error = encode::switch(value)?;
            Ok(())
        }),
    },
    Operation {
        name: "scrop",
        accepts: "<W>x<H>, <W>x or x<H>",
        doc: "crop around a face; without one, as always here, the picture stays as it is",
        parse: Parse::Value(|_, value| effect::face(value)),
    },
    Operation {
        name: "indexcrop",
        accepts: "no value",
        doc: "one cell of a grid, whose sides follow as width and height, and its number as index",
        parse: Parse::Flag(|stage| stage.place("indexcrop", Piece::Slice)),
    },
    Operation {
        name: "width",
        accepts: "pixels, from 1",
        doc: "the width of an indexcrop's cell",
        parse: Parse::Value(|stage, value| {
            stage.cells.width = Some(encode::number(value, 1..=u64::from(u32::MAX))?);
            Ok(())
        }),
    },
    Operation {
        name: "height",
        accepts: "pixels, from 1",
        doc: "the height of an indexcrop's cell",
        parse: Parse::Value(|stage, value| {
            stage.cells.height = Some(encode::number(value, 1..=u64::from(u32::MAX))?);
            Ok(())
        }),
    },
    Operation {
        name: "index",
        accepts: "0 and more",
        doc: "which cell of an indexcrop, along the rows",
        parse: Parse::Value(|stage, value| {
            stage.cells.index = encode::number(value, 0..=u64::from(u32::MAX))?;
            Ok(())
        }),
    },
    Operation {
        name: "iradius",
        accepts: "pixels, from 1 to below half of the shorter side",
        doc: "a circle about the centre",
        parse: Parse::Value(|stage, value| {
            let shape = effect::shape(Outline::Circle, value)?;
            stage.place("iradius", Piece::Step(Step::Shape(shape)));
            Ok(())
        }),
    },
    Operation {
        name: "rradius",
        accepts: "pixels, from 1 to below half of the shorter side",
        doc: "rounded corners",
        parse: Parse::Value(|stage, value| {
            let shape = effect::shape(Outline::Corners, value)?;
            stage.place("rradius", Piece::Step(Step::Shape(shape)));
            Ok(())
        }),
    },
    Operation {
        name: "blur",
        accepts: "<radius>x<sigma>, 1 to 50 and above 0",
        doc: "Gaussian blur",
        parse: Parse::Value(|stage, value| stage.effect("blur", Some(effect::blur(value)?))),
    },
    Operation {
        name: "sharpen",
        accepts: "10 to 300",
        doc: "unsharp mask",
        parse: Parse::Value(|stage, value| {
            stage.effect("sharpen", Some(Effect::Sharpen(encode::number(value, 10..=300)?)))
        }),
    },
    Operation {
        name: "bright",
        accepts: "-100 to 100",
        doc: "brightness",
        parse: Parse::Value(|stage, value| stage.effect("bright", Some(Effect::Bright(effect::percent(value)?)))),
    },
    Operation {
        name: "contrast",
        accepts: "-100 to 100",
        doc: "contrast",
        parse: Parse::Value(|stage, value| stage.effect("contrast", Some(Effect::Contrast(effect::percent(value)?)))),
    },
    Operation {
        name: "grayscale",
        accepts: "0 or 1",
        doc: "shades of grey",
        parse: Parse::Value(|stage, value| {
            let grey = encode::switch(value)?.then_some(Effect::Grey);
            stage.effect("grayscale", grey)
        }),
    },
    Operation {
        name: "rcrop",
        accepts: "<least>x<most>, ratios of width to height, 0.001 to 1000",
        doc: "cut the middle out where the ratio is outside of the range",
        parse: Parse::Value(|stage, value| {
            let ratio = crop::ratio(value)?;
            stage.place("rcrop", Piece::Step(Step::Ratio(ratio)));
            Ok(())
        }),
    },
    Operation {
        name: "cgif",
        accepts: "1 (at most 30 frames) to 100",
        doc: "fewer frames of an animation",
        parse: Parse::Value(|stage, value| encode::cgif(&mut stage.output, value)),
    },
    Operation {
        name: "egif",
        accepts: "1 to 300",
        doc: "one frame of so many",
        parse: Parse::Value(|stage, value| encode::egif(&mut stage.output, value)),
    },
    Operation {
        name: "frame",
        accepts: "a frame's number, from 1",
        doc: "one frame of an animation",
        parse: Parse::Value(|stage, value| encode::frame(&mut stage.output, value)),
    },
    later("animate", "an animation of several objects"),
];

const fn later(name: &'static str, doc: &'static str) -> Operation<Stage> {
    Operation { name, accepts: "", doc, parse: Parse::Later }
}

/// `#RRGGBB` in base64.
fn color(value: &str) -> Option<Rgb> {
    Rgb::from_hex(std::str::from_utf8(&base64(value)?).ok()?.strip_prefix('#')?)
}

/// Reads the words after the name.
pub(super) fn parse(draft: &mut Draft, words: &mut Split<'_, char>) -> Result<(), RuleRefusal> {
    let mut stage = Stage {
        orient: false,
        geometry: Vec::new(),
        effects: Vec::new(),
        cells: Cells::default(),
        gravity: None,
        dx: 0,
        dy: 0,
        pad: false,
        color: Rgb::WHITE,
        output: std::mem::take(&mut draft.output),
        original_on_error: false,
    };
    let seen = run(NAME, TABLE, words, &mut stage, &mut draft.ignored)?;
    if seen.is_empty() {
        return Err(RuleRefusal::syntax(format!("{NAME} has no operation")));
    }
    if stage.pad && !stage.geometry.iter().any(|(_, piece)| matches!(piece, Piece::Thumbnail(_))) {
        return Err(RuleRefusal::syntax(format!("{NAME}/pad/1 belongs to a thumbnail of <W>x<H>, which is missing")));
    }
    note_ignored(&seen, &stage, &mut draft.ignored);
    if stage.orient {
        draft.steps.push(Step::AutoOrient);
    }
    for (_, piece) in stage.geometry {
        match piece {
            Piece::Thumbnail(resize) if stage.pad => draft.steps.push(Step::Resize(padded(resize, stage.color)?)),
            Piece::Thumbnail(resize) => draft.steps.push(Step::Resize(resize)),
            Piece::Crop(form) => draft.steps.extend(form.steps(stage.gravity, stage.dx, stage.dy)),
            Piece::Cut(cut) => draft.steps.push(cut.step(stage.gravity)),
            Piece::Slice => {
                let missing = || RuleRefusal::syntax(format!("{NAME}/indexcrop needs width/<w> or height/<h>"));
                draft.steps.push(Step::Slice(stage.cells.slice().ok_or_else(missing)?));
            }
            Piece::Step(step) => draft.steps.push(step),
        }
    }
    draft.steps.extend(stage.effects.into_iter().map(|(_, effect)| Step::Effect(effect)));
    draft.output = stage.output;
    draft.original_on_error |= stage.original_on_error;
    Ok(())
}

/// Words that change nothing beside the others.
fn note_ignored(seen: &Seen<Stage>, stage: &Stage, ignored: &mut Ignored) {
    let (column, row) = stage.gravity.unwrap_or(Gravity::NorthWest).cells();
    let holds = seen.any(&["crop", "cut"]);
    for (word, idle, why) in [
        ("gravity", !holds, "goes with crop and cut"),
        ("dx", !holds || (seen.any(&["gravity"]) && column == 1), "goes with crop and cut, not along a centred axis"),
        ("dy", !holds || (seen.any(&["gravity"]) && row == 1), "goes with crop and cut, not along a centred axis"),
        ("color", !stage.pad, "goes with pad/1"),
        ("width", !seen.any(&["indexcrop"]), "goes with indexcrop"),
        ("height", !seen.any(&["indexcrop"]), "goes with indexcrop"),
        ("index", !seen.any(&["indexcrop"]), "goes with indexcrop"),
    ] {
        if idle && seen.any(&[word]) {
            ignored.note(|| format!("{NAME}/{word} {why}"));
        }
    }
    encode::note_ignored(NAME, seen, &stage.output, ignored);
}

fn padded(resize: Resize, color: Rgb) -> Result<Resize, RuleRefusal> {
    if let Resize { mode: Mode::Fit(target), enlarge: Enlarge::Allow } = resize
        && target.w.is_some()
        && target.h.is_some()
    {
        return Ok(Resize { mode: Mode::Pad(target, color), enlarge: Enlarge::Allow });
    }
    Err(RuleRefusal::syntax(format!("{NAME}/pad/1 goes with thumbnail/<W>x<H> only")))
}

/// Every operation, for documentation.
pub(super) fn operations() -> impl Iterator<Item = OperationDoc> {
    entries(NAME, TABLE)
}
