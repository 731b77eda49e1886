//! Who is signed in, for how long, and where that is kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    ConfigError,
    error::{refuse, refuse_secret},
};

/// Characters a secret has at least.
const SECRET_CHARS: usize = 32;

/// The `[sessions]` table of `app.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// Where sessions are kept beside this instance's memory.
    pub mode: SessionsMode,
    /// What cookies are signed with, the same on every instance; empty makes one and keeps it in the data
    /// directory.
    pub secret: String,
    /// How long a session lives without being used, in seconds.
    pub ttl_seconds: u64,
    /// Sessions this instance remembers for the time Redis is away; beyond, the one used longest ago is forgotten.
    pub memory_sessions: usize,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self { mode: SessionsMode::Redis, secret: String::new(), ttl_seconds: 86_400, memory_sessions: 10_000 }
    }
}

impl SessionsConfig {
    /// How long a session lives without being used.
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl_seconds)
    }

    /// Refuses what cannot work.
    pub(super) fn check(&self, has_mongodb: bool) -> Result<(), ConfigError> {
        if !self.secret.is_empty() && self.secret.chars().count() < SECRET_CHARS {
            return refuse_secret("sessions.secret (SESSION_SECRET)", "32 or more characters");
        }
        if !(1..=31_536_000).contains(&self.ttl_seconds) {
            let value = self.ttl_seconds.to_string();
            return refuse("sessions.ttl_seconds (SESSION_TTL)", &value, "1 to 31536000 seconds");
        }
        if self.memory_sessions == 0 {
            return refuse("sessions.memory_sessions", "0", "1 or more");
        }
        if self.mode == SessionsMode::Hybrid && !has_mongodb {
            return refuse("sessions.mode", "hybrid", "redis, or hybrid together with mongodb.uri");
        }
        Ok(())
    }
}

/// Where sessions are kept beside this instance's memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionsMode {
    /// In Redis, when there is one.
    #[default]
    Redis,
    /// In Redis, with MongoDB behind it.
    Hybrid,
}

/// The `[accounts]` table of `app.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccountsConfig {
    /// The password of the user `admin`, set at every start; empty leaves that user as it is.
    pub admin_password: String,
}
