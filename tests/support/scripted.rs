//! An HTTP server that does what a test tells it: an honest little object store for every path without a script, and for
//! the others slow, short, wrong or gone. It records every request.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, SystemTime};

use pictor::dates::http_date;

/// How long anything here waits for an event before it calls the test broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// What happens to a request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    /// As for paths without a script.
    Store,
    /// A complete answer; `Content-Length` is added where it is not given.
    Reply { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// 200 with this `Content-Length`, then these bytes, then the end of the connection.
    Short { announced: u64, body: Vec<u8> },
    /// These bytes, then a reset.
    Reset(Vec<u8>),
    /// 200 with this `Content-Length`, then these bytes, then nothing until the client leaves.
    Stall { announced: u64, body: Vec<u8> },
    /// 200, then one byte after the other with a pause before each.
    Trickle { body: Vec<u8>, pause: Duration },
    /// These bytes one after the other, with a pause before each, then the end of the connection.
    Drip { bytes: Vec<u8>, pause: Duration },
    /// These bytes, then nothing until the client leaves.
    Then(Vec<u8>),
    /// A complete answer that promises to keep the connection, whose end comes with the first byte of the next request.
    Fickle(Vec<u8>),
    /// 200 and bytes without end.
    Endless,
    /// Nothing at all until the client leaves.
    Silent,
    /// Waits for the gate first.
    After(Gate, Box<Behaviour>),
}

impl Behaviour {
    /// A complete answer without headers of its own.
    pub fn status(status: u16) -> Self {
        Self::Reply { status, headers: Vec::new(), body: format!("status {status}\n").into_bytes() }
    }

    /// A complete 200.
    pub fn ok(headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        Self::reply(200, headers, body)
    }

    /// A complete answer.
    pub fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::Reply { status, headers, body: body.into() }
    }

    /// The same, held back until the gate opens.
    pub fn after(self, gate: &Gate) -> Self {
        Self::After(gate.clone(), Box::new(self))
    }
}

/// Closed at first; opens once, for all.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap();
        // A test that forgot its gate fails at what it expected to come.
        drop(self.0.1.wait_timeout_while(open, PATIENCE, |open| !*open).unwrap());
    }
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Seen {
    pub method: String,
    /// As sent, query included.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The target without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }
}

#[derive(Debug, Clone)]
struct Object {
    headers: Vec<(String, String)>,
    etag: String,
    modified: SystemTime,
    body: Vec<u8>,
}

#[derive(Default)]
struct State {
    scripts: HashMap<String, VecDeque<Behaviour>>,
    objects: BTreeMap<String, Object>,
    seen: Vec<Seen>,
    open: Vec<TcpStream>,
    connections: usize,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stopped: AtomicBool,
}

/// The server; it is gone when this is dropped.
pub struct ScriptedOrigin {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl ScriptedOrigin {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let accepting = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if accepting.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = accepting.clone();
                {
                    let mut state = shared.state.lock().unwrap();
                    state.connections += 1;
                    state.open.extend(stream.try_clone());
                }
                std::thread::spawn(move || {
                    // A broken connection is the client's business, and the test's.
                    let _ = serve(&stream, &shared);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { address, shared }
    }

    /// `127.0.0.1:port`
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on, requests for this path (as sent, without query) get this.
    pub fn script(&self, path: &str, behaviour: Behaviour) {
        self.sequence(path, [behaviour]);
    }

    /// One after the other; the last one for all that follow.
    pub fn sequence(&self, path: &str, behaviours: impl IntoIterator<Item = Behaviour>) {
        self.shared.state.lock().unwrap().scripts.insert(path.to_owned(), behaviours.into_iter().collect());
    }

    /// Puts an object into the store, as a PUT of this path would.
    pub fn put(&self, path: &str, content_type: &str, body: impl Into<Vec<u8>>) {
        let headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
        self.shared.state.lock().unwrap().objects.insert(path.to_owned(), Object::new(headers, body.into()));
    }

    /// All requests so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state.lock().unwrap().seen.clone()
    }

    /// How many requests for this path have come, whatever their method and query.
    pub fn count(&self, path: &str) -> usize {
        self.shared.state.lock().unwrap().seen.iter().filter(|seen| seen.path() == path).count()
    }

    /// How many connections have been accepted.
    pub fn connections(&self) -> usize {
        self.shared.state.lock().unwrap().connections
    }

