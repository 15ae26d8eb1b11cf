//! Marks in canonical text. Texts and keys are percent-encoded, so that nothing in them is taken for a separator.
//!
//! ```text
//! mark,text=Hello%20World,font=wqy%2Dzenhei,size=40,color=000000,o=100,at=southeast,dx=10,dy=10
//! mark,image=panda%2Epng,k=f30,o=90,at=southeast,dx=10,dy=10,tile=5x6
//! ```

use std::fmt::{self, Display, Formatter};

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::keys::{Keys, bad};
use super::{Align, Gap, Mark, MarkImage, MarkText, Rgb, Scale, Step, Subject};
use crate::error::Error;

impl Display for Mark {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("mark")?;
        match &self.subject {
            Subject::Text(text) => text.fmt(f)?,
            Subject::Image(image) => image.fmt(f)?,
            Subject::Both { image, text, text_first, align, interval } => {
                image.fmt(f)?;
                text.fmt(f)?;
                let (first, align) = (if *text_first { "text" } else { "image" }, align.name());
                write!(f, ",first={first},align={align},gap={interval}")?;
            }
        }
        write!(f, ",o={},at={},dx={},dy={}", self.opacity, self.gravity.name(), self.dx, self.dy)?;
        match self.tiles {
            Some(Gap::Pixels(x, y)) => write!(f, ",tile={x}x{y}"),
            Some(Gap::Percent(percent)) => write!(f, ",tile={percent}p"),
            None => Ok(()),
        }
    }
}

impl Display for MarkText {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Rgb { r, g, b } = self.color;
        let (text, font) = (coded(&self.text), coded(&self.font));
        write!(f, ",text={text},font={font},size={},color={r:02x}{g:02x}{b:02x}", self.size)?;
        if self.shadow > 0 {
            write!(f, ",shadow={}", self.shadow)?;
        }
        common(f, "tk", self.scale, "tdeg", self.degrees)
    }
}

impl Display for MarkImage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, ",image={}", coded(&self.object))?;
        if let Some(host) = &self.host {
            write!(f, ",host={}", coded(host))?;
        }
        for (key, steps) in [("pre", &self.before), ("post", &self.after)] {
            if !steps.is_empty() {
                let steps: Vec<String> = steps.iter().map(Step::to_string).collect();
                write!(f, ",{key}={}", coded(&steps.join(";")))?;
            }
        }
        f.write_str(if self.shrink { ",shrink=1" } else { "" })?;
        common(f, "k", self.scale, "deg", self.degrees)
    }
}

fn common(f: &mut Formatter<'_>, k: &str, scale: Option<Scale>, deg: &str, degrees: u16) -> fmt::Result {
    if let Some(scale) = scale {
        let (letter, number) = match scale {
            Scale::Within(percent) => ('f', percent.into()),
            Scale::Width(k) => ('w', k),
            Scale::Height(k) => ('h', k),
            Scale::Area(k) => ('a', k),
        };
        write!(f, ",{k}={letter}{number}")?;
    }
    if degrees != 0 {
        write!(f, ",{deg}={degrees}")?;
    }
    Ok(())
}

fn coded(text: &str) -> impl Display + '_ {
    utf8_percent_encode(text, NON_ALPHANUMERIC)
}

impl Align {
    fn name(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Middle => "middle",
            Self::Bottom => "bottom",
        }
    }
}

/// Reads one step.
type Read = fn(&str) -> Result<Step, Error>;

/// Reads the keys of a mark. `step` reads those of what is done to its picture.
pub(super) fn mark(keys: &mut Keys<'_>, step: Read) -> Result<Mark, Error> {
    let subject = match (image(keys, step)?, text(keys)?) {
        (Some(image), None) => Subject::Image(image),
        (None, Some(text)) => Subject::Text(text),
        (Some(image), Some(text)) => {
            let text_first = match keys.take("first") {
                Some("text") => true,
                Some("image") => false,
                other => return Err(bad(other.unwrap_or("first is missing"))),
            };
            let name = keys.take("align").unwrap_or_default();
            let align = Align::ALL.into_iter().find(|align| align.name() == name).ok_or_else(|| bad(name))?;
            Subject::Both { image, text, text_first, align, interval: keys.need("gap")? }
        }
        (None, None) => return Err(bad("a mark of nothing")),
    };
    let tiles = keys.take("tile").map(gap).transpose()?;
    let (opacity, gravity) = (keys.need("o")?, keys.gravity()?);
    Ok(Mark { subject, opacity, gravity, dx: keys.need("dx")?, dy: keys.need("dy")?, tiles })
}

fn text(keys: &mut Keys<'_>) -> Result<Option<MarkText>, Error> {
    let Some(text) = decoded(keys, "text")? else { return Ok(None) };
    Ok(Some(MarkText {
        text,
        font: decoded(keys, "font")?.unwrap_or_default(),
        size: keys.need("size")?,
        color: keys.color()?,
        shadow: keys.number("shadow")?.unwrap_or(0),
        degrees: keys.number("tdeg")?.unwrap_or(0),
        scale: scale(keys, "tk")?,
    }))
}

