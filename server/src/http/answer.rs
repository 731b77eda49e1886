//! What routes answer: JSON in one envelope, rendered in one place.
//!
//! A handler returns an [`Outcome`]; its parts travel with the response to [`finish`], which alone
//! knows how long the request took and which path it asked for.

mod finish;

use std::{panic::Location, time::Duration};

use app::{ports::StoreError, todos::TodoError};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};
use wire::Code;

use self::finish::{Parts, carry};
pub use self::finish::{Told, finish};

/// What a handler of a JSON route returns.
pub type Outcome = Result<Answer, ApiError>;

/// A success: `{success: true, data?, message?, elapsed}`, or with fields of its own.
///
/// ```
/// use http::StatusCode;
/// use serde_json::json;
/// use server::http::answer::Answer;
///
/// let in_data = Answer::data(json!({ "channel": "view:a:b:c" })).message("Broadcast on view:a:b:c.");
/// let at_top = Answer::fields(json!({ "todo": { "title": "tea" } })).status(StatusCode::CREATED);
/// ```
#[derive(Debug)]
#[must_use = "an answer that is not returned reaches nobody"]
pub struct Answer {
    status: StatusCode,
    fields: Result<Map<String, Value>, serde_json::Error>,
    raw_data: Option<Box<RawValue>>,
}

impl Answer {
    /// Nothing but success.
    pub fn done() -> Self {
        Self { status: StatusCode::OK, fields: Ok(Map::new()), raw_data: None }
    }

    /// With this JSON as `data`, to the letter; `null` for nothing.
    pub fn raw_data(data: Option<Box<RawValue>>) -> Self {
        Self { raw_data: Some(data.unwrap_or_else(|| RawValue::NULL.to_owned())), ..Self::done() }
    }

    /// With this as `data`.
    pub fn data(data: impl Serialize) -> Self {
        let fields = serde_json::to_value(data).map(|data| Map::from_iter([("data".to_owned(), data)]));
        Self { fields, ..Self::done() }
    }

    /// With the fields of this struct or map beside `success`.
    pub fn fields(fields: impl Serialize) -> Self {
        let fields = serde_json::to_value(fields).and_then(serde_json::from_value);
        Self { fields, ..Self::done() }
    }

    /// With a text for people as `message`.
    pub fn message(mut self, text: impl Into<String>) -> Self {
        if let Ok(fields) = &mut self.fields {
            fields.insert("message".to_owned(), Value::String(text.into()));
        }
        self
    }

    /// With another status than 200.
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self.fields {
            Ok(fields) => carry(self.status, Parts::Success { fields, raw_data: self.raw_data }),
            Err(error) => {
                tracing::error!(%error, "an answer cannot be written as JSON");
                ApiError::internal().into_response()
            }
        }
    }
}

/// A failure: `{success: false, error, code, path, details?}`.
#[derive(Clone, Debug)]
#[must_use = "an error that is not returned reaches nobody"]
pub struct ApiError {
    status: StatusCode,
    code: Code,
    error: String,
    details: Option<Value>,
    retry_after: Option<Duration>,
    /// Where it was made, for the record of errors.
    at: &'static Location<'static>,
}

impl ApiError {
    /// With this status, this code for programs, this text for people.
    #[track_caller]
    pub fn new(status: StatusCode, code: Code, error: impl Into<String>) -> Self {
        Self { status, code, error: error.into(), details: None, retry_after: None, at: Location::caller() }
    }

    /// 400: the request does not hold what it should.
    pub fn bad_request(code: Code, error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, error)
    }

    /// 404: there is no such route.
    pub fn no_route() -> Self {
        Self::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such route.")
    }

    /// 429: too many requests; come back after this time, in whole seconds, at least one.
    pub fn rate_limited(retry_after: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, Code::RateLimited, "Too many requests; please wait a moment.")
            .retry_after(retry_after)
    }

    /// 500: our fault. Log the cause first, it is not told.
    #[track_caller]
    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Code::InternalError, "Something went wrong on the server.")
    }

    /// With numbers or names that help a program.
    pub fn details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// The whole answer to a request of this path, where [`finish`] is not around: in the layers
    /// outside it.
    pub fn at(self, path: &str) -> Response {
        finish::complete(self.into_response(), path, Duration::ZERO)
    }

    /// The body of the answer to a request of this path, as JSON.
    pub(super) fn body(&self, path: &str) -> Vec<u8> {
        finish::failure_body(self, path)
    }

    /// With a `Retry-After` header, in whole seconds, at least one.
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let seconds = self.retry_after.map(|wait| wait.as_millis().div_ceil(1_000).max(1).to_string());
        let mut response = carry(self.status, Parts::Failure(self));
        if let Some(seconds) = seconds.and_then(|seconds| HeaderValue::try_from(seconds).ok()) {
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

impl From<StoreError> for ApiError {
    // The place of the `?` that made it.
    #[track_caller]
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::new(StatusCode::NOT_FOUND, Code::NotFound, "There is no such document."),
            StoreError::InvalidId => Self::bad_request(Code::InvalidId, "This is not the id of a document."),
            StoreError::InvalidCursor => Self::bad_request(Code::ValidationError, "This is not a cursor of this list."),
            StoreError::Unavailable(cause) => {
                tracing::error!(%cause, "the store is not available");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    Code::StoreUnavailable,
                    "The documents cannot be reached just now; nothing was changed. Please try again in a moment.",
                )
            }
        }
    }
}

impl From<TodoError> for ApiError {
    #[track_caller]
    fn from(error: TodoError) -> Self {
        if let TodoError::Unavailable(cause) = &error {
            tracing::error!(%cause, "the to-do list is not available");
        }
        Self::new(error.status(), error.code(), error.to_string())
    }
}
