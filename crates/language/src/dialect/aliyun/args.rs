//! The arguments of an action: bare values and `key_value`, split at the first underscore. Keys that an action does not
//! know are tolerated, as the vendor's own test suites rely on it; of a repeated key the last counts.

use super::super::Ignored;
use super::super::number::{short, whole};
use super::{Action, Takes};
use crate::error::{Error, Kind};

/// Too many values for an action that takes one.
const TOO_MANY: i32 = 203;

/// What stands after an action's name.
pub(super) struct Args<'a> {
    action: &'a Action,
    list: Vec<&'a str>,
}

impl<'a> Args<'a> {
    /// `args` is the text after the first comma.
    pub(super) fn new(action: &'a Action, args: Option<&'a str>) -> Self {
        Self { action, list: args.map(|args| args.split(',').collect()).unwrap_or_default() }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Notes keys that the action does not know, and keys that stand twice.
    pub(super) fn note_ignored(&self, ignored: &mut Ignored) {
        let Takes::Keys(keys) = self.action.takes else { return };
        let name = self.action.name;
        let key = |arg: &'a str| arg.split_once('_').map_or(arg, |(key, _)| key);
        for (i, arg) in self.list.iter().enumerate() {
            if !keys.contains(&key(arg)) {
                ignored.note(|| format!("{name} does not know `{}`; it takes {}", short(arg), self.action.accepts));
            } else if self.list[i + 1..].iter().any(|other| key(other) == key(arg)) {
                ignored.note(|| format!("{name}: {} stands more than once, of which the last counts", key(arg)));
            }
        }
    }

    /// Whether a bare value stands among them.
    pub(super) fn has(&self, value: &str) -> bool {
        self.list.contains(&value)
    }

    /// The only value of an action that takes one; `missing` is the code where there is none.
    pub(super) fn only(&self, missing: Option<i32>) -> Result<&'a str, Error> {
        match self.list.as_slice() {
            [] | [""] => Err(self.missing(missing)),
            [value] => Ok(value),
            [..] => {
                let message = format!("{} takes one value: {}", self.action.name, self.action.accepts);
                Err(Error::new(Kind::BadRule, message).with_code(TOO_MANY))
            }
        }
    }

    /// The value of a key.
    pub(super) fn key(&self, key: &str) -> Option<&'a str> {
        self.list.iter().rev().find_map(|arg| arg.split_once('_').filter(|(name, _)| *name == key)).map(|(_, v)| v)
    }

    /// A key's whole number in a range, the code where it is not one.
    pub(super) fn number(
        &self,
        key: &str,
        range: std::ops::RangeInclusive<u32>,
        code: Option<i32>,
    ) -> Result<Option<u32>, Error> {
        let Some(text) = self.key(key) else { return Ok(None) };
        let number = whole(text).map(|number| u32::try_from(number).unwrap_or(u32::MAX));
        match number.filter(|number| range.contains(number)) {
            Some(number) => Ok(Some(number)),
            None => Err(self.invalid(key, text, code)),
        }
    }

    /// A value that is not accepted, in the vendor's words and then ours.
    pub(super) fn invalid(&self, parameter: &str, value: &str, code: Option<i32>) -> Error {
        let Action { name, accepts, .. } = self.action;
        let value = short(value);
        let message = format!("The value: {value} of parameter: {parameter} is invalid. {name} takes {accepts}.");
        Error::new(Kind::BadRule, message).with_code(code)
    }

    /// A value that is not there.
    pub(super) fn missing(&self, code: Option<i32>) -> Error {
        let Action { name, accepts, .. } = self.action;
        Error::new(Kind::BadRule, format!("{name} has no value; it takes {accepts}")).with_code(code)
    }
}
