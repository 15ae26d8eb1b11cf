//! Styles: rules with a name, which a bucket keeps and its URLs use (tencent-ci §1.8, aliyun-oss §1.4).
//!
//! A style is used by name in a rule (`style/NAME`), or at the end of the path behind a separator (`/a.jpg!NAME`). Its own
//! text holds no other style.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::request_query::{Piece, take_apart};
use super::{Dialect, Recognised, aliyun, recognise};
use crate::error::{Error, Kind};

/// The most styles that one bucket keeps: Tencent's quota, which is the larger one.
pub const MOST_STYLES: usize = 100;
/// The longest name, in bytes (aliyun-oss §1.2).
pub const MOST_NAME_BYTES: usize = 63;
/// The longest rule, in bytes: no page names a number, and no URL could hold more.
pub const MOST_RULE_BYTES: usize = 4096;
/// The most stages of a rule, in the language that takes more of them.
const MOST_STAGES: usize = 10;
/// Tencent's number for more styles than there may be.
const TOO_MANY: i32 = -60957;

/// One style.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Style {
    dialect: Dialect,
    rule: String,
    times: Option<StyleTimes>,
}

/// When a style that is kept beside the configuration was made, and when it was last changed: seconds since 1970.
pub type StyleTimes = (i64, i64);

/// What is told of a style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StyleInfo<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its rule.
    pub rule: &'a str,
    /// The language of its rule.
    pub dialect: Dialect,
    /// `None` for a style of the configuration.
    pub times: Option<StyleTimes>,
}

/// The styles of a site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Styles {
    /// What may stand between a key and a style, a subset of `-`, `_`, `/` and `!`; as text and percent-encoded.
    separators: Vec<(char, String)>,
    by_name: BTreeMap<String, Style>,
}

impl Styles {
    /// No styles yet. `separators` is empty, or some of `-_/!`: without one, styles are used by query only.
    ///
    /// # Errors
    /// [`Kind::BadRule`], for people who configure, as everywhere here.
    pub fn new(separators: &str) -> Result<Self, Error> {
        let mut list = Vec::new();
        for separator in separators.chars() {
            if !"-_/!".contains(separator) {
                return Err(refused(format!("`{separator}` cannot separate a style: take some of - _ / !")));
            }
            list.push((separator, format!("%{:02X}", u32::from(separator))));
        }
        Ok(Self { separators: list, by_name: BTreeMap::new() })
    }

