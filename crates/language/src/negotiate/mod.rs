//! Content negotiation: `Accept` to a class of clients, and class and plan to the format that is written
//! (RFC 9110, section 12.5.1).
//!
//! A modern format is given only to a client that names it. `*/*` and `image/*` come from clients that take what they
//! are given and show a broken picture; they speak for the old formats alone.

mod accept;
mod class;

#[cfg(test)]
mod tests;

pub use class::{Class, class};

use crate::error::{Error, Kind};
use crate::plan::{Format, Output, Source, Target};

/// Refuses a rule that asks for advanced compression by name where the site has it off.
///
/// # Errors
/// [`Kind::AdvancedOff`].
pub fn allowed(output: &Output, advanced: bool) -> Result<(), Error> {
    match output.target {
        Target::Fixed(format) if format.is_advanced() && !advanced => {
            let message = format!("{} is advanced compression, which is off for this bucket", format.name());
            Err(Error::new(Kind::AdvancedOff, message))
        }
        Target::Fixed(_) | Target::OnlyIfSource(_) | Target::Source => Ok(()),
    }
}

/// The format to write.
///
/// A format that the rule fixes is written or refused. Otherwise the client's order decides between what the site
/// offers and the source's own format; then the source's own; then, where that cannot be written, PNG for what may be
/// transparent and JPEG for the rest. `fits` says whether the result can be laid out in a format: a client that reads more
/// formats than another is never refused what the other gets.
///
/// # Errors
/// [`Kind::UnsupportedTarget`] if the rule's format cannot be written, or not from this source.
pub fn choose(
    output: &Output,
    source: &Source,
    class: Class,
    offered: &[Format],
    writable: &dyn Fn(Format) -> bool,
    fits: &dyn Fn(Format) -> bool,
) -> Result<Format, Error> {
    match output.target {
        Target::Fixed(format) => fixed(format, output, source, writable),
        // The source's own either way: the rule's format if it has that.
        Target::OnlyIfSource(_) => own(source, writable),
        Target::Source => {
            let moves = source.animated() && output.frames.moves();
            let holds = |format: Format| (!moves || format.animates()) && writable(format);
            for format in class.formats() {
                if format == source.format && writable(format) && fits(format) {
                    return Ok(format);
                }
                if offered.contains(&format) && holds(format) && fits(format) {
                    return Ok(format);
                }
            }
            own(source, writable)
        }
    }
}

fn fixed(format: Format, output: &Output, source: &Source, writable: &dyn Fn(Format) -> bool) -> Result<Format, Error> {
    if !writable(format) {
        let message = format!("{} cannot be written here; ask for another format", format.name());
        return Err(Error::new(Kind::UnsupportedTarget, message));
    }
    // The vendor converts still pictures only; where a rule takes the first frame, there is one.
    if format == Format::Heif && source.animated() && output.frames.moves() {
        let message = "an animation cannot be written as heif; ask for webp or gif";
        return Err(Error::new(Kind::UnsupportedTarget, message));
    }
    Ok(format)
}

fn own(source: &Source, writable: &dyn Fn(Format) -> bool) -> Result<Format, Error> {
    let fallback = if source.alpha { Format::Png } else { Format::Jpeg };
    [source.format, fallback].into_iter().find(|format| writable(*format)).ok_or_else(|| {
        let message = format!("neither {} nor {} can be written here", source.format.name(), fallback.name());
        Error::new(Kind::UnsupportedTarget, message)
    })
}
