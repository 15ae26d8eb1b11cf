//! TIFF, classic and big: the first page.
//!
//! The library decompresses samples; what they mean is worked out here. For that the directory is rewritten in a copy, so
//! that it announces bands of plain samples, and the library neither refuses nor converts them.

use std::io::Cursor;

use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::{ColorType, TiffError};

use super::super::colour::ToSrgb;
use super::super::exif;
use super::super::picture::{Channels, Decode, Pixels};
use super::super::policy::Carry;
use super::super::probe::tiff::Tiff;
use super::super::probe::{Header, corrupt, unsupported};
use super::still::StillDecoder;
use super::{area, buffer, jpeg, metadata};
use crate::error::{Error, Kind};
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
const ICC: u16 = 34675;

/// Bytes that the library may take beyond the pixels themselves.
const SLACK: usize = 64 << 20;

/// Bands of a page, at most: inks, alpha, and a few that are not looked at.
const BANDS: usize = 16;

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
    Ok(StillDecoder::open(metadata(&header, block.as_deref()), move || Page::new(bytes, &header)?.decode()))
}

fn damaged(what: &str) -> Error {
    corrupt(Format::Tiff, what)
}

fn failed(error: &TiffError) -> Error {
    match error {
        TiffError::UnsupportedError(what) => unsupported(Format::Tiff, &what.to_string()),
        // The limits follow from the header, so that it is the file that contradicts itself.
        other => damaged(&other.to_string()),
    }
}

/// Samples of 8 bits, pixel by pixel; those that had less are indices or steps of their own range.
struct Samples {
    width: u32,
    height: u32,
    /// Samples of a pixel.
    count: usize,
    data: Vec<u8>,
}

/// The first page of a file.
struct Page<'a> {
    bytes: &'a [u8],
    tiff: Tiff<'a>,
    header: &'a Header,
    /// Bits of a sample.
    bits: u32,
    photometric: u32,
}

impl<'a> Page<'a> {
    fn new(bytes: &'a [u8], header: &'a Header) -> Result<Self, Error> {
        let tiff = Tiff::new(bytes).ok_or_else(|| damaged("its byte order is unknown"))?;
        let (bits, photometric) = (tiff.first(BITS).unwrap_or(1), tiff.first(PHOTOMETRIC).unwrap_or(1));
        Ok(Self { bytes, tiff, header, bits, photometric })
    }

    fn decode(&self) -> Result<Pixels, Error> {
        let (width, height) = (self.header.source.width, self.header.source.height);
        let icc = self.icc();
        let mut pixels = match self.chroma() {
            Some((across, down)) => self.luma_chroma(across, down)?,
            None => {
                let samples = self.samples(&[(PHOTOMETRIC, 1)])?;
                if (samples.width, samples.height) != (width, height) {
                    return Err(damaged("its samples are not what its directory announces"));
                }
                if self.photometric == 5 {
                    let inks = first(samples, 4)?;
                    return jpeg::from_inks(&inks, icc, width, height);
                }
                let (channels, data) = self.meaning(samples)?;
                Pixels::new(width, height, channels, data)?
            }
        };
        let lab = matches!(self.photometric, 8 | 9);
        if !lab && let Some(transform) = icc.and_then(|icc| ToSrgb::from_icc(icc, pixels.channels())) {
            transform.apply(&mut pixels)?;
        }
        Ok(pixels)
    }

