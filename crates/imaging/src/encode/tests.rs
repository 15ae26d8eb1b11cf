#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use crate::Effort;
use crate::picture::{Channels, Frame, Pixels};
use crate::{Header, decode, probe};

const ALL: [Format; 8] =
    [Format::Jpeg, Format::Png, Format::Gif, Format::Bmp, Format::WebP, Format::Avif, Format::Heif, Format::Tiff];

fn options(quality: Option<u8>) -> Options {
    Options {
        quality,
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: Hurry::default(),
        exif: None,
        space: Space::Srgb,
    }
}

fn written(pixels: &Pixels, format: Format, options: Options) -> Vec<u8> {
    let mut encoder = open(format, pixels.width(), pixels.height(), options, None).unwrap();
    encoder.add(Frame { pixels: pixels.clone(), delay_ms: 0 }).unwrap();
    encoder.finish().unwrap()
}

fn read(bytes: &[u8]) -> (Header, Pixels) {
    let header = probe(bytes).unwrap();
    let frame = decode::open(bytes, &header, &decode::Wanted::default()).unwrap().next_frame().unwrap().unwrap();
    (header, frame.pixels)
}

/// Formats that this build writes; HEIF may be missing.
fn formats() -> impl Iterator<Item = Format> {
    ALL.into_iter().filter(|format| {
        let there = writable(*format);
        if !there {
            println!("skipped: this build cannot write {}", format.name());
        }
        there
    })
}

/// Soft colours in which a shift, a swap of channels or a wrong matrix shows.
fn gradient(width: u32, height: u32, channels: Channels) -> Pixels {
    let data = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let (r, g, b) = (40 + x * 150 / width.max(1), 60 + y * 120 / height.max(1), 200 - x * 90 / width.max(1));
            let a = 255 - y * 200 / height.max(1);
            match channels {
                Channels::Grey => vec![r as u8],
                Channels::GreyAlpha => vec![r as u8, a as u8],
                Channels::Rgb => vec![r as u8, g as u8, b as u8],
                Channels::Rgba => vec![r as u8, g as u8, b as u8, a as u8],
            }
        })
        .collect();
    Pixels::new(width, height, channels, data).unwrap()
}

/// Mean absolute difference of two pictures of one size, as RGBA on white.
fn error(a: &Pixels, b: &Pixels) -> f64 {
    let seen = |p: &Pixels| -> Vec<[i32; 4]> {
        p.data()
            .chunks_exact(p.channels().count())
            .map(|p| {
                let [r, g, b, a] = graphics::rgba(p);
                let on = |v: u8| (i32::from(v) * i32::from(a) + 255 * (255 - i32::from(a))) / 255;
                [on(r), on(g), on(b), a.into()]
            })
            .collect()
    };
    let (a, b) = (seen(a), seen(b));
    let sum: i32 = a.iter().zip(&b).flat_map(|(a, b)| (0..4).map(move |c| (a[c] - b[c]).abs())).sum();
    f64::from(sum) / (a.len() * 4) as f64
}

#[test]
fn colours_survive_in_every_format() {
    for format in formats() {
        for channels in [Channels::Grey, Channels::Rgb] {
            let source = gradient(96, 64, channels);
            let (header, out) = read(&written(&source, format, options(Some(90))));
            assert_eq!((header.source.format, out.width(), out.height()), (format, 96, 64));
            let limit = if format == Format::Gif { 4.0 } else { 1.6 };
            let off = error(&source, &out);
            assert!(off < limit, "{format:?} {channels:?}: {off}");
        }
    }
}

#[test]
fn alpha_survives_where_the_format_has_it() {
    for format in formats().filter(|f| f.has_alpha() && *f != Format::Gif) {
        for channels in [Channels::GreyAlpha, Channels::Rgba] {
            let source = gradient(64, 80, channels);
            let (header, out) = read(&written(&source, format, options(Some(90))));
            assert!(header.source.alpha && out.channels().has_alpha(), "{format:?} {channels:?}");
            let off = error(&source, &out);
            assert!(off < 2.0, "{format:?} {channels:?}: {off}");
        }
    }
}

