//! The forms of `thumbnail`. Plain forms enlarge as well as shrink; `>` only shrinks, `<` only enlarges, and an area is
//! an upper bound.

use super::super::number::{decimal, whole};
use super::size::side;
use super::table::Wrong;
use crate::plan::{Axes, Box2, Enlarge, Mode, Resize};

/// Percentages above count as this; they fail on the output's size anyway.
const MAX_PERCENT: u64 = 10_000;

/// The same in hundredths of a percent: unchanged.
const WHOLE: u32 = 10_000;

pub(super) fn parse(text: &str) -> Result<Resize, Wrong> {
    let (mode, enlarge) = match (text.strip_prefix('!'), text.strip_suffix(['@', '>', '<', '!'])) {
        (Some(rest), _) => (scaled(rest)?, Enlarge::Allow),
        (None, Some(rest)) if text.ends_with('@') => {
            let area = whole(rest).ok_or(Wrong::Form)?;
            (Mode::Area(if area == 0 { return Err(Wrong::Range) } else { area }), Enlarge::Skip)
        }
        (None, Some(rest)) if text.ends_with('>') => (Mode::Fit(target(rest)?), Enlarge::Skip),
        (None, Some(rest)) if text.ends_with('<') => (Mode::Fit(target(rest)?), Enlarge::Only),
        (None, Some(rest)) => (Mode::Exact(both(target(rest)?)?), Enlarge::Allow),
        (None, None) => (Mode::Fit(target(text)?), Enlarge::Allow),
    };
    Ok(Resize { mode, enlarge })
}

/// The forms that begin with `!`.
fn scaled(rest: &str) -> Result<Mode, Wrong> {
    if let Some(box_) = rest.strip_suffix('r') {
        return Ok(Mode::Cover(both(target(box_)?)?));
    }
    // The `x` is part of the syntax and tells which side: `50px` the width, `x50p` the height.
    if let Some(width) = rest.strip_suffix("px") {
        return Ok(Mode::Percent { x: percent(width)?, y: WHOLE });
    }
    let rest = rest.strip_suffix('p').ok_or(Wrong::Form)?;
    match rest.strip_prefix('x') {
        Some(height) => Ok(Mode::Percent { x: WHOLE, y: percent(height)? }),
        None => percent(rest).map(|k| Mode::Percent { x: k, y: k }),
    }
}

/// Hundredths of a percent.
fn percent(text: &str) -> Result<u32, Wrong> {
    let value = decimal(text, 2).ok_or(Wrong::Form)?.min(MAX_PERCENT * 100);
    u32::try_from(value).ok().filter(|value| *value > 0).ok_or(Wrong::Range)
}

/// `<W>x<H>`, of which one may be missing.
pub(super) fn target(text: &str) -> Result<Box2, Wrong> {
    let (w, h) = text.split_once('x').ok_or(Wrong::Form)?;
    let given = |text: &str| if text.is_empty() { Ok(None) } else { side(text).map(Some) };
    match (given(w)?, given(h)?) {
        (None, None) => Err(Wrong::Form),
        (w, h) => Ok(Box2 { w, h, axes: Axes::WidthHeight }),
    }
}

fn both(target: Box2) -> Result<Box2, Wrong> {
    match (target.w, target.h) {
        (Some(_), Some(_)) => Ok(target),
        (None, _) | (_, None) => Err(Wrong::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let cases = [
            ("!50p", "scale,x=5000,y=5000,up=allow"),
            ("!50px", "scale,x=5000,y=10000,up=allow"),
            ("!x50p", "scale,x=10000,y=5000,up=allow"),
            ("!33.3p", "scale,x=3330,y=3330,up=allow"),
            ("300x", "fit,w=300,up=allow"),
            ("x300", "fit,h=300,up=allow"),
            ("300x200", "fit,w=300,h=200,up=allow"),
            ("840.0x840.0", "fit,w=840,h=840,up=allow"),
            ("20000x", "fit,w=10000,up=allow"),
            ("!300x200r", "cover,w=300,h=200,up=allow"),
            ("300x200>", "fit,w=300,h=200,up=skip"),
            ("300x200<", "fit,w=300,h=200,up=only"),
            ("300x200!", "exact,w=300,h=200,up=allow"),
            ("20000@", "area,px=20000,up=skip"),
        ];
        for (text, canonical) in cases {
            assert_eq!(parse(text).map(|resize| resize.to_string()).as_deref(), Ok(canonical), "{text}");
        }
    }

    #[test]
    fn everything_else_is_refused() {
        for text in ["", "x", "300", "!", "!50", "!p", "300x!", "!300xr", "axb", "300x300x300", "-1x", "300x200>>", "@"]
        {
            assert_eq!(parse(text), Err(Wrong::Form), "{text}");
        }
        for text in ["0x", "x0", "0x0", "!0p", "0@", "0.4x300"] {
            assert_eq!(parse(text), Err(Wrong::Range), "{text}");
        }
    }
}
