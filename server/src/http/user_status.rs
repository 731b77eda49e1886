//! The statuses of users over REST.

use app::{
    ports::{Ports, Publisher},
    user_status::{ASKED_TOGETHER, UserStatus},
};
use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    routing::put,
};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use wire::Code;

use super::{
    answer::{Answer, ApiError, Outcome},
    body::{JsonBody, publisher_uuid},
    visitor::SignedIn,
};

/// `/api/1/user/status`
pub(super) fn routes() -> Router<Ports> {
    Router::new().route("/api/1/user/status", put(write).get(read))
}

/// Sets the status of the user who asks, and broadcasts it on `view:chat:user:status`.
async fn write(
    SignedIn(user): SignedIn,
    State(ports): State<Ports>,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Outcome {
    let status = body.get("status").and_then(Value::as_str).unwrap_or_default();
    let status = UserStatus::parse(status).map_err(|error| invalid(error.to_string()))?;
    let publisher =
        Publisher { uuid: publisher_uuid(&body, &headers), username: user.username.clone(), name: user.name.clone() };
    ports.user_statuses.set(&user, status, publisher).await?;
    Ok(Answer::data(json!({ "userId": user.id, "status": status })))
}

#[derive(Deserialize)]
struct Asked {
    /// User names with commas between them; without it, who asks.
    users: Option<String>,
}

/// The statuses of some users, by their names.
async fn read(
    SignedIn(user): SignedIn,
    State(ports): State<Ports>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Outcome {
    let names = asked.ok().and_then(|Query(asked)| asked.users).unwrap_or(user.username);
    let names: Vec<&str> = names.split(',').filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > ASKED_TOGETHER {
        return Err(invalid(format!("`users` are 1 to {ASKED_TOGETHER} user names with commas between them.")));
    }
    let mut statuses = Map::new();
    for name in names {
        statuses.insert(name.to_owned(), json!(ports.user_statuses.of(name).await?));
    }
    Ok(Answer::data(json!({ "statuses": statuses })))
}

fn invalid(error: String) -> ApiError {
    ApiError::bad_request(Code::ValidationError, error)
}