/// Its masks say where alpha is: a reader that knows them shows it, any other the colours.
#[test]
fn a_bmp_says_where_its_alpha_is() {
    let corner = Pixels::new(3, 2, Channels::Rgba, (0..6u8).flat_map(|at| [200, 100, 50, at * 51]).collect()).unwrap();
    let bytes = written(&corner, Format::Bmp, options(None));
    let field = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!((field(14), bytes[28], field(30)), (108, 32, 3), "version 4, 32 bits, masks");
    assert_eq!([54, 58, 62, 66].map(field), [0xff_0000, 0xff00, 0xff, 0xff00_0000]);
    assert_eq!(read(&bytes).1.data(), corner.data());
    let solid = Pixels::new(3, 2, Channels::Rgb, vec![9; 18]).unwrap();
    assert_eq!(written(&solid, Format::Bmp, options(None))[28], 24);
}

#[test]
fn gif_alpha_is_all_or_nothing() {
    let data = (0..16 * 4).flat_map(|i| [200, 10, 10, if i % 16 < 8 { 20 } else { 240 }]).collect();
    let (_, out) = read(&written(&Pixels::new(16, 4, Channels::Rgba, data).unwrap(), Format::Gif, options(None)));
    assert_eq!(out.channels(), Channels::Rgba);
    assert_eq!((out.data()[3], &out.data()[15 * 4..16 * 4]), (0, &[200, 10, 10, 255][..]));
}

#[test]
fn odd_and_tiny_sizes() {
    for format in formats() {
        for (width, height) in [(1, 1), (1, 2), (2, 1), (3, 5), (7, 7), (8, 8), (15, 33), (17, 1), (1, 300), (255, 257)]
        {
            for channels in [Channels::Grey, Channels::Rgb, Channels::Rgba] {
                let bytes = written(&gradient(width, height, channels), format, options(Some(70)));
                let (header, out) = read(&bytes);
                assert_eq!((header.source.width, header.source.height), (width, height), "{format:?} {channels:?}");
                assert_eq!((out.width(), out.height()), (width, height), "{format:?} {channels:?}");
            }
        }
    }
}

#[test]
fn lossless_is_without_loss() {
    for format in [Format::WebP, Format::Avif, Format::Png, Format::Tiff] {
        for channels in [Channels::Rgb, Channels::Grey] {
            let source = gradient(61, 47, channels);
            let options = Options { lossless: true, ..options(None) };
            let (_, out) = read(&written(&source, format, options));
            assert_eq!(error(&source, &out), 0.0, "{format:?} {channels:?}");
        }
    }
}

#[test]
fn quality_and_effort_change_the_size() {
    let source = photo_like(200, 160);
    for format in formats().filter(|f| quality::has_quality(*f)) {
        let size = |quality, effort| written(&source, format, Options { effort, ..options(Some(quality)) }).len();
        assert!(size(90, Effort::Interactive) > size(70, Effort::Interactive), "{format:?}");
        assert!(size(70, Effort::Interactive) > size(30, Effort::Interactive), "{format:?}");
    }
}

/// Several octaves of noise: something for an encoder to do.
fn photo_like(width: u32, height: u32) -> Pixels {
    let noise = |x: u32, y: u32| -> f64 {
        let h = x.wrapping_mul(374_761_393).wrapping_add(y.wrapping_mul(668_265_263));
        let h = (h ^ (h >> 13)).wrapping_mul(1_274_126_177);
        f64::from((h ^ (h >> 16)) & 255)
    };
    let data = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            let v = noise(x / 16, y / 16) * 0.5 + noise(x / 4, y / 4) * 0.3 + noise(x, y) * 0.2;
            [v as u8, (v * 0.8 + 20.0) as u8, (255.0 - v) as u8]
        })
        .collect();
    Pixels::new(width, height, Channels::Rgb, data).unwrap()
}

