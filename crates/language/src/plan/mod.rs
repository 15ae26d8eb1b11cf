//! The internal language: what a rule means, free of any dialect. Vendor defaults (does a resize enlarge? does an
//! animation survive a rotation?) are resolved by the parser and stand explicitly in the plan.

mod assume;
mod bounds;
pub mod canonical;
pub mod effect;
mod facts;
pub mod format;
mod formats;
mod frames;
pub mod geometry;
mod keys;
pub mod mark;
mod mark_text;
mod normal;
pub mod policy;

pub use assume::Assumption;
pub use effect::{Beyond, Effect, Outline, Shape, Slice};
pub use facts::{Facts, FactsAsked, Header};
pub use format::Format;
pub use formats::Formats;
pub use frames::Frames;
pub use geometry::{GeometryOp, Layout, Source};
pub use mark::{Align, Gap, Mark, MarkImage, MarkText, Scale, Subject};
pub use policy::Policy;

use serde::{Deserialize, Serialize};

/// What is to be done with an original: steps in order, then one answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Left to right, each on the result of the one before.
    pub steps: Vec<Step>,
    /// What the client gets.
    pub answer: Answer,
    /// Answer with the untouched original when processing fails because of a limit (Tencent's `ignore-error/1`).
    pub original_on_error: bool,
}

/// What the client gets.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Answer {
    /// A picture.
    Image(Output),
    /// Facts about the original, as neutral data that the dialect dresses. For those about a result see [`Output::facts`].
    Facts(FactsAsked),
}

/// One step on the pixels.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// Apply the EXIF orientation and drop it.
    AutoOrient,
    /// Change the size.
    Resize(Resize),
    /// Cut a rectangle out.
    Crop(Crop),
    /// Turn clockwise.
    Rotate(Rotate),
    /// Mirror.
    Flip(Axis),
    /// Change pixels where they are.
    Effect(Effect),
    /// Keep what lies inside of a shape.
    Shape(Shape),
    /// Keep one cell of a grid.
    Slice(Slice),
    /// Draw a mark.
    Mark(Box<Mark>),
    /// Cut the middle out of a picture whose ratio is outside of a range.
    Ratio(Ratio),
    /// Refuse a picture that is too large at this point.
    Ceiling(Ceiling),
}

/// A range of ratios of width to height, in thousandths, both 1 or more. A picture inside of it stays as it is; another
/// is cut about its middle to the bound that is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ratio {
    /// The narrowest.
    pub least: u32,
    /// The widest, no less than the narrowest.
    pub most: u32,
}

/// A limit of the vendor's on one operation, where the site's limits do not know it; above it
/// [`crate::error::Kind::OutputTooLarge`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ceiling {
    /// Width x height that is still allowed.
    pub pixels: u64,
    /// The longer side that is still allowed; `None`: any.
    pub side: Option<u32>,
    /// A picture that no step has resized or cut passes whatever its size.
    pub spare_untouched: bool,
    /// The vendor's number for the refusal, if it differs from the kind's own.
    pub code: Option<i32>,
}

/// Turn clockwise by whole degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rotate {
    /// 0 to 360. Other than quarter turns enlarge the canvas to the bounding box.
    pub degrees: u16,
    /// The longest side that may be rotated; above it [`crate::error::Kind::RotateTooLarge`].
    pub max_side: Option<u32>,
}

/// A mirror's direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Axis {
    /// Left and right change places.
    Horizontal,
    /// Top and bottom change places.
    Vertical,
}

/// Change the size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Resize {
    /// Towards what.
    pub mode: Mode,
    /// What happens when the result would be larger than the source. Animations are never enlarged, whatever this says.
    pub enlarge: Enlarge,
}

/// Towards what size. A side that is `None` follows the ratio; all sides are 1 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// As large as fits inside the box; ratio kept.
    Fit(Box2),
    /// As small as covers the box; ratio kept, nothing cut off.
    Cover(Box2),
    /// Cover the box, then cut to exactly it. A missing side equals the given one.
    Fill(Box2, Gravity),
    /// Fit inside the box, centred on a canvas of exactly it. A missing side equals the given one.
    Pad(Box2, Rgb),
    /// Exactly the box, ratio ignored. A missing side equals the given one.
    Exact(Box2),
    /// Both sides by hundredths of a percent of themselves (5000 = half).
    Percent {
        /// The width's factor.
        x: u32,
        /// The height's factor.
        y: u32,
    },
    /// At most so many pixels, ratio kept.
    Area(u64),
}

/// A target box. At least one side is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Box2 {
    /// Width, or the long edge.
    pub w: Option<u32>,
    /// Height, or the short edge.
    pub h: Option<u32>,
    /// What `w` and `h` name.
    pub axes: Axes,
}

/// What a box's two numbers name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Axes {
    /// Width and height.
    WidthHeight,
    /// The source's longer and shorter edge, whichever those are.
    LongShort,
}

/// When a resize would enlarge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Enlarge {
    /// Enlarge. An animated source is left at its size all the same.
    Allow,
    /// Leave the picture at its size.
    Skip,
    /// Shorten the target box to the source's sides first, so that what is available is cropped.
    Clamp,
    /// Enlarge only: leave the picture at its size when it would shrink.
    Only,
}

/// Cut a rectangle out. The part that lies outside of the picture is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Crop {
    /// Width; `None` or more than there is: all of it.
    pub w: Option<u32>,
    /// Height; `None` or more than there is: all of it.
    pub h: Option<u32>,
    /// The point of the picture and of the rectangle that coincide before the offset.
    pub gravity: Gravity,
    /// Horizontal offset in pixels.
    pub dx: u32,
    /// Vertical offset in pixels.
    pub dy: u32,
    /// Which way offsets go.
    pub offset: Offset,
}

