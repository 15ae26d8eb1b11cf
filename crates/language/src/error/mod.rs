//! The one error of the product. A closed list of kinds answers the four questions that anybody upstream asks: whose
//! fault, what status, may it be retried, how long may the answer be remembered. The dialect dresses it for the client;
//! no decision reads the message.

mod cause;
mod kind;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use cause::Cause;
pub use kind::{Fault, Kind};

/// An error: its kind, one sentence for the client, what only the operator may know, what caused it, and, where a dialect's
/// parser made it, that vendor's own code.
///
/// The client's sentence names the parameter and the accepted range where there is one. It holds nothing of the inside:
/// endpoints, buckets of origins, folders, files. That goes into the detail and the causes, which no answer can reach: they
/// are private, and only [`Error::told`], [`Error::report`] and `Display` show them, which are for logs and for people at a
/// terminal. None of them ever holds a secret or a signed URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Error {
    /// What decisions read.
    pub kind: Kind,
    /// What the client reads.
    pub message: String,
    /// What the operator reads; `None` where the client's sentence says it all.
    detail: Option<Box<str>>,
    /// The vendor's fine-grained code: Aliyun's last EC group (`312` of `0040-00000312`), Tencent's `X-ErrNo`.
    pub code: Option<i32>,
    /// For [`Kind::Busy`]: when to come back, in seconds.
    pub retry_after: Option<u32>,
    /// What a library said. It stays in this process: the other side of a worker's pipe does not read it.
    #[serde(skip)]
    cause: Option<Arc<Cause>>,
}

impl Error {
    /// An error with a sentence for people. Of a kind whose cause lies inside ([`Kind::is_inside`]) the client reads no more
    /// than [`Kind::sentence`], whatever is written here: that is for the operator.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        match kind.is_inside() {
            true => Self::inside(kind, kind.sentence(), message),
            false => Self { kind, message: message.into(), detail: None, code: None, retry_after: None, cause: None },
        }
    }

    /// An error whose client reads one sentence, and whose operator another. The client's is a constant: nothing that is
    /// known only when the service runs can slip into it.
    pub fn inside(kind: Kind, message: &'static str, detail: impl Into<String>) -> Self {
        let detail = Some(detail.into().into_boxed_str());
        Self { kind, message: message.into(), detail, code: None, retry_after: None, cause: None }
    }

    /// The same with the vendor's own code, if there is one.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Option<i32>>) -> Self {
        self.code = code.into();
        self
    }

    /// The same with what caused it: another library's error, for logs. Whoever adds it has removed URLs and secrets.
    #[must_use]
    pub fn caused_by(mut self, cause: &(dyn std::error::Error + 'static)) -> Self {
        self.cause = Some(Arc::new(Cause::of(cause)));
        self
    }

    /// The same, with what it is about before both sentences.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self.detail = self.detail.map(|detail| format!("{what}: {detail}").into_boxed_str());
        self
    }

    /// The same with no more than so many characters in either sentence.
    #[must_use]
    pub fn shortened(mut self, most: usize) -> Self {
        let end = |text: &str| text.char_indices().nth(most).map(|(end, _)| end);
        if let Some(end) = end(&self.message) {
            self.message.truncate(end);
        }
        if let Some(detail) = self.detail.take() {
            self.detail = Some(end(&detail).and_then(|end| detail.get(..end)).map_or(detail.clone(), Box::from));
        }
        self
    }

    /// The service is full; come back after so many seconds.
    pub fn busy(message: impl Into<String>, retry_after: u32) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(Kind::Busy, message) }
    }

    /// What the operator reads, without what caused it: never for an answer.
    pub fn told(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.message)
    }

    /// What the operator reads, and after it every cause, in one line: never for an answer.
    pub fn report(&self) -> String {
        let mut report = self.told().to_owned();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            report.push_str("; caused by: ");
            report.push_str(&error.to_string());
            cause = error.source();
        }
        report
    }

    /// Bytes that its sentences and its causes take in memory.
    pub fn size(&self) -> usize {
        let detail = self.detail.as_ref().map_or(0, |detail| detail.len());
        self.message.capacity() + detail + self.cause.as_ref().map_or(0, |cause| cause.size())
    }
}

/// The kind and the whole [`Error::report`], for logs and terminals.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.report())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn std::error::Error + 'static))
    }
}

#[cfg(test)]
mod tests;
