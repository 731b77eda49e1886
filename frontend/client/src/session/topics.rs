//! What this tab listens to, and where each listener stands.

use wire::{BroadcastFrame, Channel, ClientFrame, Pattern, Position, Positions, SubscribedFrame};

use super::{
    recent::Recent,
    wildcard::{Wildcard, is_behind},
};
use crate::table::Table;

/// Ids remembered to tell repetitions.
const RECENT_IDS: usize = 1_024;
/// The same for messages that came without a position, which nothing else tells: as many as an
/// instance's outbox holds, for all of them may come again once they are logged.
const UNLOGGED_IDS: usize = 10_000;

/// Channels a wildcard's listener remembers its place in; beyond, one of them is forgotten for a new one.
const PLACES: usize = 1_024;

/// Names a listener of this tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenerId(pub u64);

/// What a listener wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// One channel, or all that match.
    pub pattern: Pattern,
    /// What this tab published, too?
    pub own: Own,
    /// Begin behind this position instead of with the next message; without meaning for a wildcard.
    pub since: Option<Position>,
}

/// Whether a listener hears what its own tab published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Heard.
    Hear,
    /// Omitted.
    Omit,
}

/// What befalls a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// Its subscription stands, nothing was missed.
    Stands,
    /// Messages were lost for good.
    Gap,
}

/// The listeners, grouped into one server subscription a pattern.
#[derive(Debug)]
pub(super) struct Topics {
    by_pattern: Table<Pattern, Topic>,
    listeners: Table<ListenerId, Listener>,
    /// Topics whose frame is still to be sent, and nothing is known against sending it.
    due: Table<Pattern, ()>,
    recent: Recent,
    unlogged: Recent,
    frames: u64,
}

/// One subscription as the server knows it.
#[derive(Debug, Default)]
struct Topic {
    /// The last frame sent for it on this connection.
    asked: Option<Asked>,
    /// Whether that frame was answered.
    is_answered: bool,
    /// The newest position known.
    latest: Option<Position>,
    /// Up to here, what comes was missed first.
    replay_until: Option<Position>,
    /// Where the channels below a wildcard stand.
    wildcard: Wildcard,
}

#[derive(Clone, Debug)]
struct Asked {
    frame: u64,
    omits_own: bool,
    since: Option<Position>,
    positions: Option<Positions>,
}

#[derive(Debug)]
struct Listener {
    pattern: Pattern,
    own: Own,
    /// What it has seen.
    position: Option<Position>,
    /// The same for a wildcard, by channel: it cannot resume, but neither does it go back when it
    /// comes to an instance that is behind.
    places: Table<Channel, Position>,
    /// The frame whose answer lets it stand; `None` until one is sent.
    awaits: Option<u64>,
    stands: bool,
    /// Whether it stood on an earlier connection.
    was_cut: bool,
}

impl Topics {
    pub(super) fn new() -> Self {
        Self {
            by_pattern: Table::default(),
            listeners: Table::default(),
            due: Table::default(),
            recent: Recent::new(RECENT_IDS),
            unlogged: Recent::new(UNLOGGED_IDS),
            frames: 0,
        }
    }

    /// Adds a listener; `Stands` when it stands at once.
    pub(super) fn join(&mut self, id: ListenerId, wish: Wish) -> Option<News> {
        let Wish { pattern, own, since } = wish;
        let since = since.filter(|_| pattern.as_channel().is_some());
        let topic = self.by_pattern.get_or_default(&pattern);
        let mut listener = Listener {
            pattern: pattern.clone(),
            own,
            position: since,
            places: Table::default(),
            awaits: None,
            stands: false,
            was_cut: false,
        };
        match &topic.asked {
            Some(asked) if topic.holds(listener.position.as_ref()) && (own == Own::Omit || !asked.omits_own) => {
                // Somebody may just have left it: it is wanted again.
                self.due.remove(&pattern);
                if topic.is_answered {
                    listener.stand(topic.latest.clone());
                } else {
                    listener.awaits = Some(asked.frame);
                }
            }
            _ => {
                self.due.insert(pattern, ());
            }
        }
        let news = listener.stands.then_some(News::Stands);
        self.listeners.insert(id, listener);
        news
    }

    /// Removes a listener; unknown ones are passed over.
    pub(super) fn leave(&mut self, id: ListenerId) {
        let Some(Listener { pattern, .. }) = self.listeners.remove(&id) else { return };
        if self.listeners_of(&pattern).next().is_some() {
            return;
        }
        if self.by_pattern.get(&pattern).is_some_and(|topic| topic.asked.is_some()) {
            self.due.insert(pattern, ());
        } else {
            self.due.remove(&pattern);
            self.by_pattern.remove(&pattern);
        }
    }

