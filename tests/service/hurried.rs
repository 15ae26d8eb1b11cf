//! Work that is too much: refused before it is begun, or hurried, and then made again.

use std::time::{Duration, Instant};

use crate::support::{Pictor, client, site};

const FOLDER: &str = "kind = \"dir\"\npath = \"DEMO\"";

/// The lifetime that an answer names.
fn max_age(answer: &reqwest::Response) -> u64 {
    let text = answer.headers()["cache-control"].to_str().unwrap();
    text.split("max-age=").nth(1).and_then(|rest| rest.split(',').next()?.trim().parse().ok()).unwrap()
}

#[tokio::test]
async fn what_cannot_be_done_in_time_is_refused_before_it_is_begun() {
    let pictor = Pictor::start(&format!("[engine]\ndeadline = \"500ms\"\n{}", site(FOLDER))).await;
    let rule = "x-oss-process=image/resize,w_2400,limit_0/format,webp/quality,lossless";
    let answer = client().get(pictor.url(&format!("/sample.png?{rule}"))).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"60".parse().unwrap()));
    assert_eq!(pictor.metric("pictor_worker_events_total{event=\"refused_hopeless\"}").await, 1.0);
    assert_eq!(pictor.metric("pictor_worker_events_total{event=\"killed\"}").await, 0.0);
}

#[tokio::test]
async fn what_was_hurried_is_kept_shortly_and_made_again_when_there_is_time() {
    let config = format!("[engine]\nworkers = 1\ndeadline = \"6s\"\n{}", site(FOLDER));
    let pictor = Pictor::start(&config).await;
    let asked: Vec<_> = (0..60)
        .map(|n| {
            let url = pictor.url(&format!("/sample.jpg?imageMogr2/thumbnail/{}x/format/avif", 1000 + n));
            tokio::spawn(async move {
                let answer = client().get(&url).send().await.unwrap();
                (answer.status() == 200).then(|| (url, max_age(&answer)))
            })
        })
        .collect();
    let (mut hurried, mut others) = (Vec::new(), 0);
    for task in asked {
        match task.await.unwrap() {
            Some((url, ..=60)) => hurried.push(url),
            Some(_) => others += 1,
            None => {}
        }
    }
    println!("{} were hurried, {others} were not", hurried.len());
    let url = hurried.first().expect("with so many in front of it, one was hurried");
    assert!(others > 0, "nobody hurries while nobody waits");
    // Nobody asks but for hits.
    let began = Instant::now();
    loop {
        let answer = client().get(url).send().await.unwrap();
        assert_eq!(answer.headers()["cache-status"], "pictor; hit");
        if max_age(&answer) > 60 {
            break;
        }
        assert!(began.elapsed() < Duration::from_secs(50), "it was not made again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
