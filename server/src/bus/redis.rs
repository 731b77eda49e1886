//! The bus over Redis: pub/sub to tell, one script to log and tell at once.
//!
//! Two connections: commands, and subscriptions (RESP 3, so that a `PING` behind a `SUBSCRIBE`
//! confirms it). [`link`] watches both with a heartbeat of our own, and makes both anew when one fails.

mod buckets;
mod budget;
mod claim;
mod connect;
mod connection;
mod fault;
mod heartbeat;
mod index;
mod inspect;
mod interest;
mod keys;
mod lasting;
mod link;
mod log;
mod pauses;
mod probe;
mod receive;
mod records;
mod slots;
mod tls;
mod topics;
mod usage;
mod user_values;

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fred::types::scripts::Script;
use futures_util::future::try_join_all;
use tokio::{
    sync::{Notify, mpsc, watch},
    time::sleep,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use wire::{Channel, Message, Pattern, Position, Positions};

use super::{Attempt, Bus, BusError, Event, INBOX, Inbox, Link, OutageCause, Replay};
use crate::{config::RedisConfig, identity::InstanceId};
use connect::Plan;
use connection::Connection;
use fault::Cut;
use index::Index;
pub use inspect::Inspected;
use interest::{Interest, Name, Wildcards};
pub use keys::{Keys, Put};
use log::Log;
use topics::Ears;
pub use topics::{FOR_TOPICS, Told, TopicInbox, Topics};
pub use usage::RedisMemory;
pub use user_values::UserBounds;

/// How often the notes of used channels are looked at.
const INDEX_EVERY: Duration = Duration::from_secs(2);

/// One instance's connections to Redis.
pub struct RedisBus {
    shared: Arc<Shared>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// What the bus and its tasks share.
struct Shared {
    /// The connections, while everything joined is heard through them; the link may be down for all that, because
    /// Redis refuses writes.
    connection: RwLock<Option<Arc<Connection>>>,
    /// What every key and channel begins with.
    prefix: String,
    /// Which channels, wildcards and topics are wanted.
    interest: Interest,
    /// The wildcards among them, for the receiver.
    wildcards: Wildcards,
    /// Whether somebody keeps the link cut.
    cut: Cut,
    ears: Ears,
    link: watch::Sender<Link>,
    lasting_link: watch::Sender<Link>,
    /// Why the link was last down.
    outage: watch::Sender<Option<OutageCause>>,
    /// Something was refused: whether everything is, a probe finds out.
    refused: Notify,
    connects: AtomicU64,
    events: mpsc::Sender<Event>,
    log: Log,
    index: Index,
    /// Takes tokens from a bucket.
    take: Script,
    /// Names this process: in heartbeats and claims. `{pid}@{host}#{random}`.
    token: String,
    /// The claimed instance id.
    claim: claim::Claim,
    /// Ended by [`Bus::close`], with what Redis is being asked.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl RedisBus {
    /// Starts connecting and keeps doing so for as long as the bus lives; a Redis that is not there
    /// is no error.
    ///
    /// # Errors
    ///
    /// When the configuration is one Redis cannot be reached with.
    pub fn start(config: &RedisConfig, prefix: String) -> Result<(Arc<Self>, Inbox), BusError> {
        let plan = Plan::new(config)?;
        let (events, inbox) = mpsc::channel(INBOX);
        let (link, changes) = watch::channel(Link::Down);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let shared = Arc::new(Shared {
            connection: RwLock::default(),
            interest: Interest::default(),
            wildcards: Wildcards::default(),
            cut: Cut::default(),
            ears: Ears::default(),
            link,
            lasting_link: watch::Sender::new(Link::Down),
            outage: watch::Sender::new(None),
            refused: Notify::new(),
            connects: AtomicU64::new(0),
            events,
            log: Log::new(prefix.clone()),
            index: Index::new(prefix.clone()),
            take: buckets::script(),
            token: claim::token(),
            claim: claim::Claim::default(),
            tasks: tasks.clone(),
            stop: stop.clone(),
            prefix,
        });
        tasks.spawn(stop.clone().run_until_cancelled_owned(link::run(Arc::clone(&shared), plan)));
        let announcing = Arc::clone(&shared);
        tasks.spawn(stop.clone().run_until_cancelled_owned(async move {
            lasting::run(changes, &announcing.lasting_link, lasting::LASTS).await
        }));
        tasks.spawn(stop.clone().run_until_cancelled_owned(keep_index(Arc::clone(&shared))));
        tasks.close();
        Ok((Arc::new(Self { shared, tasks, stop }), inbox))
    }

    /// For what is kept in Redis beside the logs.
    pub fn keys(&self) -> Keys {
        Keys::new(Arc::clone(&self.shared))
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

    /// Where this process hears its own heart.
    fn heartbeat_channel(&self) -> String {
        format!("{}heartbeat:{}", self.prefix, self.token)
    }

    /// Where instances tell each other that a log was begun anew.
    fn renewals_channel(&self) -> String {
        format!("{}renewed", self.prefix)
    }

    /// The connections, while the link is up: what needs it is refused at once, not after a time-out.
    fn connection(&self) -> Result<Arc<Connection>, BusError> {
        self.connection.read().unwrap_or_else(PoisonError::into_inner).clone().ok_or(BusError::Down)
    }

    /// The same for a command on this key: in a cluster that is not whole, nothing is sent to slots nobody serves.
    fn connection_for(&self, key: &str) -> Result<Arc<Connection>, BusError> {
        let connection = self.connection()?;
        connection.reaches(key)?;
        Ok(connection)
    }

    /// The same for a command on the keys of a channel.
    fn connection_for_channel(&self, channel: &Channel) -> Result<Arc<Connection>, BusError> {
        self.connection_for(&format!("{{{channel}}}"))
    }

    fn set_connected(&self, connection: &Arc<Connection>) {
        *self.connection.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(connection));
    }

    fn set_up(&self) {
        self.set_link(Link::Up);
    }

    /// Writes are refused; what is joined is heard, and reading works.
    fn set_refused(&self, cause: OutageCause) {
        self.outage.send_replace(Some(cause));
        self.set_link(Link::Down);
        self.index.forget();
    }

    fn set_down(&self, cause: OutageCause) {
        self.set_refused(cause);
        self.connection.write().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn set_link(&self, link: Link) {
        self.link.send_if_modified(|before| std::mem::replace(before, link) != link);
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn join(&self, pattern: &Pattern) -> Result<(), BusError> {
        let names = vec![Name::of(pattern)];
        self.shared.interest.want(&names);
        self.shared.settle(names).await
    }

    async fn leave(&self, pattern: &Pattern) {
        let names = vec![Name::of(pattern)];
        self.shared.interest.release(&names);
        if let Err(error) = self.shared.settle(names).await {
            // Heard in vain until it is joined or left again, or the next reconnect; what nobody wants is dropped on arrival.
            tracing::debug!(%error, "cannot leave a redis channel");
        }
    }

    async fn publish(&self, messages: &[Arc<Message>], attempt: Attempt) -> Result<Vec<Position>, BusError> {
        let Some(channel) = messages.first().map(|message| &message.channel) else { return Ok(Vec::new()) };
        let connection = self.shared.connection_for_channel(channel)?;
        let to = self.shared.redis_name(channel.as_str());
        let published = async {
            match self.shared.index.note(&connection, channel).await {
                // A key of the wrong type: a wildcard cannot read it either, and says that it cannot recover.
                Err(error) if error.is_wrong_type() => {}
                noted => noted?,
            }
            self.shared.log.append(connection.commands(), &to, messages, attempt).await
        };
        let published = published.await;
        if published.as_ref().is_err_and(|error| error.refusal().is_some()) {
            self.shared.refused.notify_one();
        }
        if published.is_ok() {
            let instance = messages[0].instance_id.as_ref();
            tracing::debug!(channel = %to, messages = messages.len(), instance, "Published to Redis channel: {to}");
        }
        published
    }

    async fn position(&self, channel: &Channel) -> Result<Position, BusError> {
        self.shared.log.position(self.shared.connection_for_channel(channel)?.commands(), channel).await
    }

    async fn replay(&self, channel: &Channel, since: &Position) -> Result<Replay, BusError> {
        self.shared.log.replay(self.shared.connection_for_channel(channel)?.commands(), channel, since).await
    }

    async fn positions(&self, wildcard: &Pattern) -> Result<Option<Positions>, BusError> {
        let connection = self.shared.connection()?;
        let Some(channels) = self.shared.index.below(&connection, wildcard).await? else { return Ok(None) };
        // Together: the client sends them in a row.
        let positions = channels.into_iter().map(|channel| async {
            let connection = self.shared.connection_for_channel(&channel)?;
            let client = connection.commands();
            let position = self.shared.log.position(client, &channel).await?;
            Ok::<_, BusError>((channel, position))
        });
        match try_join_all(positions).await {
            Ok(positions) => Ok(Some(positions.into_iter().collect())),
            // Redis refuses one of them: the wildcard cannot say where it stands, its other channels can be repaired.
            Err(error) if self.shared.is_up() => {
                tracing::debug!(%wildcard, %error, "a channel below a wildcard does not say where it stands");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn renew(&self, channel: &Channel) -> Result<(), BusError> {
        let connection = self.shared.connection_for_channel(channel)?;
        self.shared.log.renew(connection.commands(), &self.shared.renewals_channel(), channel).await
    }

    fn link(&self) -> watch::Receiver<Link> {
        self.shared.link.subscribe()
    }

    fn lasting_link(&self) -> watch::Receiver<Link> {
        self.shared.lasting_link.subscribe()
    }

    fn last_outage(&self) -> Option<OutageCause> {
        *self.shared.outage.borrow()
    }

    fn connects(&self) -> u64 {
        self.shared.connects.load(Ordering::Relaxed)
    }

    async fn claim(&self, id: &InstanceId) {
        claim::claim(&self.shared, id).await;
    }

    async fn close(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
        claim::release(&self.shared).await;
        if let Ok(connection) = self.shared.connection() {
            self.shared.set_down(OutageCause::Cut);
            connection.quit().await;
        }
    }
}

/// Sees to it that no note of a channel stays evicted.
async fn keep_index(shared: Arc<Shared>) {
    loop {
        sleep(INDEX_EVERY).await;
        if let Ok(connection) = shared.connection()
            && let Err(error) = shared.index.refresh(connection.commands()).await
        {
            tracing::debug!(%error, "the notes of used channels are looked at again in a moment");
        }
    }
}

impl From<fred::error::Error> for BusError {
    fn from(error: fred::error::Error) -> Self {
        match in_words(&error) {
            Some(text) => Self::Redis(text.into()),
            None => Self::Redis(Box::new(error)),
        }
    }
}

/// What the system said, where it said something: fred has it as programmers write it.
fn in_words(error: &fred::error::Error) -> Option<String> {
    if *error.kind() != fred::error::ErrorKind::IO {
        return None;
    }
    let said = |field: &str| Some(error.details().split_once(field)?.1.split_once('"')?.0.to_lowercase());
    said("message: \"").or_else(|| said("error: \""))
}
