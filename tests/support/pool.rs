//! A pool of the real binary whose workers misbehave on demand, and errands for it.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use pictor::config::EngineConfig;
use pictor::engine::protocol::{Diagnosis, Task};
use pictor::engine::{Cost, Engine, Errand, Status, Tenant, Urgency};

/// How long anything may take before a test calls it hung. Far above what is expected; no test waits for it.
pub const HUNG: Duration = Duration::from_secs(20);

/// Two workers.
pub fn config() -> EngineConfig {
    EngineConfig {
        workers: 2,
        deadline: Duration::from_secs(10),
        worker_memory: 1 << 30,
        memory: 2 << 30,
        ..EngineConfig::default()
    }
}

/// A pool.
pub fn engine(config: &EngineConfig) -> Engine {
    Engine::start_with_diagnostics(config, Path::new(env!("CARGO_BIN_EXE_pictor"))).unwrap()
}

/// An errand about a picture of its own.
pub fn errand(source: impl Into<Bytes>, diagnosis: Diagnosis) -> Errand {
    static PICTURES: AtomicU32 = AtomicU32::new(1);
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&PICTURES.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    Errand {
        source: source.into(),
        marks: Vec::new(),
        digest,
        task: Task::Diagnose(diagnosis),
        expected: None,
        tenant: Tenant::default(),
        cost: Cost { bytes: 1 << 20, cpu_ms: 10, ..Cost::default() },
        deadline: Instant::now() + Duration::from_secs(10),
        urgency: Urgency::Viewer,
    }
}

/// Waits until the pool's numbers are as wanted.
pub async fn until(engine: &Engine, what: &str, wanted: impl Fn(&Status) -> bool) -> Status {
    let end = Instant::now() + HUNG;
    loop {
        let status = engine.status();
        if wanted(&status) {
            return status;
        }
        assert!(Instant::now() < end, "{what}: {status:?}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Waits until two workers and a spare are ready, and whoever else there is.
pub async fn whole(engine: &Engine) -> Status {
    let whole = |status: &Status| status.idle == 3 + status.kept && status.worker_pids.len() == status.idle;
    until(engine, "two workers and a spare are ready", whole).await
}