#[test]
fn threads_change_the_time_and_not_the_quality() {
    let source = photo_like(640, 512);
    let one = written(&source, Format::Avif, options(Some(70)));
    let two = written(&source, Format::Avif, Options { threads: 2, ..options(Some(70)) });
    // libaom decides a little differently with two; neither is the better one.
    let (a, b) = (error(&source, &read(&one).1), error(&source, &read(&two).1));
    assert!((a - b).abs() < 0.5, "{a} {b}");
    assert!(one.len().abs_diff(two.len()) * 20 < one.len(), "{} {}", one.len(), two.len());
}

/// Sides that are odd, small, long: SVT-AV1 works in blocks and has a smallest size; alpha must come at the colour's depth.
#[test]
fn want_of_time_is_told_where_it_makes_a_difference() {
    let pixels = photo_like(400, 300);
    for format in formats().filter(|format| *format != Format::Tiff) {
        let slower = matches!(format, Format::Avif | Format::Heif | Format::WebP);
        for (budget_ms, full_ms, told) in [(1, 30_000, slower), (30_000, 60_000, false), (1, 1, false), (1, 0, false)] {
            let hurry = Hurry::new(full_ms);
            written(&pixels, format, Options { budget_ms, hurry: hurry.clone(), ..options(None) });
            assert_eq!(hurry.told(), told, "{format:?}, {budget_ms} of {full_ms} ms");
        }
    }
}

#[test]
fn avif_on_the_fly_keeps_size_colours_and_alpha() {
    if !SVT_AV1 {
        println!("skipped: this build has no SVT-AV1");
    }
    for (width, height) in [(401, 263), (400, 264), (63, 1601), (1601, 64), (65, 1603), (322, 333)] {
        for (channels, effort) in [(Channels::Rgb, Effort::Interactive), (Channels::Rgba, Effort::Pressed)] {
            let source = gradient(width, height, channels);
            let (header, out) = read(&written(&source, Format::Avif, Options { effort, ..options(Some(85)) }));
            assert_eq!((header.source.width, header.source.height), (width, height));
            assert_eq!(header.source.alpha, channels == Channels::Rgba);
            let off = error(&source, &out);
            assert!(off < 1.5, "{width} x {height} {channels:?}: {off}");
        }
    }
}

/// Ten bits are for good qualities, and readers are told of them.
#[test]
fn avif_says_its_depth() {
    let source = photo_like(420, 300);
    let depth = |quality, effort, lossless| {
        let options = Options { effort, lossless, ..options(Some(quality)) };
        probe(&written(&source, Format::Avif, options)).unwrap().depth
    };
    assert_eq!(depth(40, Effort::Batch, false), 8);
    assert_eq!(depth(75, Effort::Batch, false), 10);
    assert_eq!(depth(92, Effort::Interactive, false), 10);
    assert_eq!(depth(75, Effort::Interactive, false), 10);
    assert_eq!(depth(40, Effort::Interactive, false), if SVT_AV1 { 10 } else { 8 });
    assert_eq!(depth(100, Effort::Interactive, true), 8);
}

#[test]
fn progressive_jpeg_says_so() {
    let source = photo_like(64, 64);
    let bytes = written(&source, Format::Jpeg, Options { progressive: true, ..options(Some(75)) });
    assert!(probe(&bytes).unwrap().progressive);
    assert!(!probe(&written(&source, Format::Jpeg, options(Some(75)))).unwrap().progressive);
}

/// What comes back as an original has the quality that it was written with: rules that are relative to it depend on that.
#[test]
fn a_jpegs_quality_can_be_read_off_it() {
    for channels in [Channels::Rgb, Channels::Grey] {
        let source = gradient(16, 16, channels);
        for quality in 1..=100 {
            let header = probe(&written(&source, Format::Jpeg, options(Some(quality)))).unwrap();
            assert_eq!(header.quality, Some(quality), "{channels:?}");
        }
    }
}

