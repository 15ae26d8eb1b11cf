//! A line of text to pixels: shaped with fallback and in both directions, turned as outlines, so that it stays sharp.

use std::ops::Range;

use cosmic_text::{Attrs, Buffer, Family, Metrics, Shaping, Wrap};
use swash::scale::outline::Outline;
use swash::zeno::{Format, Mask, Transform};

use super::super::picture::{Channels, Pixels};
use super::super::transform::room;
use super::fonts::{self, TextWriter};
use super::stamp::{Stamp, StampPart};
use crate::error::{Error, Kind};
use crate::plan::{MarkText, Mode, Scale};

/// Pixels of an em that a relative size may ask for.
const MOST_EM: f32 = 4000.0;

/// Pixels of a text that has to lie in memory whole.
pub(crate) const MOST_PIXELS: u64 = 16 << 20;

/// Pixels that are filled for one text, where letters lie on top of each other each for itself: half a second.
const MOST_INK: usize = 128 << 20;

/// A shadow's distance, in ems, and its least in pixels.
const SHADOW: f32 = 0.05;
const LEAST_SHADOW: f32 = 1.0;

/// A text as outlines, laid out and turned, its box beginning at (0, 0).
pub(super) struct Line {
    glyphs: Vec<Outline>,
    /// Sides of the box that holds the line and all its ink.
    pub width: u32,
    pub height: u32,
    /// Where the shadow falls, to the right and down; 0: there is none.
    shadow: u32,
    text: MarkText,
}

/// Lays a text out, for a picture of `size`.
///
/// # Errors
/// [`Kind::UnsupportedRule`] where there is no font.
pub(super) fn line(text: &MarkText, size: (u32, u32)) -> Result<Line, Error> {
    let mut writer = fonts::writer()?;
    let mut em = f32::from(text.size);
    if let Some(scale) = text.scale {
        let (_, width, height) = laid_out(&mut writer, text, em);
        em = (em * factor(scale, size, (width, height))).clamp(1.0, MOST_EM);
    }
    let (mut glyphs, width, height) = laid_out(&mut writer, text, em);
    drop(writer);

    let (sin, cos) = f32::from(text.degrees).to_radians().sin_cos();
    let turn = Transform::new(cos, sin, -sin, cos, 0.0, 0.0);
    let mut bounds = Bounds::default();
    for (x, y) in [(0.0, 0.0), (width, 0.0), (0.0, height), (width, height)] {
        bounds.add(x * cos - y * sin, x * sin + y * cos);
    }
    for glyph in &mut glyphs {
        glyph.transform(&turn);
        let ink = glyph.bounds();
        if ink.width() > 0.0 {
            bounds.add(ink.min.x, ink.min.y);
            bounds.add(ink.max.x, ink.max.y);
        }
    }
    let shadow = if text.shadow > 0 { (em * SHADOW).max(LEAST_SHADOW).round() } else { 0.0 };
    let (left, top) = (bounds.left.floor(), bounds.top.floor());
    let home = Transform::translation(-left, -top);
    for glyph in &mut glyphs {
        glyph.transform(&home);
    }
    let side = |from: f32, to: f32| ((to.ceil() - from + shadow).max(1.0)) as u32;
    let (width, height) = (side(left, bounds.right), side(top, bounds.bottom));
    Ok(Line { glyphs, width, height, shadow: shadow as u32, text: text.clone() })
}

