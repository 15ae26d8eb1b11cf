//! PNG and APNG.

use std::io::Cursor;

use png::{BlendOp, ColorType, Decoder, DecodingError, DisposeOp, Info, Limits, Reader, Transformations};

use super::super::colour::{MAX_PROFILE, ToSrgb, ToSrgb16};
use super::super::hdr::{self, Brightness, Order};
use super::super::picture::{Animation, Channels, Decode, Frame, Metadata, Pixels, Space};
use super::super::policy::Gamut;
use super::super::probe::{Header, corrupt, png as chunks};
use super::still::StillDecoder;
use super::{area, buffer, copy, metadata};
use crate::colour;
use crate::error::{Error, Kind};
use crate::plan::Format;

type Source<'a> = Reader<Cursor<&'a [u8]>>;

/// Opens a PNG.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header, gamut: Gamut) -> Result<Box<dyn Decode + 'a>, Error> {
    let header = *header;
    let mut metadata = metadata(&header, chunks::exif_block(bytes));
    if header.source.frames <= 1 {
        if gamut == Gamut::P3 {
            metadata.space = match colour_of(reader(bytes, &header, Transformations::EXPAND)?.info()) {
                Colour::Profile(profile) => colour::space(gamut, &profile),
                Colour::Hdr { primaries, .. } => primaries.space(true),
                Colour::Srgb => Space::Srgb,
            };
        }
        let space = metadata.space;
        return Ok(StillDecoder::open(metadata, move || in_space(bytes, &header, space)));
    }
    Ok(Box::new(Moving::open(bytes, header, metadata)?))
}

fn damaged(error: DecodingError) -> Error {
    match error {
        DecodingError::LimitsExceeded => {
            Error::new(Kind::OutOfMemory, "the PNG's metadata needs more memory than is given")
        }
        other => corrupt(Format::Png, &other.to_string()),
    }
}

/// Reads everything before the first pixel.
fn reader<'a>(bytes: &'a [u8], header: &Header, transformations: Transformations) -> Result<Source<'a>, Error> {
    let row = area(header.source.width, 1, 8)?;
    // Rows that are being unfiltered, and a profile that is being inflated.
    let limits = Limits { bytes: row.saturating_mul(8).saturating_add(MAX_PROFILE) };
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(transformations);
    decoder.set_ignore_text_chunk(true);
    let reader = decoder.read_info().map_err(damaged)?;
    let info = reader.info();
    if (info.width, info.height) != (header.source.width, header.source.height) {
        return Err(corrupt(Format::Png, "it has two headers"));
    }
    Ok(reader)
}

fn channels(colour: ColorType) -> Result<Channels, Error> {
    match colour {
        ColorType::Grayscale => Ok(Channels::Grey),
        ColorType::GrayscaleAlpha => Ok(Channels::GreyAlpha),
        ColorType::Rgb => Ok(Channels::Rgb),
        ColorType::Rgba => Ok(Channels::Rgba),
        ColorType::Indexed => Err(Error::new(Kind::Internal, "a palette was not looked up")),
    }
}

/// What the colour chunks ask for, in their order of precedence.
enum Colour {
    Srgb,
    Profile(Box<moxcms::ColorProfile>),
    Hdr { transfer: hdr::Transfer, primaries: hdr::Primaries, about: Brightness },
}

fn colour_of(info: &Info<'_>) -> Colour {
    let hdr = |transfer, primaries| {
        // Both in steps of 0.0001 cd/m².
        let pixels = info.content_light_level.map(|level| level.max_content_light_level).filter(|light| *light > 0);
        let display = info.mastering_display_color_volume.map(|volume| volume.max_luminance);
        let declared = pixels.or(display).map(|light| light as f32 / 10_000.0);
        Colour::Hdr { transfer, primaries, about: Brightness { declared, moving: false } }
    };
    if let Some(points) = &info.coding_independent_code_points {
        let primaries = hdr::Primaries::from_code(points.color_primaries);
        if let Some(transfer) = hdr::Transfer::from_code(points.transfer_function) {
            return hdr(transfer, primaries);
        }
        return primaries.profile().map_or(Colour::Srgb, |profile| Colour::Profile(Box::new(profile)));
    }
    if let Some(profile) = info.icc_profile.as_deref().and_then(colour::parse) {
        return match colour::hdr_of(&profile) {
            Some((transfer, primaries)) => hdr(transfer, primaries),
            None => Colour::Profile(Box::new(profile)),
        };
    }
    if info.srgb.is_some() {
        return Colour::Srgb;
    }
    numbers(info).map_or(Colour::Srgb, |profile| Colour::Profile(Box::new(profile)))
}

