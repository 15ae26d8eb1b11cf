//! Slow, broken and greedy clients and origins, each with the bound that ends it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::shared::scripted::{Behaviour, Gate, ScriptedOrigin};
use crate::support::{PATIENCE, Pictor, client, demo, free, have, missing, until};

const HEAD: Duration = Duration::from_millis(400);
const IDLE: Duration = Duration::from_millis(600);
const STALL: Duration = Duration::from_millis(800);
const REQUEST: Duration = Duration::from_millis(2_500);

const BOUNDS: &str = "head_timeout = \"400ms\"\nidle_timeout = \"600ms\"\nstall_timeout = \"800ms\"\n\
    request_timeout = \"2500ms\"\nmin_rate = \"8KiB\"\n";

/// Bounds that end nobody: for what is to be ended by something else.
const PATIENT: &str = "head_timeout = \"60s\"\nidle_timeout = \"60s\"\n";

fn config(server: &str, origin: &ScriptedOrigin, more: &str) -> String {
    format!(
        "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\n{server}[[site]]\nname = \"t\"\nhosts = [\"*\"]\n\
         [site.origin]\nkind = \"http\"\nurl = \"{}\"\n{more}",
        origin.url()
    )
}

const SHORT_ORIGIN: &str = "timeouts = { connect = \"500ms\", read = \"700ms\", total = \"1500ms\" }\n";

async fn start(config: &str) -> Pictor {
    Pictor::start_with(config, &[("PICTOR_LOG", "warn,access=info,pictor::http::front=debug")]).await
}

/// A connection of a test: sends what it is told, as slowly as it is told.
struct Line(TcpStream);

impl Line {
    async fn open(to: SocketAddr) -> Self {
        Self(TcpStream::connect(to).await.unwrap())
    }

    /// With a receive buffer that is soon full.
    async fn narrow(to: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 << 10).unwrap();
        Self(socket.connect(to).await.unwrap())
    }

    async fn say(mut self, bytes: impl AsRef<[u8]>) -> Self {
        // Whoever is cut off while speaking finds out by reading.
        let _ = self.0.write_all(bytes.as_ref()).await;
        self
    }

    /// One byte after the other, for as long as they are taken.
    async fn drip(mut self, bytes: impl AsRef<[u8]>, pause: Duration) -> Self {
        let mut peeked = [0];
        for byte in bytes.as_ref() {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                // An answer, or the end.
                _ = self.0.peek(&mut peeked) => break,
            }
            if self.0.write_all(&[*byte]).await.is_err() {
                break;
            }
        }
        self
    }

    /// The next answer's head and body of a known length.
    async fn answer(mut self) -> (Self, String) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        let text = String::from_utf8(head).unwrap();
        let length = text.to_ascii_lowercase().lines().find_map(|line| {
            line.strip_prefix("content-length:").map(|length| length.trim().parse::<usize>().unwrap())
        });
        let mut body = vec![0; length.unwrap_or(0)];
        self.0.read_exact(&mut body).await.unwrap();
        (self, text)
    }

    /// Everything until the other side closes.
    async fn rest(mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // A reset after an answer is an end as well.
        let _ = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the connection ends");
        bytes
    }

    /// A few bytes at a time, for a while: what lies in buffers would take hours.
    async fn sip(mut self, pause: Duration, long: Duration) -> Vec<u8> {
        let (mut bytes, began) = ([0; 16], Instant::now());
        while began.elapsed() < long && matches!(self.0.read(&mut bytes).await, Ok(1..)) {
            tokio::time::sleep(pause).await;
        }
        Vec::new()
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }
}

const GET: &[u8] = b"GET /small HTTP/1.1\r\nHost: a\r\n\r\n";
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const PAUSE: Duration = Duration::from_millis(30);

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// Preface and settings of a client of HTTP/2.
fn hello(settings: &[u8]) -> Vec<u8> {
    [PREFACE, &frame(4, 0, 0, settings)].concat()
}

/// HEADERS of a GET. `flags`: 4 ends the headers, 1 the stream.
fn get(stream: u32, path: &str, flags: u8) -> Vec<u8> {
    let mut block = vec![0x82, 0x86, 0x04, path.len() as u8];
    block.extend(path.as_bytes());
    block.extend([0x01, 1, b'a']);
    frame(1, flags, stream, &block)
}

