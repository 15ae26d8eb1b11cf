//! How the result is written: words that `imageMogr2` and `imageView2` share.

use std::ops::RangeInclusive;

use super::super::Ignored;
use super::super::formats;
use super::super::number::{decimal, whole};
use super::table::{Seen, Wrong};
use crate::plan::{Format, Frames, Output, Quality, SizeLimit, Target};

pub(super) const IGNORE_ERROR: &str = "ignore-error";

/// A whole number in a range.
pub(super) fn number<T: TryFrom<u64>>(text: &str, range: RangeInclusive<u64>) -> Result<T, Wrong> {
    let number = whole(text).ok_or(Wrong::Form)?;
    if !range.contains(&number) {
        return Err(Wrong::Range);
    }
    T::try_from(number).map_err(|_| Wrong::Range)
}

/// `0` or `1`.
pub(super) fn switch(text: &str) -> Result<bool, Wrong> {
    number::<u8>(text, 0..=1).map(|number| number == 1)
}

/// `format`.
pub(super) fn format(output: &mut Output, text: &str) -> Result<(), Wrong> {
    let format = match text {
        "apng" => Format::Png,
        "psd" | "svgc" => return Err(Wrong::Unsupported),
        text => formats::of_tencent(text).ok_or(Wrong::Form)?,
    };
    output.target = Target::Fixed(format);
    // The container is the same; whether it moves is what the two names tell apart.
    output.frames = match (text, output.frames) {
        (_, Frames::Only(number)) => Frames::Only(number),
        ("png", _) => Frames::First,
        (_, Frames::First) => Frames::All,
        (_, picked) => picked,
    };
    Ok(())
}

/// `cgif`: the most frames, 1 to 100, where 1 stands for 30.
pub(super) fn cgif(output: &mut Output, text: &str) -> Result<(), Wrong> {
    let most = match number(text, 1..=100)? {
        1 => 30,
        most => most,
    };
    every(output, |step, _| Frames::Every { step, most });
    Ok(())
}

/// `egif`: one frame of so many.
pub(super) fn egif(output: &mut Output, text: &str) -> Result<(), Wrong> {
    let step = number(text, 1..=300)?;
    every(output, |_, most| Frames::Every { step, most });
    Ok(())
}

/// `frame`: the one of this number, from 1.
pub(super) fn frame(output: &mut Output, text: &str) -> Result<(), Wrong> {
    output.frames = Frames::Only(number(text, 1..=u64::from(u32::MAX))?);
    Ok(())
}

/// Changes one half of a choice of frames. A single frame stays one.
fn every(output: &mut Output, change: impl Fn(u32, u32) -> Frames) {
    output.frames = match output.frames {
        Frames::All => change(1, u32::MAX),
        Frames::Every { step, most } => change(step, most),
        single @ (Frames::First | Frames::Only(_)) => single,
    };
}

/// The values of `quality`, for messages.
pub(super) const QUALITIES: &str = "0 to 100, with ! to force it, or auto or auto1 to auto100";

/// `quality`: with `!` forced, otherwise never above the source's. The vendor's 0 is the lowest there is, 1. `auto` is ours.
pub(super) fn quality(output: &mut Output, text: &str) -> Result<(), Wrong> {
    output.quality = match (text.strip_prefix("auto"), text.strip_suffix('!')) {
        (Some(""), _) => Quality::AUTO,
        (Some(score), _) => Quality::Auto(number(score, 1..=100)?),
        (None, Some(text)) => Quality::Forced(percent(text)?),
        (None, None) => Quality::Capped(percent(text)?),
    };
    Ok(())
}

/// `rquality`.
pub(super) fn relative(output: &mut Output, text: &str) -> Result<(), Wrong> {
    output.quality = Quality::Relative(percent(text)?);
    Ok(())
}

/// `lquality`. A floor of 0 is none.
pub(super) fn floor(output: &mut Output, text: &str) -> Result<(), Wrong> {
    output.quality_floor = Some(number::<u8>(text, 0..=100)?).filter(|floor| *floor > 0);
    Ok(())
}

/// `size-limit`: kilobytes or megabytes of 1024, with `!` the original where it is no larger.
pub(super) fn size_limit(output: &mut Output, text: &str) -> Result<(), Wrong> {
    let (size, or_original) = match text.strip_suffix('!') {
        Some(size) => (size, true),
        None => (text, false),
    };
    let (number, unit) = match (size.strip_suffix('k'), size.strip_suffix('m')) {
        (Some(number), _) => (number, 1 << 10),
        (None, Some(number)) => (number, 1 << 20),
        (None, None) => return Err(Wrong::Form),
    };
    // Rules in use have decimals here.
    let bytes = decimal(number, 3).ok_or(Wrong::Form)?.saturating_mul(unit) / 1000;
    if bytes == 0 {
        return Err(Wrong::Range);
    }
    output.size_limit = Some(SizeLimit { bytes, or_original });
    Ok(())
}

/// Words about the encoding that change nothing for the format that the stage names.
pub(super) fn note_ignored<S>(module: &str, seen: &Seen<S>, output: &Output, ignored: &mut Ignored) {
    let Target::Fixed(format) = output.target else { return };
    for (words, idle, why) in [
        (&["interlace", "size-limit"][..], format != Format::Jpeg, "is for JPEG"),
        (
            &["quality", "rquality", "lquality", "q", "rq", "lq"][..],
            !format.has_quality(),
            "is for JPEG, WebP, AVIF and HEIF",
        ),
        (&["cgif", "egif"][..], !(format.animates() || format == Format::Png), "is for animations"),
    ] {
        for word in words.iter().filter(|word| idle && seen.any(&[**word])) {
            ignored.note(|| format!("{module}/{word} {why}, the format is {}", format.name()));
        }
    }
}

fn percent(text: &str) -> Result<u8, Wrong> {
    number::<u8>(text, 0..=100).map(|q| q.max(1))
}
