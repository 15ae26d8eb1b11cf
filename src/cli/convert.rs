//! `pictor convert`: one local file, the service's own engine.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use crate::config::{EngineConfig, FontsConfig, Isolation};
use crate::dialect;
use crate::engine::{Conversion, Engine, Tenant, Urgency};
use crate::imaging::budget::Pace;
use crate::imaging::{Effort, Policy, Preparation, Prepared, Terms, encode, prepare, probe};
use crate::negotiate::Class;
use crate::plan::Limits;

/// What to convert, and how.
#[derive(Debug, clap::Args)]
pub struct ConvertArguments {
    /// The picture.
    input: PathBuf,
    /// Where the result goes. Facts (`imageInfo`, `image/info`) are written as the vendor's text.
    output: PathBuf,
    /// The rule, in either dialect: `imageMogr2/format/avif` or `image/resize,w_900/format,heic`.
    #[arg(long)]
    rule: String,
    /// The picture of a mark, in place of the object that the rule names; once for each of them, in their order.
    #[arg(long)]
    mark: Vec<PathBuf>,
    /// Take the time that a batch would: smaller files.
    #[arg(long)]
    batch: bool,
    /// Convert in this process, without the sandbox.
    #[arg(long)]
    no_sandbox: bool,
}

/// Converts and says what came of it.
pub fn run(arguments: &ConvertArguments) -> Result<(), String> {
    let text = |error: crate::error::Error| error.to_string();
    let source = std::fs::read(&arguments.input).map_err(|error| format!("{}: {error}", arguments.input.display()))?;
    let (dialect, plan) = dialect::parse_rule(&arguments.rule).map_err(text)?;
    let header = probe(&source).map_err(text)?;
    if arguments.mark.len() != plan.mark_images().count() {
        return Err(format!("the rule has {} picture marks; give each with --mark FILE", plan.mark_images().count()));
    }
    let read = |path: &PathBuf| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let marks = arguments.mark.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let of_marks = marks.iter().map(|mark| probe(mark)).collect::<Result<Vec<_>, _>>();
    let effort = if arguments.batch { Effort::Batch } else { Effort::Interactive };
    let prepared = prepare(Preparation {
        plan: &plan,
        class: Class::default(),
        header: &header,
        source: Some(&source),
        marks: of_marks.as_deref().map_err(Clone::clone),
        terms: Terms {
            limits: Limits { source_bytes: u64::MAX, ..Limits::default() },
            policy: Policy::default(),
            // Nobody has said what may be written instead.
            offered: &[],
            advanced_compression: true,
            writable: encode::writable_formats(),
        },
        pace: Pace { effort, budget_ms: 0 },
    });
    let Prepared { job, cost, expected, .. } = prepared.map_err(text)?;
    let mut fonts = FontsConfig::default();
    if !plan.marks().any(|mark| mark.text().is_some()) {
        // Looking for fonts takes longer than most conversions.
        fonts.paths.clear();
    }
    let config = EngineConfig {
        fonts,
        workers: 1,
        deadline: Duration::from_secs(3600),
        isolation: if arguments.no_sandbox { Isolation::Thread } else { Isolation::Process },
        require_sandbox: false,
        ..EngineConfig::default()
    };
    // This very binary, even after another was installed in its place.
    let program = PathBuf::from("/proc/self/exe");
    let engine = Engine::start(&config, program).map_err(text)?;
    let asked = plan.facts().unwrap_or_default();
    let digest = Sha256::digest(&source).into();
    let before = source.len();
    let conversion = Conversion {
        source: source.into(),
        marks: marks.into_iter().map(Into::into).collect(),
        digest,
        job,
        expected,
        tenant: Tenant::default(),
        cost,
        deadline: Instant::now() + config.deadline,
        // Whoever asks for a batch has the time of one.
        urgency: if arguments.batch { Urgency::Batch } else { Urgency::Viewer },
    };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    let converted = runtime.block_on(engine.convert(conversion)).map_err(text)?;
    let outcome = &converted.outcome;
    let bytes = match &outcome.facts {
        Some(facts) => dialect::facts_body(dialect, asked, facts).1.into_bytes(),
        None => converted.bytes.to_vec(),
    };
    std::fs::write(&arguments.output, &bytes).map_err(|error| format!("{}: {error}", arguments.output.display()))?;
    println!(
        "{} {}x{} {} bytes -> {} {}x{} {} frame(s) {} bytes ({:.1} % of the original) in {} ms",
        header.source.format.name(),
        header.source.width,
        header.source.height,
        before,
        outcome.format.map_or("facts", |format| format.name()),
        outcome.width,
        outcome.height,
        outcome.frames,
        bytes.len(),
        100.0 * bytes.len() as f64 / before.max(1) as f64,
        converted.ran.as_millis(),
    );
    Ok(())
}
