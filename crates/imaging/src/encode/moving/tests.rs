#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

#[test]
fn pace_follows_size_effort_and_budget() {
    assert_eq!(MotionPace::of(Effort::Pressed, 0.1, 0), MotionPace::Fast);
    assert_eq!(MotionPace::of(Effort::Interactive, 10.0, 0), MotionPace::Normal);
    assert_eq!(MotionPace::of(Effort::Batch, 10.0, 0), MotionPace::Thorough);
    assert_eq!(MotionPace::of(Effort::Batch, 10.0, 3_000), MotionPace::Normal);
    assert_eq!(MotionPace::of(Effort::Interactive, 10.0, 1_500), MotionPace::Fast);
    assert_eq!(MotionPace::of(Effort::Batch, 10.0, 1), MotionPace::Fast);
}

#[test]
fn better_quality_never_has_a_coarser_quantizer() {
    for pace in [MotionPace::Fast, MotionPace::Normal, MotionPace::Thorough] {
        for quality in 2..=100 {
            assert!(pace.quantizer(quality) <= pace.quantizer(quality - 1), "{pace:?} {quality}");
        }
    }
}

use crate::picture::{Channels, Pixels};
use crate::plan::Format;
use crate::{decode, probe};

/// A bright square on a gradient, at a place of its own in each frame; half transparent around it if so wanted.
fn frame(index: u32, channels: Channels, clear: bool) -> Pixels {
    let (width, height) = (90, 61);
    let data = (0..width * height)
        .flat_map(|at| {
            let (x, y) = (at % width, at / width);
            let inside = x >= index * 5 && x < index * 5 + 20 && (20..40).contains(&y);
            let alpha = if clear && !inside { 64 } else { 255 };
            let rgba = if inside { [250, 240, 20, alpha] } else { [x as u8, y as u8 * 2, 90, alpha] };
            rgba[..channels.count()].to_vec()
        })
        .collect();
    Pixels::new(width, height, channels, data).unwrap()
}

fn options(frames: u32) -> Options {
    Options {
        quality: Some(85),
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames,
        budget_ms: 0,
        hurry: crate::encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    }
}

fn film(frames: &[(Pixels, u32)], options: Options, repeat: Option<u32>) -> Vec<u8> {
    let size = (frames[0].0.width(), frames[0].0.height());
    let mut encoder: Box<dyn Encode> = Box::new(Moving::open(size.0, size.1, options, Animation { repeat }));
    for (pixels, delay_ms) in frames {
        encoder.add(Frame { pixels: pixels.clone(), delay_ms: *delay_ms }).unwrap();
    }
    encoder.finish().unwrap()
}

/// What our own decoder sees: frames with their times, and how often it plays.
fn seen(file: &[u8]) -> (Vec<(Pixels, u32)>, Option<Animation>) {
    let header = probe(file).unwrap();
    assert_eq!(header.source.format, Format::Avif);
    let mut decoder = decode::open(file, &header, &decode::Wanted::default()).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        frames.push((frame.pixels, frame.delay_ms));
    }
    assert_eq!(frames.len() as u32, header.source.frames);
    (frames, decoder.metadata().animation)
}

