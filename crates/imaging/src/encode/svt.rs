//! SVT-AV1's encoder, for stills with a quarter of the chroma. The only file that touches its C interface; linked where
//! `build.rs` was told of the library.
//!
//! Its settings are a structure that grows with every version. Only two fields of it are touched here, at places that the
//! library itself has to confirm ([`Library::checked`]); all others are set by name.
#![allow(unsafe_code, reason = "binds SVT-AV1")]

use std::ops::RangeInclusive;

use super::yuv::YuvPlanes;
use crate::error::{Error, Kind};
use crate::picture::Space;

/// What the encoder is asked for.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(svt_av1), allow(dead_code))]
pub struct SvtSettings {
    /// Its scale of effort, 0 to 13; 13 is the fastest.
    pub preset: u8,
    /// Constant rate factor, 1 (finest) to 63; it knows quarters.
    pub crf: f64,
    /// What the pixels are.
    pub space: Space,
    /// Threads, 1 or more.
    pub threads: u32,
}

/// Sides that it takes. Smaller ones it pads, which costs more than libaom does; larger ones it refuses.
const WIDTHS: RangeInclusive<u32> = 64..=16_384;
const HEIGHTS: RangeInclusive<u32> = 64..=8_704;
/// The most pixels: it takes up to 27 bytes for each, and libaom 20.
const MOST_PIXELS: u64 = 64_000_000;

/// Whether it is there and can encode a picture of this size.
pub fn takes(width: u32, height: u32) -> bool {
    let few = u64::from(width) * u64::from(height) <= MOST_PIXELS;
    few && WIDTHS.contains(&width) && HEIGHTS.contains(&height) && available()
}

#[cfg(svt_av1)]
pub use linked::{available, encode, version};

/// Nothing is linked.
#[cfg(not(svt_av1))]
pub fn available() -> bool {
    false
}

/// The version of the linked library; `None` where there is none, or one that is not understood.
#[cfg(not(svt_av1))]
pub fn version() -> Option<String> {
    None
}

/// Nobody calls it: [`takes`] says no.
#[cfg(not(svt_av1))]
pub fn encode(_: &YuvPlanes<u16>, _: SvtSettings) -> Result<Vec<u8>, Error> {
    Err(Error::new(Kind::UnsupportedTarget, "this build has no SVT-AV1"))
}

#[cfg(svt_av1)]
mod linked {
    use std::ffi::{CStr, CString, c_char, c_int, c_void};
    use std::ptr;
    use std::sync::OnceLock;

    use super::{Error, Kind, Space, SvtSettings, YuvPlanes};

    /// `EbErrorType`.
    type Status = c_int;
    const NONE: Status = 0;
    /// `EB_ErrorInsufficientResources`.
    const NO_MEMORY: Status = 0x8000_1000_u32 as Status;
    /// `EB_NoErrorEmptyQueue`.
    const EMPTY: Status = 0x8000_2033_u32 as Status;
    /// `EB_BUFFERFLAG_EOS`.
    const END: u32 = 1;
    /// `EB_AV1_KEY_PICTURE`.
    const KEY: c_int = 3;

    /// `EbSvtAv1EncConfiguration`, and room for what later versions add. All zeroes are a value of it.
    #[repr(C, align(16))]
    struct Config([u32; 4096]);

    /// Where `source_width` and `source_height` lie, in words: behind the preset, three words of the group of pictures and
    /// the structure of prediction; before `forced_max_frame_width`, which can be set by name.
    const WIDTH: usize = 5;
    const HEIGHT: usize = 6;
    const FORCED_WIDTH: usize = 7;

    /// `EbComponentType`, which the library makes.
    #[repr(C)]
    struct Component([u8; 0]);

    /// `EbSvtIOFormat`: planes, and their strides in samples.
    #[repr(C)]
    struct Picture {
        luma: *const u16,
        cb: *const u16,
        cr: *const u16,
        y_stride: u32,
        cr_stride: u32,
        cb_stride: u32,
    }

    /// `EbBufferHeaderType`.
    #[repr(C)]
    struct Buffer {
        size: u32,
        data: *mut u8,
        filled: u32,
        allocated: u32,
        private: *mut c_void,
        wrapper: *mut c_void,
        ticks: u32,
        dts: i64,
        pts: i64,
        layer: u8,
        qp: u32,
        average_qp: u32,
        kind: c_int,
        sse: [u64; 3],
        flags: u32,
        ssim: [f64; 3],
        metadata: *mut c_void,
    }

    /// `SvtAv1LogCallback`. The last argument is a `va_list`, which is handed over as a pointer.
    type Log = extern "C" fn(*mut c_void, c_int, *const c_char, *const c_char, *mut c_void);

