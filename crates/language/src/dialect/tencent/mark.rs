//! `watermark/1` (a picture) and `watermark/2` (text): the tables of their words. 3 and 4 are invisible marks, whose
//! algorithm is not public.

use std::str::Split;

use percent_encoding::percent_decode_str;

use super::super::mark::{MAX_FONT_NAME, color_name, line};
use super::super::wire::{base64, is_credential, name_of, pieces};
use super::super::{Ignored, OperationDoc};
use super::size::pixels;
use super::table::{Operation, Parse, RuleRefusal, Seen, Wrong, entries, run};
use super::{Draft, encode};
use crate::plan::{Gap, Gravity, Mark, MarkImage, MarkText, Rgb, Scale, Step, Subject};

pub(super) const NAME: &str = "watermark";

/// Pictures of one rule's marks.
const MAX_IMAGES: usize = 10;

/// Bytes of a text. No page names a number.
pub(super) const MAX_TEXT: usize = 512;

/// Bytes of an object's key.
pub(super) const MAX_KEY: usize = 1024;

pub(super) const DEFAULT_COLOR: Rgb = Rgb { r: 0x3d, g: 0x3d, b: 0x3d };

/// A stage while its words are read. Both kinds of marks share it; each has only the words of its table.
#[derive(Default)]
struct Stage {
    image: Option<(String, Option<String>)>,
    text: Option<String>,
    font: Option<String>,
    size: Option<u16>,
    color: Option<Rgb>,
    shadow: u8,
    gravity: Option<Gravity>,
    dx: u32,
    dy: u32,
    dissolve: Option<u8>,
    batch: bool,
    spacing: Option<u8>,
    degree: u16,
    scale_by: Option<u8>,
    scale: Option<u16>,
    shrink: bool,
    original_on_error: bool,
}

const IMAGE: &[Operation<Stage>] = &[
    Operation {
        name: "image",
        accepts: "URL-safe base64 of the http:// URL of an object of the same bucket",
        doc: "the picture",
        parse: Parse::Value(|stage, value| {
            stage.image = Some(url(&text(value, MAX_KEY * 3)?)?);
            Ok(())
        }),
    },
    Operation {
        name: "image_key",
        accepts: "URL-safe base64 of the key of an object of the same bucket",
        doc: "the picture",
        parse: Parse::Value(|stage, value| {
            let key = text(value, MAX_KEY)?;
            stage.image = Some((object(key.trim_start_matches('/'))?, None));
            Ok(())
        }),
    },
    Operation {
        name: "blogo",
        accepts: "1 or 2",
        doc: "a mark that is larger than the picture: 1 shrinks it, 2 shows the part that has room",
        parse: Parse::Value(|stage, value| {
            stage.shrink = encode::number::<u8>(value, 1..=2)? == 1;
            Ok(())
        }),
    },
    GRAVITY,
    DX,
    DY,
    DISSOLVE,
    BATCH,
    SPACING,
    DEGREE,
    SCALE_BY,
    SCALE,
    ON_ERROR,
];

const TEXT: &[Operation<Stage>] = &[
    Operation {
        name: "text",
        accepts: "URL-safe base64 of 1 to 512 bytes of UTF-8",
        doc: "the text",
        parse: Parse::Value(|stage, value| {
            stage.text = Some(line(&text(value, MAX_TEXT)?).ok_or(Wrong::Form)?);
            Ok(())
        }),
    },
    Operation {
        name: "font",
        accepts: "URL-safe base64 of the name of a font",
        doc: "the font; what stands for it is configured",
        parse: Parse::Value(|stage, value| {
            stage.font = Some(line(&text(value, MAX_FONT_NAME)?).ok_or(Wrong::Form)?);
            Ok(())
        }),
    },
    Operation {
        name: "fontsize",
        accepts: "points, 1 to 1000",
        doc: "the size of the letters; a point is a pixel",
        parse: Parse::Value(|stage, value| {
            stage.size = Some(encode::number(value, 1..=1000)?);
            Ok(())
        }),
    },
    Operation {
        name: "fill",
        accepts: "URL-safe base64 of #RRGGBB or of a colour's name",
        doc: "the colour of the letters",
        parse: Parse::Value(|stage, value| {
            let text = text(value, 32)?;
            let hex = text.strip_prefix('#').and_then(Rgb::from_hex);
            stage.color = Some(hex.or_else(|| color_name(&text)).ok_or(Wrong::Form)?);
            Ok(())
        }),
    },
    Operation {
        name: "shadow",
        accepts: "0 to 100",
        doc: "opacity of a shadow",
        parse: Parse::Value(|stage, value| {
            stage.shadow = encode::number(value, 0..=100)?;
            Ok(())
        }),
    },
    GRAVITY,
    DX,
    DY,
    DISSOLVE,
    BATCH,
    SPACING,
    DEGREE,
    SCALE_BY,
    SCALE,
    ON_ERROR,
];

