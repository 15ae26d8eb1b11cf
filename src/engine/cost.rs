//! What a conversion is expected to take, and which line it stands in: the estimate is imaging's, the queue is ours.

pub use crate::imaging::budget::{Cost, Lane};
