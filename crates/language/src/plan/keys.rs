//! Words of a canonical text: `key=value` pairs, each to be taken once.

use std::str::FromStr;

use super::{Axes, Box2, Gravity, Rgb};
use crate::error::{Error, Kind};

pub(super) fn bad(word: &str) -> Error {
    Error::new(Kind::BadRule, format!("`{word}` is not understood in the canonical text of a plan"))
}

/// The keys of one step. Every key must be taken, so that a text with something else in it is refused.
pub(super) struct Keys<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Keys<'a> {
    pub(super) fn new(keys: Vec<(&'a str, &'a str)>) -> Self {
        Self(keys)
    }

    pub(super) fn take(&mut self, key: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(name, _)| *name == key)?;
        Some(self.0.remove(at).1)
    }

    pub(super) fn number<T: FromStr>(&mut self, key: &str) -> Result<Option<T>, Error> {
        self.take(key).map(|value| value.parse().map_err(|_| bad(value))).transpose()
    }

    pub(super) fn need<T: FromStr>(&mut self, key: &str) -> Result<T, Error> {
        self.number(key)?.ok_or_else(|| bad(&format!("{key} is missing")))
    }

    /// The box of a resize.
    pub(super) fn target(&mut self) -> Result<Box2, Error> {
        let (w, h) = (self.number("w")?, self.number("h")?);
        if w.is_some() || h.is_some() {
            return Ok(Box2 { w, h, axes: Axes::WidthHeight });
        }
        let (w, h) = (self.number("long")?, self.number("short")?);
        match w.or(h) {
            Some(_) => Ok(Box2 { w, h, axes: Axes::LongShort }),
            None => Err(bad("a box without sides")),
        }
    }

    pub(super) fn gravity(&mut self) -> Result<Gravity, Error> {
        let name = self.take("at").unwrap_or_default();
        Gravity::from_name(name).ok_or_else(|| bad(name))
    }

    pub(super) fn color(&mut self) -> Result<Rgb, Error> {
        let text = self.take("color").unwrap_or_default();
        Rgb::from_hex(text).ok_or_else(|| bad(text))
    }

    /// Refuses what nobody took.
    pub(super) fn finish(self) -> Result<(), Error> {
        match self.0.first() {
            None => Ok(()),
            Some((key, _)) => Err(bad(key)),
        }
    }
}
