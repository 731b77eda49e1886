//! What a session holds.

use std::{collections::HashMap, time::Duration};

use app::account::User;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tower_sessions::session::Record;

use crate::clock::now_milliseconds;

/// Where in a session [`Facts`] are.
pub(super) const FACTS: &str = "signedIn";

/// Who is signed in, since when and with what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// Who.
    pub user: User,
    /// When the user signed in, in milliseconds since 1970.
    pub since: u64,
    /// When the session was last used, in milliseconds since 1970; up to a minute late.
    pub used: u64,
    /// What the browser calls itself, shortened.
    #[serde(default)]
    pub browser: String,
}

/// A session as it is kept, everywhere the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Kept {
    /// By name.
    pub(super) data: HashMap<String, Value>,
    /// When it ends unless it is used, in milliseconds since 1970. Where something else measures its
    /// life, that counts.
    pub(super) ends_at: u64,
}

impl Kept {
    pub(super) fn of(record: &Record, ends_at: u64) -> Self {
        Self { data: record.data.clone(), ends_at }
    }

    pub(super) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }

    pub(super) fn to_json(&self) -> String {
        // Text, numbers and maps with text keys: nothing here can fail to serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Who is signed in with it.
    pub(super) fn facts(&self) -> Option<Facts> {
        Facts::deserialize(self.data.get(FACTS)?).ok()
    }

    pub(super) fn is_expired(&self) -> bool {
        self.expired_before(Duration::ZERO)
    }

    /// Whether it has been expired for so long.
    pub(super) fn expired_before(&self, so_long: Duration) -> bool {
        let so_long = u64::try_from(so_long.as_millis()).unwrap_or(u64::MAX);
        self.ends_at.saturating_add(so_long) <= now_milliseconds()
    }
}
