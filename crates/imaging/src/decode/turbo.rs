//! The binding to libjpeg-turbo's TurboJPEG 3 API.
#![allow(unsafe_code, reason = "binds libjpeg-turbo")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr::NonNull;

use turbojpeg_sys as tj;

use super::Region;
use crate::error::{Error, Kind};

/// How a decompressor lays out pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JpegLayout {
    /// One byte.
    Grey,
    /// Three bytes.
    Rgb,
    /// Four bytes, inks as the file has them.
    Cmyk,
}

impl JpegLayout {
    /// Bytes of a pixel.
    pub(super) fn size(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }

    fn code(self) -> c_int {
        match self {
            Self::Grey => tj::TJPF_TJPF_GRAY,
            Self::Rgb => tj::TJPF_TJPF_RGB,
            Self::Cmyk => tj::TJPF_TJPF_CMYK,
        }
    }
}

/// What a decompressor has to say besides its pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Clean,
    /// It went on after this; the first warning of possibly several.
    Warning(String),
    /// It gave up.
    Failure(String),
}

/// What the header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct JpegHeader {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Bits a sample.
    pub precision: u32,
    /// The layout that loses nothing.
    pub layout: JpegLayout,
    /// Lossless JPEG, which cannot be scaled.
    pub lossless: bool,
    /// The pixels that are coded together, across and down; `None` where the library has no name for their sampling.
    pub block: Option<(u32, u32)>,
}

/// A decompressor.
pub(super) struct Decompressor(NonNull<c_void>);

impl Decompressor {
    /// A decompressor that takes at most so many scans, pixels and MiB.
    pub(super) fn new(scans: u32, pixels: u64, mebibytes: u64) -> Result<Self, Error> {
        // SAFETY: no preconditions; the result is checked.
        let handle = unsafe { tj::tj3Init(tj::TJINIT_TJINIT_DECOMPRESS as c_int) };
        let this = Self(
            NonNull::new(handle.cast()).ok_or_else(|| Error::new(Kind::OutOfMemory, "no memory for a JPEG decoder"))?,
        );
        this.set(tj::TJPARAM_TJPARAM_SCANLIMIT, scans.into());
        this.set(tj::TJPARAM_TJPARAM_MAXPIXELS, pixels);
        this.set(tj::TJPARAM_TJPARAM_MAXMEMORY, mebibytes);
        // Markers are read by our own parser.
        this.set(tj::TJPARAM_TJPARAM_SAVEMARKERS, 0);
        Ok(this)
    }

    fn handle(&self) -> tj::tjhandle {
        self.0.as_ptr().cast()
    }

    fn set(&self, parameter: tj::TJPARAM, value: u64) {
        let value = c_int::try_from(value).unwrap_or(c_int::MAX);
        // SAFETY: the handle is alive; an unknown parameter or value is refused with -1, and changes nothing.
        unsafe { tj::tj3Set(self.handle(), parameter as c_int, value) };
    }

    fn get(&self, parameter: tj::TJPARAM) -> c_int {
        // SAFETY: the handle is alive; an unknown parameter gives -1.
        unsafe { tj::tj3Get(self.handle(), parameter as c_int) }
    }

