//! JPEG XL: a bare codestream, or one in boxes (ISO/IEC 18181-1 and -2).

use std::borrow::Cow;
use std::panic::catch_unwind;
use std::sync::Arc;

use jxl_bitstream::Bitstream;
use jxl_frame::{Frame, FrameContext};
use jxl_oxide::image::color::ColourSpace;
use jxl_oxide::{AllocTracker, ImageHeader, JxlThreadPool};
use jxl_oxide_common::Bundle;

use super::bytes::{be32, be64, slice};
use super::{Header, corrupt};
use crate::error::Error;
use crate::plan::{Format, Source};

const CODESTREAM: &[u8] = b"\xff\x0a";
const CONTAINER: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";

/// Memory that reading one frame's table of contents may take.
const MOST_TABLE: usize = 64 << 20;
/// Frames that are counted at most: far beyond what a site's limits allow.
const MOST_FRAMES: u32 = 1 << 16;

/// Whether it begins like JPEG XL.
pub(crate) fn matches(bytes: &[u8]) -> bool {
    bytes.starts_with(CODESTREAM) || bytes.starts_with(CONTAINER)
}

/// Reads the header. The size is the one after the orientation, which the decoder applies.
///
/// Frames are counted without decoding them. An animation that comes with a profile or a preview is taken as its first
/// frame: what lies in front of its frames is compressed and could be made to expand at will.
pub(crate) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let stream = codestream(bytes).ok_or_else(|| damaged("its boxes hold no codestream"))?;
    // The library checks its arithmetic; where the file makes a sum overflow, that is the file's damage.
    catch_unwind(|| read(&stream)).unwrap_or_else(|_| Err(damaged("its header contradicts itself")))
}

fn read(stream: &[u8]) -> Result<Header, Error> {
    let mut bits = Bitstream::new(stream);
    let header = ImageHeader::parse(&mut bits, ()).map_err(|error| damaged(&format!("its header: {error}")))?;
    let metadata = &header.metadata;
    let (mut width, mut height) = (header.size.width, header.size.height);
    if metadata.orientation >= 5 {
        std::mem::swap(&mut width, &mut height);
    }
    let alpha = metadata.alpha().is_some();
    let grey = metadata.colour_encoding.colour_space() == ColourSpace::Grey;
    let depth = u8::try_from(metadata.bit_depth.bits_per_sample()).unwrap_or(32).clamp(1, 32);
    let channels = if grey { 1 } else { 3 } + u8::from(alpha);
    let countable = metadata.animation.is_some() && metadata.preview.is_none() && !metadata.colour_encoding.want_icc();
    let frames = if countable { count(bits, stream, header)? } else { 1 };
    let source = Source { format: Format::Jxl, width, height, orientation: 1, frames, alpha };
    Ok(Header { source, depth, channels, progressive: false, quality: None })
}

/// Counts the frames that are shown, from one frame's header over the length of its data to the next one's.
fn count(mut bits: Bitstream<'_>, stream: &[u8], header: ImageHeader) -> Result<u32, Error> {
    let failed = |_| damaged("its frames cannot be told apart");
    bits.zero_pad_to_byte().map_err(failed)?;
    let mut at = bits.num_read_bits() / 8;
    let header = Arc::new(header);
    let mut shown = 0u32;
    for _ in 0..MOST_FRAMES {
        let rest = stream.get(at..).filter(|rest| !rest.is_empty()).ok_or_else(|| damaged("it is cut off"))?;
        let tracker = AllocTracker::with_limit(MOST_TABLE);
        let context =
            FrameContext { image_header: Arc::clone(&header), tracker: Some(&tracker), pool: JxlThreadPool::none() };
        let mut bits = Bitstream::new(rest);
        let frame = Frame::parse(&mut bits, context).map_err(|_| damaged("its frames cannot be told apart"))?;
        shown = shown.saturating_add(u32::from(frame.header().is_keyframe()));
        if frame.header().is_last {
            return Ok(shown.max(1));
        }
        at = at.saturating_add(bits.num_read_bits() / 8).saturating_add(frame.toc().total_byte_size());
    }
    Err(damaged("it has more frames than anybody looks at"))
}

/// The codestream: the bytes themselves, the only box of it, or its parts put together. `None` if there is none.
pub(crate) fn codestream(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    if bytes.starts_with(CODESTREAM) {
        return Some(Cow::Borrowed(bytes));
    }
    let mut parts = Vec::new();
    for (name, body) in boxes(bytes) {
        match &name {
            b"jxlc" => return Some(Cow::Borrowed(body)),
            // Four bytes of a part's number lie in front; the parts come in their order.
            b"jxlp" => parts.extend_from_slice(body.get(4..)?),
            _ => {}
        }
    }
    parts.starts_with(CODESTREAM).then_some(Cow::Owned(parts))
}

/// The EXIF block, as a TIFF; a compressed one is left where it is.
pub(crate) fn exif_block(bytes: &[u8]) -> Option<&[u8]> {
    let (_, body) = boxes(bytes).find(|(name, _)| name == b"Exif")?;
    let start = usize::try_from(be32(body, 0)?).ok()?.checked_add(4)?;
    body.get(start..).filter(|tiff| !tiff.is_empty())
}

/// The boxes of the file's top level: name and content. Ends where a box makes no sense; the last may be cut off.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut at = if bytes.starts_with(CONTAINER) { 0 } else { bytes.len() };
    std::iter::from_fn(move || {
        let name = slice(bytes, at.checked_add(4)?, 4)?.try_into().ok()?;
        let (length, head) = match be32(bytes, at)? {
            0 => (bytes.len().checked_sub(at)?, 8),
            1 => (usize::try_from(be64(bytes, at.checked_add(8)?)?).ok()?, 16),
            length => (usize::try_from(length).ok()?, 8),
        };
        let end = at.checked_add(length)?.min(bytes.len());
        let body = bytes.get(at.checked_add(head)?..end)?;
        at = end;
        Some((name, body))
    })
}

fn damaged(what: &str) -> Error {
    corrupt(Format::Jxl, what)
}
