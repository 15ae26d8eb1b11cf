#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::plan::canonical::tests::any_plan;
use proptest::prelude::*;

fn still(width: u32, height: u32) -> Source {
    Source { format: Format::Jpeg, width, height, orientation: 1, frames: 1, alpha: false }
}

fn moving(width: u32, height: u32) -> Source {
    Source { format: Format::Gif, frames: 60, ..still(width, height) }
}

/// Size of the result of a canonical text.
fn size(source: &Source, text: &str) -> Result<(u32, u32), Kind> {
    let plan: Plan = text.parse().expect(text);
    lay_out(&plan, source, source.format, &Limits::default())
        .map(|layout| (layout.width, layout.height))
        .map_err(|error| error.kind)
}

fn ops(source: &Source, text: &str) -> Vec<GeometryOp> {
    let plan: Plan = text.parse().expect(text);
    lay_out(&plan, source, source.format, &Limits::default()).expect(text).ops
}

#[test]
fn rounds_to_the_nearest_and_halves_up() {
    assert_eq!(size(&still(424, 333), "fit,w=100,up=skip|source"), Ok((100, 79)));
    assert_eq!(size(&still(333, 424), "fit,w=100,up=skip|source"), Ok((100, 127)));
    assert_eq!(size(&still(3924, 2550), "fit,h=600,up=skip|source"), Ok((923, 600)));
    assert_eq!(size(&still(400, 267), "fit,w=200,up=skip|source"), Ok((200, 134)));
    assert_eq!(size(&still(9000, 1), "fit,w=3,up=skip|source"), Ok((3, 1)));
}

#[test]
fn animated_sources_are_never_enlarged() {
    for text in ["fit,w=800,up=allow|source", "fit,w=800,up=only|source", "exact,w=800,h=10,up=allow|source"] {
        assert_eq!(size(&moving(400, 300), text), Ok((400, 300)), "{text}");
    }
    // Not even when one frame is left of them.
    assert_eq!(size(&moving(400, 300), "fit,w=800,up=allow|source,first"), Ok((400, 300)));
    assert_eq!(size(&moving(400, 300), "fit,w=200,up=allow|source"), Ok((200, 150)));
}

#[test]
fn an_inward_offset_is_clipped_at_the_far_edge() {
    let crop = |x, y, width, height| vec![GeometryOp::Crop { x, y, width, height }];
    let source = still(1000, 500);
    let text = |dx| format!("crop,w=600,h=400,at=southeast,dx={dx},dy=10,to=in|source");
    assert_eq!(ops(&source, &text(100)), crop(300, 90, 600, 400));
    assert_eq!(ops(&source, &text(500)), crop(0, 90, 500, 400));
    assert_eq!(size(&source, &text(1000)), Err(Kind::CropOutside));
    // Centred axes have no inward.
    assert_eq!(ops(&source, "crop,w=600,h=400,at=center,dx=999,dy=999,to=in|source"), crop(200, 50, 600, 400));
}

#[test]
fn an_offset_to_the_right_and_down_is_clipped_or_outside() {
    let source = still(400, 267);
    let crop = GeometryOp::Crop { x: 210, y: 77, width: 190, height: 190 };
    assert_eq!(ops(&source, "crop,w=200,h=200,at=southeast,dx=10,dy=10,to=rd|source"), vec![crop]);
    assert_eq!(size(&source, "crop,at=northwest,dx=400,dy=0,to=rd|source"), Err(Kind::CropOutside));
}

#[test]
fn a_pad_obeys_its_enlargement() {
    let source = still(300, 200);
    assert_eq!(size(&source, "pad,w=600,h=600,color=ffffff,up=allow|source"), Ok((600, 600)));
    assert_eq!(size(&source, "pad,w=600,h=600,color=ffffff,up=skip|source"), Ok((300, 200)));
    assert_eq!(ops(&source, "pad,w=600,h=600,color=ffffff,up=clamp|source"), vec![]);
    assert_eq!(size(&source, "pad,w=100,h=600,color=ffffff,up=only|source"), Ok((300, 200)));
    let pad = GeometryOp::Pad { width: 150, height: 80, x: 0, y: 2, color: Rgb::WHITE };
    assert_eq!(
        ops(&still(200, 100), "pad,w=150,h=80,color=ffffff,up=skip|source"),
        vec![GeometryOp::Resize { width: 150, height: 75 }, pad]
    );
}

#[test]
fn an_area_is_an_upper_bound_even_for_a_hair() {
    assert_eq!(size(&still(1000, 500), "area,px=20000,up=skip|source"), Ok((200, 100)));
    assert_eq!(size(&still(5000, 1), "area,px=5,up=skip|source"), Ok((5, 1)));
    assert_eq!(size(&still(1, 1), "area,px=18446744073709551615,up=allow|source"), Err(Kind::OutputTooLarge));
}

