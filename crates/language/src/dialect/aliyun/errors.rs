//! Kinds of errors to Aliyun's names, codes and known sentences.

use crate::error::{Error, Kind};

/// Wrong arguments that are called a bad request in place of an invalid argument: a mark that is not base64
/// (aliyun-oss §2.15), a style whose text cannot be (§5).
const BAD_REQUESTS: [i32; 2] = [265, 602];

/// The `Code` of the XML body.
pub(in crate::dialect) fn code(error: &Error) -> &'static str {
    use Kind::*;
    match error.kind {
        BadRule | BadRequest if error.code.is_some_and(|code| BAD_REQUESTS.contains(&code)) => "BadRequest",
        BadRule | BadRequest => "InvalidArgument",
        BadDocument => "MalformedXML",
        UnsupportedRule => "NotImplemented",
        MethodNotAllowed => "MethodNotAllowed",
        HeaderTooLarge => "RequestHeaderSectionTooLarge",
        NoSuchSite => "NoSuchBucket",
        NotFound => "NoSuchKey",
        NoSuchStyle => "NoSuchStyle",
        Forbidden | Protected => "AccessDenied",
        SourceBytes | SourceSide | SourcePixels | SourceFrames | OutOfMemory => "ImageTooLarge",
        OutputTooLarge | RotateTooLarge | CropOutside | NotAnImage | UnsupportedSource | UnsupportedTarget
        | AdvancedOff | Corrupt | Crashed | Quarantined => "BadRequest",
        MarkNotFound | MarkUnusable => "WatermarkError",
        OriginTimeout | Deadline => "RequestTimeout",
        OriginFailed | OriginShort => "BadGateway",
        Busy => "ServiceUnavailable",
        Cancelled => "RequestCancelled",
        Internal => "InternalError",
    }
}

/// The `EC`: the parser's own number where it gave one, else the kind's; none where no page prints one.
pub(in crate::dialect) fn ec(error: &Error) -> Option<String> {
    use Kind::*;
    let number = match error.kind {
        NotFound => Some(24),
        SourceSide => Some(19),
        SourcePixels | SourceFrames => Some(12),
        OutputTooLarge => Some(7),
        RotateTooLarge => Some(6),
        CropOutside => Some(205),
        MarkNotFound => Some(25),
        MarkUnusable => Some(27),
        NotAnImage | UnsupportedSource => Some(5),
        UnsupportedTarget | AdvancedOff => Some(206),
        Forbidden | Protected => Some(31),
        // A wrong argument of which no page says more.
        BadRule | BadRequest => None,
        UnsupportedRule | BadDocument | HeaderTooLarge | MethodNotAllowed | NoSuchSite | NoSuchStyle | SourceBytes
        | Corrupt | OriginTimeout | OriginFailed | OriginShort | Deadline | OutOfMemory | Crashed | Quarantined
        | Busy | Cancelled | Internal => None,
    };
    let wrong_argument = matches!(error.kind, BadRule | BadRequest);
    let number = error.code.or(number).map(|number| format!("0040-{:08}", number.unsigned_abs()));
    number.or_else(|| wrong_argument.then(|| "0016-00000502".to_owned()))
}

/// The sentence: the vendor's where clients know it.
pub(in crate::dialect) fn message(error: &Error) -> &str {
    if error.kind == Kind::CropOutside {
        "Advance cut's position is out of image."
    } else if error.kind == Kind::RotateTooLarge {
        "Picture exceed the maximum allowable rotation range."
    } else {
        &error.message
    }
}