/// The mean difference of a channel.
fn distance(a: &Pixels, b: &Pixels) -> f64 {
    assert_eq!((a.width(), a.height(), a.channels()), (b.width(), b.height(), b.channels()));
    let sum: u64 = a.data().iter().zip(b.data()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.data().len() as f64
}

#[test]
fn frames_times_and_loops_come_back() {
    let delays = [40, 10, 70, 70, 1000, 33, 1];
    for effort in [Effort::Pressed, Effort::Interactive, Effort::Batch] {
        for repeat in [None, Some(1), Some(2), Some(77)] {
            let frames: Vec<_> =
                (0..7).zip(delays).map(|(at, delay)| (frame(at, Channels::Rgb, false), delay)).collect();
            let file = film(&frames, Options { effort, ..options(7) }, repeat);
            let (seen, animation) = seen(&file);
            assert_eq!(animation, Some(Animation { repeat }), "{effort:?}");
            assert_eq!(seen.iter().map(|frame| frame.1).collect::<Vec<_>>(), delays);
            for (index, (want, got)) in frames.iter().zip(&seen).enumerate() {
                let distance = distance(&want.0, &got.0);
                assert!(distance < 4.0, "{effort:?}, frame {index}: {distance}");
            }
        }
    }
}

#[test]
fn alpha_may_come_late_and_come_and_go() {
    // Without any alpha in sight there is no second stream.
    let opaque: Vec<_> = (0..4).map(|at| (frame(at, Channels::Rgba, false), 50)).collect();
    let plain = film(&opaque, options(4), None);
    assert!(!probe(&plain).unwrap().source.alpha);
    for clear in [0b1000, 0b0001, 0b0110, 0b1111] {
        let at = |index: u32| (frame(index, Channels::Rgba, clear >> index & 1 == 1), 50);
        let frames: Vec<_> = (0..4).map(at).collect();
        let file = film(&frames, options(4), Some(3));
        assert!(probe(&file).unwrap().source.alpha);
        let (seen, _) = seen(&file);
        for (index, (want, got)) in frames.iter().zip(&seen).enumerate() {
            let alpha = |p: &Pixels| p.data().iter().skip(3).step_by(4).map(|&a| u64::from(a)).sum::<u64>();
            let off = alpha(&want.0).abs_diff(alpha(&got.0)) as f64 / 5490.0;
            assert!(off < 1.5, "{clear:b}, frame {index}: alpha is off by {off}");
        }
    }
}

#[test]
fn a_frame_with_other_channels_is_taken() {
    let grey = Pixels::filled(90, 61, Channels::Grey, 90).unwrap();
    let frames = vec![(grey, 20), (frame(1, Channels::Rgb, false), 20), (frame(2, Channels::Rgba, true), 20)];
    assert_eq!(seen(&film(&frames, options(3), None)).0.len(), 3);
}

#[test]
fn lossless_is() {
    let frames: Vec<_> = (0..3).map(|at| (frame(at, Channels::Rgb, false), 20)).collect();
    let (seen, _) = seen(&film(&frames, Options { lossless: true, ..options(3) }, None));
    for (want, got) in frames.iter().zip(&seen) {
        assert_eq!(want.0.data(), got.0.data());
    }
}

#[test]
fn still_frames_cost_next_to_nothing() {
    let one: Vec<_> = (0..20).map(|_| (frame(3, Channels::Rgb, false), 20)).collect();
    let (short, long) = (film(&one[..2], options(2), None), film(&one, options(20), None));
    assert!(long.len() < short.len() + 18 * 80, "{} and {}", short.len(), long.len());
}

#[test]
fn without_a_duration_there_is_a_millisecond() {
    let frames: Vec<_> = (0..2).map(|at| (frame(at, Channels::Rgb, false), 0)).collect();
    assert_eq!(seen(&film(&frames, options(2), None)).0.iter().map(|frame| frame.1).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn a_sequence_is_read_whose_still_pictures_are_damaged() {
    let frames: Vec<_> = (0..4).map(|index| (frame(index, Channels::Rgba, true), 40)).collect();
    let file = film(&frames, options(4), None);
    let links = file.windows(4).position(|window| window == b"iref").unwrap();
    let link = links + file[links..].windows(4).position(|window| window == b"auxl").unwrap();
    let mut broken = file.clone();
    // Alpha of an item that is not there.
    broken[link + 8..link + 10].copy_from_slice(&[0, 77]);
    let ((whole, times), (damaged, same)) = (seen(&file), seen(&broken));
    assert_eq!((whole.len(), times), (damaged.len(), same));
    for ((a, one), (b, other)) in whole.iter().zip(&damaged) {
        assert!(a.data() == b.data() && one == other);
    }
    // A still picture has nothing else to show.
    broken[8..12].copy_from_slice(b"avif");
    let header = probe(&broken).unwrap();
    let still = decode::open(&broken, &header, &decode::Wanted::default()).and_then(|mut still| still.next_frame());
    assert_eq!(still.unwrap_err().kind, crate::error::Kind::Corrupt);
}

/// Depth, or whatever anybody has named: the colours are there all the same.
#[test]
fn what_is_not_alpha_leaves_a_sequence_opaque() {
    let frames = [0, 1].map(|index| (frame(index, Channels::Rgba, true), 20));
    let whole = film(&frames, options(2), None);
    assert!(seen(&whole).0.iter().all(|(pixels, _)| pixels.channels() == Channels::Rgba));
    let change = |what: &[u8], from: &[u8], to: &[u8]| {
        let mut file = whole.clone();
        // Not in the box of items, which names alpha too.
        let moov = file.windows(4).position(|kind| kind == b"moov").unwrap();
        let start = moov + file[moov..].windows(4).position(|kind| kind == what).unwrap();
        let at = start + file[start..].windows(from.len()).position(|part| part == from).unwrap();
        file[at..at + to.len()].copy_from_slice(to);
        file
    };
    for (what, file) in [
        ("named otherwise", change(b"auxi", b"alpha", b"depth")),
        ("named longer", change(b"auxi", b"alpha\0", b"alphas")),
        ("without a name", change(b"auxi", b"auxi", b"free")),
        ("of another track", change(b"tref", b"auxl\0\0\0\x01", b"auxl\0\0\0\x09")),
    ] {
        let (frames, _) = seen(&file);
        assert_eq!(frames.len(), 2, "{what}");
        assert!(frames.iter().all(|(pixels, _)| pixels.channels() == Channels::Rgb), "{what}");
    }
}
