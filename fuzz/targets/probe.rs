//! See `fuzz/checks/probe.rs`.
#![no_main]

#[path = "../checks/probe.rs"]
mod probe;

libfuzzer_sys::fuzz_target!(|data: &[u8]| probe::check(data));