    /// The last request for this path; panics if there was none.
    pub fn last(&self, path: &str) -> Seen {
        self.seen().into_iter().rfind(|seen| seen.path() == path).unwrap_or_else(|| panic!("no request for {path}"))
    }

    /// Waits until so many requests for this path have come.
    pub fn wait_for(&self, path: &str, count: usize) {
        let state = self.shared.state.lock().unwrap();
        let few = |state: &mut State| state.seen.iter().filter(|seen| seen.path() == path).count() < count;
        let (_state, waited) = self.shared.changed.wait_timeout_while(state, PATIENCE, few).unwrap();
        assert!(!waited.timed_out(), "{path} was not asked for {count} times");
    }
}

impl Drop for ScriptedOrigin {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
        for stream in self.shared.state.lock().unwrap().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Object {
    fn new(headers: Vec<(String, String)>, body: Vec<u8>) -> Self {
        let mut hasher = DefaultHasher::new();
        body.hash(&mut hasher);
        Self { headers, etag: format!("\"{:016x}\"", hasher.finish()), modified: SystemTime::now(), body }
    }
}

fn serve(stream: &TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream.try_clone()?;
    while let Some(seen) = read_request(&mut reader, &mut writer)? {
        let behaviour = {
            let mut state = shared.state.lock().unwrap();
            let behaviour = match state.scripts.get_mut(seen.path()) {
                Some(queue) if queue.len() > 1 => queue.pop_front(),
                Some(queue) => queue.front().cloned(),
                None => None,
            };
            state.seen.push(seen.clone());
            shared.changed.notify_all();
            behaviour.unwrap_or(Behaviour::Store)
        };
        if !behave(behaviour, &seen, stream, &mut reader, &mut writer, shared)? {
            break;
        }
    }
    Ok(())
}

/// Whether the connection goes on.
fn behave(
    behaviour: Behaviour,
    seen: &Seen,
    stream: &TcpStream,
    reader: &mut impl Read,
    writer: &mut TcpStream,
    shared: &Shared,
) -> io::Result<bool> {
    match behaviour {
        Behaviour::Store => {
            let (status, headers, body) = store(seen, &mut shared.state.lock().unwrap());
            reply(writer, seen, status, &headers, &body)?;
            Ok(true)
        }
        Behaviour::Reply { status, headers, body } => {
            reply(writer, seen, status, &headers, &body)?;
            Ok(true)
        }
        Behaviour::Raw(bytes) => writer.write_all(&bytes).map(|()| false),
        Behaviour::Short { announced, body } => {
            write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\n\r\n")?;
            writer.write_all(&body).map(|()| false)
        }
        Behaviour::Reset(bytes) => {
            writer.write_all(&bytes)?;
            if !bytes.is_empty() {
                // A reset throws away what the other side has not read yet: let it read.
                std::thread::sleep(Duration::from_millis(50));
            }
            rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO))?;
            // Of all handles on the socket only the last close resets; forget the one kept for the end.
            let address = stream.peer_addr()?;
            shared.state.lock().unwrap().open.retain(|open| open.peer_addr().ok() != Some(address));
            Err(io::ErrorKind::ConnectionReset.into())
        }
        Behaviour::Stall { announced, body } => {
            write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {announced}\r\n\r\n")?;
            writer.write_all(&body)?;
            until_closed(reader)
        }
        Behaviour::Trickle { body, pause } => {
            write!(writer, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
            for byte in body {
                std::thread::sleep(pause);
                writer.write_all(&[byte])?;
            }
            Ok(true)
        }
        Behaviour::Drip { bytes, pause } => {
            for byte in bytes {
                std::thread::sleep(pause);
                writer.write_all(&[byte])?;
            }
            Ok(false)
        }
        Behaviour::Then(bytes) => {
            writer.write_all(&bytes)?;
            until_closed(reader)
        }
        Behaviour::Fickle(body) => {
            reply(writer, seen, 200, &[], &body)?;
            let _ = reader.read(&mut [0]);
            Ok(false)
        }
        Behaviour::Endless => {
            writer.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let mut chunk = b"10000\r\n".to_vec();
            chunk.resize(chunk.len() + 0x10000, b'x');
            chunk.extend_from_slice(b"\r\n");
            while !shared.stopped.load(Ordering::SeqCst) {
                writer.write_all(&chunk)?;
            }
            Ok(false)
        }
        Behaviour::Silent => until_closed(reader),
        Behaviour::After(gate, then) => {
            gate.wait();
            behave(*then, seen, stream, reader, writer, shared)
        }
    }
}

fn until_closed(reader: &mut impl Read) -> io::Result<bool> {
    io::copy(reader, &mut io::sink()).map(|_| false)
}

fn reply(
    writer: &mut impl Write,
    seen: &Seen,
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Scripted\r\n");
    let has = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
    if !has("content-length") && !has("transfer-encoding") && !matches!(status, 204 | 304) {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    if seen.method != "HEAD" && !matches!(status, 204 | 304) {
        bytes.extend_from_slice(body);
    }
    writer.write_all(&bytes)
}

type Parts = (u16, Vec<(String, String)>, Vec<u8>);

/// An honest object store: PUT, GET, HEAD, DELETE, single ranges, ETag and times.
fn store(seen: &Seen, state: &mut State) -> Parts {
    let path = seen.path().to_owned();
    match seen.method.as_str() {
        "PUT" => {
            let kept = ["content-type", "cache-control", "content-disposition"];
            let headers = seen.headers.iter().filter(|(name, _)| kept.contains(&name.to_ascii_lowercase().as_str()));
            let object = Object::new(headers.cloned().collect(), seen.body.clone());
            let etag = object.etag.clone();
            state.objects.insert(path, object);
            (200, vec![("ETag".into(), etag)], Vec::new())
        }
        "DELETE" => match state.objects.remove(&path) {
            Some(_) => (204, Vec::new(), Vec::new()),
            None => (404, Vec::new(), Vec::new()),
        },
        "GET" | "HEAD" => match state.objects.get(&path) {
            Some(object) => read(seen, object),
            None => (404, Vec::new(), b"no such object\n".to_vec()),
        },
        _ => (405, Vec::new(), Vec::new()),
    }
}

fn read(seen: &Seen, object: &Object) -> Parts {
    let mut headers = object.headers.clone();
    headers.push(("ETag".into(), object.etag.clone()));
    headers.push(("Last-Modified".into(), http_date(object.modified).unwrap()));
    headers.push(("Accept-Ranges".into(), "bytes".into()));
    let unchanged = match (seen.header("if-none-match"), seen.header("if-modified-since")) {
        (Some(tags), _) => tags == "*" || tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == object.etag),
        (None, Some(since)) => {
            http_date(object.modified).as_deref() == Some(since)
                || pictor::dates::parse(since).is_some_and(|since| object.modified <= since)
        }
        (None, None) => false,
    };
    if unchanged {
        return (304, headers, Vec::new());
    }
    let length = object.body.len();
    let Some(range) = seen.header("range").and_then(|range| range.strip_prefix("bytes=")) else {
        return (200, headers, object.body.clone());
    };
    let (first, last) = range.split_once('-').unwrap();
    let (first, last) = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => (first, last.min(length.saturating_sub(1))),
        (Ok(first), Err(_)) => (first, length.saturating_sub(1)),
        (Err(_), Ok(count)) => (length.saturating_sub(count), length.saturating_sub(1)),
        (Err(_), Err(_)) => (length, 0),
    };
    if first >= length || first > last {
        headers.push(("Content-Range".into(), format!("bytes */{length}")));
        return (416, headers, Vec::new());
    }
    headers.push(("Content-Range".into(), format!("bytes {first}-{last}/{length}")));
    (206, headers, object.body[first..=last].to_vec())
}

fn read_request(reader: &mut impl BufRead, writer: &mut impl Write) -> io::Result<Option<Seen>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or(io::ErrorKind::InvalidData)?;
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let mut seen = Seen { method, target, headers, body: Vec::new() };
    if seen.header("expect").is_some() {
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    if let Some(length) = seen.header("content-length").and_then(|text| text.parse::<usize>().ok()) {
        seen.body.resize(length, 0);
        reader.read_exact(&mut seen.body)?;
    } else if seen.header("transfer-encoding").is_some() {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
                .map_err(|_| io::ErrorKind::InvalidData)?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk)?;
            chunk.truncate(size);
            seen.body.extend_from_slice(&chunk);
            if size == 0 {
                break;
            }
        }
    }
    Ok(Some(seen))
}
