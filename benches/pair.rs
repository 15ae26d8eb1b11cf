//! Two builds of the service in turn, in CPU time per request: `cargo bench --bench pair -- OTHER_BINARY [ROUNDS]`.
//!
//! Hits of about 1 KB and 50 KB on sixteen kept connections, and conversions that nobody has asked for before (a JPEG
//! fitted into 512 pixels, an AVIF of the same size), one after the other. The time is that of the service with its workers,
//! from the kernel's accounts; the client is not in it. A B A B, so that a machine that drifts drifts for both: quote ratios.

#![allow(clippy::disallowed_methods, reason = "looks at another program until a limit")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What is measured: a name, requests a round, and the path of the n-th request.
type Case = (&'static str, usize, fn(usize) -> String);

const CASES: [Case; 4] = [
    ("hit, 1 KB", 20_000, |_| "/sample.jpg?imageMogr2/thumbnail/78x52!/format/webp".into()),
    ("hit, 50 KB", 20_000, |_| "/sample.jpg?imageMogr2/thumbnail/640x/format/jpg/quality/97".into()),
    ("JPEG, 512 fit", 60, |n| format!("/sample.jpg?imageMogr2/thumbnail/512x{}/format/jpg", 512 + n)),
    ("AVIF, 512 fit", 20, |n| format!("/sample.jpg?imageMogr2/thumbnail/512x{}/format/avif", 512 + n)),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let Some(other) = arguments.first().map(PathBuf::from) else {
        println!("pair: say `-- OTHER_BINARY [ROUNDS]`");
        return;
    };
    let rounds = arguments.get(1).map_or(7, |text| text.parse().expect("a number of rounds"));
    let ours = PathBuf::from(env!("CARGO_BIN_EXE_pictor"));
    for (name, requests, path) in CASES {
        let mut services = [Service::start(&other), Service::start(&ours)];
        let mut costs = [Vec::new(), Vec::new()];
        let mut next = 0;
        let mut bytes = 0;
        // The first round warms up and does not count.
        for round in 0..=rounds {
            for (service, costs) in services.iter_mut().zip(&mut costs) {
                let (cost, length) = service.measure(requests, &|n| path(next + n));
                bytes = length;
                if round > 0 {
                    costs.push(cost);
                }
            }
            next += requests;
        }
        let mut ratios: Vec<f64> = costs[1].iter().zip(&costs[0]).map(|(ours, other)| ours / other).collect();
        let [other, ours] = costs.map(|mut costs| median(&mut costs) * 1e6);
        let (ratio, low, high) = (median(&mut ratios), ratios[0], ratios[ratios.len() - 1]);
        println!("{name:14} {bytes:6} bytes: {other:9.1} -> {ours:9.1} µs, ratio {ratio:.3} ({low:.3} to {high:.3})");
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

struct Service {
    child: Child,
    address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Service {
    fn start(program: &Path) -> Self {
        let free = || TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let (address, admin) = (free(), free());
        let folder = tempfile::tempdir().unwrap();
        let demo = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/demo");
        let config = folder.path().join("pictor.toml");
        let text = format!(
            "[server]\nlisten = [\"{address}\"]\nadmin = \"{admin}\"\nthreads = 1\n[engine]\nworkers = 1\n[[site]]\n\
             name = \"pair\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"dir\"\npath = \"{}\"\n[site.cache]\nfresh = \"1h\"\n",
            demo.display()
        );
        fs::write(&config, text).unwrap();
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&config).env("PICTOR_LOG", "warn,access=off").stdout(Stdio::null());
        let service = Self { child: command.spawn().unwrap(), address, _folder: folder };
        let started = Instant::now();
        while !TcpStream::connect(admin).is_ok_and(|stream| get(&stream, "/readyz").0 == 200) {
            assert!(started.elapsed() < Duration::from_secs(20), "{} did not get ready", program.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        service
    }

    /// Seconds of CPU a request, and the bytes of the last answer.
    fn measure(&mut self, requests: usize, path: &dyn Fn(usize) -> String) -> (f64, usize) {
        let streams: Vec<TcpStream> = (0..16).map(|_| TcpStream::connect(self.address).unwrap()).collect();
        let before = self.cpu();
        let mut length = 0;
        for n in 0..requests {
            let (status, bytes) = get(&streams[n % streams.len()], &path(n));
            assert_eq!(status, 200, "{}", path(n));
            length = bytes;
        }
        ((self.cpu() - before).as_secs_f64() / requests as f64, length)
    }

    /// What the service and its workers, past and present, have used.
    fn cpu(&self) -> Duration {
        let pid = self.child.id();
        let mut total = threads(pid) + ticks(pid, 13..15);
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            total += children.split_whitespace().map(|child| ticks(child.parse().unwrap(), 11..13)).sum::<Duration>();
        }
        total
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The nanoseconds that a process's threads have run, as the scheduler counts them.
fn threads(pid: u32) -> Duration {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return Duration::ZERO };
    let one = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        Duration::from_nanos(text.split(' ').next().and_then(|text| text.parse().ok()).unwrap_or(0))
    };
    tasks.flatten().map(one).sum()
}

/// A process's time as the kernel counts it in ticks of 10 ms, threads that have ended included: fields 11 and 12 after its
/// name are its own, 13 and 14 those of its children that have ended (proc_pid_stat(5)).
fn ticks(pid: u32, fields: std::ops::Range<usize>) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after: Vec<&str> = stat.rsplit(')').next().unwrap_or("").split_whitespace().collect();
    let ticks: u64 = after.get(fields).unwrap_or(&[]).iter().filter_map(|text| text.parse::<u64>().ok()).sum();
    Duration::from_millis(10 * ticks)
}

/// Status and length of the body.
fn get(mut stream: &TcpStream, path: &str) -> (u16, usize) {
    stream.set_nodelay(true).unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: pair\r\n\r\n").as_bytes()).unwrap();
    let mut buffer = vec![0; 1 << 17];
    let mut filled = 0;
    let mut read = |buffer: &mut Vec<u8>, filled: &mut usize| {
        if *filled == buffer.len() {
            buffer.resize(2 * *filled, 0);
        }
        let count = stream.read(&mut buffer[*filled..]).unwrap();
        assert!(count > 0, "the connection was closed before the answer's end");
        *filled += count;
    };
    let head = loop {
        read(&mut buffer, &mut filled);
        if let Some(end) = buffer[..filled].windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let status = text.split(' ').nth(1).and_then(|text| text.parse().ok()).unwrap();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).unwrap().trim().parse().unwrap();
    while filled < head + length {
        read(&mut buffer, &mut filled);
    }
    (status, length)
}
