//! Every way a request can end gives one record, with what is true of it. Over real connections: what pingora calls, and how
//! often, is a part of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use pingora::server::configuration::ServerConf;
use pingora::services::Service as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::front::{Census, ConnectionBounds, Front, Listening, bind};
use super::{App, RequestIds, server};
use crate::billing::Tier;
use crate::cache::Cache;
use crate::config::{self, CacheConfig, EngineConfig, Isolation, Loaded, ServerConfig};
use crate::dialect::Dialect;
use crate::engine::Engine;
use crate::error::Kind;
use crate::plan::Format;
use crate::shield::{Permits, Results, Shield};
use crate::site::{CurrentSites, Sites, StyleBook};
use crate::state::State;
use crate::telemetry::{CachePart, Metrics, Processed, Record, RequestOutcome, Sink, Sinks};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is kept of a record.
#[derive(Debug, Clone, PartialEq)]
struct Kept {
    site: Option<String>,
    host: Option<String>,
    path: String,
    method: String,
    dialect: Option<Dialect>,
    rule: Option<String>,
    status: Option<u16>,
    outcome: Option<RequestOutcome>,
    client_gone: bool,
    processed: Option<Processed>,
    cache: Option<CachePart>,
    sent: u64,
    saved: u64,
}

/// Collects records.
struct Collector(mpsc::UnboundedSender<(Kept, String)>);

impl Sink for Collector {
    fn record(&self, record: &Record<'_>) {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        assert!(record.client.is_some_and(|client| client.ip().is_loopback()), "{record:?}");
        assert!(record.took > Duration::ZERO && record.request_id.len() == 24, "{record:?}");
        assert!(record.dialect.is_none_or(|dialect| record.language == Some(dialect)), "{record:?}");
        let kept = Kept {
            site: owned(record.site),
            host: owned(record.host),
            path: record.path.to_owned(),
            method: record.method.to_owned(),
            dialect: record.dialect,
            rule: owned(record.rule),
            status: record.status,
            outcome: record.outcome,
            client_gone: record.client_gone,
            processed: record.processed,
            cache: record.cache,
            sent: record.sent,
            saved: record.saved,
        };
        let _ = self.0.send((kept, record.request_id.to_owned()));
    }
}

/// An origin: `/there` is, `/silent` says nothing until its client leaves, `/broken` ends the connection, nothing else is.
/// It tells of every request that has come.
async fn origin() -> (SocketAddr, mpsc::UnboundedReceiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (came, asked) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let came = came.clone();
            tokio::spawn(async move {
                let head = head(&mut socket).await;
                let _ = came.send(());
                let path = head.split(' ').nth(1).unwrap_or_default();
                let said = match path.split(['.', '?']).next().unwrap_or_default() {
                    "/silent" => {
                        let _ = socket.read(&mut [0; 1]).await;
                        ""
                    }
                    "/broken" => "",
                    "/there" => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthere",
                    _ => "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngone",
                };
                let _ = socket.write_all(said.as_bytes()).await;
            });
        }
    });
    (address, asked)
}

/// The head of a request or an answer.
async fn head(socket: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(head).unwrap()
}

struct Service {
    address: SocketAddr,
    records: mpsc::UnboundedReceiver<(Kept, String)>,
    /// Names of requests that were seen.
    ids: Vec<String>,
    _folder: tempfile::TempDir,
    _stop: watch::Sender<bool>,
}

