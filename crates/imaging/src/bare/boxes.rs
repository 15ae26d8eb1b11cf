//! HEIF and AVIF (ISO/IEC 14496-12, 23008-12): places in the file are written all over it, so that nothing can be taken out. A
//! file stands as it is where every byte of it is known to belong to the picture, and has no bare form otherwise: a box that
//! nobody has heard of, an item that the primary one does not need, a name, data that no item refers to.
//!
//! Sequences have none: their boxes hold times and names of many kinds.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::super::probe::boxes::ALPHA;
use super::super::probe::bytes::{be16, be32, be64, slice};

/// Names that writers give on their own: of the handler, and of items.
const NAMES: [&[u8]; 5] = [b"", b"\0", b"libavif\0", b"Color\0", b"Alpha\0"];

/// Pictures: coded, and made of others.
const ITEMS: [&[u8]; 5] = [b"av01", b"hvc1", b"grid", b"iovl", b"iden"];

/// Properties, and the most bytes that each can have: what says how pixels are coded and shown.
#[rustfmt::skip]
const PROPERTIES: [(&[u8; 4], usize); 14] = [
    (b"ispe", 12), (b"pixi", 21), (b"pasp", 8), (b"irot", 1), (b"imir", 1), (b"clap", 32), (b"clli", 4), (b"mdcv", 24), (b"a1op", 1),
    (b"a1lx", 13), (b"lsel", 2), (b"colr", usize::MAX), (b"av1C", usize::MAX), (b"hvcC", usize::MAX),
];

pub(super) fn strip(source: &[u8], exif: Option<&[u8]>, out: &mut Vec<u8>) -> Option<()> {
    exif.is_none().then_some(())?;
    tells_nothing(source)?;
    out.extend_from_slice(source);
    Some(())
}

/// A box: its type, and where in the file its payload lies.
type Place = ([u8; 4], Range<usize>);

fn tells_nothing(file: &[u8]) -> Option<()> {
    let (mut meta, mut data) = (None, Vec::new());
    let boxes = children(file, 0..file.len())?;
    for (number, (kind, place)) in boxes.into_iter().enumerate() {
        match &kind {
            // Two numbers, and brands.
            b"ftyp" if number == 0 => {}
            b"meta" if meta.is_none() => meta = Some(place),
            b"mdat" => data.push(place),
            _ => return None,
        }
    }
    items(file, meta?, data)
}

fn items(file: &[u8], meta: Range<usize>, mut data: Vec<Range<usize>>) -> Option<()> {
    let (mut primary, mut known, mut links, mut extents) = (None, HashSet::new(), Vec::new(), None);
    let mut own = Vec::new();
    for (kind, place) in children(file, behind(&meta, 4)?)? {
        let bytes = file.get(place.clone())?;
        let version = *bytes.first().unwrap_or(&0);
        match &kind {
            // The handler, twelve bytes of nothing, a name.
            b"hdlr" => {
                (slice(bytes, 8, 4)? == b"pict" && slice(bytes, 12, 12)? == [0; 12]).then_some(())?;
                NAMES.contains(&bytes.get(24..)?).then_some(())?;
            }
            b"pitm" => primary = Some(number(bytes, &mut 4, if version == 0 { 2 } else { 4 })?),
            b"iinf" => {
                for (kind, place) in children(file, behind(&place, if version == 0 { 6 } else { 8 })?)? {
                    (&kind == b"infe").then_some(())?;
                    known.insert(item(file.get(place)?)?);
                }
            }
            b"iref" => {
                let width = if version == 0 { 2 } else { 4 };
                for (kind, place) in children(file, behind(&place, 4)?)? {
                    links.push(link(kind, file.get(place)?, width)?);
                }
            }
            b"iprp" => properties(file, place)?,
            b"iloc" => extents = Some(locations(bytes)?),
            b"idat" => own.push(place),
            b"dinf" => {
                // That data lies in this file.
                let here = b"\0\0\0\x1cdref\0\0\0\0\0\0\0\x01\0\0\0\x0curl \0\0\0\x01";
                (bytes == here).then_some(())?;
            }
            _ => return None,
        }
    }
    (needed(primary?, &links) == known).then_some(())?;
    let base = own.first().map_or(0, |place| place.start);
    (own.len() < 2).then_some(())?;
    let mut used = Vec::new();
    for Extent { item, inside, place } in extents? {
        known.contains(&item).then_some(())?;
        let moved = if inside { base } else { 0 };
        used.push(place.start.checked_add(moved)?..place.end.checked_add(moved)?);
    }
    data.extend(own);
    (joined(used) == joined(data)).then_some(())
}

/// The number of an item that is a picture without a name of its own.
fn item(infe: &[u8]) -> Option<u32> {
    let mut at = 4;
    let id = number(
        infe,
        &mut at,
        match infe.first()? {
            2 => 2,
            3 => 4,
            _ => return None,
        },
    )?;
    // Not protected.
    (number(infe, &mut at, 2)? == 0).then_some(())?;
    let kind = slice(infe, at, 4)?;
    (ITEMS.contains(&kind) && NAMES.contains(&infe.get(at.checked_add(4)?..)?)).then_some(id)
}

