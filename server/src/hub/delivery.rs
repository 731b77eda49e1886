//! A message on its way to the listeners of this instance.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicBool, Ordering},
};

use bytes::Bytes;
use wire::{Channel, Message, Position};

use super::cache::Share;

/// One message for all listeners of this instance, with room for the bytes they share.
#[derive(Debug)]
pub struct Delivery {
    /// What was published.
    pub message: Arc<Message>,
    /// Later deliveries have higher numbers.
    pub sequence: u64,
    /// What this is the latest of: it makes a message of the same topic that still waits needless.
    pub topic: Option<Arc<str>>,
    encoded: OnceLock<Bytes>,
    was_refused: AtomicBool,
    /// Of what all deliveries of this instance take.
    _share: Share,
}

impl Delivery {
    pub(super) fn new(message: Arc<Message>, sequence: u64, topic: Option<Arc<str>>, share: Share) -> Arc<Self> {
        let was_refused = AtomicBool::new(false);
        Arc::new(Self { message, sequence, topic, encoded: OnceLock::new(), was_refused, _share: share })
    }

    /// The bytes that go to sockets: encoded by the first who asks, shared by all.
    pub fn encoded(&self, encode: impl FnOnce(&Message) -> Bytes) -> &Bytes {
        self.encoded.get_or_init(|| encode(&self.message))
    }

    /// Whether nobody has said before that it is too large: it is counted once, whoever finds out.
    pub fn is_first_refusal(&self) -> bool {
        !self.was_refused.swap(true, Ordering::Relaxed)
    }
}

/// Messages of one channel that are handed on together, oldest first, with room for their bytes in a row.
#[derive(Debug)]
pub struct Batch {
    deliveries: Vec<Arc<Delivery>>,
    encoded: OnceLock<Bytes>,
}

impl Batch {
    pub(super) fn new(deliveries: Vec<Arc<Delivery>>) -> Self {
        Self { deliveries, encoded: OnceLock::new() }
    }

    /// The messages, oldest first.
    pub fn deliveries(&self) -> &[Arc<Delivery>] {
        &self.deliveries
    }

    /// Whether later messages make earlier ones needless.
    pub fn has_topics(&self) -> bool {
        self.deliveries.iter().any(|delivery| delivery.topic.is_some())
    }

    /// The bytes of all messages: encoded by the first who asks, shared by all.
    pub fn encoded(&self, encode: impl FnOnce(&[Arc<Delivery>]) -> Bytes) -> &Bytes {
        self.encoded.get_or_init(|| encode(&self.deliveries))
    }
}

/// Somebody on this instance who wants messages: a socket, a callback.
///
/// Called by the delivering task, so it must not block: queue and return. A listener with several
/// subscriptions gets a delivery once for each that matches, with the same `sequence`.
pub trait Listener: Send + Sync + 'static {
    /// Takes messages of one channel.
    fn deliver(&self, batch: &Batch);

    /// Messages of this channel are lost and cannot be had any more. `position` is where its log ends.
    fn lost(&self, channel: &Channel, position: Option<&Position>);
}

/// Which of its own messages a subscription leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Omit {
    /// None.
    #[default]
    Nothing,
    /// Those published by this browser tab.
    Publisher(Arc<str>),
    /// Those published by this process.
    Source(Arc<str>),
}

impl Omit {
    pub(super) fn omits(&self, message: &Message) -> bool {
        match self {
            Self::Nothing => false,
            Self::Publisher(uuid) => message.uuid.as_ref() == Some(uuid),
            Self::Source(source) => message.source.as_ref() == Some(source),
        }
    }
}
