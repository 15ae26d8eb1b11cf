//! Shapes: what lies outside becomes transparent, with a smooth edge.

use super::super::picture::Pixels;
use super::channels::with_alpha;
use crate::error::Error;

/// Leaves the largest circle about the centre.
pub(super) fn disc(pixels: Pixels) -> Result<Pixels, Error> {
    let (width, height) = (f64::from(pixels.width()), f64::from(pixels.height()));
    let radius = width.min(height) / 2.0;
    masked(pixels, move |x, y| radius - (x - width / 2.0).hypot(y - height / 2.0))
}

/// Rounds the corners off.
pub(super) fn corners(pixels: Pixels, radius: u32) -> Result<Pixels, Error> {
    let (width, height) = (f64::from(pixels.width()), f64::from(pixels.height()));
    let radius = f64::from(radius).min(width.min(height) / 2.0);
    masked(pixels, move |x, y| {
        // How far the point lies beyond the centre of the nearest corner's circle, in each direction.
        let across = (radius - x).max(x - (width - radius)).max(0.0);
        let down = (radius - y).max(y - (height - radius)).max(0.0);
        if across > 0.0 && down > 0.0 { radius - across.hypot(down) } else { 1.0 }
    })
}

/// `inside` gives the distance of a point to the edge, positive inside; a pixel is covered by its centre's distance.
fn masked(pixels: Pixels, inside: impl Fn(f64, f64) -> f64) -> Result<Pixels, Error> {
    let mut pixels = with_alpha(pixels)?;
    let (stride, each) = (pixels.stride(), pixels.channels().count());
    for (y, row) in pixels.data_mut().chunks_exact_mut(stride).enumerate() {
        for (x, pixel) in row.chunks_exact_mut(each).enumerate() {
            let covered = (inside(x as f64 + 0.5, y as f64 + 0.5) + 0.5).clamp(0.0, 1.0);
            if covered < 1.0
                && let Some(alpha) = pixel.last_mut()
            {
                *alpha = (f64::from(*alpha) * covered + 0.5) as u8;
            }
        }
    }
    Ok(pixels)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::super::picture::Channels;
    use super::*;

    fn alpha(pixels: &Pixels, x: usize, y: usize) -> u8 {
        pixels.data()[y * pixels.stride() + x * 4 + 3]
    }

    #[test]
    fn a_disc_has_the_area_of_a_circle() {
        let out = disc(Pixels::filled(101, 101, Channels::Rgb, 9).unwrap()).unwrap();
        assert_eq!(
            (alpha(&out, 0, 0), alpha(&out, 50, 50), alpha(&out, 50, 0), alpha(&out, 100, 50)),
            (0, 255, 255, 255)
        );
        let area: f64 = out.data().chunks_exact(4).map(|pixel| f64::from(pixel[3]) / 255.0).sum();
        assert!((area - std::f64::consts::PI * 50.5 * 50.5).abs() < 5.0, "{area}");
    }

    #[test]
    fn corners_are_rounded_and_nothing_else() {
        let out = corners(Pixels::filled(60, 40, Channels::Rgba, 200).unwrap(), 10).unwrap();
        for (x, y) in [(0, 0), (59, 0), (0, 39), (59, 39)] {
            assert_eq!(alpha(&out, x, y), 0, "{x},{y}");
        }
        for (x, y) in [(10, 0), (0, 10), (49, 39), (30, 20), (59, 20)] {
            assert_eq!(alpha(&out, x, y), 200, "{x},{y}");
        }
    }
}
