//! RGB to planes of luma and chroma: BT.601, full range, what a JPEG uses too (CICP matrix 6). Of 8 bits or of 10.

use crate::error::Error;
use crate::picture::{Channels, Pixels};
use crate::transform::room_for;

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

/// A sample of a plane. Whatever the depth, the range is full.
pub trait Sample: Copy + Into<u32> + 'static {
    /// Bits that are used, 8 or 10.
    const DEPTH: u8;

    /// What 0 to `255 << 16` is on this scale, rounded.
    fn scaled(value: u32) -> Self;

    /// What a colour difference of -128 to 128, times `1 << shift`, is on this scale, rounded; none is the middle.
    fn difference(value: i32, shift: u32) -> Self;
}

impl Sample for u8 {
    const DEPTH: u8 = 8;

    fn scaled(value: u32) -> Self {
        ((value + (1 << 15)) >> 16).min(255) as u8
    }

    fn difference(value: i32, shift: u32) -> Self {
        let half = 1 << (shift - 1);
        (((value + half) >> shift) + 128).clamp(0, 255) as u8
    }
}

/// Ten bits: bytes in, but what lies between them is kept, which is a few percent of the file at good qualities.
impl Sample for u16 {
    const DEPTH: u8 = 10;

    fn scaled(value: u32) -> Self {
        let one = 255 << 16;
        ((u64::from(value) * 1023 + one / 2) / one).min(1023) as u16
    }

    fn difference(value: i32, shift: u32) -> Self {
        let one = 255i64 << shift;
        ((i64::from(value) * 1023 + one / 2).div_euclid(one) + 512).clamp(0, 1023) as u16
    }
}

/// A picture in planes without gaps.
pub struct YuvPlanes<S = u8> {
    /// Width of `y`.
    pub width: u32,
    /// Height of `y`.
    pub height: u32,
    /// Luma.
    pub y: Vec<S>,
    /// Chroma; `None` for grey.
    pub chroma: Option<Chroma<S>>,
}

/// Two planes of chroma.
pub struct Chroma<S = u8> {
    /// Width of each.
    pub width: u32,
    /// Height of each.
    pub height: u32,
    /// Blueness.
    pub u: Vec<S>,
    /// Redness.
    pub v: Vec<S>,
}

/// Splits a picture into planes; its alpha, if it has one, into a second set with only luma.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub fn split<S: Sample>(pixels: &Pixels, sampling: Sampling) -> Result<(YuvPlanes<S>, Option<YuvPlanes<S>>), Error> {
    match pixels.channels() {
        Channels::Grey => Ok((channel::<1, S>(pixels, 0)?, None)),
        Channels::GreyAlpha => Ok((channel::<2, S>(pixels, 0)?, Some(channel::<2, S>(pixels, 1)?))),
        Channels::Rgb => Ok((colour::<3, S>(pixels, sampling)?, None)),
        Channels::Rgba => Ok((colour::<4, S>(pixels, sampling)?, Some(channel::<4, S>(pixels, 3)?))),
    }
}

fn channel<const N: usize, S: Sample>(pixels: &Pixels, at: usize) -> Result<YuvPlanes<S>, Error> {
    let source = pixels.data().as_chunks::<N>().0;
    let mut y = room_for(source.len())?;
    y.extend(source.iter().map(|p| S::scaled(u32::from(p[at]) << 16)));
    Ok(YuvPlanes { width: pixels.width(), height: pixels.height(), y, chroma: None })
}

fn colour<const N: usize, S: Sample>(pixels: &Pixels, sampling: Sampling) -> Result<YuvPlanes<S>, Error> {
    let (width, height) = (pixels.width(), pixels.height());
    let source = pixels.data().as_chunks::<N>().0;
    let mut y = room_for(source.len())?;
    let (cw, ch) = match sampling {
        Sampling::Quarter => (width.div_ceil(2), height.div_ceil(2)),
        Sampling::Full | Sampling::Identity => (width, height),
    };
    let mut u = room_for(cw as usize * ch as usize)?;
    let mut v = room_for(cw as usize * ch as usize)?;
    match sampling {
        Sampling::Identity => {
            y.extend(source.iter().map(|p| S::scaled(u32::from(p[1]) << 16)));
            u.extend(source.iter().map(|p| S::scaled(u32::from(p[2]) << 16)));
            v.extend(source.iter().map(|p| S::scaled(u32::from(p[0]) << 16)));
        }
        Sampling::Full => {
            y.extend(source.iter().map(|p| luma::<S>(p[0], p[1], p[2])));
            u.extend(source.iter().map(|p| blue::<S>([p[0].into(), p[1].into(), p[2].into()], 0)));
            v.extend(source.iter().map(|p| red::<S>([p[0].into(), p[1].into(), p[2].into()], 0)));
        }
        Sampling::Quarter => {
            y.extend(source.iter().map(|p| luma::<S>(p[0], p[1], p[2])));
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
                    u.push(blue::<S>(sum, 2));
                    v.push(red::<S>(sum, 2));
                }
            }
        }
    }
    Ok(YuvPlanes { width, height, y, chroma: Some(Chroma { width: cw, height: ch, u, v }) })
}

