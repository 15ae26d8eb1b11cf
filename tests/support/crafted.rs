//! Files that are made to be expensive for whoever reads their headers. Tests of probes and benches share them.
#![allow(dead_code, clippy::unwrap_used, clippy::indexing_slicing)]

pub fn be32(value: usize) -> [u8; 4] {
    u32::try_from(value).unwrap().to_be_bytes()
}

pub fn be16(value: usize) -> [u8; 2] {
    u16::try_from(value).unwrap().to_be_bytes()
}

/// `head`, and then `part` until the file is full.
pub fn filled(head: &[u8], part: &[u8], length: usize) -> Vec<u8> {
    let mut file = head.to_vec();
    while file.len() + part.len() <= length.max(head.len() + part.len()) {
        file.extend_from_slice(part);
    }
    file
}

pub fn atom(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&be32(data.len() + 8), &kind[..], data].concat()
}

pub fn ftyp(brand: &[u8; 4]) -> Vec<u8> {
    atom(b"ftyp", &[*brand, [0; 4], *brand].concat())
}

/// A HEIC of one `meta` with these boxes behind the primary item's size.
pub fn heic(properties: &[u8], more: &[Vec<u8>]) -> Vec<u8> {
    let ispe = atom(b"ispe", &[[0; 4], be32(9), be32(8)].concat());
    let ipco = atom(b"ipco", &[&ispe, properties].concat());
    let ipma = atom(b"ipma", &[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 1]);
    let iprp = [vec![ipco, ipma], more[1..].to_vec()].concat().concat();
    let meta = [vec![0; 4], atom(b"pitm", &[0, 0, 0, 0, 0, 1]), atom(b"iprp", &iprp), more[0].clone()].concat();
    [ftyp(b"heic"), atom(b"meta", &meta)].concat()
}

/// A reference to items from `first` on.
pub fn reference(kind: &[u8; 4], from: usize, first: usize, count: usize) -> Vec<u8> {
    let to: Vec<u8> = (0..count).flat_map(|item| be16((first + item) % 65_536)).collect();
    atom(kind, &[&be16(from)[..], &be16(count), &to].concat())
}

pub fn references(length: usize, each: usize, kinds: &[(&[u8; 4], usize, usize)]) -> Vec<u8> {
    let mut data = vec![0; 4];
    let mut number = 0;
    while data.len() < length {
        let (kind, from, first) = kinds[number % kinds.len()];
        data.extend(reference(kind, from + if from == 1 { 0 } else { number % 60_000 }, first, each));
        number += 1;
    }
    atom(b"iref", &data)
}

pub fn ipma(length: usize, per_item: usize, number: impl Fn(usize) -> usize) -> Vec<u8> {
    let entries = length / (per_item + 3);
    let mut data = [vec![0; 4], be32(entries).to_vec()].concat();
    for entry in 0..entries {
        data.extend(be16(number(entry) % 65_536));
        data.push(u8::try_from(per_item).unwrap());
        data.extend(vec![2; per_item]);
    }
    atom(b"ipma", &data)
}

pub fn auxc() -> Vec<u8> {
    atom(b"auxC", b"\0\0\0\0urn:mpeg:mpegB:cicp:systems:auxiliary:alphb\0")
}

/// The bits of a JPEG XL, the lowest first.
#[derive(Default)]
pub struct Bits(pub Vec<bool>);

impl Bits {
    pub fn put(mut self, value: u64, count: u32) -> Self {
        self.0.extend((0..count).map(|bit| value >> bit & 1 == 1));
        self
    }

    pub fn pad(mut self) -> Self {
        self.0.resize(self.0.len().next_multiple_of(8), false);
        self
    }

    pub fn bytes(self) -> Vec<u8> {
        let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
        self.pad().0.chunks(8).map(byte).collect()
    }
}

/// The header of an animation of `side` x `side` pixels.
pub fn jxl(side: u64) -> Bits {
    let size = |bits: Bits| bits.put(0, 1).put(3, 2).put(side - 1, 30).put(1, 3);
    let bits = size(Bits::default().put(0x0aff, 16));
    // Not by default; extra fields: orientation, no size, no preview, an animation of 100 ticks a second.
    let bits = bits.put(0, 1).put(1, 1).put(0, 3).put(0, 2).put(1, 1).put(0, 2).put(0, 2).put(0, 2).put(0, 1);
    // Eight bits, no extra channels, XYB, colours by default, tone mapping by default, no extensions, the rest by default.
    bits.put(0, 1).put(0, 2).put(1, 1).put(0, 2).put(1, 1).put(1, 1).put(1, 1).put(0, 2).put(1, 1)
}

/// The header of a frame of an animation that is not the last.
pub fn jxl_frame(bits: Bits, permuted: bool) -> Bits {
    // Not by default, regular, VarDCT, no flags, no upsampling, two scales, one pass.
    let bits = bits.pad().put(0, 1).put(0, 2).put(0, 1).put(0, 2).put(0, 2).put(3, 3).put(2, 3).put(0, 2);
    // No crop, replaces, lasts one tick, is not the last, is no reference; no name, filters and extensions by default.
    let bits = bits.put(0, 1).put(0, 2).put(1, 2).put(0, 1).put(0, 2).put(0, 2).put(1, 1).put(0, 2);
    bits.put(permuted.into(), 1)
}

/// A HEIC of so many bytes of references from item to item.
pub fn heic_of_references(length: usize) -> Vec<u8> {
    heic(&auxc(), &[references(length, 1, &[(b"dimg", 1, 100), (b"auxl", 2, 60_000)])])
}

/// A JPEG XL of so many bytes of a permuted table of contents.
pub fn jxl_of_permutations(length: usize) -> Vec<u8> {
    filled(&jxl_frame(jxl(60_000), true).bytes(), b"\x5a", length)
}
