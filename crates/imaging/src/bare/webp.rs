//! WebP (RFC 9649): chunks of pixels, and the profile.

use super::super::probe::bytes::le32;
use super::super::transform::room;

/// Flags of VP8X: that there is EXIF, that there is XMP.
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    (source.starts_with(b"RIFF") && source.get(8..12)? == b"WEBP").then_some(())?;
    let length = usize::try_from(le32(source, 4)?).ok()?;
    let body = source.get(12..length.checked_add(8)?)?;
    out.extend_from_slice(b"RIFF\0\0\0\0WEBP");
    let mut first = true;
    let mut extended = false;
    each(body, |kind, data| {
        match kind {
            b"VP8X" if first => {
                extended = true;
                let (flags, rest) = data.get(..10)?.split_first()?;
                let told = if exif.is_some() { EXIF } else { 0 };
                chunk(out, kind, &[&[flags & !(EXIF | XMP) | told], rest])?;
            }
            b"VP8 " | b"VP8L" | b"ALPH" | b"ICCP" => chunk(out, kind, &[data])?,
            // The ground, and how often it plays.
            b"ANIM" => chunk(out, kind, &[data.get(..6)?])?,
            b"ANMF" => {
                let (head, rest) = data.split_at_checked(16)?;
                let mut frame = room(data.len()).ok()?;
                each(rest, |kind, data| match kind {
                    b"VP8 " | b"VP8L" | b"ALPH" => chunk(&mut frame, kind, &[data]),
                    _ => Some(()),
                })?;
                chunk(out, kind, &[head, &frame])?;
            }
            _ => {}
        }
        first = false;
        Some(())
    })?;
    if let Some(block) = exif {
        extended.then_some(())?;
        chunk(out, b"EXIF", &[block])?;
    }
    let size = u32::try_from(out.len().checked_sub(8)?).ok()?;
    out.get_mut(4..8)?.copy_from_slice(&size.to_le_bytes());
    Some(())
}

/// Calls `with` for every chunk; `None` where one is cut off.
fn each(body: &[u8], mut with: impl FnMut(&[u8; 4], &[u8]) -> Option<()>) -> Option<()> {
    let mut rest = body;
    while let Some((head, tail)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, length @ ..] = *head;
        let (data, after) = tail.split_at_checked(u32::from_le_bytes(length) as usize)?;
        with(&[a, b, c, d], data)?;
        rest = after.get(data.len() & 1..).unwrap_or_default();
    }
    Some(())
}

fn chunk(out: &mut Vec<u8>, kind: &[u8; 4], parts: &[&[u8]]) -> Option<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(kind);
    out.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    out.extend_from_slice(&[0][..length & 1]);
    Some(())
}
