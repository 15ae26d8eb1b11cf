//! JPEG to JPEG into a box of 500 x 500 at quality 80: CPU milliseconds, bytes and SSIMULACRA2 a conversion, beside the same
//! from files that another program has written.
//!
//! SSIMULACRA2 compares with the original (the PNG that a source was made from, if there is one, else the source decoded in
//! full), brought to the size in linear light with an area average and Lanczos. `PICTOR_JPEGS` names a folder of sources
//! (`kodim01.jpg` has its original in the corpus); `PICTOR_PEER` a folder with another program's results, by the same names.
#![allow(unsafe_code, reason = "asks the system for the CPU time used")]
#![allow(clippy::needless_range_loop)]

use std::path::{Path, PathBuf};

use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use pictor::imaging::convert::convert;
use pictor::imaging::policy::Light;
use pictor::imaging::{Effort, Job};
use pictor::imaging::{Pixels, Policy, decode, probe};
use pictor::plan::{Axes, Box2, Enlarge, Format, Limits, Mode, Output, Plan, Quality, Resize, Step};

fn read(bytes: &[u8]) -> Option<Pixels> {
    let header = probe(bytes).ok()?;
    let mut decoder = decode::open(bytes, &header, &decode::Wanted::default()).ok()?;
    Some(decoder.next_frame().ok()??.pixels)
}

fn job(quality: u8, resample: Light) -> Job {
    let target = Box2 { w: Some(500), h: Some(500), axes: Axes::WidthHeight };
    let resize = Step::Resize(Resize { mode: Mode::Fit(target), enlarge: Enlarge::Skip });
    let output = Output { quality: Quality::Forced(quality), ..Output::default() };
    let plan = Plan { steps: vec![resize], answer: pictor::plan::Answer::Image(output), original_on_error: false };
    Job {
        plan,
        format: Format::Jpeg,
        limits: Limits::default(),
        policy: Policy { resample, ..Policy::default() },
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 10_000,
        full_ms: 0,
    }
}

/// CPU milliseconds of this process, user and system.
fn cpu_ms() -> f64 {
    // SAFETY: the structure is plain data that the call fills.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    (seconds(usage.ru_utime) + seconds(usage.ru_stime)) * 1000.0
}

/// Weights of the source's samples for each place of the result: Lanczos with three lobes, widened by the reduction.
fn weights(from: usize, to: usize) -> Vec<(usize, Vec<f64>)> {
    let ratio = from as f64 / to as f64;
    let scale = ratio.max(1.0);
    let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
    (0..to)
        .map(|at| {
            let centre = (at as f64 + 0.5) * ratio;
            let first = (centre - 3.0 * scale).floor().max(0.0) as usize;
            let last = ((centre + 3.0 * scale).ceil() as usize).min(from);
            let mut taps: Vec<f64> = (first..last)
                .map(|i| (i as f64 + 0.5 - centre) / scale)
                .map(|x| if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 })
                .collect();
            let sum: f64 = taps.iter().sum();
            taps.iter_mut().for_each(|tap| *tap /= sum);
            (first, taps)
        })
        .collect()
}

/// The picture at another size, in linear light with floating point numbers.
fn reference(source: &Pixels, width: u32, height: u32) -> Vec<[u8; 3]> {
    let linear = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let table: Vec<f64> = (0..=255).map(linear).collect();
    let (from, to) = (source.width() as usize, width as usize);
    let across = weights(from, to);
    let size = source.channels().count();
    let rows: Vec<Vec<[f64; 3]>> = source
        .data()
        .chunks_exact(from * size)
        .map(|row| {
            let sum = |c: usize, (first, taps): &(usize, Vec<f64>)| -> f64 {
                let c = if size < 3 { 0 } else { c };
                taps.iter().enumerate().map(|(i, tap)| tap * table[usize::from(row[(first + i) * size + c])]).sum()
            };
            across.iter().map(|taps| [sum(0, taps), sum(1, taps), sum(2, taps)]).collect()
        })
        .collect();
    let encoded = |v: f64| {
        let v = v.clamp(0.0, 1.0);
        let v = if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
        (v * 255.0).round() as u8
    };
    let mut out = Vec::new();
    for (first, taps) in weights(source.height() as usize, height as usize) {
        for x in 0..to {
            let sum = |c: usize| taps.iter().enumerate().map(|(i, tap)| tap * rows[first + i][x][c]).sum();
            out.push([encoded(sum(0)), encoded(sum(1)), encoded(sum(2))]);
        }
    }
    out
}

