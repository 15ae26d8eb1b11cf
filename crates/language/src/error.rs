//! The one error of the product. A closed list of kinds answers the four questions that anybody upstream asks: whose
//! fault, what status, may it be retried, how long may the answer be remembered. The dialect dresses it for the client;
//! no decision reads the message.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// The rule does not parse, or a parameter is out of its range.
    BadRule,
    /// The rule asks for something that exists in the vendor's service and not here.
    UnsupportedRule,
    /// The request itself is malformed.
    BadRequest,
    /// The document in the request's body is not what it should be.
    BadDocument,
    /// The request's headers have more bytes than are taken.
    HeaderTooLarge,
    /// The method is not served for this resource.
    MethodNotAllowed,
    /// No site answers to this host.
    NoSuchSite,
    /// The object does not exist.
    NotFound,
    /// The rule names a style that the site does not have.
    NoSuchStyle,
    /// The client may not do this.
    Forbidden,
    /// The site gives originals away by its styles only.
    Protected,
    /// The original has more bytes than the site takes.
    SourceBytes,
    /// One side of the original is longer than the site takes.
    SourceSide,
    /// The original has more pixels (times frames) than the site takes.
    SourcePixels,
    /// The original has more frames than the site takes.
    SourceFrames,
    /// The result would be larger than the site gives.
    OutputTooLarge,
    /// The original is too large to be rotated (Aliyun: 4096 a side).
    RotateTooLarge,
    /// A crop that starts outside of the picture.
    CropOutside,
    /// The object that a mark names does not exist, or is not of the same bucket.
    MarkNotFound,
    /// The object that a mark names is no picture that can be a mark.
    MarkUnusable,
    /// The original is not a picture that anybody here reads.
    NotAnImage,
    /// A picture, but of a format or variety that is not decoded here.
    UnsupportedSource,
    /// The format that the rule names cannot be written from this original, or not by this build.
    UnsupportedTarget,
    /// The format that the rule names is advanced compression, which the site has off.
    AdvancedOff,
    /// The original's bytes are damaged or end early.
    Corrupt,
    /// The origin did not answer in time.
    OriginTimeout,
    /// The origin cannot be reached or answered with an error.
    OriginFailed,
    /// The origin closed before it had sent what it announced.
    OriginShort,
    /// The conversion did not end by its deadline.
    Deadline,
    /// The worker's memory was not enough for this picture.
    OutOfMemory,
    /// The worker died over this picture.
    Crashed,
    /// This picture has crashed or starved a worker before and rests in quarantine.
    Quarantined,
    /// The service has more work than it can do in time.
    Busy,
    /// Everybody who waited has gone.
    Cancelled,
    /// Our own fault.
    Internal,
}

/// Whose fault an error is; decides the log level and which metric counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The client asked for something that cannot be.
    Client,
    /// The picture is damaged, hostile or too large.
    Image,
    /// The origin misbehaved.
    Origin,
    /// We are full or broken.
    Us,
}

impl Kind {
    /// Whose fault it is.
    pub fn fault(self) -> Fault {
        use Kind::*;
        match self {
            BadRule | UnsupportedRule | BadRequest | BadDocument | HeaderTooLarge | MethodNotAllowed | NoSuchSite
            | NotFound | NoSuchStyle | Forbidden | Protected | OutputTooLarge | RotateTooLarge | CropOutside
            | MarkNotFound | MarkUnusable | UnsupportedTarget | AdvancedOff | Cancelled => Fault::Client,
            SourceBytes | SourceSide | SourcePixels | SourceFrames | NotAnImage | UnsupportedSource | Corrupt
            | Deadline | OutOfMemory | Crashed | Quarantined => Fault::Image,
            OriginTimeout | OriginFailed | OriginShort => Fault::Origin,
            Busy | Internal => Fault::Us,
        }
    }

