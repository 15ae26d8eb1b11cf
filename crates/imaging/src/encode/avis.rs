//! The container of an AVIF image sequence (AV1-ISOBMFF; HEIF, ISO/IEC 23008-12, clause 7; MIAF): samples in, file out.
//!
//! The first sample is the primary item too, so that a reader without sequences shows a still picture of the same file.
//! Colour and alpha lie frame by frame side by side, so that a player can begin before all is there.

use crate::error::{Error, Kind};
use crate::transform::room;

/// Ticks in a second: durations are milliseconds.
const TIMESCALE: u32 = 1000;
const ALPHA_URN: &[u8] = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
/// The unity matrix of `mvhd` and `tkhd`.
const MATRIX: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];

/// What the AV1 stream of a track is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrackCoding {
    /// Chroma at full resolution, which takes AV1's profile 1.
    pub full_chroma: bool,
    /// Luma only.
    pub grey: bool,
    /// Primaries, transfer characteristics and matrix by ITU-T H.273; `None` for alpha. The range is always full.
    pub colour: Option<(u16, u16, u16)>,
}

/// A track: where its samples lie.
#[derive(Debug)]
struct Track {
    coding: TrackCoding,
    /// `seq_level_idx` and `seq_tier`.
    level: (u8, u8),
    /// Offset in the data, and length.
    samples: Vec<(u32, u32)>,
}

/// A sequence being put together.
#[derive(Debug)]
pub struct Film {
    size: (u32, u32),
    colour: Track,
    alpha: Option<Track>,
    /// A duration for each sample of the colour.
    durations: Vec<u32>,
    data: Vec<u8>,
}

impl Film {
    /// An empty sequence of pictures of this size, each side 1..=65535.
    pub fn new(width: u32, height: u32, coding: TrackCoding) -> Self {
        let colour = Track { coding, level: (0, 0), samples: Vec::new() };
        Self { size: (width, height), colour, alpha: None, durations: Vec::new(), data: Vec::new() }
    }

    /// Takes the next frame's temporal unit and how long it is shown. A frame without a duration gets a millisecond:
    /// players treat both alike, and some refuse an animation that takes no time.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`]; [`Kind::OutputTooLarge`] beyond 4 GiB.
    pub fn colour(&mut self, unit: &[u8], delay_ms: u32) -> Result<(), Error> {
        append(&mut self.data, &mut self.colour, unit)?;
        self.durations.push(delay_ms.max(1));
        Ok(())
    }

    /// Takes the next temporal unit of alpha. Either no frame has one, or in the end every frame.
    ///
    /// # Errors
    /// As [`Self::colour`].
    pub fn alpha(&mut self, unit: &[u8]) -> Result<(), Error> {
        let coding = TrackCoding { full_chroma: false, grey: true, colour: None };
        let track = self.alpha.get_or_insert_with(|| Track { coding, level: (0, 0), samples: Vec::new() });
        append(&mut self.data, track, unit)
    }

    /// The file. `plays` is how often it is shown, `None` for ever; `exif` is a TIFF block.
    ///
    /// # Errors
    /// [`Kind::Internal`] without a frame, or with alpha for only some of them; [`Kind::OutOfMemory`],
    /// [`Kind::OutputTooLarge`].
    pub fn finish(self, plays: Option<u32>, exif: Option<&[u8]>) -> Result<Vec<u8>, Error> {
        let frames = self.durations.len();
        if frames == 0 || self.alpha.as_ref().is_some_and(|alpha| alpha.samples.len() != frames) {
            return Err(Error::new(Kind::Internal, format!("avif: {frames} frames, or not as many of alpha")));
        }
        let exif = exif.map(|exif| [&[0; 4], exif].concat());
        let tail = exif.as_ref().map_or(0, Vec::len);
        // Every number has a fixed width, so that the head is as long with the right offsets as with none.
        let head = self.head(0, plays, exif.as_deref());
        let start = head.len() as u64 + 8;
        let end = start + self.data.len() as u64 + tail as u64;
        if end > u32::MAX.into() {
            return Err(too_large());
        }
        let mut file = room(end as usize)?;
        file.extend_from_slice(&self.head(start as u32, plays, exif.as_deref()));
        file.extend_from_slice(&(self.data.len() as u32 + tail as u32 + 8).to_be_bytes());
        file.extend_from_slice(b"mdat");
        file.extend_from_slice(&self.data);
        file.extend_from_slice(exif.as_deref().unwrap_or_default());
        Ok(file)
    }

