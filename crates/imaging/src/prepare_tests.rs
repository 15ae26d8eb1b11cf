#![allow(clippy::unwrap_used)]

use pictor_language::dialect::parse_rule;
use proptest::prelude::*;

use super::*;
use crate::Effort;
use crate::error::Kind;
use crate::plan::Source;

const PACE: Pace = Pace { effort: Effort::Interactive, budget_ms: 0 };
const OFFERED: [Format; 2] = [Format::Avif, Format::WebP];

fn plan(rule: &str) -> Plan {
    parse_rule(rule).unwrap().1
}

fn header(format: Format, width: u32, height: u32) -> Header {
    let source = Source { format, width, height, orientation: 1, frames: 1, alpha: false };
    Header { source, depth: 8, channels: 3, progressive: false, quality: None }
}

fn terms() -> Terms<'static> {
    Terms {
        limits: Limits::default(),
        policy: Policy::default(),
        offered: &[],
        advanced_compression: true,
        writable: Formats::ALL,
    }
}

fn asked<'a>(plan: &'a Plan, header: &'a Header) -> Preparation<'a> {
    let (terms, pace) = (terms(), PACE);
    Preparation { plan, class: Class::default(), header, source: None, marks: Ok(&[]), terms, pace }
}

/// What all ways have in common: a table of rules over originals of every kind.
fn table() -> Vec<(Plan, Header)> {
    let mut all = Vec::new();
    let mut turned = header(Format::Jpeg, 3000, 2000);
    turned.source.orientation = 6;
    let mut moving = header(Format::Gif, 320, 240);
    (moving.source.frames, moving.source.alpha) = (12, true);
    let drawing = header(Format::Svg, 500, 400);
    for header in [header(Format::Png, 64, 48), turned, moving, drawing, header(Format::Heif, 4000, 3000)] {
        for rule in [
            "imageMogr2/thumbnail/300x",
            "imageMogr2/auto-orient/thumbnail/!50p/format/webp",
            "imageMogr2/rotate/30/format/png",
            "imageMogr2/format/avif/quality/90",
            "imageMogr2/cgif/2",
            "imageMogr2/thumbnail/200x|watermark/2/text/dGVzdA",
            "imageSlim",
            "imageInfo",
            "imageAve",
            "x-oss-process=image/resize,m_pad,w_70,h_20/format,jpg",
            "x-oss-process=image/info",
        ] {
            all.push((plan(rule), header));
        }
    }
    all
}

/// A service with a site's settings, a command with a file, a preview, and who only explains: what they know besides the plan
/// and the header changes neither the format, nor the layout, nor what must come of it.
#[test]
fn whoever_asks_gets_the_same_of_the_same_plan_and_header() {
    let bytes = [0; 40_000];
    for (plan, header) in table() {
        let a_second = Pace { budget_ms: 1000, ..PACE };
        let class = negotiate::class(["image/avif,image/webp"], &[]);
        let service = Preparation { source: Some(&bytes), pace: a_second, class, ..asked(&plan, &header) };
        let command = Preparation { source: Some(&bytes), ..asked(&plan, &header) };
        let explained = asked(&plan, &header);
        let results = [service, command.clone(), explained].map(|asked| prepare(asked).unwrap());
        for one in &results {
            let job = &one.job;
            assert_eq!((&job.plan, job.format), (&plan, results[0].job.format), "{plan} {header:?}");
            assert_eq!(one.layout, geometry::lay_out(&plan, &header.source, job.format, &job.limits).unwrap());
            assert_eq!(one.cost.work, results[0].cost.work, "{plan} {header:?}");
        }
        let [service, command_result, explained] = results;
        assert_eq!(service.expected, command_result.expected);
        assert_eq!(service.expected, Expected::of(&service.job, &header, &service.layout, bytes.len() as u64));
        assert!(service.cost.cpu_ms <= command_result.cost.cpu_ms, "less time, less effort: {plan} {header:?}");
        assert!(explained.expected.most_bytes() >= service.expected.most_bytes(), "{plan} {header:?}");
        // The same question again is the same answer.
        let again = prepare(command).unwrap();
        assert_eq!((again.cost, again.layout), (command_result.cost, command_result.layout));
    }
}

#[test]
fn refusals_come_in_one_order() {
    let (large, small) =
        (plan("imageMogr2/thumbnail/20000x/format/heif"), plan("imageMogr2/thumbnail/50x/format/heif"));
    let header = header(Format::Jpeg, 100, 100);
    let unusable = || Err(Error::new(Kind::MarkUnusable, "a mark"));
    let mut asked = Preparation { plan: &large, marks: unusable(), ..asked(&large, &header) };
    asked.terms.advanced_compression = false;
    asked.terms.limits.source_side = 99;
    asked.terms.writable = [Format::Jpeg].into_iter().collect();
    let refused = |asked: &Preparation<'_>| prepare(asked.clone()).unwrap_err().kind;
    assert_eq!(refused(&asked), Kind::AdvancedOff);
    assert_eq!(check_plan(&large, false).unwrap_err().kind, Kind::AdvancedOff, "as who asks before");
    asked.terms.advanced_compression = true;
    assert_eq!(check_plan(&large, true), Ok(()));
    assert_eq!(refused(&asked), Kind::SourceSide);
    asked.terms.limits.source_side = 100;
    assert_eq!(refused(&asked), Kind::UnsupportedTarget);
    asked.terms.writable = Formats::ALL;
    assert_eq!(refused(&asked), Kind::OutputTooLarge);
    asked.plan = &small;
    assert_eq!(refused(&asked), Kind::MarkUnusable);
    asked.marks = Ok(&[]);
    assert_eq!(prepare(asked).unwrap().job.format, Format::Heif);
}

