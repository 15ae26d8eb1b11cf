//! What a conversion will take, told from the header and the layout before any work: an upper bound rather than a mean,
//! because too low a number costs a worker its life and too high a one only a place in the queue.
//!
//! Times are milliseconds of one core per megapixel, bytes are per pixel; both were measured with the libraries in use.

use serde::{Deserialize, Serialize};

use super::Effort;
use super::codec::codec;
use super::convert::seek::{self, Wish};
use super::decode::Shrink;
use super::policy::{Light, Policy};
use super::probe::Header;
use super::transform::effect;
use super::{mark, need, score};
use crate::error::Error;
use crate::plan::{Answer, Format, GeometryOp, Layout, Limits, Output, Plan, Target};

mod file;
mod writing;

use file::File;
use writing::Writing;

/// An estimate made from the header, before any work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Peak memory of the worker, in bytes.
    pub bytes: u64,
    /// CPU time of one core, in milliseconds.
    pub cpu_ms: u64,
    /// What kind of work it is.
    pub work: WorkKind,
}

/// What kind of work a conversion is. What one took tells something of others of its kind alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct WorkKind {
    /// The format that is read.
    pub from: Option<Format>,
    /// The format that is written; `None` for facts and comparisons.
    pub to: Option<Format>,
    /// Several frames are written.
    pub moving: bool,
    /// Without loss.
    pub lossless: bool,
    /// The quality's band: 0 below 80, 1 below 90, 2 below 97, 3 above.
    pub band: u8,
}

/// How hard to try, and within which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How hard.
    pub effort: Effort,
    /// Milliseconds that encoders plan for; 0 is no limit.
    pub budget_ms: u64,
}

impl Cost {
    /// Both after each other, in memory that both keep.
    #[must_use]
    pub fn and(self, more: Self) -> Self {
        let (bytes, cpu_ms) = (self.bytes.saturating_add(more.bytes), self.cpu_ms.saturating_add(more.cpu_ms));
        Self { bytes, cpu_ms, ..self }
    }
}

/// Memory of a worker that has no picture: code, libraries, allocator.
pub const BASE_BYTES: u64 = 48 << 20;

/// The most that an original's own bytes are counted for. The header does not tell how many there are; a picture with
/// fewer raw bytes than this is counted with those.
const SOURCE_BYTES: u64 = 32 << 20;

/// What every conversion takes, whatever it is.
const CONVERSION_US: u64 = 500;

/// Milliseconds that scoring a megapixel takes, with a share of preparing the original.
const SCORE_MS: u64 = 120;

/// Bytes a pixel that scoring takes.
const SCORE_BYTES: u64 = 220;

/// What a picture conversion takes with one encode at the format's default quality. `layout` is the plan over
/// `header.source`, `format` the one to write.
pub fn cost(header: &Header, layout: &Layout, format: Format, effort: Effort) -> Cost {
    cost_under(&Policy::default(), header, layout, format, effort)
}

/// The same where a site has decided something.
pub fn cost_under(policy: &Policy, header: &Header, layout: &Layout, format: Format, effort: Effort) -> Cost {
    let output = Output { target: Target::Fixed(format), ..Output::default() };
    let (pace, file) = (Pace { effort, budget_ms: 0 }, File::of(None, header));
    let written = Writing::of(&output, policy, header, &file, layout, (format, pace));
    writing(policy, header, &file, layout, &written)
}

/// What a picture conversion takes with one encode.
fn writing(policy: &Policy, header: &Header, file: &File, layout: &Layout, writing: &Writing) -> Cost {
    let shrink = need::shrink_under(policy, header, &layout.ops);
    let decoded = decoding(header, file, shrink);
    let frames = u64::from(layout.frames.max(1));
    let mut ops = layout.ops.clone();
    if layout.orientation != 1 && !codec(writing.format).carries_orientation {
        ops.push(GeometryOp::Orient(layout.orientation));
    }
    let transformed = transforming(header, decoded.pixels, &ops, policy.resample);
    let out = area(layout.width, layout.height);
    let encoded = writing.frame(layout.width, layout.height);
    // An animation's encoder keeps what it has written, up to a byte a pixel.
    let kept = if frames > 1 { out.saturating_mul(frames).saturating_add(MOVING_BYTES) } else { 0 };
    let each = decoded.micros.saturating_add(transformed.micros).saturating_add(encoded.micros);
    let micros = each.saturating_mul(frames).saturating_add(encoded.start).saturating_add(CONVERSION_US);
    let bytes = [BASE_BYTES, source_bytes(header), decoded.bytes, transformed.bytes, encoded.bytes, kept];
    let bytes = bytes.into_iter().fold(0, u64::saturating_add);
    Cost { bytes, cpu_ms: millis(micros), work: writing.work(header) }
}

