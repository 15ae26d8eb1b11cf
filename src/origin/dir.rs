//! A folder of this machine as a store. Keys are paths below it; nothing outside of it is ever read or written.

use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use ::http::HeaderMap;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};

use super::media::media_type;
use super::{ByteRange, Fetched, Meta, ObjectKey, Origin, Page, PutOptions, ReadConditions, Upstream, refused};
use crate::access::Pass;
use crate::config::origin::Timeouts;
use crate::error::{Error, Kind};

#[path = "dir_list.rs"]
mod list;

/// Names of files that are being written; no object has such a name.
const UNFINISHED: &[u8] = b".pictor-unfinished-";
/// Bytes per read.
const CHUNK: u64 = 256 << 10;

/// A folder.
#[derive(Debug, Clone)]
pub(super) struct Dir {
    root: PathBuf,
}

impl Dir {
    pub(super) fn new(root: &Path) -> Result<Self, Error> {
        let bad = |why: &str| refused(format!("site.origin.path: {} {why}", root.display()));
        let unreadable = |error: io::Error| bad("cannot be read").caused_by(&error);
        if !std::fs::metadata(root).map_err(unreadable)?.is_dir() {
            return Err(bad("is not a folder"));
        }
        // Absolute, so that a change of the working directory changes nothing. Links are followed anew at each request: a
        // release that is swapped by a link is seen.
        let root = std::path::absolute(root).map_err(unreadable)?;
        Ok(Self { root })
    }

    /// Opens the file of a key. What the path and its links lead to must lie below the root.
    fn open(&self, key: &ObjectKey) -> Result<(File, Metadata), Error> {
        let missing = || Error::new(Kind::NotFound, "there is no such object");
        let path = self.root.join(relative(key).ok_or_else(missing)?);
        let failed = |error: io::Error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => missing(),
            _ if error.raw_os_error() == Some(libc::ELOOP) => missing(),
            _ => self.failed(key, &error),
        };
        let real = path.canonicalize().map_err(failed)?;
        if !real.starts_with(self.root.canonicalize().map_err(|error| self.failed(key, &error))?) {
            return Err(missing());
        }
        // The path is resolved: a link in its last place has come since, and is refused. Nobody but the folder's owner can
        // do that, or the like further up. Not to block: on a FIFO.
        let file =
            File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(real).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if found.is_file() { Ok((file, found)) } else { Err(missing()) }
    }

    fn write(&self, key: &ObjectKey, body: &[u8]) -> Result<Metadata, Error> {
        let bad = || Error::new(Kind::BadRequest, "a folder cannot have an object of this name");
        let path = self.root.join(relative(key).ok_or_else(bad)?);
        let folder = path.parent().ok_or_else(bad)?;
        let failed = |error: io::Error| match error.kind() {
            // A folder where the file should be, or a file where a folder should be.
            ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidFilename => bad(),
            _ => self.failed(key, &error),
        };
        // What exists of the path must lie below the root before anything is made in it.
        let existing = folder.ancestors().find(|folder| folder.exists()).ok_or_else(bad)?;
        let real = existing.canonicalize().map_err(failed)?;
        if !real.starts_with(self.root.canonicalize().map_err(failed)?) {
            return Err(bad());
        }
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let mut name = UNFINISHED.to_vec();
        name.extend(format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)).bytes());
        let unfinished = folder.join(OsStr::from_bytes(&name));
        let write = || -> io::Result<Metadata> {
            std::fs::create_dir_all(folder)?;
            let mut file = File::options().write(true).create_new(true).open(&unfinished)?;
            file.write_all(body)?;
            // Readers see the old object or the new one, never a part.
            std::fs::rename(&unfinished, &path)?;
            file.metadata()
        };
        write().map_err(|error| {
            // Either it is not there or it is ours; nothing is left to do if it cannot be removed.
            let _ = std::fs::remove_file(&unfinished);
            failed(error)
        })
    }

    fn remove(&self, key: &ObjectKey) -> Result<(), Error> {
        let Some(relative) = relative(key) else { return Ok(()) };
        let path = self.root.join(relative);
        let gone = |error: &io::Error| {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename)
        };
        // The folder is resolved, the file is not: of a link, the link goes.
        let folder = match path.parent().map(Path::canonicalize) {
            Some(Ok(folder)) => folder,
            Some(Err(error)) if gone(&error) => return Ok(()),
            Some(Err(error)) => return Err(self.failed(key, &error)),
            None => return Ok(()),
        };
        let root = self.root.canonicalize().map_err(|error| self.failed(key, &error))?;
        let (true, Some(name)) = (folder.starts_with(&root), path.file_name()) else { return Ok(()) };
        let path = folder.join(name);
        match std::fs::symlink_metadata(&path) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => std::fs::remove_file(&path).map_err(|error| self.failed(key, &error))?,
            Err(error) if gone(&error) => return Ok(()),
            Err(error) => return Err(self.failed(key, &error)),
        }
        // Stores have no folders: one that is empty now would be in the way of an object of its name.
        for folder in folder.ancestors().take_while(|folder| *folder != root) {
            if std::fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    fn failed(&self, key: &ObjectKey, error: &io::Error) -> Error {
        let what = format!("folder {}: \"{}\" cannot be read or written", self.root.display(), key.canonical());
        Error::new(Kind::OriginFailed, what).caused_by(error)
    }

    /// Runs file operations where they may block.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let this = self.clone();
        tokio::task::spawn_blocking(move || work(this))
            .await
            .map_err(|error| Error::new(Kind::Internal, "a file operation did not end").caused_by(&error))?
    }
}

