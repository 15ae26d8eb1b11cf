//! What must survive a restart: one SQLite file, its tables made and changed by migrations when it is opened.

mod styles;

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};

pub use styles::StoredStyle;

use crate::error::{Error, Kind};

/// Every change of the tables, in order. What has been released is never edited.
const MIGRATIONS: [(&str, &str); 1] = [("styles", include_str!("0001_styles.sql"))];

/// Connections: writes come one at a time anyway.
const CONNECTIONS: u32 = 2;

/// The state's file, open.
#[derive(Debug, Clone)]
pub struct State {
    pool: SqlitePool,
}

impl State {
    /// Opens the file, makes it where there is none, and brings its tables up to date.
    ///
    /// # Errors
    /// [`Kind::Internal`] with what SQLite says: a folder that does not exist, a file that is none of ours or newer than
    /// this program.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // What has been answered survives a loss of power.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await;
        let state = Self { pool: pool.map_err(|error| failed("the file cannot be opened", &error))? };
        let steps = (1..).zip(MIGRATIONS).map(|(version, (name, sql))| {
            Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
        });
        let migrator = Migrator::with_migrations(steps.collect());
        migrator.run(&state.pool).await.map_err(|error| failed("its tables cannot be brought up to date", &error))?;
        Ok(state)
    }
}

impl State {
    /// Whether [`State::open`] could open the file, without making or changing it.
    ///
    /// # Errors
    /// [`Kind::Internal`] with the reason.
    pub async fn check(path: &Path) -> Result<(), Error> {
        use rustix::fs::{Access, access};
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        // The file's journal lies beside it.
        access(folder, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|error| failed("its folder cannot be written to", &std::io::Error::from(error)))?;
        if !path.exists() {
            return Ok(());
        }
        access(path, Access::READ_OK | Access::WRITE_OK)
            .map_err(|error| failed("it cannot be read and written", &std::io::Error::from(error)))?;
        let options = SqliteConnectOptions::new().filename(path).read_only(true).busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await;
        let pool = pool.map_err(|error| failed("the file cannot be opened", &error))?;
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'")
            .fetch_one(&pool)
            .await
            .map_err(|error| failed("its tables cannot be read", &error))?;
        if tables == 0 {
            return Ok(());
        }
        let version: i64 = sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM _sqlx_migrations")
            .fetch_one(&pool)
            .await
            .map_err(|error| failed("its tables cannot be read", &error))?;
        match usize::try_from(version) {
            Ok(version) if version <= MIGRATIONS.len() => Ok(()),
            _ => {
                let what = format!("state: it was made by a newer Pictor (its version is {version})");
                Err(Error::new(Kind::Internal, what))
            }
        }
    }
}

fn failed(what: &str, cause: &(dyn std::error::Error + 'static)) -> Error {
    Error::new(Kind::Internal, format!("state: {what}")).caused_by(cause)
}
