//! Originals: from memory while they are fresh, revalidated when they are not, fetched once for all who wait.

use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::{Question, Shield};
use crate::cache::{Known, ObjectId, Original};
use crate::error::{Error, Kind};
use crate::origin::{self, Conditions, Meta};

/// The object, its generation, and the entity tag that the fetch is conditional on.
pub(super) type FetchKey = (ObjectId, u64, Option<Arc<str>>);

/// What a fetch brought.
#[derive(Debug, Clone)]
pub(super) enum Fetch {
    /// The origin says that the object is what it was.
    Unchanged(Known),
    /// The bytes.
    Whole(Arc<Original>),
}

impl Shield {
    /// The original as it is now. `without_bytes` tells of a version whether its bytes are not needed (because the
    /// variant is there already).
    ///
    /// # Errors
    /// What the origin answered; remembered for as long as its kind says.
    pub(super) async fn original(
        self: &Arc<Self>,
        question: &Question,
        generation: u64,
        without_bytes: impl Fn(&Known) -> bool,
    ) -> Result<Fetch, Error> {
        let object = &question.object;
        if let Some(error) = self.cache.object_error(object) {
            return Err(error);
        }
        let fresh = question.site.cache.fresh;
        let known = self.cache.known(object);
        let held =
            self.cache.original(object).filter(|held| known.as_ref().is_none_or(|k| k.version == held.known.version));
        let known = known.or_else(|| held.as_ref().map(|held| held.known.clone()));
        if let (Some(held), Some(known)) = (&held, &known)
            && known.checked.elapsed() < fresh
        {
            return Ok(Fetch::Whole(held.clone()));
        }
        let tag = known.filter(|known| held.is_some() || without_bytes(known)).and_then(|known| known.etag);
        let fetched = self.fetch(question, generation, tag).await;
        match fetched {
            Ok(Fetch::Unchanged(known)) => {
                if without_bytes(&known) {
                    return Ok(Fetch::Unchanged(known));
                }
                match self.cache.original(object).filter(|held| held.known.version == known.version) {
                    Some(held) => Ok(Fetch::Whole(held)),
                    // Evicted meanwhile.
                    None => self.fetch(question, generation, None).await,
                }
            }
            Ok(whole @ Fetch::Whole(_)) => Ok(whole),
            Err(error) => {
                self.cache.keep_object_error(object, generation, &error);
                Err(error)
            }
        }
    }

    async fn fetch(
        self: &Arc<Self>,
        question: &Question,
        generation: u64,
        tag: Option<Arc<str>>,
    ) -> Result<Fetch, Error> {
        let key = (question.object.clone(), generation, tag.clone());
        let (shield, question) = (self.clone(), question.clone());
        self.fetches
            .join(&self.runtime, key, || async move { shield.ask_origin(&question, generation, tag).await })
            .await
    }

    async fn ask_origin(&self, question: &Question, generation: u64, tag: Option<Arc<str>>) -> Result<Fetch, Error> {
        let started = Instant::now();
        let site = &question.site;
        let conditions = Conditions {
            if_none_match: tag.as_deref().map(str::to_owned),
            version: question.object.version_id.as_deref().map(str::to_owned),
            ..Conditions::default()
        };
        let fetched = {
            let limit = site.limits.source_bytes;
            origin::fetch_whole(&*site.origin, &question.key, &conditions, limit, site.origin.total_timeout()).await
        };
        self.metrics.fetched(&site.name, started.elapsed(), fetched.as_ref().err().map(|error| error.kind));
        match fetched? {
            origin::FetchedWhole::Unchanged => {
                let known = self.cache.known(&question.object).filter(|known| known.etag == tag);
                let Some(known) =
                    known.or_else(|| self.cache.original(&question.object).map(|held| held.known.clone()))
                else {
                    return Err(Error::new(
                        Kind::OriginFailed,
                        "the origin answered 304 to a request without a condition",
                    ));
                };
                let known = Known { checked: Instant::now(), generation, ..known };
                self.cache.keep_known(question.object.clone(), known.clone());
                Ok(Fetch::Unchanged(known))
            }
            origin::FetchedWhole::Object { meta, bytes } => {
                self.metrics.bytes_in(&site.name, bytes.len() as u64);
                let digest: [u8; 32] = Sha256::digest(&bytes).into();
                let known = Known {
                    version: version(&meta, &digest),
                    etag: meta.etag.as_deref().map(Arc::from),
                    last_modified: meta.last_modified,
                    checked: Instant::now(),
                    generation,
                };
                let original = Arc::new(Original { bytes, digest, known: known.clone() });
                self.cache.keep_known(question.object.clone(), known);
                self.cache.keep_original(question.object.clone(), original.clone());
                Ok(Fetch::Whole(original))
            }
        }
    }
}

/// Names a version by the strongest validator there is.
fn version(meta: &Meta, digest: &[u8; 32]) -> u128 {
    let hash: [u8; 32] = match (&meta.etag, meta.last_modified) {
        (Some(etag), _) => Sha256::digest(format!("etag {etag}")).into(),
        (None, Some(time)) => {
            let seconds = time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
            Sha256::digest(format!("time {seconds} {}", meta.length.unwrap_or(0))).into()
        }
        (None, None) => *digest,
    };
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    u128::from_be_bytes(first)
}
