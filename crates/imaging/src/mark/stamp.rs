//! A mark as pixels, and how it is laid onto a picture: alpha over the encoded values, once or on a grid.

use super::super::picture::{Channels, Pixels};
use super::super::transform::{with_alpha, with_colour};
use crate::error::{Error, Kind};
use crate::plan::{Gap, Gravity, Mark};

/// A drawn mark: parts in a box. They lie inside of it and do not overlap.
pub(super) struct Stamp {
    pub width: u32,
    pub height: u32,
    pub parts: Vec<StampPart>,
}

/// Pixels with alpha at a place of the box.
pub(super) struct StampPart {
    pub x: u32,
    pub y: u32,
    pub pixels: Pixels,
}

/// Where the box of a mark has its upper left corner, in a picture of `size`; it may lie outside.
pub(super) fn place(mark: &Mark, (width, height): (u32, u32), size: (u32, u32)) -> (i64, i64) {
    let (column, row) = Gravity::cells(mark.gravity);
    let along = |cell: usize, whole: u32, part: u32, by: i32| {
        let (free, by) = (i64::from(whole) - i64::from(part), i64::from(by));
        match cell {
            0 => by,
            1 => free.div_euclid(2) + by,
            _ => free - by,
        }
    };
    (along(column, size.0, width, mark.dx), along(row, size.1, height, mark.dy))
}

impl Stamp {
    /// A picture as a mark.
    pub fn of(pixels: Pixels) -> Result<Self, Error> {
        let (width, height) = (pixels.width(), pixels.height());
        Ok(Self { width, height, parts: vec![StampPart { x: 0, y: 0, pixels: with_alpha(pixels)? }] })
    }

    /// Brings the parts to the picture's kind of pixels, and the picture to theirs: a grey picture stays grey under grey
    /// marks.
    pub fn meet(&mut self, mut picture: Pixels) -> Result<Pixels, Error> {
        let grey = |channels| matches!(channels, Channels::Grey | Channels::GreyAlpha);
        if grey(picture.channels()) {
            for part in &mut self.parts {
                if part.pixels.channels() == Channels::Rgba && is_grey(&part.pixels) {
                    part.pixels = to_grey(&part.pixels)?;
                }
            }
            if !self.parts.iter().all(|part| grey(part.pixels.channels())) {
                picture = with_colour(picture)?;
            }
        }
        if !grey(picture.channels()) {
            for part in &mut self.parts {
                if grey(part.pixels.channels()) {
                    let pixels = std::mem::replace(&mut part.pixels, Pixels::filled(1, 1, Channels::GreyAlpha, 0)?);
                    part.pixels = with_colour(pixels)?;
                }
            }
        }
        Ok(picture)
    }

    /// Lays it onto a picture that it has met. The time grows with the picture's pixels, however small the tiles are.
    pub fn lay(&self, picture: &mut Pixels, mark: &Mark) -> Result<(), Error> {
        let size = (picture.width(), picture.height());
        let (x, y) = place(mark, (self.width, self.height), size);
        let (gap_x, gap_y) = match mark.tiles {
            None => return self.at(picture, x, y, mark.opacity),
            Some(Gap::Pixels(x, y)) => (x, y),
            Some(Gap::Percent(percent)) => {
                let of = |side: u32| (u64::from(side) * u64::from(percent) / 100) as u32;
                (of(self.width), of(self.height))
            }
        };
        let step = |side: u32, gap: u32| i64::from(side.max(1)) + i64::from(gap);
        let (across, down) = (step(self.width, gap_x), step(self.height, gap_y));
        // The first tile of a line that reaches into the picture.
        let first = |place: i64, step: i64| place.rem_euclid(step) - step;
        let mut top = first(y, down);
        while top < i64::from(size.1) {
            let mut left = first(x, across);
            while left < i64::from(size.0) {
                self.at(picture, left, top, mark.opacity)?;
                left += across;
            }
            top += down;
        }
        Ok(())
    }

    fn at(&self, picture: &mut Pixels, x: i64, y: i64, opacity: u8) -> Result<(), Error> {
        for part in &self.parts {
            over(picture, &part.pixels, x + i64::from(part.x), y + i64::from(part.y), opacity)?;
        }
        Ok(())
    }
}

