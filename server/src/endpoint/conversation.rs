//! What one browser asks of an endpoint, and what it is answered.

use std::{collections::VecDeque, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use serde_json::{Value, json};
use tokio::time::timeout;
use wire::{
    Code, Frame, PongFrame, ServerFrame,
    endpoint::{Ask, OwnMessage, RequestError, RoomFrame, frame},
    limits::REPLY_WITHIN,
};

use super::{
    Handler, Reply, Socket,
    members::Target,
    tally::{Happening, Loss},
};
use crate::{
    clock,
    socket::{Conversation, RequestId, Window, text_frame},
};

/// Messages of one socket that may wait for its handler; beyond, the next is read when one is answered.
const JOBS: usize = 64;
/// How long a handler may take to say goodbye.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

/// One browser's side of an endpoint. What is seldom done is boxed: room for it would be part of every
/// socket for as long as it lives.
pub(super) struct Talk {
    socket: Socket,
    window: Window,
    /// What waits for the handler.
    jobs: VecDeque<Job>,
    /// What the handler does now.
    working: Option<BoxFuture<'static, Option<Bytes>>>,
}

/// Something for the handler to do.
enum Job {
    Connect,
    Message(OwnMessage, Option<RequestId>),
}

impl Talk {
    pub(super) fn new(socket: Socket) -> Self {
        let window = Window::new(socket.inner.endpoint.rule().limits.interval());
        Self { socket, window, jobs: VecDeque::from([Job::Connect]), working: None }
    }

    fn refuse(&self, why: Loss, refusal: RequestError, request_id: Option<RequestId>) -> Bytes {
        let mut here = self.socket.inner.endpoint.here();
        here.tally.dropped(why);
        here.note(Happening::Refused, &self.socket.inner.present);
        drop(here);
        failure(refusal, None, request_id)
    }

    /// Does what every endpoint does; `None` when there is no answer to it, or it comes later.
    async fn perform(&mut self, ask: Ask, request_id: Option<&RequestId>) -> Result<Option<String>, RequestError> {
        let socket = &self.socket;
        let sent = |kind: &str| request_id.map(|_| frame("sent", &sent_data(kind)));
        let omit = |is_omitted: bool| is_omitted.then(|| Arc::clone(socket.client_id()));
        Ok(match ask {
            Ask::Broadcast { data, omit_self } => {
                socket.post(Target::Broadcast, data, omit(omit_self));
                sent("broadcast")
            }
            Ask::User { user_id, data } => {
                socket.post(Target::User(user_id.into()), data, None);
                sent("user")
            }
            Ask::Room { room_id, data, omit_self } => {
                socket.post(Target::Room(room_id.into()), data, omit(omit_self));
                sent("room")
            }
            Ask::Join { room_id } => {
                let room_id: Arc<str> = room_id.into();
                let members = Box::pin(socket.join(&room_id)).await?;
                Some(frame("joined", &RoomFrame { room_id, members }))
            }
            Ask::Leave { room_id } => {
                let room_id: Arc<str> = room_id.into();
                let members = Box::pin(socket.leave(&room_id)).await;
                Some(frame("left", &RoomFrame { room_id, members }))
            }
            Ask::Presence { watch } => {
                let present = socket.inner.endpoints.watch(socket, watch);
                Some(frame("presence", &present))
            }
            Ask::Ping => {
                let pong = ServerFrame::Pong { data: PongFrame { timestamp: clock::now() } };
                Some(Frame::news(pong).to_json())
            }
            Ask::Response(answer) => {
                if !request_id.is_some_and(|id| socket.inner.requests.settle(id, answer)) {
                    return Err(RequestError::new(Code::InvalidMessage, "there is no such request to answer"));
                }
                None
            }
            Ask::Own(message) => {
                if self.jobs.len() >= JOBS {
                    // Its answer waits in the queue like everything else.
                    for answer in Box::pin(self.next_answers()).await {
                        self.socket.inner.queue.push(answer);
                    }
                }
                self.jobs.push_back(Job::Message(message, request_id.cloned()));
                None
            }
        })
    }
}

impl Conversation for Talk {
    async fn take(&mut self, text: &str, answers: &mut Vec<Bytes>) {
        let rule = self.socket.inner.endpoint.rule();
        let over = self.window.count(rule.limits.max_messages, rule.limits.interval());
        let is_too_large = text.len() > rule.limits.max_size;
        let (ask, request_id) = (Ask::parse(text), RequestId::of(text));
        if let Some(over) = over {
            self.socket.inner.endpoint.here().tally.dropped(Loss::TooFast);
            if over.is_first || request_id.is_some() {
                let refusal = RequestError::new(Code::RateLimitExceeded, "too many messages, wait a moment");
                answers.push(failure(refusal, Some(over.details()), request_id));
            }
            return;
        }
        if is_too_large {
            self.socket.inner.endpoint.here().tally.dropped(Loss::TooLarge);
            let refusal = RequestError::new(Code::MessageTooLarge, "the message is too large");
            let details = json!({ "size": text.len(), "limit": rule.limits.max_size });
            answers.push(failure(refusal, Some(details), request_id));
            return;
        }
        // The answer to a request of the server is known by its id, whatever its type.
        let is_awaited = request_id.as_ref().is_some_and(|id| self.socket.inner.requests.is_waiting(id));
        let ask = if is_awaited && !matches!(ask, Ok(Ask::Response(_))) { Ask::parse_reply(text) } else { ask };
        let allowed = ask.and_then(|ask| {
            if self.socket.owner().is_some() || rule.allows_guests(ask.kind()) {
                return Ok(ask);
            }
            Err(RequestError::new(Code::AuthenticationRequired, "guests may not send this; please sign in"))
        });
        self.socket.inner.endpoint.here().tally.message(clock::now_milliseconds());
        let done = match allowed {
            Ok(ask) => self.perform(ask, request_id.as_ref()).await,
            Err(refusal) => Err(refusal),
        };
        match done {
            Ok(answer) => answers.extend(answer.map(|json| text_frame(&RequestId::add(json, request_id.as_ref())))),
            Err(refusal) => answers.push(self.refuse(Loss::Refused, refusal, request_id)),
        }
    }

    fn not_text(&self) -> Bytes {
        self.refuse(Loss::Refused, RequestError::new(Code::InvalidMessage, "messages are JSON text"), None)
    }

    async fn next_answers(&mut self) -> Vec<Bytes> {
        if self.working.is_none() {
            let Some(job) = self.jobs.pop_front() else { return std::future::pending().await };
            self.working = Some(Box::pin(work(self.socket.clone(), job)));
        }
        let Some(working) = &mut self.working else { return std::future::pending().await };
        let answer = working.await;
        self.working = None;
        answer.into_iter().collect()
    }

    fn is_busy(&self) -> bool {
        self.working.is_some() || !self.jobs.is_empty()
    }

    fn finish(&mut self) {
        // The browser is not heard any more: who waits for its answer waits in vain.
        self.socket.inner.requests.end();
    }

    async fn end(self) {
        Box::pin(self.go()).await;
    }
}

impl Talk {
    /// Forgets the socket and lets the handler say goodbye.
    async fn go(self) {
        let Self { socket, working, .. } = self;
        drop(working);
        let inner = &*socket.inner;
        inner.requests.end();
        let rooms = inner.endpoint.leave(inner.key, &inner.user, &inner.present);
        let mut unheard = socket.topics().to_vec();
        unheard.extend(rooms.into_iter().map(Target::Room));
        inner.endpoints.ignore(&unheard, &inner.endpoint.name).await;
        let goodbye = AssertUnwindSafe(inner.endpoint.handler.on_disconnect(&socket)).catch_unwind();
        if !matches!(timeout(GOODBYE_WITHIN, goodbye).await, Ok(Ok(()))) {
            tracing::error!(endpoint = %inner.endpoint.name, "a handler did not say goodbye");
        }
    }
}

/// Lets the handler do its work; what is to be answered.
async fn work(socket: Socket, job: Job) -> Option<Bytes> {
    let endpoint = Arc::clone(&socket.inner.endpoint);
    let handler: &dyn Handler = &*endpoint.handler;
    let (message, request_id) = match job {
        Job::Connect => {
            let connecting = AssertUnwindSafe(handler.on_connect(&socket)).catch_unwind();
            if !matches!(timeout(REPLY_WITHIN, connecting).await, Ok(Ok(()))) {
                tracing::error!(endpoint = %endpoint.name, "a handler did not greet a socket");
            }
            return None;
        }
        Job::Message(message, request_id) => (message, request_id),
    };
    let handling = AssertUnwindSafe(handler.on_message(&socket, message)).catch_unwind();
    let refusal = match timeout(REPLY_WITHIN, handling).await {
        Ok(Ok(Ok(Some(Reply { kind, data })))) => {
            return Some(text_frame(&RequestId::add(frame(&kind, &data), request_id.as_ref())));
        }
        Ok(Ok(Err(refusal))) => {
            endpoint.here().tally.dropped(Loss::Refused);
            refusal
        }
        Ok(Err(_)) => {
            tracing::error!(endpoint = %endpoint.name, "a handler panicked at a message");
            RequestError::new(Code::InternalError, "something went wrong on the server")
        }
        Ok(Ok(Ok(None))) | Err(_) => {
            // Nothing to say is an answer only to who asked.
            request_id.as_ref()?;
            endpoint.here().tally.dropped(Loss::NoReply);
            RequestError::new(Code::NoReply, "nobody answered the request")
        }
    };
    Some(failure(refusal, None, request_id))
}

fn sent_data(target: &str) -> Value {
    json!({ "target": target, "timestamp": clock::now() })
}

fn failure(refusal: RequestError, details: Option<Value>, request_id: Option<RequestId>) -> Bytes {
    let frame = Frame::failure(refusal.code, refusal.error, details, None);
    text_frame(&RequestId::add(frame.to_json(), request_id.as_ref()))
}
