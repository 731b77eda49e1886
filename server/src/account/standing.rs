//! What is known of a user now: an account may be changed by another instance, or by a program.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use crate::store::Users;

/// How long an answer of the store is good.
const FRESH_FOR: Duration = Duration::from_secs(2);
/// Answers kept at most; with more, those that are not fresh any more go, then all.
const KEPT: usize = 10_000;

/// What an account says of its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The account as it is.
    Known {
        /// What the user may do.
        roles: Vec<String>,
        /// Sessions begun before are over; milliseconds since 1970.
        sessions_from: u64,
    },
    /// There is no such account any more.
    Gone,
    /// Nobody can say: what the session says counts.
    Unknown,
}

/// Answers of the store, kept for a moment.
pub(super) struct Standings {
    users: Option<Arc<dyn Users>>,
    kept: Mutex<HashMap<String, (Instant, Standing)>>,
}

impl Standings {
    /// Of the accounts in a store, when it can know all of them.
    pub(super) fn new(users: Option<Arc<dyn Users>>) -> Self {
        Self { users, kept: Mutex::default() }
    }

    pub(super) async fn of(&self, user_id: &str) -> Standing {
        let Some(users) = &self.users else { return Standing::Unknown };
        let before = self.kept().get(user_id).cloned();
        if let Some((since, standing)) = &before
            && since.elapsed() < FRESH_FOR
        {
            return standing.clone();
        }
        let standing = match users.find_by_id(user_id).await {
            Ok(Some(user)) => Standing::Known { roles: user.roles, sessions_from: user.sessions_from },
            Ok(None) => Standing::Gone,
            Err(error) => {
                tracing::debug!(%error, "accounts cannot be looked up");
                // As good as anything: an outage of the store changes nobody's rights.
                before.map_or(Standing::Unknown, |(_, standing)| standing)
            }
        };
        let mut kept = self.kept();
        if kept.len() >= KEPT {
            kept.retain(|_, (since, _)| since.elapsed() < FRESH_FOR);
        }
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(user_id.to_owned(), (Instant::now(), standing.clone()));
        standing
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, (Instant, Standing)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
