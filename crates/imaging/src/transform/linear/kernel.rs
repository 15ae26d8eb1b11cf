//! Lanczos with three lobes: which samples make one of the result, with which weights, and their sums.

use std::f64::consts::PI;

use super::super::room;
use crate::error::Error;

/// From this reduction on blocks are averaged first, to a fifth of it.
const BLOCKS: f64 = 10.0;
/// What is left for the filter then, at least.
const LEFT: f64 = 5.0;

/// For each place of the result the first sample and the weights of that and the next ones.
pub(super) struct Windows {
    /// Pixels whose average is one sample.
    pub(super) block: usize,
    /// How many samples there are; the last may be of fewer pixels.
    pub(super) samples: usize,
    /// First sample, where its weights begin, how many there are.
    places: Vec<(u32, u32, u32)>,
    weights: Vec<f32>,
}

impl Windows {
    /// For one direction: of so many pixels the part that starts at the first number and is as long as the second, to so
    /// many pixels. Both are at least 1, and the part lies inside.
    ///
    /// # Errors
    /// [`crate::error::Kind::OutOfMemory`].
    pub(super) fn new(from: usize, (start, length): (f64, f64), to: usize) -> Result<Self, Error> {
        let whole = length / to as f64;
        let block = if whole >= BLOCKS { (whole / LEFT) as usize } else { 1 };
        let samples = from.div_ceil(block);
        let ratio = whole / block as f64;
        let scale = ratio.max(1.0);
        let reach = 3.0 * scale;
        let most = (2.0 * reach) as usize + 3;
        // Twelve bytes a place, four a weight.
        drop(room(to.saturating_mul(12 + most.saturating_mul(4)))?);
        let (places, weights) = (Vec::with_capacity(to), Vec::with_capacity(to.saturating_mul(most)));
        let mut this = Self { block, samples, places, weights };
        let mut taps = Vec::with_capacity(most);
        for at in 0..to {
            let centre = start / block as f64 + (at as f64 + 0.5) * ratio;
            let first = (centre - reach).floor().max(0.0) as usize;
            let last = ((centre + reach).ceil() as usize).min(samples);
            taps.clear();
            taps.extend(lanczos((first as f64 + 0.5 - centre) / scale, 1.0 / scale).take(last - first));
            if let (true, Some(tap)) = (last == samples, taps.last_mut()) {
                // The last block may be of fewer pixels.
                *tap *= (from - (samples - 1) * block) as f64 / block as f64;
            }
            let sum: f64 = taps.iter().sum();
            let skip = taps.iter().take_while(|tap| **tap == 0.0).count();
            let start = this.weights.len();
            this.weights.extend(taps.iter().skip(skip).map(|tap| (tap / sum) as f32));
            this.places.push(((first + skip) as u32, start as u32, (this.weights.len() - start) as u32));
        }
        Ok(this)
    }

    /// The most samples that one place needs.
    pub(super) fn most(&self) -> usize {
        self.places.iter().map(|(_, _, count)| *count as usize).max().unwrap_or(0)
    }

    /// How many places there are, and how many weights.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.places.len(), self.weights.len())
    }

    /// First sample and weights, place by place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, &[f32])> {
        self.places.iter().map(|&(first, start, count)| {
            let (start, count) = (start as usize, count as usize);
            (first as usize, self.weights.get(start..start + count).unwrap_or_default())
        })
    }
}

/// The filter at `x` and so many steps further on. Sines of equal steps follow from each other (they are turned by the
/// same angle each time), which is quicker than to ask for every one.
fn lanczos(mut x: f64, step: f64) -> impl Iterator<Item = f64> {
    let (mut fine, mut coarse) = ((PI * x).sin_cos(), (PI * x / 3.0).sin_cos());
    let (turn, turn_third) = ((PI * step).sin_cos(), (PI * step / 3.0).sin_cos());
    let next = |(sin, cos): (f64, f64), by: (f64, f64)| (sin * by.1 + cos * by.0, cos * by.1 - sin * by.0);
    std::iter::from_fn(move || {
        let value = match x.abs() {
            0.0..1e-9 => 1.0,
            beyond if beyond >= 3.0 => 0.0,
            _ => 3.0 * fine.0 * coarse.0 / (PI * PI * x * x),
        };
        x += step;
        (fine, coarse) = (next(fine, turn), next(coarse, turn_third));
        Some(value)
    })
}

/// The weighted sum of rows, all as long as `out`. Four at a time: the sum is written and read again a quarter as often.
pub(super) fn add<'a, const L: usize>(weights: &[f32], row: impl Fn(usize) -> &'a [[f32; L]], out: &mut [[f32; L]]) {
    let out = out.as_flattened_mut();
    let row = |at: usize| row(at).as_flattened();
    let (fours, rest) = weights.as_chunks::<4>();
    let mut at = 0;
    for [a, b, c, d] in fours {
        let rows = row(at).iter().zip(row(at + 1)).zip(row(at + 2)).zip(row(at + 3));
        if at == 0 {
            for (out, (((x, y), z), w)) in out.iter_mut().zip(rows) {
                *out = a * x + b * y + (c * z + d * w);
            }
        } else {
            for (out, (((x, y), z), w)) in out.iter_mut().zip(rows) {
                *out += a * x + b * y + (c * z + d * w);
            }
        }
        at += 4;
    }
    for weight in rest {
        if at == 0 {
            out.iter_mut().zip(row(0)).for_each(|(out, x)| *out = weight * x);
        } else {
            out.iter_mut().zip(row(at)).for_each(|(out, x)| *out += weight * x);
        }
        at += 1;
    }
}

/// Each pixel of `out` as the weighted sum of neighbours in `row`.
pub(super) fn across<const L: usize>(windows: &Windows, row: &[[f32; L]], out: &mut [[f32; L]]) {
    for ((first, weights), out) in windows.iter().zip(out) {
        let pixels = row.get(first..first + weights.len()).unwrap_or_default();
        // Two sums, so that one addition does not wait for the other.
        let (mut even, mut odd) = ([0.0f32; L], [0.0f32; L]);
        let (pairs, last) = weights.as_chunks::<2>();
        let (twos, end) = pixels.as_chunks::<2>();
        for ([a, b], [x, y]) in pairs.iter().zip(twos) {
            for lane in 0..L {
                even[lane] += a * x[lane];
                odd[lane] += b * y[lane];
            }
        }
        if let ([a], [x]) = (last, end) {
            for lane in 0..L {
                even[lane] += a * x[lane];
            }
        }
        for lane in 0..L {
            out[lane] = even[lane] + odd[lane];
        }
    }
}
