//! WebP with libwebp: stills, animations, and the container where there is EXIF to carry.
#![allow(unsafe_code, reason = "binds libwebp")]

use std::ffi::{CStr, c_int};
use std::ptr;

use libwebp_sys as sys;

use super::{Options, quality};
use crate::Effort;
use crate::error::{Error, Kind};
use crate::picture::{Animation, Channels, Encode, Frame, Pixels};
use crate::plan::Format;
use crate::transform::room;
use crate::transform::with_colour;

/// CPU milliseconds for a megapixel with method 6 at the default quality.
const MS_PER_MEGAPIXEL: f64 = 180.0;

/// The library's version.
pub fn version() -> String {
    // SAFETY: takes nothing.
    let version = unsafe { sys::WebPGetEncoderVersion() };
    format!("{}.{}.{}", version >> 16, version >> 8 & 255, version & 255)
}

/// Writes a still picture.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub fn encode(pixels: Pixels, options: &Options) -> Result<Vec<u8>, Error> {
    let pixels = with_colour(pixels)?;
    let megapixels = f64::from(pixels.width()) * f64::from(pixels.height()) / 1e6;
    let config = config(options, megapixels, pixels.channels().has_alpha())?;
    let mut picture = Picture::import(&pixels, options.lossless)?;
    let icc = super::profile(options, pixels.channels());
    drop(pixels);
    let mut writer = Writer::new();
    picture.0.writer = Some(sys::WebPMemoryWrite);
    picture.0.custom_ptr = ptr::from_mut(&mut *writer.0).cast();
    // SAFETY: the configuration has been validated, the picture owns its samples, and the writer outlives the call.
    if unsafe { sys::WebPEncode(&config, &mut picture.0) } == 0 {
        return Err(failed("encode", picture.0.error_code));
    }
    drop(picture);
    contained(writer.bytes(), icc, options.exif.as_deref())
}

/// Method 6, 5 % fewer bytes than 4 at twice its CPU, unless others wait or the time is short.
fn config(options: &Options, megapixels: f64, alpha: bool) -> Result<sys::WebPConfig, Error> {
    let short = |budget_ms| budget_ms > 0 && megapixels * MS_PER_MEGAPIXEL > f64::from(budget_ms);
    // Pressed uses method 4 however much time there is. So its result does not count as hurried.
    let fits = options.effort == Effort::Pressed || !options.in_time(short);
    let method = match options.effort {
        Effort::Pressed => 4,
        // Method 6 compresses alpha, which is always lossless, with all that there is: sixty times the time of method 5 for
        // a per cent of the file.
        Effort::Interactive | Effort::Batch if fits && alpha => 5,
        Effort::Interactive | Effort::Batch if fits => 6,
        Effort::Interactive | Effort::Batch => 4,
    };
    let invalid = || Error::new(Kind::Internal, "libwebp refuses its configuration");
    let mut config = sys::WebPConfig::new().map_err(|()| invalid())?;
    config.quality = f32::from(options.quality.unwrap_or(quality::default(Format::WebP, None)));
    config.method = method;
    config.lossless = c_int::from(options.lossless);
    if options.lossless {
        // There `quality` is effort: 75 is the library's own choice.
        config.quality = 75.0;
        config.method = method.min(4);
        if (1..100).contains(&options.near_lossless) {
            config.near_lossless = options.near_lossless.into();
        }
    }
    config.exact = 0;
    config.thread_level = 0;
    // SAFETY: the configuration was initialised above.
    match unsafe { sys::WebPValidateConfig(&config) } {
        0 => Err(invalid()),
        _ => Ok(config),
    }
}

/// A picture that owns its samples; freed with the value.
struct Picture(sys::WebPPicture);

impl Drop for Picture {
    fn drop(&mut self) {
        // SAFETY: initialised in `import`; freeing twice is allowed and does nothing.
        unsafe { sys::WebPPictureFree(&mut self.0) };
    }
}

impl Picture {
    /// Copies coloured pixels, as ARGB where the encoder needs them so, else as YUV.
    fn import(pixels: &Pixels, argb: bool) -> Result<Self, Error> {
        let mut picture =
            Self(sys::WebPPicture::new().map_err(|()| Error::new(Kind::Internal, "libwebp: another version"))?);
        picture.0.use_argb = c_int::from(argb);
        picture.0.width = pixels.width() as c_int;
        picture.0.height = pixels.height() as c_int;
        let (data, stride) = (pixels.data().as_ptr(), pixels.stride() as c_int);
        // SAFETY: the picture is initialised and the pixels are `height` rows of `stride` bytes of the layout named; the
        // function copies them.
        let taken = unsafe {
            match pixels.channels() {
                Channels::Rgb => sys::WebPPictureImportRGB(&mut picture.0, data, stride),
                Channels::Rgba => sys::WebPPictureImportRGBA(&mut picture.0, data, stride),
                Channels::Grey | Channels::GreyAlpha => 0,
            }
        };
        match taken {
            0 => Err(failed("import", picture.0.error_code)),
            _ => Ok(picture),
        }
    }
}