/// What a plan takes, with all the encodes that a search for a quality may take. `source` are the original's bytes, which
/// tell more than its header: how much there is to read and to draw, and how hard it is to compress. A picture that would take longer than the
/// pace allows is encoded faster, as the encoders decide by themselves when they start.
pub fn plan_cost(
    plan: &Plan,
    policy: &Policy,
    header: &Header,
    source: Option<&[u8]>,
    layout: &Layout,
    to: Format,
    pace: Pace,
) -> Cost {
    let file = File::of(source, header);
    let Answer::Image(output) = &plan.answer else {
        return drawing(reading_facts(header, &file, plan), header, &file, plan);
    };
    let written = Writing::of(output, policy, header, &file, layout, (to, pace));
    let mut cost = drawing(writing(policy, header, &file, layout, &written), header, &file, plan);
    // Frames that are decoded only to be passed over.
    let passed = output.frames.decoded(header.source.frames.max(1), layout.frames).saturating_sub(layout.frames);
    if passed > 0 {
        let each = decoding(header, &file, None).micros;
        cost.cpu_ms = cost.cpu_ms.saturating_add(millis(each.saturating_mul(passed.into())));
    }
    if output.facts.is_some_and(|facts| facts.average) {
        // The result is decoded once more.
        let made = area(layout.width, layout.height);
        cost.bytes = cost.bytes.saturating_add(made.saturating_mul(8));
        cost.cpu_ms = cost.cpu_ms.saturating_add(millis(micros(made, 55)));
    }
    match seek::wish(output, policy, to, layout.frames) {
        // Under pressure nobody searches, but that is decided later.
        Some(wish) => cost.and(searching(wish, layout, &written)),
        None => cost,
    }
}

/// The same with what there is to draw, of a drawing.
fn drawing(cost: Cost, header: &Header, file: &File, plan: &Plan) -> Cost {
    let pixels = match &plan.answer {
        Answer::Image(_) => true,
        Answer::Facts(wanted) => wanted.average,
    };
    if header.source.format != Format::Svg || !pixels {
        return cost;
    }
    let text = file.text();
    let cpu_ms = cost.cpu_ms.saturating_add(text.saturating_mul(DRAWING_NS) / 1_000_000);
    Cost { bytes: cost.bytes.saturating_add(text.saturating_mul(2)), cpu_ms, ..cost }
}

/// What drawing a plan's marks takes before they are laid onto the picture. `images` are the headers of their pictures, in
/// the order of [`Plan::mark_images`].
///
/// # Errors
/// What [`crate::plan::mark::lay_out`] has against one of them.
pub fn marks_cost(plan: &Plan, layout: &Layout, images: &[Header], limits: &Limits) -> Result<Cost, Error> {
    let (mut cost, mut images) = (Cost::default(), images.iter());
    let sizes: Vec<(u32, u32)> = layout.ops.iter().filter_map(size_of_mark).collect();
    for (mark, size) in plan.marks().zip(sizes) {
        // Coverage, and pixels with alpha that may become coloured ones.
        let text = mark::text_pixels(mark, size);
        cost.bytes = cost.bytes.saturating_add(text.saturating_mul(6));
        cost.cpu_ms = cost.cpu_ms.saturating_add(if mark.text().is_some() { 3 + micros(text, 20) / 1000 } else { 0 });
        let Some((image, header)) = mark.image().and_then(|image| Some((image, images.next()?))) else { continue };
        let laid = crate::plan::mark::lay_out(image, &header.source, size, limits)?;
        let decoded = decoding(header, &File::of(None, header), need::shrink(&laid.ops));
        let transformed = transforming(header, decoded.pixels, &laid.ops, Light::Linear);
        let kept = area(laid.width, laid.height).saturating_mul(8);
        let bytes = [source_bytes(header), decoded.bytes, transformed.bytes, kept];
        cost.bytes = cost.bytes.saturating_add(bytes.into_iter().fold(0, u64::saturating_add));
        cost.cpu_ms = cost.cpu_ms.saturating_add(millis(decoded.micros.saturating_add(transformed.micros)));
    }
    Ok(cost)
}

