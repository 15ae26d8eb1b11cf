//! Opaque colour in whole numbers: light in steps of 1/16,384, weights likewise, sums in 32 bits. One instruction
//! multiplies two neighbours by their weights and adds them up, so that rows and pixels travel in pairs.
//!
//! Of two rows of the source each number holds one sample of the upper row and one of the lower. The sum of rows holds for
//! every two pixels their reds, their greens and their blues. What a processor without AVX2 computes is the same.
//!
//! Of the darkest codes each has five steps, so that rounding moves a result by a tenth of a code there, and by less elsewhere.

use archmage::prelude::*;

use super::super::room;
use super::kernel::Windows;
use super::{Curves, STEPS};
use crate::error::Error;
use crate::picture::Pixels;

#[cfg(test)]
mod tests;

/// Bits behind the point, of light and of weights.
const BITS: u32 = 14;
/// One half, before the lower bits are dropped.
const HALF: i32 = 1 << (BITS - 1);
/// Numbers of a row that are added up at once; rows are filled up to a multiple.
const LANES: usize = 32;
/// Numbers for a pair of pixels.
const PAIR: usize = 6;
/// Rows of the result that are made beside each other.
const BESIDE: usize = 8;

type Codes = [u8; STEPS];

/// The first pair that makes a place of the result, where its weights begin, how many there are.
type Place = (u32, u32, u32);

/// Weights of pairs of samples.
struct Pairs {
    places: Vec<Place>,
    /// The weight of the first sample in the lower half, that of the second in the upper.
    weights: Vec<u32>,
}

impl Pairs {
    fn new(windows: &Windows) -> Result<Self, Error> {
        let (places, taps) = windows.counts();
        drop(room(places.saturating_mul(20).saturating_add(taps.saturating_mul(2)))?);
        let mut this = Self { places: Vec::with_capacity(places), weights: Vec::with_capacity(taps / 2 + places) };
        let mut whole = Vec::new();
        for (first, weights) in windows.iter() {
            whole.clear();
            whole.resize(first % 2, 0);
            whole.extend(weights.iter().map(|weight| (weight * (1 << BITS) as f32).round_ties_even() as i32));
            // What rounding has lost goes to the largest, so that what is flat stays as it is.
            let lost = (1 << BITS) - whole.iter().sum::<i32>();
            if let Some(largest) = whole.iter_mut().max_by_key(|weight| **weight) {
                *largest += lost;
            }
            let start = this.weights.len();
            let half = |weight: Option<&i32>| weight.map_or(0, |weight| *weight as u32 & 0xffff);
            this.weights.extend(whole.chunks(2).map(|pair| half(pair.first()) | half(pair.get(1)) << 16));
            this.places.push(((first / 2) as u32, start as u32, (this.weights.len() - start) as u32));
        }
        Ok(this)
    }

    /// First pair and weights of a place.
    fn at(&self, &(first, start, count): &Place) -> (usize, &[u32]) {
        let (start, count) = (start as usize, count as usize);
        (first as usize, self.weights.get(start..start + count).unwrap_or_default())
    }

    /// The same, place by place.
    fn iter(&self) -> impl Iterator<Item = (usize, &[u32])> {
        self.places.iter().map(|place| self.at(place))
    }

    /// The most pairs that so many places beside each other need.
    fn most(&self, beside: usize) -> usize {
        let span = |places: &[Place]| {
            let first = places.iter().map(|(first, ..)| *first).min().unwrap_or(0);
            let last = places.iter().map(|(first, _, count)| first + count).max().unwrap_or(0);
            (last - first) as usize
        };
        self.places.chunks(beside).map(span).max().unwrap_or(0)
    }
}

/// Light of each code: for the upper row, and for the lower.
struct Light {
    upper: [u32; 256],
    lower: [u32; 256],
}

