//! The sessions this instance remembers: those used lately, for the time Redis is away.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    endings::{Ending, Endings},
    facts::Kept,
};
use crate::clock::now_milliseconds;

/// How long an expired session is known to have expired.
const EXPIRED_KNOWN_FOR: Duration = Duration::from_mins(1);

/// Bounded; the session used longest ago is forgotten first. It is in Redis still, unless Redis is away.
pub(super) struct Memory {
    sessions: HashMap<String, Remembered>,
    /// By when they were last used.
    order: BTreeMap<u64, String>,
    uses: u64,
    max: usize,
    pub(super) endings: Endings,
}

struct Remembered {
    kept: Kept,
    /// The use that is the last so far.
    used: u64,
    /// Which of the states Redis was in has the session; 0 for none.
    in_redis: u64,
    /// When it was last handed to the backup.
    backed_up_at: Option<Instant>,
}

impl Memory {
    pub(super) fn new(max: usize) -> Self {
        Self { sessions: HashMap::new(), order: BTreeMap::new(), uses: 0, max, endings: Endings::new(max) }
    }

    /// A session that is neither over nor expired.
    pub(super) fn get(&self, id: &str) -> Option<&Kept> {
        self.sessions.get(id).map(|remembered| &remembered.kept).filter(|kept| !kept.is_expired())
    }

    /// Whether a session is known to have come to its end by not being used.
    pub(super) fn has_expired(&self, id: &str) -> bool {
        self.sessions.get(id).is_some_and(|remembered| remembered.kept.is_expired())
    }

