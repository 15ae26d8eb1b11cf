//! Whole conversions, from the file to the file: large JPEGs to 1,200 pixels in width as AVIF and WebP, beside sharp with its
//! default settings. What each takes at the score that sharp's result has; a result is compared with what the same program
//! makes of the original without loss, so that the two ways to resample are not compared, and every byte is.

use std::path::PathBuf;
use std::process::Command;

use pictor::imaging::convert::convert;
use pictor::imaging::{Effort, Job};
use pictor::imaging::{Header, Pixels, Policy, probe};
use pictor::plan::{Answer, Axes, Box2, Enlarge, Format, Limits, Mode, Output, Plan, Quality, Resize, Step};

use super::{Point, at, cpu_ms, read, score};

const WIDTH: u32 = 1200;
/// Smaller originals are no large ones.
const PIXELS: u64 = 8_000_000;

/// Converts a file, says what it took in microseconds (the cheapest of three runs, or the only one where it takes seconds),
/// and writes the same without loss.
const SHARP: &str = "
const [folder, input, output, format] = process.argv.slice(1);
const sharp = require(folder + '/node_modules/sharp');
sharp.concurrency(1); sharp.cache(false);
(async () => {
  const blank = { width: 64, height: 64, channels: 3, background: 'red' };
  await sharp({ create: blank })[format]().toBuffer();
  const small = () => sharp(input).autoOrient().resize({ width: 1200 });
  let [file, least] = [null, Infinity];
  for (let run = 0; run < (format == 'avif' ? 1 : 3); run++) {
    const before = process.cpuUsage();
    file = await small()[format]().toBuffer();
    const used = process.cpuUsage(before);
    least = Math.min(least, used.user + used.system);
  }
  require('fs').writeFileSync(output, file);
  require('fs').writeFileSync(output + '.png', await small().png({ compressionLevel: 1 }).toBuffer());
  console.log(least);
})();";

fn job(format: Format, quality: u8, effort: Effort) -> Job {
    let target = Box2 { w: Some(WIDTH), h: None, axes: Axes::WidthHeight };
    let resize = Step::Resize(Resize { mode: Mode::Fit(target), enlarge: Enlarge::Skip });
    let output = Output { quality: Quality::Forced(quality), ..Output::default() };
    Job {
        plan: Plan { steps: vec![resize], answer: Answer::Image(output), original_on_error: false },
        format,
        limits: Limits::default(),
        policy: Policy::default(),
        effort,
        threads: 1,
        budget_ms: 0,
        full_ms: 0,
    }
}

/// The cheapest of three runs.
fn ours(source: &[u8], job: &Job) -> Option<(Vec<u8>, f64)> {
    let run = |_| {
        let before = cpu_ms(libc::RUSAGE_SELF);
        let file = convert(source, job).ok()?.0;
        Some((file, cpu_ms(libc::RUSAGE_SELF) - before))
    };
    (0..3).filter_map(run).min_by(|a, b| a.1.total_cmp(&b.1))
}

fn theirs(path: &PathBuf, format: Format) -> Option<(Point, Pixels)> {
    let folder = tempfile::tempdir().ok()?;
    let out = folder.path().join("out");
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(".deps/peers");
    let sharp = std::env::var_os("PICTOR_SHARP").map_or_else(beside, PathBuf::from);
    let output =
        Command::new("node").args(["-e", SHARP]).args([&sharp, path, &out]).arg(format.name()).output().ok()?;
    let micros: f64 = String::from_utf8_lossy(&output.stdout).trim().parse().ok()?;
    let file = std::fs::read(&out).ok()?;
    let truth = read(&std::fs::read(out.with_extension("png")).ok()?)?;
    let score = score(&truth, &read(&file)?)?;
    Some((Point { quality: 0, bytes: file.len() as f64, cpu_ms: micros / 1000.0, score }, truth))
}

/// Our result at a score: points of neighbouring qualities on both sides of it.
fn level(source: &[u8], format: Format, effort: Effort, wanted: f64) -> Option<Point> {
    let lossless = convert(source, &job(Format::Png, 100, Effort::Pressed)).ok()?.0;
    let truth = read(&lossless)?;
    let point = |quality: u8| {
        let (file, cpu_ms) = ours(source, &job(format, quality, effort))?;
        let score = score(&truth, &read(&file)?)?;
        Some(Point { quality: quality.into(), bytes: file.len() as f64, cpu_ms, score })
    };
    let (mut low, mut high) = (10u8, 98u8);
    let mut points = vec![point(low)?, point(high)?];
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let found = point(middle)?;
        if found.score < wanted {
            low = middle
        } else {
            high = middle
        }
        points.push(found);
    }
    at(&points, wanted)
}

/// Prints the tables of these formats, or of all.
pub fn run(quick: bool, named: &[&str]) {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let corpus = std::env::var_os("PICTOR_CORPUS").map_or_else(beside, PathBuf::from).join("photos/large");
    let entries = std::fs::read_dir(&corpus).into_iter().flatten().flatten();
    let mut sources: Vec<(PathBuf, Vec<u8>)> =
        entries.filter_map(|entry| Some((entry.path(), std::fs::read(entry.path()).ok()?))).collect();
    sources.retain(|(_, bytes)| {
        // sharp turns pictures upright before it measures their width.
        probe(bytes).is_ok_and(|Header { source, .. }| {
            source.format == Format::Jpeg && source.pixels() >= PIXELS && source.orientation == 1
        })
    });
    sources.sort();
    if quick {
        sources.truncate(2);
    }
    for (format, efforts) in
        [(Format::Avif, &[Effort::Interactive, Effort::Batch][..]), (Format::WebP, &[Effort::Interactive])]
    {
        if !named.is_empty() && !named.contains(&format.name()) {
            continue;
        }
        println!("\n### {} large JPEGs to {WIDTH} pixels, {}\n", sources.len(), format.name());
        println!("| | bytes | CPU | CPU ms a picture | score |\n| --- | --- | --- | --- | --- |");
        let peers: Vec<Option<(Point, Pixels)>> = sources.iter().map(|(path, _)| theirs(path, format)).collect();
        let count = peers.iter().flatten().count();
        if count == 0 {
            println!("| sharp | not here | | | |");
            continue;
        }
        let mean = |sum: f64| sum / count as f64;
        let sum = |of: fn(&Point) -> f64| peers.iter().flatten().map(|(point, _)| of(point)).sum::<f64>();
        println!("| sharp | 1 | 1 | {:.0} | {:.1} |", mean(sum(|p| p.cpu_ms)), mean(sum(|p| p.score)));
        for effort in efforts {
            let (mut bytes, mut share, mut spent, mut found) = (0.0, 0.0, 0.0, 0.0);
            for ((path, source), peer) in sources.iter().zip(&peers) {
                let Some((peer, _)) = peer else { continue };
                let Some(ours) = level(source, format, *effort, peer.score) else { continue };
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                eprintln!(
                    "{name}: {:.3} of the bytes, {:.3} of the CPU",
                    ours.bytes / peer.bytes,
                    ours.cpu_ms / peer.cpu_ms
                );
                bytes += (ours.bytes / peer.bytes).ln();
                share += (ours.cpu_ms / peer.cpu_ms).ln();
                spent += ours.cpu_ms;
                found += 1.0;
            }
            let name = format!("{effort:?}").to_lowercase();
            let (bytes, share) = ((bytes / found).exp(), (share / found).exp());
            println!("| Pictor, {name} | {bytes:.3} | {share:.3} | {:.0} | the same |", spent / found);
        }
    }
}
