//! The shield without HTTP in front: what it gives, keeps and parts with, over an origin that does what a test tells it.
#![allow(clippy::unwrap_used)]

mod support;

#[path = "shield/purges.rs"]
mod purges;
#[path = "shield/tiers.rs"]
mod tiers;
#[path = "shield/time.rs"]
mod time;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pictor::cache::{Cache, Scope};
use pictor::config::{self, CacheConfig, EngineConfig, Isolation, Loaded};
use pictor::engine::Engine;
use pictor::origin::ObjectKey;
use pictor::shield::{Delivery, Failure, Permits, Question, Results, Shield, Urgency, mark_objects};
use pictor::site::{Site, Sites};
use pictor::telemetry::{Metrics, Snapshot};
use support::scripted::{Behaviour, ScriptedOrigin};
use support::tiers::Map;

/// A shield with an engine and caches of its own, as a process has them.
struct House {
    shield: Arc<Shield>,
    metrics: Arc<Metrics>,
}

impl House {
    fn new() -> Self {
        Self::with(Cache::new(&CacheConfig::default()))
    }

    fn with(cache: Cache) -> Self {
        let config = EngineConfig { workers: 2, isolation: Isolation::Thread, ..EngineConfig::default() };
        let engine = Engine::start(&config, "/proc/self/exe".into()).unwrap();
        let CacheConfig { originals, in_flight, in_flight_wait, sending, .. } = CacheConfig::default();
        let metrics = Arc::new(Metrics::new().unwrap());
        let shield = Shield::new(
            cache,
            Permits::new(originals, in_flight, in_flight_wait),
            Results::new(Cache::variants_of(&CacheConfig::default()), sending),
            engine,
            metrics.clone(),
            tokio::runtime::Handle::current(),
            Duration::from_secs(20),
        );
        Self { shield, metrics }
    }

    async fn get(&self, question: &Question) -> Result<Delivery, Failure> {
        self.shield.get(question.clone()).await
    }

    /// How an answer came about, as clients are told.
    async fn told(&self, question: &Question) -> String {
        self.get(question).await.unwrap().status.to_string()
    }

    /// Conversions so far.
    fn conversions(&self) -> usize {
        let text = self.metrics.expose(&Snapshot::default()).unwrap();
        let text = String::from_utf8(text).unwrap();
        let counts = text.lines().filter(|line| line.starts_with("pictor_conversions_total"));
        counts.map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap() as usize).sum()
    }
}

/// A shield as another process has it, before this tier.
fn process(tier: &Map) -> House {
    let mut cache = Cache::new(&CacheConfig::default());
    cache.tiers = vec![Arc::new(tier.clone())];
    House::with(cache)
}

/// A site of this name before an origin, whose answers are fresh for an hour.
fn site(name: &str, origin: &ScriptedOrigin) -> Arc<Site> {
    let text = format!(
        "[[site]]\nname = \"{name}\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"http\"\nurl = \"{}\"\n[site.cache]\nfresh = \"1h\"\n",
        origin.url()
    );
    let loaded = Loaded { config: config::parse(&text).unwrap(), base: Path::new("/").into() };
    Sites::build(&loaded).unwrap().iter().next().unwrap().clone()
}

/// Asks for a small PNG of the object at this path.
fn question(site: &Arc<Site>, path: &str) -> Question {
    ask(site, path, "imageMogr2/thumbnail/9x9!/format/png")
}

/// Asks for what a rule makes of the object at this path.
fn ask(site: &Arc<Site>, path: &str, rule: &str) -> Question {
    let plan = pictor::dialect::parse_rule(rule).unwrap().1;
    let marks = mark_objects(site, &plan).unwrap();
    let key = ObjectKey::from_raw_path(path).unwrap();
    let object = site.object(&key, None);
    let canonical = plan.to_string().into();
    let (plan, urgency) = (Arc::new(plan), Urgency::Viewer);
    Question { site: site.clone(), key, object, plan, canonical, class: None, marks, urgency }
}

/// One of each kind that covers `/a/1.png` of the site `s`, where that is tagged with red.
fn scopes() -> [Scope; 4] {
    let own = || Arc::from("s");
    [
        Scope::Object { site: own(), key: "a/1.png".into() },
        Scope::Prefix { site: own(), prefix: "a/".into() },
        Scope::Tag { site: own(), tag: "red".into() },
        Scope::Site { site: own() },
    ]
}

/// A picture that the demo brings.
fn picture(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("conf/demo").join(name)).unwrap()
}

/// An origin that has one picture at each of these paths, with an entity tag and these fields.
fn origin(paths: &[&str], fields: &[(&str, &str)]) -> ScriptedOrigin {
    let origin = ScriptedOrigin::start();
    let fields = [&[("ETag", "\"1\"")], fields].concat();
    for path in paths {
        origin.script(path, Behaviour::ok(&fields, picture("sample.png")));
    }
    origin
}
