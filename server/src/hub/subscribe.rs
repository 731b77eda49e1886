//! How somebody begins and ends listening.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Instant,
};

use wire::{Channel, Pattern, Position, Positions, Since};

use super::{
    Delivery, Hub, Link, Listener, Omit, Shared,
    channel::{Entry, Held, Seen},
};

/// A standing subscription; ends when dropped.
pub struct Subscription {
    entry: Arc<Entry>,
    key: usize,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut state = self.entry.state();
        state.listeners.try_remove(self.key);
        state.used_at = Instant::now();
    }
}

/// Where a subscription begins.
pub struct Joined {
    /// Ends the subscription when dropped.
    pub subscription: Subscription,
    /// The channel's position; everything behind it will be delivered. `None` for a wildcard and
    /// while no log can be reached.
    pub position: Option<Position>,
    /// Where the channels of a wildcard stand; `None` for a single channel, while no log can be reached,
    /// and when they are too many.
    pub positions: Option<Arc<Positions>>,
    /// Whether `missed` is everything behind the asked position.
    pub is_recovered: bool,
    /// To be shown before anything that is delivered, oldest first.
    pub missed: Vec<Arc<Delivery>>,
}

impl Hub {
    /// Listens from now on, or from a position. Never fails: without a link, what this instance
    /// publishes is heard, and the rest from the moment the link is back. Cancel safe: what was joined for a
    /// subscriber that goes away is left again.
    ///
    /// `listener` may get messages before this returns; on a channel all of them lie behind `missed`,
    /// on a wildcard some may be in `missed` too.
    pub async fn subscribe(&self, pattern: &Pattern, omit: Omit, since: Since, listener: Arc<dyn Listener>) -> Joined {
        let shared = &self.shared;
        let arrival = Arrival { entry: shared.registry().enter(pattern) };
        let entry = &arrival.entry;
        if !entry.joined.initialized() {
            shared.join_once(pattern, arrival.again()).await;
        }
        let held = Held { listener, omit: omit.clone(), since_sequence: 0, seen: None, is_blind: false };
        let mut joined = match pattern.as_channel() {
            Some(channel) => shared.subscribe_channel(&channel, pattern, entry, held, since).await,
            None => shared.subscribe_wildcard(pattern, entry, held, since).await,
        };
        joined.missed.retain(|delivery| !omit.omits(&delivery.message));
        joined
    }
}

/// Keeps an entry in use while a subscription is being made.
struct Arrival {
    entry: Arc<Entry>,
}

impl Arrival {
    /// One more of the same entry, which is in use already.
    fn again(&self) -> Self {
        self.entry.state().arriving += 1;
        Self { entry: Arc::clone(&self.entry) }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut state = self.entry.state();
        state.arriving -= 1;
        state.used_at = Instant::now();
    }
}

impl Shared {
    /// Joins unless it was done. In a task of its own, which is brought to its end also when the subscriber goes away:
    /// half a join could not be undone.
    async fn join_once(self: &Arc<Self>, pattern: &Pattern, arrival: Arrival) {
        let (shared, pattern) = (Arc::clone(self), pattern.clone());
        let joining = self.background.spawn(self.stop.clone().run_until_cancelled_owned(async move {
            let entry = &arrival.entry;
            entry.joined.get_or_init(|| shared.join(&pattern, entry)).await;
        }));
        // It ends early only when the hub stops.
        let _ = joining.await;
    }

    /// Asks the bus to hear the pattern, and the log where the channel stands.
    async fn join(self: &Arc<Self>, pattern: &Pattern, entry: &Arc<Entry>) {
        if let Err(error) = self.bus.join(pattern).await {
            tracing::debug!(%pattern, %error, "heard on this instance only, for now");
            return;
        }
        if pattern.prefix().is_some() {
            self.learn(pattern, entry).await;
        }
        if let Some(channel) = pattern.as_channel()
            && self.registry().wildcards(&channel).is_empty()
        {
            // What a wildcard of the past left behind is no position to begin from.
            entry.state().forget();
        }
        self.locate(pattern, entry).await;
    }

