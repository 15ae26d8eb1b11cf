//! Is it a photograph or a graphic? Few colours say graphic: those want full chroma, or a palette.

use std::collections::HashMap;

use crate::picture::Pixels;

/// Runs of pixels that are looked at, spread over the picture.
const RUNS: usize = 128;
/// Pixels of a run.
const RUN: usize = 256;
/// More colours than this among the runs' 32 768 pixels: a photograph. Photographs show thousands there, rendered text
/// and drawings with soft edges a few hundred.
const COLOURS: usize = 512;

/// Whether the picture has so few colours that it was drawn, not taken. Reads a sample; alpha is not looked at.
pub fn is_graphic(pixels: &Pixels) -> bool {
    let count = pixels.channels().count();
    let colours = if pixels.channels().has_alpha() { count - 1 } else { count };
    // Grey has at most 256 values, so that counting tells nothing, and no chroma to keep.
    if colours == 1 {
        return false;
    }
    let total = pixels.data().len() / count;
    let step = (total / RUNS).max(RUN);
    let mut seen = HashMap::with_capacity(COLOURS * 2);
    for start in (0..total).step_by(step) {
        let end = (start + RUN).min(total);
        for p in pixels.data()[start * count..end * count].chunks_exact(count) {
            seen.insert([p[0], p[1], p[2]], ());
            if seen.len() > COLOURS {
                return false;
            }
        }
    }
    // A handful of pixels proves nothing: a thumbnail of 16 x 16 has at most 256 colours whatever it shows.
    total >= COLOURS * 8 || seen.len() <= total / 8
}

/// A picture as numbers into at most `max` colours.
pub struct Indexed {
    /// The colours, as the pixels have them (RGBA).
    pub palette: Vec<[u8; 4]>,
    /// One number a pixel.
    pub indices: Vec<u8>,
}

/// Writes the picture with a palette of at most `max` (up to 256) colours, exactly; `None` if it has more. Fully
/// transparent pixels count as one colour.
pub fn index(pixels: &Pixels, max: usize) -> Option<Indexed> {
    let count = pixels.channels().count();
    let total = pixels.data().len() / count;
    let mut numbers: HashMap<[u8; 4], u8> = HashMap::with_capacity(512);
    let mut palette = Vec::new();
    let mut indices = Vec::new();
    indices.try_reserve_exact(total).ok()?;
    let mut last: Option<([u8; 4], u8)> = None;
    for p in pixels.data().chunks_exact(count) {
        let colour = rgba(p);
        if let Some((same, number)) = last
            && same == colour
        {
            indices.push(number);
            continue;
        }
        let number = match numbers.get(&colour) {
            Some(&number) => number,
            None if palette.len() < max.min(256) => {
                let number = palette.len() as u8;
                palette.push(colour);
                numbers.insert(colour, number);
                number
            }
            None => return None,
        };
        last = Some((colour, number));
        indices.push(number);
    }
    Some(Indexed { palette, indices })
}

/// A pixel of one to four channels as RGBA; what is fully transparent is black.
pub fn rgba(p: &[u8]) -> [u8; 4] {
    let colour = match *p {
        [v] => [v, v, v, 255],
        [v, a] => [v, v, v, a],
        [r, g, b] => [r, g, b, 255],
        [r, g, b, a] => [r, g, b, a],
        _ => [0; 4],
    };
    if colour[3] == 0 { [0; 4] } else { colour }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::picture::Channels;

    #[test]
    fn stripes_are_a_graphic_and_noise_is_not() {
        let stripes = (0..100 * 100).flat_map(|i| if i / 10 % 2 == 0 { [255, 0, 0] } else { [0, 0, 255] }).collect();
        assert!(is_graphic(&Pixels::new(100, 100, Channels::Rgb, stripes).unwrap()));
        let mut state = 1u32;
        let noise = (0..100 * 100 * 3)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 24) as u8
            })
            .collect();
        assert!(!is_graphic(&Pixels::new(100, 100, Channels::Rgb, noise).unwrap()));
    }

    #[test]
    fn indexing_is_exact_or_nothing() {
        let pixels = Pixels::new(3, 1, Channels::Rgba, vec![1, 2, 3, 255, 9, 9, 9, 0, 1, 2, 3, 255]).unwrap();
        let out = index(&pixels, 256).unwrap();
        assert_eq!(out.palette, [[1, 2, 3, 255], [0; 4]]);
        assert_eq!(out.indices, [0, 1, 0]);
        assert!(index(&pixels, 1).is_none());
    }
}
