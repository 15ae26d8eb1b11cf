//! A codec that somebody else brings, for TPG: a shared library behind the C interface of `include/pictor_codec.h`.
//!
//! A worker loads it with [`load`] before it seals itself; no other process does. The service knows of it what workers say
//! when they start, as [`Ability`]. What the library says of sizes and lengths is checked here; that it does not write
//! where it must not can only be found out afterwards, and the sandbox is what holds if it does.

mod library;

use std::ffi::c_int;
use std::path::Path;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::decode::wanted::Wanted;
use super::encode::options::Options;
use super::picture::{Channels, Decode, Metadata, Pixels, Space};
use super::probe::{Header, corrupt, unsupported};
use super::transform::{room, with_alpha, with_colour, without_alpha};
use crate::error::{Error, Kind};
use crate::plan::{Format, Source};
use library::{Library, RawHeader};

/// The version of the interface.
pub const ABI: u32 = 1;

/// The longest magic that is looked at.
const LONGEST_MAGIC: usize = 32;
/// The longest name or sentence that is taken from the library, in bytes.
const LONGEST_TEXT: usize = 300;
/// The longest file that is taken from the library, in bytes: as much as a worker may write.
const LONGEST_FILE: usize = 1 << 30;
/// Bytes behind the pixels that the library must leave alone.
const FENCE: usize = 64;
const FENCE_BYTE: u8 = 0xa5;

/// What a library can do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ability {
    /// What it calls itself.
    pub name: String,
    /// Whether it reads.
    pub decodes: bool,
    /// Whether it writes.
    pub encodes: bool,
    /// The first bytes of every file of its format; empty if there are none such.
    pub magic: Vec<u8>,
}

impl Ability {
    /// Whether a worker should be asked about an original that nobody else knows: by its first bytes, or by its name.
    pub fn may_read(&self, bytes: &[u8], name: &[u8]) -> bool {
        let by_magic = !self.magic.is_empty() && bytes.starts_with(&self.magic);
        let end = name.len().checked_sub(4).and_then(|at| name.get(at..)).unwrap_or_default();
        self.decodes && (by_magic || end.eq_ignore_ascii_case(b".tpg"))
    }
}

struct Plugin {
    library: Library,
    ability: Ability,
}

static LOADED: OnceLock<Plugin> = OnceLock::new();

/// Loads the library into this process, for good.
///
/// # Errors
/// A sentence that names the file and what is wrong with it.
pub fn load(path: &Path) -> Result<Ability, String> {
    let wrong = |what: String| format!("the plug-in {} cannot be used: {what}", path.display());
    let library = Library::open(path).map_err(wrong)?;
    let ability = library.ability().map_err(wrong)?;
    let plugin = LOADED.get_or_init(|| Plugin { library, ability });
    Ok(plugin.ability.clone())
}

/// Whether this process can write the format.
pub(super) fn encodes() -> bool {
    LOADED.get().is_some_and(|plugin| plugin.ability.encodes)
}

/// Reads the header of an original that nobody else knows; `None` if there is no plug-in or it does not know it either.
pub(super) fn probe(bytes: &[u8]) -> Option<Result<Header, Error>> {
    let plugin = LOADED.get().filter(|plugin| plugin.ability.decodes)?;
    let mut raw = RawHeader::default();
    match plugin.library.probe(bytes, &mut raw) {
        library::NOT_MINE => None,
        library::OK => Some(header(&raw)),
        status => Some(Err(plugin.failed(status))),
    }
}

/// What the library said of a file, checked.
fn header(raw: &RawHeader) -> Result<Header, Error> {
    let most = Format::Tpg.max_side();
    let (width, height) = (raw.width, raw.height);
    if width == 0 || height == 0 || width > most || height > most || raw.alpha > 1 {
        let what = format!("the plug-in announces {width} x {height} pixels with alpha {}", raw.alpha);
        return Err(corrupt(Format::Tpg, &what));
    }
    let alpha = raw.alpha == 1;
    let source = Source { format: Format::Tpg, width, height, orientation: 1, frames: 1, alpha };
    Ok(Header { source, depth: 8, channels: if alpha { 4 } else { 3 }, progressive: false, quality: None })
}

/// Opens an original.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header, _: &Wanted) -> Result<Box<dyn Decode + 'a>, Error> {
    let Some(plugin) = LOADED.get().filter(|plugin| plugin.ability.decodes) else {
        return Err(Error::new(Kind::UnsupportedSource, "the original is TPG, which is not decoded here"));
    };
    let source = header.source;
    let metadata = Metadata { orientation: 1, space: Space::Srgb, ..Metadata::default() };
    Ok(super::decode::still(metadata, move || {
        let length = pixel_bytes(source.width, source.height)?;
        let mut rgba = room(length.saturating_add(FENCE))?;
        rgba.resize(length, 0);
        rgba.resize(length.saturating_add(FENCE), FENCE_BYTE);
        let (pixels, _) = rgba.split_at_mut_checked(length).unwrap_or_default();
        let status = plugin.library.decode(bytes, pixels);
        if rgba.get(length..).is_none_or(|fence| fence.iter().any(|&byte| byte != FENCE_BYTE)) {
            return Err(plugin.fault("it wrote beyond the pixels"));
        }
        if status != library::OK {
            return Err(plugin.failed(status));
        }
        rgba.truncate(length);
        let pixels = Pixels::new(source.width, source.height, Channels::Rgba, rgba)?;
        if source.alpha { Ok(pixels) } else { without_alpha(&pixels) }
    }))
}

