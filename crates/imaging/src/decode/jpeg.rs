//! JPEG by libjpeg-turbo: scaled while decoding where the result is much smaller, only the part that is needed where it is
//! cropped, grey kept grey, inks brought to sRGB.

use super::super::colour::{self, FromCmyk, ToSrgb};
use super::super::picture::{Channels, Decode, Pixels, Space};
use super::super::policy::Gamut;
use super::super::probe::{Header, corrupt, jpeg, unsupported};
use super::still::StillDecoder;
use super::turbo::{Decompressor, JpegHeader, JpegLayout, Verdict};
use super::{Region, Shrink, area, buffer, cut, metadata};
use crate::error::{Error, Kind};
use crate::plan::{Format, Limits};

/// Scans times pixels that are decoded at most. Photos have some ten scans; a file that repeats scans to burn time is
/// stopped after a few seconds of it, whatever its size.
const SCAN_WORK: u64 = 1_200_000_000;

/// Opens a JPEG.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
    part: (Option<Shrink>, Option<Region>),
    gamut: Gamut,
) -> Result<Box<dyn Decode + 'a>, Error> {
    let (header, limits) = (*header, *limits);
    let mut metadata = metadata(&header, jpeg::exif_block(bytes));
    if header.channels == 3 {
        metadata.space = colour::space_of(gamut, || jpeg::icc_profile(bytes));
    }
    let space = metadata.space;
    Ok(StillDecoder::open(metadata, move || decode(bytes, &header, &limits, part, space)))
}

fn decode(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    (shrink, region): (Option<Shrink>, Option<Region>),
    space: Space,
) -> Result<Pixels, Error> {
    let damaged = |what: &str| corrupt(Format::Jpeg, what);
    let pixels = header.source.pixels();
    let scans = (SCAN_WORK / pixels.max(1)).clamp(16, 500) as u32;
    // A progressive picture is held as 16-bit coefficients.
    let memory = (pixels.saturating_mul(u64::from(header.channels)).saturating_mul(3) >> 20).saturating_add(64);
    let mut decoder = Decompressor::new(scans, limits.source_pixels, memory)?;
    let facts = decoder.header(bytes).map_err(|text| damaged(&text))?;
    if (facts.width, facts.height) != (header.source.width, header.source.height) {
        return Err(damaged("it has two frame headers that differ"));
    }
    let denominator = match shrink {
        Some(shrink) if !facts.lossless => shrink.divisor(facts.width, facts.height),
        _ => 1,
    };
    let (mut width, mut height) = decoder.scale(&facts, denominator).ok_or_else(|| damaged("it cannot be scaled"))?;
    // The decoded part, and where in it that lies which is wanted. What lies below it is not read: of a file that ends early
    // all is, which tells.
    let part = region.filter(|_| shrink.is_none() && ends(bytes)).and_then(|region| {
        let whole = around(&facts, region)?;
        decoder.crop(whole).then_some((whole, region))
    });
    if let Some((whole, _)) = part {
        (width, height) = (whole.width, whole.height);
    }
    let layout = facts.layout;
    let mut data = buffer(area(width, height, layout.size())?)?;
    let verdict = if facts.precision <= 8 {
        let verdict = decoder.decode(bytes, (width, height), layout, &mut data);
        if (2..8).contains(&facts.precision) {
            let top = (1u16 << facts.precision) - 1;
            data.iter_mut().for_each(|value| *value = ((u16::from(*value).min(top) * 255 + top / 2) / top) as u8);
        }
        verdict
    } else {
        deep(&mut decoder, bytes, (width, height), &facts, &mut data)?
    };
    match verdict {
        Verdict::Clean => {}
        Verdict::Warning(text) if harmless(&text) && ends(bytes) => {}
        Verdict::Warning(text) | Verdict::Failure(text) => return Err(damaged(&text)),
    }
    let icc = jpeg::icc_profile(bytes);
    let channels = match layout {
        JpegLayout::Grey => Channels::Grey,
        JpegLayout::Rgb => Channels::Rgb,
        JpegLayout::Cmyk => return inks(bytes, icc.as_deref(), width, height, data),
    };
    let mut pixels = Pixels::new(width, height, channels, data)?;
    if let Some((whole, region)) = part {
        pixels = cut(&pixels, region.x - whole.x, region.y - whole.y, region)?;
    }
    if let Some(transform) = icc.and_then(|icc| ToSrgb::into_space(&colour::parse(&icc)?, channels, space)) {
        transform.apply(&mut pixels)?;
    }
    Ok(pixels)
}

