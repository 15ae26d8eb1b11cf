//! Sites as they run: the configuration checked, the origin opened.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::{AccessConfig, SiteCacheConfig};
use crate::dialect::Language;
use crate::imaging::Policy;
use crate::origin::Origin;
use crate::plan::{Format, Limits};

/// One site.
#[derive(Debug)]
pub struct Site {
    /// Name in keys, metrics and logs.
    pub name: Arc<str>,
    /// Names of its bucket in lower case, in requests and in the URLs of marks; `*` is any.
    pub hosts: Vec<String>,
    /// How requests are read: dialects, styles, strictness. Replaced as a whole when a style changes.
    pub language: ArcSwap<Language>,
    /// The object store.
    pub origin: Arc<dyn Origin>,
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
    /// Whether a host, whose port does not count, is a name of this site's bucket.
    pub fn owns(&self, host: &str) -> bool {
        let name = host_name(host).trim_end_matches('.');
        self.hosts.iter().any(|own| own == "*" || own.eq_ignore_ascii_case(name))
    }
}

/// All sites by host name.
#[derive(Debug, Default)]
pub struct Sites {
    all: Vec<Arc<Site>>,
    by_host: HashMap<String, Arc<Site>>,
    any: Option<Arc<Site>>,
}

impl Sites {
    /// Adds a site under its host names; `*` stands for every host that no other site names.
    pub fn add(&mut self, hosts: &[String], site: Arc<Site>) {
        self.all.push(site.clone());
        for host in hosts {
            if host == "*" {
                self.any = Some(site.clone());
            } else {
                self.by_host.insert(host.to_ascii_lowercase(), site.clone());
            }
        }
    }

    /// Every site, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.all.iter()
    }

    /// The site of a `Host` header or `:authority`, whose port does not count.
    pub fn find(&self, host: &str) -> Option<&Arc<Site>> {
        let name = host_name(host);
        if let Some(site) = self.by_host.get(name) {
            return Some(site);
        }
        // As clients write it nearly always, there is no other way to write it.
        let plain = !name.ends_with('.') && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let other = match plain {
            true => None,
            false => self.by_host.get(name.to_ascii_lowercase().trim_end_matches('.')),
        };
        other.or(self.any.as_ref())
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
