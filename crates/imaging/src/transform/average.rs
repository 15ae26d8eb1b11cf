//! The average colour.

use super::super::picture::{Channels, Pixels};
use super::alpha::over;

/// The mean of all pixels as `[r, g, b]`, each on white where it is transparent; rounded to the nearest.
pub fn average(pixels: &Pixels) -> [u8; 3] {
    let white = |value: u8, alpha: u8| over(value, alpha, 255);
    let data = pixels.data();
    match pixels.channels() {
        Channels::Grey => mean(data, |[grey]: [u8; 1]| [grey; 3]),
        Channels::GreyAlpha => mean(data, |[grey, alpha]: [u8; 2]| [white(grey, alpha); 3]),
        Channels::Rgb => mean(data, |pixel: [u8; 3]| pixel),
        Channels::Rgba => mean(data, |[r, g, b, alpha]: [u8; 4]| [r, g, b].map(|value| white(value, alpha))),
    }
}

fn mean<const N: usize>(data: &[u8], each: impl Fn([u8; N]) -> [u8; 3]) -> [u8; 3] {
    let pixels = data.as_chunks::<N>().0;
    let mut sums = [0u64; 3];
    for pixel in pixels {
        for (sum, value) in sums.iter_mut().zip(each(*pixel)) {
            *sum += u64::from(value);
        }
    }
    let count = (pixels.len() as u64).max(1);
    sums.map(|sum| ((sum + count / 2) / count) as u8)
}
