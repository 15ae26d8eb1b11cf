#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;

use super::*;
use crate::at_hand::corpus;
use crate::exif::minimal_orientation;
use crate::probe::{self, probe};
use crate::telling::{Planted, encoded, secrets, telling};
use crate::{decode, encode};

fn frames(bytes: &[u8]) -> Vec<(Vec<u8>, u32)> {
    let header = probe(bytes).unwrap();
    let mut decoder = decode::open(bytes, &header, &decode::Wanted::default()).unwrap();
    std::iter::from_fn(|| decoder.next_frame().unwrap())
        .map(|frame| (frame.pixels.into_data(), frame.delay_ms))
        .collect()
}

/// Formats whose files can be made bare whatever they hold, and how many carriers are planted in each.
const DONE: [(Format, usize); 5] =
    [(Format::Jpeg, 12), (Format::Png, 9), (Format::WebP, 4), (Format::Gif, 8), (Format::Bmp, 3)];

#[test]
fn what_is_left_is_the_same_picture_and_nothing_else() {
    let mut done = BTreeMap::new();
    for Planted { format, carrier, bytes } in telling() {
        let name = format!("{}, {carrier}", format.name());
        let Some(left) = bare(&bytes, format, None).unwrap() else {
            let never = matches!(format, Format::Tiff | Format::Avif | Format::Heif);
            assert!(never || carrier == "a profile that is none", "{name}");
            continue;
        };
        assert!(secrets(&bytes) > 0 && secrets(&left) == 0, "{name}");
        assert!(left.len() < bytes.len(), "{name}");
        assert_eq!(frames(&left), frames(&bytes), "{name}");
        assert_eq!(bare(&left, format, None).unwrap(), Some(left.clone()), "{name}: twice is once");
        *done.entry(format.name()).or_insert(0) += 1;
    }
    assert_eq!(done, DONE.iter().map(|(format, carriers)| (format.name(), *carriers)).collect());
}

#[test]
fn an_orientation_is_told_where_it_is_needed() {
    let block = minimal_orientation(6);
    let mut done = Vec::new();
    for Planted { format, carrier, bytes } in telling() {
        let Some(left) = bare(&bytes, format, Some(&block)).unwrap() else { continue };
        let header = probe(&left).unwrap();
        assert_eq!(header.source.orientation, 6, "{format:?}, {carrier}");
        assert_eq!(secrets(&left), 0, "{format:?}, {carrier}");
        assert_eq!(frames(&left), frames(&bytes), "{format:?}, {carrier}");
        done.push(format);
    }
    for format in [Format::Jpeg, Format::Png, Format::WebP] {
        let planted = DONE.iter().find(|(name, _)| *name == format).unwrap().1;
        assert_eq!(done.iter().filter(|name| **name == format).count(), planted, "{format:?}");
    }
}

/// How often a GIF plays and how long its frames stay is the picture's.
#[test]
fn rounds_and_times_of_a_gif_are_kept() {
    let source = [
        &b"GIF89a\x02\0\x02\0\x80\0\0\0\0\0\xff\xff\xff\x21\xff\x0bNETSCAPE2.0\x03\x01\x07\0\x02\x09\x09\0"[..],
        &b"\x21\xf9\x04\x05\x2a\0\x01\0\x2c\0\0\0\0\x02\0\x02\0\0\x02\x02\x4c\x01\0\x3b"[..],
    ]
    .concat();
    let left = bare(&source, Format::Gif, None).unwrap().unwrap();
    assert_eq!(left.len(), source.len() - 3, "the second sub-block is gone");
    assert_eq!(probe::gif::blocks(&left), probe::gif::blocks(&source));
    assert_eq!(probe::gif::blocks(&left).loops, Some(7));
    assert!(left.windows(7).any(|block| block == b"\xf9\x04\x05\x2a\0\x01\0"));
}

/// What our encoders write holds nothing but the picture, and stands as it is.
#[test]
fn our_own_boxes_are_bare() {
    for format in [Format::Avif, Format::Heif] {
        if encode::writable(format) {
            let source = encoded(format, None);
            assert!(bare(&source, format, None).unwrap() == Some(source), "{format:?}");
        }
    }
}

/// Every picture of the corpus that has a bare form shows the same in it, and still has its profile.
#[test]
fn the_corpus_looks_the_same() {
    let Some(root) = corpus() else { return };
    let mut done = BTreeMap::new();
    for folder in ["jpeg", "png", "webp", "gif", "bmp", "avif", "heif", "exif", "icc"] {
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
            *done.entry(header.source.format.name()).or_insert(0) += 1;
        }
    }
    println!("{done:?}");
    for (format, least) in [("jpeg", 10), ("png", 15), ("webp", 5), ("gif", 10), ("bmp", 12), ("avif", 3)] {
        assert!(done.get(format).is_some_and(|count| *count >= least), "{format}: {done:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_file_is_too_strange(cut in 0usize..4000, at in 0usize..4000, value: u8, which in 0usize..64) {
        let all = telling_once();
        let Planted { format, bytes: source, .. } = &all[which % all.len()];
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

fn telling_once() -> &'static [Planted] {
    static ALL: std::sync::OnceLock<Vec<Planted>> = std::sync::OnceLock::new();
    ALL.get_or_init(telling)
}
