//! JPEG with jpegli; at the lowest qualities with libjpeg-turbo's TurboJPEG interface (version 3).
#![allow(unsafe_code, reason = "binds jpegli")]

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use turbojpeg_sys as sys;

use super::jpegli::{self, JpegliSettings, Scans};
use super::{Options, quality};
use crate::Effort;
use crate::error::{Error, Kind};
use crate::picture::{Channels, Pixels};
use crate::plan::{Format, Rgb};
use crate::transform::flatten;

/// From this quality on chroma is kept at full resolution: with jpegli that takes no more bytes than half of it took with
/// libjpeg-turbo, and looks better (SSIMULACRA2 on photographs: +1.3 at 50 and 65, +0.9 at 80).
const FULL_CHROMA: u8 = 50;

/// From this quality on jpegli encodes (at 30: 8 % fewer bytes, SSIMULACRA2 +3.8); below, nothing was measured.
const JPEGLI_FROM: u8 = 20;

/// The library's version. It does not tell at run time; this is the one that the crate bundles, and no other is linked.
pub fn version() -> String {
    env!("PICTOR_LIBJPEG_TURBO").into()
}

/// Writes the file; transparency is put on white.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let pixels = flatten(pixels, Rgb::WHITE)?;
    let quality = options.quality.unwrap_or(quality::default(Format::Jpeg, None)).clamp(1, 100);
    let (layout, sampling) = match pixels.channels() {
        Channels::Grey | Channels::GreyAlpha => (sys::TJPF_TJPF_GRAY, sys::TJSAMP_TJSAMP_GRAY),
        Channels::Rgb | Channels::Rgba => (sys::TJPF_TJPF_RGB, sys::TJSAMP_TJSAMP_420),
    };
    if quality >= JPEGLI_FROM {
        let scans = match (options.progressive, options.effort) {
            (false, _) => Scans::One,
            (true, Effort::Batch) => Scans::Bits,
            (true, _) => Scans::Bands,
        };
        let grey = matches!(pixels.channels(), Channels::Grey | Channels::GreyAlpha);
        let settings = JpegliSettings { quality, full_chroma: quality >= FULL_CHROMA, scans };
        let bytes = jpegli::encode(&pixels, grey, settings)?;
        return finish(bytes, pixels.channels(), options);
    }
    let encoder = Encoder::new()?;
    encoder.set(sys::TJPARAM_TJPARAM_QUALITY, quality.into())?;
    encoder.set(sys::TJPARAM_TJPARAM_SUBSAMP, sampling)?;
    // Tables made for the picture: 5 to 10 % fewer bytes for 3 ms a megapixel.
    encoder.set(sys::TJPARAM_TJPARAM_OPTIMIZE, 1)?;
    encoder.set(sys::TJPARAM_TJPARAM_PROGRESSIVE, c_int::from(options.progressive))?;
    finish(encoder.compress(&pixels, layout)?, pixels.channels(), options)
}

/// The file with what is carried along.
fn finish(mut bytes: Vec<u8>, channels: Channels, options: &Options) -> Result<Vec<u8>, Error> {
    // Each goes in front of what was there: EXIF comes first.
    if let Some(icc) = super::profile(options, channels) {
        // One chunk of one.
        bytes = with_segment(bytes, 0xE2, b"ICC_PROFILE\0\x01\x01", icc)?;
    }
    match &options.exif {
        Some(exif) => with_segment(bytes, 0xE1, b"Exif\0\0", exif),
        None => Ok(bytes),
    }
}

/// A compressor; destroyed with the value.
struct Encoder(sys::tjhandle);

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the handle came from `tj3Init` and is not used after this.
        unsafe { sys::tj3Destroy(self.0) };
    }
}

/// Memory that the library allocated.
struct Buffer(*mut u8);

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: NULL or allocated by the library, and freed once.
        unsafe { sys::tj3Free(self.0.cast::<c_void>()) };
    }
}

impl Encoder {
    fn new() -> Result<Self, Error> {
        // SAFETY: takes a constant of its own enumeration; gives NULL on failure.
        let handle = unsafe { sys::tj3Init(sys::TJINIT_TJINIT_COMPRESS as c_int) };
        match handle.is_null() {
            true => Err(Error::new(Kind::OutOfMemory, "libjpeg-turbo does not start")),
            false => Ok(Self(handle)),
        }
    }

    fn set(&self, parameter: sys::TJPARAM, value: c_int) -> Result<(), Error> {
        // SAFETY: the handle is valid; unknown parameters and values are refused, not used.
        match unsafe { sys::tj3Set(self.0, parameter as c_int, value) } {
            0 => Ok(()),
            _ => Err(self.error(&format!("parameter {parameter} = {value}"))),
        }
    }

    fn error(&self, what: &str) -> Error {
        // SAFETY: the handle is valid; the string ends in NUL and lives until the next call.
        let text = unsafe { CStr::from_ptr(sys::tj3GetErrorStr(self.0)) }.to_string_lossy().into_owned();
        let kind = if text.contains("llocation") { Kind::OutOfMemory } else { Kind::Internal };
        Error::new(kind, format!("libjpeg-turbo: {what}: {text}"))
    }

    fn compress(&self, pixels: &Pixels, layout: sys::TJPF) -> Result<Vec<u8>, Error> {
        let mut buffer = Buffer(ptr::null_mut());
        let mut length: sys::size_t = 0;
        // SAFETY: the pixels are `height` rows of `pitch` bytes, which is what `layout` at `width` needs (an invariant of
        // `Pixels`; the caller has matched layout and channels). A NULL buffer makes the library allocate one.
        let status = unsafe {
            sys::tj3Compress8(
                self.0,
                pixels.data().as_ptr(),
                pixels.width() as c_int,
                pixels.stride() as c_int,
                pixels.height() as c_int,
                layout,
                &mut buffer.0,
                &mut length,
            )
        };
        if status != 0 || buffer.0.is_null() {
            return Err(self.error("compress"));
        }
        let mut bytes = crate::transform::room(length as usize)?;
        // SAFETY: the library has written `length` bytes there.
        bytes.extend_from_slice(unsafe { std::slice::from_raw_parts(buffer.0, length as usize) });
        Ok(bytes)
    }
}

/// Puts a segment behind the JFIF header, where readers look for it.
fn with_segment(mut bytes: Vec<u8>, marker: u8, head: &[u8], data: &[u8]) -> Result<Vec<u8>, Error> {
    let length = u16::try_from(2 + head.len() + data.len())
        .map_err(|_| Error::new(Kind::Internal, format!("{} bytes do not fit a JPEG's segment", data.len())))?;
    let at = match bytes.get(2..6) {
        Some(&[0xFF, 0xE0, high, low]) => 4 + usize::from(u16::from_be_bytes([high, low])),
        _ => 2,
    };
    let mut segment = vec![0xFF, marker];
    segment.extend(length.to_be_bytes());
    segment.extend_from_slice(head);
    segment.extend_from_slice(data);
    let at = at.min(bytes.len());
    bytes.splice(at..at, segment);
    Ok(bytes)
}