/// Lays pixels with alpha over others, clipped to them; `opacity` in percent.
fn over(picture: &mut Pixels, part: &Pixels, x: i64, y: i64, opacity: u8) -> Result<(), Error> {
    let clip = |place: i64, part: u32, whole: u32| {
        let (from, to) = (place.max(0), (place + i64::from(part)).min(whole.into()));
        (from < to).then(|| (from as usize, (from - place) as usize, (to - from) as usize))
    };
    let across = clip(x, part.width(), picture.width());
    let down = clip(y, part.height(), picture.height());
    let (Some((to_x, from_x, width)), Some((to_y, from_y, height))) = (across, down) else { return Ok(()) };
    let blend: fn(&mut [u8], &[u8], u32) = match (picture.channels(), part.channels()) {
        (Channels::Grey, Channels::GreyAlpha) => opaque::<1, 2>,
        (Channels::Rgb, Channels::Rgba) => opaque::<3, 4>,
        (Channels::GreyAlpha, Channels::GreyAlpha) => clear::<2>,
        (Channels::Rgba, Channels::Rgba) => clear::<4>,
        (picture, part) => {
            return Err(Error::new(Kind::Internal, format!("a mark of {part:?} on a picture of {picture:?}")));
        }
    };
    let (stride, each) = (picture.stride(), picture.channels().count());
    let (part_stride, part_each) = (part.stride(), part.channels().count());
    let into = picture.data_mut().chunks_exact_mut(stride).skip(to_y).take(height);
    for (into, from) in into.zip(part.data().chunks_exact(part_stride).skip(from_y)) {
        let into = into.get_mut(to_x * each..(to_x + width) * each).unwrap_or_default();
        let from = from.get(from_x * part_each..(from_x + width) * part_each).unwrap_or_default();
        blend(into, from, opacity.into());
    }
    Ok(())
}

/// Over pixels without alpha.
fn opaque<const N: usize, const A: usize>(into: &mut [u8], from: &[u8], opacity: u32) {
    for (pixel, mark) in into.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks::<A>().0) {
        let alpha = weight(mark, opacity);
        if alpha == 0 {
            continue;
        }
        for (value, over) in pixel.iter_mut().zip(mark) {
            *value = ((u32::from(*over) * alpha + u32::from(*value) * (FULL - alpha) + FULL / 2) / FULL) as u8;
        }
    }
}

/// Over pixels whose last channel is alpha, not premultiplied.
fn clear<const N: usize>(into: &mut [u8], from: &[u8], opacity: u32) {
    for (pixel, mark) in into.as_chunks_mut::<N>().0.iter_mut().zip(from.as_chunks::<N>().0) {
        let alpha = weight(mark, opacity);
        if alpha == 0 {
            continue;
        }
        let under = pixel.last().copied().map_or(0, u32::from) * (FULL - alpha) / 255;
        let whole = alpha + under;
        for (value, over) in pixel.iter_mut().zip(mark).take(N - 1) {
            *value = ((u32::from(*over) * alpha + u32::from(*value) * under + whole / 2) / whole) as u8;
        }
        if let Some(last) = pixel.last_mut() {
            *last = ((whole * 255 + FULL / 2) / FULL) as u8;
        }
    }
}

/// The opacity of a whole pixel of a mark of 100 percent: 255 x 100, so that nothing is rounded before the end.
const FULL: u32 = 25_500;

fn weight<const N: usize>(mark: &[u8; N], opacity: u32) -> u32 {
    mark.last().copied().map_or(0, u32::from) * opacity.min(100)
}

fn is_grey(pixels: &Pixels) -> bool {
    pixels.data().as_chunks::<4>().0.iter().all(|[r, g, b, a]| *a == 0 || (r == g && g == b))
}

fn to_grey(pixels: &Pixels) -> Result<Pixels, Error> {
    let mut data = super::super::transform::room(pixels.data().len() / 2)?;
    data.extend(pixels.data().as_chunks::<4>().0.iter().flat_map(|[r, _, _, a]| [*r, *a]));
    Pixels::new(pixels.width(), pixels.height(), Channels::GreyAlpha, data)
}
