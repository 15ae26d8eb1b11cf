//! The peak resident size of a conversion beside the estimate that admission works with: `cargo bench --bench memory`.
//! Every conversion runs in a process of its own (this very program), so that its peak is its own. Sources are drawn: 0.1,
//! 1, 12, 24, 100 and 250 megapixels, as JPEG (baseline and progressive), PNG, WebP, AVIF and HEIF; and animations. `-- quick`
//! leaves out what is above 24 megapixels, `-- moving` everything but the animations.
#![allow(unsafe_code, reason = "asks the system for the CPU time used")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use pictor::imaging::Effort;
use pictor::imaging::budget;
use pictor::imaging::convert::convert;
use pictor::imaging::encode::{self, Options};
use pictor::imaging::picture::{Animation, Space};
use pictor::imaging::{Channels, Frame, Job, Pixels, Policy, probe};
use pictor::plan::{Answer, Axes, Box2, Enlarge, Format, Limits, Mode, Output, Plan, Resize, Step, Target, geometry};

/// Sides of the sources, in pixels.
const SIZES: [(u32, u32); 6] = [(400, 300), (1200, 900), (4000, 3000), (6000, 4000), (11_500, 8_700), (16_380, 15_240)];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["child", source, target, width] => child(Path::new(source), target, width.parse().unwrap()),
        ["source", path, format, progressive, alpha, width, height, frames] => source(
            Path::new(path),
            Format::from_name(format).unwrap(),
            *progressive == "true",
            *alpha == "true",
            (width.parse().unwrap(), height.parse().unwrap()),
            frames.parse().unwrap(),
        ),
        words => {
            println!("| source | megapixels | to | peak MiB | estimate MiB | part | CPU ms | estimate ms |");
            println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
            let mut rows = Rows::default();
            moving(&mut rows);
            if !words.contains(&"moving") {
                table(&mut rows, words.contains(&"quick"));
            }
            println!("\n{} conversions, {} above their estimate", rows.count, rows.above.len());
            for line in rows.above {
                println!("{line}");
            }
        }
    }
}

/// Width 0: the size is kept.
fn job(target: Format, width: u32) -> Job {
    let to = Box2 { w: Some(width), h: None, axes: Axes::WidthHeight };
    let resize = Step::Resize(Resize { mode: Mode::Fit(to), enlarge: Enlarge::Skip });
    let output = Output { target: Target::Fixed(target), ..Output::default() };
    let steps = if width == 0 { Vec::new() } else { vec![resize] };
    Job {
        plan: Plan { steps, answer: Answer::Image(output), ..Plan::identity() },
        format: target,
        limits: Limits { output_side: 30_000, ..Limits::default() },
        policy: Policy::default(),
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 30_000,
        full_ms: 0,
    }
}

/// Converts and says the peak in bytes and the CPU time in milliseconds.
fn child(path: &Path, target: &str, width: u32) {
    // SAFETY: sets a number of this process's allocator, as a worker does.
    unsafe { libc::mallopt(libc::M_ARENA_MAX, 2) };
    let bytes = std::fs::read(path).unwrap();
    let began = cpu_ms();
    match convert(&bytes, &job(Format::from_name(target).unwrap(), width)) {
        Ok((file, _)) => println!("{} {} {}", peak(), cpu_ms() - began, file.len()),
        Err(error) => println!("refused {error}"),
    }
}

/// The peak of this process's resident memory, in bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