#[test]
fn a_ceiling_looks_at_its_place_in_the_row() {
    let source = still(5000, 4000);
    let code =
        |text: &str| lay_out(&text.parse().unwrap(), &source, Format::Jpeg, &Limits::default()).map_err(|e| e.code);
    assert_eq!(code("ceiling,px=9437184,code=14|source").map(|_| ()), Err(Some(14)));
    assert!(code("fit,w=300,up=skip;ceiling,px=9437184,code=14|source").is_ok());
    assert!(code("ceiling,px=9437184,spare=1|source").is_ok());
    assert_eq!(code("fit,w=4900,up=skip;ceiling,px=9437184,spare=1|source").map(|_| ()), Err(None));
}

#[test]
fn a_thin_picture_is_cut_before_it_is_enlarged() {
    let ops = |source: &Source, text: &str| {
        lay_out(&text.parse().unwrap(), source, Format::Jpeg, &Limits::default()).map(|layout| layout.ops)
    };
    let part = |(x, y): (u64, u64), (across, down): (u64, u64), (width, height)| {
        Ok(vec![GeometryOp::Part { x: x * UNIT, y: y * UNIT, across: across * UNIT, down: down * UNIT, width, height }])
    };
    for (at, x) in [("west", 0), ("center", 495), ("east", 990)] {
        let text = format!("fill,w=500,h=500,at={at},up=allow|source");
        assert_eq!(ops(&still(1000, 10), &text), part((x, 0), (10, 10), (500, 500)), "{at}");
    }
    assert_eq!(
        ops(&still(10, 1000), "fill,w=500,h=500,at=south,up=allow|source"),
        part((0, 990), (10, 10), (500, 500))
    );
    assert_eq!(
        ops(&still(30_000, 1), "fill,w=4000,h=4000,at=west,up=allow|source"),
        part((0, 0), (1, 1), (4000, 4000))
    );
    // Where little is cut off, or nothing is enlarged, all of it is scaled.
    let scaled = |text: &str, source| {
        matches!(ops(&source, text).unwrap()[..], [GeometryOp::Resize { .. }, GeometryOp::Crop { .. }])
    };
    assert!(scaled("fill,w=500,h=500,at=center,up=allow|source", still(300, 100)));
    assert!(scaled("fill,w=50,h=50,at=center,up=allow|source", still(9000, 100)));
}

#[test]
fn results_are_bound_by_format_and_by_pixels() {
    let size = |source: &Source, text: &str, format| {
        lay_out(&text.parse().unwrap(), source, format, &Limits::default()).map(|layout| (layout.width, layout.height))
    };
    let one = still(1000, 500);
    for format in Format::ALL {
        let most = match format {
            Format::Avif | Format::Heif | Format::Tpg => 9_999,
            Format::WebP => 16_383,
            _ => 50_000,
        };
        let fits = |side: u32| size(&one, &format!("exact,w={side},h=100,up=allow|source"), format).is_ok();
        assert_eq!((fits(most), fits(most + 1)), (true, false), "{format:?}");
        // What is not resized may be as large as the original is, but for the formats that are bound themselves.
        let whole = |source: &Source| size(source, "|source", format).is_ok();
        let large = Source { format, ..still(12_000, 100) };
        assert!(whole(&large), "{format:?}: its own");
        assert_eq!(whole(&still(12_000, 100)), most > 12_000, "{format:?}");
    }
    assert!(size(&one, "exact,w=25000,h=10000,up=allow|source", Format::Png).is_ok());
    assert!(size(&one, "exact,w=25000,h=10001,up=allow|source", Format::Png).is_err());
    let moving = Source { format: Format::Gif, frames: 300, ..still(1200, 1200) };
    assert!(size(&moving, "exact,w=900,h=900,up=allow|source", Format::Gif).is_ok());
    assert!(size(&moving, "exact,w=1000,h=1000,up=skip|source", Format::Gif).is_err(), "300 megapixels");
    let limits = Limits { output_side: 300, ..Limits::default() };
    assert!(lay_out(&"fit,w=301,up=allow|source".parse().unwrap(), &one, Format::Avif, &limits).is_err());
}

#[test]
fn turning_by_nothing_is_not_turning() {
    assert_eq!(size(&still(5100, 3000), "turn,deg=0,max=4096|source"), Ok((5100, 3000)));
    assert_eq!(size(&still(5100, 3000), "turn,deg=90,max=4096|source"), Err(Kind::RotateTooLarge));
    assert_eq!(size(&still(400, 267), "turn,deg=70|source"), Ok((388, 467)));
}