/// A profile from gAMA and cHRM, where there is neither a profile nor the sRGB chunk; `None` where they mean sRGB, or
/// nothing.
fn numbers(info: &Info<'_>) -> Option<moxcms::ColorProfile> {
    // 0.45455 is how sRGB is approximated.
    let gamma = info.gama_chunk.map(png::ScaledFloat::into_value);
    let gamma = gamma.filter(|gamma| *gamma > 0.01 && (gamma - 0.45455).abs() > 0.02);
    if matches!(info.color_type, ColorType::Grayscale | ColorType::GrayscaleAlpha) {
        return gamma.map(|gamma| moxcms::ColorProfile::new_gray_with_gamma(1.0 / gamma));
    }
    let primaries = info.chrm_chunk.as_ref().and_then(primaries);
    (gamma.is_some() || primaries.is_some()).then_some(())?;
    let mut profile = moxcms::ColorProfile::new_srgb();
    profile.cicp = None;
    if let Some(gamma) = gamma {
        let curve = moxcms::ToneReprCurve::Parametric(vec![1.0 / gamma]);
        (profile.red_trc, profile.green_trc, profile.blue_trc) =
            (Some(curve.clone()), Some(curve.clone()), Some(curve));
    }
    if let Some((white, primaries)) = primaries {
        profile.update_rgb_colorimetry(white, primaries);
        let colorants = [profile.red_colorant, profile.green_colorant, profile.blue_colorant];
        colorants.iter().all(|xyz| [xyz.x, xyz.y, xyz.z].iter().all(|value| value.is_finite())).then_some(())?;
    }
    Some(profile)
}

/// The white and the primaries of cHRM; `None` where they are sRGB's, or nothing that light can be.
fn primaries(numbers: &png::SourceChromaticities) -> Option<(moxcms::XyY, moxcms::ColorPrimaries)> {
    let point = |(x, y): (png::ScaledFloat, png::ScaledFloat)| (x.into_value(), y.into_value());
    let [white, red, green, blue] = [numbers.white, numbers.red, numbers.green, numbers.blue].map(point);
    let srgb = [(0.3127, 0.329), (0.64, 0.33), (0.3, 0.6), (0.15, 0.06)];
    let same = |(a, b): (&(f32, f32), &(f32, f32))| (a.0 - b.0).abs() < 0.003 && (a.1 - b.1).abs() < 0.003;
    let all = [white, red, green, blue];
    (!all.iter().zip(&srgb).all(same)).then_some(())?;
    // Three points on a line are no primaries; a white without luminance is none.
    let area = (green.0 - red.0) * (blue.1 - red.1) - (blue.0 - red.0) * (green.1 - red.1);
    (area.abs() > 0.01 && white.1 > 0.05 && all.iter().all(|(x, y)| *x <= 1.0 && *y <= 1.0)).then_some(())?;
    let chromaticity = |(x, y)| moxcms::Chromaticity::new(x, y);
    let white = moxcms::XyY { x: white.0.into(), y: white.1.into(), yb: 1.0 };
    let [red, green, blue] = [red, green, blue].map(chromaticity);
    Some((white, moxcms::ColorPrimaries { red, green, blue }))
}

/// Decodes the default image to sRGB.
pub(super) fn still(bytes: &[u8], header: &Header) -> Result<Pixels, Error> {
    in_space(bytes, header, Space::Srgb)
}

fn in_space(bytes: &[u8], header: &Header, space: Space) -> Result<Pixels, Error> {
    let (width, height) = (header.source.width, header.source.height);
    let mut source = reader(bytes, header, Transformations::EXPAND)?;
    let colour = colour_of(source.info());
    let (kind, depth) = source.output_color_type();
    let channels = channels(kind)?;
    if depth == png::BitDepth::Sixteen {
        return sixteen(&mut source, header, channels, &colour, space);
    }
    let mut data = buffer(area(width, height, channels.count())?)?;
    source.next_frame(&mut data).map_err(damaged)?;
    let mut pixels = Pixels::new(width, height, channels, data)?;
    recolour(&mut pixels, &colour, space)?;
    Ok(pixels)
}

fn recolour(pixels: &mut Pixels, colour: &Colour, space: Space) -> Result<(), Error> {
    match colour {
        Colour::Srgb => Ok(()),
        Colour::Profile(profile) => match ToSrgb::into_space(profile, pixels.channels(), space) {
            Some(transform) => transform.apply(pixels),
            None => Ok(()),
        },
        Colour::Hdr { transfer, primaries, about } => {
            hdr::apply(*transfer, *primaries, *about, space, pixels);
            Ok(())
        }
    }
}

