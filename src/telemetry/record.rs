//! What is known of an answer when it has been given: one record for each, handed to every sink.

use std::net::SocketAddr;
use std::time::Duration;

use crate::billing::Tier;
use crate::dialect::Dialect;
use crate::error::Kind;
use crate::plan::Format;

/// One answer. It borrows what the request has, so that making it takes nothing from the allocator.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The site; `None` where no site answers to the host.
    pub site: Option<&'a str>,
    /// Who asked.
    pub client: Option<SocketAddr>,
    /// The host that the client named; `None` where it named none, or more than one.
    pub host: Option<&'a str>,
    /// The path as it came, without the query, which may hold a signature or a token.
    pub path: &'a str,
    /// The method.
    pub method: &'a str,
    /// Whose rule it was; `None` without a rule.
    pub dialect: Option<Dialect>,
    /// The language that was answered in, which may be known without a rule.
    pub language: Option<Dialect>,
    /// The rule as its canonical text.
    pub rule: Option<&'a str>,
    /// The status of HTTP; `None` where nothing was answered.
    pub status: Option<u16>,
    /// How the request ended; `None` where nothing was decided before its end.
    pub outcome: Option<RequestOutcome>,
    /// The client did not take all of the answer.
    pub client_gone: bool,
    /// What processing gave; `None` for what was not processed.
    pub processed: Option<Processed>,
    /// The caches' part; `None` where they were not asked.
    pub cache: Option<CachePart>,
    /// Bytes of the body that were sent.
    pub sent: u64,
    /// Bytes that the original would have taken more than the answer.
    pub saved: u64,
    /// From the first byte of the request's head to the end of the answer.
    pub took: Duration,
    /// The request's name, unique across restarts and nodes. Clients are told it in the dress of `language`.
    pub request_id: &'a str,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestOutcome {
    /// With a picture, a part of it, or facts.
    Ok,
    /// With a 304 from memory.
    NotModified,
    /// With what the origin said.
    Passed,
    /// With the untouched original in place of a picture.
    Original,
    /// With an answer to a call for styles.
    Styles,
    /// With an error of this kind.
    Refused(Kind),
}

impl RequestOutcome {
    /// Name for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NotModified => "not_modified",
            Self::Passed => "passed",
            Self::Original => "original",
            Self::Styles => "styles",
            Self::Refused(kind) => kind.name(),
        }
    }
}

/// What processing gave, be it now or, for a hit, before: a vendor bills either. It says nothing of how much of it was
/// sent: the status does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Processed {
    /// The picture's format; `None` for facts.
    pub format: Option<Format>,
    /// The price class of an answer of this format and size.
    pub tier: Tier,
    /// Bytes of the original, which is what basic processing is billed by.
    pub source_bytes: u64,
}

/// How the caches came into an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CachePart {
    /// The answer lay in memory. An error that is remembered is a hit too.
    Hit,
    /// It lay in a tier behind the memory.
    Tier,
    /// The picture was converted, or could not be.
    Miss,
    /// What lay in memory was found to be still right.
    Revalidated,
    /// Another request had begun the work.
    Collapsed,
    /// The origin was asked whatever lay in memory.
    Passed,
}

impl CachePart {
    /// Name for metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Tier => "tier",
            Self::Miss => "miss",
            Self::Revalidated => "revalidated",
            Self::Collapsed => "collapsed",
            Self::Passed => "passed",
        }
    }
}

#[cfg(test)]
impl Record<'_> {
    /// Of an answer of which nothing is known.
    pub fn nothing() -> Self {
        Self {
            site: None,
            client: None,
            host: None,
            path: "/",
            method: "GET",
            dialect: None,
            language: None,
            rule: None,
            status: None,
            outcome: None,
            client_gone: false,
            processed: None,
            cache: None,
            sent: 0,
            saved: 0,
            took: Duration::ZERO,
            request_id: "",
        }
    }
}
