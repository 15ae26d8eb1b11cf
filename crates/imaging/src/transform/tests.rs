#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::plan::{Axis, Rgb};

fn grey(width: u32, height: u32, data: &[u8]) -> Pixels {
    Pixels::new(width, height, Channels::Grey, data.to_vec()).unwrap()
}

fn parts(pixels: &Pixels) -> (u32, u32, &[u8]) {
    (pixels.width(), pixels.height(), pixels.data())
}

#[test]
fn all_eight_orientations_come_upright() {
    // Each stores the same upright picture 1 2 3 / 4 5 6.
    let stored: [(u32, u32, [u8; 6]); 8] = [
        (3, 2, [1, 2, 3, 4, 5, 6]),
        (3, 2, [3, 2, 1, 6, 5, 4]),
        (3, 2, [6, 5, 4, 3, 2, 1]),
        (3, 2, [4, 5, 6, 1, 2, 3]),
        (2, 3, [1, 4, 2, 5, 3, 6]),
        (2, 3, [3, 6, 2, 5, 1, 4]),
        (2, 3, [6, 3, 5, 2, 4, 1]),
        (2, 3, [4, 1, 5, 2, 6, 3]),
    ];
    for (orientation, (width, height, data)) in (1..).zip(stored) {
        let upright = orient(grey(width, height, &data), orientation).unwrap();
        assert_eq!(parts(&upright), (3, 2, &[1, 2, 3, 4, 5, 6][..]), "orientation {orientation}");
    }
    assert_eq!(orient(grey(1, 1, &[0]), 9).unwrap_err().kind, Kind::Internal);
}

#[test]
fn turns_are_clockwise_and_four_are_none() {
    let picture = || grey(3, 2, &[1, 2, 3, 4, 5, 6]);
    assert_eq!(parts(&turn(picture(), 1).unwrap()), (2, 3, &[4, 1, 5, 2, 6, 3][..]));
    assert_eq!(parts(&turn(picture(), 2).unwrap()), (3, 2, &[6, 5, 4, 3, 2, 1][..]));
    assert_eq!(parts(&turn(picture(), 3).unwrap()), (2, 3, &[3, 6, 2, 5, 1, 4][..]));
    assert_eq!(parts(&turn(picture(), 4).unwrap()), (3, 2, &[1, 2, 3, 4, 5, 6][..]));
}

#[test]
fn a_turn_of_a_picture_larger_than_a_tile_keeps_every_pixel_whole() {
    let (width, height) = (71u32, 45u32);
    for channels in [Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
        let n = channels.count();
        let value = |x: u32, y: u32, c: usize| ((x * 3 + y * 7) as usize + c * 50) as u8;
        let data = (0..height).flat_map(|y| (0..width).flat_map(move |x| (0..n).map(move |c| value(x, y, c))));
        let picture = Pixels::new(width, height, channels, data.collect()).unwrap();
        let turned = turn(picture, 1).unwrap();
        assert_eq!((turned.width(), turned.height()), (height, width));
        for (y, row) in turned.rows().enumerate() {
            for (x, pixel) in row.chunks_exact(n).enumerate() {
                let want: Vec<u8> = (0..n).map(|c| value(y as u32, height - 1 - x as u32, c)).collect();
                assert_eq!(pixel, want, "{channels:?} at ({x}, {y})");
            }
        }
    }
}

#[test]
fn mirrors() {
    let picture = || Pixels::new(2, 3, Channels::GreyAlpha, (1..=12).collect()).unwrap();
    assert_eq!(flip(picture(), Axis::Horizontal).unwrap().data(), [3, 4, 1, 2, 7, 8, 5, 6, 11, 12, 9, 10]);
    assert_eq!(flip(picture(), Axis::Vertical).unwrap().data(), [9, 10, 11, 12, 5, 6, 7, 8, 1, 2, 3, 4]);
}

