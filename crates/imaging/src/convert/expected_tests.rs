#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::Effort;
use crate::convert::convert;
use crate::exif::minimal_orientation;
use crate::plan::{Format, Limits, Plan, Quality, SizeLimit, geometry};
use crate::probe::probe;
use crate::{Policy, encode};

fn picture(width: u32, height: u32, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut info = png::Info::with_size(width, height);
    (info.color_type, info.bit_depth) = (png::ColorType::Rgb, png::BitDepth::Eight);
    info.exif_metadata = (orientation > 1).then(|| minimal_orientation(orientation).into());
    let mut writer = png::Encoder::with_info(&mut bytes, info).unwrap().write_header().unwrap();
    let data: Vec<u8> = (0..width * height * 3).map(|n| (n % 251) as u8).collect();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

fn job(rule: &str, format: Format) -> Job {
    let plan = pictor_language::dialect::parse_rule(rule).unwrap().1;
    let (limits, policy) = (Limits::default(), Policy::default());
    Job { plan, format, limits, policy, effort: Effort::Pressed, threads: 1, budget_ms: 10_000, full_ms: 0 }
}

/// What is expected of a job on an original.
fn of(job: &Job, source: &[u8]) -> Expected {
    let header = probe(source).unwrap();
    let layout = geometry::lay_out(&job.plan, &header.source, job.format, &job.limits).unwrap();
    Expected::of(job, &header, &layout, source.len() as u64)
}

/// What this build makes of a rule, and what is expected of it.
fn made(source: &[u8], job: &Job) -> (Vec<u8>, Outcome, Expected) {
    let expected = of(job, source);
    let (bytes, outcome) = convert(source, job).unwrap();
    (bytes, outcome, expected)
}

#[test]
fn what_is_made_is_what_is_expected() {
    let upright = picture(60, 41, 1);
    let turned = picture(60, 41, 6);
    for source in [&upright, &turned] {
        for rule in [
            "imageMogr2/thumbnail/30x",
            "imageMogr2/auto-orient/thumbnail/!50p",
            "imageMogr2/rotate/30",
            "imageMogr2/strip",
            "imageMogr2/iradius/9",
            "x-oss-process=image/resize,m_pad,w_70,h_20",
            "x-oss-process=image/crop,w_13,h_17/quality,q_90",
        ] {
            for format in Format::ALL.into_iter().filter(|format| encode::writable(*format)) {
                let job = job(rule, format);
                let (bytes, outcome, expected) = made(source, &job);
                assert_eq!(expected.check(source, &bytes, &outcome), Ok(()), "{rule} {format:?}");
            }
        }
        for rule in ["imageInfo", "imageAve", "exif", "x-oss-process=image/info", "imageMogr2/thumbnail/9x|imageInfo"] {
            let job = job(rule, Format::Png);
            let (bytes, outcome, expected) = made(source, &job);
            assert_eq!(expected.check(source, &bytes, &outcome), Ok(()), "{rule}");
        }
    }
}

/// A GIF of so many frames.
fn gif(frames: usize) -> Vec<u8> {
    let mut file = b"GIF89a\x08\0\x06\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
    for _ in 0..frames {
        file.extend([0x21, 0xf9, 4, 0, 5, 0, 0, 0]);
        file.extend([0x2c, 0, 0, 0, 0, 8, 0, 6, 0, 0, 2, 7, 0x84, 0x8f, 0xa9, 0xcb, 0xed, 0x0f, 0, 0]);
    }
    file.push(0x3b);
    file
}

#[test]
fn nothing_else_is_taken() {
    let source = picture(60, 41, 1);
    let job = job("imageMogr2/thumbnail/30x", Format::Png);
    let (bytes, outcome, expected) = made(&source, &job);
    let wrong = |what: &str, bytes: &[u8], outcome: &Outcome| {
        let told = expected.check(&source, bytes, outcome);
        println!("{what}: {told:?}");
        assert!(told.is_err(), "{what}");
    };
    let said = |format, width, height, frames| Outcome { format, width, height, frames, ..outcome.clone() };
    let (w, h) = (outcome.width, outcome.height);
    let jpeg = made(&source, &Job { format: Format::Jpeg, ..job.clone() }).0;
    wrong("another format", &jpeg, &said(Some(Format::Jpeg), w, h, 1));
    wrong("another format than is said", &jpeg, &outcome);
    wrong("another size", &picture(31, 21, 1), &said(Some(Format::Png), 31, 21, 1));
    wrong("another size than is said", &picture(w + 1, h, 1), &outcome);
    wrong("turned by its tag is another size too", &picture(h, w, 6), &outcome);
    wrong("the original", &source, &said(Some(Format::Png), 60, 41, 1));
    wrong("more frames", &bytes, &said(Some(Format::Png), w, h, 2));
    wrong("no frames", &bytes, &said(Some(Format::Png), w, h, 0));
    wrong("no format", &bytes, &said(None, w, h, 1));
    wrong("garbage", b"garbage", &outcome);
    wrong("a page", b"<html><script>alert(1)</script>", &outcome);
    wrong("a drawing", b"<svg width='30' height='21'/>", &outcome);
    wrong("nothing", b"", &outcome);
    wrong("cut off in its header", &bytes[..20], &outcome);
    let huge = [&bytes[..], &vec![0; expected.most_bytes() as usize]].concat();
    wrong("too many bytes", &huge, &outcome);
    let facts = made(&source, &super::super::tests::facts_job(plan::FactsAsked::default())).1;
    wrong("facts", b"", &facts);

    let source = gif(3);
    let job = self::job("imageMogr2/format/gif", Format::Gif);
    let (_, outcome, expected) = made(&source, &job);
    assert!(expected.check(&source, &gif(1), &outcome).is_ok(), "frames that look alike may be one");
    assert!(expected.check(&source, &gif(4), &outcome).is_err(), "more frames than were laid out");
}

#[test]
fn the_original_is_taken_where_the_plan_allows_it() {
    let source = picture(60, 41, 1);
    let mut slim = job("imageMogr2/format/png", Format::Png);
    let outcome = Outcome {
        format: Some(Format::Png),
        width: 60,
        height: 41,
        frames: 1,
        facts: None,
        times: crate::Times::default(),
        hurried: false,
    };
    let expected = |job: &Job| of(job, &source);
    if let Answer::Image(output) = &mut slim.plan.answer {
        output.slim = true;
    }
    assert!(expected(&slim).check(&source, &source, &outcome).is_ok());
    let mut limited = job("imageMogr2/thumbnail/30x", Format::Jpeg);
    if let Answer::Image(output) = &mut limited.plan.answer {
        output.size_limit = Some(SizeLimit { bytes: 10, or_original: true });
        output.quality = Quality::Default;
    }
    assert!(expected(&limited).check(&source, &source, &outcome).is_ok());
    let bare = picture(60, 41, 6);
    assert!(expected(&limited).check(&source, &bare, &outcome).is_ok(), "its metadata may be others");
    let other = picture(61, 41, 1);
    assert!(expected(&limited).check(&source, &other, &outcome).is_err(), "another picture");
    let padded = [source.clone(), vec![0; BLOCK + 1]].concat();
    assert!(expected(&limited).check(&source, &padded, &outcome).is_err(), "more bytes");
    limited.plan = Plan { steps: limited.plan.steps, ..Plan::identity() };
    assert!(expected(&limited).check(&source, &source, &outcome).is_err());
}

#[test]
fn facts_are_those_of_the_header_and_of_what_was_asked() {
    let source = picture(60, 41, 1);
    let wanted = plan::FactsAsked { average: true, exif: false, md5: true };
    let job = super::super::tests::facts_job(wanted);
    let (bytes, honest, expected) = made(&source, &job);
    assert_eq!(expected.check(&source, &bytes, &honest), Ok(()));
    let forged = |change: &dyn Fn(&mut Facts)| {
        let mut outcome = honest.clone();
        change(outcome.facts.as_mut().unwrap());
        let Source { width, height, frames, .. } = outcome.facts.as_ref().unwrap().header.source;
        (outcome.width, outcome.height, outcome.frames) = (width, height, frames);
        expected.check(&source, b"", &outcome)
    };
    assert!(forged(&|_| {}).is_ok());
    assert!(forged(&|facts| facts.header.source.width = 61).is_err());
    assert!(forged(&|facts| facts.header.source.format = Format::Svg).is_err());
    assert!(forged(&|facts| facts.header.source.frames = 2).is_err());
    assert!(forged(&|facts| facts.header.depth = 0).is_err());
    assert!(forged(&|facts| facts.bytes += 1).is_err());
    assert!(forged(&|facts| facts.md5 = None).is_err());
    assert!(forged(&|facts| facts.md5 = Some("<script>".into())).is_err());
    assert!(forged(&|facts| facts.average = None).is_err());
    assert!(forged(&|facts| facts.exif = vec![("Make".into(), "x".into())]).is_err());
    assert!(expected.check(&source, b"x", &honest).is_err(), "facts have no bytes");
    assert!(expected.check(&source, b"", &Outcome { facts: None, ..honest.clone() }).is_err());

    let unknown = Expected::plugin_header(9);
    let mut tpg = honest.clone();
    let facts = tpg.facts.as_mut().unwrap();
    (facts.md5, facts.average, facts.bytes, facts.header.source.format) = (None, None, 9, Format::Tpg);
    assert_eq!(unknown.check(b"", b"", &tpg), Ok(()));
    tpg.facts.as_mut().unwrap().header.source.format = Format::Png;
    assert!(unknown.check(b"", b"", &tpg).is_err());
}
