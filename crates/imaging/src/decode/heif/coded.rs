//! From libheif's own planes to pixels.

use libheif_rs::{ColorSpace, Image, Plane, RgbChroma};

use super::super::super::hdr::Brightness;
use super::super::super::picture::{Channels, Pixels, Space};
use super::super::super::probe::{Header, corrupt};
use super::super::area;
use super::super::planes::{CodedPlanes, PixelTarget, PlaneCoding, Samples, develop};
use super::{Colour, toned};
use crate::error::Error;

/// The pixels of an image as its codec has given it, with alpha or without, and as grey where they are and may be; `None`
/// where its coding is not known here.
///
/// # Errors
/// [`crate::error::Kind::Corrupt`] for an image of another size than its header's, [`crate::error::Kind::OutOfMemory`].
pub(super) fn pixels(
    image: &Image,
    header: &Header,
    (alpha, grey): (bool, bool),
    colour: &Colour,
    (about, target): (Brightness, Space),
) -> Result<Option<Pixels>, Error> {
    let Some((mut planes, coding)) = planes(image) else { return Ok(None) };
    let (width, height) = (header.source.width, header.source.height);
    if (planes.first.width, planes.first.height) != (width, height) {
        return Err(corrupt(header.source.format, "its size is not what its header announces"));
    }
    if !alpha {
        planes.alpha = None;
    }
    let channels = match (alpha, !grey || planes.chroma.is_some() || colour.is_hdr()) {
        (true, _) => Channels::Rgba,
        (false, true) => Channels::Rgb,
        (false, false) => Channels::Grey,
    };
    let Colour::Hdr(transfer, primaries) = *colour else {
        let data = develop(&planes, coding, PixelTarget { channels: channels.count(), bits: 8 })?;
        return data.map(|data| Pixels::new(width, height, channels, data)).transpose();
    };
    // Light is told apart finer than by eight bits, whatever it was coded with.
    let bits = planes.first.bits.max(10);
    let Some(data) = develop(&planes, coding, PixelTarget { channels: channels.count(), bits })? else {
        return Ok(None);
    };
    let rows = data.chunks(area(width, 2, channels.count())?.max(1));
    toned(rows, (bits, channels), header, (transfer, primaries), (about, target)).map(Some)
}

fn planes(image: &Image) -> Option<(CodedPlanes<'_>, PlaneCoding)> {
    let all = image.planes();
    let alpha = all.a.map(samples);
    let coding = image.color_profile_nclx().map_or_else(PlaneCoding::default, |nclx| PlaneCoding {
        matrix: nclx.matrix_coefficients() as u16,
        full: nclx.full_range_flag() != 0,
    });
    let (first, chroma, coding) = match image.color_space()? {
        ColorSpace::Monochrome => (all.y?, None, coding),
        ColorSpace::YCbCr(_) => (all.y?, Some([all.cb?, all.cr?]), coding),
        ColorSpace::Rgb(RgbChroma::C444) => (all.g?, Some([all.b?, all.r?]), PlaneCoding { matrix: 0, full: true }),
        _ => return None,
    };
    Some((CodedPlanes { first: samples(first), chroma: chroma.map(|planes| planes.map(samples)), alpha }, coding))
}

fn samples(plane: Plane<&[u8]>) -> Samples<'_> {
    Samples {
        data: plane.data,
        stride: plane.stride,
        width: plane.width,
        height: plane.height,
        bits: plane.bits_per_pixel,
        wide: plane.storage_bits_per_pixel > 8,
    }
}
