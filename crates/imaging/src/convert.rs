//! The whole conversion, as a worker runs it: decode, transform, encode, frame by frame.

use std::time::Instant;

use md5::{Digest, Md5};

use super::Effort;
use super::bare;
use super::colour;
use super::decode::{self, Wanted};
use super::encode::{self, Hurry, quality};
use super::exif::{self, Truth};
use super::job::{Job, Outcome, Times};
use super::layout::settle;
use super::mark::Marks;
use super::need::{AVERAGE_SHRINK, check_size, extent, needed, shrink_under, trimmed};
use super::picture::{Animation, Encode, Frame, Metadata, Pixels, Space};
use super::plugin;
use super::policy::{Carry, Gamut, Light, Policy};
use super::probe::{self, Header};
use super::transform::{self, Extent};
use crate::error::{Error, Kind};
use crate::plan::{self, Answer, Facts, Format, GeometryOp, Layout, Output, Rgb, Source, geometry};

mod expected;
mod pick;
pub(super) mod seek;

pub use expected::Expected;

use seek::Wish;

/// Converts. Pure but for time: the same source and job give the same bytes.
///
/// Facts come with no bytes. Of an animation only the frames that the result holds are decoded.
///
/// # Errors
/// Whatever probing, the limits, the layout, decoding or encoding have against it; everything that the header can tell is
/// said before a pixel is decoded.
pub fn convert(source: &[u8], job: &Job) -> Result<(Vec<u8>, Outcome), Error> {
    convert_marked(source, &[], job)
}

/// The same for a plan whose marks need pictures: `marks` are their bytes, in the order of [`Plan::mark_images`].
///
/// # Errors
/// As [`convert`]; [`Kind::MarkUnusable`] for a picture that cannot be a mark.
pub fn convert_marked(source: &[u8], marks: &[&[u8]], job: &Job) -> Result<(Vec<u8>, Outcome), Error> {
    let length = source.len() as u64;
    if length > job.limits.source_bytes {
        let most = job.limits.source_bytes;
        let message = format!("the original has {length} bytes; at most {most} are processed");
        return Err(Error::new(Kind::SourceBytes, message));
    }
    probe::check_accepted(source, &job.limits, &job.policy)?;
    let header = probe::probe(source).or_else(|error| match error.kind {
        Kind::NotAnImage | Kind::UnsupportedSource if job.limits.inputs.has(Format::Tpg) => {
            plugin::probe(source).unwrap_or(Err(error))
        }
        _ => Err(error),
    })?;
    geometry::check_source(&header.source, &job.limits)?;
    match &job.plan.answer {
        Answer::Image(output) => {
            let marks = Marks::new(&job.plan, marks, job.limits, job.policy)?;
            let (bytes, made) = picture(source, &header, output, job, marks)?;
            match output.facts {
                None => Ok((bytes, made)),
                Some(wanted) => Ok((Vec::new(), facts(&bytes, &probe::probe(&bytes)?, wanted, job)?)),
            }
        }
        Answer::Facts(wanted) => Ok((Vec::new(), facts(source, &header, *wanted, job)?)),
    }
}

