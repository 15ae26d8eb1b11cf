//! The corpus of bad pictures, through the whole service: a bounded answer for every file, and the service stands.

use std::time::{Duration, Instant};

use pictor::sign::encode::uri_encode;

use crate::support::{Pictor, client, corpus, site};

/// Every file has its answer within this.
const BOUND: Duration = Duration::from_secs(5);

#[tokio::test]
async fn every_bad_picture_has_its_answer_within_bounds() {
    let Some(corpus) = corpus() else { return };
    let bad = corpus.join("bad");
    let pictor = Pictor::start(&site(&format!("kind = \"dir\"\npath = \"{}\"", bad.display()))).await;
    let mut names: Vec<_> = std::fs::read_dir(&bad).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert!(names.len() > 100, "{} files", names.len());
    let mut slowest = (Duration::ZERO, String::new());
    let (mut ok, mut refused) = (Vec::new(), 0);
    for name in names {
        let name = name.into_string().unwrap();
        let began = Instant::now();
        let answer = client()
            .get(pictor.url(&format!("/{}?imageMogr2/thumbnail/100x/format/webp", uri_encode(name.as_bytes()))))
            .send()
            .await
            .unwrap();
        let (status, took) = (answer.status().as_u16(), began.elapsed());
        let body = answer.bytes().await.unwrap();
        assert!(took < BOUND, "{name} took {took:?}");
        match status {
            200 => ok.push(name.clone()),
            400 => refused += 1,
            status => panic!("{name}: {status} {}", String::from_utf8_lossy(&body)),
        }
        if name.contains("truncated") {
            assert_ne!(status, 200, "{name} is truncated");
        }
        slowest = slowest.max((took, name));
    }
    println!("{refused} refused, {} decoded: {ok:?}", ok.len());
    println!("slowest: {slowest:?}");
    assert_eq!(pictor.metric("pictor_workers{state=\"present\"}").await as usize, cores());
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
