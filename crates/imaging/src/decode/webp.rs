//! WebP by libwebp: stills, and animations as whole canvases.

use super::super::colour::{self, ToSrgb};
use super::super::picture::{Animation, Channels, Decode, Frame, Metadata, Pixels, Space};
use super::super::policy::Gamut;
use super::super::probe::{Header, corrupt, webp};
use super::still::StillDecoder;
use super::{Region, area, buffer, cut, metadata, webp_sys};
use crate::error::Error;
use crate::plan::Format;
use crate::transform::without_alpha;

/// Opens a WebP.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    header: &Header,
    gamut: Gamut,
    region: Option<Region>,
) -> Result<Box<dyn Decode + 'a>, Error> {
    let header = *header;
    let mut metadata = metadata(&header, webp::exif_block(bytes));
    if webp::chunk(bytes, b"ANMF").is_none() {
        metadata.space = colour::space_of(gamut, || webp::chunk(bytes, b"ICCP"));
        let space = metadata.space;
        return Ok(StillDecoder::open(metadata, move || still(bytes, &header, space, region)));
    }
    let damaged = || corrupt(Format::WebP, "the headers of its frames cannot be read");
    let decoder = webp_sys::AnimatedWebp::new(bytes).ok_or_else(damaged)?;
    if (decoder.width, decoder.height) != (header.source.width, header.source.height) {
        return Err(damaged());
    }
    let animation = Animation { repeat: (decoder.loops > 0).then_some(decoder.loops) };
    let metadata = Metadata { animation: (header.source.frames > 1).then_some(animation), ..metadata };
    Ok(Box::new(Moving {
        decoder,
        header,
        metadata,
        transform: transform(bytes, true, Space::Srgb).map(ToSrgb::steady),
        given: 0,
        clock: 0,
    }))
}

/// The way from the embedded profile.
fn transform(bytes: &[u8], alpha: bool, space: Space) -> Option<ToSrgb> {
    let profile = colour::parse(webp::chunk(bytes, b"ICCP")?)?;
    ToSrgb::into_space(&profile, if alpha { Channels::Rgba } else { Channels::Rgb }, space)
}

/// Pixels around a region that its edges depend on, by the chroma that is interpolated.
const MARGIN: u32 = 4;

/// The rectangle to decode for a region, as libwebp takes it; `None` where all of the picture is as good, or where some of
/// the file is missing. Beside a lossy picture libwebp 1.6 gives the alpha of other rows than those of the rectangle.
fn around(bytes: &[u8], header: &Header, region: Region) -> Option<Region> {
    (webp::is_whole(bytes) && webp::chunk(bytes, b"ALPH").is_none()).then_some(())?;
    let (across, down) = (header.source.width, header.source.height);
    // Corners are even.
    let (x, y) = (region.x.saturating_sub(MARGIN) & !1, region.y.saturating_sub(MARGIN) & !1);
    let end = |start: u32, length: u32, side: u32| start.saturating_add(length).saturating_add(MARGIN).min(side);
    let width = end(region.x, region.width, across).checked_sub(x)?;
    let height = end(region.y, region.height, down).checked_sub(y)?;
    let (part, whole) = (u64::from(width) * u64::from(height), header.source.pixels());
    (part * 10 <= whole * 9).then_some(Region { x, y, width, height })
}

fn still(bytes: &[u8], header: &Header, space: Space, region: Option<Region>) -> Result<Pixels, Error> {
    let damaged = || corrupt(Format::WebP, "its data is cut off or contradicts itself");
    let (width, height, alpha) = (header.source.width, header.source.height, header.source.alpha);
    if webp_sys::size(bytes) != Some((width, height)) {
        return Err(damaged());
    }
    let channels = if alpha { Channels::Rgba } else { Channels::Rgb };
    let part = region.and_then(|region| Some((around(bytes, header, region)?, region)));
    let all = Region { x: 0, y: 0, width, height };
    let window = part.map_or(all, |(window, _)| window);
    let mut data = buffer(area(window.width, window.height, channels.count())?)?;
    let crop = part.map(|(window, _)| window);
    if !webp_sys::decode(bytes, window.width, alpha, crop, &mut data) {
        return Err(damaged());
    }
    let mut pixels = Pixels::new(window.width, window.height, channels, data)?;
    if let Some((window, region)) = part {
        pixels = cut(&pixels, region.x - window.x, region.y - window.y, region)?;
    }
    if let Some(transform) = transform(bytes, alpha, space) {
        transform.apply(&mut pixels)?;
    }
    Ok(pixels)
}

/// An animation.
struct Moving<'a> {
    decoder: webp_sys::AnimatedWebp<'a>,
    header: Header,
    metadata: Metadata,
    transform: Option<ToSrgb>,
    /// Frames given so far.
    given: u32,
    /// When the last frame ended, in milliseconds.
    clock: i32,
}

impl Decode for Moving<'_> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let source = self.header.source;
        if self.given == source.frames {
            return Ok(None);
        }
        let (canvas, end) = self.decoder.next().ok_or_else(|| {
            corrupt(Format::WebP, &format!("only {} of its {} frames are there", self.given, source.frames))
        })?;
        let mut data = buffer(canvas.len())?;
        data.copy_from_slice(canvas);
        let mut pixels = Pixels::new(source.width, source.height, Channels::Rgba, data)?;
        if let Some(transform) = &self.transform {
            transform.apply(&mut pixels)?;
        }
        if !source.alpha {
            pixels = without_alpha(&pixels)?;
        }
        let delay_ms = u32::try_from(end.saturating_sub(self.clock)).unwrap_or(0);
        self.clock = end;
        self.given = self.given.saturating_add(1);
        Ok(Some(Frame { pixels, delay_ms }))
    }
}
