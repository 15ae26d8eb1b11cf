//! What a conversion must come to, told from the header and the plan alone, and whether what a worker hands back is that.
//!
//! A worker has read a hostile file: from then on nothing that it says is believed. Its result is a picture of the format,
//! the size and the frames that were laid out, read by the service's own [`probe`], or the original but for its metadata where
//! the plan allows that, and nothing else.

use super::seek;
use crate::Facts;
use crate::error::Kind;
use crate::job::{Job, Outcome};
use crate::layout::settle;
use crate::plan::{self, Answer, Format, Layout, Source};
use crate::probe::{Header, probe};

/// Bytes of a result for each of its pixels at most: twice what four channels take.
const A_PIXEL: u64 = 8;
/// Bytes for each of its frames: tables of colours, boxes.
const A_FRAME: u64 = 4 << 10;
/// Bytes whatever its size: metadata of our own.
const ALWAYS: u64 = 1 << 20;

/// Bytes of metadata that the original may have more when it is given away.
const BLOCK: usize = 64 << 10;

/// Whether two pictures are the same but for their metadata, as far as their headers tell.
fn alike(one: &Source, other: &Source) -> bool {
    (one.format, one.width, one.height, one.frames) == (other.format, other.width, other.height, other.frames)
}

/// What a conversion must come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    result: Target,
    /// Facts in place of a picture.
    facts: Option<plan::FactsAsked>,
    /// Bytes of the original.
    source_bytes: u64,
}

/// A picture, or facts about one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Target {
    /// One that is made.
    Made {
        /// Its format.
        format: Format,
        /// Its size as stored.
        width: u32,
        height: u32,
        /// Its frames at most.
        frames: u32,
        /// The original, if that may stand for it.
        or: Option<Header>,
    },
    /// The original, of which this is known.
    Known(Header),
    /// The original, of which only the plug-in's workers know anything.
    Unknown,
}

impl Expected {
    /// What `job` must come to, for an original with this header, of so many bytes. `layout` is the job's plan over that
    /// header, in the job's format.
    pub fn of(job: &Job, header: &Header, layout: &Layout, source_bytes: u64) -> Self {
        let output = match &job.plan.answer {
            Answer::Image(output) => output,
            Answer::Facts(wanted) => {
                return Self { result: Target::Known(*header), facts: Some(*wanted), source_bytes };
            }
        };
        let (format, source) = (job.format, header.source);
        let (layout, _) = settle(layout.clone(), output, format);
        let unchanged = layout.ops.is_empty() && format == source.format;
        let original = match seek::wish(output, &job.policy, format, layout.frames) {
            Some(seek::Wish::Bytes(_)) => output.size_limit.is_some_and(|limit| limit.or_original),
            Some(seek::Wish::Score(_) | seek::Wish::Colours(_)) => unchanged,
            None => unchanged && output.slim,
        };
        let original = original && job.plan.marks().next().is_none() && source.format != Format::Svg;
        let (width, height, frames) = (layout.width, layout.height, layout.frames);
        let result = Target::Made { format, width, height, frames, or: original.then_some(*header) };
        Self { result, facts: output.facts, source_bytes }
    }

    /// The header of an original that only a plug-in's workers can read.
    pub fn plugin_header(source_bytes: u64) -> Self {
        Self { result: Target::Unknown, facts: Some(plan::FactsAsked::default()), source_bytes }
    }

    /// Bytes of the result at most.
    pub fn most_bytes(&self) -> u64 {
        match self.result {
            Target::Made { width, height, frames, .. } if self.facts.is_none() => {
                picture_bytes(width, height, frames).saturating_add(self.source_bytes)
            }
            Target::Made { .. } | Target::Known(_) | Target::Unknown => 0,
        }
    }