    /// Adds a style; one of the same name is replaced. `rule` is in the language of either vendor: `imageMogr2/...` or
    /// `image/...`.
    ///
    /// # Errors
    /// [`Kind::BadRule`] for a name that cannot be, a rule that is none of the `enabled` dialects or does not parse, and
    /// for more styles than there may be.
    pub fn add(&mut self, name: &str, rule: &str, enabled: &[Dialect]) -> Result<(), Error> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > MOST_NAME_BYTES || !name.bytes().all(plain) {
            return Err(refused(format!(
                "style {name:?}: a name has 1 to {MOST_NAME_BYTES} letters, digits, dashes, underscores and dots"
            )));
        }
        if let Some((separator, _)) = self.separators.iter().find(|(separator, _)| name.contains(*separator)) {
            return Err(refused(format!("style {name}: its name holds the separator `{separator}`")));
        }
        if !self.by_name.contains_key(name) && self.by_name.len() >= MOST_STYLES {
            let message = format!("style {name}: there are {MOST_STYLES} already, which is the most");
            return Err(refused(message).with_code(TOO_MANY));
        }
        let rule = rule.trim();
        if rule.len() > MOST_RULE_BYTES {
            return Err(refused(format!("style {name}: its rule has more than {MOST_RULE_BYTES} bytes")));
        }
        let (dialect, query) = match rule.starts_with("image/") {
            true => (Dialect::Aliyun, format!("{}{rule}", aliyun::KEY_IS)),
            false => (Dialect::Tencent, rule.to_owned()),
        };
        if !enabled.contains(&dialect) {
            let message = format!("style {name}: its rule is in the language of {}, which is off", dialect.name());
            return Err(refused(message));
        }
        // Without styles to look in, so that none can hold another.
        match recognise(&query, &[dialect], &Self::default()) {
            Recognised::Rule { plan: Ok(_), .. } => {}
            Recognised::Rule { plan: Err(error), .. } => {
                return Err(refused(format!("style {name}: {}", error.message)));
            }
            Recognised::None => {
                let message =
                    format!("style {name}: a rule begins with imageMogr2/, imageView2/, watermark/ or image/");
                return Err(refused(message));
            }
        }
        self.by_name.insert(name.to_owned(), Style { dialect, rule: rule.to_owned(), times: None });
        Ok(())
    }

    /// Says since when a style is kept.
    pub fn date(&mut self, name: &str, times: StyleTimes) {
        if let Some(style) = self.by_name.get_mut(name) {
            style.times = Some(times);
        }
    }

    /// Takes a style away.
    pub fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// Every style, by name.
    pub fn list(&self) -> impl Iterator<Item = StyleInfo<'_>> {
        self.by_name.iter().map(|(name, style)| StyleInfo {
            name,
            rule: &style.rule,
            dialect: style.dialect,
            times: style.times,
        })
    }

    /// One style.
    pub fn get(&self, name: &str) -> Option<StyleInfo<'_>> {
        self.list().find(|style| style.name == name)
    }

    /// Splits the style off the end of a path as the client sent it: the key's path, and the query that the style stands
    /// for. Where several would do, the last separator counts. `None` where the path ends in no style.
    pub fn split<'a>(&self, raw_path: &'a str) -> Option<(&'a str, String)> {
        if self.separators.is_empty() {
            return None;
        }
        let key = |name: &str| {
            let rest = raw_path.strip_suffix(name)?;
            let cut = self.separators.iter().find_map(|(separator, escaped)| {
                let encoded = || {
                    let tail = rest.get(rest.len().checked_sub(3)?..)?;
                    tail.eq_ignore_ascii_case(escaped).then(|| &rest[..rest.len() - 3])
                };
                rest.strip_suffix(*separator).or_else(encoded)
            })?;
            // There is no object without a name.
            (!matches!(cut, "" | "/")).then_some(cut)
        };
        // The shortest name is the one behind the last separator, for no name holds one.
        let found = self.by_name.iter().filter_map(|(name, style)| Some((key(name)?, name, style)));
        let (path, name, style) = found.min_by_key(|(_, name, _)| name.len())?;
        Some((path, query(name, style.dialect)))
    }

    /// The query that names a style; of one that does not exist in the language of the older syntax, which asks for it.
    pub(super) fn query(&self, name: &str) -> String {
        query(name, self.by_name.get(name).map_or(Dialect::Aliyun, |style| style.dialect))
    }

    /// A rule with every `style/NAME` stage replaced by what it stands for. One of more stages than any rule may have is
    /// given as it is, to be refused where stages are counted: thousands of names would stand for megabytes.
    ///
    /// # Errors
    /// [`Kind::NoSuchStyle`]; [`Kind::BadRule`] for a style in another language than the rule that names it.
    pub(super) fn expand<'a>(&self, rule: &'a str, dialect: Dialect) -> Result<Cow<'a, str>, Error> {
        let names_one = rule.split('|').any(|stage| stage.starts_with("style/"));
        if !names_one || rule.split('|').nth(MOST_STAGES).is_some() {
            return Ok(Cow::Borrowed(rule));
        }
        let stages = rule.split('|').map(|stage| {
            let Some(name) = stage.strip_prefix("style/") else { return Ok(stage) };
            let name = name.strip_suffix('/').unwrap_or(name);
            let unknown =
                || Error::new(Kind::NoSuchStyle, format!("there is no style {:?}", super::number::short(name)));
            let style = self.by_name.get(name).ok_or_else(unknown)?;
            if style.dialect != dialect {
                let message = format!(
                    "style {name} is written in the language of {} and cannot be named in a rule of {}",
                    style.dialect.name(),
                    dialect.name()
                );
                return Err(Error::new(Kind::BadRule, message));
            }
            Ok(style.rule.as_str())
        });
        Ok(Cow::Owned(stages.collect::<Result<Vec<_>, _>>()?.join("|")))
    }

    /// Whether a query names one style and says nothing else about processing.
    pub(super) fn only_style<'a>(&self, pieces: impl Iterator<Item = &'a Piece<'a>>) -> bool {
        !self.by_name.is_empty() && lone_in(pieces).is_some_and(|(_, name)| self.by_name.contains_key(name))
    }
}

/// The style that a query names, if it says nothing else about processing; whether or not there is such a style.
pub fn lone(raw_query: &str) -> Option<(Dialect, String)> {
    lone_in(take_apart(raw_query).iter()).map(|(dialect, name)| (dialect, name.to_owned()))
}

fn lone_in<'a>(pieces: impl Iterator<Item = &'a Piece<'a>>) -> Option<(Dialect, &'a str)> {
    let mut rules = pieces.filter_map(|piece| Some((piece.rule?, &*piece.text)));
    let (dialect, text) = rules.next()?;
    let rule = match dialect {
        Dialect::Aliyun => text.get(aliyun::KEY_IS.len()..).unwrap_or_default(),
        Dialect::Tencent => text,
    };
    let name = rule.trim_end_matches('=').strip_prefix("style/").filter(|name| !name.contains(['|', '/']))?;
    rules.next().is_none().then_some((dialect, name))
}

/// A query that names a style.
fn query(name: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Tencent => format!("style/{name}"),
        Dialect::Aliyun => format!("{}style/{name}", aliyun::KEY_IS),
    }
}

fn refused(message: String) -> Error {
    Error::new(Kind::BadRule, message)
}