#[async_trait]
impl Origin for Dir {
    async fn head(&self, key: &ObjectKey) -> Result<Meta, Error> {
        let key = key.clone();
        self.blocking(move |this| this.open(&key).map(|(_, found)| meta(&key, &found))).await
    }

    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error> {
        if conditions.version.is_some() {
            return Err(Error::new(Kind::BadRequest, "a folder keeps no versions"));
        }
        let (key, conditions) = (key.clone(), conditions.clone());
        self.blocking(move |this| {
            let (mut file, _) = this.open(&key)?;
            let found = settle(&file).map_err(|error| this.failed(&key, &error))?;
            let found =
                found.ok_or_else(|| Error::busy("the object is being written to; come back when it is whole", 1))?;
            let meta = meta(&key, &found);
            if conditions.unchanged(&meta) {
                return Ok(Fetched::Unchanged);
            }
            let part = range.map(|range| range.within(found.len())).transpose()?;
            if let Some(part) = part {
                file.seek(SeekFrom::Start(part.first)).map_err(|error| this.failed(&key, &error))?;
            }
            let length = part.map_or(found.len(), |part| part.length());
            Ok(Fetched::Object { meta, part, body: body(this, key, file, length, State::of(&found)) })
        })
        .await
    }

    async fn granted(&self, pass: &Pass, _fields: &HeaderMap, range: ByteRange) -> Result<Fetched, Error> {
        let key = ObjectKey::from_raw_path(pass.path())?;
        match self.get(&key, Some(range), &ReadConditions::default()).await {
            // An empty file has no part.
            Err(error) if error.kind == Kind::BadRequest => self.get(&key, None, &ReadConditions::default()).await,
            done => done,
        }
    }

    async fn put(&self, key: &ObjectKey, body: Bytes, _options: &PutOptions) -> Result<Meta, Error> {
        let key = key.clone();
        self.blocking(move |this| this.write(&key, &body).map(|found| meta(&key, &found))).await
    }

    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page, Error> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.blocking(move |this| list::page(&this.root, &prefix, after.as_deref(), limit.clamp(1, 1000))).await
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        let key = key.clone();
        self.blocking(move |this| this.remove(&key)).await
    }

    fn upstream(&self) -> Option<&Upstream> {
        None
    }

    fn store(&self) -> Vec<u8> {
        [b"dir ", self.root.as_os_str().as_encoded_bytes()].concat()
    }

    fn total_timeout(&self) -> Duration {
        Timeouts::default().total
    }
}

