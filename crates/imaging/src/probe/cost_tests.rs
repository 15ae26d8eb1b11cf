//! Work is linear in bytes: steps are counted, not time, over files that were made to be expensive, and over anything.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;

use proptest::prelude::*;

use super::*;
use crate::crafted::*;

/// A family of hostile files: its name, and a file of about so many bytes.
type Family = (&'static str, fn(usize) -> Vec<u8>);

/// Blocks of the fixed code that hold nothing, in gzip.
fn empty_blocks(length: usize) -> Vec<u8> {
    let mut bits = Bits::default();
    while bits.0.len() < length * 8 {
        // Not the last, the fixed code, the end.
        bits = bits.put(0, 1).put(1, 2).put(0, 7);
    }
    [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255][..], &bits.bytes()].concat()
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text).unwrap();
    packed.finish().unwrap()
}

fn tiff_of(entries: usize, tag: impl Fn(usize) -> usize) -> Vec<u8> {
    let mut file = [&b"MM\0\x2a\0\0\0\x08"[..], &be16(entries.min(65_535))].concat();
    for entry in 0..entries.min(65_535) {
        file.extend([&be16(tag(entry))[..], &be16(4), &be32(1), &be32(7)].concat());
    }
    file
}

const VP8X: &[u8] = b"RIFF\xff\xff\xff\x7fWEBPVP8X\x0a\0\0\0\x02\0\0\0\x08\0\0\x07\0\0";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x09\0\0\0\x08\x08\x02\0\0\0\0\0\0\0";

