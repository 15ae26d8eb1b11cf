//! Keys. Every part is a field of its own, so that no two different questions can run together into one text.

use std::sync::Arc;

use crate::negotiate::Class;

/// An object of a site: what a purge names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ObjectId {
    /// The site's name. Names are unique, so two sites (and hosts of two sites) never share an entry.
    pub site: Arc<str>,
    /// The key, decoded.
    pub key: Arc<str>,
    /// The version that the client asked for by id, if any.
    pub version_id: Option<Arc<str>>,
}

/// A variant: the answer to a plan on one version of an object for one class of clients.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VariantKey {
    /// The object.
    pub object: ObjectId,
    /// Digest of its bytes (and of its marks').
    pub version: u128,
    /// What a hard purge of it (or of one of its marks) raises; see [`super::Epochs`].
    pub epoch: u64,
    /// The plan's canonical text. Holds neither signature nor token: those never reach a plan.
    pub plan: Arc<str>,
    /// The class of clients; `None` when the plan names its format.
    pub class: Option<Class>,
    /// The encoder generation: a changed encoder does not serve old bytes.
    pub encoder: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(site: &str, object: &str, plan: &str) -> VariantKey {
        VariantKey {
            object: ObjectId { site: site.into(), key: object.into(), version_id: None },
            version: 1,
            epoch: 0,
            plan: plan.into(),
            class: None,
            encoder: 1,
        }
    }

    #[test]
    fn no_two_questions_share_a_key() {
        assert_ne!(key("a", "x.png", "p"), key("b", "x.png", "p"));
        assert_ne!(key("a", "bx.png", "p"), key("ab", "x.png", "p"));
        assert_ne!(key("a", "x.png", "p"), key("a", "x.pn", "gp"));
    }
}
