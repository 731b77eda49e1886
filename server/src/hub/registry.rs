//! Which channels and patterns this instance listens to.

use std::{
    collections::{HashMap, hash_map::RandomState},
    hash::BuildHasher,
    sync::Arc,
};

use wire::{Channel, Pattern};

use super::channel::Entry;

/// Channels known only through a wildcard, about so many at most; beyond, those without listeners are forgotten.
const HEARD_BY_WILDCARD: usize = 20_000;
/// The channels are kept in so many parts, so that nothing that looks at all of them holds the lock for long.
pub(super) const PARTS: usize = 16;

/// All entries of this instance, by channel and by the leading parts of wildcards.
pub(super) struct Registry {
    parts: [Part; PARTS],
    /// Spreads channels over the parts.
    spread: RandomState,
    wildcards: HashMap<String, Arc<Entry>>,
    /// The part that is swept next.
    next: usize,
}

/// Some of the channels.
struct Part {
    channels: HashMap<Channel, Arc<Entry>>,
    /// How many there may be before those that only wildcards hear are forgotten. Set with each look at all of them, so
    /// that looking costs little for each channel that came since.
    most: usize,
}

impl Default for Registry {
    fn default() -> Self {
        let parts = std::array::from_fn(|_| Part { channels: HashMap::new(), most: HEARD_BY_WILDCARD / PARTS });
        Self { parts, spread: RandomState::new(), wildcards: HashMap::new(), next: 0 }
    }
}

impl Registry {
    pub(super) fn channel(&self, channel: &Channel) -> Option<&Arc<Entry>> {
        self.parts[self.place(channel)].channels.get(channel)
    }

    /// The entry of a pattern, made when there is none; counted as in use until `arriving` is taken back.
    pub(super) fn enter(&mut self, pattern: &Pattern) -> Arc<Entry> {
        let entry = match (pattern.as_channel(), pattern.prefix()) {
            (Some(channel), _) => {
                let place = self.place(&channel);
                self.parts[place].channels.entry(channel).or_insert_with(Entry::new)
            }
            (None, prefix) => self.wildcards.entry(prefix.unwrap_or_default().to_owned()).or_insert_with(Entry::new),
        };
        entry.state().arriving += 1;
        Arc::clone(entry)
    }

    /// The entry that keeps a channel's order, made for a channel that only wildcards match.
    pub(super) fn order(&mut self, channel: &Channel) -> Arc<Entry> {
        let place = self.place(channel);
        let part = &mut self.parts[place];
        if part.channels.len() >= part.most && !part.channels.contains_key(channel) {
            part.channels.retain(|_, entry| entry.joined.initialized() || !entry.state().is_idle());
            part.most = part.channels.len() + HEARD_BY_WILDCARD / PARTS;
            self.wildcards.values().for_each(|wildcard| wildcard.state().forget_below());
        }
        Arc::clone(part.channels.entry(channel.clone()).or_insert_with(Entry::new))
    }

    fn place(&self, channel: &Channel) -> usize {
        // The remainder is less than PARTS.
        usize::try_from(self.spread.hash_one(channel) % PARTS as u64).unwrap_or_default()
    }

    fn channels(&self) -> impl Iterator<Item = (&Channel, &Arc<Entry>)> {
        self.parts.iter().flat_map(|part| &part.channels)
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
        self.channels()
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
        let matching = self.channels().filter(|(channel, _)| wildcard.matches(channel));
        matching.map(|(channel, entry)| (channel.clone(), Arc::clone(entry))).collect()
    }

    /// Every entry that keeps messages for those who come back.
    pub(super) fn caches(&self) -> Vec<Arc<Entry>> {
        self.channels().map(|(_, entry)| Arc::clone(entry)).collect()
    }

    /// Looks through one of the [`PARTS`], and through all wildcards once a round: removes what nobody needs any more, and
    /// gives back what was kept for those who come back. The joined ones among it are to be left. A quiet channel
    /// that a wildcard hears stays: without its position, a loss on it would go unnoticed.
    pub(super) fn sweep(&mut self, is_over: impl Fn(&Entry) -> bool) -> Vec<Pattern> {
        let mut left = Vec::new();
        let Self { parts, wildcards, next, .. } = self;
        let mut in_use = 0;
        let part = &mut parts[*next];
        part.channels.retain(|channel, entry| {
            entry.backlog.sweep();
            let is_joined = entry.joined.initialized();
            let is_heard_by_wildcard = is_matched(wildcards, channel);
            if !is_joined && is_heard_by_wildcard {
                return true;
            }
            if !is_over(entry) {
                in_use += 1;
                return true;
            }
            if is_joined {
                left.push(Pattern::from(channel));
            }
            if is_heard_by_wildcard {
                *entry = entry.for_wildcards();
            }
            is_heard_by_wildcard
        });
        part.most = in_use + HEARD_BY_WILDCARD / PARTS;
        *next = (*next + 1) % PARTS;
        if *next == 0 {
            wildcards.retain(|prefix, entry| {
                let is_kept = !is_over(entry);
                if !is_kept && entry.joined.initialized() {
                    left.extend(Pattern::parse(&format!("{prefix}*")));
                }
                is_kept
            });
        }
        left
    }
}

/// Whether a wildcard hears the channel.
fn is_matched(wildcards: &HashMap<String, Arc<Entry>>, channel: &Channel) -> bool {
    !wildcards.is_empty() && channel.prefixes().any(|prefix| wildcards.contains_key(prefix))
}