    /// Asks the log where the channel stands: nobody was promised anything before, but what a wildcard hears goes on from
    /// where it was, so a log that is ahead of that is asked for the rest.
    pub(super) async fn locate(self: &Arc<Self>, pattern: &Pattern, entry: &Arc<Entry>) {
        let Some(channel) = pattern.as_channel() else { return };
        let Ok(position) = self.bus.position(&channel).await else { return };
        let wildcards = self.registry().wildcards(&channel);
        let must_repair = {
            let mut state = entry.state();
            if state.position.is_none() && position.offset > 0 {
                for wildcard in &wildcards {
                    wildcard.state().tell_blind_wildcard(&channel, &position);
                }
            }
            state.locate(position)
        };
        if must_repair {
            self.repair(&channel, entry);
        }
    }

    async fn subscribe_channel(
        self: &Arc<Self>,
        channel: &Channel,
        pattern: &Pattern,
        entry: &Arc<Entry>,
        held: Held,
        since: Since,
    ) -> Joined {
        if entry.state().position.is_none() {
            // The link was down when the first listener came and may be up by now.
            self.locate(pattern, entry).await;
        }
        let since = match since {
            Since::After(since) => Some(since),
            Since::Now | Since::AfterAll(_) => None,
        };
        // What is just being fetched decides whether anything is missing.
        let is_settled = since.is_none() || entry.settled().await;
        let elsewhere = match &since {
            Some(since) if entry.state().is_short_of(since) => self.seen_elsewhere(channel, since).await,
            _ => None,
        };
        let (subscription, position, is_short, recalled) = {
            let mut state = entry.state();
            let is_short = since.as_ref().is_some_and(|since| state.is_short_of(since));
            let seen = elsewhere.filter(|_| is_short);
            let is_short = is_short.then_some(seen.is_some());
            let is_blind = state.position.is_none();
            let since_sequence = self.sequence.load(Ordering::Relaxed);
            let key = state.listen(Held { since_sequence, seen, is_blind, ..held });
            let recalled = since.as_ref().and_then(|since| state.recall(since));
            (Subscription { entry: Arc::clone(entry), key }, state.position.clone(), is_short, recalled)
        };
        let nothing = Joined { subscription, position, positions: None, is_recovered: false, missed: Vec::new() };
        let (Some(since), Some(now), true) = (since, nothing.position.clone(), is_settled) else { return nothing };
        match is_short {
            // What is on its way here is new to it only behind `since`.
            Some(true) => Joined { is_recovered: true, position: Some(since), ..nothing },
            // No log has this position: it gets what comes, like everybody else.
            Some(false) => nothing,
            None => {
                let missed = match recalled {
                    Some(missed) => Some(missed),
                    None => self.missed(channel, entry, &since, &now).await,
                };
                match missed {
                    Some(missed) => Joined { is_recovered: true, missed, ..nothing },
                    None => nothing,
                }
            }
        }
    }

    /// Whether the log has a position this instance has not reached: another instance was quicker then.
    async fn seen_elsewhere(&self, channel: &Channel, since: &Position) -> Option<Seen> {
        let replay = self.bus.replay(channel, since).await.ok()?;
        replay.messages?;
        Some(Seen { epochs: [Arc::clone(&since.epoch), replay.position.epoch], offset: since.offset })
    }

    async fn subscribe_wildcard(
        self: &Arc<Self>,
        wildcard: &Pattern,
        entry: &Arc<Entry>,
        held: Held,
        since: Since,
    ) -> Joined {
        let subscription = {
            let since_sequence = self.sequence.load(Ordering::Relaxed);
            let is_blind = *self.link.borrow() == Link::Down;
            let key = entry.state().listen(Held { since_sequence, is_blind, ..held });
            Subscription { entry: Arc::clone(entry), key }
        };
        let positions = self.positions(wildcard, entry, Instant::now()).await;
        let missed = match (&since, &positions) {
            (Since::AfterAll(seen), Some(now)) => self.missed_below(wildcard, seen, now).await,
            _ => None,
        };
        let is_recovered = missed.is_some();
        Joined { subscription, position: None, positions, is_recovered, missed: missed.unwrap_or_default() }
    }
}
