//! The shape of `pictor.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::{FontsConfig, OriginConfig, units};
use crate::dialect::{Dialect, Language, Styles};
use crate::error::Error;
use crate::imaging::Policy;
use crate::plan::{Format, Formats, Limits};

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `[server]`
    #[serde(default)]
    pub server: ServerConfig,
    /// `[engine]`
    #[serde(default)]
    pub engine: EngineConfig,
    /// `[cache]`
    #[serde(default)]
    pub cache: CacheConfig,
    /// `[state]`
    #[serde(default)]
    pub state: StateConfig,
    /// `[[site]]`, at least one.
    #[serde(default, rename = "site")]
    pub sites: Vec<SiteConfig>,
}

/// `[server]`: where Pictor listens.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Plain-text addresses: HTTP/1.1, and h2 by prior knowledge.
    pub listen: Vec<String>,
    /// TLS addresses: HTTP/1.1 and h2 by ALPN.
    pub listen_tls: Vec<String>,
    /// PEM file with the certificate chain; needed with `listen_tls`.
    pub certificate: Option<PathBuf>,
    /// PEM file with the private key; needed with `listen_tls`.
    pub private_key: Option<PathBuf>,
    /// The admin listener; never public.
    pub admin: String,
    /// Threads that serve connections; 0 = one per core.
    pub threads: usize,
    /// How long requests in flight may take to finish after SIGTERM.
    #[serde(deserialize_with = "units::duration")]
    pub grace: Duration,
    /// Bytes of a request's headers; above it 431.
    #[serde(deserialize_with = "units::size")]
    pub max_header: u64,
    /// For a whole head of a request from its first byte on; for the first one, and for TLS, from the connection's start.
    #[serde(deserialize_with = "units::duration")]
    pub head_timeout: Duration,
    /// How long a connection is kept without a request.
    #[serde(deserialize_with = "units::duration")]
    pub idle_timeout: Duration,
    /// How long a client may take nothing of an answer, or send nothing of a body.
    #[serde(deserialize_with = "units::duration")]
    pub stall_timeout: Duration,
    /// For one request as a whole: head, body and answer. Zero: no limit.
    #[serde(deserialize_with = "units::duration")]
    pub request_timeout: Duration,
    /// Bytes per second that a client must take or send of a body, on average over `stall_timeout`. Zero: no limit.
    #[serde(deserialize_with = "units::size")]
    pub min_rate: u64,
    /// Connections at once on the public listeners. Unset: [`ServerConfig::MAX_CONNECTIONS`], or as many as open files allow;
    /// where they allow fewer than are asked for, start-up warns.
    pub max_connections: Option<usize>,
    /// Of them from one address (IPv6: from one /64). Zero: as many.
    pub max_connections_per_client: u32,
}

impl ServerConfig {
    /// Connections at once where nothing is configured.
    pub const MAX_CONNECTIONS: usize = 10_000;
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: vec!["127.0.0.1:8080".into()],
            listen_tls: Vec::new(),
            certificate: None,
            private_key: None,
            admin: "127.0.0.1:8081".into(),
            threads: 0,
            grace: Duration::from_secs(30),
            max_header: 32 << 10,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stall_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(3600),
            min_rate: 1 << 10,
            max_connections: None,
            max_connections_per_client: 1_000,
        }
    }
}

/// `[engine]`: the pool of workers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Conversions that run at once; 0 = one per core.
    pub workers: usize,
    /// Longest time from the moment that the original is there to the answer, queueing included.
    #[serde(deserialize_with = "units::duration")]
    pub deadline: Duration,
    /// Where conversions run.
    pub isolation: Isolation,
    /// Address space of one worker.
    #[serde(deserialize_with = "units::size")]
    pub worker_memory: u64,
    /// Threads that a worker may run; one that has more is killed.
    pub worker_threads: u64,
    /// Estimated memory of all running conversions together.
    #[serde(deserialize_with = "units::size")]
    pub memory: u64,
    /// A worker is replaced after so many conversions.
    pub recycle_jobs: u64,
    /// A worker is replaced when more than this stays resident after a conversion.
    #[serde(deserialize_with = "units::size")]
    pub recycle_memory: u64,
    /// How long a picture that killed a worker is refused.
    #[serde(deserialize_with = "units::duration")]
    pub quarantine: Duration,
    /// Refuse to start when the kernel refuses a part of the sandbox.
    pub require_sandbox: bool,
    /// `[engine.plugin]`: a codec that Pictor does not bring.
    pub plugin: Option<PluginConfig>,
    /// What text marks are written with.
    pub fonts: FontsConfig,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self {
            workers: 0,
            deadline: Duration::from_secs(30),
            isolation: Isolation::Process,
            worker_memory: 4 << 30,
            worker_threads: 512,
            memory: 6 << 30,
            recycle_jobs: 1_000,
            recycle_memory: 256 << 20,
            quarantine: Duration::from_secs(600),
            require_sandbox: true,
            plugin: None,
            fonts: FontsConfig::default(),
        }
    }
}

