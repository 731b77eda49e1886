//! What this instance wants to hear, and what Redis was asked for over the present link.
//!
//! Wanting is counted at once, without waiting: who is counted may go away before Redis has answered. Redis is asked for
//! the difference afterwards, under a lock, so that two questions never cross; the counts decide, not the order of the
//! callers. Each step costs the same however much is heard.

#![expect(clippy::disallowed_types, reason = "locked while Redis is asked, so that questions never cross")]

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
};

use wire::{Channel, Pattern};

use super::{
    BusError, Shared,
    connection::{Connection, Kind, NAMED_TOGETHER},
};

/// What Redis can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Name {
    /// One channel of Redis, without the prefix: a topic, or `bc:` and a channel of broadcasts.
    Channel(String),
    /// All channels of broadcasts that match.
    Wildcard(Pattern),
}

/// Names with how often each is wanted. As many as the subscriptions of this instance's sockets.
#[derive(Default)]
pub(super) struct Interest {
    wanted: Mutex<HashMap<Name, usize>>,
    asked: tokio::sync::Mutex<HashSet<Name>>,
}

/// What Redis was asked for, locked while it is asked for more or less.
pub(super) struct Asked<'a> {
    wanted: &'a Mutex<HashMap<Name, usize>>,
    asked: tokio::sync::MutexGuard<'a, HashSet<Name>>,
}

/// What Redis has to be asked for so that it sends what is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// To subscribe to.
    hear: Vec<Name>,
    /// To unsubscribe from.
    ignore: Vec<Name>,
}

impl Name {
    /// The name of what a pattern of broadcasts matches.
    pub(super) fn of(pattern: &Pattern) -> Self {
        if pattern.prefix().is_some() {
            Self::Wildcard(pattern.clone())
        } else {
            Self::Channel(format!("bc:{pattern}"))
        }
    }

    /// The names of topics.
    pub(super) fn of_topics(topics: &[String]) -> Vec<Self> {
        topics.iter().cloned().map(Self::Channel).collect()
    }
}

impl Interest {
    /// Counts one more who wants to hear each of `names`.
    pub(super) fn want(&self, names: &[Name]) {
        let mut wanted = lock(&self.wanted);
        for name in names {
            *wanted.entry(name.clone()).or_default() += 1;
        }
    }

    /// Undoes one [`Interest::want`].
    pub(super) fn release(&self, names: &[Name]) {
        let mut wanted = lock(&self.wanted);
        for name in names {
            let Some(count) = wanted.get_mut(name) else { continue };
            *count -= 1;
            if *count == 0 {
                wanted.remove(name);
            }
        }
    }

    /// Waits until nobody else asks Redis.
    pub(super) async fn lock(&self) -> Asked<'_> {
        Asked { wanted: &self.wanted, asked: self.asked.lock().await }
    }
}

impl Asked<'_> {
    /// Begins a new link, over which nothing was asked for yet; everything that is wanted. It counts as asked for from now
    /// on: a link over which it cannot be had does not come up.
    pub(super) fn begin(&mut self) -> Vec<Name> {
        let wanted: Vec<Name> = lock(self.wanted).keys().cloned().collect();
        *self.asked = wanted.iter().cloned().collect();
        wanted
    }

    /// What Redis has to be asked for of these names.
    fn difference(&self, names: &[Name]) -> Difference {
        let wanted = lock(self.wanted);
        let mut difference = Difference::default();
        let Difference { hear, ignore } = &mut difference;
        for name in names {
            match (wanted.contains_key(name), self.asked.contains(name)) {
                (true, false) if !hear.contains(name) => hear.push(name.clone()),
                (false, true) if !ignore.contains(name) => ignore.push(name.clone()),
                _ => {}
            }
        }
        difference
    }
}

impl Shared {
    /// Brings what Redis sends in line with who wants to hear these names; Redis does so when this returns. In a task of its
    /// own: it is brought to its end also when nobody waits for it any more, unless the bus stops.
    pub(super) async fn settle(self: &Arc<Self>, names: Vec<Name>) -> Result<(), BusError> {
        let (shared, stop) = (Arc::clone(self), self.stop.clone());
        let settling = self.tasks.spawn(stop.run_until_cancelled_owned(async move {
            let settled = shared.try_to_settle(&names).await;
            // Too slow an answer says nothing of what was done.
            if settled.as_ref().is_err_and(BusError::may_pass) { shared.try_to_settle(&names).await } else { settled }
        }));
        settling.await.ok().flatten().unwrap_or(Err(BusError::Down))
    }

    async fn try_to_settle(&self, names: &[Name]) -> Result<(), BusError> {
        let connection = {
            let mut asked = self.interest.lock().await;
            // The next link begins with everything that is wanted.
            let connection = self.connection()?;
            let Difference { hear, ignore } = asked.difference(names);
            let (wildcards, channels) = self.split(&hear);
            for wildcard in wildcards {
                self.wildcards.insert(wildcard);
                let heard = connection.hear(self.redis_name(wildcard.as_str()), Kind::Pattern).await;
                if heard.as_ref().is_err_and(BusError::is_forbidden) {
                    self.note_forbidden(wildcard);
                }
                heard?;
            }
            connection.hear_all(channels).await?;
            asked.asked.extend(hear);
            if !ignore.is_empty() {
                self.ignore(&connection, &ignore).await?;
                for name in &ignore {
                    asked.asked.remove(name);
                }
                return Ok(());
            }
            connection
        };
        connection.confirm().await
    }

