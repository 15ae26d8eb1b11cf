//! Pictures for benches: of the corpus (`PICTOR_CORPUS`, or `../shared/corpus` beside the crate), or, without it, drawn.

#![allow(dead_code)]

use std::io::Cursor;
use std::path::PathBuf;

use pictor::imaging::Effort;
use pictor::imaging::encode::{self, Options};
use pictor::imaging::picture::{Animation, Space};
use pictor::imaging::policy::Light;
use pictor::imaging::{Channels, Frame, Pixels, decode, probe, transform};
use pictor::plan::{Format, GeometryOp};
pub use tiff::encoder::Compression;
use tiff::encoder::{TiffEncoder, colortype};

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Leaves, with all their detail.
    Photo,
    /// A chart.
    Graphic,
    /// What no codec can do anything with.
    Noise,
}

/// Where pictures come from.
pub struct Studio {
    photo: Pixels,
}

impl Studio {
    /// Reads the photograph.
    pub fn open() -> Self {
        let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
        let corpus = std::env::var_os("PICTOR_CORPUS").map_or_else(beside, PathBuf::from);
        let photo = std::fs::read(corpus.join("photos/large/foliage-4224x3168.jpg")).ok().and_then(|bytes| {
            let header = probe(&bytes).ok()?;
            Some(decode::open(&bytes, &header, &decode::Wanted::default()).ok()?.next_frame().ok()??.pixels)
        });
        if photo.is_none() {
            println!("no corpus: a drawn picture takes the photograph's place");
        }
        Self { photo: photo.unwrap_or_else(|| drawn(4224, 3168)) }
    }

    /// A picture of this size; in each frame it stands elsewhere.
    pub fn picture(&self, show: Show, alpha: bool, (width, height): (u32, u32), shift: u32) -> Pixels {
        let pixels = match show {
            Show::Photo => {
                // A pan by a few pixels a frame.
                let part = GeometryOp::Crop {
                    x: (shift * 5) % 400,
                    y: (shift * 3) % 300,
                    width: self.photo.width() - 400,
                    height: self.photo.height() - 300,
                };
                let part = if shift > 0 { apply(copy(&self.photo), &part) } else { copy(&self.photo) };
                apply(part, &GeometryOp::Resize { width, height })
            }
            Show::Graphic => graphic(width, height, shift),
            Show::Noise => noise(width, height, shift),
        };
        if alpha { with_alpha(&pixels) } else { pixels }
    }
}

fn apply(pixels: Pixels, op: &GeometryOp) -> Pixels {
    transform::apply(pixels, op, true, Light::Gamma).unwrap()
}

/// The same once more.
pub fn copy(pixels: &Pixels) -> Pixels {
    Pixels::new(pixels.width(), pixels.height(), pixels.channels(), pixels.data().to_vec()).unwrap()
}

fn each(width: u32, height: u32, mut colour: impl FnMut(u32, u32) -> [u8; 3]) -> Pixels {
    let data = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| colour(x, y)).collect();
    Pixels::new(width, height, Channels::Rgb, data).unwrap()
}

/// Smooth shapes with a little grain.
fn drawn(width: u32, height: u32) -> Pixels {
    let mut grain = 0x9e37_79b9u32;
    each(width, height, |x, y| {
        grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (grain >> 29) as u8;
        let edge = if (x / 97 + y / 61).is_multiple_of(3) { 60 } else { 0 };
        [(x * 180 / width) as u8 + edge + noise, (y * 180 / height) as u8 + noise, 90 + edge / 2 + noise]
    })
}

/// Boxes and stripes in a handful of colours, as of a chart with a legend.
pub fn graphic(width: u32, height: u32, shift: u32) -> Pixels {
    each(width, height, |x, y| {
        let (x, y) = (x + shift * 3, y + shift);
        let text = (x / 2 + y * 7 / 3) % 11 < 3 && (y / 9).is_multiple_of(2) && (x / 40).is_multiple_of(3);
        match ((x / 53 + y / 37) % 5, text) {
            (_, true) => [20, 20, 30],
            (0, _) => [255, 255, 255],
            (1, _) => [200, 30, 40],
            (2, _) => [30, 90, 200],
            _ => [240, 240, 230],
        }
    })
}

/// Every pixel by chance.
pub fn noise(width: u32, height: u32, shift: u32) -> Pixels {
    let mut seed = 0x2545_f491u32.wrapping_add(shift.wrapping_mul(0x9e37_79b9));
    each(width, height, |_, _| {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        [seed as u8, (seed >> 8) as u8, (seed >> 16) as u8]
    })
}

fn with_alpha(pixels: &Pixels) -> Pixels {
    let (width, height) = (pixels.width(), pixels.height());
    let alpha = |at: usize| (at as u32 % width * 255 / width) as u8;
    let data = pixels.data().chunks_exact(3).enumerate().flat_map(|(at, p)| [p[0], p[1], p[2], alpha(at)]).collect();
    Pixels::new(width, height, Channels::Rgba, data).unwrap()
}

/// A file of one picture or several.
pub fn write(format: Format, quality: Option<u8>, lossless: bool, progressive: bool, frames: Vec<Pixels>) -> Vec<u8> {
    let options = Options {
        quality,
        lossless,
        near_lossless: 0,
        progressive,
        effort: Effort::Pressed,
        threads: 1,
        frames: frames.len() as u32,
        budget_ms: 0,
        hurry: pictor::imaging::encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    };
    let animation = (frames.len() > 1).then_some(Animation { repeat: None });
    let (width, height) = (frames[0].width(), frames[0].height());
    let mut encoder = encode::open(format, width, height, options, animation).unwrap();
    for pixels in frames {
        encoder.add(Frame { pixels, delay_ms: 40 }).unwrap();
    }
    encoder.finish().unwrap()
}

/// A TIFF of 8 or 16 bits.
pub fn tiff(pixels: &Pixels, deep: bool, compression: Compression) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut out).unwrap().with_compression(compression);
    let (width, height) = (pixels.width(), pixels.height());
    if deep {
        let mut low = 0u16;
        let wide = |value: &u8| {
            low = low.wrapping_mul(25_173).wrapping_add(13_849);
            (u16::from(*value) << 8) | (low >> 8)
        };
        let data: Vec<u16> = pixels.data().iter().map(wide).collect();
        encoder.write_image::<colortype::RGB16>(width, height, &data).unwrap();
    } else {
        encoder.write_image::<colortype::RGB8>(width, height, pixels.data()).unwrap();
    }
    out.into_inner()
}

/// A PNG of 16 bits.
pub fn deep_png(pixels: &Pixels) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, pixels.width(), pixels.height());
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Sixteen);
    let mut low = 0u8;
    let wide = |value: &u8| {
        low = low.wrapping_mul(37).wrapping_add(101);
        [*value, low]
    };
    let data: Vec<u8> = pixels.data().iter().flat_map(wide).collect();
    encoder.write_header().unwrap().write_image_data(&data).unwrap();
    out
}
