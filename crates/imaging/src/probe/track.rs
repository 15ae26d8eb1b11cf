//! The visual track of a sequence (ISO/IEC 14496-12): size, frames, their times, and how often the whole is shown.

use super::Header;
use super::av1;
use super::boxes::{ALPHA, coding};
use super::boxes::{Atom, atom, atoms, full};
use super::bytes::{be16, be32, be64, slice};
use super::steps;
use crate::plan::{Format, Source};

/// A track, as far as its boxes could be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Track<'a> {
    width: u32,
    height: u32,
    depth: u8,
    grey: bool,
    alpha: bool,
    /// Whether its alpha keeps to the range of video.
    pub alpha_limited: bool,
    frames: u32,
    timescale: u32,
    /// The runs of `stts`: count and duration, eight bytes each.
    times: &'a [u8],
    /// How often it is shown; `None` is for ever.
    pub plays: Option<u32>,
    /// The payload of the sample entry's `colr`.
    pub colour: Option<&'a [u8]>,
}

/// The first visual track of a `moov` box.
pub(super) fn first(moov: &[u8]) -> Option<Track<'_>> {
    let tracks = || atoms(moov).filter(|atom| &atom.kind == b"trak").map(|atom| atom.data);
    let handler = |trak| slice(atom(atom(trak, b"mdia")?, b"hdlr")?, 8, 4);
    let trak = tracks().find(|&trak| matches!(handler(trak), Some(b"pict" | b"vide")))?;
    // A video has no alpha of its own.
    let main = (handler(trak)? == b"pict").then(|| number(trak)).flatten();
    let alpha = tracks().find(|&trak| {
        handler(trak) == Some(b"auxv") && main.is_some_and(|main| belongs(trak, main)) && is_alpha(trak).is_some()
    });
    let alpha_limited = alpha.and_then(described).is_some_and(|described| {
        let av1c = described.iter().find(|atom| &atom.kind == b"av1C");
        av1c.and_then(|atom| av1::is_limited(atom.data)).unwrap_or_default()
    });

    let mdia = atom(trak, b"mdia")?;
    let (version, _, mdhd) = full(atom(mdia, b"mdhd")?)?;
    let timescale = be32(mdhd, if version == 1 { 16 } else { 8 })?;
    let table = atom(atom(mdia, b"minf")?, b"stbl")?;
    let (_, _, sizes) = full(atom(table, b"stsz")?)?;
    let (_, _, times) = full(atom(table, b"stts")?)?;
    let entry = entry(trak)?;
    let (width, height) = (be16(entry.data, 24)?.into(), be16(entry.data, 26)?.into());
    let described = described(trak)?;
    let (depth, grey) = described.iter().find_map(|atom| coding(&atom.kind, atom.data)).unwrap_or((8, false));
    let colour = described.iter().find(|atom| &atom.kind == b"colr").map(|atom| atom.data);
    Some(Track {
        width,
        height,
        depth: depth.clamp(1, 16),
        grey,
        alpha: alpha.is_some(),
        alpha_limited,
        frames: be32(sizes, 4)?,
        timescale,
        times: times.get(4..)?,
        plays: plays(trak),
        colour,
    })
}

/// The number that others refer to a track by.
fn number(trak: &[u8]) -> Option<u32> {
    let (version, _, tkhd) = full(atom(trak, b"tkhd")?)?;
    be32(tkhd, if version == 1 { 16 } else { 8 })
}

/// Whether a track says that it is an auxiliary one of another.
fn belongs(trak: &[u8], main: u32) -> bool {
    let all = atom(trak, b"tref").and_then(|tref| atom(tref, b"auxl")).unwrap_or_default();
    all.as_chunks::<4>().0.iter().any(|number| steps::take(1).is_some() && u32::from_be_bytes(*number) == main)
}

/// Whether an auxiliary track says that it is alpha: others hold depth, and anything that anybody names.
fn is_alpha(trak: &[u8]) -> Option<()> {
    let described = described(trak)?;
    let (_, _, urn) = full(described.iter().find(|atom| &atom.kind == b"auxi")?.data)?;
    let urn = urn.split(|byte| *byte == 0).next()?;
    ALPHA.contains(&urn).then_some(())
}

/// The first sample entry of a track.
fn entry(trak: &[u8]) -> Option<Atom<'_>> {
    let table = atom(atom(atom(trak, b"mdia")?, b"minf")?, b"stbl")?;
    let (_, _, entries) = full(atom(table, b"stsd")?)?;
    atoms(entries.get(4..)?).next()
}

/// What follows the fields of a visual sample entry.
fn described(trak: &[u8]) -> Option<Vec<Atom<'_>>> {
    Some(atoms(entry(trak)?.data.get(78..)?).collect())
}

/// How often a track is shown: its duration over that of the edit that is repeated (HEIF, clause 9). A track that says
/// nothing is shown for ever, as browsers have it.
fn plays(trak: &[u8]) -> Option<u32> {
    let (version, flags, edits) = full(atom(atom(trak, b"edts")?, b"elst")?)?;
    if flags & 1 == 0 {
        return Some(1);
    }
    let once = if version == 1 { be64(edits, 4)? } else { be32(edits, 4)?.into() };
    let (version, _, tkhd) = full(atom(trak, b"tkhd")?)?;
    let (shown, ever) =
        if version == 1 { (be64(tkhd, 24)?, u64::MAX) } else { (be32(tkhd, 16)?.into(), u32::MAX.into()) };
    if shown == ever || once == 0 {
        return None;
    }
    Some(u32::try_from(shown.div_ceil(once)).unwrap_or(u32::MAX).max(1))
}

impl<'a> Track<'a> {
    /// Frames that it announces.
    pub(super) fn frames(&self) -> u32 {
        self.frames
    }

    /// The header of a file that is this track.
    pub(super) fn header(&self, format: Format) -> Header {
        let colours = if self.grey { 1 } else { 3 };
        Header {
            source: Source {
                format,
                width: self.width,
                height: self.height,
                orientation: 1,
                frames: self.frames.max(1),
                alpha: self.alpha,
            },
            depth: self.depth,
            channels: colours + u8::from(self.alpha),
            progressive: false,
            quality: None,
        }
    }

    /// When each frame ends, in milliseconds from the start, rounded so that nothing adds up.
    pub(crate) fn into_ends(self) -> impl Iterator<Item = u64> + use<'a> {
        let scale = u64::from(self.timescale.max(1));
        let runs = self.times.as_chunks::<8>().0.iter();
        let each = runs.flat_map(|run| {
            let (count, duration) = (be32(run, 0).unwrap_or(0), be32(run, 4).unwrap_or(0));
            std::iter::repeat_n(duration, count as usize)
        });
        each.scan(0u64, move |clock, duration| {
            *clock = clock.saturating_add(duration.into());
            Some(clock.saturating_mul(1000).saturating_add(scale / 2) / scale)
        })
    }
}
