//! Colour profiles to sRGB, row by row.

use std::sync::Arc;

use moxcms::{
    ColorProfile, DataColorSpace, Layout, ParsingOptions, ToneReprCurve, TransformExecutor, TransformOptions,
};

use super::picture::{Channels, Pixels};
use crate::error::{Error, Kind};

/// Bytes of a profile, at most: the largest in use are CMYK press profiles of some 2 MB.
pub const MAX_PROFILE: usize = 8 << 20;

/// A transform of 8-bit pixels to sRGB (grey to grey with the sRGB curve).
pub struct ToSrgb {
    executor: Arc<dyn TransformExecutor<u8> + Send + Sync>,
    channels: Channels,
}

/// A transform of 16-bit pixels to sRGB, for sources whose curve would be too coarse at 8 bits.
pub struct ToSrgb16 {
    executor: Arc<dyn TransformExecutor<u16> + Send + Sync>,
    channels: Channels,
}

/// A transform of four inks to sRGB.
pub struct FromCmyk {
    executor: Option<Arc<dyn TransformExecutor<u8> + Send + Sync>>,
}

/// Parses a profile; `None` if it is broken or too large.
pub fn parse(icc: &[u8]) -> Option<ColorProfile> {
    let options = ParsingOptions { max_profile_size: MAX_PROFILE, ..ParsingOptions::default() };
    ColorProfile::new_from_slice_with_options(icc, options).ok()
}

/// sRGB's curve, which greys are written with too.
pub fn srgb_curve() -> ToneReprCurve {
    ToneReprCurve::Parametric(vec![2.4, 1. / 1.055, 0.055 / 1.055, 1. / 12.92, 0.04045])
}

fn target(channels: Channels) -> (ColorProfile, Layout) {
    match channels {
        Channels::Grey | Channels::GreyAlpha => {
            let mut grey = ColorProfile::new_gray_with_gamma(2.2);
            grey.gray_trc = Some(srgb_curve());
            (grey, if channels == Channels::Grey { Layout::Gray } else { Layout::GrayAlpha })
        }
        Channels::Rgb => (ColorProfile::new_srgb(), Layout::Rgb),
        Channels::Rgba => (ColorProfile::new_srgb(), Layout::Rgba),
    }
}

/// Whether a profile is for pixels of this kind.
fn fits(profile: &ColorProfile, channels: Channels) -> bool {
    match channels {
        Channels::Grey | Channels::GreyAlpha => profile.color_space == DataColorSpace::Gray,
        Channels::Rgb | Channels::Rgba => profile.color_space == DataColorSpace::Rgb,
    }
}

impl ToSrgb {
    /// The transform from an embedded profile. `None` where there is nothing to do: the profile is broken, is meant for
    /// other channels, or is sRGB by its numbers.
    pub fn from_icc(icc: &[u8], channels: Channels) -> Option<Self> {
        Self::from_profile(&parse(icc)?, channels)
    }

    /// The same from a profile that is at hand.
    pub fn from_profile(profile: &ColorProfile, channels: Channels) -> Option<Self> {
        fits(profile, channels).then_some(())?;
        let (srgb, layout) = target(channels);
        let executor = profile.create_transform_8bit(layout, &srgb, layout, TransformOptions::default()).ok()?;
        let this = Self { executor, channels };
        (!this.is_identity()).then_some(this)
    }

    /// Whether no colour of a coarse lattice moves by more than one step.
    fn is_identity(&self) -> bool {
        let steps = [0u8, 32, 64, 96, 128, 160, 192, 224, 255];
        let mut from = Vec::new();
        for r in steps {
            match self.channels {
                Channels::Grey => from.push(r),
                Channels::GreyAlpha => from.extend([r, 255]),
                Channels::Rgb | Channels::Rgba => {
                    for g in steps {
                        for b in steps {
                            from.extend([r, g, b]);
                            from.extend(self.channels.has_alpha().then_some(255));
                        }
                    }
                }
            }
        }
        let mut to = vec![0; from.len()];
        self.executor.transform(&from, &mut to).is_ok() && from.iter().zip(&to).all(|(a, b)| a.abs_diff(*b) <= 1)
    }

    /// Transforms all pixels in place. Pixels of other channels than the transform was made for are left alone.
    ///
    /// # Errors
    /// [`Kind::Internal`] if the colour library refuses a row.
    pub fn apply(&self, pixels: &mut Pixels) -> Result<(), Error> {
        if pixels.channels() != self.channels {
            return Ok(());
        }
        let stride = pixels.stride();
        let mut row = vec![0; stride];
        for line in pixels.data_mut().chunks_exact_mut(stride) {
            row.copy_from_slice(line);
            self.executor.transform(&row, line).map_err(refused)?;
        }
        Ok(())
    }
}

