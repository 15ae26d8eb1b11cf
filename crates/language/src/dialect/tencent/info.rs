//! `imageInfo`, `imageAve` and `exif`: what is asked for, and how the answer is written. All values are JSON strings.

use std::str::Split;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::Draft;
use super::table::RuleRefusal;
use crate::plan;
use crate::plan::{Format, Target};

pub(super) fn image_info(draft: &mut Draft, words: &mut Split<'_, char>) -> Result<(), RuleRefusal> {
    ask(draft, words, plan::FactsAsked { average: true, exif: false, md5: true })
}

pub(super) fn image_ave(draft: &mut Draft, words: &mut Split<'_, char>) -> Result<(), RuleRefusal> {
    ask(draft, words, plan::FactsAsked { average: true, exif: false, md5: false })
}

pub(super) fn exif(draft: &mut Draft, words: &mut Split<'_, char>) -> Result<(), RuleRefusal> {
    ask(draft, words, plan::FactsAsked { average: false, exif: true, md5: false })
}

fn ask(draft: &mut Draft, words: &mut Split<'_, char>, facts: plan::FactsAsked) -> Result<(), RuleRefusal> {
    if words.next().is_some() {
        return Err(RuleRefusal::syntax("imageInfo, imageAve and exif take no parameters"));
    }
    draft.facts = Some(facts);
    // After another stage they are about its result, whose format no client's Accept decides: it is not what is sent.
    if !draft.steps.is_empty() || draft.output != plan::Output::default() {
        draft.output.facts = Some(facts);
        if draft.output.target == Target::Source {
            draft.output.target = Target::OnlyIfSource(Format::Gif);
        }
    }
    Ok(())
}

/// `imageInfo`, in the vendor's order of members.
#[derive(Serialize)]
struct Info {
    format: &'static str,
    width: String,
    height: String,
    size: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    photo_rgb: Option<String>,
    frame_count: String,
}

/// The JSON text for what was asked.
pub(in crate::dialect) fn body(asked: plan::FactsAsked, facts: &plan::Facts) -> String {
    let average = facts.average.map(|[r, g, b]| format!("0x{r:02x}{g:02x}{b:02x}"));
    if asked.exif {
        return exif_body(facts);
    }
    if !asked.md5 {
        return json!({ "RGB": average.unwrap_or_default() }).to_string();
    }
    let source = &facts.header.source;
    let info = Info {
        format: source.format.name(),
        width: source.width.to_string(),
        height: source.height.to_string(),
        size: facts.bytes.to_string(),
        md5: facts.md5.clone(),
        photo_rgb: average,
        frame_count: source.frames.max(1).to_string(),
    };
    // A struct of strings always serialises.
    serde_json::to_string(&info).unwrap_or_default()
}

fn exif_body(facts: &plan::Facts) -> String {
    if facts.exif.is_empty() {
        return json!({ "error": "no exif data" }).to_string();
    }
    let tags: Map<String, Value> =
        facts.exif.iter().map(|(name, value)| (name.clone(), json!({ "val": value }))).collect();
    Value::Object(tags).to_string()
}
