//! What a site does not take is refused, whatever a file calls itself.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;

use super::*;
use crate::plan::Formats;

fn accepted(bytes: &[u8], inputs: &[Format]) -> bool {
    let limits = Limits { inputs: inputs.iter().copied().collect::<Formats>(), ..Limits::default() };
    let policy = Policy { svg: true, jxl: true, ..Policy::default() };
    match check_accepted(bytes, &limits, &policy) {
        Ok(()) => true,
        Err(error) => {
            assert_eq!(error.kind, Kind::UnsupportedSource);
            false
        }
    }
}

fn atom(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    [&u32::try_from(data.len() + 8).unwrap().to_be_bytes()[..], kind, data].concat()
}

/// A file of a brand with an item of a type.
fn file(brand: &[u8; 4], item: &[u8; 4]) -> Vec<u8> {
    let infe = atom(b"infe", &[&[2, 0, 0, 0, 0, 1, 0, 0][..], item, b"\0"].concat());
    let iinf = atom(b"iinf", &[&[0, 0, 0, 0, 0, 1][..], &infe].concat());
    let meta = atom(b"meta", &[&[0; 4][..], &atom(b"pitm", &[0, 0, 0, 0, 0, 1]), &iinf].concat());
    [atom(b"ftyp", &[*brand, [0; 4], *brand].concat()), meta, atom(b"mdat", b"hvc1av01")].concat()
}

#[test]
fn a_compressed_drawing_is_a_drawing() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"<svg width='8' height='9'></svg>").unwrap();
    for drawing in [packed.finish().unwrap(), b"<svg/>".to_vec()] {
        assert!(accepted(&drawing, &[Format::Svg]));
        assert!(!accepted(&drawing, &[Format::Jpeg, Format::Png]));
        let closed = check_accepted(&drawing, &Limits::default(), &Policy { svg: false, ..Policy::default() });
        assert_eq!(closed.unwrap_err().kind, Kind::UnsupportedSource);
    }
}

#[test]
fn the_codec_decides_and_not_the_brand() {
    let both = [Format::Avif, Format::Heif];
    for (brand, item, avif, heif) in [
        (b"avif", b"av01", true, false),
        (b"avif", b"hvc1", false, false),
        (b"avif", b"unci", false, false),
        (b"heic", b"hvc1", false, true),
        (b"heic", b"av01", false, false),
        (b"mif1", b"av01", false, false),
    ] {
        let file = file(brand, item);
        let (brand, item) = (String::from_utf8_lossy(brand), String::from_utf8_lossy(item));
        assert_eq!(accepted(&file, &[Format::Avif]), avif, "{brand} of {item}: AVIF alone");
        assert_eq!(accepted(&file, &[Format::Heif]), heif, "{brand} of {item}: HEIF alone");
        assert!(accepted(&file, &both), "{brand} of {item}");
    }
}

/// Wherever a reader might find a type that we do not.
#[test]
fn a_codec_is_found_in_every_place() {
    let whole = file(b"avif", b"av01");
    let hidden = &file(b"avif", b"hvc1")[20..];
    let track = atom(b"moov", &atom(b"trak", &atom(b"stsd", &atom(b"hev1", b""))));
    let long = [&b"\0\0\0\x01uuid\0\0\0\0\0\0\0\x18hvc1avc1"[..]].concat();
    for (what, more) in [
        ("a second box of items", hidden.to_vec()),
        ("a track", track),
        ("behind a box that ends before it begins", [&b"\0\0\0\x04free"[..], hidden].concat()),
        ("behind the last box", b"\0hvc1".to_vec()),
        ("a box with a long length", long),
        ("more boxes than pictures have", vec![0; 2 << 20]),
    ] {
        assert!(!accepted(&[&whole[..], &more].concat(), &[Format::Avif]), "{what}");
    }
    for (what, more) in [("data", atom(b"mdat", hidden)), ("nothing", Vec::new()), ("free", atom(b"free", hidden))] {
        assert!(accepted(&[&whole[..], &more].concat(), &[Format::Avif]), "{what}");
    }
}