impl ToSrgb16 {
    /// The transform from a profile; `None` if it is meant for other channels.
    pub fn from_profile(profile: &ColorProfile, channels: Channels) -> Option<Self> {
        fits(profile, channels).then_some(())?;
        let (srgb, layout) = target(channels);
        let executor = profile.create_transform_16bit(layout, &srgb, layout, TransformOptions::default()).ok()?;
        Some(Self { executor, channels })
    }

    /// Transforms a row of big-endian 16-bit samples to a row of 8-bit ones; `to` has half the length of `from`.
    ///
    /// # Errors
    /// [`Kind::Internal`] if the colour library refuses the row.
    pub fn row(&self, from: &[u8], to: &mut [u8]) -> Result<(), Error> {
        let wide: Vec<u16> =
            from.chunks_exact(2).map(|pair| pair.iter().fold(0, |n, &byte| n << 8 | u16::from(byte))).collect();
        let mut out = vec![0; wide.len()];
        self.executor.transform(&wide, &mut out).map_err(refused)?;
        for (to, from) in to.iter_mut().zip(out) {
            // 257 steps of 16 bits are one of 8, rounded.
            *to = (u32::from(from).saturating_add(128) / 257) as u8;
        }
        Ok(())
    }

    /// What a row's pixels are.
    pub fn channels(&self) -> Channels {
        self.channels
    }
}

impl FromCmyk {
    /// The transform from an embedded profile, or the plain one (light left over by each ink) if there is none that fits.
    pub fn new(icc: Option<&[u8]>) -> Self {
        let executor =
            icc.and_then(parse).filter(|profile| profile.color_space == DataColorSpace::Cmyk).and_then(|profile| {
                // The four inks travel in the four-channel layout.
                let options = TransformOptions::default();
                profile.create_transform_8bit(Layout::Rgba, &ColorProfile::new_srgb(), Layout::Rgb, options).ok()
            });
        Self { executor }
    }

    /// Transforms a row of ink values (0 is no ink, 255 is all of it) to RGB.
    ///
    /// # Errors
    /// [`Kind::Internal`] if the colour library refuses the row.
    pub fn row(&self, inks: &[u8], rgb: &mut [u8]) -> Result<(), Error> {
        if let Some(executor) = &self.executor {
            return executor.transform(inks, rgb).map_err(refused);
        }
        for (ink, out) in inks.chunks_exact(4).zip(rgb.chunks_exact_mut(3)) {
            if let [c, m, y, k] = *ink {
                let light = |ink: u8| ((u32::from(255 - ink) * u32::from(255 - k) + 127) / 255) as u8;
                out.copy_from_slice(&[light(c), light(m), light(y)]);
            }
        }
        Ok(())
    }
}

fn refused(error: moxcms::CmsError) -> Error {
    Error::new(Kind::Internal, format!("the colour profile cannot be applied: {error}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn srgb_is_left_alone_and_garbage_is_ignored() {
        assert!(ToSrgb::from_profile(&ColorProfile::new_srgb(), Channels::Rgb).is_none());
        assert!(ToSrgb::from_icc(b"no profile", Channels::Rgb).is_none());
        assert!(ToSrgb::from_profile(&ColorProfile::new_display_p3(), Channels::Grey).is_none(), "other channels");
    }

    #[test]
    fn display_p3_grows_out_and_keeps_greys_and_alpha() {
        let transform = ToSrgb::from_profile(&ColorProfile::new_display_p3(), Channels::Rgba).unwrap();
        let mut pixels = Pixels::new(2, 1, Channels::Rgba, vec![128, 128, 128, 7, 200, 100, 100, 9]).unwrap();
        transform.apply(&mut pixels).unwrap();
        let data = pixels.data();
        assert!(data[..3].iter().all(|value| value.abs_diff(128) <= 1), "{data:?}");
        assert!(data[4] > 205 && data[5] < 100, "P3 red is redder than sRGB's: {data:?}");
        assert_eq!((data[3], data[7]), (7, 9));
    }

    #[test]
    fn a_linear_grey_gets_brighter() {
        let transform = ToSrgb::from_profile(&ColorProfile::new_gray_with_gamma(1.0), Channels::Grey).unwrap();
        let mut pixels = Pixels::new(3, 1, Channels::Grey, vec![0, 55, 255]).unwrap();
        transform.apply(&mut pixels).unwrap();
        assert!(pixels.data()[0] == 0 && pixels.data()[1].abs_diff(128) <= 2 && pixels.data()[2] == 255, "{pixels:?}");
    }

    #[test]
    fn inks_without_a_profile_take_light_away() {
        let mut rgb = [9; 12];
        FromCmyk::new(None).row(&[0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 0, 128], &mut rgb).unwrap();
        assert_eq!(rgb, [255, 255, 255, 0, 255, 255, 0, 0, 0, 127, 0, 127]);
    }
}
