//! All sites, found by host and by name: one value, made of one configuration.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::settings::settings;
use super::{Site, host_name};
use crate::config::{Loaded, Manage, SiteConfig};
use crate::digest::Fingerprint;
use crate::origin;

/// All sites.
#[derive(Debug, Clone, Default)]
pub struct Sites {
    all: Vec<Arc<Site>>,
    /// Which of them is meant: changing a site changes nothing here.
    hosts: Arc<Hosts>,
}

/// Places among all sites.
#[derive(Debug, Default)]
struct Hosts {
    by_name: HashMap<String, usize>,
    /// The site of every host that no other site names.
    any: Option<usize>,
}

impl Sites {
    /// The sites of a configuration, with their origins opened. The only way to have any.
    ///
    /// # Errors
    /// A sentence that names the site and what is wrong with it.
    pub fn build(loaded: &Loaded) -> Result<Self, String> {
        let (mut all, mut hosts) = (Vec::new(), Hosts::default());
        for config in &loaded.config.sites {
            let site = site(config, &loaded.base).map_err(|message| format!("site \"{}\": {message}", config.name))?;
            for host in &config.hosts {
                match host.as_str() {
                    "*" => hosts.any = Some(all.len()),
                    host => _ = hosts.by_name.insert(host.to_ascii_lowercase(), all.len()),
                }
            }
            all.push(Arc::new(site));
        }
        Ok(Self { all, hosts: Arc::new(hosts) })
    }

    /// The same with `site` in the place of the one of its name; without such a one nothing changes.
    #[must_use]
    pub fn with(mut self, site: Site) -> Self {
        if let Some(place) = self.all.iter_mut().find(|other| other.name == site.name) {
            *place = Arc::new(site);
        }
        self
    }

    /// Every site, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Site>> {
        self.all.iter()
    }

    /// The site of this name.
    pub fn named(&self, name: &str) -> Option<&Arc<Site>> {
        self.all.iter().find(|site| *site.name == *name)
    }

    /// The site of a `Host` header or `:authority`, whose port does not count.
    pub fn find(&self, host: &str) -> Option<&Arc<Site>> {
        let name = host_name(host);
        let by_name = &self.hosts.by_name;
        // As clients write it nearly always, there is no other way to write it.
        let plain = || !name.ends_with('.') && !name.bytes().any(|byte| byte.is_ascii_uppercase());
        let place = match by_name.get(name) {
            None if !plain() => by_name.get(name.to_ascii_lowercase().trim_end_matches('.')),
            found => found,
        };
        self.all.get(*place.or(self.hosts.any.as_ref())?)
    }
}

fn site(config: &SiteConfig, base: &Path) -> Result<Site, String> {
    let origin = origin::build(&config.origin, base).map_err(|error| error.report())?;
    let (limits, imaging, offered) = (config.limits.limits(), config.policy(), config.offered());
    Ok(Site {
        name: config.name.as_str().into(),
        language: config.language().map_err(|error| error.report())?,
        manage_styles: config.styles.manage == Manage::Anyone,
        protect: config.styles.protect,
        hosts: config.hosts.iter().chain(&config.mark_hosts).cloned().collect(),
        store: Fingerprint::of("store").with("store", origin.store()).finish(),
        settings: settings(&imaging, &limits, &offered, config.advanced_compression),
        origin,
        offered,
        advanced_compression: config.advanced_compression,
        negotiate_plain: config.negotiate.plain,
        limits,
        imaging,
        access: config.access.clone(),
        cache: config.cache.clone(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::config;

    fn sites() -> Sites {
        let site = |name: &str, hosts: &str| {
            format!("[[site]]\nname = \"{name}\"\nhosts = {hosts}\norigin = {{ kind = \"dir\", path = \"/\" }}\n")
        };
        let text = [site("one", "[\"One.example\", \"[::1]\"]"), site("rest", "[\"*\"]")].concat();
        Sites::build(&Loaded { config: config::parse(&text).unwrap(), base: "/".into() }).unwrap()
    }

    #[test]
    fn a_host_is_found_however_it_is_written() {
        let sites = sites();
        for (host, name) in [
            ("one.example", "one"),
            ("ONE.example.:8080", "one"),
            ("[::1]:80", "one"),
            ("two.one.example", "rest"),
            ("", "rest"),
        ] {
            assert_eq!(&*sites.find(host).unwrap().name, name, "{host}");
        }
    }

    #[test]
    fn a_site_takes_the_place_of_its_name_and_no_other() {
        let old = sites();
        let changed = Site { protect: true, ..Site::clone(old.named("one").unwrap()) };
        let new = old.clone().with(changed.clone());
        assert!(new.find("one.example").unwrap().protect && !new.find("else").unwrap().protect);
        assert!(!old.find("one.example").unwrap().protect, "who has the old ones keeps them");
        let unknown = new.with(Site { name: "unknown".into(), ..changed });
        assert_eq!(unknown.iter().map(|site| &*site.name).collect::<Vec<_>>(), ["one", "rest"]);
    }
}
