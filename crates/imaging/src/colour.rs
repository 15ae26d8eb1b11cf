//! Colour profiles to sRGB, or to Display P3 where that is wanted, row by row.

use std::sync::{Arc, OnceLock};

use moxcms::{ColorProfile, DataColorSpace, Layout, ParsingOptions, TransformExecutor, TransformOptions};

use super::hdr::{self, Brightness, Primaries, Transfer, curve};
use super::picture::{Channels, Pixels, Space};
use super::policy::Gamut;
use crate::error::{Error, Kind};

/// Bytes of a profile, at most: the largest in use are CMYK press profiles of some 2 MB.
pub const MAX_PROFILE: usize = 8 << 20;

/// A transform of 8-bit pixels to sRGB (grey to grey with the sRGB curve), or to another [`Space`].
pub struct ToSrgb {
    way: Way,
    channels: Channels,
}

enum Way {
    Profile(Arc<dyn TransformExecutor<u8> + Send + Sync>),
    /// What the colour library would show as far too dark is tone-mapped.
    Hdr(Transfer, Primaries, Brightness, Space),
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

/// The transfer function of high dynamic range that a profile's `cicp` tag names, with its primaries.
pub(super) fn hdr_of(profile: &ColorProfile) -> Option<(Transfer, Primaries)> {
    let points = profile.cicp.as_ref()?;
    let transfer = Transfer::from_code(points.transfer_characteristics as u8)?;
    Some((transfer, Primaries::from_code(points.color_primaries as u8)))
}

/// Display P3 as a profile.
fn display_p3() -> ColorProfile {
    let mut profile = ColorProfile::new_display_p3();
    // The library names the code points of the cinema's P3.
    profile.cicp = None;
    profile
}

/// Display P3's profile as a file holds it, some 500 bytes; `None` if the library cannot write it.
pub fn display_p3_icc() -> Option<&'static [u8]> {
    static ICC: OnceLock<Option<Vec<u8>>> = OnceLock::new();
    ICC.get_or_init(|| {
        let mut icc = display_p3().encode().ok()?;
        // Profiles end on a multiple of four bytes, or libpng refuses them; the library forgets the last tag's padding.
        icc.resize(icc.len().next_multiple_of(4), 0);
        let length = u32::try_from(icc.len()).ok()?;
        icc.get_mut(..4)?.copy_from_slice(&length.to_be_bytes());
        Some(icc)
    })
    .as_deref()
}

/// The space for pixels of a profile: Display P3 where that is wanted and the profile's primaries reach beyond sRGB's.
pub fn space(gamut: Gamut, profile: &ColorProfile) -> Space {
    if gamut == Gamut::Srgb || profile.color_space != DataColorSpace::Rgb {
        return Space::Srgb;
    }
    // XYZ at D50, as profiles have it, to amounts of sRGB's primaries.
    let beyond = |colour: moxcms::Xyzd| {
        let (x, y, z) = (colour.x, colour.y, colour.z);
        let amounts = [
            3.134_136 * x - 1.617_386 * y - 0.490_662 * z,
            -0.978_795 * x + 1.916_254 * y + 0.033_443 * z,
            0.071_955 * x - 0.228_977 * y + 1.405_386 * z,
        ];
        amounts.iter().any(|amount| *amount < -0.02)
    };
    match [profile.red_colorant, profile.green_colorant, profile.blue_colorant].into_iter().any(beyond) {
        true => Space::DisplayP3,
        false => Space::Srgb,
    }
}

/// The same for an embedded profile, which is looked at only if it can matter.
pub fn space_of<T: AsRef<[u8]>>(gamut: Gamut, icc: impl FnOnce() -> Option<T>) -> Space {
    match gamut {
        Gamut::Srgb => Space::Srgb,
        Gamut::P3 => icc().and_then(|icc| parse(icc.as_ref())).map_or(Space::Srgb, |profile| space(gamut, &profile)),
    }
}

/// A colour of sRGB in this space.
pub fn in_space(colour: [u8; 3], to: Space) -> [u8; 3] {
    let mut out = colour;
    if to == Space::DisplayP3 {
        let (srgb, p3) = (ColorProfile::new_srgb(), display_p3());
        if let Ok(executor) = srgb.create_transform_8bit(Layout::Rgb, &p3, Layout::Rgb, TransformOptions::default())
            && executor.transform(&colour, &mut out).is_err()
        {
            return colour;
        }
    }
    out
}

