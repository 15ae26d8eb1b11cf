//! High dynamic range and wide gamuts that are named by code points (ITU-T H.273), brought to sRGB.
//!
//! The tone mapping is plain on purpose: light up to the reference white of 203 cd/m² (ITU-R BT.2408) keeps its place as
//! far as it can, what is brighter is compressed into the top of the range, hue is kept.

use moxcms::{CicpColorPrimaries, CicpProfile, ColorProfile, MatrixCoefficients, TransferCharacteristics};

use super::super::colour::srgb_curve;
use super::super::picture::{Channels, Pixels};

/// A transfer function of high dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

impl Transfer {
    /// By H.273's number; `None` for the curves of standard dynamic range, which are shown as sRGB's.
    pub(super) fn from_code(code: u8) -> Option<Self> {
        match code {
            16 => Some(Self::Pq),
            18 => Some(Self::Hlg),
            _ => None,
        }
    }

    /// Light of a code value (both 0..=1), in units of the reference white.
    fn light(self, value: f32) -> f32 {
        match self {
            Self::Pq => {
                let power = value.powf(1.0 / 78.84375);
                let light = ((power - 0.835_937_5).max(0.0) / (18.851_563 - 18.6875 * power)).powf(1.0 / 0.159_301_76);
                light * 10_000.0 / 203.0
            }
            Self::Hlg => {
                let scene = if value <= 0.5 {
                    value * value / 3.0
                } else {
                    (((value - 0.559_910_7) / 0.178_832_77).exp() + 0.284_668_92) / 12.0
                };
                // A display of 1000 cd/m² with its system gamma of 1.2, per channel.
                scene.powf(1.2) * 1_000.0 / 203.0
            }
        }
    }

    /// The brightest light that is kept apart, in units of the reference white.
    fn peak(self) -> f32 {
        // 1000 cd/m² is what such pictures are graded for, whatever their curve could hold.
        1_000.0 / 203.0
    }
}

/// The primaries that matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Primaries {
    /// sRGB's, and everything that is near enough or unknown.
    Srgb,
    /// ITU-R BT.2020.
    Bt2020,
    /// SMPTE EG 432-1.
    DisplayP3,
}

impl Primaries {
    /// By H.273's number.
    pub(super) fn from_code(code: u8) -> Self {
        match code {
            9 => Self::Bt2020,
            12 => Self::DisplayP3,
            _ => Self::Srgb,
        }
    }

    /// The profile of these primaries with sRGB's curve; `None` for sRGB itself.
    pub(super) fn profile(self) -> Option<ColorProfile> {
        let color_primaries = match self {
            Self::Srgb => return None,
            Self::Bt2020 => CicpColorPrimaries::Bt2020,
            Self::DisplayP3 => CicpColorPrimaries::Smpte432,
        };
        let mut profile = ColorProfile::new_from_cicp(CicpProfile {
            color_primaries,
            transfer_characteristics: TransferCharacteristics::Srgb,
            matrix_coefficients: MatrixCoefficients::Bt709,
            full_range: true,
        });
        let curve = srgb_curve();
        (profile.red_trc, profile.green_trc, profile.blue_trc) =
            (Some(curve.clone()), Some(curve.clone()), Some(curve));
        profile.cicp = None;
        Some(profile)
    }

    /// Linear light in these primaries to linear light in sRGB's.
    fn to_srgb(self) -> [[f32; 3]; 3] {
        match self {
            Self::Srgb => [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
            Self::Bt2020 => [
                [1.660_491, -0.587_641_1, -0.072_849_9],
                [-0.124_550_5, 1.132_899_9, -0.008_349_4],
                [-0.018_150_8, -0.100_578_9, 1.118_729_7],
            ],
            Self::DisplayP3 => [
                [1.224_940_2, -0.224_940_2, 0.0],
                [-0.042_056_9, 1.042_056_9, 0.0],
                [-0.019_637_6, -0.078_636_1, 1.098_273_7],
            ],
        }
    }
}

/// Maps pixels of one transfer function and one set of primaries to sRGB.
pub(super) struct Mapper {
    light: Vec<f32>,
    matrix: [[f32; 3]; 3],
    peak: f32,
    curve: Vec<u8>,
}

/// Steps of linear light in the table of sRGB's curve.
const STEPS: usize = 8192;

impl Mapper {
    /// A mapper for samples of so many bits, 8 to 16.
    pub(super) fn new(transfer: Transfer, primaries: Primaries, bits: u8) -> Self {
        let top = (1usize << bits.clamp(8, 16)) - 1;
        let curve = |step: usize| {
            let light = step as f32 / STEPS as f32;
            let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            (value * 255.0 + 0.5) as u8
        };
        Self {
            light: (0..=top).map(|code| transfer.light(code as f32 / top as f32)).collect(),
            matrix: primaries.to_srgb(),
            peak: transfer.peak(),
            curve: (0..=STEPS).map(curve).collect(),
        }
    }

    /// Maps one pixel's code values.
    pub(super) fn pixel(&self, codes: [u16; 3]) -> [u8; 3] {
        let last = self.light.len().saturating_sub(1);
        let light = codes.map(|code| self.light.get(usize::from(code).min(last)).copied().unwrap_or(0.0));
        let mut linear = self.matrix.map(|[r, g, b]| (r * light[0] + g * light[1] + b * light[2]).max(0.0));
        // Extended Reinhard on the brightest channel: the others follow it, so that the hue stays.
        let high = linear[0].max(linear[1]).max(linear[2]);
        if high > 0.0 {
            let factor = (1.0 + high / (self.peak * self.peak)) / (1.0 + high);
            linear = linear.map(|light| light * factor);
        }
        linear.map(|light| self.curve.get((light.min(1.0) * STEPS as f32 + 0.5) as usize).copied().unwrap_or(255))
    }

    /// Maps 8-bit pixels in place; alpha stays.
    pub(super) fn apply(&self, pixels: &mut Pixels) {
        let channels = pixels.channels();
        for pixel in pixels.data_mut().chunks_exact_mut(channels.count()) {
            match (channels, pixel) {
                (Channels::Grey | Channels::GreyAlpha, [grey, ..]) => *grey = self.pixel([u16::from(*grey); 3])[0],
                (Channels::Rgb | Channels::Rgba, [r, g, b, ..]) => {
                    [*r, *g, *b] = self.pixel([*r, *g, *b].map(u16::from));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_meet_their_reference_points() {
        // BT.2408: reference white is 58 % of PQ and 75 % of HLG.
        assert!((Transfer::Pq.light(0.58) - 1.0).abs() < 0.02, "{}", Transfer::Pq.light(0.58));
        assert!((Transfer::Hlg.light(0.75) - 1.0).abs() < 0.02, "{}", Transfer::Hlg.light(0.75));
        assert_eq!(Transfer::Pq.light(0.0), 0.0);
    }

    #[test]
    fn mapping_is_monotonic_and_keeps_black_white_and_grey() {
        let mapper = Mapper::new(Transfer::Pq, Primaries::Bt2020, 10);
        let mut last = 0;
        for code in 0..1024 {
            let [r, g, b] = mapper.pixel([code; 3]);
            assert!(r.abs_diff(g) <= 1 && g.abs_diff(b) <= 1, "{code}: {r} {g} {b}");
            assert!(g >= last, "{code}");
            last = g;
        }
        assert_eq!(mapper.pixel([0; 3]), [0; 3]);
        assert_eq!(last, 255);
        let white = mapper.pixel([593; 3])[0];
        assert!((150..230).contains(&white), "reference white at {white}: not washed out, not clipped");
    }
}
