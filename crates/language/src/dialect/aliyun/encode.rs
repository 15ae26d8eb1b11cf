//! `format`, `quality` and `interlace`: settings of the final encode, wherever they stand.

use super::super::formats;
use super::Draft;
use super::args::Args;
use crate::error::Error;
use crate::plan::{Format, Quality, Target};

pub(super) fn format(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    draft.output.target = match args.only(Some(207))? {
        // A source of another format is saved in its own.
        "gif" => Target::OnlyIfSource(Format::Gif),
        text => match formats::of_aliyun(text) {
            Some(format) => Target::Fixed(format),
            None => return Err(args.invalid("format", text, Some(206))),
        },
    };
    Ok(())
}

pub(super) fn quality(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    let percent = |key| args.number(key, 1..=100, Some(308)).map(|q| q.and_then(|q| u8::try_from(q).ok()));
    let (relative, absolute) = (percent("q")?, percent("Q")?);
    let score = args.number("auto", 1..=100, Some(308))?.and_then(|score| u8::try_from(score).ok());
    let given = [absolute.is_some(), relative.is_some(), args.has("lossless"), args.has("auto") || score.is_some()];
    let more = given.into_iter().filter(|given| *given).count() > 1;
    draft.ignored.note_if(more, "quality: one of Q, q, lossless and auto counts, in this order");
    // `Q` wins over `q`. `auto` is ours.
    draft.output.quality = match (absolute, relative) {
        (Some(q), _) => Quality::Capped(q),
        (None, Some(q)) => Quality::Relative(q),
        (None, None) if args.has("lossless") => Quality::Lossless,
        (None, None) if args.has("auto") => Quality::AUTO,
        (None, None) => score.map(Quality::Auto).ok_or_else(|| args.missing(Some(307)))?,
    };
    draft.still = true;
    Ok(())
}

pub(super) fn interlace(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    draft.output.progressive = match args.only(Some(282))? {
        "0" => false,
        "1" => true,
        other => return Err(args.invalid("interlace", other, Some(282))),
    };
    Ok(())
}
