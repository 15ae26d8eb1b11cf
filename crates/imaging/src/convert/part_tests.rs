//! Parts of a picture: what a decoder gives of a rectangle is what it is in the whole.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::tests::{crop, job};
use super::*;
use crate::decode::Region;
use crate::picture::Channels;

/// Soft shapes in colour with fine noise.
fn painted(width: u32, height: u32, channels: Channels) -> Pixels {
    let mut seed = 7u32;
    let data = (0..width * height)
        .flat_map(|at| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let (x, y, noise) = (at % width, at / width, (seed >> 27) as u8);
            let wave =
                |by: u32| ((f64::from(x * by) * 0.05).sin() * 50.0 + (f64::from(y) * 0.09).cos() * 50.0 + 110.0) as u8;
            [wave(1) + noise, wave(2), 255 - wave(3)].into_iter().take(channels.count())
        })
        .collect();
    Pixels::new(width, height, channels, data).unwrap()
}

fn jpeg(pixels: Pixels, quality: u8, progressive: bool) -> Vec<u8> {
    let options = encode::Options {
        quality: Some(quality),
        lossless: false,
        near_lossless: 0,
        progressive,
        effort: Effort::Pressed,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    };
    let mut encoder = encode::open(Format::Jpeg, pixels.width(), pixels.height(), options, None).unwrap();
    encoder.add(Frame { pixels, delay_ms: 0 }).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_part_of_a_jpeg_is_what_it_is_in_the_whole() {
    for (quality, progressive, channels) in [
        (30, false, Channels::Rgb),
        (30, true, Channels::Rgb),
        (90, false, Channels::Rgb),
        (90, true, Channels::Rgb),
        (80, false, Channels::Grey),
    ] {
        let bytes = jpeg(painted(211, 157, channels), quality, progressive);
        let header = probe::probe(&bytes).unwrap();
        let read = |region| {
            let wanted = Wanted { region, ..Wanted::default() };
            decode::open(&bytes, &header, &wanted).unwrap().next_frame().unwrap().unwrap().pixels
        };
        let whole = read(None);
        let mut smaller = 0;
        for (x, y, width, height) in [
            (0, 0, 40, 30),
            (171, 127, 40, 30),
            (0, 127, 1, 30),
            (17, 33, 100, 50),
            (64, 48, 16, 16),
            (63, 47, 17, 18),
            (210, 0, 1, 157),
            (0, 80, 211, 1),
            (1, 1, 209, 155),
        ] {
            let op = GeometryOp::Crop { x, y, width, height };
            let want = transform::apply(whole.clone(), &op, false, Light::Gamma).unwrap();
            let region = Some(Region { x, y, width, height });
            let got = read(region);
            smaller += usize::from((got.width(), got.height()) == (width, height));
            let got = trimmed(got, &header, None, region).unwrap();
            assert_eq!(got.data(), want.data(), "{quality} {progressive} {channels:?}: {op:?}");
        }
        assert!(smaller >= 8, "{quality} {channels:?}: {smaller} parts were decoded as such");
    }
}

#[test]
fn a_part_of_a_jpeg_that_ends_early_is_an_error_wherever_it_lies() {
    let bytes = jpeg(painted(211, 157, Channels::Rgb), 90, false);
    let header = probe::probe(&bytes).unwrap();
    let region = Some(Region { x: 0, y: 0, width: 32, height: 16 });
    let wanted = Wanted { region, ..Wanted::default() };
    let read = |bytes: &[u8]| decode::open(bytes, &header, &wanted).and_then(|mut decoder| decoder.next_frame());
    assert!(read(&bytes).is_ok());
    for part in [bytes.len() / 2, bytes.len() * 9 / 10, bytes.len() - 2] {
        assert!(read(&bytes[..part]).is_err(), "{part} of {}", bytes.len());
    }
}

/// A WebP as our own encoder writes it; without loss if there is no quality.
fn webp(pixels: Pixels, alpha: bool, quality: Option<u8>) -> Vec<u8> {
    let (width, height) = (pixels.width(), pixels.height());
    let seen = |(at, rgb): (usize, &[u8])| [rgb[0], rgb[1], rgb[2], 255 - (at * 7 % 201) as u8];
    let pixels = match alpha {
        true => Pixels::new(
            width,
            height,
            Channels::Rgba,
            pixels.data().chunks_exact(3).enumerate().flat_map(seen).collect(),
        )
        .unwrap(),
        false => pixels,
    };
    let options = encode::Options {
        quality,
        lossless: quality.is_none(),
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    };
    let mut encoder = encode::open(Format::WebP, pixels.width(), pixels.height(), options, None).unwrap();
    encoder.add(Frame { pixels, delay_ms: 0 }).unwrap();
    encoder.finish().unwrap()
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, ..Default::default() })]

    #[test]
    fn a_part_of_a_webp_is_what_it_is_in_the_whole(
        (width, height) in (1u32..140, 1u32..140),
        corner in (0.0f64..1.0, 0.0f64..1.0),
        size in (0.0f64..1.0, 0.0f64..1.0),
        quality in proptest::sample::select(vec![None, Some(5), Some(50), Some(90)]),
        alpha: bool,
    ) {
        let bytes = webp(painted(width, height, Channels::Rgb), alpha, quality);
        let header = probe::probe(&bytes).unwrap();
        let read = |region| {
            let wanted = Wanted { region, ..Wanted::default() };
            decode::open(&bytes, &header, &wanted).unwrap().next_frame().unwrap().unwrap().pixels
        };
        let within = |part: f64, most: u32| (part * f64::from(most)) as u32;
        let (x, y) = (within(corner.0, width), within(corner.1, height));
        let (wide, tall) = (1 + within(size.0, width - x - 1), 1 + within(size.1, height - y - 1));
        let op = GeometryOp::Crop { x, y, width: wide, height: tall };
        let want = transform::apply(read(None), &op, false, Light::Gamma).unwrap();
        let region = Some(Region { x, y, width: wide, height: tall });
        let got = read(region);
        let apart = alpha && quality.is_some();
        if !apart && (wide + 9) * (tall + 9) * 10 <= width * height * 9 {
            assert_eq!((got.width(), got.height()), (wide, tall), "it was decoded as such");
        }
        let got = trimmed(got, &header, None, region).unwrap();
        assert_eq!(got.data(), want.data(), "{width} x {height}, {quality:?} {alpha}: {op:?}");
    }
}

