//! Who is told of answers.

use std::fmt;
use std::sync::Arc;

use super::record::Record;
use crate::dialect::Dialect;

/// Takes note of answers. It is called at the end of every request, on the thread that served it: it must neither wait nor
/// take long.
pub trait Sink: Send + Sync {
    /// Takes note of one.
    fn record(&self, record: &Record<'_>);
}

/// All who are told. Made once, at start.
#[derive(Clone)]
pub struct Sinks(Arc<[Arc<dyn Sink>]>);

impl Sinks {
    /// These, in this order.
    pub fn new(sinks: impl IntoIterator<Item = Arc<dyn Sink>>) -> Self {
        Self(sinks.into_iter().collect())
    }

    /// Tells each of them.
    pub fn record(&self, record: &Record<'_>) {
        self.0.iter().for_each(|sink| sink.record(record));
    }
}

impl fmt::Debug for Sinks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sinks").field(&self.0.len()).finish()
    }
}

/// A record's closed sets as metrics and the access log have them.
pub(super) struct Labels<'a> {
    pub site: &'a str,
    pub dialect: &'static str,
    pub outcome: &'static str,
    pub format: &'static str,
    pub cache: &'static str,
}

/// What stands for nothing: a label of a metric has a text.
const NONE: &str = "-";

impl<'a> Labels<'a> {
    pub(super) fn of(record: &Record<'a>) -> Self {
        let outcome =
            if record.client_gone { Some("client_gone") } else { record.outcome.map(|outcome| outcome.name()) };
        Self {
            site: record.site.unwrap_or(NONE),
            dialect: record.dialect.map_or(NONE, Dialect::name),
            outcome: outcome.unwrap_or(NONE),
            format: record.processed.map_or(NONE, |given| given.format.map_or("facts", |format| format.name())),
            cache: record.cache.map_or(NONE, |part| part.name()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{CachePart, Processed, RequestOutcome};
    use super::*;
    use crate::billing::Tier;
    use crate::error::Kind;
    use crate::plan::Format;

    fn labels(record: &Record<'_>) -> [String; 5] {
        let Labels { site, dialect, outcome, format, cache } = Labels::of(record);
        [site, dialect, outcome, format, cache].map(str::to_owned)
    }

    /// Dashboards are built on these names.
    #[test]
    fn closed_sets_have_the_names_that_dashboards_know() {
        let nothing = Record::nothing();
        assert_eq!(labels(&nothing), ["-", "-", "-", "-", "-"]);
        let given = |format| Processed { format, tier: Tier::of(format, 1, 1), source_bytes: 1 };
        let webp = Record {
            site: Some("shop"),
            dialect: Some(Dialect::Aliyun),
            outcome: Some(RequestOutcome::Ok),
            processed: Some(given(Some(Format::WebP))),
            cache: Some(CachePart::Hit),
            ..nothing
        };
        assert_eq!(labels(&webp), ["shop", "aliyun", "ok", "webp", "hit"]);
        let facts = Record { processed: Some(given(None)), outcome: Some(RequestOutcome::NotModified), ..webp };
        assert_eq!(labels(&facts), ["shop", "aliyun", "not_modified", "facts", "hit"]);
        let refused = Record { outcome: Some(RequestOutcome::Refused(Kind::NotFound)), processed: None, ..webp };
        assert_eq!(labels(&refused), ["shop", "aliyun", "not_found", "-", "hit"]);
        assert_eq!(labels(&Record { client_gone: true, ..webp })[2], "client_gone");
        let outcomes =
            [RequestOutcome::Passed, RequestOutcome::Original, RequestOutcome::Styles].map(RequestOutcome::name);
        assert_eq!(outcomes, ["passed", "original", "styles"]);
        let parts = [CachePart::Tier, CachePart::Miss, CachePart::Revalidated, CachePart::Collapsed, CachePart::Passed]
            .map(CachePart::name);
        assert_eq!(parts, ["tier", "miss", "revalidated", "collapsed", "passed"]);
    }
}
