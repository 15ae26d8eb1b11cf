//! Listing a folder in the order of an object store.

use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use super::super::{ListedObject, Page};
use super::{UNFINISHED, etag};
use crate::error::{Error, Kind};

/// More nested folders than this are not listed.
const MAX_DEPTH: usize = 64;

/// The files below `root` whose keys start with `prefix` and come after `after`, in the order of the keys' bytes. Links to
/// folders are not followed (they may go round in circles), nor links that lead out of the root; names that are not UTF-8
/// are left out.
pub(super) fn page(root: &Path, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page, Error> {
    let real = root.canonicalize().map_err(|error| failed(root, &error))?;
    let mut walk = Walk { root: real.clone(), prefix, after, most: limit.saturating_add(1), entries: Vec::new() };
    walk.folder(&real, "", 0)?;
    let mut entries = walk.entries;
    let more = entries.len() > limit;
    entries.truncate(limit);
    let next = entries.last().filter(|_| more).map(|entry| entry.key.clone());
    Ok(Page { entries, next })
}

struct Walk<'a> {
    root: PathBuf,
    prefix: &'a str,
    after: Option<&'a str>,
    /// One more than the page holds, to know whether there is a next one.
    most: usize,
    entries: Vec<ListedObject>,
}

impl Walk<'_> {
    /// `key` is empty or ends with a slash.
    fn folder(&mut self, path: &Path, key: &str, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Ok(());
        }
        let mut found: Vec<(String, bool, DirEntry)> = Vec::new();
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            // Removed since its parent was read.
            Err(error) if depth > 0 && error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(path, &error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| failed(path, &error))?;
            let (Ok(kind), Some(name)) = (entry.file_type(), entry.file_name().to_str().map(str::to_owned)) else {
                continue;
            };
            if name.as_bytes().starts_with(UNFINISHED) {
                continue;
            }
            // With its slash, a folder sorts where its objects do.
            let key = if kind.is_dir() { format!("{key}{name}/") } else { format!("{key}{name}") };
            if self.wanted(&key, kind.is_dir()) {
                found.push((key, kind.is_dir(), entry));
            }
        }
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for (key, is_folder, entry) in found {
            if self.entries.len() >= self.most {
                break;
            }
            if is_folder {
                self.folder(&entry.path(), &key, depth.saturating_add(1))?;
            } else {
                self.file(key, &entry.path());
            }
        }
        Ok(())
    }

    /// Whether this file, or any file in this folder, belongs to the page.
    fn wanted(&self, key: &str, is_folder: bool) -> bool {
        let prefixed = key.starts_with(self.prefix) || (is_folder && self.prefix.starts_with(key));
        let comes = self.after.is_none_or(|after| key > after || (is_folder && after.starts_with(key)));
        prefixed && comes
    }

    fn file(&mut self, key: String, path: &Path) {
        // Follows a link; a file that is gone by now, or is no file, is left out.
        let Ok(found) = std::fs::metadata(path) else { return };
        let inside = path.canonicalize().is_ok_and(|real| real.starts_with(&self.root));
        if found.is_file() && inside {
            let last_modified = found.modified().ok();
            self.entries.push(ListedObject { key, length: found.len(), etag: Some(etag(&found)), last_modified });
        }
    }
}

fn failed(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Kind::OriginFailed, format!("folder {}: {error}", path.display()))
}