    /// Forgets what the server knew: the connection is gone.
    pub(super) fn disconnected(&mut self) {
        let mut wanted = Table::default();
        for listener in self.listeners.values() {
            wanted.insert(listener.pattern.clone(), ());
        }
        self.by_pattern.retain(|pattern, _| wanted.contains_key(pattern));
        for topic in self.by_pattern.values_mut() {
            topic.asked = None;
            topic.is_answered = false;
        }
        for listener in self.listeners.values_mut() {
            listener.was_cut |= listener.stands;
            listener.stands = false;
            listener.awaits = None;
        }
        self.due = wanted;
    }

    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// The next frame to send, with its number.
    pub(super) fn next_frame(&mut self) -> Option<(u64, ClientFrame)> {
        let (pattern, ()) = self.due.pop_first()?;
        let channel = pattern.as_str().to_owned();
        self.frames += 1;
        let frame = self.frames;
        if self.listeners_of(&pattern).next().is_none() {
            self.by_pattern.remove(&pattern);
            return Some((frame, ClientFrame::Unsubscribe { channel }));
        }
        let omits_own = self.listeners_of(&pattern).all(|listener| listener.own == Own::Omit);
        let since = self.earliest(&pattern);
        let topic = self.by_pattern.get_or_default(&pattern);
        let positions = topic.wildcard.positions().cloned();
        let asked = Asked { frame, omits_own, since, positions };
        topic.asked = Some(asked.clone());
        topic.is_answered = false;
        for listener in self.listeners.values_mut().filter(|listener| listener.pattern == pattern && !listener.stands) {
            listener.awaits = Some(frame);
        }
        let Asked { since, positions, .. } = asked;
        Some((frame, ClientFrame::Subscribe { channel, omit_self: omits_own, since, positions }))
    }

    /// A frame was answered: the subscription stands.
    pub(super) fn answered(&mut self, frame: u64, answer: &SubscribedFrame) -> Vec<(ListenerId, News)> {
        let Ok(pattern) = Pattern::parse(&answer.channel) else { return Vec::new() };
        let Some(topic) = self.by_pattern.get_mut(&pattern) else { return Vec::new() };
        let Some(asked) = topic.asked.clone() else { return Vec::new() };
        // An older frame than the last one: what it says of the replay holds all the same.
        topic.is_answered |= asked.frame == frame;
        if answer.position.is_some() {
            topic.latest.clone_from(&answer.position);
        }
        if answer.recovered && asked.since.is_some() {
            topic.replay_until.clone_from(&answer.position);
        }
        let is_resumed = answer.recovered && asked.positions.is_some();
        topic.wildcard.answered(answer.positions.as_ref(), is_resumed);
        let mut news = Vec::new();
        for (id, listener) in self.listeners.iter_mut().filter(|(_, listener)| listener.pattern == pattern) {
            let is_awaited = listener.awaits.is_some_and(|awaited| awaited <= frame);
            if !listener.stands && !is_awaited {
                continue;
            }
            let is_continuous = match (&listener.position, &answer.position) {
                (Some(seen), now) if Some(seen) == now.as_ref() => true,
                (Some(seen), _) => {
                    answer.recovered && asked.since.as_ref().is_some_and(|since| since.epoch == seen.epoch)
                }
                // Nothing can be missing before its first time.
                (None, _) => is_resumed || listener.stands || !listener.was_cut,
            };
            match (is_continuous, listener.stands) {
                (true, true) => {}
                (true, false) => {
                    let position = listener.position.clone().or_else(|| answer.position.clone());
                    listener.stand(position);
                    news.push((*id, News::Stands));
                }
                (false, _) => {
                    listener.stand(answer.position.clone());
                    news.push((*id, News::Gap));
                }
            }
        }
        news
    }

    /// Tries a frame again that the server would not hear just then.
    pub(super) fn retry(&mut self, frame: u64) {
        if let Some(pattern) = self.asked_by(frame) {
            self.due.insert(pattern, ());
        }
    }

    /// What the frame was about.
    pub(super) fn asked_by(&self, frame: u64) -> Option<Pattern> {
        let is_it = |topic: &Topic| topic.asked.as_ref().is_some_and(|asked| asked.frame == frame);
        self.by_pattern.iter().find(|(_, topic)| is_it(topic)).map(|(pattern, _)| pattern.clone())
    }

