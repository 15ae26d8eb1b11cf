//! PNG and APNG (W3C PNG, third edition): pixels, colours, frames, and nothing behind the end.

use super::super::encode::crc;
use super::super::probe::bytes::be32;
use super::super::probe::png::SIGNATURE;

/// What may stay: what decides how pixels look, and how large and on what ground they are shown.
#[rustfmt::skip]
const KEPT: [&[u8; 4]; 18] = [
    b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"sBIT",
    b"mDCV", b"cLLI", b"pHYs", b"bKGD",
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
        match KEPT.contains(&&name) {
            true => out.extend_from_slice(whole),
            // A chunk that must be understood, by the case of its first letter.
            false if name.first()?.is_ascii_uppercase() => return None,
            false => {}
        }
        if &name == b"IEND" {
            return Some(());
        }
        at = next;
    }
}
