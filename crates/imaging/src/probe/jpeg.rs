//! JPEG: markers up to the first scan (ITU-T T.81).

use super::bytes::{be16, byte, slice};
use super::{Header, corrupt, steps, unsupported};
use crate::error::Error;
use crate::exif;
use crate::plan::{Format, Source};

/// A marker segment before the first scan.
#[derive(Clone, Copy)]
pub(crate) struct Segment<'a> {
    /// The byte after 0xFF.
    pub marker: u8,
    /// The payload, without the length; cut where the file ends.
    pub data: &'a [u8],
}

/// Bytes between segments that are skipped in all: beyond them this is no picture any more.
const GARBAGE: usize = 1 << 20;

/// The segments from SOI to the first SOS, that one included.
pub(crate) fn segments(bytes: &[u8]) -> impl Iterator<Item = Segment<'_>> {
    let mut at = 2;
    let mut done = false;
    let mut garbage = GARBAGE;
    // The next byte that is 0xFF, or is not.
    let mut skip = move |at: usize, fill: bool| {
        let rest = bytes.get(at..)?;
        let rest = rest.get(..garbage).unwrap_or(rest);
        let skipped = rest.iter().position(|&byte| (byte == 0xff) != fill);
        steps::scan(skipped.unwrap_or(rest.len()))?;
        garbage = garbage.checked_sub(skipped?)?;
        at.checked_add(skipped?)
    };
    std::iter::from_fn(move || {
        while !done {
            // Decoders skip garbage between segments, and any number of fill bytes before a marker.
            let fill = skip(at, false)?;
            let marker_at = skip(fill, true)?;
            let marker = byte(bytes, marker_at)?;
            at = marker_at.checked_add(1)?;
            match marker {
                // Stuffing, TEM, RST, SOI: no payload.
                0x00 | 0x01 | 0xd0..=0xd8 => {}
                0xd9 => done = true,
                _ => {
                    let length = usize::from(be16(bytes, at)?);
                    let start = at.checked_add(2)?;
                    let end = at.checked_add(length.max(2))?;
                    at = end;
                    done = marker == 0xda;
                    let data = bytes.get(start..end.min(bytes.len())).unwrap_or_default();
                    return Some(Segment { marker, data });
                }
            }
        }
        None
    })
}

/// The EXIF block (a TIFF file) of APP1.
pub(crate) fn exif_block(bytes: &[u8]) -> Option<&[u8]> {
    segments(bytes).filter(|segment| segment.marker == 0xe1).find_map(|segment| exif_of(segment.data))
}

fn exif_of(data: &[u8]) -> Option<&[u8]> {
    data.strip_prefix(b"Exif\0\0").or_else(|| data.strip_prefix(b"Exif\0\xff"))
}

/// The ICC profile, put together from its APP2 chunks; `None` if there is none or a chunk is missing.
pub(crate) fn icc_profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut chunks: Vec<(u8, u8, &[u8])> = Vec::new();
    for segment in segments(bytes).filter(|segment| segment.marker == 0xe2) {
        if let Some([number, count, data @ ..]) = segment.data.strip_prefix(b"ICC_PROFILE\0") {
            chunks.push((*number, *count, data));
        }
    }
    chunks.sort_by_key(|&(number, ..)| number);
    let count = chunks.first()?.1;
    let whole = chunks.len() == usize::from(count)
        && chunks.iter().zip(1u8..=255).all(|(chunk, number)| chunk.0 == number && chunk.1 == count);
    whole.then(|| chunks.iter().flat_map(|(_, _, data)| data.iter().copied()).collect())
}

