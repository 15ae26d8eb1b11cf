//! The shape of an operation, and how a stage's words are run through a table of them.

use std::str::Split;

use super::super::number::short;
use super::super::{Ignored, OperationDoc};
use crate::error::{Error, Kind};

/// The number for a request that is not understood.
pub(in crate::dialect) const NOT_UNDERSTOOD: i32 = -103;

/// One operation: everything that is known about it but the code that runs it.
pub(super) struct Operation<S> {
    /// The keyword.
    pub name: &'static str,
    /// The value, as messages and documentation write it.
    pub accepts: &'static str,
    /// What it does, in one line.
    pub doc: &'static str,
    /// How it is read.
    pub parse: Parse<S>,
}

/// How an operation is read into the state of its stage.
pub(super) enum Parse<S> {
    /// A keyword alone.
    Flag(fn(&mut S)),
    /// A keyword and one value.
    Value(fn(&mut S, &str) -> Result<(), Wrong>),
    /// In the vendor's service, not yet here.
    Later,
}

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not written as it should be.
    Form,
    /// It is well written and outside of the range.
    Range,
    /// It is a value of the vendor's that is not yet here.
    Unsupported,
}

/// Why a rule is not accepted.
#[derive(Debug)]
pub(super) struct RuleRefusal {
    error: Error,
    wrong: Wrong,
}

impl RuleRefusal {
    pub(super) fn syntax(message: impl Into<String>) -> Self {
        Self { error: Error::new(Kind::BadRule, message).with_code(NOT_UNDERSTOOD), wrong: Wrong::Form }
    }

    pub(super) fn range(message: impl Into<String>) -> Self {
        Self { error: Error::new(Kind::BadRule, message).with_code(NOT_UNDERSTOOD), wrong: Wrong::Range }
    }

    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self { error: Error::new(Kind::UnsupportedRule, message), wrong: Wrong::Unsupported }
    }

    /// Whether `ignore-error` covers it: a limit exceeded, not a word unknown.
    pub(super) fn in_range_of_ignore_error(&self) -> bool {
        self.wrong == Wrong::Range
    }
}

impl From<RuleRefusal> for Error {
    fn from(refusal: RuleRefusal) -> Self {
        refusal.error
    }
}

/// Which operations of a table a stage has. No table has more than 64.
pub(super) struct Seen<S: 'static> {
    table: &'static [Operation<S>],
    given: u64,
}

impl<S> Seen<S> {
    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.given == 0
    }

    /// Whether one of these is there.
    pub(super) fn any(&self, names: &[&str]) -> bool {
        let mut left = self.given;
        while left != 0 {
            let bit = left.trailing_zeros() as usize;
            if self.table.get(bit).is_some_and(|operation| names.contains(&operation.name)) {
                return true;
            }
            left &= left - 1;
        }
        false
    }
}

/// Runs a stage's words through its table. An operation that stands twice is noted: the last one counts.
pub(super) fn run<S>(
    module: &str,
    table: &'static [Operation<S>],
    words: &mut Split<'_, char>,
    state: &mut S,
    ignored: &mut Ignored,
) -> Result<Seen<S>, RuleRefusal> {
    let mut given = 0u64;
    while let Some(name) = words.next() {
        let (bit, operation) = table
            .iter()
            .enumerate()
            .find(|(_, operation)| operation.name == name)
            .ok_or_else(|| RuleRefusal::syntax(format!("`{}` is not an operation of {module}", short(name))))?;
        if given >> bit & 1 == 1 {
            ignored.note(|| format!("{module}/{name} stands more than once, of which the last counts"));
        }
        given |= 1 << bit;
        match &operation.parse {
            Parse::Flag(parse) => parse(state),
            Parse::Value(parse) => {
                let accepts = operation.accepts;
                let value = words
                    .next()
                    .ok_or_else(|| RuleRefusal::syntax(format!("{module}/{name} has no value; it takes {accepts}")))?;
                parse(state, value).map_err(|wrong| {
                    let said = format!("{module}/{name}/{}", short(value));
                    match wrong {
                        Wrong::Form => RuleRefusal::syntax(format!("{said} is not understood; {name} takes {accepts}")),
                        Wrong::Range => RuleRefusal::range(format!("{said} is out of range; {name} takes {accepts}")),
                        Wrong::Unsupported => RuleRefusal::unsupported(format!("{said} is not available here yet")),
                    }
                })?;
            }
            Parse::Later => {
                return Err(RuleRefusal::unsupported(format!(
                    "{module}/{name} ({}) is not available here yet",
                    operation.doc
                )));
            }
        }
    }
    Ok(Seen { table, given })
}

/// A table for documentation.
pub(super) fn entries<S>(module: &'static str, table: &'static [Operation<S>]) -> impl Iterator<Item = OperationDoc> {
    table.iter().map(move |operation| OperationDoc {
        module,
        name: operation.name,
        accepts: operation.accepts,
        doc: operation.doc,
        available: !matches!(operation.parse, Parse::Later),
    })
}
