//! Signatures, as pure functions: every step of every algorithm takes plain data and gives plain data, time included,
//! so that each intermediate string can be held against the vendor's published vectors.
//!
//! One file a scheme: [`sigv4`] signs what goes to S3-compatible stores.

pub mod encode;
pub mod secret;
pub mod sigv4;

pub use secret::{Credentials, Secret};