const GRAVITY: Operation<Stage> = Operation {
    name: "gravity",
    accepts: "northwest, north, northeast, west, center, east, southwest, south or southeast",
    doc: "where the mark stands",
    parse: Parse::Value(|stage, value| {
        stage.gravity = Some(Gravity::from_name(value).ok_or(Wrong::Form)?);
        Ok(())
    }),
};
const DX: Operation<Stage> = Operation {
    name: "dx",
    accepts: "pixels",
    doc: "horizontal distance from the edge",
    parse: Parse::Value(|stage, value| {
        stage.dx = pixels(value)?;
        Ok(())
    }),
};
const DY: Operation<Stage> = Operation {
    name: "dy",
    accepts: "pixels",
    doc: "vertical distance from the edge",
    parse: Parse::Value(|stage, value| {
        stage.dy = pixels(value)?;
        Ok(())
    }),
};
const DISSOLVE: Operation<Stage> = Operation {
    name: "dissolve",
    accepts: "1 to 100",
    doc: "opacity",
    parse: Parse::Value(|stage, value| {
        stage.dissolve = Some(encode::number(value, 1..=100)?);
        Ok(())
    }),
};
const BATCH: Operation<Stage> = Operation {
    name: "batch",
    accepts: "0 or 1",
    doc: "repeat the mark over the whole picture",
    parse: Parse::Value(|stage, value| {
        stage.batch = encode::switch(value)?;
        Ok(())
    }),
};
const SPACING: Operation<Stage> = Operation {
    name: "spacing",
    accepts: "0 to 100",
    doc: "space between repeated marks, in percent of the mark",
    parse: Parse::Value(|stage, value| {
        stage.spacing = Some(encode::number(value, 0..=100)?);
        Ok(())
    }),
};
const DEGREE: Operation<Stage> = Operation {
    name: "degree",
    accepts: "0 to 360",
    doc: "turn repeated marks clockwise",
    parse: Parse::Value(|stage, value| {
        stage.degree = encode::number(value, 0..=360)?;
        Ok(())
    }),
};
const SCALE_BY: Operation<Stage> = Operation {
    name: "scatype",
    accepts: "1, 2 or 3",
    doc: "measure the mark by the picture's width, height or area",
    parse: Parse::Value(|stage, value| {
        stage.scale_by = Some(encode::number(value, 1..=3)?);
        Ok(())
    }),
};
const SCALE: Operation<Stage> = Operation {
    name: "spcent",
    accepts: "1 to 1000, by area 1 to 250",
    doc: "by how many thousandths",
    parse: Parse::Value(|stage, value| {
        stage.scale = Some(encode::number(value, 1..=1000)?);
        Ok(())
    }),
};
const ON_ERROR: Operation<Stage> = Operation {
    name: encode::IGNORE_ERROR,
    accepts: "0 or 1",
    doc: "answer with the original where a limit is exceeded",
    parse: Parse::Value(|stage, value| {
        stage.original_on_error = encode::switch(value)?;
        Ok(())
    }),
};

/// A value in base64, of at most so many bytes of UTF-8.
fn text(value: &str, most: usize) -> Result<String, Wrong> {
    let bytes = base64(value).ok_or(Wrong::Form)?;
    if bytes.len() > most {
        return Err(Wrong::Range);
    }
    String::from_utf8(bytes).map_err(|_| Wrong::Form)
}

/// Key and host of `http://HOST/KEY`. A signature in the query is not needed here and dropped; anything else in it would
/// mean another object or other pixels.
fn url(text: &str) -> Result<(String, Option<String>), Wrong> {
    let rest = text.strip_prefix("http://").ok_or(Wrong::Form)?;
    let (host, path) = rest.split_once('/').ok_or(Wrong::Form)?;
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let plain = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    if host.is_empty() || !plain || path.contains('#') {
        return Err(Wrong::Form);
    }
    // Who asked, and how an answer's header fields are to look, does not matter to a mark; anything else asks for another.
    let matters = |piece: &str| !is_credential(&name_of(piece)) && !piece.starts_with("response-");
    if pieces(query).any(matters) {
        return Err(Wrong::Unsupported);
    }
    let key = percent_decode_str(path).decode_utf8().map_err(|_| Wrong::Form)?;
    Ok((object(&key)?, Some(host.to_ascii_lowercase())))
}

fn object(key: &str) -> Result<String, Wrong> {
    if key.is_empty() || key.contains('\0') { Err(Wrong::Form) } else { Ok(key.to_owned()) }
}

