//! `jpulse-ws-test`, and for everybody `hello-request`: answers with what it is sent.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use wire::{
    endpoint::{OwnMessage, RequestError},
    limits::REPLY_WITHIN,
};

use super::super::{Handler, Reply, Socket};

/// Echoes. A message `{type: "ask", data, withinMs?}` is sent back as a request of the server, and what
/// the browser answers is the answer; `{type: "silence"}` is never answered.
pub(super) struct Echo;

#[async_trait]
impl Handler for Echo {
    async fn on_message(&self, socket: &Socket, message: OwnMessage) -> Result<Option<Reply>, RequestError> {
        match message.kind.as_str() {
            "ask" => {
                let data = message.fields.get("data").cloned().unwrap_or_default();
                let within = message.fields.get("withinMs").and_then(Value::as_u64).map(Duration::from_millis);
                // Sooner than the request that waits for it gives up.
                let within = within.unwrap_or(REPLY_WITHIN).min(REPLY_WITHIN / 2);
                let answer = socket.request(&data, within).await?;
                Ok(Some(Reply::new("answer", json!({ "answer": answer }))))
            }
            "silence" => Ok(None),
            _ => Ok(Some(Reply::new("echo", Value::Object(message.fields)))),
        }
    }
}