#[test]
fn a_crop_keeps_its_rectangle_and_one_outside_is_refused() {
    let picture = || grey(4, 3, &(0..12).collect::<Vec<u8>>());
    let op = GeometryOp::Crop { x: 1, y: 1, width: 2, height: 2 };
    assert_eq!(parts(&apply(picture(), &op, false, Light::Gamma).unwrap()), (2, 2, &[5, 6, 9, 10][..]));
    for (x, y, width, height) in [(3, 0, 2, 1), (0, 2, 1, 2), (u32::MAX, 0, 2, 1), (0, 0, 0, 1)] {
        let op = GeometryOp::Crop { x, y, width, height };
        assert_eq!(apply(picture(), &op, false, Light::Gamma).unwrap_err().kind, Kind::Internal);
    }
}

#[test]
fn a_canvas_surrounds_the_picture() {
    let op = |color| GeometryOp::Pad { width: 3, height: 3, x: 1, y: 1, color };
    let padded = apply(grey(1, 1, &[9]), &op(Rgb { r: 7, g: 7, b: 7 }), false, Light::Gamma).unwrap();
    assert_eq!(parts(&padded), (3, 3, &[7, 7, 7, 7, 9, 7, 7, 7, 7][..]));
    let padded = apply(grey(1, 1, &[9]), &op(Rgb { r: 1, g: 2, b: 3 }), false, Light::Gamma).unwrap();
    assert_eq!(padded.channels(), Channels::Rgb);
    assert_eq!(padded.data()[..3], [1, 2, 3]);
    assert_eq!(padded.data()[12..18], [9, 9, 9, 1, 2, 3]);
    let clear = Pixels::new(1, 1, Channels::GreyAlpha, vec![9, 0]).unwrap();
    let padded = apply(clear, &op(Rgb { r: 1, g: 2, b: 3 }), true, Light::Gamma).unwrap();
    assert_eq!(padded.channels(), Channels::Rgba);
    assert_eq!(padded.data()[12..20], [1, 2, 3, 255, 9, 9, 9, 0]);
    let op = GeometryOp::Pad { width: 3, height: 3, x: 3, y: 0, color: Rgb::WHITE };
    assert_eq!(apply(grey(1, 1, &[9]), &op, false, Light::Gamma).unwrap_err().kind, Kind::Internal);
}

#[test]
fn resampling_keeps_a_flat_colour() {
    for channels in [Channels::Grey, Channels::GreyAlpha, Channels::Rgb, Channels::Rgba] {
        let colour = &[200u8, 100, 50, 255][4 - channels.count()..];
        let flat = |width: u32, height: u32| -> Pixels {
            let data = colour.iter().copied().cycle().take((width * height) as usize * channels.count());
            Pixels::new(width, height, channels, data.collect()).unwrap()
        };
        for (width, height) in [(7, 5), (1, 1), (40, 31)] {
            let out = apply(flat(20, 30), &GeometryOp::Resize { width, height }, true, Light::Gamma).unwrap();
            assert_eq!(out.data(), flat(width, height).data(), "{channels:?} {width} x {height}");
        }
    }
}

#[test]
fn what_hides_under_transparency_never_shows() {
    // The left half is red, the right half is transparent over green.
    let row = [[255u8, 0, 0, 255]; 8].into_iter().chain([[0, 255, 0, 0]; 8]).flatten();
    let data: Vec<u8> = row.collect::<Vec<u8>>().repeat(16);
    let picture = Pixels::new(16, 16, Channels::Rgba, data).unwrap();
    for (width, height) in [(5, 5), (33, 20)] {
        let out = apply(picture.clone(), &GeometryOp::Resize { width, height }, true, Light::Gamma).unwrap();
        for pixel in out.data().chunks_exact(4).filter(|pixel| pixel[3] > 0) {
            assert_eq!(pixel[..3], [255, 0, 0]);
        }
        assert!(out.data().chunks_exact(4).any(|pixel| !matches!(pixel[3], 0 | 255)));
    }
}

