//! How somebody begins and ends listening.

use std::sync::{Arc, atomic::Ordering};

use wire::{Pattern, Position, Since};

use super::{
    Delivery, Hub, Link, Listener, Omit, Shared,
    channel::{Entry, Held, up_to},
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
        state.used_at = std::time::Instant::now();
    }
}

/// Where a subscription begins.
pub struct Joined {
    /// Ends the subscription when dropped.
    pub subscription: Subscription,
    /// The channel's position; everything behind it will be delivered. `None` for a wildcard and
    /// while no log can be reached.
    pub position: Option<Position>,
    /// Whether `missed` is everything behind the asked position.
    pub is_recovered: bool,
    /// To be shown before anything that is delivered, oldest first.
    pub missed: Vec<Arc<Delivery>>,
}

impl Hub {
    /// Listens from now on, or from a position. Never fails: without a link, what this instance
    /// publishes is heard, and the rest from the moment the link is back.
    ///
    /// `listener` may get messages before this returns; all of them lie behind `missed`.
    pub async fn subscribe(&self, pattern: &Pattern, omit: Omit, since: Since, listener: Arc<dyn Listener>) -> Joined {
        let shared = &self.shared;
        let arrival = Arrival { entry: shared.registry().enter(pattern) };
        let entry = &arrival.entry;
        entry.joined.get_or_init(|| shared.join(pattern, entry)).await;
        if pattern.prefix().is_none() && entry.state().position.is_none() {
            // The link was down when the first listener came and may be up by now.
            shared.locate(pattern, entry).await;
        }
        let (subscription, position, recalled) = {
            let mut state = entry.state();
            let since_sequence = shared.sequence.load(Ordering::Relaxed);
            let seen = match (&since, &state.position) {
                // Of a log this instance may still be to learn of, or of the part it has not got yet.
                (Since::After(since), Some(now)) if now.epoch != since.epoch || now.offset < since.offset => {
                    Some(since.clone())
                }
                _ => None,
            };
            let is_blind = match pattern.prefix() {
                Some(_) => *shared.link.borrow() == Link::Down,
                None => state.position.is_none(),
            };
            let held = Held { listener, omit: omit.clone(), since_sequence, seen, is_blind };
            let key = state.listeners.insert(held);
            let recalled = match &since {
                Since::After(since) => state.recall(since),
                Since::Now => None,
            };
            (Subscription { entry: Arc::clone(entry), key }, state.position.clone(), recalled)
        };
        let (is_recovered, missed, position) = match (since, position, recalled) {
            (Since::Now, position, _) => (false, Vec::new(), position),
            (_, position, Some(recalled)) => (true, recalled, position),
            (Since::After(since), Some(now), None) => shared.fetch(pattern, since, now).await,
            (Since::After(_), None, None) => (false, Vec::new(), None),
        };
        let missed = missed.into_iter().filter(|delivery| !omit.omits(&delivery.message)).collect();
        Joined { subscription, position, is_recovered, missed }
    }
}

/// Keeps an entry in use while a subscription is being made.
struct Arrival {
    entry: Arc<Entry>,
}

impl Drop for Arrival {
    fn drop(&mut self) {
        let mut state = self.entry.state();
        state.arriving -= 1;
        state.used_at = std::time::Instant::now();
    }
}

impl Shared {
    /// Asks the bus to hear the pattern, and the log where the channel stands.
    async fn join(self: &Arc<Self>, pattern: &Pattern, entry: &Arc<Entry>) {
        if let Err(error) = self.bus.join(pattern).await {
            tracing::debug!(%pattern, %error, "heard on this instance only, for now");
            return;
        }
        if let Some(channel) = pattern.as_channel()
            && self.registry().wildcards(&channel).is_empty()
        {
            // What a wildcard of the past left behind is no position to begin from.
            entry.state().forget();
        }
        self.locate(pattern, entry).await;
    }

    /// Asks the log where the channel stands and takes that as delivered: nobody was promised more.
    pub(super) async fn locate(self: &Arc<Self>, pattern: &Pattern, entry: &Arc<Entry>) {
        let Some(channel) = pattern.as_channel() else { return };
        let Ok(position) = self.bus.position(&channel).await else { return };
        let wildcards = self.registry().wildcards(&channel);
        let must_repair = {
            let mut state = entry.state();
            if state.position.is_none() {
                if position.offset > 0 {
                    wildcards.iter().for_each(|wildcard| wildcard.state().tell_blind_wildcard(&channel, &position));
                }
                state.position = Some(position);
            }
            state.take_ahead()
        };
        if must_repair {
            // Something arrived between the two answers.
            self.repair(&channel, entry);
        }
    }

    /// What lies between a position and the one this instance is at, from the log; whether that is
    /// everything, and where the subscriber stands then.
    async fn fetch(
        &self,
        pattern: &Pattern,
        since: Position,
        now: Position,
    ) -> (bool, Vec<Arc<Delivery>>, Option<Position>) {
        let lost = (false, Vec::new(), Some(now.clone()));
        let Some(channel) = pattern.as_channel().filter(|_| since.epoch == now.epoch) else { return lost };
        let Ok(replay) = self.bus.replay(&channel, &since).await else { return lost };
        if since.offset > now.offset {
            // Another instance was quicker; what is on its way here is news only behind `since`.
            return if replay.messages.is_some() { (true, Vec::new(), Some(since)) } else { lost };
        }
        match up_to(replay, &now) {
            Some(messages) => {
                let missed = messages.into_iter().map(|message| Delivery::new(message, 0)).collect();
                (true, missed, Some(now))
            }
            None => lost,
        }
    }
}
