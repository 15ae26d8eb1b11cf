#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::at_hand::corpus;
use crate::convert::{Job, convert};
use crate::plan::{Answer, Limits, Plan, SizeLimit, Source};
use crate::{Channels, policy};

const FORMATS: [Format; 4] = [Format::Jpeg, Format::WebP, Format::Avif, Format::Heif];

fn formats() -> impl Iterator<Item = Format> {
    FORMATS.into_iter().filter(|format| encode::writable(*format))
}

fn options(quality: Option<u8>) -> Options {
    Options {
        quality,
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    }
}

/// Several octaves of noise: something for an encoder to do.
fn photo_like(width: u32, height: u32) -> Pixels {
    let noise = |x: u32, y: u32| -> f64 {
        let h = x.wrapping_mul(374_761_393).wrapping_add(y.wrapping_mul(668_265_263));
        let h = (h ^ (h >> 13)).wrapping_mul(1_274_126_177);
        f64::from((h ^ (h >> 16)) & 255)
    };
    let data = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| {
        let v = noise(x / 32, y / 32) * 0.6 + noise(x / 8, y / 8) * 0.3 + noise(x, y) * 0.1;
        [v as u8, (v * 0.9 + 10.0) as u8, (v * 0.8 + 30.0) as u8]
    });
    Pixels::new(width, height, Channels::Rgb, data.collect()).unwrap()
}

/// Photographs of the corpus, at most so many pixels; a picture made here where there is none.
fn photos(most: u64) -> Vec<(String, Pixels)> {
    let mut found = vec![("made here".to_owned(), photo_like(400, 300))];
    let Some(root) = corpus() else { return found };
    for path in std::fs::read_dir(root.join("photos/kodak")).unwrap().map(|entry| entry.unwrap().path()).take(5) {
        let bytes = std::fs::read(&path).unwrap();
        if probe::probe(&bytes).is_ok_and(|header| header.source.pixels() <= most && !header.source.animated()) {
            found.push((
                path.file_name().unwrap().to_string_lossy().into_owned(),
                decoded(&bytes, Space::Srgb).unwrap(),
            ));
        }
    }
    found
}

fn job(format: Format, output: Output) -> Job {
    Job {
        plan: Plan { answer: Answer::Image(output), ..Plan::identity() },
        format,
        limits: Limits::default(),
        policy: Policy::default(),
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 60_000,
        full_ms: 0,
    }
}

fn scored(original: &Pixels, bytes: &[u8]) -> f64 {
    let (original, copy) = (original.clone(), decoded(bytes, Space::Srgb).unwrap());
    let seen = |pixels: Pixels| score::sample(&pixels).unwrap().unwrap_or(pixels);
    Reference::new(&seen(original)).unwrap().score(&seen(copy)).unwrap()
}

/// CPU time of this thread.
fn cpu_ms() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or_default() / 1_000_000
}

#[test]
fn a_search_that_ended_early_says_so() {
    let source = Tries { format: Format::Png, options: &options(None), start: Instant::now() };
    let source = source.encode(photo_like(400, 300), 100).unwrap();
    let output = Output { target: Target::Fixed(Format::WebP), quality: Quality::Auto(80), ..Output::default() };
    for (budget_ms, full_ms, hurried) in [(1, 60_000, true), (60_000, 60_000, false), (1, 1, false), (1, 0, false)] {
        let job = Job { budget_ms, full_ms, ..job(Format::WebP, output.clone()) };
        let (_, outcome) = convert(&source, &job).unwrap();
        assert_eq!(outcome.hurried, hurried, "{budget_ms} of {full_ms} ms");
    }
}

