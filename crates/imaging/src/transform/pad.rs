//! Putting a picture on a larger canvas.

use super::super::picture::{Channels, Pixels};
use super::channels::with_colour;
use super::{area, room};
use crate::error::{Error, Kind};
use crate::plan::Rgb;

/// Puts the picture at a place of an opaque canvas. What is transparent in the picture stays so. A grey picture gets
/// colour channels where the canvas has a colour.
pub(super) fn pad(pixels: Pixels, size: (u32, u32), place: (u32, u32), color: Rgb) -> Result<Pixels, Error> {
    let ((width, height), (x, y)) = (size, place);
    let inside = |start: u32, part: u32, whole: u32| start.checked_add(part).is_some_and(|end| end <= whole);
    if !inside(x, pixels.width(), width) || !inside(y, pixels.height(), height) {
        return Err(Error::new(
            Kind::Internal,
            format!("{} x {} pixels at ({x}, {y}) of a canvas of {width} x {height}", pixels.width(), pixels.height()),
        ));
    }
    let grey = color.r == color.g && color.g == color.b;
    let pixels = if grey { pixels } else { with_colour(pixels)? };
    let canvas: &[u8] = match pixels.channels() {
        Channels::Grey => &[color.r],
        Channels::GreyAlpha => &[color.r, 255],
        Channels::Rgb => &[color.r, color.g, color.b],
        Channels::Rgba => &[color.r, color.g, color.b, 255],
    };
    let mut data = room(area(width, height, pixels.channels())?)?;
    let paint = |data: &mut Vec<u8>, count: usize| data.extend(canvas.iter().cycle().take(count * canvas.len()));
    let (width_px, left) = (width as usize, x as usize);
    let right = width_px - left - pixels.width() as usize;
    paint(&mut data, width_px * y as usize);
    for row in pixels.rows() {
        paint(&mut data, left);
        data.extend_from_slice(row);
        paint(&mut data, right);
    }
    paint(&mut data, width_px * (height - y - pixels.height()) as usize);
    Pixels::new(width, height, pixels.channels(), data)
}
