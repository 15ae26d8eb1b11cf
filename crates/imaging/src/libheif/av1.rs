//! AV1 for libheif by dav1d, whatever libheif itself was built with. It wins over an AV1 decoder that libheif has of its own.
//!
//! The only file that touches libheif's interface for plug-ins (`heif_plugin.h`, version 6 of it). Decoding happens in the
//! caller's thread: the pool runs one worker a core.
#![allow(unsafe_code, reason = "gives libheif a decoder")]

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use libheif_sys as lh;

use self::dav1d::{Data, Dav1dContext, Dav1dPicture as Decoded, Dav1dSettings};

mod dav1d;

/// Any decoder of libheif's own has less.
const PRIORITY: c_int = 300;

/// `heif_decoder_plugin_options`.
#[repr(C)]
struct Options {
    format: lh::heif_compression_format,
    strict: c_int,
    threads: c_int,
    limits: *const lh::heif_security_limits,
}

/// `heif_decoder_plugin_compressed_format_description`.
#[repr(C)]
struct Description {
    format: lh::heif_compression_format,
}

/// `heif_decoder_plugin`, version 6.
#[repr(C)]
struct Plugin {
    version: c_int,
    name: extern "C" fn() -> *const c_char,
    init: extern "C" fn(),
    deinit: extern "C" fn(),
    supports: extern "C" fn(lh::heif_compression_format) -> c_int,
    open: unsafe extern "C" fn(*mut *mut c_void) -> lh::heif_error,
    free: unsafe extern "C" fn(*mut c_void),
    push: unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> lh::heif_error,
    decode: unsafe extern "C" fn(*mut c_void, *mut *mut lh::heif_image) -> lh::heif_error,
    strict: extern "C" fn(*mut c_void, c_int),
    id: *const c_char,
    next:
        unsafe extern "C" fn(*mut c_void, *mut *mut lh::heif_image, *const lh::heif_security_limits) -> lh::heif_error,
    least_libheif: u32,
    supports_2: unsafe extern "C" fn(*const Description) -> c_int,
    open_2: unsafe extern "C" fn(*mut *mut c_void, *const Options) -> lh::heif_error,
    push_2: unsafe extern "C" fn(*mut c_void, *const c_void, usize, usize) -> lh::heif_error,
    flush: extern "C" fn(*mut c_void) -> lh::heif_error,
    next_2: unsafe extern "C" fn(
        *mut c_void,
        *mut *mut lh::heif_image,
        *mut usize,
        *const lh::heif_security_limits,
    ) -> lh::heif_error,
}

// SAFETY: its only pointer is to a text that never changes.
unsafe impl Sync for Plugin {}

static PLUGIN: Plugin = Plugin {
    version: 6,
    name,
    init: nothing,
    deinit: nothing,
    supports,
    open,
    free,
    push,
    decode,
    strict,
    id: c"dav1d".as_ptr(),
    next,
    least_libheif: 1 << 24 | 22 << 16,
    supports_2,
    open_2,
    push_2,
    flush,
    next_2,
};

/// Makes libheif take it for AV1, unless one of the libraries has another interface than the one that is known here: AV1 is
/// then decoded by libheif's own means, if it has any.
///
/// # Errors
/// Why it is not taken.
pub(super) fn register() -> Result<(), String> {
    if !dav1d::understood() {
        return Err(format!("dav1d {} has another interface than the one that is known", dav1d::version()));
    }
    // SAFETY: a plug-in of version 6 as its header has it, which lives for ever.
    let status = unsafe { lh::heif_register_decoder_plugin((&raw const PLUGIN).cast()) };
    if status.code == lh::heif_error_code_heif_error_Ok {
        return Ok(());
    }
    if status.message.is_null() {
        return Err(format!("libheif refuses it (error {})", status.code));
    }
    // SAFETY: libheif's texts of errors are static, and end in NUL.
    let why = unsafe { CStr::from_ptr(status.message) }.to_string_lossy();
    Err(format!("libheif refuses it: {why}"))
}

/// One stream.
struct Decoder {
    context: *mut Dav1dContext,
    /// What dav1d has not taken yet.
    queue: VecDeque<Data>,
}

