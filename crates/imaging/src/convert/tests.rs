#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::at_hand::corpus;
use crate::need::shrink;
use crate::picture::Channels;
use crate::plan::{Axes, Axis, Box2, Crop, Enlarge, Gravity, Mode, Offset, Resize, Rgb, Rotate, Step};
use crate::plan::{Limits, Plan};

pub(super) fn job(steps: Vec<Step>) -> Job {
    Job {
        plan: Plan { steps, ..Plan::identity() },
        format: Format::Png,
        limits: Limits::default(),
        policy: Policy::default(),
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 10_000,
        full_ms: 0,
    }
}

pub(super) fn facts_job(wanted: plan::FactsAsked) -> Job {
    let mut job = job(Vec::new());
    job.plan.answer = Answer::Facts(wanted);
    job
}

pub(super) fn exact(w: u32, h: u32) -> Step {
    let target = Box2 { w: Some(w), h: Some(h), axes: Axes::WidthHeight };
    Step::Resize(Resize { mode: Mode::Exact(target), enlarge: Enlarge::Allow })
}

pub(super) fn crop(w: u32, h: u32, dx: u32, dy: u32) -> Step {
    let gravity = Gravity::NorthWest;
    Step::Crop(Crop { w: Some(w), h: Some(h), gravity, dx, dy, offset: Offset::RightDown })
}

