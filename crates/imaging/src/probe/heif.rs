//! HEIF and AVIF: the boxes that tell size, depth and alpha (ISO/IEC 14496-12, 23008-12; AV1-ISOBMFF).
//!
//! The size is that of the primary item after its cropping and rotation, which is what the decoder gives. A file that says
//! that it is a sequence, or has nothing else, is its first visual track, as browsers have it.

use std::collections::{HashMap, HashSet};

use super::boxes::{ALPHA, Atom, atom, atoms, coding, full};
use super::bytes::{be16, be32, byte, slice};
use super::track::{self, Track};
use super::{Header, av1, corrupt, steps};
use crate::error::Error;
use crate::plan::{Format, Source};

const AVIF_BRANDS: [&[u8]; 3] = [b"avif", b"avis", b"avio"];
const HEIF_BRANDS: [&[u8]; 15] = [
    b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"mif2", b"mif3", b"msf1",
    b"jpeg", b"vvic", b"unif",
];

/// Brands that are looked at; files have a handful.
const MOST_BRANDS: usize = 256;

/// The format by the brands of `ftyp`.
pub(super) fn format(bytes: &[u8]) -> Option<Format> {
    let ftyp = atoms(bytes).next().filter(|atom| &atom.kind == b"ftyp")?.data;
    let all = || ftyp.get(..4).into_iter().chain(ftyp.get(8..).unwrap_or_default().chunks_exact(4));
    let brands = || all().take(MOST_BRANDS);
    steps::take(MOST_BRANDS)?;
    if brands().any(|brand| AVIF_BRANDS.contains(&brand)) {
        Some(Format::Avif)
    } else if brands().any(|brand| HEIF_BRANDS.contains(&brand)) {
        Some(Format::Heif)
    } else {
        None
    }
}

/// The brands by which a file says that it is a sequence first, and a still picture for those who cannot show it.
const SEQUENCE_BRANDS: [&[u8]; 5] = [b"avis", b"msf1", b"hevc", b"hevx", b"hevs"];

/// The track to show, if it is not the primary item that is to be shown.
pub(crate) fn sequence(bytes: &[u8]) -> Option<Track<'_>> {
    let track = track::first(atom(bytes, b"moov")?)?;
    let ftyp = atoms(bytes).next()?.data;
    let says = track.frames() > 1 && ftyp.get(..4).is_some_and(|major| SEQUENCE_BRANDS.contains(&major));
    (says || atom(bytes, b"meta").is_none()).then_some(track)
}

/// Where the type of the box of items (`meta`) lies in the file.
pub(crate) fn items(bytes: &[u8]) -> Option<usize> {
    let meta = atom(bytes, b"meta")?;
    let at = meta.as_ptr().addr().checked_sub(bytes.as_ptr().addr())?;
    // In front of the type there is a length, or behind it the same in 64 bits.
    [4usize, 12].iter().find_map(|before| {
        let at = at.checked_sub(*before)?;
        (bytes.get(at..at.checked_add(4)?)? == b"meta").then_some(at)
    })
}

/// A rectangle that the container keeps of the coded picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CleanAperture {
    /// Where in the file the payload of the `clap` box lies.
    pub at: usize,
    /// The coded size, before any transformation.
    pub coded: (u32, u32),
    /// The whole picture's size after all transformations but this.
    pub whole: (u32, u32),
    /// The rectangle's corner in it; its size is the header's.
    pub corner: (u32, u32),
}

/// The crop of the primary item, if it keeps less than the whole.
pub(crate) fn crop(bytes: &[u8]) -> Option<CleanAperture> {
    let mut crop = item(atom(bytes, b"meta")?)?.crop?;
    // So far it is an address; the slices are all parts of `bytes`.
    crop.at = crop.at.checked_sub(bytes.as_ptr().addr())?;
    Some(crop)
}

/// Whether the primary item has an alpha that keeps to the range of video (16 to 235, of 8 bits), which no decoder undoes.
pub(crate) fn alpha_is_limited(bytes: &[u8]) -> bool {
    atom(bytes, b"meta").and_then(item).is_some_and(|facts| facts.alpha_limited)
}

/// What is known of a picture before decoding.
#[derive(Debug, Clone, Copy)]
struct Facts {
    width: u32,
    height: u32,
    crop: Option<CleanAperture>,
    depth: u8,
    grey: bool,
    alpha: bool,
    /// Whether its alpha keeps to the range of video.
    alpha_limited: bool,
}

