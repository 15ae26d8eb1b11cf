#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};

use super::*;
use crate::imaging::picture::Channels;
use crate::plan::{Axes, Axis, Box2, Crop, Enlarge, Gravity, Mode, Offset, Resize, Rgb, Rotate, Step};

/// The corpus: `PICTOR_CORPUS`, or beside the repository.
pub(in crate::imaging) fn corpus() -> Option<PathBuf> {
    let given = std::env::var_os("PICTOR_CORPUS").map(PathBuf::from);
    let root = given.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus"));
    if root.join("manifest.tsv").is_file() {
        return Some(root);
    }
    println!("no corpus at {}: nothing checked", root.display());
    None
}

fn job(steps: Vec<Step>) -> Job {
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

pub(super) fn facts_job(wanted: plan::Facts) -> Job {
    let mut job = job(Vec::new());
    job.plan.answer = Answer::Facts(wanted);
    job
}

fn exact(w: u32, h: u32) -> Step {
    let target = Box2 { w: Some(w), h: Some(h), axes: Axes::WidthHeight };
    Step::Resize(Resize { mode: Mode::Exact(target), enlarge: Enlarge::Allow })
}

fn crop(w: u32, h: u32, dx: u32, dy: u32) -> Step {
    let gravity = Gravity::NorthWest;
    Step::Crop(Crop { w: Some(w), h: Some(h), gravity, dx, dy, offset: Offset::RightDown })
}

/// A PNG of 8 x 6 pixels, each of another colour.
fn sample(channels: png::ColorType, alpha: u8, exif: Option<Vec<u8>>) -> Vec<u8> {
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

fn rgb() -> Vec<u8> {
    sample(png::ColorType::Rgb, 255, None)
}

fn open(bytes: &[u8]) -> (Header, Pixels) {
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
    let (bytes, outcome) = convert(&source, &facts_job(plan::Facts { average: true, exif: true, md5: true })).unwrap();
    let facts = outcome.facts.unwrap();
    assert!(bytes.is_empty());
    assert_eq!((outcome.format, outcome.width, outcome.height, facts.bytes), (None, 8, 6, source.len() as u64));
    assert_eq!(facts.average, Some([105, 100, 99]));
    assert_eq!(facts.exif, [("Orientation".to_owned(), "6".to_owned())]);
    assert_eq!(facts.md5, Some(hex::encode(Md5::digest(&source))));
    let (_, outcome) = convert(&source, &facts_job(plan::Facts::default())).unwrap();
    let facts = outcome.facts.unwrap();
    assert_eq!((facts.md5, facts.average, facts.exif.len(), facts.header.source.orientation), (None, None, 0, 6));
}

#[test]
fn the_digest_is_md5() {
    assert_eq!(hex::encode(Md5::digest(b"abc")), "900150983cd24fb0d6963f7d28e17f72");
}

/// Mean difference of two pictures of the same layout.
fn distance(a: &Pixels, b: &Pixels) -> f64 {
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

/// What holds EXIF; HEIF only where this build writes it.
fn exif_targets() -> impl Iterator<Item = Format> {
    let all = [Format::Jpeg, Format::Png, Format::WebP, Format::Avif, Format::Heif];
    all.into_iter().filter(|format| encode::writable(*format))
}

fn tags_of(bytes: &[u8]) -> Vec<(String, String)> {
    let (_, outcome) = convert(bytes, &facts_job(plan::Facts { exif: true, ..plan::Facts::default() })).unwrap();
    outcome.facts.unwrap().exif
}

fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

#[test]
fn carried_exif_tells_the_truth_in_every_container() {
    let Some(root) = corpus() else { return };
    for number in 1..=8 {
        let source = std::fs::read(root.join(format!("exif/landscape_{number}.jpg"))).unwrap();
        for format in exif_targets() {
            for steps in [vec![exact(90, 60)], vec![Step::AutoOrient, exact(90, 60)]] {
                let turned = !steps.iter().all(|step| matches!(step, Step::Resize(_)));
                let mut job = Job { format, ..job(steps) };
                job.policy.metadata = Carry::Exif;
                let (bytes, outcome) = convert(&source, &job).unwrap();
                let (header, _) = open(&bytes);
                let tags = tags_of(&bytes);
                let kept = if turned || !carries_orientation(format) { 1 } else { number };
                assert_eq!(header.source.orientation, kept, "{format:?} {number} {turned}");
                assert_eq!(tag(&tags, "Orientation"), Some(kept.to_string().as_str()), "{format:?} {number} {turned}");
                if let Some(width) = tag(&tags, "PixelXDimension") {
                    assert_eq!(width, outcome.width.to_string());
                }
                // The orientation alone is no metadata: without the policy it is all that is left.
                job.policy.metadata = Carry::Nothing;
                let tags = tags_of(&convert(&source, &job).unwrap().0);
                assert_eq!(tags.len(), usize::from(kept != 1), "{format:?} {number}: {tags:?}");
                job.policy.metadata = Carry::Exif;
                job.plan.answer = Answer::Image(Output { strip: true, ..Output::default() });
                assert!(tags_of(&convert(&source, &job).unwrap().0).is_empty(), "a rule that strips wins");
            }
        }
    }
}

#[test]
fn exif_of_every_source_is_carried() {
    let Some(root) = corpus() else { return };
    for name in
        ["icc/paris_icc_exif_xmp.avif", "icc/paris_exif_xmp_icc_gainmap_bigendian.jpg", "heif/L_exif_xmp_iptc.heic"]
    {
        let source = std::fs::read(root.join(name)).unwrap();
        let had = tags_of(&source);
        assert!(had.len() > 5, "{name}: {had:?}");
        for format in exif_targets() {
            let mut job = Job { format, ..job(vec![exact(60, 40)]) };
            job.policy.metadata = Carry::Exif;
            let tags = tags_of(&convert(&source, &job).unwrap().0);
            assert_eq!(tag(&tags, "Model"), tag(&had, "Model"), "{name} {format:?}");
            job.policy.metadata = Carry::Copyright;
            let tags = tags_of(&convert(&source, &job).unwrap().0);
            let named = |(name, _): &(String, String)| ["Artist", "Copyright", "Orientation"].contains(&name.as_str());
            assert!(tags.iter().all(named), "{name} {format:?}: {tags:?}");
        }
    }
}

#[test]
fn wide_colours_stay_wide_where_the_target_can_say_so() {
    let Some(root) = corpus() else { return };
    for name in ["icc/kodim23-display-p3.jpg", "icc/kodim03-display-p3.webp", "icc/kodim23-adobe-rgb.jpg"] {
        let source = std::fs::read(root.join(name)).unwrap();
        for format in exif_targets().chain([Format::Bmp]) {
            let write = |gamut| {
                let mut job = Job { format, ..job(vec![exact(300, 200)]) };
                job.plan.answer = Answer::Image(Output { quality: plan::Quality::Forced(95), ..Output::default() });
                job.policy.gamut = gamut;
                let bytes = convert(&source, &job).unwrap().0;
                let header = probe::probe(&bytes).unwrap();
                let policy = Policy { gamut: Gamut::P3, ..Policy::default() };
                let wanted = decode::Wanted { policy, ..decode::Wanted::default() };
                let space = decode::open(&bytes, &header, &wanted).unwrap().metadata().space;
                (space, open(&bytes).1)
            };
            let (narrow, want) = write(Gamut::Srgb);
            let (wide, got) = write(Gamut::P3);
            assert_eq!(narrow, Space::Srgb, "{name} {format:?}");
            assert_eq!(wide == Space::DisplayP3, encode::says_p3(format), "{name} {format:?}");
            assert!(distance(&want, &got) < 3.0, "{name} {format:?}: {}", distance(&want, &got));
        }
    }
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
