//! A worker: one process that converts one picture after the other and can do nothing else.
#![allow(unsafe_code, reason = "takes over descriptors that it was started with")]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

use super::diagnose;
use super::memory_file::MemoryFile;
use super::protocol::{self, FromWorker, Greeting, LONGEST, Task, ToWorker};
use super::sandbox;
use crate::error::{Error, Kind};
use crate::imaging::fonts::{self, Chosen};
use crate::imaging::{self, Outcome, compare, plugin};

/// Free heap above this goes back to the system after a job; below it, the next job finds warm pages.
const KEEP_HEAP: usize = 32 << 20;

/// What the supervisor tells a worker on its command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkerSettings {
    /// The supervisor's process.
    pub parent: u32,
    /// Address space, in bytes.
    pub memory: u64,
    /// Whether [`Task::Diagnose`] is honoured.
    pub diagnostics: bool,
    /// A codec to load.
    pub plugin: Option<PathBuf>,
    /// What marks are written with.
    pub fonts: Chosen,
}

impl WorkerSettings {
    /// As arguments behind `worker`.
    pub fn arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> =
            vec![format!("--parent={}", self.parent).into(), format!("--memory={}", self.memory).into()];
        // A map of texts and paths: it can always be written.
        arguments.push(format!("--fonts={}", serde_json::to_string(&self.fonts).unwrap_or_default()).into());
        if self.diagnostics {
            arguments.push("--diagnostics".into());
        }
        if let Some(path) = &self.plugin {
            arguments.push("--plugin".into());
            arguments.push(path.into());
        }
        arguments
    }

    /// Reads what [`Self::arguments`] wrote; `None` if it is anything else.
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Option<Self> {
        let (mut parent, mut memory, mut diagnostics, mut plugin) = (None, None, false, None);
        let mut fonts = Chosen::default();
        while let Some(argument) = arguments.next() {
            match argument.to_str()?.split_once('=') {
                Some(("--parent", value)) => parent = Some(value.parse().ok()?),
                Some(("--memory", value)) => memory = Some(value.parse().ok()?),
                Some(("--fonts", value)) => fonts = serde_json::from_str(value).ok()?,
                None if argument == "--diagnostics" => diagnostics = true,
                None if argument == "--plugin" => plugin = Some(arguments.next()?.into()),
                Some(_) | None => return None,
            }
        }
        Some(Self { parent: parent?, memory: memory?, diagnostics, plugin, fonts })
    }
}

