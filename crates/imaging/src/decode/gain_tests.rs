//! Gain maps (ISO 21496-1 and its forerunners): the base picture is what comes out, whatever lies beside it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::hdr_tests::{decode_as, say, written};
use super::*;
use crate::picture::Channels;
use crate::policy::Gamut;

/// A gradient in colours, and something else in grey that is to be its gain map.
fn pictures() -> (Pixels, Pixels) {
    let base = (0..48u32 * 32).flat_map(|at| [(at % 48 * 5) as u8, (at / 48 * 7) as u8, 90]).collect();
    let gain = (0..24u32 * 16).flat_map(|at| [(at % 7 * 30) as u8; 3]).collect();
    (Pixels::new(48, 32, Channels::Rgb, base).unwrap(), Pixels::new(24, 16, Channels::Rgb, gain).unwrap())
}

/// The result is the base picture: size, one frame, no alpha, and every pixel.
fn is_the_base(bytes: &[u8], alone: &[u8], what: &str) {
    let (header, got, metadata) = decode_as(bytes, Gamut::Srgb);
    let (_, want, _) = decode_as(alone, Gamut::Srgb);
    assert_eq!((header.source.width, header.source.height, header.source.frames), (48, 32, 1), "{what}");
    assert!(!header.source.alpha && got.channels() == Channels::Rgb && metadata.animation.is_none(), "{what}");
    assert_eq!(got.data(), want.data(), "{what}");
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat()
}

/// Ultra HDR: the gain map is a second JPEG behind the first, which a multi-picture index points at.
#[test]
fn ultra_hdr_jpeg() {
    let (base, gain) = pictures();
    let (base, gain) = (written(base, Format::Jpeg, false), written(gain, Format::Jpeg, false));
    let xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description xmlns:hdrgm='http://ns.adobe.com/hdr-gain-map/1.0/' hdrgm:Version='1.0'/></rdf:RDF></x:xmpmeta>";
    // TIFF, version, number of pictures, and an entry for each: attributes, size, offset from the TIFF header.
    let index = |first: u32, second: u32| {
        let mut mpf = b"MPF\0MM\0*\0\0\0\x08\0\x03".to_vec();
        mpf.extend(b"\xb0\0\0\x07\0\0\0\x040100");
        mpf.extend(b"\xb0\x01\0\x04\0\0\0\x01\0\0\0\x02");
        mpf.extend(b"\xb0\x02\0\x07\0\0\0\x20\0\0\0\x32\0\0\0\0");
        mpf.extend(0x0003_0000u32.to_be_bytes());
        mpf.extend(first.to_be_bytes());
        mpf.extend([0; 8]);
        mpf.extend([0; 4]);
        mpf.extend((gain.len() as u32).to_be_bytes());
        mpf.extend(second.to_be_bytes());
        mpf.extend([0; 4]);
        segment(0xe2, &mpf)
    };
    let mut bytes = base.clone();
    let app1 = segment(0xe1, xmp);
    let length = (base.len() + app1.len() + index(0, 0).len()) as u32;
    let at = 2 + app1.len() as u32 + 8;
    bytes.splice(2..2, [app1, index(length, length - at)].concat());
    assert_eq!(bytes.len() as u32, length);
    bytes.extend_from_slice(&gain);
    is_the_base(&bytes, &base, "Ultra HDR");
}

fn boxed(kind: &[u8; 4], payload: &[u8]) -> Vec<u8> {
    [&(payload.len() as u32 + 8).to_be_bytes()[..], kind, payload].concat()
}

fn full(kind: &[u8; 4], flags: u32, payload: &[u8]) -> Vec<u8> {
    boxed(kind, &[&flags.to_be_bytes()[..], payload].concat())
}

/// A box of a file, wherever it lies.
fn found<'a>(file: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    let at = file.windows(4).position(|window| window == kind).unwrap() - 4;
    let length = u32::from_be_bytes(file[at..at + 4].try_into().unwrap()) as usize;
    &file[at..at + length]
}

/// An item: its type, whether it is hidden, its data, its properties.
type Item = ([u8; 4], bool, Vec<u8>, Vec<Vec<u8>>);

