//! How many messages a socket may send in a while.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

/// Counts messages in one interval after the other.
#[derive(Debug)]
pub struct Window {
    ends: Instant,
    count: u32,
    is_noticed: bool,
}

/// A message that came too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Over {
    /// Messages allowed in an interval.
    pub max_messages: u32,
    /// The interval.
    pub interval: Duration,
    /// When the next may come.
    pub retry_after: Duration,
    /// Whether it is the first in its interval: only that one is noticed unasked.
    pub is_first: bool,
}

impl Window {
    /// One that begins now.
    pub fn new(interval: Duration) -> Self {
        Self { ends: Instant::now() + interval, count: 0, is_noticed: false }
    }

    /// Counts a message; `Some` when it is one too many.
    pub fn count(&mut self, allowed: u32, interval: Duration) -> Option<Over> {
        let now = Instant::now();
        if now >= self.ends {
            *self = Self { ends: now + interval, count: 0, is_noticed: false };
        }
        self.count = self.count.saturating_add(1);
        (self.count > allowed).then(|| Over {
            max_messages: allowed,
            interval,
            retry_after: self.ends - now,
            is_first: !std::mem::replace(&mut self.is_noticed, true),
        })
    }
}

impl Over {
    /// What a program needs to send no faster than allowed: `{maxMessages, interval, retryAfterMs}`, in milliseconds.
    pub fn details(&self) -> Value {
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let retry_after = milliseconds(self.retry_after).max(1);
        json!({ "maxMessages": self.max_messages, "interval": milliseconds(self.interval), "retryAfterMs": retry_after })
    }
}
