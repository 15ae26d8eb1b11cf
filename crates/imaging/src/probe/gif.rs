//! GIF: the blocks of 87a and 89a, without decompressing any.

use super::bytes::{byte, le16, slice};
use super::{Header, corrupt};
use crate::error::Error;
use crate::plan::{Format, Source};

/// Frames are counted up to this; more are more than any limit takes.
const MAX_FRAMES: u32 = 100_000;

/// What a walk over the blocks finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blocks {
    /// Image descriptors.
    pub frames: u32,
    /// Whether a pixel of any composed frame may be transparent.
    pub alpha: bool,
    /// The number in the NETSCAPE2.0 extension: 0 is for ever, n is n repetitions after the first run.
    pub loops: Option<u16>,
    /// Whether the first frame is interlaced.
    pub interlaced: bool,
    /// Where the first frame ends, to the right and downwards.
    pub reach: (u32, u32),
}

/// Walks the blocks. A file that is cut off gives what was found before the cut.
pub(crate) fn blocks(bytes: &[u8]) -> Blocks {
    let mut found = Blocks { frames: 0, alpha: false, loops: None, interlaced: false, reach: (0, 0) };
    // `None` is the end of the file, which is no concern of a count.
    let _ = walk(bytes, &mut found);
    found
}

/// Bytes of a colour table as a packed field announces it.
fn table(packed: u8) -> usize {
    if packed & 0x80 == 0 { 0 } else { 3 << ((packed & 7) + 1) }
}

/// The offset after a chain of sub-blocks.
fn skip_sub_blocks(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let length = usize::from(byte(bytes, at)?);
        at = at.checked_add(length)?.checked_add(1)?;
        if length == 0 {
            return Some(at);
        }
    }
}

fn walk(bytes: &[u8], found: &mut Blocks) -> Option<()> {
    let (screen_width, screen_height) = (le16(bytes, 6)?, le16(bytes, 8)?);
    let mut at = 13usize.checked_add(table(byte(bytes, 10)?))?;
    while found.frames < MAX_FRAMES {
        let kind = byte(bytes, at)?;
        match kind {
            0x2c => {
                let [left, top, width, height] = [1, 3, 5, 7].map(|offset| le16(bytes, at.saturating_add(offset)));
                let (left, top, width, height) = (left?, top?, width?, height?);
                let packed = byte(bytes, at.checked_add(9)?)?;
                let covers = (left, top) == (0, 0) && width >= screen_width && height >= screen_height;
                if found.frames == 0 {
                    found.alpha |= !covers;
                    found.interlaced = packed & 0x40 != 0;
                    found.reach = (u32::from(left) + u32::from(width), u32::from(top) + u32::from(height));
                }
                found.frames = found.frames.saturating_add(1);
                // Descriptor, local table, the byte of LZW's first code size.
                at = at.checked_add(10)?.checked_add(table(packed))?.checked_add(1)?;
            }
            0x21 => {
                match byte(bytes, at.checked_add(1)?)? {
                    0xf9 => {
                        let packed = byte(bytes, at.checked_add(3)?)?;
                        // Transparent pixels, or a frame that is cleared away before the next.
                        found.alpha |= packed & 1 != 0 || (packed >> 2) & 7 == 2;
                    }
                    0xff if slice(bytes, at.checked_add(3)?, 11) == Some(b"NETSCAPE2.0")
                        && slice(bytes, at.checked_add(14)?, 2) == Some(&[3, 1]) =>
                    {
                        found.loops = found.loops.or(le16(bytes, at.checked_add(16)?));
                    }
                    _ => {}
                }
                at = at.checked_add(2)?;
            }
            // Padding between blocks; the trailer and anything unknown end the walk.
            0x00 => {
                at = at.checked_add(1)?;
                continue;
            }
            _ => return None,
        }
        at = skip_sub_blocks(bytes, at)?;
    }
    None
}

/// Reads a GIF's header. The canvas is the logical screen, made larger where the first frame goes beyond it (browsers and
/// libnsgif do the same); what later frames draw outside of it is cut off.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let format = Format::Gif;
    let (Some(width), Some(height)) = (le16(bytes, 6), le16(bytes, 8)) else {
        return Err(corrupt(format, "it ends before the logical screen"));
    };
    let found = blocks(bytes);
    if found.frames == 0 {
        return Err(corrupt(format, "it holds no picture"));
    }
    Ok(Header {
        source: Source {
            format,
            width: u32::from(width).max(found.reach.0),
            height: u32::from(height).max(found.reach.1),
            orientation: 1,
            frames: found.frames,
            alpha: found.alpha,
        },
        depth: 8,
        channels: if found.alpha { 4 } else { 3 },
        progressive: found.interlaced,
        quality: None,
    })
}
