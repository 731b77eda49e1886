//! What one browser asks of the relay, and what it is answered.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use wire::{
    Channel, ChannelError, ClientFrame, Code, Frame, Layer, Pattern, PongFrame, Positions, Receipt, ServerFrame, Since,
    SubscribedFrame, UnsubscribedFrame,
    limits::{MESSAGE_BYTES, MESSAGE_INTERVAL, SUBSCRIPTIONS},
};

use super::{Shared, frames, queue::Queue};
use crate::{
    clock,
    hub::{Draft, Omit, PublishError, Subscription},
    socket::{Conversation, RequestId, Window, text_frame},
};

/// Publishes of one socket that may wait for those under way; beyond, the next message is read when those are done.
const PUBLISHES: usize = 64;

/// The state of one browser's conversation.
pub(super) struct Protocol {
    shared: Arc<Shared>,
    queue: Arc<Queue<Bytes>>,
    uuid: Arc<str>,
    /// Empty for a guest.
    username: String,
    subscriptions: HashMap<String, Subscription>,
    /// Publishes that wait for those under way.
    waiting: Vec<(Draft, Option<RequestId>)>,
    /// Gives the receipts of the publishes under way.
    publishing: Option<BoxFuture<'static, Vec<Bytes>>>,
    window: Window,
}

/// Why a request cannot be done: what the answer says.
struct Refusal {
    code: Code,
    error: String,
    details: Option<Value>,
}

impl Protocol {
    pub(super) fn new(shared: Arc<Shared>, queue: Arc<Queue<Bytes>>, uuid: Arc<str>, username: String) -> Self {
        Self {
            shared,
            queue,
            uuid,
            username,
            subscriptions: HashMap::new(),
            waiting: Vec::new(),
            publishing: None,
            window: Window::new(MESSAGE_INTERVAL),
        }
    }

    async fn perform(&mut self, frame: ClientFrame, request_id: Option<RequestId>, answers: &mut Vec<Bytes>) {
        let done = match frame {
            ClientFrame::Subscribe { channel, omit_self, since, positions } => {
                let since = match (since, positions) {
                    (Some(position), _) => Since::After(position),
                    (None, Some(positions)) => Since::AfterAll(positions),
                    (None, None) => Since::Now,
                };
                // In a box, as all that is rare: an idle socket keeps room for the largest thing it may wait for.
                Box::pin(self.subscribe(channel, omit_self, since, request_id.clone(), answers)).await
            }
            ClientFrame::Unsubscribe { channel } => {
                self.subscriptions.remove(&channel);
                let data = UnsubscribedFrame { channel, timestamp: clock::now() };
                answers.push(answer(ServerFrame::Unsubscribed { data }, request_id.clone()));
                Ok(())
            }
            ClientFrame::Publish { channel, data } => self.publish(&channel, data, request_id.clone(), answers).await,
            ClientFrame::Ping => {
                let data = PongFrame { timestamp: clock::now() };
                answers.push(answer(ServerFrame::Pong { data }, request_id.clone()));
                Ok(())
            }
        };
        if let Err(refusal) = done {
            answers.push(refuse(refusal, request_id));
        }
    }

    async fn subscribe(
        &mut self,
        channel: String,
        omit_self: bool,
        since: Since,
        request_id: Option<RequestId>,
        answers: &mut Vec<Bytes>,
    ) -> Result<(), Refusal> {
        let pattern = Pattern::parse(&channel)?;
        if pattern.layer() != Layer::View {
            return Err(Refusal::forbidden());
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS && !self.subscriptions.contains_key(&channel) {
            let error = format!("a socket holds at most {SUBSCRIPTIONS} subscriptions");
            return Err(Refusal::new(Code::TooManySubscriptions, error));
        }
        let omit = if omit_self { Omit::Publisher(Arc::clone(&self.uuid)) } else { Omit::Nothing };
        let listener = Arc::clone(&self.queue);
        let joined = self.shared.hub.subscribe(&pattern, omit, since, listener).await;
        let data = SubscribedFrame {
            channel: channel.clone(),
            timestamp: clock::now(),
            position: joined.position,
            positions: joined.positions.map(|positions| Positions::clone(&positions)),
            recovered: joined.is_recovered,
        };
        answers.push(answer(ServerFrame::Subscribed { data }, request_id));
        answers.extend(joined.missed.iter().map(|delivery| delivery.encoded(frames::broadcast).clone()));
        self.subscriptions.insert(channel, joined.subscription);
        Ok(())
    }

    async fn publish(
        &mut self,
        channel: &str,
        data: Value,
        request_id: Option<RequestId>,
        answers: &mut Vec<Bytes>,
    ) -> Result<(), Refusal> {
        let channel = Channel::parse(channel)?;
        if !channel.is_open_to_browsers() {
            return Err(Refusal::forbidden());
        }
        let Value::Object(payload) = data else {
            return Err(Refusal::new(Code::InvalidData, "`data` must be an object"));
        };
        if self.waiting.len() >= PUBLISHES {
            // They are written before more is read.
            answers.extend(self.next_answers().await);
        }
        let uuid = Some(Arc::clone(&self.uuid));
        let draft = Draft { channel, payload, uuid, username: self.username.clone(), saved: None };
        self.waiting.push((draft, request_id));
        Ok(())
    }
}

impl Conversation for Protocol {
    fn finish(&mut self) {
        // Nobody reads what would be delivered.
        self.subscriptions.clear();
    }

