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
/// Answers kept at most; with more, those that are not fresh any more go, then all; the ids asked for at once come on top.
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

    /// Of these users, those known: the others are [`Standing::Unknown`].
    pub(super) async fn of(&self, user_ids: &[String]) -> HashMap<String, Standing> {
        let Some(users) = &self.users else { return HashMap::new() };
        let mut standings = HashMap::with_capacity(user_ids.len());
        let mut stale = Vec::new();
        {
            let kept = self.kept();
            for id in user_ids {
                let before = kept.get(id);
                if before.is_none_or(|(since, _)| since.elapsed() >= FRESH_FOR) {
                    stale.push(id.clone());
                }
                if let Some((_, standing)) = before {
                    standings.insert(id.clone(), standing.clone());
                }
            }
        }
        if stale.is_empty() {
            return standings;
        }
        match users.find_by_ids(&stale).await {
            Ok(found) => {
                let mut now: HashMap<String, Standing> = stale.into_iter().map(|id| (id, Standing::Gone)).collect();
                for user in found {
                    let standing = Standing::Known { roles: user.roles, sessions_from: user.sessions_from };
                    now.insert(user.id, standing);
                }
                self.keep(&now);
                standings.extend(now);
            }
            // What was known is as good as anything: an outage of the store changes nobody's rights.
            Err(error) => tracing::debug!(%error, "accounts cannot be looked up"),
        }
        standings
    }

    fn keep(&self, standings: &HashMap<String, Standing>) {
        let mut kept = self.kept();
        if kept.len() + standings.len() > KEPT {
            kept.retain(|_, (since, _)| since.elapsed() < FRESH_FOR);
        }
        if kept.len() + standings.len() > KEPT {
            kept.clear();
        }
        let now = Instant::now();
        kept.extend(standings.iter().map(|(id, standing)| (id.clone(), (now, standing.clone()))));
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, (Instant, Standing)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
