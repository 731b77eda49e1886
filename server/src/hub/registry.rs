//! Which channels and patterns this instance listens to.

use std::{collections::HashMap, sync::Arc};

use wire::{Channel, Pattern};

use super::channel::Entry;

/// Channels known only through a wildcard, at most; beyond, those without listeners are forgotten.
const HEARD_BY_WILDCARD: usize = 20_000;

/// All entries of this instance, by channel and by the leading parts of wildcards.
#[derive(Default)]
pub(super) struct Registry {
    channels: HashMap<Channel, Arc<Entry>>,
    wildcards: HashMap<String, Arc<Entry>>,
}

impl Registry {
    pub(super) fn channel(&self, channel: &Channel) -> Option<&Arc<Entry>> {
        self.channels.get(channel)
    }

    /// The entry of a pattern, made when there is none; counted as in use until `arriving` is taken back.
    pub(super) fn enter(&mut self, pattern: &Pattern) -> Arc<Entry> {
        let entry = match (pattern.as_channel(), pattern.prefix()) {
            (Some(channel), _) => self.channels.entry(channel).or_insert_with(Entry::new),
            (None, prefix) => self.wildcards.entry(prefix.unwrap_or_default().to_owned()).or_insert_with(Entry::new),
        };
        entry.state().arriving += 1;
        Arc::clone(entry)
    }

    /// The entry that keeps a channel's order, made for a channel that only wildcards match.
    pub(super) fn order(&mut self, channel: &Channel) -> Arc<Entry> {
        if self.channels.len() >= HEARD_BY_WILDCARD && !self.channels.contains_key(channel) {
            self.channels.retain(|_, entry| entry.joined.initialized() || !entry.state().is_idle());
        }
        Arc::clone(self.channels.entry(channel.clone()).or_insert_with(Entry::new))
    }

    /// The wildcards that match, the shortest first.
    pub(super) fn wildcards(&self, channel: &Channel) -> Vec<Arc<Entry>> {
        if self.wildcards.is_empty() {
            return Vec::new();
        }
        channel.prefixes().filter_map(|prefix| self.wildcards.get(prefix)).map(Arc::clone).collect()
    }

    /// Notes that channels nobody here knows may go on unheard.
    pub(super) fn doubt_wildcards(&self) {
        self.wildcards.values().for_each(|entry| entry.state().doubt_below());
    }

    /// Every channel with listeners, its own or a wildcard's, or on its way to some.
    pub(super) fn listened(&self) -> Vec<(Channel, Arc<Entry>)> {
        let is_listened = |entry: &Arc<Entry>| entry.joined.initialized() || !entry.state().is_idle();
        self.channels
            .iter()
            .filter(|(channel, entry)| is_listened(entry) || is_matched(&self.wildcards, channel))
            .map(|(channel, entry)| (channel.clone(), Arc::clone(entry)))
            .collect()
    }

    /// Every wildcard that is heard.
    pub(super) fn heard_wildcards(&self) -> Vec<(Pattern, Arc<Entry>)> {
        let heard = self.wildcards.iter().filter(|(_, entry)| entry.joined.initialized());
        heard
            .filter_map(|(prefix, entry)| Some((Pattern::parse(&format!("{prefix}*")).ok()?, Arc::clone(entry))))
            .collect()
    }

    /// The channels a wildcard matches that were heard of.
    pub(super) fn known_below(&self, wildcard: &Pattern) -> Vec<(Channel, Arc<Entry>)> {
        let matching = self.channels.iter().filter(|(channel, _)| wildcard.matches(channel));
        matching.map(|(channel, entry)| (channel.clone(), Arc::clone(entry))).collect()
    }

    /// Gives back what was kept for those who come back.
    pub(super) fn sweep_backlogs(&self) {
        self.channels.values().for_each(|entry| entry.backlog.sweep());
    }

    /// Removes what nobody has needed for a while; the joined ones among it are to be left. A quiet
    /// channel that a wildcard hears stays: without its position, a loss on it would go unnoticed.
    pub(super) fn sweep(&mut self, is_over: impl Fn(&Entry) -> bool) -> Vec<Pattern> {
        let mut left = Vec::new();
        let wildcards = &self.wildcards;
        self.channels.retain(|channel, entry| {
            let is_heard_by_wildcard = !entry.joined.initialized() && is_matched(wildcards, channel);
            let is_kept = is_heard_by_wildcard || !is_over(entry);
            if !is_kept && entry.joined.initialized() {
                left.push(Pattern::from(channel));
            }
            is_kept
        });
        self.wildcards.retain(|prefix, entry| {
            let is_kept = !is_over(entry);
            if !is_kept && entry.joined.initialized() {
                left.extend(Pattern::parse(&format!("{prefix}*")));
            }
            is_kept
        });
        left
    }
}

/// Whether a wildcard hears the channel.
fn is_matched(wildcards: &HashMap<String, Arc<Entry>>, channel: &Channel) -> bool {
    !wildcards.is_empty() && channel.prefixes().any(|prefix| wildcards.contains_key(prefix))
}
