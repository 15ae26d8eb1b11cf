//! The head of a request, read once: which site, which object, which rule.

use std::sync::Arc;

use pingora::http::RequestHeader;

use super::referer;
use crate::cache::ObjectId;
use crate::dialect::{self, Dialect, Language, Reading, Recognised};
use crate::error::{Error, Kind};
use crate::negotiate::{self, Class};
use crate::origin::ObjectKey;
use crate::plan::{Format, Plan};
use crate::shield::{Question, Site, mark_objects};

/// What a request turned out to be.
pub enum Incoming {
    /// Image processing: a question to the shield. The dialect is `None` for a plain picture that is negotiated.
    Image {
        /// Whose rule it was.
        dialect: Option<Dialect>,
        /// What to ask.
        question: Box<Question>,
        /// Fields of the answer that the client chooses, where it may: names as parameters, values.
        overrides: Vec<(String, String)>,
    },
    /// A rule that says `ignore-error/1` over a value out of its range: the untouched original.
    Original,
    /// Everything else: through to the origin.
    Pass,
}

/// The host that the client named: `:authority`, an absolute target, or `Host`.
///
/// # Errors
/// HTTP/1.1 without exactly one `Host` (RFC 9112 §3.2).
pub fn host(head: &RequestHeader) -> Result<&str, Error> {
    let refuse = |why| Err(Error::new(Kind::BadRequest, why));
    let mut fields = head.headers.get_all(http::header::HOST).iter();
    match (fields.next(), fields.next(), head.uri.authority()) {
        (_, Some(_), _) => refuse("more than one Host header"),
        (_, None, Some(authority)) => Ok(authority.as_str()),
        (Some(field), None, None) => match field.to_str() {
            Ok(host) if !host.is_empty() => Ok(host),
            _ => refuse("the Host header is empty or not text"),
        },
        (None, None, None) if head.version <= http::Version::HTTP_10 => Ok(""),
        (None, None, None) => refuse("a Host header is needed"),
    }
}

/// Bytes of the head as they would stand on the wire; the limit is checked against it.
pub fn size(head: &RequestHeader) -> usize {
    let target = head.uri.path_and_query().map_or(1, |target| target.as_str().len());
    head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + target
}

/// The path and query as the client sent them.
pub fn target(head: &RequestHeader) -> (&str, Option<&str>) {
    (head.uri.path(), head.uri.query())
}

/// Reads what the request asks for. The error comes with the dialect that it is to be dressed in.
pub fn read(head: &RequestHeader, site: &Arc<Site>) -> Result<Incoming, (Option<Dialect>, Error)> {
    let (path, query) = target(head);
    let query = query.unwrap_or("");
    let language = site.language.load();
    hotlink(head, query, site, &language)?;
    refuse_uploads_with_processing(head, query, &language)?;
    let reads = head.method == http::Method::GET || head.method == http::Method::HEAD;
    // What is written to is the path as it stands: only reads take a style off its end.
    let reading = language.read(path, query, reads);
    if site.protect && reads {
        protect(&reading, &language)?;
    }
    let Reading { path, recognised, .. } = reading;
    let (dialect, plan) = match recognised {
        Recognised::Rule { plan: Err(_), original_on_error: true, .. } if reads => return Ok(Incoming::Original),
        Recognised::Rule { dialect, plan, .. } if reads => {
            (Some(dialect), plan.map_err(|error| (Some(dialect), error))?)
        }
        Recognised::Rule { dialect, .. } => {
            let message = format!("{} does not take an image rule; use GET", head.method);
            return Err((Some(dialect), Error::new(Kind::MethodNotAllowed, message)));
        }
        Recognised::None if reads && site.negotiate_plain && query.is_empty() && looks_like_picture(path) => {
            (None, Plan::identity())
        }
        Recognised::None => return Ok(Incoming::Pass),
    };
    let class = (plan.negotiable() && !site.offered.is_empty()).then(|| class(head, &site.offered));
    if dialect.is_none() && class.unwrap_or_default() == Class::default() {
        return Ok(Incoming::Pass);
    }
    if !site.access.anonymous {
        return Err((dialect, Error::new(Kind::Forbidden, "this site does not serve requests without a signature")));
    }
    let parts = dialect::split_query(query);
    let overrides = if site.access.anonymous_overrides { parts.response_overrides } else { Vec::new() };
    let question = question(site, path, parts.version_id, plan, class).map_err(|error| (dialect, error))?;
    Ok(Incoming::Image { dialect, question: Box::new(question), overrides })
}

/// What is said of an original that is not given away.
pub const PROTECTED: &str = "the pictures of this site are given away by their styles only";

