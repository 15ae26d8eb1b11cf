//! `imageView2`: thumbnails by mode. Never enlarges; modes 1 and 5 crop what there is.

use std::str::Split;

use super::super::OperationDoc;
use super::super::formats;
use super::super::number::within;
use super::Draft;
use super::encode;
use super::size::side;
use super::table::{Operation, Parse, RuleRefusal, entries, run};
use crate::plan::{Axes, Box2, Enlarge, Gravity, Mode, Output, Resize, Step};

pub(super) const NAME: &str = "imageView2";

/// A stage while its words are read.
struct Stage {
    w: Option<u32>,
    h: Option<u32>,
    output: Output,
    original_on_error: bool,
}

const TABLE: &[Operation<Stage>] = &[
    Operation {
        name: "w",
        accepts: "pixels from 1",
        doc: "width, or the long edge in modes 0, 4 and 5",
        parse: Parse::Value(|stage, value| {
            stage.w = Some(side(value)?);
            Ok(())
        }),
    },
    Operation {
        name: "h",
        accepts: "pixels from 1",
        doc: "height, or the short edge in modes 0, 4 and 5",
        parse: Parse::Value(|stage, value| {
            stage.h = Some(side(value)?);
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
        name: "q",
        accepts: encode::QUALITIES,
        doc: "at most this quality, or the source's if that is lower; auto: as few bytes as reach this SSIMULACRA2 (70)",
        parse: Parse::Value(|stage, value| encode::quality(&mut stage.output, value)),
    },
    Operation {
        name: "rq",
        accepts: "0 to 100",
        doc: "percent of the source's quality",
        parse: Parse::Value(|stage, value| encode::relative(&mut stage.output, value)),
    },
    Operation {
        name: "lq",
        accepts: "0 to 100",
        doc: "at least this quality",
        parse: Parse::Value(|stage, value| encode::floor(&mut stage.output, value)),
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
];

/// Reads the words after the name. The mode may be missing where only the encoding changes.
pub(super) fn parse(draft: &mut Draft, words: &mut Split<'_, char>) -> Result<(), RuleRefusal> {
    let mut ahead = words.clone();
    let first =
        ahead.next().ok_or_else(|| RuleRefusal::syntax(format!("{NAME} has neither a mode nor an operation")))?;
    let is_mode = !first.is_empty() && first.bytes().all(|b| b.is_ascii_digit());
    let mode: Option<u8> = match is_mode {
        true => {
            *words = ahead;
            let mode = within(first, 0..=5);
            Some(mode.ok_or_else(|| RuleRefusal::range(format!("{NAME}/{first} is out of range; modes are 0 to 5")))?)
        }
        false => None,
    };
    let output = std::mem::take(&mut draft.output);
    let mut stage = Stage { w: None, h: None, output, original_on_error: false };
    let seen = run(NAME, TABLE, words, &mut stage, &mut draft.ignored)?;
    encode::note_ignored(NAME, &seen, &stage.output, &mut draft.ignored);
    if mode.is_some() && !seen.any(&["w", "h"]) {
        draft.ignored.note(|| format!("{NAME}/{first} has neither w nor h, so its mode changes nothing"));
    }
    if stage.w.is_some() || stage.h.is_some() {
        let mode =
            mode.ok_or_else(|| RuleRefusal::syntax(format!("{NAME}/w and /h need a mode, 0 to 5, before them")))?;
        draft.steps.push(Step::Resize(resize(mode, stage.w, stage.h)));
    }
    draft.output = stage.output;
    draft.original_on_error |= stage.original_on_error;
    Ok(())
}

/// Modes 0, 4 and 5 bind `w` to the longer edge whatever the orientation. Only modes 0 and 2 leave a missing side free.
fn resize(mode: u8, w: Option<u32>, h: Option<u32>) -> Resize {
    let axes = if matches!(mode, 0 | 4 | 5) { Axes::LongShort } else { Axes::WidthHeight };
    let free = Box2 { w, h, axes };
    let square = Box2 { w: w.or(h), h: h.or(w), axes };
    match mode {
        1 | 5 => Resize { mode: Mode::Fill(square, Gravity::Center), enlarge: Enlarge::Clamp },
        3 | 4 => Resize { mode: Mode::Cover(square), enlarge: Enlarge::Skip },
        // 0 and 2: modes end at 5.
        _ => Resize { mode: Mode::Fit(free), enlarge: Enlarge::Skip },
    }
}

/// Every operation, for documentation.
pub(super) fn operations() -> impl Iterator<Item = OperationDoc> {
    entries(NAME, TABLE)
}