impl Service {
    /// Two sites: `near` before the demo's folder, `far` before a server.
    async fn start(far: SocketAddr) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let kept = folder.path().join("state.db");
        let text = format!(
            "[state]\npath = \"{}\"\n[server]\nlisten = [\"127.0.0.1:0\"]\nadmin = \"127.0.0.1:0\"\n\
             [[site]]\nname = \"n\"\nhosts = [\"near\"]\n[site.origin]\nkind = \"dir\"\npath = \"conf/demo\"\n\
             [site.cache]\nfresh = \"1h\"\n[site.styles]\nmanage = \"anyone\"\n\
             [[site]]\nname = \"f\"\nhosts = [\"far\"]\n[site.origin]\nkind = \"http\"\nurl = \"http://{far}\"\n",
            kept.display()
        );
        let loaded = Loaded { config: config::parse(&text).unwrap(), base: PathBuf::from(env!("CARGO_MANIFEST_DIR")) };
        let state = State::open(&kept).await.unwrap();
        let pool = EngineConfig { workers: 1, isolation: Isolation::Thread, ..EngineConfig::default() };
        let cache = CacheConfig::default();
        let metrics = Arc::new(Metrics::new().unwrap());
        let shield = Shield::new(
            Cache::new(&cache),
            Permits::new(cache.originals, cache.in_flight, cache.in_flight_wait),
            Results::new(Cache::variants_of(&cache), cache.sending),
            Engine::start(&pool, "/proc/self/exe".into()).unwrap(),
            metrics.clone(),
            tokio::runtime::Handle::current(),
            PATIENCE,
        );
        let (to, records) = mpsc::unbounded_channel();
        let app = Arc::new(App {
            sites: CurrentSites::new(Sites::build(&loaded).unwrap()),
            shield,
            styles: Some(StyleBook::new(state)),
            metrics: metrics.clone(),
            sinks: Sinks::new([Arc::new(Collector(to)) as Arc<dyn Sink>]),
            max_header: 32 << 10,
            in_flight: Arc::default(),
            #[allow(clippy::disallowed_methods, reason = "names of requests begin with the time")]
            ids: RequestIds::new(1, Instant::now(), SystemTime::now()),
            fresh: Default::default(),
        });
        let config: &ServerConfig = &loaded.config.server;
        let doors = bind(config, &loaded.base).unwrap();
        let address = doors.public[0].address;
        let bounds = ConnectionBounds::of(config);
        let proxy = server::proxy(app, config, Arc::new(ServerConf::default()));
        let front = Front::new(proxy, bounds);
        let census = Census::new(100, 0);
        let mut listening = Listening::new("test", 1, doors.public, front, bounds, census, metrics, Arc::new(|| false));
        let (stop, shutdown) = watch::channel(false);
        tokio::spawn(async move { listening.start_service(None, shutdown, 1).await });
        Self { address, records, ids: Vec::new(), _folder: folder, _stop: stop }
    }

    /// A connection on which this has been sent.
    async fn send(&self, request: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.address).await.unwrap();
        socket.write_all(request.as_bytes()).await.unwrap();
        socket
    }

    /// The next record. One that came twice would be taken for that of the next request.
    async fn record(&mut self) -> Kept {
        let next = tokio::time::timeout(PATIENCE, self.records.recv()).await;
        let (kept, id) = next.expect("no record came").unwrap();
        assert!(!self.ids.contains(&id), "two records of one request: {kept:?}");
        self.ids.push(id);
        kept
    }

    /// Asks for `target` of a host, and gives the answer's head and the record.
    async fn ask(&mut self, method: &str, host: &str, target: &str, fields: &str) -> (String, Kept) {
        let request = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{fields}\r\n");
        let mut socket = self.send(&request).await;
        let answer = head(&mut socket).await;
        tokio::io::copy(&mut socket, &mut tokio::io::sink()).await.unwrap();
        let kept = self.record().await;
        assert_eq!((kept.method.as_str(), kept.host.as_deref()), (method, Some(host)), "{target}: {kept:?}");
        assert_eq!(kept.path, target.split('?').next().unwrap());
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        assert_eq!(kept.status, status, "{target}: {kept:?}");
        assert!(!kept.client_gone, "{target}: {kept:?}");
        (answer, kept)
    }
}

/// A field of an answer's head.
fn field<'a>(head: &'a str, name: &str) -> &'a str {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(name));
    line.and_then(|line| line.split_once(": ")).map_or("", |(_, value)| value)
}

const WEBP: &str = "/sample.png?imageMogr2/thumbnail/20x20!/format/webp";

