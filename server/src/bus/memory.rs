//! The bus of an instance that is alone: a log in memory, no link to lose.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use uuid::Uuid;
use wire::{
    Channel, Message, Pattern, Position, Positions,
    limits::{LOG_AGE, LOG_MESSAGES, WILDCARD_CHANNELS},
};

use super::{Attempt, Bus, BusError, Event, INBOX, Inbox, Link, Replay};
use crate::identity::InstanceId;

/// Channels with a log at most; beyond, the one unused for longest is forgotten, and who resumes on
/// it is told that the epoch is new.
const LOGS: usize = 50_000;
/// Bytes of payloads in all logs at most; beyond, the logs unused for longest are emptied.
const LOG_BYTES: usize = 64 * 1024 * 1024;

/// Keeps the logs of all channels in this process.
pub struct MemoryBus {
    state: Mutex<State>,
    events: mpsc::Sender<Event>,
    link: watch::Sender<Link>,
}

#[derive(Default)]
struct State {
    logs: HashMap<Channel, Log>,
    joined: HashMap<Pattern, usize>,
    bytes: usize,
}

struct Log {
    position: Position,
    entries: VecDeque<Entry>,
    used_at: Instant,
}

struct Entry {
    message: Arc<Message>,
    size_bytes: usize,
    at: Instant,
}

