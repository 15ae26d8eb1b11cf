//! One question from the original to the finished variant: the job that a flight runs.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::fetch::{Fetch, OriginCheck};
use super::ground::Ground;
use super::marks::digest;
use super::terms::{pace, terms};
use super::tiers::Behind;
use super::{Failure, Landed, Made, Question, Shield, header};
use crate::billing::Tier;
use crate::cache::{Depth, Epoch, Known, Original, Tags, Variant, VariantMeta};
use crate::clock::Timestamp;
use crate::engine::{Conversion, Converted, Tenant};
use crate::error::{Error, Kind};
use crate::imaging::{Header, Outcome, Preparation, Prepared, check_plan, prepare};
use crate::plan::Format;
use crate::telemetry::ConversionNumbers;

/// Who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// Somebody waits: what is there will do, and much to do is a reason to hurry.
    Asked,
    /// Nobody waits: what is there was hurried, and is to be replaced by something that was not.
    Again,
}

impl Care {
    /// Whether what is there will do.
    fn takes(self, variant: &Variant) -> bool {
        self == Self::Asked || variant.meta.provisional.is_none()
    }
}

/// Runs the whole way. Fills the caches itself: a caller's leaving never loses a result.
pub(super) async fn produce(shield: Arc<Shield>, question: Question, care: Care) -> Landed {
    // Before anything is looked at: what comes of it is nothing to who asks after a purge that comes from here on.
    let begun = shield.cache.epochs.now();
    let _place = shield.permits.flight(question.canonical.len() + question.object.key.len())?;
    let (marks, of_marks) = match shield.marks(&question).await {
        Ok(marks) => marks,
        Err(mut refused) => {
            // What is wrong with the original itself is said before what is wrong with the mark; that the mark could not be
            // had says nothing of either, and is no reason to ask for more.
            if matches!(refused.error.kind, Kind::MarkNotFound | Kind::MarkUnusable) {
                let (_, said) = shield.original(&question, |_| true).await?;
                refused.status = said.before(refused.status);
            }
            return Err(refused);
        }
    };
    let known_marks: Vec<Known> = marks.iter().map(|mark| mark.known.clone()).collect();
    let now = || shield.cache.clock.now();
    let found = |known: &Known| {
        let variant = Ground::new(&shield, &question, known, &known_marks).variant(now());
        variant.filter(|variant| care.takes(variant))
    };
    let there = |known: &Known| found(known).is_some();
    let made = |variant, status, said: OriginCheck| Made { variant, status, checked: said.checked.unwrap_or_else(now) };
    let after_marks = |refused: Failure| Failure { status: of_marks.before(refused.status), ..refused };
    let (fetched, said) = shield.original(&question, there).await.map_err(after_marks)?;
    let mut said = said.and(of_marks);
    let original = match fetched {
        Fetch::Unchanged(known) => match found(&known) {
            Some(variant) => return Ok(made(variant, said.found(), said)),
            // Evicted between two looks: rare enough to ask again for everything.
            None => match shield.original(&question, |_| false).await? {
                (Fetch::Whole(original), again) => {
                    said = said.and(again);
                    original
                }
                (Fetch::Unchanged(_), _) => {
                    return Err(Error::new(Kind::Internal, "an original without bytes").into());
                }
            },
        },
        Fetch::Whole(original) => original,
    };
    let ground = Ground::new(&shield, &question, &original.known, &known_marks);
    // The object may have been revalidated by another flight while this one was on its way, or was fetched anew and is
    // what it was.
    if let Some(variant) = found(&original.known) {
        return Ok(made(variant, said.found(), said));
    }
    if let Some(error) = ground.error(now()) {
        return Err(Failure { error, status: said.found() });
    }
    if care == Care::Asked
        && let Some(Behind { variant, tier, stored }) = shield.behind(&ground).await
    {
        return Ok(made(variant, said.found_in(tier, stored), said));
    }
    match convert(&shield, &question, &original, &marks).await {
        Ok(mut variant) => {
            (variant.meta.tags, variant.meta.epoch, variant.meta.made) = (ground.tags(), begun, now());
            let variant = Arc::new(variant);
            // A write that came meanwhile has outdated this: those who waited get it, nobody after them does.
            let current = ground.stands(Depth::Soft, begun);
            // What was hurried once more is no better than what is there.
            let better = current && care.takes(&variant);
            if better {
                shield.keep_behind(&ground.key, &variant);
            }
            let stored = better && shield.cache.keep_variant(ground.key, variant.clone());
            if stored && variant.meta.provisional.is_some() {
                shield.later.add(question.clone());
            }
            Ok(made(variant, said.worked(stored), said))
        }
        Err(error) => {
            let stored = care == Care::Asked && shield.cache.keep_variant_error(ground.key, begun, &error);
            Err(Failure { error, status: said.worked(stored) })
        }
    }
}

