//! The curves of light: SMPTE ST 2084 (PQ) both ways, and the electro-electrical transfer function of ITU-R BT.2390
//! (annex 5), which brings what one display shows into the range of a smaller one.

use moxcms::ToneReprCurve;

/// The light of a picture's white (ITU-R BT.2408), in cd/m²; the brightest that the target can show.
pub(super) const WHITE: f32 = 203.0;

const M1: f32 = 0.159_301_76;
const M2: f32 = 78.84375;
const C1: f32 = 0.835_937_5;
const C2: f32 = 18.851_563;
const C3: f32 = 18.6875;

/// The light of a PQ value of 0..=1, in cd/m².
pub(super) fn from_pq(value: f32) -> f32 {
    let power = value.powf(1.0 / M2);
    ((power - C1).max(0.0) / (C2 - C3 * power)).powf(1.0 / M1) * 10_000.0
}

/// The PQ value, 0..=1, of light in cd/m².
pub(super) fn pq(light: f32) -> f32 {
    let power = (light.max(0.0) / 10_000.0).powf(M1);
    ((C1 + C2 * power) / (1.0 + C3 * power)).powf(M2)
}

/// Light that was meant for a display of `peak`, for one of [`WHITE`]; all in cd/m². Darker light than the knee stays as it
/// is, what lies between the knee and the peak is bent by a cubic, and the peak becomes the white. Both displays' black is 0.
pub(super) fn eetf(light: f32, peak: f32) -> f32 {
    if peak <= WHITE {
        return light.min(WHITE);
    }
    let top = pq(peak);
    let white = pq(WHITE) / top;
    let knee = 1.5 * white - 0.5;
    let value = (pq(light) / top).min(1.0);
    if value <= knee {
        return light;
    }
    let t = (value - knee) / (1.0 - knee);
    let (square, cube) = (t * t, t * t * t);
    let bent = (2.0 * cube - 3.0 * square + 1.0) * knee
        + (cube - 2.0 * square + t) * (1.0 - knee)
        + (3.0 * square - 2.0 * cube) * white;
    from_pq(bent * top).min(WHITE)
}

/// sRGB's curve, which greys are written with too.
pub(crate) fn srgb() -> ToneReprCurve {
    ToneReprCurve::Parametric(vec![2.4, 1. / 1.055, 0.055 / 1.055, 1. / 12.92, 0.04045])
}
