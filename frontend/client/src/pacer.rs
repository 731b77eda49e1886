//! How fast this tab may talk.

use std::time::Duration;

use wire::limits::{MESSAGE_INTERVAL, MESSAGES_PER_INTERVAL};

/// A token bucket that keeps below the server's limit wherever the server's interval begins: half of
/// what is allowed at once, the other half spread over the interval.
#[derive(Debug)]
pub(crate) struct Pacer {
    tokens: f64,
    capacity: f64,
    per_second: f64,
    at: Duration,
}

impl Pacer {
    /// Full, for the limits every server keeps at least.
    pub(crate) fn new(now: Duration) -> Self {
        let mut pacer = Self { tokens: f64::MAX, capacity: 0.0, per_second: 0.0, at: now };
        pacer.adapt(MESSAGES_PER_INTERVAL, MESSAGE_INTERVAL);
        pacer
    }

    /// Keeps below `messages` an `interval` from now on.
    pub(crate) fn adapt(&mut self, messages: u32, interval: Duration) {
        self.capacity = (f64::from(messages) / 2.0).max(1.0);
        self.per_second = self.capacity / interval.as_secs_f64().max(0.001);
        self.tokens = self.tokens.min(self.capacity);
    }

    /// Takes leave to send one message, if there is any.
    pub(crate) fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.per_second).min(self.capacity);
        self.at = now;
        let may_send = self.tokens >= 1.0;
        if may_send {
            self.tokens -= 1.0;
        }
        may_send
    }

    /// Counts a message that goes out whatever the bucket holds.
    pub(crate) fn count(&mut self, now: Duration) {
        if !self.take(now) {
            self.tokens -= 1.0;
        }
    }

    /// When the next message may go.
    pub(crate) fn ready_at(&self) -> Duration {
        // A millisecond more, so that rounding never makes it a moment too early.
        self.at + Duration::from_secs_f64((1.0 - self.tokens).max(0.0) / self.per_second) + Duration::from_millis(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_interval_holds_more_than_the_server_takes() {
        let mut pacer = Pacer::new(Duration::ZERO);
        let mut sent = Vec::new();
        for milliseconds in 0..5_000 {
            let now = Duration::from_millis(milliseconds);
            while pacer.take(now) {
                sent.push(now);
            }
        }
        for (index, start) in sent.iter().enumerate() {
            let within = sent[index..].iter().take_while(|at| **at < *start + MESSAGE_INTERVAL).count();
            assert!(within <= MESSAGES_PER_INTERVAL as usize, "{within} from {start:?}");
        }
        assert!(sent.len() > 140, "{}", sent.len());
    }

    #[test]
    fn it_says_when_the_next_message_may_go() {
        let mut pacer = Pacer::new(Duration::ZERO);
        pacer.adapt(2, Duration::from_secs(1));
        assert!(pacer.take(Duration::ZERO));
        assert!(!pacer.take(Duration::ZERO));
        assert!(pacer.take(pacer.ready_at()));
    }

    #[test]
    fn what_goes_out_in_any_case_is_made_up_for() {
        let mut pacer = Pacer::new(Duration::ZERO);
        pacer.adapt(2, Duration::from_secs(1));
        pacer.count(Duration::ZERO);
        pacer.count(Duration::ZERO);
        assert!(!pacer.take(Duration::from_secs(1)));
        assert!(pacer.take(Duration::from_secs(2)));
    }
}
