//! What only administrators may ask for.

use app::{ports::Publisher, system_notification::NotificationDraft, system_notifications};
use axum::{Router, extract::State, routing::post};
use http::HeaderMap;
use serde_json::Value;
use wire::Code;

use super::{
    Site,
    answer::{Answer, ApiError, Outcome},
    body::{JsonBody, publisher_uuid},
    visitor::Admin,
};

/// `/api/1/admin/…`
pub(super) fn routes() -> Router<Site> {
    Router::new().route("/api/1/admin/broadcast-notification", post(broadcast_notification))
}

/// Tells every open browser on every instance.
async fn broadcast_notification(
    Admin(user): Admin,
    State(site): State<Site>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Outcome {
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let wrong = |error: String| ApiError::bad_request(Code::ValidationError, error);
    let critical = match body.get("critical") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(critical)) => *critical,
        Some(_) => return Err(wrong("`critical` is true or false.".to_owned())),
    };
    let draft =
        NotificationDraft::parse(text("message"), text("level"), critical).map_err(|error| wrong(error.to_string()))?;
    let publisher = Publisher { uuid: publisher_uuid(&body, &headers), username: user.username, name: user.name };
    let logged = system_notifications::send(&site.ports, draft, publisher).await?;
    Ok(Answer::data(logged).message("Notification sent"))
}
