//! Planes of luma and chroma, as video codecs give them, to colours: of any matrix and range that H.273 has a number for and that
//! is a matrix, of 8 to 12 bits. Chroma of a half is brought to whole by the two nearest samples in each direction, weighted
//! three to one, as libavif and libjpeg do; the nearest alone, which libheif takes, costs 0.5 to 2 dB.
//!
//! Sums are floats of 24 bits, which is exact enough for 12: what a processor without AVX2 computes is the same.

use archmage::prelude::*;

use super::{area, buffer};
use crate::error::Error;

/// A plane. Samples of more than eight bits take two bytes in the machine's own order.
#[derive(Clone, Copy)]
pub(super) struct Samples<'a> {
    /// The rows, `stride` bytes apart.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Samples in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bits that are used of a sample.
    pub bits: u8,
    /// Whether a sample takes two bytes.
    pub wide: bool,
}

/// A picture in planes: luma or grey, or green; chroma, or blue and red; alpha.
#[derive(Clone, Copy)]
pub(super) struct CodedPlanes<'a> {
    pub first: Samples<'a>,
    pub chroma: Option<[Samples<'a>; 2]>,
    pub alpha: Option<Samples<'a>>,
}

/// What the samples mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct PlaneCoding {
    /// Matrix coefficients by H.273, table 4.
    pub matrix: u16,
    /// Whether all codes are used; else black is 16 of 256, and white 235.
    pub full: bool,
}

impl Default for PlaneCoding {
    /// What holds where nothing is said: JPEG's.
    fn default() -> Self {
        Self { matrix: 6, full: true }
    }
}

/// What is to come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PixelTarget {
    /// Grey (only of a picture without chroma), RGB or RGBA: 1, 3 or 4.
    pub channels: usize,
    /// Bits of a sample: 8, or up to 16 in two bytes, little-endian.
    pub bits: u8,
}

/// Pixels that are made at once.
const BLOCK: usize = 16;
/// Upsampled chroma is kept at this multiple of its samples' scale: interpolation adds a factor of four in each direction.
const GAIN: f64 = 16.0;
/// Samples of more bits, times [`GAIN`], do not fit 16.
const MOST_BITS: u8 = 12;

/// Red, green and blue as sums of luma, both chromas (times [`GAIN`]) and a constant, on the scale of the target.
type Matrix = [[f32; 4]; 3];

impl PlaneCoding {
    /// `None` for what is no matrix, or none that is known.
    fn matrix(self, bits: u8, target_bits: u8, grey: bool) -> Option<Matrix> {
        // Where luma's range begins and how long it is; how long chroma's is.
        let unit = f64::from(1u32 << (bits - 8));
        let top = f64::from((1u32 << bits) - 1);
        let (black, luma, chroma) = if self.full { (0.0, top, top) } else { (16.0 * unit, 219.0 * unit, 224.0 * unit) };
        let none = f64::from(1u32 << (bits - 1));
        let most = f64::from((1u32 << target_bits) - 1);
        // Weights of luma and chroma, on scales of their own: 0 to 1, and -1/2 to 1/2.
        let weights = match self.matrix {
            _ if grey => [[1.0, 0.0, 0.0]; 3],
            // The planes are green, blue and red, all with luma's range.
            0 => {
                let [scale, gained] = [most / luma, most / luma / GAIN];
                let plane = |at: usize| {
                    let mut row = [0.0, 0.0, 0.0, -black * scale];
                    row[at] = if at == 0 { scale } else { gained };
                    row.map(|weight| weight as f32)
                };
                return Some([plane(2), plane(0), plane(1)]);
            }
            1 => of_primaries(0.2126, 0.0722),
            2 | 5 | 6 => of_primaries(0.299, 0.114),
            4 => of_primaries(0.30, 0.11),
            7 => of_primaries(0.212, 0.087),
            // 10 is BT.2020 with constant luminance. Like other decoders, we treat it as 9, without.
            9 | 10 => of_primaries(0.2627, 0.0593),
            // Greenness and orangeness.
            8 => [[1.0, -1.0, 1.0], [1.0, 1.0, 0.0], [1.0, -1.0, -1.0]],
            _ => return None,
        };
        Some(weights.map(|[y, u, v]| {
            let (y, u, v) = (y * most / luma, u * most / chroma, v * most / chroma);
            [y, u / GAIN, v / GAIN, -black * y - none * (u + v)].map(|weight| weight as f32)
        }))
    }
}

/// By how much red and blue weigh in luma.
fn of_primaries(red: f64, blue: f64) -> [[f64; 3]; 3] {
    let green = 1.0 - red - blue;
    let (to_red, to_blue) = (2.0 * (1.0 - red), 2.0 * (1.0 - blue));
    [[1.0, 0.0, to_red], [1.0, -blue * to_blue / green, -red * to_red / green], [1.0, to_blue, 0.0]]
}

/// Whether [`develop`] knows this coding.
pub(super) fn is_known(coding: PlaneCoding) -> bool {
    coding.matrix(8, 8, false).is_some()
}

