//! The real binary, a scripted origin, and pictures to work on.

#![allow(clippy::disallowed_types, reason = "a test's panic ends it")]

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

/// How long anything may take to come about before a test gives up. Far beyond what it takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An address that nobody listens on, given to nobody else in this process. Below the ports that the system gives to
/// outgoing connections, one of which could take it before it is used.
pub fn free() -> SocketAddr {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let number = std::process::id().wrapping_mul(61).wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = 10_000 + u16::try_from(number % 20_000).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// A client that follows nothing and remembers nothing.
pub fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

pub use crate::shared::at_hand::{corpus, missing};

/// The demo's pictures, which the project carries.
pub fn demo() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conf/demo")
}

/// A running service. Ends with this value.
pub struct Pictor {
    child: Child,
    pub public: SocketAddr,
    pub admin: SocketAddr,
    pub log: Arc<Mutex<Vec<String>>>,
    _folder: tempfile::TempDir,
}

impl Pictor {
    /// Starts the service. `PUBLIC`, `ADMIN` and `DEMO` in the configuration are filled in; `[server]` needs to be written
    /// only when it holds more.
    pub async fn start(config: &str) -> Self {
        Self::start_with(config, &[]).await
    }

    pub async fn start_with(config: &str, env: &[(&str, &str)]) -> Self {
        let (public, admin) = (free(), free());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pictor.toml");
        let server = "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\n";
        let text = if config.contains("[server]") { config.to_owned() } else { format!("{server}{config}") };
        let text = text.replace("PUBLIC", &public.to_string()).replace("ADMIN", &admin.to_string());
        std::fs::write(&file, text.replace("DEMO", demo().to_str().unwrap())).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_pictor"))
            .args(["serve", "--config"])
            .arg(&file)
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (lines, stderr) = (log.clone(), child.stderr.take().unwrap());
        // Ends with the child's end of the pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                lines.lock().unwrap().push(line);
            }
        });
        let mut this = Self { child, public, admin, log, _folder: folder };
        let (client, began) = (client(), Instant::now());
        let url = format!("http://{admin}/readyz");
        while !matches!(client.get(&url).send().await, Ok(answer) if answer.status() == 200) {
            let ended = this.child.try_wait().unwrap();
            assert!(ended.is_none(), "the service ended: {:?}", this.log.lock().unwrap());
            assert!(began.elapsed() < PATIENCE, "not ready: {:?}", this.log.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        this
    }

    /// The demo's folder as origin.
    pub async fn demo() -> Self {
        Self::start(&site("kind = \"dir\"\npath = \"DEMO\"")).await
    }

    /// A plain HTTP origin.
    pub async fn before(origin: &Origin) -> Self {
        Self::start(&site(&format!("kind = \"http\"\nurl = \"http://{}\"", origin.address))).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.public)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The process, to wait for its end.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Whether a line of the log has it.
    pub fn logged(&self, text: &str) -> bool {
        self.log.lock().unwrap().iter().any(|line| line.contains(text))
    }

    /// Workers that live now.
    pub fn workers(&self) -> Vec<u32> {
        children(self.pid())
    }

    /// Resident KiB of the service alone.
    pub fn resident(&self) -> u64 {
        status_field(self.pid(), "VmRSS:").unwrap_or(0)
    }

    /// Waits until a number of the metrics is as wanted.
    pub async fn metric_until(&self, name: &str, wanted: impl Fn(f64) -> bool) {
        let began = Instant::now();
        loop {
            let value = self.metric(name).await;
            if wanted(value) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{name} stays {value}: {:?}", self.log.lock().unwrap());
        }
    }

    /// One number of the metrics; labels as they stand in the exposition, 0 if it is not there.
    pub async fn metric(&self, name: &str) -> f64 {
        let text = client().get(format!("http://{}/metrics", self.admin)).send().await.unwrap().text().await.unwrap();
        let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        lines.filter(|(key, _)| key.starts_with(name)).filter_map(|(_, value)| value.parse::<f64>().ok()).sum()
    }
}

impl Drop for Pictor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `[[site]]` over an origin, without negotiation.
pub fn site(origin: &str) -> String {
    format!("[[site]]\nname = \"t\"\nhosts = [\"*\"]\n[site.origin]\n{origin}\n")
}

/// `[site.origin]` of a store at an address that Pictor signs for, and where its keys are.
pub fn signed(address: SocketAddr, bucket: &str) -> (String, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, name).unwrap();
        path.display().to_string()
    };
    let origin = format!(
        "kind = \"s3\"\nendpoint = \"http://{address}\"\nbucket = \"{bucket}\"\naccess_key_file = \"{}\"\nsecret_key_file = \"{}\"\n",
        file("ak"),
        file("sk")
    );
    (origin, folder)
}

