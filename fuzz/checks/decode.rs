//! Any bytes as an original, converted as a worker converts them: no panic, no result that the service would not believe, and
//! no error that is not about the picture.

use pictor::dialect::parse_rule;
use pictor::error::Kind;
use pictor::imaging::{Effort, Expected, Job, Policy, convert_marked, probe};
use pictor::plan::{Format, Limits, geometry};

/// What is done with every file, and the format that is written. Decoders read a whole picture, a part of it, one that is
/// scaled down as it is read, the frames of an animation, and no pixels at all. Formats that are written quickly, because
/// only the reading is of interest.
const JOBS: [(&str, Format); 5] = [
    ("imageMogr2/format/bmp", Format::Bmp),
    ("imageMogr2/cut/3x2x1x1", Format::Bmp),
    ("imageMogr2/thumbnail/2x2!", Format::Bmp),
    ("imageMogr2/format/png", Format::Png),
    ("imageAve", Format::Png),
];

/// A file.
pub fn check(file: &[u8]) {
    // What is larger takes the fuzzer's time and shows nothing new.
    let limits = Limits {
        source_bytes: 1 << 20,
        source_side: 1000,
        source_pixels: 1 << 18,
        output_side: 1000,
        output_pixels: 1 << 18,
        frames: 10,
        ..Limits::default()
    };
    let policy = Policy { jxl: true, svg: true, ..Policy::default() };
    for (rule, format) in JOBS {
        let (_, plan) = parse_rule(rule).expect("a rule");
        let job =
            Job { plan, format, limits, policy, effort: Effort::Interactive, threads: 1, budget_ms: 1000, full_ms: 0 };
        let result = convert_marked(file, &[], &job);
        let header = probe(file);
        match result {
            Ok((bytes, outcome)) => {
                let header = header.expect("what was converted has a header");
                let layout = geometry::lay_out(&job.plan, &header.source, format, &limits);
                let layout = layout.expect("what was converted can be laid out");
                let expected = Expected::of(&job, &header, &layout, file.len() as u64);
                let believed = expected.check(file, &bytes, &outcome);
                assert_eq!(believed, Ok(()), "{rule}: {outcome:?}");
            }
            Err(error) => assert!(about_a_picture(error.kind), "{rule}: {error}"),
        }
    }
}

/// Errors that a picture can be the reason of. Not [`Kind::Internal`] nor [`Kind::Crashed`]: those are ours.
fn about_a_picture(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::SourceBytes
            | Kind::SourceSide
            | Kind::SourcePixels
            | Kind::SourceFrames
            | Kind::OutputTooLarge
            | Kind::CropOutside
            | Kind::NotAnImage
            | Kind::UnsupportedSource
            | Kind::UnsupportedTarget
            | Kind::Corrupt
            | Kind::OutOfMemory
    )
}
