//! Tencent CI. The rule is a query key with an empty value: stages joined by `|`, each with its own interface name.

mod crop;
mod effect;
mod encode;
mod errors;
mod info;
mod mark;
mod mark_text;
mod mogr;
mod size;
mod table;
mod thumbnail;
mod view;
mod write;

use std::borrow::Cow;

pub(super) use errors::{code, number};
pub(super) use info::body;
pub(super) use write::write;

pub(super) use self::table::NOT_UNDERSTOOD;
use self::table::RuleRefusal;
use super::number::short;
use super::{Dialect, Ignored, OperationDoc, Parsed, Styles, wire};
use crate::plan::{Answer, FactsAsked, Format, Output, Plan, Step, Target};

/// Stages of one rule (limits page, since 2022).
const MAX_STAGES: usize = 10;

/// What the stages add up to.
#[derive(Default)]
struct Draft {
    steps: Vec<Step>,
    output: Output,
    facts: Option<FactsAsked>,
    original_on_error: bool,
    ignored: Ignored,
}

/// One interface: the first word of a stage.
struct Module {
    name: &'static str,
    doc: &'static str,
    /// Takes the words after the name; `None`: known by name only.
    parse: Option<fn(&mut Draft, &mut std::str::Split<'_, char>) -> Result<(), RuleRefusal>>,
}

const MODULES: [Module; 8] = [
    Module { name: mogr::NAME, doc: "basic processing: size, cut, turn, encode", parse: Some(mogr::parse) },
    Module { name: view::NAME, doc: "quick thumbnails by mode", parse: Some(view::parse) },
    Module { name: "imageInfo", doc: "format, size, MD5 and average colour", parse: Some(info::image_info) },
    Module { name: "imageAve", doc: "the average colour", parse: Some(info::image_ave) },
    Module { name: "exif", doc: "the EXIF tags", parse: Some(info::exif) },
    Module { name: mark::NAME, doc: "marks: a picture or text", parse: Some(mark::parse) },
    Module { name: "imageSlim", doc: "fewer bytes of the same format that look the same", parse: Some(slim) },
    Module { name: "style", doc: "a named rule of the site", parse: Some(style) },
];

/// Names have been replaced by what they stand for before; what is left has none, or stands within a style.
fn style(_: &mut Draft, _: &mut std::str::Split<'_, char>) -> Result<(), RuleRefusal> {
    Err(RuleRefusal::syntax(
        "style/ must be followed by the name of a style; the rule of a style cannot use style/ itself",
    ))
}

/// The format stays the source's, whatever the client reads. A size limit beside it does not count.
fn slim(draft: &mut Draft, words: &mut std::str::Split<'_, char>) -> Result<(), RuleRefusal> {
    if words.next().is_some() {
        return Err(RuleRefusal::syntax("imageSlim takes no parameters"));
    }
    if matches!(draft.output.target, Target::Source) {
        draft.output.target = Target::OnlyIfSource(Format::Gif);
    }
    draft.ignored.note_if(draft.output.size_limit.take().is_some(), "size-limit does nothing beside imageSlim");
    draft.output.slim = true;
    Ok(())
}

/// A parameter of another family, for AI and documents; only its `originImage` means the plain object.
const CI_PROCESS: &str = "ci-process=";

/// Whether a decoded piece of a query is a rule of this dialect.
pub(super) fn claims(text: &str) -> bool {
    if let Some(process) = text.strip_prefix(CI_PROCESS) {
        return process != "originImage";
    }
    MODULES.iter().any(|module| match text.strip_prefix(module.name) {
        // Words too common to be claimed without the slash that they always have.
        Some(rest) if matches!(module.name, "watermark" | "style") => rest.starts_with('/'),
        Some(rest) => rest.is_empty() || rest.starts_with(['/', '|', '=']),
        None => false,
    })
}

/// Reads the rule pieces of a query, which run one after the other.
pub(super) fn parse<'a>(pieces: &[&'a str], styles: &Styles) -> Parsed {
    // Padding and SDKs' empty values; base64 is read without padding anyway.
    let bare = |piece: &&'a str| piece.trim_end_matches('=');
    let rule = match pieces {
        [piece] => Cow::Borrowed(bare(piece)),
        several => Cow::Owned(several.iter().map(bare).collect::<Vec<_>>().join("|")),
    };
    let rule = match styles.expand(&rule, Dialect::Tencent) {
        Ok(rule) => rule,
        Err(error) => return Parsed::wrong(error),
    };
    match draft(&rule) {
        Ok(draft) => {
            let answer = match draft.facts {
                Some(facts) if draft.output.facts.is_none() => Answer::Facts(facts),
                Some(_) | None => Answer::Image(draft.output),
            };
            let original_on_error = draft.original_on_error;
            let plan = Ok(Plan { steps: draft.steps, answer, original_on_error });
            Parsed { plan, original_on_error, ignored: draft.ignored }
        }
        Err(refusal) => {
            let original_on_error = refusal.in_range_of_ignore_error() && asks_for_original(&rule);
            Parsed { original_on_error, ..Parsed::wrong(refusal.into()) }
        }
    }
}

fn draft(rule: &str) -> Result<Draft, RuleRefusal> {
    if !wire::is_plain(rule) {
        return Err(RuleRefusal::syntax("the rule holds a blank, a control character or a byte that is not ASCII"));
    }
    if let Some(process) = rule.strip_prefix(CI_PROCESS) {
        return Err(RuleRefusal::unsupported(format!("ci-process={} is not served here", short(process))));
    }
    let stages = rule.split('|').count();
    if stages > MAX_STAGES {
        let message = format!("the rule has {stages} stages; it may have at most {MAX_STAGES}");
        return Err(RuleRefusal::range(message));
    }
    let mut draft = Draft::default();
    for stage in rule.split('|') {
        if draft.facts.is_some() {
            return Err(RuleRefusal::syntax("imageInfo, imageAve and exif must be the last stage of a rule"));
        }
        // Mini programs write `|?watermark/...`.
        let stage = stage.strip_prefix('?').unwrap_or(stage);
        let stage = stage.strip_suffix('/').unwrap_or(stage);
        let mut words = stage.split('/');
        let name = words.next().unwrap_or_default();
        let module = MODULES.iter().find(|module| module.name == name).ok_or_else(|| {
            RuleRefusal::syntax(format!(
                "`{}` is not an interface; every stage begins with one, after `|` too",
                short(name)
            ))
        })?;
        let Some(parse) = module.parse else {
            return Err(RuleRefusal::unsupported(format!("{name} ({}) is not available here yet", module.doc)));
        };
        parse(&mut draft, &mut words)?;
    }
    Ok(draft)
}

/// Whether `ignore-error/1` stands anywhere in a rule that may not parse.
fn asks_for_original(rule: &str) -> bool {
    rule.split('|').any(|stage| {
        let mut words = stage.split('/');
        let mut asked = false;
        while let Some(word) = words.next() {
            if word == encode::IGNORE_ERROR {
                asked = words.next() == Some("1");
            }
        }
        asked
    })
}

/// Every operation, for documentation.
pub(super) fn operations() -> Vec<OperationDoc> {
    let modules = MODULES.iter().map(|module| OperationDoc {
        module: module.name,
        name: module.name,
        accepts: "",
        doc: module.doc,
        available: module.parse.is_some(),
    });
    modules.chain(mogr::operations()).chain(view::operations()).chain(mark::operations()).collect()
}
