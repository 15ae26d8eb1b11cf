//! What an original's bytes tell beyond its header: how much there is to read, how it is packed, and how busy it looks.
//!
//! Reading a picture takes time for its pixels and for its bytes: a lossless AVIF is ten times the work of a lossy one of the
//! same size. And writing one takes longer the busier it is, by a factor of four for AVIF, which bytes a pixel tell well.

use crate::codec::codec;
use crate::plan::Format;
use crate::probe::tiff::Tiff;
use crate::probe::{Header, svg, webp};

/// How it is packed, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// As its format usually is.
    Usual,
    /// WebP without loss.
    Exact,
    /// TIFF with LZW.
    Lzw,
    /// TIFF with any other compression but none.
    Deflate,
    /// A compressed drawing.
    Gzip,
}

/// What the picture looks like, as far as one can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Few colours: a chart, a screenshot.
    Flat,
    /// A photograph.
    Plain,
    /// More detail than photographs have, or noise.
    Busy,
}

/// What the bytes tell.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    /// How many there are.
    pub bytes: u64,
    packing: Packing,
    /// How the picture looks.
    pub look: Look,
}

/// How much larger the text of a compressed drawing is, as a rule.
const UNPACKED: u64 = 6;

/// Bytes of a file, and of each frame of several, that are not its pixels', at the least.
const HEADS: u64 = 700;
const FRAME_HEADS: u64 = 40;

impl File {
    /// Of an original, or what is typical where there are no bytes to look at.
    pub fn of(source: Option<&[u8]>, header: &Header) -> Self {
        // Of all frames together.
        let pixels = header.source.pixels().max(1);
        let Some(source) = source else {
            let bytes = pixels.saturating_mul(codec(header.source.format).density) / 1000;
            let look = if header.source.format == Format::Svg { Look::Flat } else { Look::Plain };
            return Self { bytes, packing: Packing::Usual, look };
        };
        let packing = match header.source.format {
            Format::WebP if webp::chunk(source, b"VP8L").is_some() => Packing::Exact,
            Format::Svg if svg::is_packed(source) => Packing::Gzip,
            Format::Tiff => match Tiff::new(source).and_then(|tiff| tiff.first(259)) {
                None | Some(1 | 32_773) => Packing::Usual,
                Some(5) => Packing::Lzw,
                Some(_) => Packing::Deflate,
            },
            _ => Packing::Usual,
        };
        let bytes = source.len() as u64;
        // Thousandths of a byte a pixel, as if every sample had eight bits. Heads and tables are no detail.
        let heads = HEADS.saturating_add(FRAME_HEADS.saturating_mul(header.source.frames.saturating_sub(1).into()));
        let density = bytes.saturating_sub(heads).saturating_mul(8000 / u64::from(header.depth.clamp(8, 64))) / pixels;
        let (flat, busy) = match header.source.format {
            Format::Tiff if packing != Packing::Usual => (600, 2600),
            Format::WebP if packing == Packing::Exact => (400, 2000),
            format => codec(format).looks,
        };
        let look = if density < flat {
            Look::Flat
        } else if density > busy {
            Look::Busy
        } else {
            Look::Plain
        };
        Self { bytes, packing, look }
    }

    /// The text of a drawing, in bytes.
    pub fn text(&self) -> u64 {
        self.bytes.saturating_mul(if self.packing == Packing::Gzip { UNPACKED } else { 1 })
    }

    /// Microseconds that reading a frame takes. `stored` are its pixels, `shrunk` whether a JPEG is read at a part of its size.
    /// By what `benches/costs.rs` measures.
    pub fn reading(&self, header: &Header, stored: u64, shrunk: bool) -> u64 {
        let frames = u64::from(header.source.frames.max(1));
        let deep = u64::from(header.depth.clamp(8, 64)).div_ceil(8);
        let raw = stored.saturating_mul(u64::from(header.channels.clamp(1, 4))).saturating_mul(deep);
        // Nanoseconds for a pixel, for a byte of a frame.
        let (pixel, byte) = match header.source.format {
            // Several scans over 16-bit coefficients.
            Format::Jpeg if header.progressive => (4, 16),
            Format::Jpeg if shrunk => (1, 10),
            Format::Jpeg => (3, 10),
            Format::Png => (if header.depth > 8 { 20 } else { 12 }, 0),
            Format::WebP if self.packing == Packing::Exact => (20, 3),
            Format::WebP if frames > 1 => (30, 10),
            Format::WebP => (9, 8),
            Format::Tiff => {
                // By what comes out.
                let (out, in_) = match self.packing {
                    Packing::Lzw => (6, 14),
                    Packing::Deflate => (4, 0),
                    Packing::Usual | Packing::Exact | Packing::Gzip => (1, 0),
                };
                return (raw.saturating_mul(out)).saturating_add(self.bytes.saturating_mul(in_)) / 1000;
            }
            format => codec(format).reading,
        };
        stored.saturating_mul(pixel).saturating_add((self.bytes / frames).saturating_mul(byte)) / 1000
    }
}
