//! What an original's header says: read once in this process, or by a worker whose plug-in may know what nobody here does,
//! and remembered with the original.

use std::sync::Arc;
use std::time::Instant;

use super::terms::pace;
use super::{Question, Shield};
use crate::cache::Original;
use crate::engine::{Conversion, Tenant};
use crate::error::{Error, Kind};
use crate::imaging::probe::{check_accepted, probe};
use crate::imaging::{Expected, Header, Job, budget, mark};
use crate::plan::{self, Format, Plan};
use crate::site::Site;

/// The header of a picture that is to be converted.
///
/// # Errors
/// [`Kind::UnsupportedSource`] for a format that the site does not take, before anybody reads more than its first bytes;
/// else what the header's reader has against it.
pub(super) async fn of(
    shield: &Shield,
    question: &Question,
    original: &Original,
    deadline: Instant,
) -> Result<Header, Error> {
    let site = &question.site;
    check_accepted(&original.bytes, &site.limits, &site.imaging)?;
    let read = read(original).await;
    let unknown = matches!(&read, Err(error) if is_unknown(error));
    let asked = unknown
        && site.limits.inputs.has(Format::Tpg)
        && shield.engine.plugin().is_some_and(|plugin| plugin.may_read(&original.bytes, question.key.bytes()));
    if !asked {
        return read;
    }
    let header = ask(shield, question, original, deadline).await?;
    original.header.get_or_init(|| Ok(header)).clone()
}

/// The headers of the pictures of marks.
///
/// # Errors
/// [`Kind::MarkUnusable`] for the first that cannot be read, or that the site does not take.
pub(super) async fn of_marks(site: &Site, marks: &[Arc<Original>]) -> Result<Vec<Header>, Error> {
    let mut headers = Vec::with_capacity(marks.len());
    for mark in marks {
        check_accepted(&mark.bytes, &site.limits, &site.imaging).map_err(mark::of_mark)?;
        headers.push(read(mark).await.map_err(mark::of_mark)?);
    }
    Ok(headers)
}

/// Pictures of more bytes are read on a thread that may be held up: it can be for milliseconds.
pub(super) const LARGE: usize = 1 << 20;

async fn read(original: &Original) -> Result<Header, Error> {
    if let Some(known) = original.header.get() {
        return known.clone();
    }
    let header = if original.bytes.len() > LARGE {
        let bytes = original.bytes.clone();
        let read = tokio::task::spawn_blocking(move || probe(&bytes)).await;
        read.unwrap_or_else(|_| Err(Error::new(Kind::Internal, "the header was not read to its end")))
    } else {
        probe(&original.bytes)
    };
    // That nobody knows the format is found quickly, and a plug-in may know better.
    if !matches!(&header, Err(error) if is_unknown(error)) {
        let _ = original.header.set(header.clone());
    }
    header
}

fn is_unknown(error: &Error) -> bool {
    matches!(error.kind, Kind::NotAnImage | Kind::UnsupportedSource)
}

/// Asks a worker.
async fn ask(shield: &Shield, question: &Question, original: &Original, deadline: Instant) -> Result<Header, Error> {
    let plan = Plan { answer: plan::Answer::Facts(plan::FactsAsked::default()), ..Plan::identity() };
    let conversion = Conversion {
        source: original.bytes.clone(),
        marks: Vec::new(),
        digest: original.digest,
        job: Job::new(plan, Format::Tpg, question.site.limits, question.site.imaging, pace(shield)),
        expected: Expected::plugin_header(original.bytes.len() as u64),
        tenant: Tenant::new(question.site.name.clone(), [Format::Tpg]),
        cost: budget::plugin_header_cost(original.bytes.len()),
        deadline,
        urgency: question.urgency,
    };
    let facts = shield.engine.convert(conversion).await?.outcome.facts;
    facts
        .map(|facts| facts.header)
        .ok_or_else(|| Error::new(Kind::Corrupt, "the plug-in said nothing of the tpg original"))
}