#[test]
fn a_score_is_reached() {
    let photos = photos(1_600_000);
    for format in formats() {
        for target in [60u8, 70, 80] {
            let (mut lowest, mut highest) = (f64::INFINITY, f64::NEG_INFINITY);
            for (name, pixels) in &photos {
                let default = quality::default(format, None);
                let tries = Tries { format, options: &options(None), start: Instant::now() };
                let start = cpu_ms();
                let plain = tries.encode(pixels.clone(), default).unwrap().len();
                let once = cpu_ms() - start;
                let start = cpu_ms();
                let bytes = run(Wish::Score(target), pixels.clone(), format, &options(Some(80)), None).unwrap();
                let took = cpu_ms() - start;
                let value = scored(pixels, &bytes);
                println!(
                    "{:5} {target} {name:32} {}x{} score {value:6.2} bytes {:7} default {plain:7} {:4} ms, once {:4} ms",
                    format.name(),
                    pixels.width(),
                    pixels.height(),
                    bytes.len(),
                    took,
                    once,
                );
                if name.starts_with("kodim") {
                    let off = value - f64::from(target);
                    (lowest, highest) = (lowest.min(off), highest.max(off));
                }
            }
            println!("{:5} {target} off by {lowest:.2} to {highest:.2}", format.name());
            // Three tries at qualities that do not step evenly: a JPEG gains four points where its chroma is no longer
            // halved, and HEIF was seen 6 above a low target. Too much costs bytes; too little would be a broken promise.
            assert!(lowest >= -2.0 && highest <= 7.0, "{} {target}: {lowest} to {highest}", format.name());
        }
    }
}

#[test]
fn a_larger_picture_is_judged_by_a_sample() {
    let pixels = photo_like(2000, 1500);
    for format in [Format::Jpeg, Format::WebP] {
        let start = cpu_ms();
        let bytes = run(Wish::Score(75), pixels.clone(), format, &options(Some(80)), None).unwrap();
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        println!("{} {} ms {:?}", format.name(), cpu_ms() - start, status.lines().find(|line| line.contains("VmHWM")));
        assert_eq!(
            (decoded(&bytes, Space::Srgb).unwrap().width(), decoded(&bytes, Space::Srgb).unwrap().height()),
            (2000, 1500)
        );
        assert!((scored(&pixels, &bytes) - 75.0).abs() <= 2.5, "{}: {}", format.name(), scored(&pixels, &bytes));
    }
}

#[test]
fn under_pressure_the_typical_quality_has_to_do() {
    let pixels = photo_like(64, 64);
    let pressed = Options { effort: Effort::Pressed, ..options(None) };
    let typical = search::inverse(quality::scores(Format::Jpeg), 70.25);
    let tries = Tries { format: Format::Jpeg, options: &pressed, start: Instant::now() };
    let want = tries.encode(pixels.clone(), typical).unwrap();
    assert_eq!(run(Wish::Score(70), pixels, Format::Jpeg, &pressed, None).unwrap(), want);
}

#[test]
fn bytes_stay_below_the_limit() {
    let pixels = photo_like(400, 300);
    for format in [Format::Jpeg, Format::WebP] {
        let tries = Tries { format, options: &options(None), start: Instant::now() };
        let size = |quality| tries.encode(pixels.clone(), quality).unwrap().len();
        let found = |limit: usize| run(Wish::Bytes(limit as u64), pixels.clone(), format, &options(Some(80)), None);
        let whole = size(80);
        for part in [30, 50, 70, 90] {
            let limit = size(LOWEST).max(whole * part / 100);
            let bytes = found(limit).unwrap().len();
            println!("{} {limit} {bytes}", format.name());
            // A seventh of a JPEG's bytes goes at once where its chroma is halved.
            assert!(bytes <= limit && bytes * 100 >= limit * 60, "{}: {bytes} of {limit}", format.name());
        }
        assert_eq!(found(whole).unwrap().len(), whole, "a limit that binds nothing changes nothing");
        assert_eq!(found(1).unwrap().len(), size(LOWEST), "the smallest that was found");
    }
}

