//! The pool with the real binary: workers that are slow, crash, lie, leak, and try to get out.
#![allow(clippy::disallowed_methods, reason = "looks at processes until a limit")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/pool.rs"]
mod pool;

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use pictor::config::{EngineConfig, Isolation};
use pictor::engine::protocol::{Diagnosis, Probe, Task};
use pictor::engine::{Cost, Engine, Errand, Lane, Status, TaskOutput, Urgency};
use pictor::error::{Error, Kind};
use pool::{HUNG, config, engine, until, whole};

/// An estimate.
fn cost(bytes: u64, cpu_ms: u64) -> Cost {
    Cost { bytes, cpu_ms, ..Cost::default() }
}

fn errand(diagnosis: Diagnosis) -> Errand {
    pool::errand("picture", diagnosis)
}

async fn run(engine: &Engine, diagnosis: Diagnosis) -> Result<TaskOutput, Error> {
    engine.run(errand(diagnosis)).await
}

async fn kind(engine: &Engine, diagnosis: Diagnosis) -> Kind {
    run(engine, diagnosis).await.unwrap_err().kind
}

fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn it_gives_back_what_it_got_through_the_memory_files() {
    let engine = engine(&config());
    let source: Bytes = (0..5_000_000u32).map(|n| n as u8).collect::<Vec<_>>().into();
    for _ in 0..3 {
        let answer = engine.run(Errand { source: source.clone(), ..errand(Diagnosis::Echo) }).await.unwrap();
        assert_eq!(answer.bytes, source);
        assert!(answer.outcome.is_none());
    }
    let empty = engine.run(Errand { source: Bytes::new(), ..errand(Diagnosis::Echo) }).await.unwrap();
    assert!(empty.bytes.is_empty(), "an old result must not shine through");
    assert_eq!(run(&engine, Diagnosis::Thread).await.unwrap().bytes, "1048576", "codecs may start threads");
    until(&engine, "all are counted", |status| status.done == 5).await;
}

#[tokio::test]
async fn every_layer_of_the_sandbox_holds_on_this_machine() {
    let engine = engine(&config());
    let refused: Vec<_> = engine.sandbox().refused().collect();
    assert!(refused.is_empty(), "{refused:?}");
    assert_eq!(engine.sandbox().layers.len(), 5);
    for probe in [
        Probe::Open,
        Probe::Create,
        Probe::Socket,
        Probe::Connect,
        Probe::Exec,
        Probe::Fork,
        Probe::Kill,
        Probe::Executable,
        Probe::Limit,
    ] {
        let answer = run(&engine, Diagnosis::Probe(probe)).await.unwrap();
        assert_eq!(answer.bytes, "PermissionDenied", "{probe:?}");
    }
}

#[tokio::test]
async fn diagnoses_are_refused_by_the_workers_of_a_service() {
    let engine = Engine::start(&config(), env!("CARGO_BIN_EXE_pictor").into()).unwrap();
    assert_eq!(kind(&engine, Diagnosis::Echo).await, Kind::Internal);
}

#[tokio::test]
async fn a_deadline_kills_the_worker_and_the_pool_is_whole_again() {
    let engine = engine(&config());
    let before = whole(&engine).await;
    let start = Instant::now();
    let deadline = start + Duration::from_millis(300);
    let error = engine.run(Errand { deadline, ..errand(Diagnosis::Spin(60_000)) }).await.unwrap_err();
    let late = deadline.elapsed();
    assert_eq!(error.kind, Kind::Deadline, "{error}");
    run(&engine, Diagnosis::Echo).await.unwrap();
    let ready = deadline.elapsed();
    let after = whole(&engine).await;
    println!(
        "deadline answered {late:?} late, next result after {ready:?}, spare ready after {:?}",
        deadline.elapsed()
    );
    assert!(late < Duration::from_secs(1));
    assert_eq!(after.kills, 1);
    let gone: Vec<_> = before.worker_pids.iter().filter(|pid| !after.worker_pids.contains(pid)).collect();
    assert_eq!(gone.len(), 1);
    until(&engine, "it is reaped", |_| !exists(*gone[0])).await;
}

