//! Resampling on amounts of light: sRGB's curve is taken off before and put on again after, with floats between the two.
//!
//! Rows are added up first. Each row of the source is brought to light once and kept for as long as rows of the result need
//! it, so that beside the two pictures only as many rows lie in memory as the filter is high. A row of the result is the
//! weighted sum of those, then its pixels are sums of neighbours ([`kernel`]), and a table gives their codes. Where ten and
//! more samples become one, blocks are averaged first, so that never more than some sixty rows are kept. What most pictures
//! are, opaque colour that is not reduced so far, is done in whole numbers ([`whole`]), which takes less than half the time.

use std::sync::OnceLock;

use super::super::picture::{Channels, Pixels};
use super::{SubpixelRect, area, room};
use crate::error::Error;

mod kernel;
mod whole;

#[cfg(test)]
mod tests;

use kernel::{Windows, across, add};

/// Resamples a part to exactly this size. The pixels have sRGB's curve, whatever their primaries; alpha is light as it is.
pub(super) fn resize(pixels: Pixels, part: SubpixelRect, width: u32, height: u32) -> Result<Pixels, Error> {
    let size = (width, height);
    let Curves { light, code } = curves();
    let light = |code: u8| light[usize::from(code)];
    let code = |light: f32| code[step(light)];
    let share = |alpha: u8| f32::from(alpha) / 255.0;
    // The colour of a transparent pixel must not bleed into its neighbours, so colours are weighted by alpha. Below 1e-4
    // dividing by alpha again would only amplify noise.
    let opaque = |alpha: f32| (alpha > 1e-4, 1.0 / alpha.max(1e-4), (alpha.clamp(0.0, 1.0) * 255.0 + 0.5) as u8);
    match pixels.channels() {
        Channels::Grey => run(&pixels, part, size, |[grey]: [u8; 1]| [light(grey)], |[grey]| [code(grey)]),
        Channels::GreyAlpha => run(
            &pixels,
            part,
            size,
            |[grey, alpha]: [u8; 2]| [light(grey) * share(alpha), share(alpha)],
            |[grey, alpha]| {
                let (there, factor, alpha) = opaque(alpha);
                [if there { code(grey * factor) } else { 0 }, alpha]
            },
        ),
        // Three travel as four, which the processor adds at once.
        Channels::Rgb => run(
            &pixels,
            part,
            size,
            |[r, g, b]: [u8; 3]| [light(r), light(g), light(b), 0.0],
            |[r, g, b, _]| [code(r), code(g), code(b)],
        ),
        Channels::Rgba => run(
            &pixels,
            part,
            size,
            |[r, g, b, alpha]: [u8; 4]| {
                let share = share(alpha);
                [light(r) * share, light(g) * share, light(b) * share, share]
            },
            |[r, g, b, alpha]| {
                let (there, factor, alpha) = opaque(alpha);
                let of = |light: f32| if there { code(light * factor) } else { 0 };
                [of(r), of(g), of(b), alpha]
            },
        ),
    }
}

/// The two passes, for pixels of `N` bytes that are `L` floats on the way.
fn run<const N: usize, const L: usize>(
    pixels: &Pixels,
    part: SubpixelRect,
    (width, height): (u32, u32),
    lighten: impl Fn([u8; N]) -> [f32; L],
    darken: impl Fn([f32; L]) -> [u8; N],
) -> Result<Pixels, Error> {
    let (wide, tall) = (pixels.width() as usize, pixels.height() as usize);
    let down = Windows::new(tall, (part.y, part.down), height as usize)?;
    let over = Windows::new(wide, (part.x, part.across), width as usize)?;
    let length = area(width, height, pixels.channels())?;
    let mut data = room(length)?;
    data.resize(length, 0);
    if pixels.channels() == Channels::Rgb && (down.block, over.block) == (1, 1) {
        whole::run(pixels, (&down, &over), curves(), &mut data)?;
        return Pixels::new(width, height, pixels.channels(), data);
    }

    let mut kept: Vec<Vec<[f32; L]>> = Vec::new();
    for _ in 0..down.most().max(1) {
        kept.push(floats(over.samples)?);
    }
    let mut sum: Vec<[f32; L]> = floats(over.samples)?;
    let mut narrow: Vec<[f32; L]> = floats(width as usize)?;
    let slots = kept.len();
    let mut ready = 0;
    let mut blocks = pixels.data().chunks(pixels.stride().saturating_mul(down.block));
    for ((first, weights), out) in down.iter().zip(data.chunks_exact_mut(width as usize * N)) {
        while ready < first + weights.len() {
            let (Some(rows), Some(slot)) = (blocks.next(), kept.get_mut(ready % slots)) else { break };
            if down.block == 1 && over.block == 1 {
                for (to, from) in slot.iter_mut().zip(rows.as_chunks::<N>().0) {
                    *to = lighten(*from);
                }
            } else {
                average(rows.chunks_exact(pixels.stride()), over.block, &lighten, slot);
            }
            ready += 1;
        }
        let row = |at: usize| kept.get((first + at) % slots).map_or(&[][..], Vec::as_slice);
        add(weights, row, &mut sum);
        across(&over, &sum, &mut narrow);
        for (to, from) in out.as_chunks_mut::<N>().0.iter_mut().zip(&narrow) {
            *to = darken(*from);
        }
    }
    Pixels::new(width, height, pixels.channels(), data)
}

/// The averages of blocks: all of these rows, and so many pixels beside each other.
fn average<'a, const N: usize, const L: usize>(
    rows: impl ExactSizeIterator<Item = &'a [u8]>,
    block: usize,
    lighten: impl Fn([u8; N]) -> [f32; L],
    out: &mut [[f32; L]],
) {
    out.fill([0.0; L]);
    let tall = rows.len().max(1) as f32;
    for row in rows {
        for (to, pixels) in out.iter_mut().zip(row.as_chunks::<N>().0.chunks(block)) {
            let share = 1.0 / (tall * pixels.len() as f32);
            for pixel in pixels {
                let light = lighten(*pixel);
                for lane in 0..L {
                    to[lane] += light[lane] * share;
                }
            }
        }
    }
}

/// A row of nothing, or [`crate::error::Kind::OutOfMemory`].
fn floats<const L: usize>(length: usize) -> Result<Vec<[f32; L]>, Error> {
    drop(room(length.saturating_mul(L).saturating_mul(4))?);
    Ok(vec![[0.0; L]; length])
}

/// Steps of light that are told apart on the way back: of the darkest eight bits each still gets five.
const STEPS: usize = 1 << 14;

/// The step of an amount of light; what is beyond black or white is that.
fn step(light: f32) -> usize {
    // Behind 2^23 the last bits of a float are whole numbers, and reading them is quicker than a conversion.
    let whole = light.clamp(0.0, 1.0) * (STEPS - 1) as f32 + 8_388_608.0;
    whole.to_bits() as usize % STEPS
}

/// sRGB's curve, both ways.
struct Curves {
    light: [f32; 256],
    code: Box<[u8; STEPS]>,
}

fn curves() -> &'static Curves {
    static CURVES: OnceLock<Curves> = OnceLock::new();
    CURVES.get_or_init(|| {
        let light = std::array::from_fn(|code| {
            let value = code as f64 / 255.0;
            let light = if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) };
            light as f32
        });
        let mut code = Box::new([0; STEPS]);
        for (light, code) in code.iter_mut().enumerate() {
            let light = light as f64 / (STEPS - 1) as f64;
            let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            *code = (value * 255.0).round() as u8;
        }
        Curves { light, code }
    })
}
