#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::*;
use proptest::prelude::*;

/// A plane with gaps behind its rows, by a function of place.
struct Own {
    data: Vec<u8>,
    stride: usize,
    width: u32,
    height: u32,
    bits: u8,
}

impl Own {
    fn new(width: u32, height: u32, bits: u8, of: impl Fn(u32, u32) -> u16) -> Self {
        let wide = bits > 8;
        let stride = width as usize * if wide { 2 } else { 1 } + 6;
        let mut data = vec![0xee; stride * height as usize];
        for y in 0..height {
            for x in 0..width {
                let at = y as usize * stride;
                match wide {
                    true => data[at + 2 * x as usize..][..2].copy_from_slice(&of(x, y).to_ne_bytes()),
                    false => data[at + x as usize] = of(x, y) as u8,
                }
            }
        }
        Self { data, stride, width, height, bits }
    }

    fn samples(&self) -> Samples<'_> {
        let Self { data, stride, width, height, bits } = self;
        Samples { data, stride: *stride, width: *width, height: *height, bits: *bits, wide: *bits > 8 }
    }
}

const RGB: PixelTarget = PixelTarget { channels: 3, bits: 8 };

fn flat(bits: u8, yuv: [u16; 3], coding: PlaneCoding, target: PixelTarget) -> Vec<u8> {
    let [y, u, v] = yuv.map(|value| Own::new(3, 3, bits, |_, _| value));
    let planes = CodedPlanes { first: y.samples(), chroma: Some([u.samples(), v.samples()]), alpha: None };
    develop(&planes, coding, target).unwrap().unwrap()[..3 * if target.bits > 8 { 2 } else { 1 }].to_vec()
}

#[test]
fn black_and_white_are_black_and_white() {
    for matrix in [1, 2, 4, 5, 6, 7, 8, 9, 10] {
        for bits in [8, 10, 12] {
            let at = |value: u16| value << (bits - 8);
            let none = at(128);
            for (full, black, white) in [(true, 0, (1 << bits) - 1), (false, at(16), at(235))] {
                let coding = PlaneCoding { matrix, full };
                assert_eq!(flat(bits, [black, none, none], coding, RGB), [0; 3], "{coding:?} {bits}");
                assert_eq!(flat(bits, [white, none, none], coding, RGB), [255; 3], "{coding:?} {bits}");
            }
        }
    }
    for (full, black, white) in [(true, 0, 255), (false, 16, 235)] {
        let coding = PlaneCoding { matrix: 0, full };
        assert_eq!(flat(8, [black; 3], coding, RGB), [0; 3]);
        assert_eq!(flat(8, [white; 3], coding, RGB), [255; 3]);
        // The planes are green, blue, red.
        assert_eq!(flat(8, [white, black, black], coding, RGB), [0, 255, 0]);
        assert_eq!(flat(8, [black, white, black], coding, RGB), [0, 0, 255]);
        assert_eq!(flat(8, [black, black, white], coding, RGB), [255, 0, 0]);
        for (value, want) in [(black, 0), (white, 255)] {
            let y = Own::new(5, 2, 8, |_, _| value);
            let planes = CodedPlanes { first: y.samples(), chroma: None, alpha: None };
            let grey = develop(&planes, coding, PixelTarget { channels: 1, bits: 8 }).unwrap().unwrap();
            assert_eq!(grey, [want; 10], "{full}");
        }
    }
}

