//! libaom's encoder, for stills and for streams of frames. The only file that touches its C interface.
#![allow(unsafe_code, reason = "binds libaom")]

use std::ffi::{CStr, c_int};
use std::ptr;

use libaom_sys as sys;

use super::yuv::{Sample, Sampling, YuvPlanes};
use crate::error::{Error, Kind};
use crate::picture::Space;

/// `AOM_TUNE_IQ`: 10 to 20 % fewer bytes at the same CPU. In libaom since 3.12; the crate's bindings are older.
const TUNE_IQ: c_int = 10;

/// What the encoder is asked for.
#[derive(Debug, Clone, Copy)]
pub struct AomSettings {
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

impl Encoder {
    /// An encoder for frames like `planes`: of their size, with chroma or without.
    fn open<S: Sample>(planes: &YuvPlanes<S>, settings: AomSettings, usage: Usage) -> Result<Self, Error> {
        let full = planes.chroma.is_some() && settings.sampling != Sampling::Quarter;
        // SAFETY: gives a pointer to a static table.
        let interface = unsafe { sys::aom_codec_av1_cx() };
        // SAFETY: plain C data for which all zeroes is a value; filled by the next call before it is read.
        let mut config: sys::aom_codec_enc_cfg_t = unsafe { std::mem::zeroed() };
        let mode = match usage {
            Usage::Still => sys::AOM_USAGE_ALL_INTRA,
            Usage::Moving => sys::AOM_USAGE_REALTIME,
            Usage::MovingWell => sys::AOM_USAGE_GOOD_QUALITY,
        };
        // SAFETY: both pointers are valid for the call.
        match unsafe { sys::aom_codec_enc_config_default(interface, &mut config, mode) } {
            sys::AOM_CODEC_OK => {}
            code => return Err(failed("defaults", code, "")),
        }
        config.g_w = planes.width;
        config.g_h = planes.height;
        config.g_threads = settings.threads.clamp(1, 16);
        config.g_profile = u32::from(full);
        config.g_lag_in_frames = 0;
        config.monochrome = u32::from(planes.chroma.is_none());
        config.g_bit_depth = S::DEPTH.into();
        config.g_input_bit_depth = S::DEPTH.into();
        config.rc_end_usage = sys::AOM_Q;
        let quantizer = if settings.lossless { 0 } else { settings.quantizer.min(63).into() };
        config.rc_min_quantizer = quantizer;
        config.rc_max_quantizer = quantizer;
        match usage {
            Usage::Still => config.g_limit = 1,
            Usage::Moving | Usage::MovingWell => {
                config.g_timebase = sys::aom_rational { num: 1, den: 1000 };
                // One key frame at the start: whoever seeks in so short a thing decodes it again.
                config.kf_mode = sys::AOM_KF_DISABLED;
            }
        }

        // SAFETY: plain C data for which all zeroes is a value; initialised by the next call.
        let mut context: sys::aom_codec_ctx_t = unsafe { std::mem::zeroed() };
        // SAFETY: all pointers are valid for the call; the version is the one that the bindings were made for.
        match unsafe {
            let flags = if S::DEPTH > 8 { sys::AOM_CODEC_USE_HIGHBITDEPTH } else { 0 };
            sys::aom_codec_enc_init_ver(
                &mut context,
                interface,
                &config,
                flags.into(),
                sys::AOM_ENCODER_ABI_VERSION as c_int,
            )
        } {
            sys::AOM_CODEC_OK => {}
            code => return Err(failed("start", code, "")),
        }
        let mut encoder = Self(context);
        encoder.set(sys::AOME_SET_CPUUSED, settings.speed.min(9).into())?;
        encoder.set(sys::AOME_SET_CQ_LEVEL, quantizer as c_int)?;
        if settings.lossless {
            encoder.set(sys::AV1E_SET_LOSSLESS, 1)?;
        } else if settings.visual && (usage != Usage::Still || encoder.set(sys::AOME_SET_TUNING, TUNE_IQ).is_err()) {
            // Streams have no other, and libaom before 3.12 neither. The refusal leaves the encoder usable.
            encoder.set(sys::AOME_SET_TUNING, sys::AOM_TUNE_SSIM as c_int)?;
        }
        if config.g_threads > 1 {
            encoder.set(sys::AV1E_SET_ROW_MT, 1)?;
        }
        if planes.chroma.is_some() {
            let (primaries, matrix) = settings.code_points();
            encoder.set(sys::AV1E_SET_COLOR_PRIMARIES, primaries as c_int)?;
            encoder.set(sys::AV1E_SET_TRANSFER_CHARACTERISTICS, sys::AOM_CICP_TC_SRGB as c_int)?;
            encoder.set(sys::AV1E_SET_MATRIX_COEFFICIENTS, matrix as c_int)?;
        }
        encoder.set(sys::AV1E_SET_COLOR_RANGE, sys::AOM_CR_FULL_RANGE as c_int)?;
        Ok(encoder)
    }

