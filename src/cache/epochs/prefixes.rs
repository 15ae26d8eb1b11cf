//! The latest purges of prefixes.

use std::sync::Arc;

use super::super::{Depth, ObjectId};
use super::Epoch;

/// So many are remembered by their prefixes. Each costs a comparison for what is older than a purge of its site's prefixes.
pub(super) const MOST: usize = 64;

/// The list, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Prefixes(Vec<Purged>);

/// A purge of a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Purged {
    pub site: Arc<str>,
    pub prefix: Arc<str>,
    /// The last one, and the last hard one.
    pub any: Epoch,
    pub hard: Epoch,
}

impl Prefixes {
    /// Whether what is begun then, of this object, was meant by one of them since.
    pub fn mean(&self, depth: Depth, object: &ObjectId, begun: Epoch) -> bool {
        self.0.iter().any(|purged| {
            let number = match depth {
                Depth::Soft => purged.any,
                Depth::Hard => purged.hard,
            };
            number > begun && *purged.site == *object.site && object.key.starts_with(&*purged.prefix)
        })
    }

    /// Adds a purge that is later than all of them, and gives what has left the list for it and is still to be remembered.
    #[must_use]
    pub fn add(&mut self, site: &Arc<str>, prefix: &Arc<str>, depth: Depth, number: Epoch) -> Vec<Purged> {
        let hard = if depth == Depth::Hard { number } else { Epoch::default() };
        // It means all that these mean.
        self.0.retain(|old| !(*old.site == **site && old.prefix.starts_with(&**prefix) && old.hard <= hard));
        self.0.push(Purged { site: site.clone(), prefix: prefix.clone(), any: number, hard });
        self.fold()
    }

    /// Adds purges of another list, of whatever age.
    #[must_use]
    pub fn join(&mut self, others: Vec<Purged>) -> Vec<Purged> {
        for other in others {
            match self.0.iter_mut().find(|own| (&own.site, &own.prefix) == (&other.site, &other.prefix)) {
                Some(own) => (own.any, own.hard) = (own.any.max(other.any), own.hard.max(other.hard)),
                None => self.0.push(other),
            }
        }
        self.0.sort_by_key(|purged| purged.any);
        self.fold()
    }

    fn fold(&mut self) -> Vec<Purged> {
        self.0.drain(..self.0.len().saturating_sub(MOST)).collect()
    }

    pub fn list(&self) -> &[Purged] {
        &self.0
    }
}
