//! Nobody's place gets out by a way round: whatever the rule, the format and what the site carries along, an answer tells
//! where a picture was taken only where the site lets all EXIF go along and the rule does not strip it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Cursor;

use ::exif::experimental::Writer;
use ::exif::{Field, In, Rational, Tag, Value};

use super::*;
use crate::imaging::picture::Channels;
use crate::plan::{Axes, Box2, Enlarge, Mode, Quality, Resize, SizeLimit, Step, Target};

/// Stands wherever a file can tell something besides its picture.
const SECRET: &[u8] = b"SECRET-PLACE";
/// Stands in what a site may carry along on its own.
const OWNER: &str = "OWNER-NAME";

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
fn encoded(format: Format, exif: Option<Vec<u8>>) -> Vec<u8> {
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

/// Originals that tell a place wherever their format has room for it, and one of each kind that tells it in one way alone.
pub(in crate::imaging) fn telling() -> Vec<(Format, Vec<u8>)> {
    let mut all = Vec::new();
    for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Avif, Format::Heif] {
        if encode::writable(format) {
            all.push((format, encoded(format, Some(block(if format == Format::Jpeg { 6 } else { 1 })))));
        }
    }
    let jpeg = encoded(Format::Jpeg, None);
    let more = [
        segment(0xe0, &[b"JFXX\0\x10", SECRET]),
        segment(0xe1, &[b"http://ns.adobe.com/xap/1.0/\0", SECRET]),
        segment(0xe2, &[b"MPF\0", SECRET]),
        segment(0xed, &[b"Photoshop 3.0\0", SECRET]),
        segment(0xfe, &[SECRET]),
    ];
    all.extend(more.iter().map(|more| (Format::Jpeg, [&jpeg[..2], more, &jpeg[2..]].concat())));
    all.push((
        Format::Jpeg,
        [&jpeg[..2], &segment(0xe1, &[b"Exif\0\0", &block(3)]), &more.concat(), &jpeg[2..]].concat(),
    ));
    // Between the tables and the scan, and behind the end, where some cameras put a second picture.
    let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
    all.push((Format::Jpeg, [&jpeg[..scan], &more[4], &jpeg[scan..]].concat()));
    all.push((Format::Jpeg, [&jpeg[..], SECRET].concat()));
    let png = encoded(Format::Png, None);
    for chunk in [
        chunk(b"tEXt", &[b"Comment\0", SECRET].concat()),
        chunk(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", SECRET].concat()),
        chunk(b"prVt", SECRET),
    ] {
        all.push((Format::Png, [&png[..33], &chunk, &png[33..]].concat()));
        all.push((Format::Png, [&png[..png.len() - 12], &chunk, &png[png.len() - 12..]].concat()));
    }
    all.push((Format::Png, [&png[..], SECRET].concat()));
    let webp = encoded(Format::WebP, Some(block(8)));
    let xmp = [&b"XMP \x0c\0\0\0"[..], SECRET].concat();
    let mut both = [&webp[..], &xmp].concat();
    let size = (both.len() as u32 - 8).to_le_bytes();
    both[4..8].copy_from_slice(&size);
    all.extend([(Format::WebP, both), (Format::WebP, [&webp[..], SECRET].concat())]);
    let gif = encoded(Format::Gif, None);
    let comment = [&[0x21, 0xfe, SECRET.len() as u8][..], SECRET, &[0]].concat();
    let xmp = [&b"\x21\xff\x0bXMP DataXMP"[..], &[SECRET.len() as u8], SECRET, &[0]].concat();
    let end = gif.len() - 1;
    for block in [comment, xmp] {
        all.push((Format::Gif, [&gif[..end], &block, &gif[end..]].concat()));
    }
    all.push((Format::Gif, [&gif[..], SECRET].concat()));
    let mut tiff = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut tiff).unwrap();
    let mut image = encoder.new_image::<tiff::encoder::colortype::RGB8>(48, 32).unwrap();
    let words = std::str::from_utf8(SECRET).unwrap();
    image.encoder().write_tag(tiff::tags::Tag::ImageDescription, words).unwrap();
    image.write_data(pixels().data()).unwrap();
    all.push((Format::Tiff, tiff.into_inner()));
    all
}

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// Every rule whose answer may be the original's own bytes, and some beside it.
fn outputs() -> Vec<Output> {
    let slim = Output { slim: true, ..Output::default() };
    let auto = Output { quality: Quality::Auto(95), ..Output::default() };
    let limit = |bytes| Output {
        quality: Quality::Forced(95),
        size_limit: Some(SizeLimit { bytes, or_original: true }),
        ..Output::default()
    };
    let fixed = Output { target: Target::Fixed(Format::Jpeg), ..limit(1 << 20) };
    let plain = [slim, auto, limit(1), limit(1 << 20), fixed, Output::default()];
    let stripped = plain.clone().map(|output| Output { strip: true, ..output });
    [plain, stripped].concat()
}

#[test]
fn no_answer_tells_a_place_that_is_to_stay_behind() {
    let half = Step::Resize(Resize {
        mode: Mode::Fit(Box2 { w: Some(24), h: None, axes: Axes::WidthHeight }),
        enlarge: Enlarge::Skip,
    });
    let mut leaks = Vec::new();
    for (number, (from, source)) in telling().into_iter().enumerate() {
        assert!(holds(&source, SECRET));
        for (output, steps) in
            outputs().into_iter().flat_map(|output| [(output.clone(), vec![]), (output, vec![half.clone()])])
        {
            let format = match output.target {
                Target::Fixed(format) => format,
                Target::Source | Target::OnlyIfSource(_) => from,
            };
            for metadata in [Carry::Nothing, Carry::Copyright, Carry::Exif] {
                let job = Job {
                    plan: Plan {
                        steps: steps.clone(),
                        answer: Answer::Image(output.clone()),
                        original_on_error: false,
                    },
                    format,
                    limits: Limits::default(),
                    policy: Policy { metadata, ..Policy::default() },
                    effort: Effort::Interactive,
                    threads: 1,
                    budget_ms: 10_000,
                    full_ms: 0,
                };
                let (bytes, _) = convert(&source, &job).unwrap();
                let open = metadata == Carry::Exif && !output.strip;
                if holds(&bytes, SECRET) && !open {
                    leaks.push(format!("original {number}, {from:?}, {metadata:?}: {}", job.plan));
                }
                if holds(&bytes, OWNER.as_bytes()) {
                    assert!(
                        metadata != Carry::Nothing && !output.strip,
                        "{number} {from:?} {metadata:?}: {}",
                        job.plan
                    );
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} answers tell a place:\n{}", leaks.len(), leaks.join("\n"));
}
