//! What a header costs: the steps of the probe that is named, or of any, are to be linear in the file's bytes.

use pictor::imaging::probe::{cost, steps};

/// A file.
pub fn check(file: &[u8]) {
    taken(file);
}

/// The steps that were taken.
pub fn taken(file: &[u8]) -> u64 {
    let (taken, most) = (cost(file), steps::linear(file.len()));
    assert!(taken <= most, "{taken} steps for {} bytes, {most} are linear", file.len());
    taken
}
