//! The fonts that the text of a drawing is written with: those that marks have, from memory. A family that is not there is
//! replaced as the configuration says, else by one that looks alike; letters that it has not come from the others.

use std::sync::{Arc, OnceLock};

use resvg::usvg::fontdb::{Database, Family, ID, Query, Source, Stretch, Style, Weight};
use resvg::usvg::{Font, FontFamily, FontResolver, FontStretch, FontStyle};

use crate::error::Error;
use crate::mark::fonts::{Fonts, installed};
use crate::plan::Format;
use crate::probe::unsupported;

/// Fonts that one text may come from: each is tried on all of it.
const MOST_FONTS: usize = 5;

/// What a text is written with that names no family.
pub(super) const DEFAULT: &str = "serif";

/// Words in the names of families that tell what they look like, where the family is not there.
const LIKE: [(&str, &str); 22] = [
    ("mono", "monospace"),
    ("comic", "cursive"),
    ("sans", "sans-serif"),
    ("courier", "monospace"),
    ("consol", "monospace"),
    ("menlo", "monospace"),
    ("monaco", "monospace"),
    ("code", "monospace"),
    ("typewriter", "monospace"),
    ("times", "serif"),
    ("serif", "serif"),
    ("roman", "serif"),
    ("georgia", "serif"),
    ("garamond", "serif"),
    ("palatino", "serif"),
    ("baskerville", "serif"),
    ("cambria", "serif"),
    ("minion", "serif"),
    ("song", "serif"),
    ("simsun", "serif"),
    ("ming", "serif"),
    ("script", "cursive"),
];

/// The fonts of this process, parsed once: milliseconds.
pub(super) fn letters() -> &'static Letters {
    static LETTERS: OnceLock<Letters> = OnceLock::new();
    match installed() {
        Some(fonts) => LETTERS.get_or_init(|| Letters::new(fonts.clone())),
        None => none(),
    }
}

/// For a drawing without text.
pub(super) fn none() -> &'static Letters {
    static NONE: OnceLock<Letters> = OnceLock::new();
    NONE.get_or_init(|| Letters::new(Fonts::default()))
}

/// Fonts and their names.
pub(super) struct Letters {
    pub db: Arc<Database>,
    fonts: Fonts,
    /// Faces in the order in which they stand in for another.
    order: Vec<ID>,
}

impl Letters {
    fn new(mut fonts: Fonts) -> Self {
        let mut db = Database::new();
        for file in std::mem::take(&mut fonts.files) {
            db.load_font_source(Source::Binary(file));
        }
        let rank = |families: &[(String, _)]| {
            let named = |wanted: &String| families.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
            fonts.families.iter().position(named).unwrap_or(usize::MAX)
        };
        let mut order: Vec<(usize, bool, ID)> = db
            .faces()
            .map(|face| (rank(&face.families), face.style != Style::Normal || face.weight != Weight::NORMAL, face.id))
            .collect();
        order.sort_by_key(|(rank, emphasised, _)| (*rank, *emphasised));
        Self { db: Arc::new(db), fonts, order: order.into_iter().map(|(_, _, id)| id).collect() }
    }

    /// The fonts, if there is any.
    ///
    /// # Errors
    /// [`Kind::UnsupportedSource`](crate::error::Kind::UnsupportedSource).
    pub fn checked(&self) -> Result<&Self, Error> {
        if self.order.is_empty() {
            let what = "it has text, and no font was found to write it with: install one, or name its file or folder in \
                        engine.fonts.paths";
            return Err(unsupported(Format::Svg, what));
        }
        Ok(self)
    }