/// Colours of BT.709's primaries in video range, by ITU-R BT.709's own numbers; and JPEG's.
#[test]
fn known_colours() {
    for (yuv, coding, want) in [
        ([63, 102, 240], PlaneCoding { matrix: 1, full: false }, [255u8, 0, 0]),
        ([173, 42, 26], PlaneCoding { matrix: 1, full: false }, [0, 255, 0]),
        ([32, 240, 118], PlaneCoding { matrix: 1, full: false }, [0, 0, 255]),
        ([76, 85, 255], PlaneCoding::default(), [254, 0, 0]),
        ([150, 44, 21], PlaneCoding::default(), [0, 255, 1]),
        ([29, 255, 107], PlaneCoding::default(), [0, 0, 254]),
    ] {
        let got = flat(8, yuv, coding, RGB);
        let close = got.iter().zip(want).all(|(got, want)| got.abs_diff(want) <= 2);
        assert!(close, "{yuv:?} {coding:?}: {got:?}, not {want:?}");
    }
}

#[test]
fn chroma_changes_evenly() {
    // A slope across and down stays one, where the nearest sample would make stairs.
    let y = Own::new(16, 12, 8, |_, _| 128);
    let u = Own::new(8, 6, 8, |x, y| (60 + 10 * x + 6 * y) as u16);
    let v = Own::new(8, 6, 8, |_, _| 128);
    let planes = CodedPlanes { first: y.samples(), chroma: Some([u.samples(), v.samples()]), alpha: None };
    let rgb = develop(&planes, PlaneCoding::default(), RGB).unwrap().unwrap();
    for (y, row) in rgb.chunks(16 * 3).enumerate().take(11).skip(1) {
        for x in 1..15 {
            // A pixel's middle lies a quarter of a sample beside the sample's.
            let u = 60.0 + 10.0 * ((x as f64 + 0.5) / 2.0 - 0.5) + 6.0 * ((y as f64 + 0.5) / 2.0 - 0.5);
            let blue = (128.0 + 1.772 * (u - 128.0)).clamp(0.0, 255.0);
            assert!((f64::from(row[3 * x + 2]) - blue).abs() <= 0.51, "{x} {y}: {} {blue}", row[3 * x + 2]);
        }
    }
}

#[test]
fn alpha_has_a_depth_of_its_own() {
    let y = Own::new(2, 1, 10, |_, _| 1023);
    let a = Own::new(2, 1, 8, |x, _| if x == 0 { 255 } else { 51 });
    let planes = CodedPlanes { first: y.samples(), chroma: None, alpha: Some(a.samples()) };
    let rgba = develop(&planes, PlaneCoding::default(), PixelTarget { channels: 4, bits: 8 }).unwrap().unwrap();
    assert_eq!(rgba, [255, 255, 255, 255, 255, 255, 255, 51]);
    let deep = develop(&planes, PlaneCoding::default(), PixelTarget { channels: 4, bits: 10 }).unwrap().unwrap();
    assert_eq!(deep[14..], 205u16.to_le_bytes());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let y = Own::new(6, 4, 8, |_, _| 0);
    for (w, h, bits) in [(2, 2, 8), (6, 3, 8), (4, 2, 8), (3, 2, 10)] {
        let (u, v) = (Own::new(w, h, bits, |_, _| 0), Own::new(w, h, bits, |_, _| 0));
        let planes = CodedPlanes { first: y.samples(), chroma: Some([u.samples(), v.samples()]), alpha: None };
        assert!(develop(&planes, PlaneCoding::default(), RGB).unwrap().is_none(), "{w} x {h}, {bits}");
    }
    let cut = Samples { data: &y.data[..20], ..y.samples() };
    let planes = CodedPlanes { first: cut, chroma: None, alpha: None };
    assert!(develop(&planes, PlaneCoding::default(), RGB).unwrap().is_none());
    let planes = CodedPlanes { first: y.samples(), chroma: None, alpha: None };
    assert!(
        develop(&planes, PlaneCoding::default(), PixelTarget { channels: 4, bits: 8 }).unwrap().is_none(),
        "alpha is missing"
    );
    assert!(!is_known(PlaneCoding { matrix: 16, full: true }));
    let deep = Own::new(6, 4, 16, |_, _| 0);
    let planes = CodedPlanes { first: deep.samples(), chroma: None, alpha: None };
    assert!(develop(&planes, PlaneCoding::default(), RGB).unwrap().is_none());
}