fn size_of_mark(op: &GeometryOp) -> Option<(u32, u32)> {
    match *op {
        GeometryOp::Mark { width, height, .. } => Some((width, height)),
        _ => None,
    }
}

/// What a search takes beyond one encode.
fn searching(wish: Wish, layout: &Layout, written: &Writing) -> Cost {
    let whole = area(layout.width, layout.height);
    let (pixels, tries, scored) = match wish {
        // The whole may have to be encoded after the tries on a sample: then there are as many tries more as there may be.
        Wish::Score(_) => (whole.min(score::MOST_PIXELS), seek::SCORE_TRIES, whole.min(score::MOST_PIXELS)),
        Wish::Bytes(_) => (whole, seek::SIZE_TRIES, 0),
        Wish::Colours(_) => return reducing(whole),
    };
    let more = u64::try_from(tries).unwrap_or(u64::MAX).saturating_sub(1);
    let each = written.part(layout, pixels);
    let decode: u64 = match written.format {
        Format::Heif => 55,
        Format::Avif => 24,
        _ => 12,
    };
    let look = micros(scored, decode.saturating_add(SCORE_MS)).saturating_mul(more.saturating_add(1));
    let micros = each.saturating_mul(more).saturating_add(look);
    // A copy of the pixels for each try, two files, and what the comparison holds.
    let copies = pixels.saturating_mul(6);
    let bytes = copies.saturating_add(scored.saturating_mul(SCORE_BYTES));
    Cost { bytes, cpu_ms: micros / 1000, ..Cost::default() }
}

/// What reducing a PNG's colours takes: palettes that are tried on a sample, then one of the whole, squeezed hard where it
/// is small.
fn reducing(whole: u64) -> Cost {
    let sample = whole.min(score::MOST_PIXELS);
    let tries = seek::COLOURS.len() as u64;
    let look = micros(sample, REDUCE_MS.saturating_add(SCORE_MS)).saturating_mul(tries);
    let last = micros(whole, REDUCE_MS).saturating_add(micros(sample, SQUEEZE_MS));
    // The picture in four channels twice, and two files.
    let copies = whole.saturating_mul(12).saturating_add(sample.saturating_mul(8));
    let bytes = copies.saturating_add(sample.saturating_mul(SCORE_BYTES));
    Cost { bytes, cpu_ms: look.saturating_add(last) / 1000, ..Cost::default() }
}

/// What choosing 256 colours and dithering to them takes a megapixel, and the slower compression of a PNG.
const REDUCE_MS: u64 = 250;
const SQUEEZE_MS: u64 = 500;

/// What answering with facts takes: next to nothing, but for an average colour or a digest. A plan for a picture costs
/// here what reading its header costs.
pub fn facts_cost(header: &Header, plan: &Plan) -> Cost {
    reading_facts(header, &File::of(None, header), plan)
}

fn reading_facts(header: &Header, file: &File, plan: &Plan) -> Cost {
    let source = source_bytes(header);
    let work = WorkKind { from: Some(header.source.format), ..WorkKind::default() };
    let mut cost = Cost { bytes: BASE_BYTES.saturating_add(source), cpu_ms: 1, work };
    let Answer::Facts(wanted) = &plan.answer else { return cost };
    if wanted.md5 {
        // 2 ns a byte.
        cost.cpu_ms = cost.cpu_ms.saturating_add(source / 500_000);
    }
    if wanted.average {
        let shrink = (!header.source.animated()).then_some(need::AVERAGE_SHRINK);
        let decoded = decoding(header, file, shrink);
        // Adding up takes about a nanosecond a pixel.
        let micros = decoded.micros.saturating_add(decoded.pixels / 1000);
        cost.bytes = cost.bytes.saturating_add(decoded.bytes);
        cost.cpu_ms = cost.cpu_ms.saturating_add(millis(micros));
    }
    cost
}

