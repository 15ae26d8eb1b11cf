//! The service under load, as a black box: `cargo bench --bench load -- soak|overload|flood|tenancy`. Starts the real binary on
//! loopback with the demo's pictures and prints what it measured.
//!
//! - `soak [N]`: N (20,000) different conversions of mixed sizes and formats; resident memory of the service and its
//!   workers after a tenth of them and at the end.
//! - `bursts [NAME]`: how long a thumbnail of 20 pixels takes while much, or something dear, is asked for at once; what
//!   became of the burst.
//! - `tenancy`: what keeping sites apart costs a conversion, for one site and for more than there are workers.
//! - `overload`: the hits' latency alone, then beside three times the conversions that the pool can do; what is refused;
//!   how soon the service is itself again.
//! - `flood [KEYS] [MIB]`: so many (2,000) cold keys of so many (30) MiB each against an origin that takes ten seconds for one:
//!   the service's peak of memory beside the configured bound, what is refused, the hits' latency, and how long small
//!   originals that nobody has asked for take meanwhile; with headers that are made to be expensive beside it all.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

#[path = "../tests/support/crafted.rs"]
mod crafted;
#[path = "load/flood.rs"]
mod flood;
mod studio;
#[path = "load/tenancy.rs"]
mod tenancy;

use pictor::plan::Format;
use studio::{Compression, Show, Studio, tiff, write};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    match arguments.first().map(String::as_str) {
        Some("soak") => {
            let conversions = arguments.get(1).map_or(20_000, |text| text.parse().expect("a number"));
            runtime.block_on(soak(conversions));
        }
        Some("overload") => runtime.block_on(overload()),
        Some("flood") => {
            let number =
                |at: usize, default: u64| arguments.get(at).map_or(default, |text| text.parse().expect("a number"));
            runtime.block_on(flood::run(number(1, 2_000) as usize, number(2, 30)));
        }
        Some("bursts") => runtime.block_on(bursts(arguments.get(1).map(String::as_str))),
        Some("tenancy") => runtime.block_on(tenancy::run()),
        _ => println!("load: say `-- soak`, `-- overload`, `-- flood`, `-- bursts` or `-- tenancy`"),
    }
}

/// The service, ended with this value.
struct Service {
    child: Child,
    public: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Service {
    async fn start(deadline: &str) -> Self {
        let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/demo");
        let cache = "memory = \"16MiB\"\noriginals = \"16MiB\"";
        Self::start_with(deadline, cache, &format!("kind = \"dir\"\npath = \"{}\"", demo.display())).await
    }

    async fn start_with(deadline: &str, cache: &str, origin: &str) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (public, admin) = (free(), free());
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("pictor.toml");
        let text = format!(
            "[server]\nlisten = [\"{public}\"]\nadmin = \"{admin}\"\n[engine]\ndeadline = \"{deadline}\"\n\
             [cache]\n{cache}\n[[site]]\nname = \"load\"\nhosts = [\"*\"]\n[site.origin]\n{origin}\n"
        );
        std::fs::File::create(&config).unwrap().write_all(text.as_bytes()).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_pictor"))
            .args(["serve", "--config"])
            .arg(&config)
            .env("PICTOR_LOG", "warn,access=off")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let service = Self { child, public, _folder: folder };
        let started = Instant::now();
        while get(admin, "/readyz").await.is_none_or(|answer| answer.0 != 200) {
            assert!(started.elapsed() < Duration::from_secs(20), "the service did not get ready");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        service
    }

    /// Resident KiB of the service and of all its children.
    fn resident(&self) -> (u64, u64) {
        let of = |pid| field(&status(pid), "VmRSS:").unwrap_or(0);
        (of(self.child.id()), self.children().into_iter().map(of).sum())
    }

    fn children(&self) -> Vec<u32> {
        let parent = u64::from(self.child.id());
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        all.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok())
            .filter(|pid| field(&status(*pid), "PPid:") == Some(parent))
            .collect()
    }