/// The pixels; `None` for planes that do not belong together or are coded in a way that is not known here.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub(super) fn develop(
    planes: &CodedPlanes<'_>,
    coding: PlaneCoding,
    target: PixelTarget,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(work) = Work::new(planes, coding, target) else { return Ok(None) };
    let bytes = if target.bits > 8 { 2 } else { 1 };
    let row = area(planes.first.width, 1, target.channels.saturating_mul(bytes))?;
    let mut out = buffer(area(planes.first.width, planes.first.height, target.channels.saturating_mul(bytes))?)?;
    let mut rows = Rows::new(planes)?;
    for (y, out) in out.chunks_exact_mut(row.max(1)).enumerate() {
        incant!(line(&work, planes, y, &mut rows, out), [v3, scalar]);
    }
    Ok(Some(out))
}

/// What is the same for every row.
struct Work {
    matrix: Matrix,
    /// From the codes of alpha to those of the target.
    alpha: f32,
    most: f32,
    target: PixelTarget,
    /// Luma samples to a chroma sample, across and down: 1 or 2.
    across: usize,
    down: usize,
}

impl Work {
    fn new(planes: &CodedPlanes<'_>, coding: PlaneCoding, target: PixelTarget) -> Option<Self> {
        let Samples { width, height, bits, .. } = planes.first;
        let fine = |samples: &Samples<'_>, size: (u32, u32)| {
            let row = (samples.width as usize).checked_mul(if samples.wide { 2 } else { 1 })?;
            // The last row need not be filled up.
            let whole = samples.stride.checked_mul((samples.height as usize).checked_sub(1)?)?.checked_add(row)?;
            let there = (samples.width, samples.height) == size && samples.stride >= row && samples.data.len() >= whole;
            (there && (8..=MOST_BITS).contains(&samples.bits) && samples.wide == (samples.bits > 8)).then_some(())
        };
        fine(&planes.first, (width, height))?;
        let (mut across, mut down) = (1, 1);
        if let Some(chroma) = &planes.chroma {
            let by = |whole: u32, part: u32| match part {
                _ if part == whole => Some(1),
                _ if part == whole.div_ceil(2) => Some(2),
                _ => None,
            };
            (across, down) = (by(width, chroma[0].width)?, by(height, chroma[0].height)?);
            for plane in chroma {
                fine(plane, (chroma[0].width, chroma[0].height))?;
                (plane.bits == bits).then_some(())?;
            }
            (target.channels > 1).then_some(())?;
        }
        let mut alpha = 0.0;
        let most = ((1u32 << target.bits) - 1) as f32;
        if let Some(plane) = &planes.alpha {
            fine(plane, (width, height))?;
            alpha = most / ((1u32 << plane.bits) - 1) as f32;
        }
        (planes.alpha.is_some() == (target.channels == 4) && matches!(target.channels, 1 | 3 | 4)).then_some(())?;
        let matrix = coding.matrix(bits, target.bits, planes.chroma.is_none())?;
        Some(Self { matrix, alpha, most, target, across, down })
    }
}

/// Rows on their way, with room for whole blocks.
struct Rows {
    first: Vec<u16>,
    chroma: [Vec<u16>; 2],
    alpha: Vec<u16>,
    /// A row of chroma as it lies, the one beside it, and both together.
    near: Vec<u16>,
    far: Vec<u16>,
}

impl Rows {
    fn new(planes: &CodedPlanes<'_>) -> Result<Self, Error> {
        let length = (planes.first.width as usize).next_multiple_of(BLOCK).saturating_add(2 * BLOCK);
        drop(buffer(length.saturating_mul(12))?);
        let row = || vec![0u16; length];
        Ok(Self { first: row(), chroma: [row(), row()], alpha: row(), near: row(), far: row() })
    }
}

#[cfg(target_arch = "x86_64")]
#[arcane(import_intrinsics)]
fn line_v3(_: X64V3Token, work: &Work, planes: &CodedPlanes<'_>, y: usize, rows: &mut Rows, out: &mut [u8]) {
    any_line(work, planes, y, rows, out);
}

fn line_scalar(_: ScalarToken, work: &Work, planes: &CodedPlanes<'_>, y: usize, rows: &mut Rows, out: &mut [u8]) {
    any_line(work, planes, y, rows, out);
}

#[inline(always)]
fn any_line(work: &Work, planes: &CodedPlanes<'_>, y: usize, rows: &mut Rows, out: &mut [u8]) {
    load(&planes.first, y, &mut rows.first);
    if let Some(chroma) = &planes.chroma {
        for (plane, to) in chroma.iter().zip(&mut rows.chroma) {
            whole(plane, (work.across, work.down), y, (&mut rows.near, &mut rows.far), to);
        }
    }
    if let Some(alpha) = &planes.alpha {
        load(alpha, y, &mut rows.alpha);
    }
    match (work.target.channels, work.target.bits > 8) {
        (1, false) => mix::<1, 1>(work, rows, out),
        (1, true) => mix::<1, 2>(work, rows, out),
        (3, false) => mix::<3, 1>(work, rows, out),
        (3, true) => mix::<3, 2>(work, rows, out),
        (_, false) => mix::<4, 1>(work, rows, out),
        (_, true) => mix::<4, 2>(work, rows, out),
    }
}

