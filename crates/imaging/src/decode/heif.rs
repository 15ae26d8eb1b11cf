//! HEIF and AVIF by libheif: the primary picture with the container's rotation, mirroring and cropping applied, or the
//! sequence ([`moving`]).

use libheif_rs::{
    ColorProfile as _, ColorProfileNCLX, ColorSpace, DecodingOptions, HeifContext, HeifError, HeifErrorCode,
    HeifErrorSubCode, Image, ImageHandle, Plane, RgbChroma, SecurityLimits, color_profile_types,
};

use super::super::colour::{self as profiles, MAX_PROFILE, ToSrgb};
use super::super::exif;
use super::super::hdr::{self, Brightness, Order};
use super::super::libheif::library;
use super::super::picture::{Channels, Decode, Pixels, Space};
use super::super::policy::Gamut;
use super::super::probe::{Header, corrupt, heif as probe, unsupported};
use super::still::StillDecoder;
use super::{area, buffer, metadata};
use crate::error::{Error, Kind};
use crate::plan::{Format, Limits};

mod coded;
mod moving;

/// Threads that libheif may use for the tiles of one picture. The pool runs one worker a core, so more would only take
/// time from the others.
const THREADS: u32 = 2;

/// An open file. The context must live as long as the handles into it.
struct Session<'a> {
    handle: ImageHandle,
    _context: HeifContext<'a>,
}

/// Opens a HEIF or AVIF.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
    gamut: Gamut,
) -> Result<Box<dyn Decode + 'a>, Error> {
    if let Some(track) = probe::sequence(bytes) {
        return moving::open(bytes, header, limits, gamut, track);
    }
    let (header, limits) = (*header, *limits);
    crate::probe::boxes::matrices(bytes).try_for_each(|matrix| check_matrix(header.source.format, matrix))?;
    let session = Session::open(bytes, &header, &limits)?;
    let mut metadata = metadata(&header, None);
    metadata.exif = exif_block(&session.handle);
    metadata.space = colour(&session.handle).space(gamut);
    let space = metadata.space;
    Ok(StillDecoder::open(metadata, move || match probe::crop(bytes) {
        None => item(&session, bytes, &header, space),
        Some(crop) => {
            drop(session);
            cropped(bytes, &header, &limits, &crop, space)
        }
    }))
}

/// Refuses colours in a matrix that neither is developed here nor has a name in libheif, which takes it for BT.601's.
fn check_matrix(format: Format, matrix: u16) -> Result<(), Error> {
    const NAMED: u16 = 14;
    if matrix <= NAMED {
        return Ok(());
    }
    Err(unsupported(format, &format!("its colours are coded by matrix {matrix} of H.273, which is not known here")))
}

/// Reads the structure of a file.
fn read<'a>(bytes: &'a [u8], header: &Header, limits: &Limits) -> Result<HeifContext<'a>, Error> {
    let mut context = prepared(header, limits)?;
    context.read_bytes(bytes).map_err(|error| failed(header.source.format, &error))?;
    Ok(context)
}

/// A context that keeps to the limits, without a file yet.
fn prepared<'a>(header: &Header, limits: &Limits) -> Result<HeifContext<'a>, Error> {
    library();
    let fail = |error| failed(header.source.format, &error);
    let mut context = HeifContext::new().map_err(fail)?;
    context.set_security_limits(&security(header, limits)).map_err(fail)?;
    context.set_max_decoding_threads(THREADS);
    Ok(context)
}

impl<'a> Session<'a> {
    fn open(bytes: &'a [u8], header: &Header, limits: &Limits) -> Result<Self, Error> {
        let context = read(bytes, header, limits)?;
        let handle = context.primary_image_handle().map_err(|error| failed(header.source.format, &error))?;
        Ok(Self { handle, _context: context })
    }
}