fn target(channels: Channels, space: Space) -> (ColorProfile, Layout) {
    let coloured = match space {
        Space::Srgb => ColorProfile::new_srgb,
        Space::DisplayP3 => display_p3,
    };
    match channels {
        Channels::Grey | Channels::GreyAlpha => {
            let mut grey = ColorProfile::new_gray_with_gamma(2.2);
            grey.gray_trc = Some(curve::srgb());
            (grey, if channels == Channels::Grey { Layout::Gray } else { Layout::GrayAlpha })
        }
        Channels::Rgb => (coloured(), Layout::Rgb),
        Channels::Rgba => (coloured(), Layout::Rgba),
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
        Self::into_space(profile, channels, Space::Srgb)
    }

    /// The same to whichever space is wanted; `None` too where the profile is that space by its numbers.
    pub fn into_space(profile: &ColorProfile, channels: Channels, space: Space) -> Option<Self> {
        fits(profile, channels).then_some(())?;
        if let Some((transfer, primaries)) = hdr_of(profile) {
            return Some(Self { way: Way::Hdr(transfer, primaries, Brightness::default(), space), channels });
        }
        let (target, layout) = target(channels, space);
        let executor = profile.create_transform_8bit(layout, &target, layout, TransformOptions::default()).ok()?;
        (!is_identity(&*executor, channels)).then_some(Self { way: Way::Profile(executor), channels })
    }

    /// The same for the frames of an animation, which all have to be mapped alike.
    pub fn steady(mut self) -> Self {
        if let Way::Hdr(_, _, about, _) = &mut self.way {
            about.moving = true;
        }
        self
    }

    /// Transforms all pixels in place. Pixels of other channels than the transform was made for are left alone.
    ///
    /// # Errors
    /// [`Kind::Internal`] if the colour library refuses a row.
    pub fn apply(&self, pixels: &mut Pixels) -> Result<(), Error> {
        if pixels.channels() != self.channels {
            return Ok(());
        }
        let executor = match &self.way {
            Way::Profile(executor) => executor,
            Way::Hdr(transfer, primaries, about, space) => {
                hdr::apply(*transfer, *primaries, *about, *space, pixels);
                return Ok(());
            }
        };
        let stride = pixels.stride();
        let mut row = vec![0; stride];
        for line in pixels.data_mut().chunks_exact_mut(stride) {
            row.copy_from_slice(line);
            executor.transform(&row, line).map_err(refused)?;
        }
        Ok(())
    }
}

/// Whether no colour of a coarse lattice moves by more than one step.
fn is_identity(executor: &(dyn TransformExecutor<u8> + Send + Sync), channels: Channels) -> bool {
    let steps = [0u8, 32, 64, 96, 128, 160, 192, 224, 255];
    let mut from = Vec::new();
    for r in steps {
        match channels {
            Channels::Grey => from.push(r),
            Channels::GreyAlpha => from.extend([r, 255]),
            Channels::Rgb | Channels::Rgba => {
                for g in steps {
                    for b in steps {
                        from.extend([r, g, b]);
                        from.extend(channels.has_alpha().then_some(255));
                    }
                }
            }
        }
    }
    let mut to = vec![0; from.len()];
    executor.transform(&from, &mut to).is_ok() && from.iter().zip(&to).all(|(a, b)| a.abs_diff(*b) <= 1)
}

impl ToSrgb16 {
    /// The transform from a profile; `None` if it is meant for other channels.
    pub fn into_space(profile: &ColorProfile, channels: Channels, space: Space) -> Option<Self> {
        fits(profile, channels).then_some(())?;
        let (srgb, layout) = target(channels, space);
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
    fn only_wider_gamuts_want_display_p3() {
        for profile in [ColorProfile::new_display_p3(), ColorProfile::new_adobe_rgb(), ColorProfile::new_bt2020()] {
            assert_eq!(space(Gamut::P3, &profile), Space::DisplayP3);
            assert_eq!(space(Gamut::Srgb, &profile), Space::Srgb);
        }
        assert_eq!(space(Gamut::P3, &ColorProfile::new_srgb()), Space::Srgb);
        assert_eq!(space_of(Gamut::P3, || Some(b"no profile")), Space::Srgb);
        let icc = display_p3_icc().unwrap();
        assert!(icc.len() < 1000 && icc.len().is_multiple_of(4), "{} bytes", icc.len());
        assert_eq!(icc[..4], (icc.len() as u32).to_be_bytes());
        let own = parse(icc).unwrap();
        assert!(ToSrgb::into_space(&own, Channels::Rgb, Space::DisplayP3).is_none(), "it is its own space");
        assert_eq!(in_space([255; 3], Space::DisplayP3), [255; 3]);
        let red = in_space([255, 0, 0], Space::DisplayP3);
        assert!(red[0].abs_diff(234) <= 1 && red[1].abs_diff(51) <= 1 && red[2].abs_diff(35) <= 1, "{red:?}");
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
