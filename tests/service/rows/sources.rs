//! The tables' originals, made here: every colour tells its place, so that an answer shows which part of its source it is.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::have;

/// The colour of a place of every source that is not a mark: red grows to the right, green downwards.
pub fn colour(x: u32, y: u32, width: u32, height: u32) -> [u8; 3] {
    let part = |at: u32, of: u32| (at * 255 / of.max(2).saturating_sub(1)) as u8;
    [part(x, width), part(y, height), 128]
}

/// Stored pixels of a source, RGB.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    (0..height).flat_map(|y| (0..width).flat_map(move |x| colour(x, y, width, height))).collect()
}

/// A JPEG of ImageMagick's, whose tables are the IJG's own: its quality is known for certain.
pub fn jpeg(width: u32, height: u32, quality: u8) -> Vec<u8> {
    jpeg_of(width, height, pixels(width, height), quality)
}

/// A JPEG with one edge, upright in the middle: 64 on its left, 192 on its right. It shows what blur and sharpening do, which a
/// ground that grows evenly does not.
pub fn edge(width: u32, height: u32) -> Vec<u8> {
    let row = (0..width).flat_map(|x| [if x < width / 2 { 64 } else { 192 }; 3]);
    jpeg_of(width, height, row.collect::<Vec<u8>>().repeat(height as usize), 98)
}

fn jpeg_of(width: u32, height: u32, pixels: Vec<u8>, quality: u8) -> Vec<u8> {
    assert!(have("convert"), "convert is not here; run scripts/setup test");
    let mut ppm = format!("P6 {width} {height} 255\n").into_bytes();
    ppm.extend(pixels);
    let mut child = Command::new("convert")
        .args(["ppm:-", "-sampling-factor", "1x1", "-quality", &quality.to_string(), "jpg:-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&ppm).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    output.stdout
}

/// A JPEG with an EXIF block that holds an orientation and nothing else.
pub fn oriented(mut jpeg: Vec<u8>, orientation: u8) -> Vec<u8> {
    let mut block = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    block.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let mut segment = vec![0xff, 0xe1];
    segment.extend((block.len() as u16 + 2).to_be_bytes());
    segment.extend(block);
    jpeg.splice(2..2, segment);
    jpeg
}

/// A JPEG of exactly so many bytes, by comments.
pub fn filled(mut jpeg: Vec<u8>, bytes: usize) -> Vec<u8> {
    while jpeg.len() < bytes {
        let missing = bytes - jpeg.len();
        assert!(missing >= 4, "no comment is so short: {missing}");
        // What is left over must be room for another comment, or nothing.
        let take = if missing > 65_537 { missing.min(60_000) } else { missing };
        let mut segment = vec![0xff, 0xfe];
        segment.extend((take as u16 - 2).to_be_bytes());
        segment.resize(take, b' ');
        jpeg.splice(2..2, segment);
    }
    assert_eq!(jpeg.len(), bytes);
    jpeg
}

/// A JPEG whose header claims other sides than it has: what is refused by its header alone.
pub fn claimed(mut jpeg: Vec<u8>, width: u16, height: u16) -> Vec<u8> {
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline frame");
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
    jpeg
}

/// A PNG with alpha: opaque but for a small hole in the middle of its right half, and a little uneven, as photographs are.
pub fn png_alpha(width: u32, height: u32) -> Vec<u8> {
    let mut seed = 1_u32;
    let mut data = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let [r, g, _] = colour(x, y, width, height);
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let hole = x.abs_diff(width * 3 / 4) < 5 && y.abs_diff(height / 2) < 5;
            data.extend([r, g, 96 + (seed >> 26) as u8, if hole { 0 } else { 255 }]);
        }
    }
    encode_png(width, height, png::ColorType::Rgba, &data)
}

/// A PNG of one colour.
pub fn png_flat(width: u32, height: u32, colour: [u8; 3]) -> Vec<u8> {
    encode_png(width, height, png::ColorType::Rgb, &colour.repeat((width * height) as usize))
}

/// The demo's panda: red with a transparent border, so that it is seen where it lies.
pub fn panda(side: u32) -> Vec<u8> {
    let border = |at: u32| at < side / 10 || at >= side - side / 10;
    let pixel = |x, y| if border(x) || border(y) { [255, 0, 0, 0] } else { [255, 0, 0, 255] };
    let data: Vec<u8> = (0..side).flat_map(|y| (0..side).flat_map(move |x| pixel(x, y))).collect();
    encode_png(side, side, png::ColorType::Rgba, &data)
}

fn encode_png(width: u32, height: u32, kind: png::ColorType, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    bytes
}

/// A GIF of so many frames: a ground that tells its place, and a square that moves over it.
pub fn gif(width: u16, height: u16, frames: u16) -> Vec<u8> {
    // 7 reds x 9 greens of the ground, and white.
    let mut palette: Vec<u8> = (0..63_u32).flat_map(|at| [(at % 7 * 42) as u8, (at / 7 * 31) as u8, 128]).collect();
    palette.extend([255; 3]);
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, &palette).unwrap();
    encoder.set_repeat(gif::Repeat::Infinite).unwrap();
    for number in 0..frames {
        let ground =
            |x: u16, y: u16| (u32::from(x) * 7 / u32::from(width) + u32::from(y) * 9 / u32::from(height) * 7) as u8;
        let mark = |x: u16, y: u16| x / 10 == number % (width / 10) && y / 10 == number / (width / 10);
        let at = |x, y| if mark(x, y) { 63 } else { ground(x, y) };
        let buffer: Vec<u8> = (0..height).flat_map(|y| (0..width).map(move |x| at(x, y))).collect();
        let frame = gif::Frame { width, height, delay: 4, buffer: buffer.into(), ..gif::Frame::default() };
        encoder.write_frame(&frame).unwrap();
    }
    drop(encoder);
    bytes
}