/// Decodes 16-bit samples, through a profile if there is one: it is often linear, and at 8 bits its shadows would be lost.
/// High dynamic range needs them even more.
fn sixteen(
    source: &mut Source<'_>,
    header: &Header,
    channels: Channels,
    colour: &Colour,
    space: Space,
) -> Result<Pixels, Error> {
    let (width, height) = (header.source.width, header.source.height);
    let count = channels.count();
    let mut wide = buffer(area(width, height, count.saturating_mul(2))?)?;
    source.next_frame(&mut wide).map_err(damaged)?;
    let stride = area(width, 1, count)?;
    let mut data = buffer(area(width, height, count)?)?;
    let transform = match colour {
        Colour::Profile(profile) => ToSrgb16::into_space(profile, channels, space),
        Colour::Srgb => None,
        Colour::Hdr { transfer, primaries, about } => {
            let light = hdr::CodedLight::new(*transfer, *primaries, 16);
            let rows = wide.chunks_exact(stride.saturating_mul(2));
            hdr::develop(light, *about, space, rows, (Order::Big, channels), (&mut data, stride));
            return Pixels::new(width, height, channels, data);
        }
    };
    for (from, to) in wide.chunks_exact(stride.saturating_mul(2)).zip(data.chunks_exact_mut(stride)) {
        if let Some(transform) = &transform {
            transform.row(from, to)?;
            continue;
        }
        for (to, from) in to.iter_mut().zip(from.as_chunks::<2>().0) {
            // 257 steps of 16 bits are one of 8, rounded.
            *to = (u32::from(u16::from_be_bytes(*from)).saturating_add(128) / 257) as u8;
        }
    }
    Pixels::new(width, height, channels, data)
}

/// An open APNG.
struct Moving<'a> {
    source: Source<'a>,
    header: Header,
    metadata: Metadata,
    colour: Colour,
    canvas: Pixels,
    /// Memory for one frame as it comes.
    part: Vec<u8>,
    /// What to do to the canvas before the next frame: the frame's rectangle is cleared, or put back.
    disposal: Option<(Patch, Option<Pixels>)>,
    given: u32,
}

/// A frame's rectangle; inside the canvas, as the library checks.
#[derive(Clone, Copy)]
struct Patch {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl<'a> Moving<'a> {
    fn open(bytes: &'a [u8], header: Header, metadata: Metadata) -> Result<Self, Error> {
        let eight = Transformations::EXPAND | Transformations::ALPHA | Transformations::STRIP_16;
        let mut source = reader(bytes, &header, eight)?;
        let mut colour = colour_of(source.info());
        if let Colour::Hdr { about, .. } = &mut colour {
            about.moving = true;
        }
        let control =
            source.info().animation_control.ok_or_else(|| corrupt(Format::Png, "its acTL chunk is damaged"))?;
        if control.num_frames != header.source.frames {
            return Err(corrupt(Format::Png, "it has two acTL chunks"));
        }
        let animation = Animation { repeat: (control.num_plays > 0).then_some(control.num_plays) };
        let mut part = buffer(source.output_buffer_size().ok_or_else(|| damaged(DecodingError::LimitsExceeded))?)?;
        if source.info().frame_control.is_none() {
            // The default image is no part of the animation.
            source.next_frame(&mut part).map_err(damaged)?;
        }
        let canvas = Pixels::filled(header.source.width, header.source.height, Channels::Rgba, 0)?;
        let metadata = Metadata { animation: Some(animation), ..metadata };
        Ok(Self { source, header, metadata, colour, canvas, part, disposal: None, given: 0 })
    }