/// `[engine.plugin]`: a shared library with the functions of `include/pictor_codec.h`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// The library, by its whole path.
    pub path: PathBuf,
    /// The format that it is for; there is one.
    pub format: Format,
}

/// Where conversions run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// In sandboxed child processes.
    Process,
    /// In threads of the service: no sandbox, no deadline kill. For places where processes cannot be had.
    Thread,
}

/// `[cache]`: memory for originals and variants.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CacheConfig {
    /// Bytes of variants held in memory, with what is known of objects and of errors.
    #[serde(deserialize_with = "units::size")]
    pub memory: u64,
    /// Bytes of originals held in memory, so that several variants cost one fetch.
    #[serde(deserialize_with = "units::size")]
    pub originals: u64,
    /// Bytes of originals on their way: being fetched, waiting, being converted.
    #[serde(deserialize_with = "units::size")]
    pub in_flight: u64,
    /// How long an original waits for room among them before the request is refused.
    #[serde(deserialize_with = "units::duration")]
    pub in_flight_wait: Duration,
    /// Bytes of results that the cache has let go and clients are still being sent.
    #[serde(deserialize_with = "units::size")]
    pub sending: u64,
    /// How long a result that was made with less effort, because many waited, may stand in for a better one.
    #[serde(deserialize_with = "units::duration")]
    pub hurried: Duration,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            memory: 256 << 20,
            originals: 128 << 20,
            in_flight: 256 << 20,
            sending: 256 << 20,
            in_flight_wait: Duration::from_secs(2),
            hurried: Duration::from_secs(60),
        }
    }
}

/// `[state]`: what survives a restart.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateConfig {
    /// The file, made where there is none; relative to the configuration. `None`: nothing is kept, and nothing that would
    /// have to be can be set while the service runs.
    pub path: Option<PathBuf>,
}

/// `[[site]]`: one bucket as clients see it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    /// Name in keys, metrics and logs.
    pub name: String,
    /// Host names, without port; `*` is any other host.
    pub hosts: Vec<String>,
    /// Other names of the same bucket in the URLs of marks; `*` is any host.
    #[serde(default)]
    pub mark_hosts: Vec<String>,
    /// Dialects, by name.
    #[serde(default = "both_dialects")]
    pub dialects: Vec<String>,
    /// Whether what the vendors ignore in a rule is refused.
    #[serde(default)]
    pub strict: bool,
    /// Whether Aliyun's older syntax, after an `@` in the path, is read.
    #[serde(default)]
    pub legacy_at: bool,
    /// Whether AVIF, HEIF and TPG are written, and WebP with all that libwebp can do (its method 6): what both clouds call
    /// advanced compression, which a bucket turns on and off.
    #[serde(default = "yes")]
    pub advanced_compression: bool,
    /// The object store.
    pub origin: OriginConfig,
    /// Content negotiation.
    #[serde(default)]
    pub negotiate: NegotiateConfig,
    /// Limits; the vendors' where not given.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// What is decided about pictures where the rule says nothing.
    #[serde(default)]
    pub imaging: Policy,
    /// Rules with a name.
    #[serde(default)]
    pub styles: StylesConfig,
    /// Who may do what.
    #[serde(default)]
    pub access: AccessConfig,
    /// What is cached, and how long.
    #[serde(default)]
    pub cache: SiteCacheConfig,
}

impl SiteConfig {
    /// What negotiation may give, in the order of preference.
    pub fn offered(&self) -> Vec<Format> {
        let offered = self.negotiate.formats.iter().copied();
        offered.filter(|format| self.advanced_compression || !format.is_advanced()).collect()
    }

    /// What is decided about pictures where the rule says nothing.
    pub fn policy(&self) -> Policy {
        Policy { ordinary_webp: self.imaging.ordinary_webp || !self.advanced_compression, ..self.imaging }
    }

    /// How its requests are read.
    ///
    /// # Errors
    /// What is wrong with the first style that cannot be.
    pub fn language(&self) -> Result<Language, Error> {
        self.language_or().map_err(|(_, error)| error)
    }

    /// The same; an error comes with the setting that it is about.
    pub(super) fn language_or(&self) -> Result<Language, (String, Error)> {
        let dialects: Vec<Dialect> = self.dialects.iter().filter_map(|name| Dialect::from_name(name)).collect();
        let separators = |error| ("styles.separators".to_owned(), error);
        let mut styles = Styles::new(&self.styles.separators).map_err(separators)?;
        for (name, rule) in &self.styles.rules {
            styles.add(name, rule, &dialects).map_err(|error| (format!("styles.rules.{name}"), error))?;
        }
        Ok(Language { dialects, styles, strict: self.strict, legacy: self.legacy_at })
    }
}

