//! libaom's encoder for one still picture. The only file that touches its C interface.

use std::ffi::{CStr, c_int};
use std::ptr;

use libaom_sys as sys;

use super::yuv::{Planes, Sampling};
use crate::error::{Error, Kind};
use crate::imaging::picture::Space;

/// `AOM_TUNE_IQ`: 10 to 20 % fewer bytes at the same CPU. In libaom since 3.12; the crate's bindings are older.
const TUNE_IQ: c_int = 10;

/// What the encoder is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// `cpu-used`, 0..=9; 9 is the fastest of the all-intra mode.
    pub speed: u8,
    /// Quantizer on libaom's scale of 0 (finest) to 63.
    pub quantizer: u8,
    /// Without any loss; the quantizer is not looked at.
    pub lossless: bool,
    /// Tune for how a picture looks (colour) rather than for the error (alpha).
    pub visual: bool,
    /// How the chroma was made.
    pub sampling: Sampling,
    /// What the pixels are.
    pub space: Space,
    /// Threads, 1 or more.
    pub threads: u32,
}

/// The version of the linked library.
pub fn version() -> String {
    // SAFETY: takes nothing, gives a pointer to a static string that ends in NUL.
    unsafe { CStr::from_ptr(sys::aom_codec_version_str()) }.to_string_lossy().into_owned()
}

/// An initialised encoder; destroyed with the value.
struct Encoder(sys::aom_codec_ctx_t);

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: the context was initialised by `aom_codec_enc_init_ver`, which had succeeded before this value was made.
        unsafe { sys::aom_codec_destroy(&mut self.0) };
    }
}

impl Encoder {
    /// Sets a control that takes an `int` or `unsigned int`.
    fn set(&mut self, control: u32, value: c_int) -> Result<(), Error> {
        // SAFETY: the context is initialised, and every control used in this file takes one int or unsigned int.
        match unsafe { sys::aom_codec_control(&mut self.0, control as c_int, value) } {
            sys::AOM_CODEC_OK => Ok(()),
            code => Err(self.error(&format!("control {control} = {value}"), code)),
        }
    }

    fn error(&self, what: &str, code: sys::aom_codec_err_t) -> Error {
        // SAFETY: both take an initialised context and give NULL or a string that ends in NUL and lives as long as it.
        let detail = unsafe {
            let detail = sys::aom_codec_error_detail(&self.0);
            let text = if detail.is_null() { sys::aom_codec_error(&self.0) } else { detail };
            if text.is_null() { String::new() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
        };
        failed(what, code, &detail)
    }

    /// Appends the packets that are ready.
    fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        let mut cursor: sys::aom_codec_iter_t = ptr::null();
        loop {
            // SAFETY: the context is initialised; the cursor starts as NULL and is only changed by the library.
            let packet = unsafe { sys::aom_codec_get_cx_data(&mut self.0, &mut cursor) };
            if packet.is_null() {
                return Ok(());
            }
            // SAFETY: a packet is valid until the next call; `frame` is the union's field for this kind, and its buffer
            // holds `sz` bytes.
            let data = unsafe {
                if (*packet).kind != sys::AOM_CODEC_CX_FRAME_PKT {
                    continue;
                }
                let frame = (*packet).data.frame;
                std::slice::from_raw_parts(frame.buf.cast::<u8>(), frame.sz)
            };
            bytes.try_reserve(data.len()).map_err(|_| Error::new(Kind::OutOfMemory, "no memory for the AV1 stream"))?;
            bytes.extend_from_slice(data);
        }
    }
}

