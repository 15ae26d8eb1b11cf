//! What entries take: their bytes, their names, and what the caches need to keep them. A client chooses the names, so they
//! count like the rest: an entry of nothing but a long name is as heavy as it is.

use super::entry::ErrorKey;
use super::entry::Remembered;
use super::{Known, ObjectId, Original, Tags, Variant, VariantKey};

/// What one entry takes beside its bytes and texts: its structs, its places in the lists and in the table of the cache, and
/// what the allocator loses. Measured with 100,000 entries: 540 to 700 bytes.
const OVERHEAD: usize = 640;

/// Room for originals is given out in pieces of so many bytes: what lies in the cache weighs whole ones, so that it never
/// takes more room than the cache has.
pub const GRAIN: u64 = 1 << 10;

/// A text in a list: its place there, its bytes, and what the allocator adds to so few of them.
fn text(text: &String) -> usize {
    size_of::<String>() + text.capacity() + 32
}

/// A weight as the cache counts: what is beyond its numbers is as heavy as can be.
fn sum(parts: impl IntoIterator<Item = usize>) -> u32 {
    let bytes = parts.into_iter().fold(OVERHEAD, usize::saturating_add);
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

fn object(object: &ObjectId) -> usize {
    object.key.len() + object.version_id.as_ref().map_or(0, |id| id.len())
}

fn key(key: &VariantKey) -> usize {
    object(&key.object) + key.plan.len()
}

pub(super) fn variant(name: &VariantKey, variant: &Variant) -> u32 {
    let facts = variant.meta.facts.as_ref().map_or(0, |facts| {
        let exif = facts.exif.iter().map(|(name, value)| text(name) + text(value));
        exif.sum::<usize>() + facts.md5.as_ref().map_or(0, text)
    });
    sum([key(name), variant.body.len(), variant.meta.etag.len(), tags(&variant.meta.tags), facts, VARIANT])
}

/// What an original takes besides: its table is another, and what is said of its header comes after it was weighed. Measured
/// with 20,000 entries: 330 bytes.
const ORIGINAL: usize = 448;

/// What a variant takes besides: it is the largest struct, with the most texts. Measured with 20,000 entries: 210 bytes.
const VARIANT: usize = 320;

/// Whole grains of bytes, because so much room they hold.
pub(super) fn original(name: &ObjectId, original: &Original) -> u64 {
    let bytes = (original.bytes.len() as u64).max(1).next_multiple_of(GRAIN);
    bytes.saturating_add(sum([object(name), known_texts(&original.known), ORIGINAL]).into())
}

pub(super) fn known(name: &ObjectId, known: &Known) -> u32 {
    sum([object(name), known_texts(known)])
}

fn known_texts(known: &Known) -> usize {
    known.etag.as_ref().map_or(0, |etag| etag.len()) + tags(&known.tags)
}

/// A list of numbers that is counted, and what the allocator adds.
fn tags(tags: &Tags) -> usize {
    match tags.numbers() {
        [] => 0,
        numbers => size_of_val(numbers) + 32,
    }
}

pub(super) fn error(question: &ErrorKey, error: &Remembered) -> u32 {
    let name = match question {
        ErrorKey::Object(name) => object(name),
        ErrorKey::Variant(name) => key(name),
    };
    sum([name, error.error.size(), ERROR])
}

/// What an error takes besides: its struct is larger than what is known of an object, and with it stands since when. Measured
/// with 100,000 entries: 740 bytes of [`OVERHEAD`] and this.
const ERROR: usize = 160;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::OnceLock;

    use super::*;
    use crate::cache::{Epoch, VariantMeta};
    use crate::clock::Timestamp;
    use crate::error::{Error, Kind};
    use crate::imaging::{Facts, Header, Times};
    use crate::plan::Format;
    use crate::plan::geometry::Source;

    /// Every text that a client or an origin chooses adds its length.
    #[test]
    fn texts_weigh_what_they_take() {
        let long = "x".repeat(10_000);
        let short = ObjectId { site: "s".into(), store: 0, key: "k".into(), version_id: None };
        let named = ObjectId { key: long.as_str().into(), ..short.clone() };
        let versioned = ObjectId { version_id: Some(long.as_str().into()), ..short.clone() };
        let plain =
            VariantKey { object: short.clone(), version: 0, plan: "p".into(), class: None, settings: 0, encoder: 0 };
        let planned = VariantKey { plan: long.as_str().into(), ..plain.clone() };
        let said = Error::new(Kind::NotFound, long.as_str());
        let brief = Error::new(Kind::NotFound, "");
        let remembered =
            |error: &Error| Remembered { error: error.clone(), since: Timestamp::now(), epoch: Epoch::default() };
        let about = |object: &ObjectId, message| error(&ErrorKey::Object(object.clone()), &remembered(message));
        let least = about(&short, &brief);
        for heavy in [
            about(&named, &brief),
            about(&versioned, &brief),
            about(&short, &said),
            error(&ErrorKey::Variant(planned.clone()), &remembered(&brief)),
        ] {
            assert!(heavy >= least + 9_990, "{heavy}");
        }
        assert!(key(&planned) >= key(&plain) + 9_990);
        let tagged = Tags::of("s", Some(&(0..100).map(|tag| format!("{tag} ")).collect::<String>()), None);
        assert!(tags(&tagged) >= 800 && tags(&Tags::default()) == 0);
        assert_eq!(sum([usize::MAX, usize::MAX]), u32::MAX);
    }

    fn header() -> Header {
        let source = Source { format: Format::Png, width: 1, height: 1, orientation: 1, frames: 1, alpha: false };
        Header { source, depth: 8, channels: 3, progressive: false, quality: None }
    }

    /// What entries of short names really take, beside what they weigh. A process's memory is everybody's in it, so this
    /// test runs itself once more, alone, and measures there.
    #[test]
    fn what_entries_take() {
        const ALONE: &str = "PICTOR_TEST_ALONE";
        if std::env::var_os(ALONE).is_none() {
            let this = std::thread::current().name().unwrap().to_owned();
            let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
            let output = alone.args(["--exact", &this, "--nocapture"]).env(ALONE, "1").output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success() && said.contains("weighed as"), "{said}");
            return;
        }
        let resident = || {
            let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
            pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
        };
        let named = |kind: &str, number: usize| ObjectId {
            site: "s".into(),
            store: 0,
            key: format!("{kind}/{number}.jpg").into(),
            version_id: None,
        };
        let config = crate::config::CacheConfig { memory: 4 << 30, originals: 4 << 30, ..Default::default() };
        let cache = super::super::Cache::new(&config);
        let weight = |tier: usize| cache.weights()[tier].1 as usize;
        let told = |what: &str, tier: usize, count: usize, keep: &dyn Fn(usize)| {
            let (before, weighed) = (resident(), weight(tier));
            (0..count).for_each(keep);
            let (weighs, takes) = ((weight(tier) - weighed) / count, resident().saturating_sub(before) / count);
            println!("{what}: {takes} bytes each, weighed as {weighs}");
            assert!(takes > 100 && takes <= weighs, "{what}");
        };
        let known = || Known {
            version: 1,
            etag: Some("\"0123456789abcdef\"".into()),
            last_modified: None,
            tags: Tags::default(),
            checked: Timestamp::now(),
            epoch: Epoch::default(),
        };
        told("known", 2, 100_000, &|number| cache.keep_known(named("known", number), known()));
        let error = Error::new(Kind::NotFound, "there is no such object");
        told("errors", 3, 100_000, &|number| {
            assert!(cache.keep_object_error(&named("errors", number), Epoch::default(), &error))
        });
        told("originals", 1, 20_000, &|number| {
            // As a fetch leaves them.
            let (bytes, _) = crate::origin::settle(vec![1; GRAIN as usize], ());
            let original = Original { bytes, digest: [0; 32], known: known(), header: OnceLock::new() };
            assert!(original.header.set(Err(Error::new(Kind::Corrupt, "x".repeat(200)))).is_ok());
            cache.keep_original(named("originals", number), original.into());
        });
        let variant = |body: usize, facts: Option<Facts>| Variant {
            body: vec![1; body].into(),
            meta: VariantMeta {
                format: None,
                width: 1,
                height: 1,
                facts,
                etag: "\"0123456789abcdef0123456789abcdef\"".into(),
                last_modified: None,
                made: Timestamp::now(),
                source_format: Format::Png,
                source_bytes: 1,
                times: Times::default(),
                provisional: None,
                tags: Tags::default(),
                epoch: Epoch::default(),
            },
        };
        let key = |kind: &str, number: usize| VariantKey {
            object: named(kind, number),
            version: 0,
            plan: format!("plan of {number}").into(),
            class: None,
            settings: 0,
            encoder: 0,
        };
        told("variants", 0, 20_000, &|number| {
            assert!(cache.keep_variant(key("variants", number), variant(1000, None).into()));
        });
        let facts = |number: usize| Facts {
            header: header(),
            bytes: 1,
            md5: Some("0123456789abcdef0123456789abcdef".into()),
            average: None,
            exif: (0..50).map(|tag| (format!("Tag{tag}"), (number % 10).to_string())).collect(),
        };
        told("variants of facts", 0, 5_000, &|number| {
            assert!(cache.keep_variant(key("facts", number), variant(0, Some(facts(number))).into()));
        });
    }
}
