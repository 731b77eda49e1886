//! The bus of an instance that is alone: a log in memory, no link to lose.

mod logs;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, watch};
use wire::{Channel, Message, Pattern, Position, Positions};

use super::{Attempt, Bus, BusError, Event, INBOX, Inbox, Link, Replay};
use crate::identity::InstanceId;
use logs::Logs;

/// Keeps the logs of all channels in this process.
pub struct MemoryBus {
    state: Mutex<State>,
    events: mpsc::Sender<Event>,
    link: watch::Sender<Link>,
}

#[derive(Default)]
struct State {
    logs: Logs,
    joined: HashMap<Pattern, usize>,
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
        let texts: Vec<_> = messages.iter().map(|message| logs::text_of(message)).collect();
        // Places in the inbox first: the log's order and the inbox's are one then.
        let mut places = self.events.reserve_many(messages.len()).await.map_err(|_| BusError::Down)?;
        let mut state = self.state();
        let mut positions = Vec::with_capacity(messages.len());
        for (message, text) in messages.iter().zip(texts) {
            let found = match attempt {
                Attempt::First => None,
                Attempt::Again => state.logs.find(message, Instant::now()),
            };
            if let Some(position) = found {
                positions.push(position);
                continue;
            }
            let position = state.logs.append(message, text, Instant::now());
            positions.push(position.clone());
            if state.is_joined(&message.channel)
                && let Some(place) = places.next()
            {
                let message = Message { position: Some(position), ..Message::clone(message) };
                place.send(Event::Message(Arc::new(message)));
            }
        }
        Ok(positions)
    }

    async fn position(&self, channel: &Channel) -> Result<Position, BusError> {
        Ok(self.state().logs.position(channel, Instant::now()))
    }

    async fn replay(&self, channel: &Channel, since: &Position) -> Result<Replay, BusError> {
        let missed = self.state().logs.missed(channel, since, Instant::now());
        // Read with the lock given back: nobody waits for it.
        Ok(missed.read())
    }

    async fn positions(&self, wildcard: &Pattern) -> Result<Option<Positions>, BusError> {
        Ok(self.state().logs.positions(wildcard, Instant::now()))
    }

    async fn renew(&self, channel: &Channel) -> Result<(), BusError> {
        let place = self.events.reserve().await.map_err(|_| BusError::Down)?;
        self.state().logs.reset(channel, Instant::now());
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
}
