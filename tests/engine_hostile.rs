//! Workers that were taken over: what they hand back is not believed, and what they have seen stays with its site.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "support/pool.rs"]
mod pool;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use pictor::config::EngineConfig;
use pictor::dialect::parse_rule;
use pictor::engine::protocol::{Diagnosis, Task};
use pictor::engine::{Cost, Engine, Errand, Status, TaskOutput, Tenant};
use pictor::error::{Error, Kind};
use pictor::imaging::Effort;
use pictor::imaging::{Expected, Job, Policy, convert, probe};
use pictor::plan::{Format, Limits, geometry};
use pool::{config, engine, errand, until, whole};

/// A GIF of so many frames of 8 x 6 pixels.
fn gif(frames: usize) -> Vec<u8> {
    let mut file = b"GIF89a\x08\0\x06\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    for _ in 0..frames {
        file.extend([0x21, 0xf9, 4, 0, 5, 0, 0, 0]);
        file.extend([0x2c, 0, 0, 0, 0, 8, 0, 6, 0, 0, 2, 7, 0x84, 0x8f, 0xa9, 0xcb, 0xed, 0x0f, 0, 0]);
    }
    file.push(0x3b);
    file
}

fn job(format: Format) -> Job {
    let plan = parse_rule("imageMogr2/thumbnail/4x").unwrap().1;
    let (limits, policy) = (Limits::default(), Policy::default());
    Job { plan, format, limits, policy, effort: Effort::Interactive, threads: 1, budget_ms: 1000, full_ms: 0 }
}

/// Every answer that is not the one that was asked for kills its worker and is nobody's answer.
#[tokio::test]
async fn a_forged_result_is_an_error_and_its_worker_is_dead() {
    let engine = engine(&config());
    let original = gif(1);
    let (asked, header) = (job(Format::Png), probe(&original).unwrap());
    let layout = geometry::lay_out(&asked.plan, &header.source, asked.format, &asked.limits).unwrap();
    let expected = Expected::of(&asked, &header, &layout, original.len() as u64);
    let made = |format| convert(&original, &job(format)).unwrap();
    let (honest, outcome) = made(Format::Png);
    let (wide, high) = (outcome.width, outcome.height);
    assert_eq!((wide, high, outcome.frames), (4, 3, 1));
    // The worker gives its input back: the original that it is checked against is the forgery itself.
    let hand_back = |bytes: Vec<u8>, format, width, height, frames| Errand {
        expected: Some(expected.clone()),
        ..errand(bytes, Diagnosis::Answer { format, width, height, frames })
    };
    let png = Some(Format::Png);
    let answer = engine.run(hand_back(honest.clone(), png, wide, high, 1)).await.unwrap();
    assert_eq!(answer.bytes, honest, "the honest one passes");
    let other_size =
        convert(&original, &Job { plan: parse_rule("imageMogr2/rotate/90").unwrap().1, ..job(Format::Png) });
    let padded = [honest.clone(), vec![0; usize::try_from(expected.most_bytes()).unwrap()]].concat();
    let forgeries = [
        ("another format", hand_back(made(Format::Jpeg).0, Some(Format::Jpeg), wide, high, 1)),
        ("another format than it says", hand_back(made(Format::Jpeg).0, png, wide, high, 1)),
        ("another size than it says", hand_back(other_size.unwrap().0, png, wide, high, 1)),
        ("another size", hand_back(honest.clone(), png, 40, 30, 1)),
        ("more frames", hand_back(gif(3), Some(Format::Gif), 8, 6, 3)),
        ("more frames than it has", hand_back(honest.clone(), png, wide, high, 3)),
        ("the original", hand_back(original.clone(), Some(Format::Gif), 8, 6, 1)),
        ("a header that is none", hand_back(b"\x89PNG\r\n\x1a\ngarbage".to_vec(), png, wide, high, 1)),
        ("a page", hand_back(b"<html><script>alert(1)</script></html>".to_vec(), png, wide, high, 1)),
        ("nothing", hand_back(Vec::new(), png, wide, high, 1)),
        ("facts", hand_back(Vec::new(), None, wide, high, 1)),
        ("too many bytes", hand_back(padded, png, wide, high, 1)),
        ("nothing said", Errand { task: Task::Diagnose(Diagnosis::Echo), ..hand_back(honest, png, wide, high, 1) }),
    ];
    for (kills, (what, forgery)) in (1..).zip(forgeries) {
        let before = whole(&engine).await;
        let error = engine.run(forgery).await.unwrap_err();
        assert_eq!(error.kind, Kind::Crashed, "{what}: {error}");
        let after = until(&engine, what, |status| status.kills == kills && status.idle == 3).await;
        let gone = before.worker_pids.iter().filter(|pid| !after.worker_pids.contains(pid)).count();
        assert_eq!(gone, 1, "{what}: the worker is another");
    }
}

