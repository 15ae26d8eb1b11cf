//! The file to checked settings. Defaults live here and nowhere else.

pub mod file;
pub mod fonts;
mod lines;
pub mod load;
pub mod notices;
pub mod origin;
pub mod units;

pub use file::{
    AccessConfig, CacheConfig, Config, EngineConfig, Isolation, LimitsConfig, Manage, NegotiateConfig, PluginConfig,
    RefererMode, Referers, ServerConfig, SiteCacheConfig, SiteConfig, StateConfig,
};
pub use fonts::FontsConfig;
pub use load::{Loaded, load, parse, said};
pub use notices::notices;
pub use origin::OriginConfig;
