//! `watermark`: text, a picture of the bucket (which may be processed first), or both.

use super::super::mark::{MAX_FONT_NAME, line};
use super::super::number::{short, whole};
use super::super::wire::base64;
use super::args::Args;
use super::crop::gravity;
use super::{ACTIONS, Draft, KEY_IS};
use crate::error::{Error, Kind};
use crate::plan::{Align, Gap, Gravity, Mark, MarkImage, MarkText, Rgb, Scale, Step, Subject};

/// Pictures of one rule's marks, and the code of more.
const MAX_IMAGES: usize = 3;
const TOO_MANY: i32 = 26;

/// Bytes of a text.
pub(super) const MAX_TEXT: usize = 64;

/// Bytes of what names a picture: a key with its processing.
pub(super) const MAX_OBJECT: usize = 2048;

/// The codes of what is not base64, and of a mark of nothing.
const NOT_BASE64: i32 = 265;
const NOTHING: i32 = 278;

/// What may be done to a mark's picture.
const ON_MARKS: [&str; 5] = ["resize", "crop", "indexcrop", "rounded-corners", "rotate"];

pub(super) fn parse(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let number = |key, range, code| args.number(key, range, code);
    let image = args.key("image").map(|value| image(args, value)).transpose()?;
    let text = args.key("text").map(|value| text(args, value)).transpose()?;
    let order = number("order", 0..=1, Some(269))?;
    let interval = number("interval", 0..=1000, Some(270))?.unwrap_or(0);
    let align = match number("align", 0..=2, Some(271))? {
        Some(0) => Align::Top,
        Some(1) => Align::Middle,
        None | Some(_) => Align::Bottom,
    };
    let subject = match (image, text) {
        (Some(image), None) => Subject::Image(image),
        (None, Some(text)) => Subject::Text(text),
        (Some(image), Some(text)) => Subject::Both { image, text, text_first: order == Some(1), align, interval },
        (None, None) => return Err(args.missing(Some(NOTHING))),
    };
    // A picture alone may keep an animation moving, if the rule asks for it.
    let moves = number("animation", 0..=1, None)? == Some(1) && matches!(subject, Subject::Image(_));
    draft.stills |= !moves;
    draft.moving_marks |= moves;
    let has = |keys: &[&str]| keys.iter().any(|key| args.key(key).is_some());
    let (words, both) = (!matches!(subject, Subject::Image(_)), matches!(subject, Subject::Both { .. }));
    let note = &mut draft.ignored;
    note.note_if(!words && has(&["type", "color", "size", "shadow", "rotate"]), "watermark: these keys go with text");
    note.note_if(!both && has(&["order", "align", "interval"]), "watermark: order, align and interval go with both");
    note.note_if(words && has(&["animation"]), "watermark: animation goes with a picture alone");
    note.note_if(has(&["padx", "pady"]) && args.key("fill") != Some("1"), "watermark: padx and pady go with fill_1");
    let mark = placed(args, subject)?;
    let (column, row) = mark.gravity.cells();
    note.note_if(column == 1 && has(&["x"]), "watermark: x does nothing in the middle column");
    note.note_if(row == 1 && has(&["y"]), "watermark: y does nothing in the middle row");
    note.note_if(row != 1 && has(&["voffset"]), "watermark: voffset goes with the middle row");
    draft.steps.push(Step::Mark(Box::new(mark)));
    let images = draft.steps.iter().filter(|step| matches!(step, Step::Mark(mark) if mark.image().is_some())).count();
    if images > MAX_IMAGES {
        let message = format!("the rule has more than {MAX_IMAGES} picture marks");
        return Err(Error::new(Kind::BadRule, message).with_code(TOO_MANY));
    }
    Ok(())
}

/// The words that say where, how often and how strongly.
fn placed(args: &Args<'_>, subject: Subject) -> Result<Mark, Error> {
    let number = |key, most, code| args.number(key, 0..=most, code);
    let opacity = number("t", 100, Some(263))?.unwrap_or(100);
    let gravity = match args.key("g") {
        None => Gravity::SouthEast,
        Some(name) => gravity(name).ok_or_else(|| args.invalid("g", name, None))?,
    };
    let (x, y) = (number("x", 4096, Some(262))?.unwrap_or(10), number("y", 4096, None)?.unwrap_or(10));
    let shift = args.key("voffset").map(|text| signed(text).ok_or_else(|| args.invalid("voffset", text, Some(268))));
    let shift = shift.transpose()?.unwrap_or(0);
    let (padx, pady) = (number("padx", 4096, Some(276))?, number("pady", 4096, None)?);
    let fill = args.number("fill", 0..=1, Some(274))? == Some(1);
    let (column, row) = gravity.cells();
    let pixels = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    Ok(Mark {
        subject,
        opacity: u8::try_from(opacity).unwrap_or(100),
        gravity,
        dx: if column == 1 { 0 } else { pixels(x) },
        dy: if row == 1 { shift } else { pixels(y) },
        tiles: fill.then(|| Gap::Pixels(padx.unwrap_or(0), pady.unwrap_or(0))),
    })
}