#[tokio::test]
async fn a_picture_that_starves_workers_rests() {
    let engine = engine(&EngineConfig { deadline: Duration::from_millis(200), ..config() });
    let slow = |ms| Errand { digest: [9; 32], cost: cost(1 << 20, 1), ..errand(Diagnosis::Sleep(ms)) };
    let soon = || Instant::now() + Duration::from_millis(200);
    let error = engine.run(Errand { deadline: soon(), ..slow(60_000) }).await.unwrap_err();
    assert_eq!(error.kind, Kind::Deadline);
    let error = engine.run(Errand { deadline: soon(), ..slow(60_000) }).await.unwrap_err();
    assert_eq!(error.kind, Kind::Quarantined, "the same job is refused");
    engine.run(slow(1)).await.expect("another job on the picture may be tried");
    let error = engine.run(Errand { deadline: soon(), ..slow(60_001) }).await.unwrap_err();
    assert_eq!(error.kind, Kind::Deadline);
    assert_eq!(engine.run(slow(1)).await.unwrap_err().kind, Kind::Quarantined, "twice is enough");
    until(&engine, "both are counted", |status| status.refused.quarantined == 2).await;
}

#[tokio::test]
async fn costly_rules_do_not_bar_a_picture() {
    let engine = engine(&EngineConfig { deadline: Duration::from_millis(200), ..config() });
    // Estimated at more than half of what there is, as full-size AVIFs and blurs are.
    let slow = |ms| Errand {
        digest: [9; 32],
        cost: cost(1 << 20, 120),
        deadline: Instant::now() + Duration::from_millis(200),
        ..errand(Diagnosis::Sleep(ms))
    };
    for costly in [60_000, 60_001, 60_002] {
        assert_eq!(engine.run(slow(costly)).await.unwrap_err().kind, Kind::Deadline);
        assert_eq!(engine.run(slow(costly)).await.unwrap_err().kind, Kind::Quarantined, "the same job is refused");
    }
    engine.run(slow(1)).await.expect("nobody else is barred from the picture");
}

#[tokio::test]
async fn a_crash_costs_one_request_and_its_picture_rests() {
    let engine = engine(&config());
    for crash in
        [Diagnosis::Abort, Diagnosis::Segfault, Diagnosis::Garbage, Diagnosis::Claim(1 << 40), Diagnosis::Panic]
    {
        let bad = errand(crash);
        let (error, good) = tokio::join!(engine.run(bad.clone()), run(&engine, Diagnosis::Sleep(50)));
        assert_eq!(error.unwrap_err().kind, Kind::Crashed, "{crash:?}");
        good.expect("the neighbour is not touched");
        let again = engine.run(Errand { task: Task::Diagnose(Diagnosis::Echo), ..bad }).await;
        assert_eq!(again.unwrap_err().kind, Kind::Quarantined, "{crash:?}");
    }
    let status = whole(&engine).await;
    assert_eq!((status.crashes, status.kills, status.recycled), (2, 2, 1));
}

#[tokio::test]
async fn a_worker_that_is_killed_from_outside_is_replaced_and_its_job_done_by_another() {
    let engine = engine(&config());
    let before = whole(&engine).await;
    let job = tokio::spawn({
        let (engine, errand) = (engine.clone(), errand(Diagnosis::Sleep(400)));
        async move { engine.run(errand).await }
    });
    until(&engine, "the job runs", |status| status.busy == 1).await;
    // Whoever has it, and the idle ones too.
    for pid in &before.worker_pids {
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(*pid as i32).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
    }
    job.await.unwrap().expect("done by another worker");
    let after = whole(&engine).await;
    assert!(after.worker_pids.iter().all(|pid| !before.worker_pids.contains(pid)));
    assert_eq!(after.crashes, 3);
    assert_eq!(after.quarantined, 0, "the picture is not to blame");
}

