//! What is measured once for all instances: sessions, and the memory of Redis.
//!
//! Counting sessions means looking through Redis. One instance at a time does it, beside its own reports, and writes
//! the number down for the others.

use std::{sync::PoisonError, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::time::{MissedTickBehavior, interval};

use super::Shared;
use crate::bus::{BusError, Keys, Put};

/// What every session's key begins with.
const SESSIONS: &str = "sess:";
/// The number of sessions as it was last counted.
const COUNTED: &str = "sessions:active";
/// How long that number lives: as long as a counter.
const COUNTED_LIFE: Duration = Duration::from_mins(5);
/// Whose turn it was to count, until the next turn.
const TURN: &str = "sessions:counted";
/// Reports between two counts.
const REPORTS: u32 = 6;

/// The whole site, as this instance last saw it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Site {
    /// Sessions that are not over. Up to a minute late.
    pub sessions: u64,
    /// Bytes Redis uses; of a cluster the sum of its primaries.
    pub redis_memory: u64,
    /// Bytes it may use; 0 without a limit.
    pub redis_memory_limit: u64,
}

/// Looks until the instance stops. Of its own, so that no report waits for it.
pub(super) async fn run(shared: &Shared) {
    let mut due = interval(shared.about.report_every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let seen = match shared.keys() {
            Some(keys) => look(keys, shared.about.report_every * REPORTS).await,
            None => Ok(Site { sessions: shared.sources.sessions.in_memory(), ..Site::default() }),
        };
        match seen {
            Ok(site) => *shared.site.lock().unwrap_or_else(PoisonError::into_inner) = site,
            // A Redis user without INFO or SCAN, or a link that is just lost: the last numbers stay.
            Err(error) => tracing::debug!(%error, "sessions and redis's memory are as they were last seen"),
        }
    }
}

async fn look(keys: &Keys, count_every: Duration) -> Result<Site, BusError> {
    let memory = keys.memory().await.unwrap_or_default();
    let sessions = if keys.put(TURN, "1", count_every, Put::IfAbsent).await? {
        let sessions = keys.count(SESSIONS).await?;
        keys.put(COUNTED, &sessions.to_string(), COUNTED_LIFE, Put::Always).await?;
        sessions
    } else {
        keys.get(COUNTED).await?.and_then(|count| count.parse().ok()).unwrap_or_default()
    };
    Ok(Site { sessions, redis_memory: memory.used_bytes, redis_memory_limit: memory.limit_bytes })
}
