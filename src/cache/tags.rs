//! Tags: names that an origin gives to objects, so that they can be purged together, whatever their keys are. Known elsewhere
//! as surrogate keys (Fastly: `Surrogate-Key`, parted by spaces) or cache tags (Cloudflare, Akamai: `Cache-Tag`, by commas).

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::names;

/// An object's tags, as numbers: of a tag nothing but whether it is the same is ever asked. None take no memory of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<u64>", into = "Vec<u64>")]
pub struct Tags(Option<Arc<[u64]>>);

/// So many tags of an object are told apart.
const MOST: usize = 128;
/// So much of the fields is read, in bytes: as much as Fastly and Cloudflare take.
const LONGEST: usize = 16 << 10;

/// A tag of a site as a number. Equal ones are one tag in all that is kept: two tags that share a number are purged together.
pub(super) fn number(site: &str, tag: &str) -> u64 {
    names::number(site, tag)
}

/// What stands for every tag of the site; no tag is empty.
pub(super) fn any(site: &str) -> u64 {
    number(site, "")
}

impl Tags {
    /// Of an object of the site, by what the origin's fields say: `spaced` as `Surrogate-Key` has it, `listed` as `Cache-Tag`
    /// has it. Case matters. An object with more than can be told apart has the one tag that stands for every tag, so that a
    /// purge of any tag is one of it.
    pub fn of(site: &str, spaced: Option<&str>, listed: Option<&str>) -> Self {
        let (spaced, listed) = (spaced.unwrap_or_default(), listed.unwrap_or_default());
        if spaced.len() + listed.len() > LONGEST {
            return Self::every(site);
        }
        let tags = spaced.split_ascii_whitespace().chain(listed.split(',').map(str::trim_ascii));
        Self::new(site, tags.filter(|tag| !tag.is_empty()).map(|tag| number(site, tag)).collect())
    }

    /// Those of several objects of one site.
    #[must_use]
    pub fn and(&self, site: &str, other: &Self) -> Self {
        match (self.numbers(), other.numbers()) {
            (_, []) => self.clone(),
            ([], _) => other.clone(),
            (own, others) => Self::new(site, [own, others].concat()),
        }
    }

    fn new(site: &str, mut numbers: Vec<u64>) -> Self {
        numbers.sort_unstable();
        numbers.dedup();
        match numbers.len() {
            0 => Self(None),
            1..=MOST => Self(Some(numbers.into())),
            _ => Self::every(site),
        }
    }

    fn every(site: &str) -> Self {
        Self(Some([any(site)].into()))
    }

    /// In ascending order, each once.
    pub(super) fn numbers(&self) -> &[u64] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether a purge of this tag of the site is one of these.
    pub fn has(&self, site: &str, tag: &str) -> bool {
        self.numbers().iter().any(|own| *own == number(site, tag) || *own == any(site))
    }
}

impl From<Tags> for Vec<u64> {
    fn from(tags: Tags) -> Self {
        tags.numbers().to_vec()
    }
}

impl TryFrom<Vec<u64>> for Tags {
    type Error = &'static str;

    /// What was never written is refused.
    fn try_from(numbers: Vec<u64>) -> Result<Self, Self::Error> {
        match numbers.len() {
            0 => Ok(Self(None)),
            1..=MOST if numbers.is_sorted_by(|one, next| one < next) => Ok(Self(Some(numbers.into()))),
            _ => Err("tags that nobody writes"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tags_are_read_as_their_fields_have_them() {
        let has = |tags: &Tags, yes: &[&str], no: &[&str]| {
            yes.iter().all(|tag| tags.has("s", tag)) && no.iter().all(|tag| !tags.has("s", tag))
        };
        let spaced = Tags::of("s", Some(" red  blue\tred,green "), None);
        assert!(has(&spaced, &["red", "blue", "red,green"], &["green", "RED", "re", ""]));
        assert_eq!(spaced.numbers().len(), 3);
        assert!(!spaced.has("t", "red"), "another site's");
        let listed = Tags::of("s", None, Some("red, two words ,,blue"));
        assert!(has(&listed, &["red", "two words", "blue"], &["two", "words", " blue"]));
        let both = Tags::of("s", Some("red"), Some("blue,red"));
        assert_eq!(both, Tags::of("s", Some("blue red"), None));
        for nothing in [Tags::of("s", None, None), Tags::of("s", Some("  "), Some(", ,"))] {
            assert_eq!(nothing, Tags::default());
        }
        assert_eq!(size_of::<Tags>(), 16);
    }

    #[test]
    fn several_objects_have_the_tags_of_each() {
        let (one, two) = (Tags::of("s", Some("a b"), None), Tags::of("s", Some("b c"), None));
        assert_eq!(one.and("s", &two), Tags::of("s", Some("a b c"), None));
        assert_eq!((one.and("s", &Tags::default()), Tags::default().and("s", &two)), (one, two));
    }

    /// Nothing that a purge could mean is forgotten.
    #[test]
    fn who_has_too_many_tags_has_them_all() {
        let many = |count: usize| (0..count).map(|tag| format!("{tag} ")).collect::<String>();
        let (most, more) = (many(MOST), many(MOST + 1));
        assert!(!Tags::of("s", Some(&most), None).has("s", "other"));
        let long = "x".repeat(LONGEST + 1);
        let joined = Tags::of("s", Some(&most), None).and("s", &Tags::of("s", Some("one more"), None));
        for tags in [Tags::of("s", Some(&more), None), Tags::of("s", None, Some(&long)), joined] {
            assert!(tags.has("s", "other") && !tags.has("t", "other"));
            assert_eq!(tags.numbers().len(), 1);
        }
    }

    #[test]
    fn tags_come_back_and_others_are_refused() {
        for tags in [Tags::default(), Tags::of("s", Some("a b c"), None)] {
            let text = serde_json::to_string(&tags).unwrap();
            assert_eq!(serde_json::from_str::<Tags>(&text).unwrap(), tags);
        }
        let many = format!("{:?}", (0..=MOST).collect::<Vec<_>>());
        for text in ["[2,1]", "[1,1]", "[-1]", "null", "\"a\"", &many] {
            assert!(serde_json::from_str::<Tags>(text).is_err(), "{text}");
        }
    }
}
