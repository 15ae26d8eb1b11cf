//! What encoding takes, by what the encoders would choose to do. The rates are fitted to `benches/costs.rs`: above what
//! photographs take, by a half at most, because other pictures take more.

use super::file::{File, Look};
use super::{Pace, WorkKind, area};
use crate::Effort;
use crate::codec::codec;
use crate::encode::{self, AvifCoder, HeifPreset, Options, quality};
use crate::picture::Space;
use crate::plan::{Format, Layout, Output};
use crate::policy::Policy;
use crate::probe::Header;

/// How a result is written, as far as it is known before a pixel is.
#[derive(Debug, Clone)]
pub(super) struct Writing {
    /// The format.
    pub format: Format,
    options: Options,
    quality: u8,
    /// Whether there may be transparency.
    alpha: bool,
    look: Look,
    /// What was a GIF has at most 256 colours a frame.
    few_colours: bool,
}

/// What encoding takes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Encoded {
    pub bytes: u64,
    /// Microseconds a frame.
    pub micros: u64,
    /// Microseconds once.
    pub start: u64,
}

/// Bytes a pixel that libaom takes at its slower presets, and the largest picture that gets them while somebody waits.
const CAREFUL_AVIF: u64 = 80;
const CAREFUL_AVIF_PIXELS: u64 = 4_000_000;

impl Writing {
    /// How a plan's output is written.
    pub fn of(
        output: &Output,
        policy: &Policy,
        header: &Header,
        file: &File,
        layout: &Layout,
        (format, pace): (Format, Pace),
    ) -> Self {
        let resolved = quality::resolve(output, header.quality, format);
        let options = Options {
            quality: resolved.quality,
            lossless: resolved.lossless,
            near_lossless: policy.near_lossless,
            progressive: output.progressive,
            effort: pace.effort,
            threads: 1,
            frames: layout.frames.max(1),
            budget_ms: u32::try_from(pace.budget_ms).unwrap_or(u32::MAX),
            hurry: encode::Hurry::default(),
            exif: None,
            space: Space::Srgb,
        };
        let quality = resolved.quality.unwrap_or(100);
        let alpha = header.source.alpha && format.has_alpha();
        let few_colours = header.source.format == Format::Gif;
        Self { format, options, quality, alpha, look: file.look, few_colours }
    }

    /// What kind of work it is.
    pub fn work(&self, header: &Header) -> WorkKind {
        let band = match self.quality {
            _ if !quality::has_quality(self.format) => 0,
            ..80 => 0,
            80..90 => 1,
            90..97 => 2,
            97.. => 3,
        };
        let (from, to) = (Some(header.source.format), Some(self.format));
        WorkKind { from, to, moving: self.moving(), lossless: self.options.lossless, band }
    }

    fn moving(&self) -> bool {
        self.options.frames > 1
    }

    /// What a frame of this size takes.
    pub fn frame(&self, width: u32, height: u32) -> Encoded {
        let pixels = area(width, height);
        let each = |bytes: u64, rate: f64| self.at(pixels, bytes, rate, (0, 0));
        let flat = self.look == Look::Flat;
        match self.format {
            Format::Avif if self.moving() => self.moving_avif(width, height),
            Format::Avif => self.avif(width, height),
            Format::Heif => self.heif(width, height),
            Format::WebP => self.webp(pixels),
            Format::Jpeg => self.at(pixels, 8, 12.0 * self.growth(1.1, 1.5) * self.busy(1.7), (50, 0)),
            Format::Png if self.moving() => each(6, 40.0),
            Format::Png => {
                let batch = self.options.effort == Effort::Batch;
                let rate = if batch { 90.0 } else { 18.0 };
                each(6, if flat { rate * 0.6 } else { rate } * if self.alpha { 1.3 } else { 1.0 })
            }
            Format::Gif if flat => each(8, 25.0),
            Format::Gif if self.few_colours && self.moving() => each(8, 60.0),
            Format::Gif => each(8, 130.0 * self.busy(1.9) * if self.moving() { 1.6 } else { 1.0 }),
            format => {
                let (bytes, rate) = codec(format).writing;
                each(bytes, rate)
            }
        }
    }

    /// Microseconds for a part of a picture.
    pub fn part(&self, layout: &Layout, pixels: u64) -> u64 {
        let whole = area(layout.width, layout.height).max(1);
        let all = self.frame(layout.width, layout.height);
        let micros = u128::from(all.micros) * u128::from(pixels.min(whole)) / u128::from(whole);
        u64::try_from(micros).unwrap_or(u64::MAX).saturating_add(all.start)
    }

    /// By milliseconds a megapixel, and microseconds for each frame and once.
    fn at(&self, pixels: u64, bytes: u64, rate: f64, (frame, start): (u64, u64)) -> Encoded {
        let micros = (pixels as f64 * rate / 1000.0) as u64;
        Encoded { bytes: pixels.saturating_mul(bytes), micros: micros.saturating_add(frame), start }
    }

    /// How much more a quality of 90 and of 100 takes than what most ask for.
    fn growth(&self, at_90: f64, at_100: f64) -> f64 {
        let quality = f64::from(self.quality);
        match self.quality {
            ..=80 => 1.0,
            81..=90 => 1.0 + (at_90 - 1.0) * (quality - 80.0) / 10.0,
            91.. => at_90 + (at_100 - at_90) * (quality - 90.0) / 10.0,
        }
    }