/// Which way the offsets of a crop go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Offset {
    /// Away from the named edge, towards the middle; none on a centred axis (Tencent).
    Inward,
    /// Always to the right and down (Aliyun).
    RightDown,
}

/// A point of the nine-cell grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Gravity {
    NorthWest,
    North,
    NorthEast,
    West,
    Center,
    East,
    SouthWest,
    South,
    SouthEast,
}

/// An opaque colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Rgb {
    pub r: u8,
    pub g: u8,
    pub b: u8,
}

impl Rgb {
    /// White: what transparency is flattened on.
    pub const WHITE: Self = Self { r: 255, g: 255, b: 255 };
}

/// How the picture is written.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Output {
    /// The format.
    pub target: Target,
    /// The quality, for the formats that have one.
    pub quality: Quality,
    /// Raise the quality to at least this (Tencent's `lquality`), 1..=100.
    pub quality_floor: Option<u8>,
    /// Progressive JPEG; ignored by other formats.
    pub progressive: bool,
    /// Remove EXIF and other metadata. The colour profile's meaning is never lost.
    pub strip: bool,
    /// Which frames of an animation.
    pub frames: Frames,
    /// A bound on the bytes (Tencent's `size-limit`).
    pub size_limit: Option<SizeLimit>,
    /// Fewer bytes that look the same: of a JPEG a lower quality, of a PNG fewer colours; the untouched original where
    /// nothing is saved (Tencent's `imageSlim`).
    pub slim: bool,
    /// Answer with facts about the result in place of the result.
    pub facts: Option<FactsAsked>,
    /// What transparency is laid on where the format has none: white, but for Aliyun's older syntax.
    pub ground: Rgb,
}

/// A bound on a result's bytes, met by lowering the quality; where no quality that is worth looking at meets it, the
/// smallest file that was found is the answer. It binds JPEG, and every format with a quality where the rule leaves the
/// format open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SizeLimit {
    /// The most bytes, 1 or more.
    pub bytes: u64,
    /// Answer with the untouched original if the result is no smaller than it.
    pub or_original: bool,
}

impl Default for Output {
    fn default() -> Self {
        Self {
            target: Target::Source,
            quality: Quality::Default,
            quality_floor: None,
            progressive: false,
            strip: false,
            frames: Frames::All,
            size_limit: None,
            slim: false,
            facts: None,
            ground: Rgb::WHITE,
        }
    }
}

/// The output format as the rule says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Target {
    /// The rule names none: negotiable; without negotiation the source's own.
    Source,
    /// The rule names it: never negotiated away.
    Fixed(Format),
    /// This format if the source has it, else the source's own; never negotiated (Aliyun's `format,gif`).
    OnlyIfSource(Format),
}

/// The quality, on the vendors' scale of 1 to 100. `Q0` is the estimated quality of a JPEG source, 100 for sources
/// that have no such notion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Quality {
    /// The encoder's default for the format.
    Default,
    /// min(Q0, q).
    Capped(u8),
    /// q, whatever the source had.
    Forced(u8),
    /// Q0 x percent / 100.
    Relative(u8),
    /// Without loss, where the format can.
    Lossless,
    /// As few bytes as reach this SSIMULACRA2, 1..=100 (an extension of ours).
    Auto(u8),
}

impl Quality {
    /// The score that a rule aims at when it asks for a search and names none: what most call high quality.
    pub const AUTO: Self = Self::Auto(70);
}

impl Limits {
    /// The longest side of a result in a format.
    pub fn side_in(&self, format: Format) -> u32 {
        let advanced = if format.is_advanced() { self.advanced_side } else { u32::MAX };
        self.output_side.min(advanced).min(format.max_side())
    }
}

/// The vendors' limits, all configurable per site. Zero is not allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of an original.
    pub source_bytes: u64,
    /// Pixels of an original's longer side.
    pub source_side: u32,
    /// Width x height x frames of an original.
    pub source_pixels: u64,
    /// Pixels of a result's longer side, whatever its format; what a format holds may be less ([`Format::max_side`]).
    pub output_side: u32,
    /// The same for the formats of the vendors' advanced compression ([`Format::is_advanced`]).
    pub advanced_side: u32,
    /// Width x height x frames of a result.
    pub output_pixels: u64,
    /// Frames of an animation.
    pub frames: u32,
    /// Formats of originals, and of the pictures of marks, that are read at all.
    pub inputs: Formats,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            source_bytes: 32 << 20,
            source_side: 30_000,
            source_pixels: 250_000_000,
            output_side: 50_000,
            advanced_side: 9_999,
            output_pixels: 250_000_000,
            frames: 300,
            inputs: Formats::ALL,
        }
    }
}

impl Plan {
    /// The plan that changes nothing but the encoding.
    pub fn identity() -> Self {
        Self { steps: Vec::new(), answer: Answer::Image(Output::default()), original_on_error: false }
    }

    /// The output, if the answer is a picture.
    pub fn output(&self) -> Option<&Output> {
        match &self.answer {
            Answer::Image(output) => Some(output),
            Answer::Facts(_) => None,
        }
    }

    /// The facts that are asked for, about the original or about the result.
    pub fn facts(&self) -> Option<FactsAsked> {
        match &self.answer {
            Answer::Image(output) => output.facts,
            Answer::Facts(facts) => Some(*facts),
        }
    }

    /// Whether the output format may be chosen from `Accept`.
    pub fn negotiable(&self) -> bool {
        self.output().is_some_and(|output| output.target == Target::Source)
    }
}
