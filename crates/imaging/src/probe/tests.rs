//! Headers built by hand, whole and damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn kind(bytes: &[u8]) -> Kind {
    probe(bytes).expect_err("a refusal").kind
}

/// (width, height, orientation, frames, alpha)
fn facts(bytes: &[u8]) -> (u32, u32, u8, u32, bool) {
    let source = probe(bytes).unwrap().source;
    (source.width, source.height, source.orientation, source.frames, source.alpha)
}

fn segment(marker: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len() + 2).unwrap().to_be_bytes();
    [&[0xff, marker], &length[..], data].concat()
}

fn jpeg(sof: u8, components: u8) -> Vec<u8> {
    let exif = [&b"Exif\0\0"[..], &crate::exif::minimal_orientation(6)].concat();
    let frame = [&[8, 0, 20, 0, 30, components], &[1, 0x11, 0].repeat(components.into())[..]].concat();
    [vec![0xff, 0xd8], segment(0xe1, &exif), segment(sof, &frame), segment(0xda, &[1, 1, 0, 0, 63, 0])].concat()
}

#[test]
fn jpeg_headers() {
    assert_eq!(facts(&jpeg(0xc0, 3)), (30, 20, 6, 1, false));
    let header = probe(&jpeg(0xc2, 1)).unwrap();
    assert!(header.progressive && header.channels == 1 && header.depth == 8 && header.quality.is_none());
    assert_eq!(probe(&jpeg(0xc0, 4)).unwrap().channels, 4);
    assert_eq!(kind(&jpeg(0xc0, 2)), Kind::UnsupportedSource);
    assert_eq!(kind(&jpeg(0xc5, 3)), Kind::UnsupportedSource);
    let whole = jpeg(0xc0, 3);
    assert_eq!(kind(&whole[..whole.len() - 10]), Kind::Corrupt, "no scan");
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len()).unwrap().to_be_bytes()[..], kind, data, &[0; 4]].concat()
}

fn png(width: u32, colour: u8, more: &[Vec<u8>]) -> Vec<u8> {
    let ihdr = [&width.to_be_bytes()[..], &7u32.to_be_bytes(), &[8, colour, 0, 0, 1]].concat();
    [png::SIGNATURE.to_vec(), chunk(b"IHDR", &ihdr), more.concat(), chunk(b"IDAT", &[]), chunk(b"IEND", &[])].concat()
}

#[test]
fn png_headers() {
    assert_eq!(facts(&png(5, 2, &[])), (5, 7, 1, 1, false));
    assert!(probe(&png(5, 2, &[])).unwrap().progressive, "interlaced");
    assert_eq!(facts(&png(5, 3, &[chunk(b"tRNS", &[0])])), (5, 7, 1, 1, true));
    let exif = chunk(b"eXIf", &crate::exif::minimal_orientation(3));
    assert_eq!(facts(&png(5, 6, &[exif])), (5, 7, 3, 1, true));
    assert_eq!(facts(&png(5, 2, &[chunk(b"acTL", &[0, 0, 0, 9, 0, 0, 0, 0])])).3, 9);
    assert_eq!(kind(&png(0, 2, &[])), Kind::Corrupt);
    assert_eq!(kind(&png(u32::MAX, 2, &[])), Kind::Corrupt);
    assert_eq!(kind(&png(5, 5, &[])), Kind::Corrupt);
    assert_eq!(kind(&png(5, 2, &[])[..20]), Kind::Corrupt);
}

/// A frame of a GIF: left, top, width, height; whether it has transparency.
fn gif(frames: &[([u8; 4], bool)], loops: Option<u8>) -> Vec<u8> {
    let mut file = b"GIF89a\x08\0\x06\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    if let Some(loops) = loops {
        file.extend(b"\x21\xff\x0bNETSCAPE2.0\x03\x01");
        file.extend([loops, 0, 0]);
    }
    for ([left, top, width, height], transparent) in frames {
        file.extend([0x21, 0xf9, 4, u8::from(*transparent), 5, 0, 0, 0]);
        file.extend([0x2c, *left, 0, *top, 0, *width, 0, *height, 0, 0, 2, 2, 0x4c, 1, 0]);
    }
    file.push(0x3b);
    file
}

