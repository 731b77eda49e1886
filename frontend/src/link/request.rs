//! Publishing without a socket.

use app::cluster::PublishError;
use gloo_net::http::Request;
use serde_json::{Value, json};
use wire::{Channel, Code, Payload, Receipt};

/// Publishes with a request.
pub(crate) async fn publish(channel: &Channel, payload: Payload, uuid: &str) -> Result<Receipt, PublishError> {
    let body = json!({ "data": payload, "uuid": uuid }).to_string();
    let response = Request::post(&format!("/api/1/app-cluster/broadcast/{channel}"))
        .header("Content-Type", "application/json")
        .header("X-JPulse-Uuid", uuid)
        .body(body)
        .map_err(|_| PublishError::Unreachable)?
        .send()
        .await
        .map_err(|_| PublishError::Unreachable)?;
    // Cut off behind the head of the answer: the message may have been taken.
    let text = response.text().await.map_err(|_| PublishError::ConnectionLost)?;
    let mut envelope: Value = serde_json::from_str(&text).unwrap_or_default();
    match serde_json::from_value(envelope["data"].take()) {
        Ok(receipt) if response.ok() => Ok(receipt),
        _ => Err(PublishError::Refused {
            code: serde_json::from_value(envelope["code"].take()).unwrap_or(Code::Unknown),
            message: match envelope["error"].take() {
                Value::String(message) => message,
                _ => format!("the server answered {}", response.status()),
            },
        }),
    }
}
