//! Rate and distortion beside other encoders, in one run: `make bench-codecs`, or `cargo bench --bench peers -- [quick]
//! [slow] [avif|heif|webp|jpeg]`; whole conversions of large JPEGs with `-- reduce [avif|webp]`. Bytes at equal SSIMULACRA2
//! and CPU time, on the photographs of the corpus (`quick`: six of them; `slow`: also what takes five seconds a megapixel).
//!
//! A peer that is not installed is named and left out. sharp is looked for in `PICTOR_SHARP`, else in `.deps/peers`
//! (`npm install --prefix .deps/peers sharp`). The CPU time of a command includes its start and its reading of a PNG, about
//! 20 ms a megapixel; sharp's and ours do not.
#![allow(unsafe_code, reason = "asks the system for the CPU time used")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;

use fast_ssim2::{PixelDescriptor, PixelSlice, compute_ssimulacra2};
use pictor::imaging::Effort;
use pictor::imaging::encode::{self, Options};
use pictor::imaging::picture::Space;
use pictor::imaging::{Frame, Pixels, decode, probe, transform};
use pictor::plan::{Format, GeometryOp};

#[path = "peers/reduce.rs"]
mod reduce;

/// Scores at which bytes are compared.
const SCORES: [f64; 3] = [60.0, 75.0, 85.0];

/// Encodes raw pixels with sharp at several qualities, one thread, and says what each took.
const SHARP: &str = "
const [folder, input, output, format, options, ...qualities] = process.argv.slice(1);
const sharp = require(folder + '/node_modules/sharp');
sharp.concurrency(1); sharp.cache(false);
(async () => {
  const { data, info } = await sharp(input).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const raw = { width: info.width, height: info.height, channels: info.channels };
  for (const quality of qualities) {
    const before = process.cpuUsage();
    const file = await sharp(data, { raw })[format]({ quality: Number(quality), ...JSON.parse(options) }).toBuffer();
    const used = process.cpuUsage(before);
    require('fs').writeFileSync(output + quality, file);
    console.log(quality + ' ' + (used.user + used.system));
  }
})();";

/// Takes five seconds a megapixel.
const SLOW: &str = "sharp, effort 4";

/// A program of that name, or the one that `PICTOR_OXIMG` names.
const OXIMG: &str = "oximg";

/// One encoder with its settings.
struct Candidate {
    name: String,
    how: How,
    qualities: Vec<u32>,
}

enum How {
    Ours(Format, Effort),
    /// Program and arguments; `{q}`, `{in}` and `{out}` are put in.
    Command(&'static str, Vec<&'static str>),
    /// Format and options of sharp's.
    Sharp(&'static str, &'static str),
}

/// One file: the encoder's number, its size, the time that it took in milliseconds, its score.
#[derive(Clone, Copy)]
struct Point {
    quality: u32,
    bytes: f64,
    cpu_ms: f64,
    score: f64,
}

struct Photo {
    path: PathBuf,
    pixels: Pixels,
}

