//! The binding to jpegli, libjxl's JPEG encoder: libjpeg's interface, with better quantisation behind it.
//!
//! The library reports an error by a call that must not return. Ours unwinds through its frames (the binding declares them
//! `C-unwind`) up to [`encode`], where it becomes an [`Error`].
#![allow(unsafe_code, reason = "binds jpegli")]

use std::ffi::{c_int, c_void};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use jpegli_sys as sys;

use crate::error::{Error, Kind};
use crate::picture::Pixels;
use crate::transform::room;

/// What the library is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct JpegliSettings {
    /// 1..=100, libjpeg's scale.
    pub quality: u8,
    /// Chroma at full resolution; else at half of it both ways.
    pub full_chroma: bool,
    /// How the coefficients are laid out.
    pub scans: Scans,
}

/// How coefficients are laid out in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scans {
    /// All in one scan.
    One,
    /// Coarse first, by bands of frequencies.
    Bands,
    /// Coarse first, by bands and by bits.
    Bits,
}

/// A band of the components' frequencies, all bits of it.
const fn band(components: &[c_int], from: c_int, to: c_int) -> sys::jpegli_scan_info {
    let mut component_index = [0; 4];
    let mut at = 0;
    while at < components.len() {
        component_index[at] = components[at];
        at += 1;
    }
    sys::jpegli_scan_info { comps_in_scan: components.len() as c_int, component_index, Ss: from, Se: to, Ah: 0, Al: 0 }
}

/// The averages, then colour, then detail. Bands take half a millisecond for
/// 1 % of the bytes, refining bits two for 2 % (Kodak).
static BANDS: [sys::jpegli_scan_info; 6] = [
    band(&[0, 1, 2], 0, 0),
    band(&[0], 1, 5),
    band(&[1], 1, 63),
    band(&[2], 1, 63),
    band(&[0], 6, 20),
    band(&[0], 21, 63),
];
static GREY_BANDS: [sys::jpegli_scan_info; 3] = [band(&[0], 0, 0), band(&[0], 1, 5), band(&[0], 6, 63)];

/// The coarsest step of chroma's averages: eight times a sample's, so that every flat colour there is can be said. The library
/// takes 9 to 11 at qualities of 75 to 82, for which photographs need 2 % more bytes at equal SSIMULACRA2.
const CHROMA_LEVEL: u16 = 8;

/// From this quality on. At lower ones it gains more (at 60: 1.1 for 3 % more bytes, where the number alone would take 5 %), but
/// there a number would no longer look like libjpeg's.
const LEVEL_FROM: u8 = 75;

/// Bytes that the library writes before they are taken over.
const CHUNK: usize = 16 << 10;

/// Where the library writes to.
struct Sink {
    manager: sys::jpegli_destination_mgr,
    chunk: Vec<u8>,
    file: Vec<u8>,
}

impl Sink {
    /// The sink behind a compressor.
    ///
    /// # Safety
    /// `client_data` is the sink that [`Compressor::new`] put there.
    unsafe fn of(compressor: &mut sys::jpegli_compress_struct) -> &mut Self {
        // SAFETY: the caller's promise; nothing else refers to the sink while the library runs.
        unsafe { &mut *compressor.common.client_data.cast::<Self>() }
    }

    fn rewind(&mut self) {
        self.manager.next_output_byte = self.chunk.as_mut_ptr();
        self.manager.free_in_buffer = self.chunk.len();
    }

    /// Takes over what the chunk holds but for its last bytes.
    fn take(&mut self, free: usize) {
        let used = self.chunk.len().saturating_sub(free);
        if self.file.try_reserve(used).is_err() {
            resume_unwind(Box::new(Kind::OutOfMemory));
        }
        self.file.extend_from_slice(self.chunk.get(..used).unwrap_or_default());
        self.rewind();
    }
}

unsafe extern "C-unwind" fn begin(compressor: &mut sys::jpegli_compress_struct) {
    // SAFETY: only installed by `Compressor::new`.
    unsafe { Sink::of(compressor) }.rewind();
}

unsafe extern "C-unwind" fn full(compressor: &mut sys::jpegli_compress_struct) -> sys::boolean {
    // SAFETY: only installed by `Compressor::new`. The call means that all of the chunk is written, whatever is counted.
    unsafe { Sink::of(compressor) }.take(0);
    1
}

unsafe extern "C-unwind" fn end(compressor: &mut sys::jpegli_compress_struct) {
    // SAFETY: only installed by `Compressor::new`.
    let sink = unsafe { Sink::of(compressor) };
    let free = sink.manager.free_in_buffer;
    sink.take(free);
}

unsafe extern "C-unwind" fn fail(common: &mut sys::jpegli_common_struct) {
    // SAFETY: `err` is the manager that `Compressor::new` installed, which lives as long as the compressor.
    let code = unsafe { (*common.err).msg_code };
    resume_unwind(Box::new(code));
}

unsafe extern "C-unwind" fn quiet(_: &mut sys::jpegli_common_struct, _: c_int) {}

/// A compressor and all that it points to; boxed, so that it stays where it is.
struct Compressor {
    inner: sys::jpegli_compress_struct,
    errors: sys::jpegli_error_mgr,
    sink: Sink,
}

