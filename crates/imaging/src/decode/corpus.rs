//! Every picture of the shared corpus, where it is at hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::*;
use crate::at_hand::corpus;
use crate::picture::Channels;
use crate::picture::Frame;
use crate::probe::probe;

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect();
    files.sort();
    files
}

struct Decoded {
    header: Header,
    metadata: Metadata,
    /// Delay of every frame.
    delays: Vec<u32>,
    first: Frame,
    last: Frame,
}

fn decode(bytes: &[u8], limits: &Limits, shrink: Option<Shrink>) -> Result<Decoded, Error> {
    let header = probe(bytes)?;
    let mut decoder = open(bytes, &header, &Wanted { limits: *limits, shrink, ..Wanted::default() })?;
    let metadata = decoder.metadata().clone();
    let first = decoder.next_frame()?.expect("at least one frame");
    let mut delays = vec![first.delay_ms];
    let mut last = first.clone();
    while let Some(frame) = decoder.next_frame()? {
        assert_eq!((frame.pixels.width(), frame.pixels.height()), (first.pixels.width(), first.pixels.height()));
        delays.push(frame.delay_ms);
        last = frame;
    }
    assert!(matches!(decoder.next_frame(), Ok(None)), "nothing after the last frame");
    Ok(Decoded { header, metadata, delays, first, last })
}

fn pixels(root: &Path, name: &str) -> Pixels {
    let bytes = std::fs::read(root.join(name)).unwrap();
    decode(&bytes, &Limits::default(), None).unwrap_or_else(|error| panic!("{name}: {error}")).first.pixels
}

/// The colour of a pixel, greys as three equal channels.
fn colour(pixels: &Pixels, x: u32, y: u32) -> [u8; 3] {
    let count = pixels.channels().count();
    let at = (y as usize * pixels.width() as usize + x as usize) * count;
    match pixels.data()[at..at + count] {
        [r, g, b] | [r, g, b, _] => [r, g, b],
        [grey] | [grey, _] => [grey; 3],
        _ => unreachable!("1 to 4 channels"),
    }
}

/// The mean absolute error of each channel.
fn error(a: &Pixels, b: &Pixels) -> [f64; 3] {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    let mut sum = [0u64; 3];
    for y in 0..a.height() {
        for x in 0..a.width() {
            for (sum, (a, b)) in sum.iter_mut().zip(colour(a, x, y).into_iter().zip(colour(b, x, y))) {
                *sum += u64::from(a.abs_diff(b));
            }
        }
    }
    sum.map(|sum| sum as f64 / (f64::from(a.width()) * f64::from(a.height())))
}

/// Half of the size by the mean of four pixels.
fn halved(pixels: &Pixels) -> Pixels {
    let (width, height) = (pixels.width() / 2, pixels.height() / 2);
    let mean = |x: u32, y: u32, channel: usize| {
        let four = [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(dx, dy)| colour(pixels, 2 * x + dx, 2 * y + dy)[channel]);
        (four.iter().map(|&value| u32::from(value)).sum::<u32>() / 4) as u8
    };
    let places = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
    let data = places.flat_map(|(x, y)| [0, 1, 2].map(|channel| mean(x, y, channel))).collect();
    Pixels::new(width, height, Channels::Rgb, data).unwrap()
}

fn near(a: &Pixels, b: &Pixels, most: f64, what: &str) {
    let error = error(a, b);
    assert!(error.iter().all(|&error| error <= most), "{what}: mean error {error:?}");
}

/// Good files that are refused, and why.
const REFUSED: [(&str, Kind); 4] = [
    // Codecs that this build's libheif has no decoder for.
    ("heif/jpeg32.heif", Kind::UnsupportedSource),
    ("heif/uncompressed_pix_RGB.heif", Kind::UnsupportedSource),
    // The header of 2024, which no browser and no camera writes yet.
    ("heif/lightning_mini.heif", Kind::UnsupportedSource),
    // libheif: "Visual track sample description does not match visual track".
    ("heif/seq_seed.heif", Kind::Corrupt),
];

