//! Turning by any angle.

use super::super::picture::{Channels, Pixels};
use super::channels::with_alpha;
use super::{area, room};
use crate::error::Error;

/// Turns clockwise about the centre onto a canvas of this size, bilinearly. Outside of the picture lies nothing, so that
/// its border comes out smooth. What is left free is transparent where the pixels have alpha or `output_has_alpha` lets
/// them get it, else white.
pub(super) fn rotate(pixels: Pixels, degrees: u16, size: (u32, u32), output_has_alpha: bool) -> Result<Pixels, Error> {
    let pixels = if output_has_alpha { with_alpha(pixels)? } else { pixels };
    match pixels.channels() {
        Channels::Grey => turned(&pixels, degrees, size, blend_white::<1>),
        Channels::GreyAlpha => turned(&pixels, degrees, size, blend_alpha::<2>),
        Channels::Rgb => turned(&pixels, degrees, size, blend_white::<3>),
        Channels::Rgba => turned(&pixels, degrees, size, blend_alpha::<4>),
    }
}

/// Up to four neighbours with their weights; a weight that is missing to 1 fell outside of the picture.
type Near<const N: usize> = [(f32, [u8; N]); 4];

fn blend_white<const N: usize>(near: &Near<N>) -> [u8; N] {
    let covered: f32 = near.iter().map(|(weight, _)| weight).sum();
    let mut sums = [255.0 * (1.0 - covered); N];
    for (weight, pixel) in near {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += weight * f32::from(*value);
        }
    }
    sums.map(byte)
}

/// The last channel is alpha; colours count by their opacity.
fn blend_alpha<const N: usize>(near: &Near<N>) -> [u8; N] {
    let mut sums = [0.0f32; N];
    let mut opacity = 0.0f32;
    for (weight, pixel) in near {
        let alpha = weight * pixel.last().copied().map_or(0.0, f32::from);
        opacity += alpha;
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += alpha * f32::from(*value);
        }
    }
    if opacity < 0.5 {
        return [0; N];
    }
    let mut out = sums.map(|sum| byte(sum / opacity));
    if let Some(alpha) = out.last_mut() {
        *alpha = byte(opacity);
    }
    out
}

fn byte(value: f32) -> u8 {
    // Casting saturates at both ends.
    (value + 0.5) as u8
}

fn turned<const N: usize>(
    pixels: &Pixels,
    degrees: u16,
    (width, height): (u32, u32),
    blend: impl Fn(&Near<N>) -> [u8; N],
) -> Result<Pixels, Error> {
    let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
    let (source_width, source_height) = (i64::from(pixels.width()), i64::from(pixels.height()));
    let from = pixels.data().as_chunks::<N>().0;
    let free = blend(&[(0.0, [0; N]); 4]);
    let mut data = room(area(width, height, pixels.channels())?)?;
    for y in 0..height {
        let down = f64::from(y) + 0.5 - f64::from(height) / 2.0;
        for x in 0..width {
            let right = f64::from(x) + 0.5 - f64::from(width) / 2.0;
            // Back to where this pixel comes from, in the source's grid of pixel centres.
            let u = right * cos + down * sin + source_width as f64 / 2.0 - 0.5;
            let v = down * cos - right * sin + source_height as f64 / 2.0 - 0.5;
            let (left, top) = (u.floor() as i64, v.floor() as i64);
            if left < -1 || top < -1 || left >= source_width || top >= source_height {
                data.extend_from_slice(&free);
                continue;
            }
            let (fx, fy) = ((u - u.floor()) as f32, (v - v.floor()) as f32);
            let at = |x: i64, y: i64, weight: f32| {
                if x < 0 || y < 0 || x >= source_width || y >= source_height {
                    return (0.0, [0; N]);
                }
                // Both are inside the picture, whose pixels are all in memory.
                from.get((y * source_width + x) as usize).map_or((0.0, [0; N]), |pixel| (weight, *pixel))
            };
            let near = [
                at(left, top, (1.0 - fx) * (1.0 - fy)),
                at(left + 1, top, fx * (1.0 - fy)),
                at(left, top + 1, (1.0 - fx) * fy),
                at(left + 1, top + 1, fx * fy),
            ];
            data.extend_from_slice(&blend(&near));
        }
    }
    Pixels::new(width, height, pixels.channels(), data)
}
