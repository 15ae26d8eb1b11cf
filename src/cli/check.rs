//! `pictor check`: everything that `serve` would find wrong, without serving.

use std::path::Path;

use super::serve;
use crate::config;

/// Checks a file and every site's secrets.
pub fn run(path: &Path) -> Result<(), String> {
    let loaded = config::load(path)?;
    serve::sites(&loaded)?;
    println!("{}: {} site(s), no problem found", path.display(), loaded.config.sites.len());
    Ok(())
}
