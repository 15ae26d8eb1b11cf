//! Workers that are killed, pictures that take too long, queues that are full.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, Pictor, client, site, until};

const SLOW: &str = "/sample.jpg?imageMogr2/thumbnail/6000x/format/avif";

fn kill(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

/// CPU time of a process so far, in clock ticks.
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = stat.rsplit(") ").next().unwrap_or_default();
    let field = |at: usize| after.split(' ').nth(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    field(11) + field(12)
}

/// The worker that has used most CPU in a short while.
async fn busiest(pictor: &Pictor) -> u32 {
    let workers = pictor.workers();
    let before: Vec<_> = workers.iter().map(|pid| ticks(*pid)).collect();
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "no worker works");
        tokio::time::sleep(Duration::from_millis(20)).await;
        let used = workers.iter().zip(&before).map(|(pid, before)| (ticks(*pid) - (*before).min(ticks(*pid)), *pid));
        if let Some((used, pid)) = used.max()
            && used >= 5
        {
            return pid;
        }
    }
}

#[tokio::test]
async fn a_killed_worker_costs_one_request_at_most_and_is_replaced() {
    let pictor = Pictor::demo().await;
    let strength = pictor.workers().len();
    let url = pictor.url(SLOW);
    let request = tokio::spawn(async move { client().get(url).send().await.unwrap().status() });
    let victim = busiest(&pictor).await;
    kill(victim);
    let took = until("the pool is back at strength", || pictor.workers().len() >= strength).await;
    println!("pool back at strength after {took:?}");
    let beside = client().get(pictor.url("/chelsea.png?imageMogr2/thumbnail/50x")).send().await.unwrap();
    assert_eq!(beside.status(), 200);
    // Killed from outside: the picture is innocent and was tried again.
    assert_eq!(request.await.unwrap(), 200);
    assert_eq!(pictor.metric("pictor_worker_events_total{event=\"died\"}").await, 1.0);
}

#[tokio::test]
async fn a_conversion_that_outlives_its_deadline_is_dead() {
    let config = format!("[engine]\ndeadline = \"500ms\"\n{}", site("kind = \"dir\"\npath = \"DEMO\""));
    let pictor = Pictor::start(&config).await;
    let began = Instant::now();
    // Lossless WebP takes longer than its estimate, which lets it in.
    let mut pending = Vec::new();
    for width in [2400, 2401] {
        let rule = format!("x-oss-process=image/resize,w_{width},limit_0/format,webp/quality,lossless");
        let url = pictor.url(&format!("/sample.png?{rule}"));
        pending.push(tokio::spawn(async move { client().get(url).send().await.unwrap().status().as_u16() }));
    }
    for task in pending {
        let status = task.await.unwrap();
        assert!([503, 504].contains(&status), "{status}");
    }
    println!("answered after {:?}, with a deadline of 500 ms", began.elapsed());
    let before: u64 = pictor.workers().iter().map(|pid| ticks(*pid)).sum();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let after: u64 = pictor.workers().iter().map(|pid| ticks(*pid)).sum();
    assert!(after.saturating_sub(before) <= 4, "workers still compute: {before} to {after} ticks");
    assert_eq!(client().get(pictor.url("/chelsea.png?imageMogr2/thumbnail/50x")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_full_queue_refuses_with_retry_after_and_hits_go_on() {
    let config = format!("[engine]\ndeadline = \"3s\"\n{}", site("kind = \"dir\"\npath = \"DEMO\""));
    let pictor = Pictor::start(&config).await;
    let hit = pictor.url("/chelsea.png?imageMogr2/thumbnail/50x");
    assert_eq!(client().get(&hit).send().await.unwrap().status(), 200);
    let mut flood = Vec::new();
    for width in 0..60 {
        let url = pictor.url(&format!("/sample.jpg?imageMogr2/thumbnail/{}x/format/avif", 1500 + width));
        flood.push(tokio::spawn(async move {
            let answer = client().get(url).send().await.unwrap();
            (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
        }));
    }
    let answer = client().get(&hit).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["cache-status"]), (200, &"pictor; hit".parse().unwrap()));
    let mut answers = Vec::new();
    for task in flood {
        answers.push(task.await.unwrap());
    }
    let count = |status| answers.iter().filter(|answer| answer.0 == status).count();
    println!("200: {}, 503: {}, 504: {}", count(200), count(503), count(504));
    assert!(count(200) > 0 && count(503) > 0, "{answers:?}");
    assert!(answers.iter().filter(|answer| answer.0 == 503).all(|answer| answer.1), "503 carries Retry-After");
    assert_eq!(count(200) + count(503) + count(504), 60);
    // At once itself again.
    assert_eq!(client().get(pictor.url("/chelsea.png?imageMogr2/thumbnail/51x")).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn threads_do_where_processes_cannot_be_had() {
    let config = format!("[engine]\nisolation = \"thread\"\n{}", site("kind = \"dir\"\npath = \"DEMO\""));
    let pictor = Pictor::start(&config).await;
    assert_eq!(pictor.workers().len(), 0);
    let answer = client().get(pictor.url("/chelsea.png?imageMogr2/thumbnail/50x/format/webp")).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["content-type"]), (200, &"image/webp".parse().unwrap()));
}
