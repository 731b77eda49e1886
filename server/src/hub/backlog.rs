//! What browsers that come back have missed, read from the log once for all of them.

#![expect(clippy::disallowed_types, reason = "who comes while the log is read waits for the same answer")]

use std::{sync::Arc, time::Instant};

use tokio::sync::Mutex;
use wire::{Channel, Position};

use super::{Delivery, LINGER, Shared, channel::Entry};

/// The last part of a channel's log that was read.
#[derive(Default)]
pub(super) struct Backlog {
    read: Mutex<Option<Read>>,
}

struct Read {
    since: Position,
    /// The epoch the log is in by now.
    epoch: Arc<str>,
    /// What followed `since`, without holes.
    deliveries: Vec<Arc<Delivery>>,
    at: Instant,
}

impl Backlog {
    /// Gives back the memory when nobody needed it for a while.
    pub(super) fn sweep(&self) {
        if let Ok(mut read) = self.read.try_lock() {
            read.take_if(|read| read.at.elapsed() > LINGER);
        }
    }

    /// Gives back the memory now, unless somebody is reading.
    pub(super) fn forget(&self) {
        if let Ok(mut read) = self.read.try_lock() {
            *read = None;
        }
    }
}

impl Shared {
    /// Everything behind `since` up to `until`, or `None` when some of it is gone. The log knows whether
    /// another epoch is an earlier one of its own.
    pub(super) async fn missed(
        &self,
        channel: &Channel,
        entry: &Entry,
        since: &Position,
        until: &Position,
    ) -> Option<Vec<Arc<Delivery>>> {
        let mut read = entry.backlog.read.lock().await;
        if let Some(found) = read.as_ref().and_then(|read| read.cut(entry, since, until)) {
            return Some(found);
        }
        let replay = self.bus.replay(channel, since).await.ok()?;
        let epoch = replay.position.epoch;
        let deliveries = replay.messages?.into_iter().map(|message| self.numbered(message, 0)).collect();
        let fresh = Read { since: since.clone(), epoch, deliveries, at: Instant::now() };
        let found = fresh.cut(entry, since, until);
        *read = Some(fresh);
        drop(read);
        self.shed_cache();
        found
    }
}

impl Read {
    fn cut(&self, entry: &Entry, since: &Position, until: &Position) -> Option<Vec<Arc<Delivery>>> {
        // Another position of an earlier epoch may lie behind that epoch's end: the log is to say so.
        let is_covered = *since == self.since || since.epoch == self.epoch;
        if !is_covered || self.epoch != until.epoch || since.offset < self.since.offset || until.offset < since.offset {
            return None;
        }
        let place = |offset: u64| usize::try_from(offset - self.since.offset).ok();
        let (first, end) = (place(since.offset)?, place(until.offset)?);
        if let Some(found) = self.deliveries.get(first..end) {
            return Some(found.to_vec());
        }
        // What came since is with those who listen.
        let read_until = Position { offset: self.since.offset + self.deliveries.len() as u64, ..until.clone() };
        let later = entry.state().recall(&read_until)?;
        let mut found = self.deliveries.get(first..)?.to_vec();
        found.extend(later);
        found.truncate(end - first);
        (found.len() == end - first).then_some(found)
    }
}
