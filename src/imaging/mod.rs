//! Bytes to pixels to bytes. Knows plans and pixels; knows nothing of HTTP, files or processes. Everything but
//! [`probe`] runs inside a sandboxed worker.

#[cfg(test)]
#[path = "../../tests/support/at_hand.rs"]
mod at_hand;
mod bare;
pub mod budget;
pub mod codecs;
pub mod colour;
pub mod compare;
pub mod convert;
pub mod decode;
pub mod encode;
pub mod exif;
mod hdr;
mod libheif;
pub mod mark;
pub mod picture;
pub mod plugin;
pub mod policy;
pub mod probe;
pub mod score;
pub mod search;
#[cfg(test)]
mod telling;
pub mod transform;

/// Loads what libraries load when they are used first. A worker does so before it seals itself.
pub fn prepare() {
    libheif::library();
}

pub use convert::{Expected, Facts, Job, Outcome, Times, convert, convert_marked};
pub use picture::{Animation, Channels, Decode, Encode, Frame, Metadata, Pixels, Space};
pub use policy::Policy;
pub use probe::{Header, probe};