    fn icc(&self) -> Option<&'a [u8]> {
        self.tiff.find(ICC).and_then(|entry| self.tiff.bytes_of(entry))
    }

    /// Decodes the bands of the page under the changed tags (tag, new value).
    fn samples(&self, changes: &[(u16, u32)]) -> Result<Samples, Error> {
        let mut copy = buffer(self.bytes.len())?;
        copy.copy_from_slice(self.bytes);
        for entry in self.tiff.entries() {
            if let Some(&(_, value)) = changes.iter().find(|(tag, _)| *tag == entry.tag) {
                self.tiff.put(&mut copy, entry, value);
            }
        }
        let mut decoder = Decoder::new(Cursor::new(copy)).map_err(|error| failed(&error))?;
        let (width, height) = decoder.dimensions().map_err(|error| failed(&error))?;
        // Samples that are taken as they lie may be more than pixels, by the padding of small pictures even much more.
        let most = self.header.source.pixels().saturating_mul(4).saturating_add(4096);
        if width == 0 || height == 0 || u64::from(width) * u64::from(height) > most {
            return Err(damaged("its size is not what its header announces"));
        }
        let (bits, count) = match decoder.colortype().map_err(|error| failed(&error))? {
            ColorType::Gray(bits) => (bits, 1),
            ColorType::Multiband { bit_depth, num_samples } => (bit_depth, usize::from(num_samples)),
            other => return Err(unsupported(Format::Tiff, &format!("samples of type {other:?}"))),
        };
        if count > BANDS {
            return Err(unsupported(Format::Tiff, &format!("it has {count} samples a pixel ({BANDS} are taken)")));
        }
        // The library takes the tiles of all planes but the first for ones at the picture's edge, and panics.
        if count > 1 && self.tiff.first(284) == Some(2) && self.tiff.find(TILE_WIDTH).is_some() {
            return Err(unsupported(Format::Tiff, "it has tiles in several planes"));
        }
        let each = usize::from(bits).div_ceil(8);
        let total = area(width, height, count.saturating_mul(each))?;
        let mut limits = Limits::default();
        limits.decoding_buffer_size = total;
        limits.intermediate_buffer_size = total.saturating_mul(2).saturating_add(SLACK);
        limits.ifd_value_size = limits.intermediate_buffer_size;
        let mut decoder = decoder.with_limits(limits);
        let mut result = DecodingResult::U8(Vec::new());
        let layout = decoder.read_image_to_buffer(&mut result).map_err(|error| failed(&error))?;
        if result.as_buffer(0).as_bytes().len() < layout.complete_len {
            return Err(damaged("its planes are not what its directory announces"));
        }
        let stride = layout.plane_stride.map_or(0, |stride| stride.get() / each);
        let mut data = eight(result, self.photometric == 8)?;
        if layout.planes > 1 {
            data = interleaved(&data, layout.planes, stride, area(width, height, count)?)?;
        }
        if bits < 8 {
            data = unpacked(&data, bits.into(), area(width, 1, count)?, height)?;
        }
        if data.len() != area(width, height, count)? {
            return Err(damaged("its samples are not what its directory announces"));
        }
        Ok(Samples { width, height, count, data })
    }

    /// Gives samples their colours.
    fn meaning(&self, samples: Samples) -> Result<(Channels, Vec<u8>), Error> {
        let colours = if matches!(self.photometric, 0 | 1 | 3 | 4) { 1 } else { 3 };
        let extra = self.tiff.first(EXTRA_SAMPLES);
        // What is not specified is taken for alpha where RGB has a fourth sample.
        let alpha = samples.count > colours
            && self.header.source.alpha
            && (matches!(extra, Some(1 | 2)) || self.photometric == 2)
            && matches!(self.photometric, 0..=2);
        let mut data = first(samples, colours + usize::from(alpha))?;
        let channels = match (colours, alpha) {
            (1, false) => Channels::Grey,
            (1, true) => Channels::GreyAlpha,
            (_, false) => Channels::Rgb,
            (_, true) => Channels::Rgba,
        };
        match self.photometric {
            white @ (0 | 1 | 4) => {
                let top = if self.bits < 8 { (1u32 << self.bits) - 1 } else { 255 };
                for pixel in data.chunks_exact_mut(channels.count()) {
                    if let Some(value) = pixel.first_mut() {
                        let grey = (u32::from(*value).min(top) * 255 / top) as u8;
                        *value = if white == 0 { 255 - grey } else { grey };
                    }
                    if let (true, Some(alpha)) = (self.bits < 8, pixel.get_mut(1)) {
                        *alpha = (u32::from(*alpha).min(top) * 255 / top) as u8;
                    }
                }
            }
            2 => {}
            3 => return Ok((Channels::Rgb, self.look_up(&data)?)),
            6 => change(&mut data, |[luma, cb, cr]| rgb(luma, cb, cr)),
            // Signed, or moved by 128.
            8 => change(&mut data, |[l, a, b]| lab(l, a.cast_signed().into(), b.cast_signed().into())),
            9 => change(&mut data, |[l, a, b]| lab(l, f32::from(a) - 128.0, f32::from(b) - 128.0)),
            other => return Err(unsupported(Format::Tiff, &format!("its colours are of the kind {other}"))),
        }
        if alpha && extra == Some(1) {
            divide(&mut data, channels.count());
        }
        Ok((channels, data))
    }

    fn look_up(&self, indices: &[u8]) -> Result<Vec<u8>, Error> {
        if self.bits > 8 {
            return Err(unsupported(Format::Tiff, "its palette has more than 256 colours"));
        }
        let colours = 1u32 << self.bits;
        let entry = self.tiff.find(PALETTE).ok_or_else(|| damaged("it has no palette"))?;
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

    /// How many columns and rows share their chroma, where the samples do not lie one by one.
    fn chroma(&self) -> Option<(u32, u32)> {
        let value = |tag, default| self.tiff.first(tag).unwrap_or(default);
        (self.photometric == 6 && self.bits == 8 && value(SAMPLES, 1) == 3 && value(284, 1) == 1).then_some(())?;
        // JPEG strips come out with full chroma.
        (value(COMPRESSION, 1) != 7 && self.tiff.find(TILE_WIDTH).is_none() && value(PREDICTOR, 1) == 1)
            .then_some(())?;
        let pair = self.tiff.find(SUBSAMPLING);
        let step = |index| pair.and_then(|entry| self.tiff.number(entry, index)).unwrap_or(2);
        let (across, down) = (step(0), step(1));
        (matches!((across, down), (1 | 2 | 4, 1 | 2 | 4)) && (across, down) != (1, 1)).then_some((across, down))
    }

    /// Units of `across * down` lumas, one Cb and one Cr, row of units by row of units (TIFF 6.0, section 21).
    fn luma_chroma(&self, across: u32, down: u32) -> Result<Pixels, Error> {
        let (width, height) = (self.header.source.width, self.header.source.height);
        let unit = across * down + 2;
        let units = width.div_ceil(across);
        let row = units.checked_mul(unit).ok_or_else(|| damaged("its rows are too long"))?;
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
        let packed = self.samples(&changes)?;
        if (packed.width, packed.height, packed.count) != (row, rows, 1) {
            return Err(damaged("its samples are not what its directory announces"));
        }
        let mut data = buffer(area(width, height, 3)?)?;
        let stride = area(width, 1, 3)?;
        for (units, band) in
            packed.data.chunks_exact(row as usize).zip(data.chunks_mut(stride.saturating_mul(down as usize)))
        {
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
        Pixels::new(width, height, Channels::Rgb, data)
    }
}

/// The first samples of every pixel.
fn first(samples: Samples, wanted: usize) -> Result<Vec<u8>, Error> {
    if samples.count == wanted {
        return Ok(samples.data);
    }
    if samples.count < wanted {
        return Err(damaged("it has fewer samples than its colours need"));
    }
    let mut data = buffer(area(samples.width, samples.height, wanted)?)?;
    for (to, from) in data.chunks_exact_mut(wanted).zip(samples.data.chunks_exact(samples.count)) {
        to.copy_from_slice(from.get(..wanted).unwrap_or_default());
    }
    Ok(data)
}

/// Samples of any kind at 8 bits. Signed colours keep their sign, which rounding would carry over the edge.
fn eight(result: DecodingResult, signed: bool) -> Result<Vec<u8>, Error> {
    fn all<T: Copy>(from: &[T], to: impl Fn(T) -> u8) -> Result<Vec<u8>, Error> {
        let mut data = Vec::new();
        data.try_reserve_exact(from.len())
            .map_err(|_| Error::new(Kind::OutOfMemory, format!("no memory for {} samples", from.len())))?;
        data.extend(from.iter().map(|&sample| to(sample)));
        Ok(data)
    }
    match result {
        DecodingResult::U8(data) => Ok(data),
        DecodingResult::I8(data) => all(&data, i8::cast_unsigned),
        DecodingResult::U16(data) if signed => all(&data, |value| (value >> 8) as u8),
        DecodingResult::I16(data) if signed => all(&data, |value| (value.cast_unsigned() >> 8) as u8),
        // 257 steps of 16 bits are one of 8, rounded.
        DecodingResult::U16(data) => all(&data, |value| (u32::from(value).saturating_add(128) / 257) as u8),
        DecodingResult::U32(data) => all(&data, |value| (value >> 24) as u8),
        // A cast saturates, and takes NaN for 0.
        DecodingResult::F32(data) => all(&data, |value| (value * 255.0 + 0.5) as u8),
        DecodingResult::F64(data) => all(&data, |value| (value * 255.0 + 0.5) as u8),
        _ => Err(unsupported(Format::Tiff, "its samples are neither whole numbers of 1 to 32 bits nor floats")),
    }
}

/// Planes brought together, pixel by pixel.
fn interleaved(planes: &[u8], count: usize, stride: usize, length: usize) -> Result<Vec<u8>, Error> {
    let mut data = buffer(length)?;
    for (index, plane) in planes.chunks(stride.max(1)).take(count).enumerate() {
        for (pixel, &sample) in data.chunks_exact_mut(count).zip(plane) {
            if let Some(place) = pixel.get_mut(index) {
                *place = sample;
            }
        }
    }
    Ok(data)
}

/// One byte for each sample of 1, 2 or 4 bits; `row` samples a row, each row from a byte of its own.
fn unpacked(packed: &[u8], bits: u32, row: usize, height: u32) -> Result<Vec<u8>, Error> {
    if !matches!(bits, 1 | 2 | 4) {
        return Err(unsupported(Format::Tiff, &format!("it has {bits} bits a sample")));
    }
    let each = (8 / bits) as usize;
    let mut data = buffer(row.saturating_mul(height as usize))?;
    for (from, to) in packed.chunks(row.div_ceil(each).max(1)).zip(data.chunks_exact_mut(row.max(1))) {
        for (to, from) in to.chunks_mut(each).zip(from) {
            for (to, place) in to.iter_mut().zip(1u32..) {
                *to = from >> (8 - bits * place) & (u8::MAX >> (8 - bits));
            }
        }
    }
    Ok(data)
}

fn change(data: &mut [u8], colour: impl Fn([u8; 3]) -> [u8; 3]) {
    data.as_chunks_mut::<3>().0.iter_mut().for_each(|pixel| *pixel = colour(*pixel));
}

/// Takes alpha, the last of `count` samples, out of the others (TIFF 6.0, section 18, "associated").
fn divide(data: &mut [u8], count: usize) {
    for pixel in data.chunks_exact_mut(count.max(1)) {
        if let Some((&mut alpha @ 1..=254, colours)) = pixel.split_last_mut() {
            let alpha = u32::from(alpha);
            for value in colours {
                *value = ((u32::from(*value) * 255 + alpha / 2) / alpha).min(255) as u8;
            }
        }
    }
}

/// CIE L*a*b* under D50 (L* 0..=255 for 0..=100) to sRGB.
fn lab(l: u8, a: f32, b: f32) -> [u8; 3] {
    let y = (f32::from(l) / 2.55 + 16.0) / 116.0;
    let linear = |t: f32| if t > 6.0 / 29.0 { t * t * t } else { (t - 4.0 / 29.0) * 108.0 / 841.0 };
    let (x, y, z) = (0.964_22 * linear(y + a / 500.0), linear(y), 0.825_21 * linear(y - b / 200.0));
    // From D50 to D65 by Bradford, then to sRGB's primaries.
    let light = [
        3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
        -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
        0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
    ];
    light.map(|value| {
        let value = if value <= 0.003_130_8 { value * 12.92 } else { 1.055 * value.powf(1.0 / 2.4) - 0.055 };
        (value * 255.0 + 0.5) as u8
    })
}

/// ITU-R BT.601, full range, which is TIFF's default.
fn rgb(luma: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (f32::from(luma), f32::from(cb) - 128.0, f32::from(cr) - 128.0);
    // A cast saturates.
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb].map(|value| (value + 0.5) as u8)
}
