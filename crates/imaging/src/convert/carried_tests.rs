//! What goes along with a picture: EXIF that is true of the result, and colours wider than sRGB.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::tests::{distance, exact, facts_job, job, open};
use super::*;
use crate::at_hand::corpus;
use crate::codec::codec;
use crate::plan::Step;

/// What holds EXIF; HEIF only where this build writes it.
fn exif_targets() -> impl Iterator<Item = Format> {
    let all = [Format::Jpeg, Format::Png, Format::WebP, Format::Avif, Format::Heif];
    all.into_iter().filter(|format| encode::writable(*format))
}

fn tags_of(bytes: &[u8]) -> Vec<(String, String)> {
    let (_, outcome) =
        convert(bytes, &facts_job(plan::FactsAsked { exif: true, ..plan::FactsAsked::default() })).unwrap();
    outcome.facts.unwrap().exif
}

fn tag<'a>(tags: &'a [(String, String)], name: &str) -> Option<&'a str> {
    tags.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
}

#[test]
fn carried_exif_tells_the_truth_in_every_container() {
    let Some(root) = corpus() else { return };
    for number in 1..=8 {
        let source = std::fs::read(root.join(format!("exif/landscape_{number}.jpg"))).unwrap();
        for format in exif_targets() {
            for steps in [vec![exact(90, 60)], vec![Step::AutoOrient, exact(90, 60)]] {
                let turned = !steps.iter().all(|step| matches!(step, Step::Resize(_)));
                let mut job = Job { format, ..job(steps) };
                job.policy.metadata = Carry::Exif;
                let (bytes, outcome) = convert(&source, &job).unwrap();
                let (header, _) = open(&bytes);
                let tags = tags_of(&bytes);
                let kept = if turned || !codec(format).carries_orientation { 1 } else { number };
                assert_eq!(header.source.orientation, kept, "{format:?} {number} {turned}");
                assert_eq!(tag(&tags, "Orientation"), Some(kept.to_string().as_str()), "{format:?} {number} {turned}");
                if let Some(width) = tag(&tags, "PixelXDimension") {
                    assert_eq!(width, outcome.width.to_string());
                }
                // The orientation alone is no metadata: without the policy it is all that is left.
                job.policy.metadata = Carry::Nothing;
                let tags = tags_of(&convert(&source, &job).unwrap().0);
                assert_eq!(tags.len(), usize::from(kept != 1), "{format:?} {number}: {tags:?}");
                job.policy.metadata = Carry::Exif;
                job.plan.answer = Answer::Image(Output { strip: true, ..Output::default() });
                assert!(tags_of(&convert(&source, &job).unwrap().0).is_empty(), "a rule that strips wins");
            }
        }
    }
}

#[test]
fn exif_of_every_source_is_carried() {
    let Some(root) = corpus() else { return };
    for name in
        ["icc/paris_icc_exif_xmp.avif", "icc/paris_exif_xmp_icc_gainmap_bigendian.jpg", "heif/L_exif_xmp_iptc.heic"]
    {
        let source = std::fs::read(root.join(name)).unwrap();
        let had = tags_of(&source);
        assert!(had.len() > 5, "{name}: {had:?}");
        for format in exif_targets() {
            let mut job = Job { format, ..job(vec![exact(60, 40)]) };
            job.policy.metadata = Carry::Exif;
            let tags = tags_of(&convert(&source, &job).unwrap().0);
            assert_eq!(tag(&tags, "Model"), tag(&had, "Model"), "{name} {format:?}");
            job.policy.metadata = Carry::Copyright;
            let tags = tags_of(&convert(&source, &job).unwrap().0);
            let named = |(name, _): &(String, String)| ["Artist", "Copyright", "Orientation"].contains(&name.as_str());
            assert!(tags.iter().all(named), "{name} {format:?}: {tags:?}");
        }
    }
}

#[test]
fn wide_colours_stay_wide_where_the_target_can_say_so() {
    let Some(root) = corpus() else { return };
    for name in ["icc/kodim23-display-p3.jpg", "icc/kodim03-display-p3.webp", "icc/kodim23-adobe-rgb.jpg"] {
        let source = std::fs::read(root.join(name)).unwrap();
        for format in exif_targets().chain([Format::Bmp]) {
            let write = |gamut| {
                let mut job = Job { format, ..job(vec![exact(300, 200)]) };
                job.plan.answer = Answer::Image(Output { quality: plan::Quality::Forced(95), ..Output::default() });
                job.policy.gamut = gamut;
                let bytes = convert(&source, &job).unwrap().0;
                let header = probe::probe(&bytes).unwrap();
                let policy = Policy { gamut: Gamut::P3, ..Policy::default() };
                let wanted = decode::Wanted { policy, ..decode::Wanted::default() };
                let space = decode::open(&bytes, &header, &wanted).unwrap().metadata().space;
                (space, open(&bytes).1)
            };
            let (narrow, want) = write(Gamut::Srgb);
            let (wide, got) = write(Gamut::P3);
            assert_eq!(narrow, Space::Srgb, "{name} {format:?}");
            assert_eq!(wide == Space::DisplayP3, encode::says_p3(format), "{name} {format:?}");
            assert!(distance(&want, &got) < 3.0, "{name} {format:?}: {}", distance(&want, &got));
        }
    }
}
