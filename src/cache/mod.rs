//! What has been worked out before: variants, originals, what is known of objects, and errors worth remembering.

mod bytes;
mod checked;
mod entry;
mod epochs;
mod generations;
mod key;
mod memory;
mod originals;
mod scope;
mod weigh;

pub use bytes::Unreadable;
pub use checked::Checked;
pub use entry::{Known, Original, Variant, VariantMeta};
pub use epochs::Epochs;
pub use generations::Generations;
pub use key::{ObjectId, VariantKey};
pub use memory::Cache;
pub use originals::Narrowed;
pub use scope::Scope;
pub use weigh::GRAIN;
