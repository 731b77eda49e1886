//! Listening to all channels that begin alike, and coming back to them.

#![expect(clippy::disallowed_types, reason = "who comes while positions are read waits for the same answer")]

use std::{sync::Arc, time::Instant};

use tokio::sync::Mutex;
use wire::{Channel, Pattern, Position, Positions, limits::LOG_MESSAGES};

use super::{Delivery, Shared, channel::Entry};

/// Where the channels of a wildcard stood when it was last asked.
#[derive(Default)]
pub(super) struct Snapshot {
    taken: Mutex<Option<(Instant, Option<Arc<Positions>>)>>,
}

impl Shared {
    /// Where the channels stand, as of `joined_at` or later: what is published behind that comes live.
    pub(super) async fn positions(
        &self,
        wildcard: &Pattern,
        entry: &Entry,
        joined_at: Instant,
    ) -> Option<Arc<Positions>> {
        let mut taken = entry.snapshot.taken.lock().await;
        if let Some((at, positions)) = &*taken
            && *at > joined_at
        {
            return positions.clone();
        }
        let at = Instant::now();
        let positions = self.bus.positions(wildcard).await.ok().flatten().map(Arc::new);
        *taken = Some((at, positions.clone()));
        positions
    }

    /// Everything behind the positions somebody saw up to those of now, or `None` when that cannot be
    /// had. Order holds within each channel.
    pub(super) async fn missed_below(
        &self,
        wildcard: &Pattern,
        seen: &Positions,
        now: &Positions,
    ) -> Option<Vec<Arc<Delivery>>> {
        let is_quiet = |channel: &Channel| wildcard.matches(channel) && !now.contains_key(channel);
        for (channel, position) in seen.iter().filter(|(channel, _)| is_quiet(channel)) {
            // Not used lately: then it stands where it stood.
            if self.bus.position(channel).await.ok()? != *position {
                return None;
            }
        }
        let mut missed = Vec::new();
        for (channel, until) in now {
            // A channel that was not used then has nothing in its log but what was missed.
            let beginning = Position { offset: 0, ..until.clone() };
            let since = seen.get(channel).unwrap_or(&beginning);
            if since == until {
                continue;
            }
            if since.offset <= until.offset {
                let entry = self.registry().order(channel);
                missed.extend(self.missed(channel, &entry, since, until).await?);
            } else {
                // No log has this position, or not any more.
                return None;
            }
            if missed.len() > LOG_MESSAGES {
                return None;
            }
        }
        Some(missed)
    }

    /// Remembers where the channels of a wildcard stand that is heard from now on, so that what gets
    /// lost on the way is noticed.
    pub(super) async fn learn(&self, wildcard: &Pattern, heard: &Entry) {
        let Ok(Some(positions)) = self.bus.positions(wildcard).await else { return };
        for (channel, position) in positions {
            let entry = self.registry().order(&channel);
            entry.state().begin_at(position);
        }
        heard.state().know_below();
    }

    /// The channels of a wildcard that may have gone on while nothing was heard, ready to be repaired.
    pub(super) async fn behind(&self, wildcard: &Pattern, heard: &Entry) -> Vec<(Channel, Arc<Entry>)> {
        let positions = match self.bus.positions(wildcard).await {
            Ok(Some(positions)) => positions,
            Ok(None) => {
                tracing::warn!(%wildcard, "too wide to look for what was missed in channels not heard before");
                return self.registry().known_below(wildcard);
            }
            Err(_) => return Vec::new(),
        };
        let is_known = heard.state().below.is_known;
        let mut behind = Vec::new();
        for (channel, position) in positions {
            let (entry, wildcards) = {
                let mut registry = self.registry();
                (registry.order(&channel), registry.wildcards(&channel))
            };
            let mut state = entry.state();
            if state.position.is_none() && !is_known && position.offset > 0 {
                // Some of it may be older than the listeners, so it cannot be handed to them. To those of every
                // wildcard: the next one to be looked at finds the position set.
                for wildcard in &wildcards {
                    wildcard.state().tell_blind_wildcard(&channel, &position);
                }
            }
            // Not heard of before: everything in its log is new.
            let offset = if is_known { 0 } else { position.offset };
            let here = state.position.get_or_insert_with(|| Position { offset, ..position.clone() });
            let is_behind = *here != position;
            drop(state);
            if is_behind {
                behind.push((channel, entry));
            }
        }
        heard.state().know_below();
        behind
    }
}