#[tokio::test]
async fn memory_that_is_not_there_is_an_error_of_its_own() {
    let engine = engine(&config());
    let hungry = errand(Diagnosis::Allocate(4 << 30));
    assert_eq!(engine.run(hungry.clone()).await.unwrap_err().kind, Kind::OutOfMemory);
    assert_eq!(engine.run(hungry).await.unwrap_err().kind, Kind::Quarantined);
    let estimated = Errand { cost: cost(2 << 30, 1), ..errand(Diagnosis::Echo) };
    assert_eq!(engine.run(estimated).await.unwrap_err().kind, Kind::OutOfMemory);
    until(&engine, "it is counted", |status| status.refused.memory == 1).await;
    run(&engine, Diagnosis::Allocate(64 << 20)).await.unwrap();
    let error = run(&engine, Diagnosis::Fill(2 << 30)).await.unwrap_err();
    assert!(error.told().contains("File too large"), "a worker cannot fill the machine through its output: {error}");
}

#[tokio::test]
async fn abandoned_work_leaves_the_queue_or_is_stopped() {
    let engine = engine(&EngineConfig { workers: 1, ..config() });
    until(&engine, "ready", |status| status.idle == 2).await;
    let start = |errand| {
        let engine = engine.clone();
        tokio::spawn(async move { engine.run(errand).await })
    };
    let running = start(errand(Diagnosis::Spin(60_000)));
    until(&engine, "it runs", |status| status.busy == 1).await;
    let waiting = start(errand(Diagnosis::Echo));
    until(&engine, "it waits", |status| status.waiting_in(Lane::Light) == 1).await;
    waiting.abort();
    until(&engine, "it has left the queue", |status| status.waiting_in(Lane::Light) == 0).await;
    running.abort();
    let status = until(&engine, "it was stopped", |status| status.busy == 0).await;
    assert_eq!((status.kills, status.quarantined), (1, 0));
    run(&engine, Diagnosis::Echo).await.unwrap();

    // Of who is less urgent, an upload's work goes on, a batch's does not.
    let upload = start(Errand { urgency: Urgency::Upload, ..errand(Diagnosis::Sleep(300)) });
    until(&engine, "it runs", |status| status.busy == 1).await;
    upload.abort();
    let status = until(&engine, "it has ended", |status| status.busy == 0).await;
    assert_eq!((status.kills, status.done), (1, 2), "it was let go on");
    let batch = start(Errand { urgency: Urgency::Batch, ..errand(Diagnosis::Spin(60_000)) });
    until(&engine, "it runs", |status| status.busy == 1).await;
    batch.abort();
    let status = until(&engine, "it was stopped", |status| status.busy == 0).await;
    assert_eq!((status.kills, status.done), (2, 2));
}

#[tokio::test]
async fn worn_workers_are_replaced() {
    let engine = engine(&EngineConfig { recycle_jobs: 3, recycle_memory: 150 << 20, ..config() });
    let before = whole(&engine).await;
    for _ in 0..9 {
        run(&engine, Diagnosis::Echo).await.unwrap();
    }
    let after = until(&engine, "three were replaced", |status| status.recycled == 3 && status.idle == 3).await;
    assert!(after.worker_pids.iter().all(|pid| !before.worker_pids.contains(pid)));
    run(&engine, Diagnosis::Leak(200 << 20)).await.unwrap();
    let status = until(&engine, "the fat one was replaced", |status| status.recycled == 4 && status.idle == 3).await;
    assert!(status.resident < 150 << 20);
    assert_eq!((status.kills, status.crashes), (0, 0));
}

#[tokio::test]
async fn what_cannot_be_done_in_time_is_refused_at_once() {
    let engine = engine(&config());
    let long = |ms| Errand { cost: cost(1, ms), ..errand(Diagnosis::Sleep(300)) };
    let work: Vec<_> = (0..3)
        .map(|_| {
            let (engine, errand) = (engine.clone(), long(4500));
            tokio::spawn(async move { engine.run(errand).await })
        })
        .collect();
    until(&engine, "one waits", |status| status.waiting_in(Lane::Heavy) == 1).await;
    let start = Instant::now();
    let error = engine.run(long(4500)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Busy, "{error}");
    assert!(error.retry_after.is_some_and(|after| (1..=10).contains(&after)));
    assert!(start.elapsed() < Duration::from_millis(250), "before anything ended");
    for job in work {
        job.await.unwrap().unwrap();
    }
    engine.run(long(4500)).await.expect("the estimate has learnt and the queue is empty");
}

