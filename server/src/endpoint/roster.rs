//! Which users are on one endpoint of this instance, with a little patience for those who leave. Data only.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::time::Instant;
use wire::endpoint::Present;

/// How long a user stays present after the last socket closed: a page that is reloaded is back by then.
pub const GRACE: Duration = Duration::from_secs(3);

/// The users of one endpoint.
#[derive(Debug, Default)]
pub struct Roster {
    users: HashMap<Arc<str>, Entry>,
    /// Users whose patience runs.
    leaving: usize,
}

#[derive(Debug)]
struct Entry {
    present: Present,
    sockets: usize,
    gone_at: Option<Instant>,
}

impl Roster {
    /// A socket of this user opened; whether the user was not present.
    pub fn enter(&mut self, user: &Arc<str>, present: &Present) -> bool {
        let mut is_new = false;
        let entry = self.users.entry(Arc::clone(user)).or_insert_with(|| {
            is_new = true;
            Entry { present: present.clone(), sockets: 0, gone_at: None }
        });
        entry.sockets += 1;
        if entry.gone_at.take().is_some() {
            self.leaving -= 1;
        }
        is_new
    }

    /// A socket of this user closed.
    pub fn leave(&mut self, user: &str, now: Instant) {
        let Some(entry) = self.users.get_mut(user) else { return };
        entry.sockets = entry.sockets.saturating_sub(1);
        if entry.sockets == 0 && entry.gone_at.is_none() {
            entry.gone_at = Some(now + GRACE);
            self.leaving += 1;
        }
    }

    /// Removes those who did not come back in time.
    pub fn sweep(&mut self, now: Instant) -> Vec<Arc<str>> {
        if self.leaving == 0 {
            return Vec::new();
        }
        let mut gone = Vec::new();
        self.users.retain(|user, entry| {
            let stays = entry.gone_at.is_none_or(|gone_at| gone_at > now);
            if !stays {
                gone.push(Arc::clone(user));
            }
            stays
        });
        self.leaving -= gone.len();
        gone
    }

    /// Whether this user is present.
    pub fn has(&self, user: &str) -> bool {
        self.users.contains_key(user)
    }

    /// Everybody.
    pub fn users(&self) -> impl Iterator<Item = (&Arc<str>, &Present)> {
        self.users.iter().map(|(user, entry)| (user, &entry.present))
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.users.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_reload_does_not_flap_and_who_stays_away_is_gone() {
        let (mut roster, now) = (Roster::default(), Instant::now());
        let (user, present): (Arc<str>, _) = ("u".into(), Present::default());
        assert!(roster.enter(&user, &present));
        assert!(!roster.enter(&user, &present), "a second tab");
        roster.leave(&user, now);
        assert!(roster.sweep(now + GRACE * 2).is_empty(), "the other tab is there");
        roster.leave(&user, now);
        assert!(roster.sweep(now + GRACE / 2).is_empty());
        assert!(!roster.enter(&user, &present), "back in time");
        assert!(roster.sweep(now + GRACE * 2).is_empty());
        roster.leave(&user, now);
        assert_eq!(roster.sweep(now + GRACE), [Arc::clone(&user)]);
        assert!(roster.len() == 0 && roster.sweep(now + GRACE * 9).is_empty());
        roster.leave(&user, now);
        assert!(roster.enter(&user, &present));
    }
}
