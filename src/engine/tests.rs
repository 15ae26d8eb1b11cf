#![allow(clippy::disallowed_methods, reason = "work that takes time")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::protocol::Diagnosis;
use super::*;

/// Work of a pool of threads: sleeps as told, and gives the original back.
fn work(source: &[u8], _: &[&[u8]], task: &Task) -> Result<(Vec<u8>, Option<Outcome>), Error> {
    if let Task::Diagnose(Diagnosis::Sleep(ms)) = task {
        std::thread::sleep(Duration::from_millis(*ms));
    }
    Ok((source.to_vec(), None))
}

fn engine() -> Engine {
    let config = EngineConfig { workers: 1, deadline: Duration::from_millis(100), ..EngineConfig::default() };
    Engine::start_crew(&config, Crew::Threads(work), &Chosen::default()).unwrap()
}

/// An estimate.
fn cost(bytes: u64, cpu_ms: u64) -> Cost {
    Cost { bytes, cpu_ms, ..Cost::default() }
}

fn errand(source: &'static [u8], ms: u64, limit_ms: u64) -> Errand {
    Errand {
        source: Bytes::from_static(source),
        marks: Vec::new(),
        digest: [source.len() as u8; 32],
        task: Task::Diagnose(Diagnosis::Sleep(ms)),
        expected: None,
        tenant: Tenant::default(),
        cost: cost(1000, 20),
        deadline: Instant::now() + Duration::from_millis(limit_ms),
        urgency: Urgency::Viewer,
    }
}

#[tokio::test]
async fn a_thread_that_is_late_is_answered_for_and_counts_as_busy_until_it_ends() {
    let engine = engine();
    assert_eq!(engine.run(errand(b"abc", 0, 5000)).await.unwrap().bytes, "abc");
    let error = engine.run(errand(b"late", 600, 100)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Deadline);
    assert_eq!(engine.run(errand(b"late", 600, 100)).await.unwrap_err().kind, Kind::Quarantined);
    assert_eq!(engine.status().busy, 1, "nobody can stop a thread");
    let after = engine.run(errand(b"next", 0, 5000)).await.unwrap();
    assert_eq!(after.bytes, "next");
    assert!(after.queued > Duration::from_millis(100), "it waited for the only thread: {:?}", after.queued);
    engine.stop(Duration::from_secs(1)).await;
    let status = engine.status();
    assert!(status.stopping);
    assert_eq!((status.done, status.failed, status.kills), (2, 1, 0));
}

#[tokio::test]
async fn a_job_whose_time_ends_in_the_queue_is_told_to_come_back() {
    let engine = engine();
    let (slow, late) = tokio::join!(engine.run(errand(b"slow", 400, 5000)), engine.run(errand(b"second", 0, 150)));
    slow.unwrap();
    let error = late.unwrap_err();
    assert_eq!(error.kind, Kind::Busy);
    assert!(error.retry_after.is_some());
}
