#![allow(clippy::unwrap_used, clippy::expect_used)]
use super::curve::pq;
use super::*;

fn codes(nits: f32, bits: u8) -> [u16; 3] {
    [(pq(nits) * ((1u32 << bits) - 1) as f32).round() as u16; 3]
}

/// One pixel through the whole way, of a picture that is at most so bright.
fn map(transfer: Transfer, primaries: Primaries, bits: u8, peak: f32, codes: [u16; 3]) -> [u8; 3] {
    Mapper::new(CodedLight::new(transfer, primaries, bits), peak, Space::Srgb).pixel(codes)
}

#[test]
fn curves_meet_their_reference_points() {
    // BT.2408: reference white is 58 % of PQ and 75 % of HLG.
    assert!((curve::from_pq(0.58) - 203.0).abs() < 3.0, "{}", curve::from_pq(0.58));
    assert_eq!(curve::from_pq(0.0), 0.0);
    assert!((curve::from_pq(1.0) - 10_000.0).abs() < 1.0);
    let hlg = CodedLight::new(Transfer::Hlg, Primaries::Bt2020, 10).of([767; 3])[0];
    assert!((hlg - 203.0).abs() < 2.0, "{hlg}");
    for light in [0.1, 1.0, 10.0, 100.0, 203.0, 1_000.0, 4_000.0] {
        assert!((curve::from_pq(pq(light)) / light - 1.0).abs() < 1e-3);
    }
}

/// The expected values were computed apart from this code, in 64 bits, from the text of BT.2390.
#[test]
fn known_light_comes_out_as_the_curve_says() {
    let table: [(f32, &[(f32, u8)]); 4] = [
        (203.0, &[(0.0, 0), (1.0, 15), (10.0, 63), (50.0, 136), (100.0, 186), (150.0, 223), (203.0, 255)]),
        (600.0, &[(50.0, 136), (100.0, 186), (150.0, 219), (203.0, 237), (300.0, 250), (500.0, 255)]),
        (1_000.0, &[(1.0, 15), (50.0, 136), (100.0, 186), (150.0, 213), (203.0, 229), (300.0, 243), (500.0, 253)]),
        (
            10_000.0,
            &[(10.0, 63), (50.0, 131), (100.0, 164), (203.0, 195), (500.0, 226), (1_000.0, 241), (4_000.0, 254)],
        ),
    ];
    for (peak, values) in table {
        for &(nits, want) in values {
            let got = map(Transfer::Pq, Primaries::Bt2020, 16, peak, codes(nits, 16));
            assert!(got.iter().all(|got| got.abs_diff(want) <= 1), "{nits} of {peak}: {got:?}, not {want}");
        }
    }
    for (value, want) in [(0.25f32, 61u8), (0.5, 137), (0.75, 229), (0.9, 253), (1.0, 255)] {
        let code = (value * 1023.0).round() as u16;
        let got = map(Transfer::Hlg, Primaries::Bt2020, 10, 1_000.0, [code; 3]);
        assert!(got.iter().all(|got| got.abs_diff(want) <= 1), "HLG {value}: {got:?}, not {want}");
    }
}

#[test]
fn mapping_is_monotonic_and_keeps_black_white_and_grey() {
    for (transfer, peak) in [(Transfer::Pq, 1_000.0), (Transfer::Pq, 10_000.0), (Transfer::Hlg, 1_000.0)] {
        for primaries in [Primaries::Srgb, Primaries::DisplayP3, Primaries::Bt2020] {
            let mapper = Mapper::new(CodedLight::new(transfer, primaries, 10), peak, Space::Srgb);
            let mut last = 0;
            for code in 0..1024 {
                let [r, g, b] = mapper.pixel([code; 3]);
                assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{code}: {r} {g} {b}");
                assert!(g >= last, "{code}");
                last = g;
            }
            assert_eq!(mapper.pixel([0; 3]), [0; 3]);
            assert_eq!(last, 255);
        }
    }
}

/// Of a picture with light up to 1000 cd/m², what lies between 300 and 800 must stay apart.
#[test]
fn highlights_are_not_cut_off() {
    let at = |nits| map(Transfer::Pq, Primaries::Bt2020, 16, 1_000.0, codes(nits, 16))[1];
    assert!(at(300.0) < at(400.0) && at(400.0) < at(600.0) && at(600.0) < 255, "{} {}", at(300.0), at(600.0));
}