fn image(keys: &mut Keys<'_>, step: Read) -> Result<Option<MarkImage>, Error> {
    let Some(object) = decoded(keys, "image")? else { return Ok(None) };
    Ok(Some(MarkImage {
        object,
        host: decoded(keys, "host")?,
        before: steps(keys, "pre", step)?,
        scale: scale(keys, "k")?,
        after: steps(keys, "post", step)?,
        shrink: keys.take("shrink") == Some("1"),
        degrees: keys.number("deg")?.unwrap_or(0),
    }))
}

fn decoded(keys: &mut Keys<'_>, key: &str) -> Result<Option<String>, Error> {
    let Some(text) = keys.take(key) else { return Ok(None) };
    percent_decode_str(text).decode_utf8().map(|text| Some(text.into_owned())).map_err(|_| bad(text))
}

/// Steps on the mark's picture. Marks have no marks.
fn steps(keys: &mut Keys<'_>, key: &str, step: Read) -> Result<Vec<Step>, Error> {
    let Some(text) = decoded(keys, key)? else { return Ok(Vec::new()) };
    let plain = |text: &str| if text.starts_with("mark") { Err(bad(text)) } else { step(text) };
    text.split(';').map(plain).collect()
}

fn scale(keys: &mut Keys<'_>, key: &str) -> Result<Option<Scale>, Error> {
    let Some(text) = keys.take(key) else { return Ok(None) };
    let kinds: [(&str, fn(u16) -> Scale); 3] = [("w", Scale::Width), ("h", Scale::Height), ("a", Scale::Area)];
    let within = text.strip_prefix('f').and_then(|number| number.parse().ok().map(Scale::Within));
    let of = |(letter, make): (&str, fn(u16) -> Scale)| text.strip_prefix(letter)?.parse().ok().map(make);
    within.or_else(|| kinds.into_iter().find_map(of)).ok_or_else(|| bad(text)).map(Some)
}

fn gap(text: &str) -> Result<Gap, Error> {
    let gap = match (text.strip_suffix('p'), text.split_once('x')) {
        (Some(percent), _) => percent.parse().ok().map(Gap::Percent),
        (None, Some((x, y))) => x.parse().ok().zip(y.parse().ok()).map(|(x, y)| Gap::Pixels(x, y)),
        (None, None) => None,
    };
    gap.ok_or_else(|| bad(text))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::plan::{Gravity, canonical::tests::any_plain_step};
    use proptest::prelude::*;

    fn any_scale() -> impl Strategy<Value = Option<Scale>> {
        proptest::option::of(prop_oneof![
            (1u8..=100).prop_map(Scale::Within),
            (1u16..=1000).prop_map(Scale::Width),
            (1u16..=1000).prop_map(Scale::Height),
            (1u16..=1000).prop_map(Scale::Area),
        ])
    }

    fn any_text() -> impl Strategy<Value = MarkText> {
        let words = ("[^\\p{C}]{1,20}", "[^\\p{C}]{0,9}");
        (words, 1u16..=1000, any::<[u8; 3]>(), 0u8..=100, 0u16..360, any_scale()).prop_map(
            |((text, font), size, [r, g, b], shadow, degrees, scale)| MarkText {
                text,
                font,
                size,
                color: Rgb { r, g, b },
                shadow,
                degrees,
                scale,
            },
        )
    }

    fn any_image() -> impl Strategy<Value = MarkImage> {
        let steps = || proptest::collection::vec(any_plain_step(), 0..3);
        let names = ("[^\\p{C}]{1,20}", proptest::option::of("[a-z.-]{1,20}"));
        (names, steps(), any_scale(), steps(), any::<bool>(), 0u16..360).prop_map(
            |((object, host), before, scale, after, shrink, degrees)| MarkImage {
                object,
                host,
                before,
                scale,
                after,
                shrink,
                degrees,
            },
        )
    }

    pub(in crate::plan) fn any_mark() -> impl Strategy<Value = Mark> {
        let both = (any_image(), any_text(), any::<bool>(), 0usize..3, 0u32..1000).prop_map(
            |(image, text, text_first, align, interval)| {
                let align = Align::ALL[align];
                Subject::Both { image, text, text_first, align, interval }
            },
        );
        let subject = prop_oneof![any_text().prop_map(Subject::Text), any_image().prop_map(Subject::Image), both];
        let gap = prop_oneof![
            (0u32..4096, 0u32..4096).prop_map(|(x, y)| Gap::Pixels(x, y)),
            (0u8..=100).prop_map(Gap::Percent),
        ];
        (subject, 0u8..=100, 0usize..9, -5000i32..5000, -5000i32..5000, proptest::option::of(gap)).prop_map(
            |(subject, opacity, gravity, dx, dy, tiles)| {
                let gravity = Gravity::GRID[gravity];
                Mark { subject, opacity, gravity, dx, dy, tiles }
            },
        )
    }
}