fn pixel_bytes(width: u32, height: u32) -> Result<usize, Error> {
    let bytes = (width as usize).checked_mul(height as usize).and_then(|pixels| pixels.checked_mul(4));
    bytes.ok_or_else(|| Error::new(Kind::OutOfMemory, format!("no memory for {width} x {height} pixels")))
}

/// Writes a picture.
///
/// # Errors
/// [`Kind::UnsupportedTarget`] without a plug-in that writes, or if it cannot write this; [`Kind::Crashed`] if what it
/// gives is no file.
pub(super) fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let Some(plugin) = LOADED.get().filter(|plugin| plugin.ability.encodes) else {
        return Err(Error::new(Kind::UnsupportedTarget, "this build cannot write tpg"));
    };
    let pixels = with_alpha(with_colour(pixels)?)?;
    let (width, height) = (pixels.width(), pixels.height());
    let quality =
        u32::from(options.quality.unwrap_or(super::encode::quality::default(Format::Tpg, None))).clamp(1, 100);
    let mut file = Err(Error::new(Kind::Internal, "the plug-in returned no file"));
    let status = plugin.library.encode(pixels.data(), (width, height), quality, |bytes| {
        file = match bytes {
            Some(bytes) if (1..=LONGEST_FILE).contains(&bytes.len()) => room(bytes.len()).map(|mut copy| {
                copy.extend_from_slice(bytes);
                copy
            }),
            Some(bytes) => Err(plugin.fault(&format!("it gave a file of {} bytes", bytes.len()))),
            None => Err(plugin.fault("it gave no file, or one of an impossible length")),
        };
    });
    match status {
        library::OK => {}
        library::UNSUPPORTED => return Err(Error::new(Kind::UnsupportedTarget, plugin.sentence("cannot write this"))),
        status => return Err(plugin.failed(status)),
    }
    let file = file?;
    // What it has written it has to read, where it reads.
    if plugin.ability.decodes {
        let written = probe(&file).and_then(Result::ok).map(|header| (header.source.width, header.source.height));
        if written != Some((width, height)) {
            return Err(plugin.fault(&format!("its file of {width} x {height} pixels is {written:?} to itself")));
        }
    }
    Ok(file)
}

impl Plugin {
    /// A status that is not OK, as an error.
    fn failed(&self, status: c_int) -> Error {
        match status {
            library::CORRUPT => corrupt(Format::Tpg, &self.sentence("finds it damaged")),
            library::UNSUPPORTED | library::NOT_MINE => {
                unsupported(Format::Tpg, &self.sentence("does not read this variety"))
            }
            library::NO_MEMORY => Error::new(Kind::OutOfMemory, self.sentence("has not enough memory")),
            other => self.fault(&format!("it answered {other}")),
        }
    }

    /// It has broken the rules of the interface. The worker that found out is replaced.
    fn fault(&self, what: &str) -> Error {
        Error::new(Kind::Crashed, format!("the plug-in {} is faulty: {what}", self.ability.name))
    }

    fn sentence(&self, otherwise: &str) -> String {
        let said = self.library.error();
        let said = if said.is_empty() { otherwise.to_owned() } else { format!("says: {said}") };
        format!("the plug-in {} {said}", self.ability.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_header_may_say() {
        let of = |width, height, alpha| header(&RawHeader { width, height, alpha, reserved: 0 });
        assert!(of(1, 16_383, 0).is_ok_and(|header| header.channels == 3 && !header.source.alpha));
        assert!(of(16_383, 1, 1).is_ok_and(|header| header.channels == 4 && header.source.alpha));
        for (width, height, alpha) in [(0, 1, 0), (1, 0, 0), (16_384, 1, 0), (1, u32::MAX, 0), (1, 1, 2)] {
            assert!(of(width, height, alpha).is_err_and(|error| error.kind == Kind::Corrupt));
        }
    }

    #[test]
    fn whom_to_ask_is_told_by_the_first_bytes_or_the_name() {
        let ability = Ability { name: "t".into(), decodes: true, encodes: false, magic: b"TPG".to_vec() };
        assert!(ability.may_read(b"TPG...", b"a"));
        assert!(ability.may_read(b"", b"folder/a.TpG"));
        assert!(!ability.may_read(b"xTPG", b"tpg"));
        assert!(!Ability { magic: Vec::new(), ..ability.clone() }.may_read(b"TPG", b"a.png"));
        assert!(!Ability { decodes: false, ..ability }.may_read(b"TPG", b"a.tpg"));
    }

    #[test]
    fn a_process_without_one_says_so() {
        assert!(!encodes());
        assert!(probe(b"TPG\0").is_none());
        assert!(load(Path::new("/nowhere/lib.so")).is_err_and(|text| text.contains("/nowhere/lib.so")));
    }
}