/// What decoding two pictures and scoring some of their frames takes.
pub fn compare_cost(one: &Header, other: &Header, frames: u32) -> Cost {
    let side = |header: &Header| {
        let decoded = decoding(header, &File::of(None, header), None);
        let micros = decoded.micros.saturating_mul(header.source.frames.max(1).into());
        let upright = decoded.pixels.saturating_mul(4);
        let bytes = source_bytes(header).saturating_add(decoded.bytes).saturating_add(upright);
        (bytes, micros, decoded.pixels.min(super::score::MOST_PIXELS))
    };
    let ((a, first, scored), (b, second, _)) = (side(one), side(other));
    let scoring = scored.saturating_mul(SCORE_MS) / 1000;
    let micros = first.saturating_add(second).saturating_add(scoring.saturating_mul(frames.max(1).into()));
    let bytes = BASE_BYTES.saturating_add(a).saturating_add(b).saturating_add(scored.saturating_mul(SCORE_BYTES));
    Cost { bytes, cpu_ms: millis(micros), ..Cost::default() }
}

/// What reading a header by a plug-in takes, for an original of so many bytes.
pub fn plugin_header_cost(length: usize) -> Cost {
    let work = WorkKind { from: Some(Format::Tpg), ..WorkKind::default() };
    Cost { bytes: BASE_BYTES.saturating_add(length as u64), cpu_ms: 2, work }
}

/// One stage for one frame.
struct Stage {
    /// Pixels that it leaves.
    pixels: u64,
    bytes: u64,
    micros: u64,
}

fn area(width: u32, height: u32) -> u64 {
    u64::from(width).saturating_mul(height.into())
}

/// Milliseconds a megapixel are nanoseconds a pixel.
fn micros(pixels: u64, ms_per_megapixel: u64) -> u64 {
    pixels.saturating_mul(ms_per_megapixel) / 1000
}

fn millis(micros: u64) -> u64 {
    micros.div_ceil(1000).max(1)
}

fn source_bytes(header: &Header) -> u64 {
    // Pictures of a few pixels may still carry profiles and metadata.
    let raw = header.source.pixels().saturating_mul(u64::from(header.channels.clamp(1, 4)));
    raw.saturating_mul(u64::from(header.depth.max(8)).div_ceil(8)).saturating_add(1 << 20).min(SOURCE_BYTES)
}

/// The side's divisor that a JPEG decoder chooses.
fn divisor(header: &Header, shrink: Option<Shrink>) -> u32 {
    let shrink = shrink.filter(|_| header.source.format == Format::Jpeg);
    shrink.map_or(1, |shrink| shrink.divisor(header.source.width, header.source.height))
}

fn decoding(header: &Header, file: &File, shrink: Option<Shrink>) -> Stage {
    let source = &header.source;
    let by = divisor(header, shrink);
    let stored = area(source.width, source.height);
    let pixels = area(source.width.div_ceil(by), source.height.div_ceil(by));
    // A drawing has no pixels but those that it is drawn on.
    let drawn = shrink.filter(|_| source.format == Format::Svg).map(|to| area(to.min_width, to.min_height));
    let (stored, pixels) = drawn.map_or((stored, pixels), |drawn| (drawn, drawn));
    let channels = u64::from(header.channels.clamp(1, 4)).max(if source.alpha { 2 } else { 1 });
    // Deeper samples lie beside their eight-bit ones for a while.
    let deep = if header.depth > 8 { channels.saturating_mul(2) } else { 0 };
    // What lies beside the picture while it is decoded.
    let beside = match source.format {
        Format::Jpeg => {
            let coefficients = if header.progressive { stored.saturating_mul(channels).saturating_mul(3) } else { 0 };
            // Inks become RGB in memory of their own.
            coefficients.saturating_add(if header.channels == 4 { pixels.saturating_mul(3) } else { 0 })
        }
        // The canvas, the one to go back to, and the part that is drawn.
        Format::Png | Format::Gif | Format::WebP if source.animated() => stored.saturating_mul(12),
        // What the decoder is held to: a hostile file takes no more than it was let in for.
        Format::Jxl => crate::decode::jxl_bytes(header),
        Format::Svg => crate::decode::svg_bytes(pixels),
        format => stored.saturating_mul(codec(format).beside.unwrap_or(channels)),
    };
    let bytes = pixels.saturating_mul(channels.saturating_add(deep)).saturating_add(beside);
    let start = if source.format == Format::Svg { DRAWING_START_US } else { 0 };
    Stage { pixels, bytes, micros: file.reading(header, stored, by > 1).saturating_add(start) }
}