#[tokio::test]
async fn heavy_work_does_not_starve_light_work() {
    let engine = engine(&config());
    let heavy: Vec<_> = (0..4)
        .map(|_| {
            let (engine, errand) =
                (engine.clone(), Errand { cost: cost(1 << 20, 1500), ..errand(Diagnosis::Sleep(1500)) });
            tokio::spawn(async move { engine.run(errand).await })
        })
        .collect();
    until(&engine, "heavy work has both workers", |status| status.busy == 2 && status.waiting_in(Lane::Heavy) == 2)
        .await;
    let light = run(&engine, Diagnosis::Echo).await.unwrap();
    assert!(light.queued < Duration::from_millis(500), "{:?}", light.queued);
    assert!(heavy.iter().all(|job| !job.is_finished()));
    engine.stop(Duration::ZERO).await;
}

/// A heavy job of a viewer's would wait for another one of these for ever.
#[tokio::test]
async fn viewers_have_their_workers_beside_batches() {
    let engine = engine(&EngineConfig { workers: 1, ..config() });
    let start = |urgency, ms| {
        let (engine, cost) = (engine.clone(), cost(1 << 20, 1000));
        let errand = Errand { urgency, cost, ..errand(Diagnosis::Sleep(ms)) };
        tokio::spawn(async move { engine.run(errand).await })
    };
    run(&engine, Diagnosis::Echo).await.unwrap();
    let batches = [start(Urgency::Batch, 60_000), start(Urgency::Batch, 60_000)];
    let one = |status: &Status| status.busy == 1 && status.waiting_in(Lane::Batch) == 1;
    until(&engine, "one has the only worker's share", one).await;
    let whole = |status: &Status| status.idle == 2 && status.kept == 1 && status.spare == 1;
    until(&engine, "a worker and the spare are left to viewers", whole).await;
    let viewers = [start(Urgency::Viewer, 300), start(Urgency::Viewer, 300)];
    for viewer in viewers {
        viewer.await.unwrap().unwrap();
    }
    until(&engine, "the batches are where they were", one).await;
    for batch in batches {
        batch.abort();
    }
}

