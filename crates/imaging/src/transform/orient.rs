//! Mirrors and quarter turns. All seven come of two mirrors in place and one transposition.

use super::super::picture::{Channels, Pixels};
use super::{area, room};
use crate::error::{Error, Kind};
use crate::plan::Axis;

/// Brings pixels of this EXIF orientation (1..=8) upright.
///
/// # Errors
/// [`Kind::OutOfMemory`]; [`Kind::Internal`] for a number that is no orientation.
pub fn orient(pixels: Pixels, orientation: u8) -> Result<Pixels, Error> {
    match orientation {
        1 => Ok(pixels),
        2 => flip(pixels, Axis::Horizontal),
        3 => turn(pixels, 2),
        4 => flip(pixels, Axis::Vertical),
        5 => transpose(&pixels),
        6 => turn(pixels, 1),
        7 => turn(transpose(&pixels)?, 2),
        8 => turn(pixels, 3),
        other => Err(Error::new(Kind::Internal, format!("an orientation of {other}"))),
    }
}

/// Turns clockwise by quarters.
///
/// # Errors
/// [`Kind::OutOfMemory`].
pub fn turn(pixels: Pixels, quarters: u8) -> Result<Pixels, Error> {
    match quarters % 4 {
        0 => Ok(pixels),
        1 => flip(transpose(&pixels)?, Axis::Horizontal),
        2 => flip(flip(pixels, Axis::Horizontal)?, Axis::Vertical),
        _ => flip(transpose(&pixels)?, Axis::Vertical),
    }
}

/// Mirrors, in the memory that is there.
///
/// # Errors
/// None that can be met.
pub fn flip(mut pixels: Pixels, axis: Axis) -> Result<Pixels, Error> {
    let stride = pixels.stride();
    let channels = pixels.channels();
    let data = pixels.data_mut();
    match axis {
        Axis::Horizontal => data.chunks_exact_mut(stride).for_each(|row| match channels {
            Channels::Grey => row.reverse(),
            Channels::GreyAlpha => row.as_chunks_mut::<2>().0.reverse(),
            Channels::Rgb => row.as_chunks_mut::<3>().0.reverse(),
            Channels::Rgba => row.as_chunks_mut::<4>().0.reverse(),
        }),
        Axis::Vertical => {
            let half = data.len() / stride / 2 * stride;
            let (top, rest) = data.split_at_mut(half);
            for (above, below) in top.chunks_exact_mut(stride).zip(rest.rchunks_exact_mut(stride)) {
                above.swap_with_slice(below);
            }
        }
    }
    Ok(pixels)
}

/// Rows become columns.
fn transpose(pixels: &Pixels) -> Result<Pixels, Error> {
    match pixels.channels() {
        Channels::Grey => transposed::<1>(pixels),
        Channels::GreyAlpha => transposed::<2>(pixels),
        Channels::Rgb => transposed::<3>(pixels),
        Channels::Rgba => transposed::<4>(pixels),
    }
}

/// Pixels a side of the squares that are transposed one by one, so that both sides stay in the processor's cache.
const TILE: usize = 32;

fn transposed<const N: usize>(pixels: &Pixels) -> Result<Pixels, Error> {
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let length = area(pixels.width(), pixels.height(), pixels.channels())?;
    let mut data = room(length)?;
    data.resize(length, 0);
    let (from, to) = (pixels.data().as_chunks::<N>().0, data.as_chunks_mut::<N>().0);
    for (strip, columns) in to.chunks_mut(TILE * height).enumerate() {
        for top in (0..height).step_by(TILE) {
            for (x, column) in columns.chunks_exact_mut(height).enumerate() {
                let x = strip * TILE + x;
                for (y, place) in column.iter_mut().enumerate().skip(top).take(TILE) {
                    if let Some(pixel) = from.get(y * width + x) {
                        *place = *pixel;
                    }
                }
            }
        }
    }
    Pixels::new(pixels.height(), pixels.width(), pixels.channels(), data)
}