    unsafe extern "C" {
        fn svt_av1_get_version() -> *const c_char;
        fn svt_av1_set_log_callback(log: Option<Log>, context: *mut c_void);
        fn svt_av1_enc_init_handle(handle: *mut *mut Component, config: *mut Config) -> Status;
        fn svt_av1_enc_parse_parameter(config: *mut Config, name: *const c_char, value: *const c_char) -> Status;
        fn svt_av1_enc_set_parameter(handle: *mut Component, config: *mut Config) -> Status;
        fn svt_av1_enc_init(handle: *mut Component) -> Status;
        fn svt_av1_enc_send_picture(handle: *mut Component, buffer: *mut Buffer) -> Status;
        fn svt_av1_enc_get_packet(handle: *mut Component, buffer: *mut *mut Buffer, done: u8) -> Status;
        fn svt_av1_enc_release_out_buffer(buffer: *mut *mut Buffer);
        fn svt_av1_enc_deinit(handle: *mut Component) -> Status;
        fn svt_av1_enc_deinit_handle(handle: *mut Component) -> Status;
    }

    /// It would write several lines to the standard error for every picture.
    extern "C" fn silent(_: *mut c_void, _: c_int, _: *const c_char, _: *const c_char, _: *mut c_void) {}

    /// Whether the linked library is one that is understood.
    pub fn available() -> bool {
        version().is_some()
    }

    /// The version of the linked library; `None` for one that is not understood.
    pub fn version() -> Option<String> {
        static VERSION: OnceLock<Option<String>> = OnceLock::new();
        VERSION.get_or_init(checked).clone()
    }

    /// The version, if its settings lie where they are looked for.
    fn checked() -> Option<String> {
        // SAFETY: takes nothing, gives a pointer to a static string that ends in NUL.
        let version = unsafe { CStr::from_ptr(svt_av1_get_version()) }.to_string_lossy().into_owned();
        if !version.starts_with("v4.") {
            return None;
        }
        // SAFETY: the callback takes what the library passes and touches none of it.
        unsafe { svt_av1_set_log_callback(Some(silent), ptr::null_mut()) };
        let mut encoder = Encoder::open().ok()?;
        const MARK: u32 = 12_344;
        encoder.set(c"forced-max-frame-width", &MARK.to_string()).ok()?;
        let words = &encoder.config.0;
        (words[FORCED_WIDTH] == MARK && words[WIDTH] == 0 && words[HEIGHT] == 0).then_some(version)
    }

    /// A handle with its settings; closed with the value.
    struct Encoder {
        handle: *mut Component,
        config: Box<Config>,
        started: bool,
    }

    impl Drop for Encoder {
        fn drop(&mut self) {
            // SAFETY: the handle was made by `svt_av1_enc_init_handle`, which had succeeded before this value was made;
            // the encoder is stopped only if it was started. What they answer changes nothing.
            unsafe {
                if self.started {
                    svt_av1_enc_deinit(self.handle);
                }
                svt_av1_enc_deinit_handle(self.handle);
            }
        }
    }

    impl Encoder {
        fn open() -> Result<Self, Error> {
            let mut handle = ptr::null_mut();
            let mut config = Box::new(Config([0; 4096]));
            // SAFETY: both pointers are valid for the call; the settings have more room than the library's structure.
            match unsafe { svt_av1_enc_init_handle(&mut handle, &mut *config) } {
                NONE if !handle.is_null() => Ok(Self { handle, config, started: false }),
                status => Err(failed("open", status)),
            }
        }

        /// Sets what has a name.
        fn set(&mut self, name: &CStr, value: &str) -> Result<(), Error> {
            let text = CString::new(value).map_err(|_| failed("a setting", NONE))?;
            // SAFETY: the settings were filled by `svt_av1_enc_init_handle`; both strings end in NUL.
            match unsafe { svt_av1_enc_parse_parameter(&mut *self.config, name.as_ptr(), text.as_ptr()) } {
                NONE => Ok(()),
                status => Err(failed(&format!("{} = {value}", name.to_string_lossy()), status)),
            }
        }

        fn start(&mut self, width: u32, height: u32) -> Result<(), Error> {
            self.config.0[WIDTH] = width;
            self.config.0[HEIGHT] = height;
            // SAFETY: the handle is open, and the settings are of its library; they are copied.
            match unsafe { svt_av1_enc_set_parameter(self.handle, &mut *self.config) } {
                NONE => {}
                status => return Err(failed("settings", status)),
            }
            self.started = true;
            // SAFETY: the handle is open and has its settings.
            match unsafe { svt_av1_enc_init(self.handle) } {
                NONE => Ok(()),
                status => Err(failed("start", status)),
            }
        }

        fn send(&mut self, buffer: &mut Buffer) -> Result<(), Error> {
            // SAFETY: the encoder is started. The buffer, what it points to, and the planes behind that live for the call,
            // which copies the samples.
            match unsafe { svt_av1_enc_send_picture(self.handle, buffer) } {
                NONE => Ok(()),
                status => Err(failed("take the picture", status)),
            }
        }

