//! A picture that its decoder reduces is neither stretched nor moved by it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::picture::Channels;
use crate::plan::{Axes, Axis, Box2, Enlarge, Mode, Resize, Rotate, Step};
use crate::plan::{Limits, Plan};

/// A JPEG that grows brighter evenly to the right and downwards.
fn ramp(width: u32, height: u32, exif: Option<Vec<u8>>) -> Vec<u8> {
    let part = |at: u32, of: u32| (f64::from(at) + 0.5) / f64::from(of);
    let of = |at: u32| (20.0 + 140.0 * part(at % width, width) + 70.0 * part(at / width, height)).round() as u8;
    let pixels = Pixels::new(width, height, Channels::Grey, (0..width * height).map(of).collect()).unwrap();
    let options = encode::Options {
        quality: Some(98),
        lossless: false,
        near_lossless: 0,
        progressive: false,
        effort: Effort::Interactive,
        threads: 1,
        frames: 1,
        budget_ms: 0,
        hurry: encode::Hurry::default(),
        exif,
        space: Space::Srgb,
    };
    let mut encoder = encode::open(Format::Jpeg, width, height, options, None).unwrap();
    encoder.add(Frame { pixels, delay_ms: 0 }).unwrap();
    encoder.finish().unwrap()
}

fn made(source: &[u8], steps: Vec<Step>, light: Light) -> Pixels {
    let job = Job {
        plan: Plan { steps, ..Plan::identity() },
        format: Format::Png,
        limits: Limits::default(),
        policy: Policy { resample: light, ..Policy::default() },
        effort: Effort::Interactive,
        threads: 1,
        budget_ms: 10_000,
        full_ms: 0,
    };
    let (bytes, _) = convert(source, &job).unwrap();
    let header = probe::probe(&bytes).unwrap();
    decode::open(&bytes, &header, &decode::Wanted::default()).unwrap().next_frame().unwrap().unwrap().pixels
}

fn exact(w: u32, h: u32) -> Step {
    let target = Box2 { w: Some(w), h: Some(h), axes: Axes::WidthHeight };
    Step::Resize(Resize { mode: Mode::Exact(target), enlarge: Enlarge::Allow })
}

/// By how many of its pixels, at most, the result lies beside its place to the right, away from the edges, where a filter has
/// nothing to look at.
fn moved(pixels: &Pixels) -> f64 {
    let (width, height) = (pixels.width(), pixels.height());
    let slope = 140.0 / f64::from(width);
    let n = pixels.channels().count();
    let row = |y: u32| pixels.rows().nth(y as usize).unwrap();
    (3..width - 3)
        .map(|x| {
            // Averages of a column, which even out rounding.
            let (mut got, mut want) = (0.0, 0.0);
            for y in 3..height - 3 {
                got += f64::from(row(y)[x as usize * n]);
                want += 20.0
                    + 140.0 * (f64::from(x) + 0.5) / f64::from(width)
                    + 70.0 * (f64::from(y) + 0.5) / f64::from(height);
            }
            ((got - want) / f64::from(height - 6) / slope).abs()
        })
        .fold(0.0, f64::max)
}

#[test]
fn a_reduced_jpeg_keeps_its_place() {
    for light in [Light::Gamma, Light::Linear] {
        for more in [0, 1, 3, 5, 7] {
            // Each is reduced by eight before it is resampled.
            let source = ramp(321 + more, 160 + more, None);
            let off = moved(&made(&source, vec![exact(14, 14)], light));
            assert!(off < 0.08, "{light:?}, {} pixels wide: {off:.2} pixels beside its place", 321 + more);
        }
    }
}

/// What is cut out of a thin picture before it is enlarged is what would be cut out of it afterwards.
#[test]
fn a_thin_picture_looks_the_same_either_way() {
    let colour = |at: u32| {
        let (x, y) = (at % 90, at / 90);
        [(x * 37 % 256) as u8, (y * 90) as u8, (x * 11 + y * 50) as u8]
    };
    let thin = Pixels::new(90, 3, Channels::Rgb, (0..270).flat_map(colour).collect()).unwrap();
    let fill = crate::plan::geometry::lay_out(
        &"fill,w=40,h=32,at=center,up=allow|source".parse().unwrap(),
        &Source { format: Format::Png, width: 90, height: 3, orientation: 1, frames: 1, alpha: false },
        Format::Png,
        &Limits::default(),
    );
    let [op @ GeometryOp::Part { .. }] = fill.unwrap().ops[..] else { panic!("all of it is scaled") };
    for light in [Light::Gamma, Light::Linear] {
        let got = transform::apply(thin.clone(), &op, true, light).unwrap();
        let all = transform::apply(thin.clone(), &GeometryOp::Resize { width: 960, height: 32 }, true, light).unwrap();
        let want =
            transform::apply(all, &GeometryOp::Crop { x: 460, y: 0, width: 40, height: 32 }, true, light).unwrap();
        let off = got.data().iter().zip(want.data()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off <= 2, "{light:?}: {off}");
    }
}

#[test]
fn so_does_one_that_is_turned_first() {
    let size = (321, 322);
    let back = |degrees| Step::Rotate(Rotate { degrees, max_side: None });
    // Turned there and back again, so that the ramp lies as it did, with a resampling in between.
    for (first, last) in [(back(90), back(270)), (back(180), back(180)), (back(270), back(90))] {
        let source = ramp(size.0, size.1, None);
        let off = moved(&made(&source, vec![first.clone(), exact(16, 16), last], Light::Gamma));
        assert!(off < 0.08, "{first:?}: {off:.2}");
    }
    for axis in [Axis::Horizontal, Axis::Vertical] {
        let source = ramp(size.0, size.1, None);
        let off = moved(&made(&source, vec![Step::Flip(axis), exact(16, 16), Step::Flip(axis)], Light::Gamma));
        assert!(off < 0.08, "{axis:?}: {off:.2}");
    }
}
