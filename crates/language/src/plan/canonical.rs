//! The canonical text of a plan: the key, the log line, and what `explain` prints. Compact, explicit (vendor defaults
//! stand in it), always in one order, and it parses back to the plan it came from.
//!
//! ```text
//! plan   = [ step *( ";" step ) ] "|" answer [ "|original" ]
//! step   = name *( "," key "=" value )            orient;fit,w=900,up=skip;turn,deg=90
//! answer = target *( "," option )                 avif,q=cap80,prog
//!        | "facts" *( "," fact )                  facts,average,md5
//! ```
//!
//! Two texts are equal if and only if two normalised plans are (see [`Plan::normalise`]).

use std::fmt::{self, Display, Formatter};
use std::str::FromStr;

use super::keys::{Keys, bad};
use super::{
    Answer, Axes, Axis, Box2, Ceiling, Crop, Effect, Enlarge, FactsAsked, Format, Frames, Gravity, Mode, Offset,
    Output, Plan, Quality, Ratio, Resize, Rgb, Rotate, Shape, SizeLimit, Slice, Step, Target, mark_text,
};
use crate::error::Error;

impl Display for Plan {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps.iter().enumerate() {
            if i > 0 {
                f.write_str(";")?;
            }
            step.fmt(f)?;
        }
        f.write_str("|")?;
        match &self.answer {
            Answer::Image(output) => output.fmt(f)?,
            Answer::Facts(facts) => facts.fmt(f)?,
        }
        if self.original_on_error {
            f.write_str("|original")?;
        }
        Ok(())
    }
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::AutoOrient => f.write_str("orient"),
            Self::Resize(resize) => resize.fmt(f),
            Self::Crop(crop) => crop.fmt(f),
            Self::Rotate(Rotate { degrees, max_side }) => {
                write!(f, "turn,deg={degrees}")?;
                option(f, "max", *max_side)
            }
            Self::Flip(Axis::Horizontal) => f.write_str("flip,axis=h"),
            Self::Flip(Axis::Vertical) => f.write_str("flip,axis=v"),
            Self::Effect(effect) => effect.fmt(f),
            Self::Shape(shape) => shape.fmt(f),
            Self::Slice(slice) => slice.fmt(f),
            Self::Mark(mark) => mark.fmt(f),
            Self::Ratio(Ratio { least, most }) => write!(f, "ratio,least={least},most={most}"),
            Self::Ceiling(Ceiling { pixels, side, spare_untouched, code }) => {
                write!(f, "ceiling,px={pixels}")?;
                option(f, "side", *side)?;
                option(f, "code", *code)?;
                f.write_str(if *spare_untouched { ",spare=1" } else { "" })
            }
        }
    }
}

impl Display for Resize {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.mode {
            Mode::Fit(target) => write!(f, "fit{target}")?,
            Mode::Cover(target) => write!(f, "cover{target}")?,
            Mode::Fill(target, gravity) => write!(f, "fill{target},at={}", gravity.name())?,
            Mode::Pad(target, Rgb { r, g, b }) => write!(f, "pad{target},color={r:02x}{g:02x}{b:02x}")?,
            Mode::Exact(target) => write!(f, "exact{target}")?,
            Mode::Percent { x, y } => write!(f, "scale,x={x},y={y}")?,
            Mode::Area(area) => write!(f, "area,px={area}")?,
        }
        write!(f, ",up={}", self.enlarge.name())
    }
}

impl Display for Box2 {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (first, second) = match self.axes {
            Axes::WidthHeight => ("w", "h"),
            Axes::LongShort => ("long", "short"),
        };
        option(f, first, self.w)?;
        option(f, second, self.h)
    }
}

impl Display for Crop {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("crop")?;
        option(f, "w", self.w)?;
        option(f, "h", self.h)?;
        let to = match self.offset {
            Offset::Inward => "in",
            Offset::RightDown => "rd",
        };
        write!(f, ",at={},dx={},dy={},to={to}", self.gravity.name(), self.dx, self.dy)
    }
}

