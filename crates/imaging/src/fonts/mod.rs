//! Fonts for workers. The service looks once which files hold the families that the configuration names; each worker maps
//! those before it is sealed, so that all share their pages and none opens a file later.
#![allow(unsafe_code, reason = "maps font files")]

mod config;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cosmic_text::fontdb::{Database, FaceInfo, Source, Stretch, Style};
use memmap2::Mmap;
use serde::{Deserialize, Serialize};

pub use config::FontsConfig;
use config::GENERIC;

use super::mark::fonts::{FontData, Fonts, install};

/// Files that a worker maps at most.
const MOST_FILES: usize = 64;
/// Files that are looked at when the service starts, and folders below each other.
const MOST_SEEN: usize = 20_000;
const DEEPEST: usize = 8;
/// Bytes of a path.
const LONGEST_PATH: usize = 1000;

/// What a worker is told of fonts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Chosen {
    files: Vec<PathBuf>,
    families: Vec<String>,
    names: BTreeMap<String, String>,
}

/// Looks for the fonts that the configuration names: tenths of a second for some hundred files. What cannot be read is
/// left out; that no font is there is said when one is needed.
pub fn choose(config: &FontsConfig) -> Chosen {
    let mut names = config.all_names();
    let mut found = Vec::new();
    for path in &config.paths {
        walk(path, DEEPEST, &mut found);
    }
    let mut db = Database::new();
    for file in &found {
        // Not a font, or a damaged one.
        let _ = db.load_font_file(file);
    }
    let mut files = Vec::new();
    // Files that are named one by one are wanted, whatever is in them.
    for path in config.paths.iter().filter(|path| found.contains(path)) {
        push(&mut files, path);
    }
    for (generic, families) in GENERIC {
        let there = families.iter().find(|family| regular(&db, &family.to_lowercase()).is_some());
        if let (Some(family), false) = (there, names.contains_key(generic)) {
            names.insert(generic.to_owned(), (*family).to_owned());
        }
    }
    let wanted: BTreeSet<String> = names.values().map(|family| family.to_lowercase()).collect();
    let ordered = config.families.iter().map(|family| family.to_lowercase());
    let families: Vec<String> = ordered.chain(wanted).collect();
    for family in &families {
        if let Some(Source::File(path)) = regular(&db, family).map(|face| &face.source) {
            push(&mut files, path);
        }
    }
    // Drawings emphasise. These come last, so that no family goes without for them.
    for (style, weight) in [(Style::Normal, 700), (Style::Italic, 400), (Style::Italic, 700)] {
        for family in &families {
            if let Some(Source::File(path)) = emphasised(&db, family, style, weight).map(|face| &face.source) {
                push(&mut files, path);
            }
        }
    }
    // None of the families is there: better some font than none.
    if files.is_empty()
        && let Some(Source::File(path)) = db.faces().find(|face| is_regular(face)).map(|face| &face.source)
    {
        push(&mut files, path);
    }
    files.truncate(MOST_FILES);
    Chosen { files, families: config.families.clone(), names }
}

fn push(files: &mut Vec<PathBuf>, path: &Path) {
    if !files.iter().any(|file| file == path) {
        files.push(path.to_owned());
    }
}

/// The face of a family that is neither bold nor slanted, if there is one, else any.
fn regular<'a>(db: &'a Database, family: &'a str) -> Option<&'a FaceInfo> {
    faces(db, family).min_by_key(|face| (face.style != Style::Normal, face.weight.0.abs_diff(400)))
}

/// The face of a family with exactly this weight, slanted or not, of normal width.
fn emphasised<'a>(db: &'a Database, family: &'a str, style: Style, weight: u16) -> Option<&'a FaceInfo> {
    let slanted = |face: &FaceInfo| face.style != Style::Normal;
    let fits = |face: &&FaceInfo| {
        face.weight.0 == weight && slanted(face) == (style != Style::Normal) && face.stretch == Stretch::Normal
    };
    faces(db, family).find(fits)
}

fn faces<'a>(db: &'a Database, family: &'a str) -> impl Iterator<Item = &'a FaceInfo> {
    db.faces().filter(move |face| face.families.iter().any(|(name, _)| name.to_lowercase() == family))
}

fn is_regular(face: &FaceInfo) -> bool {
    face.style == Style::Normal && face.weight.0 == 400
}

fn walk(path: &Path, deeper: usize, found: &mut Vec<PathBuf>) {
    if found.len() >= MOST_SEEN {
        return;
    }
    // Workers are told of files on their command line.
    if path.to_str().is_none_or(|path| path.len() > LONGEST_PATH) {
        return;
    }
    if path.is_file() {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        if ["ttf", "otf", "ttc", "otc"].iter().any(|known| known.eq_ignore_ascii_case(extension)) {
            found.push(path.to_owned());
        }
        return;
    }
    let Some(left) = deeper.checked_sub(1) else { return };
    let Ok(entries) = std::fs::read_dir(path) else { return };
    let mut entries: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    // The same files give the same pictures, in whatever order the system lists them.
    entries.sort();
    for entry in entries {
        walk(&entry, left, found);
    }
}

/// Maps the files and hands them to whoever writes marks in this process.
pub fn load(chosen: &Chosen) {
    let files = chosen.files.iter().filter_map(|path| map(path)).collect();
    install(Fonts { files, families: chosen.families.clone(), names: chosen.names.clone() });
}

/// Looks for the fonts of a configuration and gives them to whatever converts in this very process: tests and examples.
/// The first call counts.
#[doc(hidden)]
pub fn load_all(config: &FontsConfig) {
    load(&choose(config));
}

fn map(path: &Path) -> Option<FontData> {
    let file = File::open(path).ok()?;
    // SAFETY: font files are replaced by renaming, as package managers do, and never written to in place. If one is cut
    // short all the same, a worker gets SIGBUS, which costs one request.
    let map = unsafe { Mmap::map(&file) }.ok()?;
    Some(Arc::new(map))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_no_font_or_not_there_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.ttf"), b"no font").unwrap();
        std::fs::write(folder.path().join("b.txt"), b"text").unwrap();
        let paths = vec![folder.path().to_owned(), folder.path().join("none")];
        let chosen = choose(&FontsConfig { paths, ..FontsConfig::default() });
        assert_eq!(chosen.files, Vec::<PathBuf>::new());
        assert_eq!(chosen.names["tahoma"], "DejaVu Sans");
    }

    #[test]
    fn a_name_that_cannot_be_told_is_left_out() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff.ttf"));
        std::fs::write(&file, b"x").unwrap();
        let chosen = choose(&FontsConfig { paths: vec![file, folder.path().to_owned()], ..FontsConfig::default() });
        assert!(chosen.files.is_empty() && serde_json::to_string(&chosen).is_ok());
    }

    #[test]
    fn only_what_is_named_is_mapped() {
        let chosen = choose(&FontsConfig::default());
        assert!(chosen.files.len() <= MOST_FILES);
        let narrow = |path: &PathBuf| {
            ["Condensed", "Narrow", "ExtraLight"].iter().any(|word| path.to_string_lossy().contains(word))
        };
        assert!(!chosen.files.iter().any(narrow), "{:?}", chosen.files);
        // A family's own faces stand in front of what emphasises.
        let bold = |path: &PathBuf| path.to_string_lossy().contains("Bold");
        let first = chosen.files.iter().position(bold).unwrap_or(chosen.files.len());
        let sans = chosen.files.iter().position(|path| path.ends_with("DejaVuSans.ttf"));
        assert!(sans.is_none_or(|sans| sans < first), "{:?}", chosen.files);
    }
}