/// One pixel by the definition, without any of the above's short cuts.
fn defined(y: f64, u: f64, v: f64, coding: PlaneCoding, bits: u8) -> [f64; 3] {
    let unit = 2f64.powi(i32::from(bits) - 8);
    let top = 2f64.powi(bits.into()) - 1.0;
    let luma = |value: f64| if coding.full { value / top } else { (value - 16.0 * unit) / (219.0 * unit) };
    let none = 128.0 * unit;
    let chroma = |value: f64| if coding.full { (value - none) / top } else { (value - none) / (224.0 * unit) };
    let rgb = match coding.matrix {
        0 => [luma(v), luma(y), luma(u)],
        8 => [luma(y) - chroma(u) + chroma(v), luma(y) + chroma(u), luma(y) - chroma(u) - chroma(v)],
        matrix => {
            let (kr, kb) = match matrix {
                1 => (0.2126, 0.0722),
                9 => (0.2627, 0.0593),
                _ => (0.299, 0.114),
            };
            let r = luma(y) + 2.0 * (1.0 - kr) * chroma(v);
            let b = luma(y) + 2.0 * (1.0 - kb) * chroma(u);
            [r, (luma(y) - kr * r - kb * b) / (1.0 - kr - kb), b]
        }
    };
    rgb.map(|value| value.clamp(0.0, 1.0) * 255.0)
}

proptest! {
    #[test]
    fn every_pixel_is_what_the_definition_says(
        (width, height) in (1u32..40, 1u32..7), (across, down) in (1u32..3, 1u32..3), bits in prop_oneof![Just(8u8), Just(10), Just(12)],
        matrix in prop_oneof![Just(0u16), Just(1), Just(6), Just(8), Just(9)], full: bool, seed: u32,
    ) {
        let noise = |plane: u32| move |x: u32, y: u32| {
            let mixed = (seed ^ (x * 7919 + y * 104_729 + plane * 15_485_863)).wrapping_mul(2_654_435_761);
            (mixed >> 16) as u16 >> (16 - bits)
        };
        let (w, h) = (width.div_ceil(across), height.div_ceil(down));
        let y = Own::new(width, height, bits, noise(0));
        let (u, v) = (Own::new(w, h, bits, noise(1)), Own::new(w, h, bits, noise(2)));
        let planes = CodedPlanes { first: y.samples(), chroma: Some([u.samples(), v.samples()]), alpha: None };
        let coding = PlaneCoding { matrix, full };
        let rgb = develop(&planes, coding, RGB).unwrap().unwrap();
        // The two nearest samples of an axis and the share of the second.
        let pair = |at: u32, by: u32, count: u32| {
            if by == 1 || count == 1 {
                return (at / by, at / by, 0.0);
            }
            let place = (f64::from(at) + 0.5) / 2.0 - 0.5;
            let low = place.floor();
            let clamp = |value: f64| value.clamp(0.0, f64::from(count - 1)) as u32;
            (clamp(low), clamp(low + 1.0), place - low)
        };
        for (at, got) in rgb.chunks_exact(3).enumerate() {
            let (px, py) = (at as u32 % width, at as u32 / width);
            let ((x0, x1, sx), (y0, y1, sy)) = (pair(px, across, w), pair(py, down, h));
            let chroma = |plane: u32| {
                let of = noise(plane);
                let line = |y| f64::from(of(x0, y)) * (1.0 - sx) + f64::from(of(x1, y)) * sx;
                line(y0) * (1.0 - sy) + line(y1) * sy
            };
            let want = defined(noise(0)(px, py).into(), chroma(1), chroma(2), coding, bits);
            for (got, want) in got.iter().zip(want) {
                prop_assert!((f64::from(*got) - want).abs() <= 0.51, "{px} {py}: {got}, not {want}");
            }
        }
    }
}