// Factors of 65536; each line sums to 65536 or to 0, so that white stays white and grey stays without chroma.

fn luma<S: Sample>(r: u8, g: u8, b: u8) -> S {
    S::scaled(19_595 * u32::from(r) + 38_470 * u32::from(g) + 7_471 * u32::from(b))
}

/// Of the sum of `1 << shift` pixels.
fn blue<S: Sample>(sum: [i32; 3], shift: u32) -> S {
    S::difference(-11_059 * sum[0] - 21_709 * sum[1] + 32_768 * sum[2], 16 + shift)
}

fn red<S: Sample>(sum: [i32; 3], shift: u32) -> S {
    S::difference(32_768 * sum[0] - 27_439 * sum[1] - 5_329 * sum[2], 16 + shift)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn of<S: Sample>(rgb: [u8; 3]) -> [S; 3] {
        let pixels = Pixels::new(1, 1, Channels::Rgb, rgb.to_vec()).unwrap();
        let (planes, _) = split::<S>(&pixels, Sampling::Quarter).unwrap();
        let chroma = planes.chroma.unwrap();
        [planes.y[0], chroma.u[0], chroma.v[0]]
    }

    #[test]
    fn known_colours() {
        // ITU-T T.871 (JFIF), rounded.
        assert_eq!(of::<u8>([255, 255, 255]), [255, 128, 128]);
        assert_eq!(of::<u8>([0, 0, 0]), [0, 128, 128]);
        assert_eq!(of::<u8>([77, 77, 77]), [77, 128, 128]);
        assert_eq!(of::<u8>([255, 0, 0]), [76, 85, 255]);
        assert_eq!(of::<u8>([0, 255, 0]), [150, 44, 21]);
        assert_eq!(of::<u8>([0, 0, 255]), [29, 255, 107]);
        // The same at ten bits: ITU-T H.273, equations for full range.
        assert_eq!(of::<u16>([255, 255, 255]), [1023, 512, 512]);
        assert_eq!(of::<u16>([0, 0, 0]), [0, 512, 512]);
        assert_eq!(of::<u16>([77, 77, 77]), [309, 512, 512]);
        assert_eq!(of::<u16>([255, 0, 0]), [306, 339, 1023]);
        assert_eq!(of::<u16>([0, 0, 255]), [117, 1023, 429]);
    }

    #[test]
    fn full_and_quarter_agree_on_flat_pictures() {
        for (w, h) in [(1, 1), (2, 3), (5, 4), (3, 1), (1, 6)] {
            let data: Vec<u8> = (0..w * h).flat_map(|_| [200u8, 40, 90]).collect();
            let pixels = Pixels::new(w, h, Channels::Rgb, data).unwrap();
            let quarter = split::<u8>(&pixels, Sampling::Quarter).unwrap().0.chroma.unwrap();
            let full = split::<u8>(&pixels, Sampling::Full).unwrap().0.chroma.unwrap();
            assert_eq!((quarter.u.len(), full.u.len()), ((w.div_ceil(2) * h.div_ceil(2)) as usize, (w * h) as usize));
            assert!(quarter.u.iter().chain(&full.u).all(|&u| u == full.u[0]));
            assert!(quarter.v.iter().chain(&full.v).all(|&v| v == full.v[0]));
        }
    }

    #[test]
    fn alpha_goes_its_own_way() {
        let pixels = Pixels::new(2, 1, Channels::Rgba, vec![1, 2, 3, 40, 5, 6, 7, 80]).unwrap();
        let (colour, alpha) = split::<u8>(&pixels, Sampling::Identity).unwrap();
        assert_eq!(colour.y, [2, 6]);
        assert_eq!(colour.chroma.unwrap().v, [1, 5]);
        assert_eq!(alpha.unwrap().y, [40, 80]);
    }
}
