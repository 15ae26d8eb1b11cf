//! dav1d's interface, as far as it is used: `dav1d.h`, version 7 of it, which dav1d has had since 1.3.
#![allow(unsafe_code, reason = "binds dav1d")]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};

/// A decoder.
#[repr(C)]
pub(super) struct Dav1dContext([u8; 0]);

/// `Dav1dSettings`, and room for what later versions add. All zeroes are a value of it.
#[repr(C)]
#[derive(Default)]
pub(super) struct Dav1dSettings {
    pub(super) n_threads: c_int,
    pub(super) max_frame_delay: c_int,
    apply_grain: c_int,
    operating_point: c_int,
    pub(super) all_layers: c_int,
    pub(super) frame_size_limit: c_uint,
    /// A cookie and two functions.
    allocator: [usize; 3],
    /// A cookie and a function; without one nothing is said.
    pub(super) logger: [usize; 2],
    others: [u64; 32],
}

/// `Dav1dDataProps`: what goes with data and comes back with the picture.
#[repr(C)]
#[derive(Default)]
pub(super) struct Props {
    pub(super) timestamp: i64,
    duration: i64,
    offset: i64,
    size: usize,
    user_data: [usize; 2],
}

/// `Dav1dData`.
#[repr(C)]
#[derive(Default)]
pub(super) struct Data {
    data: usize,
    size: usize,
    reference: usize,
    pub(super) props: Props,
    /// Room for what later versions add.
    others: [u64; 8],
}

/// The beginning of `Dav1dSequenceHeader`.
#[repr(C)]
pub(super) struct Sequence {
    profile: u8,
    max_width: c_int,
    max_height: c_int,
    layout: c_uint,
    /// By the numbers of H.273, as the next two.
    pub(super) primaries: c_uint,
    pub(super) transfer: c_uint,
    pub(super) matrix: c_uint,
    chroma: c_uint,
    depth: u8,
    /// 0: the range of video.
    pub(super) range: u8,
}

/// `Dav1dPictureParameters`.
#[repr(C)]
#[derive(Default)]
pub(super) struct Parameters {
    pub(super) w: c_int,
    pub(super) h: c_int,
    pub(super) layout: c_uint,
    /// Bits a sample.
    pub(super) bpc: c_int,
}

/// `Dav1dPicture`, and room for what later versions add.
#[repr(C)]
pub(super) struct Dav1dPicture {
    pub(super) sequence: *const Sequence,
    frame: usize,
    pub(super) data: [*const c_void; 3],
    /// Bytes from row to row, of luma and of chroma.
    pub(super) stride: [isize; 2],
    pub(super) p: Parameters,
    pub(super) props: Props,
    others: [u64; 64],
}

impl Default for Dav1dPicture {
    fn default() -> Self {
        Self {
            sequence: std::ptr::null(),
            frame: 0,
            data: [std::ptr::null(); 3],
            stride: [0; 2],
            p: Parameters::default(),
            props: Props::default(),
            others: [0; 64],
        }
    }
}

/// `DAV1D_PIXEL_LAYOUT_I400`: luma alone; and the three layouts with chroma.
pub(super) const I400: c_uint = 0;
pub(super) const I420: c_uint = 1;
pub(super) const I422: c_uint = 2;
pub(super) const I444: c_uint = 3;

#[link(name = "dav1d")]
unsafe extern "C" {
    fn dav1d_version() -> *const c_char;
    fn dav1d_version_api() -> c_uint;
    pub(super) fn dav1d_default_settings(settings: *mut Dav1dSettings);
    pub(super) fn dav1d_open(context: *mut *mut Dav1dContext, settings: *const Dav1dSettings) -> c_int;
    pub(super) fn dav1d_close(context: *mut *mut Dav1dContext);
    pub(super) fn dav1d_send_data(context: *mut Dav1dContext, data: *mut Data) -> c_int;
    pub(super) fn dav1d_get_picture(context: *mut Dav1dContext, picture: *mut Dav1dPicture) -> c_int;
    pub(super) fn dav1d_picture_unref(picture: *mut Dav1dPicture);
    pub(super) fn dav1d_data_create(data: *mut Data, size: usize) -> *mut u8;
    pub(super) fn dav1d_data_unref(data: *mut Data);
}

/// Its version, `1.5.1` or, of a build between releases, with more behind it.
pub(super) fn version() -> String {
    // SAFETY: takes nothing, gives a pointer to a static string that ends in NUL.
    unsafe { CStr::from_ptr(dav1d_version()) }.to_string_lossy().into_owned()
}

/// Whether it has the interface that stands above.
pub(super) fn understood() -> bool {
    // SAFETY: takes nothing.
    unsafe { dav1d_version_api() >> 16 == 7 }
}
