//! Misbehaviour on demand: what the tests of the pool ask of a worker that was started with `--diagnostics`.
#![allow(clippy::disallowed_methods, reason = "what a worker can be told to do wrong")]
#![allow(unsafe_code, reason = "breaks a worker on purpose, for tests")]

use std::fs::File;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, Signal, setrlimit};

use super::memory_file::MemoryFile;
use super::protocol::{Diagnosis, Probe};
use crate::error::{Error, Kind};
use crate::imaging::{Outcome, Times};

/// Does it, and gives the length of the result in `output`.
pub(super) fn misbehave(
    diagnosis: Diagnosis,
    source: &[u8],
    output: &MemoryFile,
    mut control: &File,
) -> Result<u64, Error> {
    let failed = |error: io::Error| Error::new(Kind::Internal, error.to_string());
    let bytes = match diagnosis {
        Diagnosis::Echo | Diagnosis::Answer { .. } => source.to_vec(),
        Diagnosis::Pid => std::process::id().to_string().into_bytes(),
        Diagnosis::Fail(kind) => return Err(Error::new(kind, "as it was\r\nasked to")),
        Diagnosis::Threads(count) => {
            let threads = (0..count).map(|_| {
                let thread = std::thread::Builder::new().stack_size(16 << 10);
                thread.spawn(|| std::thread::sleep(Duration::from_secs(60)))
            });
            let threads = threads.collect::<io::Result<Vec<_>>>().map_err(failed)?;
            threads.into_iter().for_each(|thread| drop(thread.join()));
            Vec::new()
        }
        Diagnosis::Sleep(ms) => {
            std::thread::sleep(Duration::from_millis(ms));
            Vec::new()
        }
        Diagnosis::Spin(ms) => {
            let end = Instant::now() + Duration::from_millis(ms);
            while Instant::now() < end {
                std::hint::spin_loop();
            }
            Vec::new()
        }
        Diagnosis::Abort => std::process::abort(),
        Diagnosis::Segfault => {
            // SAFETY: the default action ends the process; Rust's handler resets it and returns to the same end.
            unsafe {
                libc::signal(libc::SIGSEGV, libc::SIG_DFL);
                libc::raise(libc::SIGSEGV);
            }
            Vec::new()
        }
        Diagnosis::Panic => panic!("asked to panic"),
        Diagnosis::Allocate(bytes) => {
            std::hint::black_box(touched(bytes));
            Vec::new()
        }
        Diagnosis::Leak(bytes) => {
            touched(bytes).leak();
            Vec::new()
        }
        Diagnosis::Fill(bytes) => {
            let chunk = vec![1; 1 << 20];
            for offset in (0..bytes).step_by(chunk.len()) {
                output.write_at(&chunk, offset).map_err(failed)?;
            }
            return Ok(bytes);
        }
        Diagnosis::Garbage => {
            control.write_all(b"\x05\0\0\0hello").map_err(failed)?;
            Vec::new()
        }
        Diagnosis::Claim(length) => return Ok(length),
        Diagnosis::Thread => {
            let thread = std::thread::Builder::new().name("codec".into()).spawn(|| vec![1u8; 1 << 20].len());
            let length = thread.map_err(failed)?.join().map_err(|_| Error::new(Kind::Internal, "the thread failed"))?;
            length.to_string().into_bytes()
        }
        Diagnosis::Probe(what) => match probe(what) {
            Ok(()) => "ok".into(),
            Err(error) => format!("{:?}", error.kind()).into_bytes(),
        },
    };
    output.write(&bytes).map_err(failed)?;
    Ok(bytes.len() as u64)
}

/// What it says of its result.
pub(super) fn said(diagnosis: Diagnosis) -> Option<Outcome> {
    let Diagnosis::Answer { format, width, height, frames } = diagnosis else { return None };
    Some(Outcome { format, width, height, frames, facts: None, times: Times::default(), hurried: false })
}

fn touched(bytes: u64) -> Vec<u8> {
    vec![1; usize::try_from(bytes).unwrap_or(usize::MAX)]
}

fn probe(what: Probe) -> io::Result<()> {
    match what {
        Probe::Open => std::fs::read("/etc/passwd").map(drop),
        Probe::Create => std::fs::write("/tmp/pictor-probe", "x"),
        Probe::Socket => TcpListener::bind("127.0.0.1:0").map(drop),
        Probe::Connect => TcpStream::connect("127.0.0.1:80").map(drop),
        Probe::Exec => {
            // exec without fork, so that it is exec that answers.
            let error = std::os::unix::process::CommandExt::exec(&mut std::process::Command::new("/bin/true"));
            Err(error)
        }
        Probe::Fork => {
            // SAFETY: the child ends at once and touches nothing.
            let pid = unsafe { libc::fork() };
            match pid {
                0 => std::process::exit(0),
                -1 => Err(io::Error::last_os_error()),
                _ => Ok(()),
            }
        }
        Probe::Kill => {
            let parent = rustix::process::getppid().ok_or(io::ErrorKind::PermissionDenied)?;
            Ok(rustix::process::kill_process(parent, Signal::URG)?)
        }
        Probe::Executable => {
            use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
            let protection = ProtFlags::READ | ProtFlags::EXEC;
            // SAFETY: a new mapping at an address of the kernel's choice.
            unsafe { mmap_anonymous(std::ptr::null_mut(), 4096, protection, MapFlags::PRIVATE)? };
            Ok(())
        }
        Probe::Limit => Ok(setrlimit(Resource::Nofile, Rlimit { current: Some(32), maximum: Some(32) })?),
    }
}
