//! See `fuzz/checks/cost.rs`. The fuzzer looks for costly files: one that takes more steps for its length than any before it
//! is kept as new coverage.
//!
//! `COST_FORMAT=heif` begins every input as that format does, so that the fuzzer's time goes there.
#![no_main]

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use libfuzzer_sys::fuzz_target;

// Half of it is for the replay of seeds.
#[allow(dead_code)]
#[path = "../checks/cost.rs"]
mod cost;

/// The first bytes of a format.
fn start() -> &'static [u8] {
    static START: OnceLock<&[u8]> = OnceLock::new();
    START.get_or_init(|| match std::env::var("COST_FORMAT").as_deref() {
        Ok("jpeg") => b"\xff\xd8",
        Ok("png") => b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x09\0\0\0\x08\x08\x02\0\0\0\0\0\0\0",
        Ok("gif") => b"GIF89a\x08\0\x06\0\0\0\0",
        Ok("webp") => b"RIFF\xff\xff\xff\x7fWEBPVP8X\x0a\0\0\0\x02\0\0\0\x08\0\0\x07\0\0",
        Ok("bmp") => b"BM",
        Ok("tiff") => b"MM\0\x2a\0\0\0\x08",
        Ok("ico") => b"\0\0\x01\0",
        Ok("heif") => b"\0\0\0\x14ftypheic\0\0\0\0heic\x7f\xff\xff\xffmeta\0\0\0\0\0\0\0\x0epitm\0\0\0\0\0\x01",
        Ok("avif") => b"\0\0\0\x14ftypavis\0\0\0\0avis\x7f\xff\xff\xffmoov",
        Ok("jxl") => b"\xff\x0a",
        Ok("svg") => b"<",
        Ok("svgz") => b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
        _ => b"",
    })
}

/// A place of libFuzzer's own for counters that it takes for coverage: one for each ratio of steps to bytes, in sixteenths.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static mut RATIOS: [u8; 256] = [0; 256];

fuzz_target!(|data: &[u8]| {
    static WORST: AtomicU64 = AtomicU64::new(0);
    let file = [start(), data].concat();
    let taken = cost::taken(&file);
    // Whatever costs the same in every file counts for nothing in a long one.
    let ratio = taken.saturating_mul(16) / (file.len() as u64).max(256);
    let at = usize::try_from(ratio).unwrap_or(usize::MAX).min(255);
    // SAFETY: libFuzzer runs one input at a time on this one thread, and reads the counters between two of them.
    unsafe { (&raw mut RATIOS).cast::<u8>().add(at).write(1) };
    if WORST.fetch_max(ratio, Ordering::Relaxed) < ratio {
        eprintln!("worst so far: {taken} steps for {} bytes", file.len());
    }
});
