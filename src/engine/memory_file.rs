//! Files in memory (memfd) through which originals go to a worker and variants come back.
//!
//! The service only ever uses `pread` and `pwrite` on them: a worker that shrinks its file gives a short read there, not
//! a SIGBUS. Only the worker maps one, to read its original in place.
#![allow(unsafe_code, reason = "maps memory files")]

use std::fs::File;
use std::io;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;

use rustix::fs::MemfdFlags;
use rustix::mm::{MapFlags, ProtFlags};

/// A file without a name, in memory.
#[derive(Debug)]
pub struct MemoryFile {
    file: File,
}

/// Gives large buffers of this process back to the system as soon as they are freed. By itself glibc learns from a large
/// buffer that is freed to take the next ones, of up to 32 MiB, from heaps that it keeps: a flood of originals would leave
/// its memory behind. To be called before other threads start.
pub fn free_large_buffers_at_once() {
    #[cfg(target_env = "gnu")]
    // SAFETY: sets numbers inside the allocator.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 1 << 20);
        // What follows from it, as glibc would set it.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 2 << 20);
    }
}

impl MemoryFile {
    /// An empty file. `name` is what `/proc/PID/fd` shows.
    ///
    /// # Errors
    /// What `memfd_create` says.
    pub fn new(name: &str) -> io::Result<Self> {
        // Kernels before 6.3 do not know that a file can be made never to be executable.
        let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::NOEXEC_SEAL)
            .or_else(|_| rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC))?;
        Ok(fd.into())
    }

    /// Writes bytes at the start. What lies behind them stays.
    ///
    /// # Errors
    /// What the system says; in a worker also that its largest file size is reached.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_at(bytes, 0)
    }

    /// Writes bytes at an offset.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// Reads so many bytes from the start.
    ///
    /// # Errors
    /// [`io::ErrorKind::UnexpectedEof`] if the file is shorter, before any memory is taken.
    pub fn read(&self, length: u64) -> io::Result<Vec<u8>> {
        if length > self.length()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        bytes.resize(length, 0);
        self.file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Gives the memory of a file that is larger than `keep` back. Pages that are kept are written again without a fault,
    /// which makes a round trip of 5 MB three times as fast.
    ///
    /// # Errors
    /// What the system says.
    pub fn trim(&self, keep: u64) -> io::Result<()> {
        if self.length()? > keep { self.file.set_len(0) } else { Ok(()) }
    }

    /// The first `length` bytes, mapped for reading. For the worker only, where a SIGBUS costs one request.
    ///
    /// # Errors
    /// What `mmap` says; no address space left is one of it.
    pub fn map(&self, length: u64) -> io::Result<Map> {
        let length = usize::try_from(length).map_err(|_| io::ErrorKind::OutOfMemory)?;
        if length == 0 {
            return Ok(Map { start: NonNull::dangling(), length: 0 });
        }
        if length as u64 > self.length()? {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe {
            rustix::mm::mmap(std::ptr::null_mut(), length, ProtFlags::READ, MapFlags::SHARED, &self.file, 0)?
        };
        let start = NonNull::new(start.cast::<u8>()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Map { start, length })
    }

    /// By seeking, because a sealed worker may not `statx`; nobody uses the file's position.
    fn length(&self) -> io::Result<u64> {
        Ok(rustix::fs::seek(&self.file, rustix::fs::SeekFrom::End(0))?)
    }
}

impl From<OwnedFd> for MemoryFile {
    fn from(fd: OwnedFd) -> Self {
        Self { file: fd.into() }
    }
}

impl AsFd for MemoryFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Bytes of a memory file, in place.
#[derive(Debug)]
pub struct Map {
    start: NonNull<u8>,
    length: usize,
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `start` is a live mapping of `length` readable bytes (or dangling with length 0). The supervisor writes to
        // the file only while the worker waits for its next job, and then no `Map` exists.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: exactly the mapping that `map` made; no slice of it outlives `self`. An error would leave it mapped.
            let _ = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) };
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn bytes_go_through_and_large_files_are_given_back() {
        let file = MemoryFile::new("test").unwrap();
        file.write(b"hello world").unwrap();
        assert_eq!(file.read(5).unwrap(), b"hello");
        assert_eq!(&*file.map(11).unwrap(), b"hello world");
        assert!(file.map(0).unwrap().is_empty());
        assert_eq!(file.read(12).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(file.read(u64::MAX).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(file.map(12).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        file.trim(1 << 20).unwrap();
        assert_eq!(file.read(5).unwrap(), b"hello", "small files keep their pages");
        file.write(&vec![7; 3 << 20]).unwrap();
        file.trim(1 << 20).unwrap();
        assert!(file.read(1).is_err());
    }
}
