//! Resampling by Lanczos with three lobes. Transparent pixels are weighted by their opacity, so that the colour that
//! hides under them never shows at an edge.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, MulDiv, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::super::picture::{Channels, Pixels};
use super::{SubpixelRect, area, room};
use crate::error::{Error, Kind};

/// Resamples a part to exactly this size.
pub(super) fn resize(mut pixels: Pixels, part: SubpixelRect, width: u32, height: u32) -> Result<Pixels, Error> {
    let channels = pixels.channels();
    let kind = match channels {
        Channels::Grey => PixelType::U8,
        Channels::GreyAlpha => PixelType::U8x2,
        Channels::Rgb => PixelType::U8x3,
        Channels::Rgba => PixelType::U8x4,
    };
    let length = area(width, height, channels)?;
    let mut data = room(length)?;
    data.resize(length, 0);
    // The library keeps the picture between its two passes in memory of its own, which aborts where it cannot be had:
    // asking for as much beforehand turns nearly all of that into an error.
    drop(room(area(width, pixels.height(), channels)?)?);

    // Multiplying in place spares the copy of the source that the library would make.
    let (source_width, source_height) = (pixels.width(), pixels.height());
    let alpha = MulDiv::new();
    if channels.has_alpha() {
        let mut view = Image::from_slice_u8(source_width, source_height, pixels.data_mut(), kind).map_err(failed)?;
        alpha.multiply_alpha_inplace(&mut view).map_err(failed)?;
    }
    let source = ImageRef::new(source_width, source_height, pixels.data(), kind).map_err(failed)?;
    let mut target = Image::from_vec_u8(width, height, data, kind).map_err(failed)?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)).use_alpha(false).crop(
        part.x,
        part.y,
        part.across,
        part.down,
    );
    Resizer::new().resize(&source, &mut target, &options).map_err(failed)?;
    if channels.has_alpha() {
        alpha.divide_alpha_inplace(&mut target).map_err(failed)?;
    }
    Pixels::new(width, height, channels, target.into_vec())
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::new(Kind::Internal, format!("resampling failed: {error}"))
}