/// A reference from one item to others, read the way in which one needs the other: alpha is needed by what it belongs to.
fn link(kind: [u8; 4], bytes: &[u8], width: usize) -> Option<Vec<(u32, u32)>> {
    let mut at = 0;
    let from = number(bytes, &mut at, width)?;
    let count = number(bytes, &mut at, 2)?;
    let mut links = Vec::new();
    for _ in 0..count {
        let to = number(bytes, &mut at, width)?;
        links.push(match &kind {
            b"dimg" => (from, to),
            b"auxl" => (to, from),
            // That colours are multiplied by an alpha.
            b"prem" => continue,
            // Thumbnails, descriptions, and what is not known.
            _ => return None,
        });
    }
    (at == bytes.len()).then_some(links)
}

/// The primary item, and whatever it needs.
fn needed(primary: u32, links: &[Vec<(u32, u32)>]) -> HashSet<u32> {
    let mut ways: HashMap<u32, Vec<u32>> = HashMap::new();
    for (from, to) in links.iter().flatten() {
        ways.entry(*from).or_default().push(*to);
    }
    let (mut found, mut next) = (HashSet::from([primary]), vec![primary]);
    while let Some(item) = next.pop() {
        for to in ways.get(&item).into_iter().flatten() {
            if found.insert(*to) {
                next.push(*to);
            }
        }
    }
    found
}

fn properties(file: &[u8], iprp: Range<usize>) -> Option<()> {
    for (kind, place) in children(file, iprp)? {
        match &kind {
            b"ipco" => {
                for (kind, place) in children(file, place)? {
                    let bytes = file.get(place)?;
                    let known = PROPERTIES.iter().find(|(name, _)| **name == kind);
                    match known {
                        Some((_, most)) => (bytes.len() <= *most).then_some(())?,
                        // Of auxiliary pictures alpha alone: depth tells more than the picture.
                        None => (&kind == b"auxC" && is_alpha(bytes.get(4..)?)).then_some(())?,
                    }
                }
            }
            // Numbers.
            b"ipma" => {}
            _ => return None,
        }
    }
    Some(())
}

fn is_alpha(urn: &[u8]) -> bool {
    urn.split_last().is_some_and(|(end, urn)| *end == 0 && ALPHA.contains(&urn))
}

/// A part of an item's data.
struct Extent {
    item: u32,
    /// Whether its place is told from the beginning of `idat`.
    inside: bool,
    place: Range<usize>,
}

fn locations(iloc: &[u8]) -> Option<Vec<Extent>> {
    let version = *iloc.first()?;
    let (sizes, more) = (*iloc.get(4)?, *iloc.get(5)?);
    let [offset, length, base] = [sizes >> 4, sizes & 15, more >> 4].map(usize::from);
    let index = if version == 0 { 0 } else { usize::from(more & 15) };
    let width = if version < 2 { 2 } else { 4 };
    let mut at = 6;
    let mut all = Vec::new();
    for _ in 0..number(iloc, &mut at, width)? {
        let item = number(iloc, &mut at, width)?;
        let inside = match if version == 0 { 0 } else { number(iloc, &mut at, 2)? & 15 } {
            0 => false,
            1 => true,
            _ => return None,
        };
        // In this file.
        (number(iloc, &mut at, 2)? == 0).then_some(())?;
        let base = wide(iloc, &mut at, base)?;
        for _ in 0..number(iloc, &mut at, 2)? {
            wide(iloc, &mut at, index)?;
            let start = base.checked_add(wide(iloc, &mut at, offset)?)?;
            let length = wide(iloc, &mut at, length)?;
            // None at all, which is all of the file.
            (length > 0).then_some(())?;
            all.push(Extent { item, inside, place: start..start.checked_add(length)? });
        }
    }
    (at == iloc.len()).then_some(all)
}

/// Ranges in order, those that touch as one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => all.push(range),
        }
    }
    all
}

/// The boxes side by side in a part of the file; `None` unless they fill it.
fn children(file: &[u8], part: Range<usize>) -> Option<Vec<Place>> {
    let mut all = Vec::new();
    let mut at = part.start;
    while at < part.end {
        let kind = slice(file, at.checked_add(4)?, 4)?.try_into().ok()?;
        let (head, length) = match be32(file, at)? {
            0 => (8, part.end.checked_sub(at)?),
            1 => (16, usize::try_from(be64(file, at.checked_add(8)?)?).ok()?),
            length => (8, length as usize),
        };
        let (start, end) = (at.checked_add(head)?, at.checked_add(length)?);
        (start <= end && end <= part.end).then_some(())?;
        all.push((kind, start..end));
        at = end;
    }
    Some(all)
}

/// A part without its first bytes.
fn behind(part: &Range<usize>, bytes: usize) -> Option<Range<usize>> {
    let start = part.start.checked_add(bytes)?;
    (start <= part.end).then_some(start..part.end)
}

/// A number of two or four bytes.
fn number(bytes: &[u8], at: &mut usize, width: usize) -> Option<u32> {
    let value = if width == 2 { be16(bytes, *at)?.into() } else { be32(bytes, *at)? };
    *at = at.checked_add(width)?;
    Some(value)
}

/// A number of so many bytes: 0 (there is none), 4 or 8.
fn wide(bytes: &[u8], at: &mut usize, width: usize) -> Option<usize> {
    let value = match width {
        0 => 0,
        4 => be32(bytes, *at)?.into(),
        8 => be64(bytes, *at)?,
        _ => return None,
    };
    *at = at.checked_add(width)?;
    usize::try_from(value).ok()
}
