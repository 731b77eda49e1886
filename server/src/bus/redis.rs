//! The bus over Redis: pub/sub to tell, one script to log and tell at once.
//!
//! Two connections: commands, and subscriptions (RESP 3, so that a `PING` behind a `SUBSCRIBE`
//! confirms it). [`link`] watches both with a heartbeat of our own.

#![expect(
    clippy::disallowed_types,
    reason = "what is joined is locked while Redis is told, so that orders never cross"
)]

mod connect;
mod index;
mod link;
mod log;
mod receive;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, PoisonError, RwLock},
};

use async_trait::async_trait;
use fred::prelude::{Client, ClientLike, EventInterface, PubsubInterface};
use futures_util::future::try_join_all;
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{Channel, Message, Pattern, Position, Positions};

use super::{Attempt, Bus, BusError, Event, INBOX, Inbox, Link, Replay};
use crate::config::RedisConfig;
use index::Index;
use log::Log;

/// One instance's connections to Redis.
pub struct RedisBus {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What was joined, for the receiver.
#[derive(Default)]
struct Heard {
    channels: HashSet<Channel>,
    wildcards: Vec<Pattern>,
}

/// What the bus and its tasks share.
struct Shared {
    commands: Client,
    subscriptions: Client,
    /// What every key and channel begins with.
    prefix: String,
    /// What was joined and how often. Held while (un)subscribing, so that the two never cross.
    joined: Mutex<HashMap<Pattern, usize>>,
    /// The same, for the receiver, which must not wait.
    heard: RwLock<Heard>,
    link: watch::Sender<Link>,
    events: mpsc::Sender<Event>,
    log: Log,
    index: Index,
    /// Names this process: in heartbeats and claims. `{pid}@{host}#{random}`.
    token: String,
    /// The claimed instance id.
    claim: Mutex<Option<Arc<str>>>,
}

impl RedisBus {
    /// Starts connecting and keeps doing so for as long as the bus lives; a Redis that is not there
    /// is no error.
    ///
    /// # Errors
    ///
    /// When the configuration is one Redis cannot be reached with.
    pub fn start(config: &RedisConfig, prefix: String) -> Result<(Arc<Self>, Inbox), BusError> {
        let (commands, subscriptions) = connect::clients(config)?;
        let (events, inbox) = mpsc::channel(INBOX);
        let (link, _) = watch::channel(Link::Down);
        let shared = Arc::new(Shared {
            commands,
            subscriptions,
            joined: Mutex::default(),
            heard: RwLock::default(),
            link,
            events,
            log: Log::new(prefix.clone()),
            index: Index::new(prefix.clone()),
            token: link::token(),
            claim: Mutex::default(),
            prefix,
        });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let messages = shared.subscriptions.message_rx();
        let notices = link::Notices::of(&shared.commands, &shared.subscriptions);
        shared.commands.connect();
        shared.subscriptions.connect();
        let (beats, heard_beats) = watch::channel(0);
        tasks.spawn(stop.clone().run_until_cancelled_owned(receive::run(Arc::clone(&shared), messages, beats)));
        tasks.spawn(stop.clone().run_until_cancelled_owned(link::run(Arc::clone(&shared), notices, heard_beats)));
        tasks.close();
        Ok((Arc::new(Self { shared, tasks, stop }), inbox))
    }
}

impl Shared {
    fn is_up(&self) -> bool {
        *self.link.borrow() == Link::Up
    }

    /// The Redis channel, or pattern, of a pattern.
    fn redis_name(&self, pattern: &str) -> String {
        format!("{}bc:{pattern}", self.prefix)
    }

    /// Asks Redis to send what matches; returns once Redis agreed.
    async fn hear(&self, pattern: &Pattern) -> Result<(), BusError> {
        let name = self.redis_name(pattern.as_str());
        if pattern.prefix().is_some() {
            self.subscriptions.psubscribe(name).await?;
        } else {
            self.subscriptions.subscribe(name).await?;
        }
        Ok(())
    }

