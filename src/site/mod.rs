//! Sites as they run: the configuration checked, the origin opened, what was set meanwhile taken in. All of them are one value
//! that is built in one place and replaced as a whole, so that a request never sees two configurations.

mod current;
mod settings;
mod sites;
mod styles;

use std::sync::Arc;

pub use current::{CurrentSites, Turn};
pub use sites::Sites;
pub use styles::StyleBook;

use crate::access;
use crate::cache::ObjectId;
use crate::config::{AccessConfig, SiteCacheConfig};
use crate::dialect::Language;
use crate::imaging::Policy;
use crate::origin::{ObjectKey, Origin};
use crate::plan::{Format, Limits};

/// One site. Who has it has all of it, of one moment: nothing in it changes, a change is another one in its place.
#[derive(Debug, Clone)]
pub struct Site {
    /// Name in keys, metrics and logs.
    pub name: Arc<str>,
    /// Names of its bucket in lower case, in requests and in the URLs of marks; `*` is any.
    pub hosts: Vec<String>,
    /// How requests are read: dialects, styles, strictness.
    pub language: Language,
    /// The object store.
    pub origin: Arc<dyn Origin>,
    /// Digest of what tells the store from every other: see [`ObjectId::store`].
    pub store: u128,
    /// Digest of what the site decides about results: see `settings`.
    pub settings: u128,
    /// Formats offered to negotiation, in order of preference; empty: off.
    pub offered: Vec<Format>,
    /// Whether AVIF, HEIF and TPG are written, and WebP with all that libwebp can do.
    pub advanced_compression: bool,
    /// Whether pictures that are asked for without a rule are negotiated too.
    pub negotiate_plain: bool,
    /// Limits of originals and results.
    pub limits: Limits,
    /// What is decided about pictures where the rule says nothing.
    pub imaging: Policy,
    /// Whether anyone may change and read styles by the vendors' interfaces.
    pub manage_styles: bool,
    /// Whether pictures are given away by their styles only.
    pub protect: bool,
    /// Who may do what.
    pub access: AccessConfig,
    /// What is cached, and how long.
    pub cache: SiteCacheConfig,
}

impl Site {
    /// The name of an object in the caches.
    pub fn object(&self, key: &ObjectKey, version_id: Option<&str>) -> ObjectId {
        ObjectId {
            site: self.name.clone(),
            store: self.store,
            key: self.origin.identity(key).into(),
            version_id: version_id.map(Arc::from),
        }
    }

    /// Whether a host, whose port does not count, is a name of this site's bucket.
    pub fn owns(&self, host: &str) -> bool {
        let name = host_name(host).trim_end_matches('.');
        self.hosts.iter().any(|own| own == "*" || own.eq_ignore_ascii_case(name))
    }

    /// What it opens, for the decision on a request.
    pub fn opens(&self) -> access::AccessPolicy {
        access::AccessPolicy {
            anonymous: self.access.anonymous,
            write: self.access.anonymous_write,
            list: self.access.anonymous_list,
            overrides: self.access.anonymous_overrides,
            protect: self.protect,
            styles: self.manage_styles,
            origin_decides: self.origin.upstream().is_some_and(|upstream| !upstream.signs()),
        }
    }
}

/// A host without its port; an IPv6 literal keeps its brackets.
pub fn host_name(host: &str) -> &str {
    match host.rfind(':') {
        Some(colon) if !host[colon..].contains(']') => &host[..colon],
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::host_name;

    #[test]
    fn a_port_is_not_part_of_a_name() {
        assert_eq!(host_name("a.example:8080"), "a.example");
        assert_eq!(host_name("a.example"), "a.example");
        assert_eq!(host_name("[::1]:80"), "[::1]");
        assert_eq!(host_name("[::1]"), "[::1]");
    }
}
