//! JPEG XL: a bare codestream, or one in boxes (ISO/IEC 18181-1 and -2).

use std::borrow::Cow;
use std::panic::catch_unwind;

use jxl_bitstream::{Bitstream, U};
use jxl_frame::FrameHeader;
use jxl_oxide::ImageHeader;
use jxl_oxide::image::color::ColourSpace;
use jxl_oxide_common::Bundle;

use super::bytes::{be32, be64, slice};
use super::{Header, corrupt, steps};
use crate::error::Error;
use crate::plan::{Format, Source};

const CODESTREAM: &[u8] = b"\xff\x0a";
const CONTAINER: &[u8] = b"\0\0\0\x0cJXL \r\n\x87\n";

/// Where the header must end. Names of extra channels are what can make one long.
const HEAD: usize = 64 << 10;
/// Frames that are counted at most: far beyond what a site's limits allow.
const MOST_FRAMES: u32 = 1 << 14;
/// Channels beyond the colours in an animation whose frames are counted: each is named in the header of each frame.
const MOST_CHANNELS: usize = 16;
/// Parts of a frame's table of contents, as the decoder has it.
const MOST_PARTS: u64 = 1 << 16;
/// Steps that the header of a frame counts as. It takes seven bytes at least.
const FRAME_STEPS: usize = 16;

/// Whether it begins like JPEG XL.
pub(crate) fn matches(bytes: &[u8]) -> bool {
    bytes.starts_with(CODESTREAM) || bytes.starts_with(CONTAINER)
}

/// Reads the header. The size is the one after the orientation, which the decoder applies.
///
/// Frames are counted without decoding anything. An animation is taken as its first frame where its frames cannot be
/// counted so: one that comes with a profile or a preview, because what lies in front of its frames is compressed and could
/// be made to expand at will, and one of whose frames has a table of contents in another order than its data, because that
/// order is compressed.
pub(crate) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    // The library checks its arithmetic; where the file makes a sum overflow, that is the file's damage.
    catch_unwind(|| read(bytes)).unwrap_or_else(|_| Err(damaged("its header contradicts itself")))
}

fn read(bytes: &[u8]) -> Result<Header, Error> {
    let none = || damaged("its boxes hold no codestream");
    let start = gather(bytes, HEAD).ok_or_else(none)?;
    let start = start.get(..HEAD).unwrap_or(&start);
    let mut bits = Bitstream::new(start);
    let header = ImageHeader::parse(&mut bits, ()).map_err(|error| damaged(&format!("its header: {error}")))?;
    steps::take(bits.num_read_bits() / 8).ok_or_else(none)?;
    let metadata = &header.metadata;
    let (mut width, mut height) = (header.size.width, header.size.height);
    if metadata.orientation >= 5 {
        std::mem::swap(&mut width, &mut height);
    }
    let alpha = metadata.alpha().is_some();
    let grey = metadata.colour_encoding.colour_space() == ColourSpace::Grey;
    let depth = u8::try_from(metadata.bit_depth.bits_per_sample()).unwrap_or(32).clamp(1, 32);
    let channels = if grey { 1 } else { 3 } + u8::from(alpha);
    let countable = metadata.animation.is_some()
        && metadata.preview.is_none()
        && !metadata.colour_encoding.want_icc()
        && metadata.ec_info.len() <= MOST_CHANNELS;
    let frames = if countable { count(bits, &codestream(bytes).ok_or_else(none)?, &header)? } else { 1 };
    let source = Source { format: Format::Jxl, width, height, orientation: 1, frames, alpha };
    Ok(Header { source, depth, channels, progressive: false, quality: None })
}

/// Counts the frames that are shown, from one frame's header over the length of its data to the next one's; 1 if they
/// cannot be counted.
fn count(mut bits: Bitstream<'_>, stream: &[u8], header: &ImageHeader) -> Result<u32, Error> {
    let failed = || damaged("the headers of its frames cannot be read");
    bits.zero_pad_to_byte().map_err(|_| failed())?;
    let mut at = bits.num_read_bits() / 8;
    let mut shown = 0u32;
    for _ in 0..MOST_FRAMES {
        let rest = stream.get(at..).filter(|rest| !rest.is_empty()).ok_or_else(|| damaged("it is cut off"))?;
        let mut bits = Bitstream::new(rest);
        steps::take(FRAME_STEPS).ok_or_else(failed)?;
        let frame = FrameHeader::parse(&mut bits, header).map_err(|_| failed())?;
        let length = match data_length(&mut bits, &frame, rest.len()) {
            Some(Length::Of(length)) => length,
            Some(Length::Unknown) => return Ok(1),
            None => return Err(failed()),
        };
        shown = shown.saturating_add(u32::from(frame.is_keyframe()));
        if frame.is_last {
            return Ok(shown.max(1));
        }
        at = at.saturating_add(bits.num_read_bits() / 8).saturating_add(length);
    }
    Err(damaged("it has too many frames to count"))
}

/// Bytes of a frame's data.
enum Length {
    Of(usize),
    /// The order of its parts would have to be unpacked first.
    Unknown,
}

/// Reads a frame's table of contents, of which `rest` bytes may be left. `None`: it is damaged.
fn data_length(bits: &mut Bitstream<'_>, frame: &FrameHeader, rest: usize) -> Option<Length> {
    let (width, height) = (u64::from(frame.width), u64::from(frame.height));
    // The decoder's own limits; within them none of its sums overflows.
    if width.max(height) > 1 << 30 || width.saturating_mul(height) > 1 << 40 {
        return None;
    }
    let (groups, passes) = (u64::from(frame.num_groups()), u64::from(frame.passes.num_passes));
    let parts = match (groups, passes) {
        (1, 1) => 1,
        _ => groups.saturating_mul(passes).saturating_add(frame.num_lf_groups().into()).saturating_add(2),
    };
    // Twelve bits tell a part's length at least.
    if parts > MOST_PARTS || parts.saturating_mul(12) > (rest as u64).saturating_mul(8) {
        return None;
    }
    if bits.read_bool().ok()? {
        return Some(Length::Unknown);
    }
    bits.zero_pad_to_byte().ok()?;
    let mut length = 0usize;
    for _ in 0..parts {
        steps::take(1)?;
        let part = bits.read_u32(U(10), 1024 + U(14), 17_408 + U(22), 4_211_712 + U(30)).ok()?;
        length = length.checked_add(part as usize)?;
    }
    bits.zero_pad_to_byte().ok()?;
    Some(Length::Of(length))
}

/// The codestream: the bytes themselves, the only box of it, or its parts put together. `None` if there is none.
pub(crate) fn codestream(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    gather(bytes, usize::MAX)
}

/// The same, of which no more than `most` bytes are put together.
fn gather(bytes: &[u8], most: usize) -> Option<Cow<'_, [u8]>> {
    if bytes.starts_with(CODESTREAM) {
        return Some(Cow::Borrowed(bytes));
    }
    let mut parts = Vec::new();
    for (name, body) in boxes(bytes) {
        match &name {
            b"jxlc" => return Some(Cow::Borrowed(body)),
            // Four bytes of a part's number lie in front; the parts come in their order.
            b"jxlp" => {
                let part = body.get(4..)?;
                // Copying is quick.
                steps::take((part.len() / 4096).saturating_add(1))?;
                parts.extend_from_slice(part.get(..most.saturating_sub(parts.len())).unwrap_or(part));
                if parts.len() >= most {
                    break;
                }
            }
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
