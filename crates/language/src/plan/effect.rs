//! Steps that change pixels where they are, and shapes that are cut out of a picture.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use super::keys::{Keys, bad};
use crate::error::Error;

/// Change pixels where they are; the size stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Effect {
    /// Gaussian blur.
    Blur {
        /// Pixels on each side that count, 1..=50.
        radius: u8,
        /// Standard deviation in hundredths of a pixel, 1 or more.
        sigma: u16,
    },
    /// Unsharp mask of so many percent, 1 or more.
    Sharpen(u16),
    /// Percent of full scale to add, -100..=100.
    Bright(i8),
    /// Percent by which the distance from mid grey grows, -100..=100.
    Contrast(i8),
    /// Shades of grey.
    Grey,
}

/// Keep what lies inside of a shape; outside is transparent, or white where the output has no alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// The shape.
    pub outline: Outline,
    /// Pixels, 1 or more.
    pub radius: u32,
    /// A radius that the picture has no room for.
    pub beyond: Beyond,
}

/// A shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Outline {
    /// A circle about the centre; the result is the square of 2r pixels around it (Tencent).
    Circle,
    /// A circle about the middle pixel; the result is the square of 2r + 1 pixels around it (Aliyun).
    OddCircle,
    /// The picture with rounded corners; the size stays.
    Corners,
}

/// What happens to a radius that the picture has no room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Beyond {
    /// The largest that fits is taken.
    Shorten,
    /// From half of the shorter side on it is an error, [`crate::error::Kind::CropOutside`].
    Refuse,
}

/// Keep one cell of a grid, counted from 0 along the rows. The last cells may be smaller; an index beyond them changes
/// nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slice {
    /// Width of a cell, 1 or more; `None`: the picture's.
    pub w: Option<u32>,
    /// Height of a cell, likewise.
    pub h: Option<u32>,
    /// Which cell.
    pub index: u32,
}

impl Effect {
    /// Whether it does anything at all.
    pub fn changes_something(self) -> bool {
        !matches!(self, Self::Bright(0) | Self::Contrast(0))
    }

    /// Whether it looks at one pixel at a time, so that it commutes (but for rounding) with a change of the size.
    pub fn per_pixel(self) -> bool {
        matches!(self, Self::Bright(_) | Self::Contrast(_) | Self::Grey)
    }

    /// The effect that the name of a step in canonical text stands for, with the step's keys; `None` for another step.
    pub(super) fn read(name: &str, keys: &mut Keys<'_>) -> Result<Option<Self>, Error> {
        Ok(Some(match name {
            "blur" => Self::Blur { radius: keys.need("r")?, sigma: keys.need("s")? },
            "sharpen" => Self::Sharpen(keys.need("p")?),
            "bright" => Self::Bright(keys.need("p")?),
            "contrast" => Self::Contrast(keys.need("p")?),
            "grey" => Self::Grey,
            _ => return Ok(None),
        }))
    }

    /// What it does, for people.
    pub fn words(self) -> String {
        match self {
            Self::Blur { radius, sigma } => format!("blur, radius {radius}, sigma {}", f64::from(sigma) / 100.0),
            Self::Sharpen(percent) => format!("sharpen by {percent} %"),
            Self::Bright(percent) => format!("brightness {percent:+} %"),
            Self::Contrast(percent) => format!("contrast {percent:+} %"),
            Self::Grey => "shades of grey".into(),
        }
    }
}

impl Display for Effect {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blur { radius, sigma } => write!(f, "blur,r={radius},s={sigma}"),
            Self::Sharpen(percent) => write!(f, "sharpen,p={percent}"),
            Self::Bright(percent) => write!(f, "bright,p={percent}"),
            Self::Contrast(percent) => write!(f, "contrast,p={percent}"),
            Self::Grey => f.write_str("grey"),
        }
    }
}

impl Outline {
    /// Every outline.
    pub const ALL: [Self; 3] = [Self::Circle, Self::OddCircle, Self::Corners];

    /// The step's name in canonical text.
    pub fn name(self) -> &'static str {
        match self {
            Self::Circle => "circle",
            Self::OddCircle => "odd-circle",
            Self::Corners => "corners",
        }
    }
}

impl Shape {
    /// As [`Effect::read`], for shapes.
    pub(super) fn read(name: &str, keys: &mut Keys<'_>) -> Result<Option<Self>, Error> {
        let Some(outline) = Outline::ALL.into_iter().find(|outline| outline.name() == name) else { return Ok(None) };
        let beyond = match keys.take("over") {
            Some("shorten") => Beyond::Shorten,
            Some("refuse") => Beyond::Refuse,
            other => return Err(bad(other.unwrap_or(name))),
        };
        Ok(Some(Self { outline, radius: keys.need("r")?, beyond }))
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let beyond = match self.beyond {
            Beyond::Shorten => "shorten",
            Beyond::Refuse => "refuse",
        };
        write!(f, "{},r={},over={beyond}", self.outline.name(), self.radius)
    }
}

impl Display for Slice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("slice")?;
        for (key, side) in [("w", self.w), ("h", self.h)] {
            if let Some(side) = side {
                write!(f, ",{key}={side}")?;
            }
        }
        write!(f, ",i={}", self.index)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any effect, for properties of whole plans.
    pub(in crate::plan) fn any_effect() -> impl Strategy<Value = Effect> {
        prop_oneof![
            (1u8..=50, 1u16..6000).prop_map(|(radius, sigma)| Effect::Blur { radius, sigma }),
            (1u16..400).prop_map(Effect::Sharpen),
            (-100i8..=100).prop_map(Effect::Bright),
            (-100i8..=100).prop_map(Effect::Contrast),
            Just(Effect::Grey),
        ]
    }

    /// Any shape, likewise.
    pub(in crate::plan) fn any_shape() -> impl Strategy<Value = Shape> {
        (0usize..Outline::ALL.len(), 1u32..5000, any::<bool>()).prop_map(|(outline, radius, refuse)| {
            let beyond = if refuse { Beyond::Refuse } else { Beyond::Shorten };
            Shape { outline: Outline::ALL[outline], radius, beyond }
        })
    }

    #[test]
    fn effects_are_words() {
        for (effect, words) in [
            (Effect::Blur { radius: 3, sigma: 150 }, "blur, radius 3, sigma 1.5"),
            (Effect::Sharpen(80), "sharpen by 80 %"),
            (Effect::Bright(-20), "brightness -20 %"),
            (Effect::Contrast(20), "contrast +20 %"),
            (Effect::Grey, "shades of grey"),
        ] {
            assert_eq!(effect.words(), words);
        }
    }
}
