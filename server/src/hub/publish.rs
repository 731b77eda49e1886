//! How a message gets its id and goes out, with the link or without it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use serde_json::Value;
use thiserror::Error;
use tokio::time::{sleep, timeout};
use uuid::Uuid;
use wire::{Channel, Message, Payload, Position, Receipt, UnfitPayload, check_payload, limits::FRAME_BYTES};

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

    /// The same for several messages of one publisher: they go out in this order, and those of one
    /// channel that follow each other go together. Answers one result for each, in the same order.
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
        let mut must_wait = false;
        for run in messages.chunk_by(|(_, one, by), (_, next, so)| one.channel == next.channel && by == so) {
            let together: Vec<_> = run.iter().map(|(_, message, _)| Arc::clone(message)).collect();
            let attempt = match run.first().and_then(|(_, _, route)| *route) {
                None | Some(Route::First) => Some(Attempt::First),
                Some(Route::Again) => Some(Attempt::Again),
                Some(Route::Here) => None,
            };
            let positions = match attempt {
                Some(attempt) if !must_wait => shared.publish_directly(&together, attempt).await,
                _ => None,
            };
            // Everything behind waits too: the order is the publisher's.
            must_wait = positions.is_none();
            let count = u64::try_from(run.len()).unwrap_or_default();
            shared.stats.published.fetch_add(count, Ordering::Relaxed);
            if must_wait {
                shared.stats.kept.fetch_add(count, Ordering::Relaxed);
            }
            for (index, (place, message, route)) in run.iter().enumerate() {
                results[*place] = match (&positions, route) {
                    (Some(positions), _) => Ok(receipt(message, positions.get(index).cloned())),
                    (None, None) => shared.publish_here(message).await,
                    (None, Some(_)) => shared.publish_saved_here(message).await,
                };
            }
        }
        results
    }
}

impl Shared {
    /// Where messages of one channel are in its log, or `None` when they have to wait for the link.
    async fn publish_directly(&self, messages: &[Arc<Message>], attempt: Attempt) -> Option<Vec<Position>> {
        let _behind_outbox = timeout(BEHIND_OUTBOX, self.flushing.read()).await.ok()?;
        if *self.link.borrow() == Link::Down || !self.outbox().is_empty() {
            return None;
        }
        match self.bus.publish(messages, attempt).await {
            Ok(positions) => Some(positions),
            Err(BusError::Down) => None,
            Err(error) => {
                tracing::warn!(%error, "a broadcast did not get through; it is kept and sent again");
                None
            }
        }
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
            instance_id: Arc::clone(&self.instance_id),
            timestamp,
            id: Some(id),
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

    /// Delivers a saved message on this instance, unless that was done before.
    async fn publish_saved_here(&self, message: &Arc<Message>) -> Result<Receipt, PublishError> {
        let place = self.tasks.reserve().await.map_err(|_| PublishError::Stopping)?;
        let mut outbox = self.outbox();
        if outbox.note_saved(message) {
            place.send(Task::Here { message: Arc::clone(message) });
        }
        drop(outbox);
        Ok(receipt(message, None))
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
            // Before what follows the loss: it belongs into the new log.
            let torn = self.outbox().torn();
            if let Some(channel) = torn {
                if let Err(error) = self.bus.renew(&channel).await {
                    tracing::warn!(%error, "the outbox waits");
                    return false;
                }
                self.outbox().told(&channel);
                continue;
            }
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
        self.stats.dropped.fetch_add(dropped, Ordering::Relaxed);
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