impl MemoryBus {
    /// An empty bus and the hub's end of it.
    pub fn new() -> (Arc<Self>, Inbox) {
        let (events, inbox) = mpsc::channel(INBOX);
        let (link, _) = watch::channel(Link::Local);
        (Arc::new(Self { state: Mutex::default(), events, link }), inbox)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Bus for MemoryBus {
    async fn join(&self, pattern: &Pattern) -> Result<(), BusError> {
        *self.state().joined.entry(pattern.clone()).or_default() += 1;
        Ok(())
    }

    async fn leave(&self, pattern: &Pattern) {
        let mut state = self.state();
        if let Some(count) = state.joined.get_mut(pattern) {
            *count -= 1;
            if *count == 0 {
                state.joined.remove(pattern);
            }
        }
    }

    async fn publish(&self, messages: &[Arc<Message>], attempt: Attempt) -> Result<Vec<Position>, BusError> {
        // Places in the inbox first: the log's order and the inbox's are one then.
        let mut places = self.events.reserve_many(messages.len()).await.map_err(|_| BusError::Down)?;
        let mut state = self.state();
        let mut positions = Vec::with_capacity(messages.len());
        for message in messages {
            let found = match attempt {
                Attempt::First => None,
                Attempt::Again => state.log(&message.channel, Instant::now()).find(message),
            };
            if let Some(position) = found {
                positions.push(position);
                continue;
            }
            let message = state.append(Message::clone(message), Instant::now());
            positions.extend(message.position.clone());
            if state.is_joined(&message.channel)
                && let Some(place) = places.next()
            {
                place.send(Event::Message(message));
            }
        }
        Ok(positions)
    }

    async fn position(&self, channel: &Channel) -> Result<Position, BusError> {
        Ok(self.state().log(channel, Instant::now()).position.clone())
    }

    async fn replay(&self, channel: &Channel, since: &Position) -> Result<Replay, BusError> {
        Ok(self.state().log(channel, Instant::now()).replay(since))
    }

    async fn positions(&self, wildcard: &Pattern) -> Result<Option<Positions>, BusError> {
        let (state, now) = (self.state(), Instant::now());
        let is_used = |log: &Log| log.entries.back().is_some_and(|entry| !is_old(entry.at, now));
        let matching = state.logs.iter().filter(|(channel, log)| wildcard.matches(channel) && is_used(log));
        let positions: Positions = matching
            .map(|(channel, log)| (channel.clone(), log.position.clone()))
            .take(WILDCARD_CHANNELS + 1)
            .collect();
        Ok((positions.len() <= WILDCARD_CHANNELS).then_some(positions))
    }

    async fn renew(&self, channel: &Channel) -> Result<(), BusError> {
        let place = self.events.reserve().await.map_err(|_| BusError::Down)?;
        let mut state = self.state();
        if let Some(log) = state.logs.insert(channel.clone(), Log::new(Instant::now())) {
            state.bytes = state.bytes.saturating_sub(log.bytes());
        }
        place.send(Event::Renewed(channel.clone()));
        Ok(())
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    async fn claim(&self, _id: &InstanceId) {}

    async fn close(&self) {}
}

impl State {
    fn is_joined(&self, channel: &Channel) -> bool {
        !self.joined.is_empty()
            && (self.joined.contains_key(&Pattern::from(channel))
                || channel.prefixes().any(|prefix| {
                    Pattern::parse(&format!("{prefix}*")).is_ok_and(|wildcard| self.joined.contains_key(&wildcard))
                }))
    }

    fn log(&mut self, channel: &Channel, now: Instant) -> &mut Log {
        if self.logs.len() >= LOGS && !self.logs.contains_key(channel) {
            self.shed(|log, bytes| {
                *bytes = bytes.saturating_sub(log.bytes());
                false
            });
        }
        let log = self.logs.entry(channel.clone()).or_insert_with(|| Log::new(now));
        log.used_at = now;
        log
    }

    fn append(&mut self, message: Message, now: Instant) -> Arc<Message> {
        let log = self.log(&message.channel.clone(), now);
        let (message, added, removed) = log.append(message, now);
        self.bytes = self.bytes.saturating_add(added).saturating_sub(removed);
        if self.bytes > LOG_BYTES {
            self.shed(|log, bytes| {
                *bytes = bytes.saturating_sub(log.bytes());
                log.entries = VecDeque::new();
                true
            });
        }
        message
    }

    /// Treats the tenth of the logs that was unused for longest; keeps those `treat` says so of.
    fn shed(&mut self, mut treat: impl FnMut(&mut Log, &mut usize) -> bool) {
        let mut used: Vec<Instant> = self.logs.values().map(|log| log.used_at).collect();
        if used.is_empty() {
            return;
        }
        let tenth = used.len() / 10;
        let (_, until, _) = used.select_nth_unstable(tenth);
        let until = *until;
        let Self { logs, bytes, .. } = self;
        logs.retain(|_, log| log.used_at > until || treat(log, bytes));
    }
}

impl Log {
    fn new(now: Instant) -> Self {
        let epoch = Uuid::new_v4().simple().to_string().into();
        Self { position: Position { epoch, offset: 0 }, entries: VecDeque::new(), used_at: now }
    }

    fn bytes(&self) -> usize {
        self.entries.iter().map(|entry| entry.size_bytes).sum()
    }

    /// The message with its position, the bytes it added and those that fell out at the other end.
    fn append(&mut self, mut message: Message, now: Instant) -> (Arc<Message>, usize, usize) {
        self.position.offset += 1;
        message.position = Some(self.position.clone());
        let size_bytes = estimate(&message);
        let message = Arc::new(message);
        self.entries.push_back(Entry { message: Arc::clone(&message), size_bytes, at: now });
        let mut removed = 0;
        while let Some(first) = self.entries.front()
            && (self.entries.len() > LOG_MESSAGES || is_old(first.at, now))
        {
            removed += first.size_bytes;
            self.entries.pop_front();
        }
        (message, size_bytes, removed)
    }

    /// Where a message with the same id is.
    fn find(&self, message: &Message) -> Option<Position> {
        let mut entries = self.entries.iter().rev();
        entries.find(|entry| entry.message.id == message.id).and_then(|entry| entry.message.position.clone())
    }

    fn replay(&self, since: &Position) -> Replay {
        let position = self.position.clone();
        let is_known = since.epoch == position.epoch && since.offset <= position.offset;
        let missed = usize::try_from(position.offset.saturating_sub(since.offset)).unwrap_or(usize::MAX);
        let messages = (is_known && missed <= self.entries.len()).then(|| {
            self.entries.range(self.entries.len() - missed..).map(|entry| Arc::clone(&entry.message)).collect()
        });
        Replay { position, begun: 0, messages }
    }
}

fn is_old(at: Instant, now: Instant) -> bool {
    now.saturating_duration_since(at) > LOG_AGE
}

/// About what a message takes: its text and the tree around it.
fn estimate(message: &Message) -> usize {
    fn of(value: &serde_json::Value) -> usize {
        use serde_json::Value;
        32 + match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(of).sum(),
            Value::Object(fields) => fields.iter().map(|(key, value)| key.len() + 24 + of(value)).sum(),
            _ => 0,
        }
    }
    256 + message.data.iter().map(|(key, value)| key.len() + 24 + of(value)).sum::<usize>()
}
