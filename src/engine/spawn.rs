//! One worker process as the supervisor holds it: started, spoken to, watched until it is reaped.
//!
//! Workers are started without a hook between fork and exec, so that the C library can use `vfork`: forking the service
//! itself would copy the page tables of everything in its caches. The worker prepares itself instead, and the memory files
//! are handed to it over the control socket.
#![allow(unsafe_code, reason = "hands the runtime a descriptor that outlives its watch")]

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader, Interest};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf, pipe};
use tokio::sync::mpsc::UnboundedSender;

use super::event::{Event, Exit};
use super::memory_file::MemoryFile;
use super::protocol::{self, FromWorker, LONGEST_RUN, Task, ToWorker};
use super::worker::WorkerSettings;

/// Bytes of the input file that a worker keeps between jobs: most originals.
const KEEP_INPUT: u64 = 8 << 20;
/// Bytes of the output file that it keeps: most variants.
const KEEP_OUTPUT: u64 = 1 << 20;
/// What is kept of a worker's last words.
const LAST_WORDS: usize = 2048;
/// Lines of a worker's standard error that reach the log in its whole life.
const LOGGED_LINES: u32 = 50;
/// How long a dead worker's streams may take to end; a grandchild could hold them, if there could be one.
const STREAMS_END: Duration = Duration::from_millis(200);

/// The supervisor's side of a worker process.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    pidfd: Arc<OwnedFd>,
    control: Option<OwnedWriteHalf>,
    input: MemoryFile,
    output: MemoryFile,
}