    /// Remembers a session as it is now, with the state of Redis that has it; `false` when it is over.
    pub(super) fn keep(&mut self, id: &str, kept: Kept, in_redis: u64) -> bool {
        if self.is_over(id, &kept) {
            self.forget(id);
            return false;
        }
        self.uses += 1;
        let used = self.uses;
        let backed_up_at = match self.sessions.remove(id) {
            Some(before) => {
                self.order.remove(&before.used);
                before.backed_up_at
            }
            None => None,
        };
        self.order.insert(used, id.to_owned());
        self.sessions.insert(id.to_owned(), Remembered { kept, used, in_redis, backed_up_at });
        if self.sessions.len() > self.max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.sessions.remove(&oldest);
        }
        true
    }

    /// Lives on until then: it was used.
    pub(super) fn prolong(&mut self, id: &str, ends_at: u64) -> Option<Kept> {
        let kept = self.get(id).cloned()?;
        let in_redis = self.sessions.get(id).map_or(0, |remembered| remembered.in_redis);
        let kept = Kept { ends_at, ..kept };
        self.keep(id, kept.clone(), in_redis).then_some(kept)
    }

    /// It lives on for so long, as Redis says, and its socket is open: it counts as used here. Whether it is remembered.
    pub(super) fn lives_for(&mut self, id: &str, left: Duration) -> bool {
        let Some(remembered) = self.sessions.get_mut(id) else { return false };
        remembered.kept.ends_at =
            now_milliseconds().saturating_add(u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        self.uses += 1;
        let before = std::mem::replace(&mut remembered.used, self.uses);
        if let Some(id) = self.order.remove(&before) {
            self.order.insert(self.uses, id);
        }
        true
    }

    /// Whether another session would push one out.
    pub(super) fn is_full(&self) -> bool {
        self.sessions.len() >= self.max
    }

    /// Redis has it now.
    pub(super) fn set_in_redis(&mut self, id: &str, state: u64) {
        if let Some(remembered) = self.sessions.get_mut(id) {
            remembered.in_redis = state;
        }
    }

    /// Whether it is time to hand the session to the backup; counts as done.
    pub(super) fn is_backup_due(&mut self, id: &str, every: Duration) -> bool {
        let Some(remembered) = self.sessions.get_mut(id) else { return false };
        let is_due = remembered.backed_up_at.is_none_or(|at| at.elapsed() >= every);
        if is_due {
            remembered.backed_up_at = Some(Instant::now());
        }
        is_due
    }

    pub(super) fn forget(&mut self, id: &str) {
        if let Some(remembered) = self.sessions.remove(id) {
            self.order.remove(&remembered.used);
        }
    }

    /// Notes that something is over, and forgets it; the sessions that were remembered of it.
    pub(super) fn end(&mut self, ending: &Ending) -> Vec<String> {
        self.endings.note(ending);
        let ended = match ending {
            Ending::Session { id, .. } => vec![id.clone()],
            Ending::User { user, .. } => {
                let mut of_user = self.of_user(user);
                of_user.retain(|(id, kept)| self.is_over(id, kept));
                of_user.into_iter().map(|(id, _)| id).collect()
            }
        };
        for id in &ended {
            self.forget(id);
        }
        ended
    }

    pub(super) fn is_over(&self, id: &str, kept: &Kept) -> bool {
        let facts = kept.facts();
        self.endings.is_over(id, facts.as_ref().map(|facts| (facts.user.id.as_str(), facts.since)))
    }

    /// The sessions of a user that are remembered.
    pub(super) fn of_user(&self, user: &str) -> Vec<(String, Kept)> {
        let is_of_user = |kept: &Kept| !kept.is_expired() && kept.facts().is_some_and(|facts| facts.user.id == user);
        let found = self.sessions.iter().filter(|(_, remembered)| is_of_user(&remembered.kept));
        found.map(|(id, remembered)| (id.clone(), remembered.kept.clone())).collect()
    }

    /// Some of those that Redis, in this state, does not have.
    pub(super) fn not_in_redis(&self, state: u64, limit: usize) -> Vec<(String, Kept)> {
        let missing = self.sessions.iter().filter(|(_, it)| it.in_redis != state && !it.kept.is_expired());
        missing.take(limit).map(|(id, remembered)| (id.clone(), remembered.kept.clone())).collect()
    }

    /// How many have not expired.
    pub(super) fn live(&self) -> usize {
        self.sessions.values().filter(|it| !it.kept.is_expired()).count()
    }

    /// Forgets what expired a while ago, and ends that are older than this: no copy of what they ended is left. Until then
    /// an expired session is known as such: its sockets end without asking other instances.
    pub(super) fn sweep(&mut self, ends_known_for: Duration) {
        self.endings.sweep(Instant::now(), ends_known_for);
        let expired: Vec<String> = self
            .sessions
            .iter()
            .filter(|(_, it)| it.kept.expired_before(EXPIRED_KNOWN_FOR))
            .map(|(id, _)| id.clone())
            .collect();
        for id in &expired {
            self.forget(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn kept() -> Kept {
        Kept { data: HashMap::new(), ends_at: now_milliseconds() + 60_000 }
    }

    #[test]
    fn the_session_used_longest_ago_is_forgotten_first() {
        let mut memory = Memory::new(2);
        memory.keep("a", kept(), 1);
        memory.keep("b", kept(), 1);
        memory.prolong("a", now_milliseconds() + 60_000);
        memory.keep("c", kept(), 1);
        assert_eq!(["a", "b", "c"].map(|id| memory.get(id).is_some()), [true, false, true]);
    }

    #[test]
    fn what_is_over_cannot_be_remembered_again() {
        let mut memory = Memory::new(2);
        memory.keep("a", kept(), 1);
        memory.end(&Ending::Session { id: "a".into(), user: String::new() });
        assert!(!memory.keep("a", kept(), 1));
        assert!(memory.get("a").is_none());
    }

    #[test]
    fn a_session_whose_socket_is_open_is_not_the_one_used_longest_ago() {
        let mut memory = Memory::new(2);
        memory.keep("a", kept(), 1);
        memory.keep("b", kept(), 1);
        assert!(memory.lives_for("a", Duration::from_secs(60)) && !memory.lives_for("x", Duration::from_secs(60)));
        memory.keep("c", kept(), 1);
        assert_eq!(["a", "b", "c"].map(|id| memory.get(id).is_some()), [true, false, true]);
        assert!(memory.lives_for("a", Duration::ZERO));
        assert!(memory.has_expired("a"));
    }

    #[test]
    fn what_has_expired_is_gone() {
        let mut memory = Memory::new(2);
        memory.keep("a", Kept { ends_at: 1, ..kept() }, 1);
        assert!(memory.get("a").is_none());
        memory.sweep(Duration::from_hours(1));
        assert!(memory.not_in_redis(2, 9).is_empty());
    }
}