fn candidates(format: &str) -> Vec<Candidate> {
    let list = |qualities: &[u32]| qualities.to_vec();
    let ours = |format: Format, effort: Effort| Candidate {
        name: format!("Pictor, {}", format!("{effort:?}").to_lowercase()),
        how: How::Ours(format, effort),
        qualities: list(&[30, 60, 80, 93]),
    };
    let command = |name: &str, program, arguments: &[&'static str], qualities: &[u32]| Candidate {
        name: name.into(),
        how: How::Command(program, arguments.to_vec()),
        qualities: list(qualities),
    };
    let sharp = |name: &str, format, options, qualities: &[u32]| Candidate {
        name: name.into(),
        how: How::Sharp(format, options),
        qualities: list(qualities),
    };
    let lossy = [40, 65, 82, 94];
    let oximg = |format| {
        command(OXIMG, OXIMG, &["resize", "{in}", "0", "0", "{out}", "-q", "{q}", "-f", format], &[35, 55, 75, 92])
    };
    match format {
        "avif" => vec![
            ours(Format::Avif, Effort::Interactive),
            ours(Format::Avif, Effort::Pressed),
            ours(Format::Avif, Effort::Batch),
            sharp("sharp, effort 0", "avif", r#"{"effort":0}"#, &[35, 55, 70, 88]),
            sharp(SLOW, "avif", r#"{"effort":4}"#, &[35, 55, 70, 88]),
            sharp("sharp, effort 2", "avif", r#"{"effort":2}"#, &[35, 55, 70, 88]),
            command(
                "avifenc -s 6",
                "avifenc",
                &["-s", "6", "-j", "1", "--min", "{q}", "--max", "{q}", "{in}", "{out}"],
                &[45, 32, 20, 8],
            ),
            command(
                "avifenc -s 8",
                "avifenc",
                &["-s", "8", "-j", "1", "--min", "{q}", "--max", "{q}", "{in}", "{out}"],
                &[45, 32, 20, 8],
            ),
            oximg("avif"),
        ],
        "heif" => vec![
            ours(Format::Heif, Effort::Interactive),
            ours(Format::Heif, Effort::Pressed),
            ours(Format::Heif, Effort::Batch),
            command("heif-enc", "heif-enc", &["-q", "{q}", "-o", "{out}", "{in}"], &[28, 50, 65, 78]),
        ],
        "webp" => vec![
            ours(Format::WebP, Effort::Interactive),
            command("cwebp -m 6", "cwebp", &["-quiet", "-m", "6", "-q", "{q}", "{in}", "-o", "{out}"], &lossy),
            command("cwebp -m 4", "cwebp", &["-quiet", "-m", "4", "-q", "{q}", "{in}", "-o", "{out}"], &lossy),
            sharp("sharp, effort 6", "webp", r#"{"effort":6}"#, &lossy),
            oximg("webp"),
        ],
        "jpeg" => vec![
            ours(Format::Jpeg, Effort::Interactive),
            sharp("sharp", "jpeg", "{}", &lossy),
            sharp("sharp, mozjpeg", "jpeg", r#"{"mozjpeg":true}"#, &lossy),
            oximg("jpeg"),
        ],
        _ => Vec::new(),
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "quick");
    let named: Vec<&str> =
        arguments.iter().map(String::as_str).filter(|word| !["quick", "slow", "reduce"].contains(word)).collect();
    if arguments.iter().any(|argument| argument == "reduce") {
        return reduce::run(quick, &named);
    }
    let folder = tempfile::tempdir().unwrap();
    let photos = photos(folder.path(), quick);
    if photos.is_empty() {
        println!("no corpus beside the project (or in PICTOR_CORPUS): nothing to compare on");
        return;
    }
    println!("{} photographs", photos.len());
    let slow = arguments.iter().any(|argument| argument == "slow");
    for format in ["avif", "heif", "webp", "jpeg"] {
        if named.is_empty() || named.contains(&format) {
            table(format, slow, &photos, folder.path());
        }
    }
}

/// The photographs, as pixels and as PNG files: Kodak's as they are, larger ones at 1,000 pixels in width.
fn photos(folder: &Path, quick: bool) -> Vec<Photo> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let corpus = std::env::var_os("PICTOR_CORPUS").map_or_else(beside, PathBuf::from).join("photos");
    let mut paths: Vec<PathBuf> = ["kodak", "large"]
        .iter()
        .flat_map(|name| std::fs::read_dir(corpus.join(name)).into_iter().flatten().flatten())
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    if quick {
        let every = (paths.len() / 6).max(1);
        paths = paths.into_iter().step_by(every).take(6).collect();
    }
    let mut photos = Vec::new();
    for path in paths {
        let Some(mut pixels) = read(&std::fs::read(&path).unwrap()) else { continue };
        if pixels.width() > 1000 {
            let height = (pixels.height() * 1000 + pixels.width() / 2) / pixels.width();
            pixels = transform::apply(pixels, &GeometryOp::Resize { width: 1000, height }, false, Default::default())
                .unwrap();
        }
        let path = folder.join(format!("{}.png", photos.len()));
        std::fs::write(&path, written(&pixels, Format::Png, None, Effort::Pressed).unwrap()).unwrap();
        photos.push(Photo { path, pixels });
    }
    photos
}

fn table(format: &str, slow: bool, photos: &[Photo], folder: &Path) {
    println!("\n### {}\n", format.to_uppercase());
    println!("| encoder | bytes at 60 | at 75 | at 85 | CPU ms/MP at 60 | at 75 | at 85 | photographs |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    let mut base: Vec<Vec<Point>> = Vec::new();
    for candidate in candidates(format).into_iter().filter(|candidate| slow || candidate.name != SLOW) {
        let curves: Vec<Vec<Point>> = photos.iter().map(|photo| curve(&candidate, photo, folder)).collect();
        if curves.iter().all(Vec::is_empty) {
            println!("| {} | not here | | | | | | |", candidate.name);
            continue;
        }
        if base.is_empty() {
            base.clone_from(&curves);
        }
        let (mut bytes, mut times, mut counts) = (Vec::new(), Vec::new(), Vec::new());
        for score in SCORES {
            let (mut ratio, mut cpu, mut count) = (0.0, 0.0, 0);
            for ((curve, base), photo) in curves.iter().zip(&base).zip(photos) {
                let (Some(at), Some(base)) = (at(curve, score), at(base, score)) else { continue };
                ratio += (at.bytes / base.bytes).ln();
                cpu += at.cpu_ms / (f64::from(photo.pixels.width()) * f64::from(photo.pixels.height()) / 1e6);
                count += 1;
            }
            let mean = |sum: f64| sum / f64::from(count.max(1));
            bytes.push(if count == 0 { "-".into() } else { format!("{:+.1} %", (mean(ratio).exp() - 1.0) * 100.0) });
            times.push(if count == 0 { "-".into() } else { format!("{:.0}", mean(cpu)) });
            counts.push(count.to_string());
        }
        println!("| {} | {} | {} | {} |", candidate.name, bytes.join(" | "), times.join(" | "), counts.join(", "));
    }
}

/// What a score takes, between the points on both sides of it: bytes on a scale of ratios. `None` outside of the points.
fn at(curve: &[Point], score: f64) -> Option<Point> {
    let above = curve.iter().filter(|point| point.score >= score).min_by(|a, b| a.score.total_cmp(&b.score))?;
    let below = curve.iter().filter(|point| point.score <= score).max_by(|a, b| a.score.total_cmp(&b.score))?;
    let part = if above.score > below.score { (score - below.score) / (above.score - below.score) } else { 0.0 };
    let mix = |from: f64, to: f64| from + (to - from) * part;
    let bytes = mix(below.bytes.ln(), above.bytes.ln()).exp();
    Some(Point { quality: above.quality, bytes, cpu_ms: mix(below.cpu_ms, above.cpu_ms), score })
}

/// Points on both sides of each of the scores, as near as the encoder's scale lets them be.
fn curve(candidate: &Candidate, photo: &Photo, folder: &Path) -> Vec<Point> {
    let mut points = encoded(candidate, &candidate.qualities, photo, folder);
    for score in SCORES {
        for _ in 0..4 {
            let above = points.iter().filter(|point| point.score >= score).min_by(|a, b| a.score.total_cmp(&b.score));
            let below = points.iter().filter(|point| point.score < score).max_by(|a, b| a.score.total_cmp(&b.score));
            let (Some(above), Some(below)) = (above, below) else { break };
            let part = (score - below.score) / (above.score - below.score);
            let (low, high) = (f64::from(below.quality), f64::from(above.quality));
            let (first, last) = (low.min(high) as u32, low.max(high) as u32);
            if last - first <= 1 {
                break;
            }
            let between = ((low + (high - low) * part).round() as u32).clamp(first + 1, last - 1);
            let more = encoded(candidate, &[between], photo, folder);
            if more.is_empty() {
                break;
            }
            points.extend(more);
        }
    }
    points
}

fn encoded(candidate: &Candidate, qualities: &[u32], photo: &Photo, folder: &Path) -> Vec<Point> {
    let point = |quality: u32, file: &[u8], cpu_ms: f64| {
        let score = score(&photo.pixels, &read(file)?)?;
        Some(Point { quality, bytes: file.len() as f64, cpu_ms, score })
    };
    let out = folder.join("out");
    match &candidate.how {
        How::Ours(format, effort) => {
            let one = |quality: &u32| {
                let before = cpu_ms(libc::RUSAGE_SELF);
                let file = written(&photo.pixels, *format, Some(*quality as u8), *effort)?;
                point(*quality, &file, cpu_ms(libc::RUSAGE_SELF) - before)
            };
            qualities.iter().filter_map(one).collect()
        }
        How::Command(program, arguments) => {
            let one = |quality: &u32| {
                let extension = match *program {
                    "cwebp" => "webp",
                    "heif-enc" => "heic",
                    OXIMG => "out",
                    _ => "avif",
                };
                let out = out.with_extension(extension);
                let before = cpu_ms(libc::RUSAGE_CHILDREN);
                let other = std::env::var_os("PICTOR_OXIMG").filter(|_| *program == OXIMG);
                let mut command = Command::new(other.unwrap_or_else(|| program.into()));
                for argument in arguments {
                    match *argument {
                        "{q}" => command.arg(quality.to_string()),
                        "{in}" => command.arg(&photo.path),
                        "{out}" => command.arg(&out),
                        other => command.arg(other),
                    };
                }
                command.output().ok().filter(|output| output.status.success())?;
                let took = cpu_ms(libc::RUSAGE_CHILDREN) - before;
                point(*quality, &std::fs::read(&out).ok()?, took)
            };
            qualities.iter().filter_map(one).collect()
        }
        How::Sharp(format, options) => {
            let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".deps/peers");
            let sharp = std::env::var_os("PICTOR_SHARP").map_or_else(beside, PathBuf::from);
            let output = Command::new("node")
                .args(["-e", SHARP])
                .args([&sharp, &photo.path, &out])
                .args([format, options])
                .args(qualities.iter().map(u32::to_string))
                .output();
            let Ok(output) = output else { return Vec::new() };
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let one = |line: &str| {
                let (quality, micros) = line.split_once(' ')?;
                let file = std::fs::read(folder.join(format!("out{quality}"))).ok()?;
                point(quality.parse().ok()?, &file, micros.parse::<f64>().ok()? / 1000.0)
            };
            text.lines().filter_map(one).collect()
        }
    }
}

fn cpu_ms(whose: i32) -> f64 {
    // SAFETY: zeroes are a valid value, and the call fills it.
    let usage = unsafe {
        let mut usage = std::mem::zeroed();
        libc::getrusage(whose, &mut usage);
        usage
    };
    let ms = |time: libc::timeval| time.tv_sec as f64 * 1e3 + time.tv_usec as f64 / 1e3;
    ms(usage.ru_utime) + ms(usage.ru_stime)
}

fn written(pixels: &Pixels, format: Format, quality: Option<u8>, effort: Effort) -> Option<Vec<u8>> {
    let options = Options {
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
    };
    let mut encoder = encode::open(format, pixels.width(), pixels.height(), options, None).ok()?;
    encoder.add(Frame { pixels: pixels.clone(), delay_ms: 0 }).ok()?;
    encoder.finish().ok()
}

fn read(bytes: &[u8]) -> Option<Pixels> {
    let header = probe(bytes).ok()?;
    let mut decoder = decode::open(bytes, &header, &decode::Wanted::default()).ok()?;
    let pixels = decoder.next_frame().ok()??.pixels;
    transform::with_colour(transform::drop_alpha(pixels).ok()?).ok()
}

fn score(a: &Pixels, b: &Pixels) -> Option<f64> {
    fn slice(p: &Pixels) -> Option<PixelSlice<'_>> {
        PixelSlice::new(p.data(), p.width(), p.height(), p.stride(), PixelDescriptor::RGB8_SRGB).ok()
    }
    compute_ssimulacra2(&slice(a)?, &slice(b)?).ok()
}
