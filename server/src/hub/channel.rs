//! One channel as this instance hears it: what order its messages have, and who gets them.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use slab::Slab;
use tokio::sync::OnceCell;
use wire::{Channel, Message, Position};

use super::{Delivery, Listener, Omit, backlog::Backlog, wildcard::Snapshot};

/// Recent messages kept for browsers that come back, so that they cost the bus no replay.
const RING: usize = 256;

/// One channel, or one wildcard pattern, with its listeners.
pub(super) struct Entry {
    /// Filled once the bus has been asked to hear it.
    pub(super) joined: OnceCell<()>,
    /// For those who come back to a channel.
    pub(super) backlog: Backlog,
    /// For those who come back to a wildcard.
    pub(super) snapshot: Snapshot,
    state: Mutex<State>,
}

/// What changes with each message.
pub(super) struct State {
    /// Everything up to here was delivered; `None` before the log was ever asked.
    pub(super) position: Option<Position>,
    pub(super) listeners: Slab<Held>,
    /// Of a wildcard: what this instance knows of the channels below it.
    pub(super) below: Below,
    /// Subscriptions being made: the entry is in use though nobody listens yet.
    pub(super) arriving: usize,
    /// A replay is under way; what arrives meanwhile is in the log too.
    pub(super) is_repairing: bool,
    /// Replays in a row that Redis refused.
    pub(super) failed_repairs: u32,
    /// The furthest message that arrived while it could not be delivered.
    ahead: Option<Position>,
    ring: VecDeque<Arc<Delivery>>,
    /// Ids delivered before the epoch changed: what a log forgot and its publisher sent again, with a new
    /// position, is no news. Forgotten when the ring is full of the new epoch.
    delivered: HashSet<Arc<str>>,
    pub(super) used_at: Instant,
}

/// A listener with its terms.
pub(super) struct Held {
    pub(super) listener: Arc<dyn Listener>,
    pub(super) omit: Omit,
    /// Deliveries behind this number were made after it joined.
    pub(super) since_sequence: u64,
    /// It saw everything up to here on an instance that was ahead of this one.
    pub(super) seen: Option<Position>,
    /// What others publish may pass it by unseen: it joined a channel without a position; or a wildcard
    /// of which this instance never knew the channels, and was there during an outage.
    pub(super) is_blind: bool,
}

/// What an instance knows of the channels below a wildcard.
#[derive(Clone, Copy, Debug)]
pub(super) struct Below {
    /// It was told once where all used ones stand: any other had no messages then.
    pub(super) is_known: bool,
    /// Since then, or ever, some may have gone on unheard.
    pub(super) may_have_missed: bool,
}

impl Default for Below {
    fn default() -> Self {
        Self { is_known: false, may_have_missed: true }
    }
}

/// What is to be done with a message that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the next one.
    Deliver,
    /// It was delivered before.
    Drop,
    /// Something before it is missing: ask the log.
    Repair,
    /// It comes with the replay that is under way.
    Wait,
}

impl Entry {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            joined: OnceCell::new(),
            backlog: Backlog::default(),
            snapshot: Snapshot::default(),
            state: Mutex::new(State {
                position: None,
                listeners: Slab::new(),
                below: Below::default(),
                arriving: 0,
                is_repairing: false,
                failed_repairs: 0,
                ahead: None,
                ring: VecDeque::new(),
                delivered: HashSet::new(),
                used_at: Instant::now(),
            }),
        })
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where this instance stands, while it may be relied on.
    pub(super) fn position(&self) -> Option<Position> {
        let state = self.state();
        if state.is_repairing || state.ahead.is_some() { None } else { state.position.clone() }
    }
}

