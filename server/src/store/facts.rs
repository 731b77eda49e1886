//! How the database behind a store is.

use serde_json::{Value, json};

/// What the database says of itself, for metrics.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreFacts {
    /// Whether it answered.
    pub is_well: bool,
    /// The name of the database; empty for a file.
    pub database: String,
    /// `{status, version, connections: {current, available}, uptime, host}`; `null` where unknown.
    pub server: Value,
    /// Whether several documents change at once or not at all; `None` where nobody can tell.
    pub has_transactions: Option<bool>,
}

impl StoreFacts {
    /// The store is a file of this instance.
    pub(super) fn embedded(is_well: bool) -> Self {
        let status = if is_well { "embedded" } else { "error" };
        Self { is_well, database: String::new(), server: server(status), has_transactions: Some(true) }
    }

    /// A database that does not answer.
    pub fn silent() -> Self {
        Self { is_well: false, database: String::new(), server: server("error"), has_transactions: None }
    }
}

fn server(status: &str) -> Value {
    json!({ "status": status, "version": null, "connections": null, "uptime": null, "host": null })
}