    /// Subscribes to everything that is wanted. A wildcard that is not permitted must not cost all others the link.
    pub(super) async fn hear_wanted(&self, connection: &Connection, names: &[Name]) -> Result<(), BusError> {
        let (wildcards, channels) = self.split(names);
        let name = |wildcard: &&Pattern| self.redis_name(wildcard.as_str());
        connection.hear_all(channels).await?;
        self.wildcards.begin(&wildcards);
        for together in wildcards.chunks(NAMED_TOGETHER) {
            match connection.hear_patterns(together.iter().map(name).collect()).await {
                Err(error) if error.is_forbidden() => {}
                heard => {
                    heard?;
                    continue;
                }
            }
            for wildcard in together {
                match connection.hear(name(wildcard), Kind::Pattern).await {
                    Err(error) if error.is_forbidden() => self.note_forbidden(wildcard),
                    heard => heard?,
                }
            }
        }
        Ok(())
    }

    async fn ignore(&self, connection: &Connection, names: &[Name]) -> Result<(), BusError> {
        let (wildcards, channels) = self.split(names);
        for wildcard in wildcards {
            connection.ignore(self.redis_name(wildcard.as_str())).await?;
            self.wildcards.remove(wildcard);
        }
        connection.ignore_all(channels).await
    }

    /// The wildcards among names, and the others as Redis knows them.
    fn split<'a>(&self, names: &'a [Name]) -> (Vec<&'a Pattern>, Vec<String>) {
        let (mut wildcards, mut channels) = (Vec::new(), Vec::new());
        for name in names {
            match name {
                Name::Wildcard(wildcard) => wildcards.push(wildcard),
                Name::Channel(name) => channels.push(format!("{}{name}", self.prefix)),
            }
        }
        (wildcards, channels)
    }

    /// Redis refuses this wildcard, and sends no copies for it. Says which hears nothing of other instances, and what helps.
    fn note_forbidden(&self, wildcard: &Pattern) {
        self.wildcards.remove(wildcard);
        tracing::error!(
            %wildcard,
            "redis does not permit this wildcard, so it hears this instance alone: give its user all channels, `&*`"
        );
    }
}

/// The wildcards Redis may send copies for, for the task that reads from Redis and must not wait.
#[derive(Default)]
pub(super) struct Wildcards(RwLock<HashSet<String>>);

impl Wildcards {
    /// Begins a new link, over which Redis is about to be asked for these.
    fn begin(&self, wildcards: &[&Pattern]) {
        let prefixes = wildcards.iter().filter_map(|wildcard| wildcard.prefix().map(str::to_owned)).collect();
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = prefixes;
    }

    /// Redis is about to be asked for this wildcard.
    fn insert(&self, wildcard: &Pattern) {
        if let Some(prefix) = wildcard.prefix() {
            self.0.write().unwrap_or_else(PoisonError::into_inner).insert(prefix.to_owned());
        }
    }

    /// Redis does not send it.
    fn remove(&self, wildcard: &Pattern) {
        if let Some(prefix) = wildcard.prefix() {
            self.0.write().unwrap_or_else(PoisonError::into_inner).remove(prefix);
        }
    }

    /// How many of them match a channel.
    pub(super) fn matching(&self, channel: &Channel) -> usize {
        let wildcards = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if wildcards.is_empty() { 0 } else { channel.prefixes().filter(|prefix| wildcards.contains(*prefix)).count() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn redis_is_asked_for_what_is_wanted_whatever_order_the_callers_come_in() {
        let interest = Interest::default();
        let [a, b] = ["a", "b"].map(|name| Name::Channel(name.to_owned()));
        let names = [a.clone(), b.clone(), a.clone()];
        let just = |name: &Name| vec![name.clone()];
        interest.want(&names);
        interest.release(&just(&b));
        let mut asked = interest.lock().await;
        assert_eq!(asked.difference(&names), Difference { hear: just(&a), ignore: Vec::new() });
        asked.asked.insert(a.clone());
        interest.release(&just(&a));
        assert_eq!(asked.difference(&names), Difference::default(), "one of two still wants it");
        interest.release(&just(&a));
        interest.want(&just(&b));
        assert_eq!(asked.difference(&names), Difference { hear: just(&b), ignore: just(&a) });
        assert_eq!(asked.begin(), just(&b));
        assert_eq!(asked.difference(&names), Difference::default());
        interest.release(&just(&a));
    }

    #[test]
    fn a_channel_and_a_topic_of_one_name_are_one() {
        let pattern: Pattern = "view:it:some:thing".parse().unwrap();
        assert_eq!(Name::of_topics(&["bc:view:it:some:thing".to_owned()]), [Name::of(&pattern)]);
    }
}
