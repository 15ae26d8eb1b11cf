//! A sheet's pixels, and pictures made up by code.

use std::error::Error;

/// RGB.
pub struct Canvas {
    pub width: u32,
    pub height: u32,
    data: Vec<u8>,
}

impl Canvas {
    pub fn white(width: u32, height: u32) -> Self {
        Self::filled(width, height, 255)
    }

    pub fn filled(width: u32, height: u32, grey: u8) -> Self {
        Self { width, height, data: vec![grey; width as usize * height as usize * 3] }
    }

    /// A PNG; what is transparent in it shows a chequered ground.
    pub fn read(bytes: &[u8]) -> Result<Self, Box<dyn Error>> {
        let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let mut reader = decoder.read_info()?;
        let mut raw = vec![0; reader.output_buffer_size().ok_or("a large picture")?];
        let info = reader.next_frame(&mut raw)?;
        let samples = info.color_type.samples();
        let mut canvas = Self::white(info.width, info.height);
        let pixels = raw.chunks_exact(samples).zip(canvas.data.chunks_exact_mut(3));
        for (at, (from, to)) in pixels.enumerate() {
            let (x, y) = (at as u32 % info.width, at as u32 / info.width);
            let ground = if (x / 8 + y / 8) % 2 == 0 { 235 } else { 215 };
            let alpha = u32::from(from[samples - 1]);
            for (channel, value) in to.iter_mut().enumerate() {
                let colour = u32::from(from[if samples > 2 { channel } else { 0 }]);
                *value = ((colour * alpha + ground * (255 - alpha) + 127) / 255) as u8;
            }
        }
        Ok(canvas)
    }

    /// Puts a picture that fits with its corner at a place.
    pub fn put(&mut self, picture: &Self, x: u32, y: u32) {
        let stride = picture.width as usize * 3;
        for (row, from) in picture.data.chunks_exact(stride).enumerate() {
            let at = ((y as usize + row) * self.width as usize + x as usize) * 3;
            self.data[at..at + stride].copy_from_slice(from);
        }
    }

    pub fn png(&self) -> Result<Vec<u8>, Box<dyn Error>> {
        encode(self.width, self.height, png::ColorType::Rgb, &self.data)
    }
}

fn encode(width: u32, height: u32, kind: png::ColorType, data: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(kind);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(data)?;
    writer.finish()?;
    Ok(bytes)
}

/// Pictures from formulas, by places from 0 to 1.
pub mod scene {
    use super::{Error, encode};

    pub fn png(width: u32, height: u32, pixel: impl Fn(f64, f64) -> [u8; 4]) -> Result<Vec<u8>, Box<dyn Error>> {
        let at = |place: u32, whole: u32| (f64::from(place) + 0.5) / f64::from(whole);
        let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        let data: Vec<u8> = places.flat_map(|(x, y)| pixel(at(x, width), at(y, height))).collect();
        encode(width, height, png::ColorType::Rgba, &data)
    }

    /// A sky over hills.
    pub fn hills(x: f64, y: f64) -> [u8; 4] {
        let hill = 0.55 + 0.12 * (x * 9.0).sin() + 0.05 * (x * 23.0).cos();
        let shade = |from: f64, to: f64, by: f64| (from + (to - from) * by) as u8;
        if y < hill {
            [shade(60.0, 200.0, y), shade(120.0, 220.0, y), shade(200.0, 240.0, y), 255]
        } else {
            [shade(90.0, 30.0, y), shade(140.0, 60.0, y), shade(60.0, 20.0, y), 255]
        }
    }

    /// An orange disc with a smooth edge on nothing.
    pub fn disc(x: f64, y: f64) -> [u8; 4] {
        let far = ((x - 0.5).powi(2) * 2.25 + (y - 0.5).powi(2)).sqrt();
        let alpha = ((0.5 - far) * 40.0).clamp(0.0, 1.0);
        [240, if far < 0.25 { 230 } else { 120 }, 20, (alpha * 255.0) as u8]
    }
}
