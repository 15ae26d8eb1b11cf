//! AVIF with ravif (pure Rust): the alternative for builds without libaom. About ten times the CPU for the same bytes.

use ravif::{AlphaColorMode, BitDepth, Encoder, Img};
use rgb::FromSlice;

use super::{Options, quality};
use crate::Effort;
use crate::error::{Error, Kind};
use crate::picture::{Channels, Pixels};
use crate::plan::Format;
use crate::transform::with_colour;

/// Writes the file. It cannot do without loss; that gives the best quality in its place.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let quality = if options.lossless { 100 } else { options.quality.unwrap_or(quality::default(Format::Avif, None)) };
    let pixels = with_colour(pixels)?;
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let encoder = Encoder::new()
        .with_quality(f32::from(quality).clamp(1.0, 100.0))
        .with_alpha_quality(95.0)
        .with_alpha_color_mode(AlphaColorMode::UnassociatedClean)
        .with_bit_depth(BitDepth::Eight)
        .with_num_threads(Some(options.threads.max(1) as usize))
        .with_speed(match options.effort {
            Effort::Pressed | Effort::Interactive => 10,
            Effort::Batch => 8,
        });
    let encoded = match pixels.channels() {
        Channels::Rgba => encoder.encode_rgba(Img::new(pixels.data().as_rgba(), width, height)),
        Channels::Rgb | Channels::Grey | Channels::GreyAlpha => {
            encoder.encode_rgb(Img::new(pixels.data().as_rgb(), width, height))
        }
    };
    encoded.map(|file| file.avif_file).map_err(|error| Error::new(Kind::Internal, format!("ravif: {error}")))
}
