//! Bytes to pixels, one file a format. Every decoder checks its limits before it allocates, gives whole frames or an
//! error, and leaves its pixels in sRGB.

mod bmp;
mod gif;
mod guard;
mod heif;
mod ico;
mod jpeg;
mod jxl;
mod planes;
mod png;
mod raster;
mod rle;
mod still;
mod svg;
mod tiff;
mod turbo;
pub(crate) mod wanted;
mod webp;
mod webp_sys;

#[cfg(test)]
mod corpus;
#[cfg(test)]
mod gain_tests;
#[cfg(test)]
mod hdr_tests;

use super::picture::{Decode, Metadata, Pixels, Space};
pub(super) use jxl::most_bytes as jxl_bytes;
pub(super) use svg::most_bytes as svg_bytes;
pub use wanted::{Region, Shrink, Wanted};

use super::plugin;
use super::probe::{Header, closed};
use crate::error::{Error, Kind};
use crate::plan::{Format, Limits};

/// Opens a picture. Pixels are decoded by [`Decode::next_frame`], not here.
///
/// `header` is what [`super::probe()`] said of the same bytes. With `shrink`, a JPEG may come out at a half, a quarter or
/// an eighth of its size, never below 1.6 times the given size (so that the resampling that follows still decides how the
/// picture looks); the size is then what the frame's [`Pixels`] say. An SVG is drawn at exactly the given size, which may
/// be larger than its own. `None` gives the full size, and so do all other formats.
///
/// With `region`, a JPEG or a still WebP may come out as that rectangle, pixel by pixel what it is in the whole; or else whole,
/// as all other formats. A file that ends early is decoded whole, and refused; damage in what is passed over is not seen.
///
/// # Errors
/// [`Kind::SourceSide`] and [`Kind::SourcePixels`] where one frame alone is above the limits, [`Kind::UnsupportedSource`],
/// [`Kind::Corrupt`]. An animation above the limits opens, because the caller may want its first frame only; the frame that
/// goes beyond a limit is the error.
pub fn open<'a>(bytes: &'a [u8], header: &Header, wanted: &Wanted) -> Result<Box<dyn Decode + 'a>, Error> {
    check(header, &wanted.limits)?;
    let inner = decoder(bytes, header, wanted)?;
    Ok(Box::new(guard::Guard::new(inner, header, &wanted.limits)))
}

fn decoder<'a>(bytes: &'a [u8], header: &Header, wanted: &Wanted) -> Result<Box<dyn Decode + 'a>, Error> {
    let Wanted { limits, shrink, region, .. } = wanted;
    let gamut = wanted.policy.gamut;
    match header.source.format {
        Format::Jpeg => jpeg::open(bytes, header, limits, (*shrink, *region), gamut),
        Format::Png => png::open(bytes, header, gamut),
        Format::Gif => gif::open(bytes, header, limits),
        Format::Bmp => bmp::open(bytes, header),
        Format::WebP => webp::open(bytes, header, gamut, *region),
        Format::Avif | Format::Heif => heif::open(bytes, header, limits, gamut),
        Format::Tiff => tiff::open(bytes, header, wanted.policy.metadata),
        Format::Ico => ico::open(bytes, header),
        Format::Jxl if wanted.policy.jxl => jxl::open(bytes, header),
        Format::Svg if wanted.policy.svg => svg::open(bytes, header, wanted),
        Format::Tpg => plugin::open(bytes, header, wanted),
        format => Err(closed(format)),
    }
}

fn check(header: &Header, limits: &Limits) -> Result<(), Error> {
    let (width, height) = (header.source.width, header.source.height);
    if width.max(height) > limits.source_side {
        let message =
            format!("the original is {width} x {height} pixels; at most {} a side are taken", limits.source_side);
        return Err(Error::new(Kind::SourceSide, message));
    }
    if u64::from(width) * u64::from(height) > limits.source_pixels {
        let message = format!("the original has {width} x {height} pixels; at most {} are taken", limits.source_pixels);
        return Err(Error::new(Kind::SourcePixels, message));
    }
    Ok(())
}

/// A decoder of one picture that `work` decodes.
pub(super) fn still<'a>(metadata: Metadata, work: impl FnOnce() -> Result<Pixels, Error> + 'a) -> Box<dyn Decode + 'a> {
    still::StillDecoder::open(metadata, work)
}

/// The metadata that the header alone tells.
fn metadata(header: &Header, exif: Option<&[u8]>) -> Metadata {
    Metadata {
        exif: exif.map(<[u8]>::to_vec),
        orientation: header.source.orientation,
        quality: header.quality,
        animation: None,
        space: Space::Srgb,
    }
}

/// Zeroed memory of a length, or [`Kind::OutOfMemory`].
fn buffer(length: usize) -> Result<Vec<u8>, Error> {
    let mut data = Vec::new();
    data.try_reserve_exact(length)
        .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {length} bytes of pixels")))?;
    data.resize(length, 0);
    Ok(data)
}

/// `width * height * each`, or [`Kind::OutOfMemory`] where that is more than can be addressed.
fn area(width: u32, height: u32, each: usize) -> Result<usize, Error> {
    (width as usize)
        .checked_mul(height as usize)
        .and_then(|pixels| pixels.checked_mul(each))
        .ok_or_else(|| Error::new(Kind::OutOfMemory, format!("no memory for {width} x {height} pixels")))
}

/// A rectangle of pixels, which lies inside.
fn cut(pixels: &Pixels, x: u32, y: u32, region: Region) -> Result<Pixels, Error> {
    let count = pixels.channels().count();
    let row = area(region.width, 1, count)?;
    let start = area(x, 1, count)?;
    let mut data = buffer(area(region.width, region.height, count)?)?;
    for (from, to) in pixels.rows().skip(y as usize).zip(data.chunks_exact_mut(row)) {
        to.copy_from_slice(from.get(start..start + row).unwrap_or_default());
    }
    Pixels::new(region.width, region.height, pixels.channels(), data)
}

/// A copy that fails where memory does.
fn copy(pixels: &Pixels) -> Result<Pixels, Error> {
    let mut data = buffer(pixels.data().len())?;
    data.copy_from_slice(pixels.data());
    Pixels::new(pixels.width(), pixels.height(), pixels.channels(), data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shrinking_leaves_more_than_the_wanted_size() {
        let divisor =
            |(width, height), (min_width, min_height)| Shrink { min_width, min_height }.divisor(width, height);
        assert_eq!(divisor((4000, 3000), (1251, 938)), 1);
        assert_eq!(divisor((4000, 3000), (1250, 937)), 2);
        assert_eq!(divisor((4000, 3000), (312, 234)), 8);
        assert_eq!(divisor((4000, 3000), (313, 234)), 4);
        assert_eq!(divisor((4000, 3000), (250, 1500)), 1, "the other side is reduced by less");
        assert_eq!(divisor((1, 1), (1, 1)), 1);
        assert_eq!(divisor((u32::MAX, u32::MAX), (u32::MAX, 1)), 1);
    }
}