#[test]
fn gif_headers() {
    assert_eq!(facts(&gif(&[([0, 0, 8, 6], false)], None)), (8, 6, 1, 1, false));
    assert_eq!(facts(&gif(&[([0, 0, 8, 6], false), ([2, 2, 1, 1], true)], None)), (8, 6, 1, 2, true));
    assert!(facts(&gif(&[([1, 0, 8, 6], false)], None)).4, "a column stays free");
    assert_eq!(facts(&gif(&[([0, 0, 99, 3], false)], None)), (99, 6, 1, 1, true), "the first frame widens the screen");
    assert_eq!(facts(&gif(&[([0, 0, 8, 6], false), ([9, 9, 9, 9], false)], None)).0, 8, "later ones do not");
    assert_eq!(gif::blocks(&gif(&[([0, 0, 8, 6], false)], Some(3))).loops, Some(3));
    assert_eq!(kind(&gif(&[], None)), Kind::Corrupt);
    assert_eq!(kind(b"GIF89a"), Kind::Corrupt);
}

fn bmp(width: i32, height: i32, bits: u16) -> Vec<u8> {
    let mut file = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    file.extend(width.to_le_bytes());
    file.extend(height.to_le_bytes());
    file.extend(1u16.to_le_bytes());
    file.extend(bits.to_le_bytes());
    file.extend([0; 24]);
    file
}

#[test]
fn bmp_headers() {
    assert_eq!(facts(&bmp(3, 4, 24)), (3, 4, 1, 1, false));
    assert_eq!(facts(&bmp(3, -4, 24)), (3, 4, 1, 1, false));
    assert_eq!(kind(&bmp(-3, 4, 24)), Kind::Corrupt);
    assert_eq!(kind(&bmp(3, 0, 24)), Kind::Corrupt);
    assert_eq!(kind(&bmp(3, i32::MIN, 24)), Kind::Corrupt);
    assert_eq!(kind(&bmp(3, 4, 23)), Kind::UnsupportedSource);
    assert_eq!(kind(b"BM"), Kind::Corrupt);
}

fn riff(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (kind, data) in chunks {
        body.extend(*kind);
        body.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
        body.extend(data);
        body.extend(vec![0; data.len() % 2]);
    }
    [&b"RIFF"[..], &u32::try_from(body.len()).unwrap().to_le_bytes(), &body].concat()
}

#[test]
fn webp_headers() {
    let lossy = vec![0, 0, 0, 0x9d, 0x01, 0x2a, 9, 0, 8, 0];
    let lossless = vec![0x2f, 8, 0xc0, 0x01, 0x10];
    let extended = |flags| vec![flags, 0, 0, 0, 8, 0, 0, 7, 0, 0];
    let frame = |width: u8| [&[0, 0, 0, 0, 0, 0, width - 1, 0, 0, 7, 0, 0, 100, 0, 0, 0][..], b"VP8 "].concat();
    assert_eq!(facts(&riff(&[(b"VP8 ", lossy.clone())])), (9, 8, 1, 1, false));
    assert_eq!(facts(&riff(&[(b"VP8L", lossless)])), (9, 8, 1, 1, true));
    let exif = crate::exif::minimal_orientation(5);
    assert_eq!(facts(&riff(&[(b"VP8X", extended(0x18)), (b"VP8 ", lossy), (b"EXIF", exif)])), (9, 8, 5, 1, true));
    let moving = riff(&[(b"VP8X", extended(2)), (b"ANIM", vec![0; 6]), (b"ANMF", frame(9)), (b"ANMF", frame(3))]);
    assert_eq!(facts(&moving), (9, 8, 1, 2, false));
    assert!(facts(&riff(&[(b"VP8X", extended(2)), (b"ANMF", frame(5))])).4, "the canvas shows through");
    assert_eq!(kind(&riff(&[(b"VP8X", extended(2))])), Kind::Corrupt);
    assert_eq!(kind(&riff(&[])), Kind::Corrupt);
}

