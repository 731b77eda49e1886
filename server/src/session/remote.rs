//! Sessions in Redis.
//!
//! An end is written before the session is removed, and looked for after a session is put back where
//! there is none: so nothing that is over comes back, in whichever order instances do it.

use std::time::Duration;

use super::{endings::Ending, facts::Kept};
use crate::{
    bus::{BusError, Keys, Put},
    clock::now_milliseconds,
};

/// How long a user's set of sessions lives after the last was added.
const SET_LIFE: Duration = Duration::from_hours(7 * 24);
/// How much longer an end is known than a session lives.
const KNOWN_LONGER: Duration = Duration::from_hours(1);
/// Names the state of the data: Redis that lost its data has another, or none.
const STATE: &str = "sessions:state";
/// How long the name lives without being looked at.
const STATE_LIFE: Duration = Duration::from_hours(30 * 24);

/// The sessions of all instances.
pub(super) struct Remote {
    pub(super) keys: Keys,
    life: Duration,
}

/// What became of a session that was to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// It is there.
    Yes,
    /// It is over.
    Over,
}

impl Remote {
    pub(super) fn new(keys: Keys, life: Duration) -> Self {
        Self { keys, life }
    }

    /// The session, which was used.
    pub(super) async fn load(&self, id: &str) -> Result<Option<Kept>, BusError> {
        Ok(self.keys.get_and_prolong(&session_key(id), self.life).await?.as_deref().and_then(Kept::parse))
    }

    /// The session, without using it.
    pub(super) async fn peek(&self, id: &str) -> Result<Option<Kept>, BusError> {
        Ok(self.keys.get(&session_key(id)).await?.as_deref().and_then(Kept::parse))
    }

    /// Writes a session whose id is new; `false` when it is not.
    pub(super) async fn create(&self, id: &str, kept: &Kept) -> Result<bool, BusError> {
        if !self.keys.put(&session_key(id), &kept.to_json(), self.life, Put::IfAbsent).await? {
            return Ok(false);
        }
        self.enlist(id, kept).await?;
        Ok(true)
    }

    /// Writes a session that was there, or may have been lost.
    pub(super) async fn save(&self, id: &str, kept: &Kept) -> Result<Written, BusError> {
        if self.keys.put(&session_key(id), &kept.to_json(), self.life, Put::IfThere).await? {
            self.enlist(id, kept).await?;
            return Ok(Written::Yes);
        }
        self.restore(id, kept).await
    }

    /// Puts a session back where there is none, for what is left of its life.
    pub(super) async fn restore(&self, id: &str, kept: &Kept) -> Result<Written, BusError> {
        let left = kept.ends_at.saturating_sub(now_milliseconds());
        if left == 0 || self.is_over(id, kept).await? {
            return Ok(Written::Over);
        }
        let is_new =
            self.keys.put(&session_key(id), &kept.to_json(), Duration::from_millis(left), Put::IfAbsent).await?;
        if is_new && self.is_over(id, kept).await? {
            self.keys.remove(&session_key(id)).await?;
            return Ok(Written::Over);
        }
        self.enlist(id, kept).await?;
        Ok(Written::Yes)
    }

    /// Ends what is over, for every instance.
    pub(super) async fn end(&self, ending: &Ending) -> Result<(), BusError> {
        let known = self.ends_known_for();
        match ending {
            Ending::Session { id, user } => {
                self.keys.put(&ended_key(id), "1", known, Put::Always).await?;
                self.keys.remove(&session_key(id)).await?;
                if !user.is_empty() {
                    self.keys.remove_members(&user_key(user), std::slice::from_ref(id)).await?;
                }
            }
            Ending::User { user, until } => {
                let before = self.ended_until(user).await?;
                if before < *until {
                    self.keys.put(&user_ended_key(user), &until.to_string(), known, Put::Always).await?;
                }
                for id in self.of_user(user).await? {
                    let is_later = |kept: Kept| kept.facts().is_some_and(|facts| facts.since > *until);
                    if self.peek(&id).await?.is_some_and(is_later) {
                        continue;
                    }
                    self.keys.put(&ended_key(&id), "1", known, Put::Always).await?;
                    self.keys.remove(&session_key(&id)).await?;
                    self.keys.remove_members(&user_key(user), &[id]).await?;
                }
            }
        }
        Ok(())
    }

    /// Whether somebody ended it.
    pub(super) async fn is_over(&self, id: &str, kept: &Kept) -> Result<bool, BusError> {
        if self.is_ended(id).await? {
            return Ok(true);
        }
        match kept.facts() {
            Some(facts) => Ok(facts.since <= self.ended_until(&facts.user.id).await?),
            None => Ok(false),
        }
    }

    /// The same where nothing but its name is known.
    pub(super) async fn is_ended(&self, id: &str) -> Result<bool, BusError> {
        Ok(self.keys.get(&ended_key(id)).await?.is_some())
    }

    /// Up to which moment everything of a user is over.
    pub(super) async fn ended_until(&self, user: &str) -> Result<u64, BusError> {
        let until = self.keys.get(&user_ended_key(user)).await?;
        Ok(until.and_then(|until| until.parse().ok()).unwrap_or_default())
    }

    /// How long each of these sessions lives unless it is used; `None` for one that is not there. Redis takes them
    /// for used when it looks for what to evict.
    pub(super) async fn touch(&self, ids: &[String]) -> Result<Vec<Option<Duration>>, BusError> {
        let keys: Vec<String> = ids.iter().map(|id| session_key(id)).collect();
        self.keys.touch(&keys).await
    }

    /// Writes again what Redis no longer knows to be over.
    pub(super) async fn end_again(&self, endings: Vec<Ending>) -> Result<(), BusError> {
        let keys: Vec<String> = endings
            .iter()
            .map(|ending| match ending {
                Ending::Session { id, .. } => ended_key(id),
                Ending::User { user, .. } => user_ended_key(user),
            })
            .collect();
        let lives = self.keys.touch(&keys).await?;
        for (ending, _) in endings.iter().zip(lives).filter(|(_, left)| left.is_none()) {
            self.end(ending).await?;
        }
        Ok(())
    }

    /// How long an end is known.
    pub(super) fn ends_known_for(&self) -> Duration {
        self.life + KNOWN_LONGER
    }

    /// The sessions a user may have.
    pub(super) async fn of_user(&self, user: &str) -> Result<Vec<String>, BusError> {
        self.keys.members(&user_key(user)).await
    }

    /// Removes what is no session any more from a user's set.
    pub(super) async fn delist(&self, user: &str, ids: &[String]) -> Result<(), BusError> {
        self.keys.remove_members(&user_key(user), ids).await
    }

    async fn enlist(&self, id: &str, kept: &Kept) -> Result<(), BusError> {
        match kept.facts() {
            Some(facts) => self.keys.add_member(&user_key(&facts.user.id), id, SET_LIFE).await,
            None => Ok(()),
        }
    }

    /// Names the state the data is in; gives it this name when it has none.
    pub(super) async fn state(&self, new: &str) -> Result<String, BusError> {
        loop {
            if let Some(name) = self.keys.get_and_prolong(STATE, STATE_LIFE).await? {
                return Ok(name);
            }
            self.keys.put(STATE, new, STATE_LIFE, Put::IfAbsent).await?;
        }
    }
}

fn session_key(id: &str) -> String {
    format!("sess:{id}")
}

fn user_key(user: &str) -> String {
    format!("user:sessions:{user}")
}

fn ended_key(id: &str) -> String {
    format!("sessions:ended:{id}")
}

fn user_ended_key(user: &str) -> String {
    format!("sessions:ended-until:{user}")
}
