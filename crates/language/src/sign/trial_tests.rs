//! A request for tests, that can be changed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use http::{HeaderMap, HeaderName, HeaderValue};

use super::encode::decoded;
use super::{AccessKey, Claim, Clock, Denied, Message, Parameter, Verified, verify};

/// A request, by its parts.
#[derive(Debug, Clone)]
pub struct Trial {
    pub method: String,
    /// Path and query, raw.
    pub target: String,
    pub headers: HeaderMap,
    pub hosts: Vec<String>,
    pub bucket: String,
    pub region: String,
    /// The key where the path is not what it is in a URL that names the bucket by its host.
    pub key: Option<Vec<u8>>,
}

impl Trial {
    pub fn new(method: &str, target: &str, hosts: &[&str]) -> Self {
        Self {
            method: method.into(),
            target: target.into(),
            headers: HeaderMap::new(),
            hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
            bucket: "examplebucket".into(),
            region: "cn-hangzhou".into(),
            key: None,
        }
    }

    pub fn field(&mut self, name: &str, value: &str) {
        self.headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }

    pub fn fields(&mut self, fields: &[(&str, &str)]) {
        fields.iter().for_each(|(name, value)| self.field(name, value));
    }

    pub fn value_of(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(HeaderValue::as_bytes)
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map(|(_, query)| query).unwrap_or_default()
    }

    /// Shows the request to a function.
    pub fn message<T>(&self, see: impl FnOnce(&Message<'_>) -> T) -> T {
        let query = Parameter::all(self.query());
        let hosts: Vec<&str> = self.hosts.iter().map(String::as_str).collect();
        let key = self.key.clone().unwrap_or_else(|| decoded(self.path().trim_start_matches('/')).into_owned());
        see(&Message {
            method: &self.method,
            path: self.path(),
            query: &query,
            headers: &self.headers,
            hosts: &hosts,
            bucket: &self.bucket,
            region: &self.region,
            key: &key,
        })
    }

    /// Verifies the request, which must have a signature.
    pub fn check(&self, keys: &[AccessKey], clock: &Clock) -> Result<Verified<'static>, Denied> {
        self.message(|message| {
            let claim = Claim::of(message)?.expect("the request has no signature");
            verify(message, &claim, keys, clock).map(|verified| Verified { path: "", ..verified })
        })
    }
}
