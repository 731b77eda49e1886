//! Slots of a cluster that nobody serves: what is sent there ends the client's connections, so nothing is.

use std::{
    ops::RangeInclusive,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use fred::{
    prelude::{ClusterInterface, Server},
    types::cluster::ClusterRouting,
    util::redis_keyslot,
};
use tokio::time::timeout;

use super::{BusError, connection::Connection};

/// The last slot there is.
const LAST: u16 = 16_383;
/// How long the cluster may take to say what is served.
const ASKED_WITHIN: Duration = Duration::from_millis(500);

/// The slots nobody serves, as last looked at.
#[derive(Default)]
pub(super) struct Unserved(RwLock<Vec<RangeInclusive<u16>>>);

impl Connection {
    /// Looks at which slots are served, and asks the cluster again while some are not.
    pub(super) async fn look_at_slots(&self) {
        if self.is_clustered() && !self.note_unserved() {
            // Not in time, or with an error, changes nothing: it is asked again.
            let _ = timeout(ASKED_WITHIN, self.commands().sync_cluster()).await;
            self.note_unserved();
        }
    }

    /// Whether all slots are served.
    fn note_unserved(&self) -> bool {
        let Some(state) = self.commands().cached_cluster_state() else { return true };
        let unserved = unserved(state.slots().iter().map(|range| range.start..=range.end));
        let is_whole = unserved.is_empty();
        *self.unserved.0.write().unwrap_or_else(PoisonError::into_inner) = unserved;
        is_whole
    }

    /// Whether somebody serves the slot of this key.
    ///
    /// # Errors
    ///
    /// When nobody does: as Redis says it.
    pub(super) fn reaches(&self, key: &str) -> Result<(), BusError> {
        let unserved = self.unserved.0.read().unwrap_or_else(PoisonError::into_inner);
        if unserved.is_empty() {
            return Ok(());
        }
        let slot = redis_keyslot(key.as_bytes());
        if unserved.iter().any(|range| range.contains(&slot)) {
            return Err(BusError::Redis("CLUSTERDOWN Hash slot not served".into()));
        }
        Ok(())
    }
}

/// The primary that serves a slot.
pub(super) fn server_of(state: &ClusterRouting, slot: u16) -> Option<&Server> {
    let range = state.slots().iter().find(|range| (range.start..=range.end).contains(&slot))?;
    Some(&range.primary)
}

/// What is left out by ranges in ascending order.
fn unserved(served: impl Iterator<Item = RangeInclusive<u16>>) -> Vec<RangeInclusive<u16>> {
    let mut unserved = Vec::new();
    let mut next = 0;
    for range in served {
        if *range.start() > next {
            unserved.push(next..=range.start() - 1);
        }
        next = range.end().saturating_add(1);
    }
    if next <= LAST {
        unserved.push(next..=LAST);
    }
    unserved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_range_holds_is_unserved() {
        let of = |served: &[RangeInclusive<u16>]| unserved(served.iter().cloned());
        assert_eq!(of(&[0..=5_460, 5_461..=LAST]), []);
        assert_eq!(of(&[1..=7, 9..=16_382]), [0..=0, 8..=8, LAST..=LAST]);
        assert_eq!(of(&[]), [0..=LAST]);
    }
}
