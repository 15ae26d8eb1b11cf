//! `[site.origin]`: the object store behind a site.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::units;

/// The object store behind a site, as the file says it.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum OriginConfig {
    /// A folder of this machine; reads only.
    Dir {
        /// The folder. Relative paths are relative to the configuration file.
        path: PathBuf,
    },
    /// Any HTTP server.
    Http {
        /// `http://host[:port][/prefix]` or `https://...`.
        url: String,
        /// Limits of time.
        #[serde(default)]
        timeouts: Timeouts,
    },
    /// An S3-compatible store; requests are signed with SigV4 if there is a key.
    S3 {
        /// `http://host[:port]` or `https://...`, without the bucket.
        endpoint: String,
        /// The bucket.
        bucket: String,
        /// The region that is signed for.
        #[serde(default = "default_region")]
        region: String,
        /// `http://endpoint/bucket/key` when true, `http://bucket.endpoint/key` when false.
        #[serde(default = "default_true")]
        path_style: bool,
        /// Name of the environment variable with the access key; neither it nor `access_key_file`: anonymous.
        access_key_env: Option<String>,
        /// Name of the environment variable with the secret key.
        secret_key_env: Option<String>,
        /// File with the access key.
        access_key_file: Option<PathBuf>,
        /// File with the secret key.
        secret_key_file: Option<PathBuf>,
        /// Limits of time.
        #[serde(default)]
        timeouts: Timeouts,
    },
}

/// Limits of time towards an origin.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Timeouts {
    /// To connect, TLS included.
    #[serde(deserialize_with = "units::duration")]
    pub connect: Duration,
    /// Between two reads.
    #[serde(deserialize_with = "units::duration")]
    pub read: Duration,
    /// For a whole original that is to be converted. Pass-through has none: a large download may take its time.
    #[serde(deserialize_with = "units::duration")]
    pub total: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), read: Duration::from_secs(10), total: Duration::from_secs(30) }
    }
}

fn default_region() -> String {
    "us-east-1".into()
}

fn default_true() -> bool {
    true
}