/// A PNG of 8 x 6 pixels, each of another colour.
pub(super) fn sample(channels: png::ColorType, alpha: u8, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut info = png::Info::with_size(8, 6);
    (info.color_type, info.bit_depth) = (channels, png::BitDepth::Eight);
    info.exif_metadata = exif.map(Into::into);
    let mut writer = png::Encoder::with_info(&mut bytes, info).unwrap().write_header().unwrap();
    let pixels = (0..6u8).flat_map(|y| (0..8u8).flat_map(move |x| [x * 30, y * 40, 99, alpha]));
    let data: Vec<u8> = match channels {
        png::ColorType::Rgba => pixels.collect(),
        _ => pixels.enumerate().filter(|(at, _)| at % 4 != 3).map(|(_, value)| value).collect(),
    };
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

pub(super) fn rgb() -> Vec<u8> {
    sample(png::ColorType::Rgb, 255, None)
}

pub(super) fn open(bytes: &[u8]) -> (Header, Pixels) {
    let header = probe::probe(bytes).unwrap();
    let mut decoder = decode::open(bytes, &header, &decode::Wanted::default()).unwrap();
    (header, decoder.next_frame().unwrap().unwrap().pixels)
}

#[test]
fn nothing_to_do_keeps_every_pixel() {
    let source = rgb();
    let (bytes, outcome) = convert(&source, &job(Vec::new())).unwrap();
    assert_eq!(open(&bytes).1.data(), open(&source).1.data());
    assert_eq!((outcome.format, outcome.width, outcome.height, outcome.frames), (Some(Format::Png), 8, 6, 1));
    assert_eq!(convert(&source, &job(Vec::new())).unwrap().0, bytes, "the same source gives the same bytes");
}

#[test]
fn steps_are_carried_out_in_order() {
    let steps =
        vec![crop(4, 2, 2, 1), Step::Rotate(Rotate { degrees: 90, max_side: None }), Step::Flip(Axis::Vertical)];
    let (bytes, outcome) = convert(&rgb(), &job(steps)).unwrap();
    assert_eq!((outcome.width, outcome.height), (2, 4));
    // Columns 2..6 of rows 1 and 2, turned clockwise, then upside down.
    let want: Vec<u8> =
        (2..6u8).rev().flat_map(|x| [2u8, 1].into_iter().flat_map(move |y| [x * 30, y * 40, 99])).collect();
    assert_eq!(open(&bytes).1.data(), want);
}

#[test]
fn resizing_gives_exactly_the_asked_size() {
    let (bytes, outcome) = convert(&rgb(), &job(vec![exact(5, 3)])).unwrap();
    let (header, pixels) = open(&bytes);
    assert_eq!((outcome.width, outcome.height), (5, 3));
    assert_eq!((header.source.width, header.source.height, pixels.channels()), (5, 3, Channels::Rgb));
}

#[test]
fn alpha_is_kept_only_where_it_matters() {
    let clear = sample(png::ColorType::Rgba, 90, None);
    assert!(open(&convert(&clear, &job(vec![exact(4, 3)])).unwrap().0).0.source.alpha);
    let solid = sample(png::ColorType::Rgba, 255, None);
    let (bytes, _) = convert(&solid, &job(Vec::new())).unwrap();
    assert!(!open(&bytes).0.source.alpha);
    assert_eq!(open(&bytes).1.data(), open(&rgb()).1.data());
    let turned = vec![Step::Rotate(Rotate { degrees: 30, max_side: None })];
    assert!(open(&convert(&rgb(), &job(turned)).unwrap().0).0.source.alpha);
}

#[test]
fn a_format_without_alpha_gets_a_white_ground() {
    let (header, pixels) = open(&sample(png::ColorType::Rgba, 0, None));
    let layout = Layout { ops: Vec::new(), width: 8, height: 6, frames: 1, orientation: 1 };
    let plan = Plan::identity();
    let mut marks = Marks::new(&plan, &[], Limits::default(), Policy::default()).unwrap();
    let light = (Light::Gamma, Rgb::WHITE);
    let flat = develop(pixels, Extent::default(), &header, &layout, Format::Jpeg, light, &mut marks).unwrap();
    assert_eq!(flat.channels(), Channels::Rgb);
    assert!(flat.data().iter().all(|value| *value == 255));
}

#[test]
fn an_orientation_that_nobody_applied_is_written_unless_stripped() {
    let source = sample(png::ColorType::Rgb, 255, Some(exif::minimal_orientation(6)));
    assert_eq!(open(&source).0.source.orientation, 6);
    let (bytes, outcome) = convert(&source, &job(Vec::new())).unwrap();
    assert_eq!((outcome.width, outcome.height, open(&bytes).0.source.orientation), (8, 6, 6));
    let (bytes, outcome) = convert(&source, &job(vec![Step::AutoOrient])).unwrap();
    assert_eq!((outcome.width, outcome.height, open(&bytes).0.source.orientation), (6, 8, 1));
    let mut stripped = job(Vec::new());
    stripped.plan.answer = Answer::Image(Output { strip: true, ..Output::default() });
    let (bytes, outcome) = convert(&source, &stripped).unwrap();
    assert_eq!((outcome.width, outcome.height, open(&bytes).0.source.orientation), (8, 6, 1));
}

#[test]
fn a_format_without_the_tag_gets_upright_pixels() {
    let layout = || Layout { ops: Vec::new(), width: 8, height: 6, frames: 1, orientation: 6 };
    let (settled, tag) = settle(layout(), &Output::default(), Format::Avif);
    assert_eq!((settled.width, settled.height, settled.ops, tag), (6, 8, vec![GeometryOp::Orient(6)], 1));
    let (settled, tag) = settle(layout(), &Output::default(), Format::WebP);
    assert_eq!((settled.width, settled.height, settled.ops.len()), (8, 6, 0));
    assert_eq!(tag, 6);
    let (settled, tag) = settle(layout(), &Output { strip: true, ..Output::default() }, Format::Avif);
    assert_eq!((settled.width, settled.ops.len(), tag), (8, 0, 1));
}

#[test]
fn the_decoder_may_shrink_only_before_anything_counts_pixels() {
    let resize = GeometryOp::Resize { width: 30, height: 20 };
    let shrunk = |ops: &[GeometryOp]| shrink(ops).map(|shrink| (shrink.min_width, shrink.min_height));
    assert_eq!(shrunk(&[]), None);
    assert_eq!(shrunk(&[resize]), Some((30, 20)));
    assert_eq!(shrunk(&[GeometryOp::Orient(6), resize]), Some((20, 30)));
    assert_eq!(shrunk(&[GeometryOp::Orient(3), resize]), Some((30, 20)));
    assert_eq!(shrunk(&[GeometryOp::Orient(6), GeometryOp::Turn(1), resize]), Some((30, 20)));
    assert_eq!(shrunk(&[GeometryOp::Flip(Axis::Vertical), resize]), Some((30, 20)));
    assert_eq!(shrunk(&[GeometryOp::Crop { x: 0, y: 0, width: 9, height: 9 }, resize]), None);
    assert_eq!(shrunk(&[GeometryOp::Rotate { degrees: 9, width: 9, height: 9 }, resize]), None);
}

#[test]
fn limits_refuse_before_a_pixel_is_decoded() {
    // The header is whole, the pixels are missing: only a refusal from the header has another kind than damage.
    let source = &rgb()[..40];
    let kind = |change: fn(&mut Job)| {
        let mut job = job(vec![exact(20, 20)]);
        change(&mut job);
        convert(source, &job).unwrap_err().kind
    };
    assert_eq!(kind(|job| job.limits.source_bytes = 39), Kind::SourceBytes);
    assert_eq!(kind(|job| job.limits.source_side = 7), Kind::SourceSide);
    assert_eq!(kind(|job| job.limits.source_pixels = 47), Kind::SourcePixels);
    assert_eq!(kind(|job| job.limits.output_side = 19), Kind::OutputTooLarge);
    assert_eq!(kind(|job| job.format = Format::Tpg), Kind::UnsupportedTarget);
    assert_eq!(kind(|job| job.plan.steps = vec![crop(1, 1, 8, 0)]), Kind::CropOutside);
    assert_eq!(kind(|_| ()), Kind::Corrupt);
    assert_eq!(convert(b"no picture", &job(Vec::new())).unwrap_err().kind, Kind::NotAnImage);
}

#[test]
fn facts_are_what_was_asked_for() {
    let source = sample(png::ColorType::Rgb, 255, Some(exif::minimal_orientation(6)));
    let (bytes, outcome) =
        convert(&source, &facts_job(plan::FactsAsked { average: true, exif: true, md5: true })).unwrap();
    let facts = outcome.facts.unwrap();
    assert!(bytes.is_empty());
    assert_eq!((outcome.format, outcome.width, outcome.height, facts.bytes), (None, 8, 6, source.len() as u64));
    assert_eq!(facts.average, Some([105, 100, 99]));
    assert_eq!(facts.exif, [("Orientation".to_owned(), "6".to_owned())]);
    assert_eq!(facts.md5, Some(hex::encode(Md5::digest(&source))));
    let (_, outcome) = convert(&source, &facts_job(plan::FactsAsked::default())).unwrap();
    let facts = outcome.facts.unwrap();
    assert_eq!((facts.md5, facts.average, facts.exif.len(), facts.header.source.orientation), (None, None, 0, 6));
}

#[test]
fn the_digest_is_md5() {
    assert_eq!(hex::encode(Md5::digest(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
}

/// Mean difference of two pictures of the same layout.
pub(super) fn distance(a: &Pixels, b: &Pixels) -> f64 {
    assert_eq!((a.width(), a.height(), a.channels()), (b.width(), b.height(), b.channels()));
    let sum: u64 = a.data().iter().zip(b.data()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.data().len() as f64
}

#[test]
fn photos_of_every_orientation_come_out_alike() {
    let Some(root) = corpus() else { return };
    for kind in ["landscape", "portrait"] {
        let shown = |number: u8, job: &Job| {
            let bytes = std::fs::read(root.join(format!("exif/{kind}_{number}.jpg"))).unwrap();
            let (bytes, outcome) = convert(&bytes, job).unwrap();
            let (header, pixels) = open(&bytes);
            assert_eq!((outcome.width, outcome.height), (pixels.width(), pixels.height()));
            (header, pixels)
        };
        // Small enough that the decoder shrinks on its own, and with sides that tell width from height.
        let small = job(vec![Step::AutoOrient, exact(90, 50)]);
        let plain = job(Vec::new());
        let (want, (_, whole)) = (shown(1, &small).1, shown(1, &plain));
        for number in 2..=8 {
            let (_, pixels) = shown(number, &small);
            assert!(distance(&want, &pixels) < 6.0, "{kind} {number}: {}", distance(&want, &pixels));
            let (header, pixels) = shown(number, &plain);
            assert_eq!(header.source.orientation, number);
            let upright = transform::orient(pixels, number).unwrap();
            assert!(distance(&whole, &upright) < 6.0, "{kind} {number}: {}", distance(&whole, &upright));
        }
    }
}

#[test]
fn a_picture_shrunk_by_its_decoder_looks_like_one_that_was_not() {
    let Some(root) = corpus() else { return };
    let bytes = std::fs::read(root.join("exif/landscape_1.jpg")).unwrap();
    let (_, whole) = open(&bytes);
    let op = GeometryOp::Resize { width: 100, height: 75 };
    let want = transform::apply(whole, &op, true, Light::Gamma).unwrap();
    let (bytes, _) = convert(&bytes, &job(vec![exact(100, 75)])).unwrap();
    let difference = distance(&want, &open(&bytes).1);
    assert!(difference < 3.0, "{difference}");
}

#[test]
fn only_the_first_frame_of_an_animation_reaches_a_still_format() {
    let Some(root) = corpus() else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(root.join("gif")).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let Ok(header) = probe::probe(&bytes) else { continue };
        if !header.source.animated() {
            continue;
        }
        // Smaller than every picture there: an animation is never enlarged.
        let result = convert(&bytes, &job(vec![exact(1, 1)]));
        if header.source.frames > Limits::default().frames {
            assert_eq!(result.unwrap_err().kind, Kind::SourceFrames);
            continue;
        }
        let (_, outcome) = result.unwrap();
        assert_eq!((outcome.frames, outcome.width, outcome.height), (1, 1, 1));
        seen += 1;
    }
    assert!(seen > 0, "the corpus has animations");
}

/// A GIF of 10 frames, each of one grey of its own, shown for 10, 20, ... 100 ms.
fn greys() -> Vec<u8> {
    let options = encode::Options {
        quality: None,
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames: 10,
        budget_ms: 0,
        hurry: encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    };
    let mut encoder = encode::open(Format::Gif, 8, 6, options, Some(Animation { repeat: Some(3) })).unwrap();
    for number in 1..=10u8 {
        let pixels = Pixels::filled(8, 6, Channels::Grey, number * 20).unwrap();
        encoder.add(Frame { pixels, delay_ms: u32::from(number) * 10 }).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn frames_are_picked_with_their_time() {
    use crate::plan::Frames;
    let source = greys();
    for (frames, format, want) in [
        (Frames::All, Format::Gif, (1..=10u32).map(|number| (number, number * 10)).collect::<Vec<_>>()),
        (Frames::Every { step: 1, most: 3 }, Format::Gif, vec![(1, 10), (2, 20), (3, 30)]),
        (Frames::Every { step: 4, most: u32::MAX }, Format::Gif, vec![(1, 100), (5, 260), (9, 190)]),
        (Frames::Every { step: 4, most: 2 }, Format::Png, vec![(1, 100), (5, 260)]),
        (Frames::Only(7), Format::Gif, vec![(7, 0)]),
        (Frames::Only(99), Format::Png, vec![(10, 0)]),
        (Frames::First, Format::Gif, vec![(1, 0)]),
    ] {
        let mut job = job(Vec::new());
        job.format = format;
        job.plan.answer = Answer::Image(Output { target: plan::Target::Fixed(format), frames, ..Output::default() });
        let (bytes, outcome) = convert(&source, &job).unwrap();
        assert_eq!(outcome.frames as usize, want.len(), "{frames:?}");
        let header = probe::probe(&bytes).unwrap();
        let mut decoder = decode::open(&bytes, &header, &Wanted::default()).unwrap();
        let mut seen = Vec::new();
        while let Some(frame) = decoder.next_frame().unwrap() {
            seen.push((u32::from(frame.pixels.data()[0]) / 20, frame.delay_ms));
        }
        assert_eq!(seen, want, "{frames:?}");
    }
}