    /// CPU time of the service, of its children and of those that it had.
    fn cpu_ms(&self) -> f64 {
        let ticks = |pid: u32, fields: std::ops::Range<usize>| -> u64 {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let after: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
            after.get(fields).unwrap_or_default().iter().filter_map(|text| text.parse::<u64>().ok()).sum()
        };
        let children: u64 = self.children().into_iter().map(|pid| ticks(pid, 11..13)).sum();
        // A hundred ticks are a second wherever Linux runs.
        (children + ticks(self.child.id(), 11..15)) as f64 * 10.0
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status(pid: u32) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default()
}

fn field(status: &str, name: &str) -> Option<u64> {
    status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// A connection that is used again and again.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    async fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        Some(Self { stream, buffer: Vec::with_capacity(1 << 16) })
    }

    /// Status and length of the body.
    async fn get(&mut self, path: &str) -> Option<(u16, usize)> {
        self.get_of("load", path).await
    }

    /// The same of the site that answers to a host name.
    async fn get_of(&mut self, host: &str, path: &str) -> Option<(u16, usize)> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await.ok()?;
        self.buffer.clear();
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1)?.parse().ok()?;
        let length: usize = text.lines().find_map(|line| line.strip_prefix("content-length:"))?.trim().parse().ok()?;
        while self.buffer.len() < head + length {
            if self.stream.read_buf(&mut self.buffer).await.ok()? == 0 {
                return None;
            }
        }
        Some((status, length))
    }
}

async fn get(address: SocketAddr, path: &str) -> Option<(u16, usize)> {
    Client::open(address).await?.get(path).await
}