fn cpu_ms() -> u64 {
    // SAFETY: zeroes are a valid value, and the call fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let ms = |time: libc::timeval| time.tv_sec as u64 * 1000 + time.tv_usec as u64 / 1000;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}

/// Smooth shapes with a little grain, as a photograph has; in each frame they stand elsewhere.
fn source(path: &Path, format: Format, progressive: bool, alpha: bool, (width, height): (u32, u32), frames: u32) {
    let options = Options {
        quality: Some(80),
        lossless: false,
        near_lossless: 0,
        progressive,
        effort: Effort::Pressed,
        threads: 2,
        frames,
        budget_ms: 0,
        hurry: pictor::imaging::encode::Hurry::default(),
        exif: None,
        space: Space::Srgb,
    };
    let animation = (frames > 1).then_some(Animation { repeat: None });
    let mut encoder = encode::open(format, width, height, options, animation).unwrap();
    for frame in 0..frames {
        encoder.add(Frame { pixels: drawn(alpha, width, height, frame * 3), delay_ms: 40 }).unwrap();
    }
    std::fs::write(path, encoder.finish().unwrap()).unwrap();
}

fn drawn(alpha: bool, width: u32, height: u32, shift: u32) -> Pixels {
    let channels = if alpha { Channels::Rgba } else { Channels::Rgb };
    let mut data = Vec::with_capacity(width as usize * height as usize * channels.count());
    let mut grain = 0x9e37_79b9u32;
    for y in 0..height {
        for x in 0..width {
            grain = grain.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = if (x ^ y) & 0x1f0 == 0 { (grain >> 30) as u8 } else { 0 };
            let edge = if ((x + shift) / 97 + (y + shift) / 61).is_multiple_of(3) { 60 } else { 0 };
            let pixel =
                [(x * 180 / width) as u8 + edge + noise, (y * 180 / height) as u8 + noise, 90 + edge / 2 + noise];
            data.extend_from_slice(&pixel);
            if alpha {
                data.push(if (x + shift) % width > width / 2 { 255 } else { (y * 255 / height) as u8 });
            }
        }
    }
    Pixels::new(width, height, channels, data).unwrap()
}

#[derive(Default)]
struct Rows {
    count: u32,
    above: Vec<String>,
}

/// Has another process draw a source, and reads it.
fn draw(path: &Path, format: Format, flags: (bool, bool), (width, height): (u32, u32), frames: u32) -> Option<Vec<u8>> {
    let status = Command::new(std::env::current_exe().unwrap())
        .arg("source")
        .arg(path)
        .args([format.name(), &flags.0.to_string(), &flags.1.to_string()])
        .args([width.to_string(), height.to_string(), frames.to_string()])
        .status();
    status.is_ok_and(|status| status.success()).then(|| std::fs::read(path).unwrap())
}

fn moving(rows: &mut Rows) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("source");
    for (width, height) in [(200, 150), (640, 480), (1200, 900)] {
        for (format, alpha) in [(Format::Gif, false), (Format::Gif, true), (Format::WebP, true), (Format::Avif, true)] {
            for frames in [5, 60, 200] {
                // Sources that take minutes to draw.
                if frames == 200 && (format != Format::Gif || width > 1000) {
                    continue;
                }
                let Some(bytes) = draw(&path, format, (false, alpha), (width, height), frames) else { continue };
                let clear = if alpha { ", alpha" } else { "" };
                let name = format!("{} {width}x{height}, {frames} frames{clear}", format.name());
                for target in [Format::Gif, Format::WebP, Format::Avif] {
                    row(rows, &path, &bytes, (&name, u64::from(width * height * frames) / 1_000_000), target, 0);
                }
            }
        }
    }
}

fn table(rows: &mut Rows, quick: bool) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("source");
    let sources = [
        ("jpeg", Format::Jpeg, false, false),
        ("jpeg, progressive", Format::Jpeg, true, false),
        ("png", Format::Png, false, false),
        ("png, alpha", Format::Png, false, true),
        ("webp", Format::WebP, false, false),
        ("avif", Format::Avif, false, false),
        ("heif", Format::Heif, false, false),
    ];
    for (width, height) in SIZES {
        let megapixels = u64::from(width) * u64::from(height) / 1_000_000;
        for (name, format, progressive, alpha) in sources {
            // What takes minutes to draw, or cannot be held.
            if megapixels > 24 && (quick || format == Format::Heif) {
                continue;
            }
            if megapixels > 100 && !matches!(format, Format::Jpeg | Format::Png) {
                continue;
            }
            let Some(bytes) = draw(&path, format, (progressive, alpha), (width, height), 1) else {
                println!("| {name} | {megapixels} | could not be drawn | | | | | |");
                continue;
            };
            if bytes.len() as u64 > Limits::default().source_bytes {
                println!("| {name} | {megapixels} | {} bytes: above the limit of an original | | | | | |", bytes.len());
                continue;
            }
            for target in [Format::Jpeg, Format::WebP, Format::Png, Format::Avif, Format::Heif] {
                for to in [1200, 0] {
                    // Whole pictures above the vendors' largest side are not written.
                    if to == 0 && (width > 9_999 || !encode::writable(target)) {
                        continue;
                    }
                    row(rows, &path, &bytes, (name, megapixels), target, to);
                }
            }
        }
    }
}

/// One conversion.
fn row(rows: &mut Rows, path: &Path, bytes: &[u8], (name, megapixels): (&str, u64), target: Format, width: u32) {
    rows.count += 1;
    let job = job(target, width);
    let header = probe(bytes).unwrap();
    let layout = geometry::lay_out(&job.plan, &header.source, target, &job.limits).unwrap();
    let cost = budget::cost(&header, &layout, target, job.effort);
    let this = std::env::current_exe().unwrap();
    let output =
        Command::new(this).args(["child", path.to_str().unwrap(), target.name(), &width.to_string()]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut numbers = text.split_whitespace().map_while(|word| word.parse::<u64>().ok());
    let size = if width == 0 { "whole".into() } else { format!("{width} wide") };
    let to = format!("{}, {size}", target.name());
    let (Some(peak), Some(cpu)) = (numbers.next(), numbers.next()) else {
        println!("| {name} | {megapixels} | {to} | {} | | | | |", text.trim());
        rows.above.push(format!("{name} {megapixels} to {to}: {}", text.trim()));
        return;
    };
    let mib = |bytes: u64| bytes >> 20;
    let part = peak * 100 / cost.bytes;
    let line = format!(
        "| {name} | {megapixels} | {to} | {} | {} | {part} % | {cpu} | {} |",
        mib(peak),
        mib(cost.bytes),
        cost.cpu_ms
    );
    println!("{line}");
    if peak > cost.bytes {
        rows.above.push(line);
    }
}
