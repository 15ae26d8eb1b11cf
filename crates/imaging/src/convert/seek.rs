//! Encodes a still picture several times, where the rule or the site names what is to come out rather than a quality: a
//! score to reach, or a number of bytes to stay below.
//!
//! A score takes at most three encodes. A picture of more than a megapixel is tried out on a sample of it, so that
//! searching costs about the same for every large picture: at most two small encodes and one of the whole.

use std::time::{Duration, Instant};

use crate::Effort;
use crate::decode;
use crate::encode::fewer::fewer;
use crate::encode::{self, Options, graphics, quality};
use crate::error::{Error, Kind};
use crate::picture::{Frame, Pixels, Space};
use crate::plan::{Format, Layout, Output, Quality, Target};
use crate::policy::{Gamut, Policy};
use crate::probe::{self, Header, jpeg};
use crate::score::{self, Reference};
use crate::search::{self, Goal, GoalSide, Search, Tried};

/// Encodes for a score, at most.
pub(crate) const SCORE_TRIES: usize = 3;

/// Encodes for a number of bytes, at most.
pub(crate) const SIZE_TRIES: usize = 4;

/// Below this quality a JPEG shows little but its blocks: no size limit goes further.
const LOWEST: u8 = 5;

/// The score of what is to look the same: close to what most cannot tell apart side by side.
const SLIM: u8 = 75;

/// The same for a palette: dithering is noise to the score, and hardly to be seen.
const SLIM_COLOURS: u8 = 60;

/// Palettes that are tried, one after the other for as long as they are good enough.
pub(crate) const COLOURS: [usize; 3] = [256, 128, 64];

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    /// This SSIMULACRA2, with as few bytes as possible.
    Score(u8),
    /// As few colours as reach this SSIMULACRA2, or all where none do.
    Colours(u8),
    /// At most so many bytes, with a quality as high as possible and no higher than without the limit.
    Bytes(u64),
}

/// What is looked for in a result of so many frames; `None` where the quality is known without looking.
pub(crate) fn wish(output: &Output, policy: &Policy, format: Format, frames: u32) -> Option<Wish> {
    if frames > 1 {
        return None;
    }
    if output.slim && format == Format::Png {
        return Some(Wish::Colours(SLIM_COLOURS));
    }
    if !quality::has_quality(format) {
        return None;
    }
    if output.slim && output.quality == Quality::Default && format != Format::Tpg {
        return Some(Wish::Score(SLIM));
    }
    if let Some(limit) = output.size_limit.filter(|_| format == Format::Jpeg || output.target == Target::Source) {
        return Some(Wish::Bytes(limit.bytes));
    }
    match output.quality {
        // What a plug-in has written need not be readable.
        _ if format == Format::Tpg => None,
        Quality::Auto(score) => Some(Wish::Score(score)),
        Quality::Default if policy.auto_quality > 0 => Some(Wish::Score(policy.auto_quality)),
        Quality::Default | Quality::Capped(_) | Quality::Forced(_) | Quality::Relative(_) | Quality::Lossless => None,
    }
}

/// Encodes the picture as wished. `options` hold the quality that there would be without a search, `floor` is the lowest
/// that the rule allows.
///
/// # Errors
/// What the encoder has against the picture, [`Kind::OutOfMemory`].
pub(super) fn run(
    wish: Wish,
    pixels: Pixels,
    format: Format,
    options: &Options,
    floor: Option<u8>,
) -> Result<Vec<u8>, Error> {
    let tries = Tries { format, options, start: Instant::now() };
    match wish {
        Wish::Score(score) => to_score(score.clamp(1, 100), pixels, &tries, floor.unwrap_or(1)),
        Wish::Colours(score) => to_colours(score, pixels, &tries),
        Wish::Bytes(most) => below(most, &pixels, &tries, floor.unwrap_or(LOWEST)),
    }
}

/// Whether the original's own bytes may stand for a result that came out no smaller: the same JPEG, unchanged by the plan,
/// and nothing in it but the picture.
pub(super) fn original_will_do(source: &[u8], header: &Header, layout: &Layout, output: &Output, to: Format) -> bool {
    let needed = |marker: u8| match marker {
        // COM, and application data but JFIF and Adobe, of which the decoder needs to know.
        0xfe | 0xe1..=0xed | 0xef => false,
        _ => true,
    };
    to == Format::Jpeg
        && header.source.format == Format::Jpeg
        && layout.ops.is_empty()
        && header.source.orientation == 1
        && header.channels != 4
        && (header.progressive || !output.progressive)
        && source.ends_with(&[0xff, 0xd9])
        && jpeg::segments(source).all(|segment| needed(segment.marker))
}

/// What all tries share.
struct Tries<'a> {
    format: Format,
    options: &'a Options,
    start: Instant,
}

impl Tries<'_> {
    fn encode(&self, pixels: Pixels, quality: u8) -> Result<Vec<u8>, Error> {
        let options = Options { quality: Some(quality), lossless: false, ..self.options.clone() };
        let mut encoder = encode::open(self.format, pixels.width(), pixels.height(), options, None)?;
        encoder.add(Frame { pixels, delay_ms: 0 })?;
        encoder.finish()
    }

    /// Whether there is time for one try more that takes as long as those before it, and twice that to spare.
    fn in_time(&self, done: usize) -> bool {
        let spent = self.start.elapsed();
        let each = spent / u32::try_from(done.max(1)).unwrap_or(u32::MAX);
        self.options.in_time(|budget| budget == 0 || spent + each * 2 <= Duration::from_millis(budget.into()))
    }
}

