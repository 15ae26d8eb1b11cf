//! BMP: the headers, the colours and the rows, written behind each other. What stands between and behind them goes nowhere, and
//! neither does the name of a profile's file.

use super::super::probe::bytes::{le16, le32};

/// Bytes of the header of the file.
const FILE: usize = 14;
/// Bytes of the headers that are known here: OS/2's core, Windows' versions 1, 2, 3, 4 and 5.
const HEADERS: [usize; 6] = [12, 40, 52, 56, 108, 124];
/// `LCS_sRGB`, in place of a profile that lies elsewhere.
const SRGB: [u8; 4] = *b"BGRs";
const LINKED: &[u8] = b"KNIL";
const EMBEDDED: &[u8] = b"DEBM";
/// The largest profile that goes along.
const MOST_PROFILE: usize = 4 << 20;

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    exif.is_none().then_some(())?;
    source.starts_with(b"BM").then_some(())?;
    let from = |at: usize, length: usize| source.get(at..at.checked_add(length)?);
    let size = le32(source, FILE)? as usize;
    HEADERS.contains(&size).then_some(())?;
    let core = size == 12;
    let (width, height) = match core {
        true => (le16(source, 18)?.into(), le16(source, 20)?.into()),
        false => (le32(source, 18)?, le32(source, 22)?.cast_signed().unsigned_abs()),
    };
    let (bits, compression) = match core {
        true => (le16(source, 24)?, 0),
        false => (le16(source, 28)?, le32(source, 30)?),
    };
    // Where rows that are packed end is not told by the header.
    matches!(compression, 0 | 3 | 6).then_some(())?;
    matches!(bits, 1 | 2 | 4 | 8 | 16 | 24 | 32).then_some(())?;
    let masks = match (compression, size) {
        (3, 40) => 12,
        (6, 40) => 16,
        _ => 0,
    };
    // Colours beyond those that pixels can name are whatever else the file holds.
    let most = if bits > 8 { 0 } else { 1usize << bits };
    let used = if core { 0 } else { le32(source, 46)? as usize };
    let colours = if used == 0 { most } else { used.min(most) };
    let each = if core { 3 } else { 4 };
    let row = (width as usize).checked_mul(bits.into())?.div_ceil(32).checked_mul(4)?;
    let rows = row.checked_mul(height as usize)?;

    let palette = FILE.checked_add(size)?.checked_add(masks)?;
    let start = le32(source, 10)? as usize;
    // Some files have fewer colours than they say; they are read up to the rows.
    let colours = colours.min(start.checked_sub(palette)? / each);
    let head = palette.checked_add(colours.checked_mul(each)?)?;
    let profile = if size == 124 { profile(source)? } else { None };
    out.extend_from_slice(source.get(..head)?);
    out.extend_from_slice(from(start, rows)?);
    let at = out.len();
    out.extend_from_slice(profile.unwrap_or_default());
    let whole = u32::try_from(out.len()).ok()?;
    let mut put = |at: usize, value: u32| {
        out.get_mut(at..at.checked_add(4)?)?.copy_from_slice(&value.to_le_bytes());
        Some(())
    };
    put(2, whole)?;
    // Reserved.
    put(6, 0)?;
    put(10, u32::try_from(head).ok()?)?;
    if !core {
        put(34, u32::try_from(rows).ok()?)?;
        put(46, u32::try_from(colours).ok()?)?;
    }
    if size == 124 {
        let length = profile.map_or(0, <[u8]>::len);
        // Told from the header's own beginning.
        put(FILE + 112, if length > 0 { u32::try_from(at - FILE).ok()? } else { 0 })?;
        put(FILE + 116, u32::try_from(length).ok()?)?;
        put(FILE + 120, 0)?;
        if from(FILE + 56, 4)? == LINKED {
            put(FILE + 56, u32::from_le_bytes(SRGB))?;
        }
    }
    Some(())
}

/// The profile inside of the file, if there is one.
fn profile(source: &[u8]) -> Option<Option<&[u8]>> {
    if source.get(FILE + 56..FILE + 60)? != EMBEDDED {
        return Some(None);
    }
    let (at, length) = (le32(source, FILE + 112)? as usize, le32(source, FILE + 116)? as usize);
    (length <= MOST_PROFILE).then_some(())?;
    let start = FILE.checked_add(at)?;
    let profile = source.get(start..start.checked_add(length)?)?;
    // What is no profile is whatever anybody has put there.
    (profile.get(36..40)? == b"acsp" && profile.get(..4)? == u32::try_from(length).ok()?.to_be_bytes()).then_some(())?;
    Some(Some(profile))
}
