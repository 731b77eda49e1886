//! What of a channel a slow listener may miss.

use std::sync::Arc;

use wire::{Message, Pattern};

use crate::config::{ChannelConfig, ChannelPolicy};

/// The channels of which only the latest matters.
#[derive(Debug, Default)]
pub(super) struct Policies {
    latest: Vec<(Pattern, String)>,
}

impl Policies {
    pub(super) fn new(channels: &[ChannelConfig]) -> Self {
        let is_latest = |channel: &&ChannelConfig| channel.policy == ChannelPolicy::Latest;
        let latest = channels.iter().filter(is_latest);
        Self { latest: latest.map(|channel| (channel.pattern.clone(), channel.key.clone())).collect() }
    }

    /// Names what a message is the latest of; `None` where every message counts.
    pub(super) fn topic(&self, message: &Message) -> Option<Arc<str>> {
        let (_, key) = self.latest.iter().find(|(pattern, _)| pattern.matches(&message.channel))?;
        let value = message.data.get(key).map(ToString::to_string).unwrap_or_default();
        Some(format!("{} {value}", message.channel).into())
    }
}
