//! The class of a client: what it takes, in its order, and nothing else of its headers. Small, closed, part of the key.

use std::cmp::Reverse;

use super::accept::{Accept, Weight};
use crate::plan::Format;

/// Places in a class: more than a site offers formats.
const PLACES: u32 = 8;

/// Bits of a place: 0 is empty, otherwise the format's place in [`Format::ALL`] plus one.
const BITS: u32 = 4;

/// The name of the class that takes nothing of what is offered.
const BASE: &str = "base";

/// Formats that a client may prefer to an offered one when the source has them.
const OWN: [Format; 3] = [Format::Jpeg, Format::Png, Format::Gif];

/// A client's abilities: the offered formats that it names, in the order in which it wants them; among them such old
/// formats as it weighs higher than one that comes after. Clients of one class get the same bytes.
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug, Default)]
pub struct Class(u32);

/// Reads the class from the lines of `Accept` (none: no header). Formats of equal weight stand in the site's order.
pub fn class<'a>(accept: impl IntoIterator<Item = &'a str>, offered: &[Format]) -> Class {
    if offered.is_empty() {
        return Class::default();
    }
    let accept = Accept::read(accept);
    let mut ranked: Vec<(Format, Weight)> = Vec::new();
    for &format in offered {
        let named = format.media_types().filter_map(|name| accept.named(name)).max().unwrap_or(0);
        if named > 0 && !ranked.iter().any(|(other, _)| *other == format) {
            ranked.push((format, named));
        }
    }
    let lowest = ranked.iter().map(|(_, weight)| *weight).min();
    for format in OWN {
        let weight = accept.weight(format.media_type());
        // Only what is preferred to something makes a difference.
        if lowest.is_some_and(|lowest| weight > lowest) && !offered.contains(&format) {
            ranked.push((format, weight));
        }
    }
    // Stable: the site's order among equals, and what it offers before what the source has.
    ranked.sort_by_key(|(_, weight)| Reverse(*weight));
    ranked.iter().rev().fold(Class(0), |class, (format, _)| class.after(*format))
}

impl Class {
    /// This class with a format in front. What does not fit falls off at the end.
    fn after(self, format: Format) -> Self {
        let at = Format::ALL.iter().position(|other| *other == format).unwrap_or(0);
        Self((self.0 << BITS) | (at as u32 + 1))
    }

    /// Every format of the class, the best first.
    pub fn formats(self) -> impl Iterator<Item = Format> {
        (0..PLACES).filter_map(move |place| {
            let at = (self.0 >> (place * BITS)) & ((1 << BITS) - 1);
            Format::ALL.get((at as usize).checked_sub(1)?).copied()
        })
    }

    /// The offered formats that the client takes, the best first.
    pub fn preference(self, offered: &[Format]) -> impl Iterator<Item = Format> {
        self.formats().filter(|format| offered.contains(format))
    }

    /// The name for keys and metrics: `avif+webp`, or `base` for a client that takes nothing of what is offered.
    pub fn name(self) -> String {
        let names: Vec<&str> = self.formats().map(Format::name).collect();
        if names.is_empty() { BASE.to_owned() } else { names.join("+") }
    }

    /// The class of such a name; `None` for a text that [`Self::name`] never gives.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut class = Self::default();
        if name != BASE {
            for format in name.rsplit('+') {
                class = class.after(Format::from_name(format)?);
            }
        }
        // Formats have other names too, and a class has an end.
        (class.name() == name).then_some(class)
    }
}