impl State {
    /// Judges a message by its position; never called for one without.
    pub(super) fn judge(&mut self, position: &Position) -> Verdict {
        if self.is_repairing {
            self.note_ahead(position);
            return Verdict::Wait;
        }
        match &self.position {
            // Nobody was promised anything before the first message.
            None => Verdict::Deliver,
            Some(now) if position.epoch == now.epoch && position.offset <= now.offset => Verdict::Drop,
            Some(now) if position.follows(now) => Verdict::Deliver,
            Some(_) => {
                self.note_ahead(position);
                Verdict::Repair
            }
        }
    }

    fn note_ahead(&mut self, position: &Position) {
        let is_further =
            self.ahead.as_ref().is_none_or(|ahead| ahead.epoch != position.epoch || ahead.offset < position.offset);
        if is_further {
            self.ahead = Some(position.clone());
        }
    }

    /// Whether something arrived that lies behind the position: asks for another replay. Forgets it.
    pub(super) fn take_ahead(&mut self) -> bool {
        match (self.ahead.take(), &self.position) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(ahead), Some(now)) => ahead.epoch != now.epoch || ahead.offset > now.offset,
        }
    }

    /// Advances over a message and keeps it for those who come back; whether it is to be delivered: `false`
    /// for one that was, before the epoch changed.
    pub(super) fn keep(&mut self, delivery: &Arc<Delivery>) -> bool {
        let Some(position) = &delivery.message.position else { return true };
        if self.position.as_ref().is_none_or(|now| now.epoch != position.epoch) {
            self.leave_epoch();
        }
        self.position = Some(position.clone());
        self.used_at = Instant::now();
        if self.ring.len() == RING {
            self.ring.pop_front();
            self.delivered.clear();
        }
        self.ring.push_back(Arc::clone(delivery));
        !delivery.message.id.as_ref().is_some_and(|id| self.delivered.contains(id))
    }

    /// Whether a message was delivered lately: with a position, from the log.
    pub(super) fn has_delivered(&self, message: &Message) -> bool {
        message.id.is_some()
            && (self.ring.iter().any(|delivery| delivery.message.id == message.id)
                || message.id.as_ref().is_some_and(|id| self.delivered.contains(id)))
    }

    /// The log goes on in another epoch from where this instance stands.
    pub(super) fn continue_in(&mut self, epoch: &Arc<str>) {
        if let Some(now) = self.position.clone().filter(|now| now.epoch != *epoch) {
            self.leave_epoch();
            self.position = Some(Position { epoch: Arc::clone(epoch), ..now });
        }
    }

    /// Begins anew behind a loss; whether the log is to be asked again. What lies behind the offset a new
    /// epoch `begun` at was seen by nobody here, so it is taken from there.
    pub(super) fn begin_anew(&mut self, end: Position, begun: u64) -> bool {
        self.leave_epoch();
        let is_new_epoch = self.position.as_ref().is_some_and(|now| now.epoch != end.epoch);
        self.position = Some(if is_new_epoch { Position { offset: begun, ..end } } else { end });
        self.take_ahead() || is_new_epoch
    }

    /// Empties the ring, but for the ids in it.
    fn leave_epoch(&mut self) {
        if !self.ring.is_empty() {
            self.delivered = self.ring.drain(..).filter_map(|delivery| delivery.message.id.clone()).collect();
        }
    }

    /// Tells every listener that messages of a channel are lost; `position` is where its log ends.
    pub(super) fn tell_lost(&self, channel: &Channel, position: Option<&Position>) {
        self.listeners.iter().for_each(|(_, held)| held.listener.lost(channel, position));
    }

    /// Tells those who joined without a position that they may have missed something. They are told
    /// even when the channel has a position by now: a message may have come before the link was up.
    pub(super) fn tell_blind(&mut self, channel: &Channel) {
        let position = self.position.clone();
        for (_, held) in self.listeners.iter_mut().filter(|(_, held)| held.is_blind) {
            held.is_blind = position.is_none();
            held.listener.lost(channel, position.as_ref());
        }
    }

    /// Of a wildcard: it was told where all used channels stand, so nobody is blind any more.
    pub(super) fn know_below(&mut self) {
        self.below = Below { is_known: true, may_have_missed: false };
        self.listeners.iter_mut().for_each(|(_, held)| held.is_blind = false);
    }

    /// Of a wildcard: from now on messages may pass unheard.
    pub(super) fn doubt_below(&mut self) {
        self.below.may_have_missed = true;
        if !self.below.is_known {
            self.listeners.iter_mut().for_each(|(_, held)| held.is_blind = true);
        }
    }

    /// Tells a wildcard's blind listeners of a channel that had messages before this instance knew it.
    pub(super) fn tell_blind_wildcard(&self, channel: &Channel, position: &Position) {
        let blind = self.listeners.iter().filter(|(_, held)| held.is_blind);
        blind.for_each(|(_, held)| held.listener.lost(channel, Some(position)));
    }

    /// As if the channel had never been heard.
    pub(super) fn forget(&mut self) {
        self.ring.clear();
        self.position = None;
    }

    /// What followed `since`, when the ring still has all of it.
    pub(super) fn recall(&self, since: &Position) -> Option<Vec<Arc<Delivery>>> {
        let now = self.position.as_ref()?;
        if since.epoch != now.epoch || since.offset > now.offset {
            return None;
        }
        let missed = usize::try_from(now.offset - since.offset).ok()?;
        (missed <= self.ring.len()).then(|| self.ring.range(self.ring.len() - missed..).cloned().collect())
    }

    /// Whether nobody needs the entry.
    pub(super) fn is_idle(&self) -> bool {
        self.listeners.is_empty() && self.arriving == 0 && !self.is_repairing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(epoch: &str, offset: u64) -> Position {
        Position { epoch: epoch.into(), offset }
    }

    fn delivery(id: &str, position: Position) -> Arc<Delivery> {
        let message = Message {
            channel: "view:it:some:thing".parse().unwrap(),
            data: serde_json::Map::new(),
            instance_id: "it:0".into(),
            timestamp: 0,
            id: Some(id.into()),
            position: Some(position),
            uuid: None,
            username: String::new(),
        };
        Delivery::new(Arc::new(message), 0, None)
    }

    #[test]
    fn what_was_delivered_before_a_log_forgot_it_is_no_news() {
        let entry = Entry::new();
        let mut state = entry.state();
        for (id, offset) in [("a", 1), ("b", 2), ("c", 3)] {
            assert!(state.keep(&delivery(id, position("old", offset))));
        }
        assert!(state.begin_anew(position("new", 3), 1), "what the new epoch holds is asked for");
        assert_eq!(state.position, Some(position("new", 1)));
        assert!(!state.keep(&delivery("c", position("new", 2))));
        assert!(state.keep(&delivery("d", position("new", 3))));
        assert_eq!(state.position, Some(position("new", 3)));
    }

    #[test]
    fn a_log_that_goes_on_in_another_epoch_is_followed_without_a_step() {
        let entry = Entry::new();
        let mut state = entry.state();
        state.keep(&delivery("a", position("old", 1)));
        assert_eq!(state.judge(&position("new", 2)), Verdict::Repair);
        state.continue_in(&"new".into());
        assert_eq!(state.judge(&position("new", 2)), Verdict::Deliver);
        assert_eq!(state.recall(&position("old", 1)).map(|missed| missed.len()), None);
    }

    #[test]
    fn what_came_through_the_log_is_known_by_its_id_in_either_epoch() {
        let entry = Entry::new();
        let mut state = entry.state();
        let [old, new, other] = [("a", "old", 1), ("b", "new", 2), ("c", "new", 3)]
            .map(|(id, epoch, at)| delivery(id, position(epoch, at)));
        state.keep(&old);
        state.continue_in(&"new".into());
        state.keep(&new);
        assert!(state.has_delivered(&old.message) && state.has_delivered(&new.message));
        assert!(!state.has_delivered(&other.message));
    }
}