/// Bytes of the demo's picture.
fn original() -> u64 {
    std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/conf/demo/sample.png")).unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_made_is_recorded_once_with_its_price_class() {
    let mut service = Service::start(origin().await.0).await;
    let basic = Processed { format: Some(Format::WebP), tier: Tier::Basic, source_bytes: original() };
    let (answer, miss) = service.ask("GET", "near", WEBP, "").await;
    let length: u64 = field(&answer, "content-length").parse().unwrap();
    let made = Kept {
        site: Some("n".into()),
        host: Some("near".into()),
        path: "/sample.png".into(),
        method: "GET".into(),
        dialect: Some(Dialect::Tencent),
        rule: miss.rule.clone(),
        status: Some(200),
        outcome: Some(RequestOutcome::Ok),
        client_gone: false,
        processed: Some(basic),
        cache: Some(CachePart::Miss),
        sent: length,
        saved: original() - length,
    };
    assert!(miss.rule.as_deref().is_some_and(|rule| rule.contains("webp")), "{miss:?}");
    assert_eq!(miss, made);

    let hit = Kept { cache: Some(CachePart::Hit), ..made.clone() };
    assert_eq!(service.ask("GET", "near", WEBP, "").await.1, hit);
    let bodiless = Kept { sent: 0, saved: 0, ..hit.clone() };
    assert_eq!(service.ask("HEAD", "near", WEBP, "").await.1, Kept { method: "HEAD".into(), ..bodiless.clone() });
    let known = format!("If-None-Match: {}\r\n", field(&answer, "etag"));
    let unmodified = Kept { status: Some(304), outcome: Some(RequestOutcome::NotModified), ..bodiless.clone() };
    assert_eq!(service.ask("GET", "near", WEBP, &known).await.1, unmodified);
    let part = Kept { status: Some(206), sent: 2, saved: 0, ..hit };
    assert_eq!(service.ask("GET", "near", WEBP, "Range: bytes=0-1\r\n").await.1, part);

    // Advanced compression has classes by size, for hits as for the first.
    let avif = "/sample.png?x-oss-process=image/resize,w_20/format,avif";
    for cache in [CachePart::Miss, CachePart::Hit] {
        let kept = service.ask("GET", "near", avif, "").await.1;
        let advanced = Processed { format: Some(Format::Avif), tier: Tier::AdvancedSmall, source_bytes: original() };
        assert_eq!((kept.processed, kept.dialect), (Some(advanced), Some(Dialect::Aliyun)));
        assert_eq!(kept.cache, Some(cache));
    }

    let facts = service.ask("GET", "near", "/sample.png?imageInfo", "").await.1;
    let information = Processed { format: None, tier: Tier::Information, source_bytes: original() };
    assert_eq!((facts.processed, facts.outcome, facts.saved), (Some(information), Some(RequestOutcome::Ok), 0));

    // A picture that no socket's buffers hold, and a client that does not wait for it.
    let large = "/sample.png?imageMogr2/thumbnail/2500x2500!/format/bmp";
    let mut socket = service.send(&format!("GET {large} HTTP/1.1\r\nHost: near\r\n\r\n")).await;
    assert!(head(&mut socket).await.starts_with("HTTP/1.1 200"));
    drop(socket);
    let left = service.record().await;
    assert!(left.client_gone && left.outcome == Some(RequestOutcome::Ok) && left.saved == 0, "{left:?}");
    assert_eq!(left.processed.map(|given| given.format), Some(Some(Format::Bmp)), "it was made all the same");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_passed_or_refused_is_recorded_once() {
    let (far, mut asked) = origin().await;
    let mut service = Service::start(far).await;
    let passed = Some(RequestOutcome::Passed);
    let refused = |kind| Some(RequestOutcome::Refused(kind));
    let told = |kept: &Kept| (kept.outcome, kept.status, kept.cache, kept.sent);
    for (host, target, outcome, status, cache, sent) in [
        // From the folder, which is read here, and from a server.
        ("near", "/sample.png", passed, 200, Some(CachePart::Passed), original()),
        ("far", "/there.txt", passed, 200, Some(CachePart::Passed), 5),
        ("far", "/missing.txt", passed, 404, Some(CachePart::Passed), 4),
    ] {
        let kept = service.ask("GET", host, target, "").await.1;
        assert_eq!(told(&kept), (outcome, Some(status), cache, sent), "{target}");
        assert_eq!((kept.processed, kept.dialect, kept.rule), (None, None, None), "{target}");
    }
    let instead = "/sample.png?imageMogr2/rotate/400/ignore-error/1";
    let kept = service.ask("GET", "near", instead, "").await.1;
    assert_eq!((kept.outcome, kept.sent, kept.processed), (Some(RequestOutcome::Original), original(), None));
    let kept = service.ask("GET", "near", "/?style", "").await.1;
    assert_eq!((kept.outcome, kept.dialect), (Some(RequestOutcome::Styles), Some(Dialect::Aliyun)));
    for (host, target, kind, cache) in [
        ("near", "/sample.png?imageMogr2/thumbnail/x", Kind::BadRule, None),
        ("near", "/none.png?imageInfo", Kind::NotFound, Some(CachePart::Miss)),
        ("nobody", "/sample.png", Kind::NoSuchSite, None),
        ("far", "/broken.txt", Kind::OriginFailed, Some(CachePart::Passed)),
    ] {
        let kept = service.ask("GET", host, target, "").await.1;
        assert_eq!((kept.outcome, kept.processed, kept.saved), (refused(kind), None, 0), "{target}");
        assert!(kept.sent > 0 && kept.status == Some(kind.status()), "{target}: {kept:?}");
        assert_eq!(kept.site.is_none(), kind == Kind::NoSuchSite, "{target}");
        if kind != Kind::NotFound {
            assert_eq!(kept.cache, cache, "{target}");
        }
    }
    // Clients that leave while the origin thinks: about a picture, and about what is passed through.
    while asked.try_recv().is_ok() {}
    for target in ["/silent.png?imageInfo", "/silent.txt"] {
        let socket = service.send(&format!("GET {target} HTTP/1.1\r\nHost: far\r\n\r\n")).await;
        tokio::time::timeout(PATIENCE, asked.recv()).await.unwrap().unwrap();
        drop(socket);
        let kept = service.record().await;
        assert_eq!((kept.outcome, kept.status, kept.sent), (refused(Kind::Cancelled), Some(499), 0), "{target}");
    }
    // Nothing came twice, or late.
    assert_eq!(service.ask("GET", "far", "/there.txt", "").await.1.path, "/there.txt");
    assert!(service.records.try_recv().is_err());
}
