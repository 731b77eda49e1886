//! How many messages a socket may send in a while.

use std::time::Duration;

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
        (self.count > allowed)
            .then(|| Over { retry_after: self.ends - now, is_first: !std::mem::replace(&mut self.is_noticed, true) })
    }
}
