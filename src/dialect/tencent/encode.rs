//! How the result is written: words that `imageMogr2` and `imageView2` share.

use std::ops::RangeInclusive;

use super::super::number::whole;
use super::table::Wrong;
use crate::plan::{Format, Output, Quality, Target};

pub(super) const IGNORE_ERROR: &str = "ignore-error";

/// The values of `format`, for messages.
pub(super) const FORMATS: &str = "jpg, jpeg, yjpeg, png, gif, bmp, webp, avif, heif, heic, tiff or tpg";

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
        // `yjpeg` is an ordinary JPEG from an encoder that optimises.
        "jpg" | "jpeg" | "yjpeg" => Format::Jpeg,
        "png" => Format::Png,
        "gif" => Format::Gif,
        "bmp" => Format::Bmp,
        "webp" => Format::WebP,
        "avif" => Format::Avif,
        "heif" | "heic" => Format::Heif,
        "tiff" => Format::Tiff,
        // No encoder of it is public: refused when the format is chosen, where `ignore-error` is heard.
        "tpg" => Format::Tpg,
        "apng" | "psd" | "svgc" => return Err(Wrong::Unsupported),
        _ => return Err(Wrong::Form),
    };
    output.target = Target::Fixed(format);
    Ok(())
}

/// `quality`: with `!` forced, otherwise never above the source's. The vendor's 0 is the lowest there is, 1.
pub(super) fn quality(output: &mut Output, text: &str) -> Result<(), Wrong> {
    output.quality = match text.strip_suffix('!') {
        Some(text) => Quality::Forced(percent(text)?),
        None => Quality::Capped(percent(text)?),
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

fn percent(text: &str) -> Result<u8, Wrong> {
    number::<u8>(text, 0..=100).map(|q| q.max(1))
}
