//! The logs of all channels in memory, within bounds on all of them together. Data only.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use uuid::Uuid;
use wire::{
    Channel, Message, Pattern, Position, Positions,
    limits::{LOG_AGE, LOG_MESSAGES, WILDCARD_CHANNELS},
};

use crate::bus::{Replay, size::tree_bytes};

/// Channels with a log at most; beyond, those unused for longest are forgotten, a tenth at once. Who resumes on
/// one of them is told that the epoch is new.
const LOGS: usize = 50_000;
/// Bytes of all logs at most; beyond, the oldest messages fall out, of whichever channel they are. Who resumes
/// before one of them is told of a gap.
const LOG_BYTES: usize = 64 * 1024 * 1024;
/// What a message takes in memory beside its text: its place in the log and in the order of all, and its id.
const ENTRY_BYTES: usize = 256;
/// Bytes of the messages of one replay at most, as trees; one that takes more is answered as incomplete.
const REPLAY_BYTES: usize = 64 * 1024 * 1024;
/// Places an emptying log may hold on to.
const SPARE_PLACES: usize = 16;

/// Bounded logs by channel.
#[derive(Default)]
pub(super) struct Logs {
    logs: HashMap<Channel, Log>,
    /// The channel of each message in any log, by its number: the oldest first.
    order: BTreeMap<u64, Channel>,
    appended: u64,
    size_bytes: usize,
    /// When a log with messages was last forgotten as a whole.
    forgotten_at: Option<Instant>,
}

struct Log {
    position: Position,
    entries: VecDeque<Entry>,
    appended_at: Option<Instant>,
    used_at: Instant,
}

/// A message as text: as a tree it may take a hundred times as much.
struct Entry {
    number: u64,
    id: Option<Arc<str>>,
    text: Bytes,
    at: Instant,
}

/// What a log holds after a position, as text.
pub(super) struct Missed {
    position: Position,
    texts: Option<Vec<Bytes>>,
}

/// A message as a log keeps it, without its position.
pub(super) fn text_of(message: &Message) -> Bytes {
    // Text, numbers and maps with text keys: nothing here can fail to serialise.
    serde_json::to_vec(message).unwrap_or_default().into()
}

impl Logs {
    /// Where the channel's log ends; begins one where there is none.
    pub(super) fn position(&mut self, channel: &Channel, now: Instant) -> Position {
        self.log(channel, now).position.clone()
    }

    /// Where a message with the same id is.
    pub(super) fn find(&mut self, message: &Message, now: Instant) -> Option<Position> {
        let log = self.log(&message.channel, now);
        let back = log.entries.iter().rev().position(|entry| entry.id == message.id)?;
        Some(Position { offset: log.position.offset - back as u64, ..log.position.clone() })
    }

    /// Appends a message with its text; where it is.
    pub(super) fn append(&mut self, message: &Message, text: Bytes, now: Instant) -> Position {
        self.appended += 1;
        let number = self.appended;
        let log = self.log(&message.channel, now);
        log.position.offset += 1;
        log.appended_at = Some(now);
        let position = log.position.clone();
        let entry = Entry { number, id: message.id.clone(), text, at: now };
        let added = entry.size_bytes();
        log.entries.push_back(entry);
        let has_too_many = log.entries.len() > LOG_MESSAGES;
        self.order.insert(number, message.channel.clone());
        self.size_bytes += added;
        if has_too_many {
            self.remove_first(&message.channel);
        }
        while self.size_bytes > LOG_BYTES || self.is_oldest_old(now) {
            let Some(channel) = self.order.first_key_value().map(|(_, channel)| channel.clone()) else { break };
            self.remove_first(&channel);
        }
        position
    }

    /// What the log holds after `since`.
    pub(super) fn missed(&mut self, channel: &Channel, since: &Position, now: Instant) -> Missed {
        let log = self.log(channel, now);
        let position = log.position.clone();
        let is_known = since.epoch == position.epoch && since.offset <= position.offset;
        let missed = usize::try_from(position.offset.saturating_sub(since.offset)).unwrap_or(usize::MAX);
        let texts = (is_known && missed <= log.entries.len())
            .then(|| log.entries.range(log.entries.len() - missed..).map(|entry| entry.text.clone()).collect());
        Missed { position, texts }
    }