/// Every way to make a header expensive that anybody has thought of, by format.
const FAMILIES: &[Family] = &[
    ("jpeg: fill bytes", |n| filled(b"\xff\xd8", b"\xff", n)),
    ("jpeg: nothing but zeros", |n| filled(b"\xff\xd8", b"\0", n)),
    ("jpeg: segments of nothing", |n| filled(b"\xff\xd8", b"\xff\xe1\0\x02", n)),
    ("jpeg: markers without a payload", |n| filled(b"\xff\xd8", b"\xff\xd0", n)),
    ("jpeg: stuffing", |n| filled(b"\xff\xd8", b"\xff\0", n)),
    ("jpeg: quantisation tables", |n| filled(b"\xff\xd8", &[&b"\xff\xdb\0\x43\x01"[..], &[7; 64]].concat(), n)),
    ("jpeg: the luminance table again and again", |n| {
        filled(b"\xff\xd8", &[&b"\xff\xdb\0\x43\0"[..], &[7; 64]].concat(), n)
    }),
    ("jpeg: EXIF of a thousand tags again and again", |n| {
        let exif = [&b"Exif\0\0"[..], &tiff_of(1000, |tag| tag)].concat();
        filled(b"\xff\xd8", &[&b"\xff\xe1"[..], &be16(exif.len() + 2), &exif].concat(), n)
    }),
    ("png: chunks of nothing", |n| filled(PNG, b"\0\0\0\0teXt\0\0\0\0", n)),
    ("png: EXIF again and again", |n| {
        let exif = tiff_of(100, |tag| tag);
        filled(PNG, &[&be32(exif.len()), &b"eXIf"[..], &exif, &[0; 4]].concat(), n)
    }),
    ("gif: padding", |n| filled(b"GIF89a\x08\0\x06\0\0\0\0", b"\0", n)),
    ("gif: extensions of nothing", |n| filled(b"GIF89a\x08\0\x06\0\0\0\0", b"\x21\xff\0", n)),
    ("gif: frames of nothing", |n| filled(b"GIF89a\x08\0\x06\0\0\0\0", b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\0", n)),
    ("gif: sub-blocks of a byte", |n| {
        filled(b"GIF89a\x08\0\x06\0\0\0\0\x2c\0\0\0\0\x01\0\x01\0\0\x02", b"\x01\x4c", n)
    }),
    ("webp: chunks of nothing", |n| filled(VP8X, b"ABCD\0\0\0\0", n)),
    ("webp: frames of nothing", |n| filled(VP8X, b"ANMF\0\0\0\0", n)),
    ("bmp: a header and zeros", |n| filled(b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", b"\0", n)),
    ("tiff: a directory of one tag", |n| tiff_of(n / 12, |_| 1)),
    ("tiff: a directory of every tag", |n| tiff_of(n / 12, |tag| tag)),
    ("tiff: a directory that is itself", |n| filled(b"MM\0\x2a\0\0\0\0", b"\0\x01", n)),
    ("tiff: a big directory that announces more than there is", |n| {
        filled(b"MM\0\x2b\0\x08\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\xff\xff\xff", &[0, 1, 0, 4], n)
    }),
    ("tiff: values on top of the directory", |n| {
        tiff_of(n / 12, |tag| tag).chunks(4).flat_map(|part| [part, &[0, 0, 0, 8]].concat()).collect()
    }),
    ("ico: ever deeper icons on top of each other", |n| {
        let mut file = vec![0, 0, 1, 0, 255, 255];
        for entry in 0..n / 16 {
            file.extend([16, 16, 0, 0, 1, 0]);
            file.extend(u16::try_from(entry % 65_536).unwrap().to_le_bytes());
            file.extend([40, 0, 0, 0, 6, 0, 0, 0]);
        }
        file
    }),
    ("ico: a PNG of nothing but chunks", |n| {
        let png = filled(PNG, b"\0\0\0\0teXt\0\0\0\0", n);
        let length = u32::try_from(png.len()).unwrap().to_le_bytes();
        [&[0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 32, 0][..], &length, &[22, 0, 0, 0], &png].concat()
    }),
    ("heif: brands", |n| {
        let brands = filled(b"zzzz\0\0\0\0", b"zzzz", n);
        atom(b"ftyp", &brands)
    }),
    ("heif: boxes of nothing", |n| filled(&ftyp(b"heic"), &atom(b"free", b""), n)),
    ("heif: boxes that end before they begin", |n| filled(&ftyp(b"heic"), b"\0\0\0\x04free", n)),
    ("heif: boxes without an end", |n| filled(&ftyp(b"heic"), b"\0\0\0\0meta", n)),
    ("heif: boxes in boxes", |n| {
        let levels = n / 8;
        let mut file = ftyp(b"heic");
        for level in 0..levels {
            file.extend(be32((levels - level) * 8));
            file.extend([b"moov", b"trak", b"mdia", b"minf", b"stbl", b"meta"][level % 6]);
        }
        file
    }),
    ("heif: tracks of nothing", |n| {
        let tracks = filled(b"", &atom(b"trak", &atom(b"mdia", &atom(b"hdlr", &[0; 12]))), n);
        [ftyp(b"msf1"), atom(b"moov", &tracks)].concat()
    }),
    ("heif: tracks that are alpha", |n| {
        let hdlr = |kind: &[u8; 4]| atom(b"mdia", &atom(b"hdlr", &[&[0; 8][..], kind].concat()));
        let tracks = filled(&atom(b"trak", &hdlr(b"pict")), &atom(b"trak", &hdlr(b"auxv")), n);
        [ftyp(b"avis"), atom(b"moov", &tracks)].concat()
    }),
    ("heif: auxiliaries of tiles, few to each", heic_of_references),
    ("heif: auxiliaries of tiles, many to each", |n| {
        heic(&auxc(), &[references(n, (n / 64).clamp(1, 4000), &[(b"dimg", 1, 100), (b"auxl", 2, 60_000)])])
    }),
    ("heif: every auxiliary is ours, and no alpha", |n| {
        heic(&auxc(), &[references(n / 2, 1, &[(b"auxl", 2, 1)]), ipma(n / 2, 1, |entry| 65_535 - entry % 60_000)])
    }),
    ("heif: one auxiliary with every property", |n| {
        heic(&auxc(), &[references(64, 1, &[(b"auxl", 2, 1)]), ipma(n, 255, |_| 2)])
    }),
    ("heif: entries of nothing", |n| {
        heic(&auxc(), &[references(n / 3, 1, &[(b"auxl", 2, 1)]), ipma(n / 3 * 2, 0, |entry| entry)])
    }),
    ("heif: properties", |n| heic(&filled(b"", &auxc(), n), &[references(64, 1, &[(b"auxl", 2, 1)])])),
    ("heif: the primary item has every property", |n| {
        let boxes = (0..n / 512).map(|_| ipma(512, 255, |_| 1)).collect::<Vec<_>>();
        heic(&auxc(), &[&[references(64, 1, &[(b"auxl", 2, 1)])][..], &boxes].concat())
    }),
    ("jxl: a permuted table of contents, and nothing else", |_| jxl_frame(jxl(60_000), true).bytes()),
    ("jxl: a permuted table of contents", jxl_of_permutations),
    ("jxl: a table of contents of nothing", |n| filled(&jxl_frame(jxl(60_000), false).pad().bytes(), b"\0", n)),
    ("jxl: frames of nothing", |n| {
        let frame = jxl_frame(Bits::default(), false).pad().put(0, 12).bytes();
        filled(&jxl(64).bytes(), &frame, n)
    }),
    ("jxl: frames in parts of nothing", |n| {
        let head =
            [&b"\0\0\0\x0cJXL \r\n\x87\n"[..], &atom(b"jxlp", &[&[0; 4], &jxl(64).bytes()[..]].concat())].concat();
        filled(&head, &atom(b"jxlp", &[0; 4]), n)
    }),
    ("jxl: boxes of nothing", |n| filled(b"\0\0\0\x0cJXL \r\n\x87\n", &atom(b"free", b""), n)),
    ("svg: comments", |n| filled(b"", b"<!---->", n)),
    ("svg: instructions", |n| filled(b"", b"<??>", n)),
    ("svg: document types", |n| filled(b"", b"<!DOCTYPE>", n)),
    ("svg: a comment without an end", |n| filled(b"<!--", b"-", n)),
    ("svg: spaces", |n| filled(b"", b" ", n)),
    ("svg: attributes", |n| filled(b"<svg ", b"a=''", n)),
    ("svg: an attribute without an end", |n| filled(b"<svg a='", b"=\"", n)),
    ("svg: a long number", |n| [filled(b"<svg width='", b"1", n), b"'>".to_vec()].concat()),
    ("svg: a name without an end", |n| filled(b"<", b"s:", n)),
    ("svg: blocks of nothing in gzip", empty_blocks),
    ("svg: a bomb in gzip", |n| packed(&vec![b' '; n * 100])),
    ("nothing known: zeros", |n| vec![0; n]),
    ("nothing known: text", |n| filled(b"", b"<html> ", n)),
];

/// The file's own bytes decide what is allowed, and nobody comes near it.
#[test]
fn work_is_linear_in_bytes_whatever_they_are() {
    let mut worst: Vec<(f64, String)> = Vec::new();
    for (name, make) in FAMILIES {
        for length in [300, 5_000, 100_000, 2_000_000] {
            let file = make(length);
            let (cost, most) = (cost(&file), steps::linear(file.len()));
            assert!(cost <= most, "{name}, {} bytes: {cost} steps, {most} are linear", file.len());
            if length == 2_000_000 {
                worst.push((cost as f64 / file.len() as f64, format!("{name}: {cost} steps for {}", file.len())));
            }
            let _ = probe(&file);
        }
    }
    worst.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (ratio, what) in worst.iter().take(12) {
        println!("{ratio:.3} steps a byte, {what}");
    }
}

/// The whole of every family's file is looked at by somebody, or it tests nothing: its format is known.
#[test]
fn the_hostile_files_are_of_their_formats() {
    for (name, make) in FAMILIES {
        let known = identify(&make(5_000)).map_or("svg", Format::name);
        // Of one the brand stands behind those that are looked at, and the other is in the same boxes.
        let known = if *name == "heif: brands" || known == "avif" { "heif" } else { known };
        assert!(name.starts_with(known) || name.starts_with("nothing") || name.starts_with("svg"), "{name}: {known}");
    }
}

/// The frames of the hand-made JPEG XL are what the library takes them for.
#[test]
fn the_frames_of_jpeg_xl_are_counted() {
    let frame = |last: u64| {
        let bits = Bits::default().put(0, 1).put(0, 2).put(0, 1).put(0, 2).put(0, 2).put(3, 3).put(2, 3).put(0, 2);
        let bits = bits.put(0, 1).put(0, 2).put(1, 2).put(last, 1);
        let bits = if last == 1 { bits } else { bits.put(0, 2) };
        bits.put(0, 2).put(1, 1).put(0, 2).put(0, 1).pad().put(0, 12).bytes()
    };
    let file = [jxl(64).bytes(), frame(0), frame(0), frame(1)].concat();
    let source = probe(&file).unwrap().source;
    assert_eq!((source.width, source.height, source.frames), (64, 64, 3));
    let permuted = jxl_frame(jxl(64), true).bytes();
    assert_eq!(probe(&[permuted, vec![0; 8]].concat()).unwrap().source.frames, 1, "they cannot be told apart");
}

proptest! {
    /// Parts of hostile files in any order, and bytes changed at random.
    #[test]
    fn work_is_linear_in_bytes_of_what_nobody_has_thought_of(
        first in 0..FAMILIES.len(),
        second in 0..FAMILIES.len(),
        length in 10usize..20_000,
        cut in 0usize..20_000,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
    ) {
        let mut file = FAMILIES[first].1(length);
        file.truncate(cut.max(16));
        file.extend(FAMILIES[second].1(length / 2));
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        prop_assert!(cost(&file) <= steps::linear(file.len()));
    }
}
