//! The head of a request, read once: which site, which object, which rule.

use std::fmt::Write;
use std::sync::Arc;

use http::{HeaderName, Uri};
use pingora::http::RequestHeader;

use super::referer;
use crate::access::{self, Action, Asked, Grant, Pass, Query, Wants, looks_negotiable};
use crate::cache::ObjectId;
use crate::dialect::{Dialect, Language, Reading, Recognised, RequestQuery};
use crate::error::{Error, Kind};
use crate::negotiate::{self, Class};
use crate::origin::ObjectKey;
use crate::plan::{Format, Plan};
use crate::shield::{Question, Urgency, mark_objects};
use crate::site::{CurrentSites, Site};

/// What a request turned out to be, and that it may be.
pub enum Incoming {
    /// Image processing.
    Image(Box<Image>),
    /// A rule that says `ignore-error/1` over a value out of its range: the untouched original.
    Original(Pass),
    /// A vendor's call for the site's styles, with its parameters.
    Styles(access::StylesGrant, Query),
    /// Everything else: through to the origin.
    Pass(Pass),
}

/// A picture that is asked for.
pub struct Image {
    /// Whose rule it was; `None` for a plain picture that is negotiated.
    pub dialect: Option<Dialect>,
    /// The right to it.
    pub grant: access::PictureGrant,
    /// What to ask the shield.
    pub question: Question,
    /// The right to answer with the original where the picture cannot be made: the rule says so, or there is no rule.
    pub original: Option<Pass>,
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

/// The site of a host, as it is now. Asked once in a request's life: all that is decided about it is decided by this site.
///
/// # Errors
/// [`Kind::NoSuchSite`].
pub fn site(host: &str, sites: &CurrentSites) -> Result<Arc<Site>, Error> {
    let site = sites.now().find(host).cloned();
    site.ok_or_else(|| Error::new(Kind::NoSuchSite, "no site answers to this host name"))
}

/// Bytes of the head as they would stand on the wire; the limit is checked against it.
pub fn size(head: &RequestHeader) -> usize {
    let target = head.uri.path_and_query().map_or(1, |target| target.as_str().len());
    head.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() + target
}

/// What a request is aimed at. Made once in its life: who decides anything about the query is given this.
pub struct RequestTarget<'a> {
    path: &'a str,
    query: RequestQuery<'a>,
}

/// The path as the client sent it, and its query, taken apart.
pub fn target(uri: &Uri) -> RequestTarget<'_> {
    RequestTarget { path: uri.path(), query: RequestQuery::of(uri.query().unwrap_or_default()) }
}

impl RequestTarget<'_> {
    /// The parameters that are neither rules nor signatures nor tokens.
    pub fn into_parameters(self) -> Query {
        self.query.into_parameters()
    }
}

/// Reads what the request asks for, and decides on it. The error comes with the dialect that it is to be dressed in.
pub fn read(
    head: &RequestHeader,
    target: RequestTarget<'_>,
    site: &Arc<Site>,
) -> Result<Incoming, (Option<Dialect>, Error)> {
    let language = &site.language;
    let reads = head.method == http::Method::GET || head.method == http::Method::HEAD;
    // What is written to is the path as it stands: only reads take a style off its end.
    let query = &target.query;
    let Reading { path, recognised, by_style } = language.read(target.path, query, reads);
    let own = match &recognised {
        Recognised::Rule { dialect, .. } => Some(*dialect),
        Recognised::None => None,
    };
    let speaks = || own.or_else(|| spoken(head, language));
    let fail = |error: Error| (speaks(), error);
    refuse_uploads_with_processing(head, query, language)?;

    let policy = site.opens();
    // What is sent as it came goes only to an origin that decides for itself.
    let without_rule = (policy.origin_decides && own.is_some()).then(|| query.without_rule());
    let referer = head.headers.get(http::header::REFERER).map(|value| value.to_str().unwrap_or("?"));
    let asked = Asked {
        method: &head.method,
        path,
        query: query.parameters(),
        raw_query: match own {
            Some(_) => without_rule.as_deref().filter(|rest| !rest.is_empty()),
            None => query.as_it_came(),
        },
        headers: &head.headers,
        wants: match recognised {
            Recognised::Rule { .. } => Wants::Picture { by_style },
            Recognised::None => Wants::Stored,
        },
        page_admitted: referer::admits(&site.access.referers, referer),
    };
    let grant = access::decide(&asked, &policy).map_err(|refusal| fail(refusal.into()))?;
    let (grant, pass) = match grant {
        Grant::Styles(styles) => return Ok(Incoming::Styles(styles, target.into_parameters())),
        Grant::Picture(picture) => (picture, None),
        Grant::Pass(pass) => match pass.picture().filter(|_| negotiates_plain(head, &target, site)) {
            Some(picture) => (picture, Some(pass)),
            None => return Ok(Incoming::Pass(pass)),
        },
    };
    // The original in place of a picture is a plain read like any other, and decided on as one.
    let original = || match access::decide(&Asked { wants: Wants::Stored, ..asked.clone() }, &policy) {
        Ok(Grant::Pass(pass)) if pass.action() == Action::Read => Some(pass),
        Ok(_) | Err(_) => None,
    };
    let (plan, original) = match recognised {
        Recognised::Rule { plan: Ok(plan), .. } => {
            let original = plan.original_on_error.then(original).flatten();
            (plan, original)
        }
        Recognised::Rule { plan: Err(error), original_on_error, .. } => {
            let original = original_on_error.then(original).flatten();
            return original.map(Incoming::Original).ok_or_else(|| fail(error));
        }
        Recognised::None => (Plan::identity(), pass),
    };
    let class = (plan.negotiable() && !site.offered.is_empty()).then(|| class(head, &site.offered));
    if own.is_none() && class.unwrap_or_default() == Class::default() {
        return original
            .map(Incoming::Pass)
            .ok_or_else(|| fail(Error::new(Kind::Internal, "a plain read without a grant")));
    }
    let question = question(site, &grant, plan, class).map_err(fail)?;
    Ok(Incoming::Image(Box::new(Image { dialect: own, grant, question, original })))
}

