//! Any bytes as an original: header and EXIF are read without a panic, in bounded time (`-timeout`), and what they say is
//! possible.

use pictor::imaging::{exif, probe};

/// A file.
pub fn check(data: &[u8]) {
    if let Ok(header) = probe(data) {
        let source = header.source;
        assert!(source.width > 0 && source.height > 0, "{header:?}");
        assert!((1..=8).contains(&source.orientation), "{header:?}");
        assert!(source.frames >= 1, "{header:?}");
        assert!((1..=64).contains(&header.depth) && (1..=4).contains(&header.channels), "{header:?}");
        assert!(header.quality.is_none_or(|quality| (1..=100).contains(&quality)), "{header:?}");
        let _ = source.pixels();
    }
    assert!((1..=8).contains(&exif::orientation(data)));
    let _ = exif::tags(data);
    exif::set_orientation(&mut data.to_vec(), 1);
}
