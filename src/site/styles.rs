//! Styles that change while the service runs: kept in the state's file first, then in force for the next request.

use std::time::UNIX_EPOCH;

use super::{CurrentSites, Site, Sites};
use crate::clock;
use crate::dialect::{Dialect, Language, StyleCall, style_calls};
use crate::error::{Error, Kind};
use crate::state::{State, StoredStyle};

/// Where styles are kept.
#[derive(Debug)]
pub struct StyleBook {
    state: State,
}

impl StyleBook {
    /// The styles that this state keeps.
    pub fn new(state: State) -> Self {
        Self { state }
    }

    /// Sites with the styles in them that are kept for them. One that is no longer understood (its dialect was switched off,
    /// its separator came into use) is left out, and said. Who replaces the current sites by these takes the turn before: a
    /// style that is set in between would be missing.
    ///
    /// # Errors
    /// What the state's file has against being read.
    pub async fn fill(&self, sites: Sites) -> Result<Sites, Error> {
        let mut filled = sites.clone();
        for site in sites.iter() {
            let mut language = site.language.clone();
            for style in self.state.styles(&site.name).await? {
                if language.styles.get(&style.name).is_some() {
                    tracing::warn!(
                        site = &*site.name,
                        style = style.name,
                        "the configuration's style of this name counts"
                    );
                } else if let Err(error) = add(&mut language, &style) {
                    tracing::warn!(site = &*site.name, style = style.name, why = error.report(), "style left out");
                }
            }
            filled = filled.with(Site { language, ..Site::clone(site) });
        }
        Ok(filled)
    }

    /// Carries a call out. Gives the answer's status and body. What is read is the styles of `site`, as the request found it;
    /// what is changed is the site of its name among the current ones. A style that could not be kept is not in force either,
    /// and the log says so.
    ///
    /// # Errors
    /// [`Kind::BadRule`] for a style that cannot be; [`Kind::NoSuchStyle`]; [`Kind::NoSuchSite`] where the site has gone
    /// meanwhile; [`Kind::Forbidden`] for one that the configuration holds; [`Kind::Internal`] where it could not be kept.
    pub async fn call(
        &self,
        current: &CurrentSites,
        site: &Site,
        dialect: Dialect,
        call: &StyleCall,
    ) -> Result<(u16, String), Error> {
        match call {
            StyleCall::List => {
                let styles: Vec<_> = site.language.styles.list().filter(|style| style.dialect == dialect).collect();
                Ok(style_calls::answer(dialect, call, &styles))
            }
            StyleCall::Get(name) => {
                let style = site.language.styles.get(name).ok_or_else(|| missing(name))?;
                Ok(style_calls::answer(dialect, call, &[style]))
            }
            StyleCall::Put { .. } | StyleCall::Delete(_) => {
                let turn = current.turn().await;
                let sites = turn.sites();
                let gone = || Error::new(Kind::NoSuchSite, "the site is no longer in the configuration");
                let site = sites.named(&site.name).ok_or_else(gone)?;
                let mut language = site.language.clone();
                self.change(&site.name, &mut language, call).await?;
                turn.replace(Sites::clone(&sites).with(Site { language, ..Site::clone(site) }));
                Ok(style_calls::answer(dialect, call, &[]))
            }
        }
    }

    /// Changes what is kept, then the language.
    async fn change(&self, site: &str, language: &mut Language, call: &StyleCall) -> Result<(), Error> {
        match call {
            StyleCall::List | StyleCall::Get(_) => {}
            StyleCall::Put { name, rule } => {
                let now = clock::wall().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                let now = i64::try_from(now).unwrap_or(i64::MAX);
                let created = configured(name, language)?.map_or(now, |(created, _)| created);
                let style = StoredStyle { name: name.clone(), rule: rule.clone(), created, modified: now };
                add(language, &style)?;
                self.state.put_style(site, &style).await.inspect_err(|error| unkept(site, name, error))?;
                tracing::info!(site, style = style.name, rule = style.rule, "style set");
            }
            StyleCall::Delete(name) => {
                if configured(name, language)?.is_none() {
                    return Err(missing(name));
                }
                self.state.delete_style(site, name).await.inspect_err(|error| unkept(site, name, error))?;
                tracing::info!(site, style = name, "style deleted");
                language.styles.remove(name);
            }
        }
        Ok(())
    }
}

