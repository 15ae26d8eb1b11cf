//! The file to checked settings. Defaults live here and nowhere else.

#[cfg(test)]
mod documented_tests;
pub mod file;
pub mod lines;
pub mod load;
pub mod notices;
pub mod origin;
pub mod units;

pub use crate::imaging::fonts::FontsConfig;
pub use file::{
    AccessConfig, CacheConfig, Config, EngineConfig, Isolation, LimitsConfig, Manage, NegotiateConfig, PluginConfig,
    RefererMode, Referers, ServerConfig, SiteCacheConfig, SiteConfig, StateConfig,
};
pub use load::{Loaded, load, parse, said};
pub use notices::notices;
pub use origin::OriginConfig;
