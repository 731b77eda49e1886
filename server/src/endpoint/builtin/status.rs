//! `jpulse-ws-status`: how the endpoints are doing, at once and every five seconds.

use async_trait::async_trait;
use serde_json::Value;
use wire::{
    Code,
    endpoint::{OwnMessage, RequestError, frame},
};

use super::super::{Endpoint, Endpoints, Handler, Reply, Socket, Target};
use crate::socket::text_frame;

/// Tells administrators.
pub(super) struct Status;

#[async_trait]
impl Handler for Status {
    async fn on_connect(&self, socket: &Socket) {
        socket.send("stats-update", &stats(&socket.inner.endpoints));
    }

    async fn on_message(&self, socket: &Socket, message: OwnMessage) -> Result<Option<Reply>, RequestError> {
        match message.kind.as_str() {
            "stats" => Ok(Some(Reply::new("stats-update", stats(&socket.inner.endpoints)))),
            kind => Err(RequestError::new(Code::InvalidMessage, format!("there is no message of type `{kind}` here"))),
        }
    }
}

/// Tells everybody who wants to know on this instance.
pub(in super::super) fn send_stats(endpoints: &Endpoints, endpoint: &Endpoint) {
    if endpoint.here().members.is_empty() {
        return;
    }
    let frame = text_frame(&frame("stats-update", &endpoints.update()));
    endpoint.here().members.reached(&Target::Broadcast, None).for_each(|place| place.queue.push(frame.clone()));
}

fn stats(endpoints: &Endpoints) -> Value {
    // Strings, numbers and maps with text keys: nothing here can fail to serialise.
    serde_json::to_value(endpoints.update()).unwrap_or_default()
}
