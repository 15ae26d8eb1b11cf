//! Pictor: an origin shield for images. It speaks the image dialects of two clouds, converts each picture once,
//! and answers from its cache. Each module is a room of the house; imports point down this list, never up.
//! `ARCHITECTURE.md` is the map.

pub mod cli;
pub mod http;
pub mod shield;
pub mod site;

pub mod engine;

pub mod cache;
pub mod origin;
pub mod state;
pub mod telemetry;

pub mod config;

pub mod clock;

// Rooms with crates of their own, so that the compiler guards their walls and a change here does not build them again.
pub use pictor_imaging as imaging;
pub use pictor_language::{access, billing, dates, dialect, digest, error, negotiate, plan, sign, xml};
