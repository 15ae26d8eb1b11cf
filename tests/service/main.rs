//! The service as a black box: the real binary on loopback, scripted origins, a real S3 server.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod access;
mod advanced;
mod answers;
mod bad;
mod bounds;
mod closed;
mod drawings;
mod flights;
mod headers;
mod hurried;
mod marks;
mod memory;
mod pass;
mod plugin;
mod readme;
mod replay;
mod rows;
mod sdks;
#[path = "../support/mod.rs"]
mod shared;
mod start;
mod style_calls;
mod styles;
mod support;
mod urls;
mod vary;
mod versions;
mod ways;
mod workers;
mod writes;
