//! How instances reach each other.

mod check;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The `[redis]` table of `app.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `false` leaves Redis out whatever else is set; `true` uses it even when nothing else is set.
    pub enabled: Option<bool>,
    /// How Redis is set up; follows from what else is set when absent.
    pub mode: Option<RedisMode>,
    /// The name of an ACL user, in every mode; empty means Redis's `default` user.
    pub username: String,
    /// Its password, in every mode; the password of the mode in force wins. Empty sends none.
    pub password: String,
    /// Whether connections are encrypted, those to sentinels too.
    pub tls: bool,
    /// The certificates to trust, as PEM; empty trusts what the operating system trusts.
    pub ca_file: PathBuf,
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
            _ if self.single != SingleConfig::default() || !self.password.is_empty() => RedisMode::Single,
            _ => RedisMode::None,
        }
    }

    /// The password of the mode in force, when there is one.
    pub fn effective_password(&self) -> Option<&str> {
        let of_mode = match self.effective_mode() {
            RedisMode::Cluster => &self.cluster.password,
            RedisMode::Sentinel => &self.sentinel.password,
            RedisMode::Single | RedisMode::None => &self.single.password,
        };
        [of_mode, &self.password].into_iter().map(String::as_str).find(|password| !password.is_empty())
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
    /// The sentinels, all of them: they are asked one after the other.
    pub nodes: Vec<RedisNode>,
    /// The primary's password; empty sends none.
    pub password: String,
    /// The name of an ACL user of the sentinels; empty means their `default` user.
    pub sentinel_username: String,
    /// The sentinels' own password; empty sends none.
    pub sentinel_password: String,
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