/// Reads the header of a HEIF or AVIF.
pub(super) fn probe(bytes: &[u8], format: Format) -> Result<Header, Error> {
    // The primary picture may lie in the part that is there; the file is damaged all the same.
    if atoms(bytes).any(|atom| &atom.kind == b"mdat" && !atom.whole) {
        return Err(corrupt(format, "it ends before its data does"));
    }
    if let Some(track) = sequence(bytes) {
        return Ok(track.header(format));
    }
    let facts = match (atom(bytes, b"meta"), atom(bytes, b"moov"), atom(bytes, b"mini")) {
        (Some(meta), ..) => item(meta).ok_or("its primary item has no size"),
        (None, Some(_), _) => Err("it has no visual track"),
        (None, None, Some(_)) => {
            return Err(super::unsupported(format, "it has the low-overhead header (`mini`)"));
        }
        (None, None, None) => Err("it has neither a `meta` nor a `moov` box"),
    };
    let facts = facts.map_err(|what| corrupt(format, what))?;
    let colours = if facts.grey { 1 } else { 3 };
    Ok(Header {
        source: Source {
            format,
            width: facts.width,
            height: facts.height,
            orientation: 1,
            frames: 1,
            alpha: facts.alpha,
        },
        depth: facts.depth,
        channels: colours + u8::from(facts.alpha),
        progressive: false,
        quality: None,
    })
}

/// The brightest light of the primary item, in cd/m²: of its pixels (`clli`), or else of the display that it was graded on
/// (`mdcv`); `None` where the file does not say.
pub(crate) fn brightest(bytes: &[u8]) -> Option<f32> {
    let (_, _, meta) = full(atom(bytes, b"meta")?)?;
    let primary = primary(meta)?;
    let iprp = atom(meta, b"iprp")?;
    let all: Vec<Atom<'_>> = atoms(atom(iprp, b"ipco")?).collect();
    let ours = properties(iprp, &all, primary);
    let of = |kind: &[u8; 4]| ours.iter().find(|property| &property.kind == kind).map(|property| property.data);
    let pixels = of(b"clli").and_then(|clli| be16(clli, 0)).filter(|light| *light > 0);
    // In steps of 0.0001 cd/m², behind four chromaticities.
    let display = || of(b"mdcv").and_then(|mdcv| be32(mdcv, 16)).filter(|light| *light > 0);
    pixels.map(f32::from).or_else(|| display().map(|light| light as f32 / 10_000.0))
}

fn primary(meta: &[u8]) -> Option<u32> {
    let (version, _, pitm) = full(atom(meta, b"pitm")?)?;
    if version == 0 { be16(pitm, 0).map(u32::from) } else { be32(pitm, 0) }
}

/// Properties of one item.
const MOST_PROPERTIES: usize = 255;
/// Entries of all `ipma` boxes.
const MOST_ENTRIES: usize = 1 << 16;
/// Tiles of a grid; the decoder takes no more.
const MOST_TILES: usize = 1 << 14;
/// Items that auxiliary ones belong to, all of them together.
const MOST_OWNERS: usize = 1 << 16;

/// Those of all properties that an item has.
fn properties<'a, 'b>(iprp: &[u8], all: &'a [Atom<'b>], item: u32) -> Vec<&'a Atom<'b>> {
    let mut indices = Vec::new();
    associations(iprp, |id, list| {
        if id == item {
            indices.extend(list.take(MOST_PROPERTIES.saturating_sub(indices.len())));
        }
        // One entry is what an item has, in each of the boxes.
        id == item
    });
    // Index 0 is "no property", which the subtraction refuses.
    indices.into_iter().filter_map(|index| all.get(index.checked_sub(1)?)).collect()
}

/// The primary item of a `meta` box.
///
/// Each table is walked through once for all that is sought in it: an item that belongs to every other is as cheap as any.
fn item(meta: &[u8]) -> Option<Facts> {
    let (_, _, meta) = full(meta)?;
    let primary = primary(meta)?;
    let iprp = atom(meta, b"iprp")?;
    let all: Vec<Atom<'_>> = atoms(atom(iprp, b"ipco")?).collect();
    let mut facts = sized(&properties(iprp, &all, primary))?;
    let Some(iref) = atom(meta, b"iref") else { return Some(facts) };
    if let Some(limited) = alpha(iref, iprp, &all, primary) {
        (facts.alpha, facts.alpha_limited) = (true, limited);
    }
    Some(facts)
}

