//! The header of a picture, read in safe Rust without decoding a pixel: the only part of imaging that the service's own
//! process runs. Nothing here panics or allocates by a number that the file gives. Time is linear in the file's length, of
//! which [`steps`] keeps count, and bounded to milliseconds for the largest originals.

mod av1;
pub(crate) mod bmp;
pub(crate) mod boxes;
pub(crate) mod bytes;
mod codecs;
pub(crate) mod gif;
pub(crate) mod heif;
pub(crate) mod ico;
pub(crate) mod jpeg;
mod jpegli;
pub(crate) mod jxl;
pub(crate) mod png;
pub mod steps;
pub(crate) mod svg;
pub(crate) mod tiff;
pub(crate) mod track;
pub(crate) mod webp;

#[cfg(test)]
mod accepted_tests;
#[cfg(test)]
mod cost_tests;
#[cfg(test)]
mod tests;

use super::policy::Policy;
use crate::error::{Error, Kind};
pub use crate::plan::Header;
use crate::plan::{Format, Limits, Source};

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
/// here, [`Kind::Corrupt`] for a header that is cut off, contradicts itself, announces no pixels, or takes more steps to
/// read than one should.
pub fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let allowance = steps::allowance(bytes.len());
    let (header, used) = steps::within(allowance, || read(bytes));
    if used >= allowance {
        let format = identify(bytes).unwrap_or(Format::Svg);
        return Err(corrupt(format, "its header takes more work to read than its size allows"));
    }
    header
}

/// The steps that reading the header takes when nothing ends it, to be compared with [`steps::linear`].
pub fn cost(bytes: &[u8]) -> u64 {
    steps::within(u64::MAX, || read(bytes)).1
}

/// Refuses an original of a format that a site does not take, before anything reads it: by its first bytes, and where a site
/// takes but one of AVIF and HEIF, by the codecs that the file's boxes name. Whatever begins like gzip would be read as SVG.
///
/// # Errors
/// [`Kind::UnsupportedSource`] if it is of a format that is known and not taken.
pub fn check_accepted(bytes: &[u8], limits: &Limits, policy: &Policy) -> Result<(), Error> {
    let drawing = || (svg::is_packed(bytes) || svg::matches(bytes)).then_some(Format::Svg);
    let Some(format) = identify(bytes).or_else(drawing) else { return Ok(()) };
    match format {
        Format::Jxl if !policy.jxl => Err(closed(Format::Jxl)),
        Format::Svg if !policy.svg => Err(closed(Format::Svg)),
        Format::Avif | Format::Heif if limits.inputs.has(format) => {
            let other = if format == Format::Avif { Format::Heif } else { Format::Avif };
            if limits.inputs.has(other) || !codecs::may_name(bytes, other) {
                return Ok(());
            }
            Err(not_taken(&format!("{} with a codec of {}", format.name(), other.name())))
        }
        format if limits.inputs.has(format) => Ok(()),
        format => Err(not_taken(format.name())),
    }
}

fn not_taken(what: &str) -> Error {
    let message = format!("the original is {what}, which is not among the formats that this site reads");
    Error::new(Kind::UnsupportedSource, message)
}

/// The refusal of a format that the site may allow.
pub(crate) fn closed(format: Format) -> Error {
    let sentence = match format {
        Format::Jxl => "the original is JPEG XL, which this site does not read",
        Format::Svg => "the original is SVG, which this site does not read",
        _ => "the original is of a format that this site does not read",
    };
    let what = format!("{sentence}; [site.imaging] {} = true allows it", format.name());
    Error::inside(Kind::UnsupportedSource, sentence, what)
}

/// Whether an object is a picture by how it begins, of any kind that is told by that, read here or not. Two letters alone do
/// not make a BMP of everything that begins with them.
pub fn begins_as_picture(bytes: &[u8]) -> bool {
    let known = || match identify(bytes) {
        Some(Format::Bmp) => bmp::dib(bytes.get(14..).unwrap_or_default()).is_ok(),
        Some(_) => true,
        None => REFUSED.iter().any(|(magic, _)| bytes.starts_with(magic)) || svg::probe(bytes).is_some(),
    };
    steps::within(steps::allowance(bytes.len()), known).0
}

/// The format by the first bytes; `None` if there is none that begins so. An SVG is not told from other text here.
fn identify(bytes: &[u8]) -> Option<Format> {
    if bytes.starts_with(&[0xff, 0xd8]) {
        Some(Format::Jpeg)
    } else if bytes.starts_with(png::SIGNATURE) {
        Some(Format::Png)
    } else if bytes.starts_with(b"GIF87a") || bytes.starts_with(b"GIF89a") {
        Some(Format::Gif)
    } else if webp::matches(bytes) {
        Some(Format::WebP)
    } else if bytes.starts_with(b"BM") {
        Some(Format::Bmp)
    } else if tiff::matches(bytes) {
        Some(Format::Tiff)
    } else if ico::matches(bytes) {
        Some(Format::Ico)
    } else if jxl::matches(bytes) {
        Some(Format::Jxl)
    } else {
        heif::format(bytes)
    }
}

fn read(bytes: &[u8]) -> Result<Header, Error> {
    if bytes.is_empty() {
        return Err(Error::new(Kind::NotAnImage, "the original is empty (0 bytes)"));
    }
    if let Some((_, name)) = REFUSED.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(refused(name));
    }
    let nothing = || {
        Err(Error::new(
            Kind::NotAnImage,
            "the original is not a picture (not JPEG, PNG, GIF, WebP, AVIF, HEIF, BMP, TIFF, ICO, JPEG XL or SVG)",
        ))
    };
    let header = match identify(bytes) {
        Some(Format::Jpeg) => jpeg::probe(bytes),
        Some(Format::Png) => png::probe(bytes),
        Some(Format::Gif) => gif::probe(bytes),
        Some(Format::WebP) => webp::probe(bytes),
        Some(Format::Bmp) => bmp::probe(bytes),
        Some(Format::Tiff) => tiff::probe(bytes),
        Some(Format::Ico) => ico::probe(bytes),
        Some(Format::Jxl) => jxl::probe(bytes),
        Some(format @ (Format::Avif | Format::Heif)) => heif::probe(bytes, format),
        Some(Format::Svg | Format::Tpg) | None => svg::probe(bytes).unwrap_or_else(nothing),
    }?;
    let Source { format, width, height, .. } = header.source;
    if width == 0 || height == 0 {
        return Err(corrupt(format, "the header announces a side of 0 pixels"));
    }
    if width >= ABSURD_SIDE || height >= ABSURD_SIDE {
        return Err(corrupt(format, "the header announces an impossible size"));
    }
    Ok(header)
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
