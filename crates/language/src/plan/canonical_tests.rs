#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::error::Kind;
use crate::plan::effect::tests::{any_effect, any_shape};
use crate::plan::mark_text::tests::any_mark;
use proptest::prelude::*;

fn any_box() -> impl Strategy<Value = Box2> {
    let side = || proptest::option::of(1u32..20_000);
    (side(), side(), any::<bool>()).prop_map(|(w, h, long)| Box2 {
        w: if h.is_none() { w.or(Some(1)) } else { w },
        h,
        axes: if long { Axes::LongShort } else { Axes::WidthHeight },
    })
}

fn any_gravity() -> impl Strategy<Value = Gravity> {
    (0usize..9).prop_map(|i| Gravity::GRID[i])
}

fn any_resize() -> impl Strategy<Value = Resize> {
    let color = any::<[u8; 3]>().prop_map(|[r, g, b]| Rgb { r, g, b });
    let mode = prop_oneof![
        any_box().prop_map(Mode::Fit),
        any_box().prop_map(Mode::Cover),
        (any_box(), any_gravity()).prop_map(|(b, g)| Mode::Fill(b, g)),
        (any_box(), color).prop_map(|(b, c)| Mode::Pad(b, c)),
        any_box().prop_map(Mode::Exact),
        (1u32..20_000, 1u32..20_000).prop_map(|(x, y)| Mode::Percent { x, y }),
        (1u64..500_000_000).prop_map(Mode::Area),
    ];
    (mode, 0usize..4).prop_map(|(mode, up)| Resize { mode, enlarge: Enlarge::ALL[up] })
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![9 => any_plain_step(), 1 => any_mark().prop_map(|mark| Step::Mark(Box::new(mark)))]
}

/// Any but a mark.
pub(in crate::plan) fn any_plain_step() -> impl Strategy<Value = Step> {
    let side = || proptest::option::of(1u32..20_000);
    prop_oneof![
        Just(Step::AutoOrient),
        any_resize().prop_map(Step::Resize),
        (side(), side(), any_gravity(), 0u32..9000, 0u32..9000, any::<bool>()).prop_map(
            |(w, h, gravity, dx, dy, inward)| {
                let offset = if inward { Offset::Inward } else { Offset::RightDown };
                Step::Crop(Crop { w, h, gravity, dx, dy, offset })
            }
        ),
        (prop_oneof![0u16..=360, Just(90), Just(180), Just(270)], proptest::option::of(1u32..9999))
            .prop_map(|(degrees, max_side)| Step::Rotate(Rotate { degrees, max_side })),
        any::<bool>().prop_map(|h| Step::Flip(if h { Axis::Horizontal } else { Axis::Vertical })),
        (1u64..500_000_000, side(), any::<bool>(), proptest::option::of(any::<i32>())).prop_map(
            |(pixels, side, spare_untouched, code)| Step::Ceiling(Ceiling { pixels, side, spare_untouched, code })
        ),
        any_effect().prop_map(Step::Effect),
        any_shape().prop_map(Step::Shape),
        (side(), side(), 0u32..30).prop_map(|(w, h, index)| Step::Slice(Slice { w, h, index })),
        (1u32..9000, 0u32..9000).prop_map(|(least, more)| Step::Ratio(Ratio { least, most: least + more })),
    ]
}

