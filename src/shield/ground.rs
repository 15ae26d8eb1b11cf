//! What an answer rests on: an object and its marks as they are known now.

use std::sync::Arc;
use std::time::Duration;

use super::{Question, Shield, marks};
use crate::cache::{Cache, Depth, Epoch, Known, ObjectId, Tags, Variant, VariantKey, VariantMeta};
use crate::clock::Timestamp;
use crate::error::Error;

/// What the answer to a question rests on.
pub(super) struct Ground<'a> {
    cache: &'a Cache,
    question: &'a Question,
    known: &'a Known,
    marks: &'a [Known],
    /// The answer's key.
    pub key: VariantKey,
}

impl<'a> Ground<'a> {
    /// Of a question about what is known; `marks` in the question's order.
    pub fn new(shield: &'a Shield, question: &'a Question, known: &'a Known, marks: &'a [Known]) -> Self {
        let Question { object, canonical, class, site, .. } = question;
        let key = VariantKey {
            object: object.clone(),
            version: marks::version(known, marks),
            plan: canonical.clone(),
            class: *class,
            settings: site.settings,
            encoder: shield.engine.encoder(),
        };
        Self { cache: &shield.cache, question, known, marks, key }
    }

    /// Whether no purge of this depth has meant any of it since, by the tags that it has now.
    pub fn stands(&self, depth: Depth, begun: Epoch) -> bool {
        let of = |object: &ObjectId, known: &Known| self.cache.epochs.stands(depth, object, &known.tags, begun);
        let marks = &mut self.question.marks.iter().zip(self.marks);
        of(&self.question.object, self.known) && marks.all(|(mark, known)| of(&mark.object, known))
    }

    /// The answer, where it is in memory and was not purged: neither by the tags that it was made with nor by those of now.
    pub fn variant(&self, now: Timestamp) -> Option<Arc<Variant>> {
        self.cache.variant(&self.key, now).filter(|variant| self.stands(Depth::Hard, variant.meta.epoch))
    }

    /// Whether a variant from outside of memory may be the answer.
    pub fn takes(&self, variant: &Variant, now: Timestamp) -> bool {
        let (VariantMeta { tags, epoch, .. }, epochs) = (&variant.meta, &self.cache.epochs);
        variant.meta.lasts(now)
            && epochs.is_possible(*epoch, now)
            && epochs.stands(Depth::Hard, &self.question.object, tags, *epoch)
            && self.stands(Depth::Hard, *epoch)
    }

    /// Likewise an error that is remembered as the answer.
    pub fn error(&self, now: Timestamp) -> Option<Error> {
        let kept = self.cache.variant_error(&self.key, now);
        kept.filter(|kept| self.stands(Depth::Hard, kept.epoch)).map(|kept| kept.error)
    }

    /// What all of it is tagged with.
    pub fn tags(&self) -> Tags {
        let site = &self.question.site.name;
        self.marks.iter().fold(self.known.tags.clone(), |all, mark| all.and(site, &mark.tags))
    }

    /// How long ago the origin was asked about the oldest of it.
    pub fn age(&self, now: Timestamp) -> Duration {
        let ages = self.marks.iter().chain([self.known]).map(|known| known.checked.age(now));
        ages.max().unwrap_or_default()
    }
}