/// Encodes planes as one AV1 key frame with a reduced still-picture header.
///
/// # Errors
/// [`Kind::OutOfMemory`]; [`Kind::Internal`] with the library's own words.
pub fn encode(planes: &Planes, settings: Settings) -> Result<Vec<u8>, Error> {
    let (width, height) = (planes.width, planes.height);
    let full = planes.chroma.is_some() && settings.sampling != Sampling::Quarter;
    // SAFETY: gives a pointer to a static table.
    let interface = unsafe { sys::aom_codec_av1_cx() };
    // SAFETY: plain C data for which all zeroes is a value; filled by the next call before it is read.
    let mut config: sys::aom_codec_enc_cfg_t = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call.
    match unsafe { sys::aom_codec_enc_config_default(interface, &mut config, sys::AOM_USAGE_ALL_INTRA) } {
        sys::AOM_CODEC_OK => {}
        code => return Err(failed("defaults", code, "")),
    }
    config.g_w = width;
    config.g_h = height;
    config.g_threads = settings.threads.clamp(1, 16);
    config.g_profile = u32::from(full);
    config.g_limit = 1;
    config.g_lag_in_frames = 0;
    config.monochrome = u32::from(planes.chroma.is_none());
    config.rc_end_usage = sys::AOM_Q;
    config.rc_min_quantizer = if settings.lossless { 0 } else { settings.quantizer.min(63).into() };
    config.rc_max_quantizer = config.rc_min_quantizer;

    // SAFETY: plain C data for which all zeroes is a value; initialised by the next call.
    let mut context: sys::aom_codec_ctx_t = unsafe { std::mem::zeroed() };
    // SAFETY: all pointers are valid for the call; the version is the one that the bindings were made for.
    match unsafe {
        sys::aom_codec_enc_init_ver(&mut context, interface, &config, 0, sys::AOM_ENCODER_ABI_VERSION as c_int)
    } {
        sys::AOM_CODEC_OK => {}
        code => return Err(failed("start", code, "")),
    }
    let mut encoder = Encoder(context);
    encoder.set(sys::AOME_SET_CPUUSED, settings.speed.min(9).into())?;
    encoder.set(sys::AOME_SET_CQ_LEVEL, config.rc_min_quantizer as c_int)?;
    if settings.lossless {
        encoder.set(sys::AV1E_SET_LOSSLESS, 1)?;
    } else if settings.visual && encoder.set(sys::AOME_SET_TUNING, TUNE_IQ).is_err() {
        // Before 3.12. The refusal leaves the encoder usable.
        encoder.set(sys::AOME_SET_TUNING, sys::AOM_TUNE_SSIM as c_int)?;
    }
    if config.g_threads > 1 {
        encoder.set(sys::AV1E_SET_ROW_MT, 1)?;
    }
    let matrix = if settings.sampling == Sampling::Identity { 0 } else { sys::AOM_CICP_MC_BT_601 };
    let primaries = match settings.space {
        Space::Srgb => sys::AOM_CICP_CP_BT_709,
        Space::DisplayP3 => sys::AOM_CICP_CP_SMPTE_432,
    };
    if planes.chroma.is_some() {
        encoder.set(sys::AV1E_SET_COLOR_PRIMARIES, primaries as c_int)?;
        encoder.set(sys::AV1E_SET_TRANSFER_CHARACTERISTICS, sys::AOM_CICP_TC_SRGB as c_int)?;
        encoder.set(sys::AV1E_SET_MATRIX_COEFFICIENTS, matrix as c_int)?;
    }
    encoder.set(sys::AV1E_SET_COLOR_RANGE, sys::AOM_CR_FULL_RANGE as c_int)?;

    let format = if full { sys::AOM_IMG_FMT_I444 } else { sys::AOM_IMG_FMT_I420 };
    let grey; // The library wants chroma planes even where it does not write them.
    let (cw, u, v) = match &planes.chroma {
        Some(chroma) => (chroma.width, &chroma.u, &chroma.v),
        None => {
            let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
            let mut plane = crate::imaging::transform::room(cw as usize * ch as usize)?;
            plane.resize(cw as usize * ch as usize, 128u8);
            grey = plane;
            (cw, &grey, &grey)
        }
    };
    // SAFETY: plain C data for which all zeroes is a value; filled by the next call.
    let mut image: sys::aom_image_t = unsafe { std::mem::zeroed() };
    // SAFETY: with both pointers given the function only fills in the descriptor; it does not touch the samples.
    let wrapped = unsafe { sys::aom_img_wrap(&mut image, format, width, height, 1, planes.y.as_ptr().cast_mut()) };
    if wrapped.is_null() {
        return Err(Error::new(Kind::Internal, format!("libaom takes no picture of {width} x {height}")));
    }
    image.planes = [planes.y.as_ptr().cast_mut(), u.as_ptr().cast_mut(), v.as_ptr().cast_mut()];
    image.stride = [width as c_int, cw as c_int, cw as c_int];
    image.range = sys::AOM_CR_FULL_RANGE;
    image.monochrome = c_int::from(planes.chroma.is_none());
    if planes.chroma.is_some() {
        image.cp = primaries;
        image.tc = sys::AOM_CICP_TC_SRGB;
        image.mc = matrix;
    }

    let mut bytes = Vec::new();
    // SAFETY: the context is initialised; the planes have the sizes that the descriptor names (an invariant of `Planes`)
    // and live until after the call, which copies them and does not write to them.
    match unsafe { sys::aom_codec_encode(&mut encoder.0, &image, 0, 1, 0) } {
        sys::AOM_CODEC_OK => encoder.drain(&mut bytes)?,
        code => return Err(encoder.error("encode", code)),
    }
    // SAFETY: the context is initialised; no picture means: write what is left.
    match unsafe { sys::aom_codec_encode(&mut encoder.0, ptr::null(), 0, 1, 0) } {
        sys::AOM_CODEC_OK => encoder.drain(&mut bytes)?,
        code => return Err(encoder.error("flush", code)),
    }
    if bytes.is_empty() {
        return Err(Error::new(Kind::Internal, "libaom gave no bytes"));
    }
    Ok(bytes)
}

fn failed(what: &str, code: sys::aom_codec_err_t, detail: &str) -> Error {
    let kind = if code == sys::AOM_CODEC_MEM_ERROR { Kind::OutOfMemory } else { Kind::Internal };
    Error::new(kind, format!("libaom: {what} failed with {code} {detail}"))
}