fn yes() -> bool {
    true
}

fn both_dialects() -> Vec<String> {
    vec!["tencent".into(), "aliyun".into()]
}

/// `[site.negotiate]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NegotiateConfig {
    /// Formats in the order of preference; empty: off.
    pub formats: Vec<Format>,
    /// Whether pictures that are asked for without a rule are negotiated too (by the extension of their name), as the
    /// vendors' CDNs do when told so.
    pub plain: bool,
}

/// `[site.limits]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct LimitsConfig {
    #[serde(deserialize_with = "units::size")]
    pub max_source_bytes: u64,
    pub max_source_side: u32,
    pub max_source_pixels: u64,
    pub max_output_side: u32,
    pub max_advanced_side: u32,
    pub max_output_pixels: u64,
    pub max_frames: u32,
    /// Formats of originals that are read; `None` is all that are built in.
    pub inputs: Option<Vec<Format>>,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            max_source_bytes: limits.source_bytes,
            max_source_side: limits.source_side,
            max_source_pixels: limits.source_pixels,
            max_output_side: limits.output_side,
            max_advanced_side: limits.advanced_side,
            max_output_pixels: limits.output_pixels,
            max_frames: limits.frames,
            inputs: None,
        }
    }
}

impl LimitsConfig {
    /// As the plan's geometry and the engine take them.
    pub fn limits(&self) -> Limits {
        Limits {
            source_bytes: self.max_source_bytes,
            source_side: self.max_source_side,
            source_pixels: self.max_source_pixels,
            output_side: self.max_output_side,
            advanced_side: self.max_advanced_side,
            output_pixels: self.max_output_pixels,
            frames: self.max_frames,
            inputs: self.inputs.as_ref().map_or(Formats::ALL, |inputs| inputs.iter().copied().collect()),
        }
    }
}

/// `[site.styles]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StylesConfig {
    /// What may stand between a key and a style in the path: some of `-_/!`; empty: styles are used by query only.
    pub separators: String,
    /// Whether pictures are given away by their styles only: neither untouched nor by a rule that the client wrote. What is a
    /// picture is told by its name, else by the type that the store says, else by its first bytes.
    pub protect: bool,
    /// Who may change and read styles by the vendors' interfaces.
    pub manage: Manage,
    /// Rules in either dialect, by name.
    pub rules: BTreeMap<String, String>,
}

/// Who may change and read styles by the vendors' interfaces (`?style`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Manage {
    /// Who reaches the admin listener.
    #[default]
    Admin,
    /// Everyone who reaches the site.
    Anyone,
}

/// `[site.access]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Whether requests without a signature may read objects.
    pub anonymous: bool,
    /// Whether requests without a signature may change objects, where Pictor signs them with the site's own key.
    pub anonymous_write: bool,
    /// Whether requests without a signature may list the bucket and read its settings, likewise.
    pub anonymous_list: bool,
    /// Whether requests without a signature may choose header fields of results (`response-content-type=...`). Whoever
    /// may can make a browser take a picture for a page.
    pub anonymous_overrides: bool,
    /// Which sites may show this one's objects.
    pub referers: Referers,
}

/// `[site.access.referers]`: a hotlink list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Referers {
    /// What the list means.
    pub mode: RefererMode,
    /// Host names: `example.com`, `*.example.com`, `example.com:8080`.
    pub hosts: Vec<String>,
    /// Whether requests without a `Referer` are served.
    pub empty: bool,
}

impl Default for Referers {
    fn default() -> Self {
        Self { mode: RefererMode::Off, hosts: Vec::new(), empty: true }
    }
}

/// Whether the hosts of a hotlink list are the ones that are served, or the ones that are refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RefererMode {
    /// Nothing.
    #[default]
    Off,
    /// Only requests from a listed host are served.
    Allow,
    /// Requests from a listed host are refused.
    Deny,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            anonymous: true,
            anonymous_write: false,
            anonymous_list: false,
            anonymous_overrides: false,
            referers: Referers::default(),
        }
    }
}

/// `[site.cache]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteCacheConfig {
    /// How long an object is taken as unchanged before the origin is asked again.
    #[serde(deserialize_with = "units::duration")]
    pub fresh: Duration,
    /// `Cache-Control` of converted answers.
    pub cache_control: String,
}

impl Default for SiteCacheConfig {
    fn default() -> Self {
        Self { fresh: Duration::from_secs(60), cache_control: "public, max-age=3600".into() }
    }
}
