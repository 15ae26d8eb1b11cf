//! The header of a picture, read in safe Rust without decoding a pixel: the only part of imaging that the service's own
//! process runs. Nothing here panics or allocates by a number that the file gives, and time is linear in the file's
//! length.

mod av1;
pub(crate) mod bmp;
mod boxes;
pub(crate) mod bytes;
pub(crate) mod gif;
pub(crate) mod heif;
pub(crate) mod ico;
pub(crate) mod jpeg;
mod jpegli;
pub(crate) mod jxl;
pub(crate) mod png;
pub(crate) mod svg;
pub(crate) mod tiff;
pub(crate) mod track;
pub(crate) mod webp;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind};
use crate::plan::{Format, Source};

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

/// No format here goes beyond this on purpose; a side above it is damage, not a large picture.
const ABSURD_SIDE: u32 = 1 << 31;

/// Formats that are recognised so that the refusal can name them, by the bytes they begin with.
const REFUSED: [(&[u8], &str); 5] = [
    (b"TPG\0", "TPG"),
    (b"8BPS", "Photoshop (PSD)"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"II\xbc\x01", "JPEG XR"),
];

/// Reads the header.
///
/// # Errors
/// [`Kind::NotAnImage`] for bytes of no known format, [`Kind::UnsupportedSource`] for a known format that is not decoded
/// here, [`Kind::Corrupt`] for a header that is cut off, contradicts itself or announces no pixels.
pub fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let header = read(bytes)?;
    let Source { format, width, height, .. } = header.source;
    if width == 0 || height == 0 {
        return Err(corrupt(format, "the header announces a side of 0 pixels"));
    }
    if width >= ABSURD_SIDE || height >= ABSURD_SIDE {
        return Err(corrupt(format, "the header announces an impossible size"));
    }
    Ok(header)
}

fn read(bytes: &[u8]) -> Result<Header, Error> {
    if bytes.is_empty() {
        return Err(Error::new(Kind::NotAnImage, "the original is empty (0 bytes)"));
    }
    if let Some((_, name)) = REFUSED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(refused(name));
    }
    if bytes.starts_with(&[0xff, 0xd8]) {
        jpeg::probe(bytes)
    } else if bytes.starts_with(png::SIGNATURE) {
        png::probe(bytes)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        gif::probe(bytes)
    } else if webp::matches(bytes) {
        webp::probe(bytes)
    } else if bytes.starts_with(b"BM") {
        bmp::probe(bytes)
    } else if tiff::matches(bytes) {
        tiff::probe(bytes)
    } else if ico::matches(bytes) {
        ico::probe(bytes)
    } else if heif::matches(bytes) {
        heif::probe(bytes)
    } else if jxl::matches(bytes) {
        jxl::probe(bytes)
    } else {
        svg::probe(bytes).unwrap_or_else(|| {
            Err(Error::new(
                Kind::NotAnImage,
                "the original is not a picture (not JPEG, PNG, GIF, WebP, AVIF, HEIF, BMP, TIFF, ICO, JPEG XL or SVG)",
            ))
        })
    }
}

fn refused(name: &str) -> Error {
    Error::new(Kind::UnsupportedSource, format!("the original is {name}, which is not decoded here"))
}

/// A damaged picture of a format.
pub(crate) fn corrupt(format: Format, what: &str) -> Error {
    Error::new(Kind::Corrupt, format!("the {} original is damaged: {what}", format.name()))
}

/// A picture of a known format, of a variety that is not decoded here.
pub(crate) fn unsupported(format: Format, what: &str) -> Error {
    Error::new(Kind::UnsupportedSource, format!("the {} original is not decoded here: {what}", format.name()))
}