#[test]
fn tiff_headers_in_both_byte_orders() {
    for little in [true, false] {
        let two = |value: u16| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let four = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
        let mut file = if little { b"II".to_vec() } else { b"MM".to_vec() };
        file.extend(two(42));
        file.extend(four(8));
        let entries: [(u16, u16); 6] = [(256, 40), (257, 30), (258, 16), (262, 2), (274, 8), (277, 4)];
        file.extend(two(6));
        for (tag, value) in entries {
            file.extend([two(tag), two(3)].concat());
            file.extend(four(1));
            file.extend([two(value), two(0)].concat());
        }
        file.extend(four(0));
        assert_eq!(facts(&file), (40, 30, 8, 1, true));
        let header = probe(&file).unwrap();
        assert_eq!((header.depth, header.channels), (16, 4));
    }
    assert_eq!(kind(b"II\x2b\0\x08\0\0\0"), Kind::Corrupt, "a BigTIFF without a directory");
    let mut big = b"II\x2b\0\x08\0\0\0".to_vec();
    big.extend(16u64.to_le_bytes());
    big.extend(2u64.to_le_bytes());
    for (tag, kind, value) in [(256u16, 4u16, 7u64), (257, 16, 5)] {
        big.extend([tag.to_le_bytes(), kind.to_le_bytes()].as_flattened());
        big.extend(1u64.to_le_bytes());
        big.extend(value.to_le_bytes());
    }
    let source = probe(&big).unwrap().source;
    assert_eq!((source.width, source.height), (7, 5), "a BigTIFF, one side as LONG8");
    assert_eq!(kind(b"II\x2a\0\xff\xff\xff\xff"), Kind::Corrupt);
}

/// multiple_entries_with_different_bit_depth.ico, in small: 48 x 48 with 8 and with 32 bits.
#[test]
fn of_icons_of_one_size_the_deepest_is_taken() {
    let data = |bits| bmp(48, 96, bits)[14..].to_vec();
    let entry =
        |bits: u8, at: u32| [&[48, 48, 0, 0, 1, 0, bits, 0][..], &40u32.to_le_bytes(), &at.to_le_bytes()].concat();
    for (first, second) in [(8, 32), (32, 8)] {
        let file =
            [vec![0, 0, 1, 0, 2, 0], entry(first, 38), entry(second, 78), data(first.into()), data(second.into())];
        assert_eq!(super::ico::largest(&file.concat()).unwrap().data, data(32));
    }
}

#[test]
fn ico_headers() {
    let entry = |side: u8, length: u32, at: u32| {
        [&[side, side, 0, 0, 1, 0, 32, 0][..], &length.to_le_bytes(), &at.to_le_bytes()].concat()
    };
    let dib = |side: i32| bmp(side, side * 2, 32)[14..].to_vec();
    let file = [vec![0, 0, 1, 0, 2, 0], entry(16, 40, 38), entry(32, 40, 78), dib(16), dib(32)].concat();
    assert_eq!(facts(&file), (32, 32, 1, 1, true));
    assert_eq!(kind(&file[..100]), Kind::Corrupt);
    let large = png(200, 6, &[]);
    let file = [vec![0, 0, 1, 0, 1, 0], entry(0, u32::try_from(large.len()).unwrap(), 22), large].concat();
    assert_eq!(facts(&file), (200, 7, 1, 1, true));
}

fn atom(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len() + 8).unwrap().to_be_bytes()[..], kind, data].concat()
}

fn heif(brand: &[u8; 4], properties: &[Vec<u8>], used: &[u8]) -> Vec<u8> {
    let ipma = [&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, u8::try_from(used.len()).unwrap()], used].concat();
    let iprp = [atom(b"ipco", &properties.concat()), atom(b"ipma", &ipma)].concat();
    let meta = [vec![0; 4], atom(b"pitm", &[0, 0, 0, 0, 0, 1]), atom(b"iprp", &iprp)].concat();
    [atom(b"ftyp", &[*brand, [0; 4], *brand].concat()), atom(b"meta", &meta)].concat()
}

