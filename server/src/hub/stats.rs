//! What the hub counts of itself.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use wire::{Layer, Message};

use super::Hub;
use crate::{
    clock::now_milliseconds,
    histogram::{Histogram, Snapshot},
};

/// Every layer, in the order of [`HubStats::latency`].
pub const LAYERS: [Layer; 3] = [Layer::Model, Layer::View, Layer::Controller];

/// Counted while messages pass: single additions, no lock.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) published: AtomicU64,
    pub(super) kept: AtomicU64,
    delivered: AtomicU64,
    pub(super) repairs: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) gaps: AtomicU64,
    pub(super) dropped: AtomicU64,
    pub(super) too_large: AtomicU64,
    pub(super) inbox: AtomicU64,
    latency: [Histogram; LAYERS.len()],
}

/// What the hub has counted since its start, and what waits in it now.
#[derive(Clone, Debug, Default)]
pub struct HubStats {
    /// Messages published through this instance.
    pub published: u64,
    /// Those of them that had to wait for the link.
    pub kept: u64,
    /// Messages handed to this instance's listeners, each once.
    pub delivered: u64,
    /// How often the log was asked for what was missing.
    pub repairs: u64,
    /// Messages that came from the log then.
    pub replayed: u64,
    /// Losses that could not be repaired.
    pub gaps: u64,
    /// Messages that fell out of the retry buffer.
    pub dropped: u64,
    /// Messages of other instances that were too large to be passed on.
    pub too_large: u64,
    /// Messages that wait for the link now.
    pub outbox: u64,
    /// Events that waited for the delivering task when it last looked.
    pub inbox: u64,
    /// From publishing, by the publisher's clock, to delivery here, by layer.
    pub latency: [Snapshot; LAYERS.len()],
}

impl Counters {
    /// Counts messages of one channel as they are handed out, as they came from the bus.
    pub(super) fn delivered(&self, messages: &[Arc<super::Delivery>]) {
        let Some(first) = messages.first() else { return };
        self.delivered.fetch_add(u64::try_from(messages.len()).unwrap_or_default(), Relaxed);
        let latency = &self.latency[place(first.message.channel.layer())];
        let now = now_milliseconds();
        for delivery in messages {
            latency.record(now.saturating_sub(delivery.message.timestamp));
        }
    }

    /// Counts one that is delivered without having been logged.
    pub(super) fn delivered_here(&self, message: &Message) {
        self.delivered.fetch_add(1, Relaxed);
        self.latency[place(message.channel.layer())].record(now_milliseconds().saturating_sub(message.timestamp));
    }
}

fn place(layer: Layer) -> usize {
    match layer {
        Layer::Model => 0,
        Layer::View => 1,
        Layer::Controller => 2,
    }
}

impl Hub {
    /// What was counted up to now.
    pub fn stats(&self) -> HubStats {
        let counters = &self.shared.stats;
        let (outbox, dropped) = self.shared.retry_buffer().sizes();
        HubStats {
            published: counters.published.load(Relaxed),
            kept: counters.kept.load(Relaxed),
            delivered: counters.delivered.load(Relaxed),
            repairs: counters.repairs.load(Relaxed),
            replayed: counters.replayed.load(Relaxed),
            gaps: counters.gaps.load(Relaxed),
            dropped: counters.dropped.load(Relaxed) + dropped,
            too_large: counters.too_large.load(Relaxed),
            outbox,
            inbox: counters.inbox.load(Relaxed),
            latency: std::array::from_fn(|layer| counters.latency[layer].snapshot()),
        }
    }
}
