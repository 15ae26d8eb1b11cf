//! What tests need and the project does not carry: the corpus of pictures, fonts, other programs. Unit tests and tests of the
//! service share this file.
//!
//! Whoever has not all of it can run the tests all the same: those that miss something say so and check nothing. Under
//! `PICTOR_TESTS=complete`, as `.ci/run` sets it, what `scripts/setup test` installs has to be there, and a corpus has to be
//! whole; only a machine without any corpus gets by, and says loudly how many tests have checked nothing.
#![allow(dead_code, clippy::panic)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

fn complete() -> bool {
    std::env::var_os("PICTOR_TESTS").is_some_and(|tests| tests == "complete")
}

/// The folder of the whole project, for tests of every crate.
fn project() -> &'static Path {
    let crate_ = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(crate_)
}

/// The folder of real pictures: `PICTOR_CORPUS`, which must be one if it is set, else `../shared/corpus` beside the project;
/// `None` where there is none.
pub fn corpus() -> Option<PathBuf> {
    let given = std::env::var_os("PICTOR_CORPUS").map(PathBuf::from);
    let named = given.is_some();
    let root = given.unwrap_or_else(|| project().join("../shared/corpus"));
    if root.join("manifest.tsv").is_file() {
        return Some(root);
    }
    assert!(!named && !root.exists(), "{} is no corpus: it has no manifest.tsv", root.display());
    static WITHOUT: AtomicU32 = AtomicU32::new(0);
    let count = WITHOUT.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    if complete() || count == 1 {
        // Past what the harness keeps back of tests that pass.
        let _ = writeln!(std::io::stderr(), "NO CORPUS at {}: {count} tests have checked nothing", root.display());
    }
    None
}

/// Says that a test checks nothing because something is not there.
///
/// # Panics
/// Under `PICTOR_TESTS=complete`.
pub fn missing(what: &str) {
    assert!(!complete(), "PICTOR_TESTS=complete, and {what} is missing: scripts/setup test installs what tests need");
    println!("no {what} here: nothing is checked");
}
