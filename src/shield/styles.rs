//! Styles that change while the service runs: kept in the state's file first, then in force for the next request.

use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;

use super::{Site, Sites};
use crate::dialect::{Dialect, Language, StyleCall, style_calls};
use crate::error::{Error, Kind};
use crate::state::{State, StoredStyle};

/// Where styles are kept, and one change at a time.
#[derive(Debug)]
pub struct StyleBook {
    state: State,
    turn: Mutex<()>,
}

impl StyleBook {
    /// Takes the styles that are kept into the sites' languages. One that is no longer understood (its dialect was
    /// switched off, its separator came into use) is left out, and said.
    ///
    /// # Errors
    /// What the state's file has against being read.
    pub async fn open(state: State, sites: &Sites) -> Result<Self, Error> {
        for site in sites.iter() {
            let mut language = Language::clone(&site.language.load());
            for style in state.styles(&site.name).await? {
                if language.styles.get(&style.name).is_some() {
                    tracing::warn!(
                        site = &*site.name,
                        style = style.name,
                        "the configuration's style of this name counts"
                    );
                } else if let Err(error) = add(&mut language, &style) {
                    tracing::warn!(site = &*site.name, style = style.name, why = error.told(), "style left out");
                }
            }
            site.language.store(language.into());
        }
        Ok(Self { state, turn: Mutex::new(()) })
    }

    /// Carries a call out. Gives the answer's status and body. A style that could not be kept is not in force either, and
    /// the log says so.
    ///
    /// # Errors
    /// [`Kind::BadRule`] for a style that cannot be; [`Kind::NoSuchStyle`]; [`Kind::Forbidden`] for one that the
    /// configuration holds; [`Kind::Internal`] where it could not be kept.
    pub async fn call(&self, site: &Site, dialect: Dialect, call: &StyleCall) -> Result<(u16, String), Error> {
        let _turn = self.turn.lock().await;
        let mut language = Language::clone(&site.language.load());
        let missing = |name: &str| Error::new(Kind::NoSuchStyle, format!("there is no style {name:?}"));
        let configured = |name: &str, language: &Language| match language.styles.get(name) {
            Some(style) if style.times.is_none() => {
                let message = format!("style {name} stands in the configuration, where it is to be changed");
                Err(Error::new(Kind::Forbidden, message))
            }
            found => Ok(found.and_then(|style| style.times)),
        };
        match call {
            StyleCall::List => {
                let styles: Vec<_> = language.styles.list().filter(|style| style.dialect == dialect).collect();
                Ok(style_calls::answer(dialect, call, &styles))
            }
            StyleCall::Get(name) => {
                let style = language.styles.get(name).ok_or_else(|| missing(name))?;
                Ok(style_calls::answer(dialect, call, &[style]))
            }
            StyleCall::Put { name, rule } => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
                let now = i64::try_from(now).unwrap_or(i64::MAX);
                let created = configured(name, &language)?.map_or(now, |(created, _)| created);
                let style = StoredStyle { name: name.clone(), rule: rule.clone(), created, modified: now };
                add(&mut language, &style)?;
                self.state.put_style(&site.name, &style).await.inspect_err(|error| unkept(site, name, error))?;
                tracing::info!(site = &*site.name, style = style.name, rule = style.rule, "style set");
                site.language.store(language.into());
                Ok(style_calls::answer(dialect, call, &[]))
            }
            StyleCall::Delete(name) => {
                if configured(name, &language)?.is_none() {
                    return Err(missing(name));
                }
                self.state.delete_style(&site.name, name).await.inspect_err(|error| unkept(site, name, error))?;
                tracing::info!(site = &*site.name, style = name, "style deleted");
                language.styles.remove(name);
                site.language.store(language.into());
                Ok(style_calls::answer(dialect, call, &[]))
            }
        }
    }
}

fn unkept(site: &Site, name: &str, error: &Error) {
    tracing::error!(site = &*site.name, style = name, why = error.told(), "a change of a style could not be kept");
}

fn add(language: &mut Language, style: &StoredStyle) -> Result<(), Error> {
    let dialects = language.dialects.clone();
    language.styles.add(&style.name, &style.rule, &dialects)?;
    language.styles.date(&style.name, (style.created, style.modified));
    Ok(())
}
