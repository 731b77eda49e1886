//! What the `[redis]` table must hold for Redis to be reached at all.

use super::{
    super::{ConfigError, error::refuse},
    RedisConfig, RedisMode, RedisNode,
};

/// What begins a certificate in a PEM file.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----";

impl RedisConfig {
    /// Refuses what cannot work, whatever Redis is like.
    pub(in crate::config) fn check(&self) -> Result<(), ConfigError> {
        match self.effective_mode() {
            RedisMode::None => return Ok(()),
            RedisMode::Single if self.single.port == 0 => refuse("redis.single.port", "0", "a port from 1 to 65535")?,
            RedisMode::Single => {}
            RedisMode::Cluster => check_nodes("redis.cluster.nodes", &self.cluster.nodes)?,
            RedisMode::Sentinel => {
                check_nodes("redis.sentinel.nodes", &self.sentinel.nodes)?;
                if self.sentinel.master.is_empty() {
                    refuse("redis.sentinel.master", "", "the name the sentinels know the primary by")?;
                }
                if !self.sentinel.sentinel_username.is_empty() && self.sentinel.sentinel_password.is_empty() {
                    let allowed = "empty, or a name together with redis.sentinel.sentinel_password";
                    refuse("redis.sentinel.sentinel_username", &self.sentinel.sentinel_username, allowed)?;
                }
            }
        }
        if !self.username.is_empty() && self.effective_password().is_none() {
            refuse("redis.username", &self.username, "empty, or a name together with redis.password")?;
        }
        self.check_ca_file()
    }

    fn check_ca_file(&self) -> Result<(), ConfigError> {
        if self.ca_file.as_os_str().is_empty() {
            return Ok(());
        }
        let shown = self.ca_file.to_string_lossy();
        if !self.tls {
            return refuse("redis.ca_file", &shown, "empty, or a file together with redis.tls = true");
        }
        match std::fs::read_to_string(&self.ca_file) {
            Ok(text) if text.contains(CERTIFICATE) => Ok(()),
            _ => refuse("redis.ca_file", &shown, "a file that can be read and holds certificates as PEM"),
        }
    }
}

fn check_nodes(key: &str, nodes: &[RedisNode]) -> Result<(), ConfigError> {
    if nodes.is_empty() {
        return refuse(key, "[]", "at least one {host, port}");
    }
    for (index, node) in nodes.iter().enumerate() {
        if node.host.is_empty() {
            return refuse(&format!("{key}[{index}].host"), "", "a name or an address");
        }
        if node.port == 0 {
            return refuse(&format!("{key}[{index}].port"), "0", "a port from 1 to 65535");
        }
    }
    Ok(())
}
