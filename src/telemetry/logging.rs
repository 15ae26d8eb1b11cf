//! Logs go to standard error as JSON lines. `PICTOR_LOG` takes a filter (`info`, `debug`, `pictor::engine=debug`); the
//! target `access` is the access log.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

/// What is logged without `PICTOR_LOG`. pingora writes a line for every client that leaves early; ours say it better.
const DEFAULT: &str = "info,pingora_core=warn,pingora_proxy=error,access=info";

/// Starts logging, once for the process; later calls change nothing.
pub fn init() {
    let filter = std::env::var("PICTOR_LOG").ok().and_then(|text| EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_writer(std::io::stderr);
    // pingora logs through `log`; the subscriber's own feature bridges it.
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
}
