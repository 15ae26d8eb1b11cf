//! How the caches came into an answer, as `Cache-Status` says it (RFC 9211).

use std::fmt;

use crate::telemetry::CachePart;

/// One answer's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheStatus {
    /// From memory, without asking anybody. An error that is remembered is a hit too.
    Hit,
    /// From the tier of this name, which lies behind the memory, without asking the origin or converting.
    Tier(&'static str),
    /// Work was done for it: the origin was asked, or the picture was converted.
    Forward(Forward),
    /// Passed to the origin: the caches have no part in reading this.
    Bypass,
    /// Passed to the origin because of its method.
    Method,
}

/// What was done for an answer that did not lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Forward {
    /// Something lay in memory, and was too old to be given without asking.
    pub stale: bool,
    /// The origin was asked, and said that the object is what it was.
    pub validated: bool,
    /// It was converted, or could not be.
    pub worked: bool,
    /// Another request had begun the work.
    pub collapsed: bool,
    /// The outcome was kept.
    pub stored: bool,
    /// It came from this tier, once the origin had said what is to be given.
    pub tier: Option<&'static str>,
}

impl CacheStatus {
    /// What `Cache-Status` says where nothing was done: such answers are the most, and each says the same.
    pub fn constant(self) -> Option<&'static str> {
        match self {
            Self::Hit => Some("pictor; hit"),
            Self::Bypass => Some("pictor; fwd=bypass"),
            Self::Method => Some("pictor; fwd=method"),
            Self::Tier(_) | Self::Forward(_) => None,
        }
    }

    /// The same for one who has only joined the work.
    #[must_use]
    pub(super) fn joined(self) -> Self {
        match self {
            Self::Forward(how) => Self::Forward(Forward { collapsed: true, stored: false, ..how }),
            Self::Hit | Self::Tier(_) | Self::Bypass | Self::Method => self,
        }
    }

    /// Whether it is given as it was kept, with the age that it has.
    pub fn is_hit(self) -> bool {
        matches!(self, Self::Hit | Self::Tier(_))
    }

    /// The same in few words, for the record of the answer.
    pub fn part(self) -> CachePart {
        match self {
            Self::Hit => CachePart::Hit,
            Self::Tier(_) => CachePart::Tier,
            Self::Forward(Forward { collapsed: true, .. }) => CachePart::Collapsed,
            Self::Forward(Forward { worked: true, .. }) => CachePart::Miss,
            Self::Forward(_) => CachePart::Revalidated,
            Self::Bypass | Self::Method => CachePart::Passed,
        }
    }
}

impl fmt::Display for CacheStatus {
    /// The member of the field's list that is ours.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Tier(name) = self {
            return write!(f, "pictor; hit; detail={name}");
        }
        let Self::Forward(Forward { stale, validated, worked: _, collapsed, stored, tier }) = *self else {
            return f.write_str(self.constant().unwrap_or_default());
        };
        f.write_str(if stale { "pictor; fwd=stale" } else { "pictor; fwd=miss" })?;
        for (holds, parameter) in [(validated, "; fwd-status=304"), (collapsed, "; collapsed"), (stored, "; stored")] {
            f.write_str(if holds { parameter } else { "" })?;
        }
        tier.map_or(Ok(()), |name| write!(f, "; detail={name}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_story_is_told_as_it_was() {
        let forward = Forward::default();
        for (status, name, text) in [
            (CacheStatus::Hit, "hit", "pictor; hit"),
            (
                CacheStatus::Forward(Forward { worked: true, stored: true, ..forward }),
                "miss",
                "pictor; fwd=miss; stored",
            ),
            (CacheStatus::Forward(Forward { worked: true, ..forward }), "miss", "pictor; fwd=miss"),
            (
                CacheStatus::Forward(Forward { worked: true, collapsed: true, ..forward }),
                "collapsed",
                "pictor; fwd=miss; collapsed",
            ),
            (
                CacheStatus::Forward(Forward { stale: true, validated: true, ..forward }),
                "revalidated",
                "pictor; fwd=stale; fwd-status=304",
            ),
            (
                CacheStatus::Forward(Forward { stale: true, worked: true, stored: true, ..forward }),
                "miss",
                "pictor; fwd=stale; stored",
            ),
            (
                CacheStatus::Forward(Forward { stored: true, tier: Some("disk"), ..forward }),
                "revalidated",
                "pictor; fwd=miss; stored; detail=disk",
            ),
            (CacheStatus::Tier("disk"), "tier", "pictor; hit; detail=disk"),
            (CacheStatus::Bypass, "passed", "pictor; fwd=bypass"),
            (CacheStatus::Method, "passed", "pictor; fwd=method"),
        ] {
            assert_eq!((status.part().name(), status.to_string().as_str()), (name, text));
        }
    }
}
