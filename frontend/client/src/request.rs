//! What goes without a socket.

use gloo_net::http::{Request, Response};
use serde_json::Value;
use wire::{Channel, Code, Payload, PublishError, Receipt, object, to_text};

/// Publishes with a request.
pub(crate) async fn publish(channel: &Channel, payload: Payload, uuid: &str) -> Result<Receipt, PublishError> {
    let body = to_text(&object(vec![("data", Value::Object(payload)), ("uuid", uuid.into())]));
    let path = ["/api/1/app-cluster/broadcast/", channel.as_str()].concat();
    let response = post(&path, &body, uuid).await.map_err(|_| PublishError::Unreachable)?;
    // Cut off behind the head of the answer: the message may have been taken.
    let text = response.text().await.map_err(|_| PublishError::ConnectionLost)?;
    let mut envelope: Value = serde_json::from_str(&text).unwrap_or_default();
    match Receipt::read(envelope["data"].take()) {
        Some(receipt) if response.ok() => Ok(receipt),
        _ => Err(PublishError::Refused {
            code: envelope["code"].as_str().map_or(Code::Unknown, Code::read),
            message: match envelope["error"].take() {
                Value::String(message) => message,
                _ => ["the server answered ", &response.status().to_string()].concat(),
            },
        }),
    }
}

/// The status a path of this site is answered with; `None` when nothing answers.
pub async fn status_of(path: &str) -> Option<u16> {
    let response = Request::get(path).send().await.ok()?;
    Some(response.status())
}

/// Who is signed in, empty for a guest; `None` when nothing answers.
pub(crate) async fn username() -> Option<String> {
    let response = Request::get("/api/1/auth/status").send().await.ok()?;
    let text = response.text().await.ok()?;
    let mut envelope: Value = serde_json::from_str(&text).ok()?;
    match (envelope["success"].as_bool()?, envelope["user"]["username"].take()) {
        (true, Value::String(username)) => Some(username),
        (true, _) => Some(String::new()),
        (false, _) => None,
    }
}

async fn post(path: &str, body: &str, uuid: &str) -> Result<Response, gloo_net::Error> {
    let request = Request::post(path).header("Content-Type", "application/json").header("X-JPulse-Uuid", uuid);
    request.body(body)?.send().await
}
