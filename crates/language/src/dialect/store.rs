//! A store's own errors in the site's words. Nothing that the store wrote reaches a client but a code that stands here: its
//! sentences name buckets and hosts, and its fields say what server it is. SDKs decide by the code and the status.

use super::Dialect;
use super::answer::{ErrorBody, ErrorParts, shape};

/// What of a store's error goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreError {
    /// The store's status.
    pub status: u16,
    /// The code: the store's where it is known, else that of the status.
    pub code: &'static str,
    /// Our sentence for it.
    pub message: &'static str,
}

/// Codes that stores of every kind use in the same sense, and what they mean.
const KNOWN: &[(&str, &str)] = &[
    ("AccessDenied", "access is denied"),
    ("BadDigest", "the digest of the body is not the one that was announced"),
    ("ConditionalRequestConflict", "another request changed the object at the same time"),
    ("EntityTooLarge", "the body is larger than an object may be"),
    ("EntityTooSmall", "a part that is not the last one is smaller than parts may be"),
    ("FileAlreadyExists", "the object exists already"),
    ("IncompleteBody", "the body is shorter than was announced"),
    ("InternalError", "internal error of the store"),
    ("InvalidArgument", "an argument is not valid"),
    ("InvalidDigest", "the digest that was announced is none"),
    ("InvalidObjectState", "the object's state does not allow this"),
    ("InvalidPart", "a part does not exist or is not the one that was named"),
    ("InvalidPartNumber", "there is no such part"),
    ("InvalidPartOrder", "the parts are not in their order"),
    ("InvalidRange", "no byte of the object is in the range that was asked for"),
    ("InvalidRequest", "the request is not valid"),
    ("InvalidStorageClass", "there is no such storage class"),
    ("KeyTooLongError", "the object's name is too long"),
    ("MalformedXML", "the body is not the document that it should be"),
    ("MetadataTooLarge", "the metadata are larger than they may be"),
    ("MethodNotAllowed", "this method is not served here"),
    ("MissingContentLength", "the length of the body must be announced"),
    ("NoSuchBucket", "there is no such bucket"),
    ("NoSuchKey", "there is no such object"),
    ("NoSuchUpload", "there is no such upload"),
    ("NoSuchVersion", "there is no such version of the object"),
    ("NotImplemented", "this is not served here"),
    ("OperationAborted", "another request changed the same at the same time"),
    ("PreconditionFailed", "a condition of the request does not hold"),
    ("RequestTimeout", "the body did not come in time"),
    ("ServiceUnavailable", "the store is not available at this time"),
    ("SlowDown", "there are more requests than the store takes"),
    ("XAmzContentChecksumMismatch", "the checksum of the body is not the one that was announced"),
    ("XAmzContentSHA256Mismatch", "the digest of the body is not the one that was announced"),
];

/// Reads a store's error: its status, and the code of its body where there was one.
pub fn store_error(status: u16, code: Option<&str>) -> StoreError {
    let find = |code: &str| KNOWN.iter().find(|(known, _)| *known == code);
    let (code, message) = code
        .and_then(find)
        .or_else(|| find(by_status(status)))
        .copied()
        .unwrap_or(("InvalidRequest", "the store refuses the request"));
    StoreError { status, code, message }
}

fn by_status(status: u16) -> &'static str {
    match status {
        401 | 403 => "AccessDenied",
        404 | 410 => "NoSuchKey",
        405 => "MethodNotAllowed",
        408 => "RequestTimeout",
        409 => "OperationAborted",
        411 => "MissingContentLength",
        412 => "PreconditionFailed",
        413 => "EntityTooLarge",
        416 => "InvalidRange",
        429 => "SlowDown",
        501 => "NotImplemented",
        503 => "ServiceUnavailable",
        400..=499 => "InvalidRequest",
        _ => "InternalError",
    }
}

/// Dresses a store's error as the vendor of the site's language would have said it.
pub fn store_error_body(
    dialect: Option<Dialect>,
    error: &StoreError,
    resource: &str,
    host: &str,
    request_id: &str,
    head: bool,
) -> ErrorBody {
    let said = ErrorParts { status: error.status, code: error.code, message: error.message, number: None, ec: None };
    shape(dialect, &said, resource, host, request_id, head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_code_that_is_known() {
        for status in 300..=599 {
            let error = store_error(status, None);
            assert!(KNOWN.iter().any(|(code, _)| *code == error.code), "{status}: {}", error.code);
        }
    }

    #[test]
    fn a_known_code_goes_on_and_no_other() {
        assert_eq!(store_error(404, Some("NoSuchUpload")).code, "NoSuchUpload");
        assert_eq!(store_error(400, Some("EntityTooSmall")).code, "EntityTooSmall");
        assert_eq!(store_error(403, Some("InvalidAccessKeyId")).code, "AccessDenied");
        assert_eq!(store_error(404, Some("photos-internal at 10.0.0.1")).code, "NoSuchKey");
    }
}