/// The part to decode for a rectangle: from block to block, with one more on each side, whose chroma reaches into it. `None`
/// where hardly anything would be saved, or the library cannot.
fn around(facts: &JpegHeader, region: Region) -> Option<Region> {
    let (across, down) = facts.block?;
    (facts.precision == 8 && !facts.lossless && facts.layout != JpegLayout::Cmyk).then_some(())?;
    let span = |start: u32, length: u32, block: u32, side: u32| {
        let first = (start / block).saturating_sub(1) * block;
        let last = ((start + length).div_ceil(block) + 1).saturating_mul(block).min(side);
        (first, last.saturating_sub(first))
    };
    let (x, width) = span(region.x, region.width, across, facts.width);
    let (y, height) = span(region.y, region.height, down, facts.height);
    let (part, whole) = (u64::from(width) * u64::from(height), u64::from(facts.width) * u64::from(facts.height));
    (part * 10 <= whole * 9).then_some(Region { x, y, width, height })
}

/// Decodes samples of more than 8 bits, and brings them to 8.
fn deep(
    decoder: &mut Decompressor,
    bytes: &[u8],
    size: (u32, u32),
    facts: &JpegHeader,
    data: &mut [u8],
) -> Result<Verdict, Error> {
    if facts.precision > 16 {
        return Err(unsupported(
            Format::Jpeg,
            &format!("it has {} bits a sample (2 to 16 are known)", facts.precision),
        ));
    }
    let mut wide = Vec::new();
    wide.try_reserve_exact(data.len())
        .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {} samples", data.len())))?;
    wide.resize(data.len(), 0u16);
    let verdict = decoder.decode_deep(bytes, size, facts, &mut wide);
    let top = (1u32 << facts.precision) - 1;
    for (to, from) in data.iter_mut().zip(wide) {
        *to = ((u32::from(from).min(top) * 255 + top / 2) / top) as u8;
    }
    Ok(verdict)
}

/// Whether a warning leaves every pixel as its author meant it. The library keeps the first warning only, so that a file
/// that begins with one of these is also checked for its end.
fn harmless(text: &str) -> bool {
    ["extraneous bytes before marker", "unknown JFIF revision", "Unknown Adobe color transform"]
        .iter()
        .any(|known| text.contains(known))
}

/// Whether there is an end-of-image marker behind the headers; entropy-coded data cannot look like one.
fn ends(bytes: &[u8]) -> bool {
    let header: usize = jpeg::segments(bytes).map(|segment| segment.data.len()).sum();
    bytes.get(header..).unwrap_or_default().windows(2).any(|pair| pair == [0xff, 0xd9])
}

/// Brings inks to sRGB. Files with Adobe's marker hold light, not ink.
fn inks(bytes: &[u8], icc: Option<&[u8]>, width: u32, height: u32, mut data: Vec<u8>) -> Result<Pixels, Error> {
    if jpeg::segments(bytes).any(|segment| segment.marker == 0xee && segment.data.starts_with(b"Adobe")) {
        data.iter_mut().for_each(|byte| *byte = !*byte);
    }
    from_inks(&data, icc, width, height)
}

/// Four inks a pixel to RGB.
pub(super) fn from_inks(inks: &[u8], icc: Option<&[u8]>, width: u32, height: u32) -> Result<Pixels, Error> {
    let transform = FromCmyk::new(icc);
    let mut rgb = buffer(area(width, height, 3)?)?;
    let (from, to) = (area(width, 1, 4)?, area(width, 1, 3)?);
    for (inks, rgb) in inks.chunks_exact(from).zip(rgb.chunks_exact_mut(to)) {
        transform.row(inks, rgb)?;
    }
    Pixels::new(width, height, Channels::Rgb, rgb)
}
