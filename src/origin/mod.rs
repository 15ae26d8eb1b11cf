//! Object stores behind one trait: `dir`, `http` and `s3`. Originals are length-checked, redirects are not followed, and
//! no client can make the service talk to a host of its choosing: addresses come from the configuration alone.
//!
//! Everything that speaks HTTP here must run on one long-lived tokio runtime, because the connections of the pool belong
//! to the runtime that opened them. [`build`] itself needs none.

mod client;
mod dir;
mod get;
mod http;
mod key;
mod media;
mod object;
mod s3;
mod s3_xml;
mod upstream;
mod whole;

use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::http::HeaderMap;
use async_trait::async_trait;
use bytes::Bytes;

pub use get::{Getter, Got};
pub use key::ObjectKey;
pub use object::{ByteRange, Fetched, ListedObject, Meta, ObjectPart, Page, PutOptions, ReadConditions};
pub use s3_xml::{error_code as store_error_code, page as store_page};
pub use upstream::{Upstream, UpstreamRequest};
#[cfg(test)]
pub(crate) use whole::settle;
pub use whole::{FetchedWhole, Room, fetch_whole, fetch_whole_into};

use crate::access::Pass;
use crate::config::OriginConfig;
use crate::error::{Error, Kind};
use crate::sign::{Credentials, Secret};

/// An object store.
///
/// Errors, for every method: [`Kind::OriginTimeout`] when the store is slow, [`Kind::OriginFailed`] when it cannot be
/// reached or answers what it should not, [`Kind::NotFound`], [`Kind::Forbidden`] where the store refuses and no key of
/// ours is to blame, and [`Kind::BadRequest`] for keys and ranges that the store cannot have.
#[async_trait]
pub trait Origin: Send + Sync + Debug {
    /// What the store says about an object.
    async fn head(&self, key: &ObjectKey) -> Result<Meta, Error>;

    /// Reads an object or a part of it, where the conditions do not say that the caller has it.
    async fn get(
        &self,
        key: &ObjectKey,
        range: Option<ByteRange>,
        conditions: &ReadConditions,
    ) -> Result<Fetched, Error>;

    /// Reads a part of what a client was granted, with its fields, as if the request passed through; its own conditions and
    /// ranges do not count.
    async fn granted(&self, pass: &Pass, fields: &HeaderMap, range: ByteRange) -> Result<Fetched, Error>;

    /// Writes an object. What is returned is what the store said; often no more than the ETag.
    async fn put(&self, key: &ObjectKey, body: Bytes, options: &PutOptions) -> Result<Meta, Error>;

    /// Objects whose keys start with `prefix` and come after `after`, at most `limit` (1 to 1000).
    ///
    /// [`Kind::UnsupportedRule`] from stores that cannot list (`http`).
    async fn list(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<Page, Error>;

    /// Deletes an object. That it was not there is no error.
    async fn delete(&self, key: &ObjectKey) -> Result<(), Error>;

    /// Where requests go that pass through untouched. `None`: there is no server behind this store; read with
    /// [`Origin::get`] and [`Origin::head`].
    fn upstream(&self) -> Option<&Upstream>;

    /// What tells this store, its bucket or folder included, from every other; the same in every process. Nothing secret.
    fn store(&self) -> Vec<u8>;

    /// The name under which everything about this object is kept. Two keys may share it only if the store cannot tell
    /// them apart. Purges and writes must use it too.
    fn identity(&self, key: &ObjectKey) -> String {
        key.canonical()
    }

    /// The configured limit of time for one whole original.
    fn total_timeout(&self) -> Duration;
}

/// The store that the configuration describes. Relative paths in it are relative to `base_dir`, the folder of the
/// configuration file. Secrets are read here, once.
///
/// # Errors
///
/// [`Kind::Internal`] with a sentence for the operator: a URL that is none, a missing folder, a variable that is not set.
pub fn build(config: &OriginConfig, base_dir: &Path) -> Result<Arc<dyn Origin>, Error> {
    Ok(match config {
        OriginConfig::Dir { path } => Arc::new(dir::Dir::new(&base_dir.join(path))?),
        OriginConfig::Http { url, timeouts } => Arc::new(http::Http::new(url, *timeouts)?),
        OriginConfig::S3 {
            endpoint,
            bucket,
            region,
            path_style,
            access_key_env,
            secret_key_env,
            access_key_file,
            secret_key_file,
            timeouts,
        } => {
            let access = secret("access_key", access_key_env.as_deref(), access_key_file.as_ref(), base_dir)?;
            let secret = secret("secret_key", secret_key_env.as_deref(), secret_key_file.as_ref(), base_dir)?;
            let credentials = match (access, secret) {
                (Some(access), Some(secret_key)) => {
                    Some(Credentials { access_key: access.expose().to_owned(), secret_key })
                }
                (None, None) => None,
                (Some(_), None) => return Err(refused("site.origin has an access key and no secret key")),
                (None, Some(_)) => return Err(refused("site.origin has a secret key and no access key")),
            };
            Arc::new(s3::S3::new(endpoint, bucket, region, *path_style, credentials, *timeouts)?)
        }
    })
}

/// A configuration that cannot be used.
fn refused(message: impl Into<String>) -> Error {
    Error::new(Kind::Internal, message)
}

/// The secret of `NAME_env` or `NAME_file`, without the line's end that editors leave.
fn secret(name: &str, variable: Option<&str>, file: Option<&PathBuf>, base: &Path) -> Result<Option<Secret>, Error> {
    let (text, place) = match (variable, file) {
        (None, None) => return Ok(None),
        (Some(_), Some(_)) => {
            return Err(refused(format!("site.origin has both {name}_env and {name}_file; keep one")));
        }
        (Some(variable), None) => {
            let text = std::env::var(variable).map_err(|error| match error {
                std::env::VarError::NotPresent => {
                    refused(format!("{name}_env: the environment variable {variable} is not set"))
                }
                std::env::VarError::NotUnicode(_) => {
                    refused(format!("{name}_env: the environment variable {variable} is not UTF-8"))
                }
            })?;
            (text, format!("{name}_env: the environment variable {variable}"))
        }
        (None, Some(file)) => {
            let file = base.join(file);
            let place = format!("{name}_file: {}", file.display());
            let read = std::fs::read_to_string(&file);
            (read.map_err(|error| refused(format!("{place} cannot be read")).caused_by(&error))?, place)
        }
    };
    let text = zeroize::Zeroizing::new(text);
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(refused(format!("{place} is empty")));
    }
    if trimmed.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err(refused(format!("{place} holds more than one word")));
    }
    Ok(Some(Secret::new(trimmed)))
}

#[cfg(test)]
mod tests;
