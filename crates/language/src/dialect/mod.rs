//! The vendors' languages: rule text to plan, and errors and facts to the vendor's bodies. Pure: text in, data out.
//! Each vendor has a room of its own, in which every operation is one entry of a table; nothing behind the plan knows
//! which dialect asked.

mod aliyun;
mod answer;
mod formats;
mod language;
mod mark;
mod missing;
mod number;
mod query;
mod request_query;
mod store;
pub mod style_calls;
pub mod styles;
mod tencent;
pub mod translate;
mod wire;

#[cfg(test)]
mod tests;

pub use answer::{ErrorBody, answer_headers, error_body, facts_body, media_type, request_id};
pub use language::{Language, Reading};
pub use query::{redact, rewrite};
pub use request_query::RequestQuery;
pub use store::{StoreError, store_error, store_error_body};
pub use style_calls::StyleCall;
pub use styles::{StyleInfo, Styles};

use crate::error::{Error, Kind};
use crate::plan::Plan;
use request_query::{Piece, take_apart};

/// A vendor's image language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Tencent CI: `?imageMogr2/...`, `?imageView2/...`, `?imageInfo`.
    Tencent,
    /// Aliyun OSS: `?x-oss-process=image/...`.
    Aliyun,
}

impl Dialect {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Tencent, Self::Aliyun];

    /// The name in configuration, logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tencent => "tencent",
            Self::Aliyun => "aliyun",
        }
    }

    /// The dialect of a name as [`Self::name`] gives it.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dialect| dialect.name() == name)
    }

    /// Every operation that the dialect knows by name, for documentation.
    pub fn operations(self) -> Vec<OperationDoc> {
        match self {
            Self::Tencent => tencent::operations(),
            Self::Aliyun => aliyun::operations(),
        }
    }
}

/// One operation of a dialect, as documentation shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationDoc {
    /// The interface that it belongs to: `imageMogr2`, `image`, ...
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What its value may be.
    pub accepts: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// Whether it is served here; otherwise its name alone is known and answered with [`Kind::UnsupportedRule`].
    pub available: bool,
}

/// What a request's query says about processing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recognised {
    /// Nothing.
    None,
    /// There is a rule, good or bad.
    Rule {
        /// Whose language it is written in; also that of the answer.
        dialect: Dialect,
        /// What it means, normalised.
        plan: Result<Plan, Error>,
        /// The rule says `ignore-error/1`, and what is wrong in `plan`, if anything, is only a value out of its range:
        /// the answer is then the untouched original.
        original_on_error: bool,
        /// What stands in the rule and changes nothing, as the vendor would ignore it in silence: a sentence each.
        ignored: Vec<String>,
    },
}

/// What a dialect's parser found.
struct Parsed {
    plan: Result<Plan, Error>,
    original_on_error: bool,
    ignored: Ignored,
}

impl Parsed {
    fn wrong(error: Error) -> Self {
        Self { plan: Err(error), original_on_error: false, ignored: Ignored::default() }
    }
}

/// What a parser has passed over, a sentence each. Nothing is written where nothing is ignored.
#[derive(Debug, Default)]
struct Ignored(Vec<String>);

impl Ignored {
    /// Sentences of one rule; more help nobody.
    const MOST: usize = 16;

    fn note(&mut self, sentence: impl FnOnce() -> String) {
        if self.0.len() < Self::MOST {
            self.0.push(sentence());
        }
    }

    fn note_if(&mut self, idle: bool, sentence: &'static str) {
        if idle {
            self.note(|| sentence.to_owned());
        }
    }
}

/// Reads the rule out of a query: the text after `?`, undecoded. Only `enabled` dialects are looked for; styles that the
/// rule names are looked up in `styles`.
///
/// Every encoding that clients send gives the same plan: raw, percent-encoded once or twice, with `=` at the end, with
/// other parameters around it.
pub fn recognise(raw_query: &str, enabled: &[Dialect], styles: &Styles) -> Recognised {
    recognise_in(take_apart(raw_query).iter(), enabled, styles)
}

/// The same of a query that was taken apart.
fn recognise_in<'a>(
    pieces: impl Iterator<Item = &'a Piece<'a>> + Clone,
    enabled: &[Dialect],
    styles: &Styles,
) -> Recognised {
    let found =
        pieces.filter_map(|piece| Some((piece.rule.filter(|dialect| enabled.contains(dialect))?, &*piece.text)));
    let Some((dialect, _)) = found.clone().next() else { return Recognised::None };
    if found.clone().any(|(other, _)| other != dialect) {
        let message = "the query holds rules of two vendors; write one of them";
        let plan = Err(Error::new(Kind::BadRequest, message));
        return Recognised::Rule { dialect, plan, original_on_error: false, ignored: Vec::new() };
    }
    let texts: Vec<&str> = found.map(|(_, text)| text).collect();
    let parsed = match dialect {
        Dialect::Tencent => tencent::parse(&texts, styles),
        Dialect::Aliyun => aliyun::parse(&texts, styles),
    };
    rule(dialect, parsed)
}

fn rule(dialect: Dialect, parsed: Parsed) -> Recognised {
    let Parsed { plan, original_on_error, ignored: Ignored(ignored) } = parsed;
    Recognised::Rule { dialect, plan: plan.map(Plan::normalise), original_on_error, ignored }
}

/// Reads a rule as people write it on a command line: `imageMogr2/format/avif`, `image/resize,w_100`,
/// `x-oss-process=image/...`, a query with or without `?`, or a whole URL.
///
/// # Errors
/// [`Kind::BadRule`] or [`Kind::UnsupportedRule`], as [`recognise`]; [`Kind::BadRule`] if there is no rule at all.
pub fn parse_rule(text: &str) -> Result<(Dialect, Plan), Error> {
    let text = text.trim();
    let query = match text.split_once('?') {
        // Before the first `?` of a URL there is no rule; a stray one inside of a rule comes after a pipe.
        Some((before, query)) if !before.contains('|') => query,
        Some(_) | None => text,
    };
    let bare = ["image/", "style/", "sys/"].iter().any(|start| query.starts_with(start));
    let query = if bare { format!("{}{query}", aliyun::KEY_IS) } else { query.to_owned() };
    match recognise(&query, &Dialect::ALL, &Styles::default()) {
        Recognised::Rule { dialect, plan, .. } => plan.map(|plan| (dialect, plan)),
        Recognised::None => Err(Error::new(
            Kind::BadRule,
            "there is no rule in this text; it begins with imageMogr2/, imageView2/, imageInfo, image/ or x-oss-process=",
        )),
    }
}
