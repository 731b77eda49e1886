//! What operators look at, and what they change while instances run.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    error::{refuse, refuse_secret},
};
use crate::store::ConfigPattern;

/// Characters a token has at least.
const TOKEN_CHARS: usize = 16;

/// The `[metrics]` table of `app.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// What a scraper elsewhere sends as `Authorization: Bearer …` to `/metrics`; empty lets only this host in.
    pub token: String,
    /// How often the instance reports, in seconds. It counts as gone after 30.
    pub report_seconds: u64,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self { token: String::new(), report_seconds: 10 }
    }
}

impl MetricsConfig {
    /// How often the instance reports.
    pub fn report_every(&self) -> Duration {
        Duration::from_secs(self.report_seconds)
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !self.token.is_empty() && self.token.chars().count() < TOKEN_CHARS {
            return refuse_secret("metrics.token (JPULSE_METRICS_TOKEN)", "16 or more characters");
        }
        if !(1..=15).contains(&self.report_seconds) {
            return refuse("metrics.report_seconds", &self.report_seconds.to_string(), "1 to 15 seconds");
        }
        Ok(())
    }
}

/// The `[config_cache]` table of `app.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// How long an instance takes a value it has read for current when nobody tells it otherwise, in seconds.
    pub memory_seconds: u64,
    /// What is read at the start, each `collection:key`, such as `features:feature:new_ui`, or all keys that begin
    /// alike: `config:app:*`, `features:*`.
    pub warm_up: Vec<String>,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { memory_seconds: 300, warm_up: Vec::new() }
    }
}

impl CacheConfig {
    /// How long a value in memory is as good as new.
    pub fn fresh_for(&self) -> Duration {
        Duration::from_secs(self.memory_seconds)
    }

    /// What is read at the start.
    pub fn warm_up(&self) -> Vec<ConfigPattern> {
        self.warm_up.iter().filter_map(|text| ConfigPattern::parse(text).ok()).collect()
    }

    /// Refuses what is no name.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if !(1..=3_600).contains(&self.memory_seconds) {
            return refuse("config_cache.memory_seconds", &self.memory_seconds.to_string(), "1 to 3600 seconds");
        }
        match self.warm_up.iter().find(|text| ConfigPattern::parse(text).is_err()) {
            Some(wrong) => {
                refuse("config_cache.warm_up", wrong, "collection:key, such as config:app:name or config:app:*")
            }
            None => Ok(()),
        }
    }
}
