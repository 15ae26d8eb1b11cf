//! `pictor check`: everything that `serve` would find wrong, without serving.

use std::path::{Path, PathBuf};

use super::serve;
use crate::config::{self, EngineConfig};
use crate::engine::Engine;
use crate::imaging::codecs;

/// Checks a file and every site's secrets.
pub fn run(path: &Path) -> Result<(), String> {
    let loaded = config::load(path)?;
    serve::sites(&loaded)?;
    if loaded.config.engine.plugin.is_some() {
        // Whether it can be used only a worker can tell.
        let engine = EngineConfig { workers: 1, ..loaded.config.engine.clone() };
        let engine =
            Engine::start(&engine, PathBuf::from("/proc/self/exe")).map_err(|error| error.told().to_owned())?;
        if let Some(plugin) = engine.plugin() {
            println!("plug-in {}: decodes {}, encodes {}", plugin.name, plugin.decodes, plugin.encodes);
        }
    }
    for notice in config::notices(&loaded.config) {
        eprintln!("note: {notice}");
    }
    for warning in codecs::warnings()? {
        eprintln!("warning: {warning}");
    }
    println!("{}: {} site(s), no problem found", path.display(), loaded.config.sites.len());
    Ok(())
}