#[test]
fn colours_outside_of_the_gamut_keep_lightness_and_hue() {
    let mapper = Mapper::new(CodedLight::new(Transfer::Pq, Primaries::Bt2020, 16), 203.0, Space::Srgb);
    let [white, none] = [codes(203.0, 16)[0], 0];
    let light = |value: u8| {
        let value = f32::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    for (pixel, luminance, order) in [
        ([white, none, none], 0.2627, [0, 2, 1]),
        ([none, white, none], 0.678, [1, 2, 0]),
        ([none, none, white], 0.0593, [2, 1, 0]),
    ] {
        let got = mapper.pixel(pixel);
        let [r, g, b] = got.map(light);
        let found = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        assert!((found - luminance).abs() < 0.01, "{got:?} has {found}, not {luminance}");
        assert!(got[order[0]] > got[order[1]].max(got[order[2]]), "{got:?}");
    }
    // A colour that both gamuts hold stays what it is: half of sRGB's red in BT.2020.
    let half = [0.6274 * 101.5, 0.0691 * 101.5, 0.0164 * 101.5].map(|nits| codes(nits, 16)[0]);
    let [r, g, b] = mapper.pixel(half);
    assert!(r.abs_diff(188) <= 1 && g <= 3 && b <= 3, "{r} {g} {b}");
    // The wider target holds more of it.
    let wide = Mapper::new(CodedLight::new(Transfer::Pq, Primaries::DisplayP3, 16), 203.0, Space::DisplayP3);
    assert_eq!(wide.pixel([white, none, none]), [255, 0, 0]);
}

#[test]
fn a_picture_is_mapped_from_its_own_brightest_light() {
    let of = |pixels: &[[u16; 3]]| {
        let (light, mut meter) = (CodedLight::new(Transfer::Pq, Primaries::Bt2020, 16), Meter::new());
        meter.row(&light, pixels.as_flattened(), Channels::Rgb);
        meter.peak(&light)
    };
    let dull = of(&[codes(50.0, 16), codes(120.0, 16)]);
    assert!((dull - 120.0).abs() < 3.0, "{dull}");
    let bright = of(&[codes(50.0, 16), codes(700.0, 16)]);
    assert!((bright - 700.0).abs() < 10.0, "{bright}");
    // One glint in 20,000 pixels does not count, ten do.
    let mut many = vec![codes(100.0, 16); 20_000];
    many[7] = codes(9_000.0, 16);
    assert!(of(&many) < 105.0);
    many[..10].fill(codes(9_000.0, 16));
    assert!(of(&many) > 8_500.0);
}

#[test]
fn what_a_file_declares_bounds_what_was_measured() {
    let mapped = |declared, moving| {
        let light = CodedLight::new(Transfer::Pq, Primaries::Bt2020, 16);
        let mapper = mapper(light, Brightness { declared, moving }, Space::Srgb, |meter, light| {
            meter.row(light, codes(4_000.0, 16).as_slice(), Channels::Rgb);
        });
        mapper.pixel(codes(203.0, 16))[0]
    };
    assert_eq!(mapped(None, false), 208, "measured");
    assert!(mapped(Some(1_000.0), false).abs_diff(229) <= 1, "declared");
    assert!(mapped(None, true).abs_diff(229) <= 1, "a frame is mapped as is usual");
    assert_eq!(mapped(Some(f32::NAN), false), 208);
    assert_eq!(mapped(Some(-5.0), false), 208);
}

#[test]
fn alpha_and_grey_pass() {
    let mapper = Mapper::new(CodedLight::new(Transfer::Pq, Primaries::Bt2020, 10), 203.0, Space::Srgb);
    let white = codes(203.0, 10)[0];
    let mut out = [9; 4];
    mapper.row(&[white, white, white, 512], Channels::Rgba, &mut out);
    assert!(out[..3].iter().all(|value| *value >= 254) && out[3] == 128, "{out:?}");
    let mut out = [9; 2];
    mapper.row(&[white, 1023], Channels::GreyAlpha, &mut out);
    assert!(out[0] >= 254 && out[1] == 255, "{out:?}");
}
