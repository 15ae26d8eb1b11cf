//! A variant whole as bytes, with its key and a checksum, for tiers that outlive the process.

use bytes::Bytes;

use super::bytes::{ByteReader, ByteWriter, Tag, Unreadable};
use super::{Tags, Variant, VariantKey, VariantMeta};
use crate::clock::Timestamp;
use crate::digest;

/// A variant as it is kept. Whoever keeps it may ask a [`super::Scope`] by its key and its tags whether it is meant.
#[derive(Debug, Clone)]
pub struct SealedVariant {
    /// Its name.
    pub key: VariantKey,
    /// What it was tagged with when it was made.
    pub tags: Tags,
    /// What is to be given back, whole.
    pub bytes: Bytes,
}

/// The first form: a checksum of what follows; the key and what is said of the variant, each with its length; the body.
const FORM: Tag = *b"PVE\x01";
/// The form and the checksum.
const HEAD: usize = FORM.len() + size_of::<u128>();

impl SealedVariant {
    /// Of a variant. Reads all of its bytes: long ones are for a thread that may be held up. `None` as for
    /// [`VariantMeta::to_bytes`].
    pub fn seal(key: VariantKey, variant: &Variant) -> Option<Self> {
        let mut bytes = ByteWriter::new(FORM);
        bytes.digest(0);
        bytes.bytes(&key.to_bytes());
        bytes.bytes(&variant.meta.to_bytes()?);
        bytes.raw(&variant.body);
        let mut bytes = bytes.finish();
        let (head, rest) = bytes.split_at_mut(HEAD);
        head[FORM.len()..].copy_from_slice(&digest::of_bytes(rest).to_be_bytes());
        Some(Self { key, tags: variant.meta.tags.clone(), bytes: bytes.into() })
    }

    /// What a tier has given for a key, now. Reads all of it.
    ///
    /// # Errors
    /// For what is of another form, damaged, or another key's.
    pub fn open(bytes: &Bytes, key: &VariantKey, now: Timestamp) -> Result<Variant, Unreadable> {
        let mut reader = ByteReader::new(FORM, bytes)?;
        let sum = reader.digest()?;
        if digest::of_bytes(reader.rest()) != sum || reader.bytes()? != key.to_bytes() {
            return Err(Unreadable::Damaged);
        }
        let meta = VariantMeta::from_bytes(reader.bytes()?, now)?;
        Ok(Variant { meta, body: bytes.slice(bytes.len() - reader.rest().len()..) })
    }
}

#[cfg(test)]
#[path = "sealed_tests.rs"]
mod tests;
