//! TIFF 6.0 and BigTIFF: the first directory.

use super::bytes::{be16, be32, le16, le32, slice};
use super::{Header, corrupt};
use crate::error::Error;
use crate::plan::{Format, Source};

/// A TIFF file's byte order and bytes.
#[derive(Clone, Copy)]
pub(crate) struct Tiff<'a> {
    bytes: &'a [u8],
    little: bool,
    big: bool,
}

/// An entry of a directory.
#[derive(Clone, Copy)]
pub(crate) struct IfdEntry {
    /// The tag's number.
    pub tag: u16,
    /// The type of its values, 1..=12, in a BigTIFF also 16..=18.
    pub kind: u16,
    /// How many values.
    pub count: u32,
    /// Where in the file the entry's value field lies.
    pub at: usize,
}

impl<'a> Tiff<'a> {
    /// Reads the byte order; `None` if this is no TIFF file.
    pub(crate) fn new(bytes: &'a [u8]) -> Option<Self> {
        let (little, big) = match bytes.get(..4)? {
            b"II\x2a\0" => (true, false),
            b"MM\0\x2a" => (false, false),
            b"II\x2b\0" => (true, true),
            b"MM\0\x2b" => (false, true),
            _ => return None,
        };
        Some(Self { bytes, little, big })
    }

    /// Whether numbers are little-endian.
    pub(crate) fn little_endian(&self) -> bool {
        self.little
    }

    fn u16(&self, at: usize) -> Option<u16> {
        if self.little { le16(self.bytes, at) } else { be16(self.bytes, at) }
    }

    fn u32(&self, at: usize) -> Option<u32> {
        if self.little { le32(self.bytes, at) } else { be32(self.bytes, at) }
    }

    /// An offset, or a count: 8 bytes in a BigTIFF, else 4.
    fn word(&self, at: usize) -> Option<usize> {
        if !self.big {
            return self.u32(at).map(|value| value as usize);
        }
        let bytes = *slice(self.bytes, at, 8)?.first_chunk::<8>()?;
        let value = if self.little { u64::from_le_bytes(bytes) } else { u64::from_be_bytes(bytes) };
        usize::try_from(value).ok()
    }

    /// Bytes of an offset, or a count.
    fn size_of_word(&self) -> usize {
        if self.big { 8 } else { 4 }
    }

    /// The entries of the first directory, as far as they are there.
    pub(crate) fn entries(self) -> impl Iterator<Item = IfdEntry> {
        let word = self.size_of_word();
        let start = self.word(word).unwrap_or(usize::MAX);
        let (count, head) = if self.big { (self.word(start), 8) } else { (self.u16(start).map(usize::from), 2) };
        // More tags than there are numbers for them are no directory.
        (0..count.unwrap_or(0).min(1 << 16)).map_while(move |index| {
            let length = word.checked_mul(2)?.checked_add(4)?;
            let at = start.checked_add(head)?.checked_add(index.checked_mul(length)?)?;
            slice(self.bytes, at, length)?;
            let (tag, kind, count) = (self.u16(at)?, self.u16(at.checked_add(2)?)?, self.word(at.checked_add(4)?)?);
            Some(IfdEntry { tag, kind, count: u32::try_from(count).ok()?, at: at.checked_add(word)?.checked_add(4)? })
        })
    }

    /// Writes one number in place of an entry's values, in a copy of the file.
    pub(crate) fn put(&self, copy: &mut [u8], entry: IfdEntry, value: u32) {
        let word = self.size_of_word();
        let mut write = |at: usize, data: &[u8]| {
            if let Some(field) = copy.get_mut(at..at.saturating_add(data.len())) {
                field.copy_from_slice(data);
            }
        };
        let order = |value: u32| if self.little { value.to_le_bytes() } else { value.to_be_bytes() };
        // A LONG. It is left-justified in its field; the count is a whole word.
        write(entry.at.saturating_sub(word).saturating_sub(2), if self.little { &[4, 0] } else { &[0, 4] });
        write(entry.at.saturating_sub(word), &[0; 8][..word]);
        let low = if self.little { word } else { 4 };
        write(entry.at.saturating_sub(low), &order(1));
        write(entry.at, &order(value));
    }

    /// The entry of a tag.
    pub(crate) fn find(self, tag: u16) -> Option<IfdEntry> {
        self.entries().find(|entry| entry.tag == tag)
    }

    /// Where an entry's values lie, and how many bytes one has.
    fn values(&self, entry: IfdEntry) -> Option<(usize, usize)> {
        let size = match entry.kind {
            1 | 2 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 | 11 => 4,
            5 | 10 | 12 | 16..=18 => 8,
            _ => return None,
        };
        let length = (entry.count as usize).checked_mul(size)?;
        let at = if length <= self.size_of_word() { entry.at } else { self.word(entry.at)? };
        Some((at, size))
    }

    /// The bytes of an entry's values.
    pub(crate) fn bytes_of(&self, entry: IfdEntry) -> Option<&'a [u8]> {
        let (at, size) = self.values(entry)?;
        slice(self.bytes, at, (entry.count as usize).checked_mul(size)?)
    }

    /// A value of an entry of whole numbers (BYTE, SHORT, LONG).
    pub(crate) fn number(&self, entry: IfdEntry, index: u32) -> Option<u32> {
        (index < entry.count).then_some(())?;
        let (at, size) = self.values(entry)?;
        let at = at.checked_add((index as usize).checked_mul(size)?)?;
        match entry.kind {
            1 | 7 => self.bytes.get(at).copied().map(u32::from),
            3 => self.u16(at).map(u32::from),
            4 => self.u32(at),
            // LONG8, where the number is one that fits.
            16 => Self { big: true, ..*self }.word(at).and_then(|value| u32::try_from(value).ok()),
            _ => None,
        }
    }

    /// The first value of a tag.
    pub(crate) fn first(self, tag: u16) -> Option<u32> {
        self.number(self.find(tag)?, 0)
    }
}

/// Whether the file begins as a TIFF, classic or big.
pub(super) fn matches(bytes: &[u8]) -> bool {
    [&b"II\x2a\0"[..], b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b"].iter().any(|magic| bytes.starts_with(magic))
}

/// Reads a TIFF's header: that of the first page, which is the only one decoded.
pub(super) fn probe(bytes: &[u8]) -> Result<Header, Error> {
    let format = Format::Tiff;
    let tiff = Tiff::new(bytes).ok_or_else(|| corrupt(format, "its byte order is unknown"))?;
    let (Some(width), Some(height)) = (tiff.first(256), tiff.first(257)) else {
        return Err(corrupt(format, "the first directory has no size"));
    };
    let depth = tiff.first(258).unwrap_or(1);
    let samples = tiff.first(277).unwrap_or(1);
    let photometric = tiff.first(262).unwrap_or(1);
    let colours = match photometric {
        0 | 1 | 4 => 1,
        5 => 4,
        _ => 3,
    };
    // 1 is associated, 2 unassociated alpha; 0 is unspecified, which decoders take for alpha where RGB has a fourth.
    let alpha = tiff.first(338).is_some_and(|extra| matches!(extra, 1 | 2)) || (photometric == 2 && samples == 4);
    let orientation =
        tiff.first(274).and_then(|value| u8::try_from(value).ok()).filter(|value| (1..=8).contains(value));
    Ok(Header {
        source: Source { format, width, height, orientation: orientation.unwrap_or(1), frames: 1, alpha },
        depth: u8::try_from(depth).unwrap_or(u8::MAX).clamp(1, 64),
        channels: (colours + u8::from(alpha)).min(4),
        progressive: false,
        quality: None,
    })
}
