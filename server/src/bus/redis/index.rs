//! Which channels were lately used, so that a wildcard that comes back finds those it missed.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use fred::{
    prelude::{Client, ClientLike, Value},
    types::{ClusterHash, CustomCommand, scripts::Script},
};
use wire::{
    Channel, Pattern,
    limits::{LOG_AGE, WILDCARD_CHANNELS},
};

use super::{BusError, connection::Connection};

/// How long a note of a channel is as good as new.
const NOTED_FOR: Duration = Duration::from_mins(1);
/// Channels whose notes are remembered at most; beyond, all are forgotten and made again.
const NOTES: usize = 20_000;
/// Channels looked through at most for one wildcard.
const LOOKED_THROUGH: usize = 4_096;

/// A sorted set for each component (`view:myApp`) of its channels by the time of their last use. A note
/// is made before the message is logged, so that no used channel is missing; it is renewed once a
/// minute, not with each message.
pub(super) struct Index {
    prefix: String,
    note: Script,
    below: Script,
    noted: Mutex<HashMap<Channel, Instant>>,
}

impl Index {
    pub(super) fn new(prefix: String) -> Self {
        Self {
            prefix,
            note: Script::from_lua(include_str!("note.lua")),
            below: Script::from_lua(include_str!("below.lua")),
            noted: Mutex::default(),
        }
    }

    /// Notes that the channel is used.
    pub(super) async fn note(&self, connection: &Connection, channel: &Channel) -> Result<(), BusError> {
        let now = Instant::now();
        let is_fresh = |at: &Instant| now.saturating_duration_since(*at) < NOTED_FOR;
        if self.noted.lock().unwrap_or_else(PoisonError::into_inner).get(channel).is_some_and(is_fresh) {
            return Ok(());
        }
        let Some(key) = self.key(channel.as_str()) else { return Ok(()) };
        connection.reaches(&key)?;
        let values: Vec<Value> = vec![channel.as_str().into(), kept_seconds()];
        self.note.evalsha_with_reload::<(), _, _>(connection.commands(), vec![key], values).await?;
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.len() >= NOTES {
            noted.clear();
        }
        noted.insert(channel.clone(), now);
        Ok(())
    }

    /// Makes notes again that Redis evicted; the others count as used when it looks for what to evict. A wildcard that
    /// comes back would take a channel without a note for one that had no messages.
    pub(super) async fn refresh(&self, client: &Client) -> Result<(), BusError> {
        let mut components: HashMap<String, Vec<Channel>> = HashMap::new();
        {
            let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            for (channel, _) in noted.iter().filter(|(_, at)| at.elapsed() < LOG_AGE + NOTED_FOR) {
                if let Some(key) = self.key(channel.as_str()) {
                    components.entry(key).or_default().push(channel.clone());
                }
            }
        }
        for (key, channels) in components {
            let touch = CustomCommand::new_static("TOUCH", ClusterHash::FirstKey, false);
            if client.custom::<i64, _>(touch, vec![key.clone()]).await? > 0 {
                continue;
            }
            for channel in channels {
                let values: Vec<Value> = vec![channel.as_str().into(), kept_seconds()];
                self.note.evalsha_with_reload::<(), _, _>(client, vec![key.clone()], values).await?;
            }
        }
        Ok(())
    }

    /// Forgets what it noted: the Redis of the next link may be another, or empty.
    pub(super) fn forget(&self) {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The lately used channels that a wildcard matches; `None` when they are too many, or the wildcard
    /// spans more than one component.
    pub(super) async fn below(
        &self,
        connection: &Connection,
        wildcard: &Pattern,
    ) -> Result<Option<Vec<Channel>>, BusError> {
        let Some(key) = wildcard.prefix().and_then(|prefix| self.key(prefix)) else { return Ok(None) };
        connection.reaches(&key)?;
        let values: Vec<Value> = vec![kept_seconds(), i64::try_from(LOOKED_THROUGH).unwrap_or(i64::MAX).into()];
        let names: Vec<String> = self.below.evalsha_with_reload(connection.commands(), vec![key], values).await?;
        if names.len() > LOOKED_THROUGH {
            return Ok(None);
        }
        let channels = names.iter().filter_map(|name| Channel::parse(name).ok());
        let matching: Vec<_> =
            channels.filter(|channel| wildcard.matches(channel)).take(WILDCARD_CHANNELS + 1).collect();
        Ok((matching.len() <= WILDCARD_CHANNELS).then_some(matching))
    }

    /// The key of a component; `None` when the text does not name one.
    fn key(&self, text: &str) -> Option<String> {
        let mut parts = text.split(':');
        let (layer, component) = (parts.next()?, parts.next().filter(|component| !component.is_empty())?);
        Some(format!("{}channels:{layer}:{component}", self.prefix))
    }
}

/// How long a channel stays in the index: as long as its messages in the log, and its note may be old.
fn kept_seconds() -> Value {
    i64::try_from((LOG_AGE + NOTED_FOR * 2).as_secs()).unwrap_or(i64::MAX).into()
}
