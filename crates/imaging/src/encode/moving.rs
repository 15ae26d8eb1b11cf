//! An animation as AVIF: two AV1 streams, one of colour and, where anything is transparent, one of alpha.
//!
//! Each frame is encoded when it comes and only its bytes are kept, so that memory does not grow with their number.

use super::aom::{AomSettings, Stream};
use super::avif::{interpolate, load};
use super::avis::{Film, TrackCoding};
use super::graphics::is_graphic;
use super::yuv::{Sampling, YuvPlanes, split};
use super::{Options, quality};
use crate::Effort;
use crate::error::{Error, Kind};
use crate::picture::{Animation, Encode, Frame, Space};
use crate::plan::Format;
use crate::transform::{room, with_colour};

/// The encoder.
pub struct Moving {
    size: (u32, u32),
    options: Options,
    plays: Option<u32>,
    /// Opened by the first frame, which decides on the chroma.
    running: Option<Running>,
}

struct Running {
    pace: MotionPace,
    settings: AomSettings,
    colour: Stream,
    /// Opened by the first frame of which anything is transparent.
    alpha: Option<Stream>,
    /// Durations of the frames so far: what an alpha that comes late has to make up for.
    delays: Vec<u32>,
    film: Film,
    scratch: Vec<u8>,
}

impl Moving {
    /// Starts a file.
    pub fn open(width: u32, height: u32, options: Options, animation: Animation) -> Self {
        Self { size: (width, height), options, plays: animation.repeat, running: None }
    }
}

impl Encode for Moving {
    fn add(&mut self, frame: Frame) -> Result<(), Error> {
        super::still::check_size(&frame, self.size)?;
        // One stream cannot be grey here and coloured there.
        let pixels = with_colour(frame.pixels)?;
        let sampling = match &self.running {
            Some(running) => running.settings.sampling,
            None if self.options.lossless => Sampling::Identity,
            None if is_graphic(&pixels) => Sampling::Full,
            None => Sampling::Quarter,
        };
        let (colour, alpha) = split(&pixels, sampling)?;
        drop(pixels);
        let mut running = match self.running.take() {
            Some(running) => running,
            None => Running::open(&colour, sampling, &self.options)?,
        };
        running.add(&colour, alpha.as_ref(), frame.delay_ms)?;
        self.running = Some(running);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, Error> {
        let running = self.running.ok_or_else(|| Error::new(Kind::Internal, "avif: no frame was given"))?;
        running.film.finish(self.plays, self.options.exif.as_deref())
    }
}

impl Running {
    fn open(planes: &YuvPlanes, sampling: Sampling, options: &Options) -> Result<Self, Error> {
        let quality = options.quality.unwrap_or(quality::default(Format::Avif, None));
        let megapixels = f64::from(planes.width) * f64::from(planes.height) * f64::from(options.frames.max(1)) / 1e6;
        let load = load(quality, options.lossless, false);
        let pace = options.in_time(|budget_ms| MotionPace::of(options.effort, megapixels * load, budget_ms));
        let settings = AomSettings {
            speed: pace.cpu_used(),
            quantizer: pace.quantizer(quality),
            lossless: options.lossless,
            visual: true,
            sampling,
            space: options.space,
            threads: options.threads,
        };
        let primaries = match options.space {
            Space::Srgb => 1,
            Space::DisplayP3 => 12,
        };
        let matrix = if sampling == Sampling::Identity { 0 } else { 6 };
        let coding = TrackCoding {
            full_chroma: sampling != Sampling::Quarter,
            grey: planes.chroma.is_none(),
            colour: Some((primaries, 13, matrix)),
        };
        Ok(Self {
            settings,
            colour: Stream::open(planes, settings, pace == MotionPace::Thorough)?,
            pace,
            alpha: None,
            delays: Vec::new(),
            film: Film::new(planes.width, planes.height, coding),
            scratch: Vec::new(),
        })
    }

    fn add(&mut self, colour: &YuvPlanes, alpha: Option<&YuvPlanes>, delay_ms: u32) -> Result<(), Error> {
        self.scratch.clear();
        self.colour.add(colour, delay_ms, &mut self.scratch)?;
        self.film.colour(&self.scratch, delay_ms)?;
        let transparent = alpha.is_some_and(|alpha| alpha.y.iter().any(|&value| value != 255));
        if transparent || self.alpha.is_some() {
            let opaque;
            let planes = match alpha {
                Some(alpha) => alpha,
                None => {
                    opaque = solid(colour)?;
                    &opaque
                }
            };
            self.add_alpha(planes, delay_ms)?;
        }
        self.delays.push(delay_ms);
        Ok(())
    }

