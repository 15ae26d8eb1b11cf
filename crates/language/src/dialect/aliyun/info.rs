//! `info`: a JSON object of `{"value": "<text>"}` members, sorted by name. `average-hue`: a colour as text.

use serde_json::{Map, Value, json};

use super::super::formats;
use super::Draft;
use super::args::Args;
use crate::error::{Error, Kind};
use crate::plan;

pub(super) fn parse(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    if !args.is_empty() {
        return Err(Error::new(Kind::BadRule, "image/info takes no values"));
    }
    draft.facts = Some(plan::FactsAsked { average: false, exif: true, md5: false });
    Ok(())
}

pub(super) fn average_hue(draft: &mut Draft, args: &Args<'_>) -> Result<(), Error> {
    if !args.is_empty() {
        return Err(Error::new(Kind::BadRule, "image/average-hue takes no values"));
    }
    draft.facts = Some(plan::FactsAsked { average: true, exif: false, md5: false });
    Ok(())
}

/// Media type and text. The vendor's average is that of the more colourful pixels, by a threshold that is not published; ours
/// is that of all.
pub(in crate::dialect) fn body(asked: plan::FactsAsked, facts: &plan::Facts) -> (&'static str, String) {
    if asked.average {
        let [r, g, b] = facts.average.unwrap_or_default();
        return ("text/plain", format!("0x{r:02x}{g:02x}{b:02x}"));
    }
    ("application/json", info(facts))
}

/// The JSON text. Sizes are the stored ones, not turned by the orientation.
fn info(facts: &plan::Facts) -> String {
    let source = &facts.header.source;
    let tags = facts.exif.iter().map(|(name, value)| (name.clone(), json!({ "value": value.trim_end() })));
    let mut members: Map<String, Value> = tags.collect();
    let own = [
        ("FileSize", facts.bytes.to_string()),
        ("Format", formats::told_by_aliyun(source.format).to_owned()),
        ("FrameCount", source.frames.max(1).to_string()),
        ("ImageHeight", source.height.to_string()),
        ("ImageWidth", source.width.to_string()),
    ];
    for (name, value) in own {
        members.insert(name.to_owned(), json!({ "value": value }));
    }
    // The number, whatever words the tag was rendered in.
    if let Some(orientation) = members.get_mut("Orientation") {
        *orientation = json!({ "value": source.orientation.to_string() });
    }
    // The map sorts its keys.
    Value::Object(members).to_string()
}