#[test]
fn who_wishes_what() {
    let site = Policy { auto_quality: 66, ..policy::Policy::default() };
    let none = Policy::default();
    let plain = Output::default();
    assert_eq!(wish(&plain, &none, Format::WebP, 1), None);
    assert_eq!(wish(&plain, &site, Format::WebP, 1), Some(Wish::Score(66)));
    assert_eq!(wish(&plain, &site, Format::WebP, 2), None, "animations are not searched");
    assert_eq!(wish(&plain, &site, Format::Png, 1), None);
    for quality in [Quality::Capped(80), Quality::Forced(80), Quality::Relative(80), Quality::Lossless] {
        assert_eq!(wish(&Output { quality, ..plain.clone() }, &site, Format::WebP, 1), None, "a rule's number stands");
    }
    let auto = Output { quality: Quality::Auto(75), ..plain.clone() };
    assert_eq!(wish(&auto, &site, Format::Avif, 1), Some(Wish::Score(75)));
    let limited = Output { size_limit: Some(SizeLimit { bytes: 9, or_original: false }), ..auto };
    assert_eq!(wish(&limited, &none, Format::Avif, 1), Some(Wish::Bytes(9)));
    let named = Output { target: Target::Fixed(Format::Avif), ..limited.clone() };
    assert_eq!(wish(&named, &none, Format::Avif, 1), Some(Wish::Score(75)), "only JPEG is bound");
    let named = Output { target: Target::Fixed(Format::Jpeg), ..limited };
    assert_eq!(wish(&named, &none, Format::Jpeg, 1), Some(Wish::Bytes(9)));
}

#[test]
fn the_original_is_the_answer_where_nothing_is_smaller() {
    let tries = Tries { format: Format::Jpeg, options: &options(None), start: Instant::now() };
    let small = tries.encode(photo_like(200, 150), 30).unwrap();
    let auto = Output { quality: Quality::Auto(95), ..Output::default() };
    let (bytes, outcome) = convert(&small, &job(Format::Jpeg, auto.clone())).unwrap();
    assert_eq!((bytes == small, outcome.format, outcome.width), (true, Some(Format::Jpeg), 200));
    // With something else in it than the picture it is written anew, however large that is.
    let tagged = Options { exif: Some(crate::exif::minimal_orientation(1)), ..options(None) };
    let tries = Tries { format: Format::Jpeg, options: &tagged, start: Instant::now() };
    let tagged = tries.encode(photo_like(200, 150), 30).unwrap();
    assert!(convert(&tagged, &job(Format::Jpeg, auto.clone())).unwrap().0 != tagged);
    assert_eq!(convert(&small, &job(Format::WebP, auto)).unwrap().1.format, Some(Format::WebP));
    // The vendor's `!` gives it whatever was asked for besides.
    let limit = |or_original| Output {
        target: Target::Fixed(Format::Jpeg),
        quality: Quality::Forced(95),
        size_limit: Some(SizeLimit { bytes: 1 << 20, or_original }),
        ..Output::default()
    };
    assert!(convert(&small, &job(Format::Jpeg, limit(true))).unwrap().0 == small);
    assert!(convert(&small, &job(Format::Jpeg, limit(false))).unwrap().0.len() > small.len());
}

#[test]
fn only_a_plain_jpeg_stands_for_itself() {
    let tries = Tries { format: Format::Jpeg, options: &options(None), start: Instant::now() };
    let bytes = tries.encode(photo_like(64, 48), 50).unwrap();
    let header = probe::probe(&bytes).unwrap();
    let layout = Layout { ops: Vec::new(), width: 64, height: 48, frames: 1, orientation: 1 };
    let plain = Output::default();
    assert!(original_will_do(&bytes, &header, &layout, &plain, Format::Jpeg));
    assert!(!original_will_do(&bytes, &header, &layout, &plain, Format::Avif));
    assert!(!original_will_do(&bytes, &header, &layout, &Output { progressive: true, ..plain.clone() }, Format::Jpeg));
    assert!(!original_will_do(&[&bytes[..], b"more"].concat(), &header, &layout, &plain, Format::Jpeg));
    let turned = Header { source: Source { orientation: 6, ..header.source }, ..header };
    assert!(!original_will_do(&bytes, &turned, &layout, &plain, Format::Jpeg));
    let comment = [&bytes[..2], &[0xff, 0xfe, 0, 4, b'h', b'i'], &bytes[2..]].concat();
    assert!(!original_will_do(&comment, &header, &layout, &plain, Format::Jpeg));
}
