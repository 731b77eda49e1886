//! How a message gets its id and goes out, with the link or without it.

use std::sync::{Arc, atomic::Ordering};

use serde_json::Value;
use thiserror::Error;
use uuid::Uuid;
use wire::{Channel, Message, Payload, Position, Receipt, UnfitPayload, check_payload, limits::FRAME_BYTES};

use super::{Hub, Shared, deliver::Task};
use crate::{
    bus::Attempt,
    clock::{now_milliseconds, rfc3339},
};

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
    /// What it was named when it was saved; a message that was not saved gets its name here.
    pub saved: Option<Saved>,
}

/// A message that is kept by whoever publishes it until the receipt has no `fallback`.
///
/// It may be published as often as it takes: it is logged once, as long as the log reaches back to it,
/// and delivered here once. The hub itself does not keep it for the other instances.
#[derive(Clone, Debug)]
pub struct Saved {
    /// Its id, a uuid of version 7.
    pub id: Arc<str>,
    /// When it was saved, in milliseconds since 1970.
    pub timestamp: u64,
    /// Where it goes this time.
    pub route: Route,
}

/// Where a saved message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To everybody, for the first time.
    First,
    /// To everybody, perhaps not for the first time.
    Again,
    /// To this instance's listeners only: it will be published again, behind others that wait.
    Here,
}

/// Why a message was not taken.
#[derive(Debug, Error)]
pub enum PublishError {
    /// It is larger than a frame may be.
    #[error("the message is larger than {FRAME_BYTES} bytes")]
    TooLarge,
    /// Some readers would not get it as it is.
    #[error(transparent)]
    Unfit(#[from] UnfitPayload),
    /// The instance is stopping.
    #[error("the instance is stopping")]
    Stopping,
}

impl Hub {
    /// Publishes. Without a link the message is delivered on this instance and kept for the others (a
    /// [`Saved`] one by its publisher): `fallback` in the receipt. Answers within 4 s whatever Redis does.
    ///
    /// # Errors
    ///
    /// When the message cannot be passed on or the instance stops.
    pub async fn publish(&self, draft: Draft) -> Result<Receipt, PublishError> {
        self.publish_all(vec![draft]).await.pop().unwrap_or(Err(PublishError::Stopping))
    }

    /// The same for several messages of one publisher: those of one channel go out in this order, together where they
    /// follow each other. A channel that has to wait holds up no other. Answers one result for each, in the same order.
    pub async fn publish_all(&self, drafts: Vec<Draft>) -> Vec<Result<Receipt, PublishError>> {
        let shared = &self.shared;
        let mut results = Vec::with_capacity(drafts.len());
        let mut messages = Vec::with_capacity(drafts.len());
        for draft in drafts {
            if let Err(error) = check_payload(&draft.payload) {
                results.push(Err(error.into()));
                continue;
            }
            let route = draft.saved.as_ref().map(|saved| saved.route);
            let message = Arc::new(shared.message(draft));
            if size_bytes(&message) <= FRAME_BYTES {
                messages.push((results.len(), message, route));
            }
            // Until something better is known of it.
            results.push(Err(PublishError::TooLarge));
        }
        // Channels of which something has to wait: what follows on them waits too, for the order is the publisher's.
        let mut waiting: Vec<&Channel> = Vec::new();
        for run in messages.chunk_by(|(_, one, by), (_, next, so)| one.channel == next.channel && by == so) {
            let together: Vec<_> = run.iter().map(|(_, message, _)| Arc::clone(message)).collect();
            let Some((_, Message { channel, .. }, route)) =
                run.first().map(|(at, message, route)| (at, &**message, route))
            else {
                continue;
            };
            let attempt = match route {
                None | Some(Route::First) => Some(Attempt::First),
                Some(Route::Again) => Some(Attempt::Again),
                Some(Route::Here) => None,
            };
            let published = match attempt {
                Some(attempt) if !waiting.contains(&channel) => shared.publish_directly(&together, attempt).await,
                _ => Err(Attempt::First),
            };
            let count = u64::try_from(run.len()).unwrap_or_default();
            shared.stats.published.fetch_add(count, Ordering::Relaxed);
            if published.is_err() {
                waiting.push(channel);
                shared.stats.kept.fetch_add(count, Ordering::Relaxed);
            }
            for (index, (place, message, route)) in run.iter().enumerate() {
                results[*place] = match (&published, route) {
                    (Ok(positions), _) => Ok(receipt(message, positions.get(index).cloned())),
                    (Err(attempt), None) => shared.publish_here(message, *attempt).await,
                    (Err(_), Some(_)) => shared.publish_saved_here(message).await,
                };
            }
        }
        results
    }
}

impl Shared {
    /// Where messages of one channel are in its log; else how they are to be sent when Redis takes them.
    async fn publish_directly(&self, messages: &[Arc<Message>], attempt: Attempt) -> Result<Vec<Position>, Attempt> {
        let Some(channel) = messages.first().map(|message| &message.channel) else { return Ok(Vec::new()) };
        if !self.is_channel_free(channel).await {
            return Err(attempt);
        }
        self.bus.publish(messages, attempt).await.map_err(|error| {
            tracing::debug!(%channel, %error, "a broadcast did not get through; it waits and is sent again");
            if error.may_have_happened() { Attempt::Again } else { attempt }
        })
    }

    fn message(&self, draft: Draft) -> Message {
        let Draft { channel, mut payload, uuid, username, saved } = draft;
        if let Some(uuid) = &uuid {
            payload.insert("uuid".to_owned(), Value::String(uuid.to_string()));
        }
        let (id, timestamp) = match saved {
            Some(saved) => (saved.id, saved.timestamp),
            None => (Uuid::now_v7().to_string().into(), now_milliseconds()),
        };
        Message {
            channel,
            data: payload,
            instance_id: Arc::clone(self.instance_id.current()),
            timestamp,
            id: Some(id),
            position: None,
            uuid,
            username,
            source: Some(Arc::clone(&self.source)),
        }
    }

    /// Delivers on this instance now and keeps the message for the others.
    async fn publish_here(&self, message: &Arc<Message>, attempt: Attempt) -> Result<Receipt, PublishError> {
        let receipt = receipt(message, None);
        let size_bytes = size_bytes(message);
        let place = self.tasks.reserve().await.map_err(|_| PublishError::Stopping)?;
        // One lock for both, so that the buffer and the listeners here see one order.
        let mut buffer = self.retry_buffer();
        buffer.push(Arc::clone(message), size_bytes, attempt);
        place.send(Task::Here { message: Arc::clone(message) });
        drop(buffer);
        self.flush_wanted.notify_one();
        Ok(receipt)
    }

    /// Delivers a saved message on this instance, unless that was done before.
    async fn publish_saved_here(&self, message: &Arc<Message>) -> Result<Receipt, PublishError> {
        let place = self.tasks.reserve().await.map_err(|_| PublishError::Stopping)?;
        let mut buffer = self.retry_buffer();
        if buffer.local.insert_saved(message) {
            place.send(Task::Here { message: Arc::clone(message) });
        }
        drop(buffer);
        Ok(receipt(message, None))
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
