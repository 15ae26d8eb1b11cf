//! libheif as this process uses it: set up once, with dav1d ([`av1`]) for AV1.

mod av1;

use std::sync::OnceLock;

use libheif_rs::{CompressionFormat, LibHeif};

/// Whether AV1 is decoded by dav1d, or why it is not; known once the library is set up.
static AV1: OnceLock<Result<(), String>> = OnceLock::new();

/// The library. Whatever it loads (plug-ins of a distribution's build) is loaded by the first call, which has to come before
/// a worker seals itself. It is never shut down: that would take the decoder of AV1 away.
pub(super) fn library() -> &'static LibHeif {
    static LIBRARY: OnceLock<LibHeif> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let library = LibHeif::new();
        let _ = AV1.set(av1::register());
        library
    })
}

/// libheif's version.
pub(super) fn version() -> String {
    let [major, minor, patch] = library().version();
    format!("{major}.{minor}.{patch}")
}

/// Why AV1 is not decoded by dav1d, if it is not.
pub(super) fn av1_problem() -> Option<&'static str> {
    library();
    AV1.get()?.as_ref().err().map(String::as_str)
}

/// What libheif calls its HEVC encoder, version included; `None` where it has none that works.
pub(super) fn hevc_encoder() -> Option<String> {
    if !cfg!(feature = "x265") {
        return None;
    }
    let found = library().encoder_descriptors(1, Some(CompressionFormat::Hevc), None).into_iter().next();
    // Where the library was left out, what stands in for it has no version.
    found.map(|found| found.name()).filter(|name| !name.ends_with("(null)"))
}

/// What libheif calls the decoder that it takes for a format, version included.
pub(super) fn decoder(format: CompressionFormat) -> Option<String> {
    library().decoder_descriptors(1, Some(format)).first().map(|found| found.name())
}
