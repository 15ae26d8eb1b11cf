//! High dynamic range and wide gamuts that are named by code points (ITU-T H.273), brought to sRGB or Display P3.
//!
//! The reference white of 203 cd/m² (ITU-R BT.2408) is the target's white. What is brighter is compressed by the curve of
//! ITU-R BT.2390 ([`curve`]), from the brightest light of the picture: a picture without highlights stays as it is, and
//! nothing that the picture shows is cut off. The brightest channel decides for all three, so that hue and saturation stay;
//! colours outside of the target's gamut lose saturation until they fit, not lightness or hue.

use moxcms::{CicpColorPrimaries, CicpProfile, ColorProfile, MatrixCoefficients, TransferCharacteristics};

use super::picture::{Channels, Pixels, Space};

pub(crate) mod curve;

use curve::{WHITE, eetf};

#[cfg(test)]
mod tests;

/// A transfer function of high dynamic range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transfer {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67, shown on a display of 1000 cd/m², whose system gamma is 1.2 (ITU-R BT.2100).
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

    /// Light of a code value, 0..=1: of the display in cd/m², or for HLG of the scene, 0..=1.
    fn light(self, value: f32) -> f32 {
        match self {
            Self::Pq => curve::from_pq(value),
            Self::Hlg if value <= 0.5 => value * value / 3.0,
            Self::Hlg => (((value - 0.559_910_7) / 0.178_832_77).exp() + 0.284_668_92) / 12.0,
        }
    }

    /// The brightest light that can be meant, in cd/m².
    fn most(self) -> f32 {
        match self {
            Self::Pq => 10_000.0,
            Self::Hlg => HLG_PEAK,
        }
    }
}

/// The display that HLG is shown on, in cd/m².
const HLG_PEAK: f32 = 1_000.0;

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
        let curve = curve::srgb();
        (profile.red_trc, profile.green_trc, profile.blue_trc) =
            (Some(curve.clone()), Some(curve.clone()), Some(curve));
        profile.cicp = None;
        Some(profile)
    }

    /// How much of the luminance each primary gives.
    fn luminance(self) -> [f32; 3] {
        match self {
            Self::Srgb => [0.212_639, 0.715_168_7, 0.072_192_3],
            Self::Bt2020 => [0.262_7, 0.678, 0.059_3],
            Self::DisplayP3 => [0.228_974_6, 0.691_738_5, 0.079_286_9],
        }
    }

    /// Amounts of light in these primaries to amounts in those of a space.
    fn to(self, space: Space) -> [[f32; 3]; 3] {
        match (self, space) {
            (Self::Srgb, Space::Srgb) | (Self::DisplayP3, Space::DisplayP3) => {
                [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
            }
            (Self::Bt2020, Space::Srgb) => [
                [1.660_491, -0.587_641_1, -0.072_849_9],
                [-0.124_550_5, 1.132_899_9, -0.008_349_4],
                [-0.018_150_8, -0.100_578_9, 1.118_729_7],
            ],
            (Self::DisplayP3, Space::Srgb) => [
                [1.224_940_2, -0.224_940_2, 0.0],
                [-0.042_056_9, 1.042_056_9, 0.0],
                [-0.019_637_6, -0.078_636_1, 1.098_273_7],
            ],
            (Self::Bt2020, Space::DisplayP3) => [
                [1.343_578_3, -0.282_179_6, -0.061_398_6],
                [-0.065_297_5, 1.075_788, -0.010_490_5],
                [0.002_821_8, -0.019_598_5, 1.016_776_7],
            ],
            (Self::Srgb, Space::DisplayP3) => {
                [[0.822_462, 0.177_538, 0.0], [0.033_194_2, 0.966_805_8, 0.0], [0.017_082_6, 0.072_397_4, 0.910_519_9]]
            }
        }
    }

    /// The space to bring such pictures to: Display P3 where that is wanted and these reach beyond sRGB.
    pub(super) fn space(self, p3: bool) -> Space {
        if p3 && self != Self::Srgb { Space::DisplayP3 } else { Space::Srgb }
    }
}

/// Code values of a transfer function and primaries, and the light that they mean.
pub(super) struct CodedLight {
    transfer: Transfer,
    primaries: Primaries,
    /// Of every code value.
    table: Vec<f32>,
    bits: u8,
}

/// How finely light is told apart where it is looked up: the steps are narrower the darker it is.
const STEPS: usize = 4096;

impl CodedLight {
    /// For samples of so many bits, 8 to 16.
    pub(super) fn new(transfer: Transfer, primaries: Primaries, bits: u8) -> Self {
        let bits = bits.clamp(8, 16);
        let top = (1usize << bits) - 1;
        let table = (0..=top).map(|code| transfer.light(code as f32 / top as f32)).collect();
        Self { transfer, primaries, table, bits }
    }

