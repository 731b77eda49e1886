//! Channels whose announcements Redis refuses: they wait in the store with growing pauses, and hold up no other channel.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use tokio::time::Instant;
use wire::{Channel, backoff::reconnect_delay};

use crate::store::Untold;

/// Shortest pause before a refused channel is tried again; a random part comes on top.
const PAUSE: Duration = Duration::from_millis(500);
/// Announcements that wait for refused channels and are passed over at most; with more, the others wait behind them.
const PASSED_OVER: usize = 10_000;

/// The refused channels, and which of their announcements are known to wait.
#[derive(Default)]
pub(super) struct Refused {
    channels: HashMap<Channel, Backoff>,
    ids: HashSet<Arc<str>>,
}

struct Backoff {
    failures: u32,
    retry_at: Instant,
}

impl Refused {
    /// Notes that an announcement was refused; `dice` is a fresh random number in `0.0..=1.0`.
    pub(super) fn insert(&mut self, channel: &Channel, id: &Arc<str>, now: Instant, dice: f64) {
        let backoff = self.channels.entry(channel.clone()).or_insert(Backoff { failures: 0, retry_at: now });
        if backoff.retry_at <= now {
            backoff.retry_at = now + PAUSE + reconnect_delay(backoff.failures, dice);
            backoff.failures = backoff.failures.saturating_add(1);
        }
        self.ids.insert(Arc::clone(id));
    }

    /// Notes that an announcement was published after all: its channel is well again.
    pub(super) fn remove(&mut self, channel: &Channel, id: &Arc<str>) {
        self.channels.remove(channel);
        self.ids.remove(id);
    }

    /// Whether an announcement of this channel would be refused: it has to wait, and so has what follows on the channel.
    pub(super) fn holds(&self, channel: &Channel) -> bool {
        self.channels.contains_key(channel)
    }

    /// Whether this announcement waits for its channel.
    pub(super) fn contains(&self, id: &Arc<str>) -> bool {
        self.ids.contains(id)
    }

    /// Removes those that are not to be tried now from what was found, and remembers them. `false` when there are more
    /// than may be passed over.
    pub(super) fn pass_over(&mut self, found: &mut Vec<Untold>, now: Instant) -> bool {
        let Self { channels, ids } = self;
        found.retain(|untold| {
            let must_wait = channels.get(&untold.announcement.channel).is_some_and(|backoff| backoff.retry_at > now);
            if must_wait {
                ids.insert(Arc::clone(&untold.id));
            }
            !must_wait
        });
        ids.len() <= PASSED_OVER
    }

    /// How many announcements are known to wait.
    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// When to try one of the channels again.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        self.channels.values().map(|backoff| backoff.retry_at).min()
    }

    /// Another link: every channel is tried at once.
    pub(super) fn clear(&mut self) {
        self.channels.clear();
        self.ids.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_channel_waits_longer_each_time_and_not_for_one_refusal_twice() {
        let mut refused = Refused::default();
        let (channel, now): (Channel, _) = ("view:it:a:changed".parse().unwrap(), Instant::now());
        refused.insert(&channel, &"1".into(), now, 1.0);
        let first = refused.next_retry().unwrap();
        refused.insert(&channel, &"2".into(), now, 1.0);
        assert_eq!(refused.next_retry(), Some(first), "the same refusal");
        refused.insert(&channel, &"1".into(), first, 1.0);
        assert!(refused.next_retry().unwrap() - first > first - now);
        refused.remove(&channel, &"1".into());
        assert_eq!((refused.holds(&channel), refused.next_retry()), (false, None));
    }
}
