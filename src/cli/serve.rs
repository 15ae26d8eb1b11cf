//! `pictor serve`.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crate::cache::Cache;
use crate::clock;
use crate::config::{self, CacheConfig, Loaded};
use crate::engine::{Engine, memory_file};
use crate::error::Error;
use crate::http::front::{self, Doors};
use crate::http::{self, App, RequestIds};
use crate::imaging::codecs;
use crate::shield::{Permits, Results, Shield};
use crate::site::{CurrentSites, Sites, StyleBook};
use crate::state::State;
use crate::telemetry::{self, AccessLog, Metrics, Sink, Sinks};

/// The embedded default: the demo site.
const DEFAULT: &str = include_str!("../../conf/pictor.toml");

/// Serves until told to stop.
pub fn run(path: Option<&Path>) -> Result<(), String> {
    memory_file::free_large_buffers_at_once();
    telemetry::init();
    let mut loaded = match path {
        Some(path) => config::load(path)?,
        None => Loaded { config: config::parse(DEFAULT)?, base: demo_folder()? },
    };
    // The ring provider serves both listeners and origins; one that was installed before stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Before anything is started: a taken port or a bad certificate is the most likely reason not to.
    let doors = front::bind(&loaded.config.server, &loaded.base)?;
    let sites = Sites::build(&loaded)?;
    let config = &mut loaded.config;
    for path in &mut config.engine.fonts.paths {
        *path = loaded.base.join(&*path);
    }
    let config = &loaded.config;
    // This very binary, even after another was installed in its place.
    let program = PathBuf::from("/proc/self/exe");
    let engine = Engine::start(&config.engine, program).map_err(|error| error.to_string())?;
    for notice in config::notices(config) {
        tracing::warn!("{notice}");
    }
    for warning in codecs::warnings()? {
        tracing::warn!("{warning}");
    }
    let report = engine.sandbox();
    tracing::info!(sandbox = ?report, workers = engine.status().workers, "engine ready");
    // Fetching, waiting and cache filling have threads of their own: they outlive every connection.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("pictor-work")
        .enable_all()
        .build()
        .map_err(|error| format!("threads: {error}"))?;
    let metrics = Arc::new(Metrics::new().map_err(|error| error.to_string())?);
    let (sites, styles) = match &config.state.path {
        Some(path) => runtime.block_on(styles(&loaded.base.join(path), sites))?,
        None => (sites, None),
    };
    let cache = Cache::new(&config.cache);
    let results = Results::new(Cache::variants_of(&config.cache), config.cache.sending);
    let CacheConfig { originals, in_flight, in_flight_wait, .. } = config.cache;
    let permits = Permits::new(originals, in_flight, in_flight_wait);
    let runtime_handle = runtime.handle().clone();
    let shield = Shield::new(cache, permits, results, engine, metrics.clone(), runtime_handle, config.engine.deadline);
    let app = Arc::new(App {
        sites: CurrentSites::new(sites),
        shield,
        styles,
        sinks: Sinks::new([metrics.clone() as Arc<dyn Sink>, Arc::new(AccessLog)]),
        metrics,
        max_header: usize::try_from(config.server.max_header).unwrap_or(usize::MAX),
        in_flight: Arc::default(),
        ids: RequestIds::new(random(), Instant::now(), clock::wall()),
        fresh: Default::default(),
    });
    greet(&doors, path.is_none());
    http::run(app, &config.server, doors);
    Ok(())
}

/// A number that no other process has: the standard library seeds its hashes from the system's randomness.
fn random() -> u64 {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    hasher.finish()
}

/// Opens the state's file, and takes into the sites what is kept there.
async fn styles(path: &Path, sites: Sites) -> Result<(Sites, Option<StyleBook>), String> {
    let told = |error: Error| format!("{}: {}", path.display(), error.report());
    let book = StyleBook::new(State::open(path).await.map_err(told)?);
    Ok((book.fill(sites).await.map_err(told)?, Some(book)))
}

/// Where the demo's pictures are: beside the sources, or beside the program.
fn demo_folder() -> Result<PathBuf, String> {
    let beside = std::env::current_exe().ok().and_then(|program| program.parent().map(Path::to_path_buf));
    let candidates =
        [Some(PathBuf::from("conf")), Some(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf")), beside];
    let found = candidates.into_iter().flatten().find(|folder| folder.join("demo").is_dir());
    found.ok_or_else(|| "no --config, and the demo's pictures (conf/demo) are not here".into())
}

/// Says where to look, for people who have just started the demo.
fn greet(doors: &Doors, demo: bool) {
    let public: Vec<String> = doors.public.iter().map(|door| door.address.to_string()).collect();
    let admin: Vec<String> = doors.admin.iter().map(|door| door.address.to_string()).collect();
    println!("pictor listens on {}, admin on {}", public.join(" "), admin.join(" "));
    let Some(address) = public.first().filter(|_| demo) else { return };
    println!("\nTry, in a browser or with curl:");
    for (path, what) in [
        ("sample.png?imageMogr2/format/avif", "PNG to AVIF (Tencent's dialect)"),
        ("sample.png?imageMogr2/format/heif", "PNG to HEIF"),
        ("sample.png?imageMogr2/thumbnail/400x/format/webp", "smaller, WebP"),
        ("sample.jpg?x-oss-process=image/format,heic/resize,l_900,h_600", "JPEG to HEIC (Aliyun's dialect)"),
        ("sample.jpg?x-oss-process=image/resize,m_fill,w_300,h_300/format,webp", "cut to a square"),
        ("sample.jpg?imageMogr2/thumbnail/600x", "format chosen from Accept"),
        ("anim.gif?imageMogr2/format/webp", "an animation"),
        ("sample.jpg?imageInfo", "facts"),
        ("sample.jpg?x-oss-process=image/info", "facts, the other way"),
        ("sample.jpg?x-oss-process=image/resize,w_0", "an error"),
    ] {
        println!("  http://{address}/{path:<75}{what}");
    }
    println!("  http://{}/metrics\n", admin.join(" "));
}
