//! `[engine.fonts]`: what text marks, and the text of drawings, are written with.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[engine.fonts]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FontsConfig {
    /// Files, and folders with all that is in them. Relative ones start from the configuration's folder.
    pub paths: Vec<PathBuf>,
    /// Families in the order in which they are tried: for a font that is not there, and for letters that a font has not.
    pub families: Vec<String>,
    /// Families that stand for the vendors' names of fonts and for those of drawings; besides, and before, those of
    /// [`FontsConfig::all_names`]. CSS's `serif`, `sans-serif`, `monospace`, `cursive` and `fantasy` are such names too.
    pub names: BTreeMap<String, String>,
}

impl Default for FontsConfig {
    fn default() -> Self {
        let families = [
            "WenQuanYi Zen Hei",
            "Noto Sans CJK SC",
            "Source Han Sans SC",
            "Droid Sans Fallback",
            "WenQuanYi Micro Hei",
            "DejaVu Sans",
            "Noto Sans",
            "Noto Sans Arabic",
            "Noto Sans Hebrew",
            "Noto Sans Thai",
            "Noto Sans Devanagari",
            "Liberation Sans",
        ];
        Self {
            paths: ["/usr/share/fonts", "/usr/local/share/fonts"].map(PathBuf::from).to_vec(),
            families: families.map(str::to_owned).to_vec(),
            names: BTreeMap::new(),
        }
    }
}

/// Free families in place of the vendors' fonts, of which many may not be given away. A name stands without its extension.
const NAMES: [(&str, &str); 18] = [
    ("wqy-zenhei", "WenQuanYi Zen Hei"),
    ("wqy-microhei", "WenQuanYi Micro Hei"),
    ("droidsansfallback", "Droid Sans Fallback"),
    ("fangzhengshusong", "Noto Serif CJK SC"),
    ("fangzhengkaiti", "AR PL UKai CN"),
    ("fangzhengheiti", "Noto Sans CJK SC"),
    ("fangzhengfangsong", "Noto Serif CJK SC"),
    ("simfang仿宋", "Noto Serif CJK SC"),
    ("simhei黑体", "Noto Sans CJK SC"),
    ("simkai楷体", "AR PL UKai CN"),
    ("simli隶书", "Noto Serif CJK SC"),
    ("simsun宋体", "Noto Serif CJK SC"),
    ("tahoma", "DejaVu Sans"),
    ("verdana", "DejaVu Sans"),
    ("arial", "Liberation Sans"),
    ("times", "Liberation Serif"),
    ("georgia", "DejaVu Serif"),
    ("cour", "Liberation Mono"),
];

/// Families for CSS's generic names, of which the first that is there is taken.
pub(super) const GENERIC: [(&str, &[&str]); 5] = [
    ("serif", &["Liberation Serif", "DejaVu Serif", "Noto Serif", "Nimbus Roman"]),
    ("sans-serif", &["Liberation Sans", "DejaVu Sans", "Noto Sans", "Nimbus Sans"]),
    ("monospace", &["Liberation Mono", "DejaVu Sans Mono", "Noto Sans Mono", "Nimbus Mono PS"]),
    ("cursive", &["Comic Neue", "Z003", "AR PL UKai CN"]),
    ("fantasy", &["Comic Neue", "Z003"]),
];

impl FontsConfig {
    /// The vendors' names, in lower case, with what stands for them.
    pub fn all_names(&self) -> BTreeMap<String, String> {
        let built_in = NAMES.iter().map(|(name, family)| ((*name).to_owned(), (*family).to_owned()));
        let given = self.names.iter().map(|(name, family)| (name.to_lowercase(), family.clone()));
        built_in.chain(given).collect()
    }
}
