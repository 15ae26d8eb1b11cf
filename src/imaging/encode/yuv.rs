//! RGB to planes of luma and chroma: BT.601, full range, what a JPEG uses too (CICP matrix 6).

use crate::error::Error;
use crate::imaging::picture::{Channels, Pixels};
use crate::imaging::transform::room;

/// How many chroma samples there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// One for four pixels; their average.
    Quarter,
    /// One for each pixel.
    Full,
    /// The planes are green, blue and red as they are (CICP matrix 0): the only way without loss.
    Identity,
}

/// A picture in planes without gaps.
pub struct Planes {
    /// Width of `y`.
    pub width: u32,
    /// Height of `y`.
    pub height: u32,
    /// Luma.
    pub y: Vec<u8>,
    /// Chroma; `None` for grey.
    pub chroma: Option<Chroma>,
}

/// Two planes of chroma.
pub struct Chroma {
    /// Width of each.
    pub width: u32,
    /// Height of each.
    pub height: u32,
    /// Blueness.
    pub u: Vec<u8>,
    /// Redness.
    pub v: Vec<u8>,
}

/// Splits a picture into planes; its alpha, if it has one, into a second set with only luma.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub fn split(pixels: &Pixels, sampling: Sampling) -> Result<(Planes, Option<Planes>), Error> {
    match pixels.channels() {
        Channels::Grey => Ok((channel::<1>(pixels, 0)?, None)),
        Channels::GreyAlpha => Ok((channel::<2>(pixels, 0)?, Some(channel::<2>(pixels, 1)?))),
        Channels::Rgb => Ok((colour::<3>(pixels, sampling)?, None)),
        Channels::Rgba => Ok((colour::<4>(pixels, sampling)?, Some(channel::<4>(pixels, 3)?))),
    }
}

fn channel<const N: usize>(pixels: &Pixels, at: usize) -> Result<Planes, Error> {
    let source = pixels.data().as_chunks::<N>().0;
    let mut y = room(source.len())?;
    y.extend(source.iter().map(|p| p[at]));
    Ok(Planes { width: pixels.width(), height: pixels.height(), y, chroma: None })
}

fn colour<const N: usize>(pixels: &Pixels, sampling: Sampling) -> Result<Planes, Error> {
    let (width, height) = (pixels.width(), pixels.height());
    let source = pixels.data().as_chunks::<N>().0;
    let mut y = room(source.len())?;
    let (cw, ch) = match sampling {
        Sampling::Quarter => (width.div_ceil(2), height.div_ceil(2)),
        Sampling::Full | Sampling::Identity => (width, height),
    };
    let mut u = room(cw as usize * ch as usize)?;
    let mut v = room(cw as usize * ch as usize)?;
    match sampling {
        Sampling::Identity => {
            y.extend(source.iter().map(|p| p[1]));
            u.extend(source.iter().map(|p| p[2]));
            v.extend(source.iter().map(|p| p[0]));
        }
        Sampling::Full => {
            y.extend(source.iter().map(|p| luma(p[0], p[1], p[2])));
            u.extend(source.iter().map(|p| blue([p[0].into(), p[1].into(), p[2].into()], 0)));
            v.extend(source.iter().map(|p| red([p[0].into(), p[1].into(), p[2].into()], 0)));
        }
        Sampling::Quarter => {
            y.extend(source.iter().map(|p| luma(p[0], p[1], p[2])));
            let width = width as usize;
            for pair in source.chunks(width * 2) {
                let (top, bottom) = pair.split_at(width.min(pair.len()));
                // The last row of an odd height counts twice, the last column of an odd width likewise.
                let bottom = if bottom.is_empty() { top } else { bottom };
                for (a, b) in top.chunks(2).zip(bottom.chunks(2)) {
                    let mut sum = [0i32; 3];
                    for p in [a.first(), a.last(), b.first(), b.last()].into_iter().flatten() {
                        for c in 0..3 {
                            sum[c] += i32::from(p[c]);
                        }
                    }
                    u.push(blue(sum, 2));
                    v.push(red(sum, 2));
                }
            }
        }
    }
    Ok(Planes { width, height, y, chroma: Some(Chroma { width: cw, height: ch, u, v }) })
}

// Factors of 65536; each line sums to 65536 or to 0, so that white stays white and grey stays without chroma.

fn luma(r: u8, g: u8, b: u8) -> u8 {
    ((19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b) + 32_768) >> 16) as u8
}

/// Of the sum of `1 << shift` pixels.
fn blue(sum: [i32; 3], shift: u32) -> u8 {
    chroma(-11_059 * sum[0] - 21_709 * sum[1] + 32_768 * sum[2], shift)
}

fn red(sum: [i32; 3], shift: u32) -> u8 {
    chroma(32_768 * sum[0] - 27_439 * sum[1] - 5_329 * sum[2], shift)
}

fn chroma(value: i32, shift: u32) -> u8 {
    let half = 1 << (15 + shift);
    (((value + half) >> (16 + shift)) + 128).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn of(rgb: [u8; 3]) -> [u8; 3] {
        let pixels = Pixels::new(1, 1, Channels::Rgb, rgb.to_vec()).unwrap();
        let (planes, _) = split(&pixels, Sampling::Quarter).unwrap();
        let chroma = planes.chroma.unwrap();
        [planes.y[0], chroma.u[0], chroma.v[0]]
    }

    #[test]
    fn known_colours() {
        // ITU-T T.871 (JFIF), rounded.
        assert_eq!(of([255, 255, 255]), [255, 128, 128]);
        assert_eq!(of([0, 0, 0]), [0, 128, 128]);
        assert_eq!(of([77, 77, 77]), [77, 128, 128]);
        assert_eq!(of([255, 0, 0]), [76, 85, 255]);
        assert_eq!(of([0, 255, 0]), [150, 44, 21]);
        assert_eq!(of([0, 0, 255]), [29, 255, 107]);
    }

    #[test]
    fn full_and_quarter_agree_on_flat_pictures() {
        for (w, h) in [(1, 1), (2, 3), (5, 4), (3, 1), (1, 6)] {
            let data: Vec<u8> = (0..w * h).flat_map(|_| [200u8, 40, 90]).collect();
            let pixels = Pixels::new(w, h, Channels::Rgb, data).unwrap();
            let quarter = split(&pixels, Sampling::Quarter).unwrap().0.chroma.unwrap();
            let full = split(&pixels, Sampling::Full).unwrap().0.chroma.unwrap();
            assert_eq!((quarter.u.len(), full.u.len()), ((w.div_ceil(2) * h.div_ceil(2)) as usize, (w * h) as usize));
            assert!(quarter.u.iter().chain(&full.u).all(|&u| u == full.u[0]));
            assert!(quarter.v.iter().chain(&full.v).all(|&v| v == full.v[0]));
        }
    }

    #[test]
    fn alpha_goes_its_own_way() {
        let pixels = Pixels::new(2, 1, Channels::Rgba, vec![1, 2, 3, 40, 5, 6, 7, 80]).unwrap();
        let (colour, alpha) = split(&pixels, Sampling::Identity).unwrap();
        assert_eq!(colour.y, [2, 6]);
        assert_eq!(colour.chroma.unwrap().v, [1, 5]);
        assert_eq!(alpha.unwrap().y, [40, 80]);
    }
}
