//! Every seed of every fuzz target is checked, as the fuzzer checks it, each time that tests run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../fuzz/checks/mod.rs"]
mod checks;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use checks::ALL;

#[test]
fn every_seed_passes() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    for (target, folder, check) in ALL {
        let mut files: Vec<_> =
            std::fs::read_dir(seeds.join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(files.len() >= 3, "{target} has {} seeds", files.len());
        for file in files {
            let bytes = std::fs::read(&file).unwrap();
            let passed = catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_ok();
            assert!(passed, "scripts/fuzz {target}: {} fails; why stands above", file.display());
        }
    }
}

#[test]
fn every_target_and_every_folder_of_seeds_is_replayed() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let targets: BTreeSet<&str> =
        manifest.lines().filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\"")).collect();
    assert_eq!(targets, ALL.iter().map(|(target, ..)| *target).collect());
    let folders: BTreeSet<String> = std::fs::read_dir(fuzz.join("seeds"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(folders, ALL.iter().map(|(_, folder, _)| (*folder).to_owned()).collect());
}
