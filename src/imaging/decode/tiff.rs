//! TIFF: the first page.
//!
//! The library decompresses more kinds of pixels than it knows the meaning of. For those kinds the directory is rewritten
//! in a copy, so that it gives the samples as they lie, and their meaning is worked out here.

use std::io::Cursor;

use image::codecs::tiff::TiffDecoder;

use super::super::colour::ToSrgb;
use super::super::exif;
use super::super::picture::{Channels, Decode, Pixels};
use super::super::policy::Carry;
use super::super::probe::tiff::Tiff;
use super::super::probe::{Header, corrupt};
use super::still::Still;
use super::{area, buffer, jpeg, metadata, raster};
use crate::error::Error;
use crate::plan::Format;

const WIDTH: u16 = 256;
const HEIGHT: u16 = 257;
const BITS: u16 = 258;
const COMPRESSION: u16 = 259;
const PHOTOMETRIC: u16 = 262;
const SAMPLES: u16 = 277;
const ROWS_PER_STRIP: u16 = 278;
const PREDICTOR: u16 = 317;
const PALETTE: u16 = 320;
const TILE_WIDTH: u16 = 322;
const EXTRA_SAMPLES: u16 = 338;
const SUBSAMPLING: u16 = 530;

/// Opens a TIFF.
pub(super) fn open<'a>(bytes: &'a [u8], header: &Header, carry: Carry) -> Result<Box<dyn Decode + 'a>, Error> {
    let header = *header;
    // The directory describes the file's own layout as much as the picture: what is only about the picture goes on, and
    // is worth a copy of the file only where somebody wants to know.
    let orientation = header.source.orientation;
    let block = match carry {
        Carry::Nothing => (orientation != 1).then(|| exif::minimal_orientation(orientation)),
        Carry::Copyright | Carry::Exif => {
            let (width, height) = (header.source.width, header.source.height);
            exif::carried(Some(bytes), Carry::Exif, exif::Truth { orientation, width, height, srgb: true })
        }
    };
    Ok(Still::open(metadata(&header, block.as_deref()), move || decode(bytes, &header)))
}

/// What the library does not know the meaning of.
enum Meaning {
    /// Greys of 2 or 4 bits; the flag: 0 is white.
    Grey(u32, bool),
    /// Indices of 1, 2, 4 or 8 bits.
    Palette(u32),
    /// Luma and chroma, one pair of chroma for so many columns and rows.
    YCbCr(u32, u32),
    /// JPEG strips that the library has already brought to RGB, whatever their tag says.
    Jpeg,
    /// Four inks.
    Inks,
}

fn decode(bytes: &[u8], header: &Header) -> Result<Pixels, Error> {
    let tiff = Tiff::new(bytes).ok_or_else(|| corrupt(Format::Tiff, "its byte order is unknown"))?;
    match meaning(tiff) {
        None => raster::read(header, decoder(bytes)?),
        Some(meaning) => Rewritten { bytes, tiff, header }.decode(&meaning),
    }
}

fn decoder(bytes: &[u8]) -> Result<TiffDecoder<Cursor<&[u8]>>, Error> {
    TiffDecoder::new(Cursor::new(bytes)).map_err(|error| raster::error(Format::Tiff, &error))
}

