//! The codecs of this build: which versions, where from, and whether one of them is known to be dangerous.
//!
//! Versions are those that the libraries themselves tell when they run, but for the two that cannot (libjpeg-turbo, jpegli)
//! and for crates, which are as the lock file has them.

use libheif_rs::CompressionFormat;
use serde::Deserialize;

use super::{encode, libheif};

/// One codec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedCodec {
    /// Its name, as advisories have it.
    pub name: &'static str,
    /// Its version; `None`: this build does without it.
    pub version: Option<String>,
    /// What it does here.
    pub does: &'static str,
    /// Where it was taken from.
    pub from: &'static str,
}

/// Every codec that is not Rust of this project or of its crates alone.
pub fn all() -> Vec<LinkedCodec> {
    let (aom, svt, webp, turbo) = encode::versions();
    let hevc = libheif::decoder(CompressionFormat::Hevc);
    let av1 = libheif::decoder(CompressionFormat::Av1);
    let heif = env!("PICTOR_LIBHEIF_FROM");
    let aom_from = if env!("LIB_AOM_STATIC_LIB_PATH_FROM").is_empty() {
        concat!("the crate libaom-sys ", env!("PICTOR_LIBAOM_SYS"))
    } else {
        env!("LIB_AOM_STATIC_LIB_PATH_FROM")
    };
    let codec = |name, version: Option<String>, does, from| LinkedCodec { name, version, does, from };
    vec![
        codec("libheif", Some(libheif::version()), "reads HEIF and AVIF, writes HEIF", heif),
        codec("libde265", hevc.as_deref().map(number), "decodes HEVC", heif),
        codec("dav1d", av1.filter(|name| name.starts_with("dav1d")).as_deref().map(number), "decodes AV1", heif),
        codec("x265", libheif::hevc_encoder().as_deref().map(number), "encodes HEVC", heif),
        codec("libaom", Some(number(&aom)), "encodes AV1", aom_from),
        codec("SVT-AV1", svt.as_deref().map(number), "encodes AV1", env!("PICTOR_SVT_AV1_FROM")),
        codec(
            "libwebp",
            Some(number(&webp)),
            "reads and writes WebP",
            concat!("the crate libwebp-sys ", env!("PICTOR_LIBWEBP_SYS")),
        ),
        codec(
            "libjpeg-turbo",
            Some(number(&turbo)),
            "reads JPEG",
            concat!("the crate turbojpeg-sys ", env!("PICTOR_TURBOJPEG_SYS")),
        ),
        codec(
            "jpegli",
            env!("PICTOR_JPEGLI_SYS").split_once('+').map(|(_, version)| version.to_owned()),
            "writes JPEG",
            concat!("the crate jpegli-sys ", env!("PICTOR_JPEGLI_SYS")),
        ),
    ]
}

/// The version in what a library calls itself: "libde265 HEVC decoder, version 1.1.3", "x265 HEVC encoder (4.3+1-e9b8812)".
/// The last word that begins like a number with a point in it; the whole text where there is none.
fn number(text: &str) -> String {
    let words = text.split([' ', '(', ')', ',']).map(|word| word.trim_start_matches('v'));
    let mut numbers = words.filter(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'));
    numbers.next_back().unwrap_or(text).to_owned()
}

/// The list of versions that are known to be dangerous.
const KNOWN_BAD: &str = include_str!("../../../conf/known-bad-codecs.toml");

/// `conf/known-bad-codecs.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    #[serde(rename = "flaw")]
    flaws: Vec<Flaw>,
}

/// Flaws that were closed in one version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flaw {
    /// The codec, as [`LinkedCodec::name`] has it.
    pub codec: String,
    /// The first version that has them; none: all before.
    #[serde(default)]
    pub since: Option<String>,
    /// The first version without them.
    pub fixed: String,
    /// Numbers of advisories.
    pub advisories: Vec<String>,
    /// What can happen here.
    pub what: String,
}

/// The flaws of a list that a version has.
fn flaws_of<'a>(list: &'a List, name: &'a str, version: &'a str) -> impl Iterator<Item = &'a Flaw> {
    let here = parts(version);
    list.flaws.iter().filter(move |flaw| {
        flaw.codec == name
            && here < parts(&flaw.fixed)
            && flaw.since.as_deref().is_none_or(|since| parts(since) <= here)
    })
}

/// Numbers of a version, up to the first that is none: `4.3+1-e9b8812` is 4, 3.
fn parts(version: &str) -> Vec<u64> {
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    let mut parts: Vec<u64> = version[..end].split('.').map_while(|part| part.parse().ok()).collect();
    // 1.23 is 1.23.0.
    while parts.last() == Some(&0) {
        parts.pop();
    }
    parts
}