    /// The HTTP status that both dialects use for it.
    pub fn status(self) -> u16 {
        use Kind::*;
        match self {
            BadRule | BadRequest | BadDocument | SourceBytes | SourceSide | SourcePixels | SourceFrames
            | OutputTooLarge | RotateTooLarge | CropOutside | MarkNotFound | MarkUnusable | NotAnImage
            | UnsupportedSource | UnsupportedTarget | AdvancedOff | Corrupt | OutOfMemory | Quarantined | Crashed => {
                400
            }
            Forbidden | Protected => 403,
            NoSuchSite | NotFound | NoSuchStyle => 404,
            MethodNotAllowed => 405,
            HeaderTooLarge => 431,
            UnsupportedRule => 501,
            OriginFailed | OriginShort => 502,
            Busy => 503,
            OriginTimeout | Deadline => 504,
            Cancelled => 499,
            Internal => 500,
        }
    }

    /// How long the same question may be answered with this error without asking again. Zero: not at all.
    pub fn remember(self) -> Duration {
        use Kind::*;
        match self {
            // Parsing is cheaper than remembering.
            BadRule | UnsupportedRule | BadRequest | BadDocument | HeaderTooLarge | MethodNotAllowed | NoSuchSite
            | NoSuchStyle => Duration::ZERO,
            // A mark may be replaced at any time.
            NotFound | MarkNotFound | MarkUnusable => Duration::from_secs(5),
            SourceBytes | SourceSide | SourcePixels | SourceFrames | OutputTooLarge | RotateTooLarge | CropOutside
            | NotAnImage | UnsupportedSource | UnsupportedTarget | AdvancedOff | Corrupt => Duration::from_secs(60),
            Deadline | OutOfMemory | Crashed | Quarantined => Duration::from_secs(30),
            OriginTimeout | OriginFailed | OriginShort => Duration::from_secs(1),
            Forbidden | Protected | Busy | Cancelled | Internal => Duration::ZERO,
        }
    }

    /// Whether the cause lies behind the service, in what a client has no business to know: where originals are, how the
    /// service runs. What is written of such an error is the operator's.
    pub fn is_inside(self) -> bool {
        matches!(self, Kind::OriginTimeout | Kind::OriginFailed | Kind::OriginShort | Kind::Internal | Kind::Crashed)
    }

    /// What can be said of it to anyone.
    pub fn sentence(self) -> &'static str {
        use Kind::*;
        match self {
            BadRule => "the rule cannot be read",
            UnsupportedRule => "this is not served here",
            BadRequest => "the request cannot be read",
            BadDocument => "the body is not the document that it should be",
            HeaderTooLarge => "the headers of the request have too many bytes",
            MethodNotAllowed => "this method is not served here",
            NoSuchSite => "no site answers to this host name",
            NotFound => "there is no such object",
            NoSuchStyle => "there is no such style",
            Forbidden => "this may not be read or changed",
            Protected => "the pictures of this site are given away by their styles only",
            SourceBytes => "the original has more bytes than this site takes",
            SourceSide => "a side of the original is longer than this site takes",
            SourcePixels => "the original has more pixels than this site takes",
            SourceFrames => "the original has more frames than this site takes",
            OutputTooLarge => "the result would be larger than this site gives",
            RotateTooLarge => "the original is too large to be rotated",
            CropOutside => "the crop begins outside of the picture",
            MarkNotFound => "the object that the mark names does not exist",
            MarkUnusable => "the object that the mark names cannot be a mark",
            NotAnImage => "the original is no picture",
            UnsupportedSource => "the original is a picture of a kind that is not read here",
            UnsupportedTarget => "this format cannot be written from this original",
            AdvancedOff => "this format is advanced compression, which is off for this bucket",
            Corrupt => "the original is damaged",
            OriginTimeout => "the original could not be had in time",
            OriginFailed => "the original cannot be had at this time",
            OriginShort => "the original ended early",
            Deadline => "the conversion was not done in time",
            OutOfMemory => "the picture needs more memory than it may have",
            Crashed => "the picture cannot be converted",
            Quarantined => "the picture cannot be converted: it has broken conversions before",
            Busy => "the service has more work than it can do in time",
            Cancelled => "nobody waits for the answer any more",
            Internal => "the service has a problem of its own",
        }
    }

    /// A short name in snake case, for metrics and logs.
    pub fn name(self) -> &'static str {
        use Kind::*;
        match self {
            BadRule => "bad_rule",
            UnsupportedRule => "unsupported_rule",
            BadRequest => "bad_request",
            BadDocument => "bad_document",
            HeaderTooLarge => "header_too_large",
            MethodNotAllowed => "method_not_allowed",
            NoSuchSite => "no_such_site",
            NotFound => "not_found",
            NoSuchStyle => "no_such_style",
            Forbidden => "forbidden",
            Protected => "protected",
            SourceBytes => "source_bytes",
            SourceSide => "source_side",
            SourcePixels => "source_pixels",
            SourceFrames => "source_frames",
            OutputTooLarge => "output_too_large",
            RotateTooLarge => "rotate_too_large",
            CropOutside => "crop_outside",
            MarkNotFound => "mark_not_found",
            MarkUnusable => "mark_unusable",
            NotAnImage => "not_an_image",
            UnsupportedSource => "unsupported_source",
            UnsupportedTarget => "unsupported_target",
            AdvancedOff => "advanced_off",
            Corrupt => "corrupt",
            OriginTimeout => "origin_timeout",
            OriginFailed => "origin_failed",
            OriginShort => "origin_short",
            Deadline => "deadline",
            OutOfMemory => "out_of_memory",
            Crashed => "crashed",
            Quarantined => "quarantined",
            Busy => "busy",
            Cancelled => "cancelled",
            Internal => "internal",
        }
    }
}