/// `pictor worker`: what the supervisor starts. Call it first thing in `main`, before anything opens a descriptor or
/// starts a thread. Returns when the supervisor closes the connection.
pub fn worker_main() -> ExitCode {
    let Some(settings) = WorkerSettings::parse(std::env::args_os().skip(2)) else {
        eprintln!("pictor worker is started by pictor itself");
        return ExitCode::from(2);
    };
    match serve(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(settings: WorkerSettings) -> io::Result<()> {
    close_inherited();
    leave_with(settings.parent)?;
    ignore_signals();
    tune_allocator();
    std::env::set_current_dir("/")?;
    // The kernel's choice of whom to kill when memory runs out should fall on a worker, not on the service.
    let _ = std::fs::write("/proc/self/oom_score_adj", "500");
    // Hits are answered before conversions get on: the service's own threads go first on a machine that is full.
    let _ = rustix::process::nice(5);
    let control = take_stdin()?;
    let [input, output] = receive_files(&control)?;
    let plugin = settings.plugin.as_deref().map(plugin::load).transpose().map_err(io::Error::other)?;
    fonts::load(&settings.fonts);
    imaging::load_libraries();
    // Whatever of this process's preparations would need files must be done by here.
    let sandbox = sandbox::seal(settings.memory);
    say(&control, &FromWorker::Hello(Greeting { sandbox, plugin }))?;

    while let Some(ToWorker::Run { id, task, length, marks }) = protocol::read(&control)? {
        let before = cpu_us();
        let result = work(&input, &output, &control, (length, &marks), &task, settings.diagnostics);
        trim_heap();
        let cpu_us = cpu_us().saturating_sub(before);
        let answer = match result {
            Ok((length, outcome)) => FromWorker::Done { id, length, outcome, cpu_us },
            Err(error) => FromWorker::Failed { id, error, cpu_us },
        };
        say(&control, &answer)?;
    }
    Ok(())
}

fn work(
    input: &MemoryFile,
    output: &MemoryFile,
    control: &File,
    (length, marks): (u64, &[u64]),
    task: &Task,
    diagnostics: bool,
) -> Result<(u64, Option<Outcome>), Error> {
    let no_memory = |what: &str, error: io::Error| Error::new(Kind::OutOfMemory, format!("{what}: {error}"));
    let whole = marks.iter().copied().fold(length, u64::saturating_add);
    let input = input.map(whole).map_err(|error| no_memory("the original cannot be mapped", error))?;
    let (source, marks) = split(&input, length, marks).ok_or_else(|| {
        Error::new(Kind::Internal, "the lengths of the original and its marks do not match the shared file")
    })?;
    let (bytes, outcome) = match task {
        Task::Diagnose(diagnosis) if diagnostics => {
            let length = caught(|| diagnose::misbehave(*diagnosis, source, output, control))?;
            return Ok((length, diagnose::said(*diagnosis)));
        }
        Task::Convert(_) | Task::Compare(_) | Task::Diagnose(_) => perform(source, &marks, task)?,
    };
    output.write(&bytes).map_err(|error| no_memory("the result cannot be handed over", error))?;
    Ok((bytes.len() as u64, outcome))
}

/// The original, and the marks' pictures behind it.
fn split<'a>(input: &'a [u8], length: u64, marks: &[u64]) -> Option<(&'a [u8], Vec<&'a [u8]>)> {
    let (source, mut rest) = input.split_at_checked(usize::try_from(length).ok()?)?;
    let mut parts = Vec::new();
    for length in marks {
        let (mark, behind) = rest.split_at_checked(usize::try_from(*length).ok()?)?;
        parts.push(mark);
        rest = behind;
    }
    Some((source, parts))
}

/// Does a task in this process. A panic becomes [`Kind::Crashed`].
pub(super) fn perform(source: &[u8], marks: &[&[u8]], task: &Task) -> Result<(Vec<u8>, Option<Outcome>), Error> {
    match task {
        Task::Convert(job) => {
            caught(|| imaging::convert_marked(source, marks, job).map(|(bytes, outcome)| (bytes, Some(outcome))))
        }
        Task::Compare(comparing) => caught(|| {
            let [other] = marks else {
                return Err(Error::new(Kind::Internal, "a comparison needs exactly two pictures"));
            };
            let likeness = compare::compare(source, other, comparing)?;
            let bytes = serde_json::to_vec(&likeness)
                .map_err(|error| Error::new(Kind::Internal, format!("a comparison: {error}")))?;
            Ok((bytes, None))
        }),
        Task::Diagnose(_) => Err(Error::new(Kind::Internal, "this worker was not started for diagnoses")),
    }
}

fn caught<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Error::new(Kind::Crashed, format!("the conversion failed on its own: {text}")))
    })
}

fn say(control: &File, message: &FromWorker) -> io::Result<()> {
    let bytes = protocol::frame(message, LONGEST).or_else(|error| match message {
        // Facts can be long; their error is not.
        FromWorker::Done { id, cpu_us, .. } => {
            protocol::frame(&FromWorker::Failed { id: *id, error, cpu_us: *cpu_us }, LONGEST)
        }
        FromWorker::Hello(_) | FromWorker::Failed { .. } => Err(error),
    });
    protocol::write(control, &bytes.map_err(io::Error::other)?)
}