/// A row of a plane.
#[inline(always)]
fn load(plane: &Samples<'_>, y: usize, to: &mut [u16]) {
    let row = plane.data.get(y.saturating_mul(plane.stride)..).unwrap_or_default();
    let to = to.iter_mut().take(plane.width as usize);
    if plane.wide {
        // A sample with bits set above its depth would overflow into its neighbours in the sums that follow.
        let most = ((1u32 << plane.bits) - 1) as u16;
        to.zip(row.as_chunks::<2>().0).for_each(|(to, pair)| *to = u16::from_ne_bytes(*pair).min(most));
    } else {
        to.zip(row).for_each(|(to, value)| *to = u16::from(*value));
    }
}

/// A row of chroma for every pixel of a row, times [`GAIN`].
#[inline(always)]
fn whole(
    plane: &Samples<'_>,
    (across, down): (usize, usize),
    y: usize,
    (near, far): (&mut [u16], &mut [u16]),
    to: &mut [u16],
) {
    let count = plane.width as usize;
    let (near, far) = (&mut near[..count], &mut far[..count]);
    load(plane, y / down, near);
    if down == 2 {
        let last = (plane.height as usize).saturating_sub(1);
        let beside = if y.is_multiple_of(2) { (y / 2).saturating_sub(1) } else { (y / 2 + 1).min(last) };
        load(plane, beside, far);
        near.iter_mut().zip(far).for_each(|(near, far)| *near = blend(*near, *far));
    } else {
        near.iter_mut().for_each(|near| *near = near.wrapping_mul(4));
    }
    if across == 1 {
        to.iter_mut().zip(near).for_each(|(to, near)| *to = near.wrapping_mul(4));
        return;
    }
    let (pairs, _) = to.as_chunks_mut::<2>();
    if let (Some(pair), Some(first)) = (pairs.first_mut(), near.first()) {
        *pair = [blend(*first, *first), blend(*first, *near.get(1).unwrap_or(first))];
    }
    for (three, pair) in near.windows(3).zip(pairs.iter_mut().skip(1)) {
        if let [left, here, right] = *three {
            *pair = [blend(here, left), blend(here, right)];
        }
    }
    if let ([.., left, here], Some(pair)) = (&*near, pairs.get_mut(count - 1)) {
        *pair = [blend(*here, *left), blend(*here, *here)];
    }
}

/// Three parts of one sample and one of another, twice in a row times sixteen: of [`MOST_BITS`] bits that fits, and a check of
/// each sum would keep them from being made beside each other.
#[inline(always)]
fn blend(near: u16, far: u16) -> u16 {
    near.wrapping_mul(3).wrapping_add(far)
}

/// A row of the result: `N` channels of `B` bytes.
#[inline(always)]
fn mix<const N: usize, const B: usize>(work: &Work, rows: &Rows, out: &mut [u8]) {
    let first = rows.first.as_chunks::<BLOCK>().0;
    let (blue, red) = (rows.chroma[0].as_chunks::<BLOCK>().0, rows.chroma[1].as_chunks::<BLOCK>().0);
    let alpha = rows.alpha.as_chunks::<BLOCK>().0;
    let inputs = first.iter().zip(blue).zip(red).zip(alpha);
    for ((((y, u), v), a), out) in inputs.zip(out.chunks_mut(BLOCK * N * B)) {
        let (y, u, v) = (y.map(f32::from), u.map(f32::from), v.map(f32::from));
        let mut codes = [[0u16; BLOCK]; 4];
        for (codes, [of_y, of_u, of_v, plus]) in codes.iter_mut().take(N.min(3)).zip(work.matrix) {
            for at in 0..BLOCK {
                let sum = if N == 1 { of_y * y[at] + plus } else { of_y * y[at] + of_u * u[at] + of_v * v[at] + plus };
                codes[at] = code(sum, work.most);
            }
        }
        if N == 4 {
            for at in 0..BLOCK {
                codes[3][at] = code(f32::from(a[at]) * work.alpha, work.most);
            }
        }
        let mut bytes = [[[0u8; B]; N]; BLOCK];
        for (at, pixel) in bytes.iter_mut().enumerate() {
            for (sample, codes) in pixel.iter_mut().zip(&codes) {
                let value = codes[at].to_le_bytes();
                sample.copy_from_slice(&value[..B]);
            }
        }
        let bytes = bytes.as_flattened().as_flattened();
        out.copy_from_slice(&bytes[..out.len()]);
    }
}

/// The nearest code.
#[inline(always)]
fn code(value: f32, most: f32) -> u16 {
    // Behind 2^23 the last bits of a float are whole numbers, and reading them is quicker than a conversion.
    (value.max(0.0).min(most) + 8_388_608.0).to_bits() as u16
}

#[cfg(test)]
mod tests;