/// An error: its kind, one sentence for the client, what only the operator may know, and, where a dialect's parser made it,
/// that vendor's own code.
///
/// The client's sentence names the parameter and the accepted range where there is one. It holds nothing of the inside:
/// endpoints, buckets of origins, folders, files. That goes into the detail, which no answer can reach: it is private, and
/// only [`Error::told`] and `Display`, which are for logs and for people at a terminal, show it. Neither ever holds a secret
/// or a signed URL.
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
}

impl Error {
    /// An error with a sentence for people. Of a kind whose cause lies inside ([`Kind::is_inside`]) the client reads no more
    /// than [`Kind::sentence`], whatever is written here: that is for the operator.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        match kind.is_inside() {
            true => Self::inside(kind, kind.sentence(), message),
            false => Self { kind, message: message.into(), detail: None, code: None, retry_after: None },
        }
    }

    /// An error whose client reads one sentence, and whose operator another. The client's is a constant: nothing that is
    /// known only when the service runs can slip into it.
    pub fn inside(kind: Kind, message: &'static str, detail: impl Into<String>) -> Self {
        let detail = Some(detail.into().into_boxed_str());
        Self { kind, message: message.into(), detail, code: None, retry_after: None }
    }

    /// The same with the vendor's own code, if there is one.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Option<i32>>) -> Self {
        self.code = code.into();
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

    /// What the operator reads: never for an answer.
    pub fn told(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.message)
    }

    /// Bytes that its sentences take in memory.
    pub fn size(&self) -> usize {
        self.message.capacity() + self.detail.as_ref().map_or(0, |detail| detail.len())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.name(), self.told())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    /// What may be different a moment later is asked again soon; what only another object can change, later.
    #[test]
    fn errors_are_remembered_as_long_as_they_may_last() {
        for (kinds, seconds) in [
            (&[Kind::NotFound, Kind::MarkNotFound, Kind::MarkUnusable][..], 5),
            (&[Kind::OriginTimeout, Kind::OriginFailed, Kind::OriginShort], 1),
            (&[Kind::Corrupt, Kind::SourcePixels, Kind::NotAnImage, Kind::CropOutside], 60),
            (&[Kind::Deadline, Kind::OutOfMemory, Kind::Crashed, Kind::Quarantined], 30),
            (&[Kind::Busy, Kind::Internal, Kind::Cancelled, Kind::Forbidden, Kind::Protected, Kind::BadRule], 0),
        ] {
            for kind in kinds {
                assert_eq!(kind.remember(), Duration::from_secs(seconds), "{kind:?}");
            }
        }
    }
}
