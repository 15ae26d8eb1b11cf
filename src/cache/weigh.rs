//! What entries take: their bytes, their names, and what the caches need to keep them. A client chooses the names, so they
//! count like the rest: an entry of nothing but a long name is as heavy as it is.

use super::memory::Question;
use super::{Known, ObjectId, Original, Variant, VariantKey};
use crate::error::Error;

/// What one entry takes beside its bytes and texts: its structs, its places in the lists and in the table of the cache, and
/// what the allocator loses. Measured with 100,000 entries: 540 to 700 bytes.
const OVERHEAD: usize = 640;

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
    let facts = variant.facts.as_ref().map_or(0, |facts| {
        let exif = facts.exif.iter().map(|(name, value)| name.len() + value.len() + size_of::<(String, String)>());
        exif.sum::<usize>() + facts.md5.as_ref().map_or(0, String::len)
    });
    sum([key(name), variant.body.len(), variant.etag.len(), facts])
}

pub(super) fn original(name: &ObjectId, original: &Original) -> u32 {
    sum([object(name), original.bytes.len(), known_texts(&original.known)])
}

pub(super) fn known(name: &ObjectId, known: &Known) -> u32 {
    sum([object(name), known_texts(known)])
}

fn known_texts(known: &Known) -> usize {
    known.etag.as_ref().map_or(0, |etag| etag.len())
}

pub(super) fn error(question: &Question, error: &Error) -> u32 {
    let name = match question {
        Question::Object(name, _) => object(name),
        Question::Variant(name) => key(name),
    };
    sum([name, error.size()])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::error::Kind;

    /// Every text that a client or an origin chooses adds its length.
    #[test]
    fn texts_weigh_what_they_take() {
        let long = "x".repeat(10_000);
        let short = ObjectId { site: "s".into(), key: "k".into(), version_id: None };
        let named = ObjectId { key: long.as_str().into(), ..short.clone() };
        let versioned = ObjectId { version_id: Some(long.as_str().into()), ..short.clone() };
        let plain =
            VariantKey { object: short.clone(), version: 0, epoch: 0, plan: "p".into(), class: None, encoder: 0 };
        let planned = VariantKey { plan: long.as_str().into(), ..plain.clone() };
        let said = Error::new(Kind::NotFound, long.as_str());
        let brief = Error::new(Kind::NotFound, "");
        let about = |object: &ObjectId, message: &Error| error(&Question::Object(object.clone(), 0), message);
        let least = about(&short, &brief);
        for heavy in [
            about(&named, &brief),
            about(&versioned, &brief),
            about(&short, &said),
            error(&Question::Variant(planned.clone()), &brief),
        ] {
            assert!(heavy >= least + 9_990, "{heavy}");
        }
        assert!(key(&planned) >= key(&plain) + 9_990);
        assert_eq!(sum([usize::MAX, usize::MAX]), u32::MAX);
    }

    /// What entries of short names really take, beside what they weigh. A process's memory is everybody's in it, so this
    /// test runs itself once more, alone, and measures there.
    #[test]
    fn what_entries_take() {
        const ALONE: &str = "PICTOR_TEST_ALONE";
        const COUNT: usize = 100_000;
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
            key: format!("{kind}/{number}.jpg").into(),
            version_id: None,
        };
        let config = crate::config::CacheConfig { memory: 4 << 30, ..Default::default() };
        let cache = super::super::Cache::new(&config);
        let weight = |tier: usize| cache.weights()[tier].1 as usize;
        let told = |what: &str, tier: usize, keep: &dyn Fn(usize)| {
            let before = resident();
            (0..COUNT).for_each(keep);
            let (weighs, takes) = (weight(tier) / COUNT, resident().saturating_sub(before) / COUNT);
            println!("{what}: {takes} bytes each, weighed as {weighs}");
            assert!(takes > 100 && takes <= weighs, "{what}");
        };
        let known = || Known {
            version: 1,
            etag: Some("\"0123456789abcdef\"".into()),
            last_modified: None,
            checked: std::time::Instant::now(),
            generation: 0,
        };
        told("known", 2, &|number| cache.keep_known(named("known", number), known()));
        let error = Error::new(Kind::NotFound, "there is no such object");
        told("errors", 3, &|number| cache.keep_object_error(&named("errors", number), 0, &error));
    }
}