/// Kinds of the frames in what a server of HTTP/2 has said.
fn kinds(mut bytes: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while bytes.len() >= 9 {
        let length = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]) as usize;
        kinds.push(bytes[3]);
        bytes = bytes.get(9 + length..).unwrap_or_default();
    }
    kinds
}

const RST_STREAM: u8 = 3;

type Ending = Pin<Box<dyn Future<Output = Vec<u8>> + Send>>;

/// What ends a client: its bounds, the least time that it is given, how what it hears begins.
struct Case {
    name: &'static str,
    bounds: &'static [&'static str],
    least: Duration,
    hears: &'static str,
    run: fn(Line) -> Ending,
    narrow: bool,
}

macro_rules! case {
    ($name:literal, $bounds:expr, $least:expr, $hears:literal, |$line:ident| $run:expr) => {
        Case { name: $name, bounds: &$bounds, least: $least, hears: $hears, narrow: false, run: |$line| Box::pin($run) }
    };
    (narrow $name:literal, $bounds:expr, $least:expr, $hears:literal, |$line:ident| $run:expr) => {
        Case { name: $name, bounds: &$bounds, least: $least, hears: $hears, narrow: true, run: |$line| Box::pin($run) }
    };
}

fn cases() -> Vec<Case> {
    vec![
        case!("says nothing", ["head"], HEAD, "", |line| line.rest()),
        case!("a head that drips", ["head"], HEAD, "HTTP/1.1 408 ", |line| async {
            line.drip(b"GET /small HTTP/1.1\r\nHost: a\r\nX-Slow: ".repeat(4), PAUSE).await.rest().await
        }),
        case!("a head without its end", ["head"], HEAD, "HTTP/1.1 408 ", |line| async {
            line.say("GET /small HTTP/1.1\r\nHost: a\r\n").await.rest().await
        }),
        case!("the first letter of HTTP/2", ["head"], HEAD, "", |line| async { line.say("P").await.rest().await }),
        case!("half a preface of HTTP/2", ["head"], HEAD, "", |line| async {
            line.say(&PREFACE[..16]).await.rest().await
        }),
        case!("HTTP/2 without a request", ["head"], HEAD, "", |line| async { line.say(hello(&[])).await.rest().await }),
        case!("HEADERS of HTTP/2 without their end", ["head"], HEAD, "", |line| async {
            line.say(hello(&[])).await.say(get(1, "/small", 1)).await.rest().await
        }),
        case!("HTTP/2 that pings", ["head"], HEAD, "", |line| async {
            let line = line.say(hello(&[])).await;
            line.drip(frame(6, 0, 0, &[0; 8]).repeat(40), Duration::from_millis(2)).await.rest().await
        }),
        case!("HTTP/2 after its answer", ["idle"], IDLE, "", |line| async {
            line.say(hello(&[])).await.say(get(1, "/small", 5)).await.rest().await
        }),
        case!("HTTP/2, HEADERS without their end after an answer", ["idle"], IDLE, "", |line| async {
            let line = line.say(hello(&[])).await.say(get(1, "/small", 5)).await;
            line.say(get(3, "/small", 1)).await.rest().await
        }),
        // The stream is reset for its want of a window; then the connection is idle.
        case!("HTTP/2 that gives no window", ["idle"], STALL, "", |line| async {
            let line = line.say(hello(&[0, 4, 0, 0, 0, 0])).await;
            let heard = line.say(get(1, "/large", 5)).await.rest().await;
            assert!(kinds(&heard).contains(&RST_STREAM), "{:?}", kinds(&heard));
            Vec::new()
        }),
        case!("kept and silent", ["idle"], IDLE, "", |line| async {
            line.say(GET).await.answer().await.0.rest().await
        }),
        case!("kept, then a head that drips", ["head"], HEAD, "HTTP/1.1 408 ", |line| async {
            let line = line.say(GET).await.answer().await.0;
            line.drip(b"GET /small HTTP/1.1\r\nX-Slow: ".repeat(4), PAUSE).await.rest().await
        }),
        case!("headers of 40 KiB", ["head_size"], Duration::ZERO, "HTTP/1.1 431 ", |line| async {
            let line = line.say("GET /small HTTP/1.1\r\nHost: a\r\n").await;
            line.say(format!("X-Long: {}\r\n", "x".repeat(1_000)).repeat(40)).await.rest().await
        }),
        case!("headers without end", ["head_size"], Duration::ZERO, "HTTP/1.1 431 ", |line| async {
            line.say("GET /small HTTP/1.1\r\nHost: a\r\nX-Long: ").await.say("x".repeat(4 << 20)).await.rest().await
        }),
        case!(narrow "never reads", ["rate", "stall"], STALL, "HTTP/1.1 200 ", |line| async {
            let line = line.say("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await;
            // To see the end without reading: what is sent to a closed connection is refused.
            let mut line = line;
            while line.0.write_all(b"x").await.is_ok() {
                tokio::time::sleep(PAUSE).await;
            }
            b"HTTP/1.1 200 ".to_vec()
        }),
        case!(narrow "reads by the drop", ["rate", "stall"], STALL, "", |line| async {
            line.say("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n").await.sip(PAUSE, STALL * 3).await
        }),
        case!(narrow "HTTP/2 that never reads", ["rate", "stall"], STALL, "", |line| async {
            // Windows as large as they may be: only the connection itself holds the answer back.
            let line = line.say(hello(&[0, 4, 0x7f, 0xff, 0xff, 0xff])).await;
            let mut line = line.say(frame(8, 0, 0, &0x7fff_0000_u32.to_be_bytes())).await.say(get(1, "/endless", 5)).await;
            while line.0.write_all(&frame(6, 0, 0, &[0; 8])).await.is_ok() {
                tokio::time::sleep(PAUSE).await;
            }
            Vec::new()
        }),
        case!("a body that stops", ["stall"], STALL, "", |line| async {
            line.say("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhello").await.rest().await
        }),
        case!("a body that never begins", ["stall"], STALL, "", |line| async {
            let line =
                line.say("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n").await;
            line.rest().await
        }),
        case!("a body that drips", ["rate"], STALL, "", |line| async {
            let line = line.say("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n").await;
            line.drip([b'x'; 200], PAUSE).await.rest().await
        }),
        case!("a chunked body that drips", ["rate"], STALL, "", |line| async {
            let line = line.say("PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            line.drip(b"1\r\nx\r\n".repeat(40), PAUSE).await.rest().await
        }),
        case!("HTTP/2, a body that never comes", ["stall"], STALL, "", |line| async {
            let block = [&[0x83, 0x86, 0x04, 3][..], b"/up", &[0x01, 1, b'a']].concat();
            line.say(hello(&[])).await.say(frame(1, 4, 1, &block)).await.rest().await
        }),
        case!("HTTP/2, pings in place of a body", ["stall"], STALL, "", |line| async {
            let block = [&[0x83, 0x86, 0x04, 3][..], b"/up", &[0x01, 1, b'a']].concat();
            let line = line.say(hello(&[])).await.say(frame(1, 4, 1, &block)).await;
            line.drip(frame(6, 0, 0, &[0; 8]).repeat(400), Duration::from_millis(1)).await.rest().await
        }),
        case!("an answer that takes its time", ["request"], REQUEST, "HTTP/1.1 200 ", |line| async {
            line.say("GET /trickle HTTP/1.1\r\nHost: a\r\n\r\n").await.rest().await
        }),
        // No bound: complete requests, however short, and several at once.
        case!("eighteen bytes of HTTP/1.0", [], Duration::ZERO, "HTTP/1.1 404 ", |line| async {
            line.say("GET / HTTP/1.0\r\n\r\n").await.rest().await
        }),
        case!("three requests in one write", ["idle"], IDLE, "", |line| async {
            let mut line = line.say(GET.repeat(3)).await;
            for _ in 0..3 {
                let (next, head) = line.answer().await;
                assert!(head.starts_with("HTTP/1.1 200 ") && !head.to_ascii_lowercase().contains("connection: close"));
                line = next;
            }
            line.rest().await
        }),
        case!("a request while another is answered", ["idle"], IDLE, "", |line| async {
            let mut line = line.say("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n").await.say("GET /sm").await;
            tokio::time::sleep(PAUSE).await;
            line = line.say("all HTTP/1.1\r\nHost: a\r\n\r\n").await;
            for body in ["held", "small"] {
                let (next, head) = line.answer().await;
                assert!(head.contains(&format!("ength: {}\r\n", body.len())), "{head}");
                line = next;
            }
            line.rest().await
        }),
        case!("a request while a picture is made", ["idle"], IDLE, "", |line| async {
            let mut line = line.say("GET /held.png?imageInfo HTTP/1.1\r\nHost: a\r\n\r\n").await.say("GET /sm").await;
            tokio::time::sleep(PAUSE).await;
            line = line.say("all HTTP/1.1\r\nHost: a\r\n\r\n").await;
            for kind in ["application/json", "text/plain"] {
                let (next, head) = line.answer().await;
                assert!(head.contains(kind), "{head}");
                line = next;
            }
            line.rest().await
        }),
        case!("two lengths", [], Duration::ZERO, "HTTP/1.1 400 ", |line| async {
            let line =
                line.say("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello").await;
            line.rest().await
        }),
    ]
}

/// Which bound ended the connection from this port, by the log.
fn bound_of(pictor: &Pictor, port: u16) -> Option<String> {
    let log = pictor.log.lock().unwrap();
    let client = format!("\"client\":\"127.0.0.1:{port}\"");
    let line = log.iter().find(|line| line.contains("a connection was ended") && line.contains(&client))?;
    Some(line.split("\"bound\":\"").nth(1)?.split('"').next()?.to_owned())
}

fn descriptors(pictor: &Pictor) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", pictor.pid())).unwrap().count()
}

async fn connections(pictor: &Pictor) -> f64 {
    pictor.metric("pictor_connections{listener=\"pictor\"}").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_ends_by_a_bound() {
    let origin = ScriptedOrigin::start();
    let gate = Gate::default();
    origin.put("/small", "text/plain", "small");
    origin.put("/large", "text/plain", vec![b'x'; 1 << 20]);
    origin.script("/endless", Behaviour::Endless);
    origin.script("/trickle", Behaviour::Trickle { body: vec![b'x'; 200], pause: Duration::from_millis(50) });
    origin.script("/gate", Behaviour::ok(&[], "held").after(&gate));
    let picture = std::fs::read(demo().join("sample.png")).unwrap();
    origin.script("/held.png", Behaviour::ok(&[("Content-Type", "image/png")], picture).after(&gate));
    let pictor = start(&config(BOUNDS, &origin, SHORT_ORIGIN)).await;
    let before = descriptors(&pictor);
    let cases = cases();
    let (public, opening) = (pictor.public, gate.clone());
    let runs = cases.iter().map(|case| async {
        let line = if case.narrow { Line::narrow(public).await } else { Line::open(public).await };
        let (port, began) = (line.port(), Instant::now());
        let heard = tokio::time::timeout(PATIENCE / 3, (case.run)(line)).await;
        let heard = heard.unwrap_or_else(|_| panic!("{}: no end", case.name));
        (port, began.elapsed(), heard)
    });
    let opened = async {
        // The request behind it has been sent by then.
        tokio::time::sleep(PAUSE * 4).await;
        opening.open();
    };
    let (ended, ()) = tokio::join!(join_all(runs), opened);
    for (case, (port, took, heard)) in cases.iter().zip(ended) {
        let name = case.name;
        let mut bound = None;
        if !case.bounds.is_empty() {
            until(name, || {
                bound = bound_of(&pictor, port);
                bound.is_some()
            })
            .await;
        }
        println!("{name:50} {:10} {took:?}", bound.as_deref().unwrap_or("-"));
        assert_eq!(case.bounds.is_empty(), bound.is_none(), "{name}: {bound:?}");
        assert!(bound.as_deref().is_none_or(|bound| case.bounds.contains(&bound)), "{name}: {bound:?}");
        assert!(took >= case.least.mul_f64(0.9), "{name}: ended after {took:?}");
        let heard = String::from_utf8_lossy(&heard);
        assert!(heard.starts_with(case.hears), "{name}: {heard:.200}");
    }
    // Nothing is left of any of them.
    let began = Instant::now();
    while connections(&pictor).await > 0.0 {
        assert!(began.elapsed() < PATIENCE, "connections are left");
    }
    drop(origin);
    until("descriptors are given back", || descriptors(&pictor) <= before + 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_bounded_like_the_rest() {
    if !have("openssl") {
        return missing("openssl");
    }
    let (folder, tls) = (tempfile::tempdir().unwrap(), free());
    let (chain, key) = certificate(folder.path());
    let origin = ScriptedOrigin::start();
    origin.put("/small", "text/plain", "small");
    let server = format!("{BOUNDS}listen_tls = [\"{tls}\"]\ncertificate = \"{chain}\"\nprivate_key = \"{key}\"\n");
    let pictor = start(&config(&server, &origin, "")).await;
    let silent = Line::open(tls).await;
    // The start of a ClientHello.
    let half = Line::open(tls).await.say([22, 3, 1, 2, 0, 1, 0]).await;
    let ports = [silent.port(), half.port()];
    let agreed = tokio::task::spawn_blocking(move || {
        let mut openssl = Command::new("openssl")
            .args(["s_client", "-quiet", "-connect", &tls.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let held = openssl.stdin.take();
        openssl.wait().unwrap();
        drop(held);
    });
    let (first, second, ()) = tokio::join!(silent.rest(), half.rest(), async { agreed.await.unwrap() });
    assert!(first.is_empty() && second.is_empty());
    for port in ports {
        until("a handshake's bound", || bound_of(&pictor, port).as_deref() == Some("handshake")).await;
    }
    assert!(pictor.metric("pictor_connections_ended_total{bound=\"head\"}").await >= 1.0, "agreed on, then silent");
    // And it serves: both protocols.
    let trusting = |h2: bool| {
        let builder = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true);
        if h2 { builder.build() } else { builder.http1_only().build() }.unwrap()
    };
    client();
    for (h2, version) in [(true, reqwest::Version::HTTP_2), (false, reqwest::Version::HTTP_11)] {
        let answer = trusting(h2).get(format!("https://{tls}/small")).send().await.unwrap();
        assert_eq!((answer.version(), answer.text().await.unwrap().as_str()), (version, "small"));
    }
}

fn certificate(folder: &std::path::Path) -> (String, String) {
    let (chain, key) = (folder.join("chain.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    (chain.display().to_string(), key.display().to_string())
}

/// Between us and a client lie megabytes of buffers: it is its own pace that counts, not that of their emptying.
#[tokio::test(flavor = "multi_thread")]
async fn who_reads_slowly_and_steadily_gets_everything() {
    let origin = ScriptedOrigin::start();
    let body: Vec<u8> = (0..12_u32 << 20).map(|at| (at >> 8) as u8).collect();
    origin.put("/large", "application/octet-stream", body.clone());
    let server = "stall_timeout = \"800ms\"\nmin_rate = \"64KiB\"\n";
    let pictor = start(&config(server, &origin, "")).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 << 10).unwrap();
    let line = Line(socket.connect(pictor.public).await.unwrap());
    let mut line = line.say("GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    let (mut heard, mut piece) = (Vec::new(), vec![0; 16 << 10]);
    let began = Instant::now();
    while began.elapsed() < STALL * 4 {
        let read = line.0.read(&mut piece).await.unwrap();
        heard.extend_from_slice(&piece[..read]);
        tokio::time::sleep(PAUSE).await;
    }
    line.0.read_to_end(&mut heard).await.unwrap();
    assert!(heard.ends_with(&body), "{} bytes of {}", heard.len(), body.len());
}

/// An origin that takes its time to read is not the client's fault.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_over_http2_waits_for_a_slow_origin() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(8).unwrap();
    let address = listener.local_addr().unwrap();
    let length = 12 << 20;
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        tokio::time::sleep(STALL * 3).await;
        let (mut bytes, mut read) = (vec![0; 1 << 20], 0);
        while read < length {
            read += stream.read(&mut bytes).await.unwrap();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        let _ = stream.read(&mut bytes).await;
    });
    let text = format!(
        "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\nstall_timeout = \"800ms\"\nmin_rate = \"8KiB\"\n[[site]]\n\
         name = \"t\"\nhosts = [\"*\"]\n[site.origin]\nkind = \"http\"\nurl = \"http://{address}\"\n"
    );
    let pictor = start(&text).await;
    let h2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let answer = h2.put(pictor.url("/up")).body(vec![b'x'; length]).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_for_the_operator_are_bounded_too() {
    let origin = ScriptedOrigin::start();
    let pictor = start(&config(BOUNDS, &origin, "")).await;
    let head = "PUT /-/sites/t/?style&styleName=a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
    let stops = Line::open(pictor.admin).await.say(head).await;
    let drips = Line::open(pictor.admin).await.say(head).await;
    let ports = [stops.port(), drips.port()];
    tokio::join!(stops.rest(), async { drips.drip([b'x'; 200], PAUSE).await.rest().await });
    for (port, wanted) in ports.into_iter().zip(["stall", "rate"]) {
        until(wanted, || bound_of(&pictor, port).is_some()).await;
        assert_eq!(bound_of(&pictor, port).as_deref(), Some(wanted));
    }
}

/// Results that the cache has let go lie in memory for those who are sent them: only so many bytes, and not for long.
#[tokio::test(flavor = "multi_thread")]
async fn results_that_nobody_takes_are_bounded() {
    let text = format!(
        "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\nstall_timeout = \"10m\"\n[cache]\nmemory = \"1MiB\"\n\
         sending = \"1MiB\"\n{}",
        crate::support::site("kind = \"dir\"\npath = \"DEMO\"")
    );
    let pictor = start(&text).await;
    let ask = |width: u32| format!("/sample.jpg?imageMogr2/thumbnail/{width}x/format/png");
    let (mut held, mut given) = (Vec::new(), 0);
    for width in 600..612 {
        let line = Line::narrow(pictor.public).await;
        let mut line = line.say(format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", ask(width))).await;
        let mut status = [0; 13];
        line.0.read_exact(&mut status).await.unwrap();
        given += usize::from(&status == b"HTTP/1.1 200 ");
        assert!(matches!(&status, b"HTTP/1.1 200 " | b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&status));
        held.push(line);
        let room = pictor.metric("pictor_results_held_bytes").await;
        assert!(room > 0.0 && room <= f64::from(2 << 20), "{room}");
    }
    assert!(given >= 4, "{given}");
    // Room is given back long before the time that they have else.
    let began = Instant::now();
    while pictor.metric("pictor_connections_ended_total{bound=\"stall\"}").await < 1.0 {
        assert!(began.elapsed() < PATIENCE, "nobody was cut off");
    }
    while client().get(pictor.url(&ask(620))).send().await.unwrap().status() != 200 {
        assert!(began.elapsed() < PATIENCE, "there is no room again");
    }
}

/// A connection from another address of the loopback.
async fn from(address: [u8; 4], to: SocketAddr) -> Line {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from((address, 0))).unwrap();
    Line(socket.connect(to).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_so_many_places_and_no_more() {
    let origin = ScriptedOrigin::start();
    origin.put("/small", "text/plain", "small");
    let limits = format!("{PATIENT}max_connections = 8\nmax_connections_per_client = 3\n");
    let pictor = start(&config(&limits, &origin, "")).await;
    let mut kept = Vec::new();
    for client in [2, 3] {
        for _ in 0..3 {
            kept.push(from([127, 0, 0, client], pictor.public).await.say(GET).await.answer().await.0);
        }
        let heard = from([127, 0, 0, client], pictor.public).await.rest().await;
        assert!(heard.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&heard));
    }
    for _ in 0..2 {
        kept.push(from([127, 0, 0, 4], pictor.public).await.say(GET).await.answer().await.0);
    }
    let heard = from([127, 0, 0, 5], pictor.public).await.rest().await;
    assert!(heard.starts_with(b"HTTP/1.1 503 "), "{}", String::from_utf8_lossy(&heard));
    assert_eq!(pictor.metric("pictor_connections_ended_total{bound=\"client\"}").await, 2.0);
    assert_eq!(pictor.metric("pictor_connections_ended_total{bound=\"total\"}").await, 1.0);
    // The house is full: who is idle goes, long before a minute is over, until there is place again.
    let began = Instant::now();
    loop {
        let mut line = from([127, 0, 0, 5], pictor.public).await.say(GET).await;
        let mut said = [0; 13];
        if line.0.read_exact(&mut said).await.is_ok() && &said == b"HTTP/1.1 200 " {
            break;
        }
        assert!(began.elapsed() < PATIENCE / 3, "nobody made place");
        tokio::time::sleep(PAUSE).await;
    }
    assert!(pictor.metric("pictor_connections_ended_total{bound=\"idle\"}").await >= 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_origin_is_504_for_plain_requests_too() {
    let origin = ScriptedOrigin::start();
    let pause = Duration::from_millis(100);
    let head = b"HTTP/1.1 200 OK\r\nX-Slow: x\r\n".repeat(10);
    origin.script("/drips", Behaviour::Drip { bytes: head, pause });
    origin.script("/hints", Behaviour::Then(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n".to_vec()));
    origin.script("/half", Behaviour::Then(b"HTTP/1.1 200 OK\r\n".to_vec()));
    origin.script("/silent", Behaviour::Silent);
    origin.script("/stalls", Behaviour::Stall { announced: 100, body: b"hello".to_vec() });
    origin.script("/gone", Behaviour::Reset(Vec::new()));
    let pictor = start(&config(PATIENT, &origin, SHORT_ORIGIN)).await;
    let asked = |path: &'static str| {
        let public = pictor.public;
        async move {
            let began = Instant::now();
            let line = Line::open(public).await;
            let heard = line.say(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await.rest().await;
            println!("{path:10} {:?}", began.elapsed());
            (String::from_utf8_lossy(&heard).into_owned(), began.elapsed())
        }
    };
    let ((drips, took), (hints, _), (half, _), (silent, _), (stalls, _), (gone, _)) = tokio::join!(
        asked("/drips"),
        asked("/hints"),
        asked("/half"),
        asked("/silent"),
        asked("/stalls"),
        asked("/gone")
    );
    assert!(drips.starts_with("HTTP/1.1 504 "), "{drips}");
    assert!(took >= Duration::from_millis(1_400), "the origin has all of its time: {took:?}");
    assert!(hints.starts_with("HTTP/1.1 103 ") && hints.contains("HTTP/1.1 504 "), "{hints}");
    assert!(half.starts_with("HTTP/1.1 504 "), "{half}");
    assert!(silent.starts_with("HTTP/1.1 504 "), "{silent}");
    assert!(stalls.starts_with("HTTP/1.1 200 ") && stalls.ends_with("hello"), "a half answer ends: {stalls}");
    assert!(gone.starts_with("HTTP/1.1 502 "), "{gone}");
    assert_eq!(origin.count("/gone"), 1, "a new connection that breaks is no kept one");

    // A stream is answered like a connection, and its neighbours are not touched.
    origin.put("/small", "text/plain", "small");
    let h2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let h2 = |path: &str| h2.get(pictor.url(path)).send();
    let (drips, small) = tokio::join!(h2("/drips"), h2("/small"));
    assert_eq!((drips.unwrap().status().as_u16(), small.unwrap().status().as_u16()), (504, 200));
    assert_eq!(h2("/small").await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_byte_of_the_next_request_leaves_the_origin_no_more_time() {
    let origin = ScriptedOrigin::start();
    origin.put("/small", "text/plain", "small");
    origin.script("/silent", Behaviour::Silent);
    // One read may take far longer than the whole head.
    let timeouts = "timeouts = { connect = \"500ms\", read = \"40s\", total = \"1s\" }\n";
    let pictor = start(&config(PATIENT, &origin, timeouts)).await;
    let late = |after: Option<Duration>| {
        let public = pictor.public;
        async move {
            let began = Instant::now();
            let mut line = Line::open(public).await.say("GET /silent HTTP/1.1\r\nHost: a\r\n\r\n").await;
            if let Some(after) = after {
                tokio::time::sleep(after).await;
            }
            line = line.say(GET).await;
            let heard = String::from_utf8_lossy(&line.rest().await).to_ascii_lowercase();
            (heard, began.elapsed())
        }
    };
    for (heard, took) in join_all([late(None), late(Some(PAUSE))]).await {
        assert!(heard.starts_with("http/1.1 504 "), "{heard}");
        assert!(heard.contains("connection: close"), "what follows is to be asked again: {heard}");
        assert!(took >= Duration::from_millis(950) && took < Duration::from_secs(20), "{took:?}");
    }
    // Once over one connection that is kept: whoever was late is nobody else's trouble.
    let mut line = Line::open(pictor.public).await.say(GET.repeat(2)).await;
    for _ in 0..2 {
        let (next, head) = line.answer().await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        line = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_connections_that_the_origin_closes_cost_no_answer() {
    let origin = ScriptedOrigin::start();
    origin.script("/kept", Behaviour::Fickle(b"fine".to_vec()));
    let pictor = start(&config("", &origin, "")).await;
    // Side by side, so that many closed connections lie in the pool.
    for round in 0..10 {
        let answers = join_all((0..8).map(|_| async {
            let answer = client().get(pictor.url("/kept")).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }))
        .await;
        for answer in answers {
            assert_eq!(answer, (200, "fine".into()), "round {round}");
        }
    }
    assert!(origin.count("/kept") >= 80, "every one was answered by the origin");
    // What may have been done is not done again.
    let mut statuses = BTreeMap::<u16, usize>::new();
    let before = origin.count("/kept");
    for _ in 0..8 {
        let answer = client().post(pictor.url("/kept")).body("x").send().await.unwrap();
        *statuses.entry(answer.status().as_u16()).or_default() += 1;
    }
    let seen = origin.count("/kept") - before;
    assert_eq!(statuses.get(&200).copied().unwrap_or(0), seen, "{statuses:?}");
    assert!(statuses.contains_key(&502), "{statuses:?}");
}

#[tokio::test]
async fn headers_beyond_the_limit_are_431() {
    let pictor = Pictor::start_with(
        &format!(
            "[server]\nlisten = [\"PUBLIC\"]\nadmin = \"ADMIN\"\nmax_header = \"2KiB\"\n[[site]]\nname = \"t\"\n\
             hosts = [\"*\"]\n[site.origin]\nkind = \"dir\"\npath = \"{}\"\n",
            demo().display()
        ),
        &[],
    )
    .await;
    for (length, status) in [(1_000, 200), (2_100, 431), (2_900, 431), (40_000, 431)] {
        let asked = client().get(pictor.url("/sample.jpg")).header("X-Long", "x".repeat(length)).send().await.unwrap();
        assert_eq!(asked.status(), status, "{length}");
        let h2 = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
        let asked = h2.get(pictor.url("/sample.jpg")).header("X-Long", "x".repeat(length)).send().await.unwrap();
        assert_eq!(asked.status(), status, "h2, {length}");
    }
}

#[tokio::test]
async fn a_file_of_any_time_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let name = |seconds: i64| format!("at{seconds}.png");
    let times = [-3_000_000_000, -1, 0, 253_402_300_799, 253_402_300_800, 300_000_000_000];
    let mut dated = 0;
    for seconds in times {
        let file = folder.path().join(name(seconds));
        std::fs::copy(demo().join("sample.png"), &file).unwrap();
        let shift = Duration::from_secs(seconds.unsigned_abs());
        let epoch = std::time::SystemTime::UNIX_EPOCH;
        let time = if seconds < 0 { epoch - shift } else { epoch + shift };
        // A file system may not hold every one.
        dated += usize::from(std::fs::File::options().write(true).open(&file).unwrap().set_modified(time).is_ok());
    }
    assert!(dated >= 3);
    let origin = format!("kind = \"dir\"\npath = \"{}\"", folder.path().display());
    let pictor = Pictor::start(&crate::support::site(&origin)).await;
    for seconds in times {
        for query in ["", "?imageMogr2/thumbnail/20x"] {
            let path = format!("/{}{query}", name(seconds));
            let answer = client().get(pictor.url(&path)).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            let date = answer.headers().get("last-modified").map(|date| date.to_str().unwrap().to_owned());
            assert!(date.is_none_or(|date| date.ends_with(" GMT")), "{path}");
        }
    }
}

#[tokio::test]
async fn request_ids_are_never_the_same_and_look_like_the_vendors() {
    let mut seen = std::collections::HashSet::new();
    for _ in 0..2 {
        let pictor = Pictor::demo().await;
        for _ in 0..3 {
            let id = |answer: &reqwest::Response, name: &str| answer.headers()[name].to_str().unwrap().to_owned();
            let aliyun = client().get(pictor.url("/sample.jpg?x-oss-process=image/info")).send().await.unwrap();
            let aliyun = id(&aliyun, "x-oss-request-id");
            assert!(aliyun.len() == 24 && aliyun.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'F')));
            let tencent = client().get(pictor.url("/sample.jpg?imageInfo")).send().await.unwrap();
            let tencent = id(&tencent, "x-cos-request-id");
            assert!(tencent.len() == 36 && tencent.starts_with('N'), "{tencent}");
            assert!(seen.insert(aliyun) && seen.insert(tencent));
        }
    }
}
