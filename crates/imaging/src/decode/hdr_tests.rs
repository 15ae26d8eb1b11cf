//! Known light in every container. What must come out was computed apart from this code, in 64 bits, from the
//! texts of BT.2100 and BT.2390.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use libheif_rs::{
    Channel, Chroma, ColorProfileNCLX, ColorSpace, CompressionFormat, EncoderParameterValue, EncoderQuality,
    EncodingOptions, HeifContext, Image, LibHeif,
};

use super::super::encode::{self, Options};
use super::super::picture::Frame;
use super::super::policy::Gamut;
use super::super::probe::probe;
use super::*;
use crate::Effort;
use crate::picture::Channels;
use crate::policy::Policy;

/// Light in cd/m², its code in 10 bits of PQ, and its 8-bit value where nothing is brighter than 1000 cd/m².
const PQ: [(u32, u16, u8); 7] =
    [(0, 0, 0), (1, 153, 15), (10, 307, 63), (50, 450, 136), (100, 520, 186), (203, 594, 229), (1000, 769, 255)];
/// Codes in 10 bits of HLG.
const HLG: [(u16, u8); 5] = [(256, 61), (512, 137), (767, 229), (921, 253), (1023, 255)];

pub(super) fn decode_as(bytes: &[u8], gamut: Gamut) -> (Header, Pixels, Metadata) {
    let header = probe(bytes).unwrap();
    let policy = Policy { gamut, ..Policy::default() };
    let mut decoder = open(bytes, &header, &Wanted { policy, ..Wanted::default() }).unwrap();
    let pixels = decoder.next_frame().unwrap().unwrap().pixels;
    assert!(decoder.next_frame().unwrap().is_none(), "one frame");
    let metadata = decoder.metadata().clone();
    (header, pixels, metadata)
}

fn decode(bytes: &[u8]) -> Pixels {
    decode_as(bytes, Gamut::Srgb).1
}

/// The first colour of every column of bars.
fn bars(pixels: &Pixels, count: usize) -> Vec<u8> {
    let (each, channels) = (pixels.width() as usize / count, pixels.channels().count());
    let row = pixels.rows().nth(pixels.height() as usize / 2).unwrap();
    (0..count).map(|bar| row[(bar * each + each / 2) * channels]).collect()
}

fn near(got: &[u8], want: &[u8], by: u8, what: &str) {
    assert!(
        got.len() == want.len() && got.iter().zip(want).all(|(a, b)| a.abs_diff(*b) <= by),
        "{what}: {got:?}, not {want:?}"
    );
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut crc = flate2::Crc::new();
    crc.update(kind);
    crc.update(data);
    [&(data.len() as u32).to_be_bytes()[..], kind, data, &crc.sum().to_be_bytes()].concat()
}

/// A PNG of 16-bit greys, with chunks behind IHDR.
fn png16(greys: &[u16], extra: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, greys.len() as u32, 1);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Sixteen);
    let mut writer = encoder.write_header().unwrap();
    let data: Vec<u8> = greys.iter().flat_map(|grey| [*grey; 3]).flat_map(u16::to_be_bytes).collect();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes.splice(33..33, extra.iter().copied());
    bytes
}

/// 10 bits as 16.
fn widen(code: u16) -> u16 {
    ((u32::from(code) * 65_535 + 511) / 1023) as u16
}

#[test]
fn png_with_code_points() {
    let (codes, want): (Vec<u16>, Vec<u8>) = PQ.iter().map(|&(_, code, want)| (widen(code), want)).unzip();
    let got = decode(&png16(&codes, &chunk(b"cICP", &[9, 16, 0, 1])));
    near(&bars(&got, 7), &want, 1, "PQ");
    let (codes, want): (Vec<u16>, Vec<u8>) = HLG.iter().map(|&(code, want)| (widen(code), want)).unzip();
    near(&bars(&decode(&png16(&codes, &chunk(b"cICP", &[9, 18, 0, 1]))), 5), &want, 1, "HLG");
    // Without highlights nothing is darkened: 203 cd/m² is white.
    let dull = decode(&png16(&[widen(153), widen(450), widen(594)], &chunk(b"cICP", &[9, 16, 0, 1])));
    near(&bars(&dull, 3), &[15, 136, 255], 1, "dull");
    // What is said to be brightest bounds what is: 4000 cd/m² in a picture of 1000.
    let light = [10_000_000u32.to_be_bytes(), [0; 4]].concat();
    let extra = [chunk(b"cICP", &[9, 16, 0, 1]), chunk(b"cLLI", &light)].concat();
    near(&bars(&decode(&png16(&[widen(594), widen(923)], &extra)), 2), &[229, 255], 1, "cLLI");
    let wide = decode_as(&png16(&[widen(594)], &chunk(b"cICP", &[9, 16, 0, 1])), Gamut::P3);
    assert_eq!((wide.2.space, bars(&wide.1, 1)), (Space::DisplayP3, vec![255]));
}

/// A ramp through all of PQ never falls and has no step that anybody would see.
#[test]
fn a_ramp_stays_a_ramp() {
    let ramp: Vec<u16> = (0..=1023).map(widen).collect();
    let got = bars(&decode(&png16(&ramp, &chunk(b"cICP", &[9, 16, 0, 1]))), 1024);
    assert!(got.windows(2).all(|pair| pair[0] <= pair[1] && pair[1] - pair[0] <= 2), "{got:?}");
    assert_eq!((got[0], got[1023]), (0, 255));
}

