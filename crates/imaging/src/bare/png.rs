//! PNG and APNG (W3C PNG, third edition): pixels, colours, frames, and nothing behind the end.

use super::super::probe::bytes::be32;
use super::super::probe::png::SIGNATURE;
use crate::crc::crc;

/// The chunks that are kept, each with the greatest length that the standard allows: those that change how pixels look, and
/// the recommended print size and background.
#[rustfmt::skip]
const KEPT: [(&[u8; 4], usize); 18] = [
    (b"IHDR", 13), (b"PLTE", 768), (b"tRNS", 256), (b"IDAT", usize::MAX), (b"IEND", 0), (b"acTL", 8), (b"fcTL", 26),
    (b"fdAT", usize::MAX), (b"gAMA", 4), (b"cHRM", 32), (b"sRGB", 1), (b"iCCP", usize::MAX), (b"cICP", 4), (b"sBIT", 4),
    (b"mDCV", 24), (b"cLLI", 8), (b"pHYs", 9), (b"bKGD", 6),
];

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    let mut exif = exif;
    let mut at = source.starts_with(SIGNATURE).then_some(SIGNATURE.len())?;
    out.extend_from_slice(SIGNATURE);
    loop {
        let length = be32(source, at)? as usize;
        let name: [u8; 4] = source.get(at.checked_add(4)?..at.checked_add(8)?)?.try_into().ok()?;
        let next = at.checked_add(12)?.checked_add(length)?;
        let whole = source.get(at..next)?;
        if &name == b"IDAT"
            && let Some(block) = exif.take()
        {
            let start = out.len().checked_add(4)?;
            out.extend_from_slice(&u32::try_from(block.len()).ok()?.to_be_bytes());
            out.extend_from_slice(b"eXIf");
            out.extend_from_slice(block);
            let sum = crc(out.get(start..)?);
            out.extend_from_slice(&sum.to_be_bytes());
        }
        match KEPT.iter().any(|(kept, most)| **kept == name && length <= *most) {
            true => out.extend_from_slice(whole),
            // A chunk that must be understood, by the case of its first letter, and is not, or is none by its length.
            false if name.first()?.is_ascii_uppercase() => return None,
            false => {}
        }
        if &name == b"IEND" {
            return Some(());
        }
        at = next;
    }
}
