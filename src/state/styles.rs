//! Styles that were set by a vendor's interface.

use super::{State, failed};
use crate::error::Error;

/// One style as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredStyle {
    /// Its name.
    pub name: String,
    /// Its rule, in the language of either vendor.
    pub rule: String,
    /// When a style of this name was made, in seconds since 1970.
    pub created: i64,
    /// When it was last changed, likewise.
    pub modified: i64,
}

impl State {
    /// The styles of a site, by name.
    ///
    /// # Errors
    /// [`crate::error::Kind::Internal`], as everywhere here.
    pub async fn styles(&self, site: &str) -> Result<Vec<StoredStyle>, Error> {
        let rows: Result<Vec<(String, String, i64, i64)>, _> =
            sqlx::query_as("SELECT name, rule, created, modified FROM styles WHERE site = $1 ORDER BY name")
                .bind(site)
                .fetch_all(&self.pool)
                .await;
        let style = |(name, rule, created, modified)| StoredStyle { name, rule, created, modified };
        Ok(rows.map_err(|error| failed("styles cannot be read", &error))?.into_iter().map(style).collect())
    }

    /// Keeps a style; of one that has this name the rule and the time of the change are replaced. It is on the disk when
    /// this returns.
    pub async fn put_style(&self, site: &str, style: &StoredStyle) -> Result<(), Error> {
        let query = sqlx::query(
            "INSERT INTO styles (site, name, rule, created, modified) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (site, name) DO UPDATE SET rule = excluded.rule, modified = excluded.modified",
        );
        let StoredStyle { name, rule, created, modified } = style;
        let query = query.bind(site).bind(name).bind(rule).bind(created).bind(modified);
        query.execute(&self.pool).await.map(|_| ()).map_err(|error| failed("a style cannot be kept", &error))
    }

    /// Forgets a style.
    pub async fn delete_style(&self, site: &str, name: &str) -> Result<(), Error> {
        let query = sqlx::query("DELETE FROM styles WHERE site = $1 AND name = $2").bind(site).bind(name);
        query.execute(&self.pool).await.map(|_| ()).map_err(|error| failed("a style cannot be deleted", &error))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn style(name: &str, rule: &str, created: i64, modified: i64) -> StoredStyle {
        StoredStyle { name: name.into(), rule: rule.into(), created, modified }
    }

    #[tokio::test]
    async fn what_was_kept_is_there_after_the_file_is_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let state = State::open(&path).await.unwrap();
        state.put_style("a", &style("x", "imageMogr2/rotate/90", 5, 5)).await.unwrap();
        state.put_style("a", &style("x", "imageMogr2/rotate/180", 9, 9)).await.unwrap();
        state.put_style("b", &style("x", "image/rotate,90", 6, 6)).await.unwrap();
        state.put_style("b", &style("y", "'); DROP TABLE styles; --", 7, 7)).await.unwrap();
        state.delete_style("b", "x").await.unwrap();
        state.delete_style("b", "nobody").await.unwrap();
        drop(state);
        let state = State::open(&path).await.unwrap();
        assert_eq!(state.styles("a").await.unwrap(), [style("x", "imageMogr2/rotate/180", 5, 9)]);
        assert_eq!(state.styles("b").await.unwrap(), [style("y", "'); DROP TABLE styles; --", 7, 7)]);
        assert_eq!(state.styles("c").await.unwrap(), []);
    }

    #[tokio::test]
    async fn what_cannot_be_opened_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("no/such/folder/state.db");
        assert!(State::open(&missing).await.unwrap_err().told().starts_with("state: "));
        let other = folder.path().join("other.db");
        std::fs::write(&other, "this is no database, whatever its name says".repeat(99)).unwrap();
        assert!(State::open(&other).await.unwrap_err().report().contains("not a database"));
    }
}
