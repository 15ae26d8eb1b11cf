//! What has been worked out before: variants, originals, what is known of objects, and errors worth remembering.

mod bytes;
mod entry;
mod epochs;
mod key;
mod memory;
mod names;
mod originals;
mod scope;
mod sealed;
mod tags;
mod tier;
mod weigh;

pub use bytes::Unreadable;
pub use entry::{Known, Original, Remembered, Variant, VariantMeta};
pub use epochs::{Epoch, Epochs};
pub use key::{ObjectId, VariantKey};
pub use memory::Cache;
pub use originals::Narrowed;
pub use scope::{Depth, Scope};
pub use sealed::SealedVariant;
pub use tags::Tags;
pub use tier::CacheTier;
pub use weigh::GRAIN;