    /// Where the channels stand that a wildcard matches and that were used lately; `None` when that cannot be said.
    pub(super) fn positions(&self, wildcard: &Pattern, now: Instant) -> Option<Positions> {
        let is_recent = |at: &Option<Instant>| at.is_some_and(|at| !is_old(at, now));
        if is_recent(&self.forgotten_at) {
            return None;
        }
        // Also those whose messages had to make room: what they said is missed.
        let matching =
            self.logs.iter().filter(|(channel, log)| is_recent(&log.appended_at) && wildcard.matches(channel));
        let positions: Positions = matching
            .map(|(channel, log)| (channel.clone(), log.position.clone()))
            .take(WILDCARD_CHANNELS + 1)
            .collect();
        (positions.len() <= WILDCARD_CHANNELS).then_some(positions)
    }

    /// Begins the channel's log anew.
    pub(super) fn reset(&mut self, channel: &Channel, now: Instant) {
        self.forget(channel);
        self.logs.insert(channel.clone(), Log::new(now));
    }

    fn log(&mut self, channel: &Channel, now: Instant) -> &mut Log {
        if self.logs.len() >= LOGS && !self.logs.contains_key(channel) {
            self.forget_unused(now);
        }
        let log = self.logs.entry(channel.clone()).or_insert_with(|| Log::new(now));
        log.used_at = now;
        log
    }

    /// Forgets the tenth of the logs that was unused for longest.
    fn forget_unused(&mut self, now: Instant) {
        let mut used: Vec<Instant> = self.logs.values().map(|log| log.used_at).collect();
        let tenth = used.len() / 10;
        let (_, until, _) = used.select_nth_unstable(tenth);
        let until = *until;
        let unused: Vec<Channel> =
            self.logs.iter().filter(|(_, log)| log.used_at <= until).map(|(channel, _)| channel.clone()).collect();
        for channel in unused {
            if self.logs.get(&channel).is_some_and(|log| log.appended_at.is_some()) {
                self.forgotten_at = Some(now);
            }
            self.forget(&channel);
        }
    }

    fn forget(&mut self, channel: &Channel) {
        for entry in self.logs.remove(channel).into_iter().flat_map(|log| log.entries) {
            self.order.remove(&entry.number);
            self.size_bytes -= entry.size_bytes();
        }
    }

    fn is_oldest_old(&self, now: Instant) -> bool {
        let oldest = self.order.first_key_value().and_then(|(_, channel)| self.logs.get(channel)?.entries.front());
        oldest.is_some_and(|entry| is_old(entry.at, now))
    }

    /// Removes the oldest message of a channel.
    fn remove_first(&mut self, channel: &Channel) {
        let Some(log) = self.logs.get_mut(channel) else { return };
        let Some(entry) = log.entries.pop_front() else { return };
        if log.entries.capacity() > SPARE_PLACES.max(log.entries.len() * 4) {
            log.entries.shrink_to(log.entries.len() * 2);
        }
        self.order.remove(&entry.number);
        self.size_bytes -= entry.size_bytes();
    }
}

impl Log {
    fn new(now: Instant) -> Self {
        let epoch = Uuid::new_v4().simple().to_string().into();
        Self { position: Position { epoch, offset: 0 }, entries: VecDeque::new(), appended_at: None, used_at: now }
    }
}

impl Entry {
    fn size_bytes(&self) -> usize {
        self.text.len() + ENTRY_BYTES
    }
}

impl Missed {
    /// Reads the messages.
    pub(super) fn read(self) -> Replay {
        let Self { position, texts } = self;
        let messages = texts.and_then(|texts| {
            let first = position.offset - texts.len() as u64 + 1;
            let mut size_bytes = 0;
            let read = texts.iter().zip(first..).map(|(text, offset)| {
                let mut message: Message = serde_json::from_slice(text).ok()?;
                message.position = Some(Position { offset, ..position.clone() });
                size_bytes += tree_bytes(&message);
                (size_bytes <= REPLAY_BYTES).then(|| Arc::new(message))
            });
            read.collect()
        });
        Replay { position, begun: 0, messages }
    }
}

