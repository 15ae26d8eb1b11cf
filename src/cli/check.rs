//! `pictor check`: everything that `serve` would find wrong, without serving.

use std::path::{Path, PathBuf};

use crate::config::{self, EngineConfig};
use crate::engine::Engine;
use crate::http::front;
use crate::imaging::codecs;
use crate::site::Sites;
use crate::state::State;

/// Checks a file, and everything that it names: secrets, certificates, the state, the engine that it asks for. A port that
/// is taken is told and is no error: it may be the service itself that has it.
pub fn run(path: &Path) -> Result<(), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let loaded = config::load(path)?;
    let (config, base) = (&loaded.config, &loaded.base);
    let wrong = |at: &str, message: &str| format!("{}: {}", path.display(), config::said(&text, at, message));
    front::tls(&config.server, base).map_err(|unusable| wrong(unusable.setting, &unusable.message))?;
    Sites::build(&loaded)?;
    if let Some(file) = &config.state.path {
        let file = base.join(file);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| format!("threads: {error}"))?;
        let checked = runtime.block_on(State::check(&file));
        checked.map_err(|error| wrong("state.path", &format!("{}: {}", file.display(), error.report())))?;
    }
    // What the sandbox and a plug-in come to only a worker can tell.
    let mut engine = EngineConfig { workers: 1, ..config.engine.clone() };
    for fonts in &mut engine.fonts.paths {
        *fonts = base.join(&*fonts);
    }
    let engine =
        Engine::start(&engine, PathBuf::from("/proc/self/exe")).map_err(|error| wrong("engine", &error.report()))?;
    if let Some(plugin) = engine.plugin() {
        println!("plug-in {}: decodes {}, encodes {}", plugin.name, plugin.decodes, plugin.encodes);
    }
    if let Err(taken) = front::bind(&config.server, base) {
        eprintln!("pictor: warning: {taken}");
    }
    for notice in config::notices(config) {
        eprintln!("note: {notice}");
    }
    for warning in codecs::warnings()? {
        eprintln!("warning: {warning}");
    }
    println!("{}: {} site(s), no problem found", path.display(), config.sites.len());
    Ok(())
}
