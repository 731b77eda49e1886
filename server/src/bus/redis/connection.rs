//! What one link consists of: a connection for commands and one for subscriptions, to as many nodes as
//! there are.

#![expect(clippy::disallowed_types, reason = "held while a question is answered, so that answers stay in step")]

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use fred::{
    prelude::{Client, ClientLike, ClusterInterface, Error, EventInterface, PubsubInterface, Server, Value},
    types::{ClusterHash, CustomCommand, Message as Received},
    util::redis_keyslot,
};
use futures_util::future::join_all;
use tokio::{
    sync::{Mutex, broadcast},
    task::JoinError,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use super::{BusError, slots::Unserved};
use crate::bus::OutageCause;

/// How often a client that connects is looked at: it tells only once that it is connected.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Topics named in one command at most.
pub(super) const NAMED_TOGETHER: usize = 256;
/// How long an answer may be under way that nobody waits for.
const STRAY_FOR: Duration = Duration::from_millis(5);
/// How often Redis is asked for a number, until it is clear that answers are not in step with questions.
const QUESTIONS: u32 = 20;

/// Both connections of one link; they end together, and when this is dropped.
pub(super) struct Connection {
    commands: Part,
    subscriptions: Part,
    /// The number of the last question on the subscribing connection. Held until it is answered, so that a
    /// refusal is heard by whoever caused it.
    asked: Mutex<u64>,
    /// Commands for channels that were sent, and how many of them are known to be done.
    sent: AtomicU64,
    done: AtomicU64,
    pub(super) unserved: Unserved,
}

/// One of the two.
pub(super) struct Part {
    client: Client,
    /// Cancelled when the connection ends by itself, or has to.
    ended: CancellationToken,
    /// Why it ended by itself.
    cause: Arc<OnceLock<OutageCause>>,
    _routing: AbortOnDropHandle<()>,
}

impl Part {
    /// Waits until the client is connected.
    pub(super) async fn open(client: Client) -> Result<Self, BusError> {
        let mut routing = AbortOnDropHandle::new(client.connect());
        while !client.is_connected() {
            tokio::select! {
                ending = &mut routing => return Err(why(ending)),
                told = timeout(LOOK_EVERY, client.wait_for_connect()) => {
                    if let Ok(told) = told {
                        told?;
                    }
                }
            }
        }
        let ended = CancellationToken::new();
        let end = ended.clone();
        let cause = Arc::new(OnceLock::new());
        let (noted, mut errors) = (Arc::clone(&cause), client.error_rx());
        let routing = tokio::spawn(async move {
            let ending = end.run_until_cancelled(routing).await;
            if let Some(ending) = ending {
                let reason = why(ending);
                // What Redis said comes first, then how the client took it.
                let refusal = std::iter::from_fn(|| errors.try_recv().ok())
                    .find_map(|(error, _)| BusError::from(error).refusal());
                let _ = noted.set(refusal.unwrap_or_else(|| reason.outage()));
                tracing::debug!(%reason, "a connection to redis ended");
            }
            end.cancel();
        });
        Ok(Self { client, ended, cause, _routing: AbortOnDropHandle::new(routing) })
    }
}

/// Why a client stopped.
fn why(ending: Result<Result<(), Error>, JoinError>) -> BusError {
    match ending {
        Ok(Err(error)) => error.into(),
        Ok(Ok(())) | Err(_) => BusError::Down,
    }
}

impl Connection {
    pub(super) fn new(commands: Part, subscriptions: Part) -> Self {
        Self {
            commands,
            subscriptions,
            asked: Mutex::default(),
            sent: AtomicU64::new(0),
            done: AtomicU64::new(0),
            unserved: Unserved::default(),
        }
    }

    /// Where commands go.
    pub(super) fn commands(&self) -> &Client {
        &self.commands.client
    }

    /// What arrives from now on.
    pub(super) fn messages(&self) -> broadcast::Receiver<Received> {
        self.subscriptions.client.message_rx()
    }

    /// Asks Redis to send what is published on a channel, or on those that match a pattern. Redis has done it
    /// when [`Connection::confirm`] returns; for a pattern, when this returns.
    ///
    /// # Errors
    ///
    /// When a pattern is refused ([`BusError::is_forbidden`]), and when the connection ends.
    pub(super) async fn hear(&self, name: String, kind: Kind) -> Result<(), BusError> {
        match kind {
            Kind::Channel => self.hear_all(vec![name]).await,
            Kind::Pattern => self.hear_patterns(vec![name]).await,
        }
    }

    /// The same for several channels at once.
    pub(super) async fn hear_all(&self, names: Vec<String>) -> Result<(), BusError> {
        for together in names.chunks(NAMED_TOGETHER) {
            self.unless_ended(self.subscriptions.client.subscribe(together.to_vec())).await?;
            self.sent.fetch_add(1, Ordering::AcqRel);
        }
        Ok(())
    }

    /// The same for several patterns at once: all of them or none.
    pub(super) async fn hear_patterns(&self, names: Vec<String>) -> Result<(), BusError> {
        let mut asked = self.asked.lock().await;
        // Both at once, this one first: an answer that finds no question at all would be dropped.
        let (sent, confirmed) = tokio::join!(
            biased;
            self.unless_ended(self.subscriptions.client.psubscribe(names)),
            self.ask(&mut asked),
        );
        sent.and(confirmed)
    }

    /// Undoes [`Connection::hear`] for a pattern.
    pub(super) async fn ignore(&self, pattern: String) -> Result<(), BusError> {
        self.unless_ended(self.subscriptions.client.punsubscribe(pattern)).await
    }

    /// The same for several channels.
    pub(super) async fn ignore_all(&self, names: Vec<String>) -> Result<(), BusError> {
        for together in names.chunks(NAMED_TOGETHER) {
            self.unless_ended(self.subscriptions.client.unsubscribe(together.to_vec())).await?;
        }
        Ok(())
    }

    /// Waits until Redis has done all that was asked on the subscribing connection. Those who wait at the same time share
    /// one question: however far away Redis is, so many may join at once.
    pub(super) async fn confirm(&self) -> Result<(), BusError> {
        let sent = self.sent.load(Ordering::Acquire);
        let mut asked = self.asked.lock().await;
        if self.done.load(Ordering::Acquire) >= sent {
            return Ok(());
        }
        let sent = self.sent.load(Ordering::Acquire);
        self.ask(&mut asked).await?;
        self.done.fetch_max(sent, Ordering::AcqRel);
        Ok(())
    }

    /// Asks for the next number back. What Redis does, it does in order; but a subscription it refuses is
    /// answered where the client expects no answer, and every answer behind it reaches the question after its
    /// own until one finds nobody who waits. So this asks until it hears its own number.
    async fn ask(&self, asked: &mut u64) -> Result<(), BusError> {
        let client = &self.subscriptions.client;
        // In a cluster the client sends subscriptions to the node that has the slot of its own name.
        let slot = redis_keyslot(client.id().as_bytes());
        let mut refusal = None;
        let mut question = "PING";
        for _ in 0..QUESTIONS {
            *asked += 1;
            let command = CustomCommand::new_static(question, ClusterHash::Custom(slot), false);
            match self.unless_ended(client.custom::<String, String>(command, vec![asked.to_string()])).await {
                Ok(answer) if answer == asked.to_string() => return refusal.map_or(Ok(()), Err),
                Ok(_) => {}
                Err(error) if error.is_forbidden() => refusal = Some(error),
                // A server that cannot save refuses pings with the writes.
                Err(error) if error.refusal() == Some(OutageCause::Misconf) => question = "ECHO",
                Err(error) => return Err(error),
            }
            sleep(STRAY_FOR).await;
        }
        Err(BusError::Down)
    }

    /// What Redis answers, unless the connection ends first. The client may wait out its whole time then, and
    /// whoever makes a new link would wait for the locks that are held meanwhile.
    async fn unless_ended<T>(&self, answer: impl Future<Output = Result<T, Error>>) -> Result<T, BusError> {
        tokio::select! {
            biased;
            answered = answer => Ok(answered?),
            () = self.ended() => Err(BusError::Down),
        }
    }

    /// Whether there are several nodes.
    pub(super) fn is_clustered(&self) -> bool {
        self.commands.client.is_clustered()
    }

    /// Why it ended.
    pub(super) fn end_cause(&self) -> OutageCause {
        let causes = [&self.commands, &self.subscriptions].map(|part| part.cause.get().copied());
        causes.into_iter().flatten().next().unwrap_or(OutageCause::Unreachable)
    }

    /// The primaries of a cluster; empty when there is only one node at a time.
    pub(super) fn nodes(&self) -> Vec<Server> {
        let client = &self.commands.client;
        if !client.is_clustered() {
            return Vec::new();
        }
        client.cached_cluster_state().map(|state| state.unique_primary_nodes()).unwrap_or_default()
    }

    /// Publishes on a channel through each of the nodes, naming it, or through the only one there is. Who listens for it
    /// knows when one does not arrive; answers with a refusal that says why.
    pub(super) async fn publish_through(&self, nodes: &[Server], channel: &str) -> Option<BusError> {
        let client = &self.commands.client;
        let published: Vec<Result<Value, Error>> = if nodes.is_empty() {
            vec![client.publish(channel.to_owned(), "").await]
        } else {
            let through = nodes.iter().map(|node| async move {
                client.with_cluster_node(node).publish(channel.to_owned(), node.to_string()).await
            });
            join_all(through).await
        };
        let refusals = published.into_iter().filter_map(|published| published.err().map(BusError::from));
        refusals.into_iter().find(|error| error.refusal().is_some())
    }

    /// Waits until either connection has ended.
    pub(super) async fn ended(&self) {
        tokio::select! {
            () = self.commands.ended.cancelled() => {}
            () = self.subscriptions.ended.cancelled() => {}
        }
    }

    /// Ends both now, whatever they are waiting for.
    pub(super) fn end(&self) {
        self.commands.ended.cancel();
        self.subscriptions.ended.cancel();
    }

    /// Ends both after what was sent is answered.
    pub(super) async fn quit(&self) {
        // One that is gone already cannot be closed again.
        let _ = self.commands.client.quit().await;
        let _ = self.subscriptions.client.quit().await;
        self.end();
    }
}

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// One channel.
    Channel,
    /// All that match.
    Pattern,
}
