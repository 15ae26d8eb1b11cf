//! What can go wrong: one row for each kind, and everything that is decided about it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

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

/// What is decided about a kind.
struct Row {
    fault: Fault,
    status: u16,
    remember: u64,
    reach: Reach,
    name: &'static str,
    sentence: &'static str,
}

/// Where a cause lies.
#[derive(PartialEq)]
enum Reach {
    /// Before the service: the client may read what was written of it.
    Outside,
    /// Behind it.
    Inside,
}

use Fault::{Client, Image, Origin, Us};
use Reach::{Inside, Outside};

/// `Name: whose fault, HTTP status, seconds that it is remembered, where its cause lies, name in logs, sentence;`
macro_rules! kinds {
    ($($(#[$doc:meta])+ $kind:ident: $fault:ident, $status:literal, $remember:literal, $reach:ident, $name:literal,
        $sentence:literal;)+) => {
        /// What went wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Kind {
            $($(#[$doc])+ $kind,)+
        }

        impl Kind {
            /// Every kind, in the order of this list.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            const fn row(self) -> Row {
                match self {
                    $(Self::$kind => Row {
                        fault: $fault,
                        status: $status,
                        remember: $remember,
                        reach: $reach,
                        name: $name,
                        sentence: $sentence,
                    },)+
                }
            }
        }
    };
}

// Remembered are: for 0 s what is found out again for less than remembering takes, or may be otherwise at once; for 5 s what
// a write ends at any time; for a minute what lies in the original; for half a minute what may also lie in the moment; for
// a second what the origin may have got over.
kinds! {
    /// The rule does not parse, or a parameter is out of its range.
    BadRule: Client, 400, 0, Outside, "bad_rule",
        "the rule cannot be read";
    /// The rule asks for something that exists in the vendor's service and not here.
    UnsupportedRule: Client, 501, 0, Outside, "unsupported_rule",
        "this is not served here";
    /// The request itself is malformed.
    BadRequest: Client, 400, 0, Outside, "bad_request",
        "the request cannot be read";
    /// The document in the request's body is not what it should be.
    BadDocument: Client, 400, 0, Outside, "bad_document",
        "the body is not the document that it should be";
    /// The request's headers have more bytes than are taken.
    HeaderTooLarge: Client, 431, 0, Outside, "header_too_large",
        "the headers of the request have too many bytes";
    /// The method is not served for this resource.
    MethodNotAllowed: Client, 405, 0, Outside, "method_not_allowed",
        "this method is not served here";
    /// No site answers to this host.
    NoSuchSite: Client, 404, 0, Outside, "no_such_site",
        "no site answers to this host name";
    /// The object does not exist.
    NotFound: Client, 404, 5, Outside, "not_found",
        "there is no such object";
    /// The rule names a style that the site does not have.
    NoSuchStyle: Client, 404, 0, Outside, "no_such_style",
        "there is no such style";
    /// The client may not do this.
    Forbidden: Client, 403, 0, Outside, "forbidden",
        "access to this object is denied";
    /// The site gives originals away by its styles only.
    Protected: Client, 403, 0, Outside, "protected",
        "pictures of this site are served by style only: add a style to the URL";
    /// The original has more bytes than the site takes.
    SourceBytes: Image, 400, 60, Outside, "source_bytes",
        "the original has more bytes than this site takes";
    /// One side of the original is longer than the site takes.
    SourceSide: Image, 400, 60, Outside, "source_side",
        "a side of the original is longer than this site takes";
    /// The original has more pixels (times frames) than the site takes.
    SourcePixels: Image, 400, 60, Outside, "source_pixels",
        "the original has more pixels than this site takes";
    /// The original has more frames than the site takes.
    SourceFrames: Image, 400, 60, Outside, "source_frames",
        "the original has more frames than this site takes";
    /// The result would be larger than the site gives.
    OutputTooLarge: Client, 400, 60, Outside, "output_too_large",
        "the result would be larger than this site gives";
    /// The original is too large to be rotated (Aliyun: 4096 a side).
    RotateTooLarge: Client, 400, 60, Outside, "rotate_too_large",
        "the original is too large to be rotated";
    /// A crop that starts outside of the picture.
    CropOutside: Client, 400, 60, Outside, "crop_outside",
        "the crop begins outside of the picture";
    /// The object that a mark names does not exist, or is not of the same bucket.
    MarkNotFound: Client, 400, 5, Outside, "mark_not_found",
        "the object that the mark names does not exist";
    /// The object that a mark names is no picture that can be a mark.
    MarkUnusable: Client, 400, 5, Outside, "mark_unusable",
        "the object that the mark names cannot be a mark";
    /// The original is not a picture that anybody here reads.
    NotAnImage: Image, 400, 60, Outside, "not_an_image",
        "the original is no picture";
    /// A picture, but of a format or variety that is not decoded here.
    UnsupportedSource: Image, 400, 60, Outside, "unsupported_source",
        "the original is a picture of a kind that is not read here";
    /// The format that the rule names cannot be written from this original, or not by this build.
    UnsupportedTarget: Client, 400, 60, Outside, "unsupported_target",
        "this format cannot be written from this original";
    /// The format that the rule names is advanced compression, which the site has off.
    AdvancedOff: Client, 400, 60, Outside, "advanced_off",
        "this format is advanced compression, which is off for this bucket";
    /// The original's bytes are damaged or end early.
    Corrupt: Image, 400, 60, Outside, "corrupt",
        "the original is damaged";
    /// The origin did not answer in time.
    OriginTimeout: Origin, 504, 1, Inside, "origin_timeout",
        "the original could not be fetched in time";
    /// The origin cannot be reached or answered with an error.
    OriginFailed: Origin, 502, 1, Inside, "origin_failed",
        "the original cannot be fetched now; try again later";
    /// The origin closed before it had sent what it announced.
    OriginShort: Origin, 502, 1, Inside, "origin_short",
        "the original ended early";
    /// The conversion did not end by its deadline.
    Deadline: Image, 504, 30, Outside, "deadline",
        "the conversion was not done in time";
    /// The worker's memory was not enough for this picture.
    OutOfMemory: Image, 400, 30, Outside, "out_of_memory",
        "the picture needs more memory than it may have";
    /// The worker died over this picture.
    Crashed: Image, 400, 30, Inside, "crashed",
        "the picture cannot be converted";
    /// This picture has crashed or starved a worker before and rests in quarantine.
    Quarantined: Image, 400, 30, Outside, "quarantined",
        "the picture cannot be converted: it has broken conversions before";
    /// The service has more work than it can do in time.
    Busy: Us, 503, 0, Outside, "busy",
        "the service has more work than it can do in time";
    /// Everybody who waited has gone.
    Cancelled: Client, 499, 0, Outside, "cancelled",
        "the client closed the connection before the answer was ready";
    /// Our own fault.
    Internal: Us, 500, 0, Inside, "internal",
        "internal error of the image service";
}

impl Kind {
    /// Whose fault it is.
    pub fn fault(self) -> Fault {
        self.row().fault
    }

    /// The HTTP status that both dialects use for it.
    pub fn status(self) -> u16 {
        self.row().status
    }

    /// How long the same question may be answered with this error without asking again. Zero: not at all.
    pub fn remember(self) -> Duration {
        Duration::from_secs(self.row().remember)
    }

    /// Whether the cause lies behind the service, in what a client has no business to know: where originals are, how the
    /// service runs. What is written of such an error is the operator's.
    pub fn is_inside(self) -> bool {
        self.row().reach == Reach::Inside
    }

    /// What can be said of it to anyone.
    pub fn sentence(self) -> &'static str {
        self.row().sentence
    }

    /// A short name in snake case, for metrics and logs.
    pub fn name(self) -> &'static str {
        self.row().name
    }
}

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