fn score(truth: &Pixels, file: &[u8]) -> Option<f64> {
    let seen = read(file)?;
    let (width, height) = (seen.width(), seen.height());
    let wanted = reference(truth, width, height).concat();
    let seen: Vec<u8> = match seen.channels().count() {
        1 => seen.data().iter().flat_map(|v| [*v; 3]).collect(),
        _ => seen.data().to_vec(),
    };
    let slice = |data| PixelSlice::new(data, width, height, width as usize * 3, PixelDescriptor::RGB8_SRGB).ok();
    compute_ssimulacra2(&slice(&wanted)?, &slice(&seen)?).ok()
}

fn corpus() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    std::env::var_os("PICTOR_CORPUS").map_or_else(beside, PathBuf::from)
}

/// The picture that `source` shows, as near to the truth as there is.
fn truth(path: &Path, source: &[u8]) -> Option<Pixels> {
    let name = path.file_stem()?.to_str()?;
    match std::fs::read(corpus().join("photos/kodak").join(format!("{name}.png"))) {
        Ok(original) => read(&original),
        Err(_) => read(source),
    }
}

fn line(name: &str, count: usize, bytes: usize, ms: f64, scores: &[f64]) {
    let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let worst = scores.iter().copied().fold(f64::INFINITY, f64::min);
    println!("{name:24} {count:>5} {bytes:>9} {ms:>8.2} {mean:>8.2} {worst:>8.2}");
}

/// Measures.
pub fn main() {
    let folder = std::env::var_os("PICTOR_JPEGS").map_or_else(|| corpus().join("photos/large"), PathBuf::from);
    let peer = std::env::var_os("PICTOR_PEER").map(PathBuf::from);
    let rounds: u32 = std::env::var("PICTOR_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(5);
    let quality: u8 = std::env::var("PICTOR_QUALITY").ok().and_then(|n| n.parse().ok()).unwrap_or(80);
    let Ok(entries) = std::fs::read_dir(&folder) else { return println!("no folder {}", folder.display()) };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "jpg"));
    paths.sort();
    println!("{:24} {:>5} {:>9} {:>8} {:>8} {:>8}", "sources", "files", "bytes", "CPU ms", "ssimu2", "worst");
    type Group = fn(u64) -> bool;
    let groups: [(&str, Group); 3] = [
        ("below 1 MP", |p| p < 1_000_000),
        ("1 to 5 MP", |p| (1_000_000..5_000_000).contains(&p)),
        ("above", |p| p >= 5_000_000),
    ];
    for (name, within) in groups {
        let mut rows = [Light::Gamma, Light::Linear].map(|light| (light, 0, 0.0, Vec::new()));
        let (mut peer_bytes, mut peer_scores) = (0, Vec::new());
        for path in &paths {
            let Ok(source) = std::fs::read(path) else { continue };
            let Ok(header) = probe(&source) else { continue };
            if !within(header.source.pixels()) {
                continue;
            }
            let Some(truth) = truth(path, &source) else { continue };
            for (light, bytes, ms, scores) in &mut rows {
                let job = job(quality, *light);
                let Ok((file, _)) = convert(&source, &job) else { continue };
                let began = cpu_ms();
                for _ in 0..rounds {
                    let _ = convert(&source, &job);
                }
                *ms += (cpu_ms() - began) / f64::from(rounds);
                *bytes += file.len();
                scores.extend(score(&truth, &file));
            }
            let other = peer.as_ref().zip(path.file_name()).and_then(|(peer, n)| std::fs::read(peer.join(n)).ok());
            if let Some(other) = other {
                peer_bytes += other.len();
                peer_scores.extend(score(&truth, &other));
            }
        }
        for (light, bytes, ms, scores) in rows {
            let count = scores.len();
            let name = format!("{name}, {}", format!("{light:?}").to_lowercase());
            line(&name, count, bytes, ms / count.max(1) as f64, &scores);
        }
        if !peer_scores.is_empty() {
            line("  the peer", peer_scores.len(), peer_bytes, f64::NAN, &peer_scores);
        }
    }
}
