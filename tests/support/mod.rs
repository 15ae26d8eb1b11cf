//! What the black-box tests share: servers to stand between, clients to ask with. Nothing here sleeps
//! to get an order of events: gates and counters do that.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

pub mod conformance;
pub mod scripted;
pub mod weed;
pub mod wire;

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
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

/// The folder of real pictures: `PICTOR_CORPUS`, else `../shared/corpus` beside the crate; `None` where there is none.
pub fn corpus() -> Option<PathBuf> {
    let folder = match std::env::var_os("PICTOR_CORPUS") {
        Some(folder) => PathBuf::from(folder),
        None => crate_root().join("../shared/corpus"),
    };
    folder.is_dir().then_some(folder)
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