impl Display for Output {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.target {
            Target::Source => f.write_str("source")?,
            Target::Fixed(format) => f.write_str(format.name())?,
            Target::OnlyIfSource(format) => write!(f, "only-{}", format.name())?,
        }
        match self.quality {
            Quality::Default => {}
            Quality::Capped(q) => write!(f, ",q=cap{q}")?,
            Quality::Forced(q) => write!(f, ",q=set{q}")?,
            Quality::Relative(q) => write!(f, ",q=rel{q}")?,
            Quality::Lossless => f.write_str(",q=lossless")?,
            Quality::Auto(score) => write!(f, ",q=auto{score}")?,
        }
        option(f, "floor", self.quality_floor)?;
        for (set, name) in [(self.progressive, ",prog"), (self.strip, ",strip"), (self.slim, ",slim")] {
            f.write_str(if set { name } else { "" })?;
        }
        f.write_str(&self.frames.word())?;
        if let Some(facts) = self.facts {
            // As in an answer of facts alone, but for the commas.
            write!(f, ",tell={}", facts.to_string().replace(',', "+"))?;
        }
        if self.ground != Rgb::WHITE {
            let Rgb { r, g, b } = self.ground;
            write!(f, ",ground={r:02x}{g:02x}{b:02x}")?;
        }
        match self.size_limit {
            Some(SizeLimit { bytes, or_original: false }) => write!(f, ",max={bytes}"),
            Some(SizeLimit { bytes, or_original: true }) => write!(f, ",max={bytes}!"),
            None => Ok(()),
        }
    }
}

impl Display for FactsAsked {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("facts")?;
        for (set, name) in [(self.average, ",average"), (self.exif, ",exif"), (self.md5, ",md5")] {
            f.write_str(if set { name } else { "" })?;
        }
        Ok(())
    }
}

fn option<T: Display>(f: &mut Formatter<'_>, key: &str, value: Option<T>) -> fmt::Result {
    match value {
        Some(value) => write!(f, ",{key}={value}"),
        None => Ok(()),
    }
}

impl Enlarge {
    const ALL: [Self; 4] = [Self::Allow, Self::Skip, Self::Clamp, Self::Only];

    fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Skip => "skip",
            Self::Clamp => "clamp",
            Self::Only => "only",
        }
    }
}

impl Gravity {
    /// Lower-case name: `northwest`, `north`, ... `center` ...
    pub fn name(self) -> &'static str {
        match self {
            Self::NorthWest => "northwest",
            Self::North => "north",
            Self::NorthEast => "northeast",
            Self::West => "west",
            Self::Center => "center",
            Self::East => "east",
            Self::SouthWest => "southwest",
            Self::South => "south",
            Self::SouthEast => "southeast",
        }
    }

    /// The point of a name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::GRID.into_iter().find(|gravity| gravity.name().eq_ignore_ascii_case(name))
    }
}

impl FromStr for Plan {
    type Err = Error;

    /// Reads what [`Display`] wrote.
    ///
    /// # Errors
    /// [`Kind::BadRule`] naming the word that is not understood.
    fn from_str(text: &str) -> Result<Self, Error> {
        let mut parts = text.split('|');
        let (steps, answer) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let original_on_error = match (parts.next(), parts.next()) {
            (None, _) => false,
            (Some("original"), None) => true,
            (Some(other), _) => return Err(bad(other)),
        };
        let steps = match steps {
            "" => Vec::new(),
            steps => steps.split(';').map(step).collect::<Result<_, _>>()?,
        };
        let answer = match answer.strip_prefix("facts") {
            Some(facts) => Answer::Facts(self::facts(facts)?),
            None => Answer::Image(output(answer)?),
        };
        Ok(Self { steps, answer, original_on_error })
    }
}

impl Rgb {
    /// Six hexadecimal digits, in any case.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        let [_, r, g, b] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
        Some(Self { r, g, b })
    }
}

/// One step.
fn step(text: &str) -> Result<Step, Error> {
    let mut words = text.split(',');
    let name = words.next().unwrap_or_default();
    let keys = words.map(|word| word.split_once('=').ok_or_else(|| bad(word))).collect::<Result<_, _>>()?;
    let mut keys = Keys::new(keys);
    let step = match name {
        "orient" => Step::AutoOrient,
        "turn" => Step::Rotate(Rotate { degrees: keys.need("deg")?, max_side: keys.number("max")? }),
        "flip" => Step::Flip(match keys.take("axis") {
            Some("h") => Axis::Horizontal,
            Some("v") => Axis::Vertical,
            other => return Err(bad(other.unwrap_or(text))),
        }),
        "ceiling" => Step::Ceiling(Ceiling {
            pixels: keys.need("px")?,
            side: keys.number("side")?,
            spare_untouched: keys.take("spare") == Some("1"),
            code: keys.number("code")?,
        }),
        "crop" => Step::Crop(Crop {
            w: keys.number("w")?,
            h: keys.number("h")?,
            gravity: keys.gravity()?,
            dx: keys.need("dx")?,
            dy: keys.need("dy")?,
            offset: match keys.take("to") {
                Some("in") => Offset::Inward,
                Some("rd") => Offset::RightDown,
                other => return Err(bad(other.unwrap_or(text))),
            },
        }),
        "slice" => Step::Slice(Slice { w: keys.number("w")?, h: keys.number("h")?, index: keys.need("i")? }),
        "ratio" => Step::Ratio(Ratio { least: keys.need("least")?, most: keys.need("most")? }),
        "mark" => Step::Mark(Box::new(mark_text::mark(&mut keys, step)?)),
        name => match (Effect::read(name, &mut keys)?, Shape::read(name, &mut keys)?) {
            (Some(effect), _) => Step::Effect(effect),
            (None, Some(shape)) => Step::Shape(shape),
            (None, None) => Step::Resize(resize(name, &mut keys)?),
        },
    };
    keys.finish().map(|()| step)
}