    /// Waits until Redis has done all that was asked on the subscribing connection.
    async fn confirm(&self) -> Result<(), BusError> {
        self.subscriptions.ping::<()>(None).await?;
        Ok(())
    }

    /// Refuses at once what a link that is down would only let time out.
    fn require_link(&self) -> Result<(), BusError> {
        if self.is_up() { Ok(()) } else { Err(BusError::Down) }
    }

    fn note_joined(&self, joined: &HashMap<Pattern, usize>) {
        let mut heard = self.heard.write().unwrap_or_else(PoisonError::into_inner);
        heard.wildcards = joined.keys().filter(|pattern| pattern.prefix().is_some()).cloned().collect();
        heard.channels = joined.keys().filter_map(Pattern::as_channel).collect();
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn join(&self, pattern: &Pattern) -> Result<(), BusError> {
        let shared = &self.shared;
        {
            let mut joined = shared.joined.lock().await;
            let count = joined.entry(pattern.clone()).or_default();
            *count += 1;
            let is_first = *count == 1;
            shared.note_joined(&joined);
            shared.require_link()?;
            if is_first {
                shared.hear(pattern).await?;
            }
        }
        shared.confirm().await
    }

    async fn leave(&self, pattern: &Pattern) {
        let shared = &self.shared;
        let mut joined = shared.joined.lock().await;
        let Some(count) = joined.get_mut(pattern) else { return };
        *count -= 1;
        if *count > 0 {
            return;
        }
        joined.remove(pattern);
        shared.note_joined(&joined);
        let name = shared.redis_name(pattern.as_str());
        let left = if !shared.is_up() {
            Ok(())
        } else if pattern.prefix().is_some() {
            shared.subscriptions.punsubscribe(name).await
        } else {
            shared.subscriptions.unsubscribe(name).await
        };
        if let Err(error) = left {
            // Heard in vain until the next reconnect; what nobody wants is dropped on arrival.
            tracing::debug!(%error, "cannot leave a redis channel");
        }
    }

    async fn publish(&self, messages: &[Arc<Message>], attempt: Attempt) -> Result<Vec<Position>, BusError> {
        self.shared.require_link()?;
        let Some(channel) = messages.first().map(|message| &message.channel) else { return Ok(Vec::new()) };
        let to = self.shared.redis_name(channel.as_str());
        self.shared.index.note(&self.shared.commands, channel).await?;
        self.shared.log.append(&self.shared.commands, &to, messages, attempt).await
    }

    async fn position(&self, channel: &Channel) -> Result<Position, BusError> {
        self.shared.require_link()?;
        self.shared.log.position(&self.shared.commands, channel).await
    }

    async fn replay(&self, channel: &Channel, since: &Position) -> Result<Replay, BusError> {
        self.shared.require_link()?;
        self.shared.log.replay(&self.shared.commands, channel, since).await
    }

    async fn positions(&self, wildcard: &Pattern) -> Result<Option<Positions>, BusError> {
        self.shared.require_link()?;
        let Some(channels) = self.shared.index.below(&self.shared.commands, wildcard).await? else { return Ok(None) };
        // Together: the client sends them in a row.
        let positions = channels.into_iter().map(|channel| async {
            let position = self.shared.log.position(&self.shared.commands, &channel).await?;
            Ok::<_, BusError>((channel, position))
        });
        Ok(Some(try_join_all(positions).await?.into_iter().collect()))
    }

    async fn renew(&self, channel: &Channel) -> Result<(), BusError> {
        self.shared.require_link()?;
        self.shared.log.renew(&self.shared.commands, &receive::renewals_channel(&self.shared), channel).await
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    async fn claim(&self, id: &Arc<str>) -> Arc<str> {
        link::claim(&self.shared, id).await
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        link::release(&self.shared).await;
        // A connection that is gone already cannot be closed again.
        let _ = self.shared.commands.quit().await;
        let _ = self.shared.subscriptions.quit().await;
    }
}

impl From<fred::error::Error> for BusError {
    fn from(error: fred::error::Error) -> Self {
        Self::Redis(Box::new(error))
    }
}
