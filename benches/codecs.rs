//! What encoding costs and gives: first bytes and SSIMULACRA2 of every lossy format at a ladder of qualities (the figures that
//! the tables in `imaging/encode` were fitted to), then criterion's timings.
//!
//! The pictures are those of the corpus (`PICTOR_CORPUS`, or `../shared/corpus` beside the crate), or, without it, a drawn one.

use std::path::PathBuf;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use pictor::imaging::Effort;
use pictor::imaging::encode::{self, Options};
use pictor::imaging::policy::Light;
use pictor::imaging::{Channels, Frame, Pixels, Space, decode, probe, transform};
use pictor::plan::{Format, GeometryOp};

const PICTURES: [&str; 6] = [
    "photos/kodak/kodim05.png",
    "photos/kodak/kodim08.png",
    "photos/kodak/kodim15.png",
    "photos/kodak/kodim20.png",
    "photos/kodak/kodim23.png",
    "photos/large/fox-1204x800.png",
];
const HEADLINE: [&str; 6] = [
    "fox-1204x800.png",
    "nuthatch-3924x2550.jpg",
    "pigeons-3082x2048.jpg",
    "foliage-4224x3168.jpg",
    "dandelions-5312x2988.jpg",
    "dog-4032x3024-exif-xmp-icc.jpg",
];
const LOSSY: [Format; 4] = [Format::Jpeg, Format::WebP, Format::Avif, Format::Heif];

fn corpus() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    std::env::var_os("PICTOR_CORPUS").map_or_else(beside, PathBuf::from)
}

fn read(bytes: &[u8]) -> Option<Pixels> {
    let header = probe(bytes).ok()?;
    let mut decoder = decode::open(bytes, &header, &decode::Wanted::default()).ok()?;
    Some(decoder.next_frame().ok()??.pixels)
}

fn pictures() -> Vec<Pixels> {
    let found: Vec<Pixels> =
        PICTURES.iter().filter_map(|name| read(&std::fs::read(corpus().join(name)).ok()?)).collect();
    if found.is_empty() {
        println!("no corpus: a drawn picture takes its place");
        let data = (0..512 * 512u32).flat_map(|i| [(i % 512 / 2) as u8, (i / 1024) as u8, (i * 37 % 251) as u8]);
        return Pixels::new(512, 512, Channels::Rgb, data.collect()).into_iter().collect();
    }
    found
}

fn options(quality: Option<u8>, effort: Effort) -> Options {
    Options {
        quality,
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: pictor::imaging::encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    }
}

fn written(pixels: &Pixels, format: Format, options: Options) -> Option<Vec<u8>> {
    let mut encoder = encode::open(format, pixels.width(), pixels.height(), options, None).ok()?;
    encoder.add(Frame { pixels: pixels.clone(), delay_ms: 0 }).ok()?;
    encoder.finish().ok()
}

fn score(a: &Pixels, b: &Pixels) -> Option<f64> {
    let slice = |p| -> Option<PixelSlice<'_>> {
        let p: &Pixels = p;
        PixelSlice::new(p.data(), p.width(), p.height(), p.stride(), PixelDescriptor::RGB8_SRGB).ok()
    };
    compute_ssimulacra2(&slice(a)?, &slice(b)?).ok()
}

/// Bytes and mean SSIMULACRA2 of the pictures.
fn rates(_: &mut Criterion) {
    let pictures = pictures();
    println!("{:8} {:12} {:>8} {:>10} {:>8}", "format", "effort", "quality", "bytes", "ssimu2");
    for format in LOSSY {
        for effort in [Effort::Pressed, Effort::Interactive, Effort::Batch] {
            if format == Format::Jpeg && effort != Effort::Interactive {
                continue;
            }
            for quality in [None, Some(30), Some(50), Some(65), Some(80), Some(90)] {
                let (mut bytes, mut sum, mut count) = (0, 0.0, 0);
                for picture in &pictures {
                    let Some(file) = written(picture, format, options(quality, effort)) else { continue };
                    let Some(score) = read(&file).and_then(|back| score(picture, &back)) else { continue };
                    (bytes, sum, count) = (bytes + file.len(), sum + score, count + 1);
                }
                let number = quality.map_or("default".into(), |q| q.to_string());
                let mean = sum / f64::from(count.max(1));
                println!("{:8} {:12} {number:>8} {bytes:>10} {mean:>8.2}", format.name(), format!("{effort:?}"));
            }
        }
    }
}

/// Time of one encode at the default quality.
fn encoders(criterion: &mut Criterion) {
    let Some(picture) = pictures().pop() else { return };
    let mut group = criterion.benchmark_group(format!("encode {} x {}", picture.width(), picture.height()));
    group.sample_size(10).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(5));
    for format in [Format::Jpeg, Format::Png, Format::Gif, Format::WebP, Format::Avif, Format::Heif] {
        if encode::writable(format) {
            let run = || written(&picture, format, options(None, Effort::Interactive));
            group.bench_function(format.name(), |bencher| bencher.iter(run));
        }
    }
    group.finish();
}

/// Time of the operations on pixels.
fn operations(criterion: &mut Criterion) {
    let Some(picture) = pictures().pop() else { return };
    let mut group = criterion.benchmark_group(format!("transform {} x {}", picture.width(), picture.height()));
    group.sample_size(10).measurement_time(Duration::from_secs(3));
    let ops = [
        ("resize to a third", GeometryOp::Resize { width: picture.width() / 3, height: picture.height() / 3 }),
        ("quarter turn", GeometryOp::Turn(1)),
        ("rotate by 30 degrees", GeometryOp::Rotate { degrees: 30, width: picture.width(), height: picture.height() }),
    ];
    for (name, op) in ops {
        group.bench_function(name, |bencher| {
            bencher.iter(|| transform::apply(picture.clone(), &op, true, Light::Gamma))
        });
    }
    group.finish();
}

/// The vendors' own headline, on real photos: default quality, whole picture, beside the original's bytes.
fn headline(_: &mut Criterion) {
    println!(
        "{:28} {:>10} {:8} {:>10} {:>8} {:>8} {:>10}",
        "original", "bytes", "format", "bytes", "saved %", "ssimu2", "encode ms"
    );
    for name in HEADLINE {
        let Ok(original) = std::fs::read(corpus().join("photos/large").join(name)) else { continue };
        let Some(picture) = read(&original) else { continue };
        for format in [Format::Avif, Format::Heif, Format::WebP] {
            // One thread: its time is its CPU time.
            let began = std::time::Instant::now();
            let Some(file) = written(&picture, format, options(None, Effort::Interactive)) else { continue };
            let took = began.elapsed().as_millis();
            let seen = read(&file).and_then(|back| score(&picture, &back)).unwrap_or(f64::NAN);
            let saved = 100.0 * (1.0 - file.len() as f64 / original.len() as f64);
            let (before, after) = (original.len(), file.len());
            println!("{name:28} {before:>10} {:8} {after:>10} {saved:>8.1} {seen:>8.2} {took:>10}", format.name());
        }
    }
}

criterion_group!(benches, headline, rates, encoders, operations);
criterion_main!(benches);
