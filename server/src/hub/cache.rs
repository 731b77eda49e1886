//! What all channels of an instance together keep for browsers that come back, within one bound.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use wire::Message;

use super::Shared;
use crate::bus::tree_bytes;

/// Bytes of deliveries at most. Beyond, channels give up what they keep, those unused for longest first, until half
/// is left: who comes back to one of them costs the bus a replay.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Counts what deliveries take.
#[derive(Default)]
pub(super) struct Cache {
    held_bytes: Arc<AtomicUsize>,
    /// What is held by others than the channels cannot be given up: looked at again when this much more is held.
    unsheddable_bytes: AtomicUsize,
}

/// The part of one delivery; given back when it is dropped.
#[derive(Debug)]
pub(super) struct Share {
    size_bytes: usize,
    held_bytes: Arc<AtomicUsize>,
}

impl Cache {
    /// Counts a delivery of this message for as long as it lives.
    pub(super) fn share(&self, message: &Message) -> Share {
        let size_bytes = tree_bytes(message);
        self.held_bytes.fetch_add(size_bytes, Relaxed);
        Share { size_bytes, held_bytes: Arc::clone(&self.held_bytes) }
    }

    fn is_full(&self) -> bool {
        self.held_bytes.load(Relaxed) > CACHE_BYTES + self.unsheddable_bytes.load(Relaxed)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held_bytes.fetch_sub(self.size_bytes, Relaxed);
    }
}

impl Shared {
    /// Gives up what is kept beyond the bound. Looks at every channel, but no more often than a quarter of the bound
    /// was delivered; to be called without the lock of any.
    pub(super) fn shed_cache(&self) {
        if !self.cache.is_full() {
            return;
        }
        let mut entries = self.registry().caches();
        entries.sort_by_cached_key(|entry| entry.state().used_at);
        let held_bytes = &self.cache.held_bytes;
        for entry in entries {
            if held_bytes.load(Relaxed) <= CACHE_BYTES / 2 {
                break;
            }
            entry.state().shed_ring();
            entry.backlog.forget();
        }
        let rest = held_bytes.load(Relaxed).saturating_sub(CACHE_BYTES * 3 / 4);
        self.cache.unsheddable_bytes.store(rest, Relaxed);
    }
}