fn status_field(pid: u32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok())
}

/// Children of a process that have not ended.
pub fn children(parent: u32) -> Vec<u32> {
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_string_lossy().parse::<u32>().ok());
    let alive = |pid: u32| !std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default().contains(") Z ");
    pids.filter(|pid| status_field(*pid, "PPid:") == Some(u64::from(parent)) && alive(*pid)).collect()
}

/// Waits until something holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    began.elapsed()
}

/// What an origin does with a path.
#[derive(Clone)]
pub enum Act {
    /// 200 with these bytes.
    Give(Vec<u8>),
    /// 200 that announces more than it sends, then closes.
    Short(Vec<u8>, usize),
    /// A status and nothing else.
    Status(u16),
    /// A status, lines of the head and a body.
    Say(u16, &'static str, String),
    /// Takes the request and closes without an answer.
    Gone,
    /// Reads the body to its end and answers with its length and the request's head.
    Echo,
    /// 200 with so many zero bytes, streamed.
    Zeros(u64),
    /// The same; the last byte waits for [`Origin::release`].
    Slow(u64),
    /// Never answers.
    Hang,
}

/// A scripted HTTP origin; remembers what it was asked.
pub struct Origin {
    pub address: SocketAddr,
    acts: Arc<Mutex<HashMap<String, Act>>>,
    seen: Arc<Mutex<Vec<String>>>,
    gate: watch::Sender<bool>,
    release: watch::Sender<bool>,
}

impl Origin {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acts: Arc<Mutex<HashMap<String, Act>>> = Arc::default();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let (gate, open) = watch::channel(true);
        let (release, released) = watch::channel(false);
        let this = Self { address, acts: acts.clone(), seen: seen.clone(), gate, release };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acts, seen, open, released) = (acts.clone(), seen.clone(), open.clone(), released.clone());
                tokio::spawn(async move {
                    let _ = converse(stream, acts, seen, open, released).await;
                });
            }
        });
        this
    }

    pub fn script(&self, path: &str, act: Act) -> &Self {
        self.acts.lock().unwrap().insert(path.to_owned(), act);
        self
    }

    /// While closed, requests are taken and not answered.
    pub fn close_gate(&self) {
        self.gate.send_replace(false);
    }

    pub fn open_gate(&self) {
        self.gate.send_replace(true);
    }

    /// Lets the last bytes of slow answers go.
    pub fn release(&self) {
        self.release.send_replace(true);
    }

    /// Heads of the requests that have come, in lower case.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn converse(
    mut stream: tokio::net::TcpStream,
    acts: Arc<Mutex<HashMap<String, Act>>>,
    seen: Arc<Mutex<Vec<String>>>,
    mut open: watch::Receiver<bool>,
    mut released: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end);
        let target = head.split(' ').nth(1).unwrap_or("/").to_owned();
        let path = target.split('?').next().unwrap_or("/").to_owned();
        let head = head.to_ascii_lowercase();
        seen.lock().unwrap().push(head.clone());
        let act = acts.lock().unwrap().get(&path).cloned().unwrap_or(Act::Status(404));
        let _ = open.wait_for(|open| *open).await;
        if head.contains("expect: 100-continue") {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        let received = receive(&mut stream, &mut buffer, &head).await?;
        let is_head = head.starts_with("head ");
        match act {
            Act::Give(bytes) => {
                let tag = format!("\"{:x}-{}\"", bytes.len(), bytes.iter().map(|byte| u64::from(*byte)).sum::<u64>());
                if head.contains(&format!("if-none-match: {tag}")) {
                    stream.write_all(format!("HTTP/1.1 304 Not Modified\r\nETag: {tag}\r\n\r\n").as_bytes()).await?;
                    continue;
                }
                let line = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: image/x-test\r\nETag: {tag}\r\nKeep-Alive: timeout=5\r\n\
                     Connection: keep-alive, X-Hop\r\nX-Hop: 1\r\nX-End: 2\r\nContent-Length: {}\r\n\r\n",
                    bytes.len()
                );
                stream.write_all(line.as_bytes()).await?;
                if !is_head {
                    stream.write_all(&bytes).await?;
                }
            }
            Act::Short(bytes, missing) => {
                let length = bytes.len() + missing;
                stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await?;
                stream.write_all(&bytes).await?;
                return Ok(());
            }
            Act::Status(status) => {
                stream.write_all(format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n").as_bytes()).await?;
            }
            Act::Say(status, lines, body) => {
                let length = body.len();
                let head = format!("HTTP/1.1 {status} X\r\n{lines}Content-Length: {length}\r\n\r\n");
                stream.write_all(head.as_bytes()).await?;
                if !is_head {
                    stream.write_all(body.as_bytes()).await?;
                }
            }
            Act::Gone => return Ok(()),
            Act::Echo => {
                let body = format!("{received}\n{head}");
                let line = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(line.as_bytes()).await?;
            }
            Act::Zeros(length) | Act::Slow(length) => {
                stream.write_all(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").as_bytes()).await?;
                let (zeros, mut left) = (vec![0; 1 << 16], length);
                while left > 0 {
                    let last = matches!(act, Act::Slow(_)) && left <= 1 << 16;
                    let chunk = left.min(1 << 16) as usize - usize::from(last && left > 1);
                    if last && left == 1 {
                        let _ = released.wait_for(|released| *released).await;
                    }
                    stream.write_all(&zeros[..chunk]).await?;
                    left -= chunk as u64;
                }
            }
            Act::Hang => std::future::pending().await,
        }
    }
}