/// Reads the headers, prepares, converts.
async fn convert(
    shield: &Shield,
    question: &Question,
    original: &Original,
    marks: &[Arc<Original>],
) -> Result<Variant, Error> {
    let site = &question.site;
    // Nobody reads a header, or asks a worker for it, for what is refused whatever it says.
    check_plan(&question.plan, site.advanced_compression)?;
    let deadline = Instant::now() + shield.deadline;
    let header = header::of(shield, question, original, deadline).await?;
    let of_marks = header::of_marks(site, marks).await;
    let prepared = prepare(Preparation {
        plan: &question.plan,
        class: question.class.unwrap_or_default(),
        header: &header,
        source: Some(&original.bytes),
        marks: of_marks.as_deref().map_err(Clone::clone),
        terms: terms(shield, site),
        pace: pace(shield),
    })?;
    let Prepared { job, cost, expected, .. } = prepared;
    let formats = of_marks.iter().flatten().chain([&header]).map(|header| header.source.format);
    let conversion = Conversion {
        source: original.bytes.clone(),
        marks: marks.iter().map(|mark| mark.bytes.clone()).collect(),
        digest: digest(original, marks),
        expected,
        tenant: Tenant::new(site.name.clone(), formats),
        job,
        cost,
        deadline,
        urgency: question.urgency,
    };
    shield.results.check()?;
    let mut converted = shield.engine.convert(conversion).await?;
    shield.metrics.converted(&site.name, &numbers(&converted, &header, original.bytes.len() as u64));
    converted.bytes = match shield.results.hold(converted.bytes.clone()) {
        Err(_) => {
            // What the cache has let go may still be there.
            shield.cache.settle();
            shield.results.hold(converted.bytes)?
        }
        Ok(held) => held,
    };
    let provisional = converted.hurried.then_some(shield.cache.hurried);
    let tag = tag(&converted).await?;
    let mut variant = variant(converted, tag, original, header.source.format);
    variant.meta.provisional = provisional;
    // The result is as new as the newest of what it was made of.
    let newest =
        |time: Option<SystemTime>, mark: &Arc<Original>| time.zip(mark.known.last_modified).map(|(a, b)| a.max(b));
    variant.meta.last_modified = marks.iter().fold(variant.meta.last_modified, newest);
    Ok(variant)
}

/// What is counted of a conversion.
fn numbers(converted: &Converted, header: &Header, source_bytes: u64) -> ConversionNumbers<'static> {
    let Outcome { format, width, height, times, .. } = &converted.outcome;
    let stages = [("decode", times.decode), ("transform", times.transform), ("encode", times.encode)];
    ConversionNumbers {
        tier: Tier::of(*format, *width, *height),
        source: header.source.format.name(),
        source_bytes,
        queued: converted.queued,
        stages: stages.map(|(stage, micros)| (stage, Duration::from_micros(micros))),
    }
}

/// The tag of a result. That of many bytes is made on a thread that may be held up.
async fn tag(converted: &Converted) -> Result<String, Error> {
    match &converted.outcome.facts {
        Some(facts) => Ok(entity_tag(serde_json::to_string(facts).unwrap_or_default().as_bytes())),
        None if converted.bytes.len() <= header::LARGE => Ok(entity_tag(&converted.bytes)),
        None => {
            let bytes = converted.bytes.clone();
            let made = tokio::task::spawn_blocking(move || entity_tag(&bytes)).await;
            made.map_err(|_| Error::new(Kind::Internal, "the result's tag was not made"))
        }
    }
}

fn variant(converted: Converted, etag: String, original: &Original, source_format: Format) -> Variant {
    let Converted { bytes, outcome, .. } = converted;
    Variant {
        body: if outcome.format.is_some() { bytes } else { Bytes::new() },
        meta: VariantMeta {
            format: outcome.format,
            width: outcome.width,
            height: outcome.height,
            facts: outcome.facts,
            etag: etag.into(),
            last_modified: original.known.last_modified,
            made: Timestamp::at(Duration::ZERO),
            source_format,
            source_bytes: original.bytes.len() as u64,
            times: outcome.times,
            provisional: None,
            tags: Tags::default(),
            epoch: Epoch::default(),
        },
    }
}

/// A strong entity tag of the bytes themselves: 128 bits of their SHA-256, quoted.
pub fn entity_tag(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    format!("\"{}\"", hex::encode(&hash[..16]))
}
