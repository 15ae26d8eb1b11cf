//! Originals that tell something besides their picture, in every way that anybody has thought of.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Cursor;

use ::exif::experimental::Writer;
use ::exif::{Field, In, Rational, Tag, Value};

use super::Effort;
use super::encode;
use super::picture::{Channels, Frame, Pixels, Space};
use crate::plan::Format;

/// Stands wherever a file can tell something besides its picture.
pub(crate) const SECRET: &[u8] = b"SECRET-PLACE";
/// Stands in what a site may carry along on its own.
pub(crate) const OWNER: &str = "OWNER-NAME";

/// A block with a place, an owner and an orientation.
fn block(orientation: u16) -> Vec<u8> {
    let text = |words: &[u8]| Value::Ascii(vec![words.to_vec()]);
    let degrees = |whole| Value::Rational([whole, 30, 0].map(|num| Rational { num, denom: 1 }).to_vec());
    let field = |tag, value| Field { tag, ifd_num: In::PRIMARY, value };
    let fields = [
        field(Tag::Orientation, Value::Short(vec![orientation])),
        field(Tag::Artist, text(OWNER.as_bytes())),
        field(Tag::ImageDescription, text(SECRET)),
        field(Tag::GPSLatitudeRef, text(b"N")),
        field(Tag::GPSLatitude, degrees(48)),
        field(Tag::GPSAreaInformation, Value::Undefined(SECRET.to_vec(), 0)),
    ];
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut block = Cursor::new(Vec::new());
    writer.write(&mut block, false).unwrap();
    block.into_inner()
}

fn pixels() -> Pixels {
    let (width, height) = (48, 32);
    let of = |at: u32| {
        let (x, y) = (at % width, at / width);
        let noise = (at.wrapping_mul(2_654_435_761) >> 27) as u8;
        [(x * 5) as u8 ^ noise, (y * 7) as u8, 90 + noise]
    };
    Pixels::new(width, height, Channels::Rgb, (0..width * height).flat_map(of).collect()).unwrap()
}

/// A file of poor quality by an encoder of ours, with a block of EXIF where it takes one.
pub(crate) fn encoded(format: Format, exif: Option<Vec<u8>>) -> Vec<u8> {
    let options = encode::Options {
        quality: Some(20),
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: encode::Hurry::default(),
        exif,
        space: Space::Srgb,
    };
    let mut encoder = encode::open(format, 48, 32, options, None).unwrap();
    encoder.add(Frame { pixels: pixels(), delay_ms: 0 }).unwrap();
    encoder.finish().unwrap()
}

fn segment(marker: u8, parts: &[&[u8]]) -> Vec<u8> {
    let data = parts.concat();
    [&[0xff, marker][..], &(data.len() as u16 + 2).to_be_bytes(), &data].concat()
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(name);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes()[..], name, data, &crc.sum().to_be_bytes()].concat()
}

/// An original, and what in it tells more than the picture.
pub(crate) struct Planted {
    pub format: Format,
    pub carrier: &'static str,
    pub bytes: Vec<u8>,
}

/// How often the secret stands in a file.
pub(crate) fn secrets(bytes: &[u8]) -> usize {
    bytes.windows(SECRET.len()).filter(|window| *window == SECRET).count()
}

/// An original of each carrier alone, and one of many; a WebP has EXIF besides, for which it has the frame.
pub(crate) fn telling() -> Vec<Planted> {
    let mut all = Vec::new();
    let mut plant = |format, carrier, parts: &[&[u8]]| all.push(Planted { format, carrier, bytes: parts.concat() });
    for format in [Format::Png, Format::WebP, Format::Avif, Format::Heif] {
        if encode::writable(format) {
            plant(format, "EXIF", &[&encoded(format, Some(block(1)))]);
        }
    }
    jpeg(&mut plant);
    png(&mut plant);
    webp(&mut plant);
    gif(&mut plant);
    bmp(&mut plant);
    plant(Format::Tiff, "a description", &[&tiff()]);
    for original in &all {
        assert!(secrets(&original.bytes) > 0, "{:?}, {}: nothing is planted", original.format, original.carrier);
    }
    all
}

type Plant<'a> = dyn FnMut(Format, &'static str, &[&[u8]]) + 'a;

fn jpeg(plant: &mut Plant<'_>) {
    let jpeg = encoded(Format::Jpeg, None);
    let (start, rest) = jpeg.split_at(2);
    let exif = segment(0xe1, &[b"Exif\0\0", &block(3)]);
    let more = [
        ("a thumbnail's segment", segment(0xe0, &[b"JFXX\0\x10", SECRET])),
        ("XMP", segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET])),
        ("more pictures", segment(0xe2, &[b"MPF\0", SECRET])),
        ("IPTC", segment(0xed, &[b"Photoshop 3.0\0", SECRET])),
        ("a comment", segment(0xfe, &[SECRET])),
        ("what is behind Adobe's fields", segment(0xee, &[b"Adobe\0\x64\0\0\0\0\x01", SECRET])),
        ("what nobody knows", segment(0xe9, &[SECRET])),
    ];
    plant(Format::Jpeg, "EXIF", &[&encoded(Format::Jpeg, Some(block(6)))]);
    for (carrier, segment) in &more {
        plant(Format::Jpeg, carrier, &[start, segment, rest]);
    }
    // Of the twelve bytes of this, four pixels.
    let jfif = segment(0xe0, &[b"JFIF\0\x01\x01\0\0\x01\0\x01\x02\x02", SECRET]);
    plant(Format::Jpeg, "a thumbnail", &[start, &jfif, rest]);
    let many: Vec<u8> = more.iter().flat_map(|(_, segment)| segment.clone()).collect();
    plant(Format::Jpeg, "all of them", &[start, &exif, &many, rest]);
    // Between the tables and the scan, and behind the end, where some cameras put a second picture.
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    plant(Format::Jpeg, "a late comment", &[&jpeg[..scan], &segment(0xfe, &[SECRET]), &jpeg[scan..]]);
    plant(Format::Jpeg, "behind the end", &[&jpeg, SECRET]);
}