fn any_output() -> impl Strategy<Value = Output> {
    let format = || (0usize..Format::ALL.len()).prop_map(|i| Format::ALL[i]);
    let target =
        prop_oneof![Just(Target::Source), format().prop_map(Target::Fixed), format().prop_map(Target::OnlyIfSource)];
    let quality = prop_oneof![
        Just(Quality::Default),
        Just(Quality::Lossless),
        (1u8..=100).prop_map(Quality::Capped),
        (1u8..=100).prop_map(Quality::Forced),
        (1u8..=100).prop_map(Quality::Relative),
        (1u8..=100).prop_map(Quality::Auto),
    ];
    let limit = (1u64..1 << 40, any::<bool>()).prop_map(|(bytes, or_original)| SizeLimit { bytes, or_original });
    let limit = proptest::option::of(limit);
    let frames = prop_oneof![
        Just(Frames::All),
        Just(Frames::First),
        (1u32..=300, prop_oneof![1u32..=300, Just(u32::MAX)]).prop_map(|(step, most)| Frames::Every { step, most }),
        (1u32..=300).prop_map(Frames::Only),
    ];
    let ground = prop_oneof![Just(Rgb::WHITE), any::<[u8; 3]>().prop_map(|[r, g, b]| Rgb { r, g, b })];
    let facts = any::<[bool; 3]>().prop_map(|[average, exif, md5]| FactsAsked { average, exif, md5 });
    let facts = proptest::option::weighted(0.2, facts);
    (target, quality, proptest::option::of(1u8..=100), any::<[bool; 3]>(), limit, frames, (ground, facts)).prop_map(
        |(target, quality, quality_floor, [progressive, strip, slim], size_limit, frames, (ground, facts))| Output {
            target,
            quality,
            quality_floor,
            progressive,
            strip,
            frames,
            size_limit,
            slim,
            facts,
            ground,
        },
    )
}

pub(crate) fn any_plan() -> impl Strategy<Value = Plan> {
    let answer = prop_oneof![
        4 => any_output().prop_map(Answer::Image),
        1 => any::<[bool; 3]>().prop_map(|[average, exif, md5]| Answer::Facts(FactsAsked { average, exif, md5 })),
    ];
    (proptest::collection::vec(any_step(), 0..6), answer, any::<bool>())
        .prop_map(|(steps, answer, original_on_error)| Plan { steps, answer, original_on_error })
}

#[test]
fn reads_like_this() {
    let fit = Box2 { w: Some(900), h: None, axes: Axes::WidthHeight };
    let plan = Plan {
        steps: vec![
            Step::AutoOrient,
            Step::Resize(Resize { mode: Mode::Fit(fit), enlarge: Enlarge::Skip }),
            Step::Rotate(Rotate { degrees: 90, max_side: Some(4096) }),
        ],
        answer: Answer::Image(Output {
            target: Target::Fixed(Format::Avif),
            quality: Quality::Capped(80),
            strip: true,
            ..Output::default()
        }),
        original_on_error: true,
    };
    assert_eq!(plan.to_string(), "orient;fit,w=900,up=skip;turn,deg=90,max=4096|avif,q=cap80,strip|original");
    assert_eq!(Plan::identity().to_string(), "|source");
    let size_limit = Some(SizeLimit { bytes: 15_360, or_original: true });
    let output = Output { quality: Quality::AUTO, size_limit, ..Output::default() };
    let plan = Plan { answer: Answer::Image(output), ..Plan::identity() };
    assert_eq!(plan.to_string(), "|source,q=auto70,max=15360!");
    let facts = FactsAsked { average: true, exif: false, md5: true };
    let plan = Plan { answer: Answer::Facts(facts), ..Plan::identity() };
    assert_eq!(plan.to_string(), "|facts,average,md5");
}

#[test]
fn what_was_not_written_here_is_refused() {
    for text in [
        "",
        "fit",
        "|",
        "|nosuch",
        "orient,w=1|source",
        "fit,up=skip|source",
        "|source|x",
        "|source,q=cap",
        "|source,q=auto",
        "|source,max=!",
    ] {
        let error = text.parse::<Plan>().expect_err(text);
        assert_eq!(error.kind, Kind::BadRule, "{text}");
    }
}

proptest! {
    #[test]
    fn parses_back_to_the_equal_plan(plan in any_plan()) {
        prop_assert_eq!(plan.to_string().parse::<Plan>(), Ok(plan));
    }

    #[test]
    fn never_panics_on_any_text(text in "[a-z0-9,;=|.-]{0,60}|.{0,40}") {
        let _ = text.parse::<Plan>();
    }
}