#[test]
fn good_files_decode_as_their_header_announces() {
    let Some(root) = corpus() else { return };
    let limits = Limits { frames: 400, ..Limits::default() };
    let mut failures = Vec::new();
    let folders = "avif bmp exif gif heif icc ico jpeg png tiff webp photos/kodak photos/large";
    for path in folders.split(' ').flat_map(|folder| files(&root.join(folder))) {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let refused = REFUSED.iter().find(|(refused, _)| *refused == name).map(|(_, kind)| *kind);
        match (decode(&std::fs::read(&path).unwrap(), &limits, None), refused) {
            (Ok(decoded), None) => {
                let Decoded { header: Header { source, .. }, metadata, delays, first, .. } = &decoded;
                if (first.pixels.width(), first.pixels.height()) != (source.width, source.height)
                    || delays.len() != source.frames as usize
                    || metadata.orientation != source.orientation
                    || metadata.animation.is_some() != (source.frames > 1)
                    || (first.pixels.channels().has_alpha() && !source.alpha)
                {
                    failures.push(format!("{name}: {source:?}, but {} frames", delays.len()));
                }
            }
            (Err(error), Some(kind)) if error.kind == kind => {}
            (Ok(_), Some(_)) => failures.push(format!("{name}: decodes, take it off the list")),
            (Err(error), _) => failures.push(format!("{name}: {error}")),
        }
    }
    assert!(failures.is_empty(), "{} failures\n{}", failures.len(), failures.join("\n"));
}

/// Its alpha item belongs to an item that does not exist, and libheif refuses the whole file for that.
#[test]
fn a_sequence_with_damaged_items_is_shown() {
    let Some(root) = corpus() else { return };
    let bytes = std::fs::read(root.join("avif/star-8bpc-with-alpha.avifs")).unwrap();
    let header = probe(&bytes).unwrap();
    let mut decoder = super::open(&bytes, &header, &Wanted::default()).unwrap();
    let frames: Vec<Frame> = std::iter::from_fn(|| decoder.next_frame().unwrap()).collect();
    assert_eq!((frames.len(), header.source.alpha), (5, true));
    for frame in frames {
        let alpha = || frame.pixels.data().chunks_exact(4).map(|pixel| pixel[3]);
        // It is coded from 16 to 235.
        let (clear, solid) = (alpha().filter(|a| *a == 0).count(), alpha().filter(|a| *a > 240).count());
        assert!(clear > 10_000 && solid > 5_000 && clear + solid > 159 * 150, "{clear} {solid}");
    }
}