impl Decoder {
    fn open(frame_size_limit: u32) -> Option<Self> {
        let mut settings = Dav1dSettings::default();
        // SAFETY: there is room for all of its settings, which the function fills.
        unsafe { dav1d::dav1d_default_settings(&mut settings) };
        settings.n_threads = 1;
        settings.max_frame_delay = 1;
        // Of several layers, the best one alone.
        settings.all_layers = 0;
        settings.frame_size_limit = frame_size_limit;
        // A stranger's file writes nothing into the log.
        settings.logger = [0; 2];
        let mut decoder = Self { context: ptr::null_mut(), queue: VecDeque::new() };
        // SAFETY: both are valid for the call.
        let status = unsafe { dav1d::dav1d_open(&mut decoder.context, &settings) };
        (status == 0).then_some(decoder)
    }

    /// Gives dav1d as much of the queue as it takes. An error is dav1d's.
    fn send(&mut self) -> Result<(), c_int> {
        while let Some(front) = self.queue.front_mut() {
            // SAFETY: the context is open; the data are a whole packet, which the function takes or leaves.
            let status = unsafe { dav1d::dav1d_send_data(self.context, front) };
            if again(status) {
                return Ok(());
            }
            if status != 0 {
                // SAFETY: it was left.
                unsafe { dav1d::dav1d_data_unref(front) };
            }
            self.queue.pop_front();
            if status != 0 {
                return Err(status);
            }
        }
        Ok(())
    }

    /// The next picture that is ready; `None`: it needs more data.
    fn picture(&mut self) -> Result<Option<Dav1dPicture>, c_int> {
        let mut waiting = usize::MAX;
        loop {
            self.send()?;
            if self.queue.len() == waiting {
                // It has neither taken nor given: it never will.
                return Err(-libc::EINVAL);
            }
            waiting = self.queue.len();
            let mut picture = Dav1dPicture(Decoded::default());
            // SAFETY: the context is open, and the picture may be written to.
            match unsafe { dav1d::dav1d_get_picture(self.context, &mut picture.0) } {
                0 => return Ok(Some(picture)),
                status if !again(status) => return Err(status),
                _ if self.queue.is_empty() => return Ok(None),
                _ => {}
            }
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        for data in &mut self.queue {
            // SAFETY: whole packets that dav1d has not taken.
            unsafe { dav1d::dav1d_data_unref(data) };
        }
        // SAFETY: opened by `open`, or null, which the function leaves alone.
        unsafe { dav1d::dav1d_close(&mut self.context) };
    }
}

fn again(status: c_int) -> bool {
    status == -libc::EAGAIN
}

/// A decoded picture; given back with the value.
struct Dav1dPicture(Decoded);

impl Drop for Dav1dPicture {
    fn drop(&mut self) {
        // SAFETY: filled by dav1d, or empty.
        unsafe { dav1d::dav1d_picture_unref(&mut self.0) };
    }
}

impl Dav1dPicture {
    /// Copies it to an image of libheif's.
    fn copy(&self, limits: *const lh::heif_security_limits) -> Result<Image, lh::heif_error> {
        let about = &self.0.p;
        let (colours, chroma, (across, down)) = match about.layout {
            dav1d::I400 => (lh::heif_colorspace_heif_colorspace_monochrome, lh::heif_chroma_heif_chroma_planar, (0, 0)),
            dav1d::I420 => (lh::heif_colorspace_heif_colorspace_YCbCr, lh::heif_chroma_heif_chroma_420, (1, 1)),
            dav1d::I422 => (lh::heif_colorspace_heif_colorspace_YCbCr, lh::heif_chroma_heif_chroma_422, (1, 0)),
            dav1d::I444 => (lh::heif_colorspace_heif_colorspace_YCbCr, lh::heif_chroma_heif_chroma_444, (0, 0)),
            _ => return Err(broken()),
        };
        let mut image = Image(ptr::null_mut());
        // SAFETY: the pointer is valid; libheif checks the sizes.
        told(unsafe { lh::heif_image_create(about.w, about.h, colours, chroma, &mut image.0) })?;
        self.say_colours(&image)?;
        let planes =
            [lh::heif_channel_heif_channel_Y, lh::heif_channel_heif_channel_Cb, lh::heif_channel_heif_channel_Cr];
        let count = if about.layout == dav1d::I400 { 1 } else { 3 };
        for (number, channel) in planes.into_iter().enumerate().take(count) {
            let halved = |side: c_int, shift: c_int| side.saturating_add(shift) >> shift;
            let (width, height) = match number {
                0 => (about.w, about.h),
                _ => (halved(about.w, across), halved(about.h, down)),
            };
            // SAFETY: the image is libheif's own, `limits` what it gave.
            told(unsafe { lh::heif_image_add_plane_safe(image.0, channel, width, height, about.bpc, limits) })?;
            let mut pitch = 0;
            // SAFETY: likewise.
            let to = unsafe { lh::heif_image_get_plane2(image.0, channel, &mut pitch) };
            let (from, false) = (self.0.data[number], to.is_null() || self.0.data[number].is_null()) else {
                return Err(broken());
            };
            let row = usize::try_from(width).unwrap_or(0).saturating_mul(if about.bpc > 8 { 2 } else { 1 });
            let stride = self.0.stride[usize::from(number > 0)];
            if pitch < row || stride.unsigned_abs() < row {
                return Err(broken());
            }
            for y in 0..isize::try_from(height).unwrap_or(0) {
                // SAFETY: both planes have `height` rows, which are `row` bytes or more; they are not one.
                unsafe {
                    let from = from.cast::<u8>().offset(y * stride);
                    ptr::copy_nonoverlapping(from, to.offset(y * pitch as isize), row);
                }
            }
        }
        Ok(image)
    }

