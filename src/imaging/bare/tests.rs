#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::imaging::convert::place_tests::telling;
use crate::imaging::decode;
use crate::imaging::exif::minimal_orientation;
use crate::imaging::probe::{self, probe};

fn frames(bytes: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let header = probe(bytes).unwrap();
    let mut decoder = decode::open(bytes, &header, &decode::Wanted::default()).unwrap();
    std::iter::from_fn(|| decoder.next_frame().unwrap())
        .map(|frame| (frame.pixels.into_data(), frame.delay_ms))
        .collect()
}

#[test]
fn what_is_left_is_the_same_picture() {
    let mut done = Vec::new();
    for (format, source) in telling() {
        let Some(left) = bare(&source, format, None).unwrap() else {
            assert!(matches!(format, Format::Tiff | Format::Avif | Format::Heif), "{format:?}");
            continue;
        };
        assert!(left.len() < source.len(), "{format:?}");
        assert!(!left.windows(6).any(|window| window == b"SECRET"), "{format:?}");
        assert_eq!(frames(&left), frames(&source), "{format:?}");
        assert_eq!(bare(&left, format, None).unwrap(), Some(left.clone()), "{format:?}: twice is once");
        done.push(format);
    }
    for format in [Format::Jpeg, Format::Png, Format::WebP, Format::Gif] {
        assert!(done.contains(&format), "{format:?}");
    }
}

#[test]
fn an_orientation_is_told_where_it_is_needed() {
    let block = minimal_orientation(6);
    let mut done = Vec::new();
    for (format, source) in telling() {
        let Some(left) = bare(&source, format, Some(&block)).unwrap() else { continue };
        let header = probe(&left).unwrap();
        assert_eq!(header.source.orientation, 6, "{format:?}");
        assert_eq!(frames(&left), frames(&source), "{format:?}");
        done.push(format);
    }
    for format in [Format::Jpeg, Format::Png, Format::WebP] {
        assert!(done.contains(&format), "{format:?}");
    }
}

/// Every picture of the corpus that has a bare form shows the same in it, and still has its profile.
#[test]
fn the_corpus_looks_the_same() {
    let Some(root) = crate::imaging::convert::tests::corpus() else { return };
    let mut count = 0;
    for folder in ["jpeg", "png", "webp", "gif", "exif", "icc"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let source = std::fs::read(&path).unwrap();
            let Ok(header) = probe(&source) else { continue };
            if source.len() > 300_000 || header.source.pixels() > 400_000 {
                continue;
            }
            let Ok(mut before) = decode::open(&source, &header, &decode::Wanted::default()) else { continue };
            let Some(left) = bare(&source, header.source.format, None).unwrap() else { continue };
            assert!(left.len() <= source.len(), "{}", path.display());
            let again = probe(&left).unwrap();
            assert_eq!((again.source.width, again.source.frames), (header.source.width, header.source.frames));
            if header.source.format == Format::Jpeg {
                assert_eq!(probe::jpeg::icc_profile(&left), probe::jpeg::icc_profile(&source), "{}", path.display());
            }
            let mut after = decode::open(&left, &again, &decode::Wanted::default()).unwrap();
            loop {
                match (before.next_frame(), after.next_frame()) {
                    (Ok(Some(one)), Ok(Some(other))) => {
                        assert_eq!(one.pixels.data(), other.pixels.data(), "{}", path.display());
                        assert_eq!(one.delay_ms, other.delay_ms, "{}", path.display());
                    }
                    (Ok(None), Ok(None)) => break,
                    // Damaged: the way to the same error may differ.
                    (Err(_), _) => break,
                    (one, other) => panic!("{}: {:?} {:?}", path.display(), one.is_ok(), other.is_ok()),
                }
            }
            count += 1;
        }
    }
    assert!(count > 50, "{count}");
}

proptest::proptest! {
    #[test]
    fn no_file_is_too_strange(cut in 0usize..4000, at in 0usize..4000, value: u8, which in 0usize..64) {
        let all = telling_once();
        let (format, source) = &all[which % all.len()];
        let mut bytes = source.get(..cut.max(source.len().saturating_sub(cut))).unwrap_or(source).to_vec();
        if let Some(byte) = bytes.get_mut(at) {
            *byte = value;
        }
        for block in [None, Some(&minimal_orientation(5)[..])] {
            if let Some(left) = bare(&bytes, *format, block).unwrap() {
                proptest::prop_assert!(left.len() <= bytes.len() + 100);
            }
        }
    }
}

fn telling_once() -> &'static [(Format, Vec<u8>)] {
    static ALL: std::sync::OnceLock<Vec<(Format, Vec<u8>)>> = std::sync::OnceLock::new();
    ALL.get_or_init(telling)
}