/// Reads the words after the name.
pub(super) fn parse(draft: &mut Draft, words: &mut Split<'_, char>) -> Result<(), RuleRefusal> {
    let mut stage = Stage::default();
    let subject = match words.next().unwrap_or_default() {
        "1" => {
            let seen = run("watermark/1", IMAGE, words, &mut stage, &mut draft.ignored)?;
            note_ignored(&seen, &stage, &mut draft.ignored);
            Subject::Image(stage.picture()?)
        }
        "2" => {
            let seen = run("watermark/2", TEXT, words, &mut stage, &mut draft.ignored)?;
            note_ignored(&seen, &stage, &mut draft.ignored);
            Subject::Text(stage.letters()?)
        }
        kind @ ("3" | "4") => {
            return Err(RuleRefusal::unsupported(format!("{NAME}/{kind} (an invisible mark) is not available here")));
        }
        _ => return Err(RuleRefusal::syntax(format!("{NAME} is followed by 1 (a picture) or 2 (text)"))),
    };
    let gravity = stage.gravity.unwrap_or(Gravity::SouthEast);
    let (column, row) = gravity.cells();
    // Inward, and none on a centred axis.
    let inward = |by: u32, cell: usize| if cell == 1 { 0 } else { i32::try_from(by).unwrap_or(i32::MAX) };
    let mark = Mark {
        subject,
        opacity: stage.dissolve.unwrap_or(90),
        gravity,
        dx: inward(stage.dx, column),
        dy: inward(stage.dy, row),
        tiles: stage.batch.then(|| Gap::Percent(stage.spacing.unwrap_or(10))),
    };
    draft.steps.push(Step::Mark(Box::new(mark)));
    draft.original_on_error |= stage.original_on_error;
    let images = draft.steps.iter().filter(|step| matches!(step, Step::Mark(mark) if mark.image().is_some())).count();
    if images > MAX_IMAGES {
        return Err(RuleRefusal::range(format!(
            "the rule has {images} picture marks; it may have at most {MAX_IMAGES}"
        )));
    }
    Ok(())
}

/// Words that change nothing beside the others.
fn note_ignored(seen: &Seen<Stage>, stage: &Stage, ignored: &mut Ignored) {
    let (column, row) = stage.gravity.unwrap_or(Gravity::SouthEast).cells();
    for (word, idle, why) in [
        ("dx", column == 1, "does nothing along a centred axis"),
        ("dy", row == 1, "does nothing along a centred axis"),
        ("spacing", !stage.batch, "goes with batch/1"),
        ("degree", !stage.batch, "goes with batch/1"),
        ("scatype", stage.scale.is_none(), "needs spcent"),
        ("spcent", stage.scale_by.is_none(), "needs scatype"),
    ] {
        if idle && seen.any(&[word]) {
            ignored.note(|| format!("{NAME}/{word} {why}"));
        }
    }
}

impl Stage {
    fn picture(&mut self) -> Result<MarkImage, RuleRefusal> {
        let missing = || RuleRefusal::syntax("watermark/1 needs image/<base64> or image_key/<base64>");
        let (object, host) = self.image.take().ok_or_else(missing)?;
        let (before, after) = (Vec::new(), Vec::new());
        let (scale, degrees) = (self.relative()?, self.degrees());
        Ok(MarkImage { object, host, before, scale, after, shrink: self.shrink, degrees })
    }

    fn letters(&mut self) -> Result<MarkText, RuleRefusal> {
        let text = self.text.take().ok_or_else(|| RuleRefusal::syntax("watermark/2 needs text/<base64>"))?;
        Ok(MarkText {
            text,
            font: self.font.take().unwrap_or_else(|| "tahoma.ttf".into()),
            size: self.size.unwrap_or(13),
            color: self.color.unwrap_or(DEFAULT_COLOR),
            shadow: self.shadow,
            degrees: self.degrees(),
            scale: self.relative()?,
        })
    }

    /// Only repeated marks turn.
    fn degrees(&self) -> u16 {
        if self.batch { self.degree % 360 } else { 0 }
    }

    /// Both words are needed.
    fn relative(&self) -> Result<Option<Scale>, RuleRefusal> {
        let (Some(by), Some(k)) = (self.scale_by, self.scale) else { return Ok(None) };
        match by {
            1 => Ok(Some(Scale::Width(k))),
            2 => Ok(Some(Scale::Height(k))),
            _ if k <= 250 => Ok(Some(Scale::Area(k))),
            _ => Err(RuleRefusal::range(format!(
                "{NAME}: spcent/{k} is out of range; by area (scatype/3) it is 1 to 250"
            ))),
        }
    }
}

/// Every operation, for documentation.
pub(super) fn operations() -> impl Iterator<Item = OperationDoc> {
    entries("watermark/1", IMAGE).chain(entries("watermark/2", TEXT))
}