fn to_score(score: u8, pixels: Pixels, tries: &Tries<'_>, floor: u8) -> Result<Vec<u8>, Error> {
    let curve = quality::scores(tries.format);
    let target = f64::from(score);
    let goal = Goal { side: GoalSide::AtLeast, edge: target - 0.5, aim: target + 0.25, enough: target + 1.0 };
    let first = search::inverse(curve, goal.aim).max(floor);
    if tries.options.effort == Effort::Pressed {
        // Many wait: what is typical has to do.
        return tries.encode(pixels, first);
    }
    let mut search = Search::new(curve, goal, floor..=100, first, SCORE_TRIES);
    let sample = score::sample(&pixels)?;
    let seen = sample.as_ref().unwrap_or(&pixels);
    let reference = Reference::new(seen)?;
    let mut best: Option<Vec<u8>> = None;
    let mut done = 0;
    while let Some(quality) = search.propose() {
        // The last encode of a large picture is the one of the whole.
        if done > 0 && (!tries.in_time(done) || (sample.is_some() && done + 1 >= SCORE_TRIES)) {
            break;
        }
        let bytes = tries.encode(copy(seen)?, quality)?;
        let value = reference.score(&decoded(&bytes, tries.options.space)?)?;
        keep(&mut search, &mut best, Tried { quality, value, bytes: bytes.len() }, bytes);
        done += 1;
    }
    match (sample, best) {
        (None, Some(best)) => Ok(best),
        (sample, _) => {
            drop((sample, reference));
            let found = search.propose().or(search.best().map(|tried| tried.quality)).unwrap_or(first);
            tries.encode(pixels, found)
        }
    }
}

/// A PNG with a palette, where one is enough.
fn to_colours(score: u8, pixels: Pixels, tries: &Tries<'_>) -> Result<Vec<u8>, Error> {
    let write = |pixels: Pixels| {
        // Squeezing hard is slow: a large picture is not worth it.
        let small = u64::from(pixels.width()) * u64::from(pixels.height()) <= score::MOST_PIXELS;
        let effort = if small { Effort::Batch } else { tries.options.effort };
        png(pixels, Options { effort, ..tries.options.clone() })
    };
    if tries.options.effort == Effort::Pressed || graphics::index(&pixels, COLOURS[0]).is_some() {
        return write(pixels);
    }
    let sample = score::sample(&pixels)?;
    let seen = sample.as_ref().unwrap_or(&pixels);
    let reference = Reference::new(seen)?;
    let mut found = None;
    for (done, most) in COLOURS.into_iter().enumerate() {
        if done > 0 && !tries.in_time(done) {
            break;
        }
        let reduced = fewer(seen, most)?;
        if reference.score(&reduced)? < f64::from(score) {
            break;
        }
        found = Some((most, reduced));
    }
    drop(reference);
    match found {
        None => write(pixels),
        Some((_, reduced)) if sample.is_none() => write(reduced),
        Some((most, _)) => {
            drop(sample);
            write(fewer(&pixels, most)?)
        }
    }
}

fn png(pixels: Pixels, options: Options) -> Result<Vec<u8>, Error> {
    let mut encoder = encode::open(Format::Png, pixels.width(), pixels.height(), options, None)?;
    encoder.add(Frame { pixels, delay_ms: 0 })?;
    encoder.finish()
}

fn below(most: u64, pixels: &Pixels, tries: &Tries<'_>, floor: u8) -> Result<Vec<u8>, Error> {
    let size = |part: f64| (most.max(1) as f64 * part).ln();
    let goal = Goal { side: GoalSide::AtMost, edge: size(1.0), aim: size(0.96), enough: size(0.9) };
    let highest = tries.options.quality.unwrap_or_else(|| quality::default(tries.format, None));
    let lowest = floor.min(highest);
    let mut search = Search::new(quality::SIZES, goal, lowest..=highest, highest, SIZE_TRIES);
    let mut best: Option<Vec<u8>> = None;
    let mut done = 0;
    while let Some(quality) = search.propose().filter(|_| done == 0 || tries.in_time(done)) {
        let bytes = tries.encode(copy(pixels)?, quality)?;
        let value = (bytes.len().max(1) as f64).ln();
        keep(&mut search, &mut best, Tried { quality, value, bytes: bytes.len() }, bytes);
        done += 1;
    }
    best.ok_or_else(|| Error::new(Kind::Internal, "a search ended without a try"))
}

/// Records a try, and its bytes if it is the best.
fn keep(search: &mut Search, best: &mut Option<Vec<u8>>, tried: Tried, bytes: Vec<u8>) {
    search.record(tried);
    if search.best() == Some(tried) {
        *best = Some(bytes);
    }
}

/// The pixels of a file that was just written, in the space that it was written in.
fn decoded(bytes: &[u8], space: Space) -> Result<Pixels, Error> {
    let header = probe::probe(bytes)?;
    let gamut = if space == Space::DisplayP3 { Gamut::P3 } else { Gamut::Srgb };
    let wanted = decode::Wanted { policy: Policy { gamut, ..Policy::default() }, ..decode::Wanted::default() };
    let frame = decode::open(bytes, &header, &wanted)?.next_frame()?;
    frame
        .map(|frame| frame.pixels)
        .ok_or_else(|| Error::new(Kind::Internal, "the picture that was just encoded cannot be decoded"))
}

fn copy(pixels: &Pixels) -> Result<Pixels, Error> {
    let mut data = Vec::new();
    data.try_reserve_exact(pixels.data().len())
        .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {} bytes of pixels", pixels.data().len())))?;
    data.extend_from_slice(pixels.data());
    Pixels::new(pixels.width(), pixels.height(), pixels.channels(), data)
}

#[cfg(test)]
mod tests;