#[test]
fn a_jpeg_halves_its_chroma_at_low_qualities_only() {
    let source = Pixels::filled(40, 24, Channels::Rgb, 90).unwrap();
    for (quality, factors) in [(10, 0x22), (30, 0x22), (49, 0x22), (50, 0x11), (80, 0x11), (100, 0x11)] {
        for progressive in [false, true] {
            let bytes = written(&source, Format::Jpeg, Options { progressive, ..options(Some(quality)) });
            let marker = if progressive { 0xc2 } else { 0xc0 };
            let at = bytes.windows(4).position(|b| b == [0xff, marker, 0, 17]).expect("a frame header");
            assert_eq!(bytes[at + 11], factors, "quality {quality}, progressive {progressive}");
            assert_eq!(probe(&bytes).unwrap().progressive, progressive);
        }
    }
}

#[test]
fn a_grey_jpeg_stays_grey() {
    let bytes = written(&gradient(40, 40, Channels::Grey), Format::Jpeg, options(None));
    assert_eq!(probe(&bytes).unwrap().channels, 1);
}

#[test]
fn few_colours_make_a_png_with_a_palette() {
    let data: Vec<u8> =
        (0..90 * 31).flat_map(|i| [(i % 3 * 80) as u8, 7, (i % 5 * 50) as u8, 255 - (i % 2 * 128) as u8]).collect();
    let source = Pixels::new(90, 31, Channels::Rgba, data).unwrap();
    let bytes = written(&source, Format::Png, options(None));
    assert_eq!(bytes[25], 3, "colour type");
    assert_eq!(error(&source, &read(&bytes).1), 0.0);
    for colours in [1u32, 2, 3, 4, 5, 16, 17, 256] {
        let data = (0..37 * 29).flat_map(|i| [(i % colours) as u8, 1, 2]).collect();
        let source = Pixels::new(37, 29, Channels::Rgb, data).unwrap();
        assert_eq!(error(&source, &read(&written(&source, Format::Png, options(None))).1), 0.0, "{colours} colours");
    }
}

#[test]
fn orientation_is_written_where_it_is_read() {
    for format in [Format::Jpeg, Format::Png, Format::WebP] {
        for channels in [Channels::Rgb, Channels::Rgba] {
            let exif = Some(crate::exif::minimal_orientation(8));
            let bytes = written(&gradient(20, 10, channels), format, Options { exif, ..options(None) });
            assert_eq!(probe(&bytes).unwrap().source.orientation, 8, "{format:?}");
            assert_eq!(read(&bytes).1.width(), 20);
        }
    }
}

/// A dot that moves over a background that is transparent or not.
fn animation(format: Format, alpha: bool, delays: &[u32], repeat: Option<u32>) -> (Vec<Pixels>, Vec<u8>) {
    let mut encoder = open(format, 32, 24, options(Some(90)), Some(Animation { repeat })).unwrap();
    let mut frames = Vec::new();
    for (i, &delay_ms) in delays.iter().enumerate() {
        let data = (0..32 * 24)
            .flat_map(|p| if p % 32 / 6 == i { [250, 20, 20, 255] } else { [10, 90, 10, if alpha { 0 } else { 255 }] })
            .collect();
        let pixels = Pixels::new(32, 24, Channels::Rgba, data).unwrap();
        frames.push(pixels.clone());
        encoder.add(Frame { pixels, delay_ms }).unwrap();
    }
    (frames, encoder.finish().unwrap())
}

#[test]
fn animations_keep_frames_delays_and_repetitions() {
    for format in [Format::Gif, Format::WebP] {
        for alpha in [false, true] {
            for repeat in [None, Some(1), Some(2), Some(7)] {
                let delays = [100, 40, 250, 70];
                let (frames, bytes) = animation(format, alpha, &delays, repeat);
                let header = probe(&bytes).unwrap();
                assert_eq!(header.source.frames, 4, "{format:?}");
                let mut decoder = decode::open(&bytes, &header, &decode::Wanted::default()).unwrap();
                assert_eq!(decoder.metadata().animation, Some(Animation { repeat }), "{format:?}");
                for (want, delay) in frames.iter().zip(delays) {
                    let frame = decoder.next_frame().unwrap().unwrap();
                    assert_eq!(frame.delay_ms, delay);
                    let off = error(want, &frame.pixels);
                    // Lossy WebP has a quarter of the chroma, and these bars are all edges.
                    let limit = if format == Format::Gif { 0.01 } else { 12.0 };
                    assert!(off < limit, "{format:?} alpha {alpha}: {off}");
                }
                assert!(decoder.next_frame().unwrap().is_none());
            }
        }
    }
}