/// Decodes the whole picture and crops it here. libheif 1.23 takes a crop's size for the largest that the codec may give,
/// and so refuses every picture of which much is cut off; it gets a copy of the file whose crop keeps everything.
fn cropped(
    bytes: &[u8],
    header: &Header,
    limits: &Limits,
    crop: &probe::CleanAperture,
    space: Space,
) -> Result<Pixels, Error> {
    let mut whole = *header;
    (whole.source.width, whole.source.height) = crop.whole;
    super::check(&whole, limits)?;
    let mut copy = buffer(bytes.len())?;
    copy.copy_from_slice(bytes);
    let everything = [crop.coded.0, 1, crop.coded.1, 1, 0, 1, 0, 1].map(u32::to_be_bytes);
    let field = copy.get_mut(crop.at..crop.at.saturating_add(32));
    field
        .ok_or_else(|| corrupt(header.source.format, "its crop is cut off"))?
        .copy_from_slice(everything.as_flattened());
    let session = Session::open(&copy, &whole, limits)?;
    let pixels = item(&session, bytes, &whole, space)?;
    let (width, height) = (header.source.width, header.source.height);
    let size = pixels.channels().count();
    let mut data = buffer(area(width, height, size)?)?;
    let start = area(crop.corner.0, 1, size)?;
    let row = area(width, 1, size)?;
    for (from, to) in pixels.rows().skip(crop.corner.1 as usize).zip(data.chunks_exact_mut(row)) {
        let from = from.get(start..start.saturating_add(row));
        to.copy_from_slice(from.ok_or_else(|| corrupt(header.source.format, "its crop lies outside of it"))?);
    }
    Pixels::new(width, height, pixels.channels(), data)
}

/// What libheif may take: as much as this header needs, and no more than the site's limits.
fn security(header: &Header, limits: &Limits) -> SecurityLimits {
    const SLACK: u64 = 256 << 20;
    let pixels = header.source.pixels();
    let mut security = SecurityLimits::new();
    security.set_max_image_size_pixels(largest(header).min(limits.source_pixels));
    security.set_max_number_of_tiles(1 << 14);
    security.set_max_color_profile_size(MAX_PROFILE as u32);
    security.set_max_memory_block_size(pixels.saturating_mul(8).saturating_add(SLACK / 4));
    security.set_max_total_memory(pixels.saturating_mul(32).saturating_add(SLACK));
    security.set_max_sequence_frames(limits.frames);
    security
}

/// Pixels of the largest picture that any stream of a file may hold: its own, filled up to whole blocks of the codec, or a
/// tile of which a small picture is cut. Codecs allocate by what their stream says, whatever the file has announced.
fn largest(header: &Header) -> u64 {
    /// The largest block of a codec.
    const BLOCK: u64 = 128;
    const TILE: u64 = 1 << 20;
    let filled = |side: u32| u64::from(side).saturating_add(BLOCK);
    filled(header.source.width).saturating_mul(filled(header.source.height)).max(TILE)
}

fn failed(format: Format, error: &HeifError) -> Error {
    match (error.code, error.sub_code) {
        (HeifErrorCode::MemoryAllocationError, HeifErrorSubCode::SecurityLimitExceeded) => {
            Error::new(Kind::SourcePixels, format!("the {} original: {}", format.name(), error.message))
        }
        (HeifErrorCode::MemoryAllocationError, _) => {
            Error::new(Kind::OutOfMemory, format!("the {} original: {}", format.name(), error.message))
        }
        // The last is a picture in a codec that this build has no decoder for.
        (
            HeifErrorCode::UnsupportedFeature | HeifErrorCode::UnsupportedFileType | HeifErrorCode::PluginLoadingError,
            _,
        ) => unsupported(format, &error.message),
        _ => corrupt(format, &error.message),
    }
}

/// The EXIF item: four bytes say how far the TIFF block is behind them. Its orientation is set to upright, because what
/// it says has been done by the container's own rotation.
fn exif_block(handle: &ImageHandle) -> Option<Vec<u8>> {
    let mut ids = [0];
    (handle.metadata_block_ids(&mut ids, b"Exif") == 1).then_some(())?;
    let raw = handle.metadata(*ids.first()?).ok()?;
    let (head, rest) = raw.split_first_chunk::<4>()?;
    let mut block = rest.get(u32::from_be_bytes(*head) as usize..)?.to_vec();
    exif::set_orientation(&mut block, 1);
    Some(block)
}

