//! The to-do list over REST.

use app::{
    ports::{Ports, Publisher},
    todo::TodoStats,
    todos,
};
use axum::{
    Router,
    extract::{Path, Query, State, rejection::QueryRejection},
    routing::{delete, get, put},
};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use wire::Code;

use super::{
    answer::{Answer, ApiError, Outcome},
    body::{JsonBody, publisher_uuid},
    visitor::CurrentUser,
};

/// Todos of a page, when nobody says how many.
const LIMIT: usize = 20;
/// Todos of a page at most.
const LIMIT_MAX: usize = 100;

/// `/api/1/helloClusterTodo` and what is below it.
pub fn routes() -> Router<Ports> {
    Router::new()
        .route("/api/1/helloClusterTodo", get(list).post(create))
        .route("/api/1/helloClusterTodo/stats", get(stats))
        .route("/api/1/helloClusterTodo/history", get(history))
        .route("/api/1/helloClusterTodo/{id}", delete(remove))
        .route("/api/1/helloClusterTodo/{id}/toggle", put(toggle))
}

#[derive(Deserialize)]
struct Page {
    limit: Option<String>,
    cursor: Option<String>,
}

/// A limit beyond [`LIMIT_MAX`] gives that many: there is a cursor for the rest.
async fn list(State(ports): State<Ports>, page: Result<Query<Page>, QueryRejection>) -> Outcome {
    let wrong = |text: String| ApiError::bad_request(Code::ValidationError, text);
    let Query(Page { limit, cursor }) = page.map_err(|error| wrong(error.body_text()))?;
    let limit = self::limit(limit)?;
    Ok(Answer::fields(todos::list(&ports, limit, cursor.as_deref()).await?))
}

async fn create(
    State(ports): State<Ports>,
    user: CurrentUser,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Outcome {
    let Some(text) = body.get("text").and_then(Value::as_str) else {
        return Err(ApiError::bad_request(Code::ValidationError, "A task needs a title: `text`, a string."));
    };
    let todo = todos::create(&ports, text, publisher(user, &headers, &body)).await?;
    Ok(Answer::fields(json!({ "todo": todo })).status(StatusCode::CREATED))
}

async fn toggle(
    State(ports): State<Ports>,
    Path(id): Path<String>,
    user: CurrentUser,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Outcome {
    let todo = todos::toggle(&ports, &id, publisher(user, &headers, &body)).await?;
    Ok(Answer::fields(json!({ "todo": todo })))
}

async fn remove(
    State(ports): State<Ports>,
    Path(id): Path<String>,
    user: CurrentUser,
    headers: HeaderMap,
    JsonBody(body): JsonBody,
) -> Outcome {
    let todo = todos::delete(&ports, &id, publisher(user, &headers, &body)).await?;
    Ok(Answer::fields(json!({ "todo": todo })))
}

async fn stats(State(ports): State<Ports>) -> Outcome {
    let stats: TodoStats = todos::list(&ports, 1, None).await?.stats;
    Ok(Answer::fields(json!({ "stats": stats })))
}

/// The audit trail: who did what, newest first.
async fn history(State(ports): State<Ports>, page: Result<Query<Page>, QueryRejection>) -> Outcome {
    let limit = limit(page.ok().and_then(|Query(page)| page.limit))?;
    Ok(Answer::fields(json!({ "history": todos::history(&ports, limit).await? })))
}

fn limit(text: Option<String>) -> Result<usize, ApiError> {
    match text.as_deref().map(str::parse::<usize>) {
        None => Ok(LIMIT),
        Some(Ok(limit @ 1..)) => Ok(limit.min(LIMIT_MAX)),
        Some(_) => {
            let text = format!("`limit` is a whole number from 1 to {LIMIT_MAX}.");
            Err(ApiError::bad_request(Code::ValidationError, text))
        }
    }
}

fn publisher(CurrentUser(user): CurrentUser, headers: &HeaderMap, body: &Value) -> Publisher {
    let (username, name) = user.map(|user| (user.username, user.name)).unwrap_or_default();
    Publisher { uuid: publisher_uuid(body, headers), username, name }
}
