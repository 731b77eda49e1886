//! One channel as this instance hears it: what order its messages have, and who gets them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use slab::Slab;
use tokio::sync::OnceCell;
use wire::{Channel, Message, Position};

use super::{Delivery, Listener, Omit};
use crate::bus::Replay;

/// Recent messages kept for browsers that come back, so that they cost the bus no replay.
const RING: usize = 256;

/// One channel, or one wildcard pattern, with its listeners.
pub(super) struct Entry {
    /// Filled once the bus has been asked to hear it.
    pub(super) joined: OnceCell<()>,
    state: Mutex<State>,
}

/// What changes with each message.
pub(super) struct State {
    /// Everything up to here was delivered; `None` before the log was ever asked.
    pub(super) position: Option<Position>,
    pub(super) listeners: Slab<Held>,
    /// Subscriptions being made: the entry is in use though nobody listens yet.
    pub(super) arriving: usize,
    /// A replay is under way; what arrives meanwhile is in the log too.
    pub(super) is_repairing: bool,
    /// The furthest message that arrived while it could not be delivered.
    ahead: Option<Position>,
    ring: VecDeque<Arc<Delivery>>,
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
    /// What others publish may pass it by unseen: it joined a channel without a position; or it is a
    /// wildcard's and was there during an outage, and so blind to channels this instance did not know.
    pub(super) is_blind: bool,
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
            state: Mutex::new(State {
                position: None,
                listeners: Slab::new(),
                arriving: 0,
                is_repairing: false,
                ahead: None,
                ring: VecDeque::new(),
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

    /// Advances over a delivered message and keeps it for those who come back.
    pub(super) fn keep(&mut self, delivery: &Arc<Delivery>) {
        let Some(position) = &delivery.message.position else { return };
        if self.position.as_ref().is_none_or(|now| now.epoch != position.epoch) {
            self.ring.clear();
        }
        self.position = Some(position.clone());
        self.used_at = Instant::now();
        if self.ring.len() == RING {
            self.ring.pop_front();
        }
        self.ring.push_back(Arc::clone(delivery));
    }

    /// Begins anew behind a loss; whether the log is to be asked again. A log with a new epoch holds
    /// only messages nobody here has seen, so it is taken from its beginning.
    pub(super) fn begin_anew(&mut self, end: Position) -> bool {
        self.ring.clear();
        let is_new_log = self.position.as_ref().is_some_and(|now| now.epoch != end.epoch);
        self.position = Some(if is_new_log { Position { offset: 0, ..end } } else { end });
        self.take_ahead() || is_new_log
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

/// The part of a replay that lies behind `since` and not beyond `until`, when it is whole.
pub(super) fn up_to(replay: Replay, until: &Position) -> Option<Vec<Arc<Message>>> {
    if replay.position.epoch != until.epoch || replay.position.offset < until.offset {
        return None;
    }
    let mut messages = replay.messages?;
    messages.retain(|message| message.position.as_ref().is_some_and(|position| position.offset <= until.offset));
    Some(messages)
}