impl Drop for Compressor {
    fn drop(&mut self) {
        // SAFETY: it is destroyed once, which is allowed in every state; one that was never created has no memory manager,
        // and is left alone.
        unsafe { sys::jpegli_destroy_compress(&mut self.inner) };
    }
}

impl Compressor {
    fn new() -> Result<Box<Self>, Error> {
        let mut chunk = room(CHUNK)?;
        chunk.resize(CHUNK, 0);
        let manager = sys::jpegli_destination_mgr {
            next_output_byte: std::ptr::null_mut(),
            free_in_buffer: 0,
            init_destination: Some(begin),
            empty_output_buffer: Some(full),
            term_destination: Some(end),
        };
        // SAFETY: both are plain data of a C library, whose callers clear them before use: numbers, pointers that may be
        // NULL, and optional functions. Zero is a value of the colour spaces' and methods' enumerations.
        let (inner, errors) = unsafe { (mem::zeroed(), mem::zeroed()) };
        let sink = Sink { manager, chunk, file: Vec::new() };
        let mut this = Box::new(Self { inner, errors, sink });
        // SAFETY: takes any manager and fills it.
        unsafe { sys::jpegli_std_error(&mut this.errors) };
        this.errors.error_exit = Some(fail);
        this.errors.emit_message = Some(quiet);
        this.inner.common.err = &raw mut this.errors;
        Ok(this)
    }

    /// Compresses; unwinds where the library fails.
    fn run(&mut self, pixels: &Pixels, grey: bool, settings: JpegliSettings) {
        let size = mem::size_of::<sys::jpegli_compress_struct>();
        // SAFETY: the library gets the size and version of the structure that it is given, and an error manager.
        unsafe { sys::jpegli_CreateCompress(&mut self.inner, sys::JPEG_LIB_VERSION, size) };
        self.inner.common.client_data = (&raw mut self.sink).cast::<c_void>();
        self.inner.dest = &raw mut self.sink.manager;
        let inner = &mut self.inner;
        inner.image_width = pixels.width();
        inner.image_height = pixels.height();
        inner.input_components = if grey { 1 } else { 3 };
        inner.in_color_space = if grey { sys::J_COLOR_SPACE::JCS_GRAYSCALE } else { sys::J_COLOR_SPACE::JCS_RGB };
        // SAFETY: the compressor is created and its size and colours are set. `comp_info` has an entry for each of its
        // components after `set_defaults`, and the first stands for luma; of the tables that `set_quality` fills the second
        // is that of chroma. The tables of scans are static.
        unsafe {
            sys::jpegli_set_defaults(inner);
            if !grey && let Some(luma) = inner.comp_info.as_mut() {
                let factor = if settings.full_chroma { 1 } else { 2 };
                (luma.h_samp_factor, luma.v_samp_factor) = (factor, factor);
            }
            sys::jpegli_set_quality(inner, settings.quality.into(), 1);
            if !grey
                && settings.full_chroma
                && settings.quality >= LEVEL_FROM
                && let Some(chroma) = inner.quant_tbl_ptrs[1].as_mut()
            {
                chroma.quantval[0] = chroma.quantval[0].min(CHROMA_LEVEL);
            }
            match settings.scans {
                Scans::One => inner.optimize_coding = 1,
                Scans::Bits => sys::jpegli_simple_progression(inner),
                Scans::Bands => {
                    let bands: &'static [sys::jpegli_scan_info] = if grey { &GREY_BANDS } else { &BANDS };
                    (inner.scan_info, inner.num_scans) = (bands.as_ptr(), bands.len() as c_int);
                }
            }
            sys::jpegli_start_compress(inner, 1);
        }
        for row in pixels.data().chunks_exact(pixels.stride()) {
            let row = row.as_ptr();
            // SAFETY: one row of `width` pixels of `input_components` bytes, which the library only reads.
            unsafe { sys::jpegli_write_scanlines(&mut self.inner, &row, 1) };
        }
        // SAFETY: started; fails by unwinding where a row is missing.
        unsafe { sys::jpegli_finish_compress(&mut self.inner) };
    }
}

/// Writes a file. `grey` says that the pixels have one channel; else they have three.
///
/// # Errors
/// [`Kind::OutOfMemory`], [`Kind::Internal`].
pub(super) fn encode(pixels: &Pixels, grey: bool, settings: JpegliSettings) -> Result<Vec<u8>, Error> {
    if pixels.channels().count() != if grey { 1 } else { 3 } {
        return Err(Error::new(Kind::Internal, "jpegli: the pixels have other channels than announced"));
    }
    let mut compressor = Compressor::new()?;
    match catch_unwind(AssertUnwindSafe(|| compressor.run(pixels, grey, settings))) {
        Ok(()) => Ok(mem::take(&mut compressor.sink.file)),
        Err(cause) if cause.is::<Kind>() => Err(Error::new(Kind::OutOfMemory, "no memory for the JPEG's bytes")),
        Err(cause) => match cause.downcast_ref::<c_int>() {
            Some(&sys::JERR_OUT_OF_MEMORY) => Err(Error::new(Kind::OutOfMemory, "jpegli: no memory")),
            Some(code) => Err(Error::new(Kind::Internal, format!("jpegli: error {code}"))),
            None => resume_unwind(cause),
        },
    }
}
