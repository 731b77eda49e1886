//! What goes without a socket.

use serde_json::Value;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response};
use wire::{Channel, Code, Payload, PublishError, Receipt, object, to_text};

use crate::browser::window;

/// Publishes with a request.
pub(crate) async fn publish(channel: &Channel, payload: Payload, uuid: &str) -> Result<Receipt, PublishError> {
    let body = to_text(&object(vec![("data", Value::Object(payload)), ("uuid", uuid.into())]));
    let path = ["/api/1/app-cluster/broadcast/", channel.as_str()].concat();
    let response = post(&path, &body, uuid).await.map_err(|_| PublishError::Unreachable)?;
    // Cut off behind the head of the answer: the message may have been taken.
    let text = text(&response).await.map_err(|_| PublishError::ConnectionLost)?;
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
    let response = JsFuture::from(window().fetch_with_str(path)).await.ok()?;
    Some(response.unchecked_into::<Response>().status())
}

/// Who is signed in, empty for a guest; `None` when nothing answers.
pub(crate) async fn username() -> Option<String> {
    let response = JsFuture::from(window().fetch_with_str("/api/1/auth/status")).await.ok()?;
    let text = text(&response.unchecked_into()).await.ok()?;
    let mut envelope: Value = serde_json::from_str(&text).ok()?;
    match (envelope["success"].as_bool()?, envelope["user"]["username"].take()) {
        (true, Value::String(username)) => Some(username),
        (true, _) => Some(String::new()),
        (false, _) => None,
    }
}

async fn post(path: &str, body: &str, uuid: &str) -> Result<Response, JsValue> {
    let headers = Headers::new()?;
    headers.set("Content-Type", "application/json")?;
    headers.set("X-JPulse-Uuid", uuid)?;
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_headers(&headers);
    init.set_body(&body.into());
    JsFuture::from(window().fetch_with_str_and_init(path, &init)).await.map(JsCast::unchecked_into)
}

async fn text(response: &Response) -> Result<String, JsValue> {
    let text = JsFuture::from(response.text()?).await?;
    Ok(text.as_string().unwrap_or_default())
}