fn picture(
    source: &[u8],
    header: &Header,
    output: &Output,
    job: &Job,
    mut marks: Marks<'_>,
) -> Result<(Vec<u8>, Outcome), Error> {
    let format = job.format;
    if !encode::writable(format) {
        return Err(Error::new(Kind::UnsupportedTarget, format!("{} cannot be written here", format.name())));
    }
    let layout = geometry::lay_out(&job.plan, &header.source, format, &job.limits)?;
    let (mut layout, orientation) = settle(layout, output, format);
    let moving = layout.frames > 1;
    let policy = effective(job, output);
    let shrink = shrink_under(&policy, header, &layout.ops);
    let region = shrink.is_none().then(|| needed(&mut layout.ops, &header.source)).flatten();
    let wanted = Wanted { limits: job.limits, policy, shrink, region };

    let mut times = Times::default();
    let decoder = clock(&mut times.decode, || decode::open(source, header, &wanted))?;
    let mut decoder = pick::pick(decoder, output.frames, header.source.frames.max(1), layout.frames);
    for op in &mut layout.ops {
        if let GeometryOp::Pad { color, .. } = op {
            let [r, g, b] = colour::in_space([color.r, color.g, color.b], decoder.metadata().space);
            *color = Rgb { r, g, b };
        }
    }
    let srgb = decoder.metadata().space == Space::Srgb;
    let truth = Truth { orientation, width: layout.width, height: layout.height, srgb };
    let mut encoder: Option<Box<dyn Encode>> = None;
    let wish = seek::wish(output, &job.policy, format, layout.frames);
    let mut sought = None;
    let hurry = Hurry::new(job.full_ms);
    let mut frames = 0;
    while frames < layout.frames {
        let Some(frame) = clock(&mut times.decode, || decoder.next_frame())? else { break };
        let source = trimmed(frame.pixels, header, shrink, region)?;
        let light = (policy.resample, output.ground);
        let extent = extent(&source, header, shrink);
        let developed = || develop(source, extent, header, &layout, format, light, &mut marks);
        let pixels = clock(&mut times.transform, developed)?;
        if let Some(wish) = wish {
            let options = settings(output, decoder.metadata(), header, job, &layout, truth, &hurry);
            let floor = output.quality_floor;
            sought = Some(clock(&mut times.encode, || seek::run(wish, pixels, format, &options, floor))?);
            frames = 1;
            break;
        }
        let delay_ms = if moving { frame.delay_ms } else { 0 };
        clock(&mut times.encode, || {
            let mut running = match encoder.take() {
                Some(running) => running,
                None => {
                    let options = settings(output, decoder.metadata(), header, job, &layout, truth, &hurry);
                    start(&layout, options, decoder.metadata(), format)?
                }
            };
            running.add(Frame { pixels, delay_ms })?;
            encoder = Some(running);
            Ok(())
        })?;
        frames += 1;
    }
    let stands = stands(source, header, &layout, output, job, (wish, region.is_some()));
    // What goes along with the original's own pixels; for nothing else is it looked up.
    let block = stands.and_then(|_| {
        // Where the rule strips, an orientation that no step has applied is forgotten, as it is in a result.
        let upright = output.strip && !layout.ops.iter().any(|op| matches!(op, GeometryOp::Orient(_)));
        let Source { width, height, orientation, .. } = header.source;
        let truth = Truth { orientation: if upright { 1 } else { orientation }, width, height, srgb };
        exif::carried(decoder.metadata().exif.as_deref(), policy.metadata, truth)
    });
    drop(decoder);
    let bytes = match (sought, encoder) {
        (Some(bytes), _) => bytes,
        (None, Some(encoder)) => clock(&mut times.encode, || encoder.finish())?,
        (None, None) => return Err(probe::corrupt(header.source.format, "it holds no picture")),
    };
    if let Some(stands) = stands
        && let Some(original) = given(source, header.source.format, policy.metadata, block.as_deref())?
    {
        let saved = match stands {
            Stands::IfNothingIsSaved => bytes.len() < original.len(),
            Stands::IfNoLarger => bytes.len() < source.len(),
        };
        if !saved {
            let Source { format, width, height, frames, .. } = header.source;
            let format = Some(format);
            return Ok((
                original,
                Outcome { format, width, height, frames, facts: None, times, hurried: hurry.told() },
            ));
        }
    }
    let (width, height) = (layout.width, layout.height);
    let format = Some(format);
    Ok((bytes, Outcome { format, width, height, frames, facts: None, times, hurried: hurry.told() }))
}

/// When the original answers in place of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stands {
    /// The result has as many bytes as the original without what is not to be given away, or more.
    IfNothingIsSaved,
    /// The result has as many bytes as the original, or more, whatever was asked for besides.
    IfNoLarger,
}

/// Whether the original may answer for a result that came out no smaller. `cut`: something was cut off before the pixels came.
fn stands(
    source: &[u8],
    header: &Header,
    layout: &Layout,
    output: &Output,
    job: &Job,
    (wish, cut): (Option<Wish>, bool),
) -> Option<Stands> {
    // A drawing is never given out: it may hold scripts. And whoever wants a mark wants no picture without it.
    if header.source.format == Format::Svg || job.plan.marks().next().is_some() {
        return None;
    }
    match wish {
        Some(Wish::Bytes(_)) => output.size_limit.is_some_and(|limit| limit.or_original).then_some(Stands::IfNoLarger),
        _ if cut => None,
        _ if output.slim => {
            let whole = layout.ops.is_empty() && layout.frames == header.source.frames.max(1);
            let same = whole && job.format == header.source.format;
            same.then_some(Stands::IfNothingIsSaved)
        }
        Some(Wish::Score(_) | Wish::Colours(_)) => {
            seek::original_will_do(source, header, layout, output, job.format).then_some(Stands::IfNothingIsSaved)
        }
        None => None,
    }
}

/// The original as it may be given away: untouched where all that it carries goes along, else without metadata but for
/// `block`; `None` where that cannot be had without encoding it anew.
fn given(source: &[u8], format: Format, carry: Carry, block: Option<&[u8]>) -> Result<Option<Vec<u8>>, Error> {
    match carry {
        Carry::Nothing | Carry::Copyright => bare::bare(source, format, block),
        Carry::Exif => {
            let mut copy = transform::room(source.len())?;
            copy.extend_from_slice(source);
            Ok(Some(copy))
        }
    }
}