/// Resamples RGB into `data`, row by row. The windows are those of single samples, not of blocks.
///
/// # Errors
/// [`crate::error::Kind::OutOfMemory`].
pub(super) fn run(
    pixels: &Pixels,
    (down, over): (&Windows, &Windows),
    curves: &Curves,
    data: &mut [u8],
) -> Result<(), Error> {
    let (width, stride) = (over.counts().0, pixels.stride());
    let (down, over) = (Pairs::new(down)?, Pairs::new(over)?);
    let upper = curves.light.map(|light| (light * (1 << BITS) as f32).round_ties_even() as u32);
    let light = Light { upper, lower: upper.map(|light| light << 16) };
    let row = (pixels.width() as usize).div_ceil(2).saturating_mul(PAIR).next_multiple_of(LANES);
    let slots = down.most(BESIDE).max(1);
    // Codes go to four bytes here, sums to two, and those are turned.
    drop(room(row.saturating_mul(slots.saturating_mul(4).saturating_add(4 * BESIDE)))?);
    let mut kept = vec![0u32; row * slots];
    let mut sums = vec![0i16; row * BESIDE];
    let mut turned = vec![[0i32; BESIDE]; row / 2];
    let mut ready = 0;
    let mut twos = pixels.data().chunks(stride.saturating_mul(2));
    for (places, out) in down.places.chunks(BESIDE).zip(data.chunks_mut((width * 3 * BESIDE).max(1))) {
        let last = places.iter().map(|(first, _, count)| (first + count) as usize).max().unwrap_or(0);
        while ready < last {
            let (Some(two), Some(slot)) = (twos.next(), kept.chunks_exact_mut(row).nth(ready % slots)) else { break };
            let (upper, lower) = two.split_at(stride.min(two.len()));
            // Below the last row there is none: its weight is 0.
            lighten(&light, upper, if lower.is_empty() { upper } else { lower }, slot);
            ready += 1;
        }
        incant!(add(&down, places, &kept, row, &mut sums), [v3, scalar]);
        incant!(across(&over, &sums, &mut turned, &curves.code, out), [v3, scalar]);
    }
    Ok(())
}

/// Brings two rows to light, pixel pair by pixel pair. Of an odd pixel at the end the partner is black; it has no weight.
fn lighten(light: &Light, upper: &[u8], lower: &[u8], out: &mut [u32]) {
    let of = |upper: u8, lower: u8| light.upper[usize::from(upper)] | light.lower[usize::from(lower)];
    let (uppers, upper) = upper.as_chunks::<PAIR>();
    let (lowers, lower) = lower.as_chunks::<PAIR>();
    let (outs, _) = out.as_chunks_mut::<PAIR>();
    for ((to, u), l) in outs.iter_mut().zip(uppers).zip(lowers) {
        *to = [of(u[0], l[0]), of(u[3], l[3]), of(u[1], l[1]), of(u[4], l[4]), of(u[2], l[2]), of(u[5], l[5])];
    }
    if let (Some(to), [u0, u1, u2], [l0, l1, l2]) = (outs.get_mut(uppers.len()), upper, lower) {
        *to = [of(*u0, *l0), 0, of(*u1, *l1), 0, of(*u2, *l2), 0];
    }
}

/// The two samples, or the two weights, of a number.
fn halves(two: u32) -> [i32; 2] {
    [i32::from(two as i16), i32::from((two >> 16) as i16)]
}

fn product(samples: u32, weights: u32) -> i32 {
    let ([a, b], [x, y]) = (halves(samples), halves(weights));
    a * x + b * y
}

