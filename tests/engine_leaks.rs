//! What hundreds of jobs leave behind. Alone in its process, because it counts the process's descriptors and children.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::Path;
use std::time::{Duration, Instant};

use pictor::config::EngineConfig;
use pictor::engine::protocol::{Diagnosis, Task};
use pictor::engine::{Cost, Engine, Errand, Status, Tenant, Urgency};
use pictor::error::Kind;

/// An estimate.
fn cost(bytes: u64, cpu_ms: u64) -> Cost {
    Cost { bytes, cpu_ms, ..Cost::default() }
}

fn errand(number: u32, diagnosis: Diagnosis) -> Errand {
    let mut digest = [0; 32];
    digest[..4].copy_from_slice(&number.to_le_bytes());
    Errand {
        source: vec![1; 2 << 20].into(),
        marks: Vec::new(),
        digest,
        task: Task::Diagnose(diagnosis),
        expected: None,
        tenant: Tenant::default(),
        cost: cost(1 << 20, 10),
        deadline: Instant::now() + Duration::from_secs(10),
        urgency: Urgency::Viewer,
    }
}

async fn whole(engine: &Engine) -> Status {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let status = engine.status();
        if status.idle == 3 && children() == 3 {
            return status;
        }
        assert!(Instant::now() < end, "{} children: {status:?}", children());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Children of this process, dead ones that nobody has waited for included.
fn children() -> usize {
    let me = std::process::id().to_string();
    let stats = std::fs::read_dir("/proc").unwrap().filter_map(|entry| {
        let path = entry.ok()?.path();
        path.file_name()?.to_str()?.parse::<u32>().ok()?;
        std::fs::read_to_string(path.join("stat")).ok()
    });
    // pid (name) state parent ...
    stats.filter(|stat| stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(1)) == Some(me.as_str())).count()
}

#[tokio::test]
async fn no_zombie_and_no_descriptor() {
    let config = EngineConfig { workers: 2, recycle_jobs: 20, worker_memory: 1 << 30, ..EngineConfig::default() };
    let engine = Engine::start_with_diagnostics(&config, Path::new(env!("CARGO_BIN_EXE_pictor"))).unwrap();
    whole(&engine).await;
    let before = descriptors();
    for number in 0..300 {
        let crash = number % 50 == 49;
        let diagnosis = if crash { Diagnosis::Segfault } else { Diagnosis::Echo };
        match engine.run(errand(number, diagnosis)).await {
            Ok(answer) => assert!(!crash && answer.bytes.len() == 2 << 20),
            Err(error) => assert!(crash && error.kind == Kind::Crashed, "{error}"),
        }
    }
    let status = whole(&engine).await;
    assert_eq!(descriptors(), before);
    assert!(status.resident < 100 << 20, "{status:?}");
    assert!(status.recycled >= 10, "{status:?}");
    engine.stop(Duration::ZERO).await;
    assert_eq!(children(), 0);
}
