//! Kinds of errors to Tencent's names and numbers. The status of a number is not published: it is the kind's own.

use crate::error::Kind;

/// The `Code` of the XML body.
pub(in crate::dialect) fn code(kind: Kind) -> &'static str {
    use Kind::*;
    match kind {
        BadRule | BadRequest => "InvalidRequest",
        BadDocument => "MalformedXML",
        UnsupportedRule => "NotImplemented",
        MethodNotAllowed => "MethodNotAllowed",
        HeaderTooLarge => "RequestHeaderSectionTooLarge",
        NoSuchSite => "NoSuchBucket",
        NotFound => "NoSuchKey",
        NoSuchStyle => "NoSuchStyle",
        Forbidden | Protected => "AccessDenied",
        SourceBytes => "EntityTooLarge",
        SourceSide | SourcePixels | SourceFrames | OutputTooLarge | RotateTooLarge | OutOfMemory => "ImageTooLarge",
        CropOutside => "InvalidArgument",
        MarkNotFound => "InvalidURI",
        NotAnImage | UnsupportedSource | UnsupportedTarget | AdvancedOff | MarkUnusable => "UnsupportedFormat",
        Corrupt | Crashed | Quarantined => "InvalidImage",
        OriginTimeout | Deadline => "RequestTimeout",
        OriginFailed | OriginShort => "BadGateway",
        Busy => "SlowDown",
        Cancelled => "RequestCancelled",
        Internal => "InternalError",
    }
}

/// The `X-ErrNo` of a kind that has one.
pub(in crate::dialect) fn number(kind: Kind) -> Option<i32> {
    use Kind::*;
    match kind {
        BadRule | BadRequest | CropOutside => Some(-103),
        UnsupportedRule => Some(-60998),
        NoSuchSite => Some(-46152),
        NotFound => Some(-6101),
        NoSuchStyle => Some(-105),
        Forbidden => Some(-46627),
        Protected => Some(-154),
        SourceBytes => Some(-167),
        SourceSide | SourcePixels | RotateTooLarge | OutOfMemory => Some(-442),
        SourceFrames | OutputTooLarge => Some(-447),
        MarkNotFound => Some(-106),
        NotAnImage | UnsupportedSource | MarkUnusable | Corrupt | Crashed | Quarantined => Some(-443),
        UnsupportedTarget => Some(-441),
        // "No such configuration": the bucket's switch is off.
        AdvancedOff => Some(-163),
        OriginTimeout => Some(-902),
        OriginFailed | OriginShort => Some(-120),
        Deadline => Some(-901),
        Busy => Some(-164),
        BadDocument | HeaderTooLarge | MethodNotAllowed | Cancelled | Internal => None,
    }
}