/// Whether a request that names no rule is for a picture whose format `Accept` decides.
pub fn negotiates_plain(head: &RequestHeader, target: &RequestTarget<'_>, site: &Site) -> bool {
    let reads = head.method == http::Method::GET || head.method == http::Method::HEAD;
    let asked = site.negotiate_plain && !site.offered.is_empty();
    reads && asked && target.query.is_empty() && looks_negotiable(target.path)
}

/// The language to answer in where no rule says it: the one whose SDK the client seems to be, else the site's first.
pub fn spoken(head: &RequestHeader, language: &Language) -> Option<Dialect> {
    let signature = head.headers.get(http::header::AUTHORIZATION).map_or(&b""[..], |value| value.as_bytes());
    let own_fields = |start: &str| head.headers.keys().any(|name| name.as_str().starts_with(start));
    let aliyun = signature.starts_with(b"OSS") || own_fields("x-oss-");
    let tencent = signature.starts_with(b"q-sign-algorithm") || own_fields("x-cos-");
    let seems = match (aliyun, tencent) {
        (true, false) => Some(Dialect::Aliyun),
        (false, true) => Some(Dialect::Tencent),
        _ => None,
    };
    seems.filter(|dialect| language.dialects.contains(dialect)).or_else(|| language.dialects.first().copied())
}

/// Room for the canonical text of nearly every plan.
const CANONICAL: usize = 128;

fn question(
    site: &Arc<Site>,
    grant: &access::PictureGrant,
    plan: Plan,
    class: Option<Class>,
) -> Result<Question, Error> {
    let key = ObjectKey::from_raw_path(grant.path())?;
    let object = site.object(&key, grant.version());
    let mut canonical = String::with_capacity(CANONICAL);
    // Writing to a String cannot fail.
    let _ = write!(canonical, "{plan}");
    let marks = mark_objects(site, &plan)?;
    Ok(Question {
        site: site.clone(),
        key,
        object,
        plan: Arc::new(plan),
        canonical: canonical.into(),
        class,
        marks,
        urgency: Urgency::Viewer,
    })
}

/// Names an object for invalidation, whatever was asked of it. `None` where the path names none.
pub fn object(site: &Site, path: &str) -> Option<ObjectId> {
    let key = ObjectKey::from_raw_path(path).ok()?;
    Some(site.object(&key, None))
}

fn class(head: &RequestHeader, offered: &[Format]) -> Class {
    let lines = head.headers.get_all(http::header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    negotiate::class(lines, offered)
}

const PIC_OPERATIONS: HeaderName = HeaderName::from_static("pic-operations");

/// Processing on upload and on stored data is not served yet; letting such a request pass would store the original and
/// silently leave the processing out.
fn refuse_uploads_with_processing(
    head: &RequestHeader,
    query: &RequestQuery<'_>,
    language: &Language,
) -> Result<(), (Option<Dialect>, Error)> {
    let speaks = |dialect| language.dialects.contains(&dialect);
    let unsupported = |dialect, what: &str| {
        Err((Some(dialect), Error::new(Kind::UnsupportedRule, format!("{what} is not supported here yet"))))
    };
    if speaks(Dialect::Tencent)
        && (head.headers.contains_key(PIC_OPERATIONS) || query.parameters().has("image_process"))
    {
        return unsupported(Dialect::Tencent, "processing on upload or on stored data (Pic-Operations)");
    }
    let post = head.method == http::Method::POST;
    let names_process = || query.may_name("x-oss-process") || query.may_name("x-oss-async-process");
    if post && speaks(Dialect::Aliyun) && names_process() {
        return unsupported(Dialect::Aliyun, "processing on stored data (POST with x-oss-process)");
    }
    Ok(())
}

#[cfg(test)]
#[path = "incoming_tests.rs"]
mod tests;
