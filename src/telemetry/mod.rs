//! What is told of the service: a record of every answer, handed to sinks (metrics, the access log); metrics as a struct that
//! is handed to whoever counts; logging.
//!
//! ```text
//! http: Record ──► Sinks ──┬─ metrics      families of Prometheus          numbers    what others read for them
//!                          └─ access_log   one line each                   logging    lines of JSON
//! ```

mod access_log;
mod logging;
mod metrics;
mod numbers;
mod record;
mod sink;

pub use access_log::AccessLog;
pub use logging::init;
pub use metrics::Metrics;
pub use numbers::{ConversionNumbers, Snapshot};
pub use record::{CachePart, Processed, Record, RequestOutcome};
pub use sink::{Sink, Sinks};
