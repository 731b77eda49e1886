//! Messages the other instances have not got yet: kept while the link is down, in order, within bounds.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use wire::{Channel, Message};

use super::OutboxLimits;

/// Saved messages that are remembered as delivered here at most. Beyond, the oldest is forgotten, and a
/// browser that saw it may be handed it again through the log.
const SAVED: usize = 100_000;

/// What waits for the link. When full, the oldest messages fall out and are counted, and their channels
/// noted: whoever listens there is to be told.
pub(super) struct Outbox {
    limits: OutboxLimits,
    waiting: VecDeque<(Arc<Message>, usize)>,
    bytes: usize,
    dropped: u64,
    /// Channels with messages that fell out.
    torn: BTreeSet<Channel>,
    /// Messages delivered here before they were logged: who listened then must not get them again when
    /// they come back through the log. Twice as many as may wait, the oldest are forgotten: of a channel
    /// that was left meanwhile, nothing comes back. Their ids sort by time.
    delivered: BTreeMap<Arc<str>, Here>,
    /// The same for messages somebody else keeps, who may publish them more than once.
    saved: BTreeMap<Arc<str>, Here>,
}

/// How far a message that waits for the link has got on this instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Here {
    /// It is about to be delivered.
    Due,
    /// It is about to be delivered, and has fallen out of the outbox: it never comes back.
    DueOnly,
    /// It was delivered, under this number.
    Delivered(u64),
    /// It came through the log before it was delivered.
    Overtaken,
}

impl Outbox {
    pub(super) fn new(limits: OutboxLimits) -> Self {
        Self {
            limits,
            waiting: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            torn: BTreeSet::new(),
            delivered: BTreeMap::new(),
            saved: BTreeMap::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.torn.is_empty()
    }

    /// Keeps a message of `size_bytes` that is about to be delivered here.
    pub(super) fn push(&mut self, message: Arc<Message>, size_bytes: usize) {
        if let Some(id) = &message.id {
            self.delivered.insert(Arc::clone(id), Here::Due);
            if self.delivered.len() > self.limits.messages * 2 {
                self.delivered.pop_first();
            }
        }
        self.bytes += size_bytes;
        self.waiting.push_back((message, size_bytes));
        while self.waiting.len() > self.limits.messages || self.bytes > self.limits.bytes {
            let Some((oldest, size_bytes)) = self.waiting.pop_front() else { break };
            self.bytes -= size_bytes;
            self.dropped += 1;
            if self.torn.len() < self.limits.messages {
                self.torn.insert(oldest.channel.clone());
            }
            if let Some(id) = &oldest.id {
                match self.delivered.get_mut(id) {
                    Some(here) if *here == Here::Due => *here = Here::DueOnly,
                    _ => drop(self.delivered.remove(id)),
                }
            }
        }
    }

    /// Whether a kept message is still to be delivered here: not when it came through the log meanwhile.
    /// `sequence` numbers that delivery; `None` says that nobody listens here, so nothing is remembered.
    pub(super) fn deliver_here(&mut self, message: &Message, sequence: Option<u64>) -> bool {
        let Some(id) = &message.id else { return true };
        if let Some(saved) = self.saved.get_mut(id) {
            // Number 0: who listens when it comes through the log did not have it.
            let before = std::mem::replace(saved, Here::Delivered(sequence.unwrap_or_default()));
            return before != Here::Overtaken;
        }
        let here = self.delivered.remove(id);
        if let (Some(Here::Due), Some(sequence)) = (here, sequence) {
            self.delivered.insert(Arc::clone(id), Here::Delivered(sequence));
        }
        here != Some(Here::Overtaken)
    }

    /// The oldest messages as far as they are of one channel, `most` at most. They stay until [`Outbox::sent`].
    pub(super) fn first(&self, most: usize) -> Vec<Arc<Message>> {
        let Some((first, _)) = self.waiting.front() else { return Vec::new() };
        let together = self.waiting.iter().take(most).take_while(|(message, _)| message.channel == first.channel);
        together.map(|(message, _)| Arc::clone(message)).collect()
    }

    /// Removes these messages from the front, but for those that fell out meanwhile.
    pub(super) fn sent(&mut self, messages: &[Arc<Message>]) {
        for message in messages {
            if let Some((_, size_bytes)) = self.waiting.pop_front_if(|(first, _)| Arc::ptr_eq(first, message)) {
                self.bytes -= size_bytes;
            }
        }
    }

    /// A channel whose listeners elsewhere are to be told of a loss; stays until [`Outbox::told`].
    pub(super) fn torn(&self) -> Option<Channel> {
        self.torn.first().cloned()
    }

    /// The listeners of this channel know.
    pub(super) fn told(&mut self, channel: &Channel) {
        self.torn.remove(channel);
    }

    /// How many messages wait, and how many fell out since [`Outbox::take_dropped`].
    pub(super) fn sizes(&self) -> (u64, u64) {
        (u64::try_from(self.waiting.len()).unwrap_or_default(), self.dropped)
    }

    /// How many messages fell out since this was last asked.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Remembers that a saved message is about to be delivered here; `false` when it was before.
    pub(super) fn note_saved(&mut self, message: &Message) -> bool {
        let Some(id) = &message.id else { return true };
        if self.saved.contains_key(id) {
            return false;
        }
        self.saved.insert(Arc::clone(id), Here::Due);
        if self.saved.len() > SAVED {
            self.saved.pop_first();
        }
        true
    }

    /// Whether a message that came through the log was delivered here before, and under which number.
    /// Asked once a message that waited here: forgotten then.
    pub(super) fn take_delivered(&mut self, message: &Message) -> Option<u64> {
        if self.delivered.is_empty() && self.saved.is_empty() {
            return None;
        }
        let id = message.id.as_ref()?;
        match self.delivered.get_mut(id).or_else(|| self.saved.get_mut(id))? {
            Here::Delivered(sequence) => {
                let sequence = *sequence;
                self.delivered.remove(id);
                Some(sequence)
            }
            due => {
                *due = Here::Overtaken;
                None
            }
        }
    }
}
