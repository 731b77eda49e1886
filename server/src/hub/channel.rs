//! One channel as this instance hears it: what order its messages have, and who gets them.

mod order;

use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use slab::Slab;
use tokio::{
    sync::{Notify, OnceCell},
    time::timeout,
};
use wire::{Channel, Position};

use super::{Delivery, Listener, Omit, backlog::Backlog, wildcard::Snapshot};
pub(super) use order::Verdict;

/// Recent messages kept for browsers that come back, so that they cost the bus no replay.
const RING: usize = 256;
/// How long who comes back to a channel waits for what is just being fetched from its log: as long as Redis may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(2);

/// One channel, or one wildcard pattern, with its listeners.
pub(super) struct Entry {
    /// Filled once the bus has been asked to hear it.
    pub(super) joined: OnceCell<()>,
    /// For those who come back to a channel.
    pub(super) backlog: Backlog,
    /// For those who come back to a wildcard.
    pub(super) snapshot: Snapshot,
    /// A replay has ended.
    settled: Notify,
    state: Mutex<State>,
}

/// What changes with each message.
pub(super) struct State {
    /// Everything up to here was delivered; `None` before the log was ever asked.
    pub(super) position: Option<Position>,
    /// The position was read from the log. Messages up to it may be in flight: listeners of the channel itself were
    /// promised none of them, those of wildcards get the ones behind this offset.
    in_flight: Option<u64>,
    pub(super) listeners: Slab<Held>,
    /// Somebody listened once.
    was_heard: bool,
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
    pub(super) seen: Option<Seen>,
    /// What others publish may pass it by unseen: it joined a channel without a position; or a wildcard
    /// of which this instance never knew the channels, and was there during an outage.
    pub(super) is_blind: bool,
}

/// What a listener saw elsewhere: the log holds this position, and this instance has not reached it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    /// The epoch of the position, and the one the log has gone on in.
    pub(super) epochs: [Arc<str>; 2],
    pub(super) offset: u64,
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

impl Entry {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            joined: OnceCell::new(),
            backlog: Backlog::default(),
            snapshot: Snapshot::default(),
            settled: Notify::new(),
            state: Mutex::new(State {
                position: None,
                in_flight: None,
                listeners: Slab::new(),
                was_heard: false,
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

    /// The same channel for wildcards alone: not joined, at the same position.
    pub(super) fn for_wildcards(&self) -> Arc<Self> {
        let entry = Self::new();
        {
            let (mut new, old) = (entry.state(), self.state());
            (new.position, new.in_flight) = (old.position.clone(), old.in_flight);
        }
        entry
    }

    /// Waits until nothing is being fetched from the log, for a while; whether that is so.
    pub(super) async fn settled(&self) -> bool {
        let settled = async {
            loop {
                let ended = self.settled.notified();
                if !self.state().is_repairing {
                    return;
                }
                ended.await;
            }
        };
        timeout(SETTLED_WITHIN, settled).await.is_ok()
    }

    /// A replay has ended, and no other was begun unless the state says so.
    pub(super) fn note_settled(&self) {
        self.settled.notify_waiters();
    }

    /// Where this instance stands, while it may be relied on.
    pub(super) fn position(&self) -> Option<Position> {
        let state = self.state();
        if state.is_repairing || state.ahead.is_some() { None } else { state.position.clone() }
    }
}

impl State {
    /// Adds a listener; its key.
    pub(super) fn listen(&mut self, held: Held) -> usize {
        self.was_heard = true;
        self.listeners.insert(held)
    }

    /// Gives back the memory of the ring. The ids stay, for a while: they tell what was delivered.
    pub(super) fn shed_ring(&mut self) {
        if self.delivered.len() > RING {
            self.delivered.clear();
        }
        self.delivered.extend(self.ring.drain(..).filter_map(|delivery| delivery.message.id.clone()));
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

    /// Of a wildcard: this instance has forgotten where some of the channels stand.
    pub(super) fn forget_below(&mut self) {
        self.below.is_known = false;
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

    /// Whether nobody needs the entry.
    pub(super) fn is_idle(&self) -> bool {
        self.listeners.is_empty() && self.arriving == 0 && !self.is_repairing
    }

    /// Whether nobody has needed the entry for so long: somebody who left may come back, who never listened does not.
    pub(super) fn is_over(&self, linger: Duration) -> bool {
        self.is_idle() && (!self.was_heard || self.used_at.elapsed() > linger)
    }
}
