//! What this tab publishes, until the server has answered.

use std::{collections::VecDeque, time::Duration};

use wire::{Failure, Receipt};

use crate::table::Table;

/// Messages that may wait to go out; with more, publishing fails.
const WAITING: usize = 256;
/// How long an answer may take.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Names a publish of this tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublishId(pub u64);

/// What became of a publish.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The server took it.
    Taken(Receipt),
    /// The server said no.
    Refused(Failure),
    /// It never left this tab: it may go another way.
    Unsent,
    /// More wait than this tab keeps.
    QueueFull,
    /// The connection broke before the answer: it may have been taken.
    ConnectionLost,
    /// No answer came in time: it may have been taken.
    TimedOut,
}

/// Publishes that wait to go out, in order, and those that wait for an answer.
#[derive(Debug, Default)]
pub(super) struct Publishes {
    waiting: VecDeque<(PublishId, String)>,
    sent: Table<PublishId, Duration>,
}

impl Publishes {
    /// Takes a publish; whether there is room.
    pub(super) fn push(&mut self, id: PublishId, text: String) -> bool {
        let has_room = self.waiting.len() < WAITING;
        if has_room {
            self.waiting.push_back((id, text));
        }
        has_room
    }

    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// The next one to go out now.
    pub(super) fn next(&mut self, now: Duration) -> Option<String> {
        let (id, text) = self.waiting.pop_front()?;
        self.sent.insert(id, now + ANSWER_WITHIN);
        Some(text)
    }

    /// Whether this one waited for an answer, which has come.
    pub(super) fn answered(&mut self, id: PublishId) -> bool {
        self.sent.remove(&id).is_some()
    }

    /// Those whose answer is overdue.
    pub(super) fn overdue(&mut self, now: Duration) -> Vec<PublishId> {
        let overdue: Vec<_> = self.sent.iter().filter(|(_, due)| now >= **due).map(|(id, _)| *id).collect();
        for id in &overdue {
            self.sent.remove(id);
        }
        overdue
    }

    /// All of them, when the connection is gone.
    pub(super) fn lost(&mut self) -> Vec<(PublishId, Outcome)> {
        let sent = self.sent.take_all().into_iter().map(|(id, _)| (id, Outcome::ConnectionLost));
        sent.chain(self.waiting.drain(..).map(|(id, _)| (id, Outcome::Unsent))).collect()
    }

    /// When the next answer is overdue.
    pub(super) fn wake_at(&self) -> Option<Duration> {
        self.sent.values().min().copied()
    }
}
