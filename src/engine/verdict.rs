//! Which errors a worker may report, and in what words.

use crate::error::{Error, Kind};

/// Whether a conversion can fail with it. Who may do what, what exists and who is busy is not for a worker to say, nor is
/// anything that is not in this list.
pub(super) fn is_a_conversions(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::BadRule
            | Kind::UnsupportedRule
            | Kind::SourceBytes
            | Kind::SourceSide
            | Kind::SourcePixels
            | Kind::SourceFrames
            | Kind::OutputTooLarge
            | Kind::RotateTooLarge
            | Kind::CropOutside
            | Kind::MarkUnusable
            | Kind::NotAnImage
            | Kind::UnsupportedSource
            | Kind::UnsupportedTarget
            | Kind::AdvancedOff
            | Kind::Corrupt
            | Kind::Deadline
            | Kind::OutOfMemory
            | Kind::Crashed
            | Kind::Internal
    )
}

/// The error with no more than so many characters in either sentence, each in one line. Of what lies inside the client
/// reads the service's own sentence.
pub(super) fn plain(error: Error, most: usize) -> Error {
    let line = |text: &str| -> String {
        text.chars().take(most).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
    };
    if error.kind.is_inside() {
        return Error::new(error.kind, line(error.told())).with_code(error.code);
    }
    let mut error = error.shortened(most);
    error.message = line(&error.message);
    error.retry_after = None;
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_short_and_in_one_line() {
        let said = |kind, text: &str, most| {
            let mut error = Error::new(kind, "");
            error.message = text.into();
            plain(error, most).message
        };
        assert_eq!(said(Kind::Corrupt, "it is\r\nSet-Cookie: x", 500), "it is  Set-Cookie: x");
        assert_eq!(said(Kind::Corrupt, &"é".repeat(9), 3), "ééé");
        assert_eq!(said(Kind::Internal, "/etc/passwd", 500), Kind::Internal.sentence());
    }
}
