//! JPEG (ITU-T T.81): the segments that a decoder needs, from SOI to the first EOI.

use super::super::probe::bytes::be16;

/// JFIF's own fields, without the thumbnail that may follow them.
const JFIF: usize = 14;
/// The fields of Adobe's segment: the last says which colours there are.
const ADOBE: usize = 12;

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    let mut exif = exif;
    let mut at = source.starts_with(&[0xff, 0xd8]).then_some(2usize)?;
    out.extend_from_slice(&[0xff, 0xd8]);
    loop {
        // Fill bytes may stand before a marker.
        (*source.get(at)? == 0xff).then_some(())?;
        let marker = *source.get(at.checked_add(1)?)?;
        if marker == 0xff {
            at = at.checked_add(1)?;
            continue;
        }
        let start = at.checked_add(2)?;
        if marker == 0xd9 {
            out.extend_from_slice(&[0xff, 0xd9]);
            return Some(());
        }
        let end = start.checked_add(usize::from(be16(source, start)?).max(2))?;
        let data = source.get(start.checked_add(2)?..end)?;
        let kept = match marker {
            // Frames, tables, scans, restarts.
            0xc0..=0xcf | 0xda..=0xdd => data,
            0xe0 if data.starts_with(b"JFIF\0") => data.get(..JFIF)?,
            0xe2 if data.starts_with(b"ICC_PROFILE\0") => data,
            0xee if data.starts_with(b"Adobe") => data.get(..ADOBE)?,
            // The other applications' data, and comments.
            0xe0..=0xef | 0xfe => &[],
            _ => return None,
        };
        // JFIF comes first of all, EXIF next.
        if marker != 0xe0
            && let Some(block) = exif.take()
        {
            segment(out, 0xe1, &[b"Exif\0\0", block])?;
        }
        if marker == 0xe0 && !kept.is_empty() {
            // No thumbnail is left: zero pixels wide, zero high.
            segment(out, marker, &[kept.get(..JFIF - 2)?, &[0, 0]])?;
        } else if !kept.is_empty() {
            segment(out, marker, &[kept])?;
        }
        at = end;
        if marker == 0xda {
            let length = scan(source.get(at..)?)?;
            let next = at.checked_add(length)?;
            out.extend_from_slice(source.get(at..next)?);
            at = next;
        }
    }
}

fn segment(out: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) -> Option<()> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&u16::try_from(length.checked_add(2)?).ok()?.to_be_bytes());
    parts.iter().for_each(|part| out.extend_from_slice(part));
    Some(())
}

/// How long the coded data is: up to a marker that is neither stuffing nor a restart.
fn scan(data: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    loop {
        at = at.checked_add(data.get(at..)?.iter().position(|&byte| byte == 0xff)?)?;
        match *data.get(at.checked_add(1)?)? {
            0x00 | 0xd0..=0xd7 => at = at.checked_add(2)?,
            // Fill bytes belong to the marker behind them.
            _ => return Some(at),
        }
    }
}
