//! Bytes to pixels to bytes. Knows plans and pixels; knows nothing of HTTP or processes, nor of files but for fonts. Everything but
//! [`probe`] runs inside a sandboxed worker.

#[cfg(test)]
#[path = "../../../tests/support/at_hand.rs"]
mod at_hand;
mod bare;
pub mod budget;
mod codec;
pub mod codecs;
pub mod colour;
pub mod compare;
pub mod convert;
#[cfg(test)]
#[path = "../../../tests/support/crafted.rs"]
mod crafted;
mod crc;
pub mod decode;
mod effort;
pub mod encode;
pub mod exif;
pub mod fonts;
mod hdr;
mod job;
mod layout;
mod libheif;
pub mod mark;
mod need;
pub mod picture;
pub mod plugin;
mod prepare;
pub mod probe;
pub mod score;
pub mod search;
#[cfg(test)]
mod telling;
pub mod transform;

/// Loads what libraries load when they are used first. A worker does so before it seals itself.
pub fn load_libraries() {
    libheif::library();
}

pub use convert::{Expected, convert, convert_marked};
pub use effort::Effort;
pub use job::{Job, Outcome, Times};
use pictor_language::{error, negotiate, plan};
pub use picture::{Animation, Channels, Decode, Encode, Frame, Metadata, Pixels, Space};
pub use plan::policy;
pub use plan::{Facts, Header, Policy};
pub use prepare::{Preparation, Prepared, Terms, check_plan, prepare};
pub use probe::probe;
