//! Whether anybody is still at the other end.

use std::time::Duration;

/// Silence after which the server is asked. It pings by itself, but a page cannot see that.
const ASK_AFTER: Duration = Duration::from_secs(25);
/// How long it may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The same when there is reason for doubt: the device woke up or changed its network.
const ANSWER_WITHIN_IN_DOUBT: Duration = Duration::from_secs(3);

/// When something was heard last, and by when an answer is due.
#[derive(Debug)]
pub(crate) struct Liveness {
    heard: Duration,
    due: Option<Duration>,
}

/// What is to be done about the silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Fine,
    Ask,
    Dead,
}

impl Liveness {
    pub(crate) fn new(now: Duration) -> Self {
        Self { heard: now, due: None }
    }

    /// Anything came.
    pub(crate) fn heard(&mut self, now: Duration) {
        *self = Self::new(now);
    }

    /// There is reason for doubt; whether to ask now.
    pub(crate) fn doubt(&mut self, now: Duration) -> bool {
        let sooner = now + ANSWER_WITHIN_IN_DOUBT;
        let must_ask = self.due.is_none();
        self.due = Some(self.due.map_or(sooner, |due| due.min(sooner)));
        must_ask
    }

    pub(crate) fn check(&mut self, now: Duration) -> Verdict {
        match self.due {
            Some(due) if now >= due => Verdict::Dead,
            None if now >= self.heard + ASK_AFTER => {
                self.due = Some(now + ANSWER_WITHIN);
                Verdict::Ask
            }
            _ => Verdict::Fine,
        }
    }

    /// When to check next.
    pub(crate) fn wake_at(&self) -> Duration {
        self.due.unwrap_or(self.heard + ASK_AFTER)
    }
}
