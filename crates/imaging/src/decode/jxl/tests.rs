#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::time::Instant;

use super::super::{Wanted, open};
use super::*;
use crate::at_hand::corpus;
use crate::policy::Policy;
use crate::probe::probe;

fn decode(bytes: &[u8]) -> Result<(Header, Metadata, Vec<Frame>), Error> {
    let header = probe(bytes)?;
    let wanted = Wanted { policy: Policy { jxl: true, ..Policy::default() }, ..Wanted::default() };
    let mut decoder = open(bytes, &header, &wanted)?;
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        frames.push(frame);
    }
    Ok((header, decoder.metadata().clone(), frames))
}

/// Name, size, whether it is transparent, and frames, as the reference decoder tells them.
const GOOD: [(&str, u32, u32, bool, usize); 11] = [
    ("1x1_exif_xmp", 1, 1, false, 1),
    ("alpha_nonpremultiplied", 1024, 1024, true, 1),
    ("animation_newtons_cradle", 480, 360, true, 36),
    ("bicycles", 1024, 631, false, 1),
    ("cmyk_layers", 512, 512, true, 1),
    ("grayscale", 200, 200, false, 1),
    ("lz77_flower", 834, 244, false, 1),
    ("noise", 500, 606, false, 1),
    ("progressive", 4064, 2704, false, 1),
    ("square-extended-size-container", 8, 8, false, 1),
    ("sunset_logo", 924, 1386, true, 1),
];

#[test]
fn every_file_has_the_size_alpha_and_frames_of_the_reference() {
    let Some(root) = corpus() else { return };
    for (name, width, height, alpha, count) in GOOD {
        let bytes = std::fs::read(root.join(format!("jxl/{name}.jxl"))).unwrap();
        let start = Instant::now();
        let (header, metadata, frames) = decode(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        let took = start.elapsed();
        let pixels = &frames[0].pixels;
        println!("{name}: {took:?}, {:?}, {:?}", pixels.channels(), &pixels.data()[..8.min(pixels.data().len())]);
        assert_eq!((header.source.width, header.source.height), (width, height), "{name}");
        assert_eq!((pixels.width(), pixels.height()), (width, height), "{name}");
        assert_eq!((header.source.alpha, pixels.channels().has_alpha()), (alpha, alpha), "{name}");
        assert_eq!((header.source.frames as usize, frames.len()), (count, count), "{name}");
        assert_eq!((metadata.orientation, metadata.animation.is_some()), (1, count > 1), "{name}");
        assert_eq!(frames.iter().all(|frame| frame.delay_ms > 0), count > 1, "{name}: delays");
    }
}

#[test]
fn half_a_file_is_an_error_and_never_a_panic() {
    let Some(root) = corpus() else { return };
    for (name, ..) in GOOD {
        let bytes = std::fs::read(root.join(format!("jxl/{name}.jxl"))).unwrap();
        if bytes.len() > 300_000 {
            continue;
        }
        for part in [0, 1, 2, 4, 6] {
            let cut = &bytes[..bytes.len() * part / 8];
            assert!(decode(cut).is_err(), "{name}: {part}/8 of it decodes");
        }
    }
}

#[test]
fn an_animation_moves_and_is_the_gif_that_it_was_made_of() {
    let Some(root) = corpus() else { return };
    let (_, _, frames) = decode(&std::fs::read(root.join("jxl/animation_newtons_cradle.jxl")).unwrap()).unwrap();
    let gif = std::fs::read(root.join("gif/newtons_cradle-480x360x36.gif")).unwrap();
    let mut gif = open(&gif, &probe(&gif).unwrap(), &Wanted::default()).unwrap();
    let mut apart = 0u64;
    for frame in &frames {
        let other = gif.next_frame().unwrap().unwrap();
        let count = other.pixels.channels().count();
        for (a, b) in frame.pixels.data().chunks_exact(4).zip(other.pixels.data().chunks_exact(count)) {
            apart += if a[3] == 0 { 0 } else { u64::from(a[0].abs_diff(b[0])) };
        }
    }
    assert!(apart / (480 * 360 * 36) < 8, "{}", apart / (480 * 360 * 36));
}

#[test]
fn it_is_refused_by_a_site_that_does_not_allow_it() {
    // 8 x 8 pixels, of which nothing follows.
    let bytes = [0xff, 0x0a, 0x41, 0x06, 0x00, 0x00];
    let header = probe(&bytes).unwrap();
    assert_eq!((header.source.width, header.source.height, header.channels), (8, 8, 3));
    let error = open(&bytes, &header, &Wanted::default()).err().unwrap();
    assert_eq!(error.kind, Kind::UnsupportedSource);
    assert!(error.told().contains("[site.imaging] jxl = true"), "{error}");
}
