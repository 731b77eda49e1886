//! What the relay counts of itself.

use std::{
    collections::HashSet,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use super::Relay;
use crate::clock::now_milliseconds;

/// Counted by the sockets' own tasks.
#[derive(Debug, Default)]
pub(super) struct Counters {
    opened: AtomicU64,
    received: AtomicU64,
    overflowed: AtomicU64,
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
    /// Sockets closed because they read too slowly.
    pub overflowed: u64,
    /// When something last happened, in milliseconds since 1970; 0 for never.
    pub active_at: u64,
}

impl Counters {
    pub(super) fn opened(&self) {
        self.opened.fetch_add(1, Relaxed);
        self.active_at.store(now_milliseconds(), Relaxed);
    }

    pub(super) fn received(&self) {
        self.received.fetch_add(1, Relaxed);
        self.active_at.store(now_milliseconds(), Relaxed);
    }

    pub(super) fn overflowed(&self) {
        self.overflowed.fetch_add(1, Relaxed);
    }
}

impl Relay {
    /// What was counted up to now.
    pub fn stats(&self) -> RelayStats {
        let counters = &self.shared.stats;
        let users: HashSet<String> = self.owners().into_iter().map(|owner| owner.user_id.clone()).collect();
        RelayStats {
            sockets: u64::try_from(self.sockets()).unwrap_or(u64::MAX),
            users: u64::try_from(users.len()).unwrap_or(u64::MAX),
            opened: counters.opened.load(Relaxed),
            received: counters.received.load(Relaxed),
            overflowed: counters.overflowed.load(Relaxed),
            active_at: counters.active_at.load(Relaxed),
        }
    }
}