    /// Whether this is it. What is not is told for the log.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, source: &[u8], bytes: &[u8], outcome: &Outcome) -> Result<(), String> {
        if bytes.len() as u64 > self.most_bytes() {
            return Err(format!("it has {} bytes, at most {} can be", bytes.len(), self.most_bytes()));
        }
        match (&self.facts, &outcome.facts) {
            (None, None) => self.check_picture(source, bytes, outcome),
            (Some(asked), Some(facts)) if outcome.format.is_none() && bytes.is_empty() => {
                self.check_facts(*asked, facts, outcome)
            }
            _ => Err("a picture in place of facts, or the reverse".into()),
        }
    }

    fn check_picture(&self, source: &[u8], bytes: &[u8], outcome: &Outcome) -> Result<(), String> {
        let Target::Made { or, .. } = self.result else { return Err("no picture was asked for".into()) };
        let said = outcome.format.map(|format| (format, outcome.width, outcome.height, outcome.frames));
        if let Some(original) = or.map(|header| header.source)
            && said == Some((original.format, original.width, original.height, original.frames))
            && bytes.len() <= source.len().saturating_add(BLOCK)
            && (bytes == source || probe(bytes).is_ok_and(|header| alike(&header.source, &original)))
        {
            return Ok(());
        }
        let Some((format, width, height, frames)) = said else { return Err("it does not say what it is".into()) };
        self.check_made("it is said to be", format, width, height, frames)?;
        match probe(bytes) {
            Ok(Header { source: Source { format, width, height, frames, .. }, .. }) => {
                self.check_made("its header says", format, width, height, frames)
            }
            // Nobody here reads what only a plug-in writes.
            Err(error) if format == Format::Tpg && matches!(error.kind, Kind::NotAnImage | Kind::UnsupportedSource) => {
                Ok(())
            }
            Err(error) => Err(format!("its header cannot be read: {}", error.message)),
        }
    }

    fn check_made(&self, who: &str, format: Format, width: u32, height: u32, frames: u32) -> Result<(), String> {
        let Target::Made { format: wanted, width: wide, height: high, frames: most, .. } = self.result else {
            return Err("no picture was asked for".into());
        };
        if (format, width, height) == (wanted, wide, high) && (1..=most).contains(&frames) {
            return Ok(());
        }
        let (format, wanted) = (format.name(), wanted.name());
        Err(format!(
            "{who} {format} of {width} x {height} with {frames} frame(s), where {wanted} of {wide} x {high} with at most \
             {most} was laid out"
        ))
    }

    fn check_facts(&self, asked: plan::FactsAsked, facts: &Facts, outcome: &Outcome) -> Result<(), String> {
        let Header { source, depth, channels, quality, .. } = facts.header;
        let Source { format, width, height, frames, orientation, .. } = source;
        if (outcome.width, outcome.height, outcome.frames) != (width, height, frames) {
            return Err("facts that contradict themselves".into());
        }
        let sane = (1..=64).contains(&depth)
            && (1..=4).contains(&channels)
            && (1..=8).contains(&orientation)
            && quality.is_none_or(|quality| (1..=100).contains(&quality));
        if !sane {
            return Err("facts that no picture has".into());
        }
        match self.result {
            Target::Known(header) if facts.header == header => self.check_length(facts)?,
            Target::Known(_) => return Err("facts that are not the header's".into()),
            Target::Unknown => {
                if format != Format::Tpg || width == 0 || height == 0 || frames != 1 || orientation != 1 {
                    return Err("a header that makes no sense".into());
                }
                self.check_length(facts)?;
            }
            Target::Made { or: Some(original), .. } if facts.header == original => self.check_length(facts)?,
            Target::Made { width: wide, height: high, frames: most, .. } => {
                self.check_made("it is said to be", format, width, height, frames)?;
                if facts.bytes > picture_bytes(wide, high, most).saturating_add(self.source_bytes) {
                    return Err(format!("facts of a picture of {} bytes", facts.bytes));
                }
            }
        }
        let hex =
            |text: &String| text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if facts.md5.is_some() != asked.md5 || !facts.md5.as_ref().is_none_or(hex) {
            return Err("a digest that is none, or was not asked for".into());
        }
        if facts.average.is_some() != asked.average || !(asked.exif || facts.exif.is_empty()) {
            return Err("facts that were not asked for".into());
        }
        Ok(())
    }

    fn check_length(&self, facts: &Facts) -> Result<(), String> {
        if facts.bytes == self.source_bytes { Ok(()) } else { Err("facts of another file".into()) }
    }
}

fn picture_bytes(width: u32, height: u32, frames: u32) -> u64 {
    let frames = u64::from(frames.max(1));
    let pixels = u64::from(width).saturating_mul(height.into()).saturating_mul(frames);
    pixels.saturating_mul(A_PIXEL).saturating_add(frames.saturating_mul(A_FRAME)).saturating_add(ALWAYS)
}

#[cfg(test)]
#[path = "expected_tests.rs"]
mod tests;
