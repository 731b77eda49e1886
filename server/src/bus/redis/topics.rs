//! Messages that are in no log: whoever hears a topic gets them once, whoever is away does not.
//!
//! For WebSocket endpoints and for news of configuration, each with a family of topics and an inbox of
//! its own. A topic is heard for as long as somebody here wants it, over the bus's own connections, and
//! heard again when a lost link is back; what was told meanwhile is gone. Without Redis nothing is heard:
//! this instance has what it tells already.

use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use fred::{
    prelude::{Error, PubsubInterface},
    types::{Message as Received, MessageKind, Value},
};
use futures_util::future::join_all;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use super::{BusError, RedisBus, Shared, budget::ByteBudget, interest::Name};
use crate::bus::Link;

/// What topics that are channels of broadcasts begin with.
const BROADCASTS: &str = "bc:";
/// What a text on such a channel begins with that is for topics alone.
pub const FOR_TOPICS: &[u8] = br#"{"source":"#;
/// What is told and waits to go out; more is dropped and counted.
const WAITING: usize = 8_192;
/// Bytes of it, alike.
const WAITING_BYTES: usize = 16 * 1024 * 1024;
/// What goes out together at most.
const TOGETHER: usize = 256;
/// How long it may take: what Redis does not take by then is dropped.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// What arrived and waits to be taken; more is dropped and counted.
const INBOX: usize = 16_384;
/// Bytes of it, alike.
const INBOX_BYTES: usize = 32 * 1024 * 1024;

/// Where topics are told and heard. Cheap to clone.
#[derive(Clone)]
pub struct Topics {
    /// `None` without Redis.
    far: Option<Far>,
    link: watch::Receiver<Link>,
}

#[derive(Clone)]
struct Far {
    shared: Arc<Shared>,
    waiting: mpsc::Sender<(String, Bytes)>,
    budget: Arc<ByteBudget>,
}

/// What was told on a topic.
#[derive(Clone, Debug)]
pub struct Told {
    /// The topic.
    pub topic: String,
    /// What was told; empty for something on a channel of broadcasts that was too large to be passed on.
    pub text: Bytes,
}

/// Where what is heard of one family arrives: in the order of Redis, as long as it is taken fast enough.
pub struct TopicInbox {
    arrived: mpsc::Receiver<Told>,
    budget: Arc<ByteBudget>,
    dropped: Arc<AtomicU64>,
    /// How many of the dropped are known to have been.
    known: u64,
}

impl TopicInbox {
    /// What was told next; `None` when nothing more can come.
    pub async fn next(&mut self) -> Option<Told> {
        let told = self.arrived.recv().await?;
        self.budget.give_back(told.text.len());
        Some(told)
    }

    /// Whether anything was dropped, because it was not taken in time, since this was last asked.
    pub fn has_lost(&mut self) -> bool {
        let dropped = self.dropped.load(Ordering::Relaxed);
        std::mem::replace(&mut self.known, dropped) != dropped
    }
}

/// Who takes what is told, for the task that reads from Redis.
#[derive(Default)]
pub(super) struct Ears(RwLock<Vec<Ear>>);

/// Takes what is told on the topics that begin with `family`.
struct Ear {
    family: &'static str,
    inbox: mpsc::Sender<Told>,
    budget: Arc<ByteBudget>,
    dropped: Arc<AtomicU64>,
}

impl Ear {
    fn give(&self, topic: &str, text: Bytes) {
        let size_bytes = text.len();
        let has_room = self.budget.take(size_bytes);
        if !has_room || self.inbox.try_send(Told { topic: topic.to_owned(), text }).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            if has_room {
                self.budget.give_back(size_bytes);
            }
        }
    }
}

impl Ears {
    fn add(&self, family: &'static str) -> TopicInbox {
        let ((inbox, arrived), dropped) = (mpsc::channel(INBOX), Arc::new(AtomicU64::new(0)));
        let budget = Arc::new(ByteBudget::new(INBOX_BYTES));
        let ear = Ear { family, inbox, budget: Arc::clone(&budget), dropped: Arc::clone(&dropped) };
        self.0.write().unwrap_or_else(PoisonError::into_inner).push(ear);
        TopicInbox { arrived, budget, dropped, known: 0 }
    }
}

impl Topics {
    /// Those of an instance that is alone.
    pub fn local(link: watch::Receiver<Link>) -> (Self, TopicInbox) {
        let (_, nothing_arrives) = mpsc::channel(1);
        let budget = Arc::new(ByteBudget::new(0));
        (Self { far: None, link }, TopicInbox { arrived: nothing_arrives, budget, dropped: Arc::default(), known: 0 })
    }

    /// How this instance is linked to the others.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Starts hearing topics; each is undone by one [`Topics::ignore`]. On success whatever is told
    /// from now on arrives. Remembered while the link is down. Both are counted once they were polled, and
    /// brought to their end also when the caller goes away.
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    pub async fn hear(&self, topics: &[String]) -> Result<(), BusError> {
        let Some(Far { shared, .. }) = &self.far else { return Ok(()) };
        let names = Name::of_topics(topics);
        shared.interest.want(&names);
        shared.settle(names).await
    }