/// Whether an item has an alpha, and if so, whether that keeps to the range of video.
fn alpha(iref: &[u8], iprp: &[u8], all: &[Atom<'_>], primary: u32) -> Option<bool> {
    // A grid may leave it to its tiles to have alpha.
    let tiles = references(iref).filter(|link| &link.kind == b"dimg" && link.from == primary);
    let mut ours = HashSet::from([primary]);
    ours.extend(tiles.flat_map(Link::into_items).take(MOST_TILES));
    // In the order of the file, of which the first counts.
    let mut auxiliaries = Vec::new();
    let mut left = MOST_OWNERS;
    for link in references(iref).filter(|link| &link.kind == b"auxl") {
        let (from, most) = (link.from, left);
        let of_ours = |item: u32| {
            left = left.saturating_sub(1);
            ours.contains(&item)
        };
        if link.into_items().take(most).any(of_ours) {
            auxiliaries.push(from);
        }
    }
    /// What is known of an auxiliary item by its properties.
    #[derive(Default)]
    struct Auxiliary {
        alpha: bool,
        /// The first `av1C`.
        configuration: Option<usize>,
    }
    let names: Vec<bool> = all.iter().map(is_alpha).collect();
    let mut known: HashMap<u32, Auxiliary> = auxiliaries.iter().map(|item| (*item, Auxiliary::default())).collect();
    associations(iprp, |id, list| {
        let Some(known) = known.get_mut(&id) else { return false };
        for index in list.filter_map(|index| index.checked_sub(1)) {
            known.alpha |= names.get(index).copied().unwrap_or_default();
            let configures = || all.get(index).is_some_and(|property| &property.kind == b"av1C");
            if known.configuration.is_none() && configures() {
                known.configuration = Some(index);
            }
        }
        false
    });
    let first = auxiliaries.iter().filter_map(|item| known.get(item)).find(|known| known.alpha)?;
    let av1c = first.configuration.and_then(|index| all.get(index));
    Some(av1c.and_then(|property| av1::is_limited(property.data)).unwrap_or_default())
}

/// Whether a property says that its item is somebody's alpha.
fn is_alpha(property: &Atom<'_>) -> bool {
    let name = property.data.get(4..).filter(|_| &property.kind == b"auxC");
    name.is_some_and(|urn| ALPHA.iter().any(|name| urn.starts_with(name)))
}

/// Reads size and depth from an item's properties; transformations count in their order.
fn sized(properties: &[&Atom<'_>]) -> Option<Facts> {
    // Some writers list the transformations before the size that they change.
    let ispe = properties.iter().find(|property| &property.kind == b"ispe")?.data;
    let (width, height) = (be32(ispe, 4)?, be32(ispe, 8)?);
    let mut facts = Facts { width, height, crop: None, depth: 8, grey: false, alpha: false, alpha_limited: false };
    let mut frame = Canvas { whole: (width, height), left: 0, top: 0, width, height, at: None };
    let mut pixi = false;
    for Atom { kind, data, .. } in properties.iter().copied() {
        steps::take(1)?;
        match kind {
            b"irot" => frame.turn(*data.first()? & 3),
            b"imir" => frame.mirror(*data.first()? & 1 == 1),
            b"clap" => frame.cut(data)?,
            b"pixi" => {
                let (count, depths) = data.get(4..)?.split_first()?;
                facts.depth = *depths.first()?;
                facts.grey = *count == 1;
                pixi = true;
            }
            b"av1C" | b"hvcC" if !pixi => (facts.depth, facts.grey) = coding(kind, data)?,
            _ => {}
        }
    }
    (facts.width, facts.height) = (frame.width, frame.height);
    facts.crop = frame.at.filter(|_| frame.whole != (frame.width, frame.height)).map(|at| CleanAperture {
        at,
        coded: (width, height),
        whole: frame.whole,
        corner: (frame.left, frame.top),
    });
    facts.depth = facts.depth.clamp(1, 16);
    Some(facts)
}

/// A picture under its transformations: its whole size, and the rectangle of it that is kept.
struct Canvas {
    whole: (u32, u32),
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    /// The address of the payload of the `clap` box.
    at: Option<usize>,
}

impl Canvas {
    /// Turns by quarters, anticlockwise.
    fn turn(&mut self, quarters: u8) {
        for _ in 0..quarters {
            (self.left, self.top) = (self.top, self.whole.0.saturating_sub(self.left).saturating_sub(self.width));
            (self.width, self.height) = (self.height, self.width);
            self.whole = (self.whole.1, self.whole.0);
        }
    }

    /// Swaps left and right, or top and bottom.
    fn mirror(&mut self, sideways: bool) {
        if sideways {
            self.left = self.whole.0.saturating_sub(self.left).saturating_sub(self.width);
        } else {
            self.top = self.whole.1.saturating_sub(self.top).saturating_sub(self.height);
        }
    }

    /// Keeps the clean aperture: its size as fractions, and how far its middle is from the picture's. `None` if it is
    /// empty, or the second of its kind.
    fn cut(&mut self, data: &[u8]) -> Option<()> {
        let fraction = |at: usize| {
            let (over, under) = (be32(data, at)?.cast_signed(), be32(data, at.checked_add(4)?)?.cast_signed());
            (under != 0).then(|| f64::from(over) / f64::from(under))
        };
        let (wide, high, right, down) = (fraction(0)?, fraction(8)?, fraction(16)?, fraction(24)?);
        // Casts of floats saturate.
        let span = |start: f64, length: f64, whole: u32| {
            let end = (start + length - 1.0).round().min(f64::from(whole) - 1.0);
            let start = start.max(0.0);
            (end >= start).then(|| (start as u32, (end - start) as u32 + 1))
        };
        // Which way halves are rounded is libheif's choice, whose result this must match.
        let left = (right + (f64::from(self.whole.0) - 1.0) / 2.0 - (wide - 1.0) / 2.0).floor();
        let top = (down + (f64::from(self.whole.1) - 1.0) / 2.0 - (high - 1.0) / 2.0).round();
        self.at.is_none().then_some(())?;
        (self.left, self.width) = span(left, wide, self.whole.0)?;
        (self.top, self.height) = span(top, high, self.whole.1)?;
        self.at = Some(data.as_ptr().addr());
        Some(())
    }
}

/// Goes through the entries of the `ipma` boxes: an item, and the indices (from 1) of properties that are associated with it.
/// True ends a box, as does its damage.
fn associations<'a>(iprp: &'a [u8], mut entry: impl FnMut(u32, Indices<'a>) -> bool) {
    let mut left = MOST_ENTRIES;
    for ipma in atoms(iprp).filter(|atom| &atom.kind == b"ipma") {
        let _ = entries(ipma.data, &mut left, &mut entry);
    }
}

fn entries<'a>(ipma: &'a [u8], left: &mut usize, entry: &mut impl FnMut(u32, Indices<'a>) -> bool) -> Option<()> {
    let (version, flags, data) = full(ipma)?;
    let mut at = 4usize;
    for _ in 0..be32(data, 0)? {
        *left = left.checked_sub(1)?;
        let id = if version < 1 { be16(data, at)?.into() } else { be32(data, at)? };
        at = at.checked_add(if version < 1 { 2 } else { 4 })?;
        let count = usize::from(byte(data, at)?);
        at = at.checked_add(1)?;
        let wide = flags & 1 == 1;
        let list = slice(data, at, count.checked_mul(if wide { 2 } else { 1 })?)?;
        steps::take(count)?;
        if entry(id, Indices { list, wide }) {
            return Some(());
        }
        at = at.checked_add(list.len())?;
    }
    Some(())
}

/// The indices of an entry.
struct Indices<'a> {
    list: &'a [u8],
    /// Of two bytes; their first bit says something else.
    wide: bool,
}

impl Iterator for Indices<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let (index, rest) = match self.list {
            [high, low, rest @ ..] if self.wide => (usize::from(u16::from_be_bytes([high & 0x7f, *low])), rest),
            [index, rest @ ..] if !self.wide => (usize::from(index & 0x7f), rest),
            _ => return None,
        };
        self.list = rest;
        Some(index)
    }
}

/// A reference from one item to others.
struct Link<'a> {
    kind: [u8; 4],
    from: u32,
    /// Bytes of an item's number.
    size: usize,
    list: &'a [u8],
}

impl<'a> Link<'a> {
    /// The items that it leads to.
    fn into_items(self) -> impl Iterator<Item = u32> + use<'a> {
        self.list.chunks_exact(self.size).map_while(|id| {
            steps::take(1)?;
            Some(id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte)))
        })
    }
}

/// The references of an `iref` box.
fn references(iref: &[u8]) -> impl Iterator<Item = Link<'_>> {
    let (version, _, data) = full(iref).unwrap_or_default();
    let size = if version == 0 { 2 } else { 4 };
    atoms(data).filter_map(move |atom| {
        let id = |at| if version == 0 { be16(atom.data, at).map(u32::from) } else { be32(atom.data, at) };
        let from = id(0)?;
        let count = usize::from(be16(atom.data, size)?);
        let list = atom.data.get(size.checked_add(2)?..)?;
        let list = list.get(..count.checked_mul(size)?).unwrap_or(list);
        Some(Link { kind: atom.kind, from, size, list })
    })
}