/// Refuses pages of others (tencent-ci §1.9).
fn hotlink(
    head: &RequestHeader,
    query: &str,
    site: &Site,
    language: &Language,
) -> Result<(), (Option<Dialect>, Error)> {
    let referer = head.headers.get(http::header::REFERER).map(|value| value.to_str().unwrap_or("?"));
    if referer::admits(&site.access.referers, referer) {
        return Ok(());
    }
    let dialect = match dialect::recognise(query, &language.dialects, &language.styles) {
        Recognised::Rule { dialect, .. } => Some(dialect),
        Recognised::None => language.dialects.first().copied(),
    };
    Err((dialect, Error::new(Kind::Forbidden, "this site's objects are not shown on the page that asks for them")))
}

/// Refuses what is not a style, and nothing but that (tencent-ci §1.9, aliyun-oss §1.6).
fn protect(reading: &Reading<'_>, language: &Language) -> Result<(), (Option<Dialect>, Error)> {
    let dialect = match &reading.recognised {
        Recognised::None if !holds_picture(reading.path) => return Ok(()),
        Recognised::None => language.dialects.first().copied(),
        Recognised::Rule { .. } if reading.by_style => return Ok(()),
        Recognised::Rule { dialect, .. } => Some(*dialect),
    };
    Err((dialect, Error::new(Kind::Protected, PROTECTED)))
}

fn question(
    site: &Arc<Site>,
    path: &str,
    version_id: Option<String>,
    plan: Plan,
    class: Option<Class>,
) -> Result<Question, Error> {
    let key = ObjectKey::from_raw_path(path)?;
    let object = ObjectId {
        site: site.name.clone(),
        key: site.origin.identity(&key).into(),
        version_id: version_id.map(Arc::from),
    };
    let canonical = plan.to_string().into();
    let marks = mark_objects(site, &plan)?;
    Ok(Question { site: site.clone(), key, object, plan: Arc::new(plan), canonical, class, marks })
}

/// Names an object for invalidation, whatever was asked of it. `None` where the path names none.
pub fn object(site: &Site, path: &str) -> Option<ObjectId> {
    let key = ObjectKey::from_raw_path(path).ok()?;
    Some(ObjectId { site: site.name.clone(), key: site.origin.identity(&key).into(), version_id: None })
}

fn class(head: &RequestHeader, offered: &[Format]) -> Class {
    let lines = head.headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    negotiate::class(lines, offered)
}

/// Processing on upload and on stored data is not served yet; letting such a request pass would store the original and
/// silently leave the processing out.
fn refuse_uploads_with_processing(
    head: &RequestHeader,
    query: &str,
    language: &Language,
) -> Result<(), (Option<Dialect>, Error)> {
    let speaks = |dialect| language.dialects.contains(&dialect);
    let unsupported = |dialect, what: &str| {
        Err((Some(dialect), Error::new(Kind::UnsupportedRule, format!("{what} is not supported here yet"))))
    };
    let names = |name: &str| query.split('&').any(|piece| piece.split('=').next() == Some(name));
    if speaks(Dialect::Tencent) && (head.headers.contains_key("pic-operations") || names("image_process")) {
        return unsupported(Dialect::Tencent, "processing on upload or on stored data (Pic-Operations)");
    }
    let post = head.method == http::Method::POST;
    if speaks(Dialect::Aliyun) && post && (names("x-oss-process") || names("x-oss-async-process")) {
        return unsupported(Dialect::Aliyun, "processing on stored data (POST with x-oss-process)");
    }
    Ok(())
}

/// Extensions of pictures that are negotiated when they are asked for without a rule.
const NEGOTIATED: [&str; 11] = ["jpg", "jpeg", "png", "gif", "bmp", "webp", "tif", "tiff", "heic", "heif", "avif"];

/// Extensions of pictures besides.
const PICTURES: [&str; 15] = [
    "jpe", "jfif", "pjpeg", "apng", "dib", "avifs", "heics", "heifs", "hif", "jxl", "ico", "cur", "svg", "svgz", "tpg",
];

fn looks_like_picture(path: &str) -> bool {
    ends_in(path.as_bytes(), &NEGOTIATED)
}

/// Whether an object is a picture by its name. The name is the decoded one, which the origin sees: `/a.%6Apg` is a JPEG.
/// What is no key at all holds nothing that could be given away.
fn holds_picture(path: &str) -> bool {
    ObjectKey::from_raw_path(path).is_ok_and(|key| ends_in(key.bytes(), &NEGOTIATED) || ends_in(key.bytes(), &PICTURES))
}

fn ends_in(name: &[u8], extensions: &[&str]) -> bool {
    let file = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let Some(dot) = file.iter().rposition(|byte| *byte == b'.') else { return false };
    let extension = &file[dot + 1..];
    extensions.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
}
