//! The pictures that a plan's marks need: objects of the same bucket, fetched and kept as originals are. A variant with
//! marks belongs to one version of each of them.

use std::sync::Arc;

use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};

use super::fetch::{Fetch, OriginCheck};
use super::{CacheStatus, Failure, Forward, Question, Shield};
use crate::cache::{Known, ObjectId, Original};
use crate::clock::Timestamp;
use crate::digest::truncated;
use crate::error::{Error, Kind};
use crate::imaging::mark::of_mark;
use crate::origin::ObjectKey;
use crate::plan::Plan;
use crate::site::Site;

/// One of them.
#[derive(Debug, Clone)]
pub struct MarkObject {
    /// Its key at the origin.
    pub key: ObjectKey,
    /// Its name in the caches.
    pub object: ObjectId,
}

/// What a plan's marks need, in the order of [`Plan::mark_images`]. Nothing but a key of the site's own store comes of it,
/// whatever host a rule names.
///
/// # Errors
/// [`Kind::MarkNotFound`] for a host that is not the site's and for a key that no object can have.
pub fn objects(site: &Site, plan: &Plan) -> Result<Arc<[MarkObject]>, Error> {
    let one = |image: &crate::plan::MarkImage| {
        if let Some(host) = image.host.as_deref().filter(|host| !site.owns(host)) {
            let message = format!("the mark is of the host {host}; it must be an object of the same bucket");
            return Err(Error::new(Kind::MarkNotFound, message));
        }
        let key = ObjectKey::from_text(&image.object).and_then(|key| key.refuse_dot_segments().map(|()| key));
        let key = key.map_err(|error| Error::new(Kind::MarkNotFound, format!("the mark: {}", error.message)))?;
        let object = site.object(&key, None);
        Ok(MarkObject { key, object })
    };
    plan.mark_images().map(one).collect()
}

/// The version of a variant: the original's, and every mark's.
pub(super) fn version(known: &Known, marks: &[Known]) -> u128 {
    if marks.is_empty() {
        return known.version;
    }
    let mut digest = Sha256::new();
    for known in [known].into_iter().chain(marks) {
        digest.update(known.version.to_be_bytes());
    }
    truncated(&digest.finalize().into())
}

/// The digest under which the pool remembers what a job did to it. A mark that kills workers shall not put the picture
/// that it was to mark into quarantine.
pub(super) fn digest(original: &Original, marks: &[Arc<Original>]) -> [u8; 32] {
    if marks.is_empty() {
        return original.digest;
    }
    let mut digest = Sha256::new_with_prefix(original.digest);
    for mark in marks {
        digest.update(mark.digest);
    }
    digest.finalize().into()
}

impl Shield {
    /// What is known of a question's marks, if all are known and fresh.
    pub(super) fn known_marks(&self, question: &Question, now: Timestamp) -> Option<Vec<Known>> {
        let mut marks = Vec::with_capacity(question.marks.len());
        for mark in question.marks.iter() {
            let known = self.cache.known(&mark.object)?;
            marks.push(Some(known).filter(|known| known.is_fresh(question.site.cache.fresh, now))?);
        }
        Some(marks)
    }

    /// The marks as they are now, with their bytes, and what was said of them all.
    ///
    /// # Errors
    /// [`Kind::MarkNotFound`], [`Kind::MarkUnusable`], or what the origin answered otherwise.
    pub(super) async fn marks(
        self: &Arc<Self>,
        question: &Question,
    ) -> Result<(Vec<Arc<Original>>, OriginCheck), Failure> {
        let marks = try_join_all(question.marks.iter().map(|mark| self.mark(question, mark))).await?;
        let said = marks.iter().fold(OriginCheck::default(), |all, (_, said)| all.and(*said));
        Ok((marks.into_iter().map(|(mark, _)| mark).collect(), said))
    }

    async fn mark(
        self: &Arc<Self>,
        question: &Question,
        mark: &MarkObject,
    ) -> Result<(Arc<Original>, OriginCheck), Failure> {
        let MarkObject { key, object } = mark.clone();
        let alone = Question { key, object, marks: Arc::default(), ..question.clone() };
        match self.original(&alone, |_| false).await {
            Ok((Fetch::Whole(original), said)) => Ok((original, said)),
            Ok((Fetch::Unchanged(_), _)) => Err(Error::new(Kind::Internal, "a mark without bytes").into()),
            Err(Failure { error, status }) => Err(Failure { error: said_of_mark(error), status: of_answer(status) }),
        }
    }
}

fn said_of_mark(error: Error) -> Error {
    match error.kind {
        Kind::NotFound | Kind::Forbidden | Kind::BadRequest => {
            Error::new(Kind::MarkNotFound, "the object that the mark names does not exist or cannot be read")
        }
        Kind::SourceBytes => Error::new(Kind::MarkUnusable, format!("the mark: {}", error.message)),
        _ => of_mark(error),
    }
}

/// What is remembered of a mark is remembered of its object: the answer itself is not stored.
fn of_answer(status: CacheStatus) -> CacheStatus {
    match status {
        CacheStatus::Forward(how) => CacheStatus::Forward(Forward { stored: false, ..how }),
        other => other,
    }
}