        /// Appends the packets until the end of the stream.
        fn drain(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
            loop {
                let mut packet: *mut Buffer = ptr::null_mut();
                // SAFETY: the encoder is started and knows that no more pictures come: the call waits for a packet.
                match unsafe { svt_av1_enc_get_packet(self.handle, &mut packet, 1) } {
                    NONE if !packet.is_null() => {}
                    EMPTY => return Ok(()),
                    status => return Err(failed("encode", status)),
                }
                // SAFETY: a packet is valid until it is released; its buffer holds `filled` bytes.
                let (data, flags) = unsafe {
                    let data = if (*packet).data.is_null() || (*packet).filled == 0 {
                        &[]
                    } else {
                        std::slice::from_raw_parts((*packet).data, (*packet).filled as usize)
                    };
                    (data, (*packet).flags)
                };
                let room = bytes.try_reserve(data.len());
                if room.is_ok() {
                    bytes.extend_from_slice(data);
                }
                // SAFETY: the packet came from this encoder and is not used afterwards.
                unsafe { svt_av1_enc_release_out_buffer(&mut packet) };
                room.map_err(|_| Error::new(Kind::OutOfMemory, "no memory for the AV1 stream"))?;
                if flags & END != 0 {
                    return Ok(());
                }
            }
        }
    }

    fn buffer(picture: Option<&mut Picture>, filled: u32) -> Buffer {
        let flags = if picture.is_none() { END } else { 0 };
        Buffer {
            size: size_of::<Buffer>() as u32,
            data: picture.map_or(ptr::null_mut(), |picture| ptr::from_mut(picture).cast()),
            filled,
            allocated: 0,
            private: ptr::null_mut(),
            wrapper: ptr::null_mut(),
            ticks: 0,
            dts: 0,
            pts: 0,
            layer: 0,
            qp: 0,
            average_qp: 0,
            kind: KEY,
            sse: [0; 3],
            flags,
            ssim: [0.0; 3],
            metadata: ptr::null_mut(),
        }
    }

    /// Encodes planes with a quarter of the chroma as one AV1 key frame, tuned for how a picture looks.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`]; [`Kind::Internal`] with the library's number.
    pub fn encode(planes: &YuvPlanes<u16>, settings: SvtSettings) -> Result<Vec<u8>, Error> {
        let (width, height) = (planes.width, planes.height);
        let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
        let Some(chroma) = planes.chroma.as_ref().filter(|chroma| (chroma.width, chroma.height) == (cw, ch)) else {
            return Err(Error::new(Kind::Internal, "SVT-AV1 encodes 4:2:0 chroma only"));
        };
        let mut encoder = Encoder::open()?;
        let primaries = match settings.space {
            Space::Srgb => "1",
            Space::DisplayP3 => "12",
        };
        let (preset, crf) = (settings.preset.to_string(), format!("{:.2}", settings.crf.clamp(1.0, 63.0)));
        let threads = settings.threads.clamp(1, 6).to_string();
        // Numbers of ITU-T H.273: sRGB's curve, BT.601's matrix, the full range. Tune 3 is its "image quality".
        for (name, value) in [
            (c"avif", "1"),
            (c"input-depth", "10"),
            (c"preset", &*preset),
            (c"tune", "3"),
            (c"crf", &*crf),
            (c"lp", &*threads),
            (c"color-primaries", primaries),
            (c"transfer-characteristics", "13"),
            (c"matrix-coefficients", "6"),
            (c"color-range", "1"),
            (c"fps-num", "1"),
            (c"fps-denom", "1"),
        ] {
            encoder.set(name, value)?;
        }
        encoder.start(width, height)?;
        let mut picture = Picture {
            luma: planes.y.as_ptr(),
            cb: chroma.u.as_ptr(),
            cr: chroma.v.as_ptr(),
            y_stride: width,
            cr_stride: cw,
            cb_stride: cw,
        };
        let samples = u64::from(width) * u64::from(height) + 2 * u64::from(cw) * u64::from(ch);
        let filled = u32::try_from(samples * 2)
            .map_err(|_| Error::new(Kind::OutOfMemory, format!("SVT-AV1 takes no picture of {width} x {height}")))?;
        encoder.send(&mut buffer(Some(&mut picture), filled))?;
        encoder.send(&mut buffer(None, 0))?;
        let mut bytes = Vec::new();
        encoder.drain(&mut bytes)?;
        if bytes.is_empty() {
            return Err(Error::new(Kind::Internal, "SVT-AV1 gave no bytes"));
        }
        Ok(bytes)
    }

    fn failed(what: &str, status: Status) -> Error {
        let kind = if status == NO_MEMORY { Kind::OutOfMemory } else { Kind::Internal };
        Error::new(kind, format!("SVT-AV1: {what} failed with {status:#x}"))
    }
}
