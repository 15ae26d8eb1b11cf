//! Slower places that keep results when memory has let them go, or the process has ended: a disk, a bucket that many share.
//! Memory stands in front of them and is no tier of this kind: a hit never waits and goes through no pointer to code.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::{Scope, SealedVariant, VariantKey};

/// A tier behind the memory. Nobody trusts it: what it gives is opened like anything from outside of the process, and held
/// against the purges that there have been. So it may give old bytes, others' bytes or none at all; that costs conversions.
#[async_trait]
pub trait CacheTier: Send + Sync {
    /// What it is called in `Cache-Status` and in logs: a token (RFC 9110 §5.6.2).
    fn name(&self) -> &'static str;

    /// How long an answer waits for it at most.
    fn patience(&self) -> Duration;

    /// The bytes that were kept under this key, if it has them. Where it cannot tell, because it is broken or too busy, it has
    /// none.
    async fn find(&self, key: &VariantKey) -> Option<Bytes>;

    /// Takes an entry over, in place of what it has under its key. Returns at once: what cannot be taken now is dropped.
    fn keep(&self, entry: SealedVariant);

    /// Lets go what the scope covers, so that it takes no room. No purge relies on it.
    async fn forget(&self, scope: &Scope);

    /// Bytes that it holds, as far as it knows.
    fn weight(&self) -> u64;

    /// Entries that it holds, as far as it knows.
    fn entries(&self) -> u64;
}
