//! Messages the other instances have not got yet, one queue a channel, within bounds for all channels together.
//!
//! A value without I/O: [`super::flush`] sends what is due. A channel whose messages Redis refuses waits with growing
//! pauses and holds up no other channel.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use wire::{Channel, Message, backoff::reconnect_delay};

use super::{OutboxLimits, local_deliveries::LocalDeliveries};
use crate::bus::Attempt;

/// Messages of one channel that are sent together at most.
const BATCH_MESSAGES: usize = 64;
/// Bytes of one channel that are sent together at most, unless a single message has more: Redis does nothing else
/// while it runs one script.
const BATCH_BYTES: usize = 256 * 1024;
/// Shortest pause before a refused channel is tried again; a random part comes on top.
const PAUSE: Duration = Duration::from_millis(250);

/// What waits for Redis. When full, the oldest messages fall out and are counted, and their channels noted: whoever
/// listens there learns of a gap.
pub(super) struct RetryBuffer {
    limits: OutboxLimits,
    queues: HashMap<Channel, Queue>,
    /// The channels with messages, by the number of their oldest one.
    heads: BTreeMap<u64, Channel>,
    /// Channels whose messages fell out: their logs have to begin again. As many as messages may wait; messages
    /// dropped beyond are in the count and in the log of the instance.
    torn: BTreeSet<Channel>,
    next_number: u64,
    messages: usize,
    bytes: usize,
    dropped: u64,
    /// What was delivered on this instance before it was logged. Under the same lock as the queues, so that listeners
    /// here and the buffer see one order.
    pub(super) local: LocalDeliveries,
}

/// Messages of one channel, oldest first.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    is_flushing: bool,
    /// Refusals in a row.
    failures: u32,
    /// When to try again after a refusal.
    retry_at: Option<Instant>,
}

struct Waiting {
    number: u64,
    message: Arc<Message>,
    size_bytes: usize,
    attempt: Attempt,
}

/// Why new messages of a channel may have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChannelState {
    /// Nothing of it waits.
    Free,
    /// Earlier messages are on their way to Redis, or will be in a moment.
    Flushing,
    /// Redis refused it; it is tried again later.
    Refused,
}

impl RetryBuffer {
    pub(super) fn new(limits: OutboxLimits) -> Self {
        Self {
            limits,
            queues: HashMap::new(),
            heads: BTreeMap::new(),
            torn: BTreeSet::new(),
            next_number: 0,
            messages: 0,
            bytes: 0,
            dropped: 0,
            local: LocalDeliveries::new(limits.messages * 2),
        }
    }

    /// Whether nothing waits for Redis.
    pub(super) fn is_empty(&self) -> bool {
        self.messages == 0 && self.torn.is_empty()
    }

    /// Keeps a message of `size_bytes` that is about to be delivered here. `attempt` is [`Attempt::Again`] when it may
    /// be in the log already.
    pub(super) fn push(&mut self, message: Arc<Message>, size_bytes: usize, attempt: Attempt) {
        self.local.insert(&message);
        let number = self.next_number;
        self.next_number += 1;
        self.messages += 1;
        self.bytes += size_bytes;
        let channel = message.channel.clone();
        let queue = self.queues.entry(channel.clone()).or_default();
        if queue.waiting.is_empty() {
            self.heads.insert(number, channel);
        }
        queue.waiting.push_back(Waiting { number, message, size_bytes, attempt });
        while self.messages > self.limits.messages || self.bytes > self.limits.bytes {
            let Some((_, channel)) = self.heads.first_key_value() else { break };
            let channel = channel.clone();
            let Some(oldest) = self.pop(&channel) else { break };
            self.dropped += 1;
            if self.torn.len() < self.limits.messages {
                self.torn.insert(channel);
            }
            self.local.drop_from_buffer(&oldest);
        }
    }

    /// What new messages of a channel meet.
    pub(super) fn state(&self, channel: &Channel, now: Instant) -> ChannelState {
        match self.queues.get(channel) {
            None if self.torn.contains(channel) => ChannelState::Flushing,
            None => ChannelState::Free,
            Some(queue) if queue.is_refused(now) => ChannelState::Refused,
            Some(_) => ChannelState::Flushing,
        }
    }

    /// Up to `most` channels to be flushed now, those with the oldest messages first. Each is reserved for the caller
    /// until [`RetryBuffer::finish`].
    pub(super) fn take_due(&mut self, most: usize, now: Instant) -> Vec<Channel> {
        let is_due = |channel: &&Channel| {
            self.queues.get(*channel).is_none_or(|queue| !queue.is_flushing && !queue.is_refused(now))
        };
        let torn = self.torn.iter().filter(|channel| self.queues.get(*channel).is_none_or(|q| q.waiting.is_empty()));
        let due: Vec<Channel> = self.heads.values().chain(torn).filter(is_due).take(most).cloned().collect();
        for channel in &due {
            self.queues.entry(channel.clone()).or_default().is_flushing = true;
        }
        due
    }