    /// What answers the parser's questions.
    pub fn resolver(&self) -> FontResolver<'_> {
        FontResolver {
            select_font: Box::new(|font, _| self.select(font)),
            select_fallback: Box::new(|letter, used, _| self.fallback(letter, used)),
        }
    }

    /// The face for a text.
    fn select(&self, font: &Font) -> Option<ID> {
        let named = font.families().iter().filter_map(|family| self.named(name(family)));
        // Nothing of what it names is there: what its first name sounds like, then anything.
        let alike = font.families().first().map(|family| alike(name(family)));
        let instead = [alike, Some(DEFAULT), Some("sans-serif")].into_iter().flatten();
        let instead = instead.filter_map(|generic| self.named(generic));
        let found = named.chain(instead).find_map(|family| self.face(&family, font));
        found.or_else(|| self.order.first().copied())
    }

    /// The family that stands for a name.
    fn named(&self, name: &str) -> Option<String> {
        let lower = name.trim().to_lowercase();
        let there = |wanted: &str| {
            let mut families = self.db.faces().flat_map(|face| face.families.iter());
            families.find(|(name, _)| name.to_lowercase() == wanted).map(|(name, _)| name.to_string())
        };
        self.fonts.names.get(&lower).and_then(|family| there(&family.to_lowercase())).or_else(|| there(&lower))
    }

    fn face(&self, family: &str, font: &Font) -> Option<ID> {
        let stretch = match font.stretch() {
            FontStretch::UltraCondensed => Stretch::UltraCondensed,
            FontStretch::ExtraCondensed => Stretch::ExtraCondensed,
            FontStretch::Condensed => Stretch::Condensed,
            FontStretch::SemiCondensed => Stretch::SemiCondensed,
            FontStretch::Normal => Stretch::Normal,
            FontStretch::SemiExpanded => Stretch::SemiExpanded,
            FontStretch::Expanded => Stretch::Expanded,
            FontStretch::ExtraExpanded => Stretch::ExtraExpanded,
            FontStretch::UltraExpanded => Stretch::UltraExpanded,
        };
        let style = match font.style() {
            FontStyle::Normal => Style::Normal,
            FontStyle::Italic => Style::Italic,
            FontStyle::Oblique => Style::Oblique,
        };
        self.db.query(&Query { families: &[Family::Name(family)], weight: Weight(font.weight()), stretch, style })
    }

    /// A face that has a letter, other than those that were tried; as heavy as the first of them, if there is one.
    fn fallback(&self, letter: char, used: &[ID]) -> Option<ID> {
        if used.len() >= MOST_FONTS {
            return None;
        }
        let base = self.db.face(*used.first()?)?;
        let has = |id: &&ID| !used.contains(id) && self.face_has(**id, letter);
        let alike =
            |id: &&ID| self.db.face(**id).is_some_and(|face| face.weight == base.weight && face.style == base.style);
        let first = self.order.iter().find(has)?;
        let family = &self.db.face(*first)?.families;
        let same = self.order.iter().filter(alike).filter(has);
        let mut same = same.filter(|id| self.db.face(**id).is_some_and(|face| &face.families == family));
        Some(*same.next().unwrap_or(first))
    }

    fn face_has(&self, id: ID, letter: char) -> bool {
        let mapped = |data: &[u8], index: u32| {
            let font = swash::FontRef::from_index(data, index as usize);
            font.is_some_and(|font| font.charmap().map(letter) != 0)
        };
        self.db.with_face_data(id, mapped).unwrap_or_default()
    }
}

#[cfg(test)]
impl Letters {
    /// Whether any font has a letter.
    pub fn has(&self, letter: char) -> bool {
        self.order.iter().any(|id| self.face_has(*id, letter))
    }
}

/// A family's name as CSS writes it.
fn name(family: &FontFamily) -> &str {
    match family {
        FontFamily::Serif => "serif",
        FontFamily::SansSerif => "sans-serif",
        FontFamily::Cursive => "cursive",
        FontFamily::Fantasy => "fantasy",
        FontFamily::Monospace => "monospace",
        FontFamily::Named(name) => name,
    }
}

/// The generic name of what a family looks like. Most that drawings name and nobody has are without serifs.
fn alike(family: &str) -> &'static str {
    let lower = family.to_lowercase();
    LIKE.iter().find(|(word, _)| lower.contains(word)).map_or("sans-serif", |(_, generic)| generic)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    #[test]
    fn without_a_font_it_is_said_what_to_do() {
        let error = none().checked().err().unwrap();
        assert_eq!(error.kind, Kind::UnsupportedSource);
        assert!(error.told().contains("engine.fonts.paths"), "{error}");
    }

    #[test]
    fn a_family_is_what_its_name_sounds_like() {
        for (family, want) in [
            ("Courier New", "monospace"),
            ("Roboto Mono", "monospace"),
            ("Times New Roman", "serif"),
            ("Noto Serif CJK SC", "serif"),
            ("MS Sans Serif", "sans-serif"),
            ("Helvetica Neue", "sans-serif"),
            ("Comic Sans MS", "cursive"),
        ] {
            assert_eq!(alike(family), want, "{family}");
        }
    }
}
