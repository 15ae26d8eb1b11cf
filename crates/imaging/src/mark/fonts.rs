//! The fonts that marks, and the text of drawings, are written with. They are handed over once, before the process is sealed, as bytes that somebody
//! else has mapped; nothing is opened here.

#![allow(clippy::disallowed_types, reason = "it is locked in spite of poison; no other lock is known here")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use cosmic_text::fontdb::{Database, Source};
use cosmic_text::{Fallback, FontSystem};

use crate::error::{Error, Kind};

/// The bytes of a font file.
pub type FontData = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// What there is to write with.
#[derive(Clone, Default)]
pub struct Fonts {
    /// The files.
    pub files: Vec<FontData>,
    /// Families in the order in which they are tried: for a font that nobody knows, and for letters that a font has not.
    pub families: Vec<String>,
    /// The vendors' names of fonts, in lower case, and the families that stand for them.
    pub names: BTreeMap<String, String>,
}

impl fmt::Debug for Fonts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fonts").field("files", &self.files.len()).field("families", &self.families).finish()
    }
}

static FONTS: OnceLock<Fonts> = OnceLock::new();
static WRITER: OnceLock<Mutex<TextWriter>> = OnceLock::new();

/// Hands the fonts over. The first call counts: a process has one set of fonts. False: there was one already.
pub fn install(fonts: Fonts) -> bool {
    FONTS.set(fonts).is_ok()
}

/// What was handed over, if anything was.
pub(crate) fn installed() -> Option<&'static Fonts> {
    FONTS.get()
}

/// The fonts, parsed, with what was learned about them.
pub(super) struct TextWriter {
    pub system: FontSystem,
    pub scaler: swash::scale::ScaleContext,
    /// Families that are there, in the order of preference.
    families: Vec<String>,
    names: BTreeMap<String, String>,
}

/// The writer of this process. The first call parses the fonts' tables: milliseconds.
///
/// # Errors
/// [`Kind::UnsupportedRule`] where there is no font.
pub(super) fn writer() -> Result<MutexGuard<'static, TextWriter>, Error> {
    let writer = WRITER.get_or_init(|| Mutex::new(TextWriter::new(installed().cloned().unwrap_or_default())));
    // Whoever panicked over a text left caches behind, not half-written fonts.
    let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    checked(&writer)?;
    Ok(writer)
}

/// Refuses to write without a font.
pub(super) fn checked(writer: &TextWriter) -> Result<(), Error> {
    if writer.system.db().is_empty() {
        return Err(Error::new(
            Kind::UnsupportedRule,
            "text marks need a font, and none was found: install one, or name its file or folder in engine.fonts.paths",
        ));
    }
    Ok(())
}

impl TextWriter {
    pub fn new(fonts: Fonts) -> Self {
        let mut db = Database::new();
        for file in fonts.files {
            db.load_font_source(Source::Binary(file));
        }
        let known: Vec<String> =
            db.faces().flat_map(|face| face.families.iter().map(|(name, _)| name.clone())).collect();
        let found = |wanted: &String| known.iter().find(|name| name.eq_ignore_ascii_case(wanted)).cloned();
        let mut families: Vec<String> = fonts.families.iter().filter_map(found).collect();
        families.extend(known.iter().cloned());
        let mut seen = std::collections::HashSet::new();
        families.retain(|family| seen.insert(family.clone()));
        let names = fonts.names.into_iter().filter_map(|(name, family)| Some((name, found(&family)?))).collect();
        let order = Order::new(&families);
        let system = FontSystem::new_with_locale_and_db_and_fallback("zh-CN".into(), db, order);
        Self { system, scaler: swash::scale::ScaleContext::new(), families, names }
    }

    /// The family that stands for a vendor's name: as configured, or of that very name, or the first of all.
    pub fn family(&self, name: &str) -> String {
        let name = name.to_ascii_lowercase();
        let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
        let configured = self.names.get(&name).or_else(|| self.names.get(stem));
        let itself = || self.families.iter().find(|family| family.eq_ignore_ascii_case(stem));
        configured.or_else(itself).or_else(|| self.families.first()).cloned().unwrap_or_default()
    }
}

/// Where letters are looked for that the font of a text has not.
struct Order(Vec<&'static str>);

impl Order {
    /// The names live as long as the process, as does the writer.
    fn new(families: &[String]) -> Self {
        Self(families.iter().map(|family| &*Box::leak(family.clone().into_boxed_str())).collect())
    }
}

impl Fallback for Order {
    fn common_fallback(&self) -> &[&'static str] {
        &self.0
    }

    fn forbidden_fallback(&self) -> &[&'static str] {
        &[]
    }

    fn script_fallback(&self, _: unicode_script::Script, _: &str) -> &[&'static str] {
        &[]
    }
}