    /// When a refused channel is to be tried again next.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        let waiting = self.queues.values().filter(|queue| !queue.is_flushing);
        waiting.filter_map(|queue| queue.retry_at).min()
    }

    /// Whether the log of this channel has to begin again, before anything that waits is sent.
    pub(super) fn is_torn(&self, channel: &Channel) -> bool {
        self.torn.contains(channel)
    }

    /// The log of this channel has begun again.
    pub(super) fn mend(&mut self, channel: &Channel) {
        self.torn.remove(channel);
    }

    /// The oldest messages of a channel that can be sent together. They stay until [`RetryBuffer::sent`].
    pub(super) fn batch(&self, channel: &Channel) -> (Vec<Arc<Message>>, Attempt) {
        let Some(first) = self.queues.get(channel).and_then(|queue| queue.waiting.front()) else {
            return (Vec::new(), Attempt::First);
        };
        let mut bytes = 0;
        let fits = |waiting: &&Waiting| {
            bytes += waiting.size_bytes;
            waiting.attempt == first.attempt && (bytes <= BATCH_BYTES || waiting.number == first.number)
        };
        let together = self.queues[channel].waiting.iter().take(BATCH_MESSAGES).take_while(fits);
        (together.map(|waiting| Arc::clone(&waiting.message)).collect(), first.attempt)
    }

    /// Removes these messages, but for those that fell out since.
    pub(super) fn sent(&mut self, channel: &Channel, messages: &[Arc<Message>]) {
        for message in messages {
            let is_first = self
                .queues
                .get(channel)
                .and_then(|queue| queue.waiting.front())
                .is_some_and(|first| Arc::ptr_eq(&first.message, message));
            if is_first {
                self.pop(channel);
            }
        }
    }

    /// These messages may have reached the log: from now on they are looked up in it first.
    pub(super) fn tried(&mut self, channel: &Channel, messages: &[Arc<Message>]) {
        let Some(queue) = self.queues.get_mut(channel) else { return };
        for waiting in queue.waiting.iter_mut().take(messages.len()) {
            if messages.iter().any(|message| Arc::ptr_eq(message, &waiting.message)) {
                waiting.attempt = Attempt::Again;
            }
        }
    }

    /// Gives a channel back; how often in a row it was refused. It waits longer each time: `dice` is a fresh random
    /// number in `0.0..=1.0`.
    pub(super) fn finish(&mut self, channel: &Channel, is_refused: bool, now: Instant, dice: f64) -> u32 {
        let Some(queue) = self.queues.get_mut(channel) else { return 0 };
        queue.is_flushing = false;
        if is_refused {
            queue.retry_at = Some(now + PAUSE + reconnect_delay(queue.failures, dice));
            queue.failures = queue.failures.saturating_add(1);
            return queue.failures;
        }
        queue.retry_at = None;
        queue.failures = 0;
        self.tidy(channel);
        0
    }

    /// Another Redis, or another state of it: every channel is tried at once.
    pub(super) fn forgive(&mut self) {
        for queue in self.queues.values_mut() {
            queue.retry_at = None;
            queue.failures = 0;
        }
    }

    /// How many channels Redis refuses.
    pub(super) fn refused(&self) -> usize {
        self.queues.values().filter(|queue| queue.failures > 0).count()
    }

    /// Gives up what waits: how many messages, and the channels they belonged to.
    pub(super) fn abandon(&mut self) -> (usize, BTreeSet<Channel>) {
        let mut channels = std::mem::take(&mut self.torn);
        channels.extend(std::mem::take(&mut self.heads).into_values());
        self.queues.clear();
        self.bytes = 0;
        (std::mem::take(&mut self.messages), channels)
    }

    /// How many messages wait, and how many fell out since [`RetryBuffer::take_dropped`].
    pub(super) fn sizes(&self) -> (u64, u64) {
        (u64::try_from(self.messages).unwrap_or_default(), self.dropped)
    }

    /// How many messages fell out since this was last asked.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    /// Removes the oldest message of a channel.
    fn pop(&mut self, channel: &Channel) -> Option<Arc<Message>> {
        let queue = self.queues.get_mut(channel)?;
        let Waiting { number, message, size_bytes, .. } = queue.waiting.pop_front()?;
        self.heads.remove(&number);
        if let Some(next) = queue.waiting.front() {
            self.heads.insert(next.number, channel.clone());
        }
        self.messages -= 1;
        self.bytes -= size_bytes;
        self.tidy(channel);
        Some(message)
    }

    /// Forgets a channel of which nothing is left to know.
    fn tidy(&mut self, channel: &Channel) {
        let is_unused = |queue: &Queue| queue.waiting.is_empty() && !queue.is_flushing && queue.failures == 0;
        if self.queues.get(channel).is_some_and(is_unused) {
            self.queues.remove(channel);
        }
    }
}

