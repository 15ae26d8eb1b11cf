//! The binding to a library of `include/pictor_codec.h`.
#![allow(unsafe_code, reason = "loads a library")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::{ABI, Ability, LONGEST_FILE, LONGEST_MAGIC, LONGEST_TEXT};

pub(super) const OK: c_int = 0;
pub(super) const NOT_MINE: c_int = 1;
pub(super) const CORRUPT: c_int = 2;
pub(super) const UNSUPPORTED: c_int = 3;
pub(super) const NO_MEMORY: c_int = 4;

const DECODES: u32 = 1;
const ENCODES: u32 = 2;

/// `pictor_codec_header`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawHeader {
    pub width: u32,
    pub height: u32,
    pub alpha: u32,
    pub reserved: u32,
}

type Number = unsafe extern "C" fn() -> u32;
type Text = unsafe extern "C" fn() -> *const c_char;
type Magic = unsafe extern "C" fn(*mut usize) -> *const u8;
type Probe = unsafe extern "C" fn(*const u8, usize, *mut RawHeader) -> c_int;
type Decode = unsafe extern "C" fn(*const u8, usize, *mut u8, usize) -> c_int;
type Encode = unsafe extern "C" fn(*const u8, usize, u32, u32, u32, *mut *mut u8, *mut usize) -> c_int;
type Free = unsafe extern "C" fn(*mut u8, usize);

struct Decoder {
    magic: Magic,
    probe: Probe,
    decode: Decode,
}

struct Encoder {
    encode: Encode,
    free: Free,
}

/// A library that is loaded and stays so. Its functions are plain addresses.
pub(super) struct Library {
    name: Text,
    error: Text,
    decoder: Option<Decoder>,
    encoder: Option<Encoder>,
}

/// An address in a library that was opened.
struct Handle(*mut c_void);

impl Handle {
    /// The address of a function.
    fn symbol(&self, name: &CStr) -> Result<*mut c_void, String> {
        // SAFETY: the handle came from `dlopen` and is never closed; the name ends with a zero.
        let address = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        if address.is_null() {
            return Err(format!("it has no function {}", name.to_string_lossy()));
        }
        Ok(address)
    }
}

/// A function by its name, of the type that the header gives it.
macro_rules! function {
    ($handle:expr, $name:literal, $type:ty) => {{
        let address = $handle.symbol($name)?;
        // SAFETY: an address from `dlsym` of a function that has this type in the header of this version of the interface,
        // which the library says that it was built with.
        unsafe { std::mem::transmute::<*mut c_void, $type>(address) }
    }};
}

