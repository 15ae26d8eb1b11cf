//! Sequences, frame by frame.

use std::io::Cursor;

use libheif_rs::{ColorSpace, HeifContext, HeifErrorCode, StreamReader, Track};

use super::super::super::colour::ToSrgb;
use super::super::super::hdr::Brightness;
use super::super::super::picture::{Animation, Channels, Decode, Frame, Metadata};
use super::super::super::policy::Gamut;
use super::super::super::probe::boxes::matrix;
use super::super::super::probe::bytes::be16;
use super::super::super::probe::{Header, corrupt, heif, track, unsupported};
use super::super::planes::{self, PlaneCoding};
use super::{
    Colour, buffer, check_matrix, coded, colour_of, converted, failed, metadata, options, prepared, read, space,
    unmultiply, widen_alpha,
};
use crate::error::{Error, Kind};
use crate::plan::Limits;

/// An open sequence.
struct Moving<'a> {
    header: Header,
    metadata: Metadata,
    colour: Colour,
    transform: Option<ToSrgb>,
    /// Whether frames are taken as they are coded.
    planes: bool,
    /// Whether alpha keeps to the range of video.
    alpha_limited: bool,
    /// When each frame ends, in milliseconds.
    ends: Box<dyn Iterator<Item = u64> + 'a>,
    /// When the last frame ended.
    clock: u64,
    given: u32,
    // In this order: the track lives in the context.
    track: Track,
    _context: HeifContext<'a>,
}

/// Opens the first visual track.
pub(super) fn open<'a>(
    bytes: &'a [u8],
    header: &Header,
    limits: &Limits,
    gamut: Gamut,
    about: track::Track<'a>,
) -> Result<Box<dyn Decode + 'a>, Error> {
    about.colour.and_then(matrix).map_or(Ok(()), |matrix| check_matrix(header.source.format, matrix))?;
    let context = match read(bytes, header, limits) {
        Err(error) if error.kind == Kind::Corrupt => without_items(bytes, header, limits, error)?,
        read => read?,
    };
    let track = context.track(0).ok_or_else(|| corrupt(header.source.format, "it has no visual track"))?;
    let colour = about.colour.map_or(Colour::Srgb, colour);
    let mut metadata = metadata(header, None);
    metadata.space = colour.space(gamut);
    metadata.animation = (header.source.frames > 1).then_some(Animation { repeat: about.plays });
    let channels = if header.source.alpha { Channels::Rgba } else { Channels::Rgb };
    Ok(Box::new(Moving {
        header: *header,
        transform: colour.transform(channels, metadata.space),
        metadata,
        colour,
        planes: about.colour.is_none_or(is_known),
        alpha_limited: about.alpha_limited,
        ends: Box::new(about.into_ends()),
        clock: 0,
        given: 0,
        track,
        _context: context,
    }))
}

/// Reads a sequence whose still pictures are damaged: nothing of them is shown. `told` is what was said of the whole file.
///
/// GPAC has written references between items by numbers that no item has (star-8bpc-with-alpha.avifs); libheif then refuses
/// the file before it looks at its tracks, where browsers show those. It gets a copy whose box of items is called free.
fn without_items<'a>(bytes: &[u8], header: &Header, limits: &Limits, told: Error) -> Result<HeifContext<'a>, Error> {
    let Some(at) = heif::items(bytes) else { return Err(told) };
    let mut copy = buffer(bytes.len())?;
    copy.copy_from_slice(bytes);
    let Some(kind) = copy.get_mut(at..at.saturating_add(4)) else { return Err(told) };
    kind.copy_from_slice(b"free");
    let length = copy.len() as u64;
    let fail = |error| failed(header.source.format, &error);
    let mut context = prepared(header, limits)?;
    context.read_reader(Box::new(StreamReader::new(Cursor::new(copy), length))).map_err(fail)?;
    Ok(context)
}

/// What a `colr` box says.
fn colour(colr: &[u8]) -> Colour {
    match colr.split_first_chunk::<4>() {
        Some((b"prof" | b"rICC", icc)) => Colour::Icc(icc.to_vec()),
        Some((b"nclx", points)) => {
            let point = |at| be16(points, at).and_then(|code| u8::try_from(code).ok()).unwrap_or(2);
            colour_of(point(0), point(2))
        }
        _ => Colour::Srgb,
    }
}

/// Whether the matrix that a `colr` box says is known.
fn is_known(colr: &[u8]) -> bool {
    matrix(colr).is_none_or(|matrix| planes::is_known(PlaneCoding { matrix, full: true }))
}

impl Decode for Moving<'_> {
    fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn next_frame(&mut self) -> Result<Option<Frame>, Error> {
        let format = self.header.source.format;
        if self.given == self.header.source.frames {
            return Ok(None);
        }
        let alpha = self.header.source.alpha;
        let space = if self.planes { ColorSpace::Undefined } else { space(alpha, self.colour.is_hdr()) };
        let image = self.track.decode_next_image(space, Some(options(space)?)).map_err(|error| {
            if matches!(error.code, HeifErrorCode::EndOfSequence) {
                let (given, frames) = (self.given, self.header.source.frames);
                corrupt(format, &format!("only {given} of its {frames} frames are there"))
            } else {
                failed(format, &error)
            }
        })?;
        let how = (Brightness { declared: None, moving: true }, self.metadata.space);
        let mut pixels = match self.planes {
            true => coded::pixels(&image, &self.header, (alpha, false), &self.colour, how)?
                .ok_or_else(|| unsupported(format, "its colours are coded in a way that is not known"))?,
            false => converted(&image, &self.header, alpha, &self.colour, how)?,
        };
        if alpha && self.alpha_limited {
            widen_alpha(&mut pixels);
        }
        if alpha && image.is_premultiplied_alpha() {
            unmultiply(&mut pixels);
        }
        if let Some(transform) = &self.transform {
            transform.apply(&mut pixels)?;
        }
        let end = self.ends.next().unwrap_or(self.clock);
        let delay_ms = u32::try_from(end.saturating_sub(self.clock)).unwrap_or(u32::MAX);
        self.clock = end;
        self.given = self.given.saturating_add(1);
        Ok(Some(Frame { pixels, delay_ms }))
    }
}
