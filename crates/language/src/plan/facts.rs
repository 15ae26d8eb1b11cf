//! What is known of an original before a rule is applied, and what a client may ask of it.

use serde::{Deserialize, Serialize};

use super::Source;

/// Which facts cost more than reading the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct FactsAsked {
    /// The average colour: decodes the pixels.
    pub average: bool,
    /// The EXIF tags.
    pub exif: bool,
    /// The MD5 of the original's bytes.
    pub md5: bool,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Format, size, orientation, frames, alpha.
    pub source: Source,
    /// Bits a channel as stored, 1..=16; up to 64 for floats.
    pub depth: u8,
    /// Channels as stored (after a palette is looked up), 1..=4.
    pub channels: u8,
    /// Progressive JPEG or interlaced PNG: the decoder must hold the whole picture.
    pub progressive: bool,
    /// Estimated quality of a JPEG, 1..=100.
    pub quality: Option<u8>,
}

/// Facts about an original, free of any dialect.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What the header says.
    pub header: Header,
    /// Bytes of the original.
    pub bytes: u64,
    /// MD5 of the original, lower-case hex, if asked for.
    pub md5: Option<String>,
    /// Average colour `[r, g, b]`, if asked for.
    pub average: Option<[u8; 3]>,
    /// EXIF tags in the file's order, name and value as text, if asked for.
    pub exif: Vec<(String, String)>,
}