impl Library {
    /// Loads a file with all that it depends on, and finds its functions. It is never unloaded.
    pub fn open(path: &Path) -> Result<Self, String> {
        let file = CString::new(path.as_os_str().as_bytes()).map_err(|_| "its path holds a zero".to_owned())?;
        // SAFETY: loading runs the library's own start-up code, which is trusted as the configuration is. This process has
        // no other threads yet.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        if handle.is_null() {
            // SAFETY: called after a failure, it gives a text that ends with a zero, or nothing.
            return Err(unsafe { text(libc::dlerror()) });
        }
        let handle = Handle(handle);
        let abi = function!(handle, c"pictor_codec_abi", Number);
        // SAFETY: as the header says.
        let abi = unsafe { abi() };
        if abi != ABI {
            return Err(format!("it speaks version {abi} of the interface, and this Pictor version {ABI}"));
        }
        let features = function!(handle, c"pictor_codec_features", Number);
        // SAFETY: as the header says.
        let features = unsafe { features() };
        if features == 0 || features & !(DECODES | ENCODES) != 0 {
            return Err(format!("its features are {features}; 1 is decoding, 2 encoding, 3 both"));
        }
        let name = function!(handle, c"pictor_codec_name", Text);
        let error = function!(handle, c"pictor_codec_error", Text);
        let mut library = Self { name, error, decoder: None, encoder: None };
        if features & DECODES != 0 {
            library.decoder = Some(Decoder {
                magic: function!(handle, c"pictor_codec_magic", Magic),
                probe: function!(handle, c"pictor_codec_probe", Probe),
                decode: function!(handle, c"pictor_codec_decode", Decode),
            });
        }
        if features & ENCODES != 0 {
            library.encoder = Some(Encoder {
                encode: function!(handle, c"pictor_codec_encode", Encode),
                free: function!(handle, c"pictor_codec_free", Free),
            });
        }
        Ok(library)
    }

    /// What it says of itself.
    pub fn ability(&self) -> Result<Ability, String> {
        // SAFETY: a text that ends with a zero and stays valid, as the header says.
        let name = unsafe { text((self.name)()) };
        let mut ability =
            Ability { name, decodes: self.decoder.is_some(), encodes: self.encoder.is_some(), magic: Vec::new() };
        if let Some(decoder) = &self.decoder {
            let mut length = 0;
            // SAFETY: it writes one length, which is ours.
            let start = unsafe { (decoder.magic)(&raw mut length) };
            if length > LONGEST_MAGIC || (start.is_null() && length > 0) {
                return Err(format!("its magic has {length} bytes; at most {LONGEST_MAGIC}, at an address, are taken"));
            }
            if length > 0 {
                // SAFETY: so many bytes that stay valid, as the header says.
                ability.magic = unsafe { std::slice::from_raw_parts(start, length) }.to_vec();
            }
        }
        Ok(ability)
    }

    /// Why the last call failed.
    pub fn error(&self) -> String {
        // SAFETY: a text that ends with a zero or nothing; it is copied before anything else is called.
        unsafe { text((self.error)()) }
    }

    /// `pictor_codec_probe`.
    pub fn probe(&self, bytes: &[u8], header: &mut RawHeader) -> c_int {
        let Some(decoder) = &self.decoder else { return NOT_MINE };
        // SAFETY: the bytes are readable, and the header is a structure of the type that it writes.
        unsafe { (decoder.probe)(bytes.as_ptr(), bytes.len(), &raw mut *header) }
    }

    /// `pictor_codec_decode`.
    pub fn decode(&self, bytes: &[u8], rgba: &mut [u8]) -> c_int {
        let Some(decoder) = &self.decoder else { return UNSUPPORTED };
        // SAFETY: the bytes are readable, and the pixels writable for their whole length.
        unsafe { (decoder.decode)(bytes.as_ptr(), bytes.len(), rgba.as_mut_ptr(), rgba.len()) }
    }

    /// `pictor_codec_encode`; what it gives is shown to `take` (nothing, if it cannot be a file) and freed.
    pub fn encode(&self, rgba: &[u8], size: (u32, u32), quality: u32, take: impl FnOnce(Option<&[u8]>)) -> c_int {
        let Some(encoder) = &self.encoder else { return UNSUPPORTED };
        let (mut file, mut length) = (std::ptr::null_mut(), 0);
        // SAFETY: the pixels are readable; it writes an address and a length, which are ours.
        let status = unsafe {
            let (file, length) = (&raw mut file, &raw mut length);
            (encoder.encode)(rgba.as_ptr(), rgba.len(), size.0, size.1, quality, file, length)
        };
        if status != OK {
            return status;
        }
        if file.is_null() || length == 0 || length > LONGEST_FILE {
            // What lies there, and whether it can be freed, nobody knows.
            take(None);
            return status;
        }
        // SAFETY: so many bytes that stay valid until they are freed, as the header says.
        take(Some(unsafe { std::slice::from_raw_parts(file, length) }));
        // SAFETY: what it gave, once, and not used after this.
        unsafe { (encoder.free)(file, length) };
        status
    }
}

/// A text of the library, cut short, on one line.
///
/// # Safety
/// `start` is null, or a text that ends with a zero.
unsafe fn text(start: *const c_char) -> String {
    if start.is_null() {
        return String::new();
    }
    // SAFETY: no more is read than up to the zero.
    let length = unsafe { libc::strnlen(start, LONGEST_TEXT) };
    // SAFETY: so many bytes are there.
    let bytes = unsafe { std::slice::from_raw_parts(start.cast::<u8>(), length) };
    String::from_utf8_lossy(bytes).chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
