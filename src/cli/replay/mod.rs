//! `pictor replay`: asks two places for the same URLs and tells where their answers differ.
//!
//! Pictures from elsewhere are hostile. This process reads their headers, in safe Rust; they are decoded, compared and
//! drawn anew for browsers by the engine's sandboxed workers, for which the engine has a task of its own: the score needs
//! the pixels of both, and handing pixels out to be scored here would cost more than the score.

mod judge;
mod list;
mod page;
mod progress;
mod report;
mod summary;
mod work;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use futures_util::{StreamExt, stream};

use judge::DifferenceKind;
use list::{Places, UrlPair};
use progress::Progress;
use report::Report;
use summary::Summary;
use work::Comparer;

/// What to ask, where, and what to make of it.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
LIST is a file, or - for standard input: one URL or path a line; blank lines and lines that begin with # are passed
over. Of a line of two and more columns (as `pictor translate -` writes them) the first is asked for at the original
place and the second, if it is not empty, at the other.

Each URL is asked for once at the place that it names (or at --from) and once at --against, and the answers are compared:
  fetch    one of them did not come: no connection, too slow, cut short, too long
  status   the statuses differ
  code     both are errors, and their XML says another Code
  type     the Content-Types differ, or what the bytes are
  json     both are JSON, and some value differs
  body     both are something else, and the bytes differ
  size     width or height differ, as they are seen upright
  frames   one has more frames
  pixels   SSIMULACRA2 is below --min-score for a frame, or one of the two cannot be decoded
  bytes    the second is larger than the first by more than --max-growth percent and 1 KiB
--ignore type allows another format as long as the pictures look alike.

With --report, FOLDER gets index.html (it loads nothing from elsewhere), the pictures of the worst differences, and
report.json with every URL. Values of signatures and tokens are not shown in either, nor are values of headers.

Exit code: 0 if all answers agree, 1 if some differ, 2 if it could not run (also if nothing at all was answered by one
of the places, and if it was interrupted; the report then covers what was done).")]
pub struct ReplayArguments {
    /// The list of URLs, or `-`.
    list: String,
    /// The place to compare with, as http://127.0.0.1:8080.
    #[arg(long, value_name = "BASEURL")]
    against: String,
    /// Ask here for the first answer, instead of the place that each URL names.
    #[arg(long, value_name = "BASEURL")]
    from: Option<String>,
    /// Ask the second place with the Host that the URL names, where sites are told apart by it.
    #[arg(long)]
    keep_host: bool,
    /// A header for both places; may be repeated.
    #[arg(long, value_name = "K: V", value_parser = header)]
    header: Vec<(HeaderName, HeaderValue)>,
    /// A header for the first place only, such as credentials.
    #[arg(long, value_name = "K: V", value_parser = header)]
    from_header: Vec<(HeaderName, HeaderValue)>,
    /// A header for the second place only.
    #[arg(long, value_name = "K: V", value_parser = header)]
    against_header: Vec<(HeaderName, HeaderValue)>,
    /// Write a report into this folder.
    #[arg(long, value_name = "FOLDER")]
    report: Option<PathBuf>,
    /// Pairs in flight.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: u16,
    /// The SSIMULACRA2 that is still alike: 100 the same, 90 no visible difference, 70 high quality, 50 medium.
    #[arg(long, default_value_t = 70.0)]
    min_score: f64,
    /// The most frames of an animation to score.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=300))]
    frames: u32,
    /// Percent by which the second answer may be larger.
    #[arg(long, default_value_t = 25.0)]
    max_growth: f64,
    /// Differences that do not matter, separated by commas: fetch, status, code, type, json, body, size, frames, pixels, bytes.
    #[arg(long, value_delimiter = ',', value_parser = kind)]
    ignore: Vec<DifferenceKind>,
    /// Seconds that one answer may take.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Bytes that one body may have.
    #[arg(long, default_value_t = 32 << 20)]
    max_body: usize,
    /// Differences whose pictures are kept, the worst ones.
    #[arg(long, default_value_t = 200)]
    pictures: usize,
    /// Workers that compare pictures; 0 = one per core.
    #[arg(long, default_value_t = 0)]
    workers: usize,
}

fn header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as \"Name: value\"")?;
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| "this is no header's name")?;
    let value = HeaderValue::from_str(value.trim()).map_err(|_| "a value holds no control characters")?;
    Ok((name, value))
}

fn kind(name: &str) -> Result<DifferenceKind, String> {
    let all = || DifferenceKind::ALL.map(DifferenceKind::name).join(", ");
    DifferenceKind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| format!("it is one of {}", all()))
}

/// Replays, and says what came of it.
pub fn run(arguments: &ReplayArguments) -> ExitCode {
    let done = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| format!("threads: {error}"))
        .and_then(|runtime| {
            let done = runtime.block_on(replay(arguments));
            // A list that waits for somebody at a terminal is not waited for.
            runtime.shutdown_background();
            done
        });
    match done {
        Ok(summary) if summary.different() == 0 => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(message) => {
            eprintln!("pictor: {message}");
            ExitCode::from(2)
        }
    }
}

async fn replay(arguments: &ReplayArguments) -> Result<Summary, String> {
    let places = Places::new(arguments.from.as_deref(), &arguments.against, arguments.keep_host)?;
    let total = list::count(&arguments.list)?;
    let work = Arc::new(Comparer::new(arguments)?);
    let mut report = Report::new(arguments, &places)?;
    let mut entries = list::read(&arguments.list, places)?;
    let mut progress = Progress::new(total);
    let coming = stream::unfold(&mut entries, |entries| async { Some((entries.next().await?, entries)) });
    // Tasks of their own, so that they go on while the report takes a pair in: it waits for a worker that they hold.
    let asked = |entry: Result<UrlPair, String>| {
        let work = work.clone();
        let task = entry.map(|entry| tokio::spawn(async move { work.pair(entry).await }));
        async { task?.await.map_err(|error| format!("a comparison task failed: {error}")) }
    };
    let mut pairs = coming.map(asked).buffer_unordered(arguments.concurrency.into()).boxed_local();
    while let Some(pair) = pairs.next().await {
        report.add(pair?, &work).await?;
        progress.show(report.summary());
    }
    drop(pairs);
    progress.end();
    let summary = report.finish()?;
    print!("{}", summary.text(arguments.report.as_deref()));
    if entries.stopped() {
        return Err("interrupted; what was compared until then stands above".into());
    }
    summary.check()?;
    Ok(summary)
}

/// All headers for one place.
fn headers(both: &[(HeaderName, HeaderValue)], own: &[(HeaderName, HeaderValue)]) -> HeaderMap {
    both.iter().chain(own).cloned().collect()
}

/// The limit of time.
fn timeout(arguments: &ReplayArguments) -> Duration {
    Duration::from_secs(arguments.timeout)
}
