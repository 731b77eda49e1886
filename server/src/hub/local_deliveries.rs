//! Which messages were delivered on this instance before the log had them, so that listeners who got one then do
//! not get it again when it comes back through the log.

use std::{collections::BTreeMap, sync::Arc};

use wire::Message;

/// Saved messages that are remembered as delivered here at most. Beyond, the oldest is forgotten, and a
/// browser that saw it may be handed it again through the log.
const SAVED: usize = 100_000;

/// Messages delivered on this instance only, by id. Ids sort by time, so the first one is the oldest.
pub(super) struct LocalDeliveries {
    /// Messages the retry buffer holds or held. At most `limit`, then the oldest is forgotten: a channel without
    /// listeners here never brings it back.
    buffered: BTreeMap<Arc<str>, Progress>,
    limit: usize,
    /// Messages their publisher keeps and may publish more than once.
    saved: BTreeMap<Arc<str>, Progress>,
}

/// How far a message that waits for the link has got on this instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// It is about to be delivered.
    Due,
    /// It is about to be delivered, and fell out of the retry buffer: it never comes back.
    DueOnly,
    /// It was delivered, under this number.
    Delivered(u64),
    /// It came through the log before it was delivered.
    Overtaken,
}

impl LocalDeliveries {
    pub(super) fn new(limit: usize) -> Self {
        Self { buffered: BTreeMap::new(), limit, saved: BTreeMap::new() }
    }

    /// Remembers that a buffered message is about to be delivered here.
    pub(super) fn insert(&mut self, message: &Message) {
        let Some(id) = &message.id else { return };
        self.buffered.insert(Arc::clone(id), Progress::Due);
        if self.buffered.len() > self.limit {
            self.buffered.pop_first();
        }
    }

    /// Remembers that a saved message is about to be delivered here; `false` when it was before.
    pub(super) fn insert_saved(&mut self, message: &Message) -> bool {
        let Some(id) = &message.id else { return true };
        if self.saved.contains_key(id) {
            return false;
        }
        self.saved.insert(Arc::clone(id), Progress::Due);
        if self.saved.len() > SAVED {
            self.saved.pop_first();
        }
        true
    }

    /// The message fell out of the retry buffer: the log never brings it back.
    pub(super) fn drop_from_buffer(&mut self, message: &Message) {
        let Some(id) = &message.id else { return };
        match self.buffered.get_mut(id) {
            Some(progress) if *progress == Progress::Due => *progress = Progress::DueOnly,
            _ => drop(self.buffered.remove(id)),
        }
    }

    /// Whether a message that waits is still to be delivered here: not when it came through the log already.
    /// `sequence` numbers that delivery; `None` says that nobody listens here, so nothing is remembered.
    pub(super) fn deliver_here(&mut self, message: &Message, sequence: Option<u64>) -> bool {
        let Some(id) = &message.id else { return true };
        if let Some(saved) = self.saved.get_mut(id) {
            // Number 0: who listens when it comes through the log did not have it.
            let before = std::mem::replace(saved, Progress::Delivered(sequence.unwrap_or_default()));
            return before != Progress::Overtaken;
        }
        let progress = self.buffered.remove(id);
        if let (Some(Progress::Due), Some(sequence)) = (progress, sequence) {
            self.buffered.insert(Arc::clone(id), Progress::Delivered(sequence));
        }
        progress != Some(Progress::Overtaken)
    }

    /// Whether a message that came through the log was delivered here before, and under which number.
    /// Asked once a buffered message: forgotten then.
    pub(super) fn take_delivered(&mut self, message: &Message) -> Option<u64> {
        if self.buffered.is_empty() && self.saved.is_empty() {
            return None;
        }
        let id = message.id.as_ref()?;
        match self.buffered.get_mut(id).or_else(|| self.saved.get_mut(id))? {
            Progress::Delivered(sequence) => {
                let sequence = *sequence;
                self.buffered.remove(id);
                Some(sequence)
            }
            due => {
                *due = Progress::Overtaken;
                None
            }
        }
    }
}