/// The key as a path below the root; `None` for names that no file here can have: empty, `.` and `..` segments (a folder
/// holds no file of such a name), and those of unfinished files.
fn relative(key: &ObjectKey) -> Option<&Path> {
    let sound = |segment: &[u8]| !matches!(segment, b"" | b"." | b"..") && !segment.starts_with(UNFINISHED);
    key.bytes().split(|byte| *byte == b'/').all(sound).then(|| Path::new(OsStr::from_bytes(key.bytes())))
}

fn meta(key: &ObjectKey, found: &Metadata) -> Meta {
    Meta {
        etag: Some(etag(found)),
        last_modified: found.modified().ok(),
        date: None,
        length: Some(found.len()),
        content_type: media_type(&String::from_utf8_lossy(key.bytes())).into(),
        cache_control: None,
        content_disposition: None,
        version: None,
        surrogate_keys: None,
        cache_tags: None,
    }
}

/// What a write changes of a file that is open: its time, to the nanosecond, and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State(i64, i64, u64);

impl State {
    fn of(found: &Metadata) -> Self {
        Self(found.mtime(), found.mtime_nsec(), found.len())
    }
}

/// Files' times move in steps of the kernel's clock, of 10 ms at most: two writes within one are not told apart.
const STEP: Duration = Duration::from_millis(20);

/// Waits until a file that was written to a moment ago has a time that the next write would change. Gives what it is then;
/// `None` if somebody goes on writing.
fn settle(file: &File) -> io::Result<Option<Metadata>> {
    for _ in 0..5 {
        let found = file.metadata()?;
        // A time in the future does not tell when the file was written: there is nothing to wait for.
        match found.modified()?.elapsed().ok().and_then(|age| STEP.checked_sub(age)) {
            #[allow(
                clippy::disallowed_methods,
                reason = "on a thread for blocking work; a file gets older by time alone"
            )]
            Some(left) => std::thread::sleep(left),
            None => return Ok(Some(found)),
        }
    }
    Ok(None)
}

/// Changes with every write that moves the clock, the length or the file itself.
fn etag(found: &Metadata) -> String {
    let since = found.modified().ok().and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok());
    format!("\"{:x}-{:x}-{:x}\"", since.unwrap_or_default().as_nanos(), found.len(), found.ino())
}

/// The next `length` bytes of the file. The last of them come only if nobody has written to it meanwhile: a mixture of two
/// states never looks complete.
fn body(dir: Dir, key: ObjectKey, file: File, length: u64, state: State) -> BoxStream<'static, Result<Bytes, Error>> {
    stream::unfold(Some((file, length)), move |rest| {
        let (dir, key) = (dir.clone(), key.clone());
        async move {
            let (mut file, left) = rest.filter(|(_, left)| *left > 0)?;
            let read = dir.blocking(move |this| {
                let mut chunk = Vec::with_capacity(usize::try_from(left.min(CHUNK)).unwrap_or_default());
                (&mut file).take(left.min(CHUNK)).read_to_end(&mut chunk).map_err(|error| this.failed(&key, &error))?;
                let left = left.saturating_sub(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
                let ended = chunk.is_empty();
                if (ended || left == 0)
                    && State::of(&file.metadata().map_err(|error| this.failed(&key, &error))?) != state
                {
                    return Err(Error::new(Kind::OriginShort, "the file was written to while it was read"));
                }
                if ended {
                    return Err(Error::new(Kind::OriginShort, format!("the file ended {left} bytes early")));
                }
                Ok((file, chunk, left))
            });
            Some(match read.await {
                Ok((file, chunk, left)) => (Ok(Bytes::from(chunk)), Some((file, left))),
                Err(error) => (Err(error), None),
            })
        }
    })
    .boxed()
}