/// Facts are about the original whatever may be written, and are bound by its limits alone.
#[test]
fn facts_need_no_format_that_can_be_written() {
    let (plan, header) = (plan("imageInfo"), header(Format::Jxl, 100, 100));
    let mut asked = asked(&plan, &header);
    asked.terms.advanced_compression = false;
    asked.terms.writable = std::iter::empty().collect();
    let facts = prepare(asked.clone()).unwrap();
    assert_eq!((facts.job.format, facts.cost.work.to), (Format::Jxl, None));
    assert_eq!(facts.expected.most_bytes(), 0);
    asked.terms.limits.source_pixels = 9999;
    assert_eq!(prepare(asked).unwrap_err().kind, Kind::SourcePixels);
}

#[test]
fn what_is_switched_off_is_not_negotiated_either() {
    let (plan, header) = (plan("imageMogr2/thumbnail/50x"), header(Format::Jpeg, 100, 100));
    let class = negotiate::class(["image/avif,image/webp"], &OFFERED);
    let mut asked = Preparation { class, ..asked(&plan, &header) };
    asked.terms.offered = &OFFERED;
    let written = |asked: &Preparation<'_>| prepare(asked.clone()).unwrap().job.format;
    assert_eq!(written(&asked), Format::Avif);
    asked.terms.advanced_compression = false;
    assert_eq!(written(&asked), Format::WebP);
    asked.terms.writable = [Format::Jpeg, Format::Avif].into_iter().collect();
    assert_eq!(written(&asked), Format::Jpeg);
    asked.terms.advanced_compression = true;
    assert_eq!(written(&asked), Format::Avif);
    // A result that is too large for AVIF is not refused where another format holds it.
    asked.terms.limits.advanced_side = 49;
    assert_eq!(written(&asked), Format::Jpeg);
}

#[test]
fn marks_are_paid_for_and_checked() {
    let rule = "imageMogr2/thumbnail/800x|watermark/1/image/aHR0cDovL2V4YW1wbGUuY29tL2EucG5n";
    let (plan, header) = (plan(rule), header(Format::Jpeg, 1600, 1200));
    let (mut mark, free) = (self::header(Format::Png, 600, 400), prepare(asked(&plan, &header)).unwrap().cost);
    let of = |mark: &Header| {
        let marks = std::slice::from_ref(mark);
        prepare(Preparation { marks: Ok(marks), ..asked(&plan, &header) })
    };
    let paid = of(&mark).unwrap().cost;
    assert!(paid.bytes > free.bytes && paid.cpu_ms > free.cpu_ms, "{paid:?} {free:?}");
    mark.source.width = Limits::default().source_side + 1;
    assert_eq!(of(&mark).unwrap_err().kind, Kind::MarkUnusable);
}

#[test]
fn a_job_begins_with_what_was_asked_and_one_thread() {
    let (plan, header) = (plan("imageMogr2/thumbnail/50x"), header(Format::Jpeg, 100, 100));
    let of = |effort, budget_ms| {
        let pace = Pace { effort, budget_ms };
        let job = prepare(Preparation { pace, ..asked(&plan, &header) }).unwrap().job;
        (job.effort, job.threads, job.budget_ms, job.full_ms)
    };
    assert_eq!(of(Effort::Interactive, 1500), (Effort::Interactive, 1, 1500, 0));
    assert_eq!(of(Effort::Batch, 0), (Effort::Batch, 1, u32::MAX, 0), "no limit");
    assert_eq!(of(Effort::Pressed, u64::MAX).2, u32::MAX);
}

proptest! {
    /// Whatever the header says and the site allows: what is prepared stays within the limits, in a format that may be and can
    /// be written, and of a size that was laid out for that format.
    #[test]
    fn what_is_prepared_is_allowed(
        rule in prop::sample::select(vec![
            "imageMogr2/thumbnail/300x", "imageMogr2/thumbnail/!200p", "imageMogr2/format/avif", "imageMogr2/format/png",
            "imageMogr2/rotate/45", "x-oss-process=image/resize,w_5000,limit_0",
        ]),
        from in prop::sample::select(Format::ALL.to_vec()),
        (width, height) in (1..40_000u32, 1..40_000u32), frames in 1..400u32, alpha: bool,
        (side, advanced_side) in (1..30_000u32, 1..9_999u32), advanced_compression: bool,
        writable in prop::sample::subsequence(Format::ALL.to_vec(), 0..12),
        accept in prop::sample::select(vec!["", "image/avif", "image/webp", "image/avif,image/webp;q=0.5"]),
    ) {
        let (plan, mut header) = (plan(rule), header(from, width, height));
        (header.source.frames, header.source.alpha) = (frames, alpha);
        let limits = Limits { source_side: side, advanced_side, ..Limits::default() };
        let writable: Formats = writable.into_iter().collect();
        let class = negotiate::class([accept], &OFFERED);
        let terms = Terms { limits, offered: &OFFERED, advanced_compression, writable, ..terms() };
        if let Ok(Prepared { job, layout, cost, .. }) = prepare(Preparation { class, terms, ..asked(&plan, &header) }) {
            prop_assert!(writable.has(job.format) && (advanced_compression || !job.format.is_advanced()));
            prop_assert!(width.max(height) <= side && frames <= limits.frames);
            prop_assert_eq!(&layout, &geometry::lay_out(&plan, &header.source, job.format, &limits).unwrap());
            prop_assert_eq!(cost.work.to, Some(job.format));
            prop_assert!(cost.bytes > 0 && cost.cpu_ms > 0);
        }
    }
}