impl Queue {
    fn is_refused(&self, now: Instant) -> bool {
        self.retry_at.is_some_and(|at| at > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(channel: &str, id: &str) -> Arc<Message> {
        Arc::new(Message {
            channel: channel.parse().unwrap(),
            data: serde_json::Map::new(),
            instance_id: "it:0".into(),
            timestamp: 0,
            id: Some(id.into()),
            position: None,
            uuid: None,
            source: None,
            username: String::new(),
        })
    }

    fn buffer(messages: usize) -> RetryBuffer {
        RetryBuffer::new(OutboxLimits { messages, bytes: 1_000_000 })
    }

    fn ids(messages: &[Arc<Message>]) -> Vec<&str> {
        messages.iter().filter_map(|message| message.id.as_deref()).collect()
    }

    const A: &str = "view:it:a:changed";
    const B: &str = "view:it:b:changed";

    #[test]
    fn a_refused_channel_holds_up_no_other() {
        let (mut buffer, now) = (buffer(10), Instant::now());
        for (channel, id) in [(A, "1"), (B, "2"), (A, "3")] {
            buffer.push(message(channel, id), 1, Attempt::First);
        }
        let (a, b): (Channel, Channel) = (A.parse().unwrap(), B.parse().unwrap());
        assert_eq!(buffer.take_due(9, now), [a.clone(), b.clone()]);
        assert_eq!(buffer.take_due(9, now), []);
        let (messages, attempt) = buffer.batch(&a);
        assert_eq!((ids(&messages), attempt), (vec!["1", "3"], Attempt::First));
        buffer.tried(&a, &messages);
        buffer.finish(&a, true, now, 1.0);
        let (messages, _) = buffer.batch(&b);
        buffer.sent(&b, &messages);
        buffer.finish(&b, false, now, 1.0);
        assert_eq!(
            (buffer.state(&a, now), buffer.state(&b, now)),
            (ChannelState::Refused, ChannelState::Free),
            "only the refused one waits"
        );
        assert_eq!(buffer.take_due(9, now), []);
        let later = buffer.next_retry().unwrap();
        assert_eq!(buffer.take_due(9, later), std::slice::from_ref(&a));
        assert_eq!(buffer.batch(&a).1, Attempt::Again);
    }

    #[test]
    fn pauses_of_a_refused_channel_grow_until_another_link() {
        let (mut buffer, now) = (buffer(10), Instant::now());
        let a: Channel = A.parse().unwrap();
        buffer.push(message(A, "1"), 1, Attempt::First);
        let mut pauses = Vec::new();
        for _ in 0..8 {
            buffer.finish(&a, true, now, 1.0);
            pauses.push(buffer.next_retry().unwrap() - now);
        }
        assert!(pauses.is_sorted() && pauses[7] > Duration::from_secs(29), "{pauses:?}");
        buffer.forgive();
        assert_eq!(buffer.take_due(9, now), [a]);
    }

    #[test]
    fn the_oldest_of_all_channels_falls_out_and_its_log_begins_again() {
        let (mut buffer, now) = (buffer(2), Instant::now());
        for (channel, id) in [(A, "1"), (B, "2"), (B, "3")] {
            buffer.push(message(channel, id), 1, Attempt::First);
        }
        let (a, b): (Channel, Channel) = (A.parse().unwrap(), B.parse().unwrap());
        assert_eq!((buffer.sizes(), buffer.is_torn(&a), buffer.is_torn(&b)), ((2, 1), true, false));
        assert_eq!(buffer.state(&a, now), ChannelState::Flushing, "new messages belong into the new log");
        assert_eq!(buffer.take_due(9, now), [b, a.clone()]);
        buffer.mend(&a);
        buffer.finish(&a, false, now, 0.0);
        assert_eq!(buffer.state(&a, now), ChannelState::Free);
        assert!(!buffer.is_empty());
    }

    #[test]
    fn a_message_that_falls_out_while_it_is_sent_takes_no_other_with_it() {
        let mut buffer = buffer(2);
        let a: Channel = A.parse().unwrap();
        buffer.push(message(A, "1"), 1, Attempt::First);
        buffer.push(message(A, "2"), 1, Attempt::First);
        let (sent, _) = buffer.batch(&a);
        buffer.push(message(A, "3"), 1, Attempt::First);
        buffer.sent(&a, &sent);
        assert_eq!(ids(&buffer.batch(&a).0), ["3"]);
        assert_eq!(buffer.sizes().0, 1);
    }

    #[test]
    fn what_is_sent_together_is_bounded_in_bytes() {
        let mut buffer = buffer(10);
        for id in ["1", "2", "3"] {
            buffer.push(message(A, id), BATCH_BYTES / 2 + 1, Attempt::First);
        }
        assert_eq!(buffer.batch(&A.parse().unwrap()).0.len(), 1);
    }
}