/// An AVIF of these items, of which the first is the primary one.
fn container(items: &[Item], links: &[u8], groups: &[u8]) -> Vec<u8> {
    let mut infos = (items.len() as u16).to_be_bytes().to_vec();
    let (mut all, mut associations) = (Vec::new(), (items.len() as u32).to_be_bytes().to_vec());
    let mut number = 0u8;
    for ((kind, hidden, _, properties), id) in items.iter().zip(1u16..) {
        infos.extend(boxed(
            b"infe",
            &[&[2, 0, 0, u8::from(*hidden)][..], &id.to_be_bytes(), &[0, 0], kind, &[0]].concat(),
        ));
        associations.extend(id.to_be_bytes());
        associations.push(properties.len() as u8);
        for property in properties {
            number += 1;
            all.extend_from_slice(property);
            associations.push(number);
        }
    }
    let meta = |start: u32| {
        let mut places = [&[0x44, 0][..], &(items.len() as u16).to_be_bytes()].concat();
        let mut at = start;
        for ((_, _, data, _), id) in items.iter().zip(1u16..) {
            places.extend(
                [&id.to_be_bytes()[..], &[0, 0, 0, 1], &at.to_be_bytes(), &(data.len() as u32).to_be_bytes()].concat(),
            );
            at += data.len() as u32;
        }
        let mut meta = full(b"hdlr", 0, &[&[0; 4][..], b"pict", &[0; 13]].concat());
        meta.extend(full(b"pitm", 0, &[0, 1]));
        meta.extend(full(b"iloc", 0, &places));
        meta.extend(full(b"iinf", 0, &infos));
        meta.extend(full(b"iref", 0, links));
        meta.extend(boxed(b"iprp", &[boxed(b"ipco", &all), full(b"ipma", 0, &associations)].concat()));
        meta.extend_from_slice(groups);
        full(b"meta", 0, &meta)
    };
    let head = boxed(b"ftyp", b"avif\0\0\0\0avifmif1miafMA1Atmap");
    let start = head.len() + meta(0).len() + 8;
    let data: Vec<u8> = items.iter().flat_map(|(_, _, data, _)| data.clone()).collect();
    [head, meta(start as u32), boxed(b"mdat", &data)].concat()
}

fn item(picture: Pixels, extra: &[Vec<u8>]) -> Item {
    let file = written(picture, Format::Avif, true);
    let mut properties: Vec<Vec<u8>> =
        [b"ispe", b"av1C", b"colr"].iter().map(|kind| found(&file, kind).to_vec()).collect();
    properties.push(full(b"pixi", 0, &[3, 8, 8, 8]));
    properties.extend_from_slice(extra);
    (*b"av01", false, found(&file, b"mdat")[8..].to_vec(), properties)
}

fn link(kind: &[u8; 4], from: u16, to: &[u16]) -> Vec<u8> {
    let ids = [&[from, to.len() as u16], to].concat();
    boxed(kind, &ids.iter().flat_map(|id| id.to_be_bytes()).collect::<Vec<u8>>())
}

/// ISO 21496-1: a derived item of both pictures, as an alternative to the base that older readers pass over.
#[test]
fn tone_mapped_derivation() {
    let (base, gain) = pictures();
    let alone = written(base.clone(), Format::Avif, true);
    let mut gain = item(gain, &[]);
    gain.1 = true;
    let size = full(b"ispe", 0, &[48u32.to_be_bytes(), 32u32.to_be_bytes()].concat());
    // What the derivation holds is of no concern to who does not apply it.
    let derived = (*b"tmap", false, vec![0; 62], vec![size]);
    let groups = boxed(b"grpl", &full(b"altr", 0, &[7u32, 2, 3, 1].map(u32::to_be_bytes).concat()));
    let bytes = container(&[item(base, &[]), gain, derived], &link(b"dimg", 3, &[1, 2]), &groups);
    is_the_base(&bytes, &alone, "tmap");
}

/// The same the other way around: the base is bright, and the map would make it fit for other screens. It is tone-mapped as
/// any bright picture is.
#[test]
fn tone_mapped_derivation_of_a_bright_base() {
    let (base, gain) = pictures();
    let plain = written(base.clone(), Format::Avif, true);
    let mut alone = plain.clone();
    let mut gain = item(gain, &[]);
    gain.1 = true;
    let size = full(b"ispe", 0, &[48u32.to_be_bytes(), 32u32.to_be_bytes()].concat());
    let derived = (*b"tmap", false, vec![0; 62], vec![size]);
    // The derivation is the alternative that is preferred.
    let groups = boxed(b"grpl", &full(b"altr", 0, &[7u32, 2, 3, 1].map(u32::to_be_bytes).concat()));
    let mut bytes = container(&[item(base, &[]), gain, derived], &link(b"dimg", 3, &[1, 2]), &groups);
    for transfer in [16, 18] {
        say(&mut alone, 9, transfer);
        say(&mut bytes, 9, transfer);
        is_the_base(&bytes, &alone, "tmap");
        let (_, mapped, _) = decode_as(&bytes, Gamut::Srgb);
        let (_, unmapped, _) = decode_as(&plain, Gamut::Srgb);
        let differ = mapped.data().iter().zip(unmapped.data()).filter(|(a, b)| a.abs_diff(**b) > 8).count();
        assert!(differ > mapped.data().len() / 2, "{transfer}: {differ}");
    }
}

/// As telephones write it: an auxiliary picture that is no alpha.
#[test]
fn auxiliary_gain_map() {
    let (base, gain) = pictures();
    let alone = written(base.clone(), Format::Avif, true);
    for urn in [&b"urn:com:apple:photo:2020:aux:hdrgainmap\0"[..], b"urn:iso:std:iso:ts:21496:-1\0"] {
        let gain = item(gain.clone(), &[full(b"auxC", 0, urn)]);
        let bytes = container(&[item(base.clone(), &[]), gain], &link(b"auxl", 2, &[1]), &[]);
        is_the_base(&bytes, &alone, "auxiliary");
    }
}