    fn is_busy(&self) -> bool {
        self.publishing.is_some() || !self.waiting.is_empty()
    }

    /// The next receipts, in the order of the publishes. What is published while others are under way goes out together behind them, so that one
    /// browser's messages keep their order.
    async fn next_answers(&mut self) -> Vec<Bytes> {
        if self.publishing.is_none() && !self.waiting.is_empty() {
            let (drafts, request_ids): (Vec<_>, Vec<_>) = self.waiting.drain(..).unzip();
            let hub = self.shared.hub.clone();
            self.publishing = Some(Box::pin(async move {
                let results = hub.publish_all(drafts).await;
                results.into_iter().zip(request_ids).map(|(result, request_id)| receipt(result, request_id)).collect()
            }));
        }
        let Some(publishing) = &mut self.publishing else { return std::future::pending().await };
        let receipts = publishing.await;
        self.publishing = None;
        receipts
    }

    fn not_text(&self) -> Bytes {
        refuse(Refusal::new(Code::InvalidMessage, "messages are JSON text"), None)
    }

    async fn take(&mut self, text: &str, answers: &mut Vec<Bytes>) {
        let over = self.window.count(self.shared.limits.socket_messages, MESSAGE_INTERVAL);
        if over.is_none() && text.len() <= MESSAGE_BYTES {
            let request_id = RequestId::of(text);
            match ClientFrame::parse(text) {
                Ok(frame) => self.perform(frame, request_id, answers).await,
                Err(error) => {
                    answers.push(refuse(Refusal::new(Code::InvalidMessage, error.to_string()), request_id));
                }
            }
            return;
        }
        let request_id = RequestId::of(text);
        match over {
            Some(over) => {
                if over.is_first || request_id.is_some() {
                    let mut refusal = Refusal::new(Code::RateLimitExceeded, "too many messages, wait a moment");
                    refusal.details = Some(over.details());
                    answers.push(refuse(refusal, request_id));
                }
            }
            None => {
                let mut refusal = Refusal::new(Code::MessageTooLarge, "the message is too large");
                refusal.details = Some(json!({ "size": text.len(), "limit": MESSAGE_BYTES }));
                answers.push(refuse(refusal, request_id));
            }
        }
    }

    async fn end(self) {}
}

impl Refusal {
    fn new(code: Code, error: impl Into<String>) -> Self {
        Self { code, error: error.into(), details: None }
    }

    fn forbidden() -> Self {
        Self::new(
            Code::ForbiddenChannel,
            "browsers use channels that begin with `view:`, and publish on none below `view:system:`",
        )
    }
}

impl From<ChannelError> for Refusal {
    fn from(error: ChannelError) -> Self {
        Self::new(Code::InvalidChannelName, error.to_string())
    }
}

fn receipt(result: Result<Receipt, PublishError>, request_id: Option<RequestId>) -> Bytes {
    match result {
        Ok(receipt) => answer(ServerFrame::Published { data: receipt }, request_id),
        Err(error) => {
            let code = match error {
                PublishError::TooLarge => Code::PayloadTooLarge,
                PublishError::Unfit(_) => Code::InvalidData,
                PublishError::Stopping => Code::InternalError,
            };
            refuse(Refusal::new(code, error.to_string()), request_id)
        }
    }
}

fn answer(data: ServerFrame, request_id: Option<RequestId>) -> Bytes {
    text_frame(&RequestId::add(Frame::news(data).to_json(), request_id.as_ref()))
}

fn refuse(refusal: Refusal, request_id: Option<RequestId>) -> Bytes {
    let frame = Frame::failure(refusal.code, refusal.error, refusal.details, None);
    text_frame(&RequestId::add(frame.to_json(), request_id.as_ref()))
}
