//! What the relay counts of itself.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use super::{Relay, Use};
use crate::clock::now_milliseconds;

/// Counted by the sockets' own tasks, those of other endpoints only where it says so.
#[derive(Debug, Default)]
pub(super) struct Counters {
    opened: AtomicU64,
    received: AtomicU64,
    overflowed: AtomicU64,
    /// On other endpoints.
    overflowed_elsewhere: AtomicU64,
    /// Counted by the queues.
    too_large: Arc<AtomicU64>,
    active_at: AtomicU64,
}

/// What the relay has counted since its start, and who is there now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RelayStats {
    /// Sockets and event streams open now.
    pub sockets: u64,
    /// Users who are signed in on them.
    pub users: u64,
    /// Sockets and event streams opened.
    pub opened: u64,
    /// Messages browsers sent.
    pub received: u64,
    /// Sockets and event streams closed because they read too slowly.
    pub overflowed: u64,
    /// The same of this instance's other WebSocket endpoints.
    pub overflowed_elsewhere: u64,
    /// Messages that were too large for any browser.
    pub too_large: u64,
    /// When something last happened, in milliseconds since 1970; 0 for never.
    pub active_at: u64,
}

impl Counters {
    pub(super) fn opened(&self, purpose: Use) {
        self.note(&self.opened, purpose);
    }

    pub(super) fn received(&self, purpose: Use) {
        self.note(&self.received, purpose);
    }

    pub(super) fn overflowed(&self, purpose: Use) {
        let count = if purpose == Use::Relay { &self.overflowed } else { &self.overflowed_elsewhere };
        count.fetch_add(1, Relaxed);
    }

    /// Where queues count messages they can never hold.
    pub(super) fn too_large(&self) -> &Arc<AtomicU64> {
        &self.too_large
    }

    fn note(&self, count: &AtomicU64, purpose: Use) {
        if purpose == Use::Relay {
            count.fetch_add(1, Relaxed);
            self.active_at.store(now_milliseconds(), Relaxed);
        }
    }
}

impl Relay {
    /// What was counted up to now.
    pub fn stats(&self) -> RelayStats {
        let counters = &self.shared.stats;
        let (sockets, users) = {
            let sockets = self.shared.sockets();
            let own = || sockets.queues.iter().filter(|(_, open)| open.purpose == Use::Relay);
            let users: HashSet<&str> =
                own().filter_map(|(_, open)| Some(open.owner.as_ref()?.user_id.as_str())).collect();
            (own().count(), users.len())
        };
        RelayStats {
            sockets: u64::try_from(sockets).unwrap_or(u64::MAX),
            users: u64::try_from(users).unwrap_or(u64::MAX),
            opened: counters.opened.load(Relaxed),
            received: counters.received.load(Relaxed),
            overflowed: counters.overflowed.load(Relaxed),
            overflowed_elsewhere: counters.overflowed_elsewhere.load(Relaxed),
            too_large: counters.too_large.load(Relaxed),
            active_at: counters.active_at.load(Relaxed),
        }
    }
}
