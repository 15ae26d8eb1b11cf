//! Bytes to pixels to bytes. Knows plans and pixels; knows nothing of HTTP, files or processes. Everything but
//! [`probe`] runs inside a sandboxed worker.

pub mod budget;
pub mod colour;
pub mod compare;
pub mod convert;
pub mod decode;
pub mod encode;
pub mod exif;
mod hdr;
pub mod mark;
pub mod picture;
pub mod plugin;
pub mod policy;
pub mod probe;
pub mod score;
pub mod search;
pub mod transform;

pub use convert::{Facts, Job, Outcome, Times, convert, convert_marked};
pub use picture::{Animation, Channels, Decode, Encode, Frame, Metadata, Pixels, Space};
pub use policy::Policy;
pub use probe::{Header, probe};