/// What drawing a byte of an SVG takes: 100,000 small filled and stroked paths of 67 bytes each took 9 s.
const DRAWING_NS: u64 = 1500;

/// What reading an SVG takes whatever its size.
const DRAWING_START_US: u64 = 10_000;

/// Resampling on amounts of light.
const LINEAR: u64 = 12;
/// Rows of floats that it keeps, at most; twice as many of whole numbers take less.
const LINEAR_ROWS: u32 = 66;

/// Laying a mark over every pixel.
const MARK: u64 = 12;

fn transforming(header: &Header, decoded: u64, ops: &[GeometryOp], light: Light) -> Stage {
    // A canvas or a mark may give a grey picture colour, a rotation gives it alpha.
    let recolours = |op: &GeometryOp| {
        matches!(op, GeometryOp::Pad { .. } | GeometryOp::Rotate { .. } | GeometryOp::Mark { .. })
            || matches!(op, GeometryOp::Disc | GeometryOp::Corners(_))
    };
    let recoloured = ops.iter().any(recolours);
    let channels = match header.channels {
        1 if !recoloured && !header.source.alpha => 1,
        _ if header.source.alpha || recoloured => 4,
        _ => 3,
    };
    let mut stage = Stage { pixels: decoded, bytes: 0, micros: 0 };
    for op in ops {
        let (out, rate, beside) = match *op {
            // Between its two passes the picture has the new width and the old height: at most the larger of both.
            GeometryOp::Resize { width, height } | GeometryOp::Part { width, height, .. } => {
                let out = area(width, height);
                match light {
                    Light::Gamma => (out, 3, stage.pixels.max(out)),
                    // Rows of four floats a pixel; the picture may have been turned.
                    Light::Linear => {
                        let row = header.source.width.max(header.source.height).max(width);
                        (out, LINEAR, area(row, LINEAR_ROWS).saturating_mul(16).div_ceil(channels))
                    }
                }
            }
            GeometryOp::Crop { width, height, .. } => (area(width, height), 1, 0),
            GeometryOp::Pad { width, height, .. } => (area(width, height), 2, 0),
            GeometryOp::Rotate { width, height, .. } => (area(width, height), 25, stage.pixels),
            GeometryOp::Orient(_) | GeometryOp::Turn(_) => (stage.pixels, 4, 0),
            GeometryOp::Flip(_) => (stage.pixels, 1, 0),
            GeometryOp::Effect(effect) => (stage.pixels, effect::rate(effect, channels), stage.pixels),
            GeometryOp::Disc | GeometryOp::Corners(_) => (stage.pixels, 3, stage.pixels),
            // A grey picture may get colour.
            GeometryOp::Mark { .. } => (stage.pixels, MARK, stage.pixels),
        };
        stage.micros = stage.micros.saturating_add(micros(stage.pixels.max(out), rate));
        stage.bytes = stage.bytes.max(out.saturating_add(beside).saturating_mul(channels));
        stage.pixels = out;
    }
    stage
}

/// What encoders of animations take whatever the size.
const MOVING_BYTES: u64 = 16 << 20;

#[cfg(test)]
mod tests;