/// Outlines of the glyphs, y downwards, and width and height of the line, whose upper left corner is (0, 0).
fn laid_out(writer: &mut TextWriter, text: &MarkText, em: f32) -> (Vec<Outline>, f32, f32) {
    let family = writer.family(&text.font);
    let TextWriter { system, scaler, .. } = writer;
    let mut buffer = Buffer::new(system, Metrics::new(em, em));
    buffer.set_wrap(Wrap::None);
    buffer.set_size(None, None);
    buffer.set_text(&text.text, &Attrs::new().family(Family::Name(&family)), Shaping::Advanced, None);
    buffer.shape_until_scroll(system, false);
    let lines = buffer.lines.first().and_then(|line| line.layout_opt()).map(|lines| lines.as_slice());
    let Some(line) = lines.and_then(<[_]>::first) else { return (Vec::new(), 0.0, em) };
    let mut glyphs = Vec::new();
    for glyph in &line.glyphs {
        let Some(font) = system.get_font(glyph.font_id, glyph.font_weight) else { continue };
        // Where a font is variable its own default may be the thinnest it has.
        let builder = scaler.builder(font.as_swash()).size(glyph.font_size).hint(false);
        let mut scaler = builder.variations(&[("wght", 400.0)]).build();
        let outline = scaler.scale_outline(glyph.glyph_id).or_else(|| scaler.scale_color_outline(glyph.glyph_id));
        let Some(mut outline) = outline else { continue };
        let x = glyph.x + glyph.font_size * glyph.x_offset;
        let y = line.max_ascent + glyph.y - glyph.font_size * glyph.y_offset;
        outline.transform(&Transform::new(1.0, 0.0, 0.0, -1.0, x, y));
        glyphs.push(outline);
    }
    (glyphs, line.w, line.max_ascent + line.max_descent)
}

/// By how much a text of this natural size has to grow.
fn factor(scale: Scale, size: (u32, u32), (width, height): (f32, f32)) -> f32 {
    let (width, height) = (width.max(1.0), height.max(1.0));
    match scale.mode(size) {
        Mode::Fit(target) => {
            let (w, h) = (target.w.map(|w| w as f32 / width), target.h.map(|h| h as f32 / height));
            match (w, h) {
                (Some(w), Some(h)) => w.min(h),
                (w, h) => w.or(h).unwrap_or(1.0),
            }
        }
        Mode::Area(area) => (area as f32 / (width * height)).sqrt(),
        _ => 1.0,
    }
}

#[derive(Clone, Copy)]
struct Bounds {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { left: f32::MAX, top: f32::MAX, right: f32::MIN, bottom: f32::MIN }
    }
}

impl Bounds {
    fn add(&mut self, x: f32, y: f32) {
        (self.left, self.right) = (self.left.min(x), self.right.max(x));
        (self.top, self.bottom) = (self.top.min(y), self.bottom.max(y));
    }
}

impl Line {
    /// Draws the part of the line that lies in a window of its box.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`].
    pub fn draw(&self, across: Range<u32>, down: Range<u32>) -> Result<Stamp, Error> {
        let (width, height) = (across.end.saturating_sub(across.start), down.end.saturating_sub(down.start));
        let stamp = |parts| Stamp { width: self.width, height: self.height, parts };
        if width == 0 || height == 0 {
            return Ok(stamp(Vec::new()));
        }
        // What lies to the left of the window and above it may throw its shadow into it.
        let (left, top) = (i64::from(across.start), i64::from(down.start));
        let margin = i64::from(self.shadow);
        let ink = Coverage::of(
            &self.glyphs,
            (left - margin, left + i64::from(width)),
            (top - margin, top + i64::from(height)),
        )?;
        let pixels = self.painted(&ink, width, height)?;
        Ok(stamp(vec![StampPart { x: across.start, y: down.start, pixels }]))
    }

    /// Draws all of it.
    ///
    /// # Errors
    /// [`Kind::OutputTooLarge`] if that is more than anybody can want; [`Kind::OutOfMemory`].
    pub fn draw_whole(&self) -> Result<Stamp, Error> {
        if u64::from(self.width) * u64::from(self.height) > MOST_PIXELS {
            let message =
                format!("the text of the mark would be {} x {}; write less, or smaller", self.width, self.height);
            return Err(Error::new(Kind::OutputTooLarge, message));
        }
        self.draw(0..self.width, 0..self.height)
    }

