//! APNG: every frame is the smallest rectangle that has changed, in RGBA, laid over what the screen shows.

use ::png::{BitDepth, ColorType, Compression, Encoder};

use super::Options;
use super::graphics::rgba;
use crate::Effort;
use crate::crc::crc;
use crate::error::{Error, Kind};
use crate::picture::{Animation, Channels, Encode, Frame, Pixels};
use crate::transform::room;

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The encoder. Keeps the chunks written so far and the screen: its memory grows with compressed bytes only.
pub struct Apng {
    size: (u32, u32),
    compression: Compression,
    exif: Option<Vec<u8>>,
    /// How often it plays; 0 is for ever.
    plays: u32,
    frames: u32,
    /// Number of the next `fcTL` or `fdAT`.
    sequence: u32,
    screen: Vec<u8>,
    /// The chunks of the frames. The count of frames stands before them, so the head is written last.
    body: Vec<u8>,
}

impl Apng {
    /// Starts a file.
    pub fn open(width: u32, height: u32, options: Options, animation: Animation) -> Self {
        let compression = match options.effort {
            Effort::Batch => Compression::Balanced,
            Effort::Interactive | Effort::Pressed => Compression::Fast,
        };
        let plays = animation.repeat.map_or(0, |times| times.clamp(1, i32::MAX as u32));
        let size = (width, height);
        Self {
            size,
            compression,
            exif: options.exif,
            plays,
            frames: 0,
            sequence: 0,
            screen: Vec::new(),
            body: Vec::new(),
        }
    }

    fn next(&mut self) -> [u8; 4] {
        let number = self.sequence;
        self.sequence += 1;
        number.to_be_bytes()
    }
}

impl Encode for Apng {
    fn add(&mut self, frame: Frame) -> Result<(), Error> {
        super::still::check_size(&frame, self.size)?;
        let mut canvas = room(self.size.0 as usize * self.size.1 as usize * 4)?;
        let count = frame.pixels.channels().count();
        frame.pixels.data().chunks_exact(count).for_each(|p| canvas.extend_from_slice(&rgba(p)));
        drop(frame.pixels);
        let stride = self.size.0 as usize * 4;
        // The first frame has to cover the whole canvas.
        let (left, top, width, height) = match self.frames {
            0 => (0, 0, self.size.0 as usize, self.size.1 as usize),
            _ => changed(&self.screen, &canvas, stride),
        };
        let mut part = room(width * height * 4)?;
        for row in canvas.chunks_exact(stride).skip(top).take(height) {
            row.iter().skip(left * 4).take(width * 4).for_each(|&byte| part.push(byte));
        }
        let pixels = Pixels::new(width as u32, height as u32, Channels::Rgba, part)?;
        let file = compressed(&pixels, self.compression)?;

        let (number, per_second) = delay(frame.delay_ms);
        let mut control = Vec::with_capacity(26);
        control.extend_from_slice(&self.next());
        for value in [width, height, left, top] {
            control.extend_from_slice(&(value as u32).to_be_bytes());
        }
        control.extend_from_slice(&number.to_be_bytes());
        control.extend_from_slice(&per_second.to_be_bytes());
        // Leave the frame where it is, and replace rather than blend.
        control.extend_from_slice(&[0, 0]);
        chunk(&mut self.body, b"fcTL", &[&control])?;
        for data in image_data(&file) {
            if self.frames == 0 {
                chunk(&mut self.body, b"IDAT", &[data])?;
            } else {
                let number = self.next();
                chunk(&mut self.body, b"fdAT", &[&number, data])?;
            }
        }
        self.frames += 1;
        self.screen = canvas;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.frames == 0 {
            return Err(Error::new(Kind::Internal, "apng: no frame was given"));
        }
        let mut file = room(self.body.len() + 128 + self.exif.as_ref().map_or(0, Vec::len))?;
        file.extend_from_slice(SIGNATURE);
        let (width, height) = (self.size.0.to_be_bytes(), self.size.1.to_be_bytes());
        chunk(&mut file, b"IHDR", &[&width, &height, &[8, 6, 0, 0, 0]])?;
        chunk(&mut file, b"acTL", &[&self.frames.to_be_bytes(), &self.plays.to_be_bytes()])?;
        if let Some(exif) = &self.exif {
            chunk(&mut file, b"eXIf", &[exif])?;
        }
        file.extend_from_slice(&self.body);
        chunk(&mut file, b"IEND", &[])?;
        Ok(file)
    }
}

/// A delay as a fraction of a second; exact up to 65 s, then in hundredths, then in seconds.
fn delay(ms: u32) -> (u16, u16) {
    match (u16::try_from(ms), u16::try_from(ms / 10)) {
        (Ok(ms), _) => (ms, 1000),
        (_, Ok(hundredths)) => (hundredths, 100),
        _ => ((ms / 1000).min(u16::MAX.into()) as u16, 1),
    }
}