fn png(plant: &mut Plant<'_>) {
    let png = encoded(Format::Png, None);
    for (carrier, chunk) in [
        ("a text", chunk(b"tEXt", &[b"Comment\0", SECRET].concat())),
        ("XMP", chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat())),
        ("a chunk of anybody's", chunk(b"prVt", SECRET)),
        ("a known chunk that is too long", chunk(b"pHYs", &[b"\0\0\x0b\x13\0\0\x0b\x13\x01", SECRET].concat())),
    ] {
        plant(Format::Png, carrier, &[&png[..33], &chunk, &png[33..]]);
        if !chunk[4..].starts_with(b"pHYs") {
            plant(Format::Png, carrier, &[&png[..png.len() - 12], &chunk, &png[png.len() - 12..]]);
        }
    }
    plant(Format::Png, "behind the end", &[&png, SECRET]);
}

fn webp(plant: &mut Plant<'_>) {
    let webp = encoded(Format::WebP, Some(block(8)));
    for (carrier, kind) in [("XMP", b"XMP "), ("a chunk of anybody's", b"aNyB")] {
        let more = [&kind[..], &[SECRET.len() as u8, 0, 0, 0], SECRET].concat();
        let size = (webp.len() as u32 + more.len() as u32 - 8).to_le_bytes();
        plant(Format::WebP, carrier, &[&webp[..4], &size, &webp[8..], &more]);
    }
    plant(Format::WebP, "behind the end", &[&webp, SECRET]);
}

fn gif(plant: &mut Plant<'_>) {
    let gif = encoded(Format::Gif, None);
    let (body, end) = gif.split_at(gif.len() - 1);
    let secret = [&[SECRET.len() as u8], SECRET, &[0]].concat();
    for (carrier, head) in [
        ("a comment", &b"\x21\xfe"[..]),
        ("XMP", b"\x21\xff\x0bXMP DataXMP"),
        ("an application's data", b"\x21\xff\x0bANYBODYS1.0"),
        ("what is behind the number of rounds", b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x05\0"),
        ("in place of the number of rounds", b"\x21\xff\x0bANIMEXTS1.0"),
        ("what is behind a frame's time", b"\x21\xf9\x04\0\x05\0\0"),
    ] {
        plant(Format::Gif, carrier, &[body, head, &secret, end]);
    }
    // In front of the only frame: the screen, the global colours.
    let start = if gif[10] & 0x80 == 0 { 13 } else { 13 + (3 << ((gif[10] & 7) + 1)) };
    let rounds = [b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x05\0", &secret[..]].concat();
    plant(Format::Gif, "between rounds and frames", &[&gif[..start], &rounds, &gif[start..]]);
    plant(Format::Gif, "behind the end", &[&gif, SECRET]);
}

fn bmp(plant: &mut Plant<'_>) {
    let rows = [7u8; 4 * 2 * 4];
    let file = |size: u32, gap: usize, kind: &[u8; 4]| {
        let head = [&b"BM\0\0\0\0\0\0\0\0"[..], &(14 + size + gap as u32).to_le_bytes(), &size.to_le_bytes()].concat();
        let head = [&head[..], &[4, 0, 0, 0, 2, 0, 0, 0, 1, 0, 32, 0], &[0; 24]].concat();
        let more = if size == 124 {
            let profile = [124 + gap as u32 + 32, SECRET.len() as u32, 0].map(u32::to_le_bytes).concat();
            [&[0; 16][..], kind, &[0; 36], &[0; 12], &[4, 0, 0, 0], &profile].concat()
        } else {
            Vec::new()
        };
        assert_eq!(head.len() + more.len(), 14 + size as usize);
        [head, more].concat()
    };
    plant(Format::Bmp, "behind the rows", &[&file(40, 0, b"    "), &rows, SECRET]);
    plant(Format::Bmp, "in front of the rows", &[&file(40, SECRET.len(), b"    "), SECRET, &rows]);
    plant(Format::Bmp, "the path of a profile", &[&file(124, 0, b"KNIL"), &rows, SECRET]);
    plant(Format::Bmp, "a profile that is none", &[&file(124, 0, b"DEBM"), &rows, SECRET]);
}

fn tiff() -> Vec<u8> {
    let mut tiff = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut tiff).unwrap();
    let mut image = encoder.new_image::<tiff::encoder::colortype::RGB8>(48, 32).unwrap();
    let words = std::str::from_utf8(SECRET).unwrap();
    image.encoder().write_tag(tiff::tags::Tag::ImageDescription, words).unwrap();
    image.write_data(pixels().data()).unwrap();
    tiff.into_inner()
}