#[tokio::test]
async fn an_error_that_no_conversion_has_is_not_believed() {
    let engine = engine(&config());
    for kind in [Kind::Forbidden, Kind::NotFound, Kind::Busy, Kind::OriginTimeout] {
        let error = engine.run(errand("picture", Diagnosis::Fail(kind))).await.unwrap_err();
        assert_eq!(error.kind, Kind::Crashed, "{kind:?}");
    }
    let error = engine.run(errand("picture", Diagnosis::Fail(Kind::Corrupt))).await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (Kind::Corrupt, "as it was  asked to"), "one line");
    until(&engine, "four are dead", |status| status.kills == 4).await;
}

#[tokio::test]
async fn a_worker_with_too_many_threads_is_killed() {
    let engine = engine(&EngineConfig { worker_threads: 40, ..config() });
    let began = Instant::now();
    let error = engine.run(errand("picture", Diagnosis::Threads(60))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Crashed, "{error}");
    assert!(began.elapsed() < Duration::from_secs(5), "long before its deadline");
    assert_eq!(engine.run(errand("picture", Diagnosis::Thread)).await.unwrap().bytes, "1048576");
    assert_eq!(engine.status().kills, 1);
}

/// A job of a site, that takes a while, and the worker that it came to.
async fn served(engine: &Engine, site: &str, risky: bool) -> Result<TaskOutput, Error> {
    let tenant = Tenant { site: site.into(), risky };
    engine.run(Errand { tenant, ..errand("picture", Diagnosis::Pid) }).await
}

async fn worker(engine: &Engine, site: &str, risky: bool) -> u32 {
    let answer = served(engine, site, risky).await.unwrap();
    std::str::from_utf8(&answer.bytes).unwrap().parse().unwrap()
}

#[tokio::test]
async fn who_has_read_a_risky_file_serves_its_site_alone() {
    let engine = engine(&config());
    whole(&engine).await;
    let mut of_a = BTreeSet::new();
    let mut of_others = BTreeSet::new();
    for round in 0..12 {
        of_a.insert(worker(&engine, "a", true).await);
        // Harmless work of the site itself goes there too; nobody else's does.
        of_a.insert(worker(&engine, "a", false).await);
        of_others.insert(worker(&engine, "b", false).await);
        of_others.insert(worker(&engine, ["c", "d"][round % 2], true).await);
        assert!(of_a.is_disjoint(&of_others), "{of_a:?} {of_others:?}");
    }
    let status = whole(&engine).await;
    assert_eq!((status.crashes, status.kills, status.quarantined), (0, 0, 0));
}

/// All of its workers, the spare too, which takes what is tiny.
#[tokio::test]
async fn a_pool_of_one_site_keeps_its_workers() {
    let engine = engine(&config());
    let before = whole(&engine).await;
    let tiny = || {
        let tenant = Tenant { site: "a".into(), risky: true };
        let errand = Errand { tenant, ..errand("picture", Diagnosis::Sleep(100)) };
        engine.run(Errand { cost: Cost { cpu_ms: 1, ..errand.cost }, ..errand })
    };
    for _ in 0..10 {
        let all = until(&engine, "all work", |status| status.busy == 3);
        let (_, one, two, three) = tokio::join!(all, tiny(), tiny(), tiny());
        for answer in [one, two, three] {
            answer.unwrap();
        }
    }
    let after = whole(&engine).await;
    assert_eq!((after.recycled, after.evicted, after.kept, after.respawns), (0, 0, 0, 0));
    assert_eq!(after.worker_pids, before.worker_pids);
}

