//! What stood behind an error, for logs.

use std::error::Error as StdError;
use std::fmt;

/// Causes that are kept of one error. Libraries nest three or four of them.
const MOST_CAUSES: usize = 6;
/// Characters that are kept of each.
const MOST_CHARACTERS: usize = 300;

/// The cause of an error, and the cause of that. Only the sentences are kept, not the library's error itself: a remembered
/// error must not hold on to connections, buffers or URLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    sentence: Box<str>,
    next: Option<Box<Self>>,
}

impl Cause {
    /// Copies the sentences of an error and of its sources, outermost first.
    pub(super) fn of(error: &(dyn StdError + 'static)) -> Self {
        Self::chain(error, MOST_CAUSES)
    }

    fn chain(error: &(dyn StdError + 'static), most: usize) -> Self {
        let next = error.source().filter(|_| most > 1).map(|source| Box::new(Self::chain(source, most - 1)));
        let sentence: String = error.to_string().chars().take(MOST_CHARACTERS).collect();
        Self { sentence: sentence.into_boxed_str(), next }
    }

    /// Bytes that it takes in memory.
    pub(super) fn size(&self) -> usize {
        let next = self.next.as_ref().map_or(0, |next| next.size());
        size_of::<Self>() + self.sentence.len() + next
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl StdError for Cause {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.next.as_deref().map(|next| next as &(dyn StdError + 'static))
    }
}