/// What is known to be wrong with the codecs of this build, one sentence each.
///
/// # Errors
/// The list is not as it should be, which a test rules out.
pub fn warnings() -> Result<Vec<String>, String> {
    let list: List = toml::from_str(KNOWN_BAD).map_err(|error| format!("conf/known-bad-codecs.toml: {error}"))?;
    let known = all().iter().flat_map(|codec| warnings_of(&list, codec)).collect::<Vec<_>>();
    Ok(known.into_iter().chain(libheif::av1_problem().map(without_dav1d)).collect())
}

fn without_dav1d(why: &str) -> String {
    let instead = libheif::decoder(CompressionFormat::Av1);
    let instead = instead.map_or_else(|| "not decoded".to_owned(), |name| format!("decoded by {name}"));
    format!("AV1 is {instead} and not by dav1d as it is set up here: {why}")
}

fn warnings_of(list: &List, codec: &LinkedCodec) -> Vec<String> {
    let Some(version) = &codec.version else { return Vec::new() };
    let sentence = |flaw: &Flaw| {
        format!(
            "{} {version} ({}) has a known flaw: {} ({}); take {} or newer",
            codec.name,
            codec.from,
            flaw.what,
            flaw.advisories.join(", "),
            flaw.fixed
        )
    };
    flaws_of(list, codec.name, version).map(sentence).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn list() -> List {
        toml::from_str(KNOWN_BAD).unwrap()
    }

    #[test]
    fn every_codec_tells_its_version() {
        for codec in all() {
            let there = codec.version.as_deref().is_some_and(|version| !parts(version).is_empty());
            let may_miss = ["x265", "SVT-AV1"].contains(&codec.name) && codec.version.is_none();
            assert!(there || may_miss, "{codec:?}");
        }
    }

    #[test]
    fn av1_is_decoded_by_dav1d_whatever_libheif_brings() {
        let av1 = all().into_iter().find(|codec| codec.does == "decodes AV1").unwrap();
        assert_eq!(av1.name, "dav1d");
        assert!(parts(&av1.version.unwrap()) >= parts("1.4"));
    }

    #[test]
    fn the_list_is_as_it_should_be() {
        let names: Vec<_> = all().iter().map(|codec| codec.name).collect();
        for flaw in list().flaws {
            assert!(names.contains(&&*flaw.codec), "{flaw:?}");
            assert!(!flaw.advisories.is_empty() && !flaw.what.is_empty(), "{flaw:?}");
            assert!(!parts(&flaw.fixed).is_empty(), "{flaw:?}");
            assert!(flaw.since.as_deref().is_none_or(|since| parts(since) < parts(&flaw.fixed)), "{flaw:?}");
        }
    }

    #[test]
    fn what_is_bad_is_matched_and_what_is_not_is_not() {
        let list = list();
        let bad = |name, version| flaws_of(&list, name, version).count() > 0;
        for (name, version) in [
            ("libheif", "1.15.1"),
            ("libheif", "1.23.1"),
            ("libheif", "1.23.5"),
            ("libde265", "1.0.11"),
            ("libde265", "1.1.1"),
            ("libwebp", "1.3.1"),
            ("dav1d", "1.3.0"),
        ] {
            assert!(bad(name, version), "{name} {version}");
        }
        for (name, version) in [
            ("libheif", "1.23.6"),
            ("libheif", "1.24"),
            ("libheif", "2.0.0"),
            ("libde265", "1.1.3"),
            ("libwebp", "1.6.0"),
            ("dav1d", "1.5.3"),
            ("x265", "4.3+1-e9b8812"),
            ("nothing", "0.1"),
        ] {
            assert!(!bad(name, version), "{name} {version}");
        }
    }

    #[test]
    fn this_build_has_none() {
        assert_eq!(warnings().unwrap(), [""; 0]);
    }

    #[test]
    fn a_warning_names_what_where_and_what_to_do() {
        let codec = LinkedCodec { name: "libheif", version: Some("1.23.1".into()), does: "", from: "the system" };
        let said = warnings_of(&list(), &codec).join("\n");
        for part in ["libheif 1.23.1 (the system)", "GHSA-g89c-p67h-r497", "take 1.23.6 or newer"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(warnings_of(&list(), &LinkedCodec { version: None, ..codec }).is_empty());
    }

    #[test]
    fn versions_are_found_in_what_libraries_say() {
        for (text, want) in [
            ("libde265 HEVC decoder, version 1.1.3", "1.1.3"),
            ("x265 HEVC encoder (4.3+1-e9b8812)", "4.3+1-e9b8812"),
            ("dav1d 1.5.3", "1.5.3"),
            ("AOMedia Project AV1 Decoder v3.15.2", "3.15.2"),
            ("v4.1.0", "4.1.0"),
            ("unknown", "unknown"),
        ] {
            assert_eq!(number(text), want);
        }
        assert!(parts("1.9") < parts("1.10") && parts("1.23") == parts("1.23.0") && parts("unknown").is_empty());
    }
}
