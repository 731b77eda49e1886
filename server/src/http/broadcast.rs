//! Publishing and the cluster's status over REST.

use axum::{
    Router,
    extract::{Path, State},
    routing::{get, post},
};
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use wire::{Channel, Code};

use super::{
    Site,
    answer::{Answer, ApiError},
    body::{JsonBody, publisher_uuid},
    visitor::CurrentUser,
};
use crate::{
    clock,
    hub::{Draft, Link, PublishError},
};

pub(super) fn routes() -> Router<Site> {
    Router::new()
        .route("/api/1/app-cluster/broadcast/status", get(status))
        .route("/api/1/app-cluster/broadcast/{channel}", post(publish))
}

async fn publish(
    State(site): State<Site>,
    Path(channel): Path<String>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    JsonBody(mut body): JsonBody,
) -> Result<Answer, ApiError> {
    let bad_request = |code, error: &str| ApiError::new(StatusCode::BAD_REQUEST, code, error);
    let channel =
        Channel::parse(&channel).map_err(|error| bad_request(Code::InvalidChannelName, &error.to_string()))?;
    if !channel.is_open_to_browsers() {
        let error = "browsers publish on channels that begin with `view:`, and on none below `view:system:`";
        return Err(ApiError::new(StatusCode::FORBIDDEN, Code::ForbiddenChannel, error));
    }
    let Some(Value::Object(payload)) = body.get_mut("data").map(Value::take) else {
        return Err(bad_request(Code::InvalidData, "`data` must be an object"));
    };
    let uuid = publisher_uuid(&body, &headers);
    let username = user.map(|user| user.username).unwrap_or_default();
    let draft = Draft { channel: channel.clone(), payload, uuid, username, saved: None };
    let receipt = site.hub.publish(draft).await.map_err(|error| match error {
        PublishError::TooLarge => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, Code::PayloadTooLarge, error.to_string())
        }
        PublishError::Unfit(_) => bad_request(Code::InvalidData, &error.to_string()),
        PublishError::Stopping => {
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, Code::InternalError, error.to_string())
        }
    })?;
    let message = if receipt.fallback {
        format!("Published to {channel} on this instance; the others follow when Redis is back")
    } else {
        format!("Published to {channel}")
    };
    Ok(Answer::data(receipt).message(message))
}

async fn status(State(site): State<Site>) -> Answer {
    let link = *site.hub.lasting_link().borrow();
    let is_up = link == Link::Up;
    let mut status = json!({
        "instanceId": site.hub.instance_id(),
        "redisAvailable": is_up,
        "redisMode": site.backends.redis.as_str(),
        "broadcastEnabled": is_up,
        "timestamp": clock::now(),
    });
    if let Some(cause) = site.hub.outage(link) {
        status["cause"] = json!(cause);
        status["error"] = json!(cause.sentence());
    }
    Answer::data(status).message("The cluster's state as this instance sees it")
}