    fn dispose(&mut self) {
        match self.disposal.take() {
            Some((_, Some(before))) => self.canvas = before,
            Some((patch, None)) => patch.rows(&mut self.canvas).for_each(|row| row.fill(0)),
            None => {}
        }
    }
}

impl Patch {
    fn rows(self, canvas: &mut Pixels) -> impl Iterator<Item = &mut [u8]> {
        let stride = canvas.stride();
        let columns = self.left.saturating_mul(4)..self.left.saturating_add(self.width).saturating_mul(4);
        let rows = canvas.data_mut().chunks_exact_mut(stride).skip(self.top).take(self.height);
        rows.filter_map(move |row| row.get_mut(columns.clone()))
    }
}

impl Decode for Moving<'_> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        if self.given == self.header.source.frames {
            return Ok(None);
        }
        self.dispose();
        let info = self.source.next_frame(&mut self.part).map_err(damaged)?;
        let control =
            self.source.info().frame_control.ok_or_else(|| corrupt(Format::Png, "a frame has no fcTL chunk"))?;
        let patch = Patch {
            left: control.x_offset as usize,
            top: control.y_offset as usize,
            width: info.width as usize,
            height: info.height as usize,
        };
        self.disposal = match control.dispose_op {
            DisposeOp::None => None,
            DisposeOp::Background => Some((patch, None)),
            // There is nothing before the first frame to go back to.
            DisposeOp::Previous if self.given == 0 => Some((patch, None)),
            DisposeOp::Previous => Some((patch, Some(copy(&self.canvas)?))),
        };
        let grey = info.color_type == ColorType::GrayscaleAlpha;
        let size = if grey { 2 } else { 4 };
        // An interlaced frame is spread over rows of the canvas's width.
        let stride =
            if self.source.info().interlaced { area(self.header.source.width, 1, size)? } else { info.line_size };
        for (row, part) in patch.rows(&mut self.canvas).zip(self.part.chunks(stride.max(1))) {
            for (to, from) in row.chunks_exact_mut(4).zip(part.chunks_exact(size)) {
                let pixel = match *from {
                    [grey, alpha] => [grey, grey, grey, alpha],
                    [r, g, b, a] => [r, g, b, a],
                    _ => continue,
                };
                match control.blend_op {
                    BlendOp::Source => to.copy_from_slice(&pixel),
                    BlendOp::Over => over(to, pixel),
                }
            }
        }
        self.given = self.given.saturating_add(1);
        let mut pixels = copy(&self.canvas)?;
        recolour(&mut pixels, &self.colour, Space::Srgb)?;
        let unit = if control.delay_den == 0 { 100 } else { u32::from(control.delay_den) };
        let delay_ms = (u32::from(control.delay_num) * 1000 + unit / 2) / unit;
        Ok(Some(Frame { pixels, delay_ms }))
    }
}

/// Lays a pixel over another; neither is premultiplied (APNG specification, `APNG_BLEND_OP_OVER`).
fn over(to: &mut [u8], from: [u8; 4]) {
    let [r, g, b, alpha] = from;
    if alpha == 255 || to.get(3) == Some(&0) {
        to.copy_from_slice(&from);
    } else if alpha > 0 {
        let front = u32::from(alpha) * 255;
        let back = (255 - u32::from(alpha)) * u32::from(to.get(3).copied().unwrap_or(0));
        let sum = front + back;
        for (to, from) in to.iter_mut().zip([r, g, b]) {
            *to = ((u32::from(from) * front + u32::from(*to) * back + sum / 2) / sum) as u8;
        }
        if let Some(to) = to.get_mut(3) {
            *to = ((sum + 127) / 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;
    use crate::probe::probe;

    #[test]
    fn laying_over_keeps_what_the_front_lets_through() {
        let lay = |mut to: [u8; 4], from| {
            over(&mut to, from);
            to
        };
        assert_eq!(lay([10, 20, 30, 255], [200, 0, 0, 255]), [200, 0, 0, 255]);
        assert_eq!(lay([10, 20, 30, 255], [200, 0, 0, 0]), [10, 20, 30, 255]);
        assert_eq!(lay([0, 0, 0, 0], [200, 0, 0, 9]), [200, 0, 0, 9]);
        assert_eq!(lay([0, 0, 255, 255], [255, 0, 0, 128]), [128, 0, 127, 255]);
        assert_eq!(lay([0, 0, 255, 128], [255, 0, 0, 128])[3], 192);
    }

    #[test]
    fn frames_are_composed() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(ColorType::Grayscale);
        encoder.set_animated(2, 5).unwrap();
        encoder.set_frame_delay(1, 40).unwrap();
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[10, 20]).unwrap();
        writer.set_frame_dimension(1, 1).unwrap();
        writer.set_frame_position(1, 0).unwrap();
        writer.write_image_data(&[99]).unwrap();
        writer.finish().unwrap();
        let header = probe(&bytes).unwrap();
        assert_eq!((header.source.frames, header.source.alpha), (2, true));
        let mut decoder = open(&bytes, &header, Gamut::Srgb).unwrap();
        assert_eq!(decoder.metadata().animation, Some(Animation { repeat: Some(5) }));
        let mut next = || decoder.next_frame().unwrap().map(|frame| (frame.pixels.into_data(), frame.delay_ms));
        assert_eq!(next(), Some((vec![10, 10, 10, 255, 20, 20, 20, 255], 25)));
        assert_eq!(next(), Some((vec![10, 10, 10, 255, 99, 99, 99, 255], 25)));
        assert_eq!(next(), None);
    }

    #[test]
    fn gamma_other_than_srgb_is_applied() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 2, 1);
        encoder.set_color(ColorType::Rgb);
        encoder.set_source_gamma(png::ScaledFloat::new(1.0));
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&[55, 55, 55, 255, 255, 255]).unwrap();
        writer.finish().unwrap();
        let pixels = still(&bytes, &probe(&bytes).unwrap()).unwrap();
        let data = pixels.data();
        assert!(data[..3].iter().all(|value| value.abs_diff(128) <= 2) && data[3..] == [255; 3], "{data:?}");
    }
}
