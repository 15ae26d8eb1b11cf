//! See `fuzz/checks/dialect.rs`.
#![no_main]

#[path = "../checks/dialect.rs"]
mod dialect;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dialect::check(data));