    /// Encodes one frame and appends what comes of it.
    fn picture<S: Sample>(
        &mut self,
        planes: &YuvPlanes<S>,
        settings: AomSettings,
        time: i64,
        duration: u32,
        bytes: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let (width, height) = (planes.width, planes.height);
        let full = planes.chroma.is_some() && settings.sampling != Sampling::Quarter;
        let deep = S::DEPTH > 8;
        let format = match (full, deep) {
            (true, false) => sys::AOM_IMG_FMT_I444,
            (false, false) => sys::AOM_IMG_FMT_I420,
            (true, true) => sys::AOM_IMG_FMT_I44416,
            (false, true) => sys::AOM_IMG_FMT_I42016,
        };
        let grey; // The library wants chroma planes even where it does not write them.
        let (cw, u, v) = match &planes.chroma {
            Some(chroma) => (chroma.width, &chroma.u, &chroma.v),
            None => {
                let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
                let mut plane = crate::transform::room_for(cw as usize * ch as usize)?;
                plane.resize(cw as usize * ch as usize, S::difference(0, 16));
                grey = plane;
                (cw, &grey, &grey)
            }
        };
        // SAFETY: plain C data for which all zeroes is a value; filled by the next call.
        let mut image: sys::aom_image_t = unsafe { std::mem::zeroed() };
        // SAFETY: with both pointers given the function only fills in the descriptor; it does not touch the samples.
        let wrapped =
            unsafe { sys::aom_img_wrap(&mut image, format, width, height, 1, planes.y.as_ptr().cast_mut().cast()) };
        if wrapped.is_null() {
            return Err(Error::new(Kind::Internal, format!("libaom takes no picture of {width} x {height}")));
        }
        image.planes = [&planes.y, u, v].map(|plane| plane.as_ptr().cast_mut().cast());
        image.stride = [width, cw, cw].map(|samples| samples as c_int * size_of::<S>() as c_int);
        image.bit_depth = S::DEPTH.into();
        image.range = sys::AOM_CR_FULL_RANGE;
        image.monochrome = c_int::from(planes.chroma.is_none());
        if planes.chroma.is_some() {
            (image.cp, image.mc) = settings.code_points();
            image.tc = sys::AOM_CICP_TC_SRGB;
        }
        // SAFETY: the context is initialised; the planes have the sizes that the descriptor names (an invariant of
        // `YuvPlanes`) and live until after the call, which copies them and does not write to them.
        match unsafe { sys::aom_codec_encode(&mut self.0, &image, time, duration.max(1).into(), 0) } {
            sys::AOM_CODEC_OK => self.drain(bytes),
            code => Err(self.error("encode", code)),
        }
    }

    /// Appends what is left.
    fn flush(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        // SAFETY: the context is initialised; no picture means: write what is left.
        match unsafe { sys::aom_codec_encode(&mut self.0, ptr::null(), 0, 1, 0) } {
            sys::AOM_CODEC_OK => self.drain(bytes),
            code => Err(self.error("flush", code)),
        }
    }
}

impl AomSettings {
    /// Primaries and matrix by H.273.
    fn code_points(&self) -> (sys::aom_color_primaries, sys::aom_matrix_coefficients) {
        let primaries = match self.space {
            Space::Srgb => sys::AOM_CICP_CP_BT_709,
            Space::DisplayP3 => sys::AOM_CICP_CP_SMPTE_432,
        };
        (primaries, if self.sampling == Sampling::Identity { 0 } else { sys::AOM_CICP_MC_BT_601 })
    }
}

/// What kind of stream it is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Usage {
    /// One key frame with a reduced still-picture header.
    Still,
    /// A key frame, and frames that are predicted from those before them. None is held back: each goes in and comes out.
    Moving,
    /// The same with all that the encoder has to find them.
    MovingWell,
}

/// Encodes planes as one AV1 key frame with a reduced still-picture header.
///
/// # Errors
/// [`Kind::OutOfMemory`]; [`Kind::Internal`] with the library's own words.
pub fn encode<S: Sample>(planes: &YuvPlanes<S>, settings: AomSettings) -> Result<Vec<u8>, Error> {
    let mut encoder = Encoder::open(planes, settings, Usage::Still)?;
    let mut bytes = Vec::new();
    encoder.picture(planes, settings, 0, 1, &mut bytes)?;
    encoder.flush(&mut bytes)?;
    if bytes.is_empty() {
        return Err(Error::new(Kind::Internal, "libaom gave no bytes"));
    }
    Ok(bytes)
}

/// A stream of frames of one size.
pub struct Stream {
    encoder: Encoder,
    settings: AomSettings,
    /// Milliseconds so far.
    clock: i64,
}

impl Stream {
    /// Opens a stream for frames like this one, which is not yet taken. `well` searches longer for better predictions.
    ///
    /// # Errors
    /// As [`encode`].
    pub fn open(like: &YuvPlanes, settings: AomSettings, well: bool) -> Result<Self, Error> {
        let usage = if well { Usage::MovingWell } else { Usage::Moving };
        Ok(Self { encoder: Encoder::open(like, settings, usage)?, settings, clock: 0 })
    }

    /// Encodes a frame to a temporal unit, which is appended. Returns its length, above 0.
    ///
    /// # Errors
    /// As [`encode`].
    pub fn add(&mut self, planes: &YuvPlanes, delay_ms: u32, bytes: &mut Vec<u8>) -> Result<usize, Error> {
        let before = bytes.len();
        self.encoder.picture(planes, self.settings, self.clock, delay_ms, bytes)?;
        self.clock += i64::from(delay_ms.max(1));
        match bytes.len() - before {
            0 => Err(Error::new(Kind::Internal, "libaom gave no bytes for a frame")),
            length => Ok(length),
        }
    }
}

fn failed(what: &str, code: sys::aom_codec_err_t, detail: &str) -> Error {
    let kind = if code == sys::AOM_CODEC_MEM_ERROR { Kind::OutOfMemory } else { Kind::Internal };
    Error::new(kind, format!("libaom: {what} failed with {code} {detail}"))
}