    /// Notes how the stream says that its colours are coded; numbers that libheif does not know become "unspecified".
    fn say_colours(&self, image: &Image) -> Result<(), lh::heif_error> {
        // SAFETY: dav1d's header lives as long as the picture.
        let Some(header) = (unsafe { self.0.sequence.as_ref() }) else { return Ok(()) };
        let number = |code: u32| u16::try_from(code).unwrap_or(2);
        // SAFETY: a profile of libheif's own is made, filled, copied and given back.
        unsafe {
            let profile = lh::heif_nclx_color_profile_alloc();
            let Some(fields) = profile.as_mut() else { return Err(broken()) };
            fields.full_range_flag = u8::from(header.range != 0);
            lh::heif_nclx_color_profile_set_color_primaries(profile, number(header.primaries));
            lh::heif_nclx_color_profile_set_transfer_characteristics(profile, number(header.transfer));
            lh::heif_nclx_color_profile_set_matrix_coefficients(profile, number(header.matrix));
            let status = lh::heif_image_set_nclx_color_profile(image.0, profile);
            lh::heif_nclx_color_profile_free(profile);
            told(status)
        }
    }
}

/// An image of libheif's; given back with the value, unless it is handed over.
struct Image(*mut lh::heif_image);

impl Image {
    fn into_raw(mut self) -> *mut lh::heif_image {
        std::mem::replace(&mut self.0, ptr::null_mut())
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made by libheif, and nobody else's.
            unsafe { lh::heif_image_release(self.0) };
        }
    }
}

fn status(code: lh::heif_error_code, message: &'static CStr) -> lh::heif_error {
    lh::heif_error { code, subcode: lh::heif_suberror_code_heif_suberror_Unspecified, message: message.as_ptr() }
}

fn fine() -> lh::heif_error {
    status(lh::heif_error_code_heif_error_Ok, c"Success")
}

fn broken() -> lh::heif_error {
    status(lh::heif_error_code_heif_error_Decoder_plugin_error, c"the AV1 stream is damaged")
}

/// What dav1d has against a stream.
fn refused(code: c_int) -> lh::heif_error {
    match -code {
        libc::ERANGE => status(
            lh::heif_error_code_heif_error_Decoder_plugin_error,
            c"the AV1 stream holds a larger picture than is announced",
        ),
        libc::ENOMEM => status(lh::heif_error_code_heif_error_Memory_allocation_error, c"no memory for an AV1 picture"),
        _ => broken(),
    }
}

/// An error of libheif's with a text of our own: its text may lie in the image that is given back.
fn told(status: lh::heif_error) -> Result<(), lh::heif_error> {
    match status.code {
        lh::heif_error_code_heif_error_Ok => Ok(()),
        _ => Err(lh::heif_error { message: c"libheif refuses the AV1 picture".as_ptr(), ..status }),
    }
}

extern "C" fn name() -> *const c_char {
    static NAME: OnceLock<CString> = OnceLock::new();
    NAME.get_or_init(|| CString::new(format!("dav1d {}", dav1d::version())).unwrap_or_default()).as_ptr()
}

extern "C" fn nothing() {}

extern "C" fn supports(format: lh::heif_compression_format) -> c_int {
    if format == lh::heif_compression_format_heif_compression_AV1 { PRIORITY } else { 0 }
}

