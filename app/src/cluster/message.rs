//! What a callback gets besides the payload, and how it listens.

use std::sync::Arc;

use wire::{Channel, Payload};

/// A message as it reaches this browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    /// The payload, with the publisher's `uuid` when known.
    pub data: Payload,
    /// Everything else.
    pub meta: Meta,
}

/// What is known of a message besides its payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Where it was published.
    pub channel: Channel,
    /// Names the message once and for all.
    pub id: Arc<str>,
    /// Its place in the channel's log; `None` when it is in no log.
    pub offset: Option<u64>,
    /// When it was taken, RFC 3339.
    pub timestamp: Arc<str>,
    /// Whether it was missed first and fetched from the log after a reconnect.
    pub recovered: bool,
    /// Whether it was delivered without a place in the log, by its own instance while that did not hear the
    /// others: older messages of other instances may follow. Where the last state counts, compare a version in
    /// the payload, or load again when the cluster is back, as [`LiveResource`](super::LiveResource) does.
    pub unordered: bool,
}

/// How a callback listens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SubscribeOptions {
    /// What to do with messages this very tab published.
    pub own: OwnMessages,
}

/// Whether a callback hears what its own tab published, over whichever way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnMessages {
    /// Heard.
    #[default]
    Hear,
    /// Omitted (`omitSelf: true`).
    Omit,
}
