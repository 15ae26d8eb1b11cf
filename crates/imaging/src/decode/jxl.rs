//! JPEG XL by jxl-oxide: stills and animations. The library brings the colours to sRGB and applies the orientation; high
//! dynamic range it gives as PQ, which is tone-mapped here as in every other format.

use jxl_oxide::{AllocTracker, EnumColourEncoding, JxlImage, PixelFormat, Render, RenderingIntent};

use super::super::hdr::{self, Brightness};
use super::super::picture::{Animation, Channels, Decode, Frame, Metadata, Pixels, Space};
use super::super::probe::{Header, corrupt, jxl, unsupported};
use super::{area, buffer, metadata};
use crate::error::{Error, Kind};
use crate::plan::Format;

/// Bytes that the library may take for a pixel of each channel: floats, before and after its filters, and for the frames
/// that others refer to.
const EACH: u64 = 24;
/// Bytes that it keeps for a pixel of each channel of every frame of an animation.
const KEPT: u64 = 8;
/// Bytes that it may take whatever the size.
const SLACK: u64 = 64 << 20;

/// What the library may take for this picture, in bytes.
pub(crate) fn most_bytes(header: &Header) -> u64 {
    let source = header.source;
    let pixels = u64::from(source.width).saturating_mul(source.height.into());
    let samples = pixels.saturating_mul(u64::from(header.channels).max(3));
    // It keeps every frame that it has shown.
    let kept = if source.animated() { samples.saturating_mul(source.frames.into()).saturating_mul(KEPT) } else { 0 };
    samples.saturating_mul(EACH).saturating_add(kept).saturating_add(SLACK)
}

/// Opens a JPEG XL.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header) -> Result<Box<dyn Decode + 'a>, Error> {
    // Boxes other than these stay outside: the library would unpack compressed ones without a limit.
    let stream = jxl::codestream(bytes).ok_or_else(|| corrupt(Format::Jxl, "its boxes hold no codestream"))?;
    let source = header.source;
    let tracker = AllocTracker::with_limit(usize::try_from(most_bytes(header)).unwrap_or(usize::MAX));
    let mut image = JxlImage::builder().alloc_tracker(tracker).read(&*stream).map_err(|error| failed(&*error))?;
    if (image.width(), image.height()) != (source.width, source.height) {
        return Err(corrupt(Format::Jxl, "its size is not what its header announces"));
    }
    let intent = RenderingIntent::Relative;
    let grey = matches!(image.pixel_format(), PixelFormat::Gray | PixelFormat::Graya);
    // Brighter than the white of 255 cd/m² that the library takes for sRGB's.
    let hdr =
        !grey && (image.hdr_type().is_some() || image.image_header().metadata.tone_mapping.intensity_target > 255.0);
    image.request_color_encoding(match (grey, hdr) {
        (true, _) => EnumColourEncoding::gray_srgb(intent),
        (false, false) => EnumColourEncoding::srgb(intent),
        (false, true) => EnumColourEncoding::bt2100_pq(intent),
    });
    let mut metadata = metadata(header, jxl::exif_block(bytes));
    let mut tick = (0, 1);
    if let Some(animation) = &image.image_header().metadata.animation {
        tick = (u64::from(animation.tps_denominator), u64::from(animation.tps_numerator).max(1));
        let repeat = (animation.num_loops > 0).then_some(animation.num_loops);
        metadata.animation = (source.frames > 1).then_some(Animation { repeat });
    }
    Ok(Box::new(Jxl { image, header: *header, metadata, hdr, tick, given: 0 }))
}

struct Jxl {
    image: JxlImage,
    header: Header,
    metadata: Metadata,
    /// Whether the pixels come as PQ with the primaries of BT.2020.
    hdr: bool,
    /// Seconds that a tick takes, as a fraction.
    tick: (u64, u64),
    given: u32,
}

impl Decode for Jxl {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let frames = self.header.source.frames;
        if self.given == frames {
            return Ok(None);
        }
        let index = self.given as usize;
        // Part of a frame could be shown; half a picture is none.
        if index >= self.image.num_loaded_keyframes() {
            return Err(corrupt(Format::Jxl, &format!("only {index} of its {frames} frames are there")));
        }
        let render = self.image.render_frame(index).map_err(|error| failed(&*error))?;
        let pixels = if self.hdr { mapped(&render, &self.header)? } else { collect(&render, &self.header)? };
        let (over, under) = self.tick;
        let millis = u64::from(render.duration()).saturating_mul(1000).saturating_mul(over).checked_div(under);
        let delay_ms = if frames > 1 { u32::try_from(millis.unwrap_or(0)).unwrap_or(u32::MAX) } else { 0 };
        self.given = self.given.saturating_add(1);
        Ok(Some(Frame { pixels, delay_ms }))
    }
}

/// The samples as pixels.
fn collect(render: &Render, header: &Header) -> Result<Pixels, Error> {
    let mut stream = render.stream();
    let channels = channels(stream.channels())?;
    let (width, height) = (stream.width(), stream.height());
    if (width, height) != (header.source.width, header.source.height) {
        return Err(corrupt(Format::Jxl, "a frame has not the size of the picture"));
    }
    let mut data = buffer(area(width, height, channels.count())?)?;
    if stream.write_to_buffer(&mut data) != data.len() {
        return Err(missing());
    }
    Pixels::new(width, height, channels, data)
}

/// PQ samples, tone-mapped row by row.
fn mapped(render: &Render, header: &Header) -> Result<Pixels, Error> {
    let stream = render.stream();
    let channels = channels(stream.channels())?;
    let (width, height) = (stream.width(), stream.height());
    if (width, height) != (header.source.width, header.source.height) {
        return Err(corrupt(Format::Jxl, "a frame has not the size of the picture"));
    }
    let stride = area(width, 1, channels.count())?;
    let mut row = vec![0u16; stride];
    let light = hdr::CodedLight::new(hdr::Transfer::Pq, hdr::Primaries::Bt2020, 16);
    let about = Brightness { declared: None, moving: header.source.animated() };
    let mapper = hdr::mapper(light, about, Space::Srgb, |meter, light| {
        let mut stream = render.stream();
        for _ in 0..height {
            if stream.write_to_buffer(&mut row) == row.len() {
                meter.row(light, &row, channels);
            }
        }
    });
    let mut data = buffer(area(width, height, channels.count())?)?;
    let mut stream = stream;
    for to in data.chunks_exact_mut(stride) {
        if stream.write_to_buffer(&mut row) != row.len() {
            return Err(missing());
        }
        mapper.row(&row, channels, to);
    }
    Pixels::new(width, height, channels, data)
}

fn missing() -> Error {
    corrupt(Format::Jxl, "pixels are missing")
}

fn channels(count: u32) -> Result<Channels, Error> {
    match count {
        1 => Ok(Channels::Grey),
        2 => Ok(Channels::GreyAlpha),
        3 => Ok(Channels::Rgb),
        4 => Ok(Channels::Rgba),
        other => Err(unsupported(Format::Jxl, &format!("it has {other} channels"))),
    }
}

/// The library's error in our words.
fn failed(error: &(dyn std::error::Error + Send + Sync + 'static)) -> Error {
    let text = error.to_string();
    if text.contains("failed to allocate") {
        return Error::new(
            Kind::OutOfMemory,
            "the JPEG XL original takes more memory than a picture of its size should",
        );
    }
    corrupt(Format::Jxl, &text)
}

#[cfg(test)]
mod tests;