    /// The light of the display for a pixel's code values, in cd/m².
    fn of(&self, codes: [u16; 3]) -> [f32; 3] {
        let last = self.table.len().saturating_sub(1);
        let light = codes.map(|code| self.table.get(usize::from(code).min(last)).copied().unwrap_or(0.0));
        match self.transfer {
            Transfer::Pq => light,
            // The system gamma works on the scene's luminance.
            Transfer::Hlg => {
                let [r, g, b] = self.primaries.luminance();
                let luminance = r * light[0] + g * light[1] + b * light[2];
                let factor = HLG_PEAK * luminance.powf(0.2);
                light.map(|light| light * factor)
            }
        }
    }

    /// Where light lies among [`STEPS`], with what is left of a step.
    fn place(&self, light: f32) -> f32 {
        (light / self.transfer.most()).clamp(0.0, 1.0).sqrt() * (STEPS - 1) as f32
    }

    /// The pixels of a row of samples.
    fn pixels<'a>(row: &'a [u16], channels: Channels) -> impl Iterator<Item = [u16; 3]> + 'a {
        row.chunks_exact(channels.count()).map(move |pixel| match *pixel {
            [r, g, b] | [r, g, b, _] => [r, g, b],
            [grey] | [grey, _] => [grey; 3],
            _ => [0; 3],
        })
    }
}

/// Finds the brightest light of a picture.
pub(super) struct Meter {
    counts: Vec<u64>,
}

impl Meter {
    /// A meter that has seen nothing.
    pub(super) fn new() -> Self {
        Self { counts: vec![0; STEPS] }
    }

    /// Takes a row of samples.
    pub(super) fn row(&mut self, light: &CodedLight, row: &[u16], channels: Channels) {
        for codes in CodedLight::pixels(row, channels) {
            let [r, g, b] = light.of(codes);
            let step = light.place(r.max(g).max(b)).ceil() as usize;
            if let Some(count) = self.counts.get_mut(step.min(STEPS - 1)) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// The light, in cd/m², that all but one in ten thousand pixels stay below: a few glints do not darken a picture.
    pub(super) fn peak(&self, light: &CodedLight) -> f32 {
        let total: u64 = self.counts.iter().sum();
        let mut left = total / 10_000;
        for (step, count) in self.counts.iter().enumerate().rev() {
            if *count > left {
                let place = step as f32 / (STEPS - 1) as f32;
                return place * place * light.transfer.most();
            }
            left -= count;
        }
        0.0
    }
}

/// Maps code values to 8 bits with sRGB's curve.
pub(super) struct Mapper {
    light: CodedLight,
    /// What light is multiplied with, at every step; the product is 1 for the target's white.
    gain: Vec<f32>,
    matrix: [[f32; 3]; 3],
    /// Of the target's primaries.
    luminance: [f32; 3],
    curve: Vec<u8>,
}

/// Steps of light in the table of sRGB's curve.
const CURVE: usize = 8192;

impl Mapper {
    /// A mapper for pictures that are at most so bright, in cd/m².
    pub(super) fn new(light: CodedLight, peak: f32, space: Space) -> Self {
        let most = light.transfer.most();
        let peak = if peak.is_finite() { peak.clamp(WHITE, most) } else { most };
        let gain = |step: usize| {
            let place = step.max(1) as f32 / (STEPS - 1) as f32;
            let light = place * place * most;
            eetf(light, peak) / light / WHITE
        };
        let curve = |step: usize| {
            let light = step as f32 / CURVE as f32;
            let value = if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 };
            (value * 255.0 + 0.5) as u8
        };
        let luminance = match space {
            Space::Srgb => Primaries::Srgb.luminance(),
            Space::DisplayP3 => Primaries::DisplayP3.luminance(),
        };
        Self {
            matrix: light.primaries.to(space),
            gain: (0..STEPS).map(gain).collect(),
            luminance,
            curve: (0..=CURVE).map(curve).collect(),
            light,
        }
    }

    /// Maps one pixel's code values.
    pub(super) fn pixel(&self, codes: [u16; 3]) -> [u8; 3] {
        let light = self.light.of(codes);
        let place = self.light.place(light[0].max(light[1]).max(light[2]));
        let step = place as usize;
        let at = |step: usize| self.gain.get(step.min(STEPS - 1)).copied().unwrap_or(0.0);
        let (low, high) = (at(step), at(step + 1));
        let gain = low + (high - low) * (place - step as f32);
        let light = light.map(|light| light * gain);
        let linear = self.matrix.map(|[r, g, b]| r * light[0] + g * light[1] + b * light[2]);
        self.fit(linear)
            .map(|light| self.curve.get((light.clamp(0.0, 1.0) * CURVE as f32 + 0.5) as usize).copied().unwrap_or(255))
    }

    /// Takes as much saturation away as it needs to fit into the gamut.
    fn fit(&self, light: [f32; 3]) -> [f32; 3] {
        let (low, high) = (light[0].min(light[1]).min(light[2]), light[0].max(light[1]).max(light[2]));
        if low >= 0.0 && high <= 1.0 {
            return light;
        }
        let [r, g, b] = self.luminance;
        let grey = (r * light[0] + g * light[1] + b * light[2]).clamp(0.0, 1.0);
        let mut keep = 1.0f32;
        if low < 0.0 {
            keep = keep.min(grey / (grey - low));
        }
        if high > 1.0 && high > grey {
            keep = keep.min((1.0 - grey) / (high - grey));
        }
        light.map(|light| grey + (light - grey) * keep)
    }

    /// Maps a row of samples to as many bytes; alpha is only brought to 8 bits.
    pub(super) fn row(&self, from: &[u16], channels: Channels, to: &mut [u8]) {
        let count = channels.count();
        let shift = self.light.bits.saturating_sub(8);
        for ((codes, from), to) in
            CodedLight::pixels(from, channels).zip(from.chunks_exact(count)).zip(to.chunks_exact_mut(count))
        {
            let colour = self.pixel(codes);
            let colours = if channels.has_alpha() { count - 1 } else { count };
            for (to, value) in to.iter_mut().take(colours).zip(colour) {
                *to = value;
            }
            if let (true, Some(alpha), Some(to)) = (channels.has_alpha(), from.last(), to.last_mut()) {
                *to = u8::try_from(alpha >> shift).unwrap_or(255);
            }
        }
    }
}

/// How samples of 16 bits lie in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// As in PNG.
    Big,
    /// As libheif gives them.
    Little,
}