fn ispe(width: u32, height: u32) -> Vec<u8> {
    atom(b"ispe", &[[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat())
}

fn clap(numbers: [i32; 4]) -> Vec<u8> {
    atom(b"clap", &numbers.map(|number| [number.to_be_bytes(), 1i32.to_be_bytes()]).as_flattened().concat())
}

#[test]
fn heif_and_avif_headers() {
    assert_eq!(facts(&heif(b"heic", &[ispe(9, 8)], &[1])), (9, 8, 1, 1, false));
    assert_eq!(probe(&heif(b"avif", &[ispe(9, 8)], &[1])).unwrap().source.format, Format::Avif);
    // Rotation counts, in whatever place it is listed.
    assert_eq!(facts(&heif(b"heic", &[ispe(9, 8), atom(b"irot", &[1])], &[1, 2])), (8, 9, 1, 1, false));
    assert_eq!(facts(&heif(b"heic", &[ispe(9, 8), atom(b"irot", &[3])], &[2, 1])), (8, 9, 1, 1, false));
    assert_eq!(facts(&heif(b"heic", &[ispe(9, 8), atom(b"irot", &[2])], &[1, 2])), (9, 8, 1, 1, false));
    let pixi = atom(b"pixi", &[0, 0, 0, 0, 1, 10]);
    let header = probe(&heif(b"avif", &[ispe(9, 8), pixi], &[1, 2])).unwrap();
    assert_eq!((header.depth, header.channels), (10, 1));
    assert_eq!(kind(&heif(b"avif", &[], &[])), Kind::Corrupt);
    assert_eq!(kind(&heif(b"avif", &[ispe(0, 8)], &[1])), Kind::Corrupt);
    assert_eq!(kind(&heif(b"mp42", &[ispe(9, 8)], &[1])), Kind::NotAnImage);
    assert_eq!(kind(&atom(b"ftyp", b"heic\0\0\0\0")), Kind::Corrupt);
}

#[test]
fn a_crop_moves_with_what_follows_it() {
    // 4 x 2 of 10 x 6, from (0, 0).
    let properties = [ispe(10, 6), clap([4, 2, -3, -2]), atom(b"irot", &[1]), atom(b"imir", &[1])];
    let crop = |used: &[u8]| {
        let file = heif(b"heic", &properties, used);
        let found = heif::crop(&file).unwrap();
        assert_eq!(file[found.at..found.at + 4], 4u32.to_be_bytes(), "the box's place");
        (facts(&file).0, facts(&file).1, found.whole, found.corner)
    };
    assert_eq!(crop(&[1, 2]), (4, 2, (10, 6), (0, 0)));
    assert_eq!(crop(&[1, 2, 3]), (2, 4, (6, 10), (0, 6)), "left becomes bottom");
    assert_eq!(crop(&[1, 2, 4]), (4, 2, (10, 6), (6, 0)), "left becomes right");
    let all = heif(b"heic", &[ispe(10, 6), clap([10, 6, 0, 0])], &[1, 2]);
    assert_eq!((facts(&all), heif::crop(&all)), ((10, 6, 1, 1, false), None));
}

#[test]
fn what_is_no_picture_and_what_is_not_decoded() {
    for bytes in [&b""[..], b"x", b"<html><body>not found</body></html>", b"{\"error\":404}", &[0; 100]] {
        assert_eq!(kind(bytes), Kind::NotAnImage);
    }
    for bytes in [&b"TPG\0"[..], b"8BPS"] {
        assert_eq!(kind(bytes), Kind::UnsupportedSource);
    }
}

/// Every prefix of every header, and every header with one byte changed, ends in an answer.
#[test]
fn nothing_panics() {
    let files = [
        jpeg(0xc2, 3),
        png(5, 3, &[chunk(b"tRNS", &[0]), chunk(b"acTL", &[0; 8])]),
        gif(&[([0, 0, 8, 6], true), ([2, 2, 1, 1], false)], Some(0)),
        bmp(3, 4, 32),
        riff(&[(b"VP8X", vec![0x1a, 0, 0, 0, 8, 0, 0, 7, 0, 0]), (b"ANMF", vec![0; 16])]),
        heif(b"avif", &[ispe(9, 8), clap([4, 2, -3, -2]), atom(b"irot", &[1])], &[1, 2, 3]),
        [&b"MM\0\x2a\0\0\0\x08\0\x01"[..], &[1, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0, 0]].concat(),
        b"<?xml version='1.0'?><!DOCTYPE svg [<!---->]><svg viewBox='0 0 9 8' width='3em' height=\"50%\"/>".to_vec(),
        [&[0, 0, 1, 0, 1, 0, 16, 16, 0, 0, 1, 0, 32, 0, 40, 0, 0, 0, 22, 0, 0, 0][..], &bmp(16, 32, 32)[14..]].concat(),
    ];
    for file in files {
        for length in 0..file.len() {
            let _ = probe(&file[..length]);
        }
        for at in 0..file.len() {
            for value in [0, 1, 0x7f, 0x80, 0xfe, 0xff] {
                let mut changed = file.clone();
                changed[at] = value;
                let _ = probe(&changed);
                let _ = heif::crop(&changed);
            }
        }
    }
}