unsafe extern "C" fn supports_2(format: *const Description) -> c_int {
    // SAFETY: libheif gives a description.
    supports(unsafe { (*format).format })
}

/// Without a site's limits, as libheif's oldest interface has it, there are those of libheif.
unsafe extern "C" fn open(out: *mut *mut c_void) -> lh::heif_error {
    // SAFETY: as for `opened`.
    unsafe { opened(out, ptr::null()) }
}

unsafe extern "C" fn open_2(out: *mut *mut c_void, options: *const Options) -> lh::heif_error {
    // SAFETY: libheif gives options of version 6, for that is what it was told.
    unsafe { opened(out, (*options).limits) }
}

/// `out` may be written to; `limits` are null or valid.
unsafe fn opened(out: *mut *mut c_void, limits: *const lh::heif_security_limits) -> lh::heif_error {
    // SAFETY: null, or valid for as long as the decoder is.
    let limits = unsafe { limits.as_ref().or_else(|| lh::heif_get_global_security_limits().as_ref()) };
    // To dav1d 0 is no limit; what a number of 32 bits cannot say is larger than any AV1 picture.
    let limit = limits.map_or(0, |limits| u32::try_from(limits.max_image_size_pixels).unwrap_or(0));
    match Decoder::open(limit) {
        Some(decoder) => {
            // SAFETY: `out` may be written to.
            unsafe { *out = Box::into_raw(Box::new(decoder)).cast() };
            fine()
        }
        None => status(lh::heif_error_code_heif_error_Memory_allocation_error, c"AV1 cannot be decoded here"),
    }
}

unsafe extern "C" fn free(decoder: *mut c_void) {
    if !decoder.is_null() {
        // SAFETY: made by `opened`, and libheif gives it back once.
        drop(unsafe { Box::from_raw(decoder.cast::<Decoder>()) });
    }
}

unsafe extern "C" fn push(decoder: *mut c_void, data: *const c_void, size: usize) -> lh::heif_error {
    // SAFETY: as for `push_2`.
    unsafe { push_2(decoder, data, size, 0) }
}

/// `tag` comes back with the picture.
unsafe extern "C" fn push_2(decoder: *mut c_void, data: *const c_void, size: usize, tag: usize) -> lh::heif_error {
    // SAFETY: made by `opened`; libheif uses it from one thread at a time.
    let decoder = unsafe { &mut *decoder.cast::<Decoder>() };
    if data.is_null() || size == 0 {
        return broken();
    }
    let mut packet = Data::default();
    // SAFETY: the packet may be written to; what is made has room for `size` bytes, which libheif gives.
    unsafe {
        let room = dav1d::dav1d_data_create(&mut packet, size);
        if room.is_null() {
            return status(lh::heif_error_code_heif_error_Memory_allocation_error, c"no memory for an AV1 packet");
        }
        ptr::copy_nonoverlapping(data.cast::<u8>(), room, size);
    }
    packet.props.timestamp = tag as i64;
    decoder.queue.push_back(packet);
    decoder.send().map_or_else(refused, |()| fine())
}

/// There are no frames in flight to wait for: decoding is done when data come.
extern "C" fn flush(_: *mut c_void) -> lh::heif_error {
    fine()
}

extern "C" fn strict(_: *mut c_void, _: c_int) {}

unsafe extern "C" fn decode(decoder: *mut c_void, out: *mut *mut lh::heif_image) -> lh::heif_error {
    // SAFETY: as for `next_2`; libheif's own limits are always there.
    unsafe { next_2(decoder, out, ptr::null_mut(), lh::heif_get_global_security_limits()) }
}

unsafe extern "C" fn next(
    decoder: *mut c_void,
    out: *mut *mut lh::heif_image,
    limits: *const lh::heif_security_limits,
) -> lh::heif_error {
    // SAFETY: as for `next_2`.
    unsafe { next_2(decoder, out, ptr::null_mut(), limits) }
}

