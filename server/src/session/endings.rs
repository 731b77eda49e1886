//! What is over and must not come back.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// News that something is over. Sessions are named as in their cookies, without the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Ending {
    /// One session.
    Session {
        /// Names it.
        id: String,
        /// Whose it was; empty when that is not known.
        #[serde(default)]
        user: String,
    },
    /// Everything a user began up to a moment.
    #[serde(rename_all = "camelCase")]
    User {
        /// Whose.
        user: String,
        /// Milliseconds since 1970.
        until: u64,
    },
}

/// Endings this instance knows: bounded, the oldest fall out. By then no copy of what they ended is
/// left, unless more ended in a session's life than is remembered.
pub(super) struct Endings {
    sessions: Bounded<String, ()>,
    users: Bounded<String, u64>,
    /// How many of them were looked at in this round.
    looked_at: usize,
    /// Those Redis does not know yet; beyond the bound the oldest are not told.
    untold: VecDeque<Ending>,
    max: usize,
}

impl Endings {
    pub(super) fn new(max: usize) -> Self {
        Self { sessions: Bounded::new(max), users: Bounded::new(max), looked_at: 0, untold: VecDeque::new(), max }
    }

    pub(super) fn note(&mut self, ending: &Ending) {
        match ending {
            Ending::Session { id, .. } => self.sessions.insert(id.clone(), ()),
            Ending::User { user, until } => {
                let until = self.users.get(user).map_or(*until, |before| *until.max(before));
                self.users.insert(user.clone(), until);
            }
        }
    }

    /// Whether a session of this user that began then is over.
    pub(super) fn is_over(&self, id: &str, user: Option<(&str, u64)>) -> bool {
        self.sessions.get(id).is_some()
            || user.is_some_and(|(user, since)| self.users.get(user).is_some_and(|until| since <= *until))
    }

    /// The moment up to which everything of this user is over.
    pub(super) fn until(&self, user: &str) -> Option<u64> {
        self.users.get(user).copied()
    }

    /// Keeps it for when Redis is back.
    pub(super) fn tell_later(&mut self, ending: Ending) {
        self.untold.push_back(ending);
        if self.untold.len() > self.max {
            self.untold.pop_front();
        }
    }

    /// The oldest of what Redis does not know.
    pub(super) fn first_untold(&self) -> Option<Ending> {
        self.untold.front().cloned()
    }

    /// Redis knows the oldest now, if that is still this one.
    pub(super) fn told(&mut self, ending: &Ending) {
        if self.untold.front() == Some(ending) {
            self.untold.pop_front();
        }
    }

    /// Some of them, others each time until it was all of them once: to see whether Redis has them still.
    pub(super) fn some(&mut self, limit: usize) -> Vec<Ending> {
        let (sessions, users) = (&self.sessions.order, &self.users.order);
        if self.looked_at >= sessions.len() + users.len() {
            self.looked_at = 0;
        }
        let sessions = sessions.iter().map(|(id, _)| Ending::Session { id: id.clone(), user: String::new() });
        let users = users
            .iter()
            .filter_map(|(user, _)| Some(Ending::User { user: user.clone(), until: *self.users.get(user)? }));
        let some: Vec<Ending> = sessions.chain(users).skip(self.looked_at).take(limit).collect();
        self.looked_at += limit;
        some
    }

    /// Forgets those that are older.
    pub(super) fn sweep(&mut self, now: Instant, known_for: Duration) {
        self.sessions.sweep(now, known_for);
        self.users.sweep(now, known_for);
    }

    /// What is remembered of sessions, for telling a Redis that has lost its data.
    pub(super) fn all(&self) -> Vec<Ending> {
        let sessions = self.sessions.values.keys().map(|id| Ending::Session { id: id.clone(), user: String::new() });
        let users = self.users.values.iter().map(|(user, until)| Ending::User { user: user.clone(), until: *until });
        sessions.chain(users).collect()
    }
}

/// A map that forgets what came first.
struct Bounded<K, V> {
    values: HashMap<K, V>,
    /// With the moments they came.
    order: VecDeque<(K, Instant)>,
    max: usize,
}

impl<K: Clone + Eq + Hash, V> Bounded<K, V> {
    fn new(max: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), max }
    }

    fn get<Q: ?Sized + Eq + Hash>(&self, key: &Q) -> Option<&V>
    where
        K: std::borrow::Borrow<Q>,
    {
        self.values.get(key)
    }

    fn insert(&mut self, key: K, value: V) {
        if self.values.insert(key.clone(), value).is_none() {
            self.order.push_back((key, Instant::now()));
        }
        if self.order.len() > self.max {
            self.forget_first();
        }
    }

    fn sweep(&mut self, now: Instant, kept_for: Duration) {
        while self.order.front().is_some_and(|(_, at)| now.saturating_duration_since(*at) > kept_for) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((first, _)) = self.order.pop_front() {
            self.values.remove(&first);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Ending, Endings, Instant};

    fn session(id: &str) -> Ending {
        Ending::Session { id: id.into(), user: String::new() }
    }

    #[test]
    fn what_ended_first_is_forgotten_first() {
        let mut endings = Endings::new(2);
        for id in ["a", "b", "c"] {
            endings.note(&session(id));
            endings.tell_later(session(id));
        }
        assert_eq!(["a", "b", "c"].map(|id| endings.is_over(id, None)), [false, true, true]);
        assert_eq!(endings.first_untold(), Some(session("b")));
    }

    #[test]
    fn every_end_is_looked_at_in_turn_until_it_is_too_old() {
        let mut endings = Endings::new(8);
        endings.note(&session("a"));
        endings.note(&Ending::User { user: "mona".into(), until: 10 });
        endings.note(&session("b"));
        let looked_at: Vec<Ending> = (0..2).flat_map(|_| endings.some(2)).collect();
        assert_eq!(looked_at.len(), 3);
        assert!(["a", "b"].iter().all(|id| looked_at.contains(&session(id))));
        let known_for = Duration::from_secs(60);
        endings.sweep(Instant::now(), known_for);
        assert_eq!(endings.some(9).len(), 3);
        endings.sweep(Instant::now() + known_for * 2, known_for);
        assert!(endings.some(9).is_empty() && !endings.is_over("a", None));
    }

    #[test]
    fn what_a_user_began_later_goes_on() {
        let mut endings = Endings::new(8);
        endings.note(&Ending::User { user: "mona".into(), until: 10 });
        // Late news of an earlier moment.
        endings.note(&Ending::User { user: "mona".into(), until: 5 });
        let is_over = |since| endings.is_over("s", Some(("mona", since)));
        assert_eq!([9, 10, 11].map(is_over), [true, true, false]);
        assert!(!endings.is_over("s", Some(("otto", 1))));
    }
}
