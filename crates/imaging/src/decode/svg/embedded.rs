//! Pictures inside of a drawing. Those that lie in the file as `data:` are decoded by our own decoders, within their
//! limits, and handed on as PNG; everything else that an `href` may name is left out, as browsers do with pictures.

#![allow(clippy::disallowed_types, reason = "it is locked in spite of poison; no other lock is known here")]

use std::sync::Arc;
use std::sync::Mutex;

use png::{BitDepth, ColorType, Compression, Encoder};
use resvg::usvg::{ImageHrefResolver, ImageKind, Options};

use super::super::{Wanted, open};
use super::too_much;
use crate::error::{Error, Kind};
use crate::picture::{Channels, Pixels};
use crate::plan::Format;
use crate::policy::{Gamut, Policy};
use crate::probe::{probe, unsupported};
use crate::transform;

/// Pixels of all pictures in a drawing together, each counted as often as it is used.
const MOST_PIXELS: u64 = 24_000_000;

/// The pictures of one drawing.
pub(super) struct Embedded {
    wanted: Wanted,
    count: Mutex<Count>,
}

#[derive(Default)]
struct Count {
    pixels: u64,
    refused: Option<Error>,
}

impl Embedded {
    pub(super) fn new(wanted: &Wanted) -> Self {
        // A drawing in a drawing would need all of the checks again.
        let policy = Policy { svg: false, gamut: Gamut::Srgb, ..wanted.policy };
        Self { wanted: Wanted { policy, shrink: None, ..*wanted }, count: Mutex::default() }
    }

    /// What resolves the addresses of pictures.
    pub(super) fn resolver(&self) -> ImageHrefResolver<'_> {
        ImageHrefResolver {
            resolve_data: Box::new(|_: &str, data: Arc<Vec<u8>>, _: &Options| self.take(&data)),
            resolve_string: Box::new(|_, _| None),
        }
    }

    /// Whether the drawing may be used.
    pub(super) fn verdict(self) -> Result<(), Error> {
        let count = self.count.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        count.refused.map_or(Ok(()), Err)
    }

    /// A picture. One that cannot be decoded is left out; one that must not be refuses the whole.
    fn take(&self, data: &[u8]) -> Option<ImageKind> {
        match self.decode(data) {
            Ok(png) => Some(ImageKind::PNG(Arc::new(png))),
            Err(error) => {
                if !matches!(error.kind, Kind::Corrupt | Kind::NotAnImage) {
                    self.lock().refused.get_or_insert(error);
                }
                None
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn decode(&self, data: &[u8]) -> Result<Vec<u8>, Error> {
        let header = probe(data)?;
        if header.source.format == Format::Svg {
            return Err(unsupported(Format::Svg, "another SVG is embedded in it"));
        }
        {
            let mut count = self.lock();
            count.pixels =
                count.pixels.saturating_add(u64::from(header.source.width) * u64::from(header.source.height));
            if count.pixels > MOST_PIXELS || count.refused.is_some() {
                return Err(too_much(&format!("the pictures in it have more than {MOST_PIXELS} pixels")));
            }
        }
        let mut decoder = open(data, &header, &self.wanted)?;
        let orientation = decoder.metadata().orientation;
        let frame = decoder.next_frame()?.ok_or_else(|| Error::new(Kind::Corrupt, "it holds no picture"))?;
        write(transform::orient(frame.pixels, orientation)?)
    }
}

fn write(pixels: Pixels) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, pixels.width(), pixels.height());
    encoder.set_depth(BitDepth::Eight);
    encoder.set_compression(Compression::Fastest);
    encoder.set_color(match pixels.channels() {
        Channels::Grey => ColorType::Grayscale,
        Channels::GreyAlpha => ColorType::GrayscaleAlpha,
        Channels::Rgb => ColorType::Rgb,
        Channels::Rgba => ColorType::Rgba,
    });
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels.data()));
    written.map_err(|error| Error::new(Kind::Internal, format!("png: {error}")))?;
    Ok(bytes)
}
