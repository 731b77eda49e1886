//! The shared text over REST.

use app::{
    ports::{Ports, Publisher, SubmitError},
    texts,
};
use axum::{
    Router,
    extract::{Query, State, rejection::QueryRejection},
    routing::{get, post},
};
use http::HeaderMap;
use serde::Deserialize;
use serde_json::json;
use wire::{
    Code,
    text::{Refusal, Submission},
};

use super::{
    answer::{Answer, ApiError, Outcome},
    body::{JsonBody, publisher_uuid},
    visitor::CurrentUser,
};

/// Bytes of a body with an edit at most: as many characters as a text has, of four bytes each, fit in.
pub(super) const EDIT_BYTES: usize = 128 * 1024;

/// `/api/1/hello-text` and what is below it.
pub fn routes() -> Router<Ports> {
    Router::new().route("/api/1/hello-text", get(read)).route("/api/1/hello-text/edits", post(submit))
}

#[derive(Deserialize)]
struct Wanted {
    since: Option<String>,
}

/// The text, or with `since` the edits accepted behind that version.
async fn read(State(ports): State<Ports>, wanted: Result<Query<Wanted>, QueryRejection>) -> Outcome {
    let wrong = |text: String| ApiError::bad_request(Code::ValidationError, text);
    let Query(Wanted { since }) = wanted.map_err(|error| wrong(error.body_text()))?;
    match since.as_deref().map(str::parse::<u64>) {
        None => Ok(Answer::data(ports.texts.read().await?)),
        Some(Ok(version)) => Ok(Answer::data(json!({ "edits": texts::since(&ports, version).await? }))),
        Some(Err(_)) => Err(wrong("`since` is a version: a whole number.".to_owned())),
    }
}

async fn submit(
    State(ports): State<Ports>,
    CurrentUser(user): CurrentUser,
    headers: HeaderMap,
    JsonBody(body): JsonBody<EDIT_BYTES>,
) -> Outcome {
    let (username, name) = user.map(|user| (user.username, user.name)).unwrap_or_default();
    let publisher = Publisher { uuid: publisher_uuid(&body, &headers), username, name };
    let submission: Submission = serde_json::from_value(body).map_err(|error| {
        let text = format!("An edit has `base`, a version, `id`, a string, and `edit`, a list of steps: {error}.");
        ApiError::bad_request(Code::ValidationError, text)
    })?;
    let id = submission.id.clone();
    let edits = texts::submit(&ports, submission, publisher).await?;
    let version = edits.iter().find(|edit| edit.id == id).map(|edit| edit.version);
    Ok(Answer::data(json!({ "version": version, "edits": edits })))
}

impl From<SubmitError> for ApiError {
    fn from(error: SubmitError) -> Self {
        let (code, status) = texts::code_and_status(&error);
        match error {
            SubmitError::Store(cause) => cause.into(),
            SubmitError::Refused(refusal @ Refusal::Outdated { version }) => {
                Self::new(status, code, refusal.to_string()).details(json!({ "version": version }))
            }
            SubmitError::Refused(refusal) => Self::new(status, code, refusal.to_string()),
        }
    }
}
