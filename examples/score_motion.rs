//! How much one animation resembles another: `score_motion ORIGINAL COPY` prints the mean and the lowest SSIMULACRA2 of the
//! frames (on white), and whether their times and loops are the same.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use pictor::imaging::{Decode, decode, probe, score::Reference};

fn open(bytes: &[u8]) -> Box<dyn Decode + '_> {
    decode::open(bytes, &probe(bytes).unwrap(), &decode::Wanted::default()).unwrap()
}

fn main() {
    let files: Vec<Vec<u8>> = std::env::args().skip(1).map(|path| std::fs::read(path).unwrap()).collect();
    let [original, copy] = files.as_slice() else { panic!("score_motion ORIGINAL COPY") };
    let (mut left, mut right) = (open(original), open(copy));
    let (mut sum, mut lowest, mut frames, mut times) = (0.0, f64::MAX, 0u32, true);
    while let (Some(a), Some(b)) = (left.next_frame().unwrap(), right.next_frame().unwrap()) {
        // A frame without a time is a millisecond in some formats.
        times &= a.delay_ms.max(1) == b.delay_ms.max(1);
        let score = Reference::new(&a.pixels).unwrap().score(&b.pixels).unwrap();
        (sum, lowest, frames) = (sum + score, lowest.min(score), frames + 1);
    }
    let same = |yes: bool| if yes { "same" } else { "other" };
    let loops = left.metadata().animation == right.metadata().animation;
    println!(
        "{frames} frames, SSIMULACRA2 {:.1} (lowest {lowest:.1}), {} times, {} loops",
        sum / f64::from(frames.max(1)),
        same(times),
        same(loops)
    );
}