fn is_old(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) > LOG_AGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: &str, number: usize, text_bytes: usize) -> Message {
        Message {
            channel: channel.parse().unwrap(),
            data: serde_json::json!({ "x": "x".repeat(text_bytes) }).as_object().unwrap().clone(),
            instance_id: "it:0".into(),
            timestamp: 0,
            id: Some(format!("{number}").into()),
            position: None,
            uuid: None,
            source: None,
            username: String::new(),
        }
    }

    fn append(logs: &mut Logs, message: &Message, now: Instant) -> Position {
        logs.append(message, text_of(message), now)
    }

    fn sum(logs: &Logs) -> usize {
        logs.logs.values().flat_map(|log| &log.entries).map(Entry::size_bytes).sum()
    }

    #[test]
    fn the_oldest_messages_make_room_whichever_channel_they_are_of() {
        let (mut logs, now) = (Logs::default(), Instant::now());
        let [quiet, busy, other] =
            ["quiet", "busy", "other"].map(|name| message(&format!("view:it:log:{name}"), 1, 60_000));
        let before = logs.position(&quiet.channel, now);
        append(&mut logs, &quiet, now);
        let mut positions = Vec::new();
        for _ in 0..1_000 {
            append(&mut logs, &other, now);
            positions.push(append(&mut logs, &busy, now));
            assert!(logs.size_bytes <= LOG_BYTES);
        }
        assert_eq!(logs.size_bytes, sum(&logs));
        assert_eq!(logs.order.len(), logs.logs.values().map(|log| log.entries.len()).sum::<usize>());
        assert!(logs.size_bytes > LOG_BYTES - 100_000, "no more than needed");
        assert!(logs.missed(&quiet.channel, &before, now).read().messages.is_none(), "a gap");
        assert_eq!(logs.missed(&busy.channel, &positions[990], now).read().messages.unwrap().len(), 9);
        let wildcard = "view:it:log:*".parse().unwrap();
        assert_eq!(logs.positions(&wildcard, now).unwrap().len(), 3, "who comes back to a wildcard learns of all");
    }

    #[test]
    fn messages_of_however_many_channels_stay_within_the_bound() {
        let (mut logs, now) = (Logs::default(), Instant::now());
        for number in 0..60_000 {
            append(&mut logs, &message(&format!("view:it:log:c{number}"), number, 5_000), now);
        }
        assert!(logs.size_bytes <= LOG_BYTES && logs.logs.len() <= LOGS);
        assert_eq!(logs.size_bytes, sum(&logs));
        let places: usize = logs.logs.values().map(|log| log.entries.capacity()).sum();
        assert!(places < 60_000 * SPARE_PLACES, "{places}");
        assert_eq!(logs.positions(&"view:it:*".parse().unwrap(), now), None, "some are forgotten");
    }

    #[test]
    fn what_is_too_old_goes_also_where_nothing_new_comes() {
        let (mut logs, now) = (Logs::default(), Instant::now());
        append(&mut logs, &message("view:it:log:quiet", 0, 10), now);
        let later = now + LOG_AGE * 2;
        append(&mut logs, &message("view:it:log:busy", 1, 10), later);
        assert_eq!(logs.order.len(), 1);
    }

    #[test]
    fn a_replay_of_more_than_fits_into_memory_is_incomplete() {
        let (mut logs, now) = (Logs::default(), Instant::now());
        let mut large = message("view:it:log:large", 0, 0);
        large.data.insert("list".into(), vec![serde_json::json!({ "": 1 }); 9_000].into());
        let before = logs.position(&large.channel, now);
        for _ in 0..2 {
            append(&mut logs, &large, now);
        }
        assert_eq!(logs.missed(&large.channel, &before, now).read().messages.unwrap().len(), 2);
        for _ in 0..50 {
            append(&mut logs, &large, now);
        }
        assert!(logs.missed(&large.channel, &before, now).read().messages.is_none());
    }
}
