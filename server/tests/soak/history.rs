//! What was published and what every subscriber heard, as plain values: all the checker knows.

use std::sync::Arc;

/// Microseconds since the run began; no two events have the same.
pub type Tick = u64;

/// Everything that happened in one run.
#[derive(Debug, Default)]
pub struct History {
    /// Names of channels; everything else counts from 0 into this.
    pub channels: Vec<String>,
    /// In the order they were sent.
    pub messages: Vec<Message>,
    /// Everybody who listened.
    pub listeners: Vec<Listener>,
    /// Instances that were killed.
    pub kills: Vec<Kill>,
    /// What the logs themselves held, as Redis wrote it down: messages and their places.
    pub logged: Vec<(usize, At)>,
}

/// One process of one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// Which of the cluster.
    pub instance: usize,
    /// How often it had been started before.
    pub restarts: u32,
}

/// An instance that ended without a word.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// Which.
    pub run: Run,
    /// When.
    pub at: Tick,
}

/// A place in a channel's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct At {
    /// Which log, numbered as they were met.
    pub epoch: u32,
    /// Where in it.
    pub offset: u64,
}

/// One message of a publisher.
#[derive(Debug)]
pub struct Message {
    /// Who sent it.
    pub publisher: u32,
    /// Over which of its connections.
    pub connection: u32,
    /// On which channel.
    pub channel: usize,
    /// Counts the publisher's messages on this channel.
    pub number: u32,
    /// When.
    pub sent: Tick,
    /// To whom.
    pub taken_by: Run,
    /// What the server called it, once known.
    pub id: Option<Arc<str>>,
    /// What the server promised; `None` when no answer came.
    pub receipt: Option<Receipt>,
}

/// What an instance promised of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It is in the log.
    Logged(At),
    /// It goes out later.
    Fallback,
}

/// One subscription of one tab.
#[derive(Debug)]
pub struct Listener {
    /// Whose.
    pub tab: u32,
    /// As it was asked for.
    pub pattern: String,
    /// What it matches.
    pub channels: Vec<usize>,
    /// In the order it was heard.
    pub heard: Vec<Heard>,
}

/// Something a listener was told.
#[derive(Clone, Copy, Debug)]
pub struct Heard {
    /// When.
    pub at: Tick,
    /// What.
    pub what: What,
}

/// What a listener may be told.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// Nothing was missed.
    Stands,
    /// Messages are lost, on one channel or on any it listens to.
    Gap(Option<usize>),
    /// A message.
    Message {
        /// Its index.
        message: usize,
        /// Where it is in the log, when it is in one.
        place: Option<At>,
        /// Whether it was missed first.
        is_recovered: bool,
    },
}
