//! The binding to libwebp and its animation decoder.
#![allow(unsafe_code, reason = "binds libwebp")]

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};

use libwebp_sys as sys;

use super::Region;

/// The size of a still picture's bitstream; `None` if its headers are damaged.
pub(super) fn size(webp: &[u8]) -> Option<(u32, u32)> {
    let (mut width, mut height) = (0, 0);
    // SAFETY: a live slice that is only read, and two integers to write to.
    let known = unsafe { sys::WebPGetInfo(webp.as_ptr(), webp.len(), &raw mut width, &raw mut height) };
    (known != 0).then_some((u32::try_from(width).ok()?, u32::try_from(height).ok()?))
}

/// Decodes a still picture, or a rectangle of it whose corner is even, into rows of RGB, or RGBA, without gaps; `width` is
/// that of a row. `false` if the data is damaged, or cut off, or larger than `pixels`.
pub(super) fn decode(webp: &[u8], width: u32, alpha: bool, crop: Option<Region>, pixels: &mut [u8]) -> bool {
    let Some(stride) = width.checked_mul(if alpha { 4 } else { 3 }).and_then(|stride| i32::try_from(stride).ok())
    else {
        return false;
    };
    let Ok(mut config) = sys::WebPDecoderConfig::new() else { return false };
    if let Some(Region { x, y, width, height }) = crop {
        let sides = (i32::try_from(x), i32::try_from(y), i32::try_from(width), i32::try_from(height));
        let (Ok(x), Ok(y), Ok(width), Ok(height)) = sides else { return false };
        config.options.use_cropping = 1;
        (config.options.crop_left, config.options.crop_top) = (x, y);
        (config.options.crop_width, config.options.crop_height) = (width, height);
    }
    config.output.colorspace = if alpha { sys::WEBP_CSP_MODE::MODE_RGBA } else { sys::WEBP_CSP_MODE::MODE_RGB };
    config.output.is_external_memory = 1;
    config.output.u.RGBA = sys::WebPRGBABuffer { rgba: pixels.as_mut_ptr(), stride, size: pixels.len() };
    // SAFETY: a live slice that is only read, and memory whose length the library checks against size and stride before
    // it writes; both outlive the call, and the library frees nothing of what it was given.
    let status = unsafe { sys::WebPDecode(webp.as_ptr(), webp.len(), &raw mut config) };
    status == sys::VP8StatusCode::VP8_STATUS_OK
}

/// A decoder of an animation.
pub(super) struct AnimatedWebp<'a> {
    decoder: NonNull<sys::WebPAnimDecoder>,
    /// Size of the canvas.
    pub width: u32,
    /// Size of the canvas.
    pub height: u32,
    /// How often the whole plays; 0 is for ever.
    pub loops: u32,
    source: PhantomData<&'a [u8]>,
}

impl<'a> AnimatedWebp<'a> {
    /// Reads the structure of an animation; `None` if it is damaged or memory is short.
    pub(super) fn new(webp: &'a [u8]) -> Option<Self> {
        let mut options = MaybeUninit::<sys::WebPAnimDecoderOptions>::zeroed();
        let mut info = MaybeUninit::<sys::WebPAnimInfo>::zeroed();
        let data = sys::WebPData { bytes: webp.as_ptr(), size: webp.len() };
        // SAFETY: the options are initialised by the library before they are changed and used. The decoder keeps a
        // pointer to `webp`, which outlives it by `source`. `data` itself is read during the call only.
        unsafe {
            if sys::WebPAnimDecoderOptionsInit(options.as_mut_ptr()) == 0 {
                return None;
            }
            let mut options = options.assume_init();
            options.color_mode = sys::WEBP_CSP_MODE::MODE_RGBA;
            options.use_threads = 0;
            let decoder = NonNull::new(sys::WebPAnimDecoderNew(&raw const data, &raw const options))?;
            let known = sys::WebPAnimDecoderGetInfo(decoder.as_ptr(), info.as_mut_ptr()) != 0;
            // All zeroes is a valid value of this struct of integers, so that it is initialised either way.
            let info = info.assume_init();
            let (width, height, loops) = (info.canvas_width, info.canvas_height, info.loop_count);
            let this = Self { decoder, width, height, loops, source: PhantomData };
            known.then_some(this)
        }
    }

    /// The next composed canvas in RGBA and the time at which it ends, in milliseconds from the start. `None` after the
    /// last frame and where the data is damaged.
    pub(super) fn next(&mut self) -> Option<(&[u8], i32)> {
        let length = (self.width as usize).checked_mul(self.height as usize)?.checked_mul(4)?;
        let mut canvas: *mut u8 = ptr::null_mut();
        let mut end = 0;
        // SAFETY: the decoder is alive; it writes a pointer to its canvas, which is `width * height * 4` bytes long and
        // stays as it is until the next call, for which this borrow must have ended.
        unsafe {
            let more = sys::WebPAnimDecoderHasMoreFrames(self.decoder.as_ptr()) != 0
                && sys::WebPAnimDecoderGetNext(self.decoder.as_ptr(), &raw mut canvas, &raw mut end) != 0;
            (more && !canvas.is_null()).then(|| (std::slice::from_raw_parts(canvas, length), end))
        }
    }
}

impl Drop for AnimatedWebp<'_> {
    fn drop(&mut self) {
        // SAFETY: the decoder came from `WebPAnimDecoderNew` and is not used again.
        unsafe { sys::WebPAnimDecoderDelete(self.decoder.as_ptr()) };
    }
}
