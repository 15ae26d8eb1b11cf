//! What a purge is of. Whoever keeps entries asks of each whether it is meant; nothing but the entry's name and its tags is
//! needed for that.

use std::sync::Arc;

use super::{ObjectId, Tags};

/// What a purge is of. Keys are meant as [`ObjectId`] has them. Stores do not count: what a site had from another one goes too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One object in all its versions.
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
    /// Every object of a site that its origin gave this tag.
    Tag {
        /// The site.
        site: Arc<str>,
        /// The tag. Case matters.
        tag: Arc<str>,
    },
    /// Every object of a site.
    Site {
        /// The site.
        site: Arc<str>,
    },
}

/// How much a purge parts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What is known of objects: their origin is asked again before anything is given, and what was made of the very same
    /// bytes is still right.
    Soft,
    /// That, and all that was made of them, whatever the origin says next.
    Hard,
}

impl Scope {
    /// Of this object.
    pub fn object(object: &ObjectId) -> Self {
        Self::Object { site: object.site.clone(), key: object.key.clone() }
    }

    /// Whether what is kept of this object is meant, and bears these tags.
    pub fn covers(&self, object: &ObjectId, tags: &Tags) -> bool {
        let (own, meant) = match self {
            Self::Object { site, key } => (site, *object.key == **key),
            Self::Prefix { site, prefix } => (site, object.key.starts_with(&**prefix)),
            Self::Tag { site, tag } => (site, tags.has(site, tag)),
            Self::Site { site } => (site, true),
        };
        *object.site == **own && meant
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(site: &str, key: &str) -> ObjectId {
        ObjectId { site: site.into(), store: 0, key: key.into(), version_id: None }
    }

    #[test]
    fn a_scope_covers_what_it_names_and_nothing_else() {
        let site = || Arc::from("s");
        let whole = Scope::object(&object("s", "a/b.png"));
        let prefix = |prefix: &str| Scope::Prefix { site: site(), prefix: prefix.into() };
        let (red, none) = (Tags::of("s", Some("red"), None), Tags::default());
        for (scope, covered, left) in [
            (whole, &["a/b.png"][..], &["a/b.png2", "a/b.pn", "a/B.png", ""][..]),
            (prefix("a/"), &["a/", "a/b.png", "a/b/c"], &["a", "ab", "b/a/", ""]),
            (prefix(""), &["", "a", "小"], &[]),
            (Scope::Site { site: site() }, &["", "a", "a/b.png"], &[]),
        ] {
            for tags in [&red, &none] {
                for key in covered {
                    assert!(scope.covers(&object("s", key), tags), "{scope:?} {key}");
                    let others = [object("t", key), object("s2", key)];
                    assert!(others.iter().all(|other| !scope.covers(other, tags)), "{scope:?} {key}");
                }
                assert!(left.iter().all(|key| !scope.covers(&object("s", key), tags)), "{scope:?}");
            }
        }
        let tag = |tag: &str| Scope::Tag { site: site(), tag: tag.into() };
        assert!(tag("red").covers(&object("s", "a"), &red) && !tag("red").covers(&object("t", "a"), &red));
        assert!(!tag("blue").covers(&object("s", "a"), &red) && !tag("red").covers(&object("s", "a"), &none));
    }

    /// Versions and stores of an object do not count.
    #[test]
    fn every_version_of_an_object_is_meant() {
        let plain = object("s", "a/b.png");
        let versioned = ObjectId { version_id: Some("v1".into()), ..plain.clone() };
        let moved = ObjectId { store: 1, ..plain.clone() };
        assert!([&plain, &versioned, &moved].iter().all(|id| Scope::object(&plain).covers(id, &Tags::default())));
    }
}