    /// The letters over their shadow. `ink` reaches further to the left and up than what is painted, by the shadow's
    /// distance.
    fn painted(&self, ink: &Coverage, width: u32, height: u32) -> Result<Pixels, Error> {
        let color = self.text.color;
        let grey = color.r == color.g && color.g == color.b;
        let channels = if grey { Channels::GreyAlpha } else { Channels::Rgba };
        let (across, margin) = (width as usize, self.shadow as usize);
        let mut data = room(across.saturating_mul(height as usize).saturating_mul(channels.count()))?;
        let strength = u32::from(self.text.shadow) * 255 / 100;
        let rows = ink.data.chunks_exact(ink.width.max(1));
        for (letters, shadows) in rows.clone().skip(margin).zip(rows) {
            for (letter, shadow) in letters.iter().skip(margin).zip(shadows) {
                let letter = u32::from(*letter);
                // Without a shadow its strength is 0. It is black: it adds opacity and no colour.
                let below = u32::from(*shadow) * strength / 255;
                let alpha = letter * 255 + below * (255 - letter);
                let value = |c: u8| (u32::from(c) * letter * 255 + alpha / 2).checked_div(alpha).unwrap_or(0) as u8;
                let alpha = ((alpha + 127) / 255) as u8;
                if grey {
                    data.extend_from_slice(&[value(color.r), alpha]);
                } else {
                    data.extend_from_slice(&[value(color.r), value(color.g), value(color.b), alpha]);
                }
            }
        }
        Pixels::new(width, height, channels, data)
    }
}

/// How much of each pixel of a window is covered.
struct Coverage {
    width: usize,
    data: Vec<u8>,
}

impl Coverage {
    /// The glyphs in a window from one column and row to another.
    fn of(glyphs: &[Outline], across: (i64, i64), down: (i64, i64)) -> Result<Self, Error> {
        let side = |(from, to): (i64, i64)| usize::try_from(to - from).unwrap_or(0);
        let (width, height) = (side(across), side(down));
        let length = width.saturating_mul(height);
        let mut data = room(length)?;
        data.resize(length, 0);
        let mut ink = Self { width, data };
        let mut left = MOST_INK;
        for glyph in glyphs {
            let bounds = glyph.bounds();
            let clip = |from: f32, to: f32, window: (i64, i64)| {
                let (from, to) = ((from.floor() as i64).max(window.0), (to.ceil() as i64).min(window.1));
                (from < to).then_some((from, to))
            };
            let (x, y) = (clip(bounds.min.x, bounds.max.x, across), clip(bounds.min.y, bounds.max.y, down));
            let (Some(x), Some(y)) = (x, y) else { continue };
            left = left.checked_sub(side(x).saturating_mul(side(y))).ok_or_else(|| {
                let message = "the letters of the mark lie on top of each other; write less, or smaller";
                Error::new(Kind::OutputTooLarge, message)
            })?;
            ink.add(glyph, (x.0, side(x)), (y.0, side(y)), (across.0, down.0));
        }
        Ok(ink)
    }

    /// Adds the part of a glyph that lies in a rectangle (start and length on each axis) of the window, which begins at
    /// `window`.
    fn add(&mut self, glyph: &Outline, (x, across): (i64, usize), (y, down): (i64, usize), window: (i64, i64)) {
        // Numbers of pixels inside of a picture.
        let (mask, _) = Mask::new(glyph.path())
            .format(Format::Alpha)
            .size(across as u32, down as u32)
            .offset((-x as f32, -y as f32))
            .render();
        let start = |place: i64, window: i64| usize::try_from(place - window).unwrap_or(0);
        let (skip, above) = (start(x, window.0), start(y, window.1));
        let rows = self.data.chunks_exact_mut(self.width.max(1)).skip(above);
        for (into, from) in rows.zip(mask.chunks_exact(across.max(1))) {
            for (pixel, covered) in into.iter_mut().skip(skip).zip(from) {
                // Glyphs may overlap.
                let (a, b) = (u32::from(*pixel), u32::from(*covered));
                *pixel = (a + b - (a * b + 127) / 255) as u8;
            }
        }
    }
}
