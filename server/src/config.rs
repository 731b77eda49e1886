//! What an operator can set: one file, the environment over it, sane defaults under both.

mod error;
mod load;
mod network;
mod observe;
mod redis;
mod sessions;

use std::{net::IpAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use wire::Pattern;

pub use error::ConfigError;
pub use network::{Network, Origin};
pub use observe::{CacheConfig, MetricsConfig};
pub use redis::{ClusterConfig, RedisConfig, RedisMode, RedisNode, SentinelConfig, SingleConfig};
pub use sessions::{AccountsConfig, SessionsConfig, SessionsMode};

/// Everything, one struct per concern. The field names are the keys of `app.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where this instance listens and keeps its files.
    pub server: ServerConfig,
    /// Which site and mode: decides the prefix of everything in Redis.
    pub site: SiteConfig,
    /// How instances reach each other; without it this instance is alone.
    pub redis: RedisConfig,
    /// Where documents are; without it, in a file of this instance.
    pub mongodb: MongoConfig,
    /// How long visitors stay signed in, and where that is kept.
    pub sessions: SessionsConfig,
    /// Who may sign in from the start.
    pub accounts: AccountsConfig,
    /// What one visitor may do.
    pub limits: LimitsConfig,
    /// What is measured, and who may read it.
    pub metrics: MetricsConfig,
    /// Configuration that is kept in the store.
    pub config_cache: CacheConfig,
    /// Channels on which not every message counts.
    pub channels: Vec<ChannelConfig>,
    /// What is written to standard error.
    pub log: LogConfig,
}

/// Where this instance listens and keeps its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// Who opens the port.
    pub listen: Listen,
    /// The embedded store and generated secrets.
    pub data_dir: PathBuf,
    /// The built site; empty looks for `site` beside the binary and one folder up.
    pub site_root: PathBuf,
    /// How long a stop may take before connections are cut, in seconds.
    pub shutdown_seconds: u64,
    /// Proxies that are believed when they say who asks and how: `X-Forwarded-For`, `X-Forwarded-Proto`.
    pub trusted_proxies: Vec<Network>,
    /// Where browsers find the site; empty believes their `Host`.
    pub origins: Vec<Origin>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            listen: Listen::Port,
            data_dir: "./data".into(),
            site_root: PathBuf::new(),
            shutdown_seconds: 8,
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
        }
    }
}

impl ServerConfig {
    /// How long a stop may take before connections are cut.
    pub fn shutdown_within(&self) -> Duration {
        Duration::from_secs(self.shutdown_seconds)
    }
}

/// Who opens the port an instance takes connections from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Listen {
    /// The instance, at `host` and `port`.
    #[default]
    Port,
    /// Whoever started the process: standard input is the listening socket, as systemd and inetd hand it over.
    Stdin,
}

/// Which site, which mode, which instance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteConfig {
    /// Letters, digits, `_`, `.` and `-`.
    pub id: String,
    /// `dev` or `prod`.
    pub mode: Mode,
    /// The host's name; empty asks the operating system.
    pub hostname: String,
    /// Tells instances on one host apart.
    pub instance: String,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self { id: "jpulse".into(), mode: Mode::Dev, hostname: String::new(), instance: "0".into() }
    }
}

impl SiteConfig {
    /// What every key and channel in Redis begins with.
    pub fn prefix(&self) -> String {
        format!("{}:{}:", self.id, self.mode.as_str())
    }
}

/// For whom the site runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// For its developers.
    #[default]
    Dev,
    /// For its visitors.
    Prod,
}

impl Mode {
    /// As it stands in keys.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Prod => "prod",
        }
    }
}

/// Where documents are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MongoConfig {
    /// A MongoDB connection string; empty keeps documents in a file of this instance.
    pub uri: String,
}

/// What one visitor may do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsConfig {
    /// WebSocket messages a second and socket.
    pub socket_messages: u32,
    /// Connections this instance holds, sockets included; fewer where the system allows fewer files.
    pub connections: usize,
    /// Sockets an address.
    pub sockets_per_address: usize,
    /// Sockets this instance takes in a second; more are answered 503 and come again later.
    pub connects_per_second: u32,
    /// Changing requests a second and address, in the long run and on all instances together; bursts of
    /// twice as many pass.
    pub requests_per_second: u32,
    /// Bytes that wait for one slow socket before it is closed.
    pub queue_bytes: usize,
    /// Messages that wait for one slow socket before it is closed.
    pub queue_messages: usize,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            socket_messages: wire::limits::MESSAGES_PER_INTERVAL,
            connections: 100_000,
            sockets_per_address: 1_000,
            connects_per_second: 20_000,
            requests_per_second: 200,
            queue_bytes: 1024 * 1024,
            queue_messages: 2_048,
        }
    }
}

/// One `[[channels]]` table of `app.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChannelConfig {
    /// The channels it is about; where several tables match, the first counts.
    pub pattern: Pattern,
    /// What a slow browser gets of them.
    pub policy: ChannelPolicy,
    /// With `latest`: the field of the payload that tells topics apart, such as `"userId"` for cursors.
    /// Without it each channel is one topic.
    #[serde(default)]
    pub key: String,
}

/// What a slow browser gets of a channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelPolicy {
    /// Every message.
    #[default]
    All,
    /// Of what waits for it, the latest message of each topic.
    Latest,
}

/// What is written to standard error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// A level, or a filter such as `info,server::hub=debug`.
    pub filter: String,
    /// `text` for people, `json` for collectors.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}