#[test]
fn gif_delays_add_up_although_they_are_rounded() {
    let (_, bytes) = animation(Format::Gif, false, &[33, 33, 34, 33, 33], None);
    let header = probe(&bytes).unwrap();
    let mut decoder = decode::open(&bytes, &header, &decode::Wanted::default()).unwrap();
    let mut delays = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        delays.push(frame.delay_ms);
    }
    assert_eq!(delays, [30, 40, 30, 30, 40]);
}

#[test]
fn a_photograph_in_a_gif_is_recognisable() {
    let source = gradient(160, 120, Channels::Rgb);
    let (_, out) = read(&written(&source, Format::Gif, options(None)));
    assert!(error(&source, &out) < 4.0);
}

#[test]
fn sizes_above_the_caps_are_clean_errors() {
    for (format, side) in
        [(Format::WebP, 16_384), (Format::Heif, 16_384), (Format::Jpeg, 65_501), (Format::Avif, 65_536)]
    {
        if !writable(format) {
            continue;
        }
        let error = open(format, side, 2, options(None), None).err().unwrap();
        assert_eq!(error.kind, Kind::OutputTooLarge, "{format:?}");
    }
    // The largest that are allowed do work.
    for (format, side) in
        [(Format::WebP, 16_383), (Format::Jpeg, 65_500), (Format::Avif, 65_535), (Format::Heif, 8_192)]
    {
        if !writable(format) {
            continue;
        }
        let source = gradient(side, 64, Channels::Rgb);
        let bytes = written(&source, format, Options { effort: Effort::Pressed, ..options(Some(50)) });
        assert_eq!(probe(&bytes).unwrap().source.width, side, "{format:?}");
    }
}

#[test]
fn misuse_is_an_error() {
    let frame = |w| Frame { pixels: gradient(w, 4, Channels::Rgb), delay_ms: 0 };
    for format in formats() {
        assert!(open(format, 8, 4, options(None), None).unwrap().finish().is_err(), "{format:?} without a frame");
        let mut encoder = open(format, 8, 4, options(None), None).unwrap();
        assert_eq!(encoder.add(frame(9)).unwrap_err().kind, Kind::Internal, "{format:?}");
        if !format.animates() {
            let mut encoder = open(format, 8, 4, options(None), None).unwrap();
            encoder.add(frame(8)).unwrap();
            assert!(encoder.add(frame(8)).is_err(), "{format:?} takes two frames");
            let animated = open(format, 8, 4, options(None), Some(Animation { repeat: None }));
            let refused = (format != Format::Png).then_some(Kind::UnsupportedTarget);
            assert_eq!(animated.err().map(|error| error.kind), refused, "{format:?}");
        }
    }
    for format in [Format::Ico, Format::Jxl, Format::Svg, Format::Tpg] {
        assert!(!writable(format));
        assert_eq!(open(format, 8, 4, options(None), None).err().unwrap().kind, Kind::UnsupportedTarget);
    }
}

#[test]
fn nearly_without_loss_is_near_and_only_in_webp() {
    let source = photo_like(200, 160);
    let of =
        |format, near_lossless| written(&source, format, Options { lossless: true, near_lossless, ..options(None) });
    let furthest = |file: &[u8]| {
        let (_, out) = read(file);
        source.data().iter().zip(out.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap()
    };
    let [exact, near, far] = [0, 80, 20].map(|level| of(Format::WebP, level));
    let (a, b) = (furthest(&near), furthest(&far));
    assert!(a >= 1 && b > a && b <= 16, "{a} {b}");
    assert!(far.len() < exact.len(), "{} {}", far.len(), exact.len());
    assert_eq!(furthest(&exact), 0);
    assert_eq!(of(Format::WebP, 100), exact);
    assert_eq!(of(Format::Avif, 40), of(Format::Avif, 0));
}