/// The library's growing buffer. Boxed, because a picture points to it.
struct Writer(Box<sys::WebPMemoryWriter>);

impl Writer {
    fn new() -> Self {
        let mut writer = Box::new(sys::WebPMemoryWriter { mem: ptr::null_mut(), size: 0, max_size: 0, pad: [0] });
        // SAFETY: the pointer is valid.
        unsafe { sys::WebPMemoryWriterInit(&mut *writer) };
        Self(writer)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `size` bytes at `mem` have been written by the library.
        unsafe { slice(self.0.mem, self.0.size) }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`.
        unsafe { sys::WebPMemoryWriterClear(&mut *self.0) };
    }
}

/// A finished file in the library's memory.
struct Data(sys::WebPData);

impl Data {
    fn bytes(&self) -> &[u8] {
        // SAFETY: `size` bytes at `bytes` have been written by the library.
        unsafe { slice(self.0.bytes, self.0.size) }
    }
}

impl Drop for Data {
    fn drop(&mut self) {
        // SAFETY: empty or allocated by the library, and freed once.
        unsafe { sys::WebPDataClear(&mut self.0) };
    }
}

/// # Safety
/// `size` bytes at `start` are initialised and live as long as the result; or `start` is NULL.
unsafe fn slice<'a>(start: *const u8, size: usize) -> &'a [u8] {
    match start.is_null() {
        true => &[],
        // SAFETY: the caller's promise.
        false => unsafe { std::slice::from_raw_parts(start, size) },
    }
}

/// Puts a profile and EXIF (a TIFF block) into a finished file.
fn contained(file: &[u8], icc: Option<&[u8]>, exif: Option<&[u8]>) -> Result<Vec<u8>, Error> {
    if icc.is_none() && exif.is_none() {
        return copy(file);
    }
    struct Mux(*mut sys::WebPMux);
    impl Drop for Mux {
        fn drop(&mut self) {
            // SAFETY: NULL or a live container.
            unsafe { sys::WebPMuxDelete(self.0) };
        }
    }
    let broken = |what: &str| Error::new(Kind::Internal, format!("libwebp: {what} the container fails"));
    let source = sys::WebPData { bytes: file.as_ptr(), size: file.len() };
    // SAFETY: the bytes are copied (1); the version is the one that the bindings were made for.
    let mux = Mux(unsafe { sys::WebPMuxCreateInternal(&source, 1, sys::WEBP_MUX_ABI_VERSION as c_int) });
    if mux.0.is_null() {
        return Err(broken("opening"));
    }
    for (name, data) in [(c"ICCP", icc), (c"EXIF", exif)] {
        let Some(data) = data else { continue };
        let chunk = sys::WebPData { bytes: data.as_ptr(), size: data.len() };
        // SAFETY: the container is live; the name has four characters; the chunk is copied (1).
        if unsafe { sys::WebPMuxSetChunk(mux.0, name.as_ptr(), &chunk, 1) } != sys::WebPMuxError::WEBP_MUX_OK {
            return Err(broken("adding to"));
        }
    }
    let mut out = Data(sys::WebPData::default());
    // SAFETY: the container is live and the target empty.
    if unsafe { sys::WebPMuxAssemble(mux.0, &mut out.0) } != sys::WebPMuxError::WEBP_MUX_OK {
        return Err(broken("writing"));
    }
    copy(out.bytes())
}

fn copy(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let mut out = room(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(out)
}

fn failed(what: &str, code: sys::WebPEncodingError) -> Error {
    use sys::WebPEncodingError as Code;
    let kind = match code {
        Code::VP8_ENC_ERROR_OUT_OF_MEMORY | Code::VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY => Kind::OutOfMemory,
        Code::VP8_ENC_ERROR_BAD_DIMENSION
        | Code::VP8_ENC_ERROR_PARTITION0_OVERFLOW
        | Code::VP8_ENC_ERROR_PARTITION_OVERFLOW
        | Code::VP8_ENC_ERROR_FILE_TOO_BIG => Kind::OutputTooLarge,
        _ => Kind::Internal,
    };
    Error::new(kind, format!("libwebp: {what}: {code:?}"))
}

/// An animation. The library keeps a few frames to find what changes between them.
pub struct Animated {
    encoder: *mut sys::WebPAnimEncoder,
    config: sys::WebPConfig,
    size: (u32, u32),
    /// When the next frame starts, in milliseconds.
    time: c_int,
    frames: u32,
    exif: Option<Vec<u8>>,
}

impl Drop for Animated {
    fn drop(&mut self) {
        // SAFETY: made by `WebPAnimEncoderNewInternal`, not NULL, deleted once.
        unsafe { sys::WebPAnimEncoderDelete(self.encoder) };
    }
}

impl Animated {
    /// Starts an animation.
    ///
    /// # Errors
    /// [`Kind::OutOfMemory`], [`Kind::Internal`].
    pub fn open(width: u32, height: u32, options: &Options, animation: Animation) -> Result<Self, Error> {
        let mut config = config(options, 0.0, true)?;
        // Every frame is a picture of its own: with method 6 a short animation already takes seconds.
        config.method = match options.effort {
            Effort::Batch => config.method,
            Effort::Interactive => config.method.min(4),
            Effort::Pressed => 2,
        };
        // SAFETY: plain C data for which all zeroes is a value; filled by the next call.
        let mut settings: sys::WebPAnimEncoderOptions = unsafe { std::mem::zeroed() };
        // SAFETY: the pointer is valid; the version is the one that the bindings were made for.
        if unsafe { sys::WebPAnimEncoderOptionsInitInternal(&mut settings, sys::WEBP_MUX_ABI_VERSION as c_int) } == 0 {
            return Err(Error::new(Kind::Internal, "libwebp: another version"));
        }
        settings.anim_params.loop_count = match animation.repeat {
            None => 0,
            Some(times) => times.clamp(1, 65_535) as c_int,
        };
        // SAFETY: the settings are initialised; the version is the one that the bindings were made for.
        let encoder = unsafe {
            sys::WebPAnimEncoderNewInternal(
                width as c_int,
                height as c_int,
                &settings,
                sys::WEBP_MUX_ABI_VERSION as c_int,
            )
        };
        if encoder.is_null() {
            return Err(Error::new(Kind::OutOfMemory, "libwebp: no memory for an animation"));
        }
        Ok(Self { encoder, config, size: (width, height), time: 0, frames: 0, exif: options.exif.clone() })
    }

    fn error(&self, what: &str) -> Error {
        // SAFETY: the encoder is live; the string ends in NUL and lives until the next call.
        let text = unsafe { CStr::from_ptr(sys::WebPAnimEncoderGetError(self.encoder)) }.to_string_lossy().into_owned();
        Error::new(Kind::Internal, format!("libwebp: {what}: {text}"))
    }
}

impl Encode for Animated {
    fn add(&mut self, frame: Frame) -> Result<(), Error> {
        super::still::check_size(&frame, self.size)?;
        let pixels = with_colour(frame.pixels)?;
        let mut picture = Picture::import(&pixels, true)?;
        drop(pixels);
        // SAFETY: encoder, picture and configuration are live and initialised; the frame is copied.
        if unsafe { sys::WebPAnimEncoderAdd(self.encoder, &mut picture.0, self.time, &self.config) } == 0 {
            return Err(self.error("add"));
        }
        self.frames += 1;
        let delay = frame.delay_ms.min(0xFF_FFFF) as c_int;
        self.time = self.time.checked_add(delay).ok_or_else(|| {
            Error::new(Kind::OutputTooLarge, "the animation plays for longer than WebP can say (24 days)")
        })?;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Vec<u8>, Error> {
        if self.frames == 0 {
            return Err(Error::new(Kind::Internal, "webp: no frame was given"));
        }
        // Without this last call the last frame has no duration.
        // SAFETY: the encoder is live; no picture means: the end, at this time.
        if unsafe { sys::WebPAnimEncoderAdd(self.encoder, ptr::null_mut(), self.time, ptr::null()) } == 0 {
            return Err(self.error("end"));
        }
        let mut out = Data(sys::WebPData::default());
        // SAFETY: the encoder is live and the target empty.
        if unsafe { sys::WebPAnimEncoderAssemble(self.encoder, &mut out.0) } == 0 {
            return Err(self.error("assemble"));
        }
        contained(out.bytes(), None, self.exif.as_deref())
    }
}