#[test]
fn a_part_of_a_webp_that_ends_early_is_an_error_wherever_it_lies() {
    for quality in [None, Some(80)] {
        let bytes = webp(painted(211, 157, Channels::Rgb), quality.is_none(), quality);
        let header = probe::probe(&bytes).unwrap();
        let region = Some(Region { x: 0, y: 0, width: 32, height: 16 });
        let wanted = Wanted { region, ..Wanted::default() };
        let read = |bytes: &[u8]| decode::open(bytes, &header, &wanted).and_then(|mut decoder| decoder.next_frame());
        assert_eq!(read(&bytes).unwrap().unwrap().pixels.width(), 32);
        for part in [bytes.len() / 2, bytes.len() * 9 / 10, bytes.len() - 2] {
            assert!(read(&bytes[..part]).is_err(), "{part} of {}", bytes.len());
        }
    }
}

#[test]
fn a_crop_finds_its_place_in_every_orientation() {
    let (wide, tall) = (13u32, 8);
    let stored = painted(wide, tall, Channels::Rgb);
    let source = Source { format: Format::Jpeg, width: wide, height: tall, orientation: 1, frames: 1, alpha: false };
    for orientation in 1..=8u8 {
        let upright = transform::orient(stored.clone(), orientation).unwrap();
        let (width, height) = if orientation >= 5 { (3, 5) } else { (5, 3) };
        for (x, y) in [(0, 0), (1, 2), (upright.width() - width, upright.height() - height)] {
            let op = GeometryOp::Crop { x, y, width, height };
            let want = transform::apply(upright.clone(), &op, false, Light::Gamma).unwrap();
            let first = (orientation > 1).then_some(GeometryOp::Orient(orientation));
            let mut ops: Vec<GeometryOp> = first.into_iter().chain([op, GeometryOp::Turn(1)]).collect();
            let Region { x, y, width, height } = needed(&mut ops, &source).unwrap();
            assert!(ops.len() == 1 + usize::from(orientation > 1) && ops.last() == Some(&GeometryOp::Turn(1)));
            let part = GeometryOp::Crop { x, y, width, height };
            let part = transform::apply(stored.clone(), &part, false, Light::Gamma).unwrap();
            assert_eq!(transform::orient(part, orientation).unwrap().data(), want.data(), "{orientation}");
        }
    }
    let mut moving = vec![GeometryOp::Crop { x: 0, y: 0, width: 1, height: 1 }];
    assert_eq!(needed(&mut moving, &Source { frames: 2, ..source }), None);
    assert_eq!(moving.len(), 1);
}

#[test]
fn a_cropped_jpeg_is_the_crop_of_the_jpeg() {
    let bytes = jpeg(painted(300, 200, Channels::Rgb), 40, false);
    let (whole, _) = convert(&bytes, &job(Vec::new())).unwrap();
    let (got, outcome) = convert(&bytes, &job(vec![crop(90, 70, 101, 53)])).unwrap();
    assert_eq!((outcome.width, outcome.height), (90, 70));
    let read = |bytes: &[u8]| {
        let header = probe::probe(bytes).unwrap();
        decode::open(bytes, &header, &Wanted::default()).unwrap().next_frame().unwrap().unwrap().pixels
    };
    let op = GeometryOp::Crop { x: 101, y: 53, width: 90, height: 70 };
    let want = transform::apply(read(&whole), &op, false, Light::Gamma).unwrap();
    assert_eq!(read(&got).data(), want.data());
    // Nothing is lost of what a damaged file is refused for.
    assert_eq!(convert(&bytes[..bytes.len() / 3], &job(vec![crop(90, 70, 0, 0)])).unwrap_err().kind, Kind::Corrupt);
}
