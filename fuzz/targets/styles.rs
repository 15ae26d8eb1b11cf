//! See `fuzz/checks/styles.rs`.
#![no_main]

#[path = "../checks/styles.rs"]
mod styles;

libfuzzer_sys::fuzz_target!(|data: &[u8]| styles::check(data));
