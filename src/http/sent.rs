//! What a request would have the origin do, without asking it: for tests and the fuzzer, which hold it against what the
//! site's policy opens.

use std::sync::Arc;

use pingora::http::RequestHeader;

use super::incoming::{self, Incoming};
use super::pass::Outgoing;
use crate::access::Pass;
use crate::error::{Error, Kind};
use crate::site::Site;

/// One request to the origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentRequest {
    /// Passed through: method, path with query, names and values of the fields.
    Passed(String, String, Vec<(String, String)>),
    /// An original that is fetched for a picture: its key, percent-encoded, and the version.
    Fetched(String, Option<String>),
    /// A call for the site's styles, which no origin sees.
    Styles,
}

/// Everything that could be sent in answer to a request.
///
/// # Errors
/// Why nothing is.
pub fn sent(site: &Arc<Site>, method: &str, target: &str, fields: &[(&str, &str)]) -> Result<Vec<SentRequest>, Error> {
    let bad = |_| Error::new(Kind::BadRequest, "no request of HTTP");
    let mut head = RequestHeader::build(method, target.as_bytes(), None).map_err(bad)?;
    for (name, value) in fields {
        head.append_header((*name).to_owned(), *value).map_err(bad)?;
    }
    let pass = |pass: Pass| -> Result<SentRequest, Error> {
        let Some(upstream) = site.origin.upstream() else {
            return Ok(SentRequest::Passed(method.to_owned(), pass.path().to_owned(), Vec::new()));
        };
        let mut head = head.clone();
        Outgoing::new(upstream, &head, pass)?.shape(&mut head)?;
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let fields = head.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
        let target = head.uri.path_and_query().map_or("", |target| target.as_str());
        Ok(SentRequest::Passed(method.to_owned(), target.to_owned(), fields.collect()))
    };
    match incoming::read(&head, incoming::target(&head.uri), site).map_err(|(_, error)| error)? {
        Incoming::Styles(..) => Ok(vec![SentRequest::Styles]),
        Incoming::Pass(grant) | Incoming::Original(grant) => Ok(vec![pass(grant)?]),
        Incoming::Image(image) => {
            let version = image.question.object.version_id.as_deref().map(str::to_owned);
            let fetched = SentRequest::Fetched(image.question.key.canonical(), version);
            let original = image.original.map(pass).transpose()?;
            Ok([Some(fetched), original].into_iter().flatten().collect())
        }
    }
}

#[cfg(test)]
#[path = "sent_tests.rs"]
mod tests;