/// Takes a request's body in without keeping it; gives its length.
async fn receive(stream: &mut tokio::net::TcpStream, buffer: &mut Vec<u8>, head: &str) -> std::io::Result<u64> {
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<u64>().ok());
    if let Some(length) = length {
        let mut got = 0;
        while got < length {
            if buffer.is_empty() && stream.read_buf(buffer).await? == 0 {
                break;
            }
            let take = (buffer.len() as u64).min(length - got) as usize;
            buffer.drain(..take);
            got += take as u64;
        }
        return Ok(got);
    }
    if !head.contains("transfer-encoding: chunked") {
        return Ok(0);
    }
    let mut got = 0;
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(2).position(|window| window == b"\r\n") {
                break end;
            }
            if stream.read_buf(buffer).await? == 0 {
                return Ok(got);
            }
        };
        let size = u64::from_str_radix(String::from_utf8_lossy(&buffer[..end]).trim(), 16).unwrap_or(0);
        buffer.drain(..end + 2);
        let mut left = size + 2;
        while left > 0 {
            if buffer.is_empty() && stream.read_buf(buffer).await? == 0 {
                return Ok(got);
            }
            let take = (buffer.len() as u64).min(left) as usize;
            buffer.drain(..take);
            left -= take as u64;
        }
        got += size;
        if size == 0 {
            return Ok(got);
        }
    }
}

/// Whether a program of the independent decoders is here; `scripts/setup test` installs them all.
pub fn have(program: &str) -> bool {
    static SEEN: OnceLock<Mutex<HashMap<String, bool>>> = OnceLock::new();
    let mut seen = SEEN.get_or_init(Mutex::default).lock().unwrap();
    *seen.entry(program.to_owned()).or_insert_with(|| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(program).exists())
    })
}

/// Width and height that independent programs see in a picture; the programs that can read its format must agree.
pub fn judged(bytes: &[u8], extension: &str) -> (u32, u32) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(format!("picture.{extension}"));
    std::fs::write(&file, bytes).unwrap();
    let mut sizes = Vec::new();
    let png = folder.path().join("out.png");
    let decoders: &[(&str, &[&str])] = match extension {
        "avif" => &[("avifdec", &["IN", "OUT"]), ("vips", &["copy", "IN", "OUT"])],
        "heic" => &[("heif-convert", &["IN", "OUT"]), ("vips", &["copy", "IN", "OUT"])],
        "webp" => &[("dwebp", &["IN", "-o", "OUT"]), ("vips", &["copy", "IN", "OUT"])],
        _ => &[("convert", &["IN[0]", "OUT"]), ("vips", &["copy", "IN", "OUT"])],
    };
    for (program, arguments) in decoders {
        assert!(have(program), "{program} is not here; run scripts/setup test");
        let fill =
            |argument: &&str| argument.replace("IN", file.to_str().unwrap()).replace("OUT", png.to_str().unwrap());
        let _ = std::fs::remove_file(&png);
        let done = Command::new(program).args(arguments.iter().map(fill)).output().unwrap();
        assert!(png.exists(), "{program} cannot read the {extension}: {}", String::from_utf8_lossy(&done.stderr));
        let header = std::fs::read(&png).unwrap();
        let number = |at: usize| u32::from_be_bytes(header[at..at + 4].try_into().unwrap());
        sizes.push((number(16), number(20)));
    }
    assert!(sizes.windows(2).all(|pair| pair[0] == pair[1]), "{extension}: {sizes:?}");
    sizes[0]
}