#[test]
fn bad_files_end_soon_and_truncated_ones_are_errors() {
    let Some(root) = corpus() else { return };
    let mut failures = Vec::new();
    for path in files(&root.join("bad")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let start = Instant::now();
        let result = decode(&std::fs::read(&path).unwrap(), &Limits::default(), None);
        let took = start.elapsed();
        if took > Duration::from_secs(5) {
            failures.push(format!("{name}: {took:?}"));
        }
        let cut =
            ["truncated", "claim", "header-only", "crc-error", "zero-", "bmp-Bad", "scan-bomb", "ftyp-only", "loop"];
        if cut.iter().any(|word| name.contains(word)) && result.is_ok() {
            failures.push(format!("{name}: decodes"));
        }
        if let Err(error) = result
            && matches!(error.kind, Kind::Internal | Kind::OutOfMemory)
        {
            failures.push(format!("{name}: {error}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Every good photo, cut in the middle of its data, is an error and never half a picture.
#[test]
fn half_a_file_is_an_error() {
    let Some(root) = corpus() else { return };
    for name in [
        "jpeg/kodim19-baseline.jpg",
        "jpeg/kodim19-progressive.jpg",
        "jpeg/kodim19-arithmetic.jpg",
        "jpeg/kodim19-grey.jpg",
        "photos/kodak/kodim23.png",
        "png/kodim23-adam7.png",
        "png/animated-ball.png",
        "gif/rotating-300x200x24.gif",
        "gif/large-gif-anim-combine.gif",
        "webp/gallery1-1.webp",
        "webp/lossless_color_transform.webp",
        "webp/anim-pan-320x240x12.webp",
        "avif/kodim23_yuv420_8bpc.avif",
        "avif/kodim05-grid2x2.avif",
        "heif/with-alpha-512x512.heic",
        "heif/xiaomi.heic",
        "tiff/kodim23-cmyk.tif",
        "bmp/rgb24.bmp",
        "ico/favicon.ico",
    ] {
        let bytes = std::fs::read(root.join(name)).unwrap();
        for part in [2, 4, 6, 7] {
            let result = decode(&bytes[..bytes.len() * part / 8], &Limits::default(), None);
            assert!(result.is_err(), "{name}: {part}/8 of it decodes");
        }
    }
}

#[test]
fn coding_variants_of_a_jpeg_give_the_same_pixels() {
    let Some(root) = corpus() else { return };
    let base = pixels(&root, "jpeg/kodim19-baseline.jpg");
    for variant in ["progressive", "arithmetic", "progressive-arithmetic", "restart", "trailing-garbage"] {
        assert!(pixels(&root, &format!("jpeg/kodim19-{variant}.jpg")).data() == base.data(), "{variant}");
    }
    assert_eq!(pixels(&root, "jpeg/kodim19-grey.jpg").channels(), Channels::Grey);
    let photo = pixels(&root, "photos/kodak/kodim19.png");
    near(&pixels(&root, "jpeg/kodim19-rgb-stored.jpg"), &photo, 6.0, "stored as RGB");
    near(&pixels(&root, "jpeg/kodim19-440.jpg"), &photo, 6.0, "4:4:0");
}

#[test]
fn a_shrunk_jpeg_keeps_more_than_the_wanted_size_and_its_looks() {
    let Some(root) = corpus() else { return };
    let bytes = std::fs::read(root.join("photos/large/pigeons-3082x2048.jpg")).unwrap();
    let shrink = Shrink { min_width: 300, min_height: 199 };
    let small = decode(&bytes, &Limits::default(), Some(shrink)).unwrap().first.pixels;
    assert_eq!((small.width(), small.height()), (771, 512));
    let large = pixels(&root, "photos/large/pigeons-3082x2048.jpg");
    let mean = |pixels: &Pixels| pixels.data().iter().map(|&v| u64::from(v)).sum::<u64>() / pixels.data().len() as u64;
    assert!(mean(&small).abs_diff(mean(&large)) <= 1);
}

#[test]
fn lossless_codings_are_exact() {
    let Some(root) = corpus() else { return };
    let photo = pixels(&root, "photos/kodak/kodim23.png");
    assert!(pixels(&root, "png/kodim23-adam7.png").data() == photo.data());
    let photo = pixels(&root, "photos/kodak/kodim20.png");
    assert!(pixels(&root, "avif/kodim20-lossless.avif").data() == photo.data());
}

#[test]
fn profiles_bring_a_photo_to_the_same_looks() {
    let Some(root) = corpus() else { return };
    let photo = pixels(&root, "photos/kodak/kodim23.png");
    for profile in ["display-p3", "adobe-rgb", "prophoto", "rec2020"] {
        near(&pixels(&root, &format!("icc/kodim23-{profile}.jpg")), &photo, 4.0, profile);
    }
    // A press cannot print these parrots: only the likeness is asked for.
    near(&pixels(&root, "icc/kodim23-cmyk-profile.jpg"), &photo, 45.0, "inks with a profile");
    near(&pixels(&root, "jpeg/kodim23-cmyk-noprofile.jpg"), &photo, 25.0, "inks without one");
    let grey = pixels(&root, "icc/kodim23-grey-gamma.jpg");
    assert_eq!(grey.channels(), Channels::Grey);
    let luma = |pixels: &Pixels| pixels.data().iter().map(|&v| u64::from(v)).sum::<u64>() / pixels.data().len() as u64;
    assert!(luma(&grey).abs_diff(luma(&photo)) < 12, "{} {}", luma(&grey), luma(&photo));
    let photo = pixels(&root, "photos/kodak/kodim03.png");
    near(&pixels(&root, "icc/kodim03-adobe-rgb.tif"), &halved(&photo), 4.0, "TIFF");
    near(&pixels(&root, "icc/kodim03-display-p3.webp"), &photo, 4.0, "WebP");
    let photo = pixels(&root, "photos/kodak/kodim08.png");
    near(&pixels(&root, "icc/kodim08-broken-icc.jpg"), &photo, 8.0, "a broken profile is ignored");
    for name in ["jpg", "png"] {
        let wheel = pixels(&root, &format!("icc/red-at-12-oclock-with-color-profile.{name}"));
        let [r, g, b] = colour(&wheel, 400, 60);
        assert!(r > 240 && g < 20 && b < 20, "{name}: {r} {g} {b}");
    }
}

#[test]
fn high_dynamic_range_is_neither_dark_nor_washed_out() {
    let Some(root) = corpus() else { return };
    let picture = pixels(&root, "avif/colors_hdr_rec2020.avif");
    let (low, high) = (picture.data().iter().min().unwrap(), picture.data().iter().max().unwrap());
    assert!(*low < 16 && *high > 200, "{low} {high}");
}

#[test]
fn orientation_is_reported_and_not_applied() {
    let Some(root) = corpus() else { return };
    for value in 0..=8u8 {
        let bytes = std::fs::read(root.join(format!("exif/landscape_{value}.jpg"))).unwrap();
        let source = probe(&bytes).unwrap().source;
        assert_eq!(source.orientation, value.max(1));
        assert_eq!((source.width, source.height), if value > 4 { (1200, 1800) } else { (1800, 1200) });
        if value > 0 {
            let bytes = std::fs::read(root.join(format!("exif/grid_orientation_{value}.webp"))).unwrap();
            let grid = decode(&bytes, &Limits::default(), None).unwrap();
            assert_eq!(grid.metadata.orientation, value);
            assert_eq!(crate::exif::orientation(&grid.metadata.exif.unwrap()), value);
        }
    }
    for (name, value) in [
        ("exif/png-exif-orientation-6.png", 6),
        ("exif/grid_orientation_6.tif", 6),
        ("exif/orientation-99.jpg", 1),
        ("exif/broken-exif.jpg", 1),
        ("exif/avif-orientation-6.avif", 1),
        ("heif/iphone8plus-arrow.heic", 1),
    ] {
        assert_eq!(probe(&std::fs::read(root.join(name)).unwrap()).unwrap().source.orientation, value, "{name}");
    }
}

#[test]
fn the_containers_own_transformations_are_applied() {
    let Some(root) = corpus() else { return };
    let upright = pixels(&root, "avif/kimono.mirror-horizontal.avif");
    near(&pixels(&root, "avif/kimono.rotate90.avif"), &upright, 4.0, "irot");
    let crop = pixels(&root, "avif/kimono.crop.avif");
    // This aperture's edges lie on half pixels, which the mirroring rounds to the other side.
    near(&pixels(&root, "avif/kimono.mirror-vertical.rotate270.crop.avif"), &crop, 6.5, "imir, irot, clap");
    // By the box: 385 x 330, its middle 103 right of and 308 above the picture's.
    let mut part = Vec::new();
    for row in upright.rows().skip(39).take(330) {
        part.extend(&row[271 * 3..(271 + 385) * 3]);
    }
    near(&crop, &Pixels::new(385, 330, Channels::Rgb, part).unwrap(), 6.5, "clap");
}

#[test]
fn greys_palettes_and_grids_are_exact() {
    let Some(root) = corpus() else { return };
    let grid = pixels(&root, "png/geometry-grid-1200x800.png");
    for (x, y) in (0..12u32).flat_map(|x| (0..8u32).map(move |y| (x, y))) {
        let cell = [20 * x + 15, 30 * y + 20, (7 * x * y) % 256].map(|value| value as u8);
        assert_eq!(colour(&grid, 100 * x + 50, 100 * y + 50), cell);
    }
    let ramp = pixels(&root, "tiff/4bit.tif");
    assert_eq!((ramp.channels(), ramp.data()[0], ramp.data()[255]), (Channels::Grey, 0, 255));
    assert!(ramp.rows().all(|row| row.is_sorted()));
    assert_eq!(pixels(&root, "png/flower_small.g.png").channels(), Channels::Grey);
    assert_eq!(pixels(&root, "png/flower_small.ga.png").channels(), Channels::GreyAlpha);
    assert_eq!(pixels(&root, "heif/L_8__29x100.heif").channels(), Channels::Grey);
    let palette = pixels(&root, "bmp/pal8rle.bmp");
    for other in ["bmp/lenient-rletopdown.bmp", "bmp/lenient-badpalettesize.bmp"] {
        assert!(pixels(&root, other).data() == palette.data(), "{other}");
    }
    let picture = pixels(&root, "bmp/rgb24.bmp");
    near(&pixels(&root, "bmp/rgba32abf.bmp"), &picture, 16.0, "alpha masks");
}

#[test]
fn animations_have_their_frames_times_and_loops() {
    let Some(root) = corpus() else { return };
    let open = |name: &str| decode(&std::fs::read(root.join(name)).unwrap(), &Limits::default(), None).unwrap();
    let gif = open("gif/rotating-300x200x24.gif");
    assert_eq!(gif.delays.len(), 24);
    assert!(gif.delays.iter().any(|&delay| delay != gif.delays[0]), "{:?}", gif.delays);
    assert!(gif.delays.iter().all(|&delay| delay % 10 == 0 && delay > 0));
    assert_eq!(gif.metadata.animation.unwrap().repeat, Some(4), "three repetitions after the first run");
    let webp = open("webp/anim-pan-320x240x12.webp");
    assert_eq!(webp.delays.len(), 12);
    assert!(webp.delays.iter().all(|&delay| delay > 0), "{:?}", webp.delays);
    let png = open("png/animated-ball.png");
    assert_eq!((png.delays.len(), png.first.pixels.channels()), (20, Channels::Rgba));
    assert!(error(&png.first.pixels, &png.last.pixels).iter().any(|&error| error > 1.0), "it moves");
    let limits = Limits { frames: 19, ..Limits::default() };
    let result = decode(&std::fs::read(root.join("png/animated-ball.png")).unwrap(), &limits, None);
    assert_eq!(result.err().map(|error| error.kind), Some(Kind::SourceFrames));
}

#[test]
fn inks_follow_the_profile_of_their_press() {
    let Some(root) = corpus() else { return };
    let bytes = std::fs::read(root.join("icc/kodim23-cmyk-profile.jpg")).unwrap();
    let icc = crate::probe::jpeg::icc_profile(&bytes).unwrap();
    let transform = crate::colour::FromCmyk::new(Some(&icc));
    // What web offset printing (SWOP) looks like in sRGB.
    for (inks, colour) in [
        ([0, 0, 0, 0], [255, 255, 255]),
        ([255, 0, 0, 0], [0, 174, 239]),
        ([0, 255, 0, 0], [236, 0, 140]),
        ([0, 0, 255, 0], [255, 242, 0]),
        ([0, 0, 0, 255], [35, 31, 32]),
    ] {
        let mut rgb = [0; 3];
        transform.row(&inks, &mut rgb).unwrap();
        assert!(rgb.iter().zip(colour).all(|(a, b): (&u8, u8)| a.abs_diff(b) <= 3), "{inks:?}: {rgb:?}");
    }
}
