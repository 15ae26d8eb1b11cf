//! What makes results here, as one number that stands in their keys: another build, or another machine's fonts, may make
//! other bytes of the same picture.

use std::time::Duration;

use crate::digest::Fingerprint;
use crate::imaging::fonts::Chosen;
use crate::imaging::plugin::Ability;
use crate::imaging::{codecs, encode};

/// The number. The time that a conversion has is in it, because encoders choose their effort by it; how many threads there
/// are is not, because that changes with every conversion.
pub(super) fn encoder(plugin: Option<&Ability>, fonts: &Chosen, budget: Duration) -> u128 {
    let mut all = Fingerprint::of("encoder")
        .with("generation", encode::GENERATION.to_string())
        .with("budget", budget.as_millis().to_string())
        .with("fonts", json(fonts))
        .with("plugin", json(&plugin));
    for codec in codecs::all() {
        // A codec that is not there is not one whose version is empty.
        all = all.with(codec.name, codec.version.map_or_else(|| "-".to_owned(), |version| format!("+{version}")));
    }
    all.finish()
}

/// Structs of texts and numbers, which can always be written.
fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn everything_that_makes_results_changes_the_number() {
        let (fonts, second) = (Chosen::default(), Duration::from_secs(1));
        let named: Chosen = serde_json::from_str(r#"{"files":[],"families":["A"],"names":{}}"#).unwrap();
        let other: Chosen = serde_json::from_str(r#"{"files":["a.ttf"],"families":[],"names":{}}"#).unwrap();
        let plugin = Ability { name: "a 1".into(), ..Ability::default() };
        let newer = Ability { name: "a 2".into(), ..Ability::default() };
        let all = [
            encoder(None, &fonts, second),
            encoder(None, &named, second),
            encoder(None, &other, second),
            encoder(Some(&plugin), &fonts, second),
            encoder(Some(&newer), &fonts, second),
            encoder(None, &fonts, second * 2),
        ];
        assert_eq!(all.iter().collect::<std::collections::HashSet<_>>().len(), all.len());
        assert_eq!(encoder(None, &fonts, second), all[0]);
    }
}