fn text(args: &Args<'_>, value: &str) -> Result<MarkText, Error> {
    let text = decoded(args, "text", value, MAX_TEXT)?;
    let text = line(&text).ok_or_else(|| args.invalid("text", value, None))?;
    let font = match args.key("type") {
        Some(value) => decoded(args, "type", value, MAX_FONT_NAME)?,
        None => "wqy-zenhei".to_owned(),
    };
    let font = line(&font).ok_or_else(|| args.invalid("type", args.key("type").unwrap_or_default(), None))?;
    let color = match args.key("color") {
        Some(text) => Rgb::from_hex(text).ok_or_else(|| args.invalid("color", text, None))?,
        None => Rgb { r: 0, g: 0, b: 0 },
    };
    let number = |key, range, code| args.number(key, range, Some(code));
    let size = number("size", 1..=1000, 256)?.unwrap_or(40);
    let shadow = number("shadow", 0..=100, 255)?.unwrap_or(0);
    let degrees = number("rotate", 0..=360, 272)?.unwrap_or(0) % 360;
    Ok(MarkText {
        text,
        font,
        size: u16::try_from(size).unwrap_or(u16::MAX),
        color,
        shadow: u8::try_from(shadow).unwrap_or(100),
        degrees: u16::try_from(degrees).unwrap_or(0),
        scale: None,
    })
}

/// `panda.png`, or `panda.png?x-oss-process=image/resize,P_30/rotate,90`.
fn image(args: &Args<'_>, value: &str) -> Result<MarkImage, Error> {
    let text = decoded(args, "image", value, MAX_OBJECT)?;
    let (object, process) = match text.split_once('?') {
        Some((object, process)) => (object, process.strip_prefix(KEY_IS).ok_or_else(|| not_base64(value))?),
        None => (text.as_str(), ""),
    };
    let object = object.strip_prefix('/').unwrap_or(object);
    if object.is_empty() || object.contains('\0') {
        return Err(args.invalid("image", value, Some(NOT_BASE64)));
    }
    let mut nested = Draft::default();
    let (mut before, mut scale) = (Vec::new(), None);
    if !process.is_empty() {
        let refused = |what: &str| {
            let message =
                format!("a mark's picture may be processed with {}, not with {}", ON_MARKS.join(", "), short(what));
            Error::new(Kind::BadRule, message)
        };
        let actions =
            process.strip_prefix("image/").filter(|text| !text.contains('|')).ok_or_else(|| refused(process))?;
        for action in actions.split('/') {
            let name = action.split(',').next().unwrap_or_default();
            if !ON_MARKS.contains(&name) {
                return Err(refused(name));
            }
            match relative(action)? {
                Some(_) if scale.is_some() => return Err(refused("two sizes relative to the picture")),
                Some(within) => {
                    scale = Some(within);
                    before = std::mem::take(&mut nested.steps);
                }
                None => nested.action(action)?,
            }
        }
    }
    let (host, after) = (None, nested.steps);
    Ok(MarkImage { object: object.to_owned(), host, before, scale, after, shrink: false, degrees: 0 })
}

/// `resize,P_30`: the percent of the picture that is marked.
fn relative(action: &str) -> Result<Option<Scale>, Error> {
    let Some(words) = action.strip_prefix("resize,") else { return Ok(None) };
    let Some(resize) = ACTIONS.iter().find(|action| action.name == "resize") else { return Ok(None) };
    let percent = Args::new(resize, Some(words)).number("P", 1..=100, Some(317))?;
    Ok(percent.and_then(|percent| u8::try_from(percent).ok()).map(Scale::Within))
}

fn decoded(args: &Args<'_>, key: &str, value: &str, most: usize) -> Result<String, Error> {
    let text = base64(value).and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| not_base64(value))?;
    if text.len() > most {
        let Error { message, .. } = args.invalid(key, value, None);
        return Err(Error::new(Kind::BadRule, format!("{message} {key} has at most {most} bytes.")));
    }
    Ok(text)
}

fn not_base64(value: &str) -> Error {
    let message = format!("Input is not base64 decoding. ({})", short(value));
    Error::new(Kind::BadRule, message).with_code(NOT_BASE64)
}

/// -1000 to 1000.
fn signed(text: &str) -> Option<i32> {
    let (digits, sign) = text.strip_prefix('-').map_or((text, 1), |digits| (digits, -1));
    whole(digits).filter(|number| *number <= 1000).and_then(|number| i32::try_from(number).ok()).map(|n| sign * n)
}
