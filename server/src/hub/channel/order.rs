//! In what order a channel's messages are delivered, and which of them were.

use std::{sync::Arc, time::Instant};

use wire::{Message, Position};

use super::{RING, State};
use crate::hub::Delivery;

/// What is to be done with a message that arrived.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::hub) enum Verdict {
    /// It is the next one.
    Deliver,
    /// It was delivered before.
    Drop,
    /// It is older than the position that was read from the log, and is to be delivered to wildcards.
    InFlight,
    /// Something before it is missing: ask the log.
    Repair,
    /// It comes with the replay that is under way.
    Wait,
}

impl State {
    /// Judges a message by its position; never called for one without.
    pub(in crate::hub) fn judge(&mut self, position: &Position) -> Verdict {
        if self.is_in_flight(position) {
            return Verdict::InFlight;
        }
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

    /// Whether this is the next message wildcards wait for, up to the position that was read from the log.
    fn is_in_flight(&mut self, position: &Position) -> bool {
        let (Some(now), Some(after)) = (&self.position, &mut self.in_flight) else { return false };
        let is_awaited = position.epoch == now.epoch && position.offset <= now.offset && position.offset > *after;
        if is_awaited {
            *after = position.offset;
        }
        is_awaited
    }

    /// The log ends here. What lies behind what was delivered is to be asked for: whether there is anything. Where nothing
    /// was delivered yet this is where to begin, and nobody was promised more.
    pub(in crate::hub) fn locate(&mut self, end: Position) -> bool {
        match &self.position {
            None => {
                self.begin_at(end);
                self.take_ahead()
            }
            Some(now) if now.epoch == end.epoch && now.offset >= end.offset => self.take_ahead(),
            Some(_) => {
                self.note_ahead(&end);
                true
            }
        }
    }

    /// Begins at a position that was read from the log, unless it has one.
    pub(in crate::hub) fn begin_at(&mut self, position: Position) {
        if self.position.is_none() {
            self.in_flight = (position.offset > 0).then_some(0);
            self.position = Some(position);
        }
    }

    /// Whether this instance has not got as far.
    pub(in crate::hub) fn is_short_of(&self, position: &Position) -> bool {
        self.position.as_ref().is_some_and(|now| now.offset < position.offset)
    }

    fn note_ahead(&mut self, position: &Position) {
        let is_further =
            self.ahead.as_ref().is_none_or(|ahead| ahead.epoch != position.epoch || ahead.offset < position.offset);
        if is_further {
            self.ahead = Some(position.clone());
        }
    }

    /// Whether something arrived that lies behind the position: asks for another replay. Forgets it.
    pub(in crate::hub) fn take_ahead(&mut self) -> bool {
        match (self.ahead.take(), &self.position) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(ahead), Some(now)) => ahead.epoch != now.epoch || ahead.offset > now.offset,
        }
    }

    /// Advances over a message and keeps it for those who come back; whether it is to be delivered: `false`
    /// for one that was, before the epoch changed.
    pub(in crate::hub) fn keep(&mut self, delivery: &Arc<Delivery>) -> bool {
        let Some(position) = &delivery.message.position else { return true };
        if self.position.as_ref().is_none_or(|now| now.epoch != position.epoch) {
            self.leave_epoch();
        }
        (self.position, self.in_flight) = (Some(position.clone()), None);
        self.used_at = Instant::now();
        if self.ring.len() == RING {
            self.ring.pop_front();
            self.delivered.clear();
        }
        self.ring.push_back(Arc::clone(delivery));
        !delivery.message.id.as_ref().is_some_and(|id| self.delivered.contains(id))
    }

    /// Whether a message was delivered lately: with a position, from the log.
    pub(in crate::hub) fn has_delivered(&self, message: &Message) -> bool {
        message.id.is_some()
            && (self.ring.iter().any(|delivery| delivery.message.id == message.id)
                || message.id.as_ref().is_some_and(|id| self.delivered.contains(id)))
    }

    /// The log goes on in another epoch from where this instance stands.
    pub(in crate::hub) fn continue_in(&mut self, epoch: &Arc<str>) {
        if let Some(now) = self.position.clone().filter(|now| now.epoch != *epoch) {
            self.leave_epoch();
            (self.position, self.in_flight) = (Some(Position { epoch: Arc::clone(epoch), ..now }), None);
        }
    }

    /// Begins anew behind a loss; whether the log is to be asked again. What lies behind the offset a new
    /// epoch `begun` at was seen by nobody here, so it is taken from there.
    pub(in crate::hub) fn begin_anew(&mut self, end: Position, begun: u64) -> bool {
        self.leave_epoch();
        let is_new_epoch = self.position.as_ref().is_some_and(|now| now.epoch != end.epoch);
        self.position = Some(if is_new_epoch { Position { offset: begun, ..end } } else { end });
        self.in_flight = None;
        self.take_ahead() || is_new_epoch
    }

    /// Empties the ring, but for the ids in it.
    fn leave_epoch(&mut self) {
        if !self.ring.is_empty() {
            self.delivered = self.ring.drain(..).filter_map(|delivery| delivery.message.id.clone()).collect();
        }
    }

    /// As if the channel had never been heard.
    pub(in crate::hub) fn forget(&mut self) {
        self.ring.clear();
        (self.position, self.in_flight) = (None, None);
    }

    /// What followed `since`, when the ring still has all of it.
    pub(in crate::hub) fn recall(&self, since: &Position) -> Option<Vec<Arc<Delivery>>> {
        let now = self.position.as_ref()?;
        if since.epoch != now.epoch || since.offset > now.offset {
            return None;
        }
        let missed = usize::try_from(now.offset - since.offset).ok()?;
        (missed <= self.ring.len()).then(|| self.ring.range(self.ring.len() - missed..).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::{cache::Cache, channel::Entry};

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
            source: None,
        };
        let share = Cache::default().share(&message);
        Delivery::new(Arc::new(message), 0, None, share)
    }

    #[test]
    fn what_was_in_flight_when_the_log_was_asked_is_for_wildcards_and_once() {
        let entry = Entry::new();
        let mut state = entry.state();
        assert!(!state.locate(position("e", 3)));
        for (offset, verdict) in
            [(2, Verdict::InFlight), (2, Verdict::Drop), (3, Verdict::InFlight), (3, Verdict::Drop)]
        {
            assert_eq!(state.judge(&position("e", offset)), verdict, "{offset}");
        }
        assert_eq!(state.judge(&position("e", 4)), Verdict::Deliver);
        state.keep(&delivery("d", position("e", 4)));
        assert_eq!(state.judge(&position("e", 4)), Verdict::Drop);
    }

    #[test]
    fn a_log_that_is_ahead_of_what_was_delivered_is_asked() {
        let entry = Entry::new();
        let mut state = entry.state();
        state.keep(&delivery("a", position("e", 1)));
        assert!(!state.locate(position("e", 1)));
        assert!(state.locate(position("e", 2)));
        assert!(state.locate(position("f", 1)));
        assert!(state.take_ahead(), "also when it was being asked already");
        assert!(state.is_short_of(&position("e", 2)) && !state.is_short_of(&position("e", 1)));
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
