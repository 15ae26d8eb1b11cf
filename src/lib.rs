//! Pictor: an origin shield for images. It speaks the image dialects of two clouds, converts each picture once,
//! and answers from its cache. Each module is a room of the house; imports point down this list, never up.
//! `ARCHITECTURE.md` is the map.

pub mod cli;
pub mod http;
pub mod shield;

pub mod engine;

pub mod cache;
pub mod imaging;
pub mod origin;
pub mod state;

pub mod access;
pub mod dialect;
pub mod negotiate;
pub mod sign;

pub mod config;
pub mod telemetry;

pub mod billing;

pub mod plan;

pub mod dates;
pub mod error;
pub mod xml;
