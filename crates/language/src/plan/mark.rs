//! Visible marks: text, another picture of the bucket, or both side by side, drawn onto the picture. The size stays.

use serde::{Deserialize, Serialize};

use super::{
    Answer, Axes, Box2, Enlarge, Format, Frames, Gravity, Layout, Limits, Mode, Output, Plan, Resize, Rgb, Rotate,
    Source, Step, Target, geometry,
};
use crate::error::{Error, Kind};

/// One mark.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// What is drawn.
    pub subject: Subject,
    /// Percent of opacity, 0..=100.
    pub opacity: u8,
    /// The point of the picture and of the mark that coincide before the offsets.
    pub gravity: Gravity,
    /// Pixels away from the named edge, towards the middle; to the right where the gravity names no edge.
    pub dx: i32,
    /// The same vertically; down where the gravity names no edge.
    pub dy: i32,
    /// Repeat it over the whole picture, on a grid that goes through the place of the single mark.
    pub tiles: Option<Gap>,
}

/// What a mark shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// A line of text.
    Text(MarkText),
    /// A picture.
    Image(MarkImage),
    /// Both, side by side.
    Both {
        /// The picture.
        image: MarkImage,
        /// The text.
        text: MarkText,
        /// Whether the text stands on the left.
        text_first: bool,
        /// How the lower of the two stands beside the higher one.
        align: Align,
        /// Pixels between the two.
        interval: u32,
    },
}

/// How the lower of two things stands beside the higher one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Align {
    Top,
    Middle,
    Bottom,
}

/// A line of text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MarkText {
    /// What is written: not empty, without control characters.
    pub text: String,
    /// The vendor's name of the font; which font stands for it is configured.
    pub font: String,
    /// Pixels of an em, 1..=1000.
    pub size: u16,
    /// The letters' colour.
    pub color: Rgb,
    /// Percent of opacity of a black shadow, 0..=100; 0: none.
    pub shadow: u8,
    /// Turn clockwise, 0..=359.
    pub degrees: u16,
    /// Write it as large as this asks, whatever `size` says.
    pub scale: Option<Scale>,
}

/// Another picture of the same bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MarkImage {
    /// Its key, decoded.
    pub object: String,
    /// The host of the URL that named it, in lower case; it must be one of the site's. `None`: named by its key alone.
    pub host: Option<String>,
    /// What is done to it first, after it was brought upright.
    pub before: Vec<Step>,
    /// Then its size.
    pub scale: Option<Scale>,
    /// What is done to it after that.
    pub after: Vec<Step>,
    /// Shrink it at last to the picture that it marks where it is larger than that; else what lies outside is not seen.
    pub shrink: bool,
    /// Turn clockwise, 0..=359.
    pub degrees: u16,
}

/// A size that is told by the picture that is marked. The mark's own ratio is kept; small marks grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Scale {
    /// As large as fits into so many percent of both sides, 1..=100.
    Within(u8),
    /// So many thousandths of the picture's width, 1..=1000.
    Width(u16),
    /// So many thousandths of its height, 1..=1000.
    Height(u16),
    /// So many thousandths of its area, 1..=1000.
    Area(u16),
}

/// The free space between tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Gap {
    /// Pixels, across and down.
    Pixels(u32, u32),
    /// Percent of the mark's own sides, 0..=100.
    Percent(u8),
}

impl Align {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Top, Self::Middle, Self::Bottom];
}

impl Mark {
    /// The picture that it needs.
    pub fn image(&self) -> Option<&MarkImage> {
        match &self.subject {
            Subject::Image(image) | Subject::Both { image, .. } => Some(image),
            Subject::Text(_) => None,
        }
    }

    /// The text that it shows.
    pub fn text(&self) -> Option<&MarkText> {
        match &self.subject {
            Subject::Text(text) | Subject::Both { text, .. } => Some(text),
            Subject::Image(_) => None,
        }
    }
}

impl Plan {
    /// Its marks, in order. [`super::GeometryOp::Mark`] counts them.
    pub fn marks(&self) -> impl Iterator<Item = &Mark> {
        self.steps.iter().filter_map(|step| match step {
            Step::Mark(mark) => Some(&**mark),
            _ => None,
        })
    }

    /// The pictures that its marks need, in order; one that is needed twice stands twice.
    pub fn mark_images(&self) -> impl Iterator<Item = &MarkImage> {
        self.marks().filter_map(Mark::image)
    }
}

impl Scale {
    /// The box, or the area, for a picture of this size.
    pub fn mode(self, (width, height): (u32, u32)) -> Mode {
        let part = |side: u32, of: u64, whole: u64| {
            let part = (u64::from(side) * of + whole / 2) / whole;
            Some(u32::try_from(part.max(1)).unwrap_or(u32::MAX))
        };
        let fit = |w, h| Mode::Fit(Box2 { w, h, axes: Axes::WidthHeight });
        match self {
            Self::Within(percent) => fit(part(width, percent.into(), 100), part(height, percent.into(), 100)),
            Self::Width(k) => fit(part(width, k.into(), 1000), None),
            Self::Height(k) => fit(None, part(height, k.into(), 1000)),
            Self::Area(k) => Mode::Area((u64::from(width) * u64::from(height) * u64::from(k) / 1000).max(1)),
        }
    }
}

/// Lays out what is done to a mark's picture, for a picture of `size` that it is to mark.
///
/// # Errors
/// [`Kind::MarkUnusable`] for an animation and for a picture over the limits; what [`geometry::lay_out`] says.
pub fn lay_out(image: &MarkImage, source: &Source, size: (u32, u32), limits: &Limits) -> Result<Layout, Error> {
    if source.animated() {
        return Err(Error::new(Kind::MarkUnusable, "the mark is an animation; only still pictures can be marks"));
    }
    geometry::check_source(source, limits)
        .map_err(|error| Error::new(Kind::MarkUnusable, format!("the mark: {}", error.message)))?;
    let resize = |mode, enlarge| Step::Resize(Resize { mode, enlarge });
    let mut steps = vec![Step::AutoOrient];
    steps.extend(image.before.iter().cloned());
    steps.extend(image.scale.map(|scale| resize(scale.mode(size), Enlarge::Allow)));
    steps.extend(image.after.iter().cloned());
    if image.shrink {
        let whole = Box2 { w: Some(size.0), h: Some(size.1), axes: Axes::WidthHeight };
        steps.push(resize(Mode::Fit(whole), Enlarge::Skip));
    }
    steps.extend((image.degrees > 0).then_some(Step::Rotate(Rotate { degrees: image.degrees, max_side: None })));
    let output = Output { target: Target::Fixed(Format::Png), frames: Frames::First, ..Output::default() };
    let plan = Plan { steps, answer: Answer::Image(output), original_on_error: false };
    geometry::lay_out(&plan, source, Format::Png, limits).map_err(|error| error.about("the mark"))
}