/// Reads a JPEG's header.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let format = Format::Jpeg;
    let mut frame = None;
    let mut quality = None;
    let mut scan = false;
    let mut exif = None;
    for Segment { marker, data } in segments(bytes) {
        match marker {
            0xe1 => exif = exif.or_else(|| exif_of(data)),
            0xc0..=0xc3 | 0xc9..=0xcb if frame.is_none() => frame = Some((marker, data)),
            0xc5..=0xc7 | 0xcd..=0xcf => return Err(unsupported(format, "it is hierarchical")),
            0xdb => quality = quality.or_else(|| estimate_quality(data)),
            0xda => scan = true,
            _ => {}
        }
    }
    let (marker, data) = frame.ok_or_else(|| corrupt(format, "it ends before the frame header"))?;
    let (Some(&[depth]), Some(height), Some(width), Some(&[components])) =
        (slice(data, 0, 1), be16(data, 1), be16(data, 3), slice(data, 5, 1))
    else {
        return Err(corrupt(format, "the frame header is too short"));
    };
    if !matches!(components, 1 | 3 | 4) {
        return Err(unsupported(format, &format!("it has {components} colour components (1, 3 or 4 are known)")));
    }
    if !(2..=16).contains(&depth) {
        return Err(corrupt(format, "the frame header announces an impossible depth"));
    }
    if !scan {
        return Err(corrupt(format, "it ends before the first scan"));
    }
    Ok(Header {
        source: Source {
            format,
            width: width.into(),
            height: height.into(),
            orientation: exif.map_or(1, exif::orientation),
            frames: 1,
            alpha: false,
        },
        depth,
        channels: components,
        progressive: matches!(marker, 0xc2 | 0xca),
        quality,
    })
}

/// ITU-T T.81 Annex K table K.1, in zigzag order, on which the IJG's quality scale rests.
const LUMINANCE: [u16; 64] = [
    16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51, 61,
    60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77, 113,
    121, 112, 100, 120, 92, 101, 103, 99,
];

/// The IJG quality whose luminance table is nearest to table 0 of a DQT segment; exact for files that were written by
/// libjpeg and its kin, and by this service. `None` if the segment does not define table 0.
fn estimate_quality(mut data: &[u8]) -> Option<u8> {
    loop {
        let (&head, rest) = data.split_first()?;
        let wide = head >> 4 != 0;
        let size = if wide { 128 } else { 64 };
        let table = slice(rest, 0, size)?;
        data = rest.get(size..)?;
        if head & 0x0f != 0 {
            continue;
        }
        // The search below is done once in a file: for the table that is found first.
        steps::take(LUMINANCE.len() * 100)?;
        if !wide && let Some(quality) = super::jpegli::quality(table) {
            return Some(quality);
        }
        let values: [u16; 64] = std::array::from_fn(|at| match wide {
            true => table.as_chunks::<2>().0.get(at).map_or(0, |pair| u16::from_be_bytes(*pair)),
            false => table.get(at).copied().map_or(0, u16::from),
        });
        let distance = |quality: &u8| -> u64 {
            let factor = if *quality < 50 { 5000 / u32::from(*quality) } else { 200 - 2 * u32::from(*quality) };
            let highest = if wide { 32_767 } else { 255 };
            let entry = |base: u16| ((u32::from(base) * factor + 50) / 100).clamp(1, highest);
            LUMINANCE.iter().zip(values).map(|(&base, value)| u64::from(entry(base).abs_diff(value.into()))).sum()
        };
        // Of equal distances the higher quality wins: nobody's picture is called worse than it may be.
        return (1..=100u8).rev().min_by_key(distance);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn quality_is_the_inverse_of_the_table_scaling() {
        for quality in [1u8, 10, 25, 49, 50, 75, 85, 90, 95, 100] {
            let factor = if quality < 50 { 5000 / u32::from(quality) } else { 200 - 2 * u32::from(quality) };
            let mut data = vec![0u8];
            data.extend(LUMINANCE.iter().map(|&base| ((u32::from(base) * factor + 50) / 100).clamp(1, 255) as u8));
            assert_eq!(estimate_quality(&data), Some(quality));
        }
        assert_eq!(estimate_quality(&[1; 65]), None, "table 1 only");
        assert_eq!(estimate_quality(&[0; 10]), None, "cut off");
    }

    #[test]
    fn a_profile_needs_all_of_its_chunks() {
        let chunk = |number: u8, data: &[u8]| {
            let mut out = vec![0xff, 0xe2];
            out.extend(u16::try_from(16 + data.len()).unwrap().to_be_bytes());
            out.extend(b"ICC_PROFILE\0");
            out.extend([number, 2]);
            out.extend(data);
            out
        };
        let both = [vec![0xff, 0xd8], chunk(2, b"cd"), chunk(1, b"ab")].concat();
        assert_eq!(icc_profile(&both), Some(b"abcd".to_vec()));
        assert_eq!(icc_profile(&[vec![0xff, 0xd8], chunk(2, b"cd")].concat()), None);
    }
}
