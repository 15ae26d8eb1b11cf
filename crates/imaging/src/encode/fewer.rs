//! Fewer colours, so that a picture can be written with a palette: colours chosen by a small neural network (NeuQuant),
//! the difference carried on to the neighbours (Floyd and Steinberg), to the right and to the left in turn.

use color_quant::NeuQuant;

use super::graphics::rgba;
use crate::error::Error;
use crate::picture::{Channels, Pixels};
use crate::transform::room;

/// One pixel in so many is looked at when colours are chosen.
const SAMPLING: i32 = 5;

/// How much of a difference is carried on, in sixteenths: all of it makes more noise than it removes banding.
const CARRIED: i32 = 14;

/// The picture in at most `most` colours, 2 to 256. Fully transparent pixels stay that, and opaque ones too.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub fn fewer(pixels: &Pixels, most: usize) -> Result<Pixels, Error> {
    let (width, count) = (pixels.width() as usize, pixels.channels().count());
    let mut source = room(pixels.data().len() / count * 4)?;
    source.extend(pixels.data().chunks_exact(count).flat_map(rgba));
    let clear = source.as_chunks::<4>().0.iter().any(|p| p[3] == 0);
    let quantiser = NeuQuant::new(SAMPLING, most.clamp(2, 256) - usize::from(clear), &source);
    let palette = quantiser.color_map_rgba();
    let palette = palette.as_chunks::<4>().0;

    // Differences of this row and of the next, with a pixel of margin on both sides.
    let (mut here, mut below) = (vec![[0i32; 4]; width + 2], vec![[0i32; 4]; width + 2]);
    let mut out = source;
    for (y, row) in out.chunks_exact_mut(width.max(1) * 4).enumerate() {
        below.fill([0; 4]);
        let row = row.as_chunks_mut::<4>().0;
        let right = y % 2 == 0;
        for step in 0..width {
            let x = if right { step } else { width - 1 - step };
            let Some(pixel) = row.get_mut(x) else { continue };
            if pixel[3] == 0 {
                continue;
            }
            let wanted: [i32; 4] = std::array::from_fn(|c| (i32::from(pixel[c]) + here[x + 1][c] / 16).clamp(0, 255));
            let opaque = pixel[3] == 255;
            let mut asked = wanted.map(|value| value as u8);
            if opaque {
                asked[3] = 255;
            }
            let mut found = palette.get(quantiser.index_of(&asked)).copied().unwrap_or(asked);
            if opaque {
                found[3] = 255;
            }
            *pixel = found;
            let (next, before) = if right { (x + 2, x) } else { (x, x + 2) };
            for c in 0..4 {
                let error = (wanted[c] - i32::from(found[c])) * CARRIED / 16;
                here[next][c] += error * 7;
                below[before][c] += error * 3;
                below[x + 1][c] += error * 5;
                below[next][c] += error;
            }
        }
        std::mem::swap(&mut here, &mut below);
    }
    Pixels::new(pixels.width(), pixels.height(), Channels::Rgba, out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    fn picture(alpha: bool) -> Pixels {
        let data = (0..64u32 * 48).flat_map(|i| {
            let (x, y) = (i % 64, i / 64);
            let a = if alpha && x < 8 { 0 } else { 255 };
            [(x * 4) as u8, (y * 5) as u8, (x + y) as u8, a]
        });
        Pixels::new(64, 48, Channels::Rgba, data.collect()).unwrap()
    }

    fn colours(pixels: &Pixels) -> HashSet<[u8; 4]> {
        pixels.data().as_chunks::<4>().0.iter().copied().collect()
    }

    #[test]
    fn there_are_no_more_than_asked_for_and_means_stay() {
        for (most, alpha) in [(256, false), (64, false), (64, true), (16, true)] {
            let source = picture(alpha);
            let out = fewer(&source, most).unwrap();
            assert!(colours(&out).len() <= most, "{most} {alpha}: {}", colours(&out).len());
            // Blocks of 8 x 8 keep their mean, which is what dithering is for; at the ends of the scale there may be no
            // colour to make up for the others.
            for (bx, by) in (2..7).flat_map(|bx| (1..5).map(move |by| (bx, by))) {
                for c in 0..3 {
                    let mean = |p: &Pixels| {
                        let cells = (0..64usize).map(|i| ((by * 8 + i / 8) * 64 + bx * 8 + i % 8) * 4 + c);
                        cells.map(|at| i32::from(p.data()[at])).sum::<i32>() / 64
                    };
                    let off = (mean(&source) - mean(&out)).abs();
                    assert!(off <= if most == 16 { 24 } else { 8 }, "{most} {bx},{by} {c}: {off}");
                }
            }
        }
    }

    #[test]
    fn what_is_transparent_stays_so_and_nothing_else_becomes_it() {
        let (source, out) = (picture(true), fewer(&picture(true), 32).unwrap());
        let alphas = |p: &Pixels| p.data().iter().skip(3).step_by(4).copied().collect::<Vec<u8>>();
        assert_eq!(alphas(&source), alphas(&out));
    }
}