impl Process {
    /// Starts a worker and a task that reports on it as `id`. Must be called on the supervisor's thread: the kernel kills
    /// workers with the thread that made them.
    pub fn spawn(
        program: &Path,
        settings: &WorkerSettings,
        id: u64,
        events: UnboundedSender<Event>,
    ) -> io::Result<Self> {
        let (input, output) = (MemoryFile::new("pictor-input")?, MemoryFile::new("pictor-output")?);
        let (ours, theirs) = UnixStream::pair()?;
        send_files(&ours, &input, &output)?;
        let mut child = Command::new(program)
            .arg0("pictor")
            .arg("worker")
            .args(settings.arguments())
            .env_clear()
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let pid = child.id();
        let attended = (|| {
            let raw = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
            let pidfd = Arc::new(pidfd_open(raw, PidfdFlags::empty())?);
            // SAFETY: the descriptor behind the `Arc` is never replaced and stays open for as long as the `AsyncFd` lives.
            let watch = unsafe { AsyncFd::register_with_interest(Arc::clone(&pidfd), Interest::READABLE)? };
            ours.set_nonblocking(true)?;
            let (reader, control) = tokio::net::UnixStream::from_std(ours)?.into_split();
            let stderr = child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?;
            let stderr = pipe::Receiver::from_owned_fd(OwnedFd::from(stderr))?;
            Ok((pidfd, watch, reader, control, stderr))
        })();
        match attended {
            Ok((pidfd, watch, reader, control, stderr)) => {
                tokio::spawn(attend(id, child, watch, reader, stderr, events));
                Ok(Self { pid, pidfd, control: Some(control), input, output })
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Hands over a job. The worker must be idle.
    pub fn run(&self, id: u64, task: &Task, source: &[u8], marks: &[Bytes]) -> io::Result<()> {
        let lengths = marks.iter().map(|mark| mark.len() as u64).collect();
        let message = ToWorker::Run { id, task: task.clone(), length: source.len() as u64, marks: lengths };
        let frame = protocol::frame(&message, LONGEST_RUN).map_err(io::Error::other)?;
        self.input.write(source)?;
        let mut offset = source.len() as u64;
        for mark in marks {
            self.input.write_at(mark, offset)?;
            offset = offset.saturating_add(mark.len() as u64);
        }
        let control = self.control.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        // An idle worker has read everything, so the socket's buffer is empty and takes the frame whole.
        match control.try_write(&frame)? {
            written if written == frame.len() => Ok(()),
            written => Err(io::Error::other(format!("the worker's socket took {written} of {} bytes", frame.len()))),
        }
    }

    /// Reads the result of a job and gives the memory of both files back.
    pub fn take(&self, length: u64) -> io::Result<Vec<u8>> {
        let result = self.output.read(length);
        self.tidy()?;
        result
    }

    /// Gives the memory of both files back.
    pub fn tidy(&self) -> io::Result<()> {
        self.input.trim(KEEP_INPUT)?;
        self.output.trim(KEEP_OUTPUT)
    }

    /// Ends it, whatever it does.
    pub fn kill(&self) {
        // The only error is that it has ended already.
        let _ = pidfd_send_signal(&*self.pidfd, Signal::KILL);
    }

    /// Lets it end by itself: it leaves when the connection is closed.
    pub fn release(&mut self) {
        self.control = None;
    }

    /// Its process number.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Threads that it runs: the kernel counts them as folders of a folder, besides its own two names.
    pub fn threads(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(format!("/proc/{}/task", self.pid)).map_or(0, |folder| folder.nlink().saturating_sub(2))
    }

    /// Resident bytes, and those of them that belong to no file, as the kernel counts them.
    pub fn resident(&self) -> (u64, u64) {
        let text = std::fs::read_to_string(format!("/proc/{}/statm", self.pid)).unwrap_or_default();
        let mut pages = text.split_ascii_whitespace().skip(1).map(|pages| pages.parse().unwrap_or(0));
        let (resident, shared): (u64, u64) = (pages.next().unwrap_or(0), pages.next().unwrap_or(0));
        let page = rustix::param::page_size() as u64;
        (resident.saturating_mul(page), resident.saturating_sub(shared).saturating_mul(page))
    }
}

fn send_files(socket: &UnixStream, input: &MemoryFile, output: &MemoryFile) -> io::Result<()> {
    let files = [input.as_fd(), output.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !ancillary.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("no room for two descriptors"));
    }
    sendmsg(socket, &[IoSlice::new(b"f")], &mut ancillary, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Reports what a worker says until it has ended and is reaped.
async fn attend(
    id: u64,
    mut child: Child,
    watch: AsyncFd<Arc<OwnedFd>>,
    reader: OwnedReadHalf,
    stderr: pipe::Receiver,
    events: UnboundedSender<Event>,
) {
    let pid = child.id();
    let mut listening = tokio::spawn(listen(id, reader, events.clone()));
    let mut logging = tokio::spawn(log(pid, stderr));
    let ended = watch.readable().await;
    // What it said before it ended comes before the news of its end.
    let last_words = tokio::time::timeout(STREAMS_END, async {
        let _ = (&mut listening).await;
        (&mut logging).await.unwrap_or_default()
    })
    .await
    .unwrap_or_default();
    listening.abort();
    logging.abort();
    // The process has ended, so that this does not block.
    let status = match ended {
        Ok(_) => child.wait().ok(),
        Err(_) => child.try_wait().ok().flatten(),
    };
    let _ = events.send(Event::Exited(id, Exit { status, last_words }));
}

/// Reads messages until the stream ends or holds something else.
async fn listen(id: u64, mut reader: OwnedReadHalf, events: UnboundedSender<Event>) {
    loop {
        let event = match read_message(&mut reader).await {
            Ok(message) => Event::Said(id, message),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Event::Broken(id, error.to_string()),
            // It has ended, and its exit follows. One that lives on without a connection is ended by its deadline.
            Err(_) => return,
        };
        let broken = matches!(event, Event::Broken(..));
        if events.send(event).is_err() || broken {
            return;
        }
    }
}

async fn read_message(reader: &mut OwnedReadHalf) -> io::Result<FromWorker> {
    let mut header = [0; 4];
    reader.read_exact(&mut header).await?;
    let mut body = vec![0; protocol::body_length(header)?];
    reader.read_exact(&mut body).await?;
    protocol::parse(&body)
}

/// Logs the first lines of a worker's standard error and keeps the last.
async fn log(pid: u32, stderr: pipe::Receiver) -> String {
    let mut stderr = BufReader::new(stderr);
    let (mut last, mut line, mut logged) = (String::new(), Vec::new(), 0u32);
    loop {
        line.clear();
        let end = (&mut stderr).take(LAST_WORDS as u64).read_until(b'\n', &mut line).await;
        if !matches!(end, Ok(1..)) {
            return last;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if logged < LOGGED_LINES {
            logged += 1;
            tracing::debug!(pid, "worker: {}", text.escape_debug());
        }
        last.push_str(text);
        last.push('\n');
        if last.len() > 2 * LAST_WORDS {
            let cut = last.len().saturating_sub(LAST_WORDS);
            let cut = (cut..last.len()).find(|&at| last.is_char_boundary(at)).unwrap_or(0);
            last.drain(..cut);
        }
    }
}