/// An HEIC of 10-bit bars, each 16 pixels wide.
fn heic(codes: &[u16], transfer: u8) -> Option<Vec<u8>> {
    let library = LibHeif::new();
    let mut encoder = library.encoder_for_format(CompressionFormat::Hevc).ok()?;
    let (width, height) = (codes.len() as u32 * 16, 32);
    let mut image = Image::new(width, height, ColorSpace::YCbCr(Chroma::C444)).unwrap();
    for channel in [Channel::Y, Channel::Cb, Channel::Cr] {
        image.create_plane(channel, width, height, 10).unwrap();
    }
    let planes = image.planes_mut();
    for (plane, grey) in [(planes.y, false), (planes.cb, true), (planes.cr, true)] {
        let plane = plane.unwrap();
        for row in plane.data.chunks_mut(plane.stride).take(height as usize) {
            for (at, pixel) in row.chunks_exact_mut(2).take(width as usize).enumerate() {
                let code = if grey { 512 } else { codes[at / 16] };
                pixel.copy_from_slice(&code.to_le_bytes());
            }
        }
    }
    let colour = ColorProfileNCLX::new().unwrap();
    image.set_color_profile_nclx(&colour).unwrap();
    encoder.set_quality(EncoderQuality::LossLess).unwrap();
    for (name, value) in [("chroma", "444"), ("x265:pools", "none"), ("x265:log-level", "none")] {
        encoder.set_parameter_value(name, EncoderParameterValue::String(value.into())).unwrap();
    }
    let mut context = HeifContext::new().unwrap();
    let options = EncodingOptions::new().unwrap();
    context.encode_image(&image, &mut encoder, Some(options)).unwrap();
    let mut bytes = context.write_to_bytes().ok()?;
    say(&mut bytes, 9, transfer);
    Some(bytes)
}

/// Changes what the container says of the colours, which goes before what the stream says.
pub(super) fn say(bytes: &mut [u8], primaries: u8, transfer: u8) {
    let at = bytes.windows(8).position(|window| window == b"colrnclx").unwrap() + 8;
    bytes[at..at + 4].copy_from_slice(&[0, primaries, 0, transfer]);
}

#[test]
fn heic_of_ten_bits() {
    let (codes, want): (Vec<u16>, Vec<u8>) = PQ.iter().map(|&(_, code, want)| (code, want)).unzip();
    let Some(bytes) = heic(&codes, 16) else { return println!("no HEVC encoder: nothing checked") };
    let (header, got, _) = decode_as(&bytes, Gamut::Srgb);
    assert_eq!(header.depth, 10);
    near(&bars(&got, 7), &want, 2, "PQ");
    let (codes, want): (Vec<u16>, Vec<u8>) = HLG.iter().copied().unzip();
    near(&bars(&decode(&heic(&codes, 18).unwrap()), 5), &want, 2, "HLG");
}

fn grey(values: &[u8], each: usize) -> Pixels {
    let row: Vec<u8> = values.iter().flat_map(|value| [*value; 3].repeat(each)).collect();
    Pixels::new((values.len() * each) as u32, 16, Channels::Rgb, row.repeat(16)).unwrap()
}

pub(super) fn written(pixels: Pixels, format: Format, lossless: bool) -> Vec<u8> {
    let options = Options {
        quality: (!lossless).then_some(90),
        lossless,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Pressed,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: crate::encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    };
    let (width, height) = (pixels.width(), pixels.height());
    let mut encoder = encode::open(format, width, height, options, None).unwrap();
    encoder.add(Frame { pixels, delay_ms: 0 }).unwrap();
    encoder.finish().unwrap()
}

/// A quarter of the 10-bit codes, as 8-bit pictures have them.
fn eight() -> (Vec<u8>, Vec<u8>) {
    // In 8 bits a step of PQ is several of sRGB; these are the codes next to those of the table, and what they mean.
    (vec![0, 38, 77, 112, 130, 148, 192], vec![0, 15, 63, 136, 187, 230, 255])
}

#[test]
fn avif_with_code_points() {
    let (codes, want) = eight();
    let mut bytes = written(grey(&codes, 16), Format::Avif, true);
    say(&mut bytes, 9, 16);
    near(&bars(&decode(&bytes), 7), &want, 2, "PQ");
}

#[test]
fn profiles_that_name_code_points() {
    let (codes, want) = eight();
    let icc = moxcms::ColorProfile::new_bt2020_pq().encode().unwrap();
    assert!(crate::colour::parse(&icc).unwrap().cicp.is_some(), "the profile names them");
    let jpeg = written(grey(&codes, 16), Format::Jpeg, false);
    let mut payload = b"ICC_PROFILE\0\x01\x01".to_vec();
    payload.extend_from_slice(&icc);
    let segment = [&[0xff, 0xe2][..], &(payload.len() as u16 + 2).to_be_bytes(), &payload].concat();
    let mut bytes = jpeg.clone();
    bytes.splice(2..2, segment);
    near(&bars(&decode(&bytes), 7), &want, 6, "JPEG");

    let mut deflated = b"pq\0\0".to_vec();
    let mut writer = flate2::write::ZlibEncoder::new(&mut deflated, flate2::Compression::fast());
    std::io::Write::write_all(&mut writer, &icc).unwrap();
    writer.finish().unwrap();
    let (codes, want): (Vec<u16>, Vec<u8>) = PQ.iter().map(|&(_, code, want)| (widen(code), want)).unzip();
    near(&bars(&decode(&png16(&codes, &chunk(b"iCCP", &deflated))), 7), &want, 1, "PNG");
}
