//! Why a configuration is refused, in one line that names the key, the value and what is allowed.

use std::path::PathBuf;

use thiserror::Error;

/// Why the start stops with exit code 2.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// A value is not allowed.
    #[error("configuration: {key} is {value}: allowed is {allowed}")]
    Value {
        /// The key in `app.toml`, or the variable.
        key: String,
        /// As it was given; secrets are not shown.
        value: String,
        /// In words.
        allowed: String,
    },
    /// A key nobody reads.
    #[error("configuration: {key} is unknown: allowed here is {allowed}")]
    UnknownKey {
        /// The key in `app.toml`.
        key: String,
        /// The keys that are read.
        allowed: String,
    },
    /// The file named by `JPULSE_CONFIG` is not there.
    #[error("configuration: JPULSE_CONFIG is {}: allowed is the path of a file that can be read", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read as TOML.
    #[error("configuration: {}: {reason}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and why, on one line.
        reason: String,
    },
}

/// Refuses a value of a key.
pub(super) fn refuse(key: &str, value: &str, allowed: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Value { key: key.into(), value: format!("{value:?}"), allowed: allowed.into() })
}

/// Refuses a value that is not shown.
pub(super) fn refuse_secret(key: &str, allowed: &str) -> Result<(), ConfigError> {
    Err(ConfigError::Value { key: key.into(), value: "not shown".into(), allowed: allowed.into() })
}
