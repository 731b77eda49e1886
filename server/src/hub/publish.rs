//! How a message gets its id and goes out, with the link or without it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use wire::{Channel, Message, Payload, Position, Receipt, limits::FRAME_BYTES};

use super::{Hub, Shared, deliver::Task};
use crate::{
    bus::{Attempt, BusError, Link},
    clock::{now_milliseconds, rfc3339},
};

/// How long a new message waits for the outbox to be sent before it.
const BEHIND_OUTBOX: Duration = Duration::from_secs(2);

/// Messages of one channel sent from the outbox at once.
const FLUSHED_TOGETHER: usize = 64;

/// Pause before the outbox is tried again while the link seems up.
const FLUSH_AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A message that is to be published.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Where.
    pub channel: Channel,
    /// What.
    pub payload: Payload,
    /// The browser tab that publishes it.
    pub uuid: Option<Arc<str>>,
    /// Who publishes it, by name; empty for a guest.
    pub username: String,
}

/// Why a message was not taken.
#[derive(Debug, Error)]
pub enum PublishError {
    /// It is larger than a frame may be.
    #[error("the message is larger than {FRAME_BYTES} bytes")]
    TooLarge,
    /// The instance is stopping.
    #[error("the instance is stopping")]
    Stopping,
}

impl Hub {
    /// Publishes. Without a link the message is delivered on this instance and kept for the others:
    /// `fallback` in the receipt. Answers within 4 s whatever Redis does.
    ///
    /// # Errors
    ///
    /// When the message is too large or the instance stops.
    pub async fn publish(&self, draft: Draft) -> Result<Receipt, PublishError> {
        self.publish_all(vec![draft]).await.pop().unwrap_or(Err(PublishError::Stopping))
    }

    /// The same for several messages of one publisher: they go out in this order, and those of one
    /// channel that follow each other go together. Answers one result for each, in the same order.
    pub async fn publish_all(&self, drafts: Vec<Draft>) -> Vec<Result<Receipt, PublishError>> {
        let shared = &self.shared;
        let mut results = Vec::with_capacity(drafts.len());
        let mut messages = Vec::with_capacity(drafts.len());
        for draft in drafts {
            let message = Arc::new(shared.message(draft));
            if size_bytes(&message) <= FRAME_BYTES {
                messages.push((results.len(), message));
            }
            // Until something better is known of it.
            results.push(Err(PublishError::TooLarge));
        }
        let mut must_wait = false;
        for run in messages.chunk_by(|(_, one), (_, next)| one.channel == next.channel) {
            let together: Vec<_> = run.iter().map(|(_, message)| Arc::clone(message)).collect();
            let positions = if must_wait { None } else { shared.publish_directly(&together).await };
            // Everything behind waits too: the order is the publisher's.
            must_wait = positions.is_none();
            for (index, (place, message)) in run.iter().enumerate() {
                results[*place] = match &positions {
                    Some(positions) => Ok(receipt(message, positions.get(index).cloned())),
                    None => shared.publish_here(message).await,
                };
            }
        }
        results
    }
}

impl Shared {
    /// Where messages of one channel are in its log, or `None` when they have to wait for the link.
    async fn publish_directly(&self, messages: &[Arc<Message>]) -> Option<Vec<Position>> {
        let _behind_outbox = timeout(BEHIND_OUTBOX, self.flushing.read()).await.ok()?;
        if *self.link.borrow() == Link::Down || !self.outbox().is_empty() {
            return None;
        }
        match self.bus.publish(messages, Attempt::First).await {
            Ok(positions) => Some(positions),
            Err(BusError::Down) => None,
            Err(error) => {
                tracing::warn!(%error, "a broadcast did not get through; it is kept and sent again");
                None
            }
        }
    }

    fn message(&self, draft: Draft) -> Message {
        let Draft { channel, mut payload, uuid, username } = draft;
        if let Some(uuid) = &uuid {
            payload.insert("uuid".to_owned(), Value::String(uuid.to_string()));
        }
        Message {
            channel,
            data: payload,
            instance_id: Arc::clone(&self.instance_id),
            timestamp: now_milliseconds(),
            id: Some(Uuid::now_v7().to_string().into()),
            position: None,
            uuid,
            username,
        }
    }

    /// Delivers on this instance now and keeps the message for the others.
    async fn publish_here(&self, message: &Arc<Message>) -> Result<Receipt, PublishError> {
        let receipt = receipt(message, None);
        let size_bytes = size_bytes(message);
        let place = self.tasks.reserve().await.map_err(|_| PublishError::Stopping)?;
        // One lock for both, so that the outbox and the listeners here see one order.
        let mut outbox = self.outbox();
        outbox.push(Arc::clone(message), size_bytes);
        place.send(Task::Here { message: Arc::clone(message) });
        drop(outbox);
        self.flush_wanted.notify_one();
        Ok(receipt)
    }

    /// Sends what waits for the link whenever there is one, for as long as the hub runs.
    pub(super) async fn keep_flushing(&self) {
        loop {
            self.flush_wanted.notified().await;
            while *self.link.borrow() == Link::Up && !self.flush().await {
                sleep(FLUSH_AGAIN_AFTER).await;
            }
        }
    }

    /// Sends what waits, oldest first; whether all of it was sent.
    async fn flush(&self) -> bool {
        if self.outbox().is_empty() {
            return true;
        }
        let _ahead_of_new_ones = self.flushing.write().await;
        let mut count = 0;
        loop {
            let messages = self.outbox().first(FLUSHED_TOGETHER);
            if messages.is_empty() {
                break;
            }
            if let Err(error) = self.bus.publish(&messages, Attempt::Again).await {
                tracing::warn!(%error, sent = count, "the outbox waits");
                return false;
            }
            self.outbox().sent(&messages);
            count += messages.len();
        }
        tracing::info!(count, "sent what waited for the link");
        let dropped = self.outbox().take_dropped();
        if dropped > 0 {
            tracing::error!(dropped, "the outbox was too small for the outage: raise redis.fallback.outbox_messages");
        }
        true
    }
}

fn size_bytes(message: &Message) -> usize {
    serde_json::to_vec(message).map_or(0, |json| json.len())
}

fn receipt(message: &Message, position: Option<Position>) -> Receipt {
    Receipt {
        channel: message.channel.clone(),
        instance_id: Arc::clone(&message.instance_id),
        timestamp: rfc3339(message.timestamp),
        id: message.id.clone().unwrap_or_default(),
        fallback: position.is_none(),
        position,
    }
}