    /// Undoes [`Topics::hear`].
    pub async fn ignore(&self, topics: &[String]) {
        let Some(Far { shared, .. }) = &self.far else { return };
        let names = Name::of_topics(topics);
        shared.interest.release(&names);
        if let Err(error) = shared.settle(names).await {
            // Heard in vain until it is heard or ignored again, or the next reconnect.
            tracing::debug!(%error, "cannot leave a topic");
        }
    }

    /// Tells the other instances, and this one if it hears the topic. Never waits; what is told by one
    /// caller after another goes out in that order. Whether it is on its way.
    pub fn tell(&self, topic: &str, text: Bytes) -> bool {
        let Some(Far { shared, waiting, budget }) = &self.far else { return true };
        let size_bytes = text.len();
        if shared.connection().is_err() || !budget.take(size_bytes) {
            return false;
        }
        let is_on_its_way = waiting.try_send((topic.to_owned(), text)).is_ok();
        if !is_on_its_way {
            budget.give_back(size_bytes);
        }
        is_on_its_way
    }

    /// Tells, and waits until Redis has it.
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    pub async fn tell_now(&self, topic: &str, text: Bytes) -> Result<(), BusError> {
        let Some(Far { shared, .. }) = &self.far else { return Ok(()) };
        let connection = shared.connection()?;
        let published = connection.commands().publish::<Value, _, _>(shared.topic_name(topic), text);
        match timeout(TOLD_WITHIN, published).await {
            Ok(published) => Ok(published.map(drop)?),
            Err(_) => Err(BusError::Down),
        }
    }
}

impl RedisBus {
    /// For messages that are in no log, on topics that begin with `family`.
    pub fn topics(&self, family: &'static str) -> (Topics, TopicInbox) {
        let (waiting, told) = mpsc::channel(WAITING);
        let budget = Arc::new(ByteBudget::new(WAITING_BYTES));
        let telling = tell_all(Arc::clone(&self.shared), told, Arc::clone(&budget));
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(telling));
        let far = Some(Far { shared: Arc::clone(&self.shared), waiting, budget });
        (Topics { far, link: self.shared.link.subscribe() }, self.shared.ears.add(family))
    }
}

impl Shared {
    /// Says on a topic that something was too large to be passed on.
    pub(super) fn drop_told(&self, received: &Received) {
        let Some(topic) = received.channel.strip_prefix(self.prefix.as_str()) else { return };
        let ears = self.ears.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(ear) = ears.iter().find(|ear| topic.starts_with(ear.family)) else { return };
        if !topic.starts_with(BROADCASTS) {
            ear.dropped.fetch_add(1, Ordering::Relaxed);
        } else if matches!(received.kind, MessageKind::Message) {
            ear.give(topic, Bytes::new());
        }
    }

    /// Takes a message if it was told on a topic.
    pub(super) fn take_told(&self, received: &Received) -> bool {
        let Some(topic) = received.channel.strip_prefix(self.prefix.as_str()) else { return false };
        let ears = self.ears.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(ear) = ears.iter().find(|ear| topic.starts_with(ear.family)) else { return false };
        // A topic may be a channel of broadcasts: the hub has a copy of its own of what comes for a wildcard, and shares
        // what comes for the channel, but for what is the family's alone.
        let is_broadcast = topic.starts_with(BROADCASTS);
        if is_broadcast && matches!(received.kind, MessageKind::PMessage) {
            return false;
        }
        let text = match &received.value {
            Value::Bytes(bytes) => bytes.clone(),
            Value::String(text) => Bytes::copy_from_slice(text.as_bytes()),
            _ => return !is_broadcast,
        };
        let is_for_hub = is_broadcast && !text.starts_with(FOR_TOPICS);
        ear.give(topic, text);
        !is_for_hub
    }

    fn topic_name(&self, topic: &str) -> String {
        format!("{}{topic}", self.prefix)
    }
}

async fn tell_all(shared: Arc<Shared>, mut waiting: mpsc::Receiver<(String, Bytes)>, budget: Arc<ByteBudget>) {
    let mut together = Vec::with_capacity(TOGETHER);
    while waiting.recv_many(&mut together, TOGETHER).await > 0 {
        budget.give_back(together.iter().map(|(_, text)| text.len()).sum());
        let Ok(connection) = shared.connection() else {
            together.clear();
            continue;
        };
        let client = connection.commands();
        // The client sends them in a row, in this order.
        let telling = together.drain(..).map(|(topic, text)| {
            let name = shared.topic_name(&topic);
            async move { client.publish::<Value, _, _>(name, text).await }
        });
        let told: Result<Vec<Result<Value, Error>>, _> = timeout(TOLD_WITHIN, join_all(telling)).await;
        let lost = told.map_or(TOGETHER, |told| told.iter().filter(|told| told.is_err()).count());
        if lost > 0 {
            tracing::debug!(lost, "redis did not take what was told");
        }
    }
}