/// How to decode to a space.
fn options(space: ColorSpace) -> Result<DecodingOptions, Error> {
    let mut options =
        DecodingOptions::new().ok_or_else(|| Error::new(Kind::OutOfMemory, "no memory for a HEIF decoder"))?;
    // Planes as they are coded are of their own matrix and range; all else is brought to sRGB's.
    options.set_output_image_nclx_profile_passthrough(space == ColorSpace::Undefined);
    // A sequence that repeats for ever would be decoded for ever.
    options.set_ignore_sequence_edit_list(true);
    options.set_num_codec_threads(1);
    options.set_num_library_threads(THREADS);
    options.set_strict_decoding(true);
    Ok(options)
}

/// How the colours are coded.
enum Colour {
    Srgb,
    Icc(Vec<u8>),
    Wide(hdr::Primaries),
    Hdr(hdr::Transfer, hdr::Primaries),
}

impl Colour {
    fn is_hdr(&self) -> bool {
        matches!(self, Self::Hdr(..))
    }

    /// What the pixels come out in.
    fn space(&self, gamut: Gamut) -> Space {
        match self {
            Self::Icc(icc) => profiles::space_of(gamut, || Some(icc)),
            Self::Wide(primaries) | Self::Hdr(_, primaries) => primaries.space(gamut == Gamut::P3),
            Self::Srgb => Space::Srgb,
        }
    }

    /// The way to that space, where the pixels have not been brought there by their mapping.
    fn transform(&self, channels: Channels, target: Space) -> Option<ToSrgb> {
        match self {
            Self::Icc(icc) => ToSrgb::into_space(&profiles::parse(icc)?, channels, target),
            Self::Wide(primaries) => ToSrgb::into_space(&primaries.profile()?, channels, target),
            Self::Srgb | Self::Hdr(..) => None,
        }
    }
}

fn colour(handle: &ImageHandle) -> Colour {
    if let Some(profile) = handle.color_profile_raw()
        && [color_profile_types::R_ICC, color_profile_types::PROF].contains(&profile.profile_type())
    {
        return match profiles::parse(&profile.data).as_ref().and_then(profiles::hdr_of) {
            Some((transfer, primaries)) => Colour::Hdr(transfer, primaries),
            None => Colour::Icc(profile.data),
        };
    }
    let points = |nclx: ColorProfileNCLX| (nclx.color_primaries() as u8, nclx.transfer_characteristics() as u8);
    handle.color_profile_nclx().map(points).map_or(Colour::Srgb, |(primaries, transfer)| colour_of(primaries, transfer))
}

/// By the numbers of H.273.
fn colour_of(primaries: u8, transfer: u8) -> Colour {
    let primaries = hdr::Primaries::from_code(primaries);
    match (hdr::Transfer::from_code(transfer), primaries) {
        (Some(transfer), _) => Colour::Hdr(transfer, primaries),
        (None, hdr::Primaries::Srgb) => Colour::Srgb,
        (None, _) => Colour::Wide(primaries),
    }
}

/// The space that libheif is to bring to what is not understood as it is coded.
fn space(alpha: bool, wide: bool) -> ColorSpace {
    ColorSpace::Rgb(match (alpha, wide) {
        (false, false) => RgbChroma::Rgb,
        (true, false) => RgbChroma::Rgba,
        (false, true) => RgbChroma::HdrRgbLe,
        (true, true) => RgbChroma::HdrRgbaLe,
    })
}

fn item(session: &Session, bytes: &[u8], header: &Header, target: Space) -> Result<Pixels, Error> {
    let Session { handle, .. } = session;
    let declared = probe::brightest(bytes);
    let format = header.source.format;
    let alpha = handle.has_alpha_channel();
    let colour = colour(handle);
    let about = Brightness { declared, moving: false };
    let decode = |space| library().decode(handle, space, Some(options(space)?)).map_err(|error| failed(format, &error));
    let image = decode(ColorSpace::Undefined)?;
    let mut pixels = match coded::pixels(&image, header, (alpha, true), &colour, (about, target))? {
        Some(pixels) => pixels,
        None => {
            drop(image);
            converted(&decode(space(alpha, colour.is_hdr()))?, header, alpha, &colour, (about, target))?
        }
    };
    if alpha && probe::alpha_is_limited(bytes) {
        widen_alpha(&mut pixels);
    }
    if alpha && handle.is_premultiplied_alpha() {
        unmultiply(&mut pixels);
    }
    if let Some(transform) = colour.transform(pixels.channels(), target) {
        transform.apply(&mut pixels)?;
    }
    Ok(pixels)
}

