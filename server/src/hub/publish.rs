//! How a message gets its id and goes out, with the link or without it.

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use wire::{Channel, Message, Payload, Receipt, limits::FRAME_BYTES};

use super::{Hub, Shared, deliver::Task};
use crate::{
    bus::{Attempt, BusError, Link},
    clock::{now_milliseconds, rfc3339},
};

/// How long a new message waits for the outbox to be sent before it.
const BEHIND_OUTBOX: Duration = Duration::from_secs(2);

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
        let shared = &self.shared;
        let message = shared.message(draft);
        let behind_outbox = timeout(BEHIND_OUTBOX, shared.flushing.read()).await;
        let is_direct = behind_outbox.is_ok() && *shared.link.borrow() != Link::Down && shared.outbox().is_empty();
        if is_direct {
            let size = serde_json::to_vec(&message.data).map_or(0, |json| json.len());
            if size > FRAME_BYTES {
                return Err(PublishError::TooLarge);
            }
            match shared.bus.publish(&message, Attempt::First).await {
                Ok(position) => return Ok(receipt(&message, Some(position))),
                Err(BusError::Down) => {}
                Err(error) => tracing::warn!(%error, "a broadcast did not get through; it is kept and sent again"),
            }
        }
        drop(behind_outbox);
        shared.publish_here(message).await
    }
}

impl Shared {
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
    async fn publish_here(&self, message: Message) -> Result<Receipt, PublishError> {
        let receipt = receipt(&message, None);
        let size_bytes = serde_json::to_vec(&message).map_or(0, |json| json.len());
        if size_bytes > FRAME_BYTES {
            return Err(PublishError::TooLarge);
        }
        let message = Arc::new(message);
        let place = self.tasks.reserve().await.map_err(|_| PublishError::Stopping)?;
        // One lock for both, so that the outbox and the listeners here see one order.
        let mut outbox = self.outbox();
        let sequence = self.next_sequence();
        outbox.push(Arc::clone(&message), size_bytes, sequence);
        place.send(Task::Here { message, sequence });
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
        let mut count = 0_u64;
        loop {
            let Some(message) = self.outbox().first() else { break };
            if let Err(error) = self.bus.publish(&message, Attempt::Again).await {
                tracing::warn!(%error, sent = count, "the outbox waits");
                return false;
            }
            self.outbox().sent(&message);
            count += 1;
        }
        tracing::info!(count, "sent what waited for the link");
        let dropped = self.outbox().take_dropped();
        if dropped > 0 {
            tracing::error!(dropped, "the outbox was too small for the outage: raise redis.fallback.outbox_messages");
        }
        true
    }
}

fn receipt(message: &Message, position: Option<wire::Position>) -> Receipt {
    Receipt {
        channel: message.channel.clone(),
        instance_id: Arc::clone(&message.instance_id),
        timestamp: rfc3339(message.timestamp),
        id: message.id.clone().unwrap_or_default(),
        fallback: position.is_none(),
        position,
    }
}