    /// Who gets a message, in the order they joined, and whether it was missed first.
    pub(super) fn deliver(&mut self, message: &BroadcastFrame, is_own: bool) -> (bool, Vec<ListenerId>) {
        let mut is_replay = false;
        if let (Some(topic), Some(position)) =
            (self.by_pattern.get_mut(&Pattern::from(&message.channel)), &message.position)
        {
            is_replay = topic.replay_until.as_ref().is_some_and(|until| !is_behind(position, until));
            if topic.latest.as_ref().is_none_or(|latest| is_behind(position, latest)) {
                topic.latest = Some(position.clone());
            }
        }
        let mut is_recovered = is_replay;
        // Wildcards that have seen it already: a replay and what came live may overlap.
        let mut seen_by = Vec::new();
        for (pattern, topic) in self.by_pattern.iter_mut() {
            if pattern.prefix().is_some() && pattern.matches(&message.channel) {
                is_recovered |= topic.wildcard.is_replay(message);
                if !topic.wildcard.advance(message) {
                    seen_by.push(pattern);
                }
            }
        }
        let mut receivers = Vec::new();
        for (id, listener) in self.listeners.iter_mut() {
            let is_heard = listener.stands && listener.pattern.matches(&message.channel);
            if !is_heard || seen_by.contains(&&listener.pattern) {
                continue;
            }
            let is_wildcard = listener.pattern.prefix().is_some();
            let is_new = match (&listener.position, &message.position) {
                (Some(seen), Some(position)) if !is_wildcard => is_behind(position, seen),
                (_, Some(position))
                    if listener.places.get(&message.channel).is_some_and(|seen| !is_behind(position, seen)) =>
                {
                    false
                }
                // What another listener missed is older than a wildcard's first time.
                _ => !(is_wildcard && is_replay && !listener.was_cut),
            };
            if !is_new {
                continue;
            }
            match &message.position {
                Some(position) if is_wildcard => listener.remember(&message.channel, position),
                Some(position) => listener.position = Some(position.clone()),
                None => {}
            }
            let (one, other) = match message.position {
                Some(_) => (&mut self.recent, &self.unlogged),
                None => (&mut self.unlogged, &self.recent),
            };
            let is_first = !other.holds(&message.id, *id) && one.offer(&message.id, *id);
            if is_first && !(is_own && listener.own == Own::Omit) {
                receivers.push(*id);
            }
        }
        (is_recovered, receivers)
    }

    /// A channel lost messages, and may begin anew anywhere; who listens to it.
    pub(super) fn lost(&mut self, channel: &Channel) -> Vec<ListenerId> {
        self.listeners.values_mut().for_each(|listener| drop(listener.places.remove(channel)));
        self.listening_to(channel)
    }

    /// Who listens to a channel.
    fn listening_to(&self, channel: &Channel) -> Vec<ListenerId> {
        let is_listening = |listener: &Listener| listener.stands && listener.pattern.matches(channel);
        self.listeners.iter().filter(|(_, listener)| is_listening(listener)).map(|(id, _)| *id).collect()
    }

    /// From where the server must resume so that no listener of the pattern misses anything.
    fn earliest(&self, pattern: &Pattern) -> Option<Position> {
        let mut positions = self.listeners_of(pattern).filter_map(|listener| listener.position.as_ref());
        let mut earliest = positions.next()?;
        for position in positions {
            // Listeners in another log are told of a gap when the answer comes.
            if position.epoch == earliest.epoch && position.offset < earliest.offset {
                earliest = position;
            }
        }
        Some(earliest.clone())
    }

    fn listeners_of(&self, pattern: &Pattern) -> impl Iterator<Item = &Listener> {
        self.listeners.values().filter(move |listener| listener.pattern == *pattern)
    }
}

impl Topic {
    /// Whether a listener that saw everything up to `since` can join what comes, without a replay.
    fn holds(&self, since: Option<&Position>) -> bool {
        since.is_none() || (self.is_answered && since == self.latest.as_ref())
    }
}

impl Listener {
    fn stand(&mut self, position: Option<Position>) {
        // A wildcard spans many logs and stands in none of them.
        self.position = position.filter(|_| self.pattern.prefix().is_none());
        self.awaits = None;
        self.stands = true;
    }

    fn remember(&mut self, channel: &Channel, position: &Position) {
        if self.places.len() >= PLACES && !self.places.contains_key(channel) {
            self.places.pop_first();
        }
        self.places.insert(channel.clone(), position.clone());
    }
}
