//! Nobody's place gets out by a way round: whatever the rule, the format and what the site carries along, an answer tells
//! where a picture was taken only where the site lets all EXIF go along and the rule does not strip it.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::plan::{Axes, Box2, Enlarge, Mode, Quality, Resize, SizeLimit, Step, Target};
use crate::plan::{Limits, Plan};
use crate::telling::{OWNER, SECRET, telling};

fn holds(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|window| window == what)
}

/// Every rule whose answer may be the original's own bytes, and some beside it.
fn outputs() -> Vec<Output> {
    let slim = Output { slim: true, ..Output::default() };
    let auto = Output { quality: Quality::Auto(95), ..Output::default() };
    let limit = |bytes| Output {
        quality: Quality::Forced(95),
        size_limit: Some(SizeLimit { bytes, or_original: true }),
        ..Output::default()
    };
    let fixed = Output { target: Target::Fixed(Format::Jpeg), ..limit(1 << 20) };
    let plain = [slim, auto, limit(1), limit(1 << 20), fixed, Output::default()];
    let stripped = plain.clone().map(|output| Output { strip: true, ..output });
    [plain, stripped].concat()
}

#[test]
fn no_answer_tells_a_place_that_is_to_stay_behind() {
    let half = Step::Resize(Resize {
        mode: Mode::Fit(Box2 { w: Some(24), h: None, axes: Axes::WidthHeight }),
        enlarge: Enlarge::Skip,
    });
    let mut leaks = Vec::new();
    for original in telling() {
        let (from, carrier, source) = (original.format, original.carrier, original.bytes);
        for (output, steps) in
            outputs().into_iter().flat_map(|output| [(output.clone(), vec![]), (output, vec![half.clone()])])
        {
            let format = match output.target {
                Target::Fixed(format) => format,
                Target::Source | Target::OnlyIfSource(_) => from,
            };
            for metadata in [Carry::Nothing, Carry::Copyright, Carry::Exif] {
                let job = Job {
                    plan: Plan {
                        steps: steps.clone(),
                        answer: Answer::Image(output.clone()),
                        original_on_error: false,
                    },
                    format,
                    limits: Limits::default(),
                    policy: Policy { metadata, ..Policy::default() },
                    effort: Effort::Interactive,
                    threads: 1,
                    budget_ms: 10_000,
                    full_ms: 0,
                };
                let (bytes, _) = convert(&source, &job).unwrap();
                let open = metadata == Carry::Exif && !output.strip;
                if holds(&bytes, SECRET) && !open {
                    leaks.push(format!("{from:?}, {carrier}, {metadata:?}: {}", job.plan));
                }
                if holds(&bytes, OWNER.as_bytes()) {
                    assert!(
                        metadata != Carry::Nothing && !output.strip,
                        "{from:?}, {carrier}, {metadata:?}: {}",
                        job.plan
                    );
                }
            }
        }
    }
    assert!(leaks.is_empty(), "{} answers tell a place:\n{}", leaks.len(), leaks.join("\n"));
}
