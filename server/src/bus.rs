//! Carries messages between instances and keeps the replay log.

mod buckets;
mod memory;
mod outage;
mod redis;
mod size;

use std::sync::Arc;

use async_trait::async_trait;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use wire::{Channel, Message, Pattern, Position, Positions};

use crate::identity::InstanceId;

pub use buckets::{Buckets, Quota, Taken};
pub use memory::MemoryBus;
pub use outage::OutageCause;
pub use redis::{FOR_TOPICS, Inspected, Keys, Put, RedisBus, RedisMemory, Told, TopicInbox, Topics, UserBounds};
pub(crate) use size::tree_bytes;

/// Events that wait for the hub; a bus that finds the inbox full waits, and notices what it missed.
pub const INBOX: usize = 8_192;

/// What an instance needs from Redis, or from anything standing in for it.
#[async_trait]
pub trait Bus: Send + Sync + 'static {
    /// Starts hearing channels that match; each `join` is undone by one [`Bus::leave`]. On success
    /// every message published from now on arrives. Remembered while the link is down: joined again
    /// before the next [`Event::LinkUp`]. Both are counted once they were polled, and brought to their end
    /// also when the caller goes away.
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    async fn join(&self, pattern: &Pattern) -> Result<(), BusError>;

    /// Undoes one [`Bus::join`].
    async fn leave(&self, pattern: &Pattern);

    /// Appends messages of one channel to its log, one directly behind the other, and tells every
    /// instance that joined it, this one included. Answers where each of them is.
    ///
    /// Idempotent by the messages' ids within the log when `attempt` is [`Attempt::Again`].
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time; the messages may have been published then.
    async fn publish(&self, messages: &[Arc<Message>], attempt: Attempt) -> Result<Vec<Position>, BusError>;

    /// Where the channel's log ends now; begins a log where there is none.
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    async fn position(&self, channel: &Channel) -> Result<Position, BusError>;

    /// What the log still holds after `since`, oldest first.
    ///
    /// A log may go on in a new epoch where an earlier one ended: positions of the earlier one stay good
    /// up to there, and what follows them comes with the new epoch.
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    async fn replay(&self, channel: &Channel, since: &Position) -> Result<Replay, BusError>;

    /// Where the channels that a wildcard matches stand now, those with messages in their logs; `None`
    /// when there are more than [`WILDCARD_CHANNELS`] or the wildcard is too wide to tell.
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    ///
    /// [`WILDCARD_CHANNELS`]: wire::limits::WILDCARD_CHANNELS
    async fn positions(&self, wildcard: &Pattern) -> Result<Option<Positions>, BusError>;

    /// Begins the channel's log anew because messages of it are lost for good: who stands at a position
    /// of the old one learns so. Every instance gets [`Event::Renewed`].
    ///
    /// # Errors
    ///
    /// When the link is down or does not answer in time.
    async fn renew(&self, channel: &Channel) -> Result<(), BusError>;

    /// Whether a publish made now is likely to leave this instance: up while small writes come back.
    fn link(&self) -> watch::Receiver<Link>;

    /// The same without states that last less than a second: for browsers and pages.
    fn lasting_link(&self) -> watch::Receiver<Link> {
        self.link()
    }

    /// Why the link is down, or was when it last was; `None` when it never was.
    fn last_outage(&self) -> Option<OutageCause> {
        None
    }

    /// How often connections were attempted.
    fn connects(&self) -> u64 {
        0
    }

    /// Keeps `id` for this instance for as long as it runs, and changes it when another live instance holds it:
    /// now, and whenever the link comes up.
    async fn claim(&self, id: &InstanceId);

    /// Gives the claim back and ends every connection.
    async fn close(&self);
}

/// What a bus tells the hub.
#[derive(Clone, Debug)]
pub enum Event {
    /// A message of a joined channel. Order within a channel is the log's, but for losses and
    /// repetitions, which the offset tells.
    Message(Arc<Message>),
    /// The log of this channel was begun anew: what its positions promised cannot be kept.
    Renewed(Channel),
    /// A message of this channel was too large to be passed on.
    TooLarge(Channel),
    /// Everything joined is heard again; what was published meanwhile may be missing.
    LinkUp,
    /// Nothing is heard until the next [`Event::LinkUp`].
    LinkDown,
}

/// The other end of a bus: where the hub reads.
pub type Inbox = mpsc::Receiver<Event>;

/// How this instance is linked to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There are no others.
    Local,
    /// They hear us.
    Up,
    /// They do not, for now.
    Down,
}

/// Whether a publish may have been made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// Certainly not.
    First,
    /// Perhaps: looked for in the log first.
    Again,
}

/// What a log holds after a position.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Where the log ended when it was read.
    pub position: Position,
    /// The offset behind which its epoch began: what lies behind was in no earlier epoch.
    pub begun: u64,
    /// Everything from the asked position to `position`, or `None` when some of it is gone.
    pub messages: Option<Vec<Arc<Message>>>,
}

/// Why the bus did not do it.
#[derive(Debug, Error)]
pub enum BusError {
    /// The link is down; nothing was sent.
    #[error("no link to the other instances")]
    Down,
    /// Redis answered with an error or not in time.
    #[error("redis: {0}")]
    Redis(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Redis answered something that cannot be read.
    #[error("unreadable answer from the log")]
    Unreadable,
}

impl BusError {
    /// Whether the request may have had its effect all the same: the answer alone may be lost.
    pub fn may_have_happened(&self) -> bool {
        !matches!(self, Self::Down)
    }

    /// Whether the key holds something else than it should.
    pub fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Redis(error) if error.to_string().contains("WRONGTYPE"))
    }

    /// Whether Redis does not let its user do this.
    pub fn is_forbidden(&self) -> bool {
        self.refusal() == Some(OutageCause::NoPerm)
    }

    /// What it says of the whole server, if anything.
    pub fn refusal(&self) -> Option<OutageCause> {
        match self {
            Self::Redis(error) => OutageCause::of(&error.to_string()),
            Self::Down | Self::Unreadable => None,
        }
    }

    /// Why a link cannot be made.
    pub fn outage(&self) -> OutageCause {
        match self {
            Self::Redis(error) => {
                let text = error.to_string();
                OutageCause::of(&text).unwrap_or(match &*text {
                    text if text.starts_with("Timeout") => OutageCause::Timeout,
                    // What the client says of a cluster that answered it with `CLUSTERDOWN`.
                    text if text.contains("missing cluster state") => OutageCause::ClusterDown,
                    _ => OutageCause::Unreachable,
                })
            }
            Self::Down | Self::Unreadable => OutageCause::Timeout,
        }
    }

    /// Whether the same question may be answered if it is put once more, over the same link.
    fn may_pass(&self) -> bool {
        matches!(self, Self::Redis(_)) && !self.is_forbidden()
    }
}
