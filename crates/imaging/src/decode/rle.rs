//! The run lengths of BMP: those of 4 and 8 bits, and those of 24 bits that OS/2 added.

use super::super::picture::{Channels, Pixels};
use super::super::probe::bytes::{le16, le32};
use super::super::probe::{Header, corrupt};
use super::{area, buffer};
use crate::error::Error;
use crate::plan::Format;

/// What a file's header says of its runs.
pub(super) struct Runs<'a> {
    /// Bits of a pixel: 4, 8 or 24.
    bits: u16,
    top_down: bool,
    /// Four bytes each: blue, green, red, nothing.
    palette: &'a [u8],
    data: &'a [u8],
}

impl<'a> Runs<'a> {
    /// `None` if the pixels are not coded in runs, or the header is none that runs are known to follow.
    pub(super) fn find(bytes: &'a [u8]) -> Option<Self> {
        let (offset, size) = (le32(bytes, 10)? as usize, le32(bytes, 14)?);
        let height = le32(bytes, 22)?.cast_signed();
        let (bits, compression, colours) = (le16(bytes, 28)?, le32(bytes, 30)?, le32(bytes, 46)? as usize);
        // 4 is a JPEG inside everywhere but in OS/2's header.
        let known = matches!((compression, bits, size), (1, 8, 40..) | (2, 4, 40..) | (4, 24, 64));
        known.then_some(())?;
        let most = if bits > 8 { 0 } else { 1usize << bits };
        let colours = if colours == 0 { most } else { colours.min(most) };
        let start = 14usize.checked_add(size as usize)?;
        let end = start.checked_add(colours * 4)?.min(bytes.len());
        Some(Self { bits, top_down: height < 0, palette: bytes.get(start..end)?, data: bytes.get(offset..)? })
    }

    /// Decodes. What runs draw beyond the end of a row is left out, as other readers do; a file that ends before its end
    /// mark is damaged, unless its last row is full.
    pub(super) fn decode(&self, header: &Header) -> Result<Pixels, Error> {
        let (width, height) = (header.source.width as usize, header.source.height as usize);
        let mut data = buffer(area(header.source.width, header.source.height, 3)?)?;
        let nothing = self.colour(0);
        data.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&nothing));
        let mut canvas = Canvas { data: &mut data, width, height, top_down: self.top_down, x: 0, y: 0 };
        let done = self.draw(&mut canvas).is_some();
        let full = canvas.y >= height || canvas.y == height - 1 && canvas.x >= width;
        if !done && !full {
            return Err(corrupt(Format::Bmp, "its run lengths end before the picture does"));
        }
        Pixels::new(header.source.width, header.source.height, Channels::Rgb, data)
    }

    /// Red, green and blue of a palette's entry, black where it has none.
    fn colour(&self, index: u8) -> [u8; 3] {
        let at = usize::from(index) * 4;
        match self.palette.get(at..at.saturating_add(3)) {
            Some(&[b, g, r]) => [r, g, b],
            _ => [0; 3],
        }
    }

    /// Follows the runs up to the end mark; `None` if there is none.
    fn draw(&self, canvas: &mut Canvas<'_>) -> Option<()> {
        let mut at = 0usize;
        let mut next = || {
            let byte = self.data.get(at).copied();
            at = at.saturating_add(1);
            byte
        };
        while canvas.y < canvas.height {
            let (count, second) = (next()?, next()?);
            match (count, second) {
                (0, 0) => (canvas.x, canvas.y) = (0, canvas.y.saturating_add(1)),
                (0, 1) => return Some(()),
                (0, 2) => {
                    canvas.x = canvas.x.saturating_add(next()?.into());
                    canvas.y = canvas.y.saturating_add(next()?.into());
                }
                // As many pixels one by one, filled up to an even number of bytes.
                (0, count) => {
                    let mut bytes = 0usize;
                    let mut byte = || {
                        bytes = bytes.saturating_add(1);
                        next()
                    };
                    let mut low = 0;
                    for index in 0..count {
                        let colour = match self.bits {
                            24 => self.bgr(byte()?, &mut byte)?,
                            8 => self.colour(byte()?),
                            _ if index % 2 == 0 => {
                                let pair = byte()?;
                                low = pair & 15;
                                self.colour(pair >> 4)
                            }
                            _ => self.colour(low),
                        };
                        canvas.put(colour);
                    }
                    if bytes % 2 == 1 {
                        next()?;
                    }
                }
                (count, value) => {
                    let pair = match self.bits {
                        24 => [self.bgr(value, &mut next)?; 2],
                        8 => [self.colour(value); 2],
                        _ => [self.colour(value >> 4), self.colour(value & 15)],
                    };
                    pair.iter().cycle().take(count.into()).for_each(|&colour| canvas.put(colour));
                }
            }
        }
        Some(())
    }

    fn bgr(&self, blue: u8, next: &mut dyn FnMut() -> Option<u8>) -> Option<[u8; 3]> {
        let (green, red) = (next()?, next()?);
        Some([red, green, blue])
    }
}

/// Where the next pixel goes; rows count from the first that the file has.
struct Canvas<'a> {
    data: &'a mut [u8],
    width: usize,
    height: usize,
    top_down: bool,
    x: usize,
    y: usize,
}

impl Canvas<'_> {
    fn put(&mut self, colour: [u8; 3]) {
        if self.x < self.width && self.y < self.height {
            let row = if self.top_down { self.y } else { self.height - 1 - self.y };
            let at = (row * self.width + self.x) * 3;
            if let Some(pixel) = self.data.get_mut(at..at.saturating_add(3)) {
                pixel.copy_from_slice(&colour);
            }
        }
        self.x = self.x.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::probe::probe;

    /// A BMP of 4 x 2 pixels of 8 bits, whose palette is a grey ramp.
    fn file(runs: &[u8]) -> Vec<u8> {
        let mut bytes = b"BM\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend((54u32 + 1024).to_le_bytes());
        for field in [40u32, 4, 2, 0x0008_0001, 1, 0, 0, 0, 0, 0] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend((0..=255u8).flat_map(|grey| [grey, grey, grey, 0]));
        bytes.extend(runs);
        bytes
    }

    fn greys(runs: &[u8]) -> Result<Vec<u8>, Error> {
        let bytes = file(runs);
        let pixels = Runs::find(&bytes).unwrap().decode(&probe(&bytes)?)?;
        Ok(pixels.data().chunks(3).map(|pixel| pixel[0]).collect())
    }

    #[test]
    fn runs_singles_and_skips_draw_from_the_bottom() {
        let drawn = greys(&[3, 7, 0, 2, 1, 0, 0, 0, 0, 3, 1, 2, 3, 0, 0, 1]).unwrap();
        assert_eq!(drawn, [1, 2, 3, 0, 7, 7, 7, 0]);
        assert_eq!(greys(&[0, 2, 1, 1, 2, 9, 0, 1]).unwrap(), [0, 9, 9, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_run_beyond_its_row_is_cut_and_a_missing_end_is_an_error() {
        assert_eq!(greys(&[9, 5, 0, 0, 4, 6]).unwrap(), [6, 6, 6, 6, 5, 5, 5, 5]);
        for short in [&[4, 5, 0, 0, 3, 6][..], &[4, 5], &[0, 9, 1], &[]] {
            assert!(greys(short).is_err(), "{short:?}");
        }
    }
}