fn resize(name: &str, keys: &mut Keys<'_>) -> Result<Resize, Error> {
    let mode = match name {
        "fit" => Mode::Fit(keys.target()?),
        "cover" => Mode::Cover(keys.target()?),
        "fill" => Mode::Fill(keys.target()?, keys.gravity()?),
        "pad" => Mode::Pad(keys.target()?, keys.color()?),
        "exact" => Mode::Exact(keys.target()?),
        "scale" => Mode::Percent { x: keys.need("x")?, y: keys.need("y")? },
        "area" => Mode::Area(keys.need("px")?),
        other => return Err(bad(other)),
    };
    let up = keys.take("up").unwrap_or_default();
    let enlarge = Enlarge::ALL.into_iter().find(|enlarge| enlarge.name() == up).ok_or_else(|| bad(up))?;
    Ok(Resize { mode, enlarge })
}

fn output(text: &str) -> Result<Output, Error> {
    let mut words = text.split(',');
    let target = words.next().unwrap_or_default();
    let format = |name: &str| Format::ALL.into_iter().find(|f| f.name() == name).ok_or_else(|| bad(name));
    let target = match (target, target.strip_prefix("only-")) {
        ("source", _) => Target::Source,
        (_, Some(name)) => Target::OnlyIfSource(format(name)?),
        (name, None) => Target::Fixed(format(name)?),
    };
    let mut output = Output { target, ..Output::default() };
    for word in words {
        match word.split_once('=') {
            Some(("q", value)) => output.quality = quality(value)?,
            Some(("floor", value)) => output.quality_floor = Some(value.parse().map_err(|_| bad(word))?),
            Some(("tell", value)) => {
                let words = value.strip_prefix("facts").ok_or_else(|| bad(word))?;
                output.facts = Some(facts(&words.replace('+', ","))?);
            }
            Some(("ground", value)) => output.ground = Rgb::from_hex(value).ok_or_else(|| bad(word))?,
            Some(("max", value)) => output.size_limit = Some(size_limit(value)?),
            None if word == "prog" => output.progressive = true,
            None if word == "strip" => output.strip = true,
            None if word == "slim" => output.slim = true,
            parts => {
                let (name, value) = parts.map_or((word, None), |(name, value)| (name, Some(value)));
                output.frames = Frames::from_word(name, value).ok_or_else(|| bad(word))?;
            }
        }
    }
    Ok(output)
}

fn quality(text: &str) -> Result<Quality, Error> {
    if text == "lossless" {
        return Ok(Quality::Lossless);
    }
    let kinds: [(&str, fn(u8) -> Quality); 4] =
        [("cap", Quality::Capped), ("set", Quality::Forced), ("rel", Quality::Relative), ("auto", Quality::Auto)];
    kinds.into_iter().find_map(|(name, make)| text.strip_prefix(name)?.parse().ok().map(make)).ok_or_else(|| bad(text))
}

fn size_limit(text: &str) -> Result<SizeLimit, Error> {
    let (number, or_original) = match text.strip_suffix('!') {
        Some(number) => (number, true),
        None => (text, false),
    };
    Ok(SizeLimit { bytes: number.parse().map_err(|_| bad(text))?, or_original })
}

fn facts(text: &str) -> Result<FactsAsked, Error> {
    let mut facts = FactsAsked::default();
    for word in text.split(',').skip(1) {
        match word {
            "average" => facts.average = true,
            "exif" => facts.exif = true,
            "md5" => facts.md5 = true,
            other => return Err(bad(other)),
        }
    }
    Ok(facts)
}

#[cfg(test)]
#[path = "canonical_tests.rs"]
pub(crate) mod tests;