/// The smallest rectangle (x, y, width, height) with every difference; a single pixel if there is none.
fn changed(old: &[u8], new: &[u8], stride: usize) -> (usize, usize, usize, usize) {
    let (mut left, mut right, mut top, mut bottom) = (stride, 0, usize::MAX, 0);
    for (y, (a, b)) in old.chunks_exact(stride).zip(new.chunks_exact(stride)).enumerate() {
        let Some(first) = a.iter().zip(b).position(|(a, b)| a != b) else { continue };
        let last = a.iter().zip(b).rposition(|(a, b)| a != b).unwrap_or(first);
        (left, right) = (left.min(first / 4), right.max(last / 4));
        (top, bottom) = (top.min(y), y);
    }
    if top == usize::MAX { (0, 0, 1, 1) } else { (left, top, right - left + 1, bottom - top + 1) }
}

/// The pixels as a still PNG.
fn compressed(pixels: &Pixels, compression: Compression) -> Result<Vec<u8>, Error> {
    let failed = |e: ::png::EncodingError| Error::new(Kind::Internal, format!("apng: {e}"));
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_color(ColorType::Rgba);
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(compression);
    let mut writer = encoder.write_header().map_err(failed)?;
    writer.write_image_data(pixels.data()).map_err(failed)?;
    writer.finish().map_err(failed)?;
    Ok(bytes)
}

/// What the `IDAT` chunks of a PNG hold.
fn image_data(file: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = file.get(SIGNATURE.len()..).unwrap_or_default();
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, name @ ..] = *head;
        let Some((data, after)) = tail.split_at_checked(u32::from_be_bytes([a, b, c, d]) as usize) else { break };
        if &name == b"IDAT" {
            found.push(data);
        }
        rest = after.get(4..).unwrap_or_default();
    }
    found
}

fn chunk(file: &mut Vec<u8>, name: &[u8; 4], parts: &[&[u8]]) -> Result<(), Error> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let size = u32::try_from(length).map_err(|_| Error::new(Kind::OutputTooLarge, "apng: a frame exceeds 4 GiB"))?;
    file.try_reserve(length + 12).map_err(|_| Error::new(Kind::OutOfMemory, "no memory for the APNG file"))?;
    file.extend_from_slice(&size.to_be_bytes());
    let start = file.len();
    file.extend_from_slice(name);
    parts.iter().for_each(|part| file.extend_from_slice(part));
    let sum = crc(file.get(start..).unwrap_or_default());
    file.extend_from_slice(&sum.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::{decode, probe};

    #[test]
    fn apng_keeps_pixels_delays_and_repeats() {
        for repeat in [None, Some(1), Some(3)] {
            let options = Options {
                quality: None,
                lossless: false,
                near_lossless: 0,
                progressive: false,
                effort: Effort::Interactive,
                threads: 1,
                frames: 1,
                budget_ms: 0,
                hurry: crate::encode::Hurry::default(),
                exif: None,
                space: crate::picture::Space::Srgb,
            };
            let mut encoder = Box::new(Apng::open(7, 5, options, Animation { repeat }));
            let mut given = Vec::new();
            // The third is as the second; the last takes away what was there.
            for (marks, delay_ms) in [(0u8, 40), (1, 33), (1, 1), (9, 2_500), (0, 70)] {
                let mut pixels = Pixels::filled(7, 5, Channels::Rgba, 200).unwrap();
                for i in 0..usize::from(marks) {
                    pixels.data_mut()[(10 + i) * 4..][..4].copy_from_slice(&[i as u8, 9, 80, 28 * (i as u8 + 1)]);
                }
                given.push((pixels.data().to_vec(), delay_ms));
                encoder.add(Frame { pixels, delay_ms }).unwrap();
            }
            let bytes = encoder.finish().unwrap();
            let header = probe(&bytes).unwrap();
            assert_eq!((header.source.width, header.source.height, header.source.frames), (7, 5, 5));
            let mut decoder = decode::open(&bytes, &header, &decode::Wanted::default()).unwrap();
            assert_eq!(decoder.metadata().animation, Some(Animation { repeat }));
            for (data, delay) in given {
                let frame = decoder.next_frame().unwrap().unwrap();
                assert_eq!((frame.pixels.data(), frame.delay_ms), (&data[..], delay));
            }
            assert!(decoder.next_frame().unwrap().is_none());
        }
    }

    #[test]
    fn delays_fit_their_fraction() {
        assert_eq!(delay(65_535), (65_535, 1000));
        assert_eq!(delay(65_540), (6_554, 100));
        assert_eq!(delay(u32::MAX), (65_535, 1));
    }
}
