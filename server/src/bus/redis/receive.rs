//! Turns what Redis sends into events for the hub.

use std::sync::{Arc, PoisonError};

use fred::types::{Message as Received, MessageKind, Value};
use tokio::sync::broadcast::{self, error::RecvError};
use wire::{Channel, Message, Pattern};

use super::{Event, Shared, link::Heart};

/// Reads until the connection ends or the bus stops. Waits for the hub when its inbox is full; what Redis's own buffer
/// loses meanwhile is noticed and fetched from the log.
pub(super) async fn run(shared: &Shared, mut messages: broadcast::Receiver<Received>, heart: &Heart) {
    let prefix = shared.redis_name("");
    let (heartbeat, renewals) = (shared.heartbeat_channel(), shared.renewals_channel());
    let mut copies = Copies::default();
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
    let channel = Channel::parse(received.channel.strip_prefix(prefix)?).ok()?;
    let bytes: &[u8] = match &received.value {
        Value::Bytes(bytes) => bytes,
        Value::String(text) => text.as_bytes(),
        _ => return None,
    };
    if matches!(received.kind, MessageKind::PMessage) && !copies.is_first(shared, &channel, bytes) {
        return None;
    }
    match Message::parse(bytes) {
        Ok(message) => Some(Message { channel, ..message }),
        Err(error) => {
            tracing::debug!(%channel, %error, "passed over something on a broadcast channel");
            None
        }
    }
}

/// Redis sends a message once for the channel and once for each pattern that matches, one directly
/// behind the other.
#[derive(Default)]
struct Copies {
    of: Vec<u8>,
    seen: usize,
}

impl Copies {
    fn is_first(&mut self, shared: &Shared, channel: &Channel, bytes: &[u8]) -> bool {
        let matching = {
            let heard = shared.heard.read().unwrap_or_else(PoisonError::into_inner);
            if heard.channels.contains(channel) {
                return false;
            }
            heard.wildcards.iter().filter(|pattern: &&Pattern| pattern.matches(channel)).count()
        };
        if matching < 2 {
            return true;
        }
        if self.seen > 0 && self.seen < matching && self.of == bytes {
            self.seen += 1;
            return false;
        }
        self.of.clear();
        self.of.extend_from_slice(bytes);
        self.seen = 1;
        true
    }
}