    fn add_alpha(&mut self, planes: &YuvPlanes, delay_ms: u32) -> Result<(), Error> {
        let mut stream = match self.alpha.take() {
            Some(stream) => stream,
            None => {
                let settings = AomSettings {
                    quantizer: ALPHA_QUANTIZER.min(self.settings.quantizer),
                    visual: false,
                    ..self.settings
                };
                let mut stream = Stream::open(planes, settings, self.pace == MotionPace::Thorough)?;
                if !self.delays.is_empty() {
                    let opaque = solid(planes)?;
                    for &delay_ms in &self.delays {
                        self.scratch.clear();
                        stream.add(&opaque, delay_ms, &mut self.scratch)?;
                        self.film.alpha(&self.scratch)?;
                    }
                }
                stream
            }
        };
        self.scratch.clear();
        stream.add(planes, delay_ms, &mut self.scratch)?;
        self.alpha = Some(stream);
        self.film.alpha(&self.scratch)
    }
}

/// Whether an animation of frames of this size is encoded at the fast pace.
pub fn is_fast(options: &Options, (width, height): (u32, u32)) -> bool {
    let megapixels = f64::from(width) * f64::from(height) * f64::from(options.frames.max(1)) / 1e6;
    let load = load(options.quality.unwrap_or(quality::default(Format::Avif, None)), options.lossless, false);
    MotionPace::of(options.effort, megapixels * load, options.budget_ms) == MotionPace::Fast
}

/// The alpha of a frame without any.
fn solid(like: &YuvPlanes) -> Result<YuvPlanes, Error> {
    let length = like.width as usize * like.height as usize;
    let mut y = room(length)?;
    y.resize(length, 255);
    Ok(YuvPlanes { width: like.width, height: like.height, y, chroma: None })
}

/// Alpha is all edges; see the still pictures' encoder. Errors that move are seen less.
const ALPHA_QUANTIZER: u8 = 10;

/// How long the encoder looks for what has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum MotionPace {
    /// `cpu-used` 9 of the mode for live streams.
    Fast,
    /// `cpu-used` 6 of the same: 10 to 30 % fewer bytes at equal SSIMULACRA2 for twice the time.
    Normal,
    /// `cpu-used` 6 of the mode for good quality: another 10 to 30 %, five times the time.
    Thorough,
}

impl MotionPace {
    /// The pace for an animation of so many megapixels in all of its frames.
    pub(super) fn of(effort: Effort, megapixels: f64, budget_ms: u32) -> Self {
        let wanted = match effort {
            Effort::Pressed => Self::Fast,
            Effort::Interactive => Self::Normal,
            Effort::Batch => Self::Thorough,
        };
        let fits = |pace: &Self| budget_ms == 0 || pace.ms_per_megapixel() as f64 * megapixels <= f64::from(budget_ms);
        let paces = [Self::Thorough, Self::Normal, Self::Fast].into_iter().filter(|pace| *pace <= wanted);
        paces.clone().find(fits).unwrap_or(Self::Fast)
    }

    /// CPU milliseconds for a megapixel of pictures with dithering, chroma at full resolution and alpha: the dearest.
    pub(super) fn ms_per_megapixel(self) -> u64 {
        match self {
            Self::Fast => 100,
            Self::Normal => 200,
            Self::Thorough => 700,
        }
    }

    fn cpu_used(self) -> u8 {
        match self {
            Self::Fast => 9,
            Self::Normal | Self::Thorough => 6,
        }
    }

    /// The quantizer of a quality, as for still pictures (`avif.rs`); fitted on five GIFs, about the same score for a number at
    /// each pace.
    fn quantizer(self, quality: u8) -> u8 {
        let table = match self {
            Self::Fast => &FAST,
            Self::Normal | Self::Thorough => &SLOW,
        };
        interpolate(table, quality).clamp(0.0, 63.0).round() as u8
    }
}

#[rustfmt::skip]
const SLOW: [(u8, f64); 15] = [
    (1, 61.0), (10, 53.0), (20, 48.0), (30, 43.0), (40, 38.7), (50, 35.5), (60, 32.5), (65, 31.0), (70, 29.0), (75, 27.0),
    (80, 24.5), (85, 20.5), (90, 15.0), (95, 9.0), (100, 1.0),
];
#[rustfmt::skip]
const FAST: [(u8, f64); 15] = [
    (1, 60.5), (10, 52.0), (20, 47.0), (30, 41.5), (40, 37.2), (50, 33.5), (60, 30.2), (65, 28.7), (70, 26.8), (75, 24.2),
    (80, 21.5), (85, 18.5), (90, 12.5), (95, 8.0), (100, 1.0),
];

#[cfg(test)]
mod tests;