    /// Everything before the data, which begins at `start`.
    fn head(&self, start: u32, plays: Option<u32>, exif: Option<&[u8]>) -> Vec<u8> {
        let profile: &[u8; 4] = if self.colour.coding.full_chroma { b"MA1A" } else { b"MA1B" };
        let brands = [b"avis", b"\0\0\0\0", b"avis", b"avif", b"msf1", b"iso8", b"mif1", b"miaf", profile];
        let mut head = boxed(b"ftyp", brands.map(|brand| *brand).as_flattened());
        head.extend_from_slice(&self.meta(start, exif));
        head.extend_from_slice(&self.moov(start, plays));
        head
    }

    fn tracks(&self) -> impl Iterator<Item = &Track> {
        std::iter::once(&self.colour).chain(&self.alpha)
    }

    /// The still picture: item 1 is the first frame, 2 its alpha, 3 the EXIF.
    fn meta(&self, start: u32, exif: Option<&[u8]>) -> Vec<u8> {
        let first = |track: &Track| track.samples.first().copied().unwrap_or_default();
        let mut places: Vec<(u16, (u32, u32))> =
            self.tracks().zip(1u16..).map(|(track, id)| (id, first(track))).collect();
        let mut entries: Vec<Vec<u8>> = places.iter().map(|(id, _)| entry(*id, b"av01")).collect();
        let mut links = Vec::new();
        if self.alpha.is_some() {
            links.extend(boxed(b"auxl", &[0, 2, 0, 1, 0, 1]));
        }
        if let Some(exif) = exif {
            places.push((3, (self.data.len() as u32, exif.len() as u32)));
            entries.push(entry(3, b"Exif"));
            links.extend(boxed(b"cdsc", &[0, 3, 0, 1, 0, 1]));
        }

        let count = places.len() as u16;
        // Offsets and lengths have four bytes, and each item lies in one piece.
        let mut locations = [&[0x44, 0][..], &count.to_be_bytes()].concat();
        for (id, (offset, length)) in places {
            locations.extend(id.to_be_bytes());
            locations.extend([0, 0, 0, 1]);
            locations.extend((start + offset).to_be_bytes());
            locations.extend(length.to_be_bytes());
        }

        let (width, height) = self.size;
        let mut properties = full(b"ispe", 0, 0, &[width.to_be_bytes(), height.to_be_bytes()].concat());
        let mut associated = vec![vec![1u8]];
        let mut number = 1u8;
        for (index, track) in self.tracks().enumerate() {
            let coded: [Option<Vec<u8>>; 4] = [
                Some(track.configuration()),
                Some(full(b"pixi", 0, 0, if track.coding.grey { &[1, 8] } else { &[3, 8, 8, 8] })),
                track.colour_box(),
                (index == 1).then(|| full(b"auxC", 0, 0, ALPHA_URN)),
            ];
            let mut list = vec![1];
            for (at, property) in coded.into_iter().enumerate().filter_map(|(at, p)| Some((at, p?))) {
                properties.extend(property);
                number += 1;
                // A reader that does not know the coding must not show the item.
                list.push(if at == 0 { number | 0x80 } else { number });
            }
            associated.push(list);
        }
        let associated = &associated[1..];
        let mut associations = (associated.len() as u32).to_be_bytes().to_vec();
        for (list, id) in associated.iter().zip(1u16..) {
            associations.extend(id.to_be_bytes());
            associations.push(list.len() as u8);
            associations.extend(list);
        }

        let mut meta = handler(b"pict");
        meta.extend(full(b"pitm", 0, 0, &[0, 1]));
        meta.extend(full(b"iloc", 0, 0, &locations));
        meta.extend(full(b"iinf", 0, 0, &[&count.to_be_bytes()[..], &entries.concat()].concat()));
        if !links.is_empty() {
            meta.extend(full(b"iref", 0, 0, &links));
        }
        let associations = full(b"ipma", 0, 0, &associations);
        meta.extend(boxed(b"iprp", &[boxed(b"ipco", &properties), associations].concat()));
        full(b"meta", 0, 0, &meta)
    }

