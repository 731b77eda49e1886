//! Turns what Redis sends into events for the hub.

use std::{sync::Arc, time::Duration};

use fred::types::{Message as Received, MessageKind, Value};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::Instant,
};
use wire::{Channel, Message, limits::FRAME_BYTES};

use super::{Event, Shared, link::Heart};

/// Bytes of a message in Redis at most: no frame holds a larger one. Ours are as long as a frame may be, and their position.
const MESSAGE_BYTES: usize = FRAME_BYTES + 256;
/// How often messages that are too large are logged at most.
const LOGGED_EVERY: Duration = Duration::from_secs(10);

/// Reads until the connection ends or the bus stops. Waits for the hub when its inbox is full; what Redis's own buffer
/// loses meanwhile is noticed and fetched from the log.
pub(super) async fn run(shared: &Shared, mut messages: broadcast::Receiver<Received>, heart: &Heart) {
    let prefix = shared.redis_name("");
    let (heartbeat, renewals) = (shared.heartbeat_channel(), shared.renewals_channel());
    let (mut copies, mut large) = (Copies::default(), Large::default());
    loop {
        let event = match messages.recv().await {
            Ok(received) if *received.channel == *heartbeat => {
                heart.beat(&received.value.as_str().unwrap_or_default());
                continue;
            }
            Ok(received) if *received.channel == *renewals => {
                match received.value.as_str().and_then(|name| Channel::parse(&name).ok()) {
                    Some(channel) => Event::Renewed(channel),
                    None => continue,
                }
            }
            Ok(received) if is_too_large(&received) => {
                if copies.is_copy(shared, &received) {
                    continue;
                }
                large.log(&received);
                shared.drop_told(&received);
                match channel(&prefix, &received) {
                    Some(channel) => Event::TooLarge(channel),
                    None => continue,
                }
            }
            Ok(received) if shared.take_told(&received) => continue,
            Ok(received) => match read(shared, &prefix, &received, &mut copies) {
                Some(message) => Event::Message(Arc::new(message)),
                None => continue,
            },
            Err(RecvError::Lagged(count)) => {
                tracing::warn!(count, "messages of redis came faster than they were taken; fetching them from the log");
                Event::LinkUp
            }
            Err(RecvError::Closed) => return,
        };
        if shared.events.send(event).await.is_err() {
            return;
        }
    }
}

fn read(shared: &Shared, prefix: &str, received: &Received, copies: &mut Copies) -> Option<Message> {
    let channel = channel(prefix, received)?;
    if copies.is_copy(shared, received) {
        return None;
    }
    match Message::parse(bytes(received)?) {
        Ok(message) => {
            copies.is_unique = message.position.is_some() || message.id.is_some();
            Some(Message { channel, ..message })
        }
        Err(error) => {
            tracing::debug!(%channel, %error, "passed over something on a broadcast channel");
            None
        }
    }
}

fn channel(prefix: &str, received: &Received) -> Option<Channel> {
    Channel::parse(received.channel.strip_prefix(prefix)?).ok()
}

fn bytes(received: &Received) -> Option<&[u8]> {
    match &received.value {
        Value::Bytes(bytes) => Some(bytes),
        Value::String(text) => Some(text.as_bytes()),
        _ => None,
    }
}

fn is_too_large(received: &Received) -> bool {
    bytes(received).is_some_and(|bytes| bytes.len() > MESSAGE_BYTES)
}

/// Redis sends a message once for its channel, if that is subscribed to, and then once for each pattern that matches,
/// one directly behind the other. What is subscribed to changes on the way: only Redis knows when. So what came is
/// compared, and a copy for a pattern is passed over only behind the same bytes on the same channel.
#[derive(Default)]
struct Copies {
    /// What came last.
    last: Option<Received>,
    /// How often it came.
    seen: usize,
    /// It has a position or an id, so that no other message has its bytes.
    is_unique: bool,
}

impl Copies {
    fn is_copy(&mut self, shared: &Shared, received: &Received) -> bool {
        let is_for_pattern = matches!(received.kind, MessageKind::PMessage);
        let is_same = |last: &Received| last.channel == received.channel && last.value == received.value;
        if is_for_pattern && self.last.as_ref().is_some_and(is_same) {
            // An instance on Node.js gives no ids, and may say the same twice within a millisecond.
            if self.is_unique || self.seen < self.expected(shared) {
                self.seen += 1;
                return true;
            }
        }
        (self.last, self.seen, self.is_unique) = (Some(received.clone()), 1, false);
        false
    }

    /// How often Redis may send what came last.
    fn expected(&self, shared: &Shared) -> usize {
        let Some(last) = &self.last else { return 0 };
        let matching = channel(&shared.redis_name(""), last).map_or(0, |channel| shared.wildcards.matching(&channel));
        matching + usize::from(matches!(last.kind, MessageKind::Message))
    }
}

/// Logs messages that are too large, and no flood of them.
#[derive(Default)]
struct Large {
    logged_at: Option<Instant>,
    /// Those not logged since.
    unlogged: u64,
}

impl Large {
    fn log(&mut self, received: &Received) {
        let now = Instant::now();
        if self.logged_at.is_some_and(|at| now.saturating_duration_since(at) < LOGGED_EVERY) {
            self.unlogged += 1;
            return;
        }
        self.logged_at = Some(now);
        let others = std::mem::take(&mut self.unlogged);
        let size_bytes = bytes(received).map_or(0, <[u8]>::len);
        tracing::warn!(
            channel = &*received.channel,
            size_bytes,
            others,
            "dropped a message larger than {FRAME_BYTES} bytes"
        );
    }
}
