//! What keeping sites apart costs: conversions of WebP, which makes a worker its site's own, for more and more sites in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use pictor::plan::Format;

use super::studio::{Show, Studio, write};
use super::{Client, Service, get};

const CONVERSIONS: usize = 600;
/// Before anything is counted, every site has had its turn.
const WARM: usize = 120;

pub async fn run() {
    let folder = tempfile::tempdir().unwrap();
    let photo = Studio::open().picture(Show::Photo, false, (1000, 750), 0);
    std::fs::write(folder.path().join("photo.webp"), write(Format::WebP, Some(80), false, false, vec![photo])).unwrap();
    println!(
        "| sites | CPU ms a conversion | wall ms | p50 ms | p95 ms | workers |\n| --- | --- | --- | --- | --- | --- |"
    );
    for sites in [1, 2, 8, 16, 40] {
        let origin = format!("kind = \"dir\"\npath = \"{}\"", folder.path().display());
        // The first site answers to any host name, the others to their own.
        let others: String = (1..sites)
            .map(|n| format!("\n[[site]]\nname = \"site{n}\"\nhosts = [\"site{n}\"]\n[site.origin]\n{origin}"))
            .collect();
        let service = Service::start_with("30s", "memory = \"16MiB\"", &format!("{origin}{others}")).await;
        get(service.public, "/photo.webp?imageMogr2/thumbnail/20x").await.unwrap();
        in_turn(&service, sites, 0..WARM).await;
        let (cpu, began) = (service.cpu_ms(), Instant::now());
        let mut took = in_turn(&service, sites, WARM..WARM + CONVERSIONS).await;
        let each = |all: f64| all / CONVERSIONS as f64;
        let (cpu, wall) = (each(service.cpu_ms() - cpu), each(began.elapsed().as_secs_f64() * 1e3));
        took.sort_unstable_by(f64::total_cmp);
        let at = |part: usize| took[took.len() * part / 100];
        println!("| {sites} | {cpu:.1} | {wall:.1} | {:.1} | {:.1} | {} |", at(50), at(95), service.children().len());
    }
}

/// Two clients ask for one site after the other, each time for something else; milliseconds of each conversion.
async fn in_turn(service: &Service, sites: usize, numbers: std::ops::Range<usize>) -> Vec<f64> {
    let next = Arc::new(AtomicUsize::new(numbers.start));
    let clients: Vec<_> = (0..2)
        .map(|_| {
            let (next, end, address) = (next.clone(), numbers.end, service.public);
            tokio::spawn(async move {
                let mut client = Client::open(address).await.unwrap();
                let mut took = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return took;
                    }
                    let (width, height) = (200 + number % 100, 150 + number / 100);
                    let path = format!("/photo.webp?imageMogr2/thumbnail/{width}x{height}!/format/jpg");
                    let began = Instant::now();
                    let status = client.get_of(&format!("site{}", number % sites), &path).await.map(|answer| answer.0);
                    assert_eq!(status, Some(200), "{path}");
                    took.push(began.elapsed().as_secs_f64() * 1e3);
                }
            })
        })
        .collect();
    let mut took = Vec::new();
    for client in clients {
        took.extend(client.await.unwrap());
    }
    took
}