/// The rows of `sums` at these places: each the sum of pairs of rows out of `kept`, times their weights. A few numbers of all
/// places are made before the next few, so that the rows are read from near memory.
fn add_scalar(_: ScalarToken, down: &Pairs, places: &[Place], kept: &[u32], row: usize, sums: &mut [i16]) {
    let slots = kept.len() / row.max(1);
    let mut sum = [HALF; LANES];
    for at in (0..row).step_by(LANES) {
        for (place, out) in places.iter().zip(sums.chunks_exact_mut(row)) {
            sum.fill(HALF);
            let (first, weights) = down.at(place);
            for (slot, weights) in (first % slots..slots).chain(0..slots).zip(weights) {
                let samples = kept.get(slot * row + at..).unwrap_or_default();
                sum.iter_mut().zip(samples).for_each(|(sum, samples)| *sum += product(*samples, *weights));
            }
            for (out, sum) in out.iter_mut().skip(at).zip(&sum) {
                *out = (sum >> BITS).clamp(i16::MIN.into(), i16::MAX.into()) as i16;
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[arcane(import_intrinsics)]
fn add_v3(_: X64V3Token, down: &Pairs, places: &[Place], kept: &[u32], row: usize, sums: &mut [i16]) {
    let slots = kept.len() / row.max(1);
    let half = _mm256_set1_epi32(HALF);
    let mut starts = places.iter().map(|place| (down.at(place).0 % slots * row, down.at(place).1));
    let starts: [(usize, &[u32]); BESIDE] = std::array::from_fn(|_| starts.next().unwrap_or_default());
    for at in (0..row).step_by(LANES) {
        for ((start, weights), out) in starts.iter().zip(sums.chunks_exact_mut(row)) {
            let (mut a, mut b, mut c, mut d) = (half, half, half, half);
            let mut next = start + at;
            for weights in *weights {
                let start = next;
                next = if start + row < kept.len() { start + row } else { at };
                let Some([samples]) = kept.get(start..start + LANES).map(|row| row.as_chunks::<LANES>().0) else {
                    break;
                };
                let ([e, f, g, h], _) = samples.as_chunks::<8>() else { break };
                let weights = _mm256_set1_epi32(*weights as i32);
                a = _mm256_add_epi32(a, _mm256_madd_epi16(_mm256_loadu_si256(e), weights));
                b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_loadu_si256(f), weights));
                c = _mm256_add_epi32(c, _mm256_madd_epi16(_mm256_loadu_si256(g), weights));
                d = _mm256_add_epi32(d, _mm256_madd_epi16(_mm256_loadu_si256(h), weights));
            }
            // Packing works on halves of registers: the quarters come out as 0, 2, 1, 3.
            let pack = |x, y| {
                let (x, y) = (_mm256_srai_epi32::<14>(x), _mm256_srai_epi32::<14>(y));
                _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(x, y))
            };
            if let Some(([x, y], _)) = out.get_mut(at..at + LANES).map(|out| out.as_chunks_mut::<16>()) {
                _mm256_storeu_si256(x, pack(a, b));
                _mm256_storeu_si256(y, pack(c, d));
            }
        }
    }
}

/// Each pixel of some rows as the weighted sum of pairs of `sums`, brought back to codes.
fn across_scalar(_: ScalarToken, over: &Pairs, sums: &[i16], _: &mut [[i32; BESIDE]], code: &Codes, out: &mut [u8]) {
    let rows = sums.chunks_exact((sums.len() / BESIDE).max(1));
    for (row, out) in rows.zip(out.chunks_exact_mut((over.places.len() * 3).max(1))) {
        for ((first, weights), out) in over.iter().zip(out.as_chunks_mut::<3>().0) {
            let mut sums = [HALF; 3];
            let pairs = row.as_chunks::<PAIR>().0.iter().skip(first);
            for ([r, s, g, h, b, c], weights) in pairs.zip(weights) {
                let [x, y] = halves(*weights);
                for (sum, [one, other]) in sums.iter_mut().zip([[r, s], [g, h], [b, c]]) {
                    *sum += i32::from(*one) * x + i32::from(*other) * y;
                }
            }
            *out = sums.map(|sum| code[(sum >> BITS).clamp(0, STEPS as i32 - 1) as usize]);
        }
    }
}

/// The rows are turned first, so that a register holds the same place of eight rows: weights and places are the same for all.
#[cfg(target_arch = "x86_64")]
#[arcane(import_intrinsics)]
fn across_v3(_: X64V3Token, over: &Pairs, sums: &[i16], turned: &mut [[i32; BESIDE]], code: &Codes, out: &mut [u8]) {
    let mut rows = sums.chunks_exact((sums.len() / BESIDE).max(1)).map(|row| row.as_chunks::<16>().0);
    let mut rows: [&[[i16; 16]]; BESIDE] = std::array::from_fn(|_| rows.next().unwrap_or_default());
    for to in turned.as_chunks_mut::<8>().0 {
        let mut next = |at: usize| match rows[at].split_first() {
            Some((first, rest)) => {
                rows[at] = rest;
                _mm256_loadu_si256(first)
            }
            None => _mm256_setzero_si256(),
        };
        let (a, b, c, d) = (next(0), next(1), next(2), next(3));
        let (e, f, g, h) = (next(4), next(5), next(6), next(7));
        let (a, b) = (_mm256_unpacklo_epi32(a, b), _mm256_unpackhi_epi32(a, b));
        let (c, d) = (_mm256_unpacklo_epi32(c, d), _mm256_unpackhi_epi32(c, d));
        let (e, f) = (_mm256_unpacklo_epi32(e, f), _mm256_unpackhi_epi32(e, f));
        let (g, h) = (_mm256_unpacklo_epi32(g, h), _mm256_unpackhi_epi32(g, h));
        let (a, c) = (_mm256_unpacklo_epi64(a, c), _mm256_unpackhi_epi64(a, c));
        let (b, d) = (_mm256_unpacklo_epi64(b, d), _mm256_unpackhi_epi64(b, d));
        let (e, g) = (_mm256_unpacklo_epi64(e, g), _mm256_unpackhi_epi64(e, g));
        let (f, h) = (_mm256_unpacklo_epi64(f, h), _mm256_unpackhi_epi64(f, h));
        let pairs = [(a, e), (c, g), (b, f), (d, h)];
        let (upper, lower) = to.split_at_mut(4);
        for ((upper, lower), (x, y)) in upper.iter_mut().zip(lower).zip(pairs) {
            _mm256_storeu_si256(upper, _mm256_permute2x128_si256::<0x20>(x, y));
            _mm256_storeu_si256(lower, _mm256_permute2x128_si256::<0x31>(x, y));
        }
    }
    let (least, most, half) = (_mm256_setzero_si256(), _mm256_set1_epi32(STEPS as i32 - 1), _mm256_set1_epi32(HALF));
    let mut out: Vec<&mut [[u8; 3]]> =
        out.chunks_exact_mut((over.places.len() * 3).max(1)).map(|row| row.as_chunks_mut::<3>().0).collect();
    let mut steps = [[0i32; BESIDE]; 3];
    for (x, (first, weights)) in over.iter().enumerate() {
        let (mut r, mut g, mut b) = (half, half, half);
        let pairs = turned.as_chunks::<3>().0.get(first..first + weights.len()).unwrap_or_default();
        for ([red, green, blue], weights) in pairs.iter().zip(weights) {
            let weights = _mm256_set1_epi32(*weights as i32);
            r = _mm256_add_epi32(r, _mm256_madd_epi16(_mm256_loadu_si256(red), weights));
            g = _mm256_add_epi32(g, _mm256_madd_epi16(_mm256_loadu_si256(green), weights));
            b = _mm256_add_epi32(b, _mm256_madd_epi16(_mm256_loadu_si256(blue), weights));
        }
        for (steps, sum) in steps.iter_mut().zip([r, g, b]) {
            let step = _mm256_srai_epi32::<14>(sum);
            _mm256_storeu_si256(steps, _mm256_max_epi32(least, _mm256_min_epi32(most, step)));
        }
        let [red, green, blue] = &steps;
        for (((out, r), g), b) in out.iter_mut().zip(red).zip(green).zip(blue) {
            if let Some(out) = out.get_mut(x) {
                *out = [r, g, b].map(|step| code[*step as usize % STEPS]);
            }
        }
    }
}