/// What is known of a picture's brightest light.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Brightness {
    /// MaxCLL, or what the display could show that it was graded on, in cd/m²; `None` where the file does not say.
    pub declared: Option<f32>,
    /// One of many frames, which must all be mapped alike: nothing is measured.
    pub moving: bool,
}

/// What pictures are graded for that do not say it, in cd/m².
const USUAL: f32 = 1_000.0;

/// Measures a picture, row by row, and gives what maps it.
pub(super) fn mapper(
    light: CodedLight,
    about: Brightness,
    space: Space,
    measure: impl FnOnce(&mut Meter, &CodedLight),
) -> Mapper {
    let declared = about.declared.filter(|peak| *peak > 0.0);
    let peak = if about.moving {
        declared.unwrap_or(USUAL)
    } else {
        let mut meter = Meter::new();
        measure(&mut meter, &light);
        meter.peak(&light).min(declared.unwrap_or(f32::INFINITY))
    };
    Mapper::new(light, peak, space)
}

/// Maps rows of 16-bit samples to the rows of `data`, which have no gaps.
pub(super) fn develop<'a>(
    light: CodedLight,
    about: Brightness,
    space: Space,
    rows: impl Iterator<Item = &'a [u8]> + Clone,
    (order, channels): (Order, Channels),
    (data, stride): (&mut [u8], usize),
) {
    let mut samples = vec![0u16; stride];
    let fill = |row: &[u8], samples: &mut [u16]| {
        for (to, from) in samples.iter_mut().zip(row.as_chunks::<2>().0) {
            *to = match order {
                Order::Big => u16::from_be_bytes(*from),
                Order::Little => u16::from_le_bytes(*from),
            };
        }
    };
    let height = data.len() / stride.max(1);
    let mapper = mapper(light, about, space, |meter, light| {
        for row in rows.clone().take(height) {
            fill(row, &mut samples);
            meter.row(light, &samples, channels);
        }
    });
    for (row, to) in rows.zip(data.chunks_exact_mut(stride.max(1))) {
        fill(row, &mut samples);
        mapper.row(&samples, channels, to);
    }
}

/// Maps 8-bit pixels in place; alpha stays.
pub(super) fn apply(transfer: Transfer, primaries: Primaries, about: Brightness, space: Space, pixels: &mut Pixels) {
    let (channels, stride) = (pixels.channels(), pixels.stride());
    let mut samples = vec![0u16; stride];
    let fill = |row: &[u8], samples: &mut [u16]| {
        for (to, from) in samples.iter_mut().zip(row) {
            *to = u16::from(*from);
        }
    };
    let mapper = mapper(CodedLight::new(transfer, primaries, 8), about, space, |meter, light| {
        for row in pixels.rows() {
            fill(row, &mut samples);
            meter.row(light, &samples, channels);
        }
    });
    for row in pixels.data_mut().chunks_exact_mut(stride) {
        fill(row, &mut samples);
        mapper.row(&samples, channels, row);
    }
}