/// Who comes back finds the worker that is its own, however many others came in between, and one is always free.
#[tokio::test]
async fn more_sites_than_workers_keep_theirs() {
    let engine = engine(&config());
    whole(&engine).await;
    let mut first = Vec::new();
    for site in 0..8 {
        first.push(worker(&engine, &format!("site{site}"), true).await);
        until(&engine, "one is free", |status| status.idle >= usize::max(site + 2, 3)).await;
    }
    let before = whole(&engine).await;
    assert!((1..=8).contains(&before.kept) && before.evicted == 0, "{before:?}");
    for _ in 0..3 {
        for (site, first) in first.iter().enumerate() {
            assert_eq!(worker(&engine, &format!("site{site}"), true).await, *first);
        }
    }
    let after = whole(&engine).await;
    assert_eq!((after.respawns, after.parked, after.worker_pids), (before.respawns, 0, before.worker_pids));
}

/// More than are kept: whoever was not needed for longest makes place.
#[tokio::test]
async fn how_many_workers_are_kept_is_bounded() {
    let engine = engine(&config());
    whole(&engine).await;
    for site in 0..72 {
        worker(&engine, &format!("site{site}"), true).await;
        let status = engine.status();
        assert!(status.kept <= 64 && status.worker_pids.len() <= 67, "{site} {status:?}");
    }
    // One of 67 is free.
    assert!(whole(&engine).await.evicted >= 72 - 66);
    // Nothing is kept beside the pool where there is no memory for it.
    let small = pool::engine(&EngineConfig { memory: 8 << 20, ..config() });
    for site in 0..5 {
        worker(&small, &format!("site{site}"), true).await;
    }
    let status = whole(&small).await;
    assert!(status.kept == 0 && status.evicted >= 2, "{status:?}");
}

/// More sites at once than workers: everybody is served, nobody by another's worker.
#[tokio::test]
async fn many_sites_share_a_small_pool() {
    let engine = engine(&config());
    whole(&engine).await;
    let mut seen: Vec<(u32, usize)> = Vec::new();
    for _ in 0..3 {
        let jobs = (0..8usize).map(|site| {
            let engine = engine.clone();
            tokio::spawn(async move { (worker(&engine, &format!("site{site}"), true).await, site) })
        });
        for job in jobs.collect::<Vec<_>>() {
            seen.push(job.await.unwrap());
        }
    }
    seen.sort_unstable();
    for pair in seen.windows(2) {
        assert!(pair[0].0 != pair[1].0 || pair[0].1 == pair[1].1, "one worker for two sites: {seen:?}");
    }
    let status = whole(&engine).await;
    assert_eq!((status.done, status.crashes, status.busy), (24, 0, 0));
}

/// A job that waits for a worker of its own can be given up and can be late, as any other.
#[tokio::test]
async fn a_job_that_waits_for_a_worker_of_its_own_can_end_while_it_waits() {
    let engine = engine(&EngineConfig { workers: 1, ..config() });
    until(&engine, "ready", |status| status.idle == 2).await;
    for round in 0..20u64 {
        let tenant = Tenant { site: format!("site{round}").into(), risky: true };
        let soon = Instant::now() + Duration::from_millis(round);
        let hurried = Errand { tenant: tenant.clone(), deadline: soon, ..errand("picture", Diagnosis::Echo) };
        let given_up = Errand { tenant, ..errand("picture", Diagnosis::Sleep(20)) };
        let both = async { tokio::join!(engine.run(hurried), engine.run(given_up)) };
        let _ = tokio::time::timeout(Duration::from_millis(round), both).await;
    }
    let quiet = |status: &Status| status.busy == 0 && status.idle == 2 + status.kept;
    let status = until(&engine, "all is quiet", quiet).await;
    assert!(status.queued.iter().all(|(_, depth)| *depth == 0), "{:?}", status.queued);
    engine.run(errand("picture", Diagnosis::Echo)).await.unwrap();
}
