//! JPEG XL by jxl-oxide: stills and animations. The library brings the colours to sRGB and applies the orientation.

use jxl_oxide::{AllocTracker, EnumColourEncoding, JxlImage, PixelFormat, Render, RenderingIntent};

use super::super::picture::{Animation, Channels, Decode, Frame, Metadata, Pixels};
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
pub(in crate::imaging) fn most_bytes(header: &Header) -> u64 {
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
    image.request_color_encoding(if grey {
        EnumColourEncoding::gray_srgb(intent)
    } else {
        EnumColourEncoding::srgb(intent)
    });
    let mut metadata = metadata(header, jxl::exif_block(bytes));
    let mut tick = (0, 1);
    if let Some(animation) = &image.image_header().metadata.animation {
        tick = (u64::from(animation.tps_denominator), u64::from(animation.tps_numerator).max(1));
        let repeat = (animation.num_loops > 0).then_some(animation.num_loops);
        metadata.animation = (source.frames > 1).then_some(Animation { repeat });
    }
    Ok(Box::new(Jxl { image, header: *header, metadata, tick, given: 0 }))
}

struct Jxl {
    image: JxlImage,
    header: Header,
    metadata: Metadata,
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
        let pixels = collect(&render, &self.header)?;
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
    let channels = match stream.channels() {
        1 => Channels::Grey,
        2 => Channels::GreyAlpha,
        3 => Channels::Rgb,
        4 => Channels::Rgba,
        other => return Err(unsupported(Format::Jxl, &format!("it has {other} channels"))),
    };
    let (width, height) = (stream.width(), stream.height());
    if (width, height) != (header.source.width, header.source.height) {
        return Err(corrupt(Format::Jxl, "a frame has not the size of the picture"));
    }
    let mut data = buffer(area(width, height, channels.count())?)?;
    if stream.write_to_buffer(&mut data) != data.len() {
        return Err(corrupt(Format::Jxl, "pixels are missing"));
    }
    Pixels::new(width, height, channels, data)
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
