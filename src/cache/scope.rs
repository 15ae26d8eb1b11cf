//! What a purge is of. Whoever keeps entries asks of each whether it is meant; nothing but the entry's name is needed for that.

use std::sync::Arc;

use super::ObjectId;

/// What a purge is of. Stores do not count: what a site had from another one goes too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One object in all its versions, as [`super::Epochs`] and [`super::Generations`] have it.
    Object {
        /// Its site.
        site: Arc<str>,
        /// Its key, whole.
        key: Arc<str>,
    },
    /// Every object of a site whose key begins so. Keys have no folders: `a/` does not mean `a`.
    Prefix {
        /// The site.
        site: Arc<str>,
        /// What keys begin with.
        prefix: Arc<str>,
    },
    /// Every object of a site.
    Site {
        /// The site.
        site: Arc<str>,
    },
}

impl Scope {
    /// Of this object.
    pub fn object(object: &ObjectId) -> Self {
        Self::Object { site: object.site.clone(), key: object.key.clone() }
    }

    /// Whether what is kept of this object is meant.
    pub fn covers(&self, object: &ObjectId) -> bool {
        let (own, by_key) = match self {
            Self::Object { site, key } => (site, *object.key == **key),
            Self::Prefix { site, prefix } => (site, object.key.starts_with(&**prefix)),
            Self::Site { site } => (site, true),
        };
        *object.site == **own && by_key
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Epochs, Generations};
    use super::*;

    fn object(site: &str, key: &str) -> ObjectId {
        ObjectId { site: site.into(), store: 0, key: key.into(), version_id: None }
    }

    #[test]
    fn a_scope_covers_what_it_names_and_nothing_else() {
        let site = || Arc::from("s");
        let whole = Scope::object(&object("s", "a/b.png"));
        let prefix = |prefix: &str| Scope::Prefix { site: site(), prefix: prefix.into() };
        for (scope, covered, left) in [
            (whole, &["a/b.png"][..], &["a/b.png2", "a/b.pn", "a/B.png", ""][..]),
            (prefix("a/"), &["a/", "a/b.png", "a/b/c"], &["a", "ab", "b/a/", ""]),
            (prefix(""), &["", "a", "小"], &[]),
            (Scope::Site { site: site() }, &["", "a", "a/b.png"], &[]),
        ] {
            for key in covered {
                assert!(scope.covers(&object("s", key)), "{scope:?} {key}");
                assert!(!scope.covers(&object("t", key)) && !scope.covers(&object("s2", key)), "{scope:?} {key}");
            }
            assert!(left.iter().all(|key| !scope.covers(&object("s", key))), "{scope:?}");
        }
    }

    /// What a purge of an object parts with by numbers is what its scope covers: versions and stores of it among them.
    #[test]
    fn numbers_and_scopes_mean_the_same_object() {
        let plain = object("s", "a/b.png");
        let versioned = ObjectId { version_id: Some("v1".into()), ..plain.clone() };
        let moved = ObjectId { store: 1, ..plain.clone() };
        let (epochs, generations) = (Epochs::default(), Generations::default());
        let before = [&plain, &versioned, &moved].map(|id| (epochs.current(id), generations.current(id)));
        epochs.raise(&plain);
        generations.raise(&plain);
        for (id, (epoch, generation)) in [&plain, &versioned, &moved].into_iter().zip(before) {
            assert!(Scope::object(&plain).covers(id));
            assert!(epochs.current(id) > epoch && generations.current(id) > generation);
        }
    }
}