#[tokio::test]
async fn it_stops_gracefully_and_then_not() {
    let engine = engine(&config());
    let pids = whole(&engine).await.worker_pids;
    let job = tokio::spawn({
        let (engine, errand) = (engine.clone(), errand(Diagnosis::Sleep(300)));
        async move { engine.run(errand).await }
    });
    until(&engine, "it runs", |status| status.busy == 1).await;
    engine.stop(Duration::from_secs(10)).await;
    job.await.unwrap().expect("work in flight is done");
    assert_eq!(kind(&engine, Diagnosis::Echo).await, Kind::Busy);
    assert!(pids.iter().all(|pid| !exists(*pid)), "every worker is reaped");

    let engine = self::engine(&config());
    let pids = whole(&engine).await.worker_pids;
    let job = tokio::spawn({
        let (engine, errand) = (engine.clone(), errand(Diagnosis::Spin(60_000)));
        async move { engine.run(errand).await }
    });
    until(&engine, "it runs", |status| status.busy == 1).await;
    engine.stop(Duration::from_millis(100)).await;
    assert_eq!(job.await.unwrap().unwrap_err().kind, Kind::Busy);
    assert!(pids.iter().all(|pid| !exists(*pid)));
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_workers() {
    let engine = engine(&config());
    let pids = whole(&engine).await.worker_pids;
    drop(engine);
    let end = Instant::now() + HUNG;
    while pids.iter().any(|pid| exists(*pid)) {
        assert!(Instant::now() < end, "workers are left");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Not a test of its own unless it is told so: the service that the next test kills.
#[tokio::test]
async fn a_service_that_is_killed() {
    let Some(report) = std::env::var_os("PICTOR_TEST_PIDS") else { return };
    let engine = engine(&config());
    let pids = whole(&engine).await.worker_pids;
    let job = run(&engine, Diagnosis::Spin(60_000));
    let told = async {
        until(&engine, "it runs", |status| status.busy == 1).await;
        std::fs::write(report, format!("{pids:?}")).unwrap();
    };
    let _ = tokio::join!(job, told);
}

#[test]
fn workers_end_with_a_service_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("pids");
    let mut service = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_service_that_is_killed"])
        .env("PICTOR_TEST_PIDS", &report)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + HUNG;
    let pids: Vec<u32> = loop {
        let text = std::fs::read_to_string(&report).unwrap_or_default();
        if text.ends_with(']') {
            break text.trim_matches(['[', ']']).split(", ").map(|pid| pid.parse().unwrap()).collect();
        }
        assert!(Instant::now() < end, "the service did not start");
        std::thread::sleep(Duration::from_millis(2));
    };
    assert_eq!(pids.len(), 3);
    service.kill().unwrap();
    service.wait().unwrap();
    // An orphan that has ended stays a zombie where nobody reaps orphans.
    let runs =
        |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "));
    while pids.iter().any(runs) {
        assert!(Instant::now() < end, "a worker outlives its service, idle or at work");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A worker on a kernel without landlock.
fn unsealed_worker(folder: &Path) -> std::path::PathBuf {
    let layers = r#"[{"name":"landlock","state":{"Refused":"not in this kernel"}}]"#;
    scripted_worker(folder, &format!(r#"{{"Hello":{{"sandbox":{{"layers":{layers}}},"plugin":null}}}}"#))
}

/// A script that says something and then nothing.
fn scripted_worker(folder: &Path, hello: &str) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("worker");
    let script = format!("#!/bin/sh\nprintf '\\{:o}\\0\\0\\0%s' '{hello}' >&0\nexec cat <&0 >/dev/null\n", hello.len());
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[tokio::test]
async fn a_refused_part_of_the_sandbox_is_named_and_fatal_unless_configured() {
    let folder = tempfile::tempdir().unwrap();
    let program = unsealed_worker(folder.path());
    let error = Engine::start(&config(), program.clone()).unwrap_err();
    assert!(error.told().contains("landlock (not in this kernel)"), "{error}");
    assert!(error.told().contains("engine.require_sandbox"), "{error}");
    let engine = Engine::start(&EngineConfig { require_sandbox: false, ..config() }, program).unwrap();
    assert_eq!(engine.sandbox().refused().collect::<Vec<_>>(), [("landlock", "not in this kernel")]);
}

#[test]
fn a_program_that_is_no_worker_is_an_error_at_the_start() {
    let error = Engine::start(&config(), "/bin/true".into()).unwrap_err();
    assert_eq!(error.kind, Kind::Internal);
    let folder = tempfile::tempdir().unwrap();
    let error = Engine::start(&config(), scripted_worker(folder.path(), r#"{"Hello":"you"}"#)).unwrap_err();
    assert!(error.told().contains("a worker is broken"), "{error}");
    let error = Engine::start(&config(), "/does/not/exist".into()).unwrap_err();
    assert!(error.told().contains("/does/not/exist"), "{error}");
}

#[tokio::test]
async fn threads_serve_where_processes_cannot() {
    let config = EngineConfig { isolation: Isolation::Thread, ..config() };
    let engine = Engine::start(&config, "/does/not/matter".into()).unwrap();
    let status = engine.status();
    assert!(engine.sandbox().layers.is_empty() && status.worker_pids.is_empty());
    assert_eq!(kind(&engine, Diagnosis::Echo).await, Kind::Internal, "no diagnoses, and the pool answers");
    assert_eq!(kind(&engine, Diagnosis::Abort).await, Kind::Internal);
    engine.stop(Duration::from_secs(1)).await;
    assert_eq!(kind(&engine, Diagnosis::Echo).await, Kind::Busy);
}

/// Prints how fast the pool is. It asserts nothing about speed: machines differ.
#[tokio::test]
async fn round_trips() {
    let start = Instant::now();
    let engine = engine(&config());
    println!("start with three workers {:?}", start.elapsed());
    for (what, bytes) in [("empty", 0), ("100 KB", 100_000), ("1 MB", 1_000_000), ("5 MB", 5_000_000)] {
        let mut times = Vec::new();
        for _ in 0..50 {
            let errand = Errand { source: vec![1; bytes].into(), ..errand(Diagnosis::Echo) };
            let start = Instant::now();
            assert_eq!(engine.run(errand).await.unwrap().bytes.len(), bytes);
            times.push(start.elapsed());
        }
        times.sort();
        println!("{what} there and back: median {:?}, best {:?}", times[25], times[0]);
    }
    engine.stop(Duration::ZERO).await;
}
