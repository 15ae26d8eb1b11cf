//! What the black-box tests share: servers to stand between, clients to ask with. Nothing here sleeps
//! to get an order of events: gates and counters do that.
#![allow(clippy::disallowed_types, reason = "a test's panic ends it")]
#![allow(
    clippy::disallowed_methods,
    reason = "looks at other programs until a limit, and is slow where that is tested"
)]
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod at_hand;
pub mod conformance;
pub mod scripted;
pub mod tiers;
pub mod weed;
pub mod wire;

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A port of the loopback that nobody listened on a moment ago; never the same twice in one process.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap();
    let given = given.get_or_insert_default();
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if given.insert(port) {
            return port;
        }
    }
}

/// Where `Cargo.toml` is.
pub fn crate_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Asks until the answer is yes; panics with `what` after `limit`.
pub fn wait_until(what: &str, limit: Duration, mut done: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !done() {
        assert!(Instant::now() < end, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
