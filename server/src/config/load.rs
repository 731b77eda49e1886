//! Reads `app.toml` and the environment.

use std::{
    env,
    path::{Path, PathBuf},
};

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};

use super::{Config, ConfigError, error::refuse};

/// The variables with names of their own, and the keys they set.
const VARIABLES: &[(&str, &str)] = &[
    ("PORT", "server.port"),
    ("HOSTNAME", "site.hostname"),
    ("MONGODB_URI", "mongodb.uri"),
    ("REDIS_HOST", "redis.single.host"),
    ("REDIS_PORT", "redis.single.port"),
    ("REDIS_PASSWORD", "redis.single.password"),
    ("REDIS_PASSWORD", "redis.cluster.password"),
    ("REDIS_PASSWORD", "redis.sentinel.password"),
    ("JPULSE_SITE_ID", "site.id"),
    ("JPULSE_MODE", "site.mode"),
    ("JPULSE_DATA_DIR", "server.data_dir"),
    ("LEPTOS_SITE_ROOT", "server.site_root"),
    ("SESSION_SECRET", "sessions.secret"),
    ("SESSION_TTL", "sessions.ttl_seconds"),
    ("JPULSE_ADMIN_PASSWORD", "accounts.admin_password"),
    ("JPULSE_METRICS_TOKEN", "metrics.token"),
];

/// Where the instance's number is looked for, the first that is set.
const INSTANCE_VARIABLES: &[&str] = &["JPULSE_INSTANCE", "NODE_APP_INSTANCE", "pm_id"];

/// Read elsewhere in this program, or by the unit, the build and the scripts around it.
const OTHER_VARIABLES: &[&str] = &[
    "JPULSE_CONFIG",
    "JPULSE_SUPERVISOR",
    "JPULSE_RESTARTS",
    "JPULSE_INSTANCES",
    "JPULSE_MAX_MEMORY",
    "JPULSE_RELEASE",
    "JPULSE_CACHE",
];
const OTHER_PREFIXES: &[&str] = &["JPULSE__", "JPULSE_TEST_"];

/// What they set.
const INSTANCE_KEY: &str = "site.instance";

/// Keys whose values are numbers; every other variable is text, however much it looks like a number.
const NUMBER_KEYS: &[&str] = &["server.port", "redis.single.port", "sessions.ttl_seconds"];

/// Keys whose values are never shown.
const SECRET_KEYS: &[&str] = &["password", "secret", "token", "uri"];

impl Config {
    /// Reads the file named by `JPULSE_CONFIG` (else `app.toml` in the working directory, if there is
    /// one) and the environment over it. Any key can be set by `JPULSE__` and its path:
    /// `JPULSE__REDIS__MODE=single`.
    ///
    /// # Errors
    ///
    /// When the file is missing or broken, or a value is not allowed.
    pub fn load() -> Result<Self, ConfigError> {
        let named = env::var_os("JPULSE_CONFIG").map(PathBuf::from);
        if let Some(path) = &named
            && !path.is_file()
        {
            return Err(ConfigError::Missing(path.clone()));
        }
        let path = named.unwrap_or_else(|| "app.toml".into());
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if path.is_file() {
            figment = figment.merge(Toml::file_exact(&path));
        }
        figment = figment.merge(Env::prefixed("JPULSE__").split("__"));
        for (variable, key) in VARIABLES {
            figment = overlay(figment, variable, key);
        }
        for variable in INSTANCE_VARIABLES.iter().rev() {
            figment = overlay(figment, variable, INSTANCE_KEY);
        }
        let config: Self = figment.extract().map_err(|error| translate(error, &path))?;
        config.check()?;
        Ok(config)
    }

    /// Variables whose names look like ours and that nobody reads, each in a line that says what is read: most
    /// often a key with too few underscores. Another program may own one, so they stop nothing.
    #[must_use]
    pub fn unread_variables() -> Vec<String> {
        let is_read = |name: &str| {
            VARIABLES.iter().any(|(variable, _)| *variable == name)
                || INSTANCE_VARIABLES.contains(&name)
                || OTHER_VARIABLES.contains(&name)
                || OTHER_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        };
        let mut unread: Vec<String> = env::vars_os()
            .filter_map(|(name, _)| name.into_string().ok())
            .filter(|name| name.starts_with("JPULSE_") && !is_read(name))
            .map(|name| format!("{name} is read by nothing: a key `a.b` is set by JPULSE__A__B"))
            .collect();
        unread.sort_unstable();
        unread
    }

    fn check(&self) -> Result<(), ConfigError> {
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        };
        if !is_name(&self.site.id) {
            return refuse("site.id", &self.site.id, "one or more of A-Z a-z 0-9 _ . -");
        }
        if !is_name(&self.site.instance) {
            return refuse("site.instance", &self.site.instance, "one or more of A-Z a-z 0-9 _ . -");
        }
        self.redis.check()?;
        self.metrics.check()?;
        self.config_cache.check()?;
        self.sessions.check(!self.mongodb.uri.is_empty())?;
        for (key, value) in [
            ("limits.socket_messages", self.limits.socket_messages),
            ("limits.connects_per_second", self.limits.connects_per_second),
            ("limits.requests_per_second", self.limits.requests_per_second),
        ] {
            if value == 0 {
                return refuse(key, "0", "1 or more");
            }
        }
        if self.limits.connections == 0 {
            return refuse("limits.connections", "0", "1 or more");
        }
        Ok(())
    }
}

/// Sets `key` from an environment variable that is set and not empty.
fn overlay(figment: Figment, variable: &str, key: &str) -> Figment {
    let Ok(text) = env::var(variable) else { return figment };
    if text.is_empty() {
        return figment;
    }
    match text.parse::<u64>() {
        Ok(number) if NUMBER_KEYS.contains(&key) => figment.merge((key, number)),
        _ => figment.merge((key, text)),
    }
}

fn translate(error: figment::Error, path: &Path) -> ConfigError {
    let mut key = error.path.join(".");
    let is_secret = SECRET_KEYS.iter().any(|secret| key.ends_with(secret));
    if let Some((variable, _)) = VARIABLES.iter().find(|(variable, set)| *set == key && env::var_os(variable).is_some())
    {
        key = format!("{key} ({variable})");
    }
    let shown = |actual: String| if is_secret { "not shown".to_owned() } else { actual };
    match error.kind {
        Kind::InvalidType(actual, allowed) | Kind::InvalidValue(actual, allowed) => {
            ConfigError::Value { key, value: shown(actual.to_string()), allowed: in_words(&allowed) }
        }
        Kind::UnknownVariant(actual, allowed) => {
            ConfigError::Value { key, value: shown(format!("{actual:?}")), allowed: allowed.join(", ") }
        }
        Kind::UnknownField(field, allowed) => {
            let key = if key.is_empty() || key == field { field } else { key };
            ConfigError::UnknownKey { key, allowed: allowed.join(", ") }
        }
        Kind::Message(reason) if key.is_empty() => ConfigError::Syntax {
            path: path.to_owned(),
            reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
        },
        Kind::Message(reason) => ConfigError::Value { key, value: "malformed".into(), allowed: reason },
        other => ConfigError::Value { key, value: "malformed".into(), allowed: other.to_string() },
    }
}

/// What serde expects, for people.
fn in_words(expected: &str) -> String {
    match expected {
        "u8" => "a whole number from 0 to 255".into(),
        "u16" => "a whole number from 0 to 65535".into(),
        "a boolean" => "true or false".into(),
        "u32" | "u64" | "usize" => "a whole number, 0 or more".into(),
        other => other.into(),
    }
}
