//! How much two encoded pictures look alike, frame by frame. Decodes both, so it runs in a worker.

use serde::{Deserialize, Serialize};

use super::decode::{self, Wanted};
use super::need::check_size;
use super::picture::{Decode, Pixels};
use super::policy::Policy;
use super::probe::{self, Header};
use super::{score, transform};
use crate::error::{Error, Kind};
use crate::plan::{Limits, geometry};

/// What two pictures are compared under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparing {
    /// What each of them is held to.
    pub limits: Limits,
    /// What is read at all.
    pub policy: Policy,
    /// The most frames to score, 1 or more: the first and the last that both have, and some between them.
    pub frames: u32,
}

/// How much two pictures look alike.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Likeness {
    /// SSIMULACRA2 of the frame that is least alike; 100 is the same.
    pub score: f64,
    /// Which frame that is, from 1.
    pub frame: u32,
    /// How many frames were scored.
    pub frames: u32,
}

/// Compares two pictures of the same size, as they are seen upright and on white. Of large ones a sample is scored.
///
/// # Errors
/// Whatever is wrong with one of them, its message saying which; [`Kind::Internal`] for pictures of different sizes.
pub fn compare(first: &[u8], second: &[u8], comparing: &Comparing) -> Result<Likeness, Error> {
    let mut one = Reader::open("the first", first, comparing)?;
    let mut other = Reader::open("the second", second, comparing)?;
    let common = one.header.source.frames.min(other.header.source.frames).max(1);
    let wanted = comparing.frames.clamp(1, common);
    let mut likeness = Likeness { score: 100.0, frame: 1, frames: 0 };
    for number in 1..=common {
        let (Some(a), Some(b)) = (one.next()?, other.next()?) else { break };
        if !chosen(number, common, wanted) {
            continue;
        }
        let score = alike(one.upright(a)?, other.upright(b)?)?;
        if likeness.frames == 0 || score < likeness.score {
            likeness = Likeness { score, frame: number, ..likeness };
        }
        likeness.frames += 1;
    }
    Ok(likeness)
}

/// Whether a frame of so many is one of those that are scored: spread evenly, the first and the last among them.
fn chosen(number: u32, common: u32, wanted: u32) -> bool {
    let at = |i: u32| match wanted {
        0 | 1 => 1,
        _ => 1 + u64::from(i) * u64::from(common - 1) / u64::from(wanted - 1),
    };
    (0..wanted).any(|i| at(i) == u64::from(number))
}

fn alike(one: Pixels, other: Pixels) -> Result<f64, Error> {
    let (a, b) = ((one.width(), one.height()), (other.width(), other.height()));
    if a != b {
        let message = format!("a picture of {} x {} is not compared with one of {} x {}", a.0, a.1, b.0, b.1);
        return Err(Error::new(Kind::Internal, message));
    }
    let one = score::sample(&one)?.unwrap_or(one);
    let other = score::sample(&other)?.unwrap_or(other);
    score::Reference::new(&one)?.score(&other)
}

/// One of the two.
struct Reader<'a> {
    name: &'static str,
    header: Header,
    decoder: Box<dyn Decode + 'a>,
}

impl<'a> Reader<'a> {
    fn open(name: &'static str, bytes: &'a [u8], comparing: &Comparing) -> Result<Self, Error> {
        let say = |error| said(name, error);
        let header = probe::probe(bytes).map_err(say)?;
        geometry::check_source(&header.source, &comparing.limits).map_err(say)?;
        let wanted = Wanted { limits: comparing.limits, policy: comparing.policy, shrink: None, region: None };
        let decoder = decode::open(bytes, &header, &wanted).map_err(say)?;
        Ok(Self { name, header, decoder })
    }

    fn next(&mut self) -> Result<Option<Pixels>, Error> {
        let frame = self.decoder.next_frame().map_err(|error| said(self.name, error))?;
        let Some(frame) = frame else { return Ok(None) };
        check_size(&frame.pixels, &self.header, None).map_err(|error| said(self.name, error))?;
        Ok(Some(frame.pixels))
    }

    fn upright(&self, pixels: Pixels) -> Result<Pixels, Error> {
        match self.decoder.metadata().orientation {
            orientation @ 2..=8 => transform::orient(pixels, orientation),
            _ => Ok(pixels),
        }
    }
}

fn said(name: &str, error: Error) -> Error {
    error.about(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;
    use crate::plan::{Format, Plan};
    use crate::{Effort, Job, convert::convert};

    /// A PNG that holds a ramp.
    fn ramp(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Rgb);
        let data: Vec<u8> = (0..height)
            .flat_map(|y| (0..width).flat_map(move |x| [(x * 3) as u8, (y * 5) as u8, ((x ^ y) * 2) as u8]))
            .collect();
        encoder.write_header().unwrap().write_image_data(&data).unwrap();
        bytes
    }

    fn made(source: &[u8], rule: &str) -> Vec<u8> {
        let plan: Plan = rule.parse().unwrap();
        let format = match plan.output().unwrap().target {
            crate::plan::Target::Fixed(format) => format,
            _ => Format::Png,
        };
        let (limits, policy) = (Limits::default(), Policy::default());
        let effort = Effort::Interactive;
        let job = Job { plan, format, limits, policy, effort, threads: 1, budget_ms: 60_000, full_ms: 0 };
        convert(source, &job).unwrap().0
    }

    fn comparing() -> Comparing {
        Comparing { limits: Limits::default(), policy: Policy::default(), frames: 3 }
    }

    #[test]
    fn alike_is_high_and_other_is_low() {
        let original = ramp(64, 48);
        let of = |rule: &str| compare(&original, &made(&original, rule), &comparing()).unwrap().score;
        assert!(of("|png") > 99.9);
        let (good, bad) = (of("|jpeg,q=set95"), of("|jpeg,q=set5"));
        assert!(good > bad + 10.0, "{good} {bad}");
        assert!(of("flip,axis=h|png") < 30.0);
    }

    #[test]
    fn frames_are_spread_over_the_whole() {
        let of = |common, wanted| (1..=common).filter(|n| chosen(*n, common, wanted)).collect::<Vec<_>>();
        assert_eq!(of(1, 1), [1]);
        assert_eq!(of(2, 2), [1, 2]);
        assert_eq!(of(10, 3), [1, 5, 10]);
        assert_eq!(of(300, 1), [1]);
        assert_eq!(of(5, 5), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_broken_is_named() {
        let original = ramp(32, 32);
        let cut = &original[..original.len() / 2];
        let error = compare(&original, cut, &comparing()).unwrap_err();
        assert!(error.told().starts_with("the second: "), "{error}");
        assert!(compare(cut, &original, &comparing()).unwrap_err().told().starts_with("the first: "));
        assert!(compare(&original, &ramp(32, 31), &comparing()).is_err());
        assert!(compare(b"", b"<html>", &comparing()).is_err());
    }
}
