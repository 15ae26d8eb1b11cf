//! Metrics (a struct handed to whoever counts), logging.

mod logging;
mod metrics;

pub use logging::init;
pub use metrics::{Metrics, Served};
