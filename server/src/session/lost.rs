//! Where a session is that Redis does not have, or cannot be asked for.
//!
//! A key that is missing is no end: Redis may have lost its data, or evicted the key to make room. A session is over
//! when it was ended, when its time is up, or when nobody remembers it: neither this instance, nor its backup, nor
//! any other instance within [`GIVEN_UP_AFTER`].

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{
    Inner, UNSETTLED_FOR,
    endings::Ending,
    facts::Kept,
    remote::{Remote, Written},
};
use crate::{
    bus::{Told, TopicInbox},
    clock::now_milliseconds,
};

/// What topics of sessions begin with.
pub const FAMILY: &str = "session:";
/// Where instances ask each other for sessions that Redis lacks.
const WANTED: &str = "session:wanted";
/// How long a request waits for a session that another instance may put back.
const WAIT: Duration = Duration::from_millis(300);
/// The same while Redis gets back what it lost.
const WAIT_UNSETTLED: Duration = Duration::from_millis(1_500);
/// How often it looks.
const LOOK_EVERY: Duration = Duration::from_millis(25);
/// How long instances are asked for a session before nobody remembering it makes it over: one of them may hang.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(10);
/// Sessions put back at once for others who ask.
const ANSWERED_AT_ONCE: usize = 32;
/// Sessions that are remembered as asked for at most; beyond, all are forgotten, and asked for as if anew.
const ASKED_FOR: usize = 10_000;

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

/// Since when instances are asked for sessions that nobody has put back. Bounded by [`ASKED_FOR`].
#[derive(Default)]
pub(super) struct AskedFor(HashMap<String, Instant>);

impl AskedFor {
    /// Since when; from now on if it is new.
    fn since(&mut self, id: &str) -> Instant {
        if self.0.len() >= ASKED_FOR && !self.0.contains_key(id) {
            self.0.clear();
        }
        *self.0.entry(id.to_owned()).or_insert_with(Instant::now)
    }
}

/// Puts back what other instances ask for and this one remembers.
pub(super) async fn answer(inner: Arc<Inner>, inbox: TopicInbox) {
    // Remembered if there is no link yet.
    let _ = inner.topics.hear(&[WANTED.to_owned()]).await;
    let asked = stream::unfold(inbox, |mut inbox| async move { Some((inbox.next().await?, inbox)) });
    let answering = asked.for_each_concurrent(ANSWERED_AT_ONCE, |Told { text, .. }| {
        let inner = &inner;
        async move {
            if let (Ok(id), Some(remote)) = (std::str::from_utf8(&text), &inner.remote) {
                inner.put_back(remote, id).await;
            }
        }
    });
    answering.await;
}

impl Inner {
    /// Takes a session that Redis has. One that was not seen here may have been ended when nothing was left to name
    /// it: then it ends now.
    pub(super) async fn accept(&self, remote: &Remote, id: &str, kept: Kept, state: u64) -> Sought {
        let is_new = self.memory().get(id).is_none();
        if is_new && remote.is_over(id, &kept).await.unwrap_or_default() {
            let user = kept.facts().map(|facts| facts.user.id).unwrap_or_default();
            self.memory().endings.tell_later(Ending::Session { id: id.to_owned(), user });
            self.repair_wanted.notify_one();
            return Sought::Over;
        }
        let kept = Kept { ends_at: self.ends_at(), ..kept };
        if self.memory().keep(id, kept.clone(), state) { Sought::Found(kept) } else { Sought::Over }
    }

    /// Looks for a session that Redis does not have.
    pub(super) async fn seek(&self, remote: &Remote, id: &str) -> Sought {
        if remote.is_ended(id).await.unwrap_or_default() {
            self.memory().forget(id);
            return Sought::Over;
        }
        // Finds out when the data are others: then what is remembered here is put back as a whole.
        self.has_all_data(remote).await;
        match self.put_back(remote, id).await {
            Sought::Unknown => self.ask_others(remote, id).await,
            sought => sought,
        }
    }

    /// Puts a session back that is remembered here and not over.
    pub(super) async fn put_back(&self, remote: &Remote, id: &str) -> Sought {
        let state = self.state();
        let Some(kept) = self.memory().get(id).cloned() else { return self.find_in_backup(remote, id).await };
        match remote.restore(id, &kept).await {
            Ok(Written::Over) => {
                self.memory().forget(id);
                Sought::Over
            }
            Ok(Written::Yes) => {
                self.memory().set_in_redis(id, state);
                Sought::Found(kept)
            }
            Err(_) => Sought::Found(kept),
        }
    }

    async fn find_in_backup(&self, remote: &Remote, id: &str) -> Sought {
        let Some(backup) = &self.backup else { return Sought::Unknown };
        let Some(kept) = backup.load(id).await else { return Sought::Unknown };
        if !self.memory().keep(id, kept.clone(), 0) {
            return Sought::Over;
        }
        match remote.restore(id, &kept).await {
            Ok(Written::Over) => {
                self.memory().forget(id);
                Sought::Over
            }
            Ok(Written::Yes) | Err(_) => Sought::Found(kept),
        }
    }

    async fn ask_others(&self, remote: &Remote, id: &str) -> Sought {
        let Ok(_place) = self.seekers.try_acquire() else { return Sought::Unknown };
        let asked_since = self.asked_for().since(id);
        self.topics.tell(WANTED, id.to_owned().into());
        let state = self.state();
        let until = Instant::now() + if self.is_settled() { WAIT } else { WAIT_UNSETTLED };
        while Instant::now() < until {
            sleep(LOOK_EVERY).await;
            match remote.load(id).await {
                Ok(Some(kept)) => {
                    self.asked_for().0.remove(id);
                    return self.accept(remote, id, kept, state).await;
                }
                Ok(None) => {}
                Err(_) => return Sought::Unknown,
            }
        }
        if self.is_settled() && asked_since.elapsed() >= GIVEN_UP_AFTER {
            self.memory().forget(id);
            return Sought::Over;
        }
        Sought::Unknown
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

    /// Whether Redis has the data it had, and every instance has put back what it remembered. Finds out when they
    /// are others.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_remembered_within_a_bound() {
        let mut asked_for = AskedFor::default();
        let since = asked_for.since("a");
        assert_eq!(asked_for.since("a"), since);
        for number in 0..ASKED_FOR * 2 {
            asked_for.since(&format!("{number}"));
            assert!(asked_for.0.len() <= ASKED_FOR);
        }
    }
}
