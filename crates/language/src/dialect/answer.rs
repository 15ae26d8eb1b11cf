//! Answers in the vendor's dress: errors, facts, media types and headers.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderName;

use super::{Dialect, aliyun, tencent};
use crate::error::{Error, Kind};
use crate::plan;
use crate::plan::Format;
use crate::xml::{DECLARATION, element};

/// An error as the client gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorBody {
    /// The HTTP status.
    pub status: u16,
    /// Headers, with `Content-Type`, without those of HTTP itself.
    pub headers: Vec<(&'static str, String)>,
    /// XML; empty for HEAD.
    pub body: String,
}

/// Dresses an error. `resource` is the path of the object (`/a.jpg`), `host` what the client called us, `head` whether
/// the request was a HEAD. The error's own code wins over the number of its kind.
pub fn error_body(
    dialect: Option<Dialect>,
    error: &Error,
    resource: &str,
    host: &str,
    request_id: &str,
    head: bool,
) -> ErrorBody {
    let (code, number, ec, message) = match dialect {
        Some(Dialect::Tencent) => {
            let number = error.code.or_else(|| tencent::number(error.kind));
            (tencent::code(error.kind), number, None, error.message.as_str())
        }
        Some(Dialect::Aliyun) => (aliyun::code(error), None, aliyun::ec(error), aliyun::message(error)),
        None => (tencent::code(error.kind), None, None, error.message.as_str()),
    };
    let message = or(message, or(&error.message, error.kind.name()));
    let said = ErrorParts { status: error.kind.status(), code, message, number, ec };
    let mut shaped = shape(dialect, &said, resource, host, request_id, head);
    let retry_after = error.retry_after.or((error.kind == Kind::Busy).then_some(1));
    shaped.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
    shaped
}

/// What an error says, whoever made it.
pub(super) struct ErrorParts<'a> {
    pub(super) status: u16,
    pub(super) code: &'a str,
    pub(super) message: &'a str,
    /// Tencent's number.
    pub(super) number: Option<i32>,
    /// Aliyun's number.
    pub(super) ec: Option<String>,
}

/// Puts an error into a vendor's dress.
pub(super) fn shape(
    dialect: Option<Dialect>,
    said: &ErrorParts<'_>,
    resource: &str,
    host: &str,
    request_id: &str,
    head: bool,
) -> ErrorBody {
    let id = or(request_id, "-");
    let request_id = &*self::request_id(dialect, id);
    let resource = or(resource, "/");
    let mut headers = vec![("content-type", "application/xml".to_owned())];
    headers.extend(answer_headers(dialect, id).0.iter().map(|name| (name.as_str(), request_id.to_owned())));
    let mut fields = vec![("Code", said.code), ("Message", said.message)];
    let ec = said.ec.as_deref();
    match dialect {
        Some(Dialect::Tencent) => {
            headers.extend(said.number.map(|number| ("x-errno", number.to_string())));
            // Clients report an unknown error if any of the five is missing or empty.
            fields.extend([("Resource", resource), ("RequestId", request_id), ("TraceId", request_id)]);
        }
        Some(Dialect::Aliyun) => {
            fields.extend([("RequestId", request_id), ("HostId", or(host, "-"))]);
            fields.extend(ec.map(|ec| ("EC", ec)));
            headers.extend(ec.map(|ec| ("x-oss-ec", ec.to_owned())));
        }
        None => fields.extend([("Resource", resource), ("RequestId", request_id)]),
    }
    let mut body = xml(&fields);
    if head && dialect == Some(Dialect::Aliyun) {
        headers.push(("x-oss-err", STANDARD.encode(&body)));
    }
    if head {
        body.clear();
    }
    ErrorBody { status: said.status, headers, body }
}

/// The facts that `asked` stands for, in the vendor's form: media type and body.
pub fn facts_body(dialect: Dialect, asked: plan::FactsAsked, facts: &plan::Facts) -> (&'static str, String) {
    match dialect {
        Dialect::Tencent => ("application/json", tencent::body(asked, facts)),
        Dialect::Aliyun => aliyun::body(asked, facts),
    }
}

/// The media type of a result. Aliyun says `image/heic` where the registry says `image/heif`.
pub fn media_type(dialect: Option<Dialect>, format: Format) -> &'static str {
    match (dialect, format) {
        (Some(Dialect::Aliyun), Format::Heif) => "image/heic",
        (Some(Dialect::Tencent | Dialect::Aliyun) | None, format) => format.media_type(),
    }
}

/// A request's id in the vendor's shape. `id`: 24 upper-case hex digits, which is Aliyun's. Tencent's is the base64 of four
/// lower-case hex numbers: `NmI0OWQyMDBfNjc4OWFiY2RfZWZfMDEyMzQ1`.
pub fn request_id(dialect: Option<Dialect>, id: &str) -> Cow<'_, str> {
    match (dialect, id.split_at_checked(8), id.len()) {
        (Some(Dialect::Tencent), Some((second, rest)), 24) if rest.is_ascii() => {
            let mut text = [b'_'; 27];
            text[..8].copy_from_slice(second.as_bytes());
            text[9..17].copy_from_slice(&rest.as_bytes()[..8]);
            text[18..20].copy_from_slice(&rest.as_bytes()[8..10]);
            text[21..].copy_from_slice(&rest.as_bytes()[10..]);
            text.make_ascii_lowercase();
            Cow::Owned(STANDARD.encode(text))
        }
        _ => Cow::Borrowed(id),
    }
}

/// The headers that every answer to a rule carries besides those of HTTP: their names, and the value that all of them have.
pub fn answer_headers(dialect: Option<Dialect>, request_id: &str) -> (&'static [HeaderName], Cow<'_, str>) {
    static TENCENT: [HeaderName; 2] =
        [HeaderName::from_static("x-cos-request-id"), HeaderName::from_static("x-cos-trace-id")];
    static ALIYUN: [HeaderName; 1] = [HeaderName::from_static("x-oss-request-id")];
    static PLAIN: [HeaderName; 1] = [HeaderName::from_static("x-request-id")];
    let names: &[HeaderName] = match dialect {
        Some(Dialect::Tencent) => &TENCENT,
        Some(Dialect::Aliyun) => &ALIYUN,
        None => &PLAIN,
    };
    (names, self::request_id(dialect, request_id))
}

fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

fn xml(fields: &[(&str, &str)]) -> String {
    let mut text = format!("{DECLARATION}<Error>");
    for (name, value) in fields {
        element(&mut text, name, value);
    }
    text.push_str("</Error>\n");
    text
}