#[test]
fn half_a_quarter_turn_leaves_four_free_corners() {
    let picture = || Pixels::filled(100, 100, Channels::Rgb, 0).unwrap();
    let op = GeometryOp::Rotate { degrees: 45, width: 141, height: 141 };
    let clear = apply(picture(), &op, true, Light::Gamma).unwrap();
    assert_eq!((clear.width(), clear.height(), clear.channels()), (141, 141, Channels::Rgba));
    let white = apply(picture(), &op, false, Light::Gamma).unwrap();
    assert_eq!(white.channels(), Channels::Rgb);
    let corners = [0, 140, 141 * 140, 141 * 141 - 1];
    for corner in corners {
        assert_eq!(clear.data()[corner * 4..corner * 4 + 4], [0, 0, 0, 0]);
        assert_eq!(white.data()[corner * 3..corner * 3 + 3], [255, 255, 255]);
    }
    let middle = 141 * 70 + 70;
    assert_eq!(clear.data()[middle * 4..middle * 4 + 4], [0, 0, 0, 255]);
    assert_eq!(white.data()[middle * 3..middle * 3 + 3], [0, 0, 0]);
    // The border is smooth, the area is kept, and both ways of leaving the corners free agree.
    let covered: f64 = clear.data().chunks_exact(4).map(|pixel| f64::from(pixel[3]) / 255.0).sum();
    assert!((covered - 10_000.0).abs() < 30.0, "{covered}");
    assert!(clear.data().chunks_exact(4).any(|pixel| (64..192).contains(&pixel[3])));
    let flat = flatten(clear, Rgb::WHITE).unwrap();
    assert!(flat.data().iter().zip(white.data()).all(|(a, b)| a.abs_diff(*b) <= 1));
}

#[test]
fn rotation_is_clockwise_and_quarters_agree_with_turns() {
    let data: Vec<u8> = (0..35).map(|value| value * 7).collect();
    for (degrees, quarters, width, height) in [(90, 1, 5, 7), (180, 2, 7, 5), (270, 3, 5, 7)] {
        let op = GeometryOp::Rotate { degrees, width, height };
        let rotated = apply(grey(7, 5, &data), &op, false, Light::Gamma).unwrap();
        assert_eq!(parts(&rotated), parts(&turn(grey(7, 5, &data), quarters).unwrap()), "{degrees}");
    }
}

#[test]
fn transparency_is_put_on_its_ground() {
    let rgba = Pixels::new(3, 1, Channels::Rgba, vec![10, 20, 30, 255, 10, 20, 30, 0, 0, 0, 0, 128]).unwrap();
    assert!(!opaque(&rgba));
    let white = flatten(rgba.clone(), Rgb::WHITE).unwrap();
    assert_eq!(white.channels(), Channels::Rgb);
    assert_eq!(white.data(), [10, 20, 30, 255, 255, 255, 127, 127, 127]);
    assert_eq!(drop_alpha(rgba).unwrap().data(), [10, 20, 30, 10, 20, 30, 0, 0, 0]);
    let pale = || Pixels::new(2, 1, Channels::GreyAlpha, vec![9, 255, 9, 0]).unwrap();
    assert_eq!(flatten(pale(), Rgb::WHITE).unwrap().data(), [9, 255]);
    assert_eq!(flatten(pale(), Rgb { r: 1, g: 2, b: 3 }).unwrap().data(), [9, 9, 9, 1, 2, 3]);
    assert!(opaque(&Pixels::filled(2, 2, Channels::Rgba, 255).unwrap()));
    assert!(opaque(&grey(1, 1, &[0])));
    assert_eq!(with_alpha(grey(2, 1, &[3, 4])).unwrap().data(), [3, 255, 4, 255]);
}

#[test]
fn the_average_is_taken_on_white() {
    let rgba = Pixels::new(2, 1, Channels::Rgba, vec![100, 0, 50, 255, 9, 9, 9, 0]).unwrap();
    assert_eq!(average(&rgba), [178, 128, 153]);
    assert_eq!(average(&grey(2, 1, &[0, 255])), [128; 3]);
    assert_eq!(average(&Pixels::new(1, 1, Channels::GreyAlpha, vec![0, 0]).unwrap()), [255; 3]);
}