/// The next picture, or null where more data are needed.
unsafe extern "C" fn next_2(
    decoder: *mut c_void,
    out: *mut *mut lh::heif_image,
    tag: *mut usize,
    limits: *const lh::heif_security_limits,
) -> lh::heif_error {
    // SAFETY: made by `opened`; libheif uses it from one thread at a time, and `out` may be written to.
    let decoder = unsafe {
        *out = ptr::null_mut();
        &mut *decoder.cast::<Decoder>()
    };
    let picture = match decoder.picture() {
        Ok(Some(picture)) => picture,
        Ok(None) => return fine(),
        Err(status) => return refused(status),
    };
    match picture.copy(limits) {
        Ok(image) => {
            // SAFETY: both may be written to, where they are there.
            unsafe {
                if let Some(tag) = tag.as_mut() {
                    *tag = picture.0.props.timestamp as usize;
                }
                *out = image.into_raw();
            }
            fine()
        }
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use crate::encode::{self, Options};
    use crate::error::Error;
    use crate::picture::{Animation, Channels, Frame, Pixels, Space};
    use crate::plan::Format;
    use crate::{Effort, decode, probe};

    /// A picture with something in it, of a frame or more.
    fn avif(width: u32, height: u32, frames: u32) -> Vec<u8> {
        let data = (0..width * height * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 25) as u8).collect();
        let pixels = Pixels::new(width, height, Channels::Rgb, data).unwrap();
        let options = Options {
            quality: Some(60),
            lossless: false,
            near_lossless: 0,
            progressive: false,
            effort: Effort::Pressed,
            threads: 1,
            frames,
            budget_ms: 0,
            hurry: crate::encode::Hurry::default(),
            exif: None,
            space: Space::Srgb,
        };
        let animation = (frames > 1).then_some(Animation { repeat: None });
        let mut encoder = encode::open(Format::Avif, width, height, options, animation).unwrap();
        for _ in 0..frames {
            encoder.add(Frame { pixels: pixels.clone(), delay_ms: 10 }).unwrap();
        }
        encoder.finish().unwrap()
    }

    fn decoded(bytes: &[u8]) -> Result<Frame, Error> {
        let header = probe(bytes)?;
        let frame = decode::open(bytes, &header, &decode::Wanted::default())?.next_frame()?;
        Ok(frame.unwrap())
    }

    /// A still picture and a sequence whose boxes say 64 x 64 and whose streams hold two megapixels are not even begun.
    #[test]
    fn a_stream_allocates_no_more_than_the_file_announces() {
        let put = |bytes: &mut [u8], kind: &[u8; 4], skipped: usize, size: &[u8]| {
            let starts: Vec<usize> = (0..bytes.len() - 4).filter(|&at| &bytes[at..at + 4] == kind).collect();
            starts.iter().for_each(|at| bytes[at + 4 + skipped..][..size.len()].copy_from_slice(size));
            starts.len()
        };
        let mut still = avif(1600, 1300, 1);
        assert_eq!(decoded(&still).unwrap().pixels.height(), 1300);
        assert_eq!(put(&mut still, b"ispe", 4, &[0, 0, 0, 64, 0, 0, 0, 64]), 1);
        let mut moving = avif(1600, 1300, 2);
        assert_eq!(decoded(&moving).unwrap().pixels.height(), 1300);
        let entry = moving.windows(4).position(|four| four == b"stsd").unwrap();
        assert_eq!(put(&mut moving[entry..], b"av01", 24, &[0, 64, 0, 64]), 1);
        for bytes in [still, moving] {
            let header = probe(&bytes).unwrap();
            assert_eq!((header.source.width, header.source.height), (64, 64));
            let error = decoded(&bytes).err().unwrap();
            // By dav1d, or by libheif in front of it; not by us, who see what has been decoded.
            let told = ["larger picture than is announced", "exceeds the maximum image size"];
            assert!(told.iter().any(|part| error.message.contains(part)), "{error:?}");
            println!("{error}");
        }
    }

    /// A decoder that ends the process over a damaged picture takes this test with it.
    #[test]
    fn damage_is_an_error_or_a_picture_and_never_the_end() {
        let whole = avif(64, 48, 1);
        let start = whole.windows(4).position(|kind| kind == b"mdat").unwrap() + 4;
        let name = crate::libheif::decoder(libheif_rs::CompressionFormat::Av1).unwrap();
        assert_eq!((name, crate::libheif::av1_problem()), (format!("dav1d {}", super::dav1d::version()), None));
        assert_eq!(decoded(&whole).unwrap().pixels.width(), 64, "undamaged");
        let (mut seed, mut refused) = (1u32, 0);
        let mut next = move |below: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % below
        };
        for round in 0..600 {
            let mut bytes = whole.clone();
            for _ in 0..=round % 4 {
                let at = start + next(bytes.len() - start);
                bytes[at] ^= 1 << next(8);
            }
            refused += u32::from(decoded(&bytes).is_err());
        }
        assert!(refused > 0, "nothing was damaged");
    }
}