/// The pixels of an image that libheif has brought to [`space`].
fn converted(
    image: &Image,
    header: &Header,
    alpha: bool,
    colour: &Colour,
    (about, target): (Brightness, Space),
) -> Result<Pixels, Error> {
    match *colour {
        Colour::Hdr(transfer, primaries) => mapped(image, header, alpha, (transfer, primaries), about, target),
        Colour::Srgb | Colour::Icc(_) | Colour::Wide(_) => taken(image, header, alpha),
    }
}

/// The plane of an image that was asked for, if its size is the header's and its rows have at least `row` bytes.
fn plane<'a>(plane: Option<Plane<&'a [u8]>>, header: &Header, row: usize) -> Result<Plane<&'a [u8]>, Error> {
    let source = &header.source;
    plane
        .filter(|plane| (plane.width, plane.height) == (source.width, source.height) && plane.stride >= row)
        .ok_or_else(|| corrupt(source.format, "its size is not what its header announces"))
}

/// 8-bit pixels as they are.
fn taken(image: &Image, header: &Header, alpha: bool) -> Result<Pixels, Error> {
    let (width, height) = (header.source.width, header.source.height);
    let channels = if alpha { Channels::Rgba } else { Channels::Rgb };
    let row = area(width, 1, channels.count())?;
    let plane = plane(image.planes().interleaved, header, row)?;
    let mut data = buffer(area(width, height, channels.count())?)?;
    for (from, to) in plane.data.chunks(plane.stride).zip(data.chunks_exact_mut(row)) {
        to.copy_from_slice(from.get(..row).unwrap_or_default());
    }
    Pixels::new(width, height, channels, data)
}

/// 16-bit pixels of high dynamic range, tone-mapped.
fn mapped(
    image: &Image,
    header: &Header,
    alpha: bool,
    kind: (hdr::Transfer, hdr::Primaries),
    about: Brightness,
    target: Space,
) -> Result<Pixels, Error> {
    let channels = if alpha { Channels::Rgba } else { Channels::Rgb };
    let row = area(header.source.width, 1, channels.count())?.saturating_mul(2);
    let plane = plane(image.planes().interleaved, header, row)?;
    let rows = plane.data.chunks(plane.stride);
    toned(rows, (plane.bits_per_pixel, channels), header, kind, (about, target))
}

/// Rows of 16-bit samples, little-endian, of which so many bits are used, tone-mapped.
fn toned<'a>(
    rows: impl Iterator<Item = &'a [u8]> + Clone,
    (bits, channels): (u8, Channels),
    header: &Header,
    (transfer, primaries): (hdr::Transfer, hdr::Primaries),
    (about, target): (Brightness, Space),
) -> Result<Pixels, Error> {
    let (width, height) = (header.source.width, header.source.height);
    let stride = area(width, 1, channels.count())?;
    let light = hdr::CodedLight::new(transfer, primaries, bits);
    let mut data = buffer(area(width, height, channels.count())?)?;
    hdr::develop(light, about, target, rows, (Order::Little, channels), (&mut data, stride));
    Pixels::new(width, height, channels, data)
}

/// Brings an alpha in the range of video to all of its range. libheif copies the samples as they are; libavif, and so every
/// browser, does this.
fn widen_alpha(pixels: &mut Pixels) {
    if pixels.channels() != Channels::Rgba {
        return;
    }
    for pixel in pixels.data_mut().chunks_exact_mut(4) {
        if let [_, _, _, alpha] = pixel {
            let above = u32::from(alpha.saturating_sub(16));
            *alpha = ((above * 255 + 109) / 219).min(255) as u8;
        }
    }
}

/// Takes alpha out of the colours.
fn unmultiply(pixels: &mut Pixels) {
    if pixels.channels() != Channels::Rgba {
        return;
    }
    for pixel in pixels.data_mut().chunks_exact_mut(4) {
        if let [r, g, b, alpha @ 1..=254] = pixel {
            let alpha = u32::from(*alpha);
            for value in [r, g, b] {
                *value = ((u32::from(*value) * 255 + alpha / 2) / alpha).min(255) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests;
