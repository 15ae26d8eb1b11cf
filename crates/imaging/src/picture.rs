//! What decoders give and encoders take: pixels, frames, and what belongs to the whole picture.

use crate::error::{Error, Kind};

/// How the bytes of a pixel lie. Eight bits a channel, not premultiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
}

impl Channels {
    /// Bytes of one pixel: 1 to 4.
    pub fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::GreyAlpha => 2,
            Self::Rgb => 3,
            Self::Rgba => 4,
        }
    }

    /// Whether the last channel is alpha.
    pub fn has_alpha(self) -> bool {
        matches!(self, Self::GreyAlpha | Self::Rgba)
    }
}

/// A rectangle of pixels: rows from top to bottom without gaps. Always `data.len() == width * height * channels`.
#[derive(Debug, Clone)]
pub struct Pixels {
    width: u32,
    height: u32,
    channels: Channels,
    data: Vec<u8>,
}

impl Pixels {
    /// Takes bytes of the right length.
    ///
    /// # Errors
    /// [`Kind::Internal`] if the length is not `width * height * channels`, or a side is 0.
    pub fn new(width: u32, height: u32, channels: Channels, data: Vec<u8>) -> Result<Self, Error> {
        let want = Self::bytes(width, height, channels);
        if width == 0 || height == 0 || want != Some(data.len()) {
            return Err(Error::new(
                Kind::Internal,
                format!("{} bytes for {width} x {height} pixels of {channels:?}", data.len()),
            ));
        }
        Ok(Self { width, height, channels, data })
    }

    /// Pixels of one value in every byte.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`] if the memory cannot be had.
    pub fn filled(width: u32, height: u32, channels: Channels, value: u8) -> Result<Self, Error> {
        let length = Self::bytes(width, height, channels).unwrap_or(usize::MAX);
        let mut data = Vec::new();
        data.try_reserve_exact(length)
            .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {width} x {height} pixels")))?;
        data.resize(length, value);
        Self::new(width, height, channels, data)
    }

    fn bytes(width: u32, height: u32, channels: Channels) -> Option<usize> {
        (width as usize).checked_mul(height as usize)?.checked_mul(channels.count())
    }

    /// Pixels in a row.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// How a pixel's bytes lie.
    pub fn channels(&self) -> Channels {
        self.channels
    }

    /// Bytes of a row.
    pub fn stride(&self) -> usize {
        self.width as usize * self.channels.count()
    }

    /// All bytes.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// All bytes, to change.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The bytes without the rest.
    pub fn into_data(self) -> Vec<u8> {
        self.data
    }

    /// The rows.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.data.chunks_exact(self.stride())
    }
}

/// One full frame, already composed: an animation's disposal and offsets are the decoder's business.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The whole canvas.
    pub pixels: Pixels,
    /// How long it is shown, in milliseconds; 0 for a still picture or "as fast as possible".
    pub delay_ms: u32,
}

/// How an animation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Animation {
    /// How often the whole plays; `None` is for ever.
    pub repeat: Option<u32>,
}

/// What the numbers of coloured pixels mean. Both have sRGB's curve and white, so that greys are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Space {
    /// sRGB.
    #[default]
    Srgb,
    /// Display P3.
    DisplayP3,
}

/// What belongs to the whole picture. The pixels are sRGB (or grey with the sRGB curve) when they leave the decoder, unless
/// `space` says otherwise, which it does only where [`Gamut::P3`](super::policy::Gamut::P3) was wanted.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    /// EXIF as a TIFF block (no `Exif\0\0` in front), as the source had it.
    pub exif: Option<Vec<u8>>,
    /// EXIF orientation of the stored pixels, 1..=8; 1 for HEIF and AVIF, whose decoder has applied its transformations.
    pub orientation: u8,
    /// The estimated quality of a JPEG source, 1..=100.
    pub quality: Option<u8>,
    /// How an animation runs; `None` for a still picture.
    pub animation: Option<Animation>,
    /// What the numbers of the pixels mean.
    pub space: Space,
}

/// A decoder of one picture. Frames come one at a time, so that a long animation never lies in memory whole.
pub trait Decode {
    /// What belongs to the whole picture.
    fn metadata(&self) -> &Metadata;

    /// The next frame; `None` after the last.
    ///
    /// The implementation MUST give at least one frame or an error, MUST NOT give more frames than the header announced,
    /// and MUST answer [`Kind::Corrupt`] rather than give a frame of which pixels are missing.
    fn next_frame(&mut self) -> Result<Option<Frame>, Error>;
}

/// An encoder of one picture. The caller gives at least one frame, and more than one only to a format that animates;
/// all frames have the same size.
pub trait Encode {
    /// Takes the next frame.
    fn add(&mut self, frame: Frame) -> Result<(), Error>;

    /// Writes what is left and gives the whole file.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, Error>;
}
