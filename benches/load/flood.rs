//! Memory, hits and small misses beside a flood of large cold keys and of headers that are made to be expensive.

use std::collections::BTreeMap;

use super::*;

/// Bytes of each crafted original.
const CRAFTED: usize = 4 << 20;

pub async fn run(keys: usize, mib: u64) {
    // As configured by default, but that everything is named here.
    let (originals, in_flight) = (128_u64, 256_u64);
    let cache = format!("memory = \"256MiB\"\noriginals = \"{originals}MiB\"\nin_flight = \"{in_flight}MiB\"");
    let origin = slow_origin(mib << 20).await;
    let service = Service::start_with("30s", &cache, &format!("kind = \"http\"\nurl = \"http://{origin}\"")).await;
    let (address, hit) = (service.public, "/chelsea.png?imageMogr2/thumbnail/300x/format/webp");
    get(address, hit).await.unwrap();
    let before = service.resident().0 >> 10;
    println!("hits alone:      {}", hits(address, hit, Duration::from_secs(5)).await);
    let statuses = Arc::new(parking_lot::Mutex::new(BTreeMap::<u16, usize>::new()));
    let began = Instant::now();
    let seen = statuses.clone();
    let cold = tokio::spawn(async move {
        // A hundred a second, each with a connection of its own.
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let mut open = Vec::new();
        for number in 0..keys {
            tick.tick().await;
            let seen = seen.clone();
            open.push(tokio::spawn(async move {
                let status = get(address, &format!("/cold/{number}.bmp?imageInfo")).await.map_or(0, |answer| answer.0);
                *seen.lock().entry(status).or_default() += 1;
            }));
        }
        for task in open {
            task.await.unwrap();
        }
    });
    let over = Arc::new(AtomicBool::new(false));
    let flag = over.clone();
    let misses = tokio::spawn(async move {
        let mut took = Vec::new();
        let mut tick = tokio::time::interval(Duration::from_millis(200));
        while !flag.load(Ordering::Relaxed) {
            tick.tick().await;
            let (one, number) = (Instant::now(), took.len());
            let path = format!("/new/{number}/chelsea.png?imageMogr2/thumbnail/100x/format/webp");
            let status = get(address, &path).await.map_or(0, |answer| answer.0);
            took.push((one.elapsed(), status));
        }
        took
    });
    let flag = over.clone();
    let crafted = tokio::spawn(async move {
        // Five of each kind a second, 4 MiB each, none of which anybody has asked for.
        let (mut open, mut statuses) = (Vec::new(), BTreeMap::<u16, usize>::new());
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        while !flag.load(Ordering::Relaxed) {
            tick.tick().await;
            let kind = if open.len() % 2 == 0 { "heic" } else { "jxl" };
            let path = format!("/{kind}/{}?imageMogr2/thumbnail/9x9/format/jpg", open.len());
            open.push(tokio::spawn(async move { get(address, &path).await.map_or(0, |answer| answer.0) }));
        }
        for task in open {
            *statuses.entry(task.await.unwrap()).or_default() += 1;
        }
        statuses
    });
    let pressed = tokio::spawn(hits(address, hit, Duration::from_secs(20)));
    let mut peak = 0;
    while !cold.is_finished() {
        peak = peak.max(service.resident().0 >> 10);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    over.store(true, Ordering::Relaxed);
    println!("hits beside it:  {}", pressed.await.unwrap());
    println!("crafted headers beside it, by status: {:?}", crafted.await.unwrap());
    let mut misses = misses.await.unwrap();
    misses.sort();
    let at = |part: f64| misses[((misses.len() - 1) as f64 * part) as usize].0.as_secs_f64() * 1e3;
    let answered = misses.iter().filter(|(_, status)| *status == 200).count();
    println!(
        "small misses beside it: {answered} of {} answered, p50 {:.1} ms, p99 {:.1} ms, max {:.1} ms",
        misses.len(),
        at(0.5),
        at(0.99),
        at(1.0)
    );
    println!("flood: {keys} keys in {:.0} s, by status {:?}", began.elapsed().as_secs_f64(), statuses.lock());
    let bound = originals + in_flight;
    println!("service: {before} MiB before, {peak} MiB at most; originals may take {bound} MiB");
    tokio::time::sleep(Duration::from_secs(2)).await;
    println!("two seconds later: {} MiB", service.resident().0 >> 10);
}

/// What the origin has.
struct Objects {
    /// Bytes of those that take ten seconds.
    cold: u64,
    sample: Vec<u8>,
    heic: Vec<u8>,
    jxl: Vec<u8>,
}

/// An origin that takes ten seconds for each of its large objects (`/cold/...`), gives crafted pictures for `/heic/...` and
/// `/jxl/...`, and the demo's picture for the rest.
async fn slow_origin(cold: u64) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sample = std::fs::read(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/demo/chelsea.png")).unwrap();
    let (heic, jxl) = (crafted::heic_of_references(CRAFTED), crafted::jxl_of_permutations(CRAFTED));
    let objects = Arc::new(Objects { cold, sample, heic, jxl });
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let objects = objects.clone();
            tokio::spawn(async move {
                let _ = give(stream, &objects).await;
            });
        }
    });
    address
}

async fn give(mut stream: TcpStream, objects: &Objects) -> std::io::Result<()> {
    const CHUNK: u64 = 64 << 10;
    let mut buffer = Vec::new();
    loop {
        while !buffer.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        }
        let at_once = match buffer.get(4..9) {
            Some(b"/cold") => None,
            Some(b"/heic") => Some(&objects.heic),
            Some(b"/jxl/") => Some(&objects.jxl),
            _ => Some(&objects.sample),
        };
        buffer.clear();
        let length = at_once.map_or(objects.cold, |bytes| bytes.len() as u64);
        stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await?;
        if let Some(bytes) = at_once {
            stream.write_all(bytes).await?;
            continue;
        }
        let zeros = vec![0; CHUNK as usize];
        let mut tick = tokio::time::interval(Duration::from_secs(10) / u32::try_from(length / CHUNK + 1).unwrap());
        let mut left = length;
        while left > 0 {
            tick.tick().await;
            let chunk = left.min(CHUNK);
            stream.write_all(&zeros[..chunk as usize]).await?;
            left -= chunk;
        }
    }
}