#[test]
fn sources_are_judged_by_their_header() {
    let limits = Limits::default();
    let judge = |source: &Source| check_source(source, &limits).map_err(|error| error.kind);
    assert_eq!(judge(&still(30_000, 8_000)), Ok(()));
    assert_eq!(judge(&still(30_001, 8)), Err(Kind::SourceSide));
    assert_eq!(judge(&still(20_000, 13_000)), Err(Kind::SourcePixels));
    assert_eq!(judge(&Source { frames: 301, ..moving(10, 10) }), Err(Kind::SourceFrames));
    assert_eq!(judge(&Source { frames: 300, ..moving(1000, 1000) }), Err(Kind::SourcePixels));
    // Each limit is the last that is taken.
    let limits = &Limits { source_pixels: 250_000_000, ..limits };
    let judge = |source: &Source| check_source(source, limits).map_err(|error| error.kind);
    assert_eq!(judge(&still(25_000, 10_000)), Ok(()));
    assert_eq!(judge(&still(25_001, 10_000)), Err(Kind::SourcePixels));
    assert_eq!(judge(&Source { frames: 250, ..moving(1000, 1000) }), Ok(()));
    assert_eq!(judge(&Source { frames: 251, ..moving(1000, 1000) }), Err(Kind::SourcePixels));
    assert_eq!(judge(&still(8, limits.source_side)), Ok(()));
    assert_eq!(judge(&still(8, limits.source_side + 1)), Err(Kind::SourceSide));
    assert_eq!(judge(&Source { frames: limits.frames, ..moving(10, 10) }), Ok(()));
}

proptest! {
    #[test]
    fn every_size_is_at_least_one_and_within_limits(
        plan in any_plan(), width in 1u32..=70_000, height in 1u32..=70_000, orientation in 0u8..=9, frames in 0u32..4,
    ) {
        let source = Source { format: Format::Gif, width, height, orientation, frames, alpha: true };
        let limits = Limits::default();
        let Ok(layout) = lay_out(&plan, &source, Format::WebP, &limits) else { return Ok(()) };
        let longest = layout.width.max(layout.height);
        let untouched = |op: &GeometryOp| {
            matches!(op, GeometryOp::Orient(_) | GeometryOp::Effect(_) | GeometryOp::Mark { .. })
        };
        prop_assert!(layout.width >= 1 && layout.height >= 1);
        let pixels = u64::from(layout.width) * u64::from(layout.height) * u64::from(layout.frames);
        let within = longest <= limits.side_in(Format::WebP) && pixels <= limits.output_pixels;
        prop_assert!(within || layout.ops.iter().all(untouched));
        prop_assert!((1..=8).contains(&layout.orientation) || layout.orientation == source.orientation);
        // The operations lead from the source's size to the result's, each inside of what the one before left.
        let (mut w, mut h) = (width, height);
        for op in &layout.ops {
            match *op {
                GeometryOp::Orient(o) => if o >= 5 { std::mem::swap(&mut w, &mut h) },
                GeometryOp::Turn(quarters) => if quarters != 2 { std::mem::swap(&mut w, &mut h) },
                GeometryOp::Resize { width, height } => (w, h) = (width, height),
                GeometryOp::Part { x, y, across, down, width, height } => {
                    prop_assert!(across > 0 && down > 0);
                    prop_assert!(x + across <= u64::from(w) * UNIT && y + down <= u64::from(h) * UNIT);
                    (w, h) = (width, height);
                }
                GeometryOp::Rotate { width, height, .. } => (w, h) = (width, height),
                GeometryOp::Flip(_) | GeometryOp::Effect(_) | GeometryOp::Disc => {}
                GeometryOp::Mark { width, height, .. } => prop_assert_eq!((w, h), (width, height)),
                GeometryOp::Corners(radius) => prop_assert!(radius >= 1 && radius <= w.min(h) / 2),
                GeometryOp::Crop { x, y, width, height } => {
                    prop_assert!(x.checked_add(width).is_some_and(|end| end <= w));
                    prop_assert!(y.checked_add(height).is_some_and(|end| end <= h));
                    (w, h) = (width, height);
                }
                GeometryOp::Pad { width, height, x, y, .. } => {
                    prop_assert!(x.checked_add(w).is_some_and(|end| end <= width));
                    prop_assert!(y.checked_add(h).is_some_and(|end| end <= height));
                    (w, h) = (width, height);
                }
            }
            prop_assert!(w >= 1 && h >= 1);
        }
        prop_assert_eq!((w, h), (layout.width, layout.height));
    }
}

#[test]
fn only_a_png_source_moves_as_png() {
    let plan: Plan = "fit,w=5,up=skip|source".parse().unwrap();
    let frames = |format| {
        let source = Source { format, width: 10, height: 10, orientation: 1, frames: 60, alpha: true };
        lay_out(&plan, &source, Format::Png, &Limits::default()).unwrap().frames
    };
    assert_eq!((frames(Format::Png), frames(Format::Gif)), (60, 1));
}