/// How the encoder is to write.
fn settings(
    output: &Output,
    metadata: &Metadata,
    header: &Header,
    job: &Job,
    layout: &Layout,
    truth: Truth,
    hurry: &Hurry,
) -> encode::Options {
    let exif = exif::carried(metadata.exif.as_deref(), effective(job, output).metadata, truth);
    let resolved = quality::resolve(output, metadata.quality.or(header.quality), job.format);
    // The ordinary method is the one that libwebp is asked for when others wait.
    let ordinary = job.format == Format::WebP && job.policy.ordinary_webp;
    encode::Options {
        quality: resolved.quality,
        lossless: resolved.lossless,
        near_lossless: job.policy.near_lossless,
        progressive: output.progressive,
        effort: if ordinary { Effort::Pressed } else { job.effort },
        threads: job.threads.max(1),
        frames: layout.frames,
        budget_ms: job.budget_ms,
        hurry: hurry.clone(),
        exif,
        space: metadata.space,
    }
}

/// The site's decisions as far as they go for this result: a rule that strips leaves no metadata.
fn effective(job: &Job, output: &Output) -> Policy {
    let mut policy = job.policy;
    if output.strip {
        policy.metadata = Carry::Nothing;
    }
    // A profile is metadata too. Marks are drawn in sRGB.
    if output.strip || job.plan.marks().next().is_some() || !encode::says_p3(job.format) {
        policy.gamut = Gamut::Srgb;
    }
    policy
}

/// Opens the encoder.
fn start(
    layout: &Layout,
    options: encode::Options,
    metadata: &Metadata,
    format: Format,
) -> Result<Box<dyn Encode>, Error> {
    // An animation that does not say how often it plays plays once.
    let animation = (layout.frames > 1).then(|| metadata.animation.unwrap_or(Animation { repeat: Some(1) }));
    encode::open(format, layout.width, layout.height, options, animation)
}

/// One frame from the decoder's pixels to the encoder's.
fn develop(
    mut pixels: Pixels,
    mut extent: Extent,
    header: &Header,
    layout: &Layout,
    format: Format,
    (light, ground): (Light, Rgb),
    marks: &mut Marks<'_>,
) -> Result<Pixels, Error> {
    let moving = layout.frames > 1;
    // Every frame of an animation has to come out alike, so that there only the header and the plan decide.
    let may_drop = !moving || !header.source.alpha;
    if may_drop && transform::opaque(&pixels) {
        pixels = transform::drop_alpha(pixels)?;
    }
    for op in &layout.ops {
        pixels = match *op {
            GeometryOp::Mark { number, .. } => marks.draw(pixels, number)?,
            _ => extent.apply(pixels, op, format.has_alpha(), light)?,
        };
    }
    if !format.has_alpha() {
        pixels = transform::flatten(pixels, ground)?;
    } else if !moving && transform::opaque(&pixels) {
        // What was transparent may have been cut off.
        pixels = transform::drop_alpha(pixels)?;
    }
    if (pixels.width(), pixels.height()) != (layout.width, layout.height) {
        let (width, height) = (pixels.width(), pixels.height());
        let message = format!("{width} x {height} pixels where {} x {} were laid out", layout.width, layout.height);
        return Err(Error::new(Kind::Internal, message));
    }
    Ok(pixels)
}

fn facts(source: &[u8], header: &Header, asked: plan::FactsAsked, job: &Job) -> Result<Outcome, Error> {
    let mut times = Times::default();
    let md5 = asked.md5.then(|| hex::encode(Md5::digest(source)));
    let (mut average, mut tags) = (None, Vec::new());
    if asked.average || asked.exif {
        let shrink = (!header.source.animated()).then_some(AVERAGE_SHRINK);
        // Every tag is asked for, whatever results may carry.
        let policy = Policy { metadata: Carry::Exif, gamut: Gamut::Srgb, ..job.policy };
        let wanted = Wanted { limits: job.limits, policy, shrink, region: None };
        let mut decoder = clock(&mut times.decode, || decode::open(source, header, &wanted))?;
        if asked.exif {
            tags = decoder.metadata().exif.as_deref().map(exif::tags).unwrap_or_default();
        }
        if asked.average {
            let Some(frame) = clock(&mut times.decode, || decoder.next_frame())? else {
                return Err(probe::corrupt(header.source.format, "it holds no picture"));
            };
            check_size(&frame.pixels, header, shrink)?;
            average = Some(clock(&mut times.transform, || Ok(transform::average(&frame.pixels)))?);
        }
    }
    let facts = Facts { header: *header, bytes: source.len() as u64, md5, average, exif: tags };
    let plan::Source { width, height, frames, .. } = header.source;
    Ok(Outcome { format: None, width, height, frames, facts: Some(facts), times, hurried: false })
}

/// Does something and adds the wall time that it took, in microseconds.
fn clock<T>(total: &mut u64, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let start = Instant::now();
    let result = work();
    *total = total.saturating_add(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
    result
}

#[cfg(test)]
mod carried_tests;
#[cfg(test)]
mod extent_tests;
#[cfg(test)]
mod part_tests;
#[cfg(test)]
mod place_tests;
#[cfg(test)]
mod tests;
