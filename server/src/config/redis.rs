//! How instances reach each other.

use serde::{Deserialize, Serialize};

/// The `[redis]` table of `app.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `false` leaves Redis out whatever else is set; `true` uses it even when nothing else is set.
    pub enabled: Option<bool>,
    /// How Redis is set up; follows from what else is set when absent.
    pub mode: Option<RedisMode>,
    /// One server.
    pub single: SingleConfig,
    /// A Redis Cluster.
    pub cluster: ClusterConfig,
    /// A primary watched by sentinels.
    pub sentinel: SentinelConfig,
    /// What happens while Redis is away.
    pub fallback: FallbackConfig,
}

/// How Redis is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RedisMode {
    /// Not at all: one instance, alone.
    None,
    /// One server.
    Single,
    /// A Redis Cluster.
    Cluster,
    /// A primary watched by sentinels.
    Sentinel,
}

impl RedisMode {
    /// As it stands in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Single => "single",
            Self::Cluster => "cluster",
            Self::Sentinel => "sentinel",
        }
    }
}

impl RedisConfig {
    /// The mode in force.
    pub fn effective_mode(&self) -> RedisMode {
        match (self.enabled, self.mode) {
            (Some(false), _) => RedisMode::None,
            (_, Some(mode)) => mode,
            _ if !self.cluster.nodes.is_empty() => RedisMode::Cluster,
            _ if !self.sentinel.nodes.is_empty() => RedisMode::Sentinel,
            (Some(true), None) => RedisMode::Single,
            _ if self.single != SingleConfig::default() => RedisMode::Single,
            _ => RedisMode::None,
        }
    }
}

/// One server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SingleConfig {
    /// Its name or address; empty means this host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Empty sends none.
    pub password: String,
    /// The database's number.
    pub db: u8,
}

impl Default for SingleConfig {
    fn default() -> Self {
        Self { host: String::new(), port: 6379, password: String::new(), db: 0 }
    }
}

/// A Redis Cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClusterConfig {
    /// Some of its nodes; the rest is discovered.
    pub nodes: Vec<RedisNode>,
    /// Empty sends none.
    pub password: String,
}

/// A primary watched by sentinels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SentinelConfig {
    /// The name the sentinels know the primary by.
    pub master: String,
    /// The sentinels.
    pub nodes: Vec<RedisNode>,
    /// The primary's password; empty sends none.
    pub password: String,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisNode {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// What happens while Redis is away.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FallbackConfig {
    /// Messages kept for the other instances.
    pub outbox_messages: usize,
    /// Bytes kept for the other instances.
    pub outbox_bytes: usize,
}

impl Default for FallbackConfig {
    fn default() -> Self {
        Self { outbox_messages: 10_000, outbox_bytes: 16 * 1024 * 1024 }
    }
}
