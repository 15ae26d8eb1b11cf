//! From a header to a conversion: limits, format, layout, cost, and what must come of it, in one place and in one order.
//!
//! Whoever converts goes this way, and so does who only explains what would come of it. How a header was read (here, by a
//! worker, long ago) is the caller's affair. Pure.

use crate::budget::{self, Cost, Pace};
use crate::convert::Expected;
use crate::error::Error;
use crate::job::Job;
use crate::negotiate::{self, Class};
use crate::plan::{Answer, Format, Formats, Header, Layout, Limits, Plan, Policy, geometry};

/// Bounds and formats that a site sets for its results, whatever is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Limits of originals and results.
    pub limits: Limits,
    /// What is decided where the plan says nothing.
    pub policy: Policy,
    /// Formats offered to negotiation, in order of preference.
    pub offered: &'a [Format],
    /// Whether the vendors' advanced compression ([`Format::is_advanced`]) is on.
    pub advanced_compression: bool,
    /// Formats that can be written here, whether or not they may be.
    pub writable: Formats,
}

/// A conversion that is to be prepared.
#[derive(Debug, Clone)]
pub struct Preparation<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// What the client reads, where the plan leaves the format open.
    pub class: Class,
    /// What the original's header says.
    pub header: &'a Header,
    /// The original's bytes. Without them the estimate is that of an ordinary file, and [`Prepared::expected`] is that of the
    /// longest original that there may be.
    pub source: Option<&'a [u8]>,
    /// What the headers of the marks' pictures say, in the order of [`Plan::mark_images`]: those that are not given cost
    /// nothing. Or why one of them cannot be a mark, which is said after all that is wrong with the original.
    pub marks: Result<&'a [Header], Error>,
    /// What the site decides.
    pub terms: Terms<'a>,
    /// How hard to try, and within which time.
    pub pace: Pace,
}

/// A conversion that can be run.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// What a worker is asked.
    pub job: Job,
    /// What becomes of the picture, before it is known who turns it upright.
    pub layout: Layout,
    /// What it will probably take.
    pub cost: Cost,
    /// What must come of it.
    pub expected: Expected,
}

/// Refuses what the plan alone tells: [`prepare`] says it first, and who has to fetch or to read an original for that may
/// ask before.
///
/// # Errors
/// [`crate::error::Kind::AdvancedOff`].
pub fn check_plan(plan: &Plan, advanced_compression: bool) -> Result<(), Error> {
    plan.output().map_or(Ok(()), |output| negotiate::allowed(output, advanced_compression))
}

/// Prepares a conversion, or says why there is none.
///
/// # Errors
/// In this order: a format that is switched off ([`check_plan`]), an original beyond the limits, a format that cannot be
/// written, a result beyond the limits, a mark that cannot be used.
pub fn prepare(asked: Preparation<'_>) -> Result<Prepared, Error> {
    let Preparation { plan, class, header, source, marks, terms, pace } = asked;
    let Terms { limits, policy, offered, advanced_compression, writable } = terms;
    check_plan(plan, advanced_compression)?;
    geometry::check_source(&header.source, &limits)?;
    let lay_out = |format| geometry::lay_out(plan, &header.source, format, &limits);
    let format = match &plan.answer {
        Answer::Image(output) => {
            let writable = |format: Format| (advanced_compression || !format.is_advanced()) && writable.has(format);
            let fits = |format| lay_out(format).is_ok();
            negotiate::choose(output, &header.source, class, offered, &writable, &fits)?
        }
        Answer::Facts(_) => header.source.format,
    };
    let layout = lay_out(format)?;
    let marks = budget::marks_cost(plan, &layout, marks?, &limits)?;
    let cost = budget::plan_cost(plan, &policy, header, source, &layout, format, pace).and(marks);
    let job = Job::new(plan.clone(), format, limits, policy, pace);
    let source_bytes = source.map_or(limits.source_bytes, |source| source.len() as u64);
    let expected = Expected::of(&job, header, &layout, source_bytes);
    Ok(Prepared { job, layout, cost, expected })
}

#[cfg(test)]
#[path = "prepare_tests.rs"]
mod tests;
