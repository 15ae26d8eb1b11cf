//! See `fuzz/checks/sign.rs`.
#![no_main]

#[path = "../checks/sign.rs"]
mod sign;

libfuzzer_sys::fuzz_target!(|data: &[u8]| sign::check(data));
