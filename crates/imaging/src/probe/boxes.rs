//! The boxes of ISO/IEC 14496-12, read without trust.

use super::bytes::{be16, be32, be64, slice};

/// Boxes and children that are looked at, at most.
const MAX_BOXES: usize = 10_000;

/// How alpha is named among what belongs to another picture or track.
pub(crate) const ALPHA: [&[u8]; 3] =
    [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1", b"urn:mpeg:avc:2015:auxid:1"];

/// A box: type and payload.
pub(super) struct Atom<'a> {
    pub kind: [u8; 4],
    pub data: &'a [u8],
    /// Whether all of it is there.
    pub whole: bool,
}

/// The boxes that lie side by side in `bytes`, which never overlap. A box that goes on beyond the end is cut there.
pub(super) fn atoms(bytes: &[u8]) -> impl Iterator<Item = Atom<'_>> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let length = be32(bytes, at)?;
        let kind = slice(bytes, at.checked_add(4)?, 4)?.try_into().ok()?;
        let (start, end) = match length {
            0 => (at.checked_add(8)?, bytes.len()),
            1 => {
                let length = usize::try_from(be64(bytes, at.checked_add(8)?)?).ok()?;
                (at.checked_add(16)?, at.checked_add(length)?)
            }
            _ => (at.checked_add(8)?, at.checked_add(length as usize)?),
        };
        let data = bytes.get(start..end.min(bytes.len()))?;
        at = end;
        Some(Atom { kind, data, whole: end <= bytes.len() })
    })
    .take(MAX_BOXES)
}

pub(super) fn atom<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    atoms(bytes).find(|atom| &atom.kind == kind).map(|atom| atom.data)
}

/// The payload of a full box behind version and flags, and the version and flags.
pub(super) fn full(data: &[u8]) -> Option<(u8, u32, &[u8])> {
    let head = be32(data, 0)?;
    Some(((head >> 24) as u8, head & 0x00ff_ffff, data.get(4..)?))
}

/// The matrix coefficients (H.273, table 4) of a `colr` box that names some.
pub(crate) fn matrix(colr: &[u8]) -> Option<u16> {
    be16(colr.strip_prefix(b"nclx")?, 4)
}

/// The matrix coefficients of every item's colours in a file of stills.
pub(crate) fn matrices(file: &[u8]) -> impl Iterator<Item = u16> {
    let properties = || atom(atom(full(atom(file, b"meta")?)?.2, b"iprp")?, b"ipco");
    let colours = properties().into_iter().flat_map(atoms).filter(|atom| &atom.kind == b"colr");
    colours.filter_map(|colr| matrix(colr.data))
}

/// Bits a channel, and whether there is but one, by the decoder's configuration `av1C` or `hvcC`.
pub(super) fn coding(kind: &[u8; 4], data: &[u8]) -> Option<(u8, bool)> {
    match kind {
        b"av1C" => {
            let flags = *data.get(2)?;
            let depth = match flags >> 5 & 3 {
                0b11 => 12,
                0b10 => 10,
                _ => 8,
            };
            Some((depth, flags & 0x10 != 0))
        }
        b"hvcC" => Some(((data.get(17)? & 7) + 8, data.get(16)? & 3 == 0)),
        _ => None,
    }
}