fn missing(name: &str) -> Error {
    Error::new(Kind::NoSuchStyle, format!("there is no style {name:?}"))
}

/// When a style was set and changed, where there is one; the configuration's own cannot be changed here.
fn configured(name: &str, language: &Language) -> Result<Option<(i64, i64)>, Error> {
    match language.styles.get(name) {
        Some(style) if style.times.is_none() => {
            let message = format!("style {name} stands in the configuration, where it is to be changed");
            Err(Error::new(Kind::Forbidden, message))
        }
        found => Ok(found.and_then(|style| style.times)),
    }
}

fn unkept(site: &str, name: &str, error: &Error) {
    tracing::error!(site, style = name, why = error.report(), "a change of a style could not be kept");
}

fn add(language: &mut Language, style: &StoredStyle) -> Result<(), Error> {
    let dialects = language.dialects.clone();
    language.styles.add(&style.name, &style.rule, &dialects)?;
    language.styles.date(&style.name, (style.created, style.modified));
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::config::{self, Loaded};

    fn sites(names: &[&str], protect: bool) -> Sites {
        let site = |name: &&str| {
            format!(
                "[[site]]\nname = \"{name}\"\nhosts = [\"{name}\"]\norigin = {{ kind = \"dir\", path = \"/\" }}\n\
                 styles = {{ protect = {protect} }}\n"
            )
        };
        let text: String = names.iter().map(site).collect();
        Sites::build(&Loaded { config: config::parse(&text).unwrap(), base: "/".into() }).unwrap()
    }

    fn put(name: &str) -> StyleCall {
        StyleCall::Put { name: name.into(), rule: "imageMogr2/rotate/90".into() }
    }

    fn styles(site: &Site) -> Vec<&str> {
        site.language.styles.list().map(|style| style.name).collect()
    }

    #[tokio::test]
    async fn a_style_and_a_new_configuration_do_not_undo_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let book = StyleBook::new(State::open(&folder.path().join("state")).await.unwrap());
        let current = CurrentSites::new(sites(&["a", "gone"], false));
        // Requests under way, with the sites that they began with.
        let [a, gone] = ["a", "gone"].map(|name| current.now().named(name).unwrap().clone());
        book.call(&current, &a, Dialect::Tencent, &put("first")).await.unwrap();
        assert_eq!((styles(&a), styles(current.now().named("a").unwrap())), (vec![], vec!["first"]));

        let turn = current.turn().await;
        let filled = book.fill(sites(&["a"], true)).await.unwrap();
        let second = put("second");
        let call = book.call(&current, &a, Dialect::Tencent, &second);
        tokio::pin!(call);
        tokio::select! {
            biased;
            done = &mut call => panic!("a style was set in another's turn: {done:?}"),
            () = std::future::ready(()) => {}
        }
        turn.replace(filled);
        drop(turn);
        call.await.unwrap();
        let now = current.now();
        let site = now.named("a").unwrap();
        assert!(site.protect, "the style's change brought the old configuration back");
        assert_eq!(styles(site), ["first", "second"]);

        let late = book.call(&current, &gone, Dialect::Tencent, &put("third")).await;
        assert_eq!(late.unwrap_err().kind, Kind::NoSuchSite);
        let kept = book.fill(sites(&["gone"], false)).await.unwrap();
        assert_eq!(styles(kept.named("gone").unwrap()), [""; 0], "what was refused is kept");
    }
}
