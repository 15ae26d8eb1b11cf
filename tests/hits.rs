//! What a hit takes from the allocator. Alone in its process, because it counts for all that runs there.
#![allow(unsafe_code, reason = "counts what the allocator is asked for")]
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pictor::cache::{Cache, Depth, Scope};
use pictor::config::{self, CacheConfig, Loaded};
use pictor::engine::Engine;
use pictor::negotiate;
use pictor::origin::ObjectKey;
use pictor::plan::Format;
use pictor::shield::{CacheStatus, Permits, Question, Results, Shield, Urgency};
use pictor::site::{Site, Sites};
use pictor::telemetry::Metrics;

/// The system's allocator, with a count of what each thread has asked it for.
struct Counting;

thread_local! {
    static ASKED: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all is done by the system's allocator; a cell of a constant needs no memory of its own.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.set(ASKED.get() + 1);
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn site(folder: &Path) -> Arc<Site> {
    let text = format!(
        "[[site]]\nname = \"s\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"dir\"\npath = \"{}\"\n[site.cache]\nfresh = \"1h\"\n",
        folder.display()
    );
    let loaded = Loaded { config: config::parse(&text).unwrap(), base: folder.into() };
    Sites::build(&loaded).unwrap().iter().next().unwrap().clone()
}

fn question(site: &Arc<Site>, path: &str, accept: Option<&str>) -> Question {
    let rule = if accept.is_some() { "imageMogr2/thumbnail/9x9" } else { "imageMogr2/thumbnail/9x9/format/png" };
    let plan = pictor::dialect::parse_rule(rule).unwrap().1;
    let key = ObjectKey::from_raw_path(path).unwrap();
    let object = site.object(&key, None);
    let class = accept.map(|accept| negotiate::class([accept], &[Format::Avif, Format::WebP]));
    let canonical = plan.to_string().into();
    Question {
        site: site.clone(),
        key,
        object,
        plan: Arc::new(plan),
        canonical,
        class,
        marks: Arc::default(),
        urgency: Urgency::Viewer,
    }
}

/// Whatever an object is called, whoever asks, and whatever else was purged since it was made, finding its picture takes nothing
/// from the allocator.
#[test]
fn finding_a_variant_allocates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("/{}.png", "folder/of/a/name/".repeat(12));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/demo/sample.png");
    for path in ["/a.png", &long] {
        let file = folder.path().join(&path[1..]);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::copy(&sample, file).unwrap();
    }
    let site = site(folder.path());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = config::EngineConfig { workers: 1, ..Default::default() };
    let engine = Engine::start(&config, env!("CARGO_BIN_EXE_pictor").into()).unwrap();
    let CacheConfig { originals, in_flight, in_flight_wait, sending, .. } = CacheConfig::default();
    let shield = Shield::new(
        Cache::new(&CacheConfig::default()),
        Permits::new(originals, in_flight, in_flight_wait),
        Results::new(Cache::variants_of(&CacheConfig::default()), sending),
        engine,
        Arc::new(Metrics::new().unwrap()),
        runtime.handle().clone(),
        Duration::from_secs(20),
    );
    for path in ["/a.png", &long] {
        for accept in [None, Some("image/webp,*/*"), Some("*/*")] {
            let question = question(&site, path, accept);
            runtime.block_on(shield.get(question.clone())).unwrap();
            // By then it is older than a purge of each kind that means others.
            let other = || (site.name.clone(), Arc::<str>::from("other"));
            let ((site, key), (s, prefix), (t, tag)) = (other(), other(), other());
            for scope in [Scope::Object { site, key }, Scope::Prefix { site: s, prefix }, Scope::Tag { site: t, tag }] {
                shield.purge(&scope, Depth::Hard);
            }
            let asked = || {
                let before = ASKED.get();
                let answer = shield.lookup(&question).unwrap().unwrap();
                assert_eq!(answer.status, CacheStatus::Hit);
                drop(answer);
                ASKED.get() - before
            };
            asked();
            // Now and then a look tidies the cache up, which may need memory.
            let silent = (0..100).filter(|_| asked() == 0).count();
            assert!(silent >= 95, "{silent} of 100 at {path} for {accept:?}");
        }
    }
}
