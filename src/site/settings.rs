//! What a site decides about its results, as one number that stands in their keys.

use crate::digest::Fingerprint;
use crate::imaging::Policy;
use crate::plan::{Format, Limits};

/// The number. It holds all that makes other results of the same plan, version and class; what changes only who may ask, or
/// which plan a request means, is not in it. A limit that refuses changes a result too.
pub(super) fn settings(policy: &Policy, limits: &Limits, offered: &[Format], advanced_compression: bool) -> u128 {
    // All by name, so that whoever adds a field has to decide here.
    let Policy { metadata, gamut, resample, auto_quality, near_lossless, ordinary_webp, jxl, svg } = policy;
    let Limits { source_bytes, source_side, source_pixels, output_side, advanced_side, output_pixels, frames, inputs } =
        limits;
    // Formats by name: their places in lists are a build's own.
    let names = |formats: &mut dyn Iterator<Item = Format>| formats.map(Format::name).collect::<Vec<_>>().join(" ");
    Fingerprint::of("settings")
        .with("metadata", format!("{metadata:?}"))
        .with("gamut", format!("{gamut:?}"))
        .with("resample", format!("{resample:?}"))
        .with("auto_quality", auto_quality.to_string())
        .with("near_lossless", near_lossless.to_string())
        .with("ordinary_webp", ordinary_webp.to_string())
        .with("jxl", jxl.to_string())
        .with("svg", svg.to_string())
        .with("source_bytes", source_bytes.to_string())
        .with("source_side", source_side.to_string())
        .with("source_pixels", source_pixels.to_string())
        .with("output_side", output_side.to_string())
        .with("advanced_side", advanced_side.to_string())
        .with("output_pixels", output_pixels.to_string())
        .with("frames", frames.to_string())
        .with("inputs", names(&mut Format::ALL.into_iter().filter(|format| inputs.has(*format))))
        .with("offered", names(&mut offered.iter().copied()))
        .with("advanced_compression", advanced_compression.to_string())
        .finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    /// The value with each of its fields changed in turn, as its serialised form has them: a new field is tried by itself.
    fn each_field<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> Vec<T> {
        let whole = serde_json::to_value(value).unwrap();
        let fields = whole.as_object().unwrap();
        let words = ["nothing", "copyright", "exif", "srgb", "p3", "gamma", "linear"];
        let changed = |name: &String, to: Value| {
            let mut whole = whole.clone();
            whole[name] = to;
            serde_json::from_value(whole).ok().filter(|changed: &T| changed != value)
        };
        let one = |(name, was): (&String, &Value)| {
            let tries: Vec<Value> = match was {
                Value::Bool(was) => vec![(!was).into()],
                Value::Number(was) => vec![(was.as_u64().unwrap() ^ 1).into()],
                _ => words.map(Value::from).to_vec(),
            };
            let found = tries.into_iter().find_map(|to| changed(name, to));
            found.unwrap_or_else(|| panic!("no other value of {name} was found"))
        };
        fields.iter().map(one).collect()
    }

    #[test]
    fn every_setting_changes_the_number() {
        let (policy, limits) = (Policy::default(), Limits::default());
        let of = |policy: &Policy, limits: &Limits| settings(policy, limits, &[], false);
        let (policies, bounds) = (each_field(&policy), each_field(&limits));
        assert!(policies.len() >= 8 && bounds.len() >= 8);
        let mut all = vec![
            of(&policy, &limits),
            settings(&policy, &limits, &[Format::Avif], false),
            settings(&policy, &limits, &[Format::Avif, Format::WebP], false),
            settings(&policy, &limits, &[Format::WebP, Format::Avif], false),
            settings(&policy, &limits, &[], true),
        ];
        all.extend(policies.iter().map(|policy| of(policy, &limits)));
        all.extend(bounds.iter().map(|limits| of(&policy, limits)));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len());
        assert_eq!(of(&Policy::default(), &Limits::default()), all[0]);
    }
}
