#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::super::super::policy::Light;
use super::super::resize_part;
use super::*;

fn in_light(pixels: Pixels, size: (u32, u32), light: Light) -> Result<Pixels, Error> {
    let part = SubpixelRect::whole(&pixels);
    resize_part(pixels, part, size, light)
}

fn in_linear(pixels: Pixels, width: u32, height: u32) -> Result<Pixels, Error> {
    in_light(pixels, (width, height), Light::Linear)
}

fn in_gamma(pixels: Pixels, width: u32, height: u32) -> Result<Pixels, Error> {
    in_light(pixels, (width, height), Light::Gamma)
}

#[test]
fn the_curves_undo_each_other() {
    let curves = curves();
    for value in 0..=255u8 {
        assert_eq!(curves.code[step(curves.light[usize::from(value)])], value);
    }
}

/// The middle of a fine chequered picture made half as wide.
fn chequered(channels: Channels, resize: fn(Pixels, u32, u32) -> Result<Pixels, Error>) -> Vec<u8> {
    let n = channels.count();
    let data = (0..64u32 * 64)
        .flat_map(|at| {
            let value = if (at % 64 + at / 64) % 2 == 0 { 255 } else { 0 };
            (0..n).map(move |channel| if channels.has_alpha() && channel == n - 1 { 255 } else { value })
        })
        .collect();
    let small = resize(Pixels::new(64, 64, channels, data).unwrap(), 32, 32).unwrap();
    small.data()[(16 * 32 + 16) * n..][..n].to_vec()
}

#[test]
fn fine_detail_keeps_its_light() {
    for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
        let colours = if channels.has_alpha() { channels.count() - 1 } else { channels.count() };
        let linear = chequered(channels, in_linear);
        let gamma = chequered(channels, in_gamma);
        assert!(linear[..colours].iter().all(|value| value.abs_diff(188) <= 1), "{channels:?} {linear:?}");
        assert!(gamma[..colours].iter().all(|value| value.abs_diff(128) <= 1), "{channels:?} {gamma:?}");
        assert!(linear[colours..].iter().all(|alpha| *alpha == 255));
    }
}

#[test]
fn what_hides_under_transparent_pixels_never_shows() {
    // The left half is opaque red, the right half is transparent green.
    let data = (0..32 * 8).flat_map(|at| if at % 32 < 15 { [200, 0, 0, 255] } else { [0, 255, 0, 0] }).collect();
    let small = in_linear(Pixels::new(32, 8, Channels::Rgba, data).unwrap(), 11, 3).unwrap();
    let mut between = 0;
    for pixel in small.data().chunks_exact(4).filter(|pixel| pixel[3] > 8) {
        assert!(pixel[0].abs_diff(200) <= 4 && pixel[1] == 0 && pixel[2] == 0, "{pixel:?}");
        between += usize::from(pixel[3] < 250);
    }
    assert!(between > 0, "an edge lies between two pixels");
}

#[test]
fn flat_colours_stay_as_they_are() {
    for value in [0u8, 1, 2, 7, 60, 128, 254, 255] {
        let picture = Pixels::new(20, 20, Channels::Rgb, vec![value; 1200]).unwrap();
        for (width, height) in [(7, 9), (33, 41)] {
            let data = in_linear(picture.clone(), width, height).unwrap().into_data();
            assert!(data.iter().all(|got| *got == value), "{value}: {data:?}");
        }
    }
}

/// Against sums in 64 bits over all samples, at sizes that go up, down, and far down.
#[test]
fn every_size_is_what_the_filter_says() {
    let light = |code: u8| {
        let value = f64::from(code) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    let code = |light: f64| {
        let light = light.clamp(0.0, 1.0);
        let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
        value * 255.0
    };
    let lanczos = |x: f64| {
        let sinc = |x: f64| if x == 0.0 { 1.0 } else { (std::f64::consts::PI * x).sin() / (std::f64::consts::PI * x) };
        if x.abs() < 3.0 { sinc(x) * sinc(x / 3.0) } else { 0.0 }
    };
    let weights = |from: u32, to: u32, at: u32| -> Vec<f64> {
        let ratio = f64::from(from) / f64::from(to);
        let centre = (f64::from(at) + 0.5) * ratio;
        let taps: Vec<f64> =
            (0..from).map(|sample| lanczos((f64::from(sample) + 0.5 - centre) / ratio.max(1.0))).collect();
        let sum: f64 = taps.iter().sum();
        taps.iter().map(|tap| tap / sum).collect()
    };
    for ((from_w, from_h), (to_w, to_h), within) in [
        ((61, 47), (40, 31), 0.6),
        ((61, 47), (97, 80), 0.6),
        ((61, 47), (61, 10), 0.6),
        ((1, 50), (3, 7), 0.6),
        ((89, 80), (9, 9), 0.6),
        // Averaged in blocks first, which is nearly the same.
        ((201, 203), (9, 7), 4.0),
        ((203, 40), (4, 30), 4.0),
    ] {
        for channels in [Channels::Grey, Channels::Rgb] {
            let n = channels.count() as u32;
            // Whole numbers are rounded twice on the way; of the darkest codes each has five of them.
            let within = if channels == Channels::Rgb { within + 0.2 } else { within };
            let data: Vec<u8> = (0..from_w * from_h * n)
                .map(|at: u32| {
                    let (x, y, phase) = (at / n % from_w, at / n / from_w, f64::from(at % n));
                    (128.0 + 60.0 * (f64::from(x) * 0.21 + phase).sin() + 60.0 * (f64::from(y) * 0.17 - phase).cos())
                        as u8
                })
                .collect();
            let got = in_linear(Pixels::new(from_w, from_h, channels, data.clone()).unwrap(), to_w, to_h).unwrap();
            for (at, value) in (0u32..).zip(got.data()) {
                let (x, y, channel) = (at / n % to_w, at / n / to_w, at % n);
                let (down, over) = (weights(from_h, to_h, y), weights(from_w, to_w, x));
                let mut sum = 0.0;
                for (row, down) in
                    data.chunks_exact((from_w * n) as usize).zip(&down).filter(|(_, weight)| **weight != 0.0)
                {
                    let samples = row.iter().skip(channel as usize).step_by(n as usize);
                    sum += down * samples.zip(&over).map(|(code, weight)| light(*code) * weight).sum::<f64>();
                }
                assert!(
                    (f64::from(*value) - code(sum)).abs() < within,
                    "{from_w}x{from_h} to {to_w}x{to_h} {channels:?} at {x} {y}: {value}, not {}",
                    code(sum)
                );
            }
        }
    }
}

#[test]
fn no_shape_takes_many_rows() {
    for (from, to) in [(30_000, 1), (30_000, 3_001), (9, 1), (10, 1), (5, 9_999), (1, 1)] {
        let windows = kernel::Windows::new(from, (0.0, from as f64), to).unwrap();
        assert!(windows.most() <= 64, "{from} to {to}: {}", windows.most());
        assert!(windows.iter().all(|(first, weights)| first + weights.len() <= windows.samples && !weights.is_empty()));
    }
}
