//! Keys. Every part is a field of its own, so that no two different questions can run together into one text. They mean the
//! same in every process and on every node, and so do their bytes.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::bytes::{ByteReader, ByteWriter, Tag, Unreadable};
use crate::digest;
use crate::negotiate::Class;

/// An object of a site: what a purge names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectId {
    /// The site's name. Names are unique, so two sites (and hosts of two sites) never share an entry.
    pub site: Arc<str>,
    /// Digest of what tells the site's store, its bucket included, from every other: a site may be given another one.
    pub store: u128,
    /// The key, in the one spelling that its store has for it.
    pub key: Arc<str>,
    /// The version that the client asked for by id, if any.
    pub version_id: Option<Arc<str>>,
}

impl Hash for ObjectId {
    /// A process has one store for a site: it tells nothing apart, and hits need not hash it.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { site, store: _, key, version_id } = self;
        (site, key, version_id).hash(state);
    }
}

/// A variant: the answer to a plan on one version of an object for one class of clients, as one site wants it and one build
/// makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantKey {
    /// The object.
    pub object: ObjectId,
    /// Digest of its bytes (and of its marks').
    pub version: u128,
    /// The plan's canonical text. Holds neither signature nor token: those never reach a plan.
    pub plan: Arc<str>,
    /// The class of clients; `None` when the plan names its format.
    pub class: Option<Class>,
    /// Digest of all that the site decides about results and that no plan says.
    pub settings: u128,
    /// Digest of what makes results: the encoders' generation, codecs, fonts. Changed ones do not serve old bytes.
    pub encoder: u128,
}

impl Hash for VariantKey {
    /// Settings are one with the site and encoders one with the process; see [`ObjectId`].
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { object, version, plan, class, settings: _, encoder: _ } = self;
        (object, version, plan, class).hash(state);
    }
}

/// A variant's key in its second form; the first had a number of purges. Another form, or another meaning of a part, needs another tag.
const TAG: Tag = *b"PVK\x02";

impl VariantKey {
    /// As bytes, which are as different as keys are.
    pub fn to_bytes(&self) -> Vec<u8> {
        let Self { object: ObjectId { site, store, key, version_id }, version, plan, class, settings, encoder } = self;
        let mut bytes = ByteWriter::new(TAG);
        bytes.text(site);
        bytes.digest(*store);
        bytes.text(key);
        bytes.option(version_id.as_deref(), ByteWriter::text);
        bytes.digest(*version);
        bytes.text(plan);
        bytes.option(*class, |bytes, class| bytes.text(&class.name()));
        bytes.digest(*settings);
        bytes.digest(*encoder);
        bytes.finish()
    }

    /// From such bytes.
    ///
    /// # Errors
    /// For everything that [`Self::to_bytes`] never gives.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let mut bytes = ByteReader::new(TAG, bytes)?;
        let object = ObjectId {
            site: bytes.text()?.into(),
            store: bytes.digest()?,
            key: bytes.text()?.into(),
            version_id: bytes.option(|bytes| bytes.text().map(Arc::from))?,
        };
        let key = Self {
            object,
            version: bytes.digest()?,
            plan: bytes.text()?.into(),
            class: bytes.option(|bytes| Class::from_name(bytes.text()?).ok_or(Unreadable::Damaged))?,
            settings: bytes.digest()?,
            encoder: bytes.digest()?,
        };
        bytes.end()?;
        Ok(key)
    }

    /// 128 bits in place of the key: a name for files and for other nodes.
    pub fn digest(&self) -> u128 {
        digest::of_bytes(&self.to_bytes())
    }
}

#[cfg(test)]
#[path = "key_tests.rs"]
mod tests;