async fn soak(conversions: usize) {
    let service = Service::start("30s").await;
    let (next, failed, bytes) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let started = Instant::now();
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let (next, failed, bytes, address) = (next.clone(), failed.clone(), bytes.clone(), service.public);
            tokio::spawn(async move {
                let mut client = Client::open(address).await.unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= conversions {
                        return;
                    }
                    match client.get(&different(number)).await {
                        Some((200, length)) => _ = bytes.fetch_add(length, Ordering::Relaxed),
                        other => {
                            if failed.fetch_add(1, Ordering::Relaxed) < 5 {
                                println!("{}: {other:?}", different(number));
                            }
                            client = Client::open(address).await.unwrap();
                        }
                    }
                }
            })
        })
        .collect();
    let mut early = None;
    loop {
        let done = next.load(Ordering::Relaxed).min(conversions);
        if early.is_none() && done >= conversions / 10 {
            early = Some(service.resident());
        }
        if done >= conversions {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for task in tasks {
        task.await.unwrap();
    }
    let (early, late) = (early.unwrap(), service.resident());
    let total = |(own, children): (u64, u64)| (own + children) as f64 / 1024.0;
    println!(
        "soak: {conversions} conversions in {:.0} s, {} failed, {} MB out",
        started.elapsed().as_secs_f64(),
        failed.load(Ordering::Relaxed),
        bytes.load(Ordering::Relaxed) / 1_000_000
    );
    println!(
        "resident after {}: {:.1} MiB (service {} KiB, workers {} KiB)",
        conversions / 10,
        total(early),
        early.0,
        early.1
    );
    println!("resident at the end: {:.1} MiB (service {} KiB, workers {} KiB)", total(late), late.0, late.1);
    println!("change: {:+.1} %", 100.0 * (total(late) / total(early) - 1.0));
}

/// The n-th rule; no two are the same.
fn different(number: usize) -> String {
    let picture = ["sample.jpg", "chelsea.png", "sample.png"][number % 3];
    let format = ["jpg", "webp", "png", "avif", "webp", "jpg", "heif", "bmp"][number / 3 % 8];
    // Sizes run through 24..=423 and the height tells rounds apart.
    let (width, round) = (24 + (number / 24) % 400, number / (24 * 400));
    let height = 30 + (width * 7 + round * 131) % 300 + round;
    format!("/{picture}?imageMogr2/thumbnail/{width}x{height}!/format/{format}")
}

/// What is asked for at once.
struct Burst {
    name: &'static str,
    count: usize,
    /// Each width in the place of `{}`.
    path: &'static str,
    widths: Range<usize>,
}

const fn burst(name: &'static str, count: usize, path: &'static str, widths: Range<usize>) -> Burst {
    Burst { name, count, path, widths }
}

#[rustfmt::skip]
const BURSTS: [Burst; 9] = [
    burst("nothing", 0, "", 0..1),
    burst("tiny animations to AVIF", 60, "/tiny.webp?imageMogr2/thumbnail/{}x/format/avif", 6..18),
    burst("small animations to AVIF", 60, "/small.webp?imageMogr2/thumbnail/{}x/format/avif", 9..49),
    burst("small AVIFs", 80, "/photo.jpg?imageMogr2/thumbnail/{}x/format/avif", 300..380),
    burst("AVIFs of quality 90", 60, "/photo.jpg?imageMogr2/thumbnail/{}x/format/avif/quality/90!", 1930..1990),
    burst("AVIFs of quality 100", 60, "/photo.jpg?imageMogr2/thumbnail/{}x/format/avif/quality/100!", 1930..1990),
    burst("AVIFs without loss", 40, "/photo.jpg?x-oss-process=image/resize,w_{}/format,avif/quality,lossless", 1930..1970),
    burst("WebPs of 12 megapixels", 30, "/large.jpg?imageMogr2/thumbnail/{}x/format/webp/quality/100!", 3900..3930),
    burst("deep TIFFs", 40, "/deep.tif?imageMogr2/thumbnail/{}x/format/jpg", 400..440),
];

async fn bursts(only: Option<&str>) {
    let folder = tempfile::tempdir().unwrap();
    let studio = Studio::open();
    let photo = |size| vec![studio.picture(Show::Photo, false, size, 0)];
    let moving =
        |side, count| (0..count).map(|frame| studio.picture(Show::Graphic, true, (side, side), frame)).collect();
    let save = |name: &str, bytes: Vec<u8>| std::fs::write(folder.path().join(name), bytes).unwrap();
    save("thumb.png", write(Format::Png, None, false, false, photo((60, 45))));
    save("photo.jpg", write(Format::Jpeg, Some(90), false, false, photo((2000, 1500))));
    save("large.jpg", write(Format::Jpeg, Some(85), false, false, photo((4000, 3000))));
    save("tiny.webp", write(Format::WebP, Some(80), false, false, moving(17, 300)));
    save("small.webp", write(Format::WebP, Some(80), false, false, moving(48, 60)));
    save("deep.tif", tiff(&photo((2000, 1500))[0], true, Compression::Lzw));
    println!("| burst | thumbnails | p50 ms | p99 ms | longest ms | the burst by status | for ms at most |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for burst in BURSTS.iter().filter(|burst| only.is_none_or(|only| burst.name.contains(only))) {
        let service = Service::start_with(
            "10s",
            "memory = \"16MiB\"\noriginals = \"64MiB\"",
            &format!("kind = \"dir\"\npath = \"{}\"", folder.path().display()),
        )
        .await;
        let address = service.public;
        get(address, "/thumb.png?imageMogr2/thumbnail/20x").await.unwrap();
        let began = Instant::now();
        let flood: Vec<_> = (0..burst.count)
            .map(|n| {
                let width = burst.widths.start + n % burst.widths.len();
                let path = burst.path.replace("{}", &width.to_string());
                tokio::spawn(async move {
                    let one = Instant::now();
                    let status = get(address, &path).await.map_or(0, |answer| answer.0);
                    (status, one.elapsed())
                })
            })
            .collect();
        let mut took = Vec::new();
        let mut tick = tokio::time::interval(Duration::from_millis(40));
        let mut open = Vec::new();
        // No two are the same, so that each is converted.
        for number in 0..150 {
            tick.tick().await;
            let path = format!("/thumb.png?imageMogr2/thumbnail/{}x{}!", 14 + number % 12, 10 + number / 12);
            open.push(tokio::spawn(async move {
                let one = Instant::now();
                let answer = get(address, &path).await;
                (answer.map_or(0, |answer| answer.0), one.elapsed())
            }));
        }
        let mut refused = 0;
        for task in open {
            let (status, time) = task.await.unwrap();
            refused += usize::from(status != 200);
            took.push(time);
        }
        took.sort();
        let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
        let mut statuses = std::collections::BTreeMap::<u16, (usize, Duration)>::new();
        for task in flood {
            let (status, time) = task.await.unwrap();
            let seen = statuses.entry(status).or_default();
            *seen = (seen.0 + 1, seen.1.max(time));
        }
        let told: Vec<String> = statuses
            .iter()
            .map(|(status, (count, time))| format!("{count} x {status} within {:.1} s", time.as_secs_f64()))
            .collect();
        println!(
            "| {} | {} ({refused} refused) | {:.1} | {:.1} | {:.1} | {} | {} |",
            burst.name,
            took.len(),
            at(0.5),
            at(0.99),
            at(1.0),
            told.join(", "),
            began.elapsed().as_millis()
        );
    }
}

async fn overload() {
    let service = Service::start("5s").await;
    let address = service.public;
    let hit = "/sample.jpg?imageMogr2/thumbnail/300x/format/webp";
    get(address, hit).await.unwrap();
    // What the pool can do with a queue in front of it, which is when it takes its fastest encoders.
    let heavy = |number: usize| {
        format!("/sample.jpg?imageMogr2/thumbnail/{}x{}!/format/avif", 500 + number % 500, 600 + number / 500)
    };
    let (count, next) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let began = Instant::now();
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let tasks: Vec<_> = (0..32 * cores)
        .map(|_| {
            let (count, next) = (count.clone(), next.clone());
            tokio::spawn(async move {
                let mut client = Client::open(address).await.unwrap();
                while began.elapsed() < Duration::from_secs(8) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if client.get(&heavy(number)).await.unwrap().0 == 200 {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let used = count.load(Ordering::Relaxed);
    let capacity = used as f64 / began.elapsed().as_secs_f64();
    println!("capacity: {capacity:.1} conversions/s");
    let quiet = hits(address, hit, Duration::from_secs(5)).await;
    println!("hits alone:      {}", quiet);

    // Three times that, open loop: each request has a connection of its own and nobody waits for anybody.
    let stop = Arc::new(AtomicBool::new(false));
    let statuses = Arc::new(parking_lot::Mutex::new(std::collections::BTreeMap::<u16, usize>::new()));
    let (flag, seen) = (stop.clone(), statuses.clone());
    let flood = tokio::spawn(async move {
        let mut number = 0;
        let mut tick = tokio::time::interval(Duration::from_secs_f64(1.0 / (3.0 * capacity)));
        let mut open = Vec::new();
        while !flag.load(Ordering::Relaxed) {
            tick.tick().await;
            number += 1;
            let (seen, path) = (
                seen.clone(),
                format!("/sample.jpg?imageMogr2/thumbnail/{}x{}!/format/avif", 500 + number % 500, 620 + number / 500),
            );
            open.push(tokio::spawn(async move {
                let status = get(address, &path).await.map_or(0, |answer| answer.0);
                *seen.lock().entry(status).or_default() += 1;
            }));
        }
        for task in open {
            task.await.unwrap();
        }
        number
    });
    tokio::time::sleep(Duration::from_secs(4)).await;
    let pressed = hits(address, hit, Duration::from_secs(15)).await;
    println!("hits under load: {}", pressed);
    stop.store(true, Ordering::Relaxed);
    let sent = flood.await.unwrap();
    println!("flood: {sent} sent, by status {:?}", statuses.lock());
    let again = Instant::now();
    let status = get(address, "/sample.png?imageMogr2/thumbnail/200x/format/webp").await.unwrap().0;
    println!("first new conversion after the flood: {status} in {:.0} ms", again.elapsed().as_secs_f64() * 1e3);
    println!("hits afterwards: {}", hits(address, hit, Duration::from_secs(5)).await);
}

/// Latencies of hits on two connections at a steady rate.
async fn hits(address: SocketAddr, path: &'static str, time: Duration) -> String {
    let mut took = Vec::new();
    let mut tasks = Vec::new();
    for _ in 0..2 {
        tasks.push(tokio::spawn(async move {
            let mut client = Client::open(address).await.unwrap();
            let (began, mut took) = (Instant::now(), Vec::new());
            let mut tick = tokio::time::interval(Duration::from_millis(4));
            while began.elapsed() < time {
                tick.tick().await;
                let one = Instant::now();
                assert_eq!(client.get(path).await.unwrap().0, 200);
                took.push(one.elapsed());
            }
            took
        }));
    }
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    took.sort();
    let at = |part: f64| took[((took.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    format!("{} requests, p50 {:.2} ms, p99 {:.2} ms, max {:.2} ms", took.len(), at(0.5), at(0.99), at(1.0))
}
