//! Any lines of `Accept`, any offer, any source: nothing modern is given to a client that does not name it.

use pictor::negotiate::{choose, class};
use pictor::plan::{Format, Output, Source};

/// Three bytes are the offer, the source's format and flags; the rest is lines of `Accept`.
pub fn check(data: &[u8]) {
    let Some(([offer, kind, flags], lines)) = data.split_first_chunk::<3>() else { return };
    let lines = String::from_utf8_lossy(lines);
    let pool = [Format::Avif, Format::WebP, Format::Heif, Format::Jxl, Format::Png, Format::Jpeg];
    let offered: Vec<Format> = (0..pool.len()).filter(|at| offer >> at & 1 == 1).map(|at| pool[at]).collect();
    let class = class(lines.split('\n'), &offered);
    let named = |format: Format| {
        let text = lines.to_ascii_lowercase();
        let also = if format == Format::Heif { "image/heic" } else { format.media_type() };
        text.contains(format.media_type()) || text.contains(also)
    };
    let modern = |format: Format| matches!(format, Format::Avif | Format::WebP | Format::Heif | Format::Jxl);
    for format in class.formats() {
        assert!(!modern(format) || (offered.contains(&format) && named(format)), "{format:?} for {lines:?}");
    }
    assert!(class.name().len() < 200);
    let source = Source {
        format: Format::ALL[usize::from(*kind) % Format::ALL.len()],
        width: 10,
        height: 10,
        orientation: 1,
        frames: if flags & 1 == 1 { 7 } else { 1 },
        alpha: flags & 2 == 2,
    };
    let writable = |format: Format| !matches!(format, Format::Tpg | Format::Svg | Format::Jxl | Format::Ico);
    // What a result of some size fits into.
    let fits = |format: Format| flags & 4 == 0 || !matches!(format, Format::Avif | Format::Heif);
    if let Ok(format) = choose(&Output::default(), &source, class, &offered, &writable, &fits) {
        assert!(writable(format), "{format:?}");
        assert!(fits(format) || format == source.format, "{format:?} does not hold the result");
        assert!(format == source.format || !modern(format) || named(format), "{format:?} for {lines:?}");
    }
}