/// The control socket, which came as standard input. A library that reads its standard input shall find nothing there.
fn take_stdin() -> io::Result<File> {
    let control = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let nothing = File::open("/dev/null")?;
    // SAFETY: replaces descriptor 0, which nobody in this process owns but the standard library, for which it stays open.
    if unsafe { libc::dup2(nothing.as_raw_fd(), 0) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(control)
}

/// The two memory files come as descriptors over the control socket, in the order input, output.
fn receive_files(control: &File) -> io::Result<[MemoryFile; 2]> {
    let mut byte = [0; 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    recvmsg(control, &mut [IoSliceMut::new(&mut byte)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let files: Vec<OwnedFd> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        })
        .flatten()
        .collect();
    let [input, output] =
        <[OwnedFd; 2]>::try_from(files).map_err(|_| io::Error::other("the memory files are missing"))?;
    Ok([input.into(), output.into()])
}

/// Closes what the service's environment left open by mistake; what Pictor opens itself is close-on-exec.
fn close_inherited() {
    // SAFETY: this runs before anything in this process has opened a descriptor above 2, so nobody owns what it closes.
    // A kernel without the call leaves them open.
    let _ = unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32) };
}

/// The kernel kills this process when the supervisor's thread ends, whichever way.
fn leave_with(parent: u32) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before the call above.
    if getppid().map(Pid::as_raw_pid) != i32::try_from(parent).ok() {
        return Err(io::Error::other("the supervisor has gone"));
    }
    Ok(())
}

/// A terminal's ^C and a service manager's SIGTERM go to every process; workers end when the supervisor says so.
/// SIGXFSZ is ignored so that a result that is too large is an error.
fn ignore_signals() {
    for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGQUIT, libc::SIGXFSZ] {
        // SAFETY: no handler runs: the signal is ignored.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// Two arenas at most: glibc reserves 64 MiB of address space for each, and would make one for every codec thread.
fn tune_allocator() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets a number inside the allocator; no other thread runs yet.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
    }
}

fn trim_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: both walk the allocator's own lists under its locks and touch no live allocation.
    unsafe {
        if libc::mallinfo2().fordblks > KEEP_HEAP {
            libc::malloc_trim(0);
        }
    }
}

/// CPU time of this process, all threads, in microseconds.
fn cpu_us() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes one timespec, which is ours. It cannot fail for this clock; if it did, the time would be 0.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    seconds.saturating_mul(1_000_000).saturating_add(u64::try_from(time.tv_nsec).unwrap_or(0) / 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_the_command_line() {
        for (diagnostics, plugin) in [(false, None), (true, Some("/a b=c/--plugin".into()))] {
            let settings = WorkerSettings { parent: 7, memory: 1 << 32, diagnostics, plugin, fonts: Chosen::default() };
            assert_eq!(WorkerSettings::parse(settings.arguments().into_iter()), Some(settings));
        }
        assert_eq!(WorkerSettings::parse(["--help".into()].into_iter()), None);
        assert_eq!(WorkerSettings::parse(std::iter::empty()), None);
    }

    #[test]
    fn the_marks_lie_behind_the_original() {
        let input = b"originalmark1m2";
        assert_eq!(split(input, 8, &[5, 2, 0]), Some((&b"original"[..], vec![&b"mark1"[..], b"m2", b""])));
        assert_eq!(split(input, 16, &[]), None);
        assert_eq!(split(input, 8, &[5, 3]), None);
        assert_eq!(split(input, u64::MAX, &[u64::MAX]), None);
    }

    #[test]
    fn a_panic_is_an_error_of_the_picture() {
        let error = caught::<()>(|| panic!("index out of bounds"));
        assert!(error.is_err_and(|error| error.kind == Kind::Crashed && error.told().contains("out of bounds")));
    }

    #[test]
    fn diagnoses_need_a_worker_that_was_started_for_them() {
        let error = perform(b"", &[], &Task::Diagnose(super::super::protocol::Diagnosis::Abort));
        assert!(error.is_err_and(|error| error.kind == Kind::Internal));
    }
}
