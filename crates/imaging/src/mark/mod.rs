//! Drawing marks. What a mark shows is drawn once for a picture and laid onto each of its frames.

pub mod fonts;
mod stamp;
mod text;

use std::ops::Range;

use super::decode::{self, Wanted};
use super::picture::Pixels;
use super::policy::{Carry, Gamut, Light, Policy};
use super::{need, probe};
use crate::error::{Error, Kind};
use crate::plan::{self, Align, Limits, Mark, MarkImage, Plan, Subject};
use stamp::Stamp;

pub(super) use text::MOST_PIXELS;

/// The marks of a plan over one picture.
pub(super) struct Marks<'a> {
    marks: Vec<(&'a Mark, Option<&'a [u8]>, Option<Stamp>)>,
    limits: Limits,
    policy: Policy,
}

impl<'a> Marks<'a> {
    /// `images`: the bytes of the pictures that [`Plan::mark_images`] names, in its order.
    ///
    /// # Errors
    /// [`Kind::Internal`] if there are too few.
    pub fn new(plan: &'a Plan, images: &[&'a [u8]], limits: Limits, policy: Policy) -> Result<Self, Error> {
        let mut images = images.iter().copied();
        let mut marks = Vec::new();
        for mark in plan.marks() {
            let image = match mark.image() {
                Some(_) => Some(images.next().ok_or_else(|| missing("a mark came without its picture"))?),
                None => None,
            };
            marks.push((mark, image, None));
        }
        Ok(Self { marks, limits, policy })
    }

    /// Draws one onto a frame.
    ///
    /// # Errors
    /// What is wrong with the mark's picture; [`Kind::UnsupportedRule`] where there is no font; [`Kind::OutOfMemory`].
    pub fn draw(&mut self, picture: Pixels, number: u32) -> Result<Pixels, Error> {
        let (limits, policy) = (self.limits, self.policy);
        let entry = self.marks.get_mut(number as usize).ok_or_else(|| missing("a mark that the plan has not"))?;
        let (mark, image, stamp) = entry;
        let stamp = match stamp {
            Some(stamp) => stamp,
            None => stamp.insert(drawn(mark, *image, (picture.width(), picture.height()), &limits, policy)?),
        };
        let mut picture = stamp.meet(picture)?;
        stamp.lay(&mut picture, mark)?;
        Ok(picture)
    }
}

fn missing(what: &str) -> Error {
    Error::new(Kind::Internal, what)
}

fn drawn(mark: &Mark, image: Option<&[u8]>, size: (u32, u32), limits: &Limits, policy: Policy) -> Result<Stamp, Error> {
    let image = |wanted: &MarkImage| {
        let bytes = image.ok_or_else(|| missing("a mark came without its picture"))?;
        decoded(wanted, bytes, size, limits, policy).and_then(Stamp::of)
    };
    match &mark.subject {
        Subject::Image(wanted) => image(wanted),
        Subject::Text(text) => {
            let line = text::line(text, size)?;
            if mark.tiles.is_some() {
                return line.draw_whole();
            }
            // What lies outside of the picture is not drawn at all, however long the line is.
            let (x, y) = stamp::place(mark, (line.width, line.height), size);
            line.draw(visible(x, line.width, size.0), visible(y, line.height, size.1))
        }
        Subject::Both { image: wanted, text, text_first, align, interval } => {
            let (image, text) = (image(wanted)?, text::line(text, size)?.draw_whole()?);
            let (left, right) = if *text_first { (text, image) } else { (image, text) };
            Ok(beside(left, right, *align, *interval))
        }
    }
}

/// The part of a mark's side that lies inside of the picture, in the mark's own pixels.
fn visible(place: i64, side: u32, whole: u32) -> Range<u32> {
    let from = (-place).clamp(0, side.into());
    let to = (i64::from(whole) - place).clamp(from, side.into());
    // Both are between 0 and `side`.
    from as u32..to as u32
}

fn beside(left: Stamp, right: Stamp, align: Align, interval: u32) -> Stamp {
    let height = left.height.max(right.height);
    let shift = left.width.saturating_add(interval);
    let width = shift.saturating_add(right.width);
    let mut parts = Vec::new();
    for (x, stamp) in [(0, left), (shift, right)] {
        let free = height - stamp.height;
        let y = match align {
            Align::Top => 0,
            Align::Middle => free / 2,
            Align::Bottom => free,
        };
        parts.extend(stamp.parts.into_iter().map(|part| stamp::StampPart { x: part.x + x, y: part.y + y, ..part }));
    }
    Stamp { width, height, parts }
}

/// A mark's picture, processed.
fn decoded(
    image: &MarkImage,
    bytes: &[u8],
    size: (u32, u32),
    limits: &Limits,
    policy: Policy,
) -> Result<Pixels, Error> {
    let policy = Policy { metadata: Carry::Nothing, gamut: Gamut::Srgb, ..policy };
    let header = probe::check_accepted(bytes, limits, &policy).and_then(|()| probe::probe(bytes)).map_err(of_mark)?;
    let layout = plan::mark::lay_out(image, &header.source, size, limits)?;
    let shrink = need::shrink_under(&policy, &header, &layout.ops);
    let wanted = Wanted { limits: *limits, policy, shrink, region: None };
    let frame = decode::open(bytes, &header, &wanted).and_then(|mut decoder| decoder.next_frame()).map_err(of_mark)?;
    let Some(frame) = frame else { return Err(Error::new(Kind::MarkUnusable, "the mark holds no picture")) };
    need::check_size(&frame.pixels, &header, shrink).map_err(of_mark)?;
    let light: Light = policy.resample;
    let mut extent = need::extent(&frame.pixels, &header, shrink);
    layout.ops.iter().try_fold(frame.pixels, |pixels, op| extent.apply(pixels, op, true, light))
}

/// What is wrong with a picture, said of a mark.
pub fn of_mark(error: Error) -> Error {
    match error.kind {
        Kind::NotAnImage | Kind::UnsupportedSource | Kind::Corrupt => {
            Error::new(Kind::MarkUnusable, format!("the mark: {}", error.message))
        }
        _ => error,
    }
}

/// Pixels of a mark's text that lie in memory at once at most, for estimates.
pub(super) fn text_pixels(mark: &Mark, (width, height): (u32, u32)) -> u64 {
    let Some(text) = mark.text() else { return 0 };
    let em = u64::from(text.size);
    // A letter is hardly wider than an em, and a line hardly higher than two; turned, the box holds both.
    let long = (text.text.chars().count() as u64).saturating_mul(em).saturating_add(em);
    let written = if text.degrees % 180 == 0 { long.saturating_mul(2 * em) } else { long.saturating_mul(long) };
    let picture = u64::from(width) * u64::from(height);
    let whole = mark.tiles.is_some() || mark.image().is_some();
    let most = if whole { MOST_PIXELS } else { picture };
    if text.scale.is_some() { most } else { written.min(most) }
}

#[cfg(test)]
mod tests;
