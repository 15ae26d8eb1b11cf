//! What a conversion is expected to take, and what it counts as: the estimate is imaging's, the queue is ours.

pub use crate::imaging::budget::{BASE_BYTES, Cost, WorkKind};
