//! Where a session is that Redis does not have, or cannot be asked for.

use std::{sync::atomic::Ordering, time::Duration};

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    Inner, UNSETTLED_FOR,
    facts::Kept,
    remote::{Remote, Written},
};
use crate::clock::now_milliseconds;

/// How long a request waits for a session that another instance may put back.
const WAIT: Duration = Duration::from_millis(1_500);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Where a session is.
#[derive(Debug)]
pub(super) enum Sought {
    /// Here.
    Found(Kept),
    /// Nowhere: it is over.
    Over,
    /// Where nobody can look just now.
    Unknown,
}

impl Inner {
    /// Redis does not have it: over, unless Redis has lost what it had.
    pub(super) async fn seek(&self, remote: &Remote, id: &str) -> Sought {
        if self.memory().has_expired(id) || self.has_all_data(remote).await {
            self.memory().forget(id);
            return Sought::Over;
        }
        let Ok(_place) = self.seekers.try_acquire() else { return Sought::Unknown };
        let until = Instant::now() + WAIT;
        loop {
            if remote.is_ended(id).await.unwrap_or_default() {
                self.memory().forget(id);
                return Sought::Over;
            }
            if let Sought::Found(kept) = self.remembered(id).await {
                return match remote.restore(id, &kept).await {
                    Ok(Written::Over) => {
                        self.memory().forget(id);
                        Sought::Over
                    }
                    Ok(Written::Yes) => {
                        self.memory().set_in_redis(id, self.state());
                        Sought::Found(kept)
                    }
                    Err(_) => Sought::Found(kept),
                };
            }
            if let Ok(Some(kept)) = remote.load(id).await {
                return Sought::Found(kept);
            }
            if self.is_settled() {
                return Sought::Over;
            }
            if Instant::now() >= until {
                return Sought::Unknown;
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// What is known without Redis: in memory, or in the backup.
    pub(super) async fn remembered(&self, id: &str) -> Sought {
        if self.memory().endings.is_over(id, None) {
            return Sought::Over;
        }
        let ends_at = self.ends_at();
        if let Some(kept) = self.memory().prolong(id, ends_at) {
            return Sought::Found(kept);
        }
        let Some(backup) = &self.backup else { return Sought::Unknown };
        match backup.load(id).await {
            Some(kept) if self.memory().keep(id, kept.clone(), 0) => Sought::Found(kept),
            Some(_) => Sought::Over,
            None => Sought::Unknown,
        }
    }

    /// Whether what Redis does not have is over: its data are those it had, and every instance has put
    /// back what it remembered. Finds out when they are others.
    pub(super) async fn has_all_data(&self, remote: &Remote) -> bool {
        match remote.state(&new_name()).await {
            Ok(name) if self.found().name.as_ref() == Some(&name) => self.is_settled(),
            Ok(name) => {
                self.enter_state(name);
                self.repair_wanted.notify_one();
                self.is_settled()
            }
            Err(_) => false,
        }
    }

    /// From here on Redis counts as having nothing of what is remembered here.
    pub(super) fn enter_state(&self, name: String) {
        let mut found = self.found();
        // Whoever is new has nothing to put back: it waits for the others only.
        let since = if found.name.is_none() { named_at(&name) } else { now_milliseconds() };
        let age = Duration::from_millis(now_milliseconds().saturating_sub(since));
        found.name = Some(name);
        found.is_anew = false;
        found.settled_at = Some(Instant::now() + UNSETTLED_FOR.saturating_sub(age));
        drop(found);
        self.state.fetch_add(1, Ordering::AcqRel);
    }
}

/// A name for the state of data that have none: unique, with the moment it was given.
pub(super) fn new_name() -> String {
    format!("{}@{}", Uuid::new_v4().simple(), now_milliseconds())
}

fn named_at(name: &str) -> u64 {
    name.split_once('@').and_then(|(_, at)| at.parse().ok()).unwrap_or_default()
}