fn meaning(tiff: Tiff<'_>) -> Option<Meaning> {
    let value = |tag, default| tiff.first(tag).unwrap_or(default);
    let (bits, samples, tiled) = (value(BITS, 1), value(SAMPLES, 1), tiff.find(TILE_WIDTH).is_some());
    // Bits that share a byte are unpacked here; that works on whole rows without a predictor.
    let packed = samples == 1 && !tiled && value(PREDICTOR, 1) == 1;
    // One plane for all samples.
    let chunky = value(284, 1) == 1;
    match value(PHOTOMETRIC, 1) {
        white @ (0 | 1) if matches!(bits, 2 | 4) && packed => Some(Meaning::Grey(bits, white == 0)),
        3 if samples == 1 && (bits == 8 || matches!(bits, 1 | 2 | 4) && packed) => Some(Meaning::Palette(bits)),
        5 if bits == 8 && samples == 4 && chunky && value(COMPRESSION, 1) != 7 => Some(Meaning::Inks),
        6 if bits == 8 && samples == 3 && chunky => {
            let pair = tiff.find(SUBSAMPLING);
            let step = |index| pair.and_then(|entry| tiff.number(entry, index)).unwrap_or(2);
            let (across, down) = (step(0), step(1));
            match value(COMPRESSION, 1) {
                7 => Some(Meaning::Jpeg),
                _ if !tiled && value(PREDICTOR, 1) == 1 && matches!((across, down), (1 | 2 | 4, 1 | 2 | 4)) => {
                    Some(Meaning::YCbCr(across, down))
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// A TIFF with another directory.
struct Rewritten<'a> {
    bytes: &'a [u8],
    tiff: Tiff<'a>,
    header: &'a Header,
}

impl Rewritten<'_> {
    /// Decodes samples under the changed tags (tag, new value).
    fn samples(&self, changes: &[(u16, u32)]) -> Result<(Pixels, Option<Vec<u8>>), Error> {
        let mut copy = buffer(self.bytes.len())?;
        copy.copy_from_slice(self.bytes);
        for entry in self.tiff.entries() {
            let Some(&(_, value)) = changes.iter().find(|(tag, _)| *tag == entry.tag) else { continue };
            // One LONG in place of whatever it was.
            let little = self.tiff.little_endian();
            let mut put = |at: usize, data: &[u8]| {
                if let Some(field) = copy.get_mut(at..at.saturating_add(data.len())) {
                    field.copy_from_slice(data);
                }
            };
            let order = |value: u32| if little { value.to_le_bytes() } else { value.to_be_bytes() };
            put(entry.at.saturating_sub(6), if little { &[4, 0] } else { &[0, 4] });
            put(entry.at.saturating_sub(4), &order(1));
            put(entry.at, &order(value));
        }
        raster::raw(self.header, decoder(&copy)?)
    }

    fn decode(&self, meaning: &Meaning) -> Result<Pixels, Error> {
        let (width, height) = (self.header.source.width, self.header.source.height);
        let (mut pixels, icc) = match *meaning {
            Meaning::Grey(bits, white) => {
                let (mut data, icc) = self.indices(bits)?;
                let top = (1u32 << bits) - 1;
                for value in &mut data {
                    let grey = (u32::from(*value) * 255 / top) as u8;
                    *value = if white { 255 - grey } else { grey };
                }
                (Pixels::new(width, height, Channels::Grey, data)?, icc)
            }
            Meaning::Palette(bits) => {
                let (indices, icc) = self.indices(bits)?;
                (Pixels::new(width, height, Channels::Rgb, self.look_up(&indices, bits)?)?, icc)
            }
            Meaning::YCbCr(across, down) => self.luma_chroma(across, down)?,
            Meaning::Jpeg => self.samples(&[(PHOTOMETRIC, 2)])?,
            Meaning::Inks => {
                let (inks, icc) = self.samples(&[(PHOTOMETRIC, 2)])?;
                self.sized(&inks, width, height, Channels::Rgba)?;
                return jpeg::from_inks(inks.data(), icc.as_deref(), width, height);
            }
        };
        self.sized(&pixels, width, height, pixels.channels())?;
        if let Some(transform) = icc.and_then(|icc| ToSrgb::from_icc(&icc, pixels.channels())) {
            transform.apply(&mut pixels)?;
        }
        Ok(pixels)
    }

    fn sized(&self, pixels: &Pixels, width: u32, height: u32, channels: Channels) -> Result<(), Error> {
        let same = (pixels.width(), pixels.height(), pixels.channels()) == (width, height, channels);
        same.then_some(()).ok_or_else(|| corrupt(Format::Tiff, "its samples are not what its directory announces"))
    }

    /// One byte for each sample of `bits` bits.
    fn indices(&self, bits: u32) -> Result<(Vec<u8>, Option<Vec<u8>>), Error> {
        let (width, height) = (self.header.source.width, self.header.source.height);
        let each = 8 / bits;
        let row = width.div_ceil(each);
        // The bytes of a row are taken for greys of 8 bits.
        let (packed, icc) = self.samples(&[(PHOTOMETRIC, 1), (BITS, 8), (WIDTH, row)])?;
        self.sized(&packed, row, height, Channels::Grey)?;
        let mut data = buffer(area(width, height, 1)?)?;
        for (from, to) in packed.rows().zip(data.chunks_exact_mut(width as usize)) {
            for (to, from) in to.chunks_mut(each as usize).zip(from) {
                for (to, place) in to.iter_mut().zip(1u32..) {
                    *to = from >> (8 - bits * place) & (u8::MAX >> (8 - bits));
                }
            }
        }
        Ok((data, icc))
    }

    fn look_up(&self, indices: &[u8], bits: u32) -> Result<Vec<u8>, Error> {
        let colours = 1u32 << bits;
        let entry = self.tiff.find(PALETTE).ok_or_else(|| corrupt(Format::Tiff, "it has no palette"))?;
        // All reds, then all greens, then all blues, of 16 bits each.
        let value = |at: u32| (self.tiff.number(entry, at).unwrap_or(0) >> 8) as u8;
        let palette: Vec<[u8; 3]> =
            (0..colours).map(|at| [value(at), value(at + colours), value(at + 2 * colours)]).collect();
        let mut data = buffer(indices.len().saturating_mul(3))?;
        for (to, &index) in data.chunks_exact_mut(3).zip(indices) {
            to.copy_from_slice(palette.get(usize::from(index)).unwrap_or(&[0; 3]));
        }
        Ok(data)
    }

    /// Units of `across * down` lumas, one Cb and one Cr, row of units by row of units (TIFF 6.0, section 21).
    fn luma_chroma(&self, across: u32, down: u32) -> Result<(Pixels, Option<Vec<u8>>), Error> {
        let (width, height) = (self.header.source.width, self.header.source.height);
        let unit = across * down + 2;
        let units = width.div_ceil(across);
        let row = units.checked_mul(unit).ok_or_else(|| corrupt(Format::Tiff, "its rows are too long"))?;
        let rows = height.div_ceil(down);
        let strip = self.tiff.first(ROWS_PER_STRIP).unwrap_or(height).clamp(1, height).div_ceil(down);
        let changes = [
            (PHOTOMETRIC, 1),
            (BITS, 8),
            (SAMPLES, 1),
            (WIDTH, row),
            (HEIGHT, rows),
            (ROWS_PER_STRIP, strip),
            (EXTRA_SAMPLES, 0),
        ];
        let (packed, icc) = self.samples(&changes)?;
        self.sized(&packed, row, rows, Channels::Grey)?;
        let mut data = buffer(area(width, height, 3)?)?;
        let stride = area(width, 1, 3)?;
        for (units, band) in packed.rows().zip(data.chunks_mut(stride.saturating_mul(down as usize))) {
            for (y, line) in band.chunks_exact_mut(stride).enumerate() {
                for (unit, pixels) in units.chunks_exact(unit as usize).zip(line.chunks_mut(across as usize * 3)) {
                    let Some((lumas, &[cb, cr])) = unit.split_last_chunk::<2>() else { continue };
                    let lumas = lumas.iter().skip(y.saturating_mul(across as usize));
                    for (pixel, &luma) in pixels.chunks_exact_mut(3).zip(lumas) {
                        pixel.copy_from_slice(&rgb(luma, cb, cr));
                    }
                }
            }
        }
        Ok((Pixels::new(width, height, Channels::Rgb, data)?, icc))
    }
}

/// ITU-R BT.601, full range, which is TIFF's default.
fn rgb(luma: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(luma), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    // A cast saturates.
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|value| (value + 0.5) as u8)
}