    /// How much more a busy picture takes than a photograph.
    fn busy(&self, factor: f64) -> f64 {
        if self.look == Look::Busy { factor } else { 1.0 }
    }

    fn avif(&self, width: u32, height: u32) -> Encoded {
        let pixels = area(width, height);
        let flat = self.look == Look::Flat;
        let coder = encode::avif_coder(&self.options, (width, height), true, flat);
        let light = if matches!(coder, AvifCoder::Svt(_)) { 32 } else { 25 };
        let careful = CAREFUL_AVIF.saturating_mul(pixels.min(CAREFUL_AVIF_PIXELS));
        let bytes = match self.options.effort {
            Effort::Pressed => pixels.saturating_mul(light),
            Effort::Interactive => careful.max(pixels.saturating_mul(light)),
            Effort::Batch => pixels.saturating_mul(CAREFUL_AVIF),
        };
        let blocks = blocks(width, height);
        let (rate, alpha) = match coder {
            AvifCoder::Svt(..=7) => (105.0 * self.growth(1.35, 2.2), 18.0),
            AvifCoder::Svt(_) => (60.0 * self.growth(1.35, 2.2), 18.0),
            AvifCoder::Aom { speed, .. } => {
                let quality = match (self.options.lossless, flat) {
                    (false, true) => 1200.0,
                    (true, true) => 1400.0,
                    (true, false) => 900.0,
                    (false, false) => 500.0 * self.growth(1.35, 2.1),
                };
                let speed = match (speed, self.options.lossless) {
                    (..=6, _) => 1.4,
                    (7, _) => 1.0,
                    (8, _) => 0.55,
                    (9.., true) => 0.22,
                    (9.., false) => 0.14,
                };
                (quality * speed, quality * speed * 0.9)
            }
        };
        let rate = rate * self.busy(1.7) + if self.alpha { alpha } else { 0.0 };
        Encoded { bytes, ..self.at(blocks, 0, rate, (0, 1500)) }
    }

    /// Small frames cost more a pixel than large ones, and something each.
    fn moving_avif(&self, width: u32, height: u32) -> Encoded {
        let pixels = area(width, height);
        let (bytes, pace) = match self.options.effort {
            Effort::Batch => (300, 3.5),
            Effort::Interactive | Effort::Pressed if encode::avif_moves_fast(&self.options, (width, height)) => {
                (160, 0.5)
            }
            Effort::Interactive | Effort::Pressed => (160, 1.0),
        };
        let quality = if self.options.lossless { 2.7 } else { self.growth(1.4, 1.9) };
        let dithered = if self.few_colours && self.look != Look::Flat { 1.4 } else { 1.0 };
        let content = if self.look == Look::Flat { 0.6 } else { self.busy(2.2) };
        let factor = pace * quality * dithered * content * if self.alpha { 1.3 } else { 1.0 };
        let small = self.at(pixels.min(SMALL), 0, 350.0 * factor, (500, 2000));
        let rest = self.at(pixels.saturating_sub(SMALL), 0, 190.0 * factor, (0, 0));
        Encoded {
            bytes: pixels.saturating_mul(bytes),
            micros: small.micros.saturating_add(rest.micros),
            start: small.start,
        }
    }

    fn heif(&self, width: u32, height: u32) -> Encoded {
        let pixels = area(width, height);
        let megapixels = pixels as f64 / 1e6;
        let rate = match encode::heif_preset(self.options.effort, megapixels, self.options.budget_ms) {
            HeifPreset::Medium => 550.0 * self.growth(1.5, 2.2),
            HeifPreset::Ultrafast => 120.0 * self.growth(1.6, 2.5),
        };
        let flat = if self.look == Look::Flat { 1.25 } else { 1.0 };
        let rate = rate * flat * self.busy(1.7) * if self.alpha { 1.35 } else { 1.0 };
        self.at(pixels, 25, rate, (0, 2000))
    }

    fn webp(&self, pixels: u64) -> Encoded {
        let flat = self.look == Look::Flat;
        let pressed = self.options.effort == Effort::Pressed;
        if self.options.lossless && self.moving() {
            return self.at(pixels, 16, 1200.0 * self.busy(1.4), (50, 0));
        }
        if self.options.lossless {
            // Building tables takes much of what a small picture takes.
            let tables = (pixels.min(70_000) as f64 * 0.56) as u64;
            let (rate, tables) = if flat { (70.0, tables / 8) } else { (620.0, tables) };
            return self.at(pixels, 16, rate, (300, tables));
        }
        if self.moving() {
            // Alpha is without loss, and takes much of what a small frame takes.
            let alpha = if self.alpha { pixels.min(2500).saturating_mul(3) / 10 } else { 0 };
            return self.at(pixels, 16, 190.0 * self.busy(1.4) * if pressed { 0.7 } else { 1.0 }, (70 + alpha, 0));
        }
        let slow = 190.0 * self.growth(1.35, 1.8);
        let rate = if pressed { slow * 0.5 } else { slow } + if self.alpha { 60.0 } else { 0.0 };
        let rate = rate * self.busy(1.8);
        self.at(pixels.saturating_add(5000), 16, rate, (0, 300))
    }
}

/// The pixels of a frame up to which it counts as small.
const SMALL: u64 = 40_000;

/// The pixels that an encoder sees which works in blocks of 64 a side.
fn blocks(width: u32, height: u32) -> u64 {
    let up = |side: u32| u64::from(side).div_ceil(64).saturating_mul(64);
    up(width).saturating_mul(up(height))
}