    fn moov(&self, start: u32, plays: Option<u32>) -> Vec<u8> {
        let once: u64 = self.durations.iter().copied().map(u64::from).sum();
        // How often it plays is said by the track's duration over that of the edit that repeats; for ever is all ones.
        let shown = plays.map_or(u64::MAX, |plays| once.saturating_mul(plays.max(1).into()));
        let mut header = [0u8; 16].to_vec();
        header.extend(TIMESCALE.to_be_bytes());
        header.extend(shown.to_be_bytes());
        // Rate 1, volume 1.
        header.extend([0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        header.extend(MATRIX.iter().flat_map(|value| value.to_be_bytes()));
        header.extend([0; 24]);
        header.extend((self.tracks().count() as u32 + 1).to_be_bytes());
        let mut moov = full(b"mvhd", 1, 0, &header);
        for (track, id) in self.tracks().zip(1u32..) {
            moov.extend(self.trak(track, id, start, once, shown, plays));
        }
        boxed(b"moov", &moov)
    }

    fn trak(&self, track: &Track, id: u32, start: u32, once: u64, shown: u64, plays: Option<u32>) -> Vec<u8> {
        let alpha = track.coding.colour.is_none();
        let mut header = [0u8; 16].to_vec();
        header.extend(id.to_be_bytes());
        header.extend([0; 4]);
        header.extend(shown.to_be_bytes());
        header.extend([0; 16]);
        header.extend(MATRIX.iter().flat_map(|value| value.to_be_bytes()));
        header.extend((self.size.0 << 16).to_be_bytes());
        header.extend((self.size.1 << 16).to_be_bytes());
        let mut trak = full(b"tkhd", 1, 1, &header);
        if alpha {
            trak.extend(boxed(b"tref", &boxed(b"auxl", &[0, 0, 0, 1])));
        }
        // The whole medium at its own speed, again and again (flag 1) unless it plays once.
        let edit = [&[0, 0, 0, 1][..], &once.to_be_bytes(), &[0; 8], &[0, 1, 0, 0]].concat();
        trak.extend(boxed(b"edts", &full(b"elst", 1, u32::from(plays != Some(1)), &edit)));

        let mut media = [0u8; 16].to_vec();
        media.extend(TIMESCALE.to_be_bytes());
        media.extend(once.to_be_bytes());
        // Language "und".
        media.extend([0x55, 0xc4, 0, 0]);
        let mut information = full(b"vmhd", 0, 1, &[0; 8]);
        let here = full(b"url ", 0, 1, &[]);
        information.extend(boxed(b"dinf", &full(b"dref", 0, 0, &[&[0, 0, 0, 1], &here[..]].concat())));
        information.extend(boxed(b"stbl", &self.table(track, start)));
        let mut mdia = full(b"mdhd", 1, 0, &media);
        mdia.extend(handler(if alpha { b"auxv" } else { b"pict" }));
        mdia.extend(boxed(b"minf", &information));
        trak.extend(boxed(b"mdia", &mdia));
        boxed(b"trak", &trak)
    }

    /// The sample table: one sample a chunk, only the first a key frame.
    fn table(&self, track: &Track, start: u32) -> Vec<u8> {
        let mut runs: Vec<(u32, u32)> = Vec::new();
        for &duration in &self.durations {
            match runs.last_mut() {
                Some((count, same)) if *same == duration => *count += 1,
                _ => runs.push((1, duration)),
            }
        }
        let count = (track.samples.len() as u32).to_be_bytes();
        let mut times = (runs.len() as u32).to_be_bytes().to_vec();
        times.extend(runs.iter().flat_map(|(count, duration)| [count.to_be_bytes(), duration.to_be_bytes()].concat()));
        let mut sizes = [&[0; 4][..], &count].concat();
        sizes.extend(track.samples.iter().flat_map(|(_, length)| length.to_be_bytes()));
        let mut offsets = count.to_vec();
        offsets.extend(track.samples.iter().flat_map(|(offset, _)| (start + offset).to_be_bytes()));

        let mut table = full(b"stsd", 0, 0, &[&[0, 0, 0, 1][..], &self.sample_entry(track)].concat());
        table.extend(full(b"stts", 0, 0, &times));
        table.extend(full(b"stsc", 0, 0, &[1u32, 1, 1, 1].map(u32::to_be_bytes).concat()));
        table.extend(full(b"stsz", 0, 0, &sizes));
        table.extend(full(b"stco", 0, 0, &offsets));
        table.extend(full(b"stss", 0, 0, &[1u32, 1].map(u32::to_be_bytes).concat()));
        table
    }

    fn sample_entry(&self, track: &Track) -> Vec<u8> {
        let mut entry = [0, 0, 0, 0, 0, 0, 0, 1].to_vec();
        entry.extend([0; 16]);
        entry.extend([self.size.0 as u16, self.size.1 as u16].map(u16::to_be_bytes).concat());
        // 72 dots an inch, one frame a sample, no name, 24 bits.
        entry.extend([0, 0x48, 0, 0, 0, 0x48, 0, 0, 0, 0, 0, 0, 0, 1]);
        entry.extend([0; 32]);
        entry.extend([0, 0x18, 0xff, 0xff]);
        entry.extend(track.configuration());
        entry.extend(track.colour_box().unwrap_or_default());
        // Frames may refer to any others, and use intra prediction.
        entry.extend(full(b"ccst", 0, 0, &0x7c00_0000u32.to_be_bytes()));
        if track.coding.colour.is_none() {
            entry.extend(full(b"auxi", 0, 0, ALPHA_URN));
        }
        boxed(b"av01", &entry)
    }
}

impl Track {
    /// `av1C`.
    fn configuration(&self) -> Vec<u8> {
        let TrackCoding { full_chroma, grey, .. } = self.coding;
        let (level, tier) = self.level;
        let flags = tier << 7 | u8::from(grey) << 4 | if full_chroma { 0 } else { 0b1100 };
        boxed(b"av1C", &[0x81, u8::from(full_chroma) << 5 | level, flags, 0])
    }

    /// `colr` with code points.
    fn colour_box(&self) -> Option<Vec<u8>> {
        let (primaries, transfer, matrix) = self.coding.colour?;
        let points = [primaries, transfer, matrix].map(u16::to_be_bytes).concat();
        Some(boxed(b"colr", &[b"nclx", &points[..], &[0x80]].concat()))
    }
}

fn append(data: &mut Vec<u8>, track: &mut Track, unit: &[u8]) -> Result<(), Error> {
    // A sample has no temporal delimiter (AV1-ISOBMFF 2.4).
    let sample = unit.strip_prefix(&[0x12, 0]).unwrap_or(unit);
    if track.samples.is_empty() {
        // Without a header to read it from: the highest, "no limit".
        track.level = level(sample).unwrap_or((31, 0));
    }
    let place = (u32::try_from(data.len()), u32::try_from(sample.len()));
    let (Ok(offset), Ok(length)) = place else { return Err(too_large()) };
    data.try_reserve(sample.len()).map_err(|_| Error::new(Kind::OutOfMemory, "no memory for the AV1 stream"))?;
    data.extend_from_slice(sample);
    track.samples.push((offset, length));
    Ok(())
}

fn too_large() -> Error {
    Error::new(Kind::OutputTooLarge, "an AVIF animation of more than 4 GiB is not written")
}

/// Level and tier of the sequence header that begins a key frame (AV1 specification 5.5.1), for headers without timing.
fn level(sample: &[u8]) -> Option<(u8, u8)> {
    let [head, _length, body @ ..] = sample else { return None };
    // OBU 1 with a length of one byte, which is what a sequence header has.
    if head >> 3 & 15 != 1 {
        return None;
    }
    let bits = |at: usize, count: usize| {
        (at..at + count).try_fold(0u8, |value, bit| Some(value << 1 | body.get(bit / 8)? >> (7 - bit % 8) & 1))
    };
    let reduced = bits(4, 1)? == 1;
    if reduced {
        return Some((bits(5, 5)?, 0));
    }
    // timing_info_present_flag
    if bits(5, 1)? == 1 {
        return None;
    }
    // initial_display_delay_present_flag, operating_points_cnt_minus_1, operating_point_idc of the first.
    let level = bits(5 + 1 + 1 + 5 + 12, 5)?;
    let tier = if level > 7 { bits(5 + 1 + 1 + 5 + 12 + 5, 1)? } else { 0 };
    Some((level, tier))
}

/// A box.
fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, payload].concat()
}

/// A box with version and flags.
fn full(kind: &[u8; 4], version: u8, flags: u32, payload: &[u8]) -> Vec<u8> {
    let head = (u32::from(version) << 24 | flags & 0x00ff_ffff).to_be_bytes();
    boxed(kind, &[&head[..], payload].concat())
}

/// `hdlr`.
fn handler(kind: &[u8; 4]) -> Vec<u8> {
    full(b"hdlr", 0, 0, &[&[0; 4][..], kind, &[0; 13]].concat())
}

/// `infe`, version 2.
fn entry(id: u16, kind: &[u8; 4]) -> Vec<u8> {
    full(b"infe", 2, 0, &[&id.to_be_bytes()[..], &[0, 0], kind, &[0]].concat())
}