    /// The error or warning of a call that gave `result`.
    fn verdict(&self, result: c_int) -> Verdict {
        if result == 0 {
            return Verdict::Clean;
        }
        // SAFETY: the handle is alive; the string belongs to it, ends with NUL and is copied before the next call.
        let (text, code) = unsafe {
            let text = tj::tj3GetErrorStr(self.handle());
            let text = if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() };
            (text, tj::tj3GetErrorCode(self.handle()))
        };
        if code == tj::TJERR_TJERR_WARNING as c_int { Verdict::Warning(text) } else { Verdict::Failure(text) }
    }

    /// Reads the header; `Err` holds the library's own words.
    pub(super) fn header(&mut self, jpeg: &[u8]) -> Result<JpegHeader, String> {
        // SAFETY: pointer and length are those of a live slice, which the call only reads and does not keep.
        let result = unsafe { tj::tj3DecompressHeader(self.handle(), jpeg.as_ptr(), jpeg.len() as tj::size_t) };
        if let Verdict::Failure(text) = self.verdict(result) {
            return Err(text);
        }
        let side = |parameter| u32::try_from(self.get(parameter)).unwrap_or(0);
        let space = u32::try_from(self.get(tj::TJPARAM_TJPARAM_COLORSPACE)).unwrap_or(tj::TJCS_TJCS_YCbCr);
        let layout = match space {
            tj::TJCS_TJCS_GRAY => JpegLayout::Grey,
            tj::TJCS_TJCS_CMYK | tj::TJCS_TJCS_YCCK => JpegLayout::Cmyk,
            _ => JpegLayout::Rgb,
        };
        Ok(JpegHeader {
            width: side(tj::TJPARAM_TJPARAM_JPEGWIDTH),
            height: side(tj::TJPARAM_TJPARAM_JPEGHEIGHT),
            precision: side(tj::TJPARAM_TJPARAM_PRECISION),
            layout,
            lossless: self.get(tj::TJPARAM_TJPARAM_LOSSLESS) == 1,
            block: match self.get(tj::TJPARAM_TJPARAM_SUBSAMP) {
                tj::TJSAMP_TJSAMP_444 | tj::TJSAMP_TJSAMP_GRAY => Some((8, 8)),
                tj::TJSAMP_TJSAMP_422 => Some((16, 8)),
                tj::TJSAMP_TJSAMP_420 => Some((16, 16)),
                tj::TJSAMP_TJSAMP_440 => Some((8, 16)),
                tj::TJSAMP_TJSAMP_411 => Some((32, 8)),
                tj::TJSAMP_TJSAMP_441 => Some((8, 32)),
                _ => None,
            },
        })
    }

    /// Scales by `1 / denominator` (1, 2, 4 or 8); gives the size that results.
    pub(super) fn scale(&mut self, facts: &JpegHeader, denominator: u32) -> Option<(u32, u32)> {
        let factor = tj::tjscalingfactor { num: 1, denom: c_int::try_from(denominator).ok()? };
        // SAFETY: the handle is alive and has read a header; an unknown factor is refused with -1.
        let result = unsafe { tj::tj3SetScalingFactor(self.handle(), factor) };
        (result == 0).then(|| (facts.width.div_ceil(denominator), facts.height.div_ceil(denominator)))
    }

    /// Keeps a rectangle, which begins on a block's left edge. Says whether the library takes it.
    pub(super) fn crop(&mut self, region: Region) -> bool {
        let side = |value: u32| c_int::try_from(value).unwrap_or(c_int::MAX);
        let (x, y, w, h) = (side(region.x), side(region.y), side(region.width), side(region.height));
        // SAFETY: the handle is alive and has read a header; a rectangle that does not fit is refused with -1.
        unsafe { tj::tj3SetCroppingRegion(self.handle(), tj::tjregion { x, y, w, h }) == 0 }
    }

    /// Decodes into `pixels`, whose rows have no gaps.
    ///
    /// `size` must be what [`Self::scale`] gave for these bytes, or that of the rectangle that [`Self::crop`] took; the length of `pixels` is checked against it.
    pub(super) fn decode(&mut self, jpeg: &[u8], size: (u32, u32), layout: JpegLayout, pixels: &mut [u8]) -> Verdict {
        let want = (size.0 as usize).checked_mul(size.1 as usize).and_then(|area| area.checked_mul(layout.size()));
        let (Some(want), Ok(pitch)) = (want, c_int::try_from(size.0 as usize * layout.size())) else {
            return Verdict::Failure("the picture is larger than memory".to_owned());
        };
        if pixels.len() != want {
            return Verdict::Failure("the pixels' memory has the wrong size".to_owned());
        }
        // SAFETY: the input is a live slice. The library writes `size.1` rows of `pitch` bytes, which is the length that
        // was just checked: it derives the size from the same header bytes that `header` and `scale` have read, and from
        // the rectangle that `crop` has set.
        let result = unsafe {
            tj::tj3Decompress8(
                self.handle(),
                jpeg.as_ptr(),
                jpeg.len() as tj::size_t,
                pixels.as_mut_ptr(),
                pitch,
                layout.code(),
            )
        };
        self.verdict(result)
    }

    /// Decodes samples of 9 to 16 bits, as the header says, into `pixels`, likewise.
    pub(super) fn decode_deep(
        &mut self,
        jpeg: &[u8],
        size: (u32, u32),
        facts: &JpegHeader,
        pixels: &mut [u16],
    ) -> Verdict {
        let layout = facts.layout;
        let want = (size.0 as usize).checked_mul(size.1 as usize).and_then(|area| area.checked_mul(layout.size()));
        let (Some(want), Ok(pitch)) = (want, c_int::try_from(size.0 as usize * layout.size())) else {
            return Verdict::Failure("the picture is larger than memory".to_owned());
        };
        if pixels.len() != want {
            return Verdict::Failure("the pixels' memory has the wrong size".to_owned());
        }
        let (from, length, to) = (jpeg.as_ptr(), jpeg.len() as tj::size_t, pixels.as_mut_ptr());
        // SAFETY: as for 8 bits; `pitch` counts samples, of which `pixels` holds as many as was just checked. A function
        // that does not fit the header's precision is refused by the library.
        let result = unsafe {
            if facts.precision <= 12 {
                tj::tj3Decompress12(self.handle(), from, length, to.cast(), pitch, layout.code())
            } else {
                tj::tj3Decompress16(self.handle(), from, length, to, pitch, layout.code())
            }
        };
        self.verdict(result)
    }
}

impl Drop for Decompressor {
    fn drop(&mut self) {
        // SAFETY: the handle came from `tj3Init` and is not used again.
        unsafe { tj::tj3Destroy(self.handle()) };
    }
}
